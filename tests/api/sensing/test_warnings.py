"""What a duty officer is warned by: issued signals, ranked stations, a typhoon and how near it comes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from pyproj import Geod

from tests.api.conftest import BASE
from tests.api.sensing.conftest import Sensors, stream, thing
from twin.sensing.approach import nearest, wind_area
from twin.sensing.events import NewEvent, raise_event
from twin.sensing.starting_rules import seed_rules
from twin.sensing.typhoons import Position

SIGNAL = {
    "type": "warning",
    "hazard": "rainstorm",
    "level": "yellow",
    "title": "暴雨黄色预警信号",
    "text": "预计未来6小时内降雨量将达50毫米以上。",
    "issuer": "县气象台",
    "issued_at": "2025-09-12T12:00:00+08:00",
}
WGS84 = Geod(ellps="WGS84")


async def ask(sensors: Sensors, method: str, path: str, body: Any = None, status: int = 200, **query: Any) -> Any:
    answer = await sensors.client.request(method, f"{BASE}/{path}", json=body, params=query)
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


async def in_force(sensors: Sensors, moment: str) -> list[tuple[str, str]]:
    found = await ask(sensors, "GET", "sensors/signals", datetime=moment)
    return [(each["hazard"], each["level"]) for each in found["signals"]]


async def test_a_signal_is_in_force_from_its_issue_until_it_is_replaced_or_lifted(sensors: Sensors) -> None:
    await ask(sensors, "POST", "sensors/signals", SIGNAL, 201)
    red = SIGNAL | {"level": "red", "title": "暴雨红色预警信号", "issued_at": "2025-09-12T15:00:00+08:00"}
    made = await ask(sensors, "POST", "sensors/signals", red, 201)
    response = SIGNAL | {"type": "response", "hazard": "flood", "level": "III", "issuer": "防汛防台抗旱指挥部"}
    await ask(sensors, "POST", "sensors/signals", response | {"expires_at": "2025-09-13T12:00:00+08:00"}, 201)
    assert await in_force(sensors, "2025-09-12T11:59:00+08:00") == []
    assert await in_force(sensors, "2025-09-12T13:00:00+08:00") == [("rainstorm", "yellow"), ("flood", "III")]
    assert await in_force(sensors, "2025-09-12T16:00:00+08:00") == [("rainstorm", "red"), ("flood", "III")]
    lifted = await ask(sensors, "POST", f"sensors/signals/{made['id']}/end", {"at": "2025-09-12T20:00:00+08:00"})
    assert (lifted["ended_by"], lifted["text"]) == ("duty officer", SIGNAL["text"])
    assert await in_force(sensors, "2025-09-12T21:00:00+08:00") == [("flood", "III")]
    assert await in_force(sensors, "2025-09-13T13:00:00+08:00") == []
    await ask(sensors, "POST", f"sensors/signals/{made['id']}/end", {}, 400)
    await ask(sensors, "POST", "sensors/signals/99999/end", {}, 404)
    for bad in ({"level": "III"}, {"level": "green"}, {"issued_at": "2025-09-12T12:00:00"}, {"area": {"type": "x"}}):
        await ask(sensors, "POST", "sensors/signals", SIGNAL | bad, 400)


async def test_what_is_reached_by_measurement_is_no_signal(sensors: Sensors) -> None:
    async with sensors.database.writing() as connection:
        await seed_rules(connection)
        for name, severity in (("rain-blue", "blue"), ("rain-red", "red")):
            rule = await connection.fetchval("select id from sensing.rule where name = $1", name)
            began = datetime(2025, 9, 14, 3 if severity == "blue" else 5, tzinfo=UTC)
            await raise_event(connection, NewEvent(name, severity, "rain", began, rule_id=rule), "system")
    found = await ask(sensors, "GET", "sensors/signals", datetime="2025-09-14T06:00:00Z")
    assert found["signals"] == []
    (rain,) = found["reached"]
    assert (rain["hazard"], rain["severity"], len(rain["events"])) == ("rainstorm", "red", 2)
    assert rain["since"].startswith("2025-09-14T03:00")


async def test_stations_are_ranked_by_rain_and_by_level(sensors: Sensors) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    rain = np.round(np.random.default_rng(3).gamma(0.5, 4, (3, 24)), 1)
    streams = []
    for number in range(3):
        made = await sensors.post("Things", thing(f"rain {number}") | {"Datastreams": [rained(number)]})
        streams.append((await sensors.values(f"Things({made})/Datastreams"))[0]["@iot.id"])
        for hour in range(24):
            at = (now - timedelta(hours=23 - hour)).isoformat()
            await sensors.post(
                f"Datastreams({streams[-1]})/Observations", {"phenomenonTime": at, "result": rain[number, hour]}
            )
    for hours in (1, 3, 24):
        found = await ask(sensors, "GET", "sensors/ranking", kind="rain", window=f"{hours}h", datetime=now.isoformat())
        sums = rain[:, -hours:].sum(axis=1)
        order = np.argsort(-sums, kind="stable")
        assert [each["datastream"] for each in found["stations"]] == [streams[i] for i in order]
        assert np.allclose([each["value"] for each in found["stations"]], sums[order])
    for name, level, values in (("high", 3.0, (3.0, 3.4)), ("low", 9.0, (6.0, 6.5)), ("bare", None, (50.0, 50.0))):
        properties = {"kind": "flow", "levels": {} if level is None else {"warning": level, "guaranteed": level + 1}}
        made = await sensors.post("Things", thing(name) | {"Datastreams": [stream(name, properties=properties)]})
        (told,) = await sensors.values(f"Things({made})/Datastreams")
        for minutes, value in zip((60, 0), values, strict=True):
            at = (now - timedelta(minutes=minutes)).isoformat()
            body = {"phenomenonTime": at, "result": value}
            await sensors.post(f"Datastreams({told['@iot.id']})/Observations", body)
    found = await ask(sensors, "GET", "sensors/ranking", kind="flow", window="PT1H", datetime=now.isoformat())
    told = [(each["title"], each["above"], round(each["change"], 3), each["passed"]) for each in found["stations"]]
    assert told == [("high", 0.4, 0.4, ["warning"]), ("low", -2.5, 0.5, []), ("bare", None, 0.0, [])]
    for bad in ("0h", "100h", "x", "P9D"):
        await ask(sensors, "GET", "sensors/ranking", status=400, window=bad)


def rained(number: int) -> dict[str, Any]:
    return stream(f"rain {number}", properties={"kind": "rain"})


def positions(*given: tuple[int, float, float]) -> list[dict[str, Any]]:
    """(hour, lon, lat) of a day."""
    return [{"at": f"2025-09-12T{hour:02}:00:00Z", "lon": lon, "lat": lat} for hour, lon, lat in given]


def test_the_nearest_approach_is_where_geodesics_say() -> None:
    """A typhoon that passes due east of a place at an even pace: nearest at its latitude, in the middle of the time."""
    points = [Position.model_validate(each) for each in positions((0, 121.0, 27.0), (12, 121.0, 29.0))]
    found = nearest(points, (120.0, 28.0))
    expected = WGS84.inv(120.0, 28.0, 121.0, 28.0)[2] / 1000
    assert found.distance_km == pytest.approx(expected, rel=2e-4)
    assert abs(found.at - datetime(2025, 9, 12, 6, tzinfo=UTC)) < timedelta(minutes=20)


def test_the_reach_of_the_wind_has_the_area_of_its_quarters() -> None:
    centre = Position.model_validate(positions((0, 121.0, 27.0))[0])
    radii = (200.0, 150.0, 100.0, 180.0)
    (ring,) = wind_area(centre, radii)["coordinates"]
    area, _ = WGS84.polygon_area_perimeter(*np.array(ring).T)
    assert area / 1e6 == pytest.approx(sum(np.pi * radius**2 / 4 for radius in radii), rel=0.01)
    assert ring[0] == ring[-1]


async def test_a_typhoon_is_kept_drawn_and_looked_back_at(sensors: Sensors) -> None:
    track = positions((0, 124.0, 26.0), (6, 123.0, 26.8), (12, 122.0, 27.6))
    track[-1] |= {"wind_ms": 45, "pressure_hpa": 950, "grade": "STY", "radii": {"r7": [300, 250, 200, 250]}}
    body = {
        "id": "2513",
        "name_zh": "示例",
        "name_en": "EXAMPLE",
        "points": track,
        "forecasts": [
            {"agency": "CMA", "issued_at": "2025-09-12T06:00:00Z", "points": positions((18, 121.5, 27.9))},
            {"agency": "CMA", "issued_at": "2025-09-12T12:00:00Z", "points": positions((18, 121.2, 28.1))},
            {"agency": "JMA", "issued_at": "2025-09-12T12:00:00Z", "points": positions((18, 121.8, 28.4))},
        ],
    }
    told = await ask(sensors, "PUT", "typhoons/2513", body)
    assert [each["agency"] for each in told["nearest"]] == ["CMA", "JMA"]
    found = await ask(sensors, "GET", "typhoons/2513")
    roles = [each["properties"]["role"] for each in found["features"]]
    assert {role: roles.count(role) for role in roles} == {
        "track": 1, "position": 3, "wind": 1, "forecast": 2, "forecast_position": 2,
    }  # fmt: skip
    place = found["twin"]["place"]
    last = WGS84.inv(*place, 122.0, 27.6)[2] / 1000
    assert found["twin"]["position"]["distance_km"] == pytest.approx(last, abs=0.1)
    forecasts = {
        each["properties"]["agency"]: each for each in found["features"] if each["properties"]["role"] == "forecast"
    }
    assert forecasts["CMA"]["geometry"]["coordinates"] == [[122.0, 27.6], [121.2, 28.1]]
    # As it was known then: fewer positions, an older forecast.
    then = await ask(sensors, "GET", "typhoons/2513", datetime="2025-09-12T07:00:00Z")
    assert sum(each["properties"]["role"] == "position" for each in then["features"]) == 2
    assert [each["issued_at"] for each in then["twin"]["nearest"]] == ["2025-09-12T06:00:00Z"]
    await ask(sensors, "GET", "typhoons/2513", status=404, datetime="2025-09-11T00:00:00Z")
    listed = await ask(sensors, "GET", "typhoons", datetime="2025-09-12T13:00:00Z")
    assert [each["id"] for each in listed["typhoons"]] == ["2513"]
    for bad in ({"id": "x y"}, {"points": []}, {"points": track[::-1]}, {"id": "2514"}, {"unknown": 1}):
        await ask(sensors, "PUT", "typhoons/2513", body | bad, 400)
    await ask(sensors, "DELETE", "typhoons/2513", status=204)
    await ask(sensors, "GET", "typhoons/2513", status=404)


async def test_a_typhoon_comes_as_csv_too(sensors: Sensors) -> None:
    rows = (
        "agency,issued_at,at,lon,lat,wind_ms,pressure_hpa,grade,r7_ne,r7_se,r7_sw,r7_nw,r10,name_zh,name_en\n"
        ",,2025-09-12 08:00,124.0,26.0,40,960,TY,280,260,220,240,100,示例,EXAMPLE\n"
        ",,2025-09-12 14:00,123.0,26.8,42,955,STY,,,,,,,\n"
        "CMA,2025-09-12 14:00,2025-09-12 20:00,122.2,27.5,38,,,,,,,,,\n"
    )
    headers = {"Content-Type": "text/csv"}
    answer = await sensors.client.put(f"{BASE}/typhoons/2514", content=rows.encode(), headers=headers)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["name"] == {"zh": "示例", "en": "EXAMPLE"}
    assert told["position"]["grade"] == "STY"
    assert [each["hours"] <= 6 for each in told["nearest"]] == [True]
    found = await ask(sensors, "GET", "typhoons/2514")
    first = next(each for each in found["features"] if each["properties"]["role"] == "position")
    assert first["properties"]["radii_km"] == {"r7": [280, 260, 220, 240], "r10": [100, 100, 100, 100]}
    for bad in (b"", b"x,y\n1,2\n", b"at,lon,lat\n2025,1,2\n", b"\xff\xfe", b"at,lon,lat\n2025-09-12T00:00Z,a,2\n"):
        answer = await sensors.client.put(f"{BASE}/typhoons/2514", content=bad, headers=headers)
        assert answer.status_code == 400, bad


async def test_a_report_of_what_is_open_is_the_same_event(sensors: Sensors) -> None:
    body = {"kind": "flood", "severity": "blue", "title": "积水", "key": "hotline-7"}
    made = (await ask(sensors, "POST", "events", body, 201))["id"]
    again = await ask(sensors, "POST", "events", body | {"severity": "orange", "text": "及膝"}, 201)
    assert (again["id"], again["properties"]["times"], again["properties"]["severity"]) == (made, 2, "orange")
    assert [each["did"] for each in again["history"]] == ["raise", "repeat"]
    other = (await ask(sensors, "POST", "events", body | {"key": None}, 201))["id"]
    await ask(sensors, "POST", f"events/{other}/steps", {"did": "merge", "into": other}, 400)
    merged = await ask(sensors, "POST", f"events/{other}/steps", {"did": "merge", "into": made}, 201)
    assert (merged["properties"]["state"], merged["properties"]["merged_into"]) == ("closed", made)
    assert (await ask(sensors, "GET", f"events/{made}"))["properties"]["times"] == 3
    await ask(sensors, "POST", f"events/{made}/steps", {"did": "acknowledge", "into": other}, 400)
    noted = await ask(sensors, "POST", f"events/{other}/steps", {"did": "note", "note": "同一处"}, 201)
    assert noted["properties"]["merged_into"] == made
    # One that was another after all stands on its own again.
    reopened = await ask(sensors, "POST", f"events/{other}/steps", {"did": "reopen"}, 201)
    told = [reopened["properties"][name] for name in ("state", "merged_into", "ended_at")]
    assert told == ["acknowledged", None, None]
    await ask(sensors, "POST", f"events/{other}/steps", {"did": "close"}, 201)
    for did in ("acknowledge", "close"):
        await ask(sensors, "POST", f"events/{made}/steps", {"did": did}, 201)
    # What comes after it was dealt with is another one.
    assert (await ask(sensors, "POST", "events", body, 201))["id"] not in (made, other)
    past = "2020-01-01/2020-01-02"
    assert (await ask(sensors, "GET", "events", datetime=past, kind="flood"))["features"] == []
    assert len((await ask(sensors, "GET", "events", kind="flood", limit=2))["features"]) == 2
