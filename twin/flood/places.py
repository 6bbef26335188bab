"""From the city's numbers to the solver's: padded grids, levels above the lowest bed, cells, sections."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from twin.flood import checks
from twin.flood.cpu import transfer
from twin.flood.cpu.state import GHOSTS, Floats, Water
from twin.flood.domain import Domain
from twin.flood.errors import InvalidInput

# Room above the highest ground for water that stands on it, m.
HEADROOM_M = 64.0
# No sea is deeper, m.
DEEPEST_M = 12_000.0
Ints = npt.NDArray[np.int64]


def padded(values: npt.NDArray[np.floating[Any]]) -> Floats:
    """A grid with ghosts around it that mirror it: a closed rim then passes nothing."""
    return np.ascontiguousarray(np.pad(values, GHOSTS, mode="symmetric"))


def ground(domain: Domain, dtype: np.dtype[np.floating[Any]]) -> tuple[float, Floats]:
    """The lowest level, and the bed above it with ghosts.

    The bed is rounded to the last digit that a level can have in its precision (0.03 mm for 200 m of relief): still
    water then has exactly one level in each of its cells, and stays still to the last bit.
    """
    levels = domain.levels
    base = float(np.floor(np.nanmin(levels)))
    above = np.where(np.isnan(levels), np.nanmax(levels) + HEADROOM_M, levels) - base
    digit = grain(above.max() + HEADROOM_M, dtype)
    return base, padded(np.round(above / digit) * digit).astype(dtype)


def grain(highest: float, dtype: np.dtype[np.floating[Any]]) -> float:
    """Distance between two neighbouring numbers of a precision at a height."""
    return float(np.spacing(dtype.type(highest)))


def initial_depth(domain: Domain, depth: npt.ArrayLike, level: npt.ArrayLike | None, base: float, z: Floats) -> Floats:
    """Depth with ghosts, m; raises InvalidInput for negative depths or gaps."""
    inside = np.isfinite(domain.levels)
    name, given = ("initial", depth) if level is None else ("initial_level", level)
    values = checks.on_cells(name, given, domain.shape)
    if not np.isfinite(values[inside]).all():
        raise InvalidInput(f"{name}: not a number in {int((~np.isfinite(values[inside])).sum())} cells of the terrain")
    inner = z[GHOSTS:-GHOSTS, GHOSTS:-GHOSTS].astype(np.float64)
    if level is None:
        if (values[inside] < 0).any():
            raise InvalidInput("initial: depths below 0; give levels as initial_level")
        filled = values
    else:
        digit = grain(float(inner.max()) + HEADROOM_M, z.dtype)
        filled = np.maximum(np.round((values - base) / digit) * digit - inner, 0)
    if filled[inside].max() > DEEPEST_M:
        raise InvalidInput(f"{name}: water {filled[inside].max():g} m deep; metres are needed")
    return padded(np.where(inside, filled, 0)).astype(z.dtype)


def indices(cells: Sequence[tuple[int, int]], domain: Domain, name: str) -> tuple[Ints, Ints]:
    """Rows and columns with ghosts counted; raises InvalidInput for a cell that is not there."""
    where = np.asarray(cells, np.int64).reshape(-1, 2)
    rows, columns = domain.shape
    for row, column in where:
        if not (0 <= row < rows and 0 <= column < columns) or np.isnan(domain.levels[row, column]):
            raise InvalidInput(f"{name}: row {row}, column {column} is outside the terrain of {rows} x {columns} cells")
    return where[:, 0] + GHOSTS, where[:, 1] + GHOSTS


def pour(water: Water, rows: Ints, columns: Ints, volume: float, area: float) -> float:
    """Spread a volume (m3) evenly over cells, or take it (negative) as far as it is there; what was really moved."""
    if volume >= 0:
        return float(transfer.give(water, rows, columns, volume, area))
    return -float(transfer.take(water, rows, columns, -volume, area))


def cell_flows(water: Water, staggered: bool) -> tuple[Floats, Floats]:
    """Flows per metre of width in the middles of the cells, m2/s to the east and to the south."""
    inner = slice(GHOSTS, -GHOSTS)
    x, y = water.flow_x[inner, inner], water.flow_y[inner, inner]
    if not staggered:
        return x, y
    east, south = water.flow_x[inner, GHOSTS + 1 : 1 - GHOSTS], water.flow_y[GHOSTS + 1 : 1 - GHOSTS, inner]
    return (x + east) / 2, (y + south) / 2
