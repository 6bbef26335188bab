"""Areas reached, routes and car parks over HTTP, on a square of four streets whose times are known by hand."""

import asyncio
import json
import math
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psycopg
import pyarrow as pa
import pytest
import shapely

import twin.sdk
from api.app import create_app
from api.cities import Cities
from api.ways import NetworkCache
from api.ways_ahead import build_ways
from layers.access import PUBLIC
from tests.api.conftest import Places, client_of
from tests.serve import serving
from twin.directory import CityPlace
from twin.sensing.parking import Forecast, forecast
from twin.settings import Settings

NO_RUN = "6c1c3c0e-0000-0000-0000-000000000000"
# A square of 1 km: its south and east sides at 36 km/h, its west side a path, its north side closed to nobody.
CORNERS = {"SW": (0, 0), "SE": (1000, 0), "NE": (1000, 1000), "NW": (0, 1000)}
STREETS = [("SW", "SE", "secondary"), ("SE", "NE", "secondary"), ("NE", "NW", "secondary"), ("NW", "SW", "footway")]
WEST, SOUTH = 596_000, 3_111_000
ROAD = """
    insert into road (dataset_id, uid, content_hash, class, name, lanes, speed_kmh, start_node, end_node, geom)
    select 1, %(uid)s, '', %(kind)s, %(uid)s, 2, 36, %(a)s, %(b)s,
           st_transform(st_setsrid(st_makeline(st_point(%(x)s, %(y)s), st_point(%(x2)s, %(y2)s)), 4549), 4490)
"""
# A car park in each corner: one full, one with free places, one that fell silent, one without a sensor.
CAR_PARKS = {"SE": 0, "NE": 40, "NW": 70, "SW": None}
CAR_PARK = """
    insert into facility (dataset_id, uid, content_hash, class, name, capacity, geom)
    select 1, %(corner)s, '', 'Parking', %(corner)s, 60,
           st_transform(st_setsrid(st_point(%(x)s, %(y)s), 4549), 4490) returning object_id
"""
COUNTER = """
    with thing as (
        insert into sensing.thing (name, properties)
        values ('counter', jsonb_build_object('cim', jsonb_build_array(
            jsonb_build_object('layer', 'facilities', 'object_id', %(object_id)s::bigint)))) returning id
    ), maker as (
        insert into sensing.sensor (name, encoding_type, metadata) values ('maker', 'text/html', '"none"') returning id
    ), stream as (
        insert into sensing.datastream (thing_id, sensor_id, kind, name, observation_type, units)
        select thing.id, maker.id, 'parking', 'free places', 'OM_Measurement', '{}' from thing, maker returning id
    )
    insert into sensing.latest (datastream_id, time, arrived_at, number)
    select id, now(), now() - %(silent)s * interval '2 hours', %(free)s from stream returning datastream_id
"""
# In each of the last four weeks, about this time, 50 places were free.
PAST = """
    insert into sensing.observation (id, datastream_id, time, dedupe, number)
    select 0, %s, now() - week * interval '7 days' + quarter * interval '15 min', 0, 50
    from generate_series(1, 4) week, generate_series(-1, 6) quarter
"""

# Two villages about the first and the last corner.
VILLAGES = """
    insert into administrative_area (dataset_id, uid, content_hash, class, name, code, level, geom)
    select 1, code, '', 'AdministrativeArea', name, code, 'village',
           st_multi(st_transform(st_makeenvelope(x - 90, y - 90, x + 90, y + 90, 4549), 4490))
    from (values ('990381001001', '南村', 596000, 3111000), ('990381001002', '北村', 596000, 3112000))
      as of_each (code, name, x, y)
"""


@pytest.fixture(scope="module")
def square(new_city: Callable[..., str]) -> tuple[str, dict[str, str]]:
    """The city's URL, and its corners as POINT(lon lat)."""
    url = new_city()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "insert into dataset (name, themes, title_zh, title_en, loaded_at, extent) values"
            " ('square', array['road'], '方', 'Square', now(), array[120.9, 28.0, 121.1, 28.2])"
        )
        for a, b, kind in STREETS:
            (x, y), (x2, y2) = CORNERS[a], CORNERS[b]
            ends = {"x": WEST + x, "y": SOUTH + y, "x2": WEST + x2, "y2": SOUTH + y2}
            connection.execute(ROAD, ends | {"uid": f"{a}-{b}", "kind": kind, "a": a, "b": b})
        points: dict[str, str] = {}
        for name, (x, y) in CORNERS.items():
            row = connection.execute(
                "select st_x(p), st_y(p) from st_transform(st_setsrid(st_point(%s, %s), 4549), 4490) p",
                (WEST + x, SOUTH + y),
            ).fetchone()
            assert row is not None
            points[name] = f"POINT({row[0]} {row[1]})"
    return url, points


@pytest.fixture(scope="module")
async def asking(square: tuple[str, Any], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx.AsyncClient]:
    settings = Settings(database_url=square[0], data=tmp_path_factory.mktemp("data"), log_level="error")
    async with client_of(create_app(settings, Places(CityPlace("square", square[0], Path("unused"))))) as opened:
        yield opened


async def test_routes_take_the_time_of_their_streets(
    asking: httpx.AsyncClient, square: tuple[str, dict[str, str]]
) -> None:
    """3 km at 36 km/h around the square by car; 1 km of path at 4.8 km/h on foot."""
    ends = {"from": square[1]["SW"], "to": square[1]["NW"]}
    by_car = (await asking.get("/traffic/route", params=ends)).json()["properties"]
    assert by_car["seconds"] == pytest.approx(300, rel=0.01)
    assert [street["name"] for street in by_car["streets"]] == ["SW-SE", "SE-NE", "NE-NW"]
    on_foot = (await asking.get("/traffic/route", params=ends | {"mode": "walk"})).json()["properties"]
    assert on_foot["seconds"] == pytest.approx(750, rel=0.01)
    assert on_foot["metres"] == pytest.approx(1000, rel=0.01)


async def test_areas_grow_with_the_minutes(asking: httpx.AsyncClient, square: tuple[str, dict[str, str]]) -> None:
    """In two minutes a car has the south side and a fifth of the east one; in six all corners."""
    asked = {"coords": square[1]["SW"], "minutes": "2,6"}
    found = (await asking.get("/traffic/isochrones", params=asked)).json()["features"]
    assert [each["properties"]["minutes"] for each in found] == [6, 2]
    all_of_it, part = (shapely.geometry.shape(each["geometry"]) for each in found)
    corners = {name: shapely.from_wkt(text) for name, text in square[1].items()}
    assert {name for name, at in corners.items() if part.intersects(at)} == {"SW", "SE"}
    assert {name for name, at in corners.items() if all_of_it.intersects(at)} == set(CORNERS)
    assert not part.intersects(shapely.from_wkt(square[1]["NE"]).buffer(0.004))
    assert all_of_it.is_valid
    ring = (await asking.get("/traffic/isochrones", params=asked | {"rings": "true"})).json()["features"][0]
    assert ring["properties"]["km2"] == found[0]["properties"]["km2"]
    assert shapely.geometry.shape(ring["geometry"]).area == pytest.approx(all_of_it.area - part.area, rel=0.01)


async def test_areas_whence_a_place_is_reached(asking: httpx.AsyncClient, square: tuple[str, dict[str, str]]) -> None:
    """No street is one-way here: as far away as one gets in the time. Nobody lives in a square without houses."""
    asked = {"coords": square[1]["SW"], "minutes": "2,6", "people": "true"}
    there, hence = [
        (await asking.get("/traffic/isochrones", params=asked | {"direction": way})).json()["features"]
        for way in ("from", "to")
    ]
    assert [each["properties"]["km2"] for each in hence] == pytest.approx(
        [each["properties"]["km2"] for each in there], rel=0.02
    )
    assert [each["properties"]["people"] for each in there] == [0, 0]


async def test_a_table_of_travel_times(asking: httpx.AsyncClient, square: tuple[str, dict[str, str]]) -> None:
    """1 km of street each 100 s, around three sides of the square; nothing to a place far away; to oneself 0."""
    corners = [shapely.from_wkt(square[1][name]) for name in ("SW", "SE", "NW")]
    around = [[0, 100, 300], [100, 0, 200], [300, 200, 0]]
    text = "MULTIPOINT(" + ",".join(f"({each.x} {each.y})" for each in corners) + ")"
    found = (await asking.get("/traffic/matrix", params={"origins": text})).raise_for_status().json()
    assert np.allclose(found["seconds"], around, rtol=0.01, atol=0.5)
    assert [each["id"] for each in found["origins"]] == ["0", "1", "2"]
    body = {
        "origins": [[each.x, each.y] for each in corners[:1]],
        "destinations": [[corners[1].x, corners[1].y], [121.5, 28.1]],
    }
    posted = (await asking.post("/traffic/matrix", json=body)).raise_for_status().json()
    assert posted["seconds"] == [[pytest.approx(100, rel=0.01), None]]
    rows = (await asking.post("/traffic/matrix", params={"f": "csv"}, json=body)).raise_for_status().text.splitlines()
    assert rows == ["origin,destination,seconds", f"0,0,{posted['seconds'][0][0]}"]
    arrow = (await asking.get("/traffic/matrix", params={"origins": text, "f": "arrow"})).raise_for_status().content
    assert pa.ipc.open_file(arrow).read_all()["seconds"].to_pylist() == [
        each for row in found["seconds"] for each in row
    ]
    with psycopg.connect(square[0], autocommit=True) as connection:
        connection.execute(VILLAGES)
    villages = (await asking.get("/traffic/matrix", params={"areas": "village"})).raise_for_status().json()
    assert [each["name"] for each in villages["origins"]] == ["南村", "北村"]
    assert villages["seconds"] == [[0, pytest.approx(300, rel=0.01)], [pytest.approx(300, rel=0.01), 0]]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ([], "an object is wanted"),
        ({}, "origins: 1 to 1,000"),
        ({"origins": [[1]]}, "place 0"),
        ({"origins": [[120.9, 28.1], ["x", None]]}, "place 1"),
        ({"origins": [[1e400, 28.1]]}, ""),
        ({"origins": [[120.9, 28.1]] * 501}, "250,000 pairs"),
        ({"origins": [[120.9, 28.1]], "further": 1}, "an object is wanted"),
    ],
)
async def test_tables_that_cannot_be_asked(asking: httpx.AsyncClient, body: Any, said: str) -> None:
    content = json.dumps(body).replace("Infinity", "1e400")
    answer = await asking.post("/traffic/matrix", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert said in answer.json()["detail"]


def stand_car_parks(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for corner, free in CAR_PARKS.items():
            place = {"corner": corner, "x": WEST + CORNERS[corner][0], "y": SOUTH + CORNERS[corner][1]}
            made = connection.execute(CAR_PARK, place).fetchone()
            assert made is not None
            if free is not None:
                counter = {"object_id": made[0], "free": free, "silent": int(corner == "NW")}
                stream = connection.execute(COUNTER, counter).fetchone()
                if corner == "NE":
                    connection.execute(PAST, stream)


async def test_car_parks_come_by_the_time_to_drive_there(
    asking: httpx.AsyncClient, square: tuple[str, dict[str, str]]
) -> None:
    """The full one is left out. What is less free than usual fades: 50 - 10 exp(-t/60)."""
    asked = {"coords": square[1]["SW"]}
    assert (await asking.get("/traffic/parking", params=asked)).json()["features"] == []
    stand_car_parks(square[0])
    found = (await asking.get("/traffic/parking", params=asked)).json()["features"]
    told = [each["properties"] for each in found]
    assert [(each["name"], each["state"], each["free"]) for each in told] == [
        ("SW", "unknown", None), ("NE", "ok", 40), ("NW", "silent", None),
    ]  # fmt: skip
    assert [each["seconds"] for each in told] == pytest.approx([0, 200, 300], rel=0.01, abs=0.5)
    assert [each["method"] for each in told] == [None, "usual", None]
    soon = {each["minutes"]: each["free"] for each in told[1]["forecast"]}
    assert soon == {15: 42, 30: 43, 45: 45, 60: 46}
    assert found[1]["geometry"]["type"] == "Point"
    first = (await asking.get("/traffic/parking", params=asked | {"limit": "1"})).json()["features"]
    assert [each["properties"]["name"] for each in first] == ["SW"]


async def test_who_may_not_read_sensors_is_told_of_places_alone(
    asking: httpx.AsyncClient, square: tuple[str, dict[str, str]]
) -> None:
    with psycopg.connect(square[0], autocommit=True) as connection:
        connection.execute("update layer set restricted = true where id = 'sensors'")
        await asyncio.sleep(1.2)
        found = (await asking.get("/traffic/parking", params={"coords": square[1]["SW"]})).json()["features"]
        connection.execute("update layer set restricted = false where id = 'sensors'")
    told = [(each["properties"]["name"], each["properties"]["state"], each["properties"]["free"]) for each in found]
    assert told == [(corner, "unknown", None) for corner in ("SW", "SE", "NE", "NW")]


def test_a_script_asks_as_well(square: tuple[str, dict[str, str]]) -> None:
    """Over real HTTP."""
    at = {name: shapely.from_wkt(place) for name, place in square[1].items()}
    begin, end = ((at[name].x, at[name].y) for name in ("SW", "NW"))
    with serving(square[0], TWIN_WAYS_AHEAD="true") as address, twin.sdk.connect(address) as city:
        frame = city.parking(begin, limit=3)
        assert list(frame["name"]) == ["SW", "NE", "NW"]
        assert frame["free"].tolist()[1] == 40
        assert frame.geometry.iloc[1].distance(at["NE"]) < 1e-5
        assert list(city.isochrone(begin, [2, 6])["minutes"]) == [6, 2]
        assert city.route(begin, end)["properties"]["seconds"] == pytest.approx(300, rel=0.01)
        table = city.travel_times([begin], [begin, end, (121.5, 28.1)])
        assert table.loc["0"].tolist() == pytest.approx([0, 300, math.nan], rel=0.01, nan_ok=True)
        with pytest.raises(twin.sdk.WrongRequest, match="no road within"):
            city.parking((0.0, 0.0))


async def test_nobody_waits_for_the_network(
    square: tuple[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Built ahead, it is not built for the first who asks; a city that is not there is no error."""
    settings = Settings(database_url=square[0], data=tmp_path, log_level="error")
    cities = Cities(Places(CityPlace("square", square[0], Path("unused"))), settings)
    await build_ways(cities)
    monkeypatch.delattr(NetworkCache, "_built")
    ways, _ = await (await cities.city()).ways.ways("car", PUBLIC, None)
    assert ways.streets.network.links == 6
    await cities.close()
    await build_ways(Cities(Places(), settings))


def test_without_a_past_all_stays_as_it_is() -> None:
    assert forecast(12, {0: 30, 1: 20}) == Forecast("persistence", {15: 12, 30: 12, 45: 12, 60: 12})
    # Fewer than none are never free.
    assert forecast(0, dict.fromkeys(range(5), 5)).free[15] == pytest.approx(5 - 5 * math.exp(-0.25))
    assert forecast(0, {0: 50, 1: 5, 2: 5, 3: 5, 4: 5}).free[15] == 0


async def test_a_new_road_is_driven_at_once(asking: httpx.AsyncClient, square: tuple[str, dict[str, str]]) -> None:
    ends = {"from": square[1]["SW"], "to": square[1]["NE"]}
    before = (await asking.get("/traffic/route", params=ends)).json()["properties"]["metres"]
    assert before == pytest.approx(2000, rel=0.01)
    with psycopg.connect(square[0], autocommit=True) as connection:
        line = {"x": WEST, "y": SOUTH, "x2": WEST + 1000, "y2": SOUTH + 1000}
        connection.execute(ROAD, line | {"uid": "diagonal", "kind": "secondary", "a": "SW", "b": "NE"})
        connection.execute("update layer set version = version + 1 where id = 'roads'")
    # What the server knows of its layers is a second old at most.
    await asyncio.sleep(1.2)
    after = (await asking.get("/traffic/route", params=ends)).json()["properties"]
    assert after["metres"] == pytest.approx(1414, rel=0.01)


@pytest.mark.parametrize("path", ["isochrones", "route", "matrix", "users", "parking"])
async def test_a_misspelt_parameter_is_named_before_what_lacks(asking: httpx.AsyncClient, path: str) -> None:
    answer = await asking.get(f"/traffic/{path}", params={"form": "x"})
    assert answer.status_code == 400
    assert "unknown parameter: form" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "asked", "said"),
    [
        ("isochrones", {}, "coords"),
        ("isochrones", {"coords": "POINT(nan 1)"}, "POINT(lon lat)"),
        ("isochrones", {"coords": "POINT(0 0)"}, "no road within"),
        ("isochrones", {"coords": "POINT(120.98 200)"}, "out of range"),
        ("isochrones", {"coords": "POINT(120.98 28.11)", "minutes": "5,1000"}, "up to 90"),
        ("isochrones", {"coords": "POINT(120.98 28.11)", "datetime": "2026-01-01"}, "flood_run"),
        ("isochrones", {"coords": "POINT(120.98 28.11)", "plan": "77"}, "no such plan"),
        ("isochrones", {"coords": "POINT(120.98 28.11)", "direction": "up"}, "direction"),
        ("isochrones", {"coords": "POINT(120.98 28.11)", "run": NO_RUN, "flood_run": NO_RUN}, "one of the two"),
        ("isochrones", {"coords": "POINT(120.98 28.11)", "run": NO_RUN, "mode": "walk"}, "times are those of vehicles"),
        ("route", {"from": "POINT(120.98 28.11)"}, "to:"),
        ("users", {}, "name a traffic run"),
        ("users", {"run": NO_RUN, "link": "x"}, "uid of a link"),
        ("matrix", {}, "give one of the two"),
        ("matrix", {"origins": "POINT(1 95)"}, "out of range"),
        ("matrix", {"origins": "LINESTRING(1 2,3 4)"}, "MULTIPOINT"),
        ("matrix", {"origins": "CIRCULARSTRING(1 2,3 4,5 2)"}, "MULTIPOINT"),
        ("matrix", {"areas": "township"}, "no divisions"),
        ("parking", {}, "coords"),
        ("parking", {"coords": "POINT(120.98 28.11)", "limit": "51"}, "limit"),
        ("parking", {"coords": "POINT(0 0)"}, "no road within"),
        ("parking", {"coords": "POINT(28.11 120.98)"}, "out of range"),
    ],
)
async def test_what_cannot_be_asked(asking: httpx.AsyncClient, path: str, asked: dict[str, str], said: str) -> None:
    answer = await asking.get(f"/traffic/{path}", params=asked)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.json()["detail"]


async def test_a_run_that_nobody_ran(asking: httpx.AsyncClient) -> None:
    for name in ("flood_run", "run"):
        asked = {"coords": "POINT(120.98 28.11)", name: NO_RUN}
        assert (await asking.get("/traffic/isochrones", params=asked)).status_code == 404
