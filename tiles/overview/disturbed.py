"""The cells of a tile that are not as the overviews have them: edited since, planned otherwise, or long changed."""

from collections.abc import Iterable
from datetime import UTC, datetime

from asyncpg import Record
from sqlalchemy import ColumnElement, Table, func, literal, literal_column, or_, select

from cim_models.base import WEB_SRID
from cim_models.database import Connection
from layers.query import known
from layers.statement import compiled
from layers.view import NOW, Interval
from tiles.matrix import MARGIN, Box, Tile, meet, web_box
from tiles.overview.cells import cell_range, home
from tiles.overview.level import ROW_BITS, cell_side
from tiles.overview.source import Source

# In a span without an end each object is as it last will be.
FOR_EVER = datetime.max.replace(tzinfo=UTC)
INEXACT = """
    select distinct cell_x, cell_y from overview_coverage
    where layer = $1 and zoom = $2 and cell_x between $3 and $4 and cell_y between $5 and $6
      and (exact_from is not null or exact_to is not null) and (exact_from > $7 or exact_to <= $7)
"""


def surroundings(tile: Tile) -> Box:
    """The tile and a cell around it: what is at home in there may be drawn in the tile."""
    west, south, east, north = tile.web_box(MARGIN)
    side = cell_side(tile.zoom)
    return west - side, south - side, east + side, north + side


def pending_cells(changes: Iterable[Record], tile: Tile) -> set[int] | None:
    """The cells that edits touched which the overviews do not hold yet; None if that may be any, after a bulk load."""
    near = surroundings(tile)
    cells: set[int] = set()
    for change in changes:
        for degrees in (change["bbox_old"], change["bbox_new"]):
            box = web_box(degrees) if degrees else None
            if box is None or not meet(box, near):
                continue
            if change["object_id"] is None:
                return None
            # The object is at home where its box has its middle; where that is at an edge, rounding may decide.
            x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
            cells |= _cells((x - 1e-3, y - 1e-3, x + 1e-3, y + 1e-3), tile.zoom)
    return cells


async def planned_cells(connection: Connection, source: Source, plan: int, tile: Tile) -> set[int]:
    """The homes of all objects that a plan names, as they are and as it would have them."""
    return await _homes(connection, source, tile, *named_by(source.table, plan))


def named_by(table: Table, plan: int) -> list[ColumnElement[bool]]:
    """Which of the rows believed now are of objects that a plan names, be it the plan's own or the city's."""
    named = table.alias("named")
    objects = select(named.c.object_id).where(known(named, NOW), named.c.plan_id == literal(plan))
    in_either = or_(table.c.plan_id.is_(None), table.c.plan_id == literal(plan))
    return [in_either, table.c.object_id.in_(objects)]


async def inexact_cells(connection: Connection, source: Source, moment: datetime, tile: Tile) -> set[int]:
    """The cells whose mass is not exact at a moment: too much began or ended between then and now."""
    x0, y0, x1, y1 = cell_range(surroundings(tile), tile.zoom)
    rows = await connection.fetch(INEXACT, source.layer.id, tile.zoom, x0, x1, y0, y1, moment)
    return {(row["cell_y"] << ROW_BITS) | row["cell_x"] for row in rows}


def last_moment(span: Interval | None) -> datetime | None:
    """The moment whose overviews answer a span of valid time; None is now."""
    return None if span is None else span.end or FOR_EVER


async def _homes(connection: Connection, source: Source, tile: Tile, *conditions: ColumnElement[bool]) -> set[int]:
    table = source.table
    envelope = func.ST_MakeEnvelope(*map(literal, surroundings(tile)), literal_column(str(WEB_SRID)))
    chosen = select(home(table, tile.zoom).label("cell")).where(
        known(table, NOW), table.c.geom_web.op("&&", is_comparison=True)(envelope), *conditions
    )
    statement = compiled(chosen.distinct())
    return {row["cell"] for row in await connection.fetch(statement.sql, *statement.arguments)}


def _cells(box: Box, zoom: int) -> set[int]:
    x0, y0, x1, y1 = cell_range(box, zoom)
    return {(y << ROW_BITS) | x for y in range(y0, y1 + 1) for x in range(x0, x1 + 1)}
