"""Vector tiles from the city's objects: one statement a layer and kind of view, of which only the tile is bound.

Up to CROWDED_ZOOM a tile may hold more objects than it can carry; then the largest go in and the tile says so.
"""

from dataclasses import dataclass
from typing import Any

from asyncpg import Record
from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Double,
    FromClause,
    Integer,
    Select,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    select,
    type_coerce,
)
from sqlalchemy.types import NullType

from cim_models.database import Connection
from layers.access import Principal
from layers.catalog import Catalog, Layer
from layers.filter_sql import stored
from layers.filters import Filter
from layers.query import Selection, objects, rows
from layers.statement import Statement, compiled
from layers.view import View
from tiles.drawn import Raw, drawn_properties
from tiles.frame import around, own_box, shape, values
from tiles.matrix import BUFFER, EXTENT, WEB, Grid, Tile
from tiles.statements import Kept, kept_or_made

# From the next zoom on a tile of a city is small enough to hold whatever is there.
CROWDED_ZOOM = 14
# The most that a tile may weigh, uncompressed.
MOST_BYTES = 500_000
# Pixels by which an outline may stray in a crowded tile.
TOLERANCE = 0.5
# No property can be called so: they would be taken for one.
ID, GEOMETRY, SHAPE = "@id", "@geometry", "@shape"

LIMIT = bindparam("limit", None, type_=Integer)
STRAY = bindparam("stray", None, type_=Double)


@dataclass(frozen=True)
class Request:
    """One layer's tile as someone may see it."""

    catalog: Catalog
    layer: Layer
    tile: Tile
    view: View
    filter: Filter | None
    principal: Principal

    @property
    def selection(self) -> Selection:
        return Selection(self.layer, self.view, self.filter)

    @property
    def sees_all_rows(self) -> bool:
        """Whether the principal may read the layer, and no row of it is kept from it."""
        grant = self.catalog.grant(self.layer, self.principal)
        return grant is not None and grant.row_filter is None


async def draw_objects(connection: Connection, request: Request, kept: Kept) -> Raw:
    """The tile of one layer, drawn from its objects.

    kept: statements made for such requests before.
    Raises LayerNotFound if the principal may not read the layer, FilterError for a filter that the layer cannot mean.
    """
    tile, grid = request.tile, request.tile.grid
    asked = request.selection, request.catalog, request.principal, grid
    if tile.zoom > CROWDED_ZOOM:
        row = await _fetch(connection, kept_or_made(kept, (grid.id, "all"), lambda: all_objects(*asked)), tile)
        if len(row["body"]) <= MOST_BYTES:
            return Raw(row["body"], thinned=False)
    return await draw_largest(
        connection, kept_or_made(kept, (grid.id, "largest"), lambda: largest_objects(*asked)), tile
    )


def most_objects(zoom: int) -> int:
    """How many objects a tile holds at most: all that fit into MOST_BYTES where one looks for each, else enough to
    fill the screen."""
    return 12_000 if zoom >= CROWDED_ZOOM else 6_000


async def are_few(connection: Connection, request: Request) -> bool:
    """Whether the tile can hold every object that is asked for."""
    tile, table = request.tile, objects(request.layer, request.catalog)
    found = rows(request.selection, request.catalog, request.principal).where(in_tile(table, tile.grid))
    statement = compiled(
        select(func.count()).select_from(found.add_columns(literal_column("1")).limit(LIMIT).subquery())
    )
    limit = most_objects(tile.zoom)
    arguments = statement.with_values(**values(tile), limit=limit)
    return int(await connection.fetchval(statement.sql, *arguments)) < limit


async def draw_largest(connection: Connection, statement: Statement, tile: Tile, **bound: Any) -> Raw:
    """Draw by a statement with `limit`, with as many objects as a tile holds."""
    limit = most_objects(tile.zoom)
    while True:
        row = await _fetch(connection, statement, tile, limit=limit, **bound)
        if len(row["body"]) <= MOST_BYTES:
            return Raw(row["body"], thinned=row["found"] >= limit)
        limit = int(min(limit, row["found"]) * 0.95 * MOST_BYTES / len(row["body"]))


def all_objects(selection: Selection, catalog: Catalog, principal: Principal, grid: Grid = WEB) -> Statement:
    """SQL of a grid's tile with every object of the selection in it."""
    table = objects(selection.layer, catalog)
    found = rows(selection, catalog, principal).where(in_tile(table, grid)).add_columns(*_columns(selection, table))
    drawn = tile_geometry(shape(table, catalog.city.srid, grid), grid)
    return tile_statement(found.add_columns(drawn), selection.layer.id)


def largest_objects(selection: Selection, catalog: Catalog, principal: Principal, grid: Grid = WEB) -> Statement:
    """SQL of a grid's tile with the `limit` largest objects of the selection in it; outlines stray by `stray`."""
    table = objects(selection.layer, catalog)
    found = largest(rows(selection, catalog, principal).where(in_tile(table, grid)), table)
    own = shape(table, catalog.city.srid, grid).label(SHAPE)
    chosen = found.add_columns(*_columns(selection, table), own).subquery()
    properties = [column for column in chosen.c if column.name != SHAPE]
    return tile_statement(select(*properties, tile_geometry(simplified(chosen.c[SHAPE]), grid)), selection.layer.id)


def largest(found: Select[Any], table: FromClause) -> Select[Any]:
    """The `limit` largest of some objects; points, of which none is larger, in an order that strews them evenly."""
    return found.order_by(func.web_size(table.c.geom_web).desc(), func.hashint8(table.c.object_id)).limit(LIMIT)


def in_tile(table: FromClause, grid: Grid) -> ColumnElement[bool]:
    """Whether an object's box meets the tile's, margin included: a symbol at the edge is in both tiles."""
    return table.c.geom_web.op("&&", is_comparison=True)(around(grid))


def simplified(geometry: ColumnElement[Any]) -> ColumnElement[Any]:
    """Fewer corners; a polygon of less than a pixel becomes a pixel, or who filters for it would not see it."""
    is_dot = and_(func.ST_Dimension(geometry) == literal_column("2"), func.web_size(geometry) < 4 * STRAY * STRAY)
    dot = type_coerce(func.ST_Expand(func.ST_Centroid(geometry), STRAY), NullType())
    outline = type_coerce(func.ST_Simplify(geometry, STRAY, literal_column("true")), NullType())
    return case((is_dot, dot), else_=outline)


def tile_geometry(geometry: ColumnElement[Any], grid: Grid) -> ColumnElement[Any]:
    """Geometry of the grid's CRS in the tile's units, clipped with its margin; null where nothing is left."""
    clipped: ColumnElement[Any] = literal_column(f"{EXTENT}, {BUFFER}, true")
    drawn = func.ST_AsMVTGeom(geometry, own_box(grid), clipped)
    # Of no type: GeoAlchemy2 would ask for what it takes for a geometry as EWKB.
    return type_coerce(drawn, NullType()).label(GEOMETRY)


def tile_statement(features: Select[Any] | CompoundSelect[Any], layer_id: str) -> Statement:
    """SQL that encodes features; their columns but id and geometry become properties, those of JSON one by one."""
    inner = compiled(features)
    # ORDER BY keeps equal tiles byte-equal: PostgreSQL promises no order, and a changing ETag defeats every cache.
    # Merged objects have no id; of those the geometry decides.
    body = f"""ST_AsMVT(t, '{layer_id}', {EXTENT}, '{GEOMETRY}', '{ID}' order by t."{ID}", t."{GEOMETRY}")"""
    sql = f"""
        select coalesce({body} filter (where t."{GEOMETRY}" is not null), '') as body, count(*) as found
        from ({inner.sql}) t
    """
    return Statement(sql, inner.names, inner.arguments)


async def _fetch(connection: Connection, statement: Statement, tile: Tile, **bound: Any) -> Record:
    arguments = statement.with_values(**values(tile), stray=TOLERANCE * tile.pixel, **bound)
    row = await connection.fetchrow(statement.sql, *arguments)
    assert row is not None
    return row


def _columns(selection: Selection, table: FromClause) -> list[ColumnElement[Any]]:
    drawn = drawn_properties(selection.layer)
    return [table.c.object_id.label(ID), *(stored(table, attribute).label(attribute.name) for attribute in drawn)]
