"""Cells of coverages: read in any window and CRS, and at points.

Values go on evenly between the middles of cells (bilinear); coarser than the file, its overviews are read. Nothing is
made up: outside of the file, and where a cell is without a value, it is NaN.
"""

import hashlib
import os
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import local

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.transform import from_bounds
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from layers.coverage import Frame
from layers.crs import CRS84, Crs, parse_crs, transform_points
from tiles import TileError
from tiles.matrix import Box

Values = npt.NDArray[np.float32]
Points = npt.NDArray[np.float64]

# Files that a thread keeps open: to open one takes as long as to read a tile of it.
KEPT_OPEN = 24
# Beyond half an overview's cell nobody sees that it was not the finer one.
COARSER = 1.01


class CellsUnreadable(TileError):
    """A file of a coverage that cannot be read."""


@dataclass(frozen=True)
class _Shape:
    """What decides how a file is read: cells in metres of its CRS, and how much coarser each overview is."""

    crs: Crs
    cell: float
    overviews: tuple[int, ...]


def etag(frame: Frame | None, *said: object) -> str:
    """What the answer to a question about a frame depends on. Raises CellsUnreadable."""
    identity = (frame.band, *_version(frame.path)) if frame else ()
    return f'"{hashlib.blake2b(repr((identity, said)).encode(), digest_size=12).hexdigest()}"'


def read_cells(frame: Frame, box: Box, width: int, height: int, crs: Crs) -> Values:
    """Values on a grid of `height` x `width` cells over `box` (west, south, east, north) in `crs`; takes a thread.

    NaN where there is none. Raises CellsUnreadable.
    """
    shape = _shape(frame.path)
    wanted = (box[2] - box[0]) / width * crs.metres_per_unit
    grid = {"transform": from_bounds(*box, width, height), "width": width, "height": height}
    try:
        dataset = _opened(frame.path, _level(shape, wanted))
        options = {"crs": crs.code, "resampling": Resampling.bilinear, "nodata": np.nan, "dtype": "float32"}
        with WarpedVRT(dataset, src_nodata=dataset.nodata, **grid, **options) as warped:
            values: Values = warped.read(frame.band)
            return values
    except RasterioError as error:
        raise CellsUnreadable(f"{frame.path.name}: {error}") from None


def values_at(frame: Frame, lon: Points, lat: Points) -> Values:
    """Values at points (degrees), NaN where there is none; takes a thread. Raises CellsUnreadable."""
    shape = _shape(frame.path)
    x, y = transform_points(lon, lat, CRS84, shape.crs)
    try:
        dataset = _opened(frame.path, None)
        to_cells = ~dataset.transform
        columns = to_cells.a * x + to_cells.b * y + to_cells.c - 0.5
        rows = to_cells.d * x + to_cells.e * y + to_cells.f - 0.5
        places = zip(columns.tolist(), rows.tolist(), strict=True)
        return np.array([_between(dataset, frame.band, column, row) for column, row in places], np.float32)
    except RasterioError as error:
        raise CellsUnreadable(f"{frame.path.name}: {error}") from None


def series(frames: Sequence[Frame], lon: float, lat: float) -> Values:
    """The value of each frame at a point (degrees); takes a thread. Raises CellsUnreadable."""
    place = np.array([lon]), np.array([lat])
    return np.array([values_at(frame, *place)[0] for frame in frames], np.float32)


def finest_cell(frame: Frame) -> float:
    """Length of a cell's side in metres. Raises CellsUnreadable."""
    return _shape(frame.path).cell


def _between(dataset: rasterio.DatasetReader, band: int, column: float, row: float) -> float:
    """The value between the middles of four cells, by those of them that have one; NaN outside of all cells."""
    if not (-0.5 <= column <= dataset.width - 0.5 and -0.5 <= row <= dataset.height - 0.5):
        return np.nan
    left, top = min(max(int(column), 0), max(dataset.width - 2, 0)), min(max(int(row), 0), max(dataset.height - 2, 0))
    cells = dataset.read(band, window=Window(left, top, 2, 2), masked=True).astype(np.float64).filled(np.nan)
    across, down = min(max(column - left, 0.0), 1.0), min(max(row - top, 0.0), 1.0)
    shares = np.outer([1 - down, down], [1 - across, across])[: cells.shape[0], : cells.shape[1]]
    known = ~np.isnan(cells)
    # A point belongs to the cell that it lies in: where that has no value, its neighbours lend it none.
    if not known[np.unravel_index(np.argmax(shares), shares.shape)]:
        return np.nan
    return float((cells[known] * shares[known]).sum() / shares[known].sum())


def _level(shape: _Shape, wanted: float) -> int | None:
    """The coarsest overview whose cells are no larger than `wanted` metres, None for the cells themselves."""
    fitting = [level for level, times in enumerate(shape.overviews) if times * shape.cell <= wanted * COARSER]
    return fitting[-1] if fitting else None


def _shape(path: Path) -> _Shape:
    """Raises CellsUnreadable."""
    return _shape_of(path, _version(path))


@lru_cache(maxsize=4096)
def _shape_of(path: Path, _: tuple[str, int, int]) -> _Shape:
    dataset = _opened(path, None)
    crs = parse_crs(f"EPSG:{dataset.crs.to_epsg()}")
    return _Shape(crs, max(dataset.res) * crs.metres_per_unit, tuple(dataset.overviews(1)))


_KEPT = local()


def _opened(path: Path, level: int | None) -> rasterio.DatasetReader:
    """The file, or an overview of it, as this thread keeps it open. Raises CellsUnreadable."""
    kept: OrderedDict[tuple[object, ...], rasterio.DatasetReader] = _KEPT.__dict__.setdefault("kept", OrderedDict())
    key = *_version(path), level
    if (dataset := kept.get(key)) is not None:
        kept.move_to_end(key)
        return dataset
    try:
        # Named, so that no other driver of GDAL takes the path for an address or a recipe.
        dataset = rasterio.open(path, driver="GTiff", **({} if level is None else {"OVERVIEW_LEVEL": level}))
    except RasterioError:
        raise CellsUnreadable(f"{path.name}: the catalogue names this raster, but it cannot be read") from None
    kept[key] = dataset
    while len(kept) > KEPT_OPEN:
        kept.popitem(last=False)[1].close()
    return dataset


def _version(path: Path) -> tuple[str, int, int]:
    """A file as it is now: what is written again is another. Raises CellsUnreadable."""
    try:
        status = os.stat(path)
    except OSError:
        raise CellsUnreadable(f"{path.name}: the catalogue names this raster, but it is gone; run it again") from None
    return str(path), status.st_mtime_ns, status.st_size
