"""A rising gauge raises one event, which is taken, worked and closed by hand; rules by their cases."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from layers.changes import present
from tests.api.conftest import BASE
from tests.api.sensing.conftest import Sensors, observation, stream, thing
from twin.sensing.conditions import Watch, truth
from twin.sensing.live import read_arrivals
from twin.sensing.rules import State, evaluate, follow, tick
from twin.sensing.watched import Values

START = datetime(2024, 8, 1, tzinfo=UTC)


async def ask(sensors: Sensors, method: str, path: str, body: Any = None, status: int = 200) -> Any:
    answer = await sensors.client.request(method, f"{BASE}/{path}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


async def judged(sensors: Sensors, number: int, *readings: tuple[int, float]) -> list[Any]:
    """Send readings (minute, value), let the rules judge, and give the stream's events, the newest first."""
    async with sensors.database.reading() as connection:
        before = await present(connection)
    for minute, value in readings:
        await sensors.post(f"Datastreams({number})/Observations", observation(minute, value))
    async with sensors.database.writing() as connection:
        await evaluate(connection, await read_arrivals(connection, before))
    found: list[Any] = (await ask(sensors, "GET", f"events?datastream={number}"))["features"]
    return found


@pytest.fixture
async def level(sensors: Sensors) -> int:
    """A gauge at a sluice whose warning level is 3 m."""
    properties = {"kind": "water_level", "levels": {"warning": 3.0}}
    body = thing("gauge", properties={"cim": [{"layer": "constructions", "object_id": 5}]})
    made = await sensors.post("Things", body | {"Datastreams": [stream("level", properties=properties)]})
    (found,) = await sensors.values(f"Things({made})/Datastreams")
    return int(found["@iot.id"])


@pytest.fixture
async def above_warning(sensors: Sensors, level: int) -> str:
    rule = {
        "title_zh": "超警戒水位",
        "title_en": "Above the warning level",
        "severity": "orange",
        "applies": {"datastreams": [level]},
        "condition": {
            "when": {"type": "threshold", "level": "warning"},
            "until": {"type": "threshold", "op": "<", "value": 2.8},
            "hold": "PT10M",
        },
    }
    name = f"above-warning-{level}"
    await ask(sensors, "PUT", f"rules/{name}", rule)
    return name


async def test_a_rising_gauge_raises_one_event_that_is_worked_and_closed(
    sensors: Sensors, level: int, above_warning: str
) -> None:
    assert await judged(sensors, level, (0, 2.0), (5, 3.1), (10, 3.2)) == []
    (raised,) = await judged(sensors, level, (15, 3.3), (20, 3.5))
    told = raised["properties"]
    assert (told["state"], told["severity"], told["kind"]) == ("raised", "orange", above_warning)
    assert told["began_at"].startswith("2024-08-01T00:15")
    assert "reached by measurement: 3.3" in told["text"]
    assert raised["geometry"]["coordinates"] == [120.95, 28.1]
    assert told["objects"] == [{"layer": "constructions", "object_id": 5}]
    # It goes on, it dips a little, it goes on: still that one.
    (same,) = await judged(sensors, level, (25, 4.0), (30, 2.9), (35, 3.6))
    assert same["id"] == raised["id"]
    latest = (await ask(sensors, "GET", f"sensors/latest?datastream={level}"))["features"][0]["properties"]
    assert (latest["state"], latest["severity"], latest["event"]) == ("alarm", "orange", raised["id"])
    assert latest["levels"] == {"warning": 3.0}
    (over,) = await judged(sensors, level, (40, 2.5))
    assert over["properties"]["ended_at"].startswith("2024-08-01T00:40")
    where = f"events/{raised['id']}/steps"
    await ask(sensors, "POST", where, {"did": "close"}, 400)
    for did in ("acknowledge", "assign", "start", "note", "resolve", "close"):
        due = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        body = {"did": did, "note": f"{did}!"} | ({"department": "水利局", "due_at": due} if did == "assign" else {})
        await ask(sensors, "POST", where, body, 201)
    found = await ask(sensors, "GET", f"events/{raised['id']}")
    assert found["properties"]["state"] == "closed"
    assert [(each["did"], each["who"]) for each in found["history"]] == [
        ("raise", "system"),
        ("over", "system"),
        *((did, "duty officer") for did in ("acknowledge", "assign", "start", "note", "resolve", "close")),
    ]
    # The next time is another event.
    assert len(await judged(sensors, level, (60, 3.1), (70, 3.1))) == 2


async def test_a_late_batch_raises_what_was_then(sensors: Sensors, level: int, above_warning: str) -> None:
    """History sent at once, out of order: one event, begun and over when it was."""
    readings = [(minute, 3.5 if 10 <= minute < 30 else 1.0) for minute in range(0, 60, 5)]
    order = np.random.default_rng(1).permutation(len(readings)).tolist()
    (found,) = await judged(sensors, level, *(readings[i] for i in order))
    assert found["properties"]["began_at"].startswith("2024-08-01T00:20")
    assert found["properties"]["ended_at"].startswith("2024-08-01T00:30")


async def test_a_rule_is_tried_over_history_before_it_is_switched_on(sensors: Sensors, level: int) -> None:
    rows = [[observation(minute, 0)["phenomenonTime"], minute / 10] for minute in range(0, 60, 5)]
    group = {"Datastream": {"@iot.id": level}, "components": ["phenomenonTime", "result"], "dataArray": rows}
    await sensors.client.post(f"{BASE}/sensors/v1.1/CreateObservations", json=[group])
    rule = {
        "title_zh": "涨",
        "title_en": "Rises",
        "severity": "blue",
        "applies": {"datastreams": [level]},
        "condition": {"when": {"type": "change", "window": "PT10M", "value": 0.9}},
    }
    span = "datetime=2024-08-01T00:00:00Z/2024-08-01T01:00:00Z"
    (found,) = (await ask(sensors, "POST", f"rules/rises/trial?{span}", rule))["events"]
    assert found["from"].startswith("2024-08-01T00:10")
    assert (await ask(sensors, "GET", f"events?datastream={level}"))["features"] == []


async def test_silence_is_told_by_the_clock_and_ended_by_a_word(sensors: Sensors, level: int) -> None:
    rule = {
        "title_zh": "失联",
        "title_en": "Silent",
        "severity": "yellow",
        "applies": {"datastreams": [level]},
        "condition": {"when": {"type": "silence", "after": "PT30M"}},
    }
    await ask(sensors, "PUT", "rules/silent", rule)
    assert await judged(sensors, level, (0, 1.0)) == []
    for minutes, number in ((10, 0), (40, 1), (50, 1)):
        async with sensors.database.writing() as connection:
            await tick(connection, datetime.now(UTC) + timedelta(minutes=minutes))
        assert len((await ask(sensors, "GET", f"events?datastream={level}"))["features"]) == number
    (over,) = await judged(sensors, level, (5, 1.0))
    assert over["properties"]["ended_at"] is not None
    await ask(sensors, "DELETE", "rules/silent", status=204)


async def test_a_person_raises_an_event_and_it_is_escalated_when_overdue(sensors: Sensors) -> None:
    body = {"kind": "tree", "severity": "blue", "title": "倒树", "place": {"type": "Point", "coordinates": [121, 28]}}
    made = (await ask(sensors, "POST", "events", body, 201))["id"]
    due = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    await ask(sensors, "POST", f"events/{made}/steps", {"did": "assign", "person": "Li", "due_at": due}, 201)
    async with sensors.database.writing() as connection:
        await tick(connection, datetime.now(UTC))
        await tick(connection, datetime.now(UTC))
    found = await ask(sensors, "GET", f"events/{made}")
    assert found["properties"]["overdue"]
    assert [each["did"] for each in found["history"]] == ["raise", "assign", "escalate"]
    for bad in ({}, body | {"severity": "green"}, body | {"place": {"type": "Point"}}, body | {"x": 1}, [], None):
        await ask(sensors, "POST", "events", bad, 400)
    assert (await sensors.public.post(f"{BASE}/events", json=body)).status_code == 401
    await ask(sensors, "GET", "events/999999", status=404)


BAD_CONDITIONS: list[Any] = [
    {}, {"when": {}}, {"when": {"type": "threshold"}}, {"when": {"type": "threshold", "value": 1, "level": "a"}},
    {"when": {"type": "sum", "window": "PT0S", "value": 1}}, {"when": {"type": "sum", "window": "P400D", "value": 1}},
    {"when": {"type": "all", "of": []}}, {"when": {"type": "magic"}}, {"when": {"type": "threshold", "value": "x"}},
]  # fmt: skip


@pytest.mark.parametrize("condition", BAD_CONDITIONS)
async def test_bad_rules_are_400(sensors: Sensors, condition: Any) -> None:
    rule = {"title_zh": "x", "title_en": "x", "severity": "blue", "applies": {}, "condition": condition}
    await ask(sensors, "PUT", "rules/bad", rule, 400)


def test_the_four_rain_signals_are_moving_sums() -> None:
    """50 mm in 12 h, 6 h, 3 h, and 100 mm in 3 h, on rain told each hour at its end."""
    hours = np.arange(24) * 3600.0
    rain = np.array([2.0] * 12 + [9.0] * 6 + [20.0] * 2 + [50.0] * 2 + [0.0] * 2)
    for window, amount, first in ((12, 50, 15), (6, 50, 17), (3, 50, 20), (3, 100, 21)):
        watch = Watch.model_validate({"when": {"type": "sum", "window": timedelta(hours=window), "value": amount}})
        true = truth(watch.when, hours, rain, {})
        assert int(true.argmax()) == first, (window, amount)
        sums = [rain[max(0, i - window + 1) : i + 1].sum() >= amount for i in range(24)]
        assert true.tolist() == sums


def test_stuck_combined_and_hysteresis() -> None:
    times = START.timestamp() + np.arange(10) * 60.0
    stuck = Watch.model_validate({"when": {"type": "stuck", "window": "PT3M", "op": "<=", "value": 0}})
    assert truth(stuck.when, times, np.array([1, 2, 2, 2, 2, 2, 3, 3, 3, 3.0]), {}).tolist() == [
        *[False] * 4, True, True, False, False, False, True,
    ]  # fmt: skip
    both = {"type": "all", "of": [{"type": "threshold", "value": 3}, {"type": "change", "window": "PT1M", "value": 1}]}
    values = np.array([1, 3, 3, 4, 5, 5, 2, 3, 1, 0.0])
    true = truth(Watch.model_validate({"when": both}).when, times, values, {})
    assert np.flatnonzero(true).tolist() == [1, 3, 4, 7]
    watch = Watch.model_validate(
        {"when": {"type": "threshold", "value": 3}, "until": {"type": "threshold", "op": "<", "value": 2}}
    )
    found, state = follow(watch, Values(times, values, {}), State(), START)
    assert [(turn.at - START, turn.begins) for turn in found] == [
        (timedelta(minutes=1), True),
        (timedelta(minutes=8), False),
    ]
    assert state == State()
