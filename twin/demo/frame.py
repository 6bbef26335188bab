"""Where the made-up city lies, how large it is, and its random numbers."""

import zlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyproj

from twin import TwinError
from twin.demo.grid import Floats, Grid

METRIC_CRS = "EPSG:4549"
GEOGRAPHIC_CRS = "EPSG:4490"
FEWEST, MOST = 500, 4_000_000
# Towards the eastern end of EPSG:4549's area of use (121.5 E), with room for the open sea.
EAST_LIMIT, LATITUDE, LONGITUDE = 121.4, 28.12, 120.98
LARGEST_GRID = 24_000_000


class DemoError(TwinError):
    """A made-up city of that size cannot be built."""


@dataclass(frozen=True)
class Frame:
    """The rectangle of the city in local metres, x east and y north of the old town's centre.

    buildings: how many are wanted. scale: side length as a multiple of the plan's, which is drawn 16 km by 12 km.
    """

    buildings: int
    seed: int

    def __post_init__(self) -> None:
        if not FEWEST <= self.buildings <= MOST:
            raise DemoError(f"a made-up city of {self.buildings:,} buildings: choose between {FEWEST:,} and {MOST:,}")

    @cached_property
    def scale(self) -> float:
        # Streets and parcels keep their size, so a smaller town than this would have no room for its parts;
        # below about 3,000 buildings some plots stay empty instead.
        return max(0.44, 1.13 * float(np.sqrt(self.buildings / 20_000)))

    @cached_property
    def grid(self) -> Grid:
        """The grid on which land is laid out: 25 m, finer for towns and coarser for large cities."""
        cell = 12.5 if self.scale < 0.7 else 25.0 * (np.ceil(self.scale * 0.8) if self.scale > 1.25 else 1.0)
        columns, rows = (int(np.ceil(km * 1000 * self.scale / cell / 4)) * 4 for km in (16, 12))
        return Grid(-columns * cell / 2, rows * cell / 2, cell, rows, columns)

    @cached_property
    def fine_grid(self) -> Grid:
        """The grid of the terrain file: 5 m, doubled until it has at most 24 million cells."""
        cell = 5.0
        while self.grid.rows * self.grid.columns * (self.grid.cell / cell) ** 2 > LARGEST_GRID:
            cell *= 2
        rows, columns = (int(np.ceil(n * self.grid.cell / cell)) for n in self.grid.shape)
        return Grid(self.grid.west, self.grid.north, cell, rows, columns)

    @cached_property
    def origin(self) -> tuple[float, float]:
        """Easting and northing of the local zero in EPSG:4549, whole metres."""
        transform = pyproj.Transformer.from_crs(GEOGRAPHIC_CRS, METRIC_CRS, always_xy=True).transform
        easting, northing = transform(LONGITUDE, LATITUDE)
        limit, _ = transform(EAST_LIMIT, LATITUDE)
        return float(round(min(easting, limit + self.grid.west))), float(round(northing))

    def random(self, purpose: str) -> np.random.Generator:
        """Random numbers of their own for each purpose, so that a change in one part leaves the others alone."""
        return np.random.default_rng([self.seed, zlib.crc32(purpose.encode())])


def curve(points: Floats, step: float) -> Floats:
    """Points about `step` m apart along a smooth line through `points` (centripetal-like Catmull-Rom spline)."""
    before = 2 * points[0] - points[1]
    after = 2 * points[-1] - points[-2]
    p = np.vstack((before, points, after))
    pieces = []
    for a, b, c, d in zip(p[:-3], p[1:-2], p[2:-1], p[3:], strict=True):
        t = np.linspace(0, 1, max(2, int(np.hypot(*(c - b)) / step) + 1), endpoint=False)[:, None]
        pieces.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3))
    return np.vstack((*pieces, points[-1]))
