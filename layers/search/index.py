"""The search index follows the change feed; one process of a city at a time writes it."""

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import asyncpg

from cim_models.database import Connection, Database
from cim_models.themes import THEMES
from layers.boxes import Bbox
from layers.changes import CHANNEL, Change, keep_place, kept_place, read_changes
from layers.search.entries import entry, fields

CONSUMER = "search"
# One number for all writers of a database: "find" in ASCII.
WRITER_LOCK = 0x66696E64
POLL_S = 1.0
# Rows in memory at once.
ROWS = 20_000
# Rasters have cells, nodes of roads have no names.
TABLES = tuple(table for table in THEMES if table not in ("terrain", "coverage", "road_node"))
INDEXES_SQL = """
    select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition
    from pg_index where indrelid = 'search_entry'::regclass
"""
INSERT_SQL = """
    insert into search_entry ("table", object_id, dataset_id, field, text, key, grams, latin, weight, area, point)
    select "table", object_id, dataset_id, field, text, key, string_to_array(grams, ' '), latin, weight, area,
           point::geometry
    from unnest($1::text[], $2::bigint[], $3::integer[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                $9::real[], $10::text[], $11::text[])
         as entry ("table", object_id, dataset_id, field, text, key, grams, latin, weight, area, point)
"""

logger = logging.getLogger(__name__)


async def keep_findable(database: Database) -> None:
    """Keep the search index of a city up with its edits, for ever; any number of processes may, one writes at a time.

    Raises what a lost connection raises.
    """
    async with _connection(database) as connection:
        woken = asyncio.Event()
        await connection.add_listener(CHANNEL, lambda *_: woken.set())
        while True:
            woken.clear()
            await _alone(connection, database.city.srid)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL_S):
                    await woken.wait()


async def catch_up(database: Database) -> None:
    """Bring the search index of a city up to now; a city that has none is read through from the start."""
    async with _connection(database) as connection:
        await _alone(connection, database.city.srid)


@asynccontextmanager
async def _connection(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """A connection of its own to the primary, on which statements may take their time."""
    settings = {"jit": "off", "statement_timeout": "0", "application_name": "citytwin search"}
    connection = await asyncpg.connect(database.url, server_settings=settings)
    try:
        yield connection
    finally:
        # At once: the server lets go of its locks when it notices.
        connection.terminate()


async def _alone(connection: Connection, srid: int) -> None:
    """Catch up while no other process writes."""
    await connection.execute("select pg_advisory_lock($1)", WRITER_LOCK)
    try:
        await _catch_up(connection, srid)
    finally:
        await connection.execute("select pg_advisory_unlock($1)", WRITER_LOCK)


async def _catch_up(connection: Connection, srid: int) -> None:
    if not await connection.fetchval("select exists (select from change_consumer where name = $1)", CONSUMER):
        await _rebuild(connection)
    place = await kept_place(connection, CONSUMER)
    while changes := await read_changes(connection, place):
        place = changes[-1].place
        async with connection.transaction():
            await _take_in(connection, changes, srid)
            await keep_place(connection, CONSUMER, place)


async def _rebuild(connection: Connection) -> None:
    """Read the whole city: nobody knows which changes are in what stands."""
    async with connection.transaction():
        # First the place, then the objects: what changes meanwhile is read again.
        await kept_place(connection, CONSUMER)
        await connection.execute("truncate search_entry")
        # To make an index at the end takes a tenth of what keeping it up row by row does.
        indexes = await connection.fetch(INDEXES_SQL)
        for index in indexes:
            await connection.execute(f"drop index {index['name']}")
        count = 0
        for table in TABLES:
            count += await _write(connection, table, "true")
        for index in indexes:
            await connection.execute(index["definition"])
    # How often letters stand together decides which index is asked.
    await connection.execute("analyze search_entry")
    logger.info("search: %d names and addresses", count)


async def _take_in(connection: Connection, changes: Iterable[Change], srid: int) -> None:
    """Write anew all objects that changes name, or that lie where they say."""
    objects: defaultdict[str, set[int]] = defaultdict(set)
    boxes: defaultdict[str, set[Bbox]] = defaultdict(set)
    for change in changes:
        if change.table == "layer":
            # A data set may be gone with its layer, and its rows without a word.
            await connection.execute("delete from search_entry where dataset_id not in (select id from dataset)")
        elif change.table not in TABLES or change.op == "boundary":
            continue
        elif change.object_id is not None:
            objects[change.table].add(change.object_id)
        else:
            boxes[change.table].update(box for box in (change.bbox_old, change.bbox_new) if box)
    for table, where in boxes.items():
        objects[table] |= await _objects_in(connection, table, where, srid)
    for table, found in objects.items():
        ids = sorted(found)
        await connection.execute('delete from search_entry where "table" = $1 and object_id = any($2)', table, ids)
        await _write(connection, table, "object.object_id = any($1)", ids)


async def _objects_in(connection: Connection, table: str, boxes: Iterable[Bbox], srid: int) -> set[int]:
    """Objects that are findable in boxes, or should be."""
    corners = list(zip(*boxes, strict=True))
    envelope = f"ST_MakeEnvelope(west, south, east, north, {srid})"
    named = " or ".join(f"{field.sql} is not null" for field in fields(table))
    found = await connection.fetch(
        f"""
        with box as (select {envelope} as geom from unnest($1::float8[], $2::float8[], $3::float8[], $4::float8[])
                     as corner (west, south, east, north))
        select object.object_id from {table} object join box on object.geom && box.geom
        where object.recorded_to = 'infinity' and ({named})
        union select entry.object_id from search_entry entry join box on entry.point && box.geom
        where entry."table" = $5
        """,
        *corners,
        table,
    )
    return {row["object_id"] for row in found}


async def _write(connection: Connection, table: str, condition: str, *arguments: object) -> int:
    """Write the entries of those objects of a theme that fulfil an SQL condition; how many there are."""
    texts = ", ".join(f"('{field.name}', {field.sql})" for field in fields(table))
    area, code = ("object.code",) * 2 if table == "administrative_area" else ("object.village_code", "null::text")
    # Every state that the model now believes, in whatever time and plan: which of them is meant, the asker says.
    statement = f"""
        select distinct on (object.object_id, found.field, found.text)
            '{table}' as "table", object.object_id, object.dataset_id, found.field, found.text, {code} as code,
            {area} as area, ST_AsHEXEWKB(ST_PointOnSurface(ST_Force2D(object.geom))) as point
        from {table} object cross join lateral (values {texts}) as found (field, text)
        where object.recorded_to = 'infinity' and object.plan_action is distinct from 'remove'
          and found.text <> '' and not ST_IsEmpty(object.geom) and {condition}
        order by object.object_id, found.field, found.text, object.valid_from desc nulls last
    """
    count = 0
    async with connection.transaction():
        cursor = await connection.cursor(statement, *arguments)
        while rows := await cursor.fetch(ROWS):
            entries = await asyncio.to_thread(_entries, rows)
            count += len(entries)
            if entries:
                await connection.execute(INSERT_SQL, *zip(*entries, strict=True))
    return count


def _entries(rows: Iterable[asyncpg.Record]) -> list[tuple[object, ...]]:
    return [found for row in rows if (found := entry(row)) is not None]
