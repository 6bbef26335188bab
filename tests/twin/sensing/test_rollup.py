"""Hours and days are cut as PostgreSQL cuts them, in zones whose clocks are odd; rows of arrays are read alike."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from cim_models.database import Database
from twin.sensing.batch import Batch, microseconds, timestamps
from twin.sensing.observations import row_reader
from twin.sensing.plain import plain_batch
from twin.sensing.rollup import date_of, hour_of

# Half an hour of summer time, a quarter past the hour, a change of zone, and before there were zones.
PLACES = [("Australia/Lord_Howe", "2024-04-06T10:00:00"), ("Asia/Kathmandu", "2024-08-01T00:00:00"),
          ("America/New_York", "2024-11-03T00:00:00"), ("Asia/Shanghai", "1900-12-31T00:00:00")]  # fmt: skip
CUT = """
    select date_trunc('hour', t, $2) as hour, ((t at time zone $2) - interval '8 hours')::date as day
    from unnest($1::timestamptz[]) with ordinality as given (t, n) order by n
"""
ZONE = ZoneInfo("Asia/Shanghai")
HEAD = ["phenomenonTime", "result"]


@pytest.mark.parametrize(("name", "start"), PLACES)
async def test_hours_and_days_are_cut_as_postgresql_does(database: Database, name: str, start: str) -> None:
    first = datetime.fromisoformat(start).replace(tzinfo=UTC)
    moments = [first + timedelta(minutes=7 * step) for step in range(200)]
    times = np.array([microseconds(each) for each in moments], dtype=np.int64)
    zone = ZoneInfo(name)
    hours = [each.replace(tzinfo=UTC) for each in timestamps(hour_of(times, zone))]
    shifts = np.full(len(times), -8 * 3_600_000_000)
    days = [each.date() for each in timestamps(date_of(times, zone, shifts))]
    async with database.reading() as connection:
        rows = await connection.fetch(CUT, moments, name)
    assert [row["hour"] for row in rows] == hours
    assert [row["day"] for row in rows] == days


def group(rows: list[object], head: list[str] = HEAD) -> dict[str, object]:
    return {"Datastream": {"@iot.id": 5}, "components": head, "dataArray": rows}


def test_columns_hold_what_rows_do() -> None:
    rows = [["2024-08-01T08:00:00+08:00", 1.5], ["2024-08-01T00:00:00.25Z", 2], ["2024-08-01 00:05:00Z", -3.25]]
    groups = [group(rows), group([row[::-1] for row in rows], HEAD[::-1])]
    read = row_reader(HEAD, 5, ZONE)
    one_by_one = Batch.of([read(row) for row in rows + rows])
    assert one_by_one.readings is None
    apart = [found for each in groups if (found := plain_batch([each])) is not None]
    for found in (plain_batch(groups), Batch.joined(apart)):
        for name in ("streams", "times", "numbers"):
            assert np.array_equal(getattr(found, name), getattr(one_by_one, name))


@pytest.mark.parametrize(
    "row",
    [["2024-08-01T00:00:00", 1.0], ["2024-08-01T00:00:00Z", True], ["2024-08-01T00:00:00Z", "1"], [None, 1.0],
     ["2024-08-01T00:00:00Z/2024-08-01T01:00:00Z", 1.0], ["2024-08-01T00:00:00Z", 1e305], ["2999-01-01T00:00:00Z", 1.0],
     ["2024-08-01T00:00:00Z", 10**400], ["2024-02-30T00:00:00Z", 1.0],
     ["0001-01-01T00:00:00Z", 1.0], ["0000-01-01T00:00:00Z", 1.0], ["2024-08-01T00:00:00Z"], "row", 5],
)  # fmt: skip
def test_what_is_not_plain_is_left_to_be_read_by_itself(row: object) -> None:
    assert plain_batch([group([["2024-08-01T00:00:00Z", 1.0], row])]) is None
