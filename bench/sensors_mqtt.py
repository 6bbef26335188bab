"""Readings by MQTT at QoS 1, through a private Mosquitto and the bridge: from one client, and from many gauges."""

import asyncio
import struct
import sys
import tempfile
import time
from collections.abc import Coroutine, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from bench.report import table
from cim_models.database import Database
from tests.twin.sensing.test_mqtt import client_of
from twin.sensing.broker import Broker, private_broker

SECRET = "a token of the bench's"
TOPIC = "v1.1/Datastreams({})/Observations"


async def by_mqtt(database: Database, streams: list[int], number: int, gauges: int, start: datetime) -> str:
    """Readings a second until they are committed: a client with 2,000 on their way, and gauges that wait for each."""
    with tempfile.TemporaryDirectory(prefix="citytwin-bench-") as folder:
        await asyncio.to_thread(Path(folder).chmod, 0o755)
        broker = private_broker(Path(folder), SECRET)
        if broker is None:
            return "No Mosquitto here: no figures for MQTT."
        broker_runs = await asyncio.create_subprocess_exec(*broker.command, stderr=asyncio.subprocess.DEVNULL)
        carry = (sys.executable, "-m", "tests.twin.sensing.carry", database.url, broker.url, f"{folder}/none.yaml")
        bridge = await asyncio.create_subprocess_exec(*carry, stdout=asyncio.subprocess.DEVNULL)
        try:
            await asyncio.to_thread(_await_bridge, broker, streams[0], start - timedelta(days=1))
            sending = _by_gauges(broker, gauges, _messages(TOPIC, streams, number, start))
            many = await _until_stored(database, start, number, sending)
            later, few = start + timedelta(days=1), number // 5
            sending = _by_one(broker, _messages(TOPIC, streams, few, later))
            one = await _until_stored(database, later, few, sending)
            began = time.perf_counter()
            await _by_gauges(broker, gauges, _messages("nobody/hears/{}", streams, number, start))
            alone = number / (time.perf_counter() - began)
        finally:
            for process in (bridge, broker_runs):
                process.kill()
                await process.wait()
    return table(
        ("MQTT at QoS 1", "readings/s"),
        [
            (f"{gauges} gauges at once, each waits for its acknowledgement; until all are committed", f"{many:,.0f}"),
            ("one client, 2,000 on their way; until all are committed", f"{one:,.0f}"),
            (f"the broker alone, {gauges} gauges, nobody listens", f"{alone:,.0f}"),
        ],
    )


def _await_bridge(broker: Broker, stream: int, moment: datetime) -> None:
    """Return when the bridge carries: it tells what it has written."""
    heard: list[bytes] = []
    client = client_of(broker, SECRET)
    client.on_message = lambda _client, _data, message: heard.append(message.payload)
    client.subscribe("v1.1/Observations", qos=1)
    while not heard:
        client.publish(TOPIC.format(stream), _body(moment, len(heard)), qos=1)
        time.sleep(0.2)
        moment += timedelta(seconds=1)
    client.disconnect()
    client.loop_stop()


async def _until_stored(database: Database, start: datetime, number: int, sending: Coroutine[Any, Any, None]) -> float:
    """Readings a second from the first that is sent to the last that is committed."""
    began = time.perf_counter()
    await sending
    while await _stored(database, start) < number:  # noqa: ASYNC110  # what is waited for lies in other processes
        await asyncio.sleep(0.05)
    return number / (time.perf_counter() - began)


async def _stored(database: Database, since: datetime) -> int:
    asked = "select count(*) from sensing.observation where time >= $1 and time < $1 + interval '1 day'"
    async with database.reading() as connection:
        found: int = await connection.fetchval(asked, since)
        return found


def _messages(topic: str, streams: list[int], number: int, start: datetime) -> Iterator[tuple[str, bytes]]:
    """Topics and payloads of readings, one a second."""
    for i in range(number):
        yield topic.format(streams[i % len(streams)]), _body(start + timedelta(seconds=i), i)


async def _by_one(broker: Broker, messages: Iterator[tuple[str, bytes]]) -> None:
    client = await asyncio.to_thread(client_of, broker, SECRET, at_once=2_000)
    sent = [client.publish(topic, body, qos=1) for topic, body in messages]
    await asyncio.to_thread(sent[-1].wait_for_publish, 300)
    client.disconnect()
    client.loop_stop()


async def _by_gauges(broker: Broker, gauges: int, messages: Iterator[tuple[str, bytes]]) -> None:
    async def send() -> None:
        reader, writer = await _connected(broker)
        for topic, body in messages:
            packet = struct.pack(">H", len(topic)) + topic.encode() + struct.pack(">H", 1) + body
            writer.write(b"\x32" + _length(len(packet)) + packet)
            assert await reader.readexactly(4) == b"\x40\x02\x00\x01", "PUBACK"
        writer.close()

    await asyncio.gather(*(send() for _ in range(gauges)))


async def _connected(broker: Broker) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """By plain sockets (MQTT 3.1.1): a client library takes more of a shared core than the broker does."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(broker.public_url.rpartition(":")[2]))
    strings = b"".join(struct.pack(">H", len(each)) + each for each in (b"", b"twin", SECRET.encode()))
    packet = b"\x00\x04MQTT\x04\xc2\x00\x3c" + strings
    writer.write(b"\x10" + _length(len(packet)) + packet)
    assert await reader.readexactly(4) == b"\x20\x02\x00\x00", "CONNACK"
    return reader, writer


def _length(number: int) -> bytes:
    """As MQTT writes lengths below 16 384 (2.2.3)."""
    return bytes([number]) if number < 128 else bytes([number % 128 | 128, number // 128])


def _body(moment: datetime, value: float) -> bytes:
    return orjson.dumps({"phenomenonTime": moment.isoformat(), "result": value})
