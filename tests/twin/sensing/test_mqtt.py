"""Readings over MQTT with a real Mosquitto: in by the standard's topics and foreign ones, out to all, none lost."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import psycopg
import pytest

from cim_models.database import Database
from tests.twin.sensing.streams import make_streams
from twin.sensing.bridge import Bridge
from twin.sensing.broker import PLACES, Broker, private_broker
from twin.sensing.mapping import fits

pytestmark = pytest.mark.skipif(shutil.which("mosquitto", path=PLACES) is None, reason="no Mosquitto here")
PASSWORD = "a token of the test's"
MAPPING = """
- topic: water/+/level
  stream: "gauge-{1}"
  result: reading.values.0
  time: reading.at
  time_format: epoch_ms
"""


@contextmanager
def running(*command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process for a while; killed at the end if it is still there."""
    process = subprocess.Popen(command)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def broker(open_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Broker:
    # Not the usual port: somebody else's broker would take it while this one is killed.
    monkeypatch.setattr("twin.sensing.broker.PORT", 0)
    folder = open_folder / tmp_path.name
    folder.mkdir()
    found = private_broker(folder, PASSWORD)
    assert found is not None
    return found


def client_of(broker: Broker, password: str | None = PASSWORD, name: str = "", *, at_once: int = 20) -> mqtt.Client:
    """A client that is connected, and connects again by itself. at_once: messages that wait for their answers."""
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, name, protocol=mqtt.MQTTv5)
    if password is not None:
        client.username_pw_set("twin", password)
    client.reconnect_delay_set(1, 1)
    client.max_inflight_messages_set(at_once)
    until = time.monotonic() + 15
    while True:
        with suppress(ConnectionRefusedError):
            client.connect("127.0.0.1", int(broker.public_url.rpartition(":")[2]))
            break
        assert time.monotonic() < until
        time.sleep(0.1)
    client.loop_start()
    eventually(client.is_connected)
    return client


def eventually(done: Callable[[], Any], timeout_s: float = 40.0, told: Callable[[], Any] = lambda: None) -> None:
    until = time.monotonic() + timeout_s
    while not done():
        assert time.monotonic() < until, told()
        time.sleep(0.05)


def number(url: str, what: str = "count(*)") -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute(f"select {what} from sensing.observation").fetchone()
    assert row is not None
    return int(row[0])


def carrying(url: str, broker: Broker, folder: Path) -> Any:
    (folder / "mqtt.yaml").write_text(MAPPING)
    return running(sys.executable, "-m", "tests.twin.sensing.carry", url, broker.url, str(folder / "mqtt.yaml"))


def reading(minute: int, result: Any = 1.5) -> str:
    time_ = f"2024-08-{1 + minute // 1440:02}T{minute // 60 % 24:02}:{minute % 60:02}:00Z"
    return json.dumps({"phenomenonTime": time_, "result": result})


def carried(url: str, sender: mqtt.Client, stream: int) -> bool:
    """Whether the first reading has gone in; sent again and again, it counts once."""
    sender.publish(f"v1.1/Datastreams({stream})/Observations", reading(0, 0), qos=1)
    time.sleep(0.2)
    return number(url) > 0


async def test_readings_go_in_and_come_out(database: Database, broker: Broker, tmp_path: Path) -> None:
    (stream,) = await make_streams(database)
    async with database.writing() as connection:
        await connection.execute('update sensing.datastream set properties = \'{"key": "gauge-7"}\'')
    heard: list[tuple[str, Any]] = []
    (tmp_path / "mqtt.yaml").write_text(MAPPING)
    with running(*broker.command):
        carrying_ = asyncio.create_task(Bridge(broker.url, "", tmp_path / "mqtt.yaml")(database))
        sender, reader, stranger = client_of(broker), client_of(broker, None), client_of(broker, None)
        reader.on_message = lambda _c, _d, message: heard.append((message.topic, json.loads(message.payload)))
        reader.subscribe("v1.1/Observations", qos=1)
        await asyncio.to_thread(eventually, lambda: carried(database.url, sender, stream))
        sender.publish(f"v1.1/Datastreams({stream})/Observations", reading(3), qos=1)
        body = json.loads(reading(1, "NW")) | {"Datastream": {"@iot.id": stream}}
        sender.publish("v1.1/Observations", json.dumps(body), qos=1)
        sender.publish("water/7/level", json.dumps({"reading": {"at": 1722470520000, "values": [2.5]}}), qos=1)
        for bad in ("no json", "{}", "[]", '{"result": 1, "phenomenonTime": "x"}', '{"result": 1e400}'):
            sender.publish(f"v1.1/Datastreams({stream})/Observations", bad, qos=1)
        sender.publish("v1.1/Datastreams(999)/Observations", reading(0), qos=1)
        # Who has no token may listen, not speak: the broker drops it.
        stranger.publish(f"v1.1/Datastreams({stream})/Observations", reading(5), qos=1)
        told = lambda: {str(body["result"]) for _, body in heard if "@iot.id" in body}  # noqa: E731
        await asyncio.to_thread(eventually, lambda: told() >= {"1.5", "NW", "2.5"}, 40.0, told)
        await asyncio.sleep(0.5)
        assert number(database.url) == 4
        assert {body["phenomenonTime"] for _, body in heard if "@iot.id" in body} == {
            f"2024-08-01T00:0{minute}:00Z" for minute in (0, 1, 2, 3)
        }
        carrying_.cancel()
        for client in (sender, reader, stranger):
            client.loop_stop()


async def test_nothing_is_lost_when_anything_is_killed(database: Database, broker: Broker, tmp_path: Path) -> None:
    """Bridge and broker killed by turns while readings are sent at QoS 1: all that was taken is there, once."""
    (stream,) = await make_streams(database)
    total = 1_000
    with running(*broker.command) as first:
        sender = client_of(broker, name="sender")
        with carrying(database.url, broker, tmp_path) as bridge:
            await asyncio.to_thread(eventually, lambda: carried(database.url, sender, stream))
            sent = [
                sender.publish(f"v1.1/Datastreams({stream})/Observations", reading(i, i), qos=1) for i in range(400)
            ]
            await asyncio.to_thread(eventually, lambda: number(database.url) > 50)
            os.kill(bridge.pid, signal.SIGKILL)
        # While nobody carries, the broker keeps.
        sent += [
            sender.publish(f"v1.1/Datastreams({stream})/Observations", reading(i, i), qos=1) for i in range(400, 700)
        ]
        await asyncio.to_thread(eventually, lambda: all(each.is_published() for each in sent))
        # Mosquitto acknowledges a moment before it has written: what nobody carries needs that moment.
        await asyncio.sleep(1)
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
    with running(*broker.command) as second, carrying(database.url, broker, tmp_path):
        await asyncio.to_thread(eventually, sender.is_connected)
        sent += [
            sender.publish(f"v1.1/Datastreams({stream})/Observations", reading(i, i), qos=1) for i in range(700, total)
        ]
        await asyncio.to_thread(eventually, lambda: number(database.url) > 700)
        await asyncio.to_thread(eventually, lambda: all(each.is_published() for each in sent))
        # What it acknowledges it passes on, or writes, a moment later.
        await asyncio.sleep(1)
        os.kill(second.pid, signal.SIGKILL)
        second.wait()
        with running(*broker.command):
            await asyncio.to_thread(eventually, lambda: all(each.is_published() for each in sent))
            await asyncio.to_thread(
                eventually, lambda: number(database.url) == total, 40.0, lambda: number(database.url)
            )
            await asyncio.sleep(1)
    assert number(database.url) == number(database.url, "count(distinct number)") == total
    sender.loop_stop()


@pytest.mark.parametrize(("topic", "wanted", "expected"), [
    ("a/b/c", "a/b/c", True), ("a/b/c", "a/+/c", True), ("a/b/c", "a/#", True), ("a/b/c", "#", True),
    ("a/b", "a/b/#", True), ("a/b", "a/b/+", False), ("a/b/c", "a/+", False), ("a", "b", False),
])  # fmt: skip
def test_filters_fit_as_the_standard_has_it(topic: str, wanted: str, expected: bool) -> None:
    """MQTT 5.0, section 4.7.1."""
    assert fits(topic, wanted) is expected
