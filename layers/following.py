"""Following a feed of the database: told by a notification, polled besides, and nothing lost with a connection."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, Protocol, TypeVar

import asyncpg

from cim_models.database import Connection, Database

POLL_S = 1.0
RECONNECT_S = 1.0
# How asyncpg tells that a connection is gone; the last where it goes while a statement is being prepared.
LOST = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)

logger = logging.getLogger(__name__)


class Placed(Protocol):
    """Something with its place in a feed."""

    @property
    def place(self) -> Any: ...


T = TypeVar("T", bound=Placed)


async def follow_feed(
    database: Database,
    channel: str,
    after: Any,
    *,
    present: Callable[[Connection], Awaitable[Any]],
    read: Callable[[Connection, Any], Awaitable[list[T]]],
    poll_s: float = POLL_S,
) -> AsyncGenerator[list[T], None]:
    """What comes after a place (from the present if None), in batches that are never empty, for ever.

    present: the place after all that any reader has been shown. read: what follows a place, in order. Holds one
    connection to the primary of its own. It listens, and polls each `poll_s` seconds besides, since a notification can
    be lost; a broken connection is opened again and nothing is missed. Closing the iterator ends it.
    """
    place = after
    while True:
        try:
            connection = await asyncpg.connect(database.url, server_settings={"timezone": "UTC"})
        except LOST as error:
            logger.warning("%s: no connection (%s); trying again", channel, error)
            await asyncio.sleep(RECONNECT_S)
            continue
        try:
            if place is None:
                place = await present(connection)
            woken = asyncio.Event()
            await connection.add_listener(channel, lambda *_: woken.set())  # noqa: B023  # one event a connection
            while True:
                woken.clear()
                while batch := await read(connection, place):
                    place = batch[-1].place
                    yield batch
                try:
                    async with asyncio.timeout(poll_s):
                        await woken.wait()
                except TimeoutError:
                    pass
        except LOST as error:
            logger.warning("%s: connection lost (%s); opening it again", channel, error)
            await asyncio.sleep(RECONNECT_S)
        finally:
            connection.terminate()
