"""A batch of readings written so that each counts once, and all that follows from what really went in."""

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from cim_models.database import Connection
from twin.sensing.allocation import without_collection
from twin.sensing.batch import Batch, Reading, Truth, Whole, microseconds, timestamps
from twin.sensing.months import Month, ensure_months
from twin.sensing.places import find_places, note_features
from twin.sensing.rollup import SECOND, beginnings, date_of, days_of, hour_of, roll_up

# Observation ids are taken this many at a time: the increment of their sequence.
BLOCK = 1000
CHANNEL = "citytwin_arrival"


@dataclass(frozen=True)
class Written:
    """What became of a batch: the id of each reading, in order, and how many were new.

    An id is None where there is no such datastream.
    """

    ids: list[int | None]
    new: int


STAGING = """
    create temporary table if not exists staged_plain (
        id bigint, datastream_id bigint, time timestamptz, number float8, feature_id bigint
    ) on commit delete rows;
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
PLAIN = """(
    select id, datastream_id, {time} as time, number, null::text as text, null::text as json,
           null::timestamptz as time_end, null::timestamptz as result_time, null::timestamptz as valid_from,
           null::timestamptz as valid_to, null::text as quality, null::text as parameters,
           nullif(feature_id, -1) as feature_id
    from {source}) as plain
"""
PLAIN_STAGED = PLAIN.format(time="time", source="staged_plain")
PLAIN_ARRAYS = PLAIN.format(
    time="time at time zone 'UTC'",
    source="unnest($2::bigint[], $3::bigint[], $4::timestamp[], $5::float8[], $6::bigint[])"
    " as given (id, datastream_id, time, number, feature_id)",
)
# A row of PostgreSQL's binary COPY: the number of its fields, and before each its length.
ROW = np.dtype(
    [("fields", ">i2")]
    + [part for name, type_ in (("id", ">i8"), ("stream", ">i8"), ("time", ">i8"), ("number", ">f8"), ("place", ">i8"))
       for part in ((f"{name}_length", ">i4"), (name, type_))]
)  # fmt: skip
COPY_HEAD = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
COPY_TAIL = struct.pack(">h", -1)
# PostgreSQL counts time from the year 2000.
POSTGRES_EPOCH = 946_684_800 * SECOND
# Locked in one order by all writers, so that two batches never wait for each other.
LOCK = """
    select l.datastream_id, d.feature_id, extract(epoch from k.day_shift)::bigint as shift, k.is_total, c.time_zone
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
    taken = await _take_ids(connection, len(batch))
    is_known = np.isin(batch.streams, np.array(list(usual), dtype=np.int64))
    if not is_known.any():
        return Written([None] * len(batch), 0)
    source, given = await _bring(connection, batch, taken, is_known, usual)
    new = await connection.fetchval(INSERT.replace("{source}", source), via, *given) or []
    ids: list[int | None] = taken.tolist()
    if len(new) < len(batch):
        known_sql = KNOWN.replace("{source}", source)
        known = {row["taken"]: row["known"] for row in await connection.fetch(known_sql, via, *given)}
        ids = [known.get(number, number) if has else None for number, has in zip(ids, is_known, strict=True)]
    if new:
        fresh = np.flatnonzero(np.isin(taken, np.array(new, dtype=np.int64))).astype(np.int64)
        await _newest(connection, batch, fresh, taken)
        await _roll_up(connection, batch, fresh, locked)
        await connection.execute(f"select pg_notify('{CHANNEL}', '')")
    return Written(ids, len(new))


async def _bring(
    connection: Connection, batch: Batch, taken: Whole, is_known: Truth, usual: dict[int, int | None]
) -> tuple[str, list[Any]]:
    """Take readings of known datastreams to the database: the source that has them there, and its arguments."""
    is_few = len(batch) <= FEW
    if not is_few:
        await connection.execute(STAGING)
    if batch.readings is None:
        columns = _plain_columns(batch, taken, is_known, usual)
        if is_few:
            ids, streams, times, numbers, places = columns.values()
            given = [ids.tolist(), streams.tolist(), timestamps(times), numbers.tolist(), places.tolist()]
            return PLAIN_ARRAYS, given
        await connection.copy_to_table("staged_plain", source=BytesIO(_packed(columns)), format="binary")
        return PLAIN_STAGED, []
    with without_collection():
        rows = [
            (number, *(each if each.feature_id is not None else (*each[:-1], usual[each.datastream_id])))
            for number, each, has in zip(taken.tolist(), batch.readings, is_known, strict=True)
            if has
        ]
    if is_few:
        return ARRAYS, [list(column) for column in zip(*rows, strict=True)]
    await connection.copy_records_to_table("staged_reading", records=rows, columns=COLUMNS)
    return "staged_reading", []


def _plain_columns(
    batch: Batch, taken: Whole, is_known: Truth, usual: dict[int, int | None]
) -> dict[str, npt.NDArray[Any]]:
    known = np.array(sorted(usual), dtype=np.int64)
    features = np.array([-1 if (at := usual[stream]) is None else at for stream in known.tolist()], dtype=np.int64)
    streams = batch.streams[is_known]
    return {
        "id": taken[is_known],
        "stream": streams,
        "time": batch.times[is_known],
        "number": batch.numbers[is_known],
        "place": features[np.searchsorted(known, streams)],
    }


def _packed(columns: dict[str, npt.NDArray[Any]]) -> bytes:
    """Columns as PostgreSQL's binary COPY has rows, all at once: a driver that packs row by row takes far longer."""
    rows = np.zeros(len(columns["id"]), dtype=ROW)
    rows["fields"] = len(columns)
    for name, values in columns.items():
        rows[f"{name}_length"] = 8
        rows[name] = values - POSTGRES_EPOCH if name == "time" else values
    return COPY_HEAD + rows.tobytes() + COPY_TAIL


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


async def _take_ids(connection: Connection, number: int) -> Whole:
    blocks = await connection.fetch(
        "select nextval('sensing.observation_id') as first from generate_series(1, $1)", -(-number // BLOCK)
    )
    found: Whole = (np.array([row["first"] for row in blocks])[:, None] + np.arange(BLOCK)).ravel()[:number]
    return found
