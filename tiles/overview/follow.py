"""Overviews follow the change feed, in its order; one process of a city at a time builds."""

import asyncio
import contextlib
import logging
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Iterable
from contextlib import asynccontextmanager

import asyncpg

from cim_models.database import Connection, Database
from layers.access import SYSTEM
from layers.catalog import Catalog, load_catalog
from layers.changes import CHANNEL, Change, keep_place, kept_place, read_changes
from tiles.matrix import Box, web_box
from tiles.overview.build import build_cells, build_layer, touched_cells
from tiles.overview.recipe import CONSUMER
from tiles.overview.source import Source

# One number for all builders of a database: "over" in ASCII.
BUILDER_LOCK = 0x6F766572
POLL_S = 1.0
# A layer that could not be built is tried again after so long.
RETRY_S = 300.0
# What ends the whole work, not one layer's.
LOST = (OSError, asyncpg.InterfaceError, asyncpg.PostgresConnectionError, asyncpg.AdminShutdownError)

logger = logging.getLogger(__name__)


async def follow(database: Database) -> None:
    """Keep the overviews of a city up with its edits, for ever; any number of processes may, one builds at a time.

    Raises what a lost connection raises.
    """
    async with _connection(database) as connection:
        woken, given_up = asyncio.Event(), GivenUp()
        await connection.add_listener(CHANNEL, lambda *_: woken.set())
        while True:
            woken.clear()
            async with _alone(connection):
                await _catch_up(connection, database, given_up)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL_S):
                    await woken.wait()


async def catch_up(database: Database) -> None:
    """Bring the overviews of a city up to now: after an import, so that its first tiles are quick."""
    async with _connection(database) as connection, _alone(connection):
        await _catch_up(connection, database, GivenUp())


async def rebuild(database: Database, layer_id: str) -> None:
    """Build the overviews of one layer from nothing. Raises LayerNotFound."""
    async with _connection(database) as connection, _alone(connection):
        catalog = await _catalog(database)
        await _build(connection, database, Source(catalog.layer(layer_id, SYSTEM), catalog))


@asynccontextmanager
async def _connection(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """A connection of its own to the primary, on which statements may take their time."""
    settings = {"jit": "off", "statement_timeout": "0", "application_name": "citytwin overviews"}
    connection = await asyncpg.connect(database.url, server_settings=settings)
    try:
        yield connection
    finally:
        # At once: the server lets go of its locks when it notices.
        connection.terminate()


@asynccontextmanager
async def _alone(connection: Connection) -> AsyncIterator[None]:
    """No other process builds meanwhile."""
    await connection.execute("select pg_advisory_lock($1)", BUILDER_LOCK)
    yield
    await connection.execute("select pg_advisory_unlock($1)", BUILDER_LOCK)


class GivenUp:
    """Layers whose overviews could not be built, until they are tried again; the others go on without them.

    Their tiles are drawn from the objects meanwhile.
    """

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def __contains__(self, layer_id: str) -> bool:
        return time.monotonic() < self._until.get(layer_id, 0.0)

    async def unless_it_fails(self, connection: Connection, source: Source, work: Awaitable[None]) -> None:
        """Do one layer's work. Raises what a lost connection raises; any other failure is the layer's alone."""
        layer_id = source.layer.id
        try:
            await work
        except LOST:
            raise
        except Exception:
            logger.exception("overviews of %s: could not be built; trying again in %.0f s", layer_id, RETRY_S)
            self._until[layer_id] = time.monotonic() + RETRY_S
            # What it missed from here on is not in what stands: it is built anew.
            await connection.execute("delete from overview_layer where layer = $1", layer_id)


async def _catch_up(connection: Connection, database: Database, given_up: GivenUp) -> None:
    if not await connection.fetchval("select exists (select from change_consumer where name = $1)", CONSUMER):
        # Nobody knows which changes are in what stands: all is built anew.
        await connection.execute("delete from overview_layer")
    place = await kept_place(connection, CONSUMER)
    sources = _sources(await _catalog(database))
    built = {row["layer"]: row["definition"] for row in await connection.fetch("select * from overview_layer")}
    await _forget(connection, built.keys() - {source.layer.id for source in sources})
    for source in sources:
        if built.get(source.layer.id) != source.definition and source.layer.id not in given_up:
            logger.info("overviews of %s: building all", source.layer.id)
            await given_up.unless_it_fails(connection, source, _build(connection, database, source))
    while changes := await read_changes(connection, place):
        for source, boxes in _changed(sources, changes):
            if source.layer.id not in given_up:
                await given_up.unless_it_fails(connection, source, _rebuild(connection, source, boxes))
        place = changes[-1].place
        await keep_place(connection, CONSUMER, place)


async def _build(connection: Connection, database: Database, source: Source) -> None:
    async with _connection(database) as second:
        await build_layer((connection, second), source)


async def _rebuild(connection: Connection, source: Source, boxes: list[Box]) -> None:
    await build_cells((connection,), source, await touched_cells(connection, source, boxes))


async def _catalog(database: Database) -> Catalog:
    # Of the primary: a replica may not know the layer yet that the feed tells of.
    async with database.writing() as connection:
        return await load_catalog(connection, database.city)


def _sources(catalog: Catalog) -> list[Source]:
    sources = (Source(layer, catalog) for layer in catalog.layers(SYSTEM))
    return [source for source in sources if source.has_overviews]


async def _forget(connection: Connection, layers: Iterable[str]) -> None:
    """Clear away what layers left behind that are gone, or now begin at higher zooms."""
    for layer in layers:
        async with connection.transaction():
            for table in ("overview", "overview_coverage", "overview_layer"):
                await connection.execute(f"delete from {table} where layer = $1", layer)


def _changed(sources: Iterable[Source], changes: Iterable[Change]) -> list[tuple[Source, list[Box]]]:
    """Where each source changed; a plan's objects are in no overview."""
    boxes: dict[tuple[str, int | None], list[Box]] = defaultdict(list)
    for change in changes:
        if change.plan_id is None:
            boxes[change.table, change.dataset_id] += [web_box(b) for b in (change.bbox_old, change.bbox_new) if b]
    found = []
    for source in sources:
        layer = source.layer
        mine = [
            box
            for (table, dataset), there in boxes.items()
            if table == layer.theme.table and (None in (dataset, layer.dataset_id) or dataset == layer.dataset_id)
            for box in there
        ]
        if mine:
            found.append((source, mine))
    return found
