"""Culverts, sluices, check valves, weirs and pumps: water that goes from cells to cells beside the raster's flow."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from twin.flood.errors import InvalidInput
from twin.flood.series import Series, constant

GRAVITY = 9.81
BROAD_CREST = 1.7049
VILLEMONTE = 0.385
Cells = Sequence[tuple[int, int]]


class Structure(Protocol):
    """What moves water between two places, or (pump) out of the domain where `outlet` is empty."""

    @property
    def name(self) -> str:
        """For messages and accounts."""

    @property
    def inlet(self) -> Cells:
        """Rows and columns of the cells at one end."""

    @property
    def outlet(self) -> Cells:
        """Those at the other end."""

    def discharge(self, t: float, inlet_level: float, outlet_level: float) -> float:
        """m3/s at a time (s), from inlet to outlet; levels in m, the bed's where it is dry."""


def weir_discharge(up: float, down: float, crest: float, strength: float = 1.0) -> float:
    """Discharge over a broad crest, m2/s per metre of wall, positive from up to down.

    Levels in m above one datum. Free q = strength 1.7049 h^1.5 (Chow 1959, section 3-7), submerged times
    (1 - (h2/h1)^1.5)^0.385 (Villemonte 1947).
    """
    if down > up:
        return -weir_discharge(down, up, crest, strength)
    head = up - crest
    if head <= 0:
        return 0.0
    ratio = max(down - crest, 0.0) / head
    return float(strength * BROAD_CREST * head**1.5 * (1 - ratio**1.5) ** VILLEMONTE)


def gate_discharge(up: float, down: float, sill: float, opening: float, contraction: float = 0.61) -> float:
    """Discharge below a gate, m2/s per metre of its width, positive from up to down.

    Free q = Cd a sqrt(2 g h1) with Cd = Cc / sqrt(1 + Cc a / h1) (Henry 1950 in the form of Chow 1959, section 17-7);
    drowned by the tail water q = Cc a sqrt(2 g (h1 - h2)), whichever is less; a weir while the gate hangs in the air.
    """
    if down > up:
        return -gate_discharge(down, up, sill, opening, contraction)
    head = up - sill
    if head <= 0 or opening <= 0:
        return 0.0
    weir = weir_discharge(up, down, sill)
    free = contraction * opening / math.sqrt(1 + contraction * opening / head) * math.sqrt(2 * GRAVITY * head)
    drowned = contraction * opening * math.sqrt(2 * GRAVITY * (up - down))
    return min(weir, free, drowned)


@dataclass(frozen=True, eq=False)
class Sluice:
    """A gate of a width (m) on a sill (m); `opening` is its height in m over time, 0 shut. one_way: a check valve."""

    inlet: Cells
    outlet: Cells
    width: float
    sill: float
    opening: Series
    one_way: bool = False
    name: str = "sluice"

    def discharge(self, t: float, inlet_level: float, outlet_level: float) -> float:
        """m3/s through the gate."""
        flow = self.width * gate_discharge(inlet_level, outlet_level, self.sill, self.opening.at(t))
        return max(flow, 0.0) if self.one_way else flow


@dataclass(frozen=True, eq=False)
class Weir:
    """A crest of a width (m) at a level (m) between two places."""

    inlet: Cells
    outlet: Cells
    width: float
    crest: float
    strength: float = 1.0
    name: str = "weir"

    def discharge(self, t: float, inlet_level: float, outlet_level: float) -> float:
        """m3/s over the crest."""
        return self.width * weir_discharge(inlet_level, outlet_level, self.crest, self.strength)


@dataclass(frozen=True, eq=False)
class Culvert:
    """A pipe or box: length m, inverts at both ends m, width and height m (equal for a pipe), Manning's n.

    The least of three: a weir at the higher invert, an orifice at the inlet (0.6 A sqrt(2 g h) to its middle), and the
    full barrel A sqrt(2 g dh / (1 + losses + 2 g n^2 L / R^(4/3))) (Chow 1959, section 17-6). one_way: a check valve.
    """

    inlet: Cells
    outlet: Cells
    width: float
    height: float
    length: float
    inlet_invert: float
    outlet_invert: float
    circular: bool = True
    manning: float = 0.013
    entrance_loss: float = 0.5
    one_way: bool = False
    barrels: int = 1
    name: str = "culvert"

    @property
    def area(self) -> float:
        """Of one barrel, m2."""
        return math.pi / 4 * self.width * self.height if self.circular else self.width * self.height

    def discharge(self, t: float, inlet_level: float, outlet_level: float) -> float:
        """m3/s through all barrels."""
        if outlet_level > inlet_level:
            return 0.0 if self.one_way else -self._one_way(outlet_level, inlet_level, self.outlet_invert)
        return self._one_way(inlet_level, outlet_level, self.inlet_invert)

    def _one_way(self, up: float, down: float, invert: float) -> float:
        crest = max(self.inlet_invert, self.outlet_invert)
        if up <= crest:
            return 0.0
        weir = self.width * weir_discharge(up, down, crest)
        head = up - invert - self.height / 2
        orifice = 0.6 * self.area * math.sqrt(2 * GRAVITY * head) if head > 0 else math.inf
        radius = self.width / 4 if self.circular else self.area / (2 * (self.width + self.height))
        losses = 1 + self.entrance_loss + 2 * GRAVITY * self.manning**2 * self.length / radius ** (4 / 3)
        # An outlet that hangs free has the level of its own crown.
        tail = max(down, min(up, min(self.inlet_invert, self.outlet_invert) + self.height))
        full = self.area * math.sqrt(2 * GRAVITY * max(up - tail, 0.0) / losses)
        if up < crest + self.height:
            return self.barrels * min(weir, orifice)
        return self.barrels * min(weir, orifice, full)


@dataclass(frozen=True, eq=False)
class Pump:
    """A pump by its curve: heads (m, rising) and discharges (m3/s), between them straight lines, none beyond the last.

    It starts when the water at the inlet reaches `start` (m) and stops at `stop`. working: 1 or 0 over time, for a
    failure; outlet empty: out of the domain, against the level `against` (m).
    """

    inlet: Cells
    outlet: Cells
    heads: npt.ArrayLike
    discharges: npt.ArrayLike
    start: float
    stop: float
    working: Series = field(default_factory=lambda: constant(1.0))
    against: float = 0.0
    name: str = "pump"
    running: list[bool] = field(default_factory=lambda: [False], repr=False)

    def __post_init__(self) -> None:
        heads, discharges = np.asarray(self.heads, np.float64), np.asarray(self.discharges, np.float64)
        object.__setattr__(self, "heads", heads)
        object.__setattr__(self, "discharges", discharges)
        if heads.shape != discharges.shape or (np.diff(heads) <= 0).any() or (discharges < 0).any():
            raise InvalidInput(f"{self.name}: its curve needs rising heads and as many discharges, none negative")
        if self.stop > self.start:
            raise InvalidInput(f"{self.name}: it stops at {self.stop:g} m, above {self.start:g} m where it starts")

    def discharge(self, t: float, inlet_level: float, outlet_level: float) -> float:
        """m3/s that it lifts."""
        if inlet_level >= self.start:
            self.running[0] = True
        elif inlet_level <= self.stop:
            self.running[0] = False
        if not self.running[0]:
            return 0.0
        head = max((outlet_level if len(self.outlet) else self.against) - inlet_level, 0.0)
        heads, discharges = np.asarray(self.heads), np.asarray(self.discharges)
        flow = 0.0 if head > heads[-1] else float(np.interp(head, heads, discharges))
        return flow * self.working.at(t)
