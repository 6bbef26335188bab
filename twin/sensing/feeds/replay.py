"""History played as if it came in now: rows of a CSV file, at the pace of the clock or faster."""

import asyncio
import csv
import gzip
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import groupby
from pathlib import Path

from cim_models.database import Database
from twin.sensing import BadEntity
from twin.sensing.feeds import FeedError
from twin.sensing.feeds.rows import Row, Taken, read_row, take_rows
from twin.sensing.ingest import BATCH, Ingest

COLUMNS = ("key", "time", "value")


def read_csv(path: Path, zone: tzinfo) -> Iterator[Row]:
    """Rows of a CSV (or .csv.gz) with the columns key, time, value. Raises FeedError, naming the line."""
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            if not set(COLUMNS) <= set(reader.fieldnames or ()):
                raise FeedError(f"{path}: the columns {', '.join(COLUMNS)} are wanted, there are {reader.fieldnames}")
            for row in reader:
                try:
                    yield read_row(row["key"], row["time"], _value(row["value"]), zone)
                except BadEntity as error:
                    raise FeedError(f"{path}, line {reader.line_num}: {error}") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FeedError(f"{path}: cannot be read ({error})") from None


def _value(text: str | None) -> float | str | None:
    try:
        return float(text or "")
    except ValueError:
        return text or None


async def replay(
    database: Database,
    rows: Iterator[Row],
    *,
    speed: float | None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Taken:
    """Send rows, in the order of their times; how many.

    speed: so many seconds in one of the clock's, the first row now, each told with the moment at which it is sent.
    None sends all at once, with the times that they have.
    """
    ingest = Ingest(database, via="feed")
    if speed is None:
        return await _at_once(database, ingest, rows)
    ordered = sorted(rows, key=lambda row: row.time)
    began, total = now(), Taken()
    for moment, group in groupby(ordered, key=lambda row: row.time):
        due = began + timedelta(seconds=(moment - ordered[0].time).total_seconds() / speed)
        await asyncio.sleep(max(0.0, (due - now()).total_seconds()))
        total = _sum(total, await take_rows(database, ingest, [Row(row.key, due, row.value) for row in group]))
    return total


async def _at_once(database: Database, ingest: Ingest, rows: Iterator[Row]) -> Taken:
    total, batch = Taken(), []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            total = _sum(total, await take_rows(database, ingest, batch))
            batch = []
    return _sum(total, await take_rows(database, ingest, batch))


def _sum(one: Taken, other: Taken) -> Taken:
    return Taken(one.written + other.written, one.corrected + other.corrected, one.refused + other.refused)
