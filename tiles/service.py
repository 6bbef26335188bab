"""Tiles as a server gives them: from memory, from files, or drawn once for all who wait."""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import orjson
from cachetools import LRUCache

from cim_models.database import Database
from layers.access import SYSTEM, Principal
from layers.catalog import Catalog, Layer
from layers.filters import Filter
from layers.view import View
from tiles.cache import Drawing, FileStore, Key, MemoryStore
from tiles.draw import reach
from tiles.flights import Flights
from tiles.freshness import Freshness
from tiles.matrix import Box, Tile, TileOutOfRange
from tiles.overview.source import Source
from tiles.picture import Picture, pictured
from tiles.studio import Studio
from tiles.vector import Request
from tiles.views import Views
from tiles.watch import Watch

# Of the memory, one part in so many each: filtered tiles, of which there are as many as filters, and whole pictures of
# several layers, so that the ones that a viewer asks for again are not put together again.
FILTERED_SHARE = 8
PICTURES_SHARE = 2
# Longer requests are filters that hardly anyone asks for twice.
LONGEST_WORDS = 2048
# A picture in memory weighs its bytes and about this much for its objects.
OVERHEAD = 800
# Drawings that wait to be written to files; each holds its bytes meanwhile.
MOST_FILING = 64
IDENTITY_SQL = """
    select concat_ws('-', s.system_identifier, c.timeline_id, d.oid, extract(epoch from city.created_at))
    from pg_control_system() s, pg_control_checkpoint() c, pg_database d, city where d.datname = current_database()
"""


# How a tile was asked for: the words of the request, the tile, and whose rights hold.
Asked = tuple[str, Tile, str]


@dataclass
class _Remembered:
    """A picture, and what it is made of: (table, mark) a layer. heard: all changes known when that was looked at."""

    picture: Picture
    parts: list[tuple[str, int]]
    heard: int = -1


class TileService:
    """The tiles of one city in one process."""

    def __init__(
        self,
        database: Database,
        *,
        memory: int,
        files: Path | None,
        drawing: int,
        waiting: int,
        limit_s: float,
    ) -> None:
        """memory: bytes of tiles in this process. files: folder shared by all processes, if any, and trimmed by one.

        drawing: tiles drawn at once. waiting: how many more may wait for their turn. limit_s: seconds that drawing one
        tile may take, and waiting for that.
        """
        self._database = database
        self.freshness = Freshness()
        self.watch = Watch(database, self.freshness)
        self.views = Views(self.freshness)
        pictures, filtered = memory // PICTURES_SHARE, memory // FILTERED_SHARE
        self._pictures: LRUCache[Asked, _Remembered] = LRUCache(
            pictures, getsizeof=lambda kept: len(kept.picture.body) + OVERHEAD
        )
        self._memory = MemoryStore(memory - pictures - filtered, self.freshness)
        self._filtered = MemoryStore(filtered, self.freshness)
        self._folder = files
        self.files: FileStore | None = None
        self._studio = Studio(database, self.watch, drawing=drawing, waiting=waiting, limit_s=limit_s)
        self._flights: Flights[Key, Drawing] = Flights()
        self._filing: set[asyncio.Task[None]] = set()
        self._catalog: Catalog | None = None
        self._definitions: dict[str, str] = {}

    async def start(self) -> Self:
        """Learn what changed lately and follow what changes from now on."""
        await self.watch.start()
        if self._folder:
            async with self._database.writing() as connection:
                # Files of a database that was restored or laid down anew under the same name are another's.
                self.files = FileStore(self._folder / await connection.fetchval(IDENTITY_SQL))
        return self

    async def close(self) -> None:
        await self.watch.close()
        await self._flights.close()
        await asyncio.gather(*self._filing)

    def kept(self, catalog: Catalog, words: str, tile: Tile, principal: Principal) -> Picture | None:
        """The tile that was asked for in the same `words` before, if all of it is true still; without waiting."""
        if catalog is not self._catalog:
            self._adopt(catalog)
        kept = self._pictures.get((words, tile, _reader(principal)))
        if kept is None or not self.watch.is_fresh:
            return None
        return kept.picture if kept.heard == self.freshness.changes or self._still_true(kept, tile) else None

    async def tile(
        self,
        catalog: Catalog,
        layers: Sequence[Layer],
        tile: Tile,
        principal: Principal,
        *,
        view: View,
        wanted: Filter | None = None,
        words: str | None = None,
    ) -> Picture:
        """The tile of all layers together, without those that are not drawn at its zoom.

        words: by which `kept` will find it; None for what is not worth that.
        Raises TileOutOfRange if the only layer is not drawn at the tile's zoom, Busy, TooSlow, FilterError.
        """
        self._adopt(catalog)
        drawn = [layer for layer in layers if layer.min_zoom <= tile.zoom <= layer.max_zoom]
        if not drawn and len(layers) == 1:
            first, last = (zoom - tile.grid.detail for zoom in (layers[0].min_zoom, layers[0].max_zoom))
            raise TileOutOfRange(f"{layers[0].id}: drawn at zooms {first} to {last}")
        # Where changes are out of sight, nothing that was kept can be trusted.
        trusted = await self.watch.until_fresh()
        requests = [Request(catalog, layer, tile, view, wanted, principal) for layer in drawn]
        drawings = await asyncio.gather(*(self._drawing(request, trusted=trusted) for request in requests))
        picture = pictured(drawings)
        if words is not None and len(words) <= LONGEST_WORDS:
            self._remember((words, tile, _reader(principal)), picture, requests, drawings)
        return picture

    async def _drawing(self, request: Request, *, trusted: bool) -> Drawing:
        if self.views.needs_look_up(request.view):
            async with self._database.reading() as connection:
                await self.watch.replayed(connection)
                request = await self.views.plainest(connection, request)
        tile = request.tile
        key, table, box = Key(self._scope(request), tile.z, tile.x, tile.y), request.layer.theme.table, reach(tile)
        memory = self._memory if request.filter is None else self._filtered
        if trusted and (kept := memory.get(key, table, box)) is not None:
            return kept
        began_before = key in self._flights
        drawing = await self._joined(request, key, memory, trusted=trusted)
        # What began before this was asked for may lack a change that was known by then.
        if began_before and not self._is_true(table, box, drawing):
            drawing = await self._joined(request, key, memory, trusted=trusted)
        return drawing

    async def _joined(self, request: Request, key: Key, memory: MemoryStore, *, trusted: bool) -> Drawing:
        return await self._flights.join(key, lambda: self._found_or_drawn(request, key, memory, trusted=trusted))

    async def _found_or_drawn(self, request: Request, key: Key, memory: MemoryStore, *, trusted: bool) -> Drawing:
        table, box = request.layer.theme.table, reach(request.tile)
        files = self.files if request.filter is None and request.view.recorded is None else None
        if files and trusted:
            filed = await asyncio.to_thread(files.get, key)
            if filed and self._is_true(table, box, filed):
                memory.put(key, table, box, filed)
                return filed
        drawing = await self._studio.draw(request)
        if drawing.settled:
            memory.put(key, table, box, drawing)
            # An empty tile is drawn as quickly as read.
            if files and drawing.body and self._is_true(table, box, drawing):
                self._file(files, key, drawing)
        return drawing

    def _file(self, files: FileStore, key: Key, drawing: Drawing) -> None:
        """Put a drawing into the files, later: who asked for it need not wait. Left out where the disk is behind."""
        if len(self._filing) < MOST_FILING:
            filing = asyncio.create_task(asyncio.to_thread(files.put, key, drawing))
            self._filing.add(filing)
            filing.add_done_callback(self._filing.discard)

    def _is_true(self, table: str, box: Box, drawing: Drawing) -> bool:
        mark = self.freshness.mark(table, drawing.horizon)
        return mark is not None and self.freshness.checked(table, box, mark) is not None

    def _remember(self, key: Asked, picture: Picture, requests: Sequence[Request], drawings: Sequence[Drawing]) -> None:
        """Keep a picture of which every part is known to be true as of some change."""
        # Drawn under layers and rights that are no longer these, it would be given to who may not see it now.
        if any(request.catalog is not self._catalog for request in requests):
            return
        parts: list[tuple[str, int]] = []
        for request, drawing in zip(requests, drawings, strict=True):
            table = request.layer.theme.table
            mark = self.freshness.mark(table, drawing.horizon)
            if mark is None or not drawing.settled:
                return
            parts.append((table, mark))
        with contextlib.suppress(ValueError):
            # A picture larger than the whole store is not kept.
            self._pictures[key] = _Remembered(picture, parts)

    def _still_true(self, kept: _Remembered, tile: Tile) -> bool:
        box = reach(tile)
        for number, (table, mark) in enumerate(kept.parts):
            checked = self.freshness.checked(table, box, mark)
            if checked is None:
                return False
            kept.parts[number] = table, checked
        kept.heard = self.freshness.changes
        return True

    def _adopt(self, catalog: Catalog) -> None:
        """Take a newer catalogue; if it says something else, pictures are made of its layers and rights anew."""
        if catalog is not self._catalog:
            if catalog != self._catalog:
                self._pictures.clear()
                self._definitions.clear()
            self._catalog = catalog

    def _scope(self, request: Request) -> str:
        """All that a drawing depends on but its place and the data."""
        layer, view = request.layer, request.view
        definition = self._definitions.get(layer.id)
        if definition is None:
            definition = self._definitions[layer.id] = Source(layer, request.catalog).definition
        scope = f"{layer.id}/{layer.version}/{definition}"
        if not request.tile.grid.is_web:
            scope += f"/{request.tile.grid.id}"
        if not view.is_now:
            scope += f"/{view}"
        grant = request.catalog.grant(layer, request.principal)
        for kind, tree in (("where", request.filter and request.filter.tree), ("only", grant and grant.row_filter)):
            if tree is not None:
                scope += f"/{kind} " + orjson.dumps(tree, option=orjson.OPT_SORT_KEYS).decode()
        return scope


def _reader(principal: Principal) -> str:
    """Whose rights: those of a role, or the server's own."""
    return "" if principal == SYSTEM else principal.role
