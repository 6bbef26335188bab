"""Steps of events as they are taken, in the order of their commits, for whoever follows."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

import asyncpg

from cim_models.database import Database
from layers.changes import LOST
from twin.sensing.events import CHANNEL

POLL_S = 1.0
# In the order of commits: a lower id may become visible later, so that nothing younger than what still runs is told.
READ = """
    select s.id, json_build_object(
        'event', s.event_id, 'did', s.did, 'who', s.who, 'at', s.at, 'note', s.note, 'details', s.details,
        'state', e.state, 'severity', e.severity, 'title', e.title, 'ended_at', e.ended_at)::text as told
    from sensing.event_step s join sensing.event e on e.id = s.event_id
    where s.id > $1 and s.xid < pg_snapshot_xmin(pg_current_snapshot())
      and not exists (select 1 from sensing.event_step o
                      where o.id > $1 and o.id < s.id and o.xid >= pg_snapshot_xmin(pg_current_snapshot()))
    order by s.id limit 500
"""
LAST = "select coalesce(max(id), 0) from sensing.event_step where xid < pg_snapshot_xmin(pg_current_snapshot())"


@dataclass(frozen=True)
class StepTaken:
    """told: the step and its event, as JSON."""

    id: int
    told: bytes


async def follow_steps(
    database: Database, after: int | None, *, patience_s: float
) -> AsyncGenerator[StepTaken | None, None]:
    """Steps after an id, from the present if None, as they are taken; None where nothing has come for so long."""
    place = after
    quiet_s = 0.0
    while True:
        try:
            connection = await asyncpg.connect(database.url, server_settings={"timezone": "UTC"})
        except LOST:
            await asyncio.sleep(POLL_S)
            continue
        try:
            woken = asyncio.Event()
            await connection.add_listener(CHANNEL, lambda *_: woken.set())  # noqa: B023  # one event a connection
            if place is None:
                place = await connection.fetchval(LAST)
            while True:
                woken.clear()
                for row in await connection.fetch(READ, place):
                    place, quiet_s = row["id"], 0.0
                    yield StepTaken(row["id"], row["told"].encode())
                try:
                    async with asyncio.timeout(POLL_S):
                        await woken.wait()
                except TimeoutError:
                    quiet_s += POLL_S
                if quiet_s >= patience_s:
                    quiet_s = 0.0
                    yield None
        except LOST:
            await asyncio.sleep(POLL_S)
        finally:
            connection.terminate()
