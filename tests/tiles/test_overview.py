"""Overviews tell the truth about the objects, in whole cells, and are the same built by edits or from nothing."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from random import Random
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import shapely
from sqlalchemy import literal_column, select

from cim_models.database import Database
from layers.access import SYSTEM
from layers.edit import Correct, Delete, Edit, Erase, Insert, Supersede, apply
from layers.filters import parse_filter
from layers.query import Selection, rows
from layers.statement import compiled
from layers.view import NOW, View, parse_interval
from tests.enact import EDITOR
from tests.tiles import quarter
from tests.tiles.reading import Feature, catalog_of, drawn, features, tile_over
from tiles.matrix import Tile
from tiles.overview.cells import home
from tiles.overview.follow import catch_up, follow, rebuild
from tiles.overview.level import home_cells, pixel_side
from tiles.overview.recipe import LEAST_COVERED, TOP_ZOOM

OVERVIEWS = """
    select layer, zoom, cell_x, cell_y, tile_x, tile_y, object_id, round(rank::numeric, 3) as rank, properties::text,
           valid_from, valid_to, st_astext(geom_web, 3) as geometry
    from overview
    order by layer, zoom, cell_x, cell_y, tile_x, tile_y, object_id, properties::text, geometry, valid_from
"""
COVERAGE = """
    select layer, zoom, cell_x, cell_y, properties::text, valid_from, valid_to, exact_from, exact_to, pixels,
           length(areas) as areas
    from overview_coverage order by layer, zoom, cell_x, cell_y, properties::text, valid_from, valid_to
"""
WRITTEN = """
    select zoom, cell_x, cell_y, array_agg(xmin::text::bigint)
    from overview where layer = 'buildings' group by zoom, cell_x, cell_y
"""
ZONE = ZoneInfo("Asia/Shanghai")
PAST = "2005-06-01"


@pytest.fixture(scope="module")
async def city(new_city: Callable[..., str]) -> AsyncIterator[Database]:
    """The quarter with its overviews, to be read only."""
    url = new_city()
    quarter.fill(url)
    opened = await Database.open(url)
    await catch_up(opened)
    yield opened
    await opened.close()


@pytest.fixture
async def own(new_city: Callable[..., str]) -> AsyncIterator[Database]:
    """The quarter with its overviews, to be changed by one test."""
    url = new_city()
    quarter.fill(url)
    opened = await Database.open(url)
    await catch_up(opened)
    yield opened
    await opened.close()


async def objects(database: Database, view: View, wanted: str | None = None) -> dict[int, shapely.Geometry]:
    """The buildings that the one predicate shows, in EPSG:3857."""
    catalog = await catalog_of(database)
    parsed = parse_filter(wanted) if wanted else None
    selection = Selection(catalog.layer("buildings", SYSTEM), view, parsed)
    columns = literal_column("object_id"), literal_column("st_asbinary(geom_web)")
    statement = compiled(rows(selection, catalog, SYSTEM).add_columns(*columns))
    async with database.reading() as connection:
        found = await connection.fetch(statement.sql, *statement.arguments)
    return dict(zip((r[0] for r in found), shapely.from_wkb([r[1] for r in found]), strict=True))


async def all_features(database: Database, zoom: int, view: View = NOW, wanted: str | None = None) -> list[Feature]:
    """The buildings of all tiles of the quarter; an object in two tiles twice."""
    west, south = (
        tile_over(quarter.WEST, quarter.SOUTH, zoom),
        tile_over(quarter.WEST + quarter.SIDE, quarter.SOUTH + quarter.SIDE, zoom),
    )
    found = []
    for x in range(west.x, south.x + 1):
        for y in range(south.y, west.y + 1):
            tile = Tile(zoom, x, y)
            raw = await drawn(database, tile, view=view, wanted=parse_filter(wanted) if wanted else None)
            found += features(raw.body, "buildings", tile)
    return found


def day(text: str) -> View:
    return View(parse_interval(text, ZONE))


VIEWS = [
    pytest.param(NOW, id="now"),
    pytest.param(day(PAST), id="a past day"),
    pytest.param(day("2010-01-01"), id="a day on which much changed"),
    pytest.param(View(plan=1), id="a plan"),
    pytest.param(View(day(PAST).valid, plan=1), id="a plan on a past day"),
]


@pytest.mark.parametrize("zoom", [10, 12, 13])
@pytest.mark.parametrize("view", VIEWS)
async def test_overviews_show_the_objects_of_the_view(city: Database, view: View, zoom: int) -> None:
    """Every object drawn by itself is in the view; every pixel of mass has small buildings of the view in it; and
    where a view has buildings there is something drawn."""
    expected = await objects(city, view)
    found = await all_features(city, zoom, view)
    assert {f.id for f in found if f.id is not None} <= set(expected)
    mass = shapely.union_all([f.geometry for f in found if f.id is None])
    alone = shapely.union_all([f.geometry for f in found if f.id is not None])
    pixel = pixel_side(zoom)
    drawn_alone = {f.id for f in found}
    merged = np.array([g for number, g in expected.items() if number not in drawn_alone])
    # A pixel may hold the quarter of a building that lies in its neighbour, and its stairs have become slopes.
    near = shapely.buffer(shapely.union_all(merged), 2.5 * pixel)
    assert shapely.area(shapely.difference(mass, near)) < 0.001 * shapely.area(mass) + 1
    shapely.prepare(mass)
    missing = merged[~shapely.intersects(mass, shapely.buffer(merged, 1.5 * pixel))]
    # What is missing is too little for a pixel: it stands alone.
    assert (shapely.area(missing) < 4 * LEAST_COVERED * pixel**2).all()
    assert shapely.area(alone) > 0 or zoom < 12


@pytest.mark.parametrize("view", VIEWS)
async def test_the_built_up_area_stays_about_the_same(city: Database, view: View) -> None:
    """What is drawn covers what is built up as well as pixels can: an independent raster of the objects agrees."""
    expected = shapely.union_all(list((await objects(city, view)).values()))
    found = shapely.union_all([f.geometry for f in await all_features(city, 13, view)])
    pixel = pixel_side(13)
    assert shapely.area(shapely.difference(expected, shapely.buffer(found, 2 * pixel))) < 0.01 * shapely.area(expected)
    assert shapely.area(found) < 3 * shapely.area(expected)


async def test_a_filter_on_what_overviews_keep(city: Database) -> None:
    """The quarter's industry lies in the west: nothing is drawn beyond, and all of the west is covered."""
    wanted = "function = 'industrial'"
    expected = await objects(city, NOW, wanted)
    found = await all_features(city, 12, NOW, wanted)
    assert {f.properties["function"] for f in found} == {"industrial"}
    area = shapely.union_all([f.geometry for f in found])
    near = shapely.buffer(shapely.union_all(list(expected.values())), 3 * pixel_side(12))
    assert shapely.area(shapely.difference(area, near)) < 0.02 * shapely.area(area)


@pytest.mark.parametrize("wanted", ["height > 38", "name is not null", "function = 'commercial'"])
async def test_a_filter_that_leaves_few_is_answered_by_just_these(city: Database, wanted: str) -> None:
    expected = await objects(city, NOW, wanted)
    assert {f.id for f in await all_features(city, 11, NOW, wanted)} == set(expected)


@pytest.mark.parametrize("zoom", [9, 11, 13])
async def test_python_and_sql_agree_where_an_object_is_at_home(city: Database, zoom: int) -> None:
    table = city.tables.tables["building"]
    statement = compiled(select(home(table, zoom), literal_column("st_asbinary(geom_web)")).select_from(table))
    async with city.reading() as connection:
        found = await connection.fetch(statement.sql, *statement.arguments)
    assert [row[0] for row in found] == home_cells(shapely.from_wkb([row[1] for row in found]), zoom).tolist()


async def test_streets_are_joined_and_lesser_ones_left_out(city: Database) -> None:
    async def classes(zoom: int) -> dict[str, float]:
        tile = tile_over(*quarter.CENTRE, zoom)
        found = features((await drawn(city, tile, layer="roads")).body, "roads", tile)
        lengths: dict[str, float] = {}
        for feature in found:
            kind = feature.properties["class"]
            lengths[kind] = lengths.get(kind, 0) + feature.geometry.length
        return lengths

    assert set(await classes(13)) == {"primary", "tertiary", "residential"}
    assert set(await classes(10)) == {"primary", "tertiary"}
    assert set(await classes(8)) == {"primary"}
    tile = tile_over(*quarter.CENTRE, 13)
    found = features((await drawn(city, tile, layer="roads")).body, "roads", tile)
    async with city.reading() as connection:
        pieces = await connection.fetchval("select count(*) from road")
    # 1,240 pieces of 62 streets, in the cells of four tiles.
    assert len(found) < pieces / 3
    assert {f.properties["name"] for f in found} <= {f"{kind}{i}路" for kind in "uv" for i in range(31)}


async def test_thinned_points_keep_some_of_every_class(city: Database) -> None:
    tile = tile_over(*quarter.CENTRE, 12)
    found = features((await drawn(city, tile, layer="facilities")).body, "facilities", tile)
    assert 0 < len(found) < 1000
    assert {f.properties["class"] for f in found} == {"Hospital", "School", "Shop"}


async def test_building_again_changes_nothing(own: Database) -> None:
    async def everything() -> list[object]:
        async with own.reading() as connection:
            return [tuple(r) for sql in (OVERVIEWS, COVERAGE) for r in await connection.fetch(sql)]

    first = await everything()
    assert first
    for layer in ("buildings", "roads", "facilities", "land"):
        await rebuild(own, layer)
    assert await everything() == first


async def test_edits_lead_to_what_building_from_nothing_gives(own: Database) -> None:
    """After each of some bursts of random edits, the cells that followed equal those built from nothing."""
    random = Random(11)

    async def everything() -> list[object]:
        async with own.reading() as connection:
            return [tuple(r) for sql in (OVERVIEWS, COVERAGE) for r in await connection.fetch(sql)]

    for _ in range(3):
        catalog = await catalog_of(own)
        await apply(own, catalog, EDITOR, await _random_edits(own, random, 12))
        await catch_up(own)
        followed = await everything()
        await rebuild(own, "buildings")
        assert await everything() == followed


async def _random_edits(database: Database, random: Random, count: int) -> list[Edit]:
    async with database.reading() as connection:
        standing = await connection.fetch(
            "select distinct object_id from building where plan_id is null and recorded_to = 'infinity'"
            " and valid_from is null and valid_to is null order by 1"
        )
    numbers = [row["object_id"] for row in random.sample(standing, count)]
    edits: list[Edit] = []
    for number in numbers:
        x, y = quarter.WEST + quarter.SIDE * random.random(), quarter.SOUTH + quarter.SIDE * random.random()
        side = random.choice([5e-5, 2e-4, 2e-3])
        place = shapely.box(x, y, x + side, y + side)
        moment = datetime.fromisoformat(random.choice(["2012-05-01T00:00+08:00", "2021-07-01T00:00+08:00"]))
        same = {"layer": "buildings", "object_id": number}
        edits.append(
            random.choice(
                [
                    Insert(layer="buildings", properties={"class": "Building", "function": "office"}, geometry=place),
                    Correct(**same, geometry=place),
                    Supersede(**same, properties={"height": 90.0}, as_of=moment),
                    Delete(**same, as_of=moment),
                    Erase(**same),
                ]
            )
        )
    return edits


async def test_an_edit_rewrites_its_own_cells_only(own: Database) -> None:
    catalog = await catalog_of(own)
    async with own.reading() as connection:
        number = await connection.fetchval("select object_id from building where uid = 'b7' and plan_id is null")
        before = {tuple(r)[:3]: r[3] for r in await connection.fetch(WRITTEN)}
    await apply(own, catalog, EDITOR, [Correct(layer="buildings", object_id=number, properties={"height": 99.0})])
    await catch_up(own)
    async with own.reading() as connection:
        after = {tuple(r)[:3]: r[3] for r in await connection.fetch(WRITTEN)}
    rewritten = [cell for cell in after if before.get(cell) != after[cell]]
    by_zoom = {zoom: sum(cell[0] == zoom for cell in rewritten) for zoom in range(9, TOP_ZOOM + 1)}
    assert all(1 <= by_zoom[zoom] <= 4 for zoom in by_zoom), by_zoom


async def test_overviews_that_do_not_fit_the_layer_are_not_used(own: Database) -> None:
    """A layer that was narrowed shows the narrower window at once, before its overviews are built anew."""
    async with own.writing() as connection:
        await connection.execute(
            """update layer set filter = '{"op": ">", "args": [{"property": "height"}, 30]}', version = version + 1
            where id = 'buildings'"""
        )
    expected = await objects(own, NOW)
    for _ in range(2):
        found = await all_features(own, 12)
        assert {f.id for f in found if f.id is not None} <= set(expected)
        await catch_up(own)


async def test_a_layer_that_is_gone_leaves_nothing(own: Database) -> None:
    async with own.writing() as connection:
        await connection.execute("update layer set min_zoom = 14 where id = 'roads'")
    await catch_up(own)
    async with own.reading() as connection:
        assert await connection.fetchval("select count(*) from overview where layer = 'roads'") == 0


async def test_an_import_builds_while_a_worker_follows(own: Database) -> None:
    """Both bring the same up to now; neither waits for the other to end."""
    following = asyncio.create_task(follow(own))
    try:
        async with asyncio.timeout(30):
            await catch_up(own)
            await rebuild(own, "roads")
    finally:
        following.cancel()
