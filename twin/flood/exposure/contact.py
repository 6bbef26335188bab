"""Which cells of a raster an object of the city stands in or beside, and the deepest water among them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

Ints = npt.NDArray[np.int64]
# Pairs of object and cell that are judged at a time.
PAIRS = 4_000_000


@dataclass(frozen=True, eq=False)
class Contact:
    """Pairs of objects and flat cell numbers, sorted by object; objects without a cell have none."""

    count: int
    owner: Ints
    cell: Ints

    def deepest(self, depth: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float32]:
        """The greatest value that each object touches, 0 where it touches none; NaN cells count as 0."""
        found = np.zeros(self.count, np.float32)
        np.maximum.at(found, self.owner, np.nan_to_num(depth.ravel()[self.cell]))
        return found


def beside(
    shapes: npt.NDArray[np.object_],
    *,
    west: float,
    north: float,
    cell: float,
    usable: npt.NDArray[np.bool_],
    reach: float,
) -> Contact:
    """Cells whose middles lie within `reach` m of each shape.

    usable: False for cells that do not count, such as those under buildings.
    """
    rows, columns = usable.shape
    x0, y0, x1, y1 = shapely.bounds(shapes).T
    left = np.clip(np.floor((x0 - reach - west) / cell - 0.5), 0, columns).astype(np.int64)
    right = np.clip(np.ceil((x1 + reach - west) / cell + 0.5), 0, columns).astype(np.int64)
    top = np.clip(np.floor((north - y1 - reach) / cell - 0.5), 0, rows).astype(np.int64)
    bottom = np.clip(np.ceil((north - y0 + reach) / cell + 0.5), 0, rows).astype(np.int64)
    size = (right - left) * (bottom - top)
    owners, cells = [], []
    parts = np.split(np.arange(len(shapes)), np.flatnonzero(np.diff(np.cumsum(size) // PAIRS)) + 1)
    for part in parts:
        owner = np.repeat(part, size[part])
        number = np.arange(len(owner)) - np.repeat(np.cumsum(size[part]) - size[part], size[part])
        row, column = np.divmod(number, (right - left)[owner])
        row, column = row + top[owner], column + left[owner]
        counts = usable[row, column]
        owner, row, column = owner[counts], row[counts], column[counts]
        middles = shapely.points(west + (column + 0.5) * cell, north - (row + 0.5) * cell)
        near = shapely.dwithin(shapes[owner], middles, reach)
        owners.append(owner[near])
        cells.append((row * columns + column)[near])
    return Contact(len(shapes), np.concatenate(owners), np.concatenate(cells))


def along(
    lines: npt.NDArray[np.object_], *, west: float, north: float, cell: float, usable: npt.NDArray[np.bool_]
) -> Contact:
    """Cells that lines run through, from points half a cell apart."""
    rows, columns = usable.shape
    dense = shapely.segmentize(lines, cell / 2)
    corners, owner = shapely.get_coordinates(dense, return_index=True)
    column = np.floor((corners[:, 0] - west) / cell).astype(np.int64)
    row = np.floor((north - corners[:, 1]) / cell).astype(np.int64)
    inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
    owner, row, column = owner[inside], row[inside], column[inside]
    counts = usable[row, column]
    pairs = np.unique(np.column_stack((owner[counts], row[counts] * columns + column[counts])), axis=0)
    return Contact(len(lines), pairs[:, 0].astype(np.int64), pairs[:, 1].astype(np.int64))
