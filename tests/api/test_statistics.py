"""Statistics against pandas and the geodesics of PROJ; tables of areas against what was cut out by hand."""

import csv
import io
import itertools
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import psycopg
import pytest
import shapely
from pyproj import Geod

from api.app import create_app
from layers.measure import areas
from tests import town
from tests.api.conftest import Places, bearer, client_of
from twin.directory import CityPlace
from twin.settings import Settings

EARTH = Geod(ellps="GRS80")
AGGREGATE = "/collections/buildings/aggregate"
MU = 2000 / 3
# Two townships of two villages each, the western one of a county; the town's buildings lie in all four.
DIVISIONS = """
    insert into administrative_area
        (dataset_id, uid, content_hash, class, name, name_en, code, level, parent_code, geom)
    select 1, code, '', 'Area', zh, en, code, level, parent,
           st_multi(st_makeenvelope(west, 28.0995, east, 28.105, 4490))
    from (values ('990101', '海县', 'Sea County', 'county', null, 120.9495, 120.9605),
                 ('990101001', '东镇', 'East', 'township', '990101', 120.9545, 120.9605),
                 ('990101002', '西镇', 'West', 'township', '990101', 120.9495, 120.9545),
                 ('990101001001', '甲村', 'A', 'village', '990101001', 120.9575, 120.9605),
                 ('990101001002', '乙村', 'B', 'village', '990101001', 120.9545, 120.9575),
                 ('990101002001', '丙村', 'C', 'village', '990101002', 120.9495, 120.9525),
                 ('990101002002', '丁村', 'D', 'village', '990101002', 120.9525, 120.9545))
         area(code, zh, en, level, parent, west, east);
    update building set village_code = (
        select code from administrative_area a where level = 'village'
        and st_intersects(a.geom, st_pointonsurface(building.geom)));
    insert into land (dataset_id, uid, content_hash, class, scheme, edition, code, geom)
    select 1, 'l' || number, '', 'Land', 'GB/T 21010', '2017', code, st_multi(st_geomfromtext(wkt, 4490))
    from (values (1, '0101', 'POLYGON((120.95 28.1, 120.955 28.1, 120.955 28.102, 120.95 28.102, 120.95 28.1))'),
                 (2, '0102', 'POLYGON((120.955 28.1, 120.96 28.1, 120.96 28.102, 120.955 28.102, 120.955 28.1))'),
                 (3, '0101', 'POLYGON((120.95 28.102, 120.957 28.102, 120.953 28.105, 120.95 28.102))'),
                 -- Over the second, by a slanting strip.
                 (4, '1006', 'POLYGON((120.958 28.0995, 120.959 28.0995, 120.9596 28.103, 120.958 28.0995))'))
         parcel(number, code, wkt);
"""
ROAD = """
    insert into road (dataset_id, uid, content_hash, class, geom)
    select 1, 'r' || i, '', 'primary',
           st_setsrid(st_makeline(st_point(120.95, 28.1 + i * 0.001), st_point(120.96, 28.1 + i * 0.002)), 4490)
    from generate_series(1, 5) i
"""


@pytest.fixture(scope="module")
async def county(new_city: Any, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """The town with villages, parcels of land and roads."""
    url = new_city()
    town.fill(url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(DIVISIONS)
        connection.execute(ROAD)
    async with client_of(create_app(settings, Places(CityPlace("town", url, Path("unused"))))) as client:
        yield client


async def get(client: httpx.AsyncClient, path: str, status: int = 200, **parameters: Any) -> Any:
    answer = await client.get(path, params=parameters)
    assert answer.status_code == status, answer.text
    return answer.json()


async def frame_of(client: httpx.AsyncClient, layer: str, **parameters: Any) -> pd.DataFrame:
    page = (await client.get(f"/collections/{layer}/items", params={"limit": 1000, **parameters})).json()
    told = [feature["properties"] for feature in page["features"]]
    frame = pd.DataFrame(told)
    frame["geometry"] = [shapely.from_geojson(json.dumps(feature["geometry"])) for feature in page["features"]]
    return frame


def area_of(shape: shapely.Geometry) -> float:
    """Geodesic area in m2, by GeographicLib as PROJ has it."""
    return sum(
        abs(EARTH.geometry_area_perimeter(part)[0]) for part in shapely.get_parts(shapely.orient_polygons(shape))
    )


async def test_numbers_are_those_of_pandas(county: httpx.AsyncClient) -> None:
    frame = await frame_of(county, "buildings")
    told = await get(county, AGGREGATE, property="height", by="function")
    assert told["unit"] == "m"
    assert told["total"] == pytest.approx({
        "count": len(frame), "valued": len(frame), "sum": frame.height.sum(), "mean": frame.height.mean(),
        "min": frame.height.min(), "max": frame.height.max(),
    })  # fmt: skip
    grouped = frame.groupby("function").height
    assert {group["value"]: group["sum"] for group in told["groups"]} == grouped.sum().to_dict()
    assert {group["value"]: group["mean"] for group in told["groups"]} == pytest.approx(grouped.mean().to_dict())


async def test_what_has_no_value_does_not_count_as_nought(county: httpx.AsyncClient) -> None:
    frame = await frame_of(county, "buildings")
    told = (await get(county, AGGREGATE, property="year_built"))["total"]
    assert (told["count"], told["valued"]) == (len(frame), frame.year_built.count())
    assert told["mean"] == pytest.approx(frame.year_built.mean())
    by_year = await get(county, AGGREGATE, by="year_built", functions="count")
    assert by_year["groups"][0] == {"value": None, "count": int(frame.year_built.isna().sum())}


async def test_the_same_filters_hold(county: httpx.AsyncClient) -> None:
    wanted = {"filter": "height > 10", "bbox": "120.95,28.1,120.9535,28.105"}
    frame = await frame_of(county, "buildings", **wanted)
    assert (await get(county, AGGREGATE, **wanted, property="height"))["total"]["sum"] == frame.height.sum()
    assert (await get(county, AGGREGATE, function="residential"))["total"]["count"] == 20
    assert (await get(county, AGGREGATE, datetime="2010-01-01"))["total"]["count"] == 39
    assert (await get(county, AGGREGATE, plan=1, property="height"))["total"]["max"] == 100


@pytest.mark.parametrize(("unit", "size"), [("m2", 1), ("ha", 10_000), ("mu", MU), ("km2", 1e6)])
async def test_areas_are_those_of_the_ellipsoid(county: httpx.AsyncClient, unit: str, size: float) -> None:
    frame = await frame_of(county, "buildings")
    told = (await get(county, AGGREGATE, measure="area", unit=unit))["total"]
    expected = frame.geometry.map(area_of)
    assert told["sum"] * size == pytest.approx(expected.sum(), rel=1e-9)
    assert told["max"] * size == pytest.approx(expected.max(), rel=1e-9)


async def test_lengths_are_those_of_the_ellipsoid(county: httpx.AsyncClient) -> None:
    frame = await frame_of(county, "roads")
    told = await get(county, "/collections/roads/aggregate", measure="length", unit="km")
    expected = frame.geometry.map(EARTH.geometry_length).sum()
    assert told["total"]["sum"] * 1000 == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("level", ["village", "township", "county"])
async def test_by_administrative_area(county: httpx.AsyncClient, level: str) -> None:
    """A township holds what its villages hold; they are called by their names."""
    frame = await frame_of(county, "buildings")
    frame["code"] = frame.village_code.str[: {"village": 12, "township": 9, "county": 6}[level]]
    told = await get(county, AGGREGATE, by=level, property="height")
    expected = frame.groupby("code").height
    assert {g["value"]: g["sum"] for g in told["groups"]} == expected.sum().to_dict()
    assert {g["value"]: g["max"] for g in told["groups"]} == expected.max().to_dict()
    if level == "township":
        assert {g["title"]["zh"] for g in told["groups"]} == {"东镇", "西镇"}


async def test_by_a_grid(county: httpx.AsyncClient) -> None:
    """Cells of the city's own metric CRS: their sums are the whole's, and each holds what lies in it."""
    told = await get(county, AGGREGATE, by="grid", cell=200, property="height")
    frame = await frame_of(county, "buildings", crs="EPSG:4549")
    assert told["grid"] == {"crs": "EPSG:4549", "cell_m": 200}
    points = frame.geometry.map(shapely.point_on_surface)
    # EPSG:4549 is told north first; the grid counts east first.
    cells = pd.Series(
        list(zip(points.map(lambda p: int(p.y // 200)), points.map(lambda p: int(p.x // 200)), strict=True))
    )
    expected = frame.height.groupby(cells).sum()
    assert {tuple(g["value"]): g["sum"] for g in told["groups"]} == expected.to_dict()
    assert told["groups"][0]["corner"] == [200 * part for part in told["groups"][0]["value"]]


async def test_a_histogram(county: httpx.AsyncClient) -> None:
    frame = await frame_of(county, "buildings")
    told = await get(county, AGGREGATE, property="height", functions="histogram", bins=8, by="function")
    counts, edges = np.histogram(frame.height, bins=8)
    assert told["edges"] == pytest.approx(edges.tolist())
    assert told["total"]["histogram"] == counts.tolist()
    by_function = {g["value"]: g["histogram"] for g in told["groups"]}
    for name, part in frame.groupby("function"):
        assert by_function[name] == np.histogram(part.height, bins=edges)[0].tolist()
    alike = await get(county, AGGREGATE, property="height", functions="histogram", height=7)
    assert sum(alike["total"]["histogram"]) == 1


async def test_a_spreadsheet_of_it(county: httpx.AsyncClient) -> None:
    answer = await county.get(AGGREGATE, params={"property": "height", "by": "township", "f": "csv"})
    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert {row["title_zh"] for row in rows} == {"东镇", "西镇"}


@pytest.mark.parametrize(
    ("parameters", "word"),
    [
        ({"property": "name"}, "height"), ({"property": "colour"}, "property"), ({"by": "colour"}, "township"),
        ({"measure": "length"}, "geometry"), ({"measure": "volume"}, "measure"), ({"unit": "ha"}, "unit"),
        ({"measure": "area", "unit": "km"}, "unit"), ({"measure": "area", "property": "height"}, "one of them"),
        ({"functions": "median"}, "functions"), ({"by": "grid", "cell": "1"}, "cell"), ({"bins": "0"}, "bins"),
        ({"colour": "red"}, "unknown"), ({"filter": "height >"}, "filter"),
    ],
)  # fmt: skip
async def test_what_makes_no_sense(county: httpx.AsyncClient, parameters: dict[str, str], word: str) -> None:
    assert word in (await get(county, AGGREGATE, 400, **parameters))["detail"]


async def test_nothing_is_told_of_hidden_rows(client: httpx.AsyncClient, tokens: town.Tokens) -> None:
    seen = (await client.get(AGGREGATE, params={"property": "height"}, headers=bearer(tokens.township))).json()
    assert (seen["total"]["count"], seen["total"]["max"]) == (5, 5)
    assert (await client.get("/collections/utility_pipes/aggregate")).status_code == 404


# --- tables of areas

TABLE = "/collections/land/area-table"
BOUNDARY = shapely.from_wkt(
    "POLYGON((120.9512 28.0991, 120.9598 28.1003, 120.9581 28.1043, 120.9523 28.1039, 120.9512 28.0991))"
)


TURN = np.linspace(0, 2 * np.pi, 110_000)
MANY_VERTICES = shapely.to_geojson(shapely.Polygon(np.column_stack([np.cos(TURN), np.sin(TURN)]).round(7)))


async def post(client: httpx.AsyncClient, shape: Any, status: int = 200, **parameters: Any) -> Any:
    body = shape if isinstance(shape, str | bytes) else shapely.to_geojson(shape)
    answer = await client.post(TABLE, content=body, params=parameters, headers={"Content-Type": "application/geo+json"})
    assert answer.status_code == status, answer.text
    return answer.json()


def straight(shape: shapely.Geometry) -> float:
    """Geodesic area of a shape whose edges are kept straight in degrees by a vertex every metre."""

    def inside(ring: shapely.Geometry) -> float:
        # Ring by ring: a polygon that GEOS segmentizes is mended too, and may lose a part.
        points = shapely.get_coordinates(shapely.segmentize(shapely.linestrings(ring.coords), 1e-5))
        return abs(float(EARTH.polygon_area_perimeter(points[:, 0], points[:, 1])[0]))

    polygons = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon"]
    return sum(inside(each.exterior) - sum(inside(hole) for hole in each.interiors) for each in polygons)


async def test_the_table_closes_to_the_boundary(county: httpx.AsyncClient) -> None:
    """Every class as cut out by hand, what nothing covers, what lies twice: together the boundary, to 0.01 m2."""
    told = await post(county, BOUNDARY)
    land = await frame_of(county, "land")
    pieces = land.geometry.map(lambda shape: shapely.intersection(shape, BOUNDARY))
    expected = pieces.map(straight).groupby(land.code).sum()
    assert {row["value"]: row["area"] for row in told["rows"]} == pytest.approx(expected.to_dict(), abs=0.01)
    covered = shapely.union_all(pieces.tolist())
    assert told["boundary"] == pytest.approx(straight(BOUNDARY), abs=0.01)
    assert told["uncovered"] == pytest.approx(straight(shapely.difference(BOUNDARY, covered)), abs=0.01)
    assert told["overlap"] == pytest.approx(expected.sum() - straight(covered), abs=0.02)
    assert told["overlap"] > 1000
    closed = sum(row["area"] for row in told["rows"]) + told["uncovered"] - told["overlap"]
    assert closed == pytest.approx(told["boundary"], abs=0.01)
    assert abs(told["residual_m2"]) < 0.01


async def test_the_table_of_an_administrative_area(county: httpx.AsyncClient) -> None:
    page = await get(county, "/collections/administrative_areas/items", code="990101002")
    told = await get(county, TABLE, area=page["features"][0]["id"], unit="mu")
    shape = shapely.from_geojson(json.dumps(page["features"][0]["geometry"]))
    assert told["boundary"] * MU == pytest.approx(straight(shape), abs=0.01)
    assert told["unit"] == "mu"
    assert (await get(county, TABLE, 404, area=12345678))["status"] == 404
    await get(county, TABLE, 400)


async def test_a_boundary_comes_in_many_shapes(county: httpx.AsyncClient) -> None:
    plain = await post(county, BOUNDARY)
    feature = {"type": "Feature", "properties": {}, "geometry": json.loads(shapely.to_geojson(BOUNDARY))}
    both = {"type": "FeatureCollection", "features": [feature, feature]}
    for body in (feature, both):
        assert (await post(county, json.dumps(body)))["rows"] == plain["rows"]
    turned = shapely.transform(BOUNDARY, lambda x, y: (y, x), interleaved=False)
    answer = await county.post(
        TABLE, content=shapely.to_geojson(turned),
        headers={"Content-Type": "application/json", "Content-Crs": "<http://www.opengis.net/def/crs/EPSG/0/4490>"},
    )  # fmt: skip
    assert answer.json()["boundary"] == pytest.approx(plain["boundary"], abs=1e-6)
    elsewhere = await post(county, shapely.box(10, 50, 10.01, 50.01))
    assert (elsewhere["rows"], elsewhere["uncovered"]) == ([], elsewhere["boundary"])
    by_class = await post(county, BOUNDARY, by="class", filter="code = '0101'")
    assert [(row["value"], row["count"]) for row in by_class["rows"]] == [("Land", 2)]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("{", 400), ("[]", 400), ("{}", 400), ('{"type":"Polygon"}', 400), ('{"type":"Polygon","coordinates":[]}', 400),
        ('{"type":"Point","coordinates":[1,2]}', 400), ('{"type":"Feature","geometry":null}', 400),
        ('{"type":"FeatureCollection","features":[]}', 400), ('{"type":"FeatureCollection","features":[5]}', 400),
        ('{"type":"Polygon","coordinates":[[[0,0],[1,1],[1,0],[0,1],[0,0]]]}', 400),
        ('{"type":"Polygon","coordinates":[[[0,0],[1,1e400],[1,0],[0,0]]]}', 400),
        ('{"type":"Polygon","coordinates":[[[0,0],[1,NaN],[1,0],[0,0]]]}', 400),
        ('{"type":"Polygon","coordinates":[[[0,0],[500,1],[1,0],[0,0]]]}', 400),
        ('{"type":"Polygon","coordinates":[[[0,0],["1",1],[1,0],[0,0]]]}', 400),
        ('{"a":' * 5000 + "1" + "}" * 5000, 400), (b'{"type":"\xff"}', 400),
        (MANY_VERTICES, 400),
        ("x" * (5 * 2**20), 413),
    ],
    ids=range(18),
)  # fmt: skip
async def test_a_boundary_that_makes_no_sense(county: httpx.AsyncClient, body: Any, status: int) -> None:
    assert (await post(county, body, status))["detail"]


def test_areas_add_up_and_are_right() -> None:
    """Exact against geodesics of a metre each; parts sum to the whole however they are cut; holes are none."""
    whole = shapely.Polygon(
        [(120.9, 28), (121.03, 28.02), (120.95, 28.13)], [[(120.93, 28.03), (120.95, 28.05), (120.96, 28.03)]]
    )
    (found,) = areas([whole], 4490)
    assert found == pytest.approx(straight(whole), abs=0.05)
    cuts = np.linspace(120.9, 121.04, 21)
    strips = [shapely.box(west, 27, east, 29) for west, east in itertools.pairwise(cuts)]
    assert areas(shapely.intersection(whole, strips), 4490).sum() == pytest.approx(found, abs=1e-4)
    mixed = shapely.GeometryCollection([whole, shapely.Point(0, 0)])
    assert areas([shapely.Point(1, 1), mixed], 4490) == pytest.approx([0, found])
    (earth,) = areas([shapely.box(-180, -90, 180, 90)], 4490)
    assert earth == pytest.approx(510_065_621_724_078.9, rel=1e-6)
