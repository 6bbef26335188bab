"""Culverts, sluices, check valves, weirs and pumps: water that goes from cells to cells beside the raster's flow."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from twin.flood import barrels, checks
from twin.flood.errors import InvalidInput
from twin.flood.series import Series, checked, constant

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


def _ends(structure: Structure) -> None:
    """Raises InvalidInput for a structure without an inlet, or one that leads to where it comes from."""
    if not len(structure.inlet):
        raise InvalidInput(f"{structure.name}: inlet: it has no cells to take water from")
    if not (len(structure.outlet) or isinstance(structure, Pump)):
        raise InvalidInput(f"{structure.name}: outlet: it has no cells to bring water to; only a pump may be without")
    if {tuple(cell) for cell in structure.inlet} & {tuple(cell) for cell in structure.outlet}:
        raise InvalidInput(f"{structure.name}: outlet: a cell of its inlet is among its cells")


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

    def __post_init__(self) -> None:
        _ends(self)
        checks.within(f"{self.name}: width", self.width, 0.0, unit="m")
        checks.within(f"{self.name}: sill", self.sill, -math.inf, unit="m")
        checked(f"{self.name}: opening", self.opening, 0.0, math.inf, "m")

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

    def __post_init__(self) -> None:
        _ends(self)
        checks.within(f"{self.name}: width", self.width, 0.0, unit="m")
        checks.within(f"{self.name}: crest", self.crest, -math.inf, unit="m")
        checks.within(f"{self.name}: strength", self.strength, 0.0, 2.0)

    def discharge(self, t: float, inlet_level: float, outlet_level: float) -> float:
        """m3/s over the crest."""
        return self.width * weir_discharge(inlet_level, outlet_level, self.crest, self.strength)


@dataclass(frozen=True, eq=False)
class Culvert:
    """A pipe or box: length m, inverts at both ends m, width and height m (equal for a pipe), Manning's n.

    As much as the inlet lets in and the barrel carries on, by `twin.flood.barrels`. one_way: a check valve.
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

    def __post_init__(self) -> None:
        _ends(self)
        for name in ("width", "height", "manning", "barrels"):
            checks.positive(f"{self.name}: {name}", getattr(self, name), "m" if name in {"width", "height"} else "")
        for name in ("length", "entrance_loss"):
            checks.within(f"{self.name}: {name}", getattr(self, name), 0.0)
        for name in ("inlet_invert", "outlet_invert"):
            checks.within(f"{self.name}: {name}", getattr(self, name), -math.inf, unit="m")
        if self.circular and self.width != self.height:
            raise InvalidInput(f"{self.name}: a pipe is as wide ({self.width:g} m) as high ({self.height:g} m)")

    def discharge(self, t: float, inlet_level: float, outlet_level: float) -> float:
        """m3/s through all barrels."""
        if outlet_level > inlet_level:
            return 0.0 if self.one_way else -self._passes(outlet_level, inlet_level, forward=False)
        return self._passes(inlet_level, outlet_level, forward=True)

    def _passes(self, up: float, down: float, *, forward: bool) -> float:
        ends = (self.inlet_invert, self.outlet_invert)
        near, far = ends if forward else ends[::-1]
        barrel = barrels.Barrel(self.width, self.height, self.circular)
        resistance = barrels.Resistance(self.length, self.manning, self.entrance_loss)
        return self.barrels * barrels.discharge(barrel, resistance, up=up, down=down, near=near, far=far)


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
        _ends(self)
        heads = np.atleast_1d(checks.floats(f"{self.name}: heads", self.heads))
        discharges = np.atleast_1d(checks.floats(f"{self.name}: discharges", self.discharges))
        for name in ("start", "stop", "against"):
            checks.within(f"{self.name}: {name}", getattr(self, name), -math.inf, unit="m")
        checked(f"{self.name}: working", self.working, 0.0, 1.0, "(a share)")
        object.__setattr__(self, "heads", heads)
        object.__setattr__(self, "discharges", discharges)
        known = heads.ndim == 1 and len(heads) and np.isfinite(heads).all() and np.isfinite(discharges).all()
        if not known or heads.shape != discharges.shape or (np.diff(heads) <= 0).any() or (discharges < 0).any():
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
