"""What brings water and what lies around: rain, inflows, the rim."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from twin.flood import checks
from twin.flood.domain import Domain, same_datum
from twin.flood.errors import InvalidInput
from twin.flood.series import Series, checked

Side = Literal["west", "east", "north", "south"]
MM_PER_HOUR = 1e-3 / 3600
MOST_RAIN_MM_PER_HOUR = 5000.0


@dataclass(frozen=True, eq=False)
class Rain:
    """Rain in mm/h: one series, times a share for each cell (1 everywhere if none is given)."""

    intensity: Series
    share: npt.ArrayLike | None = None

    def __post_init__(self) -> None:
        checked("rain", self.intensity, 0.0, MOST_RAIN_MM_PER_HOUR, "mm/h (millimetres per hour)")


@dataclass(frozen=True, eq=False)
class RainFrames:
    """Gridded rain in mm/h, radar or forecast: frames (time, row, column) over the whole domain, each from its time on.

    A frame may be coarser than the domain; a cell takes the value of the frame's pixel that its middle lies in.
    """

    times: npt.ArrayLike
    frames: npt.ArrayLike

    def __post_init__(self) -> None:
        times = np.atleast_1d(checks.floats("rain frames: times", self.times))
        frames = checks.floats("rain frames", self.frames).astype(np.float32)
        if frames.ndim != 3 or not frames.size or len(frames) != len(times) or not (np.diff(times) > 0).all():
            raise InvalidInput(
                f"rain frames: give (time, row, column) and one rising time (s) for each frame, not {frames.shape} and "
                f"{len(times)} times"
            )
        if not np.isfinite(times).all():
            raise InvalidInput("rain frames: a time is not a number")
        wrong = ~((frames >= 0) & (frames <= MOST_RAIN_MM_PER_HOUR))
        if wrong.any():
            number, row, column = np.argwhere(wrong)[0]
            raise InvalidInput(
                f"rain frames: {frames[number, row, column]:g} in frame {number}, row {row}, column {column} of "
                f"{int(wrong.sum())} such; 0 to {MOST_RAIN_MM_PER_HOUR:g} mm/h are needed, gaps filled"
            )
        object.__setattr__(self, "times", times)
        object.__setattr__(self, "frames", frames)

    def frame(self, number: int, shape: tuple[int, int]) -> npt.NDArray[np.float32]:
        """Intensity in each cell of the domain, mm/h; nothing before the first time."""
        frames = np.asarray(self.frames)
        if number < 0:
            return np.zeros(shape, np.float32)
        rows = ((np.arange(shape[0]) + 0.5) * frames.shape[1] / shape[0]).astype(int)
        columns = ((np.arange(shape[1]) + 0.5) * frames.shape[2] / shape[1]).astype(int)
        picked: npt.NDArray[np.float32] = frames[number][np.ix_(rows, columns)]
        return picked


@dataclass(frozen=True, eq=False)
class Inflow:
    """A hydrograph, m3/s, spread over cells: a river's head, a spring, the outlet of a dam; negative takes water."""

    discharge: Series
    cells: Sequence[tuple[int, int]]
    name: str = "inflow"

    def __post_init__(self) -> None:
        checked(self.name, self.discharge, -np.inf, np.inf, "m3/s")
        if not len(self.cells):
            raise InvalidInput(f"{self.name}: it has no cells to flow into")

    @classmethod
    def disc(
        cls, domain: Domain, x: float, y: float, *, radius: float, discharge: Series, name: str = "inflow"
    ) -> "Inflow":
        """All cells whose middle lies within a radius (m) of a place, at least the one it lies in."""
        home = domain.cell_at(x, y, name)
        xs, ys = domain.centres()
        near = (xs[None, :] - x) ** 2 + (ys[:, None] - y) ** 2 <= radius**2
        cells = [(int(row), int(column)) for row, column in np.argwhere(near & np.isfinite(domain.levels))]
        return cls(discharge, cells or [home], name)


@dataclass(frozen=True, eq=False)
class Rim:
    """What lies beyond a stretch of the domain's rim; where nothing is said, the rim is closed.

    side, and the first and last + 1 of its rows (west, east) or columns (north, south).
    kind: "open" lets water out as if the bed went on; "level" holds the water outside at a level (m, tide and surge);
        "discharge" brings water in, m2/s per metre of rim, or takes it where it is negative, no faster than it would
        run out by itself.
    datum: of the levels, the terrain's unless it is said.
    depth: m, of a discharge that comes faster than its waves, as down a chute or out of a sluice. Without it, or where
        it is above the critical depth, the discharge comes as deep as the water inside is, critical at the thinnest.
    """

    side: Side
    kind: Literal["open", "level", "discharge"]
    series: Series | None = None
    first: int = 0
    last: int | None = None
    datum: str | None = None
    name: str = field(default="rim")
    depth: float | None = None

    def __post_init__(self) -> None:
        checks.one_of(f"{self.name}: side", self.side, get_args(Side))
        checks.one_of(f"{self.name}: kind", self.kind, ("open", "level", "discharge"))
        if self.series is not None:
            checked(self.name, self.series, *((-1e4, 1e4, "m") if self.kind == "level" else (-1e4, 1e4, "m2/s")))
        if (self.kind == "open") != (self.series is None):
            raise InvalidInput(
                f"{self.name}: a rim of kind {self.kind} takes {'no' if self.kind == 'open' else 'a'} series"
            )
        if self.depth is not None:
            checks.positive(f"{self.name}: depth", self.depth, "m")
            if self.kind != "discharge":
                raise InvalidInput(f"{self.name}: depth: only a discharge comes with one; give a level as the series")

    def stretch(self, domain: Domain) -> tuple[int, int]:
        """Its rows or columns in a domain; raises InvalidInput if they are not there."""
        rows, columns = domain.shape
        length = rows if self.side in {"west", "east"} else columns
        last = length if self.last is None else self.last
        if not 0 <= self.first < last <= length:
            raise InvalidInput(
                f"{self.name}: {self.first} to {last} is no stretch of the {length} cells of {self.side}"
            )
        if self.kind == "level" and self.datum is not None:
            same_datum(domain.vertical_datum, self.datum, self.name)
        return self.first, last
