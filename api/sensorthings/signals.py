"""/sensors/signals: the warnings and responses that authorities issued, and beside them what measurements reached."""

from datetime import UTC, datetime

import orjson
from fastapi import Request, Response
from pydantic import AwareDatetime

from api.answers import json_answer
from api.documentation import described
from api.errors import BadRequest
from api.exchange import exchange
from api.parameters import Parameter, Query
from api.routing import PartRouter
from api.sensorthings.bodies import Body, json_body, read_body
from api.sensorthings.service import readable, writable
from layers.view import Interval, parse_interval
from twin.sensing import EntityNotFound
from twin.sensing.signals import NewSignal, end_signal, list_signals, reached, read_signal, record_signal
from twin.sensing.writing.fields import shape_of

DATETIME = Parameter[str | None](
    "datetime", "In force at some time of this moment, day or span start/end; now by default.", str, None
)
EXAMPLE = {
    "type": "warning",
    "hazard": "rainstorm",
    "level": "orange",
    "title": "暴雨橙色预警信号",
    "text": "预计未来3小时内降雨量将达50毫米以上。",
    "issuer": "永嘉县气象台",
    "issued_at": "2025-09-12T14:20:00+08:00",
}
ANSWER = {
    "signals": [{"id": 3, **EXAMPLE, "expires_at": None, "ended_at": None, "area": None}],
    "reached": [
        {"hazard": "rainstorm", "severity": "red", "since": "2025-09-12T14:55:00Z", "stations": 4, "events": [71]}
    ],
    "timeStamp": "2025-09-12T15:02:11Z",
}

router = PartRouter(tags=["Events"])


class EndBody(Body):
    """When the authority lifted a signal; now by default."""

    at: AwareDatetime | None = None


@router.get("/sensors/signals", **described("getSignals", DATETIME, example=ANSWER))
async def signals(request: Request) -> Response:
    """Warnings and responses in force, as authorities issued them; `reached`: what was reached by measurement alone."""
    service, query = await readable(request), Query(request)
    text = query.take(DATETIME)
    query.finish()
    now = datetime.now(UTC)
    span = Interval(now, now) if text is None else parse_interval(text, service.zone)
    async with service.city.reading() as connection:
        issued = await list_signals(connection, span.start, span.end)
        measured = await reached(connection, span.start, span.end)
    tail = {"reached": measured, "timeStamp": now.isoformat(timespec="seconds")}
    return json_answer(b'{"signals":[' + b",".join(issued) + b"]," + orjson.dumps(tail)[1:])


@router.post("/sensors/signals", **described("recordSignal", status=201, body=json_body(EXAMPLE), example=ANSWER))
async def record(request: Request) -> Response:
    """Record a warning signal or an emergency response as issued; it replaces the same issuer's earlier one."""
    service = await writable(request)
    body = await read_body(request, NewSignal)
    if body.area is not None and shape_of(body.area, "area").geom_type not in ("Polygon", "MultiPolygon"):
        raise BadRequest("area: a Polygon or MultiPolygon is wanted")
    async with service.city.database.writing() as connection:
        number = await record_signal(connection, body, exchange(request).principal.name)
        told = await read_signal(connection, number)
    return json_answer(told, status=201)


@router.post("/sensors/signals/{number}/end", **described("endSignal", body=json_body({})))
async def end(request: Request, number: int) -> Response:
    """Record that the authority lifted a signal."""
    service = await writable(request)
    body = await read_body(request, EndBody)
    if not 0 <= number < 2**62:
        raise EntityNotFound(f"no signal {number}")
    async with service.city.database.writing() as connection:
        await end_signal(connection, number, body.at or datetime.now(UTC), exchange(request).principal.name)
        return json_answer(await read_signal(connection, number))
