"""Areas reached and routes over HTTP, on a square of four streets whose times are known by hand."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import shapely

from api.app import create_app
from tests.api.conftest import Places, client_of
from twin.directory import CityPlace
from twin.settings import Settings

# A square of 1 km: its south and east sides at 36 km/h, its west side a path, its north side closed to nobody.
CORNERS = {"SW": (0, 0), "SE": (1000, 0), "NE": (1000, 1000), "NW": (0, 1000)}
STREETS = [("SW", "SE", "secondary"), ("SE", "NE", "secondary"), ("NE", "NW", "secondary"), ("NW", "SW", "footway")]
WEST, SOUTH = 596_000, 3_111_000
ROAD = """
    insert into road (dataset_id, uid, content_hash, class, name, lanes, speed_kmh, start_node, end_node, geom)
    select 1, %(uid)s, '', %(kind)s, %(uid)s, 2, 36, %(a)s, %(b)s,
           st_transform(st_setsrid(st_makeline(st_point(%(x)s, %(y)s), st_point(%(x2)s, %(y2)s)), 4549), 4490)
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


@pytest.mark.parametrize(
    ("path", "asked", "said"),
    [
        ("isochrones", {}, "coords"),
        ("isochrones", {"coords": "POINT(nan 1)"}, "POINT(lon lat)"),
        ("isochrones", {"coords": "POINT(0 0)"}, "no road within"),
        ("isochrones", {"coords": "POINT(120.98 28.11)", "minutes": "5,1000"}, "up to 90"),
        ("isochrones", {"coords": "POINT(120.98 28.11)", "datetime": "2026-01-01"}, "flood_run"),
        ("isochrones", {"coords": "POINT(120.98 28.11)", "plan": "77"}, "no such plan"),
        ("route", {"from": "POINT(120.98 28.11)"}, "to:"),
    ],
)
async def test_what_cannot_be_asked(asking: httpx.AsyncClient, path: str, asked: dict[str, str], said: str) -> None:
    answer = await asking.get(f"/traffic/{path}", params=asked)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.json()["detail"]


async def test_a_flood_that_nobody_ran(asking: httpx.AsyncClient) -> None:
    asked = {"coords": "POINT(120.98 28.11)", "flood_run": "6c1c3c0e-0000-0000-0000-000000000000"}
    assert (await asking.get("/traffic/isochrones", params=asked)).status_code == 404
