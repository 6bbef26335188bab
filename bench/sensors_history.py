"""Sensors' history: a day of one among ten million observations, and a week of thousands of stations filled in late."""

import time
from datetime import datetime, timedelta

import httpx
import numpy as np

from bench.report import table
from cim_models.database import Database
from twin.sensing.batch import Batch, microseconds
from twin.sensing.ingest import Ingest

# A value a minute of each datastream, straight into the partitions, with the hours that charts ask for their number.
MONTHS = "select sensing.ensure_month(m) from generate_series($1::timestamptz, $2::timestamptz, '15 days') m"
FILL = """
    insert into sensing.observation (id, datastream_id, time, dedupe, number)
    select nextval('sensing.observation_id') , s, t, 0, random()
    from unnest($1::bigint[]) s cross join generate_series($2::timestamptz, $3::timestamptz, '1 minute') t
"""
FILL_HOURS = """
    insert into sensing.hourly (datastream_id, at, count, sum, min, max, first, last, first_time, last_time)
    select s, t, 60, 30, 0, 1, 0, 1, t, t
    from unnest($1::bigint[]) s cross join generate_series($2::timestamptz, $3::timestamptz, '1 hour') t
    on conflict do nothing
"""
PLAN = """
    explain (analyze, costs off, timing off, summary off)
    select extract(epoch from time)::float8 as at, number from sensing.observation
    where datastream_id = $1 and time >= $2 and time < $3 and number is not null order by time, id
"""
# What the roll-ups should be, from the observations themselves.
WRONG = """
    with counted as (
        select o.datastream_id, date_trunc('hour', o.time) as at, count(*), sum(number), min(number), max(number)
        from sensing.observation o where o.datastream_id = any($1) and o.time >= $2 and o.time < $3 group by 1, 2
    )
    select (select count(*) from counted) as hours, (select sum(count)::bigint from counted) as readings,
        count(*) as wrong
    from counted c full join (select * from sensing.hourly where datastream_id = any($1) and at >= $2 and at < $3) h
        using (datastream_id, at)
    where (c.count, c.min, c.max) is distinct from (h.count, h.min, h.max) or abs(c.sum - h.sum) > 1e-6
"""


async def days(database: Database, client: httpx.AsyncClient, streams: list[int], rows: int, start: datetime) -> str:
    """A day of one datastream, at random, among so many observations."""
    minutes = rows // len(streams)
    end = start + timedelta(minutes=minutes - 1)
    async with database.writing() as connection:
        await connection.execute("set local statement_timeout = 0")
        await connection.fetch(MONTHS, start, end + timedelta(days=15))
        await connection.execute(FILL_HOURS, streams, start, end)
        for some in np.array_split(streams, 20):
            await connection.execute(FILL, some.tolist(), start, end, timeout=3600)
    async with database.reading() as connection:
        await connection.execute("set statement_timeout = 0")
        await connection.execute("vacuum analyze sensing.observation", timeout=3600)
        plan = await connection.fetch(PLAN, streams[0], start, start + timedelta(days=1))
    random = np.random.default_rng(1)
    found = []
    for _ in range(300):
        first = start + timedelta(minutes=int(random.integers(0, max(1, minutes - 1440))))
        asked = {
            "datastream": int(random.choice(streams)),
            "datetime": f"{first:%Y-%m-%dT%H:%M:%SZ}/{first + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}",
        }
        began = time.perf_counter()
        answer = await client.get("/sensors/series", params=asked)
        found.append((time.perf_counter() - began) * 1000)
        assert answer.status_code == 200, answer.text
    figures = [f"{each:.1f}" for each in np.percentile(found, [50, 95, 99])]
    told = table((f"among {rows:,} observations", "p50 ms", "p95 ms", "p99 ms"), [("a day of one", *figures)])
    return f"{told}\n\n```text\n{chr(10).join(row[0] for row in plan)}\n```"


async def back_fill(database: Database, streams: list[int], start: datetime) -> str:
    """A week of a reading each five minutes of each station, station by station, as archives come."""
    ingest = Ingest(database, via="feed")
    each = 7 * 288
    steps = microseconds(start) + np.arange(each, dtype=np.int64) * 300_000_000
    values = np.random.default_rng(1).normal(size=each)
    at_once = 5
    began = time.perf_counter()
    for first in range(0, len(streams), at_once):
        some = np.array(streams[first : first + at_once], dtype=np.int64)
        batch = Batch(np.repeat(some, each), np.tile(steps, len(some)), np.tile(values, len(some)))
        await ingest.submit(batch)
    seconds = time.perf_counter() - began
    async with database.writing() as connection:
        await connection.execute("set local statement_timeout = 0")
        week = start + timedelta(days=7)
        row = await connection.fetchrow(WRONG, streams, start, week, timeout=3600)
    assert row is not None
    assert row["readings"] == each * len(streams)
    wrong = f"{row['wrong']:,} of {row['hours']:,}"
    figures = (
        f"{len(streams):,} stations",
        f"{row['readings']:,}",
        f"{seconds:.0f}",
        f"{row['readings'] / seconds:,.0f}",
    )
    return table(("a week filled in", "readings", "s", "readings/s", "hours that are wrong"), [(*figures, wrong)])
