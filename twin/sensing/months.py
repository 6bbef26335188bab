"""Monthly partitions of the observations: made ahead and for what comes late, dropped when nobody keeps them."""

import asyncio
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import structlog

from cim_models.database import Connection, Database
from twin.sensing import EntityNotFound

AHEAD = 3
EVERY_S = 3600.0
# Before and after these, an observation is a mistake or a curiosity, and the default partition is good enough.
EARLIEST, LATEST = 1900, 2200
ARRIVALS_KEPT = timedelta(hours=1)
NAME = re.compile(r"observation_(\d{4})_(\d{2})\Z")
PARTITIONS = """
    select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'sensing.observation'::regclass
"""
# Months that a kind keeps; a kind without observations has no say.
KEPT = """
    select k.id, k.kept_months, array_agg(d.id) as datastreams
    from sensing.kind k join sensing.datastream d on d.kind = k.id group by k.id
"""
# The newest stays: whoever has not looked for longer sees by it that there was one.
FORGET_CHANGES = """
    delete from sensing.description_change
    where at < $1 and xid < (select xid from sensing.description_change order by xid desc limit 1)
"""
LOG = structlog.get_logger()

Month = tuple[int, int]


async def ensure_months(connection: Connection, months: Iterable[Month]) -> None:
    """Make the partitions of these months (year, month; UTC) where there are none."""
    for year, month in sorted(months):
        if EARLIEST <= year < LATEST:
            await connection.execute("select sensing.ensure_month($1)", datetime(year, month, 1, tzinfo=UTC))


async def kept_months(connection: Connection, kind: str | None = None) -> dict[str, int | None]:
    """Full months that single observations are kept, by kind; None is for ever. Raises EntityNotFound."""
    rows = await connection.fetch("select id, kept_months from sensing.kind order by id")
    kept: dict[str, int | None] = {row["id"]: row["kept_months"] for row in rows if kind in (None, row["id"])}
    if not kept:
        raise EntityNotFound(f"no kind {kind!r}; there are {', '.join(row['id'] for row in rows)}")
    return kept


async def keep_months(connection: Connection, kind: str, months: int | None) -> None:
    """Keep a kind's observations so many full months, None for ever; what is over goes within the hour."""
    await kept_months(connection, kind)
    await connection.execute("update sensing.kind set kept_months = $2 where id = $1", kind, months)


async def tend_months(database: Database) -> None:
    """Make partitions ahead, drop what no kind keeps any longer, forget old arrivals; for ever."""
    while True:
        await tend_once(database, datetime.now(UTC))
        await asyncio.sleep(EVERY_S)


async def tend_once(database: Database, now: datetime) -> None:
    """One round of `tend_months`."""
    async with database.writing() as connection:
        await ensure_months(connection, (_later((now.year, now.month), step) for step in range(-1, AHEAD + 1)))
    async with database.writing() as connection:
        await connection.execute("delete from sensing.arrival where at < $1", now - ARRIVALS_KEPT)
        await connection.execute(FORGET_CHANGES, now - ARRIVALS_KEPT)
    await _expire(database, (now.year, now.month))


async def _expire(database: Database, present: Month) -> None:
    async with database.reading() as connection:
        kinds = await connection.fetch(KEPT)
        months = sorted(_month(row["relname"]) for row in await connection.fetch(PARTITIONS) if NAME.match(row[0]))
    oldest = {row["id"]: _later(present, -row["kept_months"]) for row in kinds if row["kept_months"]}
    if not oldest:
        return
    for month in months:
        over = [row for row in kinds if row["id"] in oldest and month < oldest[row["id"]]]
        if not over:
            continue
        part = f"sensing.observation_{month[0]:04}_{month[1]:02}"
        async with database.writing() as connection:
            if len(over) == len(kinds):
                # A partition goes in milliseconds, however full.
                await connection.execute(f"drop table {part}")
                LOG.info("observations dropped", month=part)
            else:
                streams = [stream for row in over for stream in row["datastreams"]]
                await connection.execute(f"delete from {part} where datastream_id = any($1::bigint[])", streams)


def _month(name: str) -> Month:
    found = NAME.match(name)
    assert found is not None
    return int(found[1]), int(found[2])


def _later(month: Month, steps: int) -> Month:
    number = month[0] * 12 + month[1] - 1 + steps
    return number // 12, number % 12 + 1
