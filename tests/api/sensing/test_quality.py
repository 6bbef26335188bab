"""Checks of what sensors tell, and rules of areas: figures worked by hand, and what becomes of them in the service."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from tests.api.conftest import BASE
from tests.api.sensing.conftest import Sensors, observation, stream, thing
from twin.sensing.conditions import Watch, measure, truth
from twin.sensing.figures import Line
from twin.sensing.live import present, read_arrivals
from twin.sensing.rules import evaluate

HOUR = 3600.0
TOWNSHIPS = """
    insert into dataset (name, themes, title_zh, title_en) values ('divisions', '{}', '区划', 'Divisions');
    insert into administrative_area (dataset_id, uid, content_hash, class, name, code, level, geom)
    select (select max(id) from dataset), code, '', 'Area', name, code, 'township',
           st_multi(st_makeenvelope(west, 28, west + 0.1, 28.2, 4490))
    from (values ('990101001', '西镇', 120.9), ('990101002', '东镇', 121.0)) area (code, name, west)
"""


def line(*values: float, minutes: int = 60) -> Line:
    """Values at the ends of hours from 1970 on."""
    return (np.arange(len(values)) + 1) * minutes * 60.0, np.array(values, dtype=float)


def holds(when: dict[str, Any], own: Line, *others: Line) -> list[bool]:
    found: list[bool] = truth(Watch.model_validate({"when": when}).when, *own, {}, others=others).tolist()
    return found


def test_range_rate_gap_and_stuck_by_hand() -> None:
    assert holds({"type": "range", "low": 0, "high": 120}, line(-0.1, 0, 120, 121)) == [True, False, False, True]
    assert holds({"type": "range", "high": 1}, line(-1e9, 1.5)) == [False, True]
    # 0.4 m in the hour before; downwards it is a rate too.
    assert holds({"type": "change", "window": "PT1H", "value": 0.4}, line(1, 1.3, 1.8)) == [False, False, True]
    falls = {"type": "change", "window": "PT1H", "op": "<=", "value": -0.4}
    assert holds(falls, line(1.8, 1.3, 1)) == [False, True, False]
    times = np.array([0, 1, 2, 5.01, 8.01]) * HOUR
    assert holds({"type": "gap", "after": "PT3H"}, (times, np.zeros(5))) == [False, False, False, True, False]


def test_disagreement_is_the_distance_from_the_median_of_the_others() -> None:
    """Means over two hours: own 2, 3, 6; others 2, 2, 2 and 3, 4, 5 and, silent after the first hour, 9, 9."""
    when = {"type": "disagreement", "window": "PT2H", "value": 2, "within_m": 1000}
    own, near = line(2, 4, 8), [line(2, 2, 2), line(3, 5, 5), (np.array([HOUR]), np.array([9.0]))]
    assert holds(when, own, *near) == [False, False, True]
    watch = Watch.model_validate({"when": when}).when
    # At the third hour two tell something, 2 and 5: their median is 3.5.
    assert measure(watch, *own, near) == pytest.approx(6 - 3.5)
    assert measure(watch, own[0][:1], own[1][:1], near) == pytest.approx(abs(2 - 3))
    assert holds(when, own, near[0]) == [False] * 3
    assert holds(when | {"others": 1}, own, near[0]) == [False, False, True]


def test_an_areal_mean_is_that_of_the_gauges_that_tell() -> None:
    """Sums over two hours: 10, 30, 50, 40 and 20, 40, 20 and then nothing: 15, 35, 35, and 40 of the one that tells."""
    one, other = line(10, 20, 30, 10), line(20, 20)
    for value, expected in ((35, [False, True, True, True]), (36, [False, False, False, True])):
        when = {"type": "areal", "window": "PT2H", "value": value}
        assert holds(when, (one[0], np.full(4, np.nan)), one, other) == expected


async def gauge(sensors: Sensors, name: str, at: tuple[float, float], kind: str) -> int:
    made = await sensors.post("Things", thing(name, at=at) | {"Datastreams": [stream(name, properties={"kind": kind})]})
    (found,) = await sensors.values(f"Things({made})/Datastreams")
    return int(found["@iot.id"])


async def send(sensors: Sensors, readings: dict[int, list[tuple[int, float]]], **more: Any) -> None:
    """Send readings (minute, value) of each datastream, and let the rules judge all at once."""
    async with sensors.database.reading() as connection:
        before = await present(connection)
    for number, values in readings.items():
        for minute, value in values:
            await sensors.post(f"Datastreams({number})/Observations", observation(minute, value, **more))
    async with sensors.database.writing() as connection:
        await evaluate(connection, await read_arrivals(connection, before))


async def put(sensors: Sensors, name: str, applies: Any, condition: Any, status: int = 200) -> dict[str, Any]:
    rule = {"title_zh": name, "title_en": name, "severity": "blue", "applies": applies, "condition": condition}
    answer = await sensors.client.put(f"{BASE}/rules/{name}", json=rule)
    assert answer.status_code == status, answer.text
    return rule


async def events(sensors: Sensors, kind: str) -> list[dict[str, Any]]:
    found = (await sensors.client.get(f"{BASE}/events?kind={kind}")).json()["features"]
    return [each["properties"] | {"place": each["geometry"]} for each in found]


async def test_what_cannot_be_is_marked_and_still_counts_once(sensors: Sensors) -> None:
    number = await gauge(sensors, "level", (120.95, 28.1), "water_level")
    check = {"when": {"type": "range", "low": 0, "high": 10}, "marks": True}
    await put(sensors, "level-range", {"datastreams": [number]}, check)
    await put(
        sensors,
        "level-rate",
        {"datastreams": [number]},
        {"when": {"type": "change", "window": "PT9M", "value": 50}, "marks": True},
    )
    for _ in range(2):
        await send(sensors, {number: [(0, 2.0), (5, 99.0), (10, 2.1)]})
    await send(sensors, {number: [(15, -1.0)]}, resultQuality={"code": 5})
    told = await sensors.values(f"Datastreams({number})/Observations", orderby="phenomenonTime")
    assert [(each["result"], each.get("resultQuality")) for each in told] == [
        (2.0, None),
        (99.0, {"checks": ["level-range", "level-rate"]}),
        (2.1, None),
        (-1.0, {"code": 5, "checks": ["level-range"]}),
    ]
    assert len(await events(sensors, "level-range")) == 2


async def test_a_gauge_that_differs_from_those_near_by_is_told(sensors: Sensors) -> None:
    """Two near by within 2 km; the one 10 km off, which has the same value, is not asked."""
    odd, *near = [await gauge(sensors, f"p{i}", (120.95 + 0.01 * i, 28.05), "wind") for i in range(3)]
    far = await gauge(sensors, "far", (121.05, 28.05), "wind")
    when = {"type": "disagreement", "window": "PT30M", "value": 5, "within_m": 2500}
    await put(sensors, "odd", {"datastreams": [odd, far]}, {"when": when})
    await send(sensors, {each: [(0, 10.0)] for each in near} | {far: [(0, 30.0)]} | {odd: [(0, 12.0)]})
    assert await events(sensors, "odd") == []
    await send(sensors, {each: [(60, 10.0)] for each in near} | {far: [(60, 30.0)]} | {odd: [(60, 30.0)]})
    (found,) = await events(sensors, "odd")
    assert (found["datastream"], found["evidence"]["figure"]) == (odd, 20.0)


async def test_rain_over_townships_and_catchments(sensors: Sensors) -> None:
    """Sums over 2 h in the west: (10, 20), (30, 40), (50, 30), (30, 10), whose means are 15, 35, 40 and 20."""
    async with sensors.database.writing() as connection:
        await connection.execute(TOWNSHIPS)
    one, other, east = [
        await gauge(sensors, "r", at, "rain") for at in ((120.92, 28.1), (120.98, 28.1), (121.05, 28.1))
    ]
    rain = {one: [10, 20, 30, 0], other: [20, 20, 10, 0], east: [5, 5, 5, 5]}
    when = {"type": "areal", "window": "PT2H", "value": 38}
    rule = await put(sensors, "rain-township", {"kinds": ["rain"], "areas": "township"}, {"when": when})
    outline = {
        "type": "Polygon",
        "coordinates": [[[120.9, 28], [121.1, 28], [121.1, 28.2], [120.9, 28.2], [120.9, 28]]],
    }
    basin = {"kinds": ["rain"], "areas": [{"name": "永安溪流域", "outline": outline}]}
    for part in (slice(0, 3), slice(3, 4)):
        await send(
            sensors, {each: [((i + 1) * 60, values[i]) for i in range(4)[part]] for each, values in rain.items()}
        )
        if part.start == 0:
            (raised,) = await events(sensors, "rain-township")
            assert raised["ended_at"] is None
    (found,) = await events(sensors, "rain-township")
    assert found["title"].endswith(": 西镇")
    assert (found["began_at"][:16], found["ended_at"][:16]) == ("2024-08-01T03:00", "2024-08-01T04:00")
    assert (found["datastream"], found["evidence"]["datastreams"]) == (None, [one, other])
    assert found["evidence"]["figure"] == 40.0
    assert [each["layer"] for each in found["objects"]] == ["administrative_areas"]
    assert 120.9 < found["place"]["coordinates"][0] < 121
    span = "datetime=2024-08-01T00:00:00Z/2024-08-01T06:00:00Z"
    trial = (await sensors.client.post(f"{BASE}/rules/x/trial?{span}", json=rule)).json()["events"]
    assert [(each["title"], each["from"][11:13], each["to"][11:13]) for each in trial] == [("西镇", "03", "04")]
    # Of all three gauges: (30 + 40 + 10) / 3 is 26.7, (50 + 30 + 10) / 3 is 30, (30 + 10 + 10) / 3 is 16.7.
    for value, hour in ((26.6, "02"), (26.7, "03"), (30.1, None)):
        rule |= {"applies": basin, "condition": {"when": when | {"value": value}}}
        trial = (await sensors.client.post(f"{BASE}/rules/x/trial?{span}", json=rule)).json()["events"]
        assert [(each["area"], each["from"][11:13]) for each in trial] == ([("永安溪流域", hour)] if hour else [])


SUM: dict[str, Any] = {"type": "sum", "window": "PT1H", "value": 1}
AREAL: dict[str, Any] = {"type": "areal", "window": "PT1H", "value": 1}
LINE = {"type": "LineString", "coordinates": [[0, 0], [1, 1]]}
BOW = {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}


@pytest.mark.parametrize(
    ("applies", "condition"),
    [({}, {"when": AREAL}), ({"areas": "township"}, {"when": SUM}), ({"areas": "planet"}, {"when": AREAL}),
     ({"areas": "township"}, {"when": AREAL, "marks": True}), ({"areas": []}, {"when": AREAL}),
     ({"areas": [{"name": "a", "outline": LINE}]}, {"when": AREAL}), ({}, {"when": {"type": "range"}}),
     ({"areas": [{"name": "a", "outline": BOW}]}, {"when": AREAL}), ({}, {"when": {"type": "spike", "value": 0}}),
     ({"areas": [{"name": "a", "outline": {"type": "Polygon", "coordinates": "x"}}]}, {"when": AREAL}),
     ({}, {"when": {"type": "gap", "after": "-PT1H"}}),
     ({}, {"when": {"type": "silence", "after": "PT1H"}, "marks": True}),
     ({}, {"when": {"type": "disagreement", "window": "PT1H", "value": 1, "within_m": 1e9}})],
)  # fmt: skip
async def test_what_cannot_be_judged_is_400(sensors: Sensors, applies: Any, condition: Any) -> None:
    await put(sensors, "bad", applies, condition, 400)


async def test_a_gap_is_seen_by_the_value_after_it(sensors: Sensors) -> None:
    number = await gauge(sensors, "g", (120.95, 28.1), "tide")
    await put(sensors, "gap", {"datastreams": [number]}, {"when": {"type": "gap", "after": "PT1H"}, "marks": True})
    await send(sensors, {number: [(0, 1.0), (30, 1.0)]})
    await send(sensors, {number: [(200, 1.0)]})
    (found,) = await events(sensors, "gap")
    assert datetime.fromisoformat(found["began_at"]) == datetime(2024, 8, 1, 3, 20, tzinfo=UTC)
    assert found["evidence"]["figure"] == 170 * 60
