"""Events: what called for attention, and its life until someone has dealt with it, every step kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal

import orjson

from cim_models.database import Connection
from twin.sensing import BadEntity, EntityNotFound

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
    "note": (("raised", "acknowledged", "assigned", "in_work", "resolved", "closed"), None),
}
RAISE = """
    insert into sensing.event (kind, severity, title, text, rule_id, datastream_id, geom, objects, evidence, began_at,
                               raised_by)
    values ($1, $2, $3, $4, $5, $6, st_setsrid(st_geomfromgeojson($7), 4326), $8, $9, $10, $11)
    on conflict (rule_id, datastream_id) where ended_at is null and rule_id is not null do nothing
    returning id
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
            'overdue', state not in ('resolved', 'closed') and coalesce(due_at < now(), false)))::text as told
    from sensing.event
"""
LISTED = f"""
    {TOLD} where ($1::text[] is null or state = any($1)) and ($2::text[] is null or severity = any($2))
      and ($3::bigint[] is null or datastream_id = any($3)) and ($4::bigint is null or id < $4)
    order by id desc limit $5
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
    """What is to be raised. place: GeoJSON point. objects: layer and object_id of each city object it touches."""

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


@dataclass(frozen=True)
class Step:
    """Something done about an event; the rest is for `assign`."""

    did: str
    note: str | None = None
    department: str | None = None
    person: str | None = None
    due_at: datetime | None = None


async def raise_event(connection: Connection, event: NewEvent, who: str) -> int | None:
    """Raise an event; None where the same rule has raised one for the same datastream that is not over."""
    place = None if event.place is None else orjson.dumps(event.place).decode()
    number: int | None = await connection.fetchval(
        RAISE,
        *(event.kind, event.severity, event.title, event.text, event.rule_id, event.datastream_id, place),
        *(list(event.objects), dict(event.evidence or {}), event.began_at, who),
    )
    if number is not None:
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
    await connection.execute(
        "update sensing.event set state = coalesce($2, state), updated_at = now(),"
        " department = coalesce($3, department), person = coalesce($4, person), due_at = coalesce($5, due_at),"
        " escalated_at = case when $5::timestamptz is null then escalated_at end where id = $1",
        *(number, following, step.department, step.person, step.due_at),
    )
    given = {name: value for name in ("department", "person") if (value := getattr(step, name))}
    if step.due_at is not None:
        given["due_at"] = step.due_at.isoformat()
    await _note(connection, number, who, step.did, {"note": step.note, "details": given})


async def escalate_overdue(connection: Connection, who: str) -> list[int]:
    """Mark events that are overdue, each once; their ids."""
    overdue = [row["id"] for row in await connection.fetch(ESCALATE)]
    for number in overdue:
        await _note(connection, number, who, "escalate")
    return overdue


async def list_events(
    connection: Connection,
    *,
    states: Sequence[str] | None = None,
    severities: Sequence[str] | None = None,
    datastreams: Sequence[int] | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[tuple[int, bytes]]:
    """Ids and GeoJSON features, the newest first."""
    rows = await connection.fetch(LISTED, states, severities, datastreams, before, limit)
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
