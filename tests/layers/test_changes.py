"""The change feed loses nothing: not to commit order, not to a lost connection; and time itself is told in it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import psycopg
import pytest

from cim_models.database import Database
from layers.catalog import load_catalog
from layers.changes import Change, Place, follow, keep_place, kept_place, present, read_changes
from layers.edit import Correct, Insert, apply
from layers.timeline import Span
from layers.validity import LOCK, MOST_OBJECTS, tick
from tests.enact import EDITOR, footprint

INSERT = "insert into change (\"table\", op, who) values ('building', 'insert', $1)"


async def seen(database: Database, after: Place) -> list[str]:
    async with database.reading() as connection:
        return [change.who for change in await read_changes(connection, after)]


async def place(database: Database) -> Place:
    async with database.reading() as connection:
        return await present(connection)


async def test_commits_in_reverse_order_lose_nothing(empty: Database) -> None:
    """The later number commits first. A reader of seq > last would pass over the earlier for ever."""
    start = await place(empty)
    first, second = await asyncpg.connect(empty.url), await asyncpg.connect(empty.url)
    try:
        early, late = first.transaction(), second.transaction()
        await early.start()
        await late.start()
        await first.execute(INSERT, "early")
        await second.execute(INSERT, "late")
        await late.commit()
        read = await seen(empty, start)
        # The later one is committed, but an older transaction still runs: it must wait.
        assert read == []
        await early.commit()
        assert await seen(empty, start) == ["early", "late"]
    finally:
        await first.close()
        await second.close()


async def test_a_reader_in_small_steps_sees_each_change_once(empty: Database) -> None:
    at = await place(empty)
    for number in range(7):
        async with empty.writing() as connection:
            await connection.execute(INSERT, str(number))
            await connection.execute(INSERT, str(number))
    found: list[str] = []
    async with empty.reading() as connection:
        while batch := await read_changes(connection, at, limit=3):
            found += [change.who for change in batch]
            at = batch[-1].place
    assert found == [str(number // 2) for number in range(14)]


async def test_writers_at_once_and_a_reader_lose_nothing(empty: Database) -> None:
    """120 changes of six writers, in transactions of all lengths, reach a reader that never looks back."""
    start = await place(empty)

    async def write(writer: int) -> None:
        for number in range(20):
            async with empty.writing() as connection:
                await connection.execute(INSERT, f"{writer}/{number}")
                await asyncio.sleep(0.002 * ((writer + number) % 4))

    found: list[str] = []
    writing = asyncio.gather(*map(write, range(6)))
    async with asyncio.timeout(60), aclosing(follow(empty, start, poll_s=0.05)) as feed:
        async for batch in feed:
            found += [change.who for change in batch]
            if len(found) >= 120:
                break
    await writing
    assert sorted(found) == sorted(f"{w}/{n}" for w in range(6) for n in range(20))


async def test_a_lasting_consumer_goes_on_where_it_left_off(empty: Database) -> None:
    async with empty.writing() as connection:
        start = await kept_place(connection, "tiles")
    async with empty.writing() as connection:
        await connection.execute(INSERT, "one")
    async with empty.writing() as connection:
        (change,) = await read_changes(connection, start)
        await keep_place(connection, "tiles", change.place)
    async with empty.writing() as connection:
        assert await kept_place(connection, "tiles") == change.place
        assert await read_changes(connection, change.place) == []


@pytest.fixture
async def following(empty: Database) -> AsyncIterator["asyncio.Queue[Change]"]:
    """What a follower that began before the test is told."""
    told: asyncio.Queue[Change] = asyncio.Queue()
    start = await place(empty)

    async def run() -> None:
        async with aclosing(follow(empty, start, poll_s=0.2)) as feed:
            async for batch in feed:
                for change in batch:
                    told.put_nowait(change)

    task = asyncio.create_task(run())
    yield told
    assert not task.done()
    task.cancel()


async def test_a_follower_is_woken_by_an_edit(empty: Database, following: "asyncio.Queue[Change]") -> None:
    async with empty.reading() as connection:
        catalog = await load_catalog(connection, empty.city)
    insert = Insert(layer="buildings", properties={"class": "Building"}, geometry=footprint(0))
    (made,) = await apply(empty, catalog, EDITOR, [insert])
    async with asyncio.timeout(10):
        change = await following.get()
    assert (change.table, change.object_id, change.op) == ("building", made, "insert")
    assert change.bbox_new == pytest.approx(footprint(0).bounds)


async def test_a_follower_survives_a_lost_connection(empty: Database, following: "asyncio.Queue[Change]") -> None:
    """Its connection is killed while changes come; it misses none."""
    async with asyncio.timeout(30):
        for number in range(5):
            async with empty.writing() as connection:
                await connection.execute(INSERT, str(number))
            with psycopg.connect(empty.url, autocommit=True) as killer:
                killer.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity"
                    " where datname = current_database() and query like '%citytwin_change%' and pid <> pg_backend_pid()"
                )
        assert [(await following.get()).who for _ in range(5)] == ["0", "1", "2", "3", "4"]


# --- the ticker


async def set_clock(database: Database, moment: datetime) -> None:
    async with database.writing() as connection:
        await connection.execute("update validity_clock set at = $1", moment)


async def ticked(database: Database) -> list[Change]:
    start = await place(database)
    async with database.writing() as connection:
        await tick(connection, database.city.srid)
    async with database.reading() as connection:
        return await read_changes(connection, start)


async def stand(database: Database, *spans: Span, plan: int | None = None) -> list[int]:
    async with database.reading() as connection:
        catalog = await load_catalog(connection, database.city)
    inserts: list[Any] = [
        Insert(layer="buildings", properties={"class": "Building"}, geometry=footprint(number), span=span, plan=plan)
        for number, span in enumerate(spans)
    ]
    return await apply(database, catalog, EDITOR, inserts)


NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)


async def test_validities_that_pass_are_told_once(empty: Database) -> None:
    """After a pause of two hours, one object has come, one gone; others came before, or are still to come."""
    came, gone, *_ = await stand(
        empty,
        Span(NOW - HOUR, None),
        Span(None, NOW - HOUR),
        Span(NOW - 5 * HOUR, None),
        Span(NOW + 5 * HOUR, None),
        Span(),
    )
    await set_clock(empty, NOW - 2 * HOUR)
    first, second = await ticked(empty)
    assert (first.object_id, first.op, first.bbox_old) == (came, "boundary", None)
    assert first.bbox_new == pytest.approx(footprint(0).bounds)
    assert (second.object_id, second.bbox_new) == (gone, None)
    assert second.bbox_old == pytest.approx(footprint(1).bounds)
    assert second.valid_from == NOW - HOUR
    assert await ticked(empty) == []


async def test_a_moment_that_comes_is_told(empty: Database) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=1)
    await set_clock(empty, datetime.now(UTC))
    await stand(empty, Span(None, soon))
    assert await ticked(empty) == []
    await asyncio.sleep(1.2)
    (change,) = await ticked(empty)
    assert change.op == "boundary"


async def test_many_at_once_are_told_as_boxes(empty: Database) -> None:
    many = MOST_OBJECTS + 50
    await stand(empty, *[Span(NOW - HOUR, None)] * many)
    await set_clock(empty, NOW - 2 * HOUR)
    told = await ticked(empty)
    assert 0 < len(told) < 20
    assert {change.object_id for change in told} == {None}
    for number in (0, many - 1):
        west, south, east, north = footprint(number).bounds
        assert any(
            b[0] <= west and b[1] <= south and b[2] >= east and b[3] >= north
            for b in (change.bbox_new for change in told)
            if b is not None
        )


async def test_one_process_ticks(empty: Database) -> None:
    await stand(empty, Span(NOW - HOUR, None))
    await set_clock(empty, NOW - 2 * HOUR)
    async with empty.writing() as other:
        await other.execute("select pg_advisory_xact_lock($1)", LOCK)
        assert await ticked(empty) == []
    assert len(await ticked(empty)) == 1


async def test_a_village_that_begins_takes_its_objects(empty: Database) -> None:
    await stand(empty, Span())
    async with empty.reading() as connection:
        catalog = await load_catalog(connection, empty.city)
    village = Insert(
        layer="administrative_areas",
        properties={"class": "Village", "level": "village", "code": "330326100201"},
        geometry=footprint(0).buffer(0.01),
        span=Span(NOW + HOUR, None),
    )
    (area,) = await apply(empty, catalog, EDITOR, [village])
    async with empty.writing() as connection:
        assert await connection.fetchval("select village_code from building") is None
    moved = Correct(layer="administrative_areas", object_id=area, at=NOW + 2 * HOUR, span=Span(NOW - HOUR, None))
    await apply(empty, catalog, EDITOR, [moved])
    async with empty.writing() as connection:
        assert await connection.fetchval("select village_code from building") == "330326100201"
        # As if it had begun by itself while nobody was looking.
        await connection.execute("update building set village_code = null")
    await set_clock(empty, NOW - 2 * HOUR)
    told = await ticked(empty)
    async with empty.reading() as connection:
        assert await connection.fetchval("select village_code from building") == "330326100201"
    assert {(change.table, change.op) for change in told} == {
        ("administrative_area", "boundary"),
        ("building", "bulk"),
    }
