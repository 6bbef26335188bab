"""The change feed: what changed, where and by whom, read so that nothing is lost.

Numbers are given in one order and committed in another, so a reader of "seq > last" loses rows. This one reads only
what is older than every transaction that still runs, in (xid, seq) order, and keeps its place as that pair. An open
transaction therefore holds the feed back until it ends; writers are short.
"""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Literal

import asyncpg

from cim_models.database import Connection, Database
from layers.boxes import Bbox
from layers.following import POLL_S, follow_feed

CHANNEL = "citytwin_change"
BATCH = 1000

Op = Literal["insert", "update", "delete", "bulk", "boundary", "layer"]

INSERT_SQL = """
    insert into change ("table", dataset_id, object_id, plan_id, op, bbox_old, bbox_new, valid_from, valid_to, who, why)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""
READ_SQL = """
    select xid, seq, "table", dataset_id, object_id, plan_id, op, bbox_old, bbox_new, valid_from, valid_to, who, why, at
    from change
    where (xid, seq) > ($1, $2) and xid < pg_snapshot_xmin(pg_current_snapshot())
    order by xid, seq limit $3
"""
PLACE_SQL = """
    insert into change_consumer (name, xid, seq) values ($1, $2, $3)
    on conflict (name) do update set xid = excluded.xid, seq = excluded.seq
"""


@dataclass(frozen=True, order=True)
class Place:
    """How far a reader has come: it has seen what is not after this."""

    xid: int
    seq: int


@dataclass(frozen=True)
class Change:
    """One edit, or one box of many objects that changed at once (object_id is None).

    bbox_old, bbox_new: west, south, east, north in the city's CRS; None where there was, or is, nothing.
    valid_from, valid_to: outside of this span nothing changed; None is unbounded. plan_id: seen in that plan alone.
    """

    place: Place
    table: str
    dataset_id: int | None
    object_id: int | None
    plan_id: int | None
    op: Op
    bbox_old: Bbox | None
    bbox_new: Bbox | None
    valid_from: datetime | None
    valid_to: datetime | None
    who: str
    why: str | None
    at: datetime


async def wake(connection: Connection) -> None:
    """Tell who follows the feed, when this transaction commits, that there is something to read."""
    await connection.execute(f"select pg_notify('{CHANNEL}', '')")


async def present(connection: Connection) -> Place:
    """The place after everything that any reader has been shown by now."""
    xmin = await connection.fetchval("select pg_snapshot_xmin(pg_current_snapshot())")
    return Place(xmin, 0)


async def read_changes(connection: Connection, after: Place, limit: int = BATCH) -> list[Change]:
    """The next changes after a place, oldest first; an empty list where there is none yet."""
    return [_change(row) for row in await connection.fetch(READ_SQL, after.xid, after.seq, limit)]


async def kept_place(connection: Connection, consumer: str) -> Place:
    """Where a lasting consumer left off; a new one begins at the present."""
    row = await connection.fetchrow("select xid, seq from change_consumer where name = $1", consumer)
    if row is not None:
        return Place(row["xid"], row["seq"])
    place = await present(connection)
    await keep_place(connection, consumer, place)
    return place


async def keep_place(connection: Connection, consumer: str, place: Place) -> None:
    """Remember how far a lasting consumer has come; in the transaction of what it did, it does each change once."""
    await connection.execute(PLACE_SQL, consumer, place.xid, place.seq)


def follow(
    database: Database, after: Place | None = None, *, poll_s: float = POLL_S, limit: int = BATCH
) -> AsyncGenerator[list[Change], None]:
    """Changes as they come, as `follow_feed` gives them; from the present if `after` is None."""
    return follow_feed(
        database, CHANNEL, after, present=present, read=partial(read_changes, limit=limit), poll_s=poll_s
    )


def _change(row: asyncpg.Record) -> Change:
    return Change(
        place=Place(row["xid"], row["seq"]),
        table=row["table"],
        dataset_id=row["dataset_id"],
        object_id=row["object_id"],
        plan_id=row["plan_id"],
        op=row["op"],
        bbox_old=row["bbox_old"] and tuple(row["bbox_old"]),
        bbox_new=row["bbox_new"] and tuple(row["bbox_new"]),
        valid_from=row["valid_from"],
        valid_to=row["valid_to"],
        who=row["who"],
        why=row["why"],
        at=row["at"],
    )
