"""/events: what calls for attention, and what is done about it."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from weakref import WeakKeyDictionary

import orjson
from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime, Field

from api.answers import json_answer
from api.cities import ServedCity
from api.documentation import described
from api.errors import BadRequest
from api.exchange import exchange
from api.links import GEOJSON
from api.parameters import Parameter, Query, whole_number
from api.routing import PartRouter
from api.sensorthings.bodies import Body, json_body, read_body
from api.sensorthings.latest import BBOX, DATASTREAM, OBJECT
from api.sensorthings.service import Service, readable, writable
from api.sensorthings.stream import EVENTS, HEARTBEAT_S, LONGEST_S
from layers.view import Interval, parse_interval
from twin.sensing import EntityNotFound
from twin.sensing.event_feed import StepTaken, steps_hub
from twin.sensing.events import NewEvent, Severity, Sought, Step, list_events, raise_event, read_event, take_step
from twin.sensing.hub import Hub
from twin.sensing.latest import require_datastreams
from twin.sensing.writing.fields import shape_of


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


STATE = Parameter[tuple[str, ...] | None]("state", "States, with commas between them.", _words, None)
SEVERITY = Parameter[tuple[str, ...] | None]("severity", "Severities, with commas between them.", _words, None)
KINDS = Parameter[tuple[str, ...] | None]("kind", "Kinds of events, with commas between them.", _words, None)
DATETIME = Parameter[str | None](
    "datetime", "Events that lasted at some time of this moment, day or span start/end.", str, None
)
BEFORE = Parameter[int | None]("before", "Only events before this id: the next page.", whole_number(1, 2**62), None)
LIMIT = Parameter[int]("limit", "At most this many.", whole_number(1, 1_000), 100)
CHOICES: tuple[Parameter[Any], ...] = (STATE, SEVERITY, DATASTREAM, KINDS, OBJECT, BBOX, DATETIME)
EVENT_EXAMPLE = {
    "kind": "flooded_road",
    "severity": "yellow",
    "title": "永安大道积水",
    "place": {"type": "Point", "coordinates": [120.95, 28.11]},
    "objects": [{"layer": "roads", "object_id": 12}],
    "key": "hotline-20250912-0031",
}
STEP_EXAMPLE = {"did": "assign", "department": "水利局", "due_at": "2025-09-12T20:00:00+08:00", "note": "先封路"}

HUBS: WeakKeyDictionary[ServedCity, Hub[StepTaken]] = WeakKeyDictionary()

router = PartRouter(tags=["Events"])


class EventBody(Body):
    """An event that a person or a program raises. key: who sends it again while it is open reports it once more."""

    kind: str = Field(min_length=1, max_length=100)
    severity: Severity
    title: str = Field(min_length=1, max_length=500)
    text: str | None = Field(default=None, max_length=10_000)
    began_at: AwareDatetime | None = None
    place: dict[str, Any] | None = None
    objects: list[dict[str, Any]] = Field(default=[], max_length=1_000)
    evidence: dict[str, Any] = Field(default={})
    key: str | None = Field(default=None, min_length=1, max_length=200)


class StepBody(Body):
    """Something done about an event."""

    did: str
    note: str | None = Field(default=None, max_length=10_000)
    department: str | None = Field(default=None, max_length=200)
    person: str | None = Field(default=None, max_length=200)
    due_at: AwareDatetime | None = None
    into: int | None = Field(default=None, ge=0, lt=2**62)


@router.get("/events", **described("getEvents", *CHOICES, BEFORE, LIMIT, kinds=(GEOJSON,)))
async def events(request: Request) -> Response:
    """Events, the newest first: what called for attention, who deals with it, and whether it is over."""
    service, query = await readable(request), Query(request)
    states, severities, kinds = (query.take(each) for each in (STATE, SEVERITY, KINDS))
    streams = query.take(DATASTREAM)
    of, box, span = query.take(OBJECT), query.take(BBOX), query.take(DATETIME)
    before, limit = query.take(BEFORE), query.take(LIMIT)
    query.finish()
    interval = Interval(None, None) if span is None else parse_interval(span, service.zone)
    sought = Sought(states, severities, streams, kinds, of, box, interval.start, interval.end, before)
    async with service.city.reading() as connection:
        await require_datastreams(connection, streams or ())
        found = await list_events(connection, sought, limit)
    tail: dict[str, Any] = {"numberReturned": len(found)}
    if len(found) == limit:
        kept = [(name, value) for name, value in request.query_params.items() if name not in ("before", "limit")]
        following = urlencode([*kept, ("before", found[-1][0]), ("limit", limit)])
        address = f"{exchange(request).base}/events?{following}"
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
    if service.city not in HUBS:
        HUBS[service.city] = steps_hub(service.city.database)
    async with aclosing(HUBS[service.city].listen(after, patience_s=HEARTBEAT_S)) as steps:
        async for step in steps:
            if step is None:
                yield b": still here\n\n"
            else:
                yield b"id: %d\nevent: step\ndata: %b\n\n" % (step.place, step.told)


@router.get("/events/{number}", **described("getEvent", kinds=(GEOJSON,)))
async def event(request: Request, number: int) -> Response:
    """An event with its history."""
    service, query = await readable(request), Query(request)
    query.finish()
    async with service.city.reading() as connection:
        return json_answer(await read_event(connection, _id(number)), media_type=GEOJSON)


@router.post("/events", **described("raiseEvent", kinds=(GEOJSON,), status=201, body=json_body(EVENT_EXAMPLE)))
async def raise_(request: Request) -> Response:
    """Raise an event; one with the `key` of an open one of its kind is another report of that."""
    service = await writable(request)
    body = await read_body(request, EventBody)
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
        key=body.key,
    )
    async with service.city.database.writing() as connection:
        number = await raise_event(connection, new, exchange(request).principal.name)
        assert number is not None, "only a rule's events may be there already"
        told = await read_event(connection, number)
    headers = {"Location": f"{exchange(request).base}/events/{number}"}
    return json_answer(told, media_type=GEOJSON, status=201, headers=headers)


@router.post(
    "/events/{number}/steps", **described("stepEvent", kinds=(GEOJSON,), status=201, body=json_body(STEP_EXAMPLE))
)
async def step(request: Request, number: int) -> Response:
    """Acknowledge, assign, start, resolve, close, reopen or merge an event, or note something."""
    service = await writable(request)
    body = await read_body(request, StepBody)
    taken = Step(body.did, body.note, body.into, body.department, body.person, body.due_at)
    async with service.city.database.writing() as connection:
        await take_step(connection, _id(number), taken, exchange(request).principal.name)
        told = await read_event(connection, number)
    return json_answer(told, media_type=GEOJSON, status=201)


def _id(number: int) -> int:
    if not 0 <= number < 2**62:
        raise EntityNotFound(f"no event {number}")
    return number
