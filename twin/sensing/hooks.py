"""Steps of events, sent to the addresses that the operator has named: signed, in order, until they are taken."""

import asyncio
import hashlib
import time
from contextlib import aclosing
from urllib.parse import urlsplit

import orjson
import structlog

from cim_models.database import Database
from tiles.remote import RemoteError
from tiles.remote.outside import AllowList, Outside
from twin.sensing.event_feed import StepTaken, follow_steps, last_step
from twin.sensing.events import read_event
from twin.settings import Settings
from twin.signing import signed

FIRST_DELAY_S, LONGEST_DELAY_S = 1.0, 300.0
# Whoever has been away for longer asks for what is open.
GIVEN_UP_S = 86_400.0
PLACE = "select place from sensing.feed where name = $1"
KEEP = """
    insert into sensing.feed (name, place) values ($1, to_jsonb($2::bigint))
    on conflict (name) do update set place = excluded.place, updated_at = now()
"""
LOG = structlog.get_logger()


class EventHooks:
    """Sends each step of a city's events to every address, each in its own time.

    A step may come twice, after a crash; `X-Twin-Delivery` is the same then. What has not been taken for a day is
    skipped.
    """

    __name__ = "event_hooks"

    def __init__(self, settings: Settings) -> None:
        assert settings.callback_key is not None or not settings.event_hooks, "the settings see to it"
        self._outside = Outside(
            AllowList(settings.remote_hosts, settings.remote_networks), limit_s=settings.remote_timeout
        )
        self._key = settings.callback_key or ""
        self._urls = settings.event_hooks

    async def __call__(self, database: Database) -> None:
        async with asyncio.TaskGroup() as group:
            for url in self._urls:
                group.create_task(self._follow(database, url))

    async def _follow(self, database: Database, url: str) -> None:
        name = f"hook-{hashlib.sha256(url.encode()).hexdigest()[:16]}"
        async with database.writing() as connection:
            place = await connection.fetchval(PLACE, name)
            if place is None:
                # What happened before anybody asked is not told.
                place = await last_step(connection)
                await connection.execute(KEEP, name, place)
        async with aclosing(follow_steps(database, place)) as batches:
            async for batch in batches:
                for step in batch:
                    await self._send(database, url, step)
                    async with database.writing() as connection:
                        await connection.execute(KEEP, name, step.place)

    async def _send(self, database: Database, url: str, step: StepTaken) -> None:
        """Send a step, again and later each time, until it is taken or a day is over."""
        async with database.reading() as connection:
            event = await read_event(connection, orjson.loads(step.told)["event"])
        body = b'{"city":"%b","step":%b,"event":%b}' % (database.city.name.encode(), step.told, event)
        delay, until = FIRST_DELAY_S, time.monotonic() + GIVEN_UP_S
        while True:
            headers = signed(body, self._key, time.time()) | {"X-Twin-Delivery": str(step.place)}
            try:
                status = await self._outside.post(url, body, headers)
                if 200 <= status < 300:
                    return
                reason = f"it answers HTTP {status}"
            except RemoteError as error:
                reason = str(error)
            is_over = time.monotonic() > until
            LOG.warning(
                "event hook not told", host=urlsplit(url).netloc, step=step.place, reason=reason, given_up=is_over
            )
            if is_over:
                return
            await asyncio.sleep(delay)
            delay = min(2 * delay, LONGEST_DELAY_S)
