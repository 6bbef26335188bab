"""A data set whose fields are called what no column should be: shown, filtered, sorted and drawn as they are."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import geopandas
import httpx
import mapbox_vector_tile
import pyogrio
import pytest

from api.app import create_app
from tests.api.conftest import Places, client_of
from tests.api.odd import lay_down
from twin.directory import CityPlace
from twin.settings import Settings

FIELDS = {
    "a'b\"c": "text", "x; drop table y--": "number", "$1 %s :x": "integer", "limit": "text", "高度": "number",
    "chosen": "boolean", "null": "text", "fid": "text", "Geometry": "text", "object_id": "integer", "FID": "text",
}  # fmt: skip
VALUES = [
    {"a'b\"c": "it's", "x; drop table y--": 1.5, "$1 %s :x": 7, "limit": "none", "高度": 12, "chosen": True,
     "null": "x", "fid": "f", "Geometry": "g", "object_id": 5, "FID": "F"},
    {"a'b\"c": "\"no\"", "x; drop table y--": 2.5, "$1 %s :x": 8, "limit": "some", "高度": 13, "chosen": False},
    # The source held words where numbers were expected.
    {"a'b\"c": None, "x; drop table y--": "many", "$1 %s :x": "few"},
]  # fmt: skip
ITEMS = "/collections/odd/items"


@pytest.fixture(scope="module")
async def client(new_city: Callable[..., str], settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    url = new_city()
    lay_down(url, FIELDS, [(values, "POINT(120.955 28.105)") for values in VALUES])
    async with client_of(create_app(settings, Places(CityPlace("odd", url, Path("unused"))))) as opened:
        yield opened


async def uids(client: httpx.AsyncClient, **parameters: str) -> list[str]:
    answer = await client.get(ITEMS, params=parameters)
    assert answer.status_code == 200, answer.text
    return [feature["properties"]["uid"] for feature in answer.json()["features"]]


async def test_they_are_shown(client: httpx.AsyncClient) -> None:
    features = (await client.get(ITEMS)).json()["features"]
    for feature, values in zip(features[:2], VALUES, strict=False):
        assert {name: feature["properties"][name] for name in FIELDS} == dict.fromkeys(FIELDS) | values
    # A value of another type than the field's is none.
    assert features[2]["properties"]["x; drop table y--"] is None
    described = (await client.get("/collections/odd/schema")).json()["properties"]
    assert set(FIELDS) <= set(described)


async def test_they_are_asked_for(client: httpx.AsyncClient) -> None:
    assert await uids(client, **{"a'b\"c": "it's"}) == ["0"]
    assert await uids(client, **{"x; drop table y--": "2.5"}) == ["1"]
    assert await uids(client, filter='"高度" > 12') == ["1"]
    assert await uids(client, filter='chosen AND "$1 %s :x" = 7') == ["0"]
    assert await uids(client, sortby="-x; drop table y--") == ["1", "0", "2"]
    # What the page itself is called goes first.
    assert len(await uids(client, limit="1")) == 1


async def test_they_are_drawn(client: httpx.AsyncClient) -> None:
    answer = await client.get("/collections/odd/tiles/WebMercatorQuad/14/6858/13696")
    drawn = [feature["properties"] for feature in mapbox_vector_tile.decode(answer.content)["odd"]["features"]]
    assert {"a'b\"c": "it's", "x; drop table y--": 1.5, "高度": 12}.items() <= drawn[0].items()


@pytest.mark.parametrize("form", ["gpkg", "fgb", "parquet", "csv", "gml", "shp", "geojson"])
async def test_they_are_written_to_files(client: httpx.AsyncClient, tmp_path: Path, form: str) -> None:
    """Each format bends names to its own rules; every value is there, and nobody's name takes the geometry's place."""
    answer = await client.get(ITEMS, params={"f": form, "crs": "EPSG:4549"})
    assert answer.status_code == 200, answer.text
    file = tmp_path / f"odd.{'zip' if form == 'shp' else form}"
    file.write_bytes(answer.content)
    if form in ("csv", "geojson"):
        assert "it's" in answer.content.decode("utf-8-sig")
        return
    frame = geopandas.read_parquet(file) if form == "parquet" else pyogrio.read_dataframe(file)
    assert len(frame) == 3
    told = {str(value) for name in frame.columns if name != "geometry" for value in frame[name]}
    assert {"it's", "f", "g", "F"} <= told
    assert set(frame.geometry.geom_type) == {"Point"}


async def test_they_are_summed_up(client: httpx.AsyncClient) -> None:
    answer = await client.get("/collections/odd/aggregate", params={"property": "x; drop table y--", "by": "a'b\"c"})
    assert {group["value"]: group["sum"] for group in answer.json()["groups"]} == {"it's": 1.5, '"no"': 2.5, None: None}
