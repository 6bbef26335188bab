"""What a run leaves: greatest depth, speed and hazard, arrival, duration, series at places, frames in time."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from twin.flood.balance import Balance
from twin.flood.domain import Domain

Grid = npt.NDArray[np.float32]
NEVER = np.float32(1e30)


@dataclass(frozen=True, eq=False)
class Records:
    """Running maxima on the cells of a domain; see Result for their units."""

    peak: Grid
    speed: Grid
    rating: Grid
    arrival: Grid
    duration: Grid

    @classmethod
    def empty(cls, shape: tuple[int, int]) -> "Records":
        """Nothing seen yet."""
        zeros = [np.zeros(shape, np.float32) for _ in range(4)]
        return cls(zeros[0], zeros[1], zeros[2], np.full(shape, NEVER, np.float32), zeros[3])


@dataclass(frozen=True, eq=False)
class Frame:
    """The water at one moment: depth m, velocity to the east and to the north m/s; NaN outside of the domain."""

    time: float
    depth: Grid
    velocity_x: Grid
    velocity_y: Grid


@dataclass(frozen=True, eq=False)
class Result:
    """What a run found.

    depth, speed: greatest ones (m, m/s); level: bed and greatest depth, m, where it was wet; rating: greatest hazard
    d (v + 0.5) m2/s (DEFRA FD2321 without debris); arrival: s at which the depth first passed `wet_m`, NaN if never;
    duration: s above it. NaN lies outside. series: depth at named places over time; sections: discharge m3/s.
    """

    domain: Domain
    time: float
    depth: Grid
    level: Grid
    speed: Grid
    rating: Grid
    arrival: Grid
    duration: Grid
    balance: Balance
    frames: list[Frame]
    series_times: npt.NDArray[np.float64]
    series: dict[str, npt.NDArray[np.float64]]
    sections: dict[str, npt.NDArray[np.float64]]
    steps: int
    shortest_step: float
    longest_step: float
    notes: list[str] = field(default_factory=list)


def hazard_class(rating: Grid, debris: float = 0.0) -> npt.NDArray[np.uint8]:
    """Danger to people after DEFRA FD2320 (2008): 0 none, 1 caution, 2 some, 3 most people, 4 all.

    debris: factor 0, 0.5 or 1 that is added where there is water. Limits 0.75, 1.25 and 2.0.
    """
    wet = np.nan_to_num(rating) > 0
    classes: npt.NDArray[np.uint8] = np.where(wet, 1 + np.digitize(rating + debris, [0.75, 1.25, 2.0]), 0).astype(
        np.uint8
    )
    return classes
