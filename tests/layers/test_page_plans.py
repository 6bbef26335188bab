"""Pages in a box: exact to the edge, and planned for the box that is asked."""

import random

import pytest
import shapely

from cim_models.database import Database
from layers.access import PUBLIC
from layers.catalog import load_catalog
from layers.counts import count
from layers.features import read_page
from layers.query import Bbox, Selection

WEST, SOUTH, EAST, NORTH = BOX = (120.95, 28.1, 120.97, 28.12)
INSERT = """
    insert into facility (dataset_id, uid, content_hash, class, name, geom)
    select 1, i::text, '', 'Shop', i, st_setsrid(st_geomfromtext(wkt), 4490)
    from unnest($1::text[]) with ordinality shape(wkt, i)
"""


async def filled(database: Database, shapes: list[shapely.Geometry]) -> None:
    async with database.writing() as connection:
        await connection.execute(
            "insert into dataset (name, themes, title_zh, title_en, loaded_at)"
            " values ('edge', array['facility'], '边', 'Edge', now())"
        )
        await connection.execute(INSERT, [shape.wkt for shape in shapes])


async def inside(database: Database, bbox: Bbox) -> set[int]:
    """Which of the shapes the page of a box holds, by their place."""
    async with database.reading() as connection:
        catalog = await load_catalog(connection, database.city)
        selection = Selection(catalog.layer("facilities", PUBLIC), bbox=bbox)
        page = await read_page(connection, selection, catalog, PUBLIC, limit=10_000)
        assert (await count(connection, selection, catalog, PUBLIC)).number == len(page.features)
    return {int(text.split(b'"name":"')[1].split(b'"')[0]) - 1 for text in page.features}


async def test_a_box_is_exact_to_its_edge(database: Database) -> None:
    """PostGIS keeps boxes in single precision, 0.8 m wide of the mark here; an object 2 cm outside is outside."""
    step = 2e-7
    offsets = [-100 * step, -10 * step, -step, 0.0, step, 10 * step, 100 * step]
    points = [shapely.Point(EAST + offset, 28.11) for offset in offsets]
    points += [shapely.Point(120.96, SOUTH + offset) for offset in offsets]
    points += [shapely.Point(WEST + offset, NORTH + offset) for offset in offsets]
    draw = random.Random(7)
    for _ in range(300):
        x, y = draw.uniform(120.94, 120.98), draw.uniform(28.09, 28.13)
        width = draw.choice([1e-7, 1e-5, 1e-3, 0.02])
        points.append(shapely.LineString([(x, y), (x + width, y + width), (x, y + 2 * width)]))
    await filled(database, points)
    for bbox in (BOX, (WEST, SOUTH, WEST + 6e-5, NORTH), (120.955, 28.105, 120.955 + 9e-5, 28.105 + 9e-5)):
        expected = {place for place, point in enumerate(points) if shapely.intersects(point, shapely.box(*bbox))}
        assert await inside(database, bbox) == expected


@pytest.mark.parametrize("limit", [10, 2_000])
async def test_a_page_is_planned_for_its_box(town_url: str, limit: int) -> None:
    """However often it is asked: a plan for any box takes it for a small one, and sorts the city for a large."""
    # A connection that nobody has asked anything else.
    database = await Database.open(town_url)
    async with database.reading() as connection:
        catalog = await load_catalog(connection, database.city)
        layer = catalog.layer("buildings", PUBLIC)
        for number in range(8):
            selection = Selection(layer, bbox=(120.9 - number, 28.0, 121.0, 28.2))
            await read_page(connection, selection, catalog, PUBLIC, limit=limit)
            await count(connection, selection, catalog, PUBLIC)
        plans = await connection.fetch(
            "select generic_plans from pg_prepared_statements"
            " where statement like '%ST_MakeEnvelope%' and statement not like '%pg_prepared%'"
        )
    await database.close()
    assert plans
    assert {row["generic_plans"] for row in plans} == {0}
