"""Events: what called for attention, and its life until someone has dealt with it, every step kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Literal

import orjson

from cim_models.database import Connection
from twin.sensing import BadEntity, EntityNotFound
from twin.sensing.event_layer import make_event_layer, reach_event

CHANNEL = "citytwin_event"
Severity = Literal["blue", "yellow", "orange", "red"]
SEVERITIES: tuple[Severity, ...] = ("blue", "yellow", "orange", "red")
# What may be done in which state, and the state after it.
STEPS: dict[str, tuple[tuple[str, ...], str | None]] = {
    "acknowledge": (("raised",), "acknowledged"),
    "assign": (("raised", "acknowledged", "assigned", "in_work"), "assigned"),
    "start": (("acknowledged", "assigned"), "in_work"),
    "resolve": (("acknowledged", "assigned", "in_work"), "resolved"),
    "reopen": (("resolved", "closed"), "acknowledged"),
    "close": (("acknowledged", "resolved"), "closed"),
    "merge": (("raised", "acknowledged", "assigned", "in_work"), "closed"),
    "note": (("raised", "acknowledged", "assigned", "in_work", "resolved", "closed"), None),
}
ENDING = ("close", "merge", "resolve")
RAISE = """
    insert into sensing.event (kind, severity, title, text, rule_id, datastream_id, geom, objects, evidence, began_at,
                               raised_by, key, due_at)
    values ($1, $2, $3, $4, $5, $6, st_setsrid(st_geomfromgeojson($7), 4326), $8, $9, $10, $11, $12, now() + $13)
    on conflict do nothing
    returning id
"""
# Said once more of what is still open: the worse of both severities is what counts.
REPEAT = """
    update sensing.event e set times = times + 1, last_at = greatest(e.last_at, e.began_at, $3), updated_at = now(),
           severity = case when array_position($5::text[], $4) > array_position($5::text[], e.severity) then $4
                           else e.severity end
    where kind = $1 and key = $2 and state not in ('resolved', 'closed') returning id
"""
# A part of another stays it until it is reopened. What a person or a program raised is over when it is closed, and on
# again when it is reopened; a rule says for itself when its own are.
TAKE = """
    update sensing.event set state = coalesce($2, state), updated_at = now(), department = coalesce($3, department),
           person = coalesce($4, person), due_at = coalesce($5, due_at),
           escalated_at = case when $5::timestamptz is null then escalated_at end,
           merged_into = case when $2::text is null then merged_into else $6 end,
           ended_at = case when rule_id is not null or $2 is null then ended_at
                           when $7 then coalesce(ended_at, now()) end
    where id = $1
"""
MERGE = """
    update sensing.event into_ set times = into_.times + one.times, updated_at = now(),
           last_at = greatest(into_.last_at, into_.began_at, one.last_at, one.began_at)
    from sensing.event one
    where into_.id = $1 and one.id = $2 and into_.id <> one.id and into_.state <> 'closed' returning into_.id
"""
STEP = "insert into sensing.event_step (event_id, who, did, note, details) values ($1, $2, $3, $4, $5)"
TOLD = """
    select id, json_build_object(
        'type', 'Feature', 'id', id, 'geometry', st_asgeojson(geom, 7)::json,
        'properties', json_build_object(
            'kind', kind, 'severity', severity, 'state', state, 'title', title, 'text', text, 'rule', rule_id,
            'datastream', datastream_id, 'objects', objects, 'evidence', evidence, 'began_at', began_at,
            'ended_at', ended_at, 'raised_at', raised_at, 'raised_by', raised_by, 'updated_at', updated_at,
            'department', department, 'person', person, 'due_at', due_at, 'escalated_at', escalated_at,
            'key', key, 'times', times, 'last_at', last_at, 'merged_into', merged_into,
            'overdue', state not in ('resolved', 'closed') and coalesce(due_at < now(), false)))::text as told
    from sensing.event
"""
LISTED = f"""
    {TOLD} where ($1::text[] is null or state = any($1)) and ($2::text[] is null or severity = any($2))
      and ($3::bigint[] is null or datastream_id = any($3)) and ($4::text[] is null or kind = any($4))
      and ($5::jsonb is null or objects @> $5)
      and ($6::float8[] is null or geom && st_makeenvelope($6[1], $6[2], $6[3], $6[4], 4326))
      and ($7::timestamptz is null or coalesce(ended_at, 'infinity') >= $7)
      and ($8::timestamptz is null or began_at <= $8)
      and ($9::bigint is null or id < $9)
    order by id desc limit $10
"""
HISTORY = """
    select json_build_object('id', id, 'at', at, 'who', who, 'did', did, 'note', note, 'details', details)::text
    from sensing.event_step where event_id = $1 order by id
"""
ESCALATE = """
    update sensing.event set escalated_at = now(), updated_at = now()
    where state not in ('resolved', 'closed') and due_at < now() and escalated_at is null returning id
"""


@dataclass(frozen=True)
class NewEvent:
    """What is to be raised. place: GeoJSON point. objects: layer and object_id of each city object it touches.

    key: by which a report of the same is known, as long as the event is open. due_after: time to deal with it.
    """

    kind: str
    severity: Severity
    title: str
    began_at: datetime
    text: str | None = None
    rule_id: int | None = None
    datastream_id: int | None = None
    place: Mapping[str, Any] | None = None
    objects: Sequence[Mapping[str, Any]] = ()
    evidence: Mapping[str, Any] | None = None
    key: str | None = None
    due_after: timedelta | None = None


@dataclass(frozen=True)
class Sought:
    """Which events are meant; None is no condition. of: layer and id of a city object. since, until: that it lasted."""

    states: Sequence[str] | None = None
    severities: Sequence[str] | None = None
    datastreams: Sequence[int] | None = None
    kinds: Sequence[str] | None = None
    of: tuple[str, int] | None = None
    bbox: Sequence[float] | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None

    def arguments(self) -> tuple[object, ...]:
        of = None if self.of is None else [{"layer": self.of[0], "object_id": self.of[1]}]
        return (
            *(self.states, self.severities, self.datastreams, self.kinds, of, self.bbox, self.since, self.until),
            self.before,
        )


@dataclass(frozen=True)
class Step:
    """Something done about an event. into: the event that a `merge` makes it a part of; the rest is for `assign`."""

    did: str
    note: str | None = None
    into: int | None = None
    department: str | None = None
    person: str | None = None
    due_at: datetime | None = None


async def raise_event(connection: Connection, event: NewEvent, who: str) -> int | None:
    """Raise an event; its id, or that of the open one with the same key, which was then reported once more.

    None where the same rule has raised one for the same datastream that is not over.
    """
    place = None if event.place is None else orjson.dumps(event.place).decode()
    given = (
        *(event.kind, event.severity, event.title, event.text, event.rule_id, event.datastream_id, place),
        *(list(event.objects), dict(event.evidence or {}), event.began_at, who, event.key, event.due_after),
    )
    number: int | None = await connection.fetchval(RAISE, *given)
    if number is None and event.key is not None:
        told = event.kind, event.key, event.began_at, event.severity, list(SEVERITIES)
        number = await connection.fetchval(REPEAT, *told)
        if number is not None:
            details = {"title": event.title, "severity": event.severity, "evidence": dict(event.evidence or {})}
            await _note(connection, number, who, "repeat", {"note": event.text, "details": details})
            return number
        # It was closed in between: this is another one.
        number = await connection.fetchval(RAISE, *given)
    if number is not None:
        await make_event_layer(connection)
        await reach_event(connection, number)
        await _note(connection, number, who, "raise")
    return number


async def end_event(connection: Connection, number: int, at: datetime, who: str) -> None:
    """What the event was raised for is over; someone has still to close it."""
    await connection.execute("update sensing.event set ended_at = $2, updated_at = now() where id = $1", number, at)
    await _note(connection, number, who, "over")


async def take_step(connection: Connection, number: int, step: Step, who: str) -> None:
    """Do something about an event. Raises EntityNotFound, BadEntity where its state does not allow it."""
    state = await connection.fetchval("select state from sensing.event where id = $1 for update", number)
    if state is None:
        raise EntityNotFound(f"no event {number}")
    if step.did not in STEPS:
        raise BadEntity(f"no step {step.did[:40]!r}; there are {', '.join(STEPS)}")
    allowed, following = STEPS[step.did]
    if state not in allowed:
        raise BadEntity(f"an event that is {state} cannot be: {step.did}; it must be {' or '.join(allowed)}")
    if step.did == "assign" and not (step.department or step.person):
        raise BadEntity("assign: name a department or a person")
    if step.did == "note" and not step.note:
        raise BadEntity("note: there is none")
    if step.into is not None and step.did != "merge":
        raise BadEntity(f"into: goes with merge, not with {step.did}")
    if step.did == "merge":
        await _merge(connection, number, step.into, who)
    await connection.execute(
        TAKE, *(number, following, step.department, step.person, step.due_at, step.into, step.did in ENDING)
    )
    given: dict[str, Any] = {
        name: value for name in ("department", "person", "into") if (value := getattr(step, name)) is not None
    }
    if step.due_at is not None:
        given["due_at"] = step.due_at.isoformat()
    await _note(connection, number, who, step.did, {"note": step.note, "details": given})


async def _merge(connection: Connection, number: int, into: int | None, who: str) -> None:
    """Count an event as one more report of another."""
    found = await connection.fetchval(MERGE, into, number)
    if found is None:
        raise BadEntity(f"merge: `into` must be another event that is not closed; {into} is none")
    await _note(connection, found, who, "repeat", {"details": {"merged": number}})


async def escalate_overdue(connection: Connection, who: str) -> list[int]:
    """Mark events that are overdue, each once; their ids."""
    overdue = [row["id"] for row in await connection.fetch(ESCALATE)]
    for number in overdue:
        await _note(connection, number, who, "escalate")
    return overdue


async def list_events(connection: Connection, sought: Sought, limit: int = 100) -> list[tuple[int, bytes]]:
    """Ids and GeoJSON features, the newest first."""
    rows = await connection.fetch(LISTED, *sought.arguments(), limit)
    return [(row["id"], row["told"].encode()) for row in rows]


async def read_event(connection: Connection, number: int) -> bytes:
    """An event as a GeoJSON feature with its history. Raises EntityNotFound."""
    row = await connection.fetchrow(f"{TOLD} where id = $1", number)
    if row is None:
        raise EntityNotFound(f"no event {number}")
    steps = [each[0].encode() for each in await connection.fetch(HISTORY, number)]
    told: bytes = row["told"].encode()
    return told[:-1] + b',"history":[' + b",".join(steps) + b"]}"


async def _note(
    connection: Connection, number: int, who: str, did: str, more: Mapping[str, Any] = MappingProxyType({})
) -> None:
    await connection.execute(STEP, number, who, did, more.get("note"), more.get("details", {}))
    await connection.execute(f"select pg_notify('{CHANNEL}', '')")
