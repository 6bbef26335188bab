"""The ticker: when a validity begins or ends, nobody edits anything, and yet the city looks different."""

import asyncio
import logging
from datetime import datetime, timedelta

from cim_models.database import Connection, Database
from cim_models.themes import THEMES
from layers.access import SYSTEM
from layers.boxes import boxes, cells_sql, union
from layers.changes import INSERT_SQL, wake
from layers.following import LOST
from layers.villages import AREAS, reassign

# "tick" in ASCII: one process of a city ticks, whichever comes first.
LOCK = 0x7469636B
TICK_S = 1.0
# More objects of a theme than this at once are told as boxes.
MOST_OBJECTS = 200
# Nothing passed: the clock is put forward only so often, to spare the table.
IDLE = timedelta(minutes=1)

logger = logging.getLogger(__name__)


def _passed(table: str) -> str:
    """SQL: current rows whose validity began or ended after $1 and not after $2."""
    return " union all ".join(
        f"select dataset_id, object_id, plan_id, geom, geom_web, {column} as moment, {began} as began from {table}"
        f" where recorded_to = 'infinity' and {column} > $1 and {column} <= $2"
        for column, began in (("valid_from", "true"), ("valid_to", "false"))
    )


COUNT_SQL = " union all ".join(
    f"select '{table}' as name, count(*) as rows from ({_passed(table)}) passed having count(*) > 0" for table in THEMES
)


async def tick(connection: Connection, srid: int) -> int:
    """Write a change for each validity that began or ended since the last tick; gives how many rows of objects did.

    In the caller's transaction. Does nothing while another process ticks; after a pause it catches up. srid: of the
    city.
    """
    if not await connection.fetchval("select pg_try_advisory_xact_lock($1)", LOCK):
        return 0
    last = await connection.fetchval("select at from validity_clock")
    now = await connection.fetchval("select clock_timestamp()")
    passed = await connection.fetch(COUNT_SQL, last, now)
    if not passed and now - last < IDLE:
        return 0
    for row in passed:
        if row["rows"] <= MOST_OBJECTS:
            await connection.execute(_objects_sql(row["name"]), last, now)
        else:
            await _write_boxes(connection, row["name"], last, now)
        if row["name"] == AREAS:
            await _reassign(connection, srid, last, now)
    await connection.execute("update validity_clock set at = $1", now)
    if passed:
        await wake(connection)
    return sum(row["rows"] for row in passed)


async def keep_ticking(database: Database, *, every_s: float = TICK_S) -> None:
    """Tick until cancelled; any number of processes of a city may."""
    while True:
        try:
            async with database.writing() as connection:
                await tick(connection, database.city.srid)
        except LOST as error:
            logger.warning("validity ticker: %s; trying again", error)
        await asyncio.sleep(every_s)


def _objects_sql(table: str) -> str:
    corners = [f"{corner}({{}})" for corner in ("ST_XMin", "ST_YMin", "ST_XMax", "ST_YMax")]
    boxed = "case when {0} is not null then array[" + ", ".join(corners).replace("{}", "{0}") + "] end"
    return f"""
        insert into change ("table", dataset_id, object_id, plan_id, op, bbox_old, bbox_new, valid_from, who)
        select '{table}', dataset_id, object_id, plan_id, 'boundary', {boxed.format("old")}, {boxed.format("new")},
               moment, '{SYSTEM.name}'
        from (
            select dataset_id, object_id, plan_id, min(moment) as moment,
                   ST_Extent(geom) filter (where not began) as old, ST_Extent(geom) filter (where began) as new
            from ({_passed(table)}) passed group by dataset_id, object_id, plan_id
        ) object
        order by object_id
    """


async def _write_boxes(connection: Connection, table: str, last: datetime, now: datetime) -> None:
    cells = await connection.fetch(cells_sql(_passed(table)), last, now)
    await connection.executemany(
        INSERT_SQL,
        [
            (table, None, None, None, "boundary", box, box, last, None, SYSTEM.name, None)
            for box in boxes(tuple(cell) for cell in cells)
        ],
    )


async def _reassign(connection: Connection, srid: int, last: datetime, now: datetime) -> None:
    extent = union(boxes(tuple(cell) for cell in await connection.fetch(cells_sql(_passed(AREAS)), last, now)))
    if extent is not None:
        await reassign(connection, extent, srid, SYSTEM.name)
