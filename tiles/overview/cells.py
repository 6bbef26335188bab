"""Cells as the database counts them: where an object is at home, and which cells a box touches."""

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, FromClause, cast, func, literal_column

from tiles.matrix import HALF_WORLD, Box
from tiles.overview.level import ROW_BITS, cell_side
from tiles.overview.recipe import CELL_ZOOMS


def home(table: FromClause, zoom: int) -> ColumnElement[int]:
    """SQL of the cell in which an object's box has its middle; the arithmetic is `level.home_cells`', bit for bit."""
    web = table.c.geom_web
    half: ColumnElement[Any] = literal_column(repr(HALF_WORLD))
    side: ColumnElement[Any] = literal_column(repr(cell_side(zoom)))
    column = func.floor(((func.ST_XMin(web) + func.ST_XMax(web)) / 2 + half) / side)
    row = func.floor((half - (func.ST_YMin(web) + func.ST_YMax(web)) / 2) / side)
    return number(column, row)


def number(column: ColumnElement[Any], row: ColumnElement[Any]) -> ColumnElement[int]:
    """SQL of a cell's number."""
    return cast(row, BigInteger).op("<<")(literal_column(str(ROW_BITS))).op("|")(cast(column, BigInteger))


def cell_range(box: Box, zoom: int) -> tuple[int, int, int, int]:
    """The first and last column and row (x0, y0, x1, y1) of the cells of a zoom that a box touches."""
    last = (1 << (zoom + CELL_ZOOMS)) - 1
    side = cell_side(zoom)
    west, south, east, north = box
    columns = (int((v + HALF_WORLD) // side) for v in (west, east))
    rows = (int((HALF_WORLD - v) // side) for v in (north, south))
    (x0, x1), (y0, y1) = ((max(0, min(last, v)) for v in pair) for pair in (columns, rows))
    return x0, y0, x1, y1
