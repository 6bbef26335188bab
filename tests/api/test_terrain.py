"""Terrain over HTTP: heights as the raster has them, for those who may see it."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import numpy as np
import psycopg
import pytest
import rasterio
from rasterio.io import MemoryFile
from rasterio.transform import from_bounds

from api.app import create_app
from tests import town
from tests.api.conftest import Places, client_of
from twin.directory import CityPlace
from twin.settings import Settings

HEIGHT = 123.4
BOX = (120.90, 28.05, 121.00, 28.15)
# The town's tile of zoom 12.
INSIDE, OUTSIDE = "12/3424/1714", "12/0/0"


@pytest.fixture(scope="module")
async def client(
    new_city: Callable[..., str], settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[httpx.AsyncClient]:
    url, folder = new_city(), tmp_path_factory.mktemp("files")
    town.fill(url)
    profile = {"driver": "GTiff", "width": 100, "height": 100, "count": 1, "dtype": "float32", "crs": "EPSG:4490"}
    with rasterio.open(folder / "plain.tif", "w", transform=from_bounds(*BOX, 100, 100), **profile) as file:
        file.write(np.full((100, 100), HEIGHT, "float32"), 1)
    with psycopg.connect(url) as connection:
        connection.execute(
            "insert into terrain (dataset_id, uid, content_hash, class, kind, path, resolution, geom)"
            " values (1, 't', '', 'dtm', 'dtm', 'plain.tif', 100, st_multi(st_makeenvelope(%s, %s, %s, %s, 4490)))",
            BOX,
        )
    async with client_of(create_app(settings, Places(CityPlace("town", url, folder)))) as opened:
        yield opened


async def test_heights(client: httpx.AsyncClient) -> None:
    """Decoded by Mapbox's formula, as the TileJSON says."""
    document = (await client.get("/terrain/tilejson.json")).json()
    assert (document["encoding"], document["tileSize"]) == ("mapbox", 256)
    assert document["vertical_datum"] == "1985国家高程基准"
    west, south, east, north = document["bounds"]
    assert west <= BOX[0] < BOX[2] <= east
    assert south <= BOX[1] < BOX[3] <= north
    answer = await client.get(document["tiles"][0].replace("{z}/{x}/{y}", INSIDE))
    assert answer.headers["content-type"] == "image/png"
    with MemoryFile(answer.content) as memory, memory.open() as image:
        red, green, blue = image.read().astype(int)[:, 128, 128]
    assert -10_000 + 0.1 * (65_536 * red + 256 * green + blue) == pytest.approx(HEIGHT, abs=0.05)


@pytest.mark.parametrize("kind", ["", "hillshade/"])
async def test_the_same_costs_no_bytes_and_nothing_is_nothing(client: httpx.AsyncClient, kind: str) -> None:
    first = await client.get(f"/terrain/{kind}{INSIDE}.png")
    assert first.status_code == 200
    again = await client.get(f"/terrain/{kind}{INSIDE}.png", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert (await client.get(f"/terrain/{kind}{OUTSIDE}.png")).status_code == 204
    for wrong in ("30/0/0", "1/9/0", "1/99999999999999999999999999/0"):
        assert (await client.get(f"/terrain/{kind}{wrong}.png")).status_code == 404
    assert (await client.get(f"/terrain/{kind}{INSIDE}.png?colour=red")).status_code == 400


async def test_the_city_and_its_styles_know_of_it(client: httpx.AsyncClient) -> None:
    city = (await client.get("/city")).json()
    assert city["terrain"] == {
        "tilejson": "http://city.test/terrain/tilejson.json",
        "vertical_datum": "1985国家高程基准",
    }
    assert (await client.get("/styles/day")).json()["sources"]["terrain"]["url"] == city["terrain"]["tilejson"]


async def test_hidden_it_is_as_if_there_were_none(
    new_city: Callable[..., str], settings: Settings, client: httpx.AsyncClient, town_url: str, tmp_path: Path
) -> None:
    url = new_city()
    town.fill(url)
    with psycopg.connect(url) as connection:
        connection.execute(
            "insert into terrain (dataset_id, uid, content_hash, class, kind, path, resolution, geom)"
            " values (1, 't', '', 'dtm', 'dtm', 'gone.tif', 100, st_multi(st_makeenvelope(1, 1, 2, 2, 4490)));"
            "update layer set restricted = true where id = 'terrain'"
        )
    async with client_of(create_app(settings, Places(CityPlace("town", url, tmp_path)))) as hiding:
        for path in ("/terrain/tilejson.json", f"/terrain/{INSIDE}.png", f"/terrain/hillshade/{INSIDE}.png"):
            answer = await hiding.get(path)
            assert answer.status_code == 404
            assert answer.json()["detail"] == "town has no terrain"
        assert (await hiding.get("/city")).json()["terrain"] is None
        assert "terrain" not in (await hiding.get("/styles/day")).json()["sources"]


async def test_the_ground_of_another_time(client: httpx.AsyncClient) -> None:
    """As it was known and true then; the tiles of a moment are addressed with it."""
    before = (await client.get("/terrain/tilejson.json?datetime=2019-06-01")).json()
    assert before["tiles"] == ["http://city.test/terrain/{z}/{x}/{y}.png?datetime=2019-06-01"]
    unknown = await client.get(f"/terrain/{INSIDE}.png?recorded=2001-01-01")
    assert unknown.status_code == 404
    now = await client.get(f"/terrain/{INSIDE}.png")
    assert (await client.get(f"/terrain/{INSIDE}.png?datetime=2019-06-01")).content == now.content
    assert (await client.get(f"/terrain/{INSIDE}.png?datetime=soon")).status_code == 400
