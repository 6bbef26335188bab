"""Sensors (python -m bench.sensors): how fast readings come in, beside a bare COPY, and how fast they are told again.

A server process of its own over a private PostgreSQL; what sends and asks runs on the same cores.
"""

import argparse
import asyncio
import os
import statistics
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
from bench.sensors_history import back_fill, days
from bench.sensors_live import delays, listeners
from bench.sensors_mqtt import by_mqtt
from cim_models.database import CitySpec, Database
from layers.tokens import create_token
from tests.serve import serving
from twin.sensing.batch import Reading
from twin.sensing.ingest import Ingest

SPEC = CitySpec(
    name="sensors", title_zh="传感器", title_en="Sensors", srid=4490, metric_srid=4549, time_zone="Asia/Shanghai"
)
# Those that take a minute or two; the others a few more.
QUICK = ("in", "out", "mqtt", "listeners", "live")
PARTS = (*QUICK, "history", "backfill")
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
    # After all that these streams have.
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


async def ways_in(database: Database, client: httpx.AsyncClient, token: str, streams: list[int], rows: int) -> str:
    """Observations a second by each way, beside a bare COPY."""
    some = streams[:1000]
    bare = await bare_copy(database.url, rows, 10_000)
    rates = {
        "bare COPY, the same indexes, 10,000 a batch": bare,
        "the whole way in, 10,000 a batch": await direct(database, some, rows, 10_000),
        "CreateObservations, 5,000 a request of 1,000 streams, 4 at once": await arrays(client, some, rows, 5_000, 4),
        "CreateObservations, 5,000 a request of 50 streams, 4 at once": await arrays(
            client, streams[1000:1050] or some[:50], rows, 5_000, 4
        ),
    }
    address = str(client.base_url).rstrip("/")
    await singles(address, token, some, 200, 32)
    one_by_one, slowest = await singles(address, token, some, 10_000, 64)
    rates[f"POST of one, 64 at once (p99 {slowest:.0f} ms)"] = one_by_one
    told = [(way, f"{rate:,.0f}", f"{rate / bare:.3f}") for way, rate in rates.items()]
    return table(("way in", "observations/s", "of bare COPY"), told)


async def answers(database: Database, client: httpx.AsyncClient, streams: list[int]) -> str:
    """How fast what is there is told."""
    await direct(database, streams, len(streams), 10_000)
    day = f"{START.isoformat()}/{(START + timedelta(days=1)).isoformat()}".replace("+00:00", "Z")
    asked: dict[str, tuple[str, dict[str, Any]]] = {
        f"latest of {len(streams):,} datastreams": ("/sensors/latest", {}),
        "a day of one, every value": ("/sensors/series", {"datastream": streams[0], "datetime": day}),
        "a day of one, 200 points": ("/sensors/series", {"datastream": streams[0], "datetime": day, "points": 200}),
        "last 100 of one (SensorThings)": (
            f"/sensors/v1.1/Datastreams({streams[0]})/Observations",
            {"$orderby": "phenomenonTime desc", "$top": 100},
        ),
    }
    told = [
        (what, *await timed(lambda path=path, query=query: client.get(path, params=query), 50))  # type: ignore[misc]
        for what, (path, query) in asked.items()
    ]
    async with database.reading() as connection:
        number = await connection.fetchval("select count(*) from sensing.observation")
        size = await connection.fetchval(
            "select sum(pg_total_relation_size(inhrelid)) from pg_inherits"
            " where inhparent = 'sensing.observation'::regclass"
        )
    found = table(("answer", "p50 ms", "p95 ms", "p99 ms", "kB"), told)
    return f"{found}\n\n{number:,} observations, {size / number:.0f} bytes each with their indexes."


async def run(url: str, address: str, token: str, chosen: argparse.Namespace) -> None:
    """Measure what is chosen, and print each table as it is found."""
    database = await Database.open(url)
    async with database.writing() as connection:
        streams = sorted(row[0] for row in await connection.fetch(STREAMS, chosen.streams))
    some = streams[:1000]
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=address, headers=headers, timeout=60) as client:
        parts: dict[str, Callable[[], Awaitable[str]]] = {
            "in": lambda: ways_in(database, client, token, streams, chosen.rows),
            "out": lambda: answers(database, client, streams),
            "mqtt": lambda: by_mqtt(
                database, streams[:1000], chosen.messages, chosen.gauges, START + timedelta(days=120)
            ),
            "listeners": lambda: listeners(client, streams, chosen.listeners, _server()),
            "live": lambda: delays(client, database, streams, chosen.seconds),
            "history": lambda: days(database, client, some, chosen.history, START - timedelta(days=60)),
            "backfill": lambda: back_fill(database, streams[-chosen.stations :], START - timedelta(days=90)),
        }
        for part in chosen.only:
            print(f"{await parts[part]()}\n", flush=True)
    await database.close()


def _server() -> int:
    """The server's process, a child of this one."""
    for number in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
        if b"tests.serve" in Path(f"/proc/{number}/cmdline").read_bytes():
            return int(number)
    raise RuntimeError("the server is no child of this process")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.sensors", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=QUICK, help=f"what to measure ({' '.join(QUICK)})")
    parser.add_argument("--rows", type=int, default=200_000, help="in: readings of each way (200000)")
    parser.add_argument("--streams", type=int, default=10_000, help="datastreams of the city (10000)")
    parser.add_argument("--messages", type=int, default=10_000, help="mqtt: readings (10000)")
    parser.add_argument("--gauges", type=int, default=200, help="mqtt: clients at once (200)")
    parser.add_argument("--listeners", type=int, default=500, help="listeners: so many at once (500)")
    parser.add_argument("--seconds", type=int, default=20, help="live: for so long (20)")
    parser.add_argument("--history", type=int, default=10_000_000, help="history: observations (10000000)")
    parser.add_argument("--stations", type=int, default=3_000, help="backfill: stations (3000)")
    chosen = parser.parse_args()
    with database_server() as cluster:
        url = lay_down(cluster, SPEC)
        token = asyncio.run(_token(url))
        with serving(url) as address:
            print(f"# Sensors\n\n{machine()}\n", flush=True)
            asyncio.run(run(url, address, token, chosen))


async def _token(url: str) -> str:
    database = await Database.open(url)
    async with database.writing() as connection:
        token = await create_token(connection, "bench", "editor")
    await database.close()
    return token


if __name__ == "__main__":
    main()
