"""Areas where a field lies above a level, with smooth outlines (marching squares, interpolated)."""

import numpy as np
import shapely

from twin.demo.grid import Floats, Grid, Ints, Shapes
from twin.demo.shapes import lines, merged_lines

# Pairs of cell sides (0 north, 1 east, 2 south, 3 west) that the line joins, by which corners are above:
# 1 north-west, 2 north-east, 4 south-east, 8 south-west. Saddles keep the high corners apart.
SIDES: dict[int, tuple[tuple[int, int], ...]] = {
    1: ((3, 0),),
    2: ((0, 1),),
    3: ((3, 1),),
    4: ((1, 2),),
    5: ((3, 0), (1, 2)),
    6: ((0, 2),),
    7: ((3, 2),),
    8: ((2, 3),),
    9: ((2, 0),),
    10: ((0, 1), (2, 3)),
    11: ((2, 1),),
    12: ((1, 3),),
    13: ((1, 0),),
    14: ((0, 3),),
}


def areas_above(grid: Grid, values: Floats, level: float = 0.0, tolerance: float | None = None) -> Shapes:
    """Polygons, with holes, where `values` exceed `level`; the grid's border closes them.

    tolerance: how far an outline may be simplified, m; a twentieth of a cell unless given.
    """
    # A rim below the level closes areas that run out of the grid; it lies on the outermost points themselves,
    # so that nothing sticks out.
    inside = np.maximum(np.abs(values - level), 1e-6) * np.where(values > level, 1, -1)
    field = np.pad(inside, 1, constant_values=-1e-9)
    x = np.concatenate(([grid.x[0]], grid.x, [grid.x[-1]]))
    y = np.concatenate(([grid.y[0]], grid.y, [grid.y[-1]]))
    segments = _segments(field, x, y)
    if not len(segments):
        return np.empty(0, dtype=object)
    rings = shapely.simplify(merged_lines(segments), tolerance or grid.cell / 20)
    faces = shapely.get_parts(shapely.polygonize(rings))
    inner = shapely.point_on_surface(faces)
    value = grid.sample(inside, shapely.get_x(inner), shapely.get_y(inner))
    kept: Shapes = faces[value > 0]
    return kept


def _segments(field: Floats, x: Floats, y: Floats) -> Shapes:
    above = field > 0
    # Crossing points, computed once for each side that two cells share, so that the lines meet exactly.
    with np.errstate(divide="ignore", invalid="ignore"):
        along = field[:, :-1] / (field[:, :-1] - field[:, 1:])
        level_x = x[:-1] + along * np.diff(x)
        down = field[:-1] / (field[:-1] - field[1:])
        upright_y = y[:-1, None] + down * np.diff(y)[:, None]
    code = above[:-1, :-1] + 2 * above[:-1, 1:] + 4 * above[1:, 1:] + 8 * above[1:, :-1]

    def crossing(side: int, r: Ints, c: Ints) -> Floats:
        if side in (0, 2):
            row = r if side == 0 else r + 1
            return np.stack((level_x[row, c], y[row]), axis=1)
        column = c if side == 3 else c + 1
        return np.stack((x[column], upright_y[r, column]), axis=1)

    pieces = []
    for case, pairs in SIDES.items():
        r, c = np.nonzero(code == case)
        pieces += [np.stack((crossing(a, r, c), crossing(b, r, c)), axis=1) for a, b in pairs]
    ends = np.concatenate(pieces)
    ends = ends[np.any(ends[:, 0] != ends[:, 1], axis=1)]
    return lines(ends)
