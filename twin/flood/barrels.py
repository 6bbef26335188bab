"""Discharge of a culvert's barrel: what its inlet lets in, and what it carries on to its outlet."""

import math
from typing import NamedTuple

GRAVITY = 9.81
# Broad-crested weir and its submergence (Chow 1959, section 3-7; Villemonte 1947), orifice at a square edge.
BROAD_CREST, VILLEMONTE, ORIFICE = 1.7049, 0.385, 0.6


class Barrel(NamedTuple):
    """A box, or a pipe whose width is its height, m."""

    width: float
    height: float
    circular: bool

    def area(self, depth: float) -> float:
        """Wetted cross-section at a depth up to its height, m2."""
        if not self.circular:
            return self.width * depth
        angle = self._angle(depth)
        return self.height**2 / 8 * (angle - math.sin(angle))

    def perimeter(self, depth: float) -> float:
        """Wetted perimeter at a depth, m; waves wet the roof of a box bit by bit in its last tenth."""
        if not self.circular:
            return self.width + 2 * depth + self.width * min(max(10 * depth / self.height - 9, 0.0), 1.0)
        return self.height / 2 * self._angle(depth)

    def critical_discharge(self, head: float) -> float:
        """What runs into it with its head (m above its invert) as all energy, m3/s, as long as the inlet is open above.

        A pipe: H / D = 5/3 (Q / sqrt(g D^5))^(3/5) (Hager 2010, Wastewater Hydraulics, section 6.4); a box: a weir.
        """
        if not self.circular:
            return float(self.width * BROAD_CREST * head**1.5)
        return float(math.sqrt(GRAVITY * self.height**5) * (0.6 * head / self.height) ** (5 / 3))

    def critical_depth(self, discharge: float) -> float:
        """Depth at which a discharge runs critically, m; a pipe's is sqrt(Q / sqrt(g D)) (Hager 2010)."""
        if self.circular:
            return min(math.sqrt(discharge / math.sqrt(GRAVITY * self.height)), self.height)
        return float(min((discharge / self.width) ** (2 / 3) / GRAVITY ** (1 / 3), self.height))

    def _angle(self, depth: float) -> float:
        return 2 * math.acos(min(max(1 - 2 * depth / self.height, -1.0), 1.0))


class Resistance(NamedTuple):
    """Length m, Manning's n, and the loss at the entrance in velocity heads."""

    length: float
    manning: float
    entrance: float


def discharge(barrel: Barrel, resistance: Resistance, *, up: float, down: float, near: float, far: float) -> float:
    """m3/s from the end `near` to the end `far`, whose inverts these are; levels `up` and `down`, all m above a datum.

    The less of two, as FHWA's HDS-5 (Schall et al. 2012, section 3.1) has it: inlet control, a weir that turns into an
    orifice, 0.6 A sqrt(2 g h) to the middle of the opening, where that is less; and outlet control, the energy from
    level to level spent on entrance, friction and exit, A sqrt(2 g dh / (1 + losses + 2 g n^2 L / R^(4/3))) (Chow 1959,
    section 17-6), with the mean of the depths at both ends. A free outlet has its critical depth.
    """
    crest = max(near, far)
    head = up - crest
    if head <= 0:
        return 0.0
    inlet = barrel.critical_discharge(head)
    if head > barrel.height:
        inlet = min(inlet, ORIFICE * barrel.area(barrel.height) * math.sqrt(2 * GRAVITY * (head - barrel.height / 2)))
    drowned = max(down - crest, 0.0) / head
    inlet *= (1 - drowned**1.5) ** VILLEMONTE
    tail = max(down, far + min(barrel.critical_depth(inlet), up - far))
    depths = [min(max(level - invert, 0.0), barrel.height) for level, invert in ((up, near), (tail, far))]
    deep = sum(depths) / 2
    area = barrel.area(deep)
    radius = area / barrel.perimeter(deep)
    losses = 1 + resistance.entrance + 2 * GRAVITY * resistance.manning**2 * resistance.length / radius ** (4 / 3)
    return float(min(inlet, area * math.sqrt(2 * GRAVITY * max(up - tail, 0.0) / losses)))
