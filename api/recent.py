"""Values that are read again when they are a moment old."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

# A new city, layer, plan or permission is served this soon.
FRESH_S = 1.0
T = TypeVar("T")


class Recent(Generic[T]):
    """A value read again when it is older than `fresh_s`; those who ask meanwhile share one reading."""

    def __init__(self, read: Callable[[], Awaitable[T]], fresh_s: float = FRESH_S) -> None:
        self._read = read
        self._fresh_s = fresh_s
        self._lock = asyncio.Lock()
        self._kept: T | None = None
        self._began = self._until = 0.0

    def kept(self) -> T | None:
        """The value if it is fresh, without waiting."""
        return self._kept if time.monotonic() < self._until else None

    async def get(self) -> T:
        async with self._lock:
            if (kept := self.kept()) is not None:
                return kept
            return await self._get()

    async def renewed(self, since: float) -> bool:
        """Read the value again if its reading began before `since` (monotonic); whether it did."""
        async with self._lock:
            if is_older := self._began < since:
                await self._get()
            return is_older

    async def _get(self) -> T:
        began = time.monotonic()
        self._kept = await self._read()
        self._began, self._until = began, time.monotonic() + self._fresh_s
        return self._kept
