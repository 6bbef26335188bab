"""Tiles over HTTP: decoded, they hold what SQL says; unchanged, they cost no bytes; edited, they are new at once."""

import asyncio
import gzip
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import mapbox_vector_tile
import pytest

from api.app import create_app
from cim_models.database import Database
from tests import town
from tests.api.conftest import Places, bearer, client_of
from twin.directory import CityPlace
from twin.settings import Settings

# The town lies in two tiles of zoom 14; in one of zoom 13.
TILE = "/tiles/WebMercatorQuad/13/3429/6848"
BUILDINGS = f"/collections/buildings{TILE}"


def decoded(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    layers: dict[str, Any] = mapbox_vector_tile.decode(answer.content)
    return layers


async def test_a_tile_holds_the_objects(client: httpx.AsyncClient) -> None:
    """Layer named like its collection, ids are object ids, properties typed."""
    layers = decoded(await client.get(BUILDINGS))
    assert list(layers) == ["buildings"]
    page = (await client.get("/collections/buildings/items?limit=100")).json()
    in_tile = {f["id"]: f["properties"]["height"] for f in layers["buildings"]["features"]}
    assert in_tile == {f["id"]: f["properties"]["height"] for f in page["features"]}


async def test_many_layers_in_one_tile(client: httpx.AsyncClient) -> None:
    layers = decoded(await client.get(f"{TILE}?collections=facilities,buildings"))
    assert {name: len(layer["features"]) for name, layer in layers.items()} == {
        "buildings": town.STANDING, "facilities": 3,
    }  # fmt: skip
    everything = decoded(await client.get(TILE))
    assert set(everything) == {"buildings", "facilities"}


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("datetime=2010-01-01", 39),
        ("datetime=2017-01-01", 38),
        ("filter=height%20%3E%2030", 9),
        ("plan=1", 39),
        ("recorded=2001-01-01", 0),
        ("datetime=2010-01-01&filter=height%20%3E%2030", 9),
    ],
)
async def test_a_tile_of_another_time_plan_or_condition(client: httpx.AsyncClient, query: str, count: int) -> None:
    for _ in range(2):
        answer = await client.get(f"{BUILDINGS}?{query}")
        found = len(decoded(answer)["buildings"]["features"]) if answer.status_code == 200 else 0
        assert found == count


async def test_nothing_is_204_and_the_same_is_304(client: httpx.AsyncClient) -> None:
    empty = await client.get(f"{BUILDINGS}?recorded=2001-01-01")
    assert (empty.status_code, empty.content) == (204, b"")
    beyond = await client.get("/collections/buildings/tiles/WebMercatorQuad/13/0/0")
    assert beyond.status_code == 404
    first = await client.get(BUILDINGS)
    assert first.headers["cache-control"] == "no-cache"
    again = await client.get(BUILDINGS, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert (await client.get(BUILDINGS, headers={"If-None-Match": '"other"'})).status_code == 200


async def test_a_tile_comes_packed_to_those_who_can_unpack(client: httpx.AsyncClient) -> None:
    for path in (BUILDINGS, f"{TILE}?collections=facilities,buildings"):
        plain = await client.get(path, headers={"Accept-Encoding": "identity"})
        assert "content-encoding" not in plain.headers
        async with client.stream("GET", path, headers={"Accept-Encoding": "gzip"}) as answer:
            packed = b"".join([part async for part in answer.aiter_raw()])
        assert answer.headers["content-encoding"] == "gzip"
        assert int(answer.headers["content-length"]) == len(packed)
        assert gzip.decompress(packed) == plain.content


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("filter=colour=1", 400),
        ("colour=red", 400),
        ("datetime=soon", 400),
        ("plan=77", 400),
        ("collections=roads", 400),
    ],
)
async def test_what_is_not_known_is_refused(client: httpx.AsyncClient, query: str, status: int) -> None:
    assert (await client.get(f"{BUILDINGS}?{query}")).status_code == status


async def test_each_sees_his_own(client: httpx.AsyncClient, tokens: town.Tokens) -> None:
    """The township's tile has five buildings, whoever asked first, and however often."""
    for _ in range(2):
        assert len(decoded(await client.get(BUILDINGS))["buildings"]["features"]) == town.STANDING
        own = decoded(await client.get(BUILDINGS, headers=bearer(tokens.township)))
        assert len(own["buildings"]["features"]) == 5
    seen = decoded(await client.get(f"{TILE}?collections=utility_pipes", headers=bearer(tokens.utility)))
    # Three, or fewer where overviews stand by now, which merge those that are alike.
    assert seen["utility_pipes"]["features"]


async def test_a_hundred_at_once(client: httpx.AsyncClient) -> None:
    """Every request is answered, and equal ones alike."""
    answers = await asyncio.gather(*(client.get(f"{TILE}?collections=buildings,facilities") for _ in range(100)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.headers["etag"] for answer in answers}) == 1


@pytest.fixture
async def own(
    new_city: Callable[..., str], settings: Settings
) -> AsyncIterator[tuple[httpx.AsyncClient, town.Tokens, str]]:
    url = new_city()
    town.fill(url)
    database = await Database.open(url)
    tokens = await town.make_tokens(database)
    await database.close()
    async with client_of(create_app(settings, Places(CityPlace("town", url, Path("unused"))))) as client:
        yield client, tokens, url


async def test_an_edit_shows_within_two_seconds(own: tuple[httpx.AsyncClient, town.Tokens, str]) -> None:
    client, tokens, _ = own
    before = await client.get(BUILDINGS)
    page = (await client.get("/collections/buildings/items?uid=b7")).json()
    address = f"/collections/buildings/items/{page['features'][0]['id']}"
    changed = await client.patch(address, json={"properties": {"height": 77}}, headers=bearer(tokens.editor))
    assert changed.status_code == 204
    until = time.monotonic() + 2
    while (after := await client.get(BUILDINGS)).headers["etag"] == before.headers["etag"]:
        assert time.monotonic() < until
        await asyncio.sleep(0.02)
    assert 77 in {f["properties"]["height"] for f in decoded(after)["buildings"]["features"]}


async def test_files_are_shared_by_processes(new_city: Callable[..., str], settings: Settings, tmp_path: Path) -> None:
    """What one process has drawn, another gives byte for byte."""
    url = new_city()
    town.fill(url)
    shared = settings.model_copy(update={"cache": tmp_path})
    places = Places(CityPlace("town", url, Path("unused")))
    async with client_of(create_app(shared, places)) as one, client_of(create_app(shared, places)) as two:
        first, second = await one.get(BUILDINGS), await two.get(BUILDINGS)
    assert first.content == second.content
    assert first.headers["etag"] == second.headers["etag"]
