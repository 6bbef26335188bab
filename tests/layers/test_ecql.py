"""ECQL as GeoServer documents it, against the CQL2 trees that say the same and against what PostGIS finds by it."""

from typing import Any

import pytest

from cim_models.database import Database
from layers.access import PUBLIC
from layers.catalog import load_catalog
from layers.counts import count
from layers.ecql import parse_ecql, split_filters
from layers.filters import FilterError, parse_filter
from layers.query import Selection

# ECQL, and the CQL2 text that means the same.
PAIRS = [
    ("height > 10", "height > 10"),
    ("height != 3", "height <> 3"),
    ("height == 3", "height = 3"),
    ("height > -3.5e2", "height > -350"),
    ("name ILIKE '%abc%'", "CASEI(name) LIKE CASEI('%abc%')"),
    ("name NOT ILIKE '%a%' AND height > 3", "CASEI(name) NOT LIKE CASEI('%a%') AND height > 3"),
    ("INTERSECTS(the_geom, POINT(1 2))", "S_INTERSECTS(geom, POINT(1 2))"),
    ("WITHIN(geom, POLYGON((0 0, 1 0, 1 1, 0 0)))", "S_WITHIN(geom, POLYGON((0 0, 1 0, 1 1, 0 0)))"),
    ("INTERSECTS(geom, SRID=4326;POINT(1 2))", "S_INTERSECTS(geom, POINT(1 2))"),
    ("BBOX(geom, -1, 2, 3, 4)", "S_INTERSECTS(geom, BBOX(-1, 2, 3, 4))"),
    ("BBOX(geom, 1, 2, 3, 4, 'EPSG:4326') OR a = 1", "S_INTERSECTS(geom, BBOX(1, 2, 3, 4)) OR a = 1"),
    ("DWITHIN(geom, POINT(1 2), 2, kilometers)", "near(geom, POINT(1 2), 2000)"),
    ("BEYOND(geom, POINT(1 2), 1, feet)", "NOT near(geom, POINT(1 2), 0.3048)"),
    ("valid_from AFTER 2015-01-01T00:00:00Z", "T_AFTER(valid_from, TIMESTAMP('2015-01-01T00:00:00Z'))"),
    ("valid_from BEFORE 2015-01-01T08:00:00+08:00", "T_BEFORE(valid_from, TIMESTAMP('2015-01-01T08:00:00+08:00'))"),
    ("valid_from TEQUALS 2015-01-01T00:00:00", "T_EQUALS(valid_from, TIMESTAMP('2015-01-01T00:00:00Z'))"),
    ("valid_from AFTER '2015-01-01'", "T_AFTER(valid_from, DATE('2015-01-01'))"),
    (
        "valid_from DURING 2015-01-01T00:00:00Z/2016-01-01T00:00:00Z",
        "T_DURING(valid_from, INTERVAL('2015-01-01T00:00:00Z', '2016-01-01T00:00:00Z'))",
    ),
    ("valid_from > 2015-01-01T00:00:00Z", "valid_from > TIMESTAMP('2015-01-01T00:00:00Z')"),
    ("IN ('buildings.12', 13)", "id IN (12, 13)"),
    ("class = 'School' AND IN (5)", "class = 'School' AND id IN (5)"),
    ("class IN ('School', 'Hospital')", "class IN ('School', 'Hospital')"),
    ("name EXISTS", "name IS NOT NULL"),
    ("name DOES-NOT-EXIST", "name IS NULL"),
    ("strToLowerCase(name_en) = 'x'", "lower(name_en) = 'x'"),
    ("strLength(name) > 2", "char_length(name) > 2"),
    ("EXCLUDE", "false"),
    ("name = 'BEFORE it''s IN (7); INTERSECTS(a, b)'", "name = 'BEFORE it''s IN (7); INTERSECTS(a, b)'"),
    # CQL2 stays CQL2.
    ("S_INTERSECTS(geom, BBOX(1, 2, 3, 4))", "S_INTERSECTS(geom, BBOX(1, 2, 3, 4))"),
    (
        "T_AFTER(valid_from, TIMESTAMP('2015-01-01T00:00:00Z'))",
        "T_AFTER(valid_from, TIMESTAMP('2015-01-01T00:00:00Z'))",
    ),
    ("NOT (\"class\" = 'School')", "NOT (\"class\" = 'School')"),
    ("CASEI(name) LIKE casei('a')", "CASEI(name) LIKE casei('a')"),
    ("height BETWEEN 1 AND 5", "height BETWEEN 1 AND 5"),
    ("名称 = '海晏'", "名称 = '海晏'"),
]


def plain(tree: Any) -> Any:
    """A tree whose whole numbers and fractions compare alike."""
    if isinstance(tree, dict):
        return {key: plain(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [plain(value) for value in tree]
    return float(tree) if isinstance(tree, int) and not isinstance(tree, bool) else tree


@pytest.mark.parametrize(("ecql", "cql2"), PAIRS)
def test_ecql_is_read_as_cql2_says_it(ecql: str, cql2: str) -> None:
    found = parse_ecql(ecql)
    assert found is not None
    assert plain(found.tree) == plain(parse_filter(cql2).tree)


def test_include_is_everything() -> None:
    assert parse_ecql(" include ") is None


@pytest.mark.parametrize(
    "ecql",
    [
        "",
        "height >",
        "BBOX(geom, 1, 2, 3)",
        "BBOX(geom, 1, 2, 3, 4, 'EPSG:3857')",
        "INTERSECTS(geom)",
        "INTERSECTS(geom, POINT(1 2)",
        "DWITHIN(geom, POINT(1 2), 3, furlongs)",
        "DWITHIN(geom, POINT(1 2), x, meters)",
        "valid_from DURING 2015-01-01T00:00:00Z",
        "valid_from AFTER noon",
        "IN ('buildings.x')",
        "IN",
        "ILIKE 'x'",
        "name DOES-EXIST",
        "INTERSECTS(geom, SRID=3857;POINT(1 2))",
        "(" * 10_000,
        "INTERSECTS(" * 2_000,
        "not " * 4_000 + "a",
        "x" * 20_000,
        "a = 'unfinished",
        "a = '\0'",
    ],
)
def test_what_cannot_be_read_is_refused(ecql: str) -> None:
    with pytest.raises(FilterError):
        parse_ecql(ecql)


def test_filters_of_several_layers() -> None:
    assert split_filters("a = 'x;y';b = 1;") == ["a = 'x;y'", "b = 1", ""]
    assert split_filters('"a;b" = 1') == ['"a;b" = 1']


@pytest.mark.parametrize(
    ("ecql", "number"),
    [
        ("height > 30 AND function = 'residential'", 5),
        ("name ILIKE '%楼3%'", 2),
        ("BBOX(the_geom, 120.9499, 28.0999, 120.9511, 28.1001)", 2),
        ("DWITHIN(geom, POINT(120.9502 28.1002), 80, meters)", 2),
        ("valid_from AFTER 2019-06-01T00:00:00Z", 1),
        ("name DOES-NOT-EXIST", 29),
    ],
)
async def test_the_database_finds_what_is_meant(town_database: Database, ecql: str, number: int) -> None:
    async with town_database.reading() as connection:
        catalog = await load_catalog(connection, town_database.city)
        selection = Selection(catalog.layer("buildings", PUBLIC), filter=parse_ecql(ecql))
        assert (await count(connection, selection, catalog, PUBLIC)).number == number
