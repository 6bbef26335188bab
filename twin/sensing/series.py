"""Observations over time, for charts and tables: as they are, in buckets, or thinned to as many points as fit."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from cim_models.database import Connection
from twin.sensing import BadQuery, EntityNotFound

# More values than this are read from the hours.
MOST_RAW = 300_000
MOST_BUCKETS = 50_000
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
Thinning = Literal["lttb", "minmax"]
Span = tuple[datetime, datetime]
Floats = npt.NDArray[np.float64]

STREAM = """
    select d.id, d.name, d.kind, d.units ->> 'symbol' as unit, l.first_time, l.last_time
    from sensing.datastream d join sensing.latest l on l.datastream_id = d.id where d.id = $1
"""
NUMBER = "select coalesce(sum(count), 0) from sensing.hourly where datastream_id = $1 and at >= $2 and at < $3"
RAW = """
    select extract(epoch from time)::float8 as at, number from sensing.observation
    where datastream_id = $1 and time >= $2 and time < $3 and number is not null order by time, id
"""
COLUMNS = "extract(epoch from at)::float8 as at, count::float8, sum / count as mean, min, max, sum, first, last"
BUCKETS = f"""
    select {COLUMNS} from (
        select date_bin($4, time, $5) as at, count(*) as count, sum(number) as sum, min(number) as min,
               max(number) as max, (array_agg(number order by time, id))[1] as first,
               (array_agg(number order by time desc, id desc))[1] as last
        from sensing.observation
        where datastream_id = $1 and time >= $2 and time < $3 and number is not null group by 1
    ) b order by 1
"""
OF_HOURS = f"""
    select {COLUMNS} from (
        select date_bin($4, h.at, $5) as at, sum(count) as count, sum(sum) as sum, min(min) as min, max(max) as max,
               (array_agg(first order by h.at))[1] as first, (array_agg(last order by h.at desc))[1] as last
        from sensing.hourly h where datastream_id = $1 and h.at >= $2 and h.at < $3 group by 1
    ) b order by 1
"""
OF_DAYS = """
    select extract(epoch from day::timestamp at time zone $4)::float8 as at, a.count::float8, sum / a.count as mean,
           min, max, sum, first, last
    from sensing.daily a join sensing.datastream s on s.id = a.datastream_id join sensing.kind k on k.id = s.kind
    where datastream_id = $1
      and day between (($2::timestamptz at time zone $4) + day_shift)::date
                  and (($3::timestamptz - interval '1 microsecond') at time zone $4 + day_shift)::date
    order by day
"""


@dataclass(frozen=True)
class Asked:
    """What part of a series, and in which form. bucket: None for the values themselves; `day` for the kind's days."""

    start: datetime | None = None
    end: datetime | None = None
    bucket: timedelta | Literal["day"] | None = None
    points: int | None = None
    thinning: Thinning = "lttb"


@dataclass(frozen=True)
class Series:
    """Columns of equal length; `time` in seconds since 1970. source: observations, hours or days."""

    datastream: int
    name: str
    kind: str
    unit: str | None
    source: str
    columns: dict[str, Floats]


async def read_series(connection: Connection, datastream: int, asked: Asked, zone: str) -> Series:
    """The series of one datastream. Raises EntityNotFound, BadQuery."""
    stream = await connection.fetchrow(STREAM, datastream)
    if stream is None:
        raise EntityNotFound(f"no Datastream {datastream}")
    start = asked.start or stream["first_time"] or datetime.now(UTC)
    # Ends are open; by default the last value is still in.
    end = asked.end or (stream["last_time"] or start) + timedelta(microseconds=1)
    source, columns = await _columns(connection, datastream, asked, (start, end), zone)
    return Series(datastream, stream["name"], stream["kind"], stream["unit"], source, columns)


async def _columns(
    connection: Connection, datastream: int, asked: Asked, span: Span, zone: str
) -> tuple[str, dict[str, Floats]]:
    start, end = span
    if asked.bucket == "day":
        return "days", _table(await connection.fetch(OF_DAYS, datastream, start, end, zone))
    if asked.bucket is not None:
        return await _bucketed(connection, datastream, asked.bucket, span, zone)
    number = await connection.fetchval(NUMBER, datastream, start - HOUR, end)
    if number > MOST_RAW:
        if asked.points is None:
            raise BadQuery(f"that is about {number:,} values; ask for a bucket, for points, or for a shorter time")
        source, columns = await _bucketed(connection, datastream, HOUR, span, zone)
        times = np.repeat(columns["time"], 2)
        values = np.stack([columns["min"], columns["max"]], axis=1).ravel()
        return source, _thinned(times, values, asked)
    rows = await connection.fetch(RAW, datastream, start, end)
    times, values = (np.array([row[i] for row in rows], dtype=float) for i in (0, 1))
    return "observations", _thinned(times, values, asked)


async def _bucketed(
    connection: Connection, datastream: int, bucket: timedelta, span: Span, zone: str
) -> tuple[str, dict[str, Floats]]:
    start, end = span
    if bucket <= timedelta(0) or (end - start) / bucket > MOST_BUCKETS:
        raise BadQuery(f"bucket: at most {MOST_BUCKETS:,} buckets are told; ask for longer ones or a shorter time")
    # Buckets begin at midnight of the city, so that those of a day are days.
    origin = await connection.fetchval("select timestamp '2001-01-01' at time zone $1", zone)
    if bucket % HOUR:
        return "observations", _table(await connection.fetch(BUCKETS, datastream, start, end, bucket, origin))
    return "hours", _table(await connection.fetch(OF_HOURS, datastream, start, end, bucket, origin))


def _table(rows: list[Any]) -> dict[str, Floats]:
    values = np.array([tuple(row) for row in rows], dtype=float).reshape(len(rows), 8)
    names = ("time", "count", "mean", "min", "max", "sum", "first", "last")
    return {name: values[:, place] for place, name in enumerate(names)}


def _thinned(times: Floats, values: Floats, asked: Asked) -> dict[str, Floats]:
    if asked.points is None or len(times) <= asked.points:
        return {"time": times, "value": values}
    chosen = lttb(times, values, asked.points) if asked.thinning == "lttb" else min_max(values, asked.points)
    return {"time": times[chosen], "value": values[chosen]}


def lttb(times: Floats, values: Floats, points: int) -> npt.NDArray[np.intp]:
    """Indices of the values that keep a line's look: Largest Triangle Three Buckets (Steinarsson 2013, chapter 4)."""
    if points < 3:
        return np.array([0, len(times) - 1])[:points]
    edges = np.linspace(1, len(times) - 1, points - 1).astype(int)
    chosen = np.empty(points, dtype=np.intp)
    chosen[0], chosen[-1] = 0, len(times) - 1
    last = 0
    for place in range(points - 2):
        first, stop = edges[place], edges[place + 1]
        following = slice(stop, edges[place + 2] if place + 2 < len(edges) else len(times))
        x, y = times[following].mean(), values[following].mean()
        here = slice(first, stop)
        doubled = np.abs(
            (times[last] - x) * (values[here] - values[last]) - (times[last] - times[here]) * (y - values[last])
        )
        last = first + int(doubled.argmax())
        chosen[place + 1] = last
    return chosen


def min_max(values: Floats, points: int) -> npt.NDArray[np.intp]:
    """Indices of the lowest and highest value of each of points / 2 buckets: no peak is lost."""
    edges = np.linspace(0, len(values), max(1, points // 2) + 1).astype(int)
    chosen: set[int] = set()
    for first, stop in pairwise(edges.tolist()):
        if stop > first:
            chosen |= {first + int(values[first:stop].argmin()), first + int(values[first:stop].argmax())}
    return np.array(sorted(chosen), dtype=np.intp)
