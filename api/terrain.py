"""Elevation and hillshade as raster tiles, and the TileJSON that tells of them."""

import asyncio
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from cachetools import LRUCache
from fastapi import Request, Response

from api.answers import json_answer
from api.documentation import described
from api.errors import NotFound
from api.exchange import city, exchange
from api.links import same_query
from api.parameters import Query
from api.raw import is_known
from api.recent import Recent
from api.routing import PartRouter
from api.views import VIEW_PARAMETERS, take_view
from layers.access import Principal
from layers.catalog import LayerNotFound
from layers.view import NOW, View
from tiles.flights import Flights
from tiles.matrix import HALF_WORLD, Box, Tile, tile_at
from tiles.studio import Busy
from tiles.terrain import SIZE, Terrain, read_terrain

if TYPE_CHECKING:
    from api.cities import ServedCity

# A tile weighs 20 to 100 kB and takes some 20 ms to make; in the cache also about this much for its key and objects.
KEPT_BYTES = 32 * 2**20
OVERHEAD = 500
# GDAL warps in threads of its own, so that a slow disk does not hold up vector tiles; more than these must wait.
THREADS = 2
MOST_WAITING = 64
# Moments and plans that somebody looks at just now.
MOST_VIEWS = 256
PNG = "image/png"
TILE = "{z:int}/{x:int}/{y:int}.png"
HEADERS = {"Cache-Control": "no-cache", "Vary": "Authorization"}
PICTURES: dict[str, Callable[[Terrain, Tile], bytes | None]] = {
    "elevation": Terrain.terrain_rgb,
    "hillshade": Terrain.hillshade,
}

router = PartRouter(tags=["Terrain"])


class TerrainTiles:
    """The terrain of one city, as each principal may see it."""

    def __init__(self, served: "ServedCity", folder: Path) -> None:
        self._served = served
        self._folder = folder
        self._read_lately: LRUCache[tuple[str, View], Recent[Terrain]] = LRUCache(MOST_VIEWS)
        self._kept: LRUCache[str, bytes] = LRUCache(KEPT_BYTES, getsizeof=lambda picture: len(picture) + OVERHEAD)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="terrain")
        self._flights: Flights[str, bytes] = Flights()

    async def of(self, principal: Principal, view: View = NOW) -> Terrain:
        """The rasters that `principal` may see; none for a layer that is hidden."""
        key = principal.role, view
        recent = self._read_lately.get(key)
        if recent is None:
            recent = self._read_lately[key] = Recent(lambda: self._read(principal, view))
        return await recent.get()

    async def _read(self, principal: Principal, view: View) -> Terrain:
        catalog = await self._served.catalog()
        async with self._served.reading() as connection:
            try:
                return await read_terrain(connection, catalog, principal, self._folder, view)
            except LayerNotFound:
                return Terrain(())

    async def picture(self, terrain: Terrain, kind: str, tile: Tile) -> bytes:
        """A PNG, empty where nothing is. Raises Busy, TerrainUnreadable."""
        key = terrain.etag(kind, tile)
        if (kept := self._kept.get(key)) is not None:
            return kept
        if key not in self._flights and len(self._flights) >= MOST_WAITING:
            raise Busy("too many terrain tiles are being drawn and waited for; ask again in a moment")
        return await self._flights.join(key, lambda: self._drawn(key, terrain, kind, tile))

    async def _drawn(self, key: str, terrain: Terrain, kind: str, tile: Tile) -> bytes:
        drawn = await asyncio.get_running_loop().run_in_executor(self._threads, PICTURES[kind], terrain, tile)
        picture = self._kept[key] = drawn or b""
        return picture

    async def outline(self, terrain: Terrain) -> tuple[int, Box]:
        """The finest zoom and the box (EPSG:3857) of the tiles; looks into the files. Raises TerrainUnreadable."""
        return await asyncio.get_running_loop().run_in_executor(
            self._threads, lambda: (terrain.max_zoom, terrain.apron_box)
        )


@router.get("/terrain/tilejson.json", **described("getTerrainTileJson", *VIEW_PARAMETERS))
async def tilejson(request: Request) -> Response:
    """TileJSON of the elevation (Terrain-RGB as Mapbox encodes it, metres above the city's vertical datum)."""
    served, met = city(request), exchange(request)
    finest, box = await served.terrain.outline(await _asked(request))
    return json_answer(
        {
            "tilejson": "3.0.0",
            "name": "Terrain",
            "scheme": "xyz",
            "tiles": [same_query(request, f"{met.base}/terrain/{{z}}/{{x}}/{{y}}.png")],
            "tileSize": SIZE,
            "encoding": "mapbox",
            "minzoom": 0,
            "maxzoom": finest,
            "bounds": _degrees(box),
            "vertical_datum": served.database.city.vertical_datum,
        }
    )


@router.get(f"/terrain/{TILE}", **described("getTerrainTile", *VIEW_PARAMETERS, kinds=(PNG,)))
async def elevation(request: Request, z: int, x: int, y: int) -> Response:
    """Elevation as a picture of 256 x 256 pixels: metres = -10000 + 0.1 (65536 R + 256 G + B)."""
    return await _tile(request, "elevation", tile_at(z, x, y))


@router.get(
    "/terrain/hillshade/{z:int}/{x:int}/{y:int}.png", **described("getHillshadeTile", *VIEW_PARAMETERS, kinds=(PNG,))
)
async def hillshade(request: Request, z: int, x: int, y: int) -> Response:
    """Light and shade of the terrain, to lay over a map."""
    return await _tile(request, "hillshade", tile_at(z, x, y))


async def _tile(request: Request, kind: str, tile: Tile) -> Response:
    served, terrain = city(request), await _asked(request)
    headers = HEADERS | {"ETag": terrain.etag(kind, tile)}
    known = request.headers.get("if-none-match", "")
    if known and is_known(known.encode("latin-1"), headers["ETag"].encode()):
        return Response(status_code=304, headers=headers)
    picture = await served.terrain.picture(terrain, kind, tile)
    return Response(picture or None, 200 if picture else 204, headers, PNG)


async def _asked(request: Request) -> Terrain:
    """The terrain as the query wants to see it. Raises NotFound where there is none."""
    served, query = city(request), Query(request)
    view = take_view(query, await served.catalog())
    query.finish()
    terrain = await served.terrain.of(exchange(request).principal, view)
    if not terrain:
        raise NotFound(f"{served.name} has no terrain")
    return terrain


def _degrees(box: Box) -> Box:
    """A box of EPSG:3857 in longitude and latitude (spherical Mercator, EPSG method 1024)."""
    west, south, east, north = (value / HALF_WORLD * math.pi for value in box)
    latitudes = (math.degrees(math.atan(math.sinh(value))) for value in (south, north))
    south, north = latitudes
    return math.degrees(west), south, math.degrees(east), north
