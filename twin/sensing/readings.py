"""A batch of readings written so that each counts once, and all that follows from what really went in."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from cim_models.database import Connection
from twin.sensing.allocation import without_collection
from twin.sensing.batch import Batch, Reading, Truth, Whole, microseconds, timestamps
from twin.sensing.bulk import NOWHERE, Standing, copy_readings, take_ids
from twin.sensing.months import Month, ensure_months
from twin.sensing.places import find_places, note_features
from twin.sensing.rollup import SECOND, beginnings, date_of, days_of, hour_of, roll_up

# Before all that is ever told, in microseconds since 1970.
NEVER = -(2**63)
CHANNEL = "citytwin_arrival"


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
# Nearly all readings are a moment and a number; the rest of a row is not sent for them.
PLAIN_ARRAYS = """(
    select id, datastream_id, time at time zone 'UTC' as time, number, null::text as text, null::text as json,
           null::timestamptz as time_end, null::timestamptz as result_time, null::timestamptz as valid_from,
           null::timestamptz as valid_to, null::text as quality, null::text as parameters, feature_id
    from unnest($2::bigint[], $3::bigint[], $4::timestamp[], $5::float8[], $6::bigint[])
        as given (id, datastream_id, time, number, feature_id)) as plain
"""
# Locked in one order by all writers, so that two batches never wait for each other.
LOCK = """
    select l.datastream_id, d.feature_id, extract(epoch from k.day_shift)::bigint as shift, k.is_total, c.time_zone,
           greatest(l.time, l.last_time) as newest
    from sensing.latest l join sensing.datastream d on d.id = l.datastream_id join sensing.kind k on k.id = d.kind
    cross join city c
    where l.datastream_id = any($1::bigint[]) and d.is_multi = $2 order by l.datastream_id
    for no key update of l
"""
DEDUPE = """hash_record_extended(
    row(number, text, json, time_end, result_time, valid_from, valid_to, quality, parameters), 0)"""
INSERT = f"""
    with fresh as (
        insert into sensing.observation (id, datastream_id, time, dedupe, number, feature_id, time_end, result_time,
                                         valid_from, valid_to, text, json, quality, parameters)
        select id, datastream_id, time, {DEDUPE}, number, feature_id, time_end, result_time, valid_from, valid_to, text,
               json::jsonb, quality::jsonb, parameters::jsonb
        from {{source}} order by datastream_id, time
        on conflict (datastream_id, time, dedupe) do nothing
        returning id, datastream_id, time, number
    ), fed as (
        insert into sensing.arrival (via, ids, datastream_ids, times, numbers)
        select $1, array_agg(id), array_agg(datastream_id), array_agg(time), array_agg(number)
        from fresh having count(*) > 0
    )
    select array_agg(id) from fresh
"""
KNOWN = f"""
    select s.id as taken, o.id as known
    from (select *, {DEDUPE} as dedupe from {{source}}) s
    join sensing.observation o using (datastream_id, time, dedupe)
    where o.id <> s.id and $1::text is not null
"""
NEWEST = """
    update sensing.latest l set
        count = l.count + g.count,
        first_time = least(l.first_time, g.first_time at time zone 'UTC'),
        last_time = greatest(l.last_time, g.last_time at time zone 'UTC'),
        first_result_time = least(l.first_result_time, g.first_result_time),
        last_result_time = greatest(l.last_result_time, g.last_result_time),
        arrived_at = now(),
        id = case when g.is_newer then g.id else l.id end,
        number = case when g.is_newer then g.number else l.number end,
        text = case when g.is_newer then g.text else l.text end,
        json = case when g.is_newer then g.json::jsonb else l.json end,
        time = greatest(l.time, g.at)
    from (
        select g.*, o.time is null or g.time at time zone 'UTC' >= o.time as is_newer, g.time at time zone 'UTC' as at
        from unnest($1::bigint[], $2::int[], $3::timestamp[], $4::timestamp[], $5::timestamptz[], $6::timestamptz[],
                    $7::bigint[], $8::timestamp[], $9::float8[], $10::text[], $11::text[])
            as g (datastream_id, count, first_time, last_time, first_result_time, last_result_time, id, time, number,
                  text, json)
        join sensing.latest o using (datastream_id)
    ) g
    where l.datastream_id = g.datastream_id
"""
ADDED = """
    count = h.count + excluded.count, sum = h.sum + excluded.sum,
    min = least(h.min, excluded.min), max = greatest(h.max, excluded.max),
    first = case when excluded.first_time < h.first_time then excluded.first else h.first end,
    last = case when excluded.last_time >= h.last_time then excluded.last else h.last end,
    first_time = least(h.first_time, excluded.first_time),
    last_time = greatest(h.last_time, excluded.last_time)
"""
SPANS = """
    insert into sensing.{table} as h
        (datastream_id, {at}, count, sum, min, max, first, last, first_time, last_time)
    select datastream_id, at {cast}, count, sum, min, max, first, last, first_time at time zone 'UTC',
           last_time at time zone 'UTC'
    from unnest($1::bigint[], $2::timestamp[], $3::int[], $4::float8[], $5::float8[], $6::float8[], $7::float8[],
                $8::float8[], $9::timestamp[], $10::timestamp[])
        as given (datastream_id, at, count, sum, min, max, first, last, first_time, last_time)
    on conflict (datastream_id, {at}) do update set """
HOURS = SPANS.format(table="hourly", at="at", cast="at time zone 'UTC'") + ADDED
DAYS = SPANS.format(table="daily", at="day", cast="::date") + ADDED


async def write_readings(
    connection: Connection, readings: Sequence[Reading] | Batch, *, via: str, are_multi: bool = False
) -> Written:
    """Write readings inside the connection's transaction; one that was written before counts once and keeps its id.

    via: how they came (http, mqtt, feed), which the feed of arrivals tells. are_multi: all are of MultiDatastreams, or
    none is.
    The months they fall in must exist: see `prepare_months`.
    """
    batch = readings if isinstance(readings, Batch) else Batch.of(readings)
    locked = await connection.fetch(LOCK, np.unique(batch.streams).tolist(), are_multi)
    usual = {row["datastream_id"]: row["feature_id"] for row in locked}
    if lacking := [stream for stream, feature in usual.items() if feature is None]:
        usual |= await find_places(connection, lacking)
    if batch.readings is not None and (
        pairs := {(each.datastream_id, each.feature_id) for each in batch.readings if each.feature_id is not None}
    ):
        await note_features(connection, pairs)
    if batch.readings is None and len(batch) > FEW:
        places = [NOWHERE if usual[row["datastream_id"]] is None else usual[row["datastream_id"]] for row in locked]
        newest = [NEVER if row["newest"] is None else microseconds(row["newest"]) for row in locked]
        streams = [row["datastream_id"] for row in locked]
        standing = Standing(*(np.array(column, dtype=np.int64) for column in (streams, places, newest)))
        taken, fresh = await copy_readings(connection, batch, standing, via)
        ids: list[int | None] = [number or None for number in taken.tolist()]
    else:
        ids, taken, fresh = await _insert(connection, batch, usual, via)
    if len(fresh):
        await _newest(connection, batch, fresh, taken)
        await _roll_up(connection, batch, fresh, locked)
        await connection.execute(f"select pg_notify('{CHANNEL}', '')")
    return Written(ids, len(fresh))


async def _insert(
    connection: Connection, batch: Batch, usual: dict[int, int | None], via: str
) -> tuple[list[int | None], Whole, Whole]:
    """Write readings of any form: their ids as told, those taken for them, and where the new ones stand."""
    taken = await take_ids(connection, len(batch))
    is_known = np.isin(batch.streams, np.array(list(usual), dtype=np.int64))
    if not is_known.any():
        return [None] * len(batch), taken, np.array([], dtype=np.int64)
    source, given = await _bring(connection, batch, taken, is_known, usual)
    new = await connection.fetchval(INSERT.replace("{source}", source), via, *given) or []
    ids: list[int | None] = taken.tolist()
    if len(new) < len(batch):
        known_sql = KNOWN.replace("{source}", source)
        known = {row["taken"]: row["known"] for row in await connection.fetch(known_sql, via, *given)}
        ids = [known.get(number, number) if has else None for number, has in zip(ids, is_known, strict=True)]
    return ids, taken, np.flatnonzero(np.isin(taken, np.array(new, dtype=np.int64))).astype(np.int64)


async def _bring(
    connection: Connection, batch: Batch, taken: Whole, is_known: Truth, usual: dict[int, int | None]
) -> tuple[str, list[Any]]:
    """Take readings of known datastreams to the database: the source that has them there, and its arguments."""
    if batch.readings is None:
        streams = batch.streams[is_known].tolist()
        times, numbers = timestamps(batch.times[is_known]), batch.numbers[is_known].tolist()
        return PLAIN_ARRAYS, [taken[is_known].tolist(), streams, times, numbers, [usual[each] for each in streams]]
    with without_collection():
        rows = [
            (number, *(each if each.feature_id is not None else (*each[:-1], usual[each.datastream_id])))
            for number, each, has in zip(taken.tolist(), batch.readings, is_known, strict=True)
            if has
        ]
    if len(batch) <= FEW:
        return ARRAYS, [list(column) for column in zip(*rows, strict=True)]
    await connection.execute(STAGING)
    await connection.copy_records_to_table("staged_reading", records=rows, columns=COLUMNS)
    return "staged_reading", []


async def _newest(connection: Connection, batch: Batch, fresh: Whole, taken: Whole) -> None:
    """Tell last values and extents; fresh: where in the batch what really went in stands."""
    order = fresh[np.lexsort((batch.times[fresh], batch.streams[fresh]))]
    starts = beginnings(batch.streams[order])
    last = order[np.append(starts[1:], len(order)) - 1]
    counts = np.diff(np.append(starts, len(order)))
    ends = batch.times
    results: list[tuple[datetime | None, datetime | None]] = [(None, None)] * len(starts)
    texts: list[tuple[str | None, str | None]] = [(None, None)] * len(starts)
    if batch.readings is not None:
        ends = np.array(
            [time if each.time_end is None else microseconds(each.time_end)
             for time, each in zip(batch.times.tolist(), batch.readings, strict=True)], dtype=np.int64
        )  # fmt: skip
        moments = [each.result_time for each in batch.readings]
        results = [_ends([moments[index] for index in part.tolist()]) for part in np.split(order, starts[1:])]
        texts = [(batch.readings[index].text, batch.readings[index].json) for index in last.tolist()]
    await connection.execute(
        NEWEST,
        batch.streams[last].tolist(),
        counts.tolist(),
        timestamps(batch.times[order[starts]]),
        timestamps(np.maximum.reduceat(ends[order], starts)),
        [first for first, _ in results],
        [final for _, final in results],
        taken[last].tolist(),
        timestamps(batch.times[last]),
        [None if math.isnan(number) else number for number in batch.numbers[last].tolist()],
        [text for text, _ in texts],
        [packed for _, packed in texts],
    )


def _ends(moments: list[datetime | None]) -> tuple[datetime | None, datetime | None]:
    known = [each for each in moments if each is not None]
    return (min(known), max(known)) if known else (None, None)


async def _roll_up(connection: Connection, batch: Batch, fresh: Whole, locked: Sequence[Any]) -> None:
    """Add to hours and days what really went in."""
    fresh = fresh[~np.isnan(batch.numbers[fresh])]
    if not len(fresh):
        return
    zone = ZoneInfo(locked[0]["time_zone"])
    known = np.array([row["datastream_id"] for row in locked], dtype=np.int64)
    streams, times = batch.streams[fresh], batch.times[fresh]
    # An amount that is told at the end of its time belongs before that moment, as `sensing.counted_at` has it.
    is_before: Truth = np.array([row["is_total"] for row in locked], dtype=bool)[np.searchsorted(known, streams)]
    if batch.readings is not None:
        is_before &= np.array([batch.readings[index].time_end is None for index in fresh.tolist()], dtype=bool)
    hours = roll_up(streams, hour_of(times - is_before, zone), times, batch.numbers[fresh])
    shifts = np.array([row["shift"] * SECOND for row in locked], dtype=np.int64)[np.searchsorted(known, hours.streams)]
    days = days_of(hours, date_of(hours.at, zone, shifts))
    await connection.execute(HOURS, *hours.columns())
    await connection.execute(DAYS, *days.columns())


async def prepare_months(connection: Connection, batch: Batch, made: set[Month]) -> None:
    """Have a partition for each month that the readings fall in; made: those known to exist, which this adds to."""
    months = batch.months() - made
    if months:
        await ensure_months(connection, months)
        made |= months
