"""Readings are written once, whatever is sent again; last values, hours and days are those of pandas."""

import asyncio
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from cim_models.database import Database
from tests.twin.sensing.streams import make_streams
from twin.sensing.batch import Reading
from twin.sensing.ingest import Ingest
from twin.sensing.months import tend_once

START = datetime(2024, 8, 1, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")


async def count(database: Database) -> int:
    async with database.reading() as connection:
        number: int = await connection.fetchval("select count(*) from sensing.observation")
        return number


async def test_what_is_sent_again_counts_once_and_keeps_its_id(database: Database) -> None:
    (stream,) = await make_streams(database)
    ingest = Ingest(database, via="http")
    readings = [Reading(stream, START + timedelta(minutes=i), float(i)) for i in range(5)]
    first = await ingest.submit(readings)
    again = await ingest.submit([*readings, Reading(stream, START, 0.5)])
    assert again[:5] == first
    assert again[5] not in first
    assert await count(database) == 6
    async with database.reading() as connection:
        row = await connection.fetchrow("select count, number, first_time, last_time from sensing.latest")
        hours = await connection.fetchrow("select sum(count) as n, sum(sum) as total from sensing.hourly")
        fed = await connection.fetch("select ids from sensing.arrival order by seq")
    assert row is not None
    assert tuple(row) == (6, 4.0, START, START + timedelta(minutes=4))
    assert hours is not None
    assert tuple(hours) == (6, 10.5)
    assert [ids for (ids,) in fed] == [first, [again[5]]]


async def test_an_unknown_datastream_harms_no_other(database: Database) -> None:
    (stream,) = await make_streams(database)
    ids = await Ingest(database, via="http").submit([Reading(999, START, 1.0), Reading(stream, START, 2.0)])
    assert ids[0] is None
    assert ids[1] is not None
    assert await count(database) == 1


async def test_a_bad_submission_harms_no_other(database: Database) -> None:
    """Both wait for the same commit; the database refuses the NUL in one of them."""
    (stream,) = await make_streams(database)
    ingest = Ingest(database, via="http")
    good, bad = Reading(stream, START, 1.0), Reading(stream, START, text="\0")
    answers = await asyncio.gather(*(ingest.submit([each]) for each in (good, bad, good)), return_exceptions=True)
    assert isinstance(answers[1], Exception)
    assert answers[0] == answers[2]
    assert await count(database) == 1


async def test_many_writers_over_the_same_streams_lose_nothing(database: Database) -> None:
    """Four processes' worth of writers, the same streams in different order: no deadlock, every count right."""
    streams = await make_streams(database, number=20)
    writers = [Ingest(database, via="http") for _ in range(4)]

    def batch(writer: int, turn: int) -> list[Reading]:
        shuffled = np.random.default_rng(writer * 100 + turn).permutation(streams).tolist()
        return [Reading(each, START + timedelta(seconds=turn * 4 + writer), 1.0) for each in shuffled]

    await asyncio.gather(*(writers[i].submit(batch(i, turn)) for turn in range(10) for i in range(4)))
    async with database.reading() as connection:
        assert set(await connection.fetchval("select array_agg(count) from sensing.latest")) == {40}
        assert await connection.fetchval("select sum(sum) from sensing.daily") == 800.0


@pytest.mark.parametrize(
    ("kind", "to_day"),
    [
        # An hour's rain is told at its end. The calendar's day ends at 00:00; the hydrological one ends at 08:00 and
        # bears the date it began on; the meteorological one ends at 20:00 and bears the date it ends on.
        ("calendar", timedelta(0)),
        ("rain", -timedelta(hours=8)),
        ("meteorological", timedelta(hours=4)),
    ],
)
async def test_the_same_rain_has_three_days(database: Database, kind: str, to_day: timedelta) -> None:
    async with database.writing() as connection:
        await connection.execute(
            "insert into sensing.kind (id, title_zh, title_en, day_shift, is_total) values"
            " ('calendar', '', '', '0', true), ('meteorological', '', '', '4 hours', true)"
        )
    (stream,) = await make_streams(database, kind)
    ends = [datetime(2024, 8, 1, tzinfo=ZONE) + timedelta(hours=i) for i in range(1, 97)]
    rain = dict(zip(ends, np.random.default_rng(1).integers(0, 30, 96).astype(float).tolist(), strict=True))
    expected: Counter[date] = Counter()
    for end, amount in rain.items():
        middle = end - timedelta(minutes=30)
        expected[(middle + to_day).date()] += amount
    ingest = Ingest(database, via="http")
    # Late and out of order.
    for part in np.random.default_rng(2).permutation(96).reshape(4, 24):
        await ingest.submit([Reading(stream, ends[i], rain[ends[i]]) for i in part])
    async with database.reading() as connection:
        found = dict(await connection.fetch("select day, sum from sensing.daily where count > 0"))
        at_eight = await connection.fetchval("select sum from sensing.hourly where at = '2024-08-02 07:00+08'")
    assert found == expected
    assert at_eight == rain[datetime(2024, 8, 2, 8, tzinfo=ZONE)]


async def test_hours_and_days_are_those_of_pandas(database: Database) -> None:
    (stream,) = await make_streams(database)
    random = np.random.default_rng(3)
    times = [START + timedelta(seconds=int(s)) for s in np.sort(random.choice(300_000, 2_000, replace=False))]
    values = random.normal(size=2_000)
    ingest = Ingest(database, via="http")
    for part in random.permutation(2_000).reshape(8, 250):
        await ingest.submit([Reading(stream, times[i], float(values[i])) for i in part])
    frame = pd.Series(values, pd.DatetimeIndex(times).tz_convert(ZONE))
    for table, key, rule in (("hourly", "at", "h"), ("daily", "day", "D")):
        wanted = frame.resample(rule).agg(["count", "sum", "min", "max", "first", "last"]).query("count > 0")
        async with database.reading() as connection:
            rows = await connection.fetch(
                f"select count, sum, min, max, first, last from sensing.{table} order by {key}"
            )
        np.testing.assert_allclose([tuple(row) for row in rows], wanted.to_numpy(), atol=1e-9)


async def test_months_are_made_ahead_and_dropped_when_over(database: Database) -> None:
    rain, level = *await make_streams(database, "rain"), *await make_streams(database, "water_level")
    ingest = Ingest(database, via="http")
    moments = [datetime(2024, month, 15, tzinfo=UTC) for month in range(1, 7)]
    await ingest.submit([Reading(each, moment, 1.0) for each in (rain, level) for moment in moments])
    async with database.writing() as connection:
        await connection.execute("update sensing.kind set kept_months = case id when 'rain' then 2 else 4 end")
    await tend_once(database, datetime(2024, 6, 20, tzinfo=UTC))
    async with database.reading() as connection:
        kept = dict(await connection.fetch("select datastream_id, count(*) from sensing.observation group by 1"))
        parts = await connection.fetch(
            "select inhrelid::regclass::text from pg_inherits where inhparent = $1::regclass order by 1",
            "sensing.observation",
        )
    # The present month and so many full months before it.
    assert kept == {rain: 3, level: 5}
    assert [name.removeprefix("sensing.observation_") for (name,) in parts] == [
        *(f"2024_{month:02}" for month in range(2, 10)),
        "default",
    ]
