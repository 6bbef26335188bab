"""Many plain readings go in by another way than few: what comes of them is the same."""

from datetime import UTC, datetime, timedelta

import numpy as np

from cim_models.database import Database
from tests.twin.sensing.streams import make_streams
from twin.sensing.batch import Reading
from twin.sensing.content_hash import content_hashes
from twin.sensing.ingest import Ingest
from twin.sensing.readings import DEDUPE, FEW

START = datetime(2024, 8, 1, tzinfo=UTC)
OTHER_COLUMNS = (
    "null::text as text, null::text as json, null::timestamptz as time_end, null::timestamptz as result_time,"
    " null::timestamptz as valid_from, null::timestamptz as valid_to, null::text as quality, null::text as parameters"
)


async def test_the_hash_is_that_of_postgresql(database: Database) -> None:
    numbers = np.random.default_rng(1).normal(size=1_000) * 10.0 ** np.random.default_rng(2).integers(-300, 300, 1_000)
    numbers = np.concatenate([numbers, [0.0, -0.0, 1.0, -1.0, 5e-324, 1.7e308]])
    asked = f"select {DEDUPE} from (select number, {OTHER_COLUMNS} from unnest($1::float8[]) number) given"
    async with database.reading() as connection:
        rows = await connection.fetch(asked, numbers.tolist())
    assert content_hashes(numbers).tolist() == [row[0] for row in rows]


def readings(stream: int) -> list[Reading]:
    """Minutes in any order, with a month's end between them, some of them twice, and two values at some moments."""
    random = np.random.default_rng(3)
    minutes = random.integers(0, 40 * 1440, 1_500)
    found = [Reading(stream, START + timedelta(minutes=int(m)), float(m % 7)) for m in minutes]
    return found + found[100:200] + [each._replace(number=9.5) for each in found[:50]]


async def told(database: Database, stream: int) -> list[object]:
    async with database.reading() as connection:
        return [
            sorted(map(tuple, await connection.fetch(query, stream)))
            for query in (
                "select time, number, dedupe, feature_id is null from sensing.observation where datastream_id = $1",
                "select count, number, time, first_time, last_time from sensing.latest where datastream_id = $1",
                "select at, count, sum, min, max, first, last from sensing.hourly where datastream_id = $1",
                "select day, count, sum, min, max, first, last from sensing.daily where datastream_id = $1",
            )
        ]


async def test_many_at_once_come_to_what_they_come_to_in_small_parts(database: Database) -> None:
    many, few, nowhere = await make_streams(database, "rain", number=3)
    async with database.writing() as connection:
        await connection.execute("update sensing.datastream set feature_id = null where id = $1", nowhere)
    ingest = Ingest(database, via="http")
    # Some are there before, of which some come again.
    known = readings(many)[1_000:1_200]
    first = await ingest.submit(known)
    batch = [*readings(many), Reading(999_999, START, 1.0), *(Reading(nowhere, *each[1:]) for each in readings(many))]
    ids = await ingest.submit(batch)
    for part in (slice(1_000, 1_200), *(slice(start, start + FEW) for start in range(0, len(readings(few)), FEW))):
        await ingest.submit(readings(few)[part])
    assert await told(database, many) == await told(database, few)
    assert ids[1_000:1_200] == first
    assert ids[len(readings(many))] is None
    assert ids[1_500:1_600] == ids[100:200]
    async with database.reading() as connection:
        rows = await connection.fetch("select id, datastream_id, time, number, feature_id from sensing.observation")
        fed = await connection.fetch("select * from sensing.arrival where $1 = any(datastream_ids)", nowhere)
    stored = {row["id"]: tuple(row)[1:4] for row in rows if row["datastream_id"] != few}
    assert stored == {number: each[:3] for number, each in zip(ids, batch, strict=True) if number is not None}
    assert {row["datastream_id"] for row in rows if row["feature_id"] is None} == {nowhere}
    told_on = {
        number: each
        for row in fed
        for number, *each in zip(*(row[name] for name in ("ids", "datastream_ids", "times", "numbers")), strict=True)
    }
    assert told_on == {number: list(each) for number, each in stored.items() if number not in first}
    # And all of it once more.
    assert await ingest.submit(batch) == ids
