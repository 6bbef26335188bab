"""Readings that people enter: observations that say who read them, judged and told as all others."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.api.conftest import BASE
from tests.api.sensing.conftest import Sensors, stream, thing

AT = datetime(2024, 8, 1, 6, 30, tzinfo=UTC)


@pytest.fixture
async def gauge(sensors: Sensors) -> int:
    body = thing("staff") | {"Datastreams": [stream("level", properties={"kind": "water_level"})]}
    (found,) = await sensors.values(f"Things({await sensors.post('Things', body)})/Datastreams")
    return int(found["@iot.id"])


async def entered(sensors: Sensors, gauge: int, **more: Any) -> dict[str, Any]:
    body = {"datastream": gauge, "result": 3.42, "time": "2024-08-01T14:30:00+08:00", "observer": " 王工 "} | more
    answer = await sensors.client.post(f"{BASE}/sensors/readings", json=body)
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_who_read_it_is_kept_with_the_observation(sensors: Sensors, gauge: int) -> None:
    told = await entered(sensors, gauge, note="=水尺")
    assert (told["time"], told["observer"], told["account"]) == ("2024-08-01T06:30:00Z", "王工", "duty officer")
    assert (await entered(sensors, gauge, note="=水尺"))["id"] == told["id"], "sent again, it counts once"
    (kept,) = await sensors.values(f"Datastreams({gauge})/Observations")
    assert kept["result"] == 3.42
    assert kept["parameters"] == {"method": "manual", "observer": "王工", "note": "=水尺", "account": "duty officer"}
    by_hand = await sensors.values(f"Datastreams({gauge})/Observations", filter="parameters/method eq 'manual'")
    assert [each["@iot.id"] for each in by_hand] == [told["id"]]
    latest = (await sensors.public.get(f"{BASE}/sensors/latest", params={"datastream": gauge})).json()["features"]
    assert (latest[0]["properties"]["result"], latest[0]["properties"]["state"]) == (3.42, "ok")
    span = {"datastream": gauge, "datetime": "2024-08-01/2024-08-02"}
    assert (await sensors.public.get(f"{BASE}/sensors/readings", params=span)).json()["readings"] == [told]
    assert (await sensors.public.get(f"{BASE}/sensors/readings", params={"datastream": gauge})).json()["readings"] == []


async def test_a_csv_says_what_a_hand_wrote(sensors: Sensors, gauge: int) -> None:
    await sensors.post(f"Datastreams({gauge})/Observations", {"result": 3.4, "phenomenonTime": AT.isoformat()})
    await entered(sensors, gauge, note="=1+1")
    for span in ({}, {"datetime": "2024-08-01/2024-08-02"}):
        query = {"datastream": gauge, "f": "csv", **span}
        lines = (await sensors.public.get(f"{BASE}/sensors/series", params=query)).text.splitlines()
        assert lines[0] == "datastream,time,value,observer,note"
        assert sorted(lines[1:]) == [f"{gauge},2024-08-01T06:30:00Z,3.4,,",
                                     f"{gauge},2024-08-01T06:30:00Z,3.42,王工,'=1+1"]  # fmt: skip
    sums = await sensors.public.get(f"{BASE}/sensors/series", params=query | {"bucket": "PT1H"})
    assert sums.text.splitlines()[0] == "datastream,time,count,mean,min,max,sum,first,last"


async def test_what_cannot_be_is_refused_in_words(sensors: Sensors, gauge: int) -> None:
    address, good = f"{BASE}/sensors/readings", {"datastream": gauge, "result": 1.0, "observer": "王工"}
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    for wrong, words in (
        ({"observer": "  "}, "observer"),
        ({"result": "3"}, "result"),
        ({"time": tomorrow}, "has not come yet"),
        ({"time": "2024-08-01T14:30"}, "time"),
        ({"who": "x"}, "who"),
        ({"note": "x" * 501}, "note"),
    ):
        answer = await sensors.client.post(address, json=good | wrong)
        assert answer.status_code == 400, wrong
        assert words in answer.json()["detail"]
    assert (await sensors.client.post(address, json=good | {"datastream": 10**15})).status_code == 404
    for asked in ("sensors/readings", "sensors/series", "sensors/latest", "sensors/stream", "events"):
        answer = await sensors.public.get(f"{BASE}/{asked}", params={"datastream": f"{gauge},{10**15}"})
        assert (answer.status_code, answer.json()["detail"]) == (404, f"no Datastream {10**15}"), asked
    assert (await sensors.client.post(address, content=b'{"result": NaN}')).status_code == 400
    assert (await sensors.public.post(address, json=good)).status_code == 401
    assert (await sensors.values(f"Datastreams({gauge})/Observations")) == []
