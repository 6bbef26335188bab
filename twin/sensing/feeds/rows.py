"""Rows of a feed (key, time, value) made into readings, late and corrected ones too."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Any

import structlog

from cim_models.database import Connection, Database
from twin.sensing import BadEntity
from twin.sensing.batch import Reading
from twin.sensing.ingest import Ingest
from twin.sensing.model import BY_NAME
from twin.sensing.observations import read_result, read_time
from twin.sensing.writing.change import change
from twin.sensing.writing.create import Writer

STREAMS = """
    select properties ->> 'key' as key, min(id) as id from sensing.datastream
    where properties ->> 'key' = any($1::text[]) group by 1
"""
# What a source says now of a moment for which it said something else.
OTHERWISE = """
    select o.id, g.number from unnest($1::bigint[], $2::timestamptz[], $3::float8[]) g (datastream_id, time, number)
    join sensing.observation o using (datastream_id, time)
    where o.number is distinct from g.number and o.number is not null
"""
LOG = structlog.get_logger()


@dataclass(frozen=True)
class Row:
    """key: properties.key of a datastream."""

    key: str
    time: datetime
    value: Any


@dataclass(frozen=True)
class Taken:
    """How many rows were written or known, corrected what was written, or were refused."""

    written: int = 0
    corrected: int = 0
    refused: int = 0


def read_row(key: Any, time: Any, value: Any, zone: tzinfo) -> Row:
    """A row of a source. zone: of times that name none. Raises BadEntity."""
    moment = time if isinstance(time, datetime) else read_time(str(time), "time", zone)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return Row(str(key), moment.astimezone(UTC), float(value) if isinstance(value, Decimal) else value)


async def take_rows(database: Database, ingest: Ingest, rows: Iterable[Row], *, correcting: bool = False) -> Taken:
    """Write rows; those of unknown keys, or without a value, are refused and logged.

    correcting: a number for a moment that has another one takes its place.
    """
    given = list(rows)
    async with database.reading() as connection:
        found = await connection.fetch(STREAMS, sorted({row.key for row in given}))
    streams = {row["key"]: row["id"] for row in found}
    readings, refused = _readings(given, streams)
    corrected = 0
    if correcting and readings:
        async with database.writing() as connection:
            corrected = await _correct(connection, readings)
    if readings:
        await ingest.submit(readings)
    return Taken(len(readings) - corrected, corrected, refused)


def _readings(rows: Sequence[Row], streams: dict[str, int]) -> tuple[list[Reading], int]:
    readings, unknown, bad = [], set(), 0
    for row in rows:
        stream = streams.get(row.key)
        if stream is None:
            unknown.add(row.key)
            bad += 1
            continue
        try:
            number, text, packed = read_result(row.value)
        except BadEntity:
            packed, number, text = "null", None, None
        if packed == "null":
            bad += 1
            continue
        readings.append(Reading(stream, row.time, number, text, packed))
    if unknown:
        LOG.warning("rows refused", reason="no Datastream has properties.key", keys=sorted(unknown)[:10])
    return readings, bad


async def _correct(connection: Connection, readings: Sequence[Reading]) -> int:
    numbers = [each for each in readings if each.number is not None]
    columns = [[each[place] for each in numbers] for place in range(3)]
    writer = Writer(connection, UTC)
    wrong = await connection.fetch(OTHERWISE, *columns)
    for row in wrong:
        await change(writer, BY_NAME["Observation"], row["id"], {"result": row["number"]}, whole=False)
    return len(wrong)
