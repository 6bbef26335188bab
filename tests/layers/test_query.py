"""The one predicate: each kind of view is its own SQL, which the planner answers from the index that is meant."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import literal_column

from cim_models.database import Database
from layers.access import PUBLIC, Principal
from layers.catalog import Catalog, LayerNotFound, load_catalog
from layers.filters import parse_filter
from layers.query import Bbox, Selection, rows
from layers.statement import Statement, compiled
from layers.view import NOW, View, parse_interval

BOX = (120.9499, 28.0999, 120.9515, 28.1005)
LATER = datetime(2999, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
async def catalog(town_database: Database) -> Catalog:
    async with town_database.reading() as connection:
        return await load_catalog(connection, town_database.city)


def views(catalog: Catalog) -> dict[str, View]:
    return {
        "now": NOW,
        "a moment": View(parse_interval("2026-01-01T00:00:00Z", catalog.zone)),
        "a day": View(parse_interval("2026-01-01", catalog.zone)),
        "recorded": View(recorded=LATER),
        "a plan": View(plan=1),
    }


def statement(catalog: Catalog, view: View, **asked: Any) -> Statement:
    selection = Selection(catalog.layer("buildings", PUBLIC), view, **asked)
    return compiled(rows(selection, catalog, PUBLIC).add_columns(literal_column("height")))


async def heights(database: Database, made: Statement) -> list[int]:
    async with database.reading() as connection:
        return sorted(int(row["height"]) for row in await connection.fetch(made.sql, *made.arguments))


async def plan(database: Database, made: Statement) -> str:
    """The plan without sequential scans, as it is for a city of real size."""
    async with database.reading() as connection, connection.transaction():
        await connection.execute("set local enable_seqscan = off")
        return json.dumps(await connection.fetchval("explain (format json) " + made.sql, *made.arguments))


async def test_each_view_has_its_own_sql(catalog: Catalog) -> None:
    texts = {statement(catalog, view).sql for view in views(catalog).values()}
    assert len(texts) == len(views(catalog))


@pytest.mark.parametrize("kind", ["now", "a moment", "a day", "a plan"])
async def test_what_is_believed_now_never_reads_the_past(town_database: Database, catalog: Catalog, kind: str) -> None:
    """History may grow; only the partition of current rows is planned."""
    chosen = await plan(town_database, statement(catalog, views(catalog)[kind], bbox=BOX))
    assert "building_current" in chosen
    assert "building_past" not in chosen


@pytest.mark.parametrize("kind", ["now", "a moment", "a day", "a plan", "recorded"])
async def test_a_box_is_answered_from_its_index(town_database: Database, catalog: Catalog, kind: str) -> None:
    chosen = await plan(town_database, statement(catalog, views(catalog)[kind], bbox=BOX))
    assert "building_current_geom" in chosen


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("height > 39", "building_current_height"),
        ("function = 'industrial'", "building_current_function"),
        ("object_id = 7", "building_current_object"),
        ("S_INTERSECTS(geom, POINT(120.9502 28.1002))", "building_current_geom"),
    ],
)
async def test_a_filter_on_a_hot_column_uses_its_index(
    town_database: Database, catalog: Catalog, text: str, index: str
) -> None:
    assert index in await plan(town_database, statement(catalog, NOW, filter=parse_filter(text)))


@pytest.mark.parametrize(
    ("bbox", "expected"),
    [
        (BOX, [1, 2]),
        ((170.0, 28.0999, 120.9505, 28.1005), [1]),
        ((0.0, 0.0, 1.0, 1.0), []),
        ((-180.0, -90.0, 180.0, 90.0), None),
    ],
)
async def test_boxes(town_database: Database, catalog: Catalog, bbox: Bbox, expected: list[int] | None) -> None:
    found = await heights(town_database, statement(catalog, NOW, bbox=bbox))
    assert found == ([*range(1, 39), 40] if expected is None else expected)


async def test_a_plan_takes_away_and_adds(town_database: Database, catalog: Catalog) -> None:
    assert await heights(town_database, statement(catalog, View(plan=1))) == [*range(2, 39), 40, 100]
    # A plan that names nothing shows the city as it is.
    assert await heights(town_database, statement(catalog, View(plan=2))) == [*range(1, 39), 40]


async def test_of_a_span_each_object_is_seen_once(database: Database) -> None:
    """An object that changed within the span is seen as it last was in it."""
    async with database.writing() as connection:
        await connection.execute(
            "insert into dataset (name, themes, title_zh, title_en) values ('d', array['building'], '数据', 'Data');"
            "insert into building (object_id, dataset_id, uid, content_hash, class, height, geom, valid_from, valid_to)"
            " select 1, 1, 'b', '', 'Building', height, st_multi(st_makeenvelope(120, 28, 120.1, 28.1, 4490)),"
            " f::timestamptz, t::timestamptz"
            " from (values (1, null, '2010-01-01Z'), (2, '2010-01-01Z', '2020-01-01Z'),"
            "              (3, '2020-01-01Z', null)) v(height, f, t)"
        )
        catalog = await load_catalog(connection, database.city)
    seen = {
        "2005-01-01T00:00:00Z": [1],
        "2009-12-31T23:59:59.999999Z": [1],
        "2010-01-01T00:00:00Z": [2],
        "2005-01-01T00:00:00Z/2015-01-01T00:00:00Z": [2],
        "2005-01-01T00:00:00Z/..": [3],
        "../2009-01-01T00:00:00Z": [1],
        "../2010-01-01T00:00:00Z": [2],
        "../..": [3],
    }
    for text, expected in seen.items():
        view = View(parse_interval(text, catalog.zone))
        assert await heights(database, statement(catalog, view)) == expected, text


async def test_a_layer_that_may_not_be_read_has_no_rows_to_ask_for(catalog: Catalog) -> None:
    hidden = catalog.layer("utility_pipes", Principal("u", "utility"))
    with pytest.raises(LayerNotFound):
        rows(Selection(hidden), catalog, PUBLIC)
