"""Where tiles are drawn: so many at once, each within a time limit, and no queue without end."""

import asyncio

import asyncpg

from cim_models.database import Database
from tiles import TileError
from tiles.cache import Drawing
from tiles.draw import draw
from tiles.freshness import horizon
from tiles.picture import sealed
from tiles.statements import Statements
from tiles.vector import Request
from tiles.watch import Watch


class Busy(TileError):
    """More tiles are being drawn and waited for than the server takes on; ask again shortly."""


class TooSlow(TileError):
    """A tile took longer than the limit."""


class Studio:
    """Draws tiles from the database."""

    def __init__(self, database: Database, watch: Watch, *, drawing: int, waiting: int, limit_s: float) -> None:
        """drawing: tiles at once. waiting: how many more may wait. limit_s: seconds for one, and to wait for a turn."""
        self._database = database
        self._watch = watch
        self._pens = asyncio.Semaphore(drawing)
        self._free = drawing + waiting
        self._limit_s = limit_s
        self._statements = Statements()

    async def draw(self, request: Request) -> Drawing:
        """A new drawing. Raises Busy, TooSlow, FilterError."""
        if self._free <= 0:
            raise Busy("too many tiles are being drawn and waited for; ask again in a moment")
        self._free -= 1
        try:
            await self._turn()
            try:
                return await self._drawn(request)
            finally:
                self._pens.release()
        finally:
            self._free += 1

    async def _turn(self) -> None:
        try:
            async with asyncio.timeout(self._limit_s):
                await self._pens.acquire()
        except TimeoutError:
            raise Busy(f"no turn to draw within {self._limit_s:g} s; ask again in a moment") from None

    async def _drawn(self, request: Request) -> Drawing:
        try:
            # Leaving early cancels the statement on the server, too.
            async with asyncio.timeout(self._limit_s), self._database.reading() as connection:
                await self._watch.replayed(connection)
                # Before the drawing's own snapshot: what commits between the two is drawn and counts as later.
                at = await horizon(connection)
                raw = await draw(connection, request, self._statements)
        except (TimeoutError, asyncpg.QueryCanceledError):
            where = f"{request.layer.id} {request.tile.z}/{request.tile.x}/{request.tile.y}"
            raise TooSlow(f"{where}: not drawn within {self._limit_s:g} s; zoom in, or filter") from None
        body, etag = await asyncio.to_thread(sealed, raw.body)
        return Drawing(body, etag, at, raw.thinned, raw.settled)
