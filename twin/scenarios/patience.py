"""What must be written is written, also when the database is away for a moment."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg

from layers.following import LOST

T = TypeVar("T")
# The database may start again while hours of work wait to be kept.
PATIENCE_S, AGAIN_S = 120.0, 1.0
AWAY = (asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError, asyncpg.AdminShutdownError)


async def patiently(write: Callable[[], Awaitable[T]]) -> T:
    """What a transaction gives, begun again while the database is away. Raises what it raises in the end."""
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            return await write()
        except LOST as error:
            away = isinstance(error, AWAY) or not isinstance(error, asyncpg.PostgresError)
            if not away or time.monotonic() > until:
                raise
        await asyncio.sleep(AGAIN_S)
