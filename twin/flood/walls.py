"""Walls, levees and sea walls: lines that stand on the edges of cells, whole or broken."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import shapely

from twin.flood import checks
from twin.flood.cpu.state import GHOSTS, GIVEN, WALL, Faces
from twin.flood.domain import Domain
from twin.flood.errors import InvalidInput

# Critical speed of erosion, m/s, and the two factors of Verheij & Van der Knaap (2003).
CRITICAL_SPEED = {"sand": 0.2, "clay": 0.5}
WIDENING, PACE = 1.3, 0.04
GRAVITY = 9.81


@dataclass(frozen=True, eq=False)
class Wall:
    """A wall along a line, by which water passes only over its crest.

    line: (x, y) in the terrain's CRS; crest: level in m, one for all or one for each corner, between them a straight
    line. strength: factor on the broad-crested weir's discharge (1 ideal, some 0.9 for a rough levee).
    """

    line: Sequence[tuple[float, float]]
    crest: float | Sequence[float]
    strength: float = 1.0
    name: str = "wall"

    def __post_init__(self) -> None:
        checks.within(f"{self.name}: strength", self.strength, 0.0, 2.0)


@dataclass(frozen=True, eq=False)
class Breach:
    """A wall breaks: at `start` (s) its crest falls within `fall` s to `bottom` (m) at the first width, then widens.

    at: (x, y) near the wall. Growth after Verheij & Van der Knaap (2003): dB/dt = f1 f2 / ln 10 (g dH)^1.5 / uc^2 /
    (1 + f2 g t / uc), t in hours, f1 = 1.3, f2 = 0.04, uc 0.2 m/s for sand and 0.5 for clay; only while water falls
    through it. widest: it stops there, m.
    """

    wall: str
    at: tuple[float, float]
    start: float
    bottom: float
    fall: float = 600.0
    first_width: float = 10.0
    material: Literal["sand", "clay"] = "clay"
    widest: float = 200.0

    def __post_init__(self) -> None:
        checks.one_of("breach: material", self.material, CRITICAL_SPEED)
        for name in ("start", "fall", "first_width", "widest"):
            checks.within(f"breach: {name}", getattr(self, name), 0.0, unit="s" if name in {"start", "fall"} else "m")
        for name, value in (("bottom", self.bottom), ("at", self.at[0]), ("at", self.at[1])):
            checks.within(f"breach: {name}", value, -math.inf, unit="m")

    def growth(self, drop: float, hours: float) -> float:
        """Widening, m/h, under a difference of levels (m) so long after the crest has fallen."""
        speed = CRITICAL_SPEED[self.material]
        push = (GRAVITY * max(drop, 0.0)) ** 1.5 / speed**2
        return float(WIDENING * PACE / math.log(10) * push / (1 + PACE * GRAVITY * hours / speed))


@dataclass(frozen=True, eq=False)
class WallFaces:
    """Where a wall stands: faces between the cells (row, column - 1) and (row, column), or (row - 1, column).

    along: metres from the line's begin at which each face is crossed; crest m.
    """

    upright: npt.NDArray[np.bool_]
    rows: npt.NDArray[np.int64]
    columns: npt.NDArray[np.int64]
    along: npt.NDArray[np.float64]
    crest: npt.NDArray[np.float64]


def wall_faces(domain: Domain, wall: Wall) -> WallFaces:
    """The faces that water would have to pass to cross a line.

    A face belongs to the wall if the line between the middles of its two cells crosses the wall: every way from cell
    to cell then meets the wall, whatever its direction, and no corner leaks. Raises InvalidInput for a wall outside.
    """
    corners = checks.floats(f"{wall.name}: line", wall.line)
    if corners.ndim != 2 or corners.shape[1] != 2 or len(corners) < 2 or not np.isfinite(corners).all():
        raise InvalidInput(f"{wall.name}: a wall needs a line of at least two points (x, y)")
    crests = checks.floats(f"{wall.name}: crest", wall.crest)
    if crests.shape not in {(), (1,), (len(corners),)}:
        raise InvalidInput(f"{wall.name}: crest: one level, or one for each of its {len(corners)} points, is needed")
    crests = np.broadcast_to(crests, len(corners))
    if not np.isfinite(crests).all():
        raise InvalidInput(f"{wall.name}: its crest is not a number")
    # In cells, with the middle of the first at 0; moved by a hair, so that no middle lies on the line itself.
    x = (corners[:, 0] - domain.west) / domain.cell - 0.5 + 3.1e-7
    y = (domain.north - corners[:, 1]) / domain.cell - 0.5 + 4.3e-7
    line: Any = shapely.linestrings(np.column_stack((x, y)))
    at_corner = shapely.line_locate_point(line, shapely.points(x, y))
    at_corner = np.maximum.accumulate(at_corner)
    rows, columns = domain.shape
    found: list[tuple[bool, int, int, float]] = []
    near = _near(x, y, rows, columns)
    for upright in (True, False):
        cells = near[near[:, 1] > 0] if upright else near[near[:, 0] > 0]
        here = cells[:, ::-1].astype(float)
        before = here - ([1, 0] if upright else [0, 1])
        ways: Any = shapely.linestrings(np.stack((before, here), axis=1))
        met: Any = shapely.intersection(line, ways)
        # A way that the line crosses twice is not cut.
        cut = shapely.get_num_coordinates(met) % 2 == 1
        places: Any = [shapely.points(*shapely.get_coordinates(each)[0]) for each in met[cut]]
        along_line = shapely.line_locate_point(line, places) if places else []
        found += [(upright, int(r), int(c), float(d)) for (r, c), d in zip(cells[cut], along_line, strict=True)]
    if not found:
        raise InvalidInput(
            f"{wall.name}: it lies outside the terrain or between no two cells; see its CRS",
            f"{wall.name}：堤墙不在地形范围内，或未分隔任何两个网格；请检查其位置与坐标系",
        )
    found.sort(key=lambda face: face[3])
    along = np.array([face[3] for face in found])
    return WallFaces(
        upright=np.array([face[0] for face in found]),
        rows=np.array([face[1] for face in found]),
        columns=np.array([face[2] for face in found]),
        along=along * domain.cell,
        crest=np.interp(along, at_corner, crests),
    )


def _near(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], rows: int, columns: int) -> npt.NDArray[np.int64]:
    """Cells within one of a line, in units of cells."""
    found: set[tuple[int, int]] = set()
    for x0, x1, y0, y1 in zip(x[:-1], x[1:], y[:-1], y[1:], strict=True):
        pieces = max(1, math.ceil(math.hypot(x1 - x0, y1 - y0) * 2))
        for part in range(pieces + 1):
            column, row = round(x0 + (x1 - x0) * part / pieces), round(y0 + (y1 - y0) * part / pieces)
            for r in range(row - 1, row + 2):
                for c in range(column - 1, column + 2):
                    if 0 <= r < rows and 0 <= c < columns:
                        found.add((r, c))
    return np.array(sorted(found), np.int64).reshape(-1, 2)


@dataclass
class FaceList:
    """Special faces of one direction as they are gathered; `places` remembers where each one went."""

    length: int
    rows: list[int]
    places: list[int]
    kinds: list[int]
    crests: list[float]
    strengths: list[float]

    @classmethod
    def empty(cls, length: int) -> "FaceList":
        """None yet, in a grid of so many rows with ghosts."""
        return cls(length, [], [], [], [], [])

    def wall(self, row: int, column: int, crest: float, strength: float) -> None:
        """A wall, by the row and column (without ghosts) of the cell east or south of it."""
        self._add(row, column, WALL, crest, strength)

    def given(self, row: int, column: int, depth: float) -> None:
        """A face with a flow that is given, and the depth (m) with which it comes, or 0."""
        self._add(row, column, GIVEN, depth, 0.0)

    def arrays(self, dtype: npt.DTypeLike) -> tuple[Faces, npt.NDArray[np.int64]]:
        """As the loops want them, and where the n-th face added is found."""
        order = np.lexsort((self.places, self.rows)).astype(np.int64)
        rows = np.asarray(self.rows, np.int64)[order] if self.rows else np.zeros(0, np.int64)
        start = np.searchsorted(rows, np.arange(self.length + 2)).astype(np.int64)
        where = np.empty_like(order)
        where[order] = np.arange(len(order))
        faces = Faces(
            start=start,
            place=np.asarray(self.places, np.int64)[order] if self.rows else np.zeros(0, np.int64),
            kind=np.asarray(self.kinds, np.int64)[order] if self.rows else np.zeros(0, np.int64),
            crest=np.asarray(self.crests, dtype)[order],
            strength=np.asarray(self.strengths, dtype)[order],
            given=np.zeros(len(order), dtype),
        )
        return faces, where

    def _add(self, row: int, column: int, kind: int, crest: float, strength: float) -> None:
        self.rows.append(row + GHOSTS)
        self.places.append(column + GHOSTS)
        self.kinds.append(kind)
        self.crests.append(crest)
        self.strengths.append(strength)
