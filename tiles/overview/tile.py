"""Tiles of low zooms from overviews; cells that are not as the overviews have them are drawn from the objects."""

from dataclasses import replace
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    Table,
    and_,
    bindparam,
    func,
    literal,
    literal_column,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY

from cim_models.database import Connection
from layers.filter_sql import filter_expression
from layers.query import MOMENT, Selection, rows, valid
from layers.statement import Statement
from layers.view import NOW, Interval, View
from tiles.drawn import Raw
from tiles.frame import FIRST_X, FIRST_Y, LAST_X, LAST_Y, X, Y, Z, overview_shape, shape
from tiles.matrix import Grid
from tiles.overview.cells import home, number
from tiles.overview.disturbed import FOR_EVER, inexact_cells, last_moment, pending_cells, planned_cells
from tiles.overview.recipe import CONSUMER, EVERYWHERE, TOP_ZOOM
from tiles.overview.source import Source
from tiles.statements import Kept, kept_or_made
from tiles.vector import (
    ID,
    LIMIT,
    SHAPE,
    Request,
    draw_largest,
    draw_objects,
    in_tile,
    largest,
    simplified,
    tile_geometry,
    tile_statement,
)

# With more edits than these before the overviews have caught up, all is drawn from the objects.
MOST_PENDING = 1000
# With half of a tile's cells disturbed, finding out what is at home in them costs more than drawing them all.
MOST_DISTURBED = 32
CELLS = bindparam("cells", None, type_=ARRAY(BigInteger))

STATE = """
    select now() as moment, l.definition, c.seq, c.object_id, c.bbox_old, c.bbox_new
    from (select 1) one
    left join overview_layer l on l.layer = $1 and exists (select from change_consumer where name = $2)
    left join lateral (
        select c.seq, c.object_id, c.bbox_old, c.bbox_new
        from change c, change_consumer k
        where k.name = $2 and (c.xid, c.seq) > (k.xid, k.seq) and c."table" = $3 and c.plan_id is null
          and ($4::integer is null or c.dataset_id is null or c.dataset_id = $4)
        limit $5
    ) c on true
"""


def overviews_know(source: Source, request: Request) -> bool:
    """Whether overviews can answer: at this zoom, with the belief of now, all rows and the columns they merge by.

    Thinned lines and points are no answer to a filter: the objects that it asks for may be those left out.
    """
    zoom = request.tile.zoom
    if zoom > TOP_ZOOM or not source.has_overviews or request.view.recorded is not None or not request.sees_all_rows:
        return False
    if request.filter is None:
        return True
    named = _properties(request.filter.tree)
    return source.layer.theme.geometry == "MultiPolygon" and named <= set(source.key_columns(zoom))


async def draw_overview(connection: Connection, source: Source, request: Request, kept: Kept) -> Raw:
    """The tile of one layer from its overviews, which must know what is asked.

    kept: statements made for such requests before.
    """
    layer, view, tile = request.layer, request.view, request.tile
    arguments = (layer.id, CONSUMER, layer.theme.table, layer.dataset_id, MOST_PENDING + 1)
    state = await connection.fetch(STATE, *arguments)
    changes = [row for row in state if row["seq"] is not None]
    pending = pending_cells(changes, tile) if len(changes) <= MOST_PENDING else None
    if state[0]["definition"] != source.definition or pending is None:
        return replace(await draw_objects(connection, request, kept), settled=False)
    moment = last_moment(view.valid)
    cells = pending | await inexact_cells(connection, source, moment or state[0]["moment"], tile)
    if view.plan is not None:
        cells |= await planned_cells(connection, source, view.plan, tile)
    if len(cells) >= MOST_DISTURBED:
        return replace(await draw_objects(connection, request, kept), settled=not pending)
    key = tile.grid.id, tile.zoom, bool(cells)
    statement = kept_or_made(kept, key, lambda: overview_statement(source, request, disturbed=bool(cells)))
    drawn = await draw_largest(connection, statement, tile, cells=sorted(cells))
    return replace(drawn, settled=not pending)


def overview_statement(source: Source, request: Request, *, disturbed: bool) -> Statement:
    """SQL of a tile of the request's grid and zoom from overviews.

    disturbed: there are `cells` that are drawn from the objects themselves.
    """
    grid, zoom, span, objects = request.tile.grid, request.tile.zoom, request.view.valid, source.table
    parts = [_from_overviews(source, request.selection, grid, zoom, disturbed=disturbed)]
    found = rows(request.selection, request.catalog, request.principal).where(in_tile(objects, grid))
    if disturbed:
        parts.append(_from_objects(source, grid, found.where(home(objects, zoom) == func.any(CELLS))))
    if span is not None and not span.is_moment:
        # What a span shows is what is there at its end, and what ended within it and has become nothing else.
        ended = found.where(objects.c.valid_to <= literal(span.end or FOR_EVER, MOMENT))
        if disturbed:
            ended = ended.where(home(objects, zoom) != func.all(CELLS))
        parts.append(_from_objects(source, grid, ended))
    return tile_statement(union_all(*parts) if len(parts) > 1 else parts[0], source.layer.id)


def _from_overviews(source: Source, selection: Selection, grid: Grid, zoom: int, *, disturbed: bool) -> Select[Any]:
    table: Table = source.catalog.city.tables.tables["overview"]
    moment = last_moment(selection.view.valid)
    found = select(table).where(
        table.c.layer == literal_column(f"'{source.layer.id}'"),
        table.c.zoom == Z,
        _here(table, grid),
        in_tile(table, grid),
        valid(table, View(Interval(moment, moment)) if moment else NOW),
    )
    if selection.filter is not None:
        columns = {name: table.c.properties[name].astext for name in source.key_columns(zoom)}
        catalog = source.catalog
        found = found.where(filter_expression(selection.filter, columns, catalog.city.srid, catalog.zone))
    if disturbed:
        found = found.where(number(table.c.cell_x, table.c.cell_y) != func.all(CELLS))
    drawn: FromClause = table
    if not grid.is_web:
        # What reaches into several of the web's tiles stands once for each.
        told = (table.c.cell_x, table.c.cell_y, table.c.object_id, table.c.rank, table.c.properties, table.c.geom_web)
        drawn = found.with_only_columns(*told).distinct().subquery()
        found = select(drawn)
    chosen = found.order_by(drawn.c.rank.desc(), func.hashint8(drawn.c.object_id)).limit(LIMIT).subquery()
    geometry = tile_geometry(overview_shape(chosen, grid), grid)
    return select(chosen.c.object_id.label(ID), chosen.c.properties, geometry)


def _here(table: Table, grid: Grid) -> ColumnElement[bool]:
    """Which overviews lie in the tiles of the web's grid that the tile touches."""
    everywhere = and_(table.c.tile_x == EVERYWHERE, table.c.tile_y == EVERYWHERE)
    if grid.is_web:
        return or_(and_(table.c.tile_x == X, table.c.tile_y == Y), everywhere)
    there = and_(table.c.tile_x.between(FIRST_X, LAST_X), table.c.tile_y.between(FIRST_Y, LAST_Y))
    return or_(there, everywhere)


def _from_objects(source: Source, grid: Grid, found: Select[Any]) -> Select[Any]:
    objects = source.table
    own = shape(objects, source.catalog.city.srid, grid).label(SHAPE)
    columns = objects.c.object_id, source.properties().label("properties"), own
    chosen = largest(found, objects).add_columns(*columns).subquery()
    drawn = tile_geometry(simplified(chosen.c[SHAPE]), grid)
    return select(chosen.c.object_id.label(ID), chosen.c.properties, drawn)


def _properties(tree: Any) -> set[str]:
    """The properties that a CQL2-JSON tree names."""
    if isinstance(tree, dict):
        named = tree.get("property")
        return ({named} if isinstance(named, str) else set()).union(*map(_properties, tree.values()))
    if isinstance(tree, list):
        return set().union(*map(_properties, tree))
    return set()
