"""Last values that a process keeps between two answers are those of the database, whoever writes and however late."""

from datetime import UTC, datetime
from typing import Any

import orjson

from cim_models.database import Database
from tests.twin.sensing.streams import make_streams
from twin.sensing.batch import Batch, Reading
from twin.sensing.latest import Chosen, Latest
from twin.sensing.readings import prepare_months, write_readings

MOMENT = datetime(2024, 8, 1, tzinfo=UTC)


async def test_what_was_being_written_at_the_last_look_is_told_at_the_next(database: Database) -> None:
    slow, quick, never = await make_streams(database, "tide", number=3)
    latest = Latest()

    async def told() -> dict[int, tuple[Any, str]]:
        async with database.reading() as connection:
            features, number = await latest.features(connection, Chosen(), 100)
        found = {each["id"]: each["properties"] for each in orjson.loads(features)}
        assert len(found) == number
        return {stream: (each["result"], each["state"]) for stream, each in found.items()}

    nothing = (None, "unknown")
    assert await told() == {slow: nothing, quick: nothing, never: nothing}
    async with database.writing() as connection:
        await prepare_months(connection, Batch.of([Reading(slow, MOMENT, 1.0)]), set())
    async with database.writing() as connection:
        await write_readings(connection, [Reading(slow, MOMENT, 1.0)], via="http")
        # A later transaction is over before this one.
        async with database.writing() as other:
            await write_readings(other, [Reading(quick, MOMENT, text='"high"\n')], via="http")
        assert await told() == {slow: nothing, quick: ('"high"\n', "ok"), never: nothing}
    assert await told() == {slow: (1.0, "ok"), quick: ('"high"\n', "ok"), never: nothing}
    async with database.writing() as connection:
        await connection.execute("update sensing.kind set silent_after = '0' where id = 'tide'")
    assert await told() == {slow: (1.0, "silent"), quick: ('"high"\n', "silent"), never: nothing}
