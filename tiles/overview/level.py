"""The objects of some cells at one zoom, and what the smaller polygons among them cover, as arrays."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from tiles.matrix import HALF_WORLD
from tiles.overview.recipe import CELL_PIXELS, CELL_ZOOMS, FRAME, IMAGE_PIXELS

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Values = NDArray[np.object_]
Key = tuple[str | None, ...]

# A cell's row stands above its column, so that one number names it and halving both is one step up.
ROW_BITS = 32
# Moments are microseconds since 1970; these are "ever" and "for ever".
FIRST = np.iinfo(np.int64).min
LAST = np.iinfo(np.int64).max
Span = tuple[int, int]


@dataclass
class Objects:
    """One entry an object that is drawn by itself, or a line that several were merged into.

    cell: home. object_id, version: 0 for what was merged; the version is the row of the theme's table. size: m2 or m
    in EPSG:3857. key: place in the level's keys. start, end: valid time, half open. shade: the recipe's number.
    properties: JSON, None while they still stand in the theme's table only.
    """

    cell: Ints
    object_id: Ints
    version: Ints
    geometry: Values
    size: Floats
    key: Ints
    start: Ints
    end: Ints
    shade: Floats
    properties: Values

    def __len__(self) -> int:
        return len(self.cell)

    def __getitem__(self, chosen: Any) -> "Objects":
        return Objects(*(column[chosen] for column in vars(self).values()))

    @staticmethod
    def join(parts: list["Objects"]) -> "Objects":
        return Objects(*map(np.concatenate, zip(*(vars(part).values() for part in parts), strict=True)))


@dataclass
class Coverage:
    """Area that polygons too small to be drawn by themselves cover, one entry a pixel, key and span.

    pixel: row * IMAGE_PIXELS + column in the cell's image, which is a FRAME wider on each side. area: m2 in EPSG:3857.
    shaded: sum of area x shade over what has one; shaded_area: the area of that.
    """

    cell: Ints
    pixel: Ints
    key: Ints
    start: Ints
    end: Ints
    area: Floats
    shaded: Floats
    shaded_area: Floats

    def __len__(self) -> int:
        return len(self.cell)

    def __getitem__(self, chosen: Any) -> "Coverage":
        return Coverage(*(column[chosen] for column in vars(self).values()))

    @staticmethod
    def join(parts: list["Coverage"]) -> "Coverage":
        """All entries, those of one place, key and span summed, in a fixed order."""
        columns = [np.concatenate(column) for column in zip(*(vars(part).values() for part in parts), strict=True)]
        order = np.lexsort(columns[4::-1])
        places = [column[order] for column in columns[:5]]
        starts = np.flatnonzero(first_of(*places))
        sums = (np.add.reduceat(column[order], starts) if len(starts) else column for column in columns[5:])
        return Coverage(*(column[starts] for column in places), *sums)


@dataclass
class Level:
    """Cells of one zoom.

    columns: what the parts of a key are called. keys: what the entries' numbers mean. limits: the span in which a
    cell's coverage is exact, for ever if not named.
    """

    zoom: int
    columns: tuple[str, ...]
    keys: list[Key]
    objects: Objects
    coverage: Coverage
    limits: Mapping[int, Span] = field(default_factory=dict)


def first_of(*group: Ints) -> NDArray[np.bool_]:
    """Whether a group begins with this entry; the entries stand ordered by group."""
    first = np.ones(len(group[0]), dtype=bool)
    first[1:] = np.logical_or.reduce([column[1:] != column[:-1] for column in group])
    return first


def home_cells(geometry: Values, zoom: int) -> Ints:
    """The cell in which each geometry's box has its middle: only there it is kept."""
    bounds = shapely.bounds(geometry).reshape(-1, 4)
    cells = 1 << (zoom + CELL_ZOOMS)
    side = 2 * HALF_WORLD / cells
    column = np.floor(((bounds[:, 0] + bounds[:, 2]) / 2 + HALF_WORLD) / side)
    row = np.floor((HALF_WORLD - (bounds[:, 1] + bounds[:, 3]) / 2) / side)
    column, row = (np.clip(v, 0, cells - 1).astype(np.int64) for v in (column, row))
    return (row << ROW_BITS) | column


def column_row(cell: Ints) -> tuple[Ints, Ints]:
    return cell & ((1 << ROW_BITS) - 1), cell >> ROW_BITS


def parent(cell: Ints) -> Ints:
    """The cell of the next lower zoom."""
    column, row = column_row(cell)
    return (row >> 1 << ROW_BITS) | (column >> 1)


def parent_pixel(cell: Ints, pixel: Ints) -> Ints:
    """Where a pixel of a cell lies in the cell of the next lower zoom."""
    column, row = column_row(cell)
    x = (column % 2 * CELL_PIXELS + pixel % IMAGE_PIXELS - FRAME) >> 1
    y = (row % 2 * CELL_PIXELS + pixel // IMAGE_PIXELS - FRAME) >> 1
    return (y + FRAME) * IMAGE_PIXELS + x + FRAME


def cell_side(zoom: int) -> float:
    """Length of a cell's side in EPSG:3857, metres at the equator."""
    return 2 * HALF_WORLD / (1 << (zoom + CELL_ZOOMS))


def pixel_side(zoom: int) -> float:
    """Length of a screen pixel in EPSG:3857, metres at the equator."""
    return cell_side(zoom) / CELL_PIXELS
