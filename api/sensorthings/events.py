"""/events and /rules: what calls for attention, what is done about it, and what is watched."""

import re
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from api.answers import json_answer
from api.documentation import described
from api.errors import BadRequest
from api.exchange import exchange
from api.links import GEOJSON, JSON
from api.parameters import Parameter, Query, whole_number
from api.sensorthings.latest import DATASTREAM
from api.sensorthings.service import Service, readable, writable
from api.sensorthings.stream import EVENTS, HEARTBEAT_S, LONGEST_S
from layers.view import parse_interval
from twin.sensing import EntityNotFound
from twin.sensing.event_feed import follow_steps
from twin.sensing.events import (
    NewEvent,
    Severity,
    Step,
    list_events,
    raise_event,
    read_event,
    take_step,
)
from twin.sensing.rules import dry_run, read_rule
from twin.sensing.writing.fields import shape_of

RULE = """
    select id, name, title_zh, title_en, enabled, severity, applies, condition, updated_by, updated_at
    from sensing.rule
"""
SAVE = """
    insert into sensing.rule (name, title_zh, title_en, enabled, severity, applies, condition, updated_by)
    values ($1, $2, $3, $4, $5, $6, $7, $8)
    on conflict (name) do update set title_zh = excluded.title_zh, title_en = excluded.title_en,
        enabled = excluded.enabled, severity = excluded.severity, applies = excluded.applies,
        condition = excluded.condition, updated_by = excluded.updated_by, updated_at = now()
"""
NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}\Z")


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


STATE = Parameter[tuple[str, ...] | None]("state", "States, with commas between them.", _words, None)
SEVERITY = Parameter[tuple[str, ...] | None]("severity", "Severities, with commas between them.", _words, None)
BEFORE = Parameter[int | None]("before", "Only events before this id: the next page.", whole_number(1, 2**62), None)
LIMIT = Parameter[int]("limit", "At most this many.", whole_number(1, 1_000), 100)
DATETIME = Parameter[str | None]("datetime", "The span to try a rule over: start/end.", str, None)

router = APIRouter(tags=["Events"])


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class EventBody(_Body):
    """An event that a person or a program raises."""

    kind: str = Field(min_length=1, max_length=100)
    severity: Severity
    title: str = Field(min_length=1, max_length=500)
    text: str | None = Field(default=None, max_length=10_000)
    began_at: AwareDatetime | None = None
    place: dict[str, Any] | None = None
    objects: list[dict[str, Any]] = Field(default=[], max_length=1_000)
    evidence: dict[str, Any] = {}


class StepBody(_Body):
    """Something done about an event."""

    did: str
    note: str | None = Field(default=None, max_length=10_000)
    department: str | None = Field(default=None, max_length=200)
    person: str | None = Field(default=None, max_length=200)
    due_at: AwareDatetime | None = None


class RuleBody(_Body):
    """A rule; its name is in the address."""

    title_zh: str = Field(min_length=1, max_length=200)
    title_en: str = Field(min_length=1, max_length=200)
    severity: Severity
    enabled: bool = True
    applies: dict[str, Any]
    condition: dict[str, Any]


@router.get("/events", **described("getEvents", STATE, SEVERITY, DATASTREAM, BEFORE, LIMIT, kinds=(GEOJSON,)))
async def events(request: Request) -> Response:
    """Events, the newest first."""
    service, query = await readable(request), Query(request)
    states, severities, streams = query.take(STATE), query.take(SEVERITY), query.take(DATASTREAM)
    before, limit = query.take(BEFORE), query.take(LIMIT)
    query.finish()
    async with service.city.reading() as connection:
        found = await list_events(
            connection, states=states, severities=severities, datastreams=streams, before=before, limit=limit
        )
    tail: dict[str, Any] = {"numberReturned": len(found)}
    if len(found) == limit:
        address = f"{exchange(request).base}/events?before={found[-1][0]}&limit={limit}"
        tail["links"] = [{"rel": "next", "href": address, "type": GEOJSON}]
    features = b",".join(told for _, told in found)
    body = b'{"type":"FeatureCollection","features":[' + features + b"]," + orjson.dumps(tail)[1:]
    return json_answer(body, media_type=GEOJSON)


@router.get("/events/stream", **described("streamEvents", kinds=(EVENTS,)))
async def stream(request: Request) -> StreamingResponse:
    """Every step of every event as it is taken; Last-Event-ID takes up where a client left off."""
    service, query = await readable(request), Query(request)
    query.finish()
    text = request.headers.get("last-event-id") or ""
    if text and not (text.isascii() and text.isdigit() and len(text) < 19):
        raise BadRequest("Last-Event-ID: send the id of an event of this stream")
    exchange(request).allow(LONGEST_S)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_told(service, int(text) if text else None), headers=headers, media_type=EVENTS)


async def _told(service: Service, after: int | None) -> AsyncIterator[bytes]:
    yield b"retry: 2000\n\n"
    async for step in follow_steps(service.city.database, after, patience_s=HEARTBEAT_S):
        if step is None:
            yield b": still here\n\n"
        else:
            yield b"id: %d\nevent: step\ndata: %b\n\n" % (step.id, step.told)


@router.get("/events/{number}", **described("getEvent", kinds=(GEOJSON,)))
async def event(request: Request, number: int) -> Response:
    """An event with its history."""
    service, query = await readable(request), Query(request)
    query.finish()
    async with service.city.reading() as connection:
        return json_answer(await read_event(connection, _id(number)), media_type=GEOJSON)


@router.post("/events", **described("raiseEvent", kinds=(GEOJSON,)))
async def raise_(request: Request) -> Response:
    """Raise an event."""
    service = await writable(request)
    body = _body(EventBody, await request.body())
    if body.place is not None:
        shape = shape_of(body.place, "place")
        if shape.geom_type != "Point":
            raise BadRequest("place: a point is wanted")
    new = NewEvent(
        kind=body.kind,
        severity=body.severity,
        title=body.title,
        began_at=body.began_at or datetime.now(service.zone),
        text=body.text,
        place=body.place,
        objects=body.objects,
        evidence=body.evidence,
    )
    async with service.city.database.writing() as connection:
        number = await raise_event(connection, new, exchange(request).principal.name)
        assert number is not None, "only a rule's events are one"
        told = await read_event(connection, number)
    headers = {"Location": f"{exchange(request).base}/events/{number}"}
    return json_answer(told, media_type=GEOJSON, status=201, headers=headers)


@router.post("/events/{number}/steps", **described("stepEvent", kinds=(GEOJSON,)))
async def step(request: Request, number: int) -> Response:
    """Acknowledge, assign, start, resolve, close, reopen an event, or note something."""
    service = await writable(request)
    body = _body(StepBody, await request.body())
    taken = Step(body.did, body.note, body.department, body.person, body.due_at)
    async with service.city.database.writing() as connection:
        await take_step(connection, _id(number), taken, exchange(request).principal.name)
        told = await read_event(connection, number)
    return json_answer(told, media_type=GEOJSON, status=201)


@router.get("/rules", **described("getRules", kinds=(JSON,)))
async def rules(request: Request) -> Response:
    """All rules."""
    service, query = await readable(request), Query(request)
    query.finish()
    async with service.city.reading() as connection:
        return json_answer({"rules": [dict(row) for row in await connection.fetch(f"{RULE} order by name")]})


@router.put("/rules/{name}", **described("putRule", kinds=(JSON,)))
async def put_rule(request: Request, name: str) -> Response:
    """Make a rule, or change it."""
    service = await writable(request)
    body = _rule(name, await request.body())
    async with service.city.database.writing() as connection:
        await connection.execute(
            SAVE,
            *(name, body.title_zh, body.title_en, body.enabled, body.severity, body.applies, body.condition),
            exchange(request).principal.name,
        )
        row = await connection.fetchrow(f"{RULE} where name = $1", name)
    assert row is not None, "it was just written"
    return json_answer(dict(row))


@router.delete("/rules/{name}", **described("deleteRule", kinds=(JSON,)))
async def delete_rule(request: Request, name: str) -> Response:
    """Delete a rule; its events stay, and are over."""
    service = await writable(request)
    async with service.city.database.writing() as connection:
        await connection.execute(
            "update sensing.event e set ended_at = now() from sensing.rule r"
            " where r.name = $1 and e.rule_id = r.id and e.ended_at is null",
            name,
        )
        found = await connection.fetchval("delete from sensing.rule where name = $1 returning id", name)
    if found is None:
        raise EntityNotFound(f"no rule {name[:60]!r}")
    return Response(status_code=204)


@router.post("/rules/{name}/trial", **described("tryRule", DATETIME, kinds=(JSON,)))
async def trial(request: Request, name: str) -> Response:
    """What a rule would have raised over a time that is past: nothing is written."""
    service, query = await writable(request), Query(request)
    text = query.take(DATETIME)
    query.finish()
    interval = None if text is None else parse_interval(text, service.zone)
    if interval is None or interval.start is None or interval.end is None:
        raise BadRequest("datetime: start/end is wanted")
    body = _rule(name, await request.body())
    rule = read_rule({"id": 0, "name": name, **body.model_dump()})
    async with service.city.reading() as connection:
        return json_answer({"events": await dry_run(connection, rule, interval.start, interval.end)})


def _rule(name: str, text: bytes) -> RuleBody:
    if NAME.match(name) is None:
        raise BadRequest(f"{name[:60]!r}: a rule is named by a-z, 0-9, _ and -, a letter first")
    body: RuleBody = _body(RuleBody, text)
    read_rule({"id": 0, "name": name, **body.model_dump()})
    return body


def _body(model: type[Any], text: bytes) -> Any:
    if b"\\u0000" in text:
        raise BadRequest("the body holds a NUL character, which no text may")
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the body"
        raise BadRequest(f"{where}: {first['msg']}") from None


def _id(number: int) -> int:
    if not 0 <= number < 2**62:
        raise EntityNotFound(f"no event {number}")
    return number
