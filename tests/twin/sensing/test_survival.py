"""Server and database are killed while readings come in: everything that was acknowledged is there, once."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import socket

import httpx
import pytest

from cim_models.database import CitySpec, Database, migrate
from cim_models.embedded import Cluster
from layers.seeds import seed_layers
from layers.tokens import create_token
from tests.twin.sensing.streams import make_streams
from twin.sensing.batch import Reading
from twin.sensing.ingest import Ingest

READINGS = 300
START = datetime(2024, 8, 1, tzinfo=UTC)
# A server starts within a few seconds, and within a minute where many share a core.
PATIENCE_S = 240


@pytest.fixture
def own_cluster(open_folder: Path) -> Iterator[Cluster]:
    """A PostgreSQL that may be killed.

    What a killed process has written is the kernel's: fsync is for a machine that falls, and takes time here.
    """
    cluster = Cluster(open_folder / "killed", durable=False)
    cluster.start()
    try:
        yield cluster
    finally:
        cluster.stop(force=True)


@asynccontextmanager
async def server(url: str, folder: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.serve", url, str(port), str(folder)), stderr=asyncio.subprocess.DEVNULL
    )
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_what_is_acknowledged_is_there_once(own_cluster: Cluster, tmp_path: Path) -> None:
    """First PostgreSQL is killed and comes back, then the server; in the end all gauges send all they have again."""
    url, streams, headers = await _lay_down(own_cluster)
    acknowledged: set[int] = set()
    counted = asyncio.Condition()

    async def send(address: str, part: int) -> None:
        """A gauge sends each reading until it is taken, as long as there is a server."""
        async with httpx.AsyncClient(base_url=address, headers=headers, timeout=5) as client:
            for number in range(part, READINGS, 8):
                stream, moment = reading(number)
                body = {"phenomenonTime": moment.isoformat(), "result": number}
                path = f"/sensors/v1.1/Datastreams({stream})/Observations"
                while number not in acknowledged:
                    with suppress(httpx.TransportError):
                        if (await client.post(path, json=body)).status_code == 201:
                            acknowledged.add(number)
                            async with counted:
                                counted.notify_all()
                            continue
                    await asyncio.sleep(0.05)

    def reading(number: int) -> tuple[int, datetime]:
        return streams[number % len(streams)], START + timedelta(minutes=number)

    async def until(number: int) -> None:
        async with asyncio.timeout(PATIENCE_S), counted:
            await counted.wait_for(lambda: len(acknowledged) >= number)

    async with server(url, tmp_path) as (process, address):
        gauges = [asyncio.create_task(send(address, part)) for part in range(8)]
        await until(READINGS // 3)
        lead = int((own_cluster.data / "postmaster.pid").read_text().split()[0])
        os.kill(lead, signal.SIGKILL)
        await asyncio.to_thread(own_cluster.start)
        await until(2 * READINGS // 3)
        process.kill()
        for gauge in gauges:
            gauge.cancel()
        await asyncio.wait(gauges)
    database = await Database.open(url)
    there = await _stored(database)
    assert {float(number) for number in acknowledged} <= there.keys()
    await Ingest(database, via="feed").submit([Reading(*reading(number), float(number)) for number in range(READINGS)])
    assert await _stored(database) == {float(number): 1 for number in range(READINGS)}
    async with database.reading() as connection:
        rolled = await connection.fetchval("select sum(count) from sensing.hourly")
        last = await connection.fetchval("select sum(count) from sensing.latest")
    await database.close()
    assert (rolled, last) == (READINGS, READINGS)


async def _stored(database: Database) -> dict[float, int]:
    """How often each value is there."""
    async with database.reading() as connection:
        rows = await connection.fetch("select number, count(*) as n from sensing.observation group by 1")
    return {row["number"]: row["n"] for row in rows}


async def _lay_down(cluster: Cluster) -> tuple[str, list[int], dict[str, str]]:
    """A city's URL, its datastreams, and a header that may write."""
    cluster.create_database("city_killed")
    url = cluster.url("city_killed")
    migrate(url, CitySpec(name="killed", title_zh="城", title_en="City"))
    seed_layers(url)
    database = await Database.open(url)
    streams = await make_streams(database, number=5)
    async with database.writing() as connection:
        headers = {"Authorization": f"Bearer {await create_token(connection, 'gauge', 'editor')}"}
    await database.close()
    return url, streams, headers
