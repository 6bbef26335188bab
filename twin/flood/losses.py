"""Where water goes that does not flow on: into the ground, into storage, down the drains."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from twin.flood import checks
from twin.flood.cpu import cells
from twin.flood.cpu.face import numbers
from twin.flood.cpu.state import GHOSTS, Floats, Ints, Water
from twin.flood.errors import InvalidInput
from twin.flood.forcing import MM_PER_HOUR

FIRST_WETTING_M = 1e-6
# Room without end, m: the loops are compiled as if no number were infinite.
ENDLESS_M = 1e6


@dataclass(frozen=True, eq=False)
class Seepage:
    """A rate in mm/h until a room in mm is full: constant infiltration, a green roof, permeable paving, street drains.

    account: the term of the balance that it counts under.
    """

    rate: npt.ArrayLike
    room: npt.ArrayLike = np.inf
    account: str = "infiltration"


@dataclass(frozen=True, eq=False)
class GreenAmpt:
    """Infiltration after Green & Ampt (1911): conductivity mm/h, suction at the front mm, moisture deficit 0 to 1."""

    conductivity: npt.ArrayLike
    suction: npt.ArrayLike
    deficit: npt.ArrayLike


@dataclass(frozen=True, eq=False)
class CurveNumber:
    """Loss of rain after the Soil Conservation Service (NEH-4, 1972), by curve number 30 to 100.

    Runoff of P mm of rain is (P - 0.2 S)^2 / (P + 0.8 S) with S = 25400 / CN - 254.
    """

    number: npt.ArrayLike


Loss = Seepage | GreenAmpt | CurveNumber


class Sink:
    """A loss at work on a grid; `state` is what it remembers, m."""

    def __init__(self, loss: Loss, shape: tuple[int, int], dtype: npt.DTypeLike) -> None:
        self.loss, self._k = loss, numbers(dtype)
        self.account = loss.account if isinstance(loss, Seepage) else "infiltration"

        def grid(values: npt.ArrayLike, factor: float, low: float, high: float, name: str) -> Floats:
            given = checks.on_cells(f"{type(loss).__name__}: {name}", values, shape)
            if np.isnan(given).any() or given.min() < low or given.max() > high:
                raise InvalidInput(f"{type(loss).__name__}: {name} must lie within {low:g} and {high:g} everywhere")
            padded: Floats = np.zeros((shape[0] + 2 * GHOSTS, shape[1] + 2 * GHOSTS), dtype)
            padded[GHOSTS:-GHOSTS, GHOSTS:-GHOSTS] = np.minimum(given * factor, ENDLESS_M)
            return padded

        if isinstance(loss, Seepage):
            self._grids: tuple[Floats, ...] = (grid(loss.rate, MM_PER_HOUR, 0, 1e5, "rate"),)
            self.state = grid(loss.room, 1e-3, 0, np.inf, "room")
        elif isinstance(loss, GreenAmpt):
            self._grids = (
                grid(loss.conductivity, MM_PER_HOUR, 0, 1e5, "conductivity"),
                grid(loss.suction, 1e-3, 0, 1e4, "suction"),
                grid(loss.deficit, 1.0, 0, 1, "deficit"),
            )
            self.state = np.full_like(self._grids[0], FIRST_WETTING_M)
        else:
            number = grid(loss.number, 1.0, 30, 100, "number")
            # Ghosts hold 0, where the retention would have no end.
            self._grids = ((25.4 / np.maximum(number, 30) - 0.254).astype(dtype),)
            self.state = np.zeros_like(number)

    def take(self, water: Water, dt: float, segments: Ints) -> float:
        """Take water for dt seconds; the sum of depths taken, m. A curve number takes of the rain only."""
        step: Any = water.depth.dtype.type(dt)
        if isinstance(self.loss, Seepage):
            return float(cells.take(water.depth, water.carry, self._grids[0], self.state, step, segments, self._k))
        if isinstance(self.loss, GreenAmpt):
            return float(cells.green_ampt(water.depth, water.carry, self.state, *self._grids, step, segments))
        return 0.0

    def take_of_rain(self, water: Water, share: Floats, depth: float, segments: Ints) -> float:
        """Take of rain that has just been added, `depth` m times a share of each cell; the sum of depths taken, m."""
        if not isinstance(self.loss, CurveNumber):
            return 0.0
        fallen: Any = water.depth.dtype.type(depth)
        return float(cells.curve_number(water.carry, share, fallen, self.state, self._grids[0], segments, self._k))
