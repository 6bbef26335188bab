"""Filters against the town, counted by eye; whatever else is written is refused in words, and never reaches SQL."""

import json
import subprocess
import sys
from contextlib import suppress
from typing import Any

import pytest
from asyncpg import DataError
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cim_models.database import Database
from layers.access import PUBLIC
from layers.catalog import Catalog, load_catalog
from layers.filters import MAX_DEPTH, MAX_LENGTH, Filter, FilterError, Language, parse_filter
from layers.query import Selection, objects, rows
from layers.statement import compiled
from tests import town

STANDING = {*range(1, 39), 40}


@pytest.fixture(scope="module")
async def catalog(town_database: Database) -> Catalog:
    async with town_database.reading() as connection:
        return await load_catalog(connection, town_database.city)


async def heights(database: Database, catalog: Catalog, wanted: Filter) -> set[int]:
    """Heights of the buildings that the filter lets through; in the town they number them."""
    layer = catalog.layer("buildings", PUBLIC)
    chosen = rows(Selection(layer, filter=wanted), catalog, PUBLIC).add_columns(objects(layer, catalog).c.height)
    statement = compiled(chosen)
    async with database.reading() as connection:
        return {int(row["height"]) for row in await connection.fetch(statement.sql, *statement.arguments)}


CASES: list[tuple[str, set[int]]] = [
    ("height = 7", {7}),
    ("height <> 7", STANDING - {7}),
    ("height > 36.5", {37, 38, 40}),
    ("3 >= height", {1, 2, 3}),
    ("storeys = 2", {3, 4, 5}),
    ("storeys = 2.5", set()),
    ("NOT height > 2", {1, 2}),
    ("height < 3 OR height > 38 AND function = 'residential'", {1, 2, 40}),
    ("(height < 3 OR height > 37) AND function = 'residential'", {2, 38, 40}),
    ("height BETWEEN 5 AND 7", {5, 6, 7}),
    ("height NOT BETWEEN 2 AND 40", {1}),
    ("height IN (1, 3, 99)", {1, 3}),
    ("function NOT IN ('residential')", {i for i in STANDING if i % 2}),
    # Three-valued logic: a building without a year is neither before nor after.
    ("year_built < 1985", {2, 4}),
    ("NOT year_built < 1985", {i for i in STANDING if i % 2 == 0} - {2, 4}),
    ("year_built IS NULL", {i for i in STANDING if i % 2}),
    ("year_built IS NOT NULL AND height < 5", {2, 4}),
    ("name LIKE '海晏楼_'", {4, 8}),
    ("name_en LIKE 'seacalm%'", set()),
    ("CASEI(name_en) LIKE casei('SEACALM HOUSE 1%')", {12, 16}),
    ("ACCENTI(name_en) = ACCENTI('Sèâcälm House 4')", {4}),
    ("name = 'x'' OR ''1''=''1'", set()),
    ("name = 'x\\' OR \\'1\\'=\\'1'", set()),
    ("height + 1 = 8", {7}),
    ("height * 2 - 4 = 10", {7}),
    ("storeys / 2 = 1.5", {6, 7, 8}),
    ("height % 10 = 3 AND height < 20", {3, 13}),
    ("height div 10 = 3", {30, 31, 32, 33, 34, 35, 36, 37, 38}),
    ("height ^ 2 = 49", {7}),
    ("height / 0 = 1", set()),
    ("-height > -3", {1, 2}),
    ("height = storeys", {1}),
    ("true", STANDING),
    ("false", set()),
    ("S_INTERSECTS(geom, POINT(120.9502 28.1002))", {1}),
    ("S_INTERSECTS(geometry, BBOX(120.9499, 28.0999, 120.9515, 28.1005))", {1, 2}),
    ("S_INTERSECTS(geom, BBOX(170, 28.0999, 120.9505, 28.1005))", {1}),
    ("S_WITHIN(geom, POLYGON((120.94 28, 120.9506 28, 120.9506 28.1016, 120.94 28.1016, 120.94 28)))", {1, 11}),
    ("S_CONTAINS(geom, POINT(120.9502 28.1002))", {1}),
    ("S_DISJOINT(geom, BBOX(120.9499, 28.0999, 121, 29))", set()),
    ("S_TOUCHES(geom, POINT(120.9504 28.1004))", {1}),
    ("S_EQUALS(geom, BBOX(120.95, 28.1, 120.9504, 28.1004))", {1}),
    ("S_CROSSES(geom, LINESTRING(120.9499 28.1002, 120.9502 28.1002))", {1}),
    ("S_OVERLAPS(geom, BBOX(120.9502, 28.1002, 120.9513, 28.1006))", {1, 2}),
    ("valid_from > TIMESTAMP('2019-12-31T15:59:59Z')", {40}),
    # A bare date is a day of the city's zone, here eight hours before UTC's.
    ("valid_from = DATE('2020-01-01')", {40}),
    ("T_AFTER(valid_from, DATE('2019-12-31'))", {40}),
    ("T_BEFORE(valid_from, TIMESTAMP('2020-01-01T00:00:00Z'))", {40}),
    ("T_DURING(valid_from, INTERVAL('2019-12-31', '2020-01-02'))", {40}),
    ("T_DURING(valid_from, INTERVAL('..', '2019-12-31'))", set()),
    ("T_INTERSECTS(INTERVAL(valid_from, valid_to), INTERVAL('2012-01-01', '2013-01-01'))", STANDING - {40}),
    ("valid_from > '2019-12-31T15:59:59Z'", {40}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), CASES)
async def test_text(town_database: Database, catalog: Catalog, text: str, expected: set[int]) -> None:
    """OGC 21-065r2, requirements classes that /conformance names."""
    assert await heights(town_database, catalog, parse_filter(text)) == expected


@pytest.mark.parametrize(("text", "expected"), CASES)
async def test_json(town_database: Database, catalog: Catalog, text: str, expected: set[int]) -> None:
    """The same conditions in CQL2-JSON."""
    tree = json.dumps(parse_filter(text).tree)
    assert await heights(town_database, catalog, parse_filter(tree, "cql2-json")) == expected


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("colour = 'red'", "colour"),
        ("height = 'tall'", "cannot be compared"),
        ("height", "no condition"),
        ("geom = 1", "cannot be compared"),
        ("geom", "no condition"),
        ("geom + 1 = 2", "numbers"),
        ("name + 1 = 2", "numbers"),
        ("name LIKE 'a\\'", "not valid"),
        ("height LIKE '1%'", "text"),
        ("CASEI(height) = 'x'", "text"),
        ("S_INTERSECTS(name, POINT(1 1))", "no geometry"),
        ("S_INTERSECTS(geom, POLYGON((0 0, 1 1, 1 0, 0 1, 0 0)))", "not valid"),
        ("T_AFTER(name, DATE('2020-01-01'))", "no time"),
        ("T_AFTER(valid_from, DATE('2020-13-01'))", "2020-13-01"),
        ("valid_from > '2020-01-01T00:00:00'", "2020-01-01T00:00:00"),
        ("pg_sleep(10) = 1", "pg_sleep"),
        ("height > 1 AND", "not valid"),
        ("A_CONTAINS(geom, ('a', 'b'))", "one kind"),
        ("A_CONTAINS(('a', 1), ('a'))", "one kind"),
        ("A_CONTAINS(('a'), (1))", "unlike"),
        ("area(name) > 1", "no geometry"),
        ("area(geom, geom) > 1", "takes 1 argument"),
        ("height IN ('a')", "cannot be compared"),
        ("5", "condition"),
        ("'a'", "condition"),
        ("", "not valid"),
        ("name = 'a\0b'", "NUL"),
        ("x" * (MAX_LENGTH + 1), str(MAX_LENGTH)),
    ],
)
async def test_what_makes_no_sense_is_refused(town_database: Database, catalog: Catalog, text: str, word: str) -> None:
    with pytest.raises(FilterError, match=word.replace("\\", "")):
        await heights(town_database, catalog, parse_filter(text))


@pytest.mark.parametrize(
    "tree",
    [
        {"op": "=", "args": [{"property": "height"}, 10**400]},
        {"op": "=", "args": [{"property": "name"}, "a\0b"]},
        {"op": "=", "args": [{"property": ["height"]}, 1]},
        {"op": "in", "args": [{"property": "height"}, [1, [2]]]},
        {"op": "in", "args": [{"property": "height"}, list(range(1001))]},
        {"op": "and", "args": {"a": 1}},
        {"op": "s_intersects", "args": [{"property": "geom"}, {"type": "Point", "coordinates": ["x"]}]},
        {"op": "s_intersects", "args": [{"property": "geom"}, {"bbox": [1, 2]}]},
        {"op": "=", "args": [{"timestamp": 5}, {"property": "valid_from"}]},
        {"op": "t_during", "args": [{"property": "valid_from"}, {"interval": [{"interval": ["..", ".."]}, ".."]}]},
        {"op": "not", "args": []},
        [],
        None,
        "height",
    ],
)
async def test_trees_that_make_no_sense_are_refused(town_database: Database, catalog: Catalog, tree: Any) -> None:
    with pytest.raises(FilterError):
        await heights(town_database, catalog, parse_filter(json.dumps(tree), "cql2-json"))


@pytest.mark.parametrize(
    "text",
    [
        "name = '''; drop table building; --'",
        "name LIKE '%'' OR 1=1 --'",
        "\"height\"\" = 1 or 1=1 --\" = 1",
        "height = 1; delete from building",
        "name = '$1' OR name = '%(x)s' OR name = ':x'",
        "name = E'\\''",
    ],
)  # fmt: skip
async def test_a_filter_is_never_sql(town_database: Database, catalog: Catalog, text: str) -> None:
    """Refused or without effect, and the town stands as before."""
    with suppress(FilterError):
        assert await heights(town_database, catalog, parse_filter(text)) == set()
    assert await heights(town_database, catalog, parse_filter("true")) == STANDING


DEEP = {
    "brackets": lambda n: "(" * n + "height = 1" + ")" * n,
    "not": lambda n: "NOT " * n + "height = 1",
    "not brackets": lambda n: "NOT(" * n + "height = 1" + ")" * n,
    "minus": lambda n: "-" * n + "height = 1",
    "spaced minus": lambda n: "- " * n + "height = 1",
    "functions": lambda n: "casei(" * n + "name" + ")" * n + " = 'x'",
    "lists": lambda n: "height IN " + "(" * n + "1" + ")" * n,
    "collections": lambda n: "S_INTERSECTS(geom, " + "GEOMETRYCOLLECTION(" * n + "POINT(1 1)" + ")" * n + ")",
    "sums": lambda n: "height" + " + (height" * n + ")" * n + " = 1",
    "powers": lambda n: "height" + " ^ 1" * n + " = 1",
    "ands": lambda n: " AND ".join(["height = 1"] * n),
    "differences": lambda n: "height" + " - 1" * n + " = 1",
    "comparisons": lambda n: "height" + " = 1" * n,
}


@pytest.mark.parametrize("shape", DEEP)
def test_depth_ends_no_process(shape: str) -> None:
    """The parser recurses without a limit and would take the server with it; tried in a process of its own."""
    depths = [MAX_DEPTH - 2, MAX_DEPTH + 1, 2_000, 5_000]
    texts = [text[:MAX_LENGTH] for text in map(DEEP[shape], depths)]
    tries = "import sys, json\nfrom layers.filters import *\nfor text in json.load(sys.stdin):\n" \
        "    try: parse_filter(text)\n    except FilterError: pass\n"  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", tries], input=json.dumps(texts), text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_deep_json_is_refused() -> None:
    tree = '{"op":"not","args":[' * 5_000 + "true" + "]}" * 5_000
    with pytest.raises(FilterError):
        parse_filter(tree[:MAX_LENGTH], "cql2-json")
    for depth in (MAX_DEPTH * 2 + 1, 400):
        with pytest.raises(FilterError, match="nested"):
            parse_filter('{"op":"not","args":[' * depth + "true" + "]}" * depth, "cql2-json")


VOCABULARY = """
    height name class storeys geom valid_from colour "a" = <> < >= + - * / % ^ div AND OR NOT LIKE IN BETWEEN IS NULL
    TRUE ( ) , 1 -7.5 1e308 9999999999999999999 'x' '%_\\' '2020-01-01' BBOX(0,0,1,1) DATE('2020-01-01') S_INTERSECTS(
    TIMESTAMP('0001-01-01T00:00:00Z') INTERVAL('..','2020-01-01') T_AFTER( CASEI( ACCENTI( ; -- $1 海晏
"""
EXPRESSIONS = """
    height storeys storeys*2 name casei(name) accenti(name_en) valid_from valid_to object_id 1 0.5 -1e308 'x' true geom
    '2020-01-01' DATE('2020-01-01') TIMESTAMP('0001-01-01T00:00:00Z') height%3 height/storeys 2^height -1^0.5 colour
"""
WORDS, SIDES = (st.sampled_from(text.split()) for text in (VOCABULARY, EXPRESSIONS))
COMPARED = st.builds("{} {} {}".format, SIDES, st.sampled_from(["=", "<>", "<", ">=", "LIKE", "NOT LIKE"]), SIDES)
CONDITIONS = st.lists(COMPARED, min_size=1, max_size=4).flatmap(
    lambda parts: st.sampled_from([" AND ", " OR ", " AND NOT "]).map(lambda word: word.join(parts))
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
    | st.sampled_from([{"property": "height"}, {"property": "name"}, {"property": "geom"}, {"property": "valid_from"},
                       {"timestamp": "2020-01-01T00:00:00Z"}, {"date": "9999-12-31"}, {"bbox": [0, 0, 1, 1]},
                       {"interval": ["..", "2020-01-01"]}, {"type": "Point", "coordinates": [1, 1]}]),
    lambda inner: st.lists(inner, max_size=3)
    | st.builds(
        lambda op, args: {"op": op, "args": args},
        st.sampled_from(["and", "or", "not", "=", "<", "<>", "like", "in", "between", "isNull", "casei", "accenti", "+",
                         "/", "%", "^", "div", "s_intersects", "s_within", "t_after", "t_during", "t_disjoint", "x"]),
        st.lists(inner, max_size=3),
    ),
    max_leaves=8,
)  # fmt: skip
BOUNDED = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


async def refused_or_run(database: Database, catalog: Catalog, text: str, language: Language) -> None:
    """A filter is refused in words or runs; arithmetic on real values may still leave the range of numbers."""
    with suppress(FilterError, DataError):
        await heights(database, catalog, parse_filter(text, language))


@BOUNDED
@given(text=CONDITIONS | st.text(max_size=60) | st.lists(WORDS, max_size=14).map(" ".join))
@example(text="height % 0 = 1")
@example(text="height ^ 1e308 = 1")
@example(text="height / 1e308 / 1e308 = 0")
async def test_any_text_is_refused_or_runs(town_database: Database, catalog: Catalog, text: str) -> None:
    await refused_or_run(town_database, catalog, text, "cql2-text")


@BOUNDED
@given(tree=VALUES)
async def test_any_tree_is_refused_or_runs(town_database: Database, catalog: Catalog, tree: Any) -> None:
    await refused_or_run(town_database, catalog, json.dumps(tree), "cql2-json")


def test_the_town_is_as_counted() -> None:
    assert len(STANDING) == town.STANDING


# OGC 21-065r2, table 9 (after Allen 1983): the first span against the second, 2010 to 2020.
ALLEN = {
    "T_BEFORE": ("2001", "2005"),
    "T_MEETS": ("2001", "2010"),
    "T_OVERLAPS": ("2001", "2015"),
    "T_STARTS": ("2010", "2015"),
    "T_DURING": ("2012", "2015"),
    "T_FINISHES": ("2015", "2020"),
    "T_EQUALS": ("2010", "2020"),
    "T_FINISHEDBY": ("2001", "2020"),
    "T_CONTAINS": ("2001", "2025"),
    "T_STARTEDBY": ("2010", "2025"),
    "T_OVERLAPPEDBY": ("2015", "2025"),
    "T_METBY": ("2020", "2025"),
    "T_AFTER": ("2022", "2025"),
}
APART = {"T_BEFORE", "T_AFTER"}


@pytest.mark.parametrize("relation", ALLEN)
async def test_of_two_spans_one_relation_holds(town_database: Database, catalog: Catalog, relation: str) -> None:
    """Allen's thirteen exclude each other; they intersect unless one is before or after, and else are disjoint."""
    start, end = (f"{year}-01-01T00:00:00Z" for year in ALLEN[relation])
    spans = f"INTERVAL('{start}', '{end}'), INTERVAL('2010-01-01T00:00:00Z', '2020-01-01T00:00:00Z')"
    for other in (*ALLEN, "T_INTERSECTS", "T_DISJOINT"):
        holds = other in (relation, "T_DISJOINT" if relation in APART else "T_INTERSECTS")
        found = await heights(town_database, catalog, parse_filter(f"{other}({spans})"))
        assert found == (STANDING if holds else set()), other


@pytest.mark.parametrize(
    "geometry",
    [
        "POINT(120.9502 28.1002)",
        "MULTIPOINT((120.9502 28.1002), (0 0))",
        "LINESTRING(120.9502 28.1002, 120.9503 28.1003)",
        "MULTILINESTRING((120.9502 28.1002, 120.9503 28.1003), (0 0, 1 1))",
        "POLYGON((120.9501 28.1001, 120.9503 28.1001, 120.9503 28.1003, 120.9501 28.1001))",
        "MULTIPOLYGON(((120.9501 28.1001, 120.9503 28.1001, 120.9503 28.1003, 120.9501 28.1001)))",
        "GEOMETRYCOLLECTION(POINT(120.9502 28.1002), LINESTRING(0 0, 1 1))",
        "POINT Z(120.9502 28.1002 5)",
        "BBOX(120.9501, 28.1001, -5, 120.9503, 28.1003, 5)",
    ],
)
async def test_every_kind_of_geometry_is_read(town_database: Database, catalog: Catalog, geometry: str) -> None:
    assert await heights(town_database, catalog, parse_filter(f"S_INTERSECTS(geom, {geometry})")) == {1}
