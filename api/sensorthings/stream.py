"""/sensors/stream: observations as they are committed, as server-sent events that can be taken up again."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from weakref import WeakKeyDictionary

from fastapi import Request
from fastapi.responses import StreamingResponse
from sqlalchemy import BigInteger, DateTime, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY

from api.cities import ServedCity
from api.documentation import described
from api.errors import BadRequest
from api.exchange import exchange
from api.parameters import Parameter, Query
from api.routing import PartRouter
from api.sensorthings.latest import DATASTREAM, KIND
from api.sensorthings.service import Service, readable
from layers.changes import Place
from layers.statement import Statement, compiled
from twin.sensing.hub import Hub
from twin.sensing.latest import require_datastreams
from twin.sensing.live import Arrival, arrivals_hub
from twin.sensing.model import BY_NAME
from twin.sensing.odata import sql
from twin.sensing.odata.parser import parse

EVENTS = "text/event-stream"
# Sent where there is nothing to tell, so that a broken connection is noticed on both sides.
HEARTBEAT_S = 15.0
LONGEST_S = 24 * 3600.0
STREAMS_OF_KINDS = "select id from sensing.datastream where kind = any($1)"
FILTER = Parameter[str | None](
    "filter", "Only observations that fulfil this, in the words of SensorThings' $filter.", str, None, max_length=4_000
)
HUBS: WeakKeyDictionary[ServedCity, Hub[Arrival]] = WeakKeyDictionary()

router = PartRouter(tags=["Sensors"])


@router.get("/sensors/stream", **described("streamObservations", DATASTREAM, KIND, FILTER, kinds=(EVENTS,)))
async def stream(request: Request) -> StreamingResponse:
    """New observations as events, a batch each; Last-Event-ID takes up where a client left off, for an hour back."""
    service, query = await readable(request), Query(request)
    streams, kinds, text = query.take(DATASTREAM), query.take(KIND), query.take(FILTER)
    query.finish()
    wanted: set[int] | None = None if streams is None else set(streams)
    async with service.city.reading() as connection:
        await require_datastreams(connection, streams or ())
        if kinds is not None:
            of_kinds = {row["id"] for row in await connection.fetch(STREAMS_OF_KINDS, kinds)}
            wanted = of_kinds if wanted is None else wanted & of_kinds
    passing = None if text is None else _passing(text, service)
    exchange(request).allow(LONGEST_S)
    if service.city not in HUBS:
        HUBS[service.city] = arrivals_hub(service.city.database)
    hub = HUBS[service.city]
    events = _events(service, hub.listen(_place(request), patience_s=HEARTBEAT_S), wanted, passing)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(events, headers=headers, media_type=EVENTS)


def _place(request: Request) -> Place | None:
    text = request.headers.get("last-event-id") or ""
    if not text:
        return None
    xid, _, seq = text.partition("-")
    if not (xid.isascii() and xid.isdigit() and seq.isascii() and seq.isdigit() and len(text) < 40):
        raise BadRequest("Last-Event-ID: send the id of an event of this stream")
    return Place(int(xid), int(seq))


def _passing(text: str, service: Service) -> Statement:
    """Which of some observations fulfil a filter. Raises BadQuery."""
    entity = BY_NAME["Observation"]
    table = entity.table.alias()
    wanted = sql.condition(parse(text, service.zone), entity, table)
    numbers = ARRAY(BigInteger)
    return compiled(
        select(table.c.id).where(
            table.c.id == bindparam("ids", None, type_=numbers).any_(),
            table.c.datastream_id == bindparam("streams", None, type_=numbers).any_(),
            table.c.time == bindparam("times", None, type_=ARRAY(DateTime(timezone=True))).any_(),
            wanted,
        )
    )


async def _events(
    service: Service, arrivals: AsyncGenerator[Arrival | None, None], wanted: set[int] | None, passing: Statement | None
) -> AsyncIterator[bytes]:
    yield b"retry: 2000\n\n"
    async with aclosing(arrivals):
        async for arrival in arrivals:
            if arrival is None:
                yield b": still here\n\n"
            elif told := await _told(service, arrival, wanted, passing):
                place = f"{arrival.place.xid}-{arrival.place.seq}".encode()
                yield b"id: " + place + b"\nevent: observations\ndata: [" + b",".join(told) + b"]\n\n"


async def _told(service: Service, arrival: Arrival, wanted: set[int] | None, passing: Statement | None) -> list[bytes]:
    """Those of a batch that a listener wants, as JSON."""
    indices = [i for i, each in enumerate(arrival.datastreams) if wanted is None or each in wanted]
    if passing is not None and indices:
        ids, streams, times = (
            [column[i] for i in indices] for column in (arrival.ids, arrival.datastreams, arrival.times)
        )
        arguments = passing.with_values(ids=ids, streams=streams, times=times)
        async with service.city.reading() as connection:
            kept = {row["id"] for row in await connection.fetch(passing.sql, *arguments)}
        indices = [i for i in indices if arrival.ids[i] in kept]
    return [arrival.documents[i] for i in indices]
