"""Maps as a server gives them: so many at once, each within its time and memory, none without end."""

import asyncio
import re
import secrets
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from pathlib import Path
from threading import Lock
from typing import Self, TypeVar

from cachetools import LRUCache

from cim_models.database import Database
from layers.access import Principal
from layers.catalog import Catalog, Layer
from layers.filters import FilterError
from tiles import TileError
from tiles.map.engine import load_fonts
from tiles.map.kit import Kit
from tiles.map.legend import FORMATS as LEGEND_FORMATS
from tiles.map.legend import LegendFormat, chosen, draw_legend, legend_json, legend_rows, picture_size
from tiles.map.painter import Painter
from tiles.map.request import BadMap, MapRequest, mode_of
from tiles.studio import Busy, TooSlow

# How often the database is asked to end what nobody waits for any more.
CANCEL_POLL_S = 0.1
APPLICATION = "citytwin maps"
# Data sources are made while others are read from.
SPARE_CONNECTIONS = 2
# Two styles of more layers than a city has.
LEGEND_SIZES = 1_000
CANCEL_SQL = """
    select pg_cancel_backend(pid) from pg_stat_activity
    where datname = current_database() and application_name = $1 and state = 'active'
      and position($2 in query) > 0
"""
# PostgreSQL's words in Mapnik's error, whoever cancelled the statement.
CANCELLED = "canceling statement"
DATABASE_FAULT = "Plugin: ERROR:"
NO_MARK = re.compile(r"[^\w.-]")
Made = TypeVar("Made")


class DrawingFailed(TileError):
    """The database refused a statement of a map."""


class MapService:
    """The maps of one city in one process."""

    def __init__(
        self, database: Database, url: str, files: Path, *, drawing: int, waiting: int, limit_s: float
    ) -> None:
        """url: of the database that is read from. files: the city's folder, in which its rasters are.

        drawing: maps drawn at once. waiting: how many more may wait. limit_s: seconds for one, and to wait for a turn.
        """
        self._database = database
        kit = Kit(url, application=APPLICATION, limit_s=limit_s, connections=drawing + SPARE_CONNECTIONS)
        self._painter = Painter(kit, files)
        self._threads = ThreadPoolExecutor(drawing, thread_name_prefix="map")
        self._free = drawing + waiting
        self._limit_s = limit_s
        # However slow a layer is, one thread at least is left to the others.
        self._share = max(1, drawing - 1)
        self._turns: dict[str, asyncio.Semaphore] = {}
        self._process = secrets.token_hex(4)
        self._numbers = count(1)
        self._ending: set[asyncio.Task[None]] = set()
        self._legend_sizes: LRUCache[tuple[object, ...], tuple[int, int]] = LRUCache(LEGEND_SIZES)
        self._sizing = Lock()

    async def start(self) -> Self:
        """Make ready to draw."""
        await asyncio.to_thread(load_fonts)
        return self

    async def close(self) -> None:
        """Wait for what is being drawn, and draw no more."""
        await asyncio.gather(*self._ending)
        await asyncio.to_thread(self._threads.shutdown)

    async def draw(self, request: MapRequest, catalog: Catalog, principal: Principal, *, request_id: str = "") -> bytes:
        """The map as a picture in the format asked for.

        request_id: stands in every statement, for who looks into the database. Who is cancelled while it waits leaves
        no query behind. Raises FilterError, LayerNotFound, Busy when too many wait, TooSlow, DrawingFailed.
        """
        async with self._turn(sorted({shown.layer.id for shown in request.layers})):
            async with self._database.reading() as connection:
                drawing = await self._painter.drawing(connection, request, catalog, principal)
            try:
                return await self._within_limits(drawing.picture, request_id)
            except DrawingFailed:
                # What the database cannot compute is what a filter asks for: nothing else has values of its own.
                if any(shown.filter is not None for shown in request.layers):
                    raise FilterError("filter: computes a value that is out of range, or cannot be computed") from None
                raise

    async def legend(
        self,
        layer: Layer,
        catalog: Catalog,
        style: str = "day",
        form: LegendFormat = "image/png",
        *,
        scale: float | None = None,
        rule: str | None = None,
        width: int | None = None,
        height: int | None = None,
        in_use: Collection[str] | None = None,
    ) -> bytes:
        """The legend of a layer, as a picture or as JSON; of one rule, only its symbol.

        scale: denominator of the scale of which it is. width, height: pixels of a symbol. in_use: the values that are
        listed, None for all. Raises BadMap.
        """

        def make(_: str) -> bytes:
            mode = mode_of(style)
            rows = chosen(legend_rows(layer, catalog, mode, scale=scale, in_use=in_use), rule)
            if form == "application/json":
                return legend_json(layer, rows)
            return draw_legend(rows, mode, form, width=width, height=height)

        if form not in LEGEND_FORMATS:
            raise BadMap(f"format {form!r}: legends come as {', '.join(LEGEND_FORMATS)}")
        async with self._turn([layer.id]):
            return await self._within_limits(make)

    def legend_size(
        self, layer: Layer, catalog: Catalog, style: str = "day", *, in_use: Collection[str] | None = None
    ) -> tuple[int, int]:
        """Width and height in pixels of the picture that `legend` draws of the whole layer at any scale.

        Any thread may ask.
        """
        key = (layer.id, layer.version, style, None if in_use is None else frozenset(in_use))
        with self._sizing:
            size = self._legend_sizes.get(key)
            if size is None:
                size = picture_size(legend_rows(layer, catalog, mode_of(style), scale=None, in_use=in_use))
                self._legend_sizes[key] = size
        return size

    @asynccontextmanager
    async def _turn(self, layers: Iterable[str]) -> AsyncIterator[None]:
        """A turn of each layer, in one order for all, so that no two wait for each other."""
        if self._free <= 0:
            raise Busy("too many maps are being drawn and waited for; ask again in a moment")
        self._free -= 1
        try:
            async with AsyncExitStack() as turns:
                try:
                    async with asyncio.timeout(self._limit_s):
                        for layer in layers:
                            turn = self._turns.setdefault(layer, asyncio.Semaphore(self._share))
                            await turns.enter_async_context(turn)
                except TimeoutError:
                    raise Busy(f"no turn to draw within {self._limit_s:g} s; ask again in a moment") from None
                yield
        finally:
            self._free += 1

    async def _within_limits(self, make: Callable[[str], Made], request_id: str = "") -> Made:
        """Run in a thread; what takes too long, or is waited for no more, is ended in the database.

        The turn is over only when the thread is: a drawing that nobody waits for still takes memory.
        """
        # In a comment of SQL, which nothing in it may end.
        mark = f"{self._process}-{next(self._numbers):x} {NO_MARK.sub('', request_id)}"
        work = asyncio.get_running_loop().run_in_executor(self._threads, make, mark)
        try:
            async with asyncio.timeout(self._limit_s):
                return await asyncio.shield(work)
        except TimeoutError:
            await self._ended(work, mark)
            raise self._too_slow() from None
        except RuntimeError as error:
            # The statement's own limit was reached first.
            if CANCELLED in str(error):
                raise self._too_slow() from None
            if DATABASE_FAULT in str(error):
                raise DrawingFailed(str(error).partition("\n")[0]) from None
            raise ConnectionError("the database that maps are drawn from does not answer") from error
        except asyncio.CancelledError:
            ending = asyncio.create_task(self._ended(work, mark))
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)
            await asyncio.shield(ending)
            raise

    def _too_slow(self) -> TooSlow:
        return TooSlow(f"not drawn within {self._limit_s:g} s; zoom in, or ask for fewer layers")

    async def _ended(self, work: "asyncio.Future[Made]", mark: str) -> None:
        """Cancel a drawing's statements until it ends."""
        while not work.done():
            async with self._database.reading() as connection:
                await connection.execute(CANCEL_SQL, APPLICATION, mark)
            await asyncio.wait([work], timeout=CANCEL_POLL_S)
        if not work.cancelled():
            work.exception()
