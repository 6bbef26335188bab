"""/sensors/readings: readings that people enter by hand, and those that were."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import AwareDatetime, Field, StringConstraints

from api.answers import json_answer
from api.documentation import described
from api.errors import BadRequest
from api.exchange import exchange
from api.parameters import Parameter, Query
from api.sensorthings.bodies import Body, json_body, read_body
from api.sensorthings.latest import DATASTREAM
from api.sensorthings.service import readable, writable
from layers.view import parse_interval, written
from twin.sensing import EntityNotFound
from twin.sensing.by_hand import HandReading, readings_by_hand
from twin.sensing.latest import require_datastreams

# Of a clock that goes a little fast; a later time is a wrong day.
AHEAD = timedelta(minutes=10)
LOOK_BACK = timedelta(days=30)
MOST_STREAMS = 50
DATETIME = Parameter[str | None]("datetime", "A moment, day or span start/end; the last 30 days by default.", str, None)
EXAMPLE = {
    "datastream": 12,
    "result": 3.42,
    "time": "2025-09-12T14:35:00+08:00",
    "observer": "王工",
    "note": "水尺读数，遥测中断",
}
TOLD = EXAMPLE | {"id": 81_233, "time": "2025-09-12T06:35:00Z", "account": "duty officer"}
Words = StringConstraints(strip_whitespace=True, min_length=1, max_length=100)

router = APIRouter(tags=["Sensors"])


class ReadingBody(Body):
    """A reading: of which datastream, what, when (now by default), and who read it."""

    datastream: Annotated[int, Field(ge=0, lt=2**62)]
    result: Annotated[float, Field(allow_inf_nan=False, strict=True, gt=-1e300, lt=1e300)]
    time: AwareDatetime | None = None
    observer: Annotated[str, Words]
    note: Annotated[str, Field(max_length=500)] | None = None


@router.post(
    "/sensors/readings",
    **described("enterReading", status=201, body=json_body(EXAMPLE), example=TOLD, title="The reading as it is kept"),
)
async def enter(request: Request) -> Response:
    """Enter a reading by hand: an observation whose `parameters` say who read it and with which token it was sent."""
    service = await writable(request)
    body = await read_body(request, ReadingBody)
    now = datetime.now(UTC)
    time = now.replace(microsecond=0) if body.time is None else body.time.astimezone(UTC)
    if time > now + AHEAD:
        raise BadRequest(f"time: {written(time)} has not come yet; is it the right day?")
    account = exchange(request).principal.name
    note = (body.note or "").strip() or None
    reading = HandReading(body.datastream, time, body.result, body.observer, note, account)
    (number,) = await service.ingest.submit([reading.as_reading()])
    if number is None:
        raise EntityNotFound(f"no Datastream {body.datastream}")
    return json_answer(_document(reading) | {"id": number}, status=201)


@router.get("/sensors/readings", **described("getReadings", DATASTREAM, DATETIME, example={"readings": [TOLD]}))
async def by_hand(request: Request) -> Response:
    """Readings that were entered by hand, the latest first, at most 1,000."""
    service, query = await readable(request), Query(request)
    streams, text = query.take(DATASTREAM), query.take(DATETIME)
    query.finish()
    if not streams or len(streams) > MOST_STREAMS:
        raise BadRequest(f"datastream: name 1 to {MOST_STREAMS} of them")
    now = datetime.now(UTC)
    start, end = now - LOOK_BACK, now + AHEAD
    if text is not None:
        span = parse_interval(text, service.zone)
        start, end = span.start or datetime.min.replace(tzinfo=UTC), span.end or end
    # The end of a span is in it.
    async with service.city.reading() as connection:
        await require_datastreams(connection, streams)
        found = await readings_by_hand(connection, streams, start, end + timedelta(microseconds=1))
    return json_answer({"readings": [_document(each) for each in found]})


def _document(reading: HandReading) -> dict[str, Any]:
    return {
        "id": reading.id,
        "datastream": reading.datastream,
        "time": written(reading.time),
        "result": reading.result,
        "observer": reading.observer,
        "note": reading.note,
        "account": reading.account,
    }
