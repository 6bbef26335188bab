"""Long narrow works pressed into the terrain: which cells lie near a line, how far, and where along it."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from rasterio.features import rasterize
from rasterio.transform import from_origin

from twin.demo.grid import Bools, Floats, Grid, Ints, Shapes

# Lines are judged in pieces of this length, m, and so many pairs of piece and cell at a time.
SEGMENT, PAIRS = 60.0, 3_000_000


@dataclass(frozen=True)
class Nearby:
    """Cells within reach of lines.

    line: index of the nearest one. away: distance to it, m. along: way from its start, m.
    """

    row: Ints
    column: Ints
    line: Ints
    away: Floats
    along: Floats


def cells_near(grid: Grid, lines: Shapes, reach: float | Floats) -> Nearby:
    """The cells whose middles lie within `reach` m of a line; reach may differ from line to line."""
    corners, owner = shapely.get_coordinates(shapely.segmentize(lines, SEGMENT), return_index=True)
    same = owner[1:] == owner[:-1]
    step = np.where(same, np.hypot(*np.diff(corners, axis=0).T), 0)
    way = np.concatenate(([0.0], np.cumsum(step)))
    first = np.concatenate(([True], ~same))
    way = way - way[first][np.cumsum(first) - 1]
    start, end, begin, owner = corners[:-1][same], corners[1:][same], way[:-1][same], owner[:-1][same]
    reaches = np.broadcast_to(reach, len(lines))[owner]
    nearest = np.full(grid.rows * grid.columns, np.inf, dtype=np.float32)
    found = []
    for part in _parts(grid, start, end, reaches):
        cell, segment = _windows(grid, start[part], end[part], reaches[part])
        segment += part.start
        away, along = _distance(grid, cell, start[segment], end[segment])
        close = away <= reaches[segment]
        cell, segment, away, along = cell[close], segment[close], away[close].astype(np.float32), along[close]
        np.minimum.at(nearest, cell, away)
        best = away == nearest[cell]
        found.append((cell[best], segment[best], away[best], along[best]))
    cell, segment, away, along = (np.concatenate(column) for column in zip(*found, strict=True))
    best = np.flatnonzero(away == nearest[cell])
    cell, once = np.unique(cell[best], return_index=True)
    pick = best[once]
    row, column = np.divmod(cell, grid.columns)
    return Nearby(row, column, owner[segment[pick]], away[pick].astype(float), begin[segment[pick]] + along[pick])


def _parts(grid: Grid, start: Floats, end: Floats, reach: Floats) -> list[slice]:
    """Runs of segments whose windows together have about PAIRS cells."""
    size = (np.abs(end - start) + 2 * reach[:, None]) / grid.cell + 2
    run = (np.cumsum(size.prod(axis=1)) / PAIRS).astype(np.int64)
    cuts = [0, *(np.flatnonzero(np.diff(run)) + 1).tolist(), len(start)]
    return [slice(a, b) for a, b in pairwise(cuts) if b > a]


def _windows(grid: Grid, start: Floats, end: Floats, reach: Floats) -> tuple[Ints, Ints]:
    """Flat indices of the cells in each segment's bounding box, widened by `reach`, and the segment of each."""
    low, high = np.minimum(start, end) - reach[:, None], np.maximum(start, end) + reach[:, None]
    top, left = grid.cells(low[:, 0], high[:, 1])
    bottom, right = grid.cells(high[:, 0], low[:, 1])
    wide, tall = right - left + 1, bottom - top + 1
    count = wide * tall
    segment = np.repeat(np.arange(len(start)), count)
    number = np.arange(len(segment)) - np.repeat(np.cumsum(count) - count, count)
    row, column = np.divmod(number, wide[segment])
    return (top[segment] + row) * grid.columns + left[segment] + column, segment


def _distance(grid: Grid, cell: Ints, a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Distance of cells' middles to the segments a-b, and how far along the segments they lie, m."""
    row, column = np.divmod(cell, grid.columns)
    x, y = grid.x[column] - a[:, 0], grid.y[row] - a[:, 1]
    along = b - a
    length = np.maximum(np.hypot(*along.T), 1e-9)
    part = np.clip((x * along[:, 0] + y * along[:, 1]) / length, 0, length)
    away = np.hypot(x - part * along[:, 0] / length, y - part * along[:, 1] / length)
    return away, part


def cells_in(grid: Grid, shapes: Shapes, touched: bool = False) -> Bools:
    """The cells whose middles lie in any of the polygons; with `touched` all that a polygon touches."""
    transform = from_origin(grid.west, grid.north, grid.cell, grid.cell)
    polygons = [(shape, 1) for shape in np.atleast_1d(shapes) if not shapely.is_empty(shape)]
    if not polygons:
        return np.zeros(grid.shape, dtype=bool)
    burnt = rasterize(polygons, out_shape=grid.shape, transform=transform, fill=0, dtype="uint8", all_touched=touched)
    inside: Bools = burnt == 1
    return inside
