"""The coverages of one city: the frames of each raster layer as a principal may see them, and threads to read them."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from cachetools import LRUCache

from api.recent import Recent
from layers.access import Principal
from layers.catalog import Layer
from layers.coverage import Frame, frame_at, read_frames
from layers.view import NOW, View
from tiles.flights import Flights
from tiles.studio import Busy

if TYPE_CHECKING:
    from api.cities import ServedCity

# GDAL reads in threads of its own, so that a slow disk does not hold up vector tiles; more than these must wait.
THREADS = 2
MOST_WAITING = 64
# A tile weighs 1 to 150 kB, and in the cache also about this much for its key and objects.
KEPT_BYTES = 32 * 2**20
OVERHEAD = 500
# Layers, as roles see them, that somebody looks at just now.
MOST_LAYERS = 512
T = TypeVar("T")


class Coverages:
    """Reads the raster layers of one city in this process."""

    def __init__(self, served: "ServedCity", folder: Path) -> None:
        self._served = served
        self._folder = folder
        self._read_lately: LRUCache[tuple[object, ...], Recent[tuple[Frame, ...]]] = LRUCache(MOST_LAYERS)
        self._kept: LRUCache[str, bytes] = LRUCache(KEPT_BYTES, getsizeof=lambda picture: len(picture) + OVERHEAD)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="coverage")
        self._flights: Flights[str, bytes] = Flights()
        self._waiting = 0

    async def frames(self, layer: Layer, principal: Principal, view: View = NOW) -> tuple[Frame, ...]:
        """All frames that `principal` may see, whatever moment the view is of. Raises LayerNotFound."""
        key = principal.role, layer.id, layer.version, layer.dataset_id, view.recorded
        recent = self._read_lately.get(key)
        if recent is None:
            recent = self._read_lately[key] = Recent(lambda: self._read(layer, principal, view))
        return await recent.get()

    async def frame(self, layer: Layer, principal: Principal, view: View = NOW) -> Frame | None:
        """The frame that a view shows, None of no frames. Raises LayerNotFound."""
        return frame_at(await self.frames(layer, principal, view), view.valid, datetime.now(UTC))

    async def _read(self, layer: Layer, principal: Principal, view: View) -> tuple[Frame, ...]:
        catalog = await self._served.catalog()
        async with self._served.reading() as connection:
            return await read_frames(connection, layer, catalog, principal, folder=self._folder, view=view)

    async def picture(self, etag: str, draw: Callable[[], bytes | None]) -> bytes:
        """What `draw` gives, empty for None, kept by its etag. Raises Busy and what `draw` raises."""
        if (kept := self._kept.get(etag)) is not None:
            return kept
        return await self._flights.join(etag, lambda: self._drawn(etag, draw))

    async def _drawn(self, etag: str, draw: Callable[[], bytes | None]) -> bytes:
        picture = await self.read(draw) or b""
        if len(picture) + OVERHEAD <= KEPT_BYTES:
            self._kept[etag] = picture
        return picture

    async def read(self, work: Callable[[], T]) -> T:
        """The result of reading in a thread. Raises Busy and what `work` raises."""
        if self._waiting >= MOST_WAITING:
            raise Busy("too many rasters are being read and waited for; ask again in a moment")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1
