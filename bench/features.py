"""Features: pages of 10, 1,000 and 10,000 as GeoJSON, and how much longer each server takes than the bare SQL."""

import asyncio
import http.client
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from bench.peers import CityTwin, FeatureServer, Missing, PyGeoApi, Table, TiPg
from bench.report import table
from bench.tiles import LAYER, Bed, peer_table
from cim_models.database import Database
from layers.access import PUBLIC
from layers.catalog import load_catalog
from layers.features import page_statement
from layers.planning import planned_anew
from layers.query import Selection

COPY = "building_copy"
SIZES = (10, 1_000, 10_000)
RUNS = {10: 60, 1_000: 20, 10_000: 7}
HEAD = ["page", "server", "p50 ms", "p95 ms", "above bare SQL ms", "of ours", "MB", "errors"]


def pages(bed: Bed, folder: Path) -> str:
    """Each server alone, one request after another on a kept connection; boxes differ a little from one to the next."""
    sql = {size: asyncio.run(_bare_sql(bed, size)) for size in SIZES}
    asked: dict[str, dict[int, Asked]] = {}
    objects: dict[str, set[int]] = {}
    for server in _servers(bed, folder):
        with server:
            objects[server.name] = _objects(bed, server)
            asked[server.name] = {
                size: _asked(server, [server.items(size, box) for box in _boxes(bed, RUNS[size])]) for size in SIZES
            }
    rows = []
    for size in SIZES:
        rows.append([f"{size:,}", "bare SQL", f"{sql[size]:.1f}", "", "", "", "", ""])
        ours = asked["CityTwin"][size].middle - sql[size]
        for name, found in asked.items():
            above = found[size].middle - sql[size]
            figures = [f"{value:.1f}" for value in (found[size].middle, found[size].p95, above, above / ours)]
            rows.append([f"{size:,}", name, *figures, f"{found[size].megabytes:.2f}", str(found[size].errors)])
    return f"{_same(objects)}\n\n{table(HEAD, rows)}"


@dataclass(frozen=True)
class Asked:
    """Times of answers in ms, the size of the last in MB, and how many failed."""

    times: list[float]
    megabytes: float
    errors: int

    @property
    def middle(self) -> float:
        return statistics.median(self.times)

    @property
    def p95(self) -> float:
        return statistics.quantiles(self.times, n=20, method="inclusive")[18]


def _copied(bed: Bed) -> Table:
    """A plain table of the same objects for the peers: pygeoapi would transform each feature from EPSG:4490."""
    given = peer_table(bed)
    columns = ", ".join((given.key, *(name for name, _ in given.properties)))
    with psycopg.connect(bed.url, autocommit=True) as connection:
        connection.execute(f"drop table if exists {COPY}")
        connection.execute(
            f"create table {COPY} as select {columns}, ST_SetSRID(geom, 4326) as geom from {given.name}"
            " where plan_id is null"
        )
        connection.execute(f"alter table {COPY} add primary key ({given.key})")
        connection.execute(f"create index on {COPY} using gist (geom)")
        connection.execute(f"vacuum analyze {COPY}")
    return replace(given, name=COPY, geometry="geom")


def _servers(bed: Bed, folder: Path) -> list[FeatureServer]:
    copied = _copied(bed)
    found: list[FeatureServer] = [CityTwin(bed.home, bed.city, LAYER, bed.workers)]
    makers: tuple[Callable[[], FeatureServer], ...] = (
        lambda: TiPg(copied, bed.workers),
        lambda: PyGeoApi(copied, folder, bed.workers),
    )
    for make in makers:
        try:
            found.append(make())
        except Missing as missing:
            print(f"skipped: {missing}")
    return found


def _boxes(bed: Bed, count: int) -> list[tuple[float, float, float, float]]:
    """The whole city, each time a hair wider, so that no answer was given before."""
    west, south, east, north = bed.bbox
    return [(west - i * 1e-6, south - i * 1e-6, east + i * 1e-6, north + i * 1e-6) for i in range(1, count + 1)]


def _asked(server: FeatureServer, paths: list[str]) -> Asked:
    """Each path once, after some to warm up."""
    parts = urlsplit(server.base)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=120)
    times, errors, size = [], 0, 0
    for path in (*paths[:3], *paths):
        start = time.perf_counter()
        connection.request("GET", path, headers={"Accept-Encoding": "identity"})
        answer = connection.getresponse()
        size = len(answer.read())
        times.append((time.perf_counter() - start) * 1000)
        errors += answer.status >= 400
    connection.close()
    return Asked(times[3:], size / 1e6, errors)


async def _bare_sql(bed: Bed, size: int) -> float:
    """Median milliseconds of our statement alone on one warm connection."""
    database = await Database.open(bed.url)
    times = []
    async with database.reading() as connection:
        catalog = await load_catalog(connection, database.city)
        layer = catalog.layer(LAYER, PUBLIC)
        for box in _boxes(bed, RUNS[size]):
            statement = page_statement(Selection(layer, bbox=box), catalog, PUBLIC, limit=size + 1)
            async with planned_anew(connection):
                start = time.perf_counter()
                await connection.fetch(statement.sql, *statement.arguments)
                times.append((time.perf_counter() - start) * 1000)
    await database.close()
    return statistics.median(times)


def _objects(bed: Bed, server: FeatureServer) -> set[int]:
    """The objects of a small box."""
    longitude, latitude = bed.centre
    box = (longitude - 0.004, latitude - 0.004, longitude + 0.004, latitude + 0.004)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    connection.request("GET", server.items(10_000, box))
    features = json.loads(connection.getresponse().read())["features"]
    connection.close()
    return {int(each["properties"].get("object_id", each["id"])) for each in features}


def _same(objects: dict[str, set[int]]) -> str:
    """Whether all tell the same objects: a fast wrong answer is a failure."""
    ours = objects["CityTwin"]
    for name, found in objects.items():
        assert found == ours, f"{name} tells {len(found)} objects of a box, CityTwin {len(ours)}"
    return f"the same {len(ours)} objects of a box from all of {', '.join(objects)}"
