"""The web's tile grid: OGC's WebMercatorQuad, addresses in it, and their boxes in EPSG:3857."""

import math
from typing import NamedTuple

import morecantile

from tiles import TileError

GRID = morecantile.tms.get("WebMercatorQuad")
MAX_ZOOM = 22
# Half the side of the square world in EPSG:3857, metres.
HALF_WORLD = 20037508.342789244
# Units along a tile's side (MVT 2.1), and how far beyond it geometry goes on, so that no symbol is cut at the edge.
EXTENT = 4096
BUFFER = 64
MARGIN = BUFFER / EXTENT
# Screens draw a tile with 512 pixels a side.
PIXELS = 512

Box = tuple[float, float, float, float]


class TileOutOfRange(TileError):
    """No such tile, or a zoom that the layer does not offer."""


class Tile(NamedTuple):
    """A tile's address: zoom, column from the west, row from the north."""

    z: int
    x: int
    y: int

    @property
    def side(self) -> float:
        """Length of a side in EPSG:3857, metres at the equator."""
        return 2 * HALF_WORLD / (1 << self.z)

    @property
    def pixel(self) -> float:
        """Length of a screen pixel in EPSG:3857, metres at the equator."""
        return self.side / PIXELS

    def box(self, margin: float = 0.0) -> Box:
        """West, south, east, north in EPSG:3857, wider by `margin` (share of a side) on each side."""
        side = self.side
        west, north = self.x * side - HALF_WORLD, HALF_WORLD - self.y * side
        wider = margin * side
        return west - wider, north - side - wider, west + side + wider, north + wider


def tile_at(z: int, x: int, y: int) -> Tile:
    """The tile of that address. Raises TileOutOfRange if the grid has none."""
    if not 0 <= z <= MAX_ZOOM:
        raise TileOutOfRange(f"zoom {z}: the grid has zooms 0 to {MAX_ZOOM}")
    last = (1 << z) - 1
    if not (0 <= x <= last and 0 <= y <= last):
        raise TileOutOfRange(f"tile {z}/{x}/{y}: at zoom {z} columns and rows go from 0 to {last}")
    return Tile(z, x, y)


def web_point(longitude: float, latitude: float) -> tuple[float, float]:
    """EPSG:3857 of a point in degrees; latitudes beyond the square's edge come to lie on it (EPSG method 1024)."""
    latitude = max(-85.0511287798066, min(85.0511287798066, latitude))
    x = HALF_WORLD * longitude / 180
    y = HALF_WORLD / math.pi * math.asinh(math.tan(math.radians(latitude)))
    return x, y


def web_box(degrees: tuple[float, float, float, float]) -> Box:
    """EPSG:3857 of a box west, south, east, north in degrees, a millimetre wider, so that rounding loses nothing."""
    west, south, east, north = degrees
    (x0, y0), (x1, y1) = web_point(west, south), web_point(east, north)
    return x0 - 1e-3, y0 - 1e-3, x1 + 1e-3, y1 + 1e-3


def meet(one: Box, other: Box) -> bool:
    """Whether two boxes have a point in common."""
    return one[0] <= other[2] and other[0] <= one[2] and one[1] <= other[3] and other[1] <= one[3]
