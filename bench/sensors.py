"""Sensors (python -m bench.sensors): how fast readings come in, beside a bare COPY, and how fast they are told again.

A server process of its own over a private PostgreSQL; what sends and asks runs on the same cores.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import numpy as np
import orjson

from bench.place import database_server, lay_down
from bench.report import machine, table
from cim_models.database import CitySpec, Database
from layers.tokens import create_token
from tests.serve import serving
from tests.twin.sensing.test_mqtt import client_of
from twin.sensing.batch import Reading
from twin.sensing.broker import private_broker
from twin.sensing.ingest import Ingest

SPEC = CitySpec(
    name="sensors", title_zh="传感器", title_en="Sensors", srid=4490, metric_srid=4549, time_zone="Asia/Shanghai"
)
SECRET = "a token of the bench's"
START = datetime(2024, 1, 1, tzinfo=UTC)
STREAMS = """
    with place as (
        insert into sensing.feature (name, encoding_type, feature, geom)
        select 'p', 'application/geo+json', '{}', st_setsrid(st_point(120 + random(), 28 + random()), 4326)
        from generate_series(1, $1::int) returning id
    ), thing as (
        insert into sensing.thing (name) select 'gauge' from generate_series(1, $1::int) returning id
    ), maker as (
        insert into sensing.sensor (name, encoding_type, metadata) values ('m', 'text/html', '""') returning id
    ), stream as (
        insert into sensing.datastream (thing_id, sensor_id, feature_id, kind, name, observation_type, units)
        select t.id, maker.id, p.id, 'water_level', 'level', 'OM_Measurement', '{}'
        from (select id, row_number() over () as n from thing) t
        join (select id, row_number() over () as n from place) p using (n), maker returning id
    )
    insert into sensing.latest (datastream_id) select id from stream returning datastream_id
"""
BARE = """
    create table bare (id bigint, datastream_id bigint, time timestamptz, number float8);
    create unique index on bare (datastream_id, time, id);
    create index on bare (id);
    create index on bare using brin (time);
"""


async def bare_copy(url: str, number: int, batch: int) -> float:
    """Rows a second of a COPY into a plain table with the same indexes, in batches of the same size."""
    connection = await asyncpg.connect(url)
    await connection.execute(BARE)
    began = time.perf_counter()
    for first in range(0, number, batch):
        rows = [(i, i % 1000, START + timedelta(seconds=i // 1000), float(i)) for i in range(first, first + batch)]
        await connection.copy_records_to_table("bare", records=rows)
    seconds = time.perf_counter() - began
    await connection.close()
    return number / seconds


async def direct(database: Database, streams: list[int], number: int, batch: int) -> float:
    """Rows a second through the whole way in: once each, rolled up, last values, feed; without HTTP."""
    ingest = Ingest(database, via="feed")
    count = len(streams)
    began = time.perf_counter()
    for first in range(0, number, batch):
        await ingest.submit(
            [
                Reading(streams[i % count], START + timedelta(seconds=i // count * 60), float(i))
                for i in range(first, first + batch)
            ]
        )
    return number / (time.perf_counter() - began)


async def arrays(client: httpx.AsyncClient, streams: list[int], number: int, batch: int, at_once: int) -> float:
    """Rows a second by CreateObservations."""
    start = START + timedelta(days=40)
    count = len(streams)

    def body(part: int) -> bytes:
        groups: dict[int, list[list[Any]]] = {}
        for i in range(part * batch, (part + 1) * batch):
            told = (start + timedelta(seconds=i // count * 60)).isoformat().replace("+00:00", "Z")
            groups.setdefault(streams[i % count], []).append([told, float(i)])
        head = ["phenomenonTime", "result"]
        return orjson.dumps(
            [{"Datastream": {"@iot.id": each}, "components": head, "dataArray": rows} for each, rows in groups.items()]
        )

    bodies = iter([body(part) for part in range(number // batch)])

    async def send() -> None:
        for each in bodies:
            answer = await client.post("/sensors/v1.1/CreateObservations", content=each)
            assert answer.status_code == 201, answer.text

    began = time.perf_counter()
    await asyncio.gather(*(send() for _ in range(at_once)))
    return number / (time.perf_counter() - began)


async def singles(address: str, token: str, streams: list[int], number: int, at_once: int) -> tuple[float, float]:
    """POSTs a second, one observation each, and the 99th percentile of their times in ms.

    By plain sockets: a client library takes more of a shared core than the server does.
    """
    host, _, port = address.removeprefix("http://").partition(":")
    numbers = iter(range(number))
    times = []

    async def send() -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        for i in numbers:
            told = (START + timedelta(days=80, seconds=i)).isoformat()
            body = orjson.dumps({"phenomenonTime": told, "result": i})
            head = (
                f"POST /sensors/v1.1/Datastreams({streams[i % len(streams)]})/Observations HTTP/1.1\r\n"
                f"Host: {host}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n"
            )
            began = time.perf_counter()
            writer.write(head.encode() + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 201"), answer
            times.append((time.perf_counter() - began) * 1000)
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(send() for _ in range(at_once)))
    return number / (time.perf_counter() - began), float(np.percentile(times, 99))


async def by_mqtt(database: Database, streams: list[int], number: int, folder: Path) -> float | None:
    """Readings a second from a client through a private Mosquitto and the bridge, at QoS 1; None without Mosquitto."""
    broker = private_broker(folder, SECRET)
    if broker is None:
        return None
    broker_runs = await asyncio.create_subprocess_exec(*broker.command)
    bridge = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.twin.sensing.carry", database.url, broker.url, str(folder / "none.yaml"))
    )
    try:
        # As many gauges would: not twenty at a time.
        sender = await asyncio.to_thread(client_of, broker, SECRET, at_once=2_000)
        start = START + timedelta(days=120)
        where = f"v1.1/Datastreams({streams[0]})/Observations"
        while await _stored(database, start) == 0:
            sender.publish(where, orjson.dumps({"phenomenonTime": start.isoformat(), "result": 0}), qos=1)
            await asyncio.sleep(0.2)
        began = time.perf_counter()
        for i in range(1, number):
            told = (start + timedelta(seconds=i)).isoformat()
            body = orjson.dumps({"phenomenonTime": told, "result": i})
            sender.publish(f"v1.1/Datastreams({streams[i % len(streams)]})/Observations", body, qos=1)
        while await _stored(database, start) < number:  # noqa: ASYNC110  # what is waited for lies in other processes
            await asyncio.sleep(0.1)
        seconds = time.perf_counter() - began
        sender.loop_stop()
        return number / seconds
    finally:
        for process in (bridge, broker_runs):
            process.kill()
            await process.wait()


async def _stored(database: Database, since: datetime) -> int:
    async with database.reading() as connection:
        found: int = await connection.fetchval("select count(*) from sensing.observation where time >= $1", since)
        return found


async def timed(ask: Callable[[], Awaitable[httpx.Response]], times: int) -> tuple[str, str, str, str]:
    """Median, 95th and 99th percentile in ms, and size in kB of an answer."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        answer = await ask()
        assert answer.status_code == 200, answer.text
        found.append((time.perf_counter() - began) * 1000)
    p95, p99 = np.percentile(found, [95, 99])
    return f"{statistics.median(found):.1f}", f"{p95:.1f}", f"{p99:.1f}", f"{len(answer.content) / 1000:.0f}"


async def run(url: str, address: str, token: str, chosen: argparse.Namespace) -> str:
    database = await Database.open(url)
    async with database.writing() as connection:
        streams = sorted(row[0] for row in await connection.fetch(STREAMS, chosen.streams))
    some = streams[:1000]
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=address, headers=headers, timeout=60) as client:
        bare = await bare_copy(url, chosen.rows, 10_000)
        way_in = await direct(database, some, chosen.rows, 10_000)
        by_arrays = await arrays(client, some, chosen.rows // 2, 5_000, 2)
        await singles(address, token, some, 200, 32)
        one_by_one, slowest = await singles(address, token, some, 10_000, 64)
        rates = [
            ("bare COPY, the same indexes, 10,000 a batch", f"{bare:,.0f}", "1.00"),
            ("the whole way in, 10,000 a batch", f"{way_in:,.0f}", f"{way_in / bare:.2f}"),
            ("CreateObservations, 5,000 a request, 2 at once", f"{by_arrays:,.0f}", f"{by_arrays / bare:.2f}"),
            (f"POST of one, 64 at once (p99 {slowest:.0f} ms)", f"{one_by_one:,.0f}", f"{one_by_one / bare:.3f}"),
        ]
        with tempfile.TemporaryDirectory(prefix="citytwin-bench-") as folder:
            await asyncio.to_thread(Path(folder).chmod, 0o755)
            mqtt = await by_mqtt(database, some, 5_000, Path(folder))
        if mqtt is not None:
            rates.append(("MQTT at QoS 1, one sender", f"{mqtt:,.0f}", f"{mqtt / bare:.3f}"))
        await direct(database, streams, len(streams), 10_000)
        day = f"{START.isoformat()}/{(START + timedelta(days=1)).isoformat()}".replace("+00:00", "Z")
        asked = {
            f"latest of {chosen.streams:,} datastreams": ("/sensors/latest", {}),
            "a day of one, every value": ("/sensors/series", {"datastream": some[0], "datetime": day}),
            "a day of one, 200 points": ("/sensors/series", {"datastream": some[0], "datetime": day, "points": 200}),
            "last 100 of one (SensorThings)": (
                f"/sensors/v1.1/Datastreams({some[0]})/Observations",
                {"$orderby": "phenomenonTime desc", "$top": 100},
            ),
        }
        told = [
            (what, *await timed(lambda path=path, query=query: client.get(path, params=query), 50))
            for what, (path, query) in asked.items()
        ]
        async with database.reading() as connection:
            number = await connection.fetchval("select count(*) from sensing.observation")
            size = await connection.fetchval(
                "select sum(pg_total_relation_size(inhrelid)) from pg_inherits"
                " where inhparent = 'sensing.observation'::regclass"
            )
    await database.close()
    ingest = table(("way in", "observations/s", "of bare COPY"), rates)
    answers = table(("answer", "p50 ms", "p95 ms", "p99 ms", "kB"), told)
    return f"{ingest}\n\n{answers}\n\n{number:,} observations, {size / number:.0f} bytes each with their indexes."


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.sensors", description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000, help="readings of each way in (200000)")
    parser.add_argument("--streams", type=int, default=10_000, help="datastreams of the city (10000)")
    chosen = parser.parse_args()
    with database_server() as cluster:
        url = lay_down(cluster, SPEC)
        token = asyncio.run(_token(url))
        with serving(url) as address:
            print(f"# Sensors\n\n{machine()}\n\n{asyncio.run(run(url, address, token, chosen))}")


async def _token(url: str) -> str:
    database = await Database.open(url)
    async with database.writing() as connection:
        token = await create_token(connection, "bench", "editor")
    await database.close()
    return token


if __name__ == "__main__":
    main()
