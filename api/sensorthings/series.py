"""/sensors/series: observations over time, as JSON, CSV or Arrow."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, cast

import pyarrow as pa
from fastapi import Request, Response

from api.answers import LIVE, json_answer
from api.documentation import described
from api.errors import BadRequest
from api.geocode import harmless
from api.links import JSON
from api.parameters import Parameter, Query, one_of, whole_number
from api.routing import PartRouter
from api.sensorthings.latest import DATASTREAM
from api.sensorthings.service import readable
from layers.view import parse_interval
from twin.sensing.by_hand import HandReading, readings_by_hand
from twin.sensing.latest import require_datastreams
from twin.sensing.odata.parser import read_duration
from twin.sensing.series import Asked, Series, Thinning, read_series

CSV, ARROW = "text/csv; charset=utf-8", "application/vnd.apache.arrow.stream"
MOST_STREAMS = 50
ALWAYS = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
# Columns of a CSV of single values: who entered one by hand, and what they noted.
OBSERVED = ("observer", "note")


def _bucket(text: str) -> timedelta | Literal["day"]:
    return "day" if text == "day" else read_duration(text)


DATETIME = Parameter[str | None]("datetime", "A span: start/end, either may be `..`; all by default.", str, None)
BUCKET = Parameter[timedelta | Literal["day"] | None](
    "bucket", "Length of the buckets (ISO 8601, as PT1H), or `day`: days as the kind counts them.", _bucket, None
)
POINTS = Parameter[int | None]("points", "Thin to at most so many values.", whole_number(2, 100_000), None)
THINNING = Parameter[str](
    "thinning", "How: `lttb` keeps the look of the line, `minmax` every peak.", one_of("lttb", "minmax"), "lttb"
)
FORM = Parameter[str]("f", "Format.", one_of("json", "csv", "arrow"), "json")
PARAMETERS = (DATASTREAM, DATETIME, BUCKET, POINTS, THINNING, FORM)

router = PartRouter(tags=["Sensors"])


@router.get("/sensors/series", **described("getSeries", *PARAMETERS, kinds=(JSON, CSV, ARROW)))
async def series(request: Request) -> Response:
    """Values of some datastreams over a time, or their count, mean, min, max and sum in buckets."""
    service, query = await readable(request), Query(request)
    streams, span = query.take(DATASTREAM), query.take(DATETIME)
    bucket, points, thinning = query.take(BUCKET), query.take(POINTS), query.take(THINNING)
    form = query.take(FORM)
    query.finish()
    if not streams or len(streams) > MOST_STREAMS:
        raise BadRequest(f"datastream: name 1 to {MOST_STREAMS} of them")
    interval = None if span is None else parse_interval(span, service.zone)
    start, end = (None, None) if interval is None else (interval.start, interval.end)
    asked = Asked(start, end, bucket, points, cast(Thinning, thinning))
    async with service.city.reading() as connection:
        await require_datastreams(connection, streams)
        found = [await read_series(connection, each, asked, service.zone.key) for each in streams]
        by_hand = None
        if form == "csv" and bucket is None and points is None:
            by_hand = await readings_by_hand(connection, streams, start or ALWAYS[0], end or ALWAYS[1])
    if form == "csv":
        return Response(_csv(found, by_hand), 200, LIVE, CSV)
    if form == "arrow":
        return Response(_arrow(found), 200, LIVE, ARROW)
    return json_answer({"series": [_document(each) for each in found]})


def _document(series: Series) -> dict[str, Any]:
    return {
        "datastream": series.datastream,
        "name": series.name,
        "kind": series.kind,
        "unit": series.unit,
        "source": series.source,
        **{name: column.tolist() for name, column in series.columns.items()},
    }


def _csv(found: list[Series], by_hand: list[HandReading] | None) -> str:
    """by_hand: who read which of single values; None where sums or thinned values are told."""
    out = io.StringIO()
    writer = csv.writer(out)
    names = list(found[0].columns)
    writer.writerow(["datastream", *names, *(() if by_hand is None else OBSERVED)])
    said = {(each.datastream, each.time, each.result): (each.observer, each.note) for each in by_hand or ()}
    nobody = () if by_hand is None else (None, None)
    for each in found:
        for time, *values in zip(*(each.columns[name].tolist() for name in names), strict=True):
            moment = datetime.fromtimestamp(time, UTC)
            observed = said.get((each.datastream, moment, values[0]), nobody)
            told = moment.isoformat().replace("+00:00", "Z")
            writer.writerow([each.datastream, told, *values, *map(harmless, observed)])
    return out.getvalue()


def _arrow(found: list[Series]) -> bytes:
    names = list(found[0].columns)
    streams = pa.array([each.datastream for each in found for _ in each.columns["time"]], pa.int64())
    columns = {"datastream": streams}
    for name in names:
        values = pa.concat_arrays([pa.array(each.columns[name]) for each in found])
        columns[name] = values
    micros = [round(time * 1e6) for time in columns["time"].to_pylist()]
    columns["time"] = pa.array(micros, pa.timestamp("us", "UTC"))
    table = pa.table(columns)
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()
