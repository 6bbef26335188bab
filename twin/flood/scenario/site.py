"""Where a run takes place: a raster in the city's metres, and shapes burnt into it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyproj
from rasterio.features import rasterize
from rasterio.transform import Affine

from twin.flood.scenario.errors import FloodRefused
from twin.scenarios.city import City

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
# A run holds its cells some 2.5 times beside the engine's own state: masks, land, frames being written.
BYTES_PER_CELL = 280
SHARE_OF_MEMORY = 0.7


@dataclass(frozen=True)
class Site:
    """A raster of square cells. west, north: of its corner, metres in `crs`; box: the same in CRS84."""

    crs: str
    cell: float
    west: float
    north: float
    rows: int
    columns: int
    box: tuple[float, float, float, float]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.rows, self.columns

    @property
    def transform(self) -> Affine:
        """From column and row to metres."""
        return Affine(self.cell, 0, self.west, 0, -self.cell, self.north)

    @property
    def metric_box(self) -> tuple[float, float, float, float]:
        """West, south, east, north, m."""
        return (
            self.west,
            self.north - self.rows * self.cell,
            self.west + self.columns * self.cell,
            self.north,
        )

    def burn(self, shapes: Any, values: Any, *, fill: float = np.nan, touched: bool = False) -> Floats:
        """Values of the shapes that the cells' middles lie in (or that touch the cells), the last one's on top."""
        pairs = [(shape, float(value)) for shape, value in zip(shapes, values, strict=True) if not shape.is_empty]
        if not pairs:
            return np.full(self.shape, fill)
        burnt: Floats = rasterize(
            pairs, out_shape=self.shape, transform=self.transform, fill=fill, dtype="float64", all_touched=touched
        )
        return burnt

    def covered(self, shapes: Any, *, touched: bool = False) -> Bools:
        """Cells whose middles lie in any of the shapes."""
        found: Bools = self.burn(shapes, np.ones(len(shapes)), fill=0, touched=touched) > 0
        return found

    def coverage(self, shapes: Sequence[Any], finer: int = 4) -> Floats:
        """Share of each cell that polygons cover, by finer * finer samples."""
        fine = Site(
            self.crs, self.cell / finer, self.west, self.north, self.rows * finer, self.columns * finer, self.box
        )
        if not len(shapes):
            return np.zeros(self.shape)
        inside: npt.NDArray[np.uint8] = rasterize(
            [(shape, 1) for shape in shapes if not shape.is_empty],
            out_shape=fine.shape,
            transform=fine.transform,
            fill=0,
            dtype="uint8",
        )
        parts = inside.reshape(self.rows, finer, self.columns, finer)
        share: Floats = parts.mean(axis=(1, 3))
        return share

    def cell_of(self, x: float, y: float) -> tuple[int, int] | None:
        """Row and column of a place, None outside."""
        row, column = int((self.north - y) // self.cell), int((x - self.west) // self.cell)
        return (row, column) if 0 <= row < self.rows and 0 <= column < self.columns else None

    def middles(self) -> tuple[Floats, Floats]:
        """x of the columns and y of the rows."""
        xs = self.west + (np.arange(self.columns) + 0.5) * self.cell
        ys = self.north - (np.arange(self.rows) + 0.5) * self.cell
        return xs.astype(np.float64), ys.astype(np.float64)


def choose_site(city: City, cell: float, area: tuple[float, float, float, float] | None) -> Site:
    """The raster of a run. Raises FloodRefused, naming the field, where it lies outside the city or is too large."""
    box = city.box
    if area is not None:
        box = (max(area[0], box[0]), max(area[1], box[1]), min(area[2], box[2]), min(area[3], box[3]))
        if box[0] >= box[2] or box[1] >= box[3]:
            raise FloodRefused(
                f"area: {area} lies outside the city, which reaches from {city.box[0]:.4f}, {city.box[1]:.4f} to "
                f"{city.box[2]:.4f}, {city.box[3]:.4f}",
                f"area：{area} 在城市范围之外；城市范围为 {city.box[0]:.4f}, {city.box[1]:.4f} 至 "
                f"{city.box[2]:.4f}, {city.box[3]:.4f}",
            )
    project = pyproj.Transformer.from_crs("OGC:CRS84", city.metric_crs, always_xy=True)
    west, south, east, north = project.transform_bounds(*box)
    west, north = np.floor(west / cell) * cell, np.ceil(north / cell) * cell
    rows, columns = int(np.ceil((north - south) / cell)), int(np.ceil((east - west) / cell))
    need, there = rows * columns * BYTES_PER_CELL, available_memory()
    if need > SHARE_OF_MEMORY * there:
        raise FloodRefused(
            f"resolution_m: {rows} x {columns} cells of {cell:g} m need some {need / 2**30:.1f} GiB of memory, "
            f"{SHARE_OF_MEMORY * there / 2**30:.1f} GiB are free for it; take a coarser resolution or a smaller area",
            f"resolution_m：{rows} x {columns} 个网格约需内存 {need / 2**30:.1f} GiB，可用 "
            f"{SHARE_OF_MEMORY * there / 2**30:.1f} GiB；请放大网格或缩小范围",
        )
    if rows < 5 or columns < 5:
        raise FloodRefused(
            f"area: {rows} x {columns} cells of {cell:g} m are too few; take a finer resolution_m",
            f"area：{rows} x {columns} 个 {cell:g} 米的网格太少；请减小 resolution_m 或扩大范围",
        )
    return Site(city.metric_crs, cell, float(west), float(north), rows, columns, box)


def available_memory() -> int:
    """Bytes that this process may still take: the machine's free memory, or its own limit where that is less."""
    import resource

    with open("/proc/meminfo", encoding="ascii") as file:
        free = next(int(line.split()[1]) * 1024 for line in file if line.startswith("MemAvailable"))
    limits = [resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA)]
    return min([free, *(limit for limit in limits if limit != resource.RLIM_INFINITY)])
