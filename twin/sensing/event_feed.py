"""Steps of events as they are taken, in the order of their commits, for whoever follows."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from cim_models.database import Connection, Database
from layers.following import follow_feed
from twin.sensing.events import CHANNEL
from twin.sensing.hub import Hub

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
    """place: its id. told: the step and its event, as JSON."""

    place: int
    told: bytes


async def last_step(connection: Connection) -> int:
    """The last step that any reader has been shown by now."""
    number: int = await connection.fetchval(LAST)
    return number


async def read_steps(connection: Connection, after: int) -> list[StepTaken]:
    """The next steps after one, oldest first."""
    return [StepTaken(row["id"], row["told"].encode()) for row in await connection.fetch(READ, after)]


def follow_steps(database: Database, after: int) -> AsyncGenerator[list[StepTaken], None]:
    """Steps as they are taken, as `follow_feed` gives them."""
    return follow_feed(database, CHANNEL, after, present=last_step, read=read_steps)


def steps_hub(database: Database) -> Hub[StepTaken]:
    """What all listeners of a process to a city's events share."""
    return Hub(database, present=last_step, read=read_steps, follow=follow_steps)
