"""Where the flood happens: the bed on a raster of square cells, its roughness, its place on the Earth."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pyproj import CRS
from pyproj.exceptions import CRSError

from twin.flood import checks
from twin.flood.datum import UNKNOWN, canonical
from twin.flood.errors import InvalidInput

Floats = npt.NDArray[np.float64]
# Memory per cell of a run, bytes: two states of four numbers, ground, records; measured 96 to 110 in single precision.
BYTES_PER_CELL = 110
LOWEST_BED_M, HIGHEST_BED_M, NO_DATA_M = -11_100.0, 9_000.0, -9999.0
# A cell that stands so far above or below all cells around it is a fault of the survey: m, and in sides of a cell.
SPIKE_M, SPIKE_CELLS = 100.0, 5.0
SMOOTHEST, ROUGHEST = 0.005, 1.0


@dataclass(frozen=True, eq=False)
class Domain:
    """A raster of square cells.

    bed: level of the ground in m above `vertical_datum`, first row in the north, first column in the west; NaN where
        the domain ends (no water gets there).
    cell: side of a cell, m.
    west, north: coordinates of the outer corner of the first cell, in `crs` (projected, metres).
    manning: roughness n, s/m^(1/3), one number or one a cell.
    most_cells: more are refused, since they would not fit into memory.

    Raises InvalidInput, naming the field.
    """

    bed: npt.ArrayLike
    cell: float
    west: float = 0.0
    north: float = 0.0
    manning: npt.ArrayLike = 0.03
    crs: str | None = None
    vertical_datum: str | None = None
    most_cells: int = 40_000_000

    def __post_init__(self) -> None:
        bed = checks.floats("bed", self.bed)
        cell = checks.positive("cell", self.cell, "m, the side of a cell")
        west, north = (checks.within(name, getattr(self, name), -np.inf, unit="m") for name in ("west", "north"))
        if bed.ndim != 2 or not bed.size:
            raise InvalidInput(f"bed: a grid of rows and columns is needed, got shape {bed.shape}")
        if bed.size > self.most_cells:
            need = bed.size * BYTES_PER_CELL / 2**30
            raise InvalidInput(
                f"bed: {bed.size:,} cells need some {need:.1f} GiB, {self.most_cells:,} are allowed; "
                "take a coarser resolution or a smaller area"
            )
        if np.isinf(bed).any() or not np.isfinite(bed).any():
            raise InvalidInput("bed: no level in it, or infinite ones; mark what lies outside as NaN")
        low, high = float(np.nanmin(bed)), float(np.nanmax(bed))
        wrong = (bed == NO_DATA_M) if low <= NO_DATA_M else np.zeros(bed.shape, np.bool_)
        if low < LOWEST_BED_M or high > HIGHEST_BED_M or wrong.any():
            row, column = np.argwhere(wrong | (bed < LOWEST_BED_M) | (bed > HIGHEST_BED_M))[0]
            raise InvalidInput(
                f"bed: {bed[row, column]:g} m in row {row}, column {column} is no level on Earth; "
                "name the file's nodata value",
                f"bed：地形第 {row} 行第 {column} 列高程 {bed[row, column]:g} 米不合理；请在高程文件中注明无数据值",
            )
        if (spike := _spike(bed, max(SPIKE_M, SPIKE_CELLS * cell))) is not None:
            row, column, away = spike
            place = f"({west + (column + 0.5) * cell:g}, {north - (row + 0.5) * cell:g})"
            raise InvalidInput(
                f"bed: {bed[row, column]:g} m in row {row}, column {column} at {place} stands {abs(away):.0f} m "
                f"{'above' if away > 0 else 'below'} all ground around it; mend it, or mark it as NaN",
                f"bed：地形第 {row} 行第 {column} 列 {place} 高程 {bed[row, column]:g} 米，"
                f"比四周{'高' if away > 0 else '低'}出 {abs(away):.0f} 米；请修正地形，或将该处标为无数据",
            )
        manning = checks.on_cells("manning", self.manning, bed.shape)
        wrong = ~((manning >= 0) & (manning <= ROUGHEST)) & np.isfinite(bed)
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            raise InvalidInput(
                f"manning: {manning[row, column]:g} in row {row}, column {column} is outside 0 to {ROUGHEST} s/m^(1/3)"
            )
        if self.crs is not None:
            _projected_in_metres(self.crs)
        object.__setattr__(self, "bed", bed)
        object.__setattr__(self, "manning", manning)

    @property
    def levels(self) -> Floats:
        """The bed as an array, m."""
        return np.asarray(self.bed)

    @property
    def roughness(self) -> Floats:
        """Manning's n of each cell, s/m^(1/3)."""
        return np.asarray(self.manning)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, columns = self.levels.shape
        return rows, columns

    @property
    def area(self) -> float:
        """Area of a cell, m2."""
        return self.cell * self.cell

    def cell_at(self, x: float, y: float, name: str = "point") -> tuple[int, int]:
        """Row and column of a place; raises InvalidInput, naming what lay outside."""
        checks.within(name, x, -np.inf, unit="m")
        checks.within(name, y, -np.inf, unit="m")
        column, row = int(np.floor((x - self.west) / self.cell)), int(np.floor((self.north - y) / self.cell))
        rows, columns = self.shape
        if not (0 <= row < rows and 0 <= column < columns) or np.isnan(self.levels[row, column]):
            east, south = self.west + columns * self.cell, self.north - rows * self.cell
            raise InvalidInput(
                f"{name}: ({x:g}, {y:g}) lies outside the terrain, which reaches from {self.west:g} to {east:g} "
                f"and from {south:g} to {self.north:g}"
            )
        return row, column

    def centres(self) -> tuple[Floats, Floats]:
        """x of the columns' and y of the rows' middles."""
        rows, columns = self.shape
        xs = self.west + (np.arange(columns) + 0.5) * self.cell
        ys = self.north - (np.arange(rows) + 0.5) * self.cell
        return xs.astype(np.float64), ys.astype(np.float64)


def same_datum(one: str | None, other: str | None, name: str) -> None:
    """Refuse levels above different or unknown datums; two unstated ones are the caller's own frame."""
    known = [canonical(each) if each is not None else None for each in (one, other)]
    if known[0] != known[1] or UNKNOWN in known:
        raise InvalidInput(
            f"{name}: levels above {other or 'an unknown datum'}, terrain above {one or 'an unknown datum'}; "
            "convert one of them and name the datum of both",
            f"{name}：水位基准为 {other or '未知'}，地形基准为 {one or '未知'}；请换算到同一基准，并注明两者的基准",
        )


def _spike(bed: Floats, limit: float) -> tuple[int, int, float] | None:
    """Row and column of a cell further above (or below, negative) all of at least three around it than a limit, m."""
    jumps = np.abs(np.diff(bed, axis=1)) > limit
    for row, column in np.argwhere(np.pad(jumps, ((0, 0), (0, 1))) | np.pad(jumps, ((0, 0), (1, 0)))):
        around = bed[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2] - bed[row, column]
        others = around[np.isfinite(around)]
        others = np.delete(others, int(np.argmin(np.abs(others))))
        if len(others) >= 3 and np.abs(others).min() > limit and ((others > 0).all() or (others < 0).all()):
            return int(row), int(column), float(-others[np.argmin(np.abs(others))])
    return None


def _projected_in_metres(name: str) -> None:
    try:
        crs: Any = CRS.from_user_input(name)
    except CRSError as error:
        raise InvalidInput(f"crs: {name!r} is not known; name one such as EPSG:4549") from error
    if not crs.is_projected or any(axis.unit_conversion_factor != 1.0 for axis in crs.axis_info[:2]):
        raise InvalidInput(f"crs: {name} does not measure in metres; project the terrain, e.g. to EPSG:4549")
