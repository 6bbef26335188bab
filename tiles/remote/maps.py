"""Maps of other services as tiles of the web's grid: fetched, warped, kept for a while."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlencode

import numpy as np
from cachetools import TTLCache

from layers.crs import Crs
from tiles.flights import Flights
from tiles.matrix import Tile
from tiles.remote import RemoteFailed
from tiles.remote.matrix_set import Matrix, MatrixSet, read_matrix_set
from tiles.remote.outside import Fetched, Outside
from tiles.remote.warp import Picture, Window, decoded, encoded, warped, window
from tiles.studio import Busy

PICTURE_BYTES = 8 * 2**20
DOCUMENT_BYTES = 16 * 2**20
# A capabilities document may be fetched anew after ten minutes, a picture after an hour.
DOCUMENTS_FRESH_S = 600.0
PICTURES_FRESH_S = 3_600.0
KEPT_BYTES = 32 * 2**20
OVERHEAD = 500
# A tile never asks for more of the other service's; beyond that a coarser grid is taken.
MOST_TILES = 16
MOST_WAITING = 128
THREADS = 2
PICTURES = "image/png, image/jpeg, image/webp, image/gif"


@dataclass(frozen=True)
class WmsMap:
    """Layers of a WMS, drawn by it in a CRS of its own."""

    url: str
    layers: str
    styles: str
    crs: Crs
    version: Literal["1.1.1", "1.3.0"]
    format: str

    def address(self, seen: Window) -> str:
        """The GetMap request for a window (OGC 06-042, 7.3; 01-068r3, 7.2)."""
        new = self.version == "1.3.0"
        width, height = seen.size
        box = self.crs.to_official(seen.box) if new else seen.box
        given = {
            "SERVICE": "WMS", "VERSION": self.version, "REQUEST": "GetMap", "LAYERS": self.layers,
            "STYLES": self.styles, "CRS" if new else "SRS": self.crs.code.replace("OGC:CRS", "CRS:"),
            "BBOX": ",".join(f"{value:.10g}" for value in box), "WIDTH": str(width), "HEIGHT": str(height),
            "FORMAT": self.format, "TRANSPARENT": "TRUE",
        }  # fmt: skip
        base = self.url
        join = "" if base.endswith(("?", "&")) else "&" if "?" in base else "?"
        return f"{base}{join}{urlencode(given, safe=',:/')}"


@dataclass(frozen=True)
class WmtsMap:
    """A layer of a WMTS in one of its grids. url: of its capabilities."""

    url: str
    layer: str
    style: str
    matrix_set: str
    format: str


@dataclass(frozen=True)
class XyzMap:
    """Tiles of the web's own grid, which only pass through here. url: with {z}, {x} and {y} or {-y}."""

    url: str

    def address(self, tile: Tile) -> str:
        found = self.url.replace("{-y}", str((1 << tile.z) - 1 - tile.y))
        for name, value in (("{z}", tile.z), ("{x}", tile.x), ("{y}", tile.y)):
            found = found.replace(name, str(value))
        return found


RemoteMap = WmsMap | WmtsMap | XyzMap


class RemoteMaps:
    """Tiles and documents of the services that the operator named."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self.allowed = outside.allowed
        self._documents: TTLCache[str, Fetched] = TTLCache(2 * DOCUMENT_BYTES, DOCUMENTS_FRESH_S, getsizeof=_weight)
        self._sources: TTLCache[str, Fetched] = TTLCache(KEPT_BYTES, PICTURES_FRESH_S, getsizeof=_weight)
        self._drawn: TTLCache[tuple[RemoteMap, Tile], bytes] = TTLCache(
            KEPT_BYTES, PICTURES_FRESH_S, getsizeof=lambda body: len(body) + OVERHEAD
        )
        self._fetching: Flights[str, Fetched] = Flights()
        self._drawing: Flights[tuple[RemoteMap, Tile], bytes] = Flights()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="remote")

    async def tile(self, source: RemoteMap, tile: Tile) -> bytes:
        """A PNG (of an XyzMap the picture as it came), empty where the other map has nothing.

        Raises NotAllowed, RemoteFailed, RemoteTooSlow, Busy.
        """
        self.allowed.check(source.url)
        key = (source, tile)
        if (kept := self._drawn.get(key)) is not None:
            return kept
        if key not in self._drawing and len(self._drawing) >= MOST_WAITING:
            raise Busy("too many tiles of other services are being drawn; ask again in a moment")
        return await self._drawing.join(key, lambda: self._made(source, tile))

    async def document(self, url: str) -> Fetched:
        """A document or picture as it is. Raises NotAllowed, RemoteFailed, RemoteTooSlow, Busy."""
        return await self._kept(url, self._documents, "application/xml, application/json, */*;q=0.5", DOCUMENT_BYTES)

    async def _made(self, source: RemoteMap, tile: Tile) -> bytes:
        body = await self._draw(source, tile)
        if len(body) < KEPT_BYTES // 8:
            self._drawn[source, tile] = body
        return body

    async def _draw(self, source: RemoteMap, tile: Tile) -> bytes:
        if isinstance(source, XyzMap):
            return await self._picture(source.address(tile)) or b""
        if isinstance(source, WmsMap):
            seen = window(tile, source.crs)
            return b"" if seen is None else await self._from_wms(source, seen, tile)
        grid = await self._grid(source)
        seen = window(tile, grid.crs)
        return b"" if seen is None else await self._from_grid(grid, seen, tile)

    async def _from_wms(self, source: WmsMap, seen: Window, tile: Tile) -> bytes:
        body = await self._picture(source.address(seen))
        if body is None:
            return b""
        return await self._in_thread(lambda: encoded(warped(decoded(body), seen.box, source.crs, tile)))

    async def _from_grid(self, grid: MatrixSet, seen: Window, tile: Tile) -> bytes:
        matrix, columns, rows = _block(grid, seen)
        if not columns or not rows:
            return b""
        bodies = await asyncio.gather(
            *(self._picture(_tile_address(grid.address, matrix, column, row)) for row in rows for column in columns)
        )
        if not any(bodies):
            return b""
        box = matrix.box(columns, rows)
        return await self._in_thread(
            lambda: encoded(warped(_joined(matrix, len(columns), len(rows), bodies), box, grid.crs, tile))
        )

    async def _grid(self, source: WmtsMap) -> MatrixSet:
        fetched = await self.document(source.url)
        return read_matrix_set(
            fetched.body,
            url=source.url,
            layer=source.layer,
            style=source.style,
            matrix_set=source.matrix_set,
            form=source.format,
        )

    async def _picture(self, url: str) -> bytes | None:
        """The bytes of a picture; None where the service says that there is none."""
        try:
            return (await self._kept(url, self._sources, PICTURES, PICTURE_BYTES)).body
        except RemoteFailed as error:
            if error.status in (204, 404):
                return None
            raise

    async def _kept(self, url: str, cache: "TTLCache[str, Fetched]", accept: str, limit: int) -> Fetched:
        self.allowed.check(url)
        if (kept := cache.get(url)) is not None:
            return kept
        fetched = await self._fetching.join(url, lambda: self._outside.fetch(url, accept=accept, limit=limit))
        if _weight(fetched) < cache.maxsize // 4:
            cache[url] = fetched
        return fetched

    async def _in_thread(self, work: Callable[[], bytes]) -> bytes:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def close(self) -> None:
        await self._drawing.close()
        await self._fetching.close()
        await self._outside.close()
        self._threads.shutdown(wait=False)


def _weight(fetched: Fetched) -> int:
    return len(fetched.body) + OVERHEAD


def _block(grid: MatrixSet, seen: Window) -> tuple[Matrix, range, range]:
    """The matrix to draw a window from, and its tiles; a coarser one where they would be too many."""
    best = grid.best(seen.across)
    matrix, columns, rows = best, *best.tiles(seen.box)
    for coarser in reversed(grid.matrices[: grid.matrices.index(best)]):
        if len(columns) * len(rows) <= MOST_TILES:
            break
        matrix, columns, rows = coarser, *coarser.tiles(seen.box)
    if len(columns) * len(rows) > MOST_TILES:
        raise RemoteFailed("the other service's tiles are too small for the area that one of ours covers; zoom in")
    return matrix, columns, rows


def _tile_address(template: str, matrix: Matrix, column: int, row: int) -> str:
    for name, value in (("TileMatrix", matrix.id), ("TileCol", str(column)), ("TileRow", str(row))):
        for written in (name, name.lower()):
            template = template.replace(f"{{{written}}}", value)
    return template


def _joined(matrix: Matrix, across: int, down: int, bodies: list[bytes | None]) -> Picture:
    """A block of tiles as one picture, clear where a tile is missing."""
    width, height = matrix.tile_width, matrix.tile_height
    whole = np.zeros((4, down * height, across * width), np.uint8)
    for number, body in enumerate(bodies):
        if body is None:
            continue
        piece = decoded(body)
        if piece.shape[1:] != (height, width):
            raise RemoteFailed(f"a tile has {piece.shape[2]} x {piece.shape[1]} pixels, not {width} x {height} as said")
        top, left = number // across * height, number % across * width
        whole[:, top : top + height, left : left + width] = piece
    return whole
