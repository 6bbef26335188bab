"""Tiles: one cached tile, uncached tiles, a pan-zoom session, a hundred clients, and the heaviest tile of each zoom."""

import asyncio
import gzip
import shutil
import statistics
import time
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import mapbox_vector_tile  # type: ignore[import-untyped]

from bench.load import Load, many, one_by_one
from bench.peers import Bare, CityTwin, Martin, Missing, Table, TileServer, TiPg
from bench.report import table
from bench.session import Address, covering, session, window
from cim_models.database import Database
from layers.access import PUBLIC
from layers.catalog import load_catalog
from layers.query import Selection
from tiles.vector import all_objects

LAYER = "buildings"
RUNS = 5
SQL_KIND = {"text": "text", "number": "float8", "integer": "int4", "boolean": "bool"}
LOAD_HEAD = ["server", "requests/s", "p50 ms", "p95 ms", "p99 ms", "errors", "MB"]


@dataclass(frozen=True)
class Bed:
    """Where the buildings lie. url: of the database over loopback, for peers. home: of the twin that serves it."""

    city: str
    url: str
    home: Path
    centre: tuple[float, float]
    bbox: tuple[float, float, float, float]
    workers: int


def cached_tile(bed: Bed, folder: Path) -> str:
    """The same tile from the caches of each, and from a bare ASGI application that knows nothing else."""
    tile = window(*bed.centre, 15)[4]
    body = folder / "tile"
    rates: dict[str, list[Load]] = {}
    with ExitStack() as stack:
        ours = stack.enter_context(CityTwin(bed.home, bed.city, LAYER, bed.workers))
        body.write_bytes(_get(ours, tile))
        servers = [ours, stack.enter_context(Bare(body, bed.workers))]
        servers += _available(stack, [lambda: Martin(peer_table(bed), folder, bed.workers, cached=True)])
        for _ in range(RUNS):
            for server in servers:
                load = many(server.base, [server.path(tile)], clients=16, seconds=3)
                rates.setdefault(server.name, []).append(load)
    bare = _middle(rates["bare ASGI"]).rate
    rows = [[name, f"{_middle(loads).rate / bare:.2f}", *_cells(_middle(loads))] for name, loads in rates.items()]
    return table(["server", "of bare ASGI", *LOAD_HEAD[1:]], rows)


def uncached_tiles(bed: Bed, folder: Path) -> str:
    """Tiles of z14 to z16 that nobody has asked for before, one after another, beside the bare SQL."""
    rows = []
    for zoom in (14, 15, 16):
        tiles = _around(bed, zoom, 60)
        sql = asyncio.run(_bare_sql(bed, tiles))
        rows.append([f"z{zoom} bare SQL", "1.00", f"{sql:.1f}", "", "", "", ""])
        for server in _peers(bed, folder, cached=False):
            with server:
                one_by_one(server.base, [server.path(tile) for tile in window(*bed.centre, 12)])
                load = one_by_one(server.base, [server.path(tile) for tile in tiles])
            rows.append([f"z{zoom} {server.name}", f"{load.p50 / sql:.2f}", *_cells(load)[1:]])
    return table(["tiles", "of bare SQL", *LOAD_HEAD[2:]], rows)


def pan_and_zoom(bed: Bed, folder: Path) -> str:
    """A recorded session of one viewer, z8 to z18, cold and warm, and the same paths under a hundred clients."""
    tiles = session(*bed.centre)
    rows = []
    for server in _peers(bed, folder, cached=True):
        with server:
            paths = [server.path(tile) for tile in tiles]
            rows.append([f"{server.name}: cold", *_cells(one_by_one(server.base, paths))])
            rows.append([f"{server.name}: warm", *_cells(one_by_one(server.base, paths))])
            rows.append([f"{server.name}: 100 clients", *_cells(many(server.base, paths, clients=100, seconds=10))])
    return table(LOAD_HEAD, rows)


def heaviest(bed: Bed, queries: dict[str, str]) -> str:
    """Of each zoom the slowest cold tile and the heaviest one, for some views of the city (name: query string)."""
    rows = []
    for name, query in queries.items():
        with CityTwin(bed.home, bed.city, LAYER, bed.workers) as server:
            for zoom in range(8, 17):
                times, sizes = [], []
                for tile in _around(bed, zoom, 80):
                    start = time.perf_counter()
                    body = _get(server, tile, query)
                    times.append((time.perf_counter() - start) * 1000)
                    sizes.append(len(body and gzip.decompress(body)) / 1000)
                rows.append(
                    [f"{name} z{zoom}", f"{len(times)}", f"{statistics.median(times):.0f}", f"{max(times):.0f}"]
                )
                rows[-1].append(f"{max(sizes):.0f}")
    return table(["view", "tiles", "median ms", "slowest ms", "heaviest kB"], rows)


def same_objects(bed: Bed, folder: Path) -> str:
    """Whether our tile and Martin's hold the same objects: a fast wrong answer is a failure."""
    tile = window(*bed.centre, 16)[4]
    try:
        martin = Martin(peer_table(bed), folder, bed.workers, cached=False)
    except Missing as missing:
        return f"not compared: Martin {missing}"
    with CityTwin(bed.home, bed.city, LAYER, bed.workers) as ours, martin:
        found = []
        for server in (ours, martin):
            decoded = mapbox_vector_tile.decode(gzip.decompress(_get(server, tile)))
            found.append({feature["id"] for feature in decoded[LAYER]["features"]})
    assert found[0] == found[1], f"tile {tile}: {len(found[0])} objects, Martin has {len(found[1])}"
    return f"the same {len(found[0])} objects in ours and Martin's tile {tile.z}/{tile.x}/{tile.y}"


def _peers(bed: Bed, folder: Path, *, cached: bool) -> list[TileServer]:
    shutil.rmtree(bed.home / "cache", ignore_errors=True)
    servers: list[TileServer] = [CityTwin(bed.home, bed.city, LAYER, bed.workers)]
    for make in (
        lambda: Martin(peer_table(bed), folder, bed.workers, cached=cached),
        lambda: TiPg(peer_table(bed), bed.workers),
    ):
        try:
            servers.append(make())
        except Missing as missing:
            print(f"skipped: {missing}")
    return servers


def _available(stack: ExitStack, makers: Sequence[Callable[[], TileServer]]) -> list[TileServer]:
    found = []
    for make in makers:
        try:
            found.append(stack.enter_context(make()))
        except Missing as missing:
            print(f"skipped: {missing}")
    return found


def peer_table(bed: Bed) -> Table:
    """What the peers are given: the table of current buildings, and the columns that we tell."""
    from cim_models.themes import THEMES

    theme = THEMES["building"]
    shown = [("class", "text"), ("name", "text"), ("name_en", "text")]
    shown += [(attribute.name, SQL_KIND[attribute.type]) for attribute in theme.attributes]
    return Table(bed.url, "building_current", LAYER, properties=tuple(shown))


async def _bare_sql(bed: Bed, tiles: list[Address]) -> float:
    """Median milliseconds of the statement alone on one warm connection."""
    database = await Database.open(bed.url)
    async with database.reading() as connection:
        catalog = await load_catalog(connection, database.city)
        layer = catalog.layer(LAYER, PUBLIC)
        statement = all_objects(Selection(layer), catalog, PUBLIC)
        times = []
        for tile in tiles:
            start = time.perf_counter()
            await connection.fetchrow(statement.sql, *statement.with_values(z=tile.z, x=tile.x, y=tile.y))
            times.append((time.perf_counter() - start) * 1000)
    await database.close()
    return statistics.median(times)


def _around(bed: Bed, zoom: int, most: int) -> list[Address]:
    """Tiles with data: all of a zoom that touch the city, at most `most`, those nearest to the centre."""
    tiles = covering(*bed.bbox, zoom)
    x, y = (window(*bed.centre, zoom)[4].x, window(*bed.centre, zoom)[4].y) if zoom > 2 else (0, 0)
    return sorted(tiles, key=lambda tile: max(abs(tile.x - x), abs(tile.y - y)))[:most]


def _get(server: TileServer, tile: Address, query: str = "") -> bytes:
    request = urllib.request.Request(server.base + server.path(tile) + query, headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        found: bytes = answer.read()
    return found


def _middle(loads: list[Load]) -> Load:
    return sorted(loads, key=lambda load: load.rate)[len(loads) // 2]


def _cells(load: Load) -> list[str]:
    figures = [f"{load.p50:.1f}", f"{load.p95:.1f}", f"{load.p99:.1f}"]
    return [f"{load.rate:,.0f}", *figures, str(load.errors), f"{load.megabytes:.1f}"]
