"""A day of one datastream is read by one index of one month, however much lies beside it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from cim_models.database import Database
from tests.twin.sensing.streams import make_streams
from twin.sensing.series import NUMBER, RAW

START = datetime(2024, 7, 1, tzinfo=UTC)
FILL = """
    insert into sensing.observation (id, datastream_id, time, dedupe, number)
    select nextval('sensing.observation_id'), s, t, 0, 1
    from unnest($1::bigint[]) s
    cross join generate_series($2::timestamptz, $2::timestamptz + interval '61 days', '30 minutes') t
"""
SCANS = ("Index Scan", "Index Only Scan", "Bitmap Index Scan", "Seq Scan")


async def test_a_day_of_one_is_an_index_scan_of_its_month(database: Database) -> None:
    streams = await make_streams(database, "tide", number=20)
    async with database.writing() as connection:
        for month in (7, 8):
            await connection.execute("select sensing.ensure_month($1)", datetime(2024, month, 1, tzinfo=UTC))
        await connection.execute(FILL, streams, START)
    async with database.reading() as connection:
        await connection.execute("analyze sensing.observation")
        plans = [
            await connection.fetchval(f"explain (format json) {query}", streams[3], START, START + timedelta(days=1))
            for query in (RAW, NUMBER)
        ]
    assert [scans(each[0]["Plan"]) for each in plans] == [
        [("Index Scan", "observation_2024_07_datastream_id_time_dedupe_idx")],
        [("Index Scan", "hourly_pkey")],
    ]


def scans(plan: dict[str, Any]) -> list[tuple[str, str | None]]:
    """How a plan reads tables, and by which index."""
    found = [(plan["Node Type"], plan.get("Index Name"))] if plan["Node Type"] in SCANS else []
    return found + [each for part in plan.get("Plans", ()) for each in scans(part)]
