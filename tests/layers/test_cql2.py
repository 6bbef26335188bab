"""CQL2 by its conformance classes (OGC 21-065r2, annex A): predicates against pandas and shapely on the same rows."""

import json
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
import shapely
from pyproj import Geod, Transformer

from cim_models.database import Database
from layers.access import PUBLIC
from layers.catalog import Catalog, load_catalog
from layers.crs import parse_crs
from layers.filter_shapes import in_degrees
from layers.filters import Filter, parse_filter
from layers.query import Selection, objects, rows
from layers.statement import compiled

ROWS = """
    select object_id, height, storeys, function, year_built, name, name_en, class, valid_from, valid_to,
           st_asbinary(geom) as wkb
    from building where recorded_to = 'infinity' and plan_id is null and valid_to is null
"""
EARTH = Geod(ellps="GRS80")
Truth = Callable[[pd.DataFrame], Any]
TRIANGLE = shapely.from_wkt("POLYGON((120.9501 28.1001, 120.9531 28.1012, 120.9502 28.1032, 120.9501 28.1001))")
ROAD = shapely.from_wkt("LINESTRING(120.9490 28.1002, 120.9561 28.1002, 120.9562 28.1040)")
CORNER = shapely.from_wkt("MULTIPOINT((120.9504 28.1004), (120.9572 28.1032))")
EAST = shapely.from_wkt("POLYGON((120.9550 28.09, 120.97 28.09, 120.97 28.11, 120.9550 28.11, 120.9550 28.09))")
MIXED = shapely.GeometryCollection([TRIANGLE, ROAD])
SHAPES = {"triangle": TRIANGLE, "road": ROAD, "corner": CORNER, "east": EAST}


@pytest.fixture(scope="module")
async def catalog(town_database: Database) -> Catalog:
    async with town_database.reading() as connection:
        return await load_catalog(connection, town_database.city)


@pytest.fixture(scope="module")
async def table(town_database: Database) -> pd.DataFrame:
    """All that stands, as a client of the database sees it."""
    async with town_database.reading() as connection:
        frame = pd.DataFrame([dict(row) for row in await connection.fetch(ROWS)])
    frame["geom"] = list(shapely.from_wkb(frame.pop("wkb")))
    return frame.astype({"year_built": "Int64", "name": "string", "name_en": "string"})


async def found(database: Database, catalog: Catalog, wanted: Filter) -> set[int]:
    layer = catalog.layer("buildings", PUBLIC)
    chosen = rows(Selection(layer, filter=wanted), catalog, PUBLIC).add_columns(objects(layer, catalog).c.object_id)
    statement = compiled(chosen)
    async with database.reading() as connection:
        return {row["object_id"] for row in await connection.fetch(statement.sql, *statement.arguments)}


def true_of(table: pd.DataFrame, truth: Truth) -> set[int]:
    """Ids of the rows of which a condition is true; what is unknown is not."""
    held = pd.Series(truth(table), index=table.index).fillna(False).astype(bool)
    return set(table.object_id[held])


BASIC: list[tuple[str, Truth]] = [
    ("year_built IS NOT NULL", lambda t: t.year_built.notna()),
    ("year_built IS NULL", lambda t: t.year_built.isna()),
    ("name='海晏楼8'", lambda t: t.name == "海晏楼8"),
    ("'海晏楼8' = name", lambda t: t.name == "海晏楼8"),
    ("name<>'海晏楼8'", lambda t: t.name != "海晏楼8"),
    ("height>20", lambda t: t.height > 20),
    ("height>=20", lambda t: t.height >= 20),
    ("height<20.5", lambda t: t.height < 20.5),
    ("height<=2e1", lambda t: t.height <= 20),
    ("year_built = 1990", lambda t: t.year_built == 1990),
    ("NOT (name='海晏楼8')", lambda t: t.name != "海晏楼8"),
    ("NOT (name='海晏楼8' OR height < 30)", lambda t: ~((t.name == "海晏楼8") | (t.height < 30))),
    ("NOT (year_built IS NULL)", lambda t: t.year_built.notna()),
    ("height>10 AND height<20", lambda t: (t.height > 10) & (t.height < 20)),
    ("(height>10 AND year_built<2000) OR class<>'Building'", lambda t: (t.height > 10) & (t.year_built < 2000)),
    ("function='residential' OR height>30 AND storeys<12", lambda t: (t.function == "residential")
     | (t.height > 30) & (t.storeys < 12)),
    ("valid_from = TIMESTAMP('2019-12-31T16:00:00Z')", lambda t: t.valid_from == pd.Timestamp("2019-12-31T16:00Z")),
    ("valid_from < DATE('2020-01-02')", lambda t: t.valid_from < pd.Timestamp("2020-01-02T00:00+08")),
    ("TRUE", lambda t: t.height > 0),
    ("NOT FALSE AND height = 3", lambda t: t.height == 3),
]  # fmt: skip
ADVANCED: list[tuple[str, Truth]] = [
    ("name_en LIKE 'Seacalm%'", lambda t: t.name_en.str.startswith("Seacalm")),
    ("name_en LIKE '%_8'", lambda t: t.name_en.str.contains(r".8$")),
    ("name_en LIKE 'S_acalm House _'", lambda t: t.name_en.str.fullmatch(r"S.acalm House .")),
    ("name_en NOT LIKE '%1%'", lambda t: ~t.name_en.str.contains("1")),
    ("name_en LIKE ''", lambda t: t.name_en == ""),
    ("height BETWEEN 10 AND 12", lambda t: t.height.between(10, 12)),
    ("height NOT BETWEEN 2 AND 39", lambda t: ~t.height.between(2, 39)),
    ("name IN ('海晏楼4', '海晏楼8', 'foo')", lambda t: t.name.isin(["海晏楼4", "海晏楼8"])),
    ("year_built NOT IN (1982, 1984)", lambda t: t.year_built.notna() & ~t.year_built.isin([1982, 1984])),
    ("storeys IN (2.0, 3)", lambda t: t.storeys.isin([2, 3])),
    ("valid_from IN (DATE('2020-01-01'))", lambda t: t.height == 40),
]
INSENSITIVE: list[tuple[str, Truth]] = [
    ("CASEI(name_en) = CASEI('SEACALM house 8')", lambda t: t.name_en.str.lower() == "seacalm house 8"),
    ("CASEI(name_en) IN (CASEI('SEACALM HOUSE 8'), CASEI('x'))", lambda t: t.height == 8),
    ("CASEI(name_en) LIKE casei('sEa%2_')", lambda t: t.name_en.str.contains(r"2.$")),
    ("ACCENTI(name_en) = accenti('Séacálm Hoüse 8')", lambda t: t.height == 8),
    ("ACCENTI(CASEI(name_en)) LIKE accenti(casei('SÉACALM%8'))", lambda t: t.height.isin([8, 28])),
    ("CASEI('Straße Ä') = casei('STRAßE ä') AND height < 3", lambda t: t.height < 3),
    ("ACCENTI('Chișinău') = accenti('Chisinau') AND height < 3", lambda t: t.height < 3),
]
PROPERTIES: list[tuple[str, Truth]] = [
    ("height = storeys", lambda t: t.height == t.storeys),
    ("storeys < height", lambda t: t.storeys < t.height),
    ("name = name", lambda t: t.name.notna()),
    ("name <> name_en", lambda t: t.name.notna()),
    ("height BETWEEN storeys AND storeys + 1", lambda t: (t.height >= t.storeys) & (t.height <= t.storeys + 1)),
    ("name IN (name_en, name)", lambda t: t.name.notna()),
    ("S_EQUALS(geom, geom)", lambda t: t.height > 0),
    ("T_EQUALS(valid_from, valid_from)", lambda t: t.valid_from.notna()),
]
ARITHMETIC: list[tuple[str, Truth]] = [
    ("height = 30 + 8", lambda t: t.height == 38),
    ("height > 40 / 2 * 1.5", lambda t: t.height > 30),
    ("height * 2 + storeys ^ 2 < 100", lambda t: t.height * 2 + t.storeys**2 < 100),
    ("height % 7 = 0", lambda t: t.height % 7 == 0),
    ("height div 7 = 2", lambda t: t.height // 7 == 2),
    ("height / 7 < storeys - 2.5", lambda t: t.height / 7 < t.storeys - 2.5),
    ("2 ^ storeys = 16", lambda t: 2**t.storeys == 16),
    ("-(height - 5) > 0", lambda t: t.height < 5),
    ("1 + 2 * 3 = 7", lambda t: t.height > 0),
]
ARRAYS: list[tuple[str, Truth]] = [
    ("A_CONTAINEDBY((function), ('residential', 'industrial'))", lambda t: t.function == "residential"),
    ("A_CONTAINS((height, storeys), (8, 3))", lambda t: (t.height == 8) & (t.storeys == 3)),
    ("A_EQUALS((storeys, height), (8, 3))", lambda t: (t.height == 8) & (t.storeys == 3)),
    ("A_EQUALS((1, 1), (1)) AND height < 3", lambda t: t.height < 3),
    ("A_OVERLAPS((height, storeys), (8, 2))", lambda t: t.height.isin([8, 2]) | t.storeys.isin([8, 2])),
    ("A_OVERLAPS(split(name_en, ' '), ('8', '12'))", lambda t: t.height.isin([8, 12])),
    ("A_CONTAINS(split(name_en, ' '), ('House', 'Seacalm'))", lambda t: t.name_en.notna()),
    ("A_EQUALS((valid_from), (TIMESTAMP('2019-12-31T16:00:00Z')))", lambda t: t.height == 40),
]
FUNCTIONS: list[tuple[str, Truth]] = [
    ("lower(name_en) = 'seacalm house 8'", lambda t: t.height == 8),
    ("char_length(concat(function, name_en)) > 26", lambda t: (t.function + t.name_en).str.len() > 26),
    ("abs(height - 20) <= floor(2.9)", lambda t: (t.height - 20).abs() <= 2),
    ("area(geom) < 1742.45", lambda t: t.geom.map(lambda g: abs(EARTH.geometry_area_perimeter(g)[0])) < 1742.45),
    ("perimeter(geom) > 167.272", lambda t: t.geom.map(lambda g: EARTH.geometry_area_perimeter(g)[1]) > 167.272),
    ("valid_from < now()", lambda t: t.valid_from.notna()),
    ("NOT near(geom, POINT(120.9502 28.1002), 500)", lambda t: apart(t) > 500),
    ("near(geom, POINT(120.9502 28.1002), 110)", lambda t: apart(t) <= 110),
    ("distance(geom, POINT(120.9502 28.1002)) <= 110", lambda t: apart(t) <= 110),
]  # fmt: skip


def apart(table: pd.DataFrame) -> "pd.Series[float]":
    """Metres from a place to each building: to the nearest of many points along its outline."""
    lon, lat = 120.9502, 28.1002

    def least(shape: shapely.Geometry) -> float:
        if shapely.intersects_xy(shape, lon, lat):
            return 0.0
        points = shapely.get_coordinates(shapely.segmentize(shape, 1e-5))
        return float(min(EARTH.inv([lon] * len(points), [lat] * len(points), points[:, 0], points[:, 1])[2]))

    return table.geom.map(least)


CASES = [*BASIC, *ADVANCED, *INSENSITIVE, *PROPERTIES, *ARITHMETIC, *ARRAYS, *FUNCTIONS]


@pytest.mark.parametrize(("text", "truth"), CASES, ids=[text for text, _ in CASES])
async def test_text_and_json(
    town_database: Database, catalog: Catalog, table: pd.DataFrame, text: str, truth: Truth
) -> None:
    """Annex A: the predicate selects what it is true of, in both encodings."""
    expected, wanted = true_of(table, truth), parse_filter(text)
    assert await found(town_database, catalog, wanted) == expected
    assert await found(town_database, catalog, parse_filter(json.dumps(wanted.tree), "cql2-json")) == expected


async def test_an_empty_array(town_database: Database, catalog: Catalog, table: pd.DataFrame) -> None:
    """JSON can write one, text cannot: every set contains it, and it equals itself."""
    for tree in ({"op": "a_contains", "args": [["a"], []]}, {"op": "a_equals", "args": [[], []]}):
        assert await found(town_database, catalog, parse_filter(json.dumps(tree), "cql2-json")) == set(table.object_id)


RELATIONS = ["intersects", "contains", "within", "disjoint", "equals", "touches", "crosses", "overlaps"]


@pytest.mark.parametrize("relation", RELATIONS)
@pytest.mark.parametrize("shape", SHAPES)
async def test_relations_of_place(
    town_database: Database, catalog: Catalog, table: pd.DataFrame, relation: str, shape: str
) -> None:
    """Annex A, spatial functions: what shapely says of the same geometries, either way round."""
    other = SHAPES[shape]
    for text, truth in (
        (f"S_{relation.upper()}(geom, {other.wkt})", getattr(shapely, relation)(table.geom, other)),
        (f"S_{relation.upper()}({other.wkt}, geom)", getattr(shapely, relation)(other, table.geom)),
    ):
        assert await found(town_database, catalog, parse_filter(text)) == set(table.object_id[truth]), text


async def test_a_collection_of_geometries(town_database: Database, catalog: Catalog, table: pd.DataFrame) -> None:
    wanted = parse_filter(f"S_INTERSECTS(geom, {MIXED.wkt})")
    assert await found(town_database, catalog, wanted) == set(table.object_id[shapely.intersects(table.geom, MIXED)])


@pytest.mark.parametrize("code", ["EPSG:4326", "EPSG:4490", "EPSG:4549", "EPSG:3857", "OGC:CRS84"])
@pytest.mark.parametrize("shape", ["triangle", "road", "east"])
async def test_the_filter_in_another_crs(town_database: Database, catalog: Catalog, code: str, shape: str) -> None:
    """OGC API Features Part 3, filter-crs: the same geometry, in that CRS and its axes' own order."""
    crs = parse_crs(code)
    written = SHAPES[shape]
    if not crs.is_geographic:
        written = shapely.transform(written, to_metres(code).transform, interleaved=False)
    if crs.north_first:
        written = shapely.transform(written, lambda x, y: (y, x), interleaved=False)
    asked = parse_filter(f"S_INTERSECTS(geom, {shapely.to_wkt(written, rounding_precision=12)})")
    plain = parse_filter(f"S_INTERSECTS(geom, {SHAPES[shape].wkt})")
    assert await found(town_database, catalog, in_degrees(asked, crs)) == await found(town_database, catalog, plain)


def to_metres(code: str) -> Transformer:
    return Transformer.from_crs("EPSG:4490" if code == "EPSG:4549" else "EPSG:4326", code, always_xy=True)


async def test_a_box_in_another_crs(town_database: Database, catalog: Catalog) -> None:
    """BBOX takes the axes in the order of filter-crs too."""
    wanted = parse_filter("S_INTERSECTS(geom, BBOX(120.9499,28.0999,120.9515,28.1005))")
    plain = await found(town_database, catalog, wanted)
    turned = parse_filter("S_INTERSECTS(geom, BBOX(28.0999,120.9499,28.1005,120.9515))")
    assert await found(town_database, catalog, in_degrees(turned, parse_crs("EPSG:4326"))) == plain
    x, y = to_metres("EPSG:4549").transform([120.9499, 120.9515], [28.0999, 28.1005])
    metric = parse_filter(f"S_INTERSECTS(geom, BBOX({y[0]},{x[0]},{y[1]},{x[1]}))")
    assert await found(town_database, catalog, in_degrees(metric, parse_crs("EPSG:4549"))) == plain


@pytest.mark.parametrize(
    "text",
    ["object_id = 7", "height = 7", "village_code = 'x'", "S_INTERSECTS(geom, BBOX(120.95,28.1,120.951,28.101))",
     "S_WITHIN(geom, BBOX(120.95,28.1,120.951,28.101))", "near(geom, POINT(120.9502 28.1002), 50)"],
)  # fmt: skip
async def test_an_index_serves(town_database: Database, catalog: Catalog, text: str) -> None:
    """Where the table is large, a condition on an indexed column never reads it whole."""
    layer = catalog.layer("buildings", PUBLIC)
    chosen = rows(Selection(layer, filter=parse_filter(text)), catalog, PUBLIC)
    statement = compiled(chosen.add_columns(objects(layer, catalog).c.object_id))
    async with town_database.reading() as connection, connection.transaction():
        # A table of forty rows is read whole by any planner in its right mind.
        await connection.execute("set local enable_seqscan = off")
        (plan,) = await connection.fetchrow("explain (format json) " + statement.sql, *statement.arguments)
    told = json.dumps(plan)
    assert "Index Cond" in told or "Recheck Cond" in told, told
    column = text.partition("(geom")[1][1:] or text.split(maxsplit=1)[0]
    assert any(column in line for line in conditions(plan)), conditions(plan)


def conditions(plan: Any) -> list[str]:
    """What the indexes of a plan are asked."""
    if isinstance(plan, list):
        return [line for part in plan for line in conditions(part)]
    if not isinstance(plan, dict):
        return []
    own = [plan[name] for name in ("Index Cond", "Recheck Cond") if name in plan]
    return own + [line for part in plan.values() for line in conditions(part)]
