"""One follower of a feed in a process, whom all its listeners share: however many there are, one connection listens."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from itertools import takewhile
from typing import Any, Generic

from cim_models.database import Connection, Database
from layers.following import T

# Items that a process remembers for those who come or lag; what is older is read again.
REMEMBERED = 200


class Hub(Generic[T]):
    """Rests while nobody listens.

    present: the place after all that any reader has been shown. read: what follows a place, in order. follow: the same
    as it comes, for ever.
    """

    def __init__(
        self,
        database: Database,
        *,
        present: Callable[[Connection], Awaitable[Any]],
        read: Callable[[Connection, Any], Awaitable[list[T]]],
        follow: Callable[[Database, Any], AsyncGenerator[list[T], None]],
    ) -> None:
        self._database = database
        self._present = present
        self._read = read
        self._feed = follow
        self._kept: deque[T] = deque(maxlen=REMEMBERED)
        self._forgotten: Any = None
        self._news = asyncio.Event()
        self._listeners = 0
        self._following: asyncio.Task[None] | None = None

    async def listen(self, after: Any = None, *, patience_s: float) -> AsyncGenerator[T | None, None]:
        """Items after a place, by default from now on; None where nothing has come for so long."""
        async with self._database.reading() as connection:
            now = await self._present(connection)
        place = now if after is None else after
        self._listeners += 1
        if self._following is None:
            self._kept.clear()
            self._forgotten = now
            self._following = asyncio.create_task(self._follow(now))
        try:
            while True:
                news = self._news
                batch = await self._after(place)
                for each in batch:
                    yield each
                    place = each.place
                if batch:
                    continue
                if place < self._forgotten:
                    # There was nothing in between.
                    place = self._forgotten
                    continue
                try:
                    async with asyncio.timeout(patience_s):
                        await news.wait()
                except TimeoutError:
                    yield None
        finally:
            self._listeners -= 1
            if not self._listeners and self._following is not None:
                self._following.cancel()
                self._following = None

    async def _after(self, place: Any) -> list[T]:
        if place < self._forgotten:
            async with self._database.reading() as connection:
                return await self._read(connection, place)
        # From the newest on: nearly always one is new, and hundreds may ask.
        found = list(takewhile(lambda each: each.place > place, reversed(self._kept)))
        return found[::-1]

    async def _follow(self, after: Any) -> None:
        async for batch in self._feed(self._database, after):
            for each in batch:
                if len(self._kept) == REMEMBERED:
                    self._forgotten = self._kept[0].place
                self._kept.append(each)
            news, self._news = self._news, asyncio.Event()
            news.set()
