"""Readings on their way in: what one is, and a batch of them written so that each counts once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from cim_models.database import Connection
from twin.sensing.allocation import without_collection
from twin.sensing.months import Month, ensure_months
from twin.sensing.places import find_places, note_features

# Observation ids are taken this many at a time: the increment of their sequence.
BLOCK = 1000
CHANNEL = "citytwin_arrival"


class Reading(NamedTuple):
    """One observation to be written. One of number, text and json (as JSON text) is its result.

    time, time_end: phenomenon time; an instant has no end. feature_id: None for what the datastream usually observes.
    quality, parameters: JSON text.
    """

    datastream_id: int
    time: datetime
    number: float | None = None
    text: str | None = None
    json: str | None = None
    time_end: datetime | None = None
    result_time: datetime | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    quality: str | None = None
    parameters: str | None = None
    feature_id: int | None = None


@dataclass(frozen=True)
class Written:
    """What became of a batch: the id of each reading, in order, and how many were new.

    An id is None where there is no such datastream.
    """

    ids: list[int | None]
    new: int


STAGING = """
    create temporary table if not exists staged_reading (
        id bigint, datastream_id bigint, time timestamptz, number float8, text text, json text, time_end timestamptz,
        result_time timestamptz, valid_from timestamptz, valid_to timestamptz, quality text, parameters text,
        feature_id bigint
    ) on commit delete rows
"""
COLUMNS = ("id", *Reading._fields)
# A COPY through a table pays from about here on; fewer go as arrays, which saves two turns and the table's emptying.
FEW = 500
TYPES = ("bigint", "bigint", "timestamptz", "float8", "text", "text", *["timestamptz"] * 4, "text", "text", "bigint")
GIVEN = ", ".join(f"${place}::{type_}[]" for place, type_ in enumerate(TYPES, start=2))
ARRAYS = f"unnest({GIVEN}) as staged_reading ({', '.join(COLUMNS)})"
# Locked in one order by all writers, so that two batches never wait for each other.
LOCK = """
    select l.datastream_id, d.feature_id
    from sensing.latest l join sensing.datastream d on d.id = l.datastream_id
    where l.datastream_id = any($1::bigint[]) and d.is_multi = $2 order by l.datastream_id
    for no key update of l
"""
DEDUPE = """hash_record_extended(
    row(number, text, json, time_end, result_time, valid_from, valid_to, quality, parameters), 0)"""
ADDED = """
            count = h.count + excluded.count, sum = h.sum + excluded.sum,
            min = least(h.min, excluded.min), max = greatest(h.max, excluded.max),
            first = case when excluded.first_time < h.first_time then excluded.first else h.first end,
            last = case when excluded.last_time >= h.last_time then excluded.last else h.last end,
            first_time = least(h.first_time, excluded.first_time),
            last_time = greatest(h.last_time, excluded.last_time)
"""
# Days are put together from hours, a tenth of the work: no kind's day begins within an hour.
# One statement: what is new goes in, and from what really went in come last values, extents, hours, days and the feed.
WRITE = f"""
    with fresh as (
        insert into sensing.observation (id, datastream_id, time, dedupe, number, feature_id, time_end, result_time,
                                         valid_from, valid_to, text, json, quality, parameters)
        select id, datastream_id, time, {DEDUPE}, number, feature_id, time_end, result_time, valid_from, valid_to, text,
               json::jsonb, quality::jsonb, parameters::jsonb
        from {{source}} order by datastream_id, time
        on conflict (datastream_id, time, dedupe) do nothing
        returning id, datastream_id, time, time_end, result_time, number, text, json
    ), extent as (
        select datastream_id, count(*) as count, min(time) as first_time, max(coalesce(time_end, time)) as last_time,
               min(result_time) as first_result_time, max(result_time) as last_result_time
        from fresh group by datastream_id
    ), newest as (
        select distinct on (datastream_id) datastream_id, id, time, number, text, json
        from fresh order by datastream_id, time desc, id desc
    ), told as (
        update sensing.latest l set
            count = l.count + e.count,
            first_time = least(l.first_time, e.first_time),
            last_time = greatest(l.last_time, e.last_time),
            first_result_time = least(l.first_result_time, e.first_result_time),
            last_result_time = greatest(l.last_result_time, e.last_result_time),
            arrived_at = now(),
            id = case when l.time is null or n.time >= l.time then n.id else l.id end,
            number = case when l.time is null or n.time >= l.time then n.number else l.number end,
            text = case when l.time is null or n.time >= l.time then n.text else l.text end,
            json = case when l.time is null or n.time >= l.time then n.json else l.json end,
            time = greatest(l.time, n.time)
        from extent e join newest n using (datastream_id) where l.datastream_id = e.datastream_id
    ), by_hour as (
        select f.datastream_id, k.day_shift, c.time_zone as zone, h.at, count(*) as count, sum(f.number) as sum,
               min(f.number) as min, max(f.number) as max, (array_agg(f.number order by f.time))[1] as first,
               (array_agg(f.number order by f.time desc))[1] as last, min(f.time) as first_time,
               max(f.time) as last_time
        from fresh f join sensing.datastream s on s.id = f.datastream_id join sensing.kind k on k.id = s.kind
        cross join city c
        cross join lateral (
            select date_trunc('hour', sensing.counted_at(f.time, f.time_end is null, k.is_total), c.time_zone) as at
        ) h
        where f.number is not null group by 1, 2, 3, 4
    ), hours as (
        insert into sensing.hourly as h (datastream_id, at, count, sum, min, max, first, last, first_time, last_time)
        select datastream_id, at, count, sum, min, max, first, last, first_time, last_time
        from by_hour order by datastream_id, at
        on conflict (datastream_id, at) do update set {ADDED}
    ), days as (
        insert into sensing.daily as h (datastream_id, day, count, sum, min, max, first, last, first_time, last_time)
        select datastream_id, ((at at time zone zone) + day_shift)::date as day, sum(count), sum(sum), min(min),
               max(max), (array_agg(first order by at))[1], (array_agg(last order by at desc))[1], min(first_time),
               max(last_time)
        from by_hour group by datastream_id, day order by datastream_id, day
        on conflict (datastream_id, day) do update set {ADDED}
    ), fed as (
        insert into sensing.arrival (via, ids, datastream_ids, times, numbers)
        select $1, array_agg(id), array_agg(datastream_id), array_agg(time), array_agg(number)
        from (select * from fresh order by datastream_id, time) f having count(*) > 0
    )
    select count(*) from fresh
"""
KNOWN = f"""
    select s.id as taken, o.id as known
    from (select *, {DEDUPE} as dedupe from {{source}}) s
    join sensing.observation o using (datastream_id, time, dedupe)
    where o.id <> s.id and $1::text is not null
"""


async def write_readings(
    connection: Connection, readings: Sequence[Reading], *, via: str, are_multi: bool = False
) -> Written:
    """Write readings inside the connection's transaction; one that was written before counts once and keeps its id.

    via: how they came (http, mqtt, feed), which the feed of arrivals tells. are_multi: all are of MultiDatastreams, or
    none is.
    The months they fall in must exist: see `prepare_months`.
    """
    usual = {
        row["datastream_id"]: row["feature_id"]
        for row in await connection.fetch(LOCK, sorted({reading.datastream_id for reading in readings}), are_multi)
    }
    if lacking := [stream for stream, feature in usual.items() if feature is None]:
        usual |= await find_places(connection, lacking)
    if pairs := {(each.datastream_id, each.feature_id) for each in readings if each.feature_id is not None}:
        await note_features(connection, pairs)
    taken = await _take_ids(connection, len(readings))
    with without_collection():
        ids: list[int | None] = [
            number if reading.datastream_id in usual else None for number, reading in zip(taken, readings, strict=True)
        ]
        rows = [
            (number, *(reading if reading.feature_id is not None else (*reading[:-1], usual[reading.datastream_id])))
            for number, reading in zip(ids, readings, strict=True)
            if number is not None
        ]
    if not rows:
        return Written(ids, 0)
    given: list[Any] = []
    source = "staged_reading"
    if len(rows) <= FEW:
        given, source = [list(column) for column in zip(*rows, strict=True)], ARRAYS
    else:
        await connection.execute(STAGING)
        await connection.copy_records_to_table("staged_reading", records=rows, columns=COLUMNS)
    new: int = await connection.fetchval(WRITE.replace("{source}", source), via, *given)
    if new < len(rows):
        known_sql = KNOWN.replace("{source}", source)
        known = {row["taken"]: row["known"] for row in await connection.fetch(known_sql, via, *given)}
        ids = [None if number is None else known.get(number, number) for number in ids]
    if new:
        await connection.execute(f"select pg_notify('{CHANNEL}', '')")
    return Written(ids, new)


def months_of(readings: Sequence[Reading]) -> set[Month]:
    """The months, in UTC, that readings fall in."""
    return {(reading.time.year, reading.time.month) for reading in readings}


async def prepare_months(connection: Connection, readings: Sequence[Reading], made: set[Month]) -> None:
    """Have a partition for each month that the readings fall in; made: those known to exist, which this adds to."""
    months = months_of(readings) - made
    if months:
        await ensure_months(connection, months)
        made |= months


async def _take_ids(connection: Connection, number: int) -> list[int]:
    blocks = await connection.fetch(
        "select nextval('sensing.observation_id') as first from generate_series(1, $1)", -(-number // BLOCK)
    )
    return [row["first"] + step for row in blocks for step in range(BLOCK)][:number]
