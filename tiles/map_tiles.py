"""Map tiles: cut from larger maps, so that names go on from tile to tile, and kept while nothing on them changes."""

import asyncio
import contextlib
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import orjson
from cachetools import LRUCache

from cim_models.database import Connection, Database
from layers.access import Principal
from layers.catalog import Catalog, Layer
from layers.style import layer_style, resolved
from tiles.cache import OVERHEAD, Drawing, FileStore, Key
from tiles.flights import Flights
from tiles.freshness import horizon
from tiles.limits import is_within, refuse_outside
from tiles.map import MapLayer, MapRequest, MapService
from tiles.map.engine import mapnik
from tiles.map.picture import ENCODINGS, LABEL_ROOM
from tiles.map.request import Format
from tiles.matrix import MAP_PIXELS, Box, Grid, Tile, meet, web_box
from tiles.overview.recipe import CONSUMER, TOP_ZOOM
from tiles.picture import Picture
from tiles.service import TileService
from tiles.vector import Request

# A map of 4 by 4 tiles is drawn at once: a name may lie over the edges in it, and drawing costs half as much a tile.
SHEET_ZOOMS = 2
# Raised when maps come out differently from the same objects and styles.
EDITION = 1
MOST_SCOPES = 1024
# A picture of 256 pixels shows what the overviews of the zoom before it hold.
LAST_OVERVIEW_ZOOM = TOP_ZOOM + 1
# With more edits than these before the overviews have caught up, one of them will be here.
MOST_PENDING = 1000
PENDING = """
    select c.bbox_old, c.bbox_new from change c, change_consumer k
    where k.name = $1 and (c.xid, c.seq) > (k.xid, k.seq) and c."table" = any($2) and c.plan_id is null limit $3
"""


@dataclass(frozen=True)
class Content:
    """What a map tile shows. layers: the undermost first. background: #rrggbb, None for a transparent one."""

    layers: tuple[MapLayer, ...]
    format: Format
    background: str | None

    @property
    def tables(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(shown.layer.theme.table for shown in self.layers))

    @property
    def drawn(self) -> tuple[Layer, ...]:
        return tuple(shown.layer for shown in self.layers)


@dataclass
class _Kept:
    """A tile, and per table how many of its changes have been found not to touch it; heard: of all changes."""

    drawing: Drawing
    marks: dict[str, int]
    heard: int


class MapTiles:
    """The map tiles of one city in one process."""

    def __init__(self, database: Database, maps: MapService, service: TileService, *, memory: int) -> None:
        """service: whose eye on changes, and whose files, are shared. memory: bytes of tiles in this process."""
        self._database = database
        self._maps = maps
        self._watch, self._freshness, self._views = service.watch, service.freshness, service.views
        self._service = service
        self._memory: LRUCache[Key, _Kept] = LRUCache(memory, getsizeof=lambda kept: len(kept.drawing.body) + OVERHEAD)
        self._flights: Flights[Key, dict[Tile, Drawing]] = Flights()
        self._scopes: LRUCache[tuple[str, str, Grid], tuple[str, Content]] = LRUCache(MOST_SCOPES)
        self._looks: dict[tuple[str, str, str], str] = {}
        self._catalog: Catalog | None = None

    async def close(self) -> None:
        await self._flights.close()

    def kept(self, catalog: Catalog, words: str, tile: Tile, principal: Principal) -> Picture | None:
        """The tile that was asked for in the same `words` before, if all of it is true still; without waiting."""
        self._adopt(catalog)
        known = self._scopes.get((words, principal.role, tile.grid))
        if known is None or not self._watch.is_fresh or not is_within(tile, known[1].drawn):
            return None
        kept = self._known(_key(known[0], tile), known[1].tables, tile)
        return None if kept is None else _picture(kept)

    async def tile(
        self, catalog: Catalog, content: Content, tile: Tile, principal: Principal, *, words: str | None = None
    ) -> Picture:
        """The tile as a picture of the content's format.

        words: by which `kept` will find it; None for what is not worth that. Raises TileOutOfRange beyond what the
        layers cover, Busy, TooSlow, FilterError, LayerNotFound.
        """
        self._adopt(catalog)
        sheet, _ = sheet_of(tile)
        refuse_outside(tile, content.drawn)
        trusted = await self._watch.until_fresh()
        content = await self._plainest(catalog, content, sheet, principal)
        scope = self._scope(catalog, content, tile.grid, principal)
        if words is not None and not any(self._views.needs_look_up(shown.view) for shown in content.layers):
            self._scopes[words, principal.role, tile.grid] = scope, content
        if trusted and (kept := self._known(_key(scope, tile), content.tables, tile)) is not None:
            return _picture(kept)
        key = _key(scope, sheet)
        began_before = key in self._flights
        drawing = (await self._joined(key, catalog, content, tile, principal, trusted=trusted))[tile]
        # What began before this was asked for may lack a change that was known by then.
        if began_before and self._marks(content.tables, _reach(tile), drawing.horizon) is None:
            drawing = (await self._joined(key, catalog, content, tile, principal, trusted=trusted))[tile]
        return _picture(drawing)

    async def _joined(
        self, key: Key, catalog: Catalog, content: Content, tile: Tile, principal: Principal, *, trusted: bool
    ) -> dict[Tile, Drawing]:
        return await self._flights.join(
            key, lambda: self._found_or_drawn(key.scope, catalog, content, tile, principal, trusted=trusted)
        )

    async def _found_or_drawn(
        self, scope: str, catalog: Catalog, content: Content, tile: Tile, principal: Principal, *, trusted: bool
    ) -> dict[Tile, Drawing]:
        is_common = all(shown.filter is None and shown.view.recorded is None for shown in content.layers)
        files = self._service.files if is_common else None
        sheet, tiles = sheet_of(tile)
        if files and trusted:
            filed = await asyncio.to_thread(lambda: {each: files.get(_key(scope, each)) for each in tiles})
            found = {each: drawing for each, drawing in filed.items() if drawing is not None}
            if len(found) == len(tiles) and all(self._keep(scope, content, *pair) for pair in found.items()):
                return found
        found = await self._drawn(catalog, content, sheet, tiles, principal)
        kept = [each for each in found.items() if self._keep(scope, content, *each)]
        if files:
            await asyncio.to_thread(_file, files, scope, kept)
        return found

    async def _drawn(
        self, catalog: Catalog, content: Content, sheet: Tile, tiles: list[Tile], principal: Principal
    ) -> dict[Tile, Drawing]:
        async with self._database.reading() as connection:
            await self._watch.replayed(connection)
            # Before the map's own snapshots: what commits between the two is drawn and counts as later.
            at = await horizon(connection)
            settled = await _is_settled(connection, content, tiles[0])
        side = MAP_PIXELS << (tiles[0].z - sheet.z)
        request = MapRequest(
            content.layers,
            sheet.box(),
            sheet.grid.crs.code,
            side,
            side,
            transparent=content.background is None,
            background=content.background or "#ffffff",
        )
        picture = await self._maps.draw(request, catalog, principal)
        bodies = await asyncio.to_thread(_cut, picture, tiles, ENCODINGS[content.format])
        pairs = zip(tiles, bodies, strict=True)
        return {tile: Drawing(body, _etag(body), at, settled=settled) for tile, body in pairs}

    def _keep(self, scope: str, content: Content, tile: Tile, drawing: Drawing) -> bool:
        """Keep a tile unless what changed since it was begun touches it; whether it is true."""
        marks = self._marks(content.tables, _reach(tile), drawing.horizon)
        if marks is None or not drawing.settled:
            return False
        with contextlib.suppress(ValueError):
            # A tile larger than the whole store is not kept.
            self._memory[_key(scope, tile)] = _Kept(drawing, marks, self._freshness.changes)
        return True

    def _known(self, key: Key, tables: Iterable[str], tile: Tile) -> Drawing | None:
        kept = self._memory.get(key)
        if kept is None:
            return None
        if kept.heard != self._freshness.changes:
            box = _reach(tile)
            for table in tables:
                mark = self._freshness.checked(table, box, kept.marks[table])
                if mark is None:
                    del self._memory[key]
                    return None
                kept.marks[table] = mark
            kept.heard = self._freshness.changes
        return kept.drawing

    def _marks(self, tables: Iterable[str], box: Box, at: int) -> dict[str, int] | None:
        """Where a drawing of horizon `at` stands in each table's changes; None if one of them touches it."""
        marks = {}
        for table in tables:
            mark = self._freshness.mark(table, at)
            if mark is None or (mark := self._freshness.checked(table, box, mark)) is None:
                return None
            marks[table] = mark
        return marks

    async def _plainest(self, catalog: Catalog, content: Content, sheet: Tile, principal: Principal) -> Content:
        """The same content in the plainest views that show the same, so that equal tiles are drawn once."""
        if not any(self._views.needs_look_up(shown.view) for shown in content.layers):
            return content
        shown_plainly = []
        async with self._database.reading() as connection:
            await self._watch.replayed(connection)
            for shown in content.layers:
                request = Request(catalog, shown.layer, sheet, shown.view, shown.filter, principal)
                view = (await self._views.plainest(connection, request)).view
                shown_plainly.append(replace(shown, view=view))
        return replace(content, layers=tuple(shown_plainly))

    def _scope(self, catalog: Catalog, content: Content, grid: Grid, principal: Principal) -> str:
        """All that a tile depends on but its place and the data."""
        said: list[Any] = [EDITION, grid.id, content.format, content.background]
        for shown in content.layers:
            key = shown.layer.id, shown.style, principal.role
            looks = self._looks.get(key)
            if looks is None:
                looks = self._looks[key] = _looks(catalog, shown, principal)
            view, wanted = shown.view, shown.filter
            said.append([looks, None if view.is_now else str(view), wanted and wanted.tree])
        return "map/" + _digest(said)

    def _adopt(self, catalog: Catalog) -> None:
        if catalog is not self._catalog:
            if catalog != self._catalog:
                self._scopes.clear()
                self._looks.clear()
            self._catalog = catalog


def sheet_of(tile: Tile) -> tuple[Tile, list[Tile]]:
    """The tile of a lower zoom that is drawn at once, and the tiles that are cut from it, row by row."""
    up = min(SHEET_ZOOMS, tile.z - tile.grid.first)
    x, y, count = tile.x >> up << up, tile.y >> up << up, 1 << up
    tiles = [tile._replace(x=x + across, y=y + down) for down in range(count) for across in range(count)]
    return Tile(tile.z - up, tile.x >> up, tile.y >> up, tile.grid), tiles


def _reach(tile: Tile) -> Box:
    """The box (EPSG:3857) in which a change may alter a tile: all of its sheet, across which names find their place."""
    sheet, tiles = sheet_of(tile)
    return sheet.web_box(LABEL_ROOM / MAP_PIXELS / (1 << (tiles[0].z - sheet.z)))


async def _is_settled(connection: Connection, content: Content, tile: Tile) -> bool:
    """Whether the overviews hold all that changed where a tile is: if not, it will be drawn better in a moment."""
    if any(layer.published is not None for layer in content.drawn):
        # What others write into their own tables is in no feed.
        return False
    if tile.zoom > LAST_OVERVIEW_ZOOM:
        return True
    changes = await connection.fetch(PENDING, CONSUMER, list(content.tables), MOST_PENDING)
    reach = _reach(tile)
    boxes = (change[side] for change in changes for side in ("bbox_old", "bbox_new"))
    return len(changes) < MOST_PENDING and not any(meet(web_box(box), reach) for box in boxes if box is not None)


def _cut(picture: bytes, tiles: list[Tile], encoding: str) -> list[bytes]:
    image = mapnik.Image.from_string(picture)
    left, top, side = tiles[0].x, tiles[0].y, MAP_PIXELS
    views = (image.view((tile.x - left) * side, (tile.y - top) * side, side, side) for tile in tiles)
    return [bytes(view.to_string(encoding)) for view in views]


def _file(files: FileStore, scope: str, drawn: list[tuple[Tile, Drawing]]) -> None:
    for tile, drawing in drawn:
        files.put(_key(scope, tile), drawing)


def _key(scope: str, tile: Tile) -> Key:
    return Key(scope, tile.z, tile.x, tile.y)


def _picture(drawing: Drawing) -> Picture:
    return Picture(drawing.body, drawing.etag, drawing.thinned)


def _etag(body: bytes) -> str:
    return f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'


def _looks(catalog: Catalog, shown: MapLayer, principal: Principal) -> str:
    """What a layer shows of its objects to a principal, and in which looks."""
    layer, grant = shown.layer, catalog.grant(shown.layer, principal)
    return _digest(
        [
            [layer.id, layer.version, layer.dataset_id, layer.filter, layer.min_zoom, layer.max_zoom],
            [attribute.name for attribute in layer.properties],
            [shown.mode, resolved(layer_style(layer), catalog, shown.mode)],
            [grant and grant.row_filter],
        ]
    )


def _digest(said: Any) -> str:
    return hashlib.blake2b(orjson.dumps(said, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()
