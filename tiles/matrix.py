"""Tile grids, tiles in them and their boxes: in the web's projection, in degrees, and in the city's metres.

Each follows OGC 17-083r4 (Two Dimensional Tile Matrix Set): a matrix is one zoom, its tiles are counted from the top
left corner, and each zoom halves the one before. Inside CityTwin x is east and y is north; the order in which a
definition writes the corner is that of its CRS.
"""

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

from cim_models.database import City
from layers.catalog import Title
from layers.crs import CRS84, Crs, OutsideCrs, box_in, parse_crs, transform_box
from tiles import TileError

Box = tuple[float, float, float, float]

# Half the side of the square world in EPSG:3857, metres.
HALF_WORLD = 20037508.342789244
# Pixels along the side of a map tile, which the scales of a grid count with.
MAP_PIXELS = 256
# Side of a pixel on the standard's screen, metres (OGC 17-083r4, 6.2.1).
SCREEN_PIXEL_M = 0.00028
MAX_ZOOM = 22
# Units along a tile's side (MVT 2.1), and how far beyond it geometry goes on, so that no symbol is cut at the edge.
EXTENT = 4096
BUFFER = 64
MARGIN = BUFFER / EXTENT
# Screens draw a tile with 512 pixels a side.
PIXELS = 512
# A side that bends in EPSG:3857 may swing out between the points that were looked at; share of a side.
SWING = 1e-3
REGISTERED = "http://www.opengis.net/def/tilematrixset/OGC/1.0/"
# Half the side of a metric grid's only tile at zoom 0: with 256 pixels of 2^17 m, a zoom shows about what it shows in
# the web's grid between 30 and 40 degrees, and every corner down to zoom 25 is a whole metre.
HALF_METRIC = 2.0**24
# EPSG's codes of what a projection's origin is shifted by, to the east and to the north.
EASTINGS, NORTHINGS = ("8806", "8816", "8826"), ("8807", "8817", "8827")
# Where nothing is: beyond the web's square.
NOWHERE: Box = (-4e7, -4e7, -4e7, -4e7)


@dataclass(frozen=True, eq=False)
class Grid:
    """A tile matrix set.

    left, top: corner from which tiles are counted. width, height: of all it covers. side: of a tile at zoom 0, whether
    or not the grid has that zoom; all in the units of `crs`. first, last: its zooms, which are its matrices' names.
    detail: what is added to a zoom for the zoom of the web's grid that shows about as much. uri: if it is registered.
    """

    id: str
    title: Title
    crs: Crs
    left: float
    top: float
    width: float
    height: float
    side: float
    first: int
    last: int
    detail: int = 0
    uri: str | None = None

    @property
    def srid(self) -> int:
        """As PostGIS knows the CRS."""
        assert self.crs.srid is not None
        return self.crs.srid

    @property
    def is_web(self) -> bool:
        """Whether this is the grid that geometry and overviews are stored for."""
        return self is WEB

    def columns(self, zoom: int) -> int:
        return round(self.width / self.tile_side(zoom))

    def rows(self, zoom: int) -> int:
        return round(self.height / self.tile_side(zoom))

    def tile_side(self, zoom: int) -> float:
        """Length of a tile's side, in units of the CRS."""
        return self.side / (1 << zoom)

    def cell_size(self, zoom: int) -> float:
        """Length of a pixel of a map tile, in units of the CRS."""
        return self.tile_side(zoom) / MAP_PIXELS

    def scale_denominator(self, zoom: int) -> float:
        return self.cell_size(zoom) * self.crs.metres_per_unit / SCREEN_PIXEL_M

    @cached_property
    def domain(self) -> Box:
        """Where the CRS is used, x (east), y (north): beyond it a projection may fold over."""
        world = box_in((-180.0, -85.06, 180.0, 85.06), CRS84, self.crs)
        assert world is not None
        return world

    def web_box(self, box: Box) -> Box:
        """The box in EPSG:3857 that covers a box of the grid's CRS; NOWHERE beyond the CRS's use."""
        if self.is_web:
            return box
        west, south, east, north = (
            max(box[0], self.domain[0]),
            max(box[1], self.domain[1]),
            min(box[2], self.domain[2]),
            min(box[3], self.domain[3]),
        )
        if west >= east or south >= north:
            return NOWHERE
        try:
            return transform_box((west, south, east, north), self.crs, WEB_CRS)
        except OutsideCrs:
            return NOWHERE

    def limits(self, zoom: int, degrees: Box) -> tuple[int, int, int, int]:
        """The first and last column and row (x0, y0, x1, y1) of the tiles that show anything of a box of degrees."""
        box = box_in(degrees, CRS84, self.crs)
        if box is None:
            return 0, 0, 0, 0
        side = self.tile_side(zoom)
        # A symbol just beyond a tile's edge reaches into it.
        wider = MARGIN * side
        columns = (int((v - self.left) // side) for v in (box[0] - wider, box[2] + wider))
        rows = (int((self.top - v) // side) for v in (box[3] + wider, box[1] - wider))
        x0, x1 = (max(0, min(self.columns(zoom) - 1, v)) for v in columns)
        y0, y1 = (max(0, min(self.rows(zoom) - 1, v)) for v in rows)
        return x0, y0, x1, y1


WEB_CRS = parse_crs("EPSG:3857")
WEB = Grid(
    id="WebMercatorQuad",
    title=Title("网络墨卡托", "Web Mercator"),
    crs=WEB_CRS,
    left=-HALF_WORLD,
    top=HALF_WORLD,
    width=2 * HALF_WORLD,
    height=2 * HALF_WORLD,
    side=2 * HALF_WORLD,
    first=0,
    last=MAX_ZOOM,
    uri=REGISTERED + "WebMercatorQuad",
)
WORLD_CRS84 = Grid(
    id="WorldCRS84Quad",
    title=Title("WGS 84 经纬度", "WGS 84 longitude and latitude"),
    crs=CRS84,
    left=-180.0,
    top=90.0,
    width=360.0,
    height=180.0,
    side=180.0,
    first=0,
    last=MAX_ZOOM - 1,
    detail=1,
    uri=REGISTERED + "WorldCRS84Quad",
)
# The `c` tile sets of China's public map service, Tianditu, are laid out so.
CGCS2000 = Grid(
    id="CGCS2000Quad",
    title=Title("CGCS2000 经纬度（天地图 c）", "CGCS2000 latitude and longitude, as Tianditu's c"),
    crs=parse_crs("EPSG:4490"),
    left=-180.0,
    top=90.0,
    width=360.0,
    height=180.0,
    side=360.0,
    first=1,
    last=MAX_ZOOM,
)


@lru_cache(maxsize=64)
def metric_grid(srid: int) -> Grid:
    """The grid in a projected CRS, its middle on the origin that the CRS itself is shifted from.

    Nothing but the CRS's own parameters decides it, so it never moves, whatever data come in.
    """
    crs = parse_crs(f"EPSG:{srid}")
    operation = crs.proj.coordinate_operation
    shifts = {} if operation is None else {parameter.code: parameter.value for parameter in operation.params}
    x, y = (next((float(shifts[code]) for code in codes if code in shifts), 0.0) for codes in (EASTINGS, NORTHINGS))
    return Grid(
        id=f"EPSG{srid}Quad",
        title=Title(f"{crs.name}（米）", f"{crs.name}, metres"),
        crs=crs,
        left=x - HALF_METRIC,
        top=y + HALF_METRIC,
        width=2 * HALF_METRIC,
        height=2 * HALF_METRIC,
        side=2 * HALF_METRIC,
        first=0,
        last=MAX_ZOOM,
    )


@lru_cache(maxsize=64)
def _grids(metric_srid: int) -> dict[str, Grid]:
    found = [WEB, WORLD_CRS84, CGCS2000]
    if metric_srid != WEB.srid:
        found.append(metric_grid(metric_srid))
    return {grid.id: grid for grid in found}


def grids_of(city: City) -> dict[str, Grid]:
    """The grids that a city is tiled in, by id: three of the world, and its own in metres."""
    return _grids(city.metric_srid)


class TileOutOfRange(TileError):
    """No such tile, or a zoom that the layer does not offer."""


class Tile(NamedTuple):
    """A tile's address: zoom, column from the west, row from the north, of a grid."""

    z: int
    x: int
    y: int
    grid: Grid = WEB

    @property
    def zoom(self) -> int:
        """The zoom of the web's grid that shows about as much: what layers and overviews count with."""
        return self.z + self.grid.detail

    @property
    def side(self) -> float:
        """Length of a side in the grid's CRS: in EPSG:3857 metres at the equator."""
        return self.grid.side / (1 << self.z)

    @property
    def pixel(self) -> float:
        """Length of a screen pixel in the grid's CRS."""
        return self.side / PIXELS

    def box(self, margin: float = 0.0) -> Box:
        """West, south, east, north in the grid's CRS, wider by `margin` (share of a side) on each side."""
        side, grid = self.side, self.grid
        west, north = self.x * side + grid.left, grid.top - self.y * side
        wider = margin * side
        return west - wider, north - side - wider, west + side + wider, north + wider

    def web_box(self, margin: float = 0.0) -> Box:
        """The box in EPSG:3857 that holds `box(margin)`."""
        return self.box(margin) if self.grid is WEB else _web_box(self, margin)


@lru_cache(maxsize=4096)
def _web_box(tile: Tile, margin: float) -> Box:
    return tile.grid.web_box(tile.box(margin + SWING))


def tile_at(z: int, x: int, y: int, grid: Grid = WEB) -> Tile:
    """The tile of that address. Raises TileOutOfRange if the grid has none."""
    if not grid.first <= z <= grid.last:
        raise TileOutOfRange(f"zoom {z}: the grid has zooms {grid.first} to {grid.last}")
    columns, rows = grid.columns(z), grid.rows(z)
    if not (0 <= x < columns and 0 <= y < rows):
        raise TileOutOfRange(
            f"tile {z}/{x}/{y}: at zoom {z} columns go from 0 to {columns - 1} and rows from 0 to {rows - 1}"
        )
    return Tile(z, x, y, grid)


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
