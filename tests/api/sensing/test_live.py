"""Last values on a map, series for charts, and the stream of what comes in."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import httpx
import mapbox_vector_tile
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from cim_models.database import Database
from tests.api.conftest import BASE, bearer
from tests.api.sensing.conftest import Sensors, observation, stream, thing
from tests.conftest import SensingServer
from twin.sensing.series import lttb

MINUTES = 600
LINK = {"layer": "constructions", "object_id": 77}


@pytest.fixture(scope="module")
def values() -> list[float]:
    return np.round(np.random.default_rng(5).normal(size=MINUTES).cumsum(), 3).tolist()


@pytest.fixture(scope="module")
async def gauge(sensors: Sensors, values: list[float]) -> int:
    """The datastream of a gauge at a sluice, with a value a minute."""
    level = stream("level", properties={"kind": "tide"})
    body = thing("gauge", properties={"cim": [LINK]}) | {"Datastreams": [level]}
    made = await sensors.post("Things", body)
    (found,) = await sensors.values(f"Things({made})/Datastreams")
    number: int = found["@iot.id"]
    rows = [[observation(minute, 0)["phenomenonTime"], value] for minute, value in enumerate(values)]
    group = {"Datastream": {"@iot.id": number}, "components": ["phenomenonTime", "result"], "dataArray": rows}
    assert await sensors.status("POST", "CreateObservations", [group]) == 201
    return number


async def ask(sensors: Sensors, path: str, **query: Any) -> Any:
    answer = await sensors.public.get(f"{BASE}/sensors/{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_latest_tells_value_place_state_and_object(sensors: Sensors, gauge: int, values: list[float]) -> None:
    silent = await sensors.post("Things", thing("new", at=(121.0, 28.0)) | {"Datastreams": [stream("level")]})
    features = {each["id"]: each for each in (await ask(sensors, "latest"))["features"]}
    assert features[gauge]["geometry"]["coordinates"] == [120.95, 28.1]
    told = features[gauge]["properties"]
    assert (told["result"], told["state"], told["kind"], told["unit"]) == (values[-1], "ok", "tide", "m")
    last = observation(MINUTES - 1, 0)["phenomenonTime"]
    assert datetime.fromisoformat(told["time"]) == datetime.fromisoformat(last)
    (other,) = [each["properties"] for number, each in features.items() if number != gauge]
    # What never told anything is not well.
    assert (other["thing"], other["state"], other["result"]) == (silent, "unknown", None)
    asked: list[tuple[dict[str, Any], int]] = [
        ({"kind": "tide"}, 1),
        ({"kind": "rain"}, 0),
        ({"bbox": "120.9,28,120.96,28.2"}, 1),
        ({"object": "constructions/77"}, 1),
        ({"object": "roads/77"}, 0),
        ({"datastream": gauge}, 1),
    ]
    for query, number in asked:
        assert (await ask(sensors, "latest", **query))["numberReturned"] == number, query


async def test_latest_tells_of_what_is_renamed_moved_and_removed_at_once(sensors: Sensors) -> None:
    """What describes a stream is kept between two answers, as long as nothing of it changes."""
    number = await sensors.post("Things", thing("old name") | {"Datastreams": [stream("level")]})

    async def told() -> list[dict[str, Any]]:
        found = (await ask(sensors, "latest"))["features"]
        return [each for each in found if each["properties"]["thing"] == number]

    (before,) = await told()
    assert before["properties"]["title"] == "old name"
    assert await sensors.status("PATCH", f"Things({number})", {"name": 'new\n"name"'}) == 200
    (place,) = await sensors.values(f"Things({number})/Locations")
    moved = {"location": {"type": "Point", "coordinates": [121.5, 28.5]}}
    assert await sensors.status("PATCH", f"Locations({place['@iot.id']})", moved) == 200
    (after,) = await told()
    assert after["properties"]["title"] == 'new\n"name"'
    assert after["geometry"]["coordinates"] == [121.5, 28.5]
    assert await sensors.status("DELETE", f"Things({number})") == 200
    assert await told() == []


async def test_latest_is_a_tile_too(sensors: Sensors, gauge: int, values: list[float]) -> None:
    x = int((120.95 + 180) / 360 * 4096)
    where = f"{BASE}/sensors/latest/tiles/WebMercatorQuad/12"
    answers = [await sensors.public.get(f"{where}/{y}/{x}") for y in range(1700, 1730)]
    tile = mapbox_vector_tile.decode(next(each.content for each in answers if each.content))
    (feature,) = tile["sensors_latest"]["features"]
    assert feature["id"] == gauge
    assert feature["properties"]["value"] == values[-1]
    assert (await sensors.public.get(f"{BASE}/sensors/latest/tiles/WebMercatorQuad/1/2/0")).status_code == 400


async def test_every_state_is_drawn(sensors: Sensors) -> None:
    told = await ask(sensors, "latest/tiles/WebMercatorQuad/tilejson.json")
    assert told["tiles"] == [f"{BASE}/sensors/latest/tiles/WebMercatorQuad/{{z}}/{{y}}/{{x}}"]
    states = told["twin"]["states"]
    assert [each["id"] for each in states] == ["ok", "warning", "alarm", "silent", "unknown"]
    assert len({each["color"] for each in states}) == len({each["mark"] for each in states}) == len(states)
    drawn = json.dumps(told["twin"]["layers"])
    assert all(each["color"] in drawn for each in states)


async def test_series_are_those_of_pandas(sensors: Sensors, gauge: int, values: list[float]) -> None:
    frame = pd.Series(values, pd.date_range("2024-08-01", periods=MINUTES, freq="min", tz="UTC"))
    (whole,) = (await ask(sensors, "series", datastream=gauge))["series"]
    assert whole["value"] == values
    assert whole["time"][1] == pd.Timestamp("2024-08-01T00:01Z").timestamp()
    for bucket, rule, source in (("PT15M", "15min", "observations"), ("PT2H", "2h", "hours")):
        (found,) = (await ask(sensors, "series", datastream=gauge, bucket=bucket))["series"]
        wanted = frame.resample(rule)
        assert found["source"] == source
        for name in ("count", "mean", "min", "max", "sum", "first", "last"):
            np.testing.assert_allclose(found[name], getattr(wanted, name)(), atol=1e-9)
    (day,) = (await ask(sensors, "series", datastream=gauge, bucket="day"))["series"]
    # 00:00 to 10:00 UTC is 08:00 to 18:00 there: one day of hydrology.
    assert day["count"] == [MINUTES]
    span = "2024-08-01T00:10:00Z/2024-08-01T00:20:00Z"
    assert (await ask(sensors, "series", datastream=gauge, datetime=span))["series"][0]["value"] == values[10:20]


async def test_thinning_keeps_ends_and_peaks(sensors: Sensors, gauge: int, values: list[float]) -> None:
    (line,) = (await ask(sensors, "series", datastream=gauge, points=50))["series"]
    assert len(line["value"]) == 50
    assert (line["value"][0], line["value"][-1]) == (values[0], values[-1])
    (peaks,) = (await ask(sensors, "series", datastream=gauge, points=50, thinning="minmax"))["series"]
    assert {min(values), max(values)} <= set(peaks["value"])
    assert len(peaks["value"]) <= 50


def test_lttb_keeps_the_one_spike() -> None:
    """A flat line with one spike, thinned to a twentieth: the spike is the value with the largest triangle."""
    flat = np.zeros(1000)
    flat[613] = 9.0
    assert 613 in lttb(np.arange(1000.0), flat, 50)


async def test_csv_and_arrow_hold_the_same(sensors: Sensors, gauge: int, values: list[float]) -> None:
    query: dict[str, Any] = {"datastream": gauge, "f": "csv"}
    table = pd.read_csv(io.StringIO((await sensors.public.get(f"{BASE}/sensors/series", params=query)).text))
    body = (await sensors.public.get(f"{BASE}/sensors/series", params=query | {"f": "arrow"})).content
    arrow = pa.ipc.open_stream(body).read_all().to_pandas()
    assert table["value"].tolist() == arrow["value"].tolist() == values
    assert (pd.to_datetime(table["time"]) == arrow["time"]).all()


@pytest.mark.parametrize("query", [
    "", "datastream=a", "datastream=1&bucket=x", "datastream=1&points=1", "datastream=1&f=xml",
    "datastream=1&bucket=PT0S",
    "datastream=1&bucket=PT1S&datetime=2000-01-01T00:00:00Z/..", "datastream=1&nothing=1",
])  # fmt: skip
async def test_bad_series_are_400(sensors: Sensors, gauge: int, query: str) -> None:
    answer = await sensors.public.get(f"{BASE}/sensors/series?{query.replace('=1', f'={gauge}', 1)}")
    assert answer.status_code == 400


# --- the stream, over real HTTP


@pytest.fixture(scope="module")
async def served(sensing_server: SensingServer) -> AsyncIterator[tuple[str, dict[str, str], int]]:
    """A server's address, a header that may write, and a datastream."""
    address, headers = f"{sensing_server.address}/sensors", bearer(sensing_server.token)
    async with httpx.AsyncClient(base_url=address, headers=headers, timeout=30) as client:
        made = await client.post("/v1.1/Things", json=thing("gauge") | {"Datastreams": [stream("level")]})
        assert made.status_code == 201
        number = (await client.get("/v1.1/Datastreams")).json()["value"][0]["@iot.id"]
        yield address, headers, number
        assert (await client.delete(made.headers["location"])).status_code == 200


async def test_a_stream_is_taken_up_where_it_was_left(served: tuple[str, dict[str, str], int]) -> None:
    address, headers, number = served

    async def listen(client: httpx.AsyncClient, wanted: int, **more: Any) -> tuple[list[Any], str]:
        """The next observations, and the id of the last event."""
        found: list[Any] = []
        place = ""
        async with client.stream("GET", f"{address}/stream", **more) as answer:
            async for line in answer.aiter_lines():
                if line.startswith("id: "):
                    place = line.removeprefix("id: ")
                if line.startswith("data: "):
                    found += json.loads(line.removeprefix("data: "))
                if len(found) >= wanted:
                    break
        return found, place

    async def post(client: httpx.AsyncClient, *results: float) -> None:
        for result in results:
            body = observation(int(result), result)
            answer = await client.post(f"{address}/v1.1/Datastreams({number})/Observations", json=body)
            assert answer.status_code == 201

    async with httpx.AsyncClient(headers=headers, timeout=20) as client:
        listening = asyncio.create_task(listen(client, 3, params={"datastream": number}))
        filtered = asyncio.create_task(listen(client, 1, params={"filter": "result gt 2.5"}))
        await asyncio.sleep(1)
        await post(client, 1, 2, 3)
        found, place = await listening
        assert [each["result"] for each in found] == [1, 2, 3]
        assert [each["result"] for each in (await filtered)[0]] == [3]
        await post(client, 4, 5)
        missed, _ = await listen(client, 2, headers={"Last-Event-ID": place})
        assert [each["result"] for each in missed] == [4, 5]
        bad = await client.get(f"{address}/stream", headers={"Last-Event-ID": "x"})
        assert bad.status_code == 400


async def test_listeners_share_one_connection(
    served: tuple[str, dict[str, str], int], sensing_server: SensingServer
) -> None:
    """However many hear of events and observations, one connection listens for each, and all hear the same."""
    address, headers, _ = served
    root = address.removesuffix("/sensors")
    limits = httpx.Limits(max_connections=None)

    async def hear(client: httpx.AsyncClient) -> str:
        async with client.stream("GET", f"{root}/events/stream") as answer:
            async for line in answer.aiter_lines():
                if line.startswith("data: "):
                    return str(json.loads(line.removeprefix("data: "))["title"])
        return ""

    async with httpx.AsyncClient(headers=headers, timeout=30, limits=limits) as client:
        listening = [asyncio.create_task(hear(client)) for _ in range(60)]
        await asyncio.sleep(2)
        database = await Database.open(sensing_server.database_url)
        async with database.reading() as connection:
            number = await connection.fetchval(
                "select count(*) from pg_stat_activity where datname = current_database() and query ilike '%listen%'"
            )
            busy = await connection.fetchval("select count(*) from pg_stat_activity where datname = current_database()")
        await database.close()
        body = {"kind": "test", "severity": "blue", "title": "heard by all"}
        assert (await client.post(f"{root}/events", json=body)).status_code == 201
        assert await asyncio.gather(*listening) == ["heard by all"] * 60
    assert number <= 3
    assert busy < 20
