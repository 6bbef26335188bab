"""Queues by minute in a real database: the two villages of the traffic runs, whose bridge closes for a while."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest

from tests.twin.traffic.scenario.test_run import USUAL, layer, opened, river, run, shown, volumes
from twin.scenarios.keep import keep
from twin.scenarios.protocol import Result
from twin.traffic.link_minutes import LinkMinutes
from twin.traffic.scenario import TRAFFIC, engines
from twin.traffic.scenario.dynamic import DYNAMIC, DynamicInputs
from twin.traffic.scenario.errors import TrafficRefused
from twin.traffic.scenario.inputs import TrafficInputs
from twin.traffic.scenario.minute_layers import minute_table

__all__ = ["river"]
City = tuple[str, Path]
EVENT = """
    insert into sensing.event (kind, severity, title, geom, objects, began_at, ended_at, raised_by)
    values (%(kind)s, 'orange', %(title)s, st_setsrid(st_point(%(x)s, %(y)s), 4326), %(objects)s, %(began)s, %(ended)s,
            'test') returning id
"""
ROAD = "select object_id from road_current where uid = 'S1-S2'"
BRIDGE = {"where": "uid = 'N1-N2'"}


def simulate(river: City, **inputs: Any) -> Result:
    with opened(river, "traffic-dynamic") as city:
        return DYNAMIC.run(city, DynamicInputs.model_validate(inputs), lambda *_: None)


def told(result: Result, name: str) -> float:
    return float(result.indicators[name]["value"])


@pytest.fixture(scope="module")
def jammed(river: City) -> Result:
    """The bridge is closed from minute 10 to 25 of an hour of a run with 1,200 trips."""
    trips = USUAL | {"trips_total": 1200}
    with opened(river) as city:
        keep(city, TRAFFIC, TRAFFIC.run(city, TrafficInputs.model_validate(trips), lambda *_: None), 3600)
        run_id = str(city.run.id)
    with psycopg.connect(river[0], autocommit=True) as connection:
        # As its row keeps them.
        connection.execute("update scenario_run set inputs = %s where id = %s", (json.dumps(trips), run_id))
    asked = {"closures": [BRIDGE], "closed_from_min": 10, "closed_until_min": 25, "minutes": 45, "signals": "none"}
    return simulate(river, traffic_run=run_id, **asked)


def test_each_vehicle_is_accounted_for(jammed: Result) -> None:
    parts = ("arrived", "on_road", "waiting", "given_up")
    assert told(jammed, "vehicles") == sum(told(jammed, name) for name in parts) > 20
    assert told(jammed, "given_up") == told(jammed, "without_way") == 0
    assert jammed.tables["minutes"].num_rows == 45


def test_the_queue_stands_before_what_is_closed_while_it_is(jammed: Result) -> None:
    """Next to nobody waits at the open bridge; those who find it closed do until they know of the other one."""
    begins = jammed.tables["minutes"]["time"][0].as_py()
    rows = layer(jammed, "queues").to_pylist()

    def queued(names: set[str], begin: int, end: int) -> float:
        within = [
            r for r in rows if begins + timedelta(minutes=begin) <= r["valid_from"] < begins + timedelta(minutes=end)
        ]
        return sum(row["queue"] for row in within if row["name"] in names)

    approaches = {"W-N1", "N2-E"}
    before, closed, after = (queued(approaches, *each) for each in ((0, 10), (10, 20), (35, 45)))
    assert before < closed / 4
    assert after < closed / 4
    assert queued(approaches, 10, 11) < queued(approaches, 12, 13) < queued(approaches, 14, 15)
    # A street that nobody waits on has a row for five minutes, else for one.
    assert {(r["valid_to"] - r["valid_from"]).seconds for r in rows if r["queue"] > 0} == {60}
    assert all(r["speed_kmh"] <= 36.1 for r in rows)
    shut = layer(jammed, "closed_roads").to_pylist()
    assert {row["name"] for row in shut} == {"N1-N2"}
    assert shut[0]["valid_from"] - begins == timedelta(minutes=10)
    assert shut[0]["valid_to"] - begins == timedelta(minutes=25)
    worst = jammed.tables["queued_links"].to_pylist()
    assert worst[0]["name"] in approaches
    assert begins + timedelta(minutes=10) <= worst[0]["longest_at"] <= begins + timedelta(minutes=26)
    assert told(jammed, "lost_hours") == pytest.approx(sum(row["lost_hours"] for row in worst), abs=0.01)
    assert told(jammed, "longest_queue") == pytest.approx(max(row["longest_queue"] for row in worst), abs=0.06)


def raised(river: City, **more: Any) -> int:
    (place,) = shown(river, [(1000, 1004)])
    event = {"kind": "accident", "title": "北桥事故", "x": place[0], "y": place[1], "objects": "[]", "ended": None}
    event |= {"began": datetime(2026, 8, 10, 8, 20, tzinfo=UTC)} | more
    with psycopg.connect(river[0], autocommit=True) as connection:
        row = connection.execute(EVENT, event).fetchone()
        assert row is not None
        return int(row[0])


def closed(river: City, event: int) -> None:
    with psycopg.connect(river[0], autocommit=True) as connection:
        connection.execute("update sensing.event set state = 'closed' where id = %s", (event,))


def test_open_events_close_their_roads_while_they_last(river: City) -> None:
    """One on the north bridge that is over, one that goes on by the ford's road, one of a kind that closes nothing."""
    with psycopg.connect(river[0]) as connection:
        south = connection.execute(ROAD).fetchone()
    assert south is not None
    on_bridge = raised(river)
    linked = raised(
        river,
        title="南桥施工",
        kind="road_works",
        objects=f'[{{"layer": "roads", "object_id": {south[0]}}}]',
        ended=datetime(2026, 8, 10, 9, 0, tzinfo=UTC),
    )
    report = raised(river, kind="report", title="路灯不亮")
    try:
        result = run(river, events="open")
        rows = {row["title"]: row for row in result.tables["closed_by_events"].to_pylist()}
        assert set(rows) == {"北桥事故", "南桥施工"}
        assert (rows["北桥事故"]["event"], rows["北桥事故"]["name"]) == (on_bridge, "N1-N2")
        assert rows["北桥事故"]["distance_m"] == pytest.approx(4, abs=0.2)
        assert (rows["北桥事故"]["closes"], rows["南桥施工"]["closes"]) == (True, False)
        assert "N1-N2" not in volumes(layer(result, "traffic"))
        assert volumes(layer(result, "traffic"))["S1-S2"] > 100
        assert "closed_by_events" not in run(river).tables
    finally:
        for each in (on_bridge, linked, report):
            closed(river, each)


def test_an_event_by_its_number_closes_its_road_whatever_its_state(river: City) -> None:
    number = raised(river, kind="report")
    closed(river, number)
    result = simulate(river, hour=7, minutes=20, closures=[{"event": number}], signals="none")
    (row,) = result.tables["closed_by_events"].to_pylist()
    assert (row["event"], row["name"], row["title"]) == (number, "N1-N2", "北桥事故")
    assert told(result, "most_queued") > 0
    for event, said in ((999_999, "no event 999999"), (_afar(river), "within 30 m of no road")):
        with pytest.raises(TrafficRefused, match=said):
            run(river, closures=[{"event": event}])


def _afar(river: City) -> int:
    (place,) = shown(river, [(1000, 500)])
    number = raised(river, x=place[0], y=place[1])
    closed(river, number)
    return number


def test_an_area_takes_what_leads_through_it(river: City) -> None:
    corners = shown(river, [(400, 900), (1600, 900), (1600, 1100), (400, 1100), (400, 900)])
    area = {"type": "Polygon", "coordinates": [corners]}
    result = simulate(river, hour=7, minutes=15, area=area)
    assert {row["name"] for row in layer(result, "queues").to_pylist()} <= {"W-N1", "N1-N2", "N2-E", "W-W2", "E2-E"}
    nowhere = shown(river, [(5000, 5000), (5100, 5000), (5100, 5100), (5000, 5000)])
    with pytest.raises(TrafficRefused, match="area: no trips lead through it"):
        simulate(river, area={"type": "Polygon", "coordinates": [nowhere]})


def test_a_minute_in_which_nobody_drives_is_told_too() -> None:
    one = np.ones(1)
    minutes = LinkMinutes(np.array([1]), np.array([1]), np.array([0]), 10 * one, 2 * one, one, one)
    told_of = minute_table(minutes, datetime(2026, 6, 1, 9, tzinfo=UTC), 4)
    assert told_of["vehicles"].to_pylist() == [0, 2, 0, 0]
    assert told_of["speed_kmh"].to_pylist() == [0, 36, 0, 0]
    assert [time.minute for time in told_of["time"].to_pylist()] == [0, 1, 2, 3]


def test_without_uxsim_the_scenario_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    assert DYNAMIC.missing() is None
    monkeypatch.setattr(engines, "find_spec", lambda _: None)
    said = DYNAMIC.missing()
    assert said is not None
    assert 'pip install "citytwin[dynamic]"' in said.zh
