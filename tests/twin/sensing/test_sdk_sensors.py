"""Sensors and events from a script, over real HTTP."""

import threading
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd
import pytest

import twin.sdk
from cim_models.database import Database
from tests.conftest import SensingServer
from tests.twin.sensing.streams import make_streams


@pytest.fixture(scope="module")
async def gauges(sensing_server: SensingServer) -> AsyncIterator[list[int]]:
    """Two gauges."""
    database = await Database.open(sensing_server.database_url)
    yield await make_streams(database, "water_level", 2)
    async with database.writing() as connection:
        await connection.execute("delete from sensing.thing")
    await database.close()


@pytest.fixture(scope="module")
def city(sensing_server: SensingServer) -> Iterator[twin.sdk.City]:
    with twin.sdk.connect(sensing_server.address, token=sensing_server.token) as found:
        yield found


def test_readings_go_out_and_come_back_as_pandas(city: twin.sdk.City, gauges: list[int]) -> None:
    one, other = gauges
    times = pd.date_range("2024-08-01", periods=1440, freq="min", tz="UTC")
    level = pd.Series(np.round(np.random.default_rng(1).normal(size=1440), 3), index=times)
    heard: list[dict[str, Any]] = []
    listening = threading.Thread(target=lambda: heard.extend(islice(city.sensors.stream(other), 1)), daemon=True)
    listening.start()
    assert city.sensors.publish(one, level) == 1440
    assert city.sensors.publish(one, level) == 1440
    found = city.sensors.series(one)
    pd.testing.assert_series_equal(found[one], level, check_names=False, check_freq=False, check_index_type=False)
    hours = city.sensors.series(one, bucket="PT1H", since=datetime(2024, 8, 1, tzinfo=UTC))
    assert np.allclose(hours[one, "mean"], level.resample("h").mean())
    for number in range(50):
        assert city.sensors.publish(other, float(number)) == 1
        listening.join(0.2)
        if heard:
            break
    assert heard[0]["datastream"] == other
    latest = city.sensors.latest()
    assert latest.loc[one, "result"] == level.iloc[-1]
    assert set(latest["state"]) == {"ok"}
    assert list(city.sensors.ranking("water_level")["datastream"]) == [other]
    with pytest.raises(twin.sdk.WrongRequest):
        city.sensors.publish(one, [("yesterday", 1.0)])


def test_an_event_is_raised_and_worked(city: twin.sdk.City) -> None:
    made = city.events.raise_("flood", "yellow", "积水", place={"type": "Point", "coordinates": [120.9, 28.1]})
    assert city.events.take(made["id"], "acknowledge", note="seen")["state"] == "acknowledged"
    assert [each["id"] for each in city.events.list(state="acknowledged")] == [made["id"]]
    assert [each["did"] for each in city.events.get(made["id"])["history"]] == ["raise", "acknowledge"]
    with pytest.raises(twin.sdk.WrongRequest):
        city.events.take(made["id"], "reopen")
