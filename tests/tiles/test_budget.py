"""A dense real ward: no tile is heavy at any zoom, whatever the view, and it still looks like the ward."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import shapely
from rasterio.features import rasterize
from rasterio.transform import from_bounds
from sqlalchemy import literal_column

from cim_models.database import CitySpec, Database
from layers.access import SYSTEM
from layers.filters import Filter, parse_filter
from layers.load import load, recipe_deliveries
from layers.query import Selection, rows
from layers.recipe import read_recipe
from layers.statement import compiled
from layers.view import NOW, View, parse_interval
from tests.tiles.reading import catalog_of, drawn, features, tile_over
from tiles.matrix import Tile
from tiles.overview.follow import catch_up
from tiles.vector import MOST_BYTES

RECIPE = Path(__file__).parents[2] / "twin" / "recipes" / "koto.yaml"
# Where buildings stand closest.
DENSEST = (139.8165, 35.6915)
SQUARES, FINE = 128, 2048


@pytest.fixture(scope="module")
async def koto(new_city: Callable[..., str], shared_data: Path) -> AsyncIterator[Database]:
    """55,460 buildings; every tenth stands since 2015, every fiftieth fell in 2020."""
    recipe = read_recipe(RECIPE)
    url = new_city(CitySpec("koto", "江东区", "Koto", 4326, 6677, "T.P.", "Asia/Tokyo"))
    for deliveries in recipe_deliveries(recipe, shared_data):
        load(url, deliveries, who="test", home=Path("/nonexistent"))
    opened = await Database.open(url)
    async with opened.writing() as connection:
        await connection.execute("update building set valid_from = '2015-01-01+09' where object_id % 10 = 0")
        await connection.execute("update building set valid_to = '2020-01-01+09' where object_id % 50 = 0")
    await catch_up(opened)
    yield opened
    await opened.close()


def day(text: str) -> View:
    return View(parse_interval(text, ZoneInfo("Asia/Tokyo")))


@pytest.mark.parametrize(
    ("view", "wanted"),
    [
        pytest.param(NOW, None, id="now"),
        pytest.param(day("2017-07-01"), None, id="a past day"),
        pytest.param(day("2020-01-01"), None, id="a day of change"),
        pytest.param(View(recorded=parse_interval("2100-01-01T00:00:00Z", ZoneInfo("UTC")).end), None, id="recorded"),
        pytest.param(NOW, parse_filter("height > 3"), id="a filter that leaves most"),
        pytest.param(NOW, parse_filter("class = 'Building'"), id="a filter that overviews answer"),
        pytest.param(NOW, parse_filter("height between 20 and 24"), id="a filter that leaves some"),
    ],
)
async def test_no_tile_is_heavy(koto: Database, view: View, wanted: Filter | None) -> None:
    for zoom in range(9, 21):
        raw = await drawn(koto, tile_over(*DENSEST, zoom), view=view, wanted=wanted)
        assert len(raw.body) <= MOST_BYTES
        assert raw.body or zoom > 17


async def test_a_screen_of_streets_lacks_no_building(koto: Database) -> None:
    """From the zoom at which one looks for one's house, every building is there by itself."""
    for zoom in (15, 16):
        tile = tile_over(*DENSEST, zoom)
        async with koto.reading() as connection:
            expected = await connection.fetch(
                "select object_id from building where recorded_to = 'infinity'"
                " and (valid_to is null or valid_to > now()) and st_intersects(geom_web, st_tileenvelope($1, $2, $3))",
                *tile[:3],
            )
        assert len(expected) > 500
        assert {row[0] for row in expected} <= {
            f.id for f in features((await drawn(koto, tile)).body, "buildings", tile)
        }


@pytest.mark.parametrize("zoom", [10, 11, 12, 13])
async def test_low_zooms_look_like_the_ward(koto: Database, zoom: int) -> None:
    """Squares of the screen that are built up by GDAL's count of the footprints are those that the tile fills."""
    tile = tile_over(*DENSEST, zoom)
    catalog = await catalog_of(koto)
    selection = Selection(catalog.layer("buildings", SYSTEM))
    statement = compiled(rows(selection, catalog, SYSTEM).add_columns(literal_column("st_asbinary(geom_web)")))
    async with koto.reading() as connection:
        footprints = shapely.from_wkb([row[0] for row in await connection.fetch(statement.sql, *statement.arguments)])
    truth = _share(footprints, tile) > 0.25
    found = features((await drawn(koto, tile)).body, "buildings", tile)
    shown = _share(np.array([f.geometry for f in found]), tile) > 0.25
    both = np.count_nonzero(truth & shown)
    assert both / np.count_nonzero(truth) > 0.95
    assert both / np.count_nonzero(shown) > 0.55


def _share(shapes: np.ndarray, tile: Tile) -> np.ndarray:
    """How much of each of 128 x 128 squares of the tile is covered, by 256 samples each."""
    fine = rasterize(shapes, (FINE, FINE), transform=from_bounds(*tile.box(), FINE, FINE), dtype="uint8")
    return fine.reshape(SQUARES, FINE // SQUARES, SQUARES, FINE // SQUARES).mean(axis=(1, 3))
