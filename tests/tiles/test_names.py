"""Fields may be called anything: their names reach items, overviews and tiles as words, never as SQL."""

import json
from pathlib import Path

import mapbox_vector_tile
import pytest

from cim_models.database import Database
from layers.access import PUBLIC
from layers.catalog import load_catalog
from layers.features import read_page
from layers.load import file_deliveries, load
from layers.query import Selection
from layers.view import NOW
from tiles.draw import Request, draw
from tiles.matrix import HALF_WORLD, tile_at, web_point
from tiles.overview.follow import catch_up
from tiles.statements import Statements

PLACE = (121.0, 28.1)
LONG = "建筑物所在地块的土地使用权证书编号及其登记日期"
ODD = {
    "a'b": "quote",
    "x', (select 1/0)::text, 'y": "injection",
    'say "no"': "double",
    "100 %": "percent",
    ":colon": "colon",
    "$1": "dollar",
    "@id": "at",
    "名称": "chinese",
    LONG + "甲": "first",
    LONG + "乙": "second",
    "plan_id": "888",
    "attributes": "secret",
    "valid_from": "long ago",
    "name": "The name",
}
MANY = {f"field_{number:03}": f"value {number}" for number in range(120)}


def geojson(path: Path, properties: dict[str, str]) -> Path:
    point = {"type": "Point", "coordinates": PLACE}
    feature = {"type": "Feature", "geometry": point, "properties": properties}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    return path


@pytest.mark.parametrize("properties", [ODD, MANY], ids=["odd", "many"])
@pytest.mark.parametrize("zoom", [10, 16])
async def test_any_field_comes_through(
    database: Database, tmp_path: Path, properties: dict[str, str], zoom: int
) -> None:
    """Every value is told by items and drawn in tiles, from overviews at z10 and from objects at z16."""
    file = geojson(tmp_path / "odd.geojson", properties)
    load(database.url, file_deliveries(file), who="test", home=tmp_path)
    await catch_up(database)
    x, y = web_point(*PLACE)
    side = 2 * HALF_WORLD / 2**zoom
    tile = tile_at(zoom, int((x + HALF_WORLD) / side), int((HALF_WORLD - y) / side))
    async with database.reading() as connection:
        catalog = await load_catalog(connection, database.city)
        layer = catalog.layer("odd", PUBLIC)
        raw = await draw(connection, Request(catalog, layer, tile, NOW, None, PUBLIC), Statements())
        page = await read_page(connection, Selection(layer), catalog, PUBLIC, limit=10)
    (drawn,) = mapbox_vector_tile.decode(raw.body)["odd"]["features"]
    told = json.loads(page.features[0])["properties"]
    assert set(drawn["properties"].values()) >= set(properties.values())
    assert {v for v in told.values() if isinstance(v, str)} >= set(properties.values())
