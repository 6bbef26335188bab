"""Where many objects changed: boxes of a web grid, few enough for the change feed, close enough for a tile cache."""

import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

HALF_WORLD = 20037508.342789244
LAST_LATITUDE = 85.0511
FINEST_ZOOM = 15
LARGEST_GRID = 512 * 512
MOST_BOXES = 500

Cells = tuple[int, int, int, int]
Bbox = tuple[float, float, float, float]


def cells_sql(rows: str) -> str:
    """SQL: the distinct cells that the `geom_web` of `rows` (SQL) touch, as x0, y0, x1, y1 of the finest grid."""
    size = 2 * HALF_WORLD / 2**FINEST_ZOOM
    ends = (("ST_XMin", "x0"), ("ST_YMin", "y0"), ("ST_XMax", "x1"), ("ST_YMax", "y1"))
    columns = ", ".join(f"floor(({f}(geom_web) + {HALF_WORLD}) / {size!r})::integer as {name}" for f, name in ends)
    return f"select distinct {columns} from ({rows}) changed where not ST_IsEmpty(geom_web)"


def cells_of(bounds: NDArray[np.float64]) -> set[Cells]:
    """The same of bounds (west, south, east, north in degrees, a row an object), as of `shapely.bounds`."""
    share = np.empty_like(bounds)
    share[:, ::2] = bounds[:, ::2] / 180
    share[:, 1::2] = np.arcsinh(np.tan(np.radians(np.clip(bounds[:, 1::2], -LAST_LATITUDE, LAST_LATITUDE)))) / np.pi
    cells = np.floor((share + 1) / 2 * 2**FINEST_ZOOM).astype(np.int64)
    return {(x0, y0, x1, y1) for x0, y0, x1, y1 in np.unique(cells, axis=0).tolist()}


def union(extents: Iterable[Bbox]) -> Bbox | None:
    """The box around boxes; None around none."""
    extents = list(extents)
    if not extents:
        return None
    west, south, east, north = zip(*extents, strict=True)
    return min(west), min(south), max(east), max(north)


def boxes(cells: Iterable[Sequence[int]]) -> list[Bbox]:
    """Boxes (west, south, east, north in degrees) that cover the cells: at most MOST_BOXES, as fine as that allows."""
    ranges = np.array(list(cells), dtype=np.int64).reshape(-1, 4)
    if not ranges.size:
        return []
    ranges = np.clip(ranges, 0, 2**FINEST_ZOOM - 1)
    found: list[Cells] = []
    for zoom in range(FINEST_ZOOM, -1, -1):
        coarse = np.unique(ranges >> (FINEST_ZOOM - zoom), axis=0)
        low, high = coarse[:, :2].min(axis=0), coarse[:, 2:].max(axis=0)
        if np.prod(high - low + 1) <= LARGEST_GRID:
            found = list(_rectangles(_marked(coarse, low, high)))
            if len(found) <= MOST_BOXES:
                break
    return [_degrees(rectangle, low, zoom) for rectangle in found]


def _marked(ranges: NDArray[np.int64], low: NDArray[np.int64], high: NDArray[np.int64]) -> NDArray[np.bool_]:
    width, height = high - low + 1
    grid = np.zeros((height, width), dtype=np.bool_)
    for x0, y0, x1, y1 in ranges - np.concatenate([low, low]):
        grid[y0 : y1 + 1, x0 : x1 + 1] = True
    return grid


def _rectangles(grid: NDArray[np.bool_]) -> Iterator[Cells]:
    """Runs of marked cells in each row, joined with equal runs of the rows above."""
    growing: dict[tuple[int, int], int] = {}
    for y, row in enumerate(grid):
        edges = np.flatnonzero(np.diff(row, prepend=False, append=False))
        runs = {(int(x0), int(x1) - 1) for x0, x1 in zip(edges[::2], edges[1::2], strict=True)}
        for x0, x1 in growing.keys() - runs:
            yield x0, growing.pop((x0, x1)), x1, y - 1
        growing |= dict.fromkeys(runs - growing.keys(), y)
    for (x0, x1), y0 in growing.items():
        yield x0, y0, x1, len(grid) - 1


def _degrees(rectangle: Cells, low: NDArray[np.int64], zoom: int) -> Bbox:
    x0, y0, x1, y1 = (int(v) for v in np.array(rectangle) + np.concatenate([low, low]))
    (west, south), (east, north) = _corner(x0, y0, zoom), _corner(x1 + 1, y1 + 1, zoom)
    return west, south, east, north


def _corner(x: int, y: int, zoom: int) -> tuple[float, float]:
    """Longitude and latitude of a grid corner, counted from the south-west of the web square."""
    share = 2 / 2**zoom
    return 180 * (x * share - 1), math.degrees(math.atan(math.sinh(math.pi * (y * share - 1))))
