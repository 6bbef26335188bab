"""Watching a city: what arrives is judged by the rules as it comes, and the clock is heeded."""

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime

from cim_models.database import Database
from layers.changes import keep_place, kept_place
from twin.sensing.live import follow_arrivals
from twin.sensing.rules import evaluate, tick
from twin.sensing.starting_rules import seed_rules

CONSUMER = "rules"
TICK_S = 10.0
IS_NEW = "select not exists (select 1 from change_consumer where name = $1)"


async def watch_city(database: Database) -> None:
    """Evaluate the rules on whatever arrives, and by the clock; for ever."""
    async with asyncio.TaskGroup() as group:
        group.create_task(_on_arrivals(database))
        group.create_task(_by_the_clock(database))


async def _on_arrivals(database: Database) -> None:
    async with database.writing() as connection:
        # Once in a city's life: rules that someone deleted stay deleted.
        if await connection.fetchval(IS_NEW, CONSUMER):
            await seed_rules(connection)
        place = await kept_place(connection, CONSUMER)
    async with aclosing(follow_arrivals(database, place)) as arrivals:
        async for batch in arrivals:
            # With the place in one transaction: each arrival is judged once, whoever is killed.
            async with database.writing() as connection:
                await evaluate(connection, batch)
                await keep_place(connection, CONSUMER, batch[-1].place)


async def _by_the_clock(database: Database) -> None:
    while True:
        async with database.writing() as connection:
            await tick(connection, datetime.now(UTC))
        await asyncio.sleep(TICK_S)
