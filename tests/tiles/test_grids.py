"""Tiles in every grid: laid out as the standards say, placed as PROJ says, holding what SQL says, fresh after edits."""

import asyncio
from pathlib import Path

import morecantile
import numpy as np
import pytest
import shapely
from pyproj import Transformer

from cim_models.database import Database
from tests import town
from tests.conftest import TEST_CITY
from tests.tiles.reading import catalog_of, drawn, features
from tests.tiles.test_service import MOST_STALE_S, asked, edited, raw, service, unheard
from tiles.matrix import (
    CGCS2000,
    EXTENT,
    HALF_WORLD,
    WEB,
    WORLD_CRS84,
    Grid,
    Tile,
    TileOutOfRange,
    metric_grid,
    tile_at,
)
from tiles.overview.follow import catch_up, follow

METRIC = metric_grid(TEST_CITY.metric_srid)
GRIDS = [WEB, WORLD_CRS84, CGCS2000, METRIC]
OTHERS = GRIDS[1:]
STANDING = """
    select object_id, st_asbinary(geom) as wkb from building where recorded_to = 'infinity' and plan_id is null
    and (valid_from is null or valid_from <= now()) and (valid_to is null or valid_to > now())
"""


def over(grid: Grid, longitude: float, latitude: float, zoom: int) -> Tile:
    """The tile of a grid over a point; zoom counts as the web's."""
    x, y = Transformer.from_crs(4326, grid.crs.code, always_xy=True).transform(longitude, latitude)
    z = zoom - grid.detail
    side = grid.tile_side(z)
    return tile_at(z, int((x - grid.left) // side), int((grid.top - y) // side), grid)


def tiles_over_town(grid: Grid, zoom: int) -> set[Tile]:
    corners = [(town.WEST + dx, town.SOUTH + dy) for dx in (0, 0.0094) for dy in (0, 0.0034)]
    found = [over(grid, x, y, zoom) for x, y in corners]
    return {
        tile_at(found[0].z, x, y, grid)
        for x in range(min(t.x for t in found), max(t.x for t in found) + 1)
        for y in range(min(t.y for t in found), max(t.y for t in found) + 1)
    }


@pytest.mark.parametrize("grid", [WEB, WORLD_CRS84], ids=lambda grid: grid.id)
def test_registered_grids_are_as_registered(grid: Grid) -> None:
    """OGC 17-083r4, annex D, as morecantile carries it."""
    told = morecantile.tms.get(grid.id)
    for zoom in range(grid.first, grid.last + 1):
        matrix = told.matrix(zoom)
        assert (matrix.matrixWidth, matrix.matrixHeight) == (grid.columns(zoom), grid.rows(zoom))
        assert matrix.pointOfOrigin == pytest.approx((grid.left, grid.top))
        assert matrix.cellSize == pytest.approx(grid.cell_size(zoom), rel=1e-9)
        assert matrix.scaleDenominator == pytest.approx(grid.scale_denominator(zoom), rel=1e-9)


def test_the_grid_of_china_is_laid_out_as_tianditu_lays_it_out() -> None:
    """Matrix 1 has two tiles of a hemisphere each, 0.703125 degrees a pixel; matrix 18 is 2^18 tiles wide."""
    assert (CGCS2000.first, CGCS2000.columns(1), CGCS2000.rows(1)) == (1, 2, 1)
    assert CGCS2000.cell_size(1) == 0.703125
    assert (CGCS2000.columns(18), CGCS2000.rows(18)) == (2**18, 2**17)
    assert CGCS2000.crs.to_official((CGCS2000.left, CGCS2000.top - 180, 180, CGCS2000.top)) == (-90, -180, 90, 180)
    with pytest.raises(TileOutOfRange):
        tile_at(0, 0, 0, CGCS2000)
    assert tile_at(18, 2**18 - 1, 2**17 - 1, CGCS2000).box()[1:3] == (-90, 180)


def test_the_metric_grid_counts_whole_metres() -> None:
    """About the false origin of EPSG:4549, 500 km to the west of the central meridian."""
    assert (METRIC.id, METRIC.left, METRIC.top) == ("EPSG4549Quad", 500_000 - 2**24, 2**24)
    assert METRIC.cell_size(17) == 1
    assert all(value == int(value) for value in tile_at(22, 2**21 + 77, 2**21 - 3, METRIC).box())


@pytest.mark.parametrize("grid", GRIDS, ids=lambda grid: grid.id)
async def test_every_object_is_where_proj_puts_it(town_database: Database, grid: Grid) -> None:
    """Each corner in the tile lies within half a unit (and rounding) of the corner that pyproj transforms."""
    async with town_database.reading() as connection:
        stored = {row["object_id"]: shapely.from_wkb(row["wkb"]) for row in await connection.fetch(STANDING)}
    project = Transformer.from_crs(4490, grid.crs.code, always_xy=True)
    seen = set()
    for tile in tiles_over_town(grid, 16):
        body = (await drawn(town_database, tile)).body
        unit = tile.side / EXTENT
        # Away from the tile's edge nothing is cut.
        inner = shapely.box(*tile.box(-0.001))
        for feature in features(body, "buildings", tile):
            assert feature.id is not None
            seen.add(feature.id)
            wanted = shapely.transform(stored[feature.id], lambda xy: np.column_stack(project.transform(*xy.T)))
            if wanted.within(inner):
                assert shapely.hausdorff_distance(feature.geometry, wanted) < 0.75 * unit
    assert seen == set(stored)


@pytest.mark.parametrize("grid", OTHERS, ids=lambda grid: grid.id)
@pytest.mark.parametrize("zoom", [10, 13])
async def test_overviews_show_in_every_grid_what_they_show_in_the_web_s(
    own_town: Database, grid: Grid, zoom: int
) -> None:
    """From overviews, each object once, however many of the web's tiles it lies in."""
    await catch_up(own_town)
    project = Transformer.from_crs(3857, grid.crs.code, always_xy=True)
    web, own = set[str](), set[str]()
    area_web, area_own = 0.0, 0.0
    for tile in tiles_over_town(WEB, zoom):
        for feature in features((await drawn(own_town, tile)).body, "buildings", tile):
            clipped = feature.geometry.intersection(shapely.box(*tile.box()))
            area_web += shapely.transform(clipped, lambda xy: np.column_stack(project.transform(*xy.T))).area
            web.add(str(feature.properties))
    for tile in tiles_over_town(grid, zoom):
        raw_tile = await drawn(own_town, tile)
        assert raw_tile.settled
        for feature in features(raw_tile.body, "buildings", tile):
            area_own += feature.geometry.intersection(shapely.box(*tile.box())).area
            own.add(str(feature.properties))
    assert area_own == pytest.approx(area_web, rel=0.1)
    assert own == web != set()


@pytest.mark.parametrize("grid", OTHERS, ids=lambda grid: grid.id)
def test_the_box_of_a_tile_in_the_web_holds_all_of_it(grid: Grid) -> None:
    """Sides bend between the grids; a change anywhere in the tile must be found in its box."""
    project = Transformer.from_crs(grid.crs.code, 3857, always_xy=True)
    for zoom in (6, 9, 14):
        tile = over(grid, 120.95, 28.1, zoom)
        west, south, east, north = tile.web_box()
        left, bottom, right, top = tile.box()
        left, bottom = max(left, grid.domain[0]), max(bottom, grid.domain[1])
        right, top = min(right, grid.domain[2]), min(top, grid.domain[3])
        x, y = np.meshgrid(np.linspace(left, right, 201), np.linspace(bottom, top, 201))
        x, y = project.transform(x.ravel(), y.ravel())
        assert (west <= x.min(), south <= y.min(), east >= x.max(), north >= y.max()) == (True,) * 4


def test_tiles_beyond_the_projection_s_use_hold_nothing() -> None:
    assert tile_at(3, 0, 0, METRIC).web_box()[0] < -HALF_WORLD
    west, _, east, _ = tile_at(0, 0, 0, METRIC).web_box()
    assert west < HALF_WORLD * 120.95 / 180 < east


@pytest.mark.parametrize("grid", OTHERS, ids=lambda grid: grid.id)
async def test_an_edit_is_seen_and_other_tiles_stay(own_town: Database, grid: Grid, tmp_path: Path) -> None:
    """As in the web's grid: the tile of the edited building is drawn anew, one beside it is still from the cache."""
    catalog = await catalog_of(own_town)
    # b13 stands in the second row, third column; b40 in the last corner.
    near = over(grid, town.WEST + 2.2 * town.STEP, town.SOUTH + 1.2 * town.STEP, 19)
    far = over(grid, town.WEST + 9.2 * town.STEP, town.SOUTH + 3.2 * town.STEP, 19)
    async with service(own_town, tmp_path) as one:
        before, kept = await asked(one, catalog, near), await asked(one, catalog, far)
        await unheard(own_town, "b40")
        await edited(own_town, height=77.0)
        await asyncio.sleep(MOST_STALE_S)
        after = await asked(one, catalog, near)
        assert after.etag != before.etag
        assert {f.properties["height"] for f in features(raw(after), "buildings", near)} == {77}
        assert await asked(one, catalog, far) == kept


@pytest.mark.parametrize("grid", OTHERS, ids=lambda grid: grid.id)
async def test_low_zooms_follow_an_edit(own_town: Database, grid: Grid) -> None:
    catalog = await catalog_of(own_town)
    tile = over(grid, town.WEST + 2.2 * town.STEP, town.SOUTH + 1.2 * town.STEP, 13)
    following = asyncio.create_task(follow(own_town))
    try:
        async with service(own_town) as one:
            await asked(one, catalog, tile)
            await edited(own_town, height=77.0)
            await asyncio.sleep(MOST_STALE_S)
            found = features(raw(await asked(one, catalog, tile)), "buildings", tile)
            assert 77 in {f.properties["height"] for f in found}
    finally:
        following.cancel()
