"""Server and database are killed while readings come in: everything that was acknowledged is there, once."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from socket import socket

import httpx
import pytest

from cim_models.database import CitySpec, Database, migrate
from cim_models.embedded import Cluster
from layers.seeds import seed_layers
from layers.tokens import create_token
from tests.twin.sensing.streams import make_streams

READINGS = 400
# A server starts within a few seconds, and within a minute where many share a core.
PATIENCE_S = 240


@pytest.fixture
def own_cluster(open_folder: Path) -> Iterator[Cluster]:
    """A PostgreSQL that may be killed, and keeps what it has said it has."""
    cluster = Cluster(open_folder / "killed")
    cluster.start()
    try:
        yield cluster
    finally:
        cluster.stop(force=True)


@asynccontextmanager
async def server(url: str, port: int, folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.serve", url, str(port), str(folder)), stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with httpx.AsyncClient() as client:
            for _ in range(PATIENCE_S * 10):
                try:
                    if (await client.get(f"http://127.0.0.1:{port}/health/live")).status_code == 200:
                        break
                except httpx.TransportError:
                    await asyncio.sleep(0.1)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_what_is_acknowledged_is_there_once(own_cluster: Cluster, tmp_path: Path) -> None:
    url, streams, headers = await _lay_down(own_cluster)
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    acknowledged: set[int] = set()
    counted = asyncio.Condition()

    async def send(part: int) -> None:
        """Gauges send each reading until it is taken."""
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=5) as client:
            for number in range(part, READINGS, 8):
                moment = f"2024-08-01T{number // 60:02}:{number % 60:02}:00Z"
                body = {"phenomenonTime": moment, "result": number}
                path = f"/sensors/v1.1/Datastreams({streams[number % len(streams)]})/Observations"
                until = time.monotonic() + PATIENCE_S
                while number not in acknowledged:
                    assert time.monotonic() < until, "the service did not come back"
                    try:
                        if (await client.post(path, json=body)).status_code == 201:
                            acknowledged.add(number)
                            async with counted:
                                counted.notify_all()
                            continue
                    except httpx.TransportError:
                        pass
                    await asyncio.sleep(0.05)

    async def until(number: int) -> None:
        async with asyncio.timeout(PATIENCE_S), counted:
            await counted.wait_for(lambda: len(acknowledged) >= number)

    async with asyncio.TaskGroup() as group:
        for part in range(8):
            group.create_task(send(part))
        async with server(url, port, tmp_path) as first:
            await until(READINGS // 4)
            first.kill()
        async with server(url, port, tmp_path):
            await until(READINGS // 2)
            lead = int((own_cluster.data / "postmaster.pid").read_text().split()[0])
            os.kill(lead, signal.SIGKILL)
            await asyncio.to_thread(own_cluster.start)
            await until(READINGS)
    database = await Database.open(url)
    async with database.reading() as connection:
        rows = await connection.fetch("select number, count(*) as n from sensing.observation group by 1 order by 1")
        rolled = await connection.fetchval("select sum(count) from sensing.hourly")
        last = await connection.fetchval("select sum(count) from sensing.latest")
    await database.close()
    assert [(row["number"], row["n"]) for row in rows] == [(float(number), 1) for number in range(READINGS)]
    assert (rolled, last) == (READINGS, READINGS)


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
