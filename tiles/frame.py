"""A tile in SQL: the box that objects are looked up by, the box that they are drawn into, and the geometry to draw.

In the web's grid all of it follows from the tile's number, and geometry lies ready in EPSG:3857. In any other grid the
boxes are bound, and geometry is transformed as it is drawn.
"""

from typing import Any

from sqlalchemy import ColumnElement, Double, FromClause, Integer, bindparam, func, literal_column, type_coerce
from sqlalchemy.types import NullType

from cim_models.base import WEB_SRID
from layers.query import web_envelope
from tiles.matrix import HALF_WORLD, MARGIN, Grid, Tile

Sql = ColumnElement[Any]

# The number of a tile of the web's grid. Of another grid, z is the zoom of the overviews that show as much.
Z, X, Y = (bindparam(name, None, type_=Integer) for name in "zxy")
# The tile in its grid's CRS, and the box in EPSG:3857 that holds it with its margin.
OWN = tuple(bindparam(name, None, type_=Double) for name in ("left", "bottom", "right", "top"))
WEB_SIDES = tuple(bindparam(name, None, type_=Double) for name in ("west", "south", "east", "north"))
# The tiles of the web's grid that it touches.
FIRST_X, LAST_X, FIRST_Y, LAST_Y = (
    bindparam(name, None, type_=Integer) for name in ("first_x", "last_x", "first_y", "last_y")
)
# Geographic CRS whose coordinates are taken for the same (see layers.crs).
DEGREES = (4326, 4490)


def around(grid: Grid) -> Sql:
    """The box in EPSG:3857 by which objects are looked up, margin included: a symbol at the edge is in both tiles."""
    if grid.is_web:
        return web_envelope(Z, X, Y, MARGIN)
    return func.ST_MakeEnvelope(*WEB_SIDES, literal_column(str(WEB_SRID)))


def own_box(grid: Grid) -> Sql:
    """The box, in the grid's CRS, that a tile's units divide."""
    if grid.is_web:
        return func.ST_TileEnvelope(Z, X, Y)
    return func.ST_MakeEnvelope(*OWN, literal_column(str(grid.srid)))


def shape(table: FromClause, stored_srid: int, grid: Grid) -> Sql:
    """An object's geometry in the grid's CRS. stored_srid: of the table's `geom`."""
    if grid.is_web:
        return table.c.geom_web
    if grid.srid == stored_srid or {grid.srid, stored_srid} <= set(DEGREES):
        return table.c.geom
    return _transformed(table.c.geom, grid)


def overview_shape(table: FromClause, grid: Grid) -> Sql:
    """An overview's geometry in the grid's CRS."""
    return table.c.geom_web if grid.is_web else _transformed(table.c.geom_web, grid)


def _transformed(geometry: Sql, grid: Grid) -> Sql:
    # Of no type: GeoAlchemy2 would ask for what it takes for a geometry as EWKB.
    return type_coerce(func.ST_Transform(geometry, literal_column(str(grid.srid))), NullType())


def values(tile: Tile) -> dict[str, Any]:
    """What a tile binds."""
    if tile.grid.is_web:
        return {"z": tile.z, "x": tile.x, "y": tile.y}
    left, bottom, right, top = tile.box()
    west, south, east, north = tile.web_box(MARGIN)
    side, last = 2 * HALF_WORLD / (1 << tile.zoom), (1 << tile.zoom) - 1
    columns = (int((v + HALF_WORLD) // side) for v in (west, east))
    rows = (int((HALF_WORLD - v) // side) for v in (north, south))
    first_x, last_x = (max(0, min(last, v)) for v in columns)
    first_y, last_y = (max(0, min(last, v)) for v in rows)
    return {
        "z": tile.zoom,
        **{"left": left, "bottom": bottom, "right": right, "top": top},
        **{"west": west, "south": south, "east": east, "north": north},
        **{"first_x": first_x, "last_x": last_x, "first_y": first_y, "last_y": last_y},
    }
