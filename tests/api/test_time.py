"""The table of cases (docs/time.md) over HTTP: pages, single objects, tiles and WFS show the same city."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import mapbox_vector_tile
import morecantile
import pytest

from api.app import create_app
from cim_models.database import Database
from tests.api.conftest import Places, client_of
from tests.api.wfs import CITY, tree
from tests.cases import CASES, Case
from tests.enact import clear, enact, footprint
from twin.directory import CityPlace
from twin.settings import Settings

ITEMS = "/collections/buildings/items"
GRID = morecantile.tms.get("WebMercatorQuad")
# Where the cases build: by hand, and by the names that the data set's buildings have.
PLACES = [footprint(number).centroid for number in (0, *map(ord, "abcd"))]
TILES = {GRID.tile(place.x, place.y, 14) for place in PLACES}


@pytest.fixture(scope="module")
async def empty(new_city: Callable[..., str]) -> AsyncIterator[Database]:
    opened = await Database.open(new_city())
    yield opened
    await opened.close()


async def by_page(client: httpx.AsyncClient, parameters: dict[str, str]) -> dict[int, float]:
    answer = await client.get(ITEMS, params=parameters | {"limit": "100"})
    assert answer.status_code == 200, answer.text
    return {f["id"]: f["properties"]["height"] for f in answer.json()["features"]}


async def by_tile(client: httpx.AsyncClient, parameters: dict[str, str]) -> dict[int, float]:
    found = {}
    for tile in TILES:
        address = f"/collections/buildings/tiles/WebMercatorQuad/{tile.z}/{tile.y}/{tile.x}"
        answer = await client.get(address, params=parameters)
        # Beyond what a layer covers there are no tiles (OGC API Tiles, /req/core/tc-error).
        assert answer.status_code in (200, 204, 404), answer.text
        drawn = answer.content if answer.status_code == 200 else b""
        layers = mapbox_vector_tile.decode(drawn) if drawn else {"buildings": {"features": []}}
        found |= {f["id"]: f["properties"]["height"] for f in layers["buildings"]["features"]}
    return found


async def by_wfs(client: httpx.AsyncClient, parameters: dict[str, str]) -> list[float]:
    asked = {"SERVICE": "WFS", "VERSION": "2.0.0", "REQUEST": "GetFeature", "TYPENAMES": "buildings"}
    found = tree(await client.get("/wfs", params=asked | parameters))
    return sorted(float(each.text) for each in found.iter(f"{CITY}height"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_every_reader_shows_the_case(empty: Database, settings: Settings, case: Case) -> None:
    await clear(empty)
    done = await enact(empty, case)
    async with client_of(create_app(settings, Places(CityPlace("cases", empty.url, Path("unused"))))) as client:
        for look in case.looks:
            parameters = done.parameters(look)
            seen = await by_page(client, parameters)
            assert sorted(seen.values()) == list(look.shows), look
            assert await by_tile(client, parameters) == seen, look
            assert await by_wfs(client, parameters) == list(look.shows), look
            for object_id, height in seen.items():
                item = await client.get(f"{ITEMS}/{object_id}", params=parameters)
                assert item.json()["properties"]["height"] == height
