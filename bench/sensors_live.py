"""Sensors as they happen: listeners to the stream at once, and how long a reading takes to a screen and to an event."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import orjson

from bench.report import table
from cim_models.database import Database
from twin.sensing.watch import CONSUMER, watch_city

LEVEL = 1e6
RULE = {
    "title_zh": "测试",
    "title_en": "Bench",
    "severity": "orange",
    "applies": {"kinds": ["water_level"]},
    "condition": {"when": {"type": "threshold", "op": ">", "value": LEVEL}},
}
SETTLING_S = 3.0
PATIENCE_S = 30.0


def _array(streams: list[int], value: float, rising: Sequence[int] = ()) -> bytes:
    told = datetime.now(UTC).isoformat()
    values = dict.fromkeys(streams, value) | dict.fromkeys(rising, 2 * LEVEL)
    return orjson.dumps(
        [
            {"Datastream": {"@iot.id": each}, "components": ["phenomenonTime", "result"], "dataArray": [[told, result]]}
            for each, result in values.items()
        ]
    )


@asynccontextmanager
async def _listener(address: str, path: str) -> AsyncIterator[asyncio.StreamReader]:
    """A stream of events by a plain socket: a client library takes more of a shared core than the server does."""
    host, _, port = address.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=2**24)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    answer = await reader.readuntil(b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200"), answer
    try:
        yield reader
    finally:
        writer.close()


async def listeners(client: httpx.AsyncClient, streams: list[int], number: int, server: int) -> str:
    """So many listeners to all readings, a batch of a hundred each second: what reaches them when, and what it costs.

    server: the server's process.
    """
    turns, batch = 10, 100
    address = str(client.base_url).rstrip("/")
    # The first makes the month.
    assert (await client.post("/sensors/v1.1/CreateObservations", content=_array(streams, 0))).status_code == 201
    before = _memory(server)
    late: list[float] = []
    sent: dict[float, float] = {}

    async def hear(reader: asyncio.StreamReader) -> None:
        heard = 0
        while heard < turns:
            line = await reader.readuntil(b"\n")
            if line.startswith(b"data: "):
                now = time.perf_counter()
                late.append((now - sent[orjson.loads(line[6:])[0]["result"]]) * 1000)
                heard += 1

    async with AsyncExitStack() as stack:
        readers = [await stack.enter_async_context(_listener(address, "/sensors/stream")) for _ in range(number)]
        hearing = [asyncio.create_task(hear(reader)) for reader in readers]
        await asyncio.sleep(SETTLING_S)
        each = (_memory(server) - before) / number
        busy = _seconds(server)
        for turn in range(turns):
            sent[turn] = time.perf_counter()
            answer = await client.post("/sensors/v1.1/CreateObservations", content=_array(streams[:batch], turn))
            assert answer.status_code == 201, answer.text
            await asyncio.sleep(1)
        await asyncio.gather(*hearing)
        cost = (_seconds(server) - busy) / (turns * number) * 1e6
    p50, p99 = np.percentile(late, [50, 99])
    rows = [
        ("batch of 100 readings to each listener, p50 / p99", f"{p50:,.0f} / {p99:,.0f} ms"),
        ("processor time of the server for a batch and a listener", f"{cost:,.0f} us"),
        ("memory of the server for a listener", f"{each / 1000:,.0f} kB"),
    ]
    return table((f"{number} listeners at once", "figure"), rows)


async def delays(client: httpx.AsyncClient, database: Database, streams: list[int], seconds: int) -> str:
    """How long a reading takes to a listener and to an event, while each datastream tells a value a minute.

    Each second a sixtieth of the streams tells a value; three of them begin to fulfil a rule.
    """
    address = str(client.base_url).rstrip("/")
    batch = len(streams) // 60
    parts = [streams[turn * batch :][:batch] for turn in range(min(seconds, 60))]
    sent: dict[int, float] = {}
    heard: dict[int, float] = {}
    raised: dict[int, float] = {}
    watching = await asyncio.create_subprocess_exec(sys.executable, "-m", "bench.sensors_live", database.url)
    try:
        assert (await client.put("/rules/bench", json=RULE)).status_code in (200, 201)
        async with _listener(address, "/sensors/stream") as readings, _listener(address, "/events/stream") as events:
            hearing = [
                asyncio.create_task(_hear(readings, "datastream", heard)),
                asyncio.create_task(_hear(events, "event", raised)),
            ]
            while not await _is_watched(database):  # noqa: ASYNC110  # what is waited for lies in another process
                await asyncio.sleep(0.1)
            for part in parts:
                began = time.perf_counter()
                sent.update(dict.fromkeys(part, began))
                answer = await client.post("/sensors/v1.1/CreateObservations", content=_array(part, 0.0, part[:3]))
                assert answer.status_code == 201, answer.text
                await asyncio.sleep(max(0.0, began + 1 - time.perf_counter()))
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE_S):
                    while len(heard) < len(sent) or len(raised) < 3 * len(parts):  # noqa: ASYNC110  # told by others
                        await asyncio.sleep(0.1)
            for task in hearing:
                task.cancel()
    finally:
        watching.terminate()
        await watching.wait()
    async with database.reading() as connection:
        of = dict(await connection.fetch("select id, datastream_id from sensing.event"))
    to_listener = [now - sent[stream] for stream, now in heard.items()]
    to_event = [now - sent[of[event]] for event, now in raised.items()]
    rows = [
        (what, f"{len(found):,} of {number:,}", *(f"{each:.2f}" for each in np.percentile(found, [50, 99])))
        for what, found, number in (
            ("reading to listener", to_listener, len(sent)),
            ("reading to event, at its listener", to_event, 3 * len(parts)),
        )
    ]
    return table((f"{len(streams):,} streams, a reading a minute each", "come", "p50 s", "p99 s"), rows)


async def _is_watched(database: Database) -> bool:
    async with database.reading() as connection:
        found: bool = await connection.fetchval("select exists (select from change_consumer where name = $1)", CONSUMER)
        return found


async def _hear(reader: asyncio.StreamReader, name: str, when: dict[int, float]) -> None:
    """Note when each was told first; name: of its number."""
    while True:
        line = await reader.readuntil(b"\n")
        if line.startswith(b"data: "):
            told: Any = orjson.loads(line[6:])
            for each in told if isinstance(told, list) else [told]:
                when.setdefault(each[name], time.perf_counter())


def _memory(process: int) -> int:
    """Bytes that the process holds."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * 4096


def _seconds(process: int) -> float:
    """Processor time that the process has taken."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


async def _watch(url: str) -> None:
    await watch_city(await Database.open(url))


if __name__ == "__main__":
    asyncio.run(_watch(sys.argv[1]))
