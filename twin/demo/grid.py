"""Regular grids of values over the city, and how they are sampled, smoothed, enlarged and filled with noise."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.integer[Any]]
Bools = NDArray[np.bool_]
# Shapely geometries, one an element.
Shapes = NDArray[np.object_]


@dataclass(frozen=True)
class Grid:
    """Points in rows from north to south, columns from west to east.

    west, north: outer corner of the north-western cell, m. cell: spacing, m. A value stands for the middle of its cell.
    """

    west: float
    north: float
    cell: float
    rows: int
    columns: int

    @property
    def shape(self) -> tuple[int, int]:
        return self.rows, self.columns

    @property
    def x(self) -> Floats:
        """Easting of the columns' middles, m."""
        return self.west + (np.arange(self.columns) + 0.5) * self.cell

    @property
    def y(self) -> Floats:
        """Northing of the rows' middles, m."""
        return self.north - (np.arange(self.rows) + 0.5) * self.cell

    def mesh(self) -> tuple[Floats, Floats]:
        """x and y of every cell's middle, m."""
        x, y = np.meshgrid(self.x, self.y)
        return x, y

    def coarser(self, factor: int) -> "Grid":
        """The grid of the same area with cells `factor` times as wide; it may stick out to the east and south."""
        return Grid(self.west, self.north, self.cell * factor, -(-self.rows // factor), -(-self.columns // factor))

    def cells(self, x: Floats, y: Floats) -> tuple[Ints, Ints]:
        """Row and column of the cell that holds each point; points outside go to the nearest cell."""
        row = np.clip(np.floor((self.north - y) / self.cell), 0, self.rows - 1).astype(np.int64)
        column = np.clip(np.floor((x - self.west) / self.cell), 0, self.columns - 1).astype(np.int64)
        return row, column

    def sample(self, values: NDArray[Any], x: Floats, y: Floats) -> Floats:
        """Values between the cells' middles, bilinear; beyond the outermost middles the nearest holds."""
        row = np.clip((self.north - np.asarray(y)) / self.cell - 0.5, 0, self.rows - 1.000001)
        column = np.clip((np.asarray(x) - self.west) / self.cell - 0.5, 0, self.columns - 1.000001)
        r, c = row.astype(np.int64), column.astype(np.int64)
        row, column = row - r, column - c
        upper = values[r, c] * (1 - column) + values[r, c + 1] * column
        lower = values[r + 1, c] * (1 - column) + values[r + 1, c + 1] * column
        result: Floats = upper * (1 - row) + lower * row
        return result

    def slope(self, values: Floats) -> tuple[Floats, Floats]:
        """Rise to the east and to the north, per metre."""
        down, east = np.gradient(values, self.cell)
        return np.asarray(east), -np.asarray(down)


def enlarge(values: Floats, source: Grid, target: Grid) -> Floats:
    """Values of `source` at the points of `target` by cubic convolution (Keys 1981, a = -0.5), float32."""
    rows = _taps((source.north - target.y) / source.cell - 0.5, source.rows, _keys)
    columns = _taps((target.x - source.west) / source.cell - 0.5, source.columns, _keys)
    return _spread(values.astype(np.float32), rows, columns)


def blur(values: Floats, grid: Grid, sigma: float) -> Floats:
    """Gaussian mean, standard deviation `sigma` in m; the border weighs what lies inside."""
    rows = _gaussian(grid.rows, sigma / grid.cell)
    columns = _gaussian(grid.columns, sigma / grid.cell)
    result: Floats = (rows @ values.astype(np.float32) @ columns.T).astype(float)
    return result


def noise(grid: Grid, wavelength: float, rng: np.random.Generator, octaves: int = 4, gain: float = 0.5) -> Floats:
    """Fractal noise of mean 0 and standard deviation about 1, float32.

    wavelength: of the longest waves, m; each octave has half the wavelength and `gain` times the height. Cubic
    B-splines through random lattices. Octaves shorter than two cells are left out.
    """
    total = np.zeros(grid.shape, dtype=np.float32)
    power = 0.0
    for octave in range(octaves):
        spacing = wavelength / 2 / 2**octave
        if spacing < grid.cell and octave:
            break
        height = gain**octave
        total += np.float32(height) * _lattice(grid, spacing, rng)
        power += height**2
    return total / np.float32(np.sqrt(power))


def ridges(grid: Grid, wavelength: float, rng: np.random.Generator, octaves: int = 4) -> Floats:
    """Ridged noise between about -1 and 1: sharp crests, round bottoms (Musgrave 1994)."""
    total = np.zeros(grid.shape, dtype=np.float32)
    for octave in range(octaves):
        spacing = wavelength / 2 / 2**octave
        if spacing < grid.cell and octave:
            break
        total += np.float32(0.5**octave) * (1 - 2 * np.abs(_lattice(grid, spacing, rng)))
    return total / np.float32(2)


def smoothstep(low: Floats | float, high: Floats | float, values: Floats) -> Floats:
    """0 below `low`, 1 above `high`, smooth between."""
    t = np.clip((values - low) / (high - low), 0, 1)
    result: Floats = t * t * (3 - 2 * t)
    return result


def _lattice(grid: Grid, spacing: float, rng: np.random.Generator) -> Floats:
    """Noise of one wavelength, standard deviation about 1."""
    lattice_rows = int(grid.rows * grid.cell / spacing) + 4
    lattice_columns = int(grid.columns * grid.cell / spacing) + 4
    heights = rng.standard_normal((lattice_rows, lattice_columns), dtype=np.float32)
    rows = _taps((grid.north - grid.y) / spacing + 1, lattice_rows, _spline)
    columns = _taps((grid.x - grid.west) / spacing + 1, lattice_columns, _spline)
    # A uniform cubic B-spline leaves 0.479 of white noise's variance a dimension, on average over positions.
    return _spread(heights, rows, columns) / np.float32(0.479)


@dataclass(frozen=True)
class _Taps:
    """For each wanted position the four values that count for it (indices), and their weights."""

    index: Ints
    weight: NDArray[np.float32]


def _taps(position: Floats, count: int, kernel: Callable[[Floats], Floats]) -> _Taps:
    first = np.floor(position).astype(np.int64)
    offsets = np.arange(-1, 3)[:, None]
    weight = kernel(position - first - offsets).astype(np.float32)
    return _Taps(np.clip(first + offsets, 0, count - 1), weight)


def _spread(values: Floats, rows: _Taps, columns: _Taps) -> Floats:
    """Values at all pairs of row and column positions."""
    wide = sum(values[:, i] * w for i, w in zip(columns.index, columns.weight, strict=True))
    result = np.zeros((rows.index.shape[1], columns.index.shape[1]), dtype=np.float32)
    for i, w in zip(rows.index, rows.weight, strict=True):
        result += np.asarray(wide)[i] * w[:, None]
    return result


def _keys(t: Floats) -> Floats:
    t = np.abs(t)
    inner = 1.5 * t**3 - 2.5 * t**2 + 1
    outer = -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2
    result: Floats = np.where(t < 1, inner, np.where(t < 2, outer, 0))
    return result


def _spline(t: Floats) -> Floats:
    t = np.abs(t)
    inner = 2 / 3 - t**2 + t**3 / 2
    outer = np.clip(2 - t, 0, None) ** 3 / 6
    result: Floats = np.where(t < 1, inner, outer)
    return result


def _gaussian(count: int, sigma: float) -> Floats:
    offset = np.arange(count)[:, None] - np.arange(count)[None, :]
    weights = np.exp(-0.5 * (offset / max(sigma, 1e-3)) ** 2)
    result: Floats = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return result
