"""Structures at work: how much each moves in a step, without emptying its inlet or swinging about equal levels."""

from collections.abc import Sequence

import numpy as np

from twin.flood import places
from twin.flood.balance import Balance
from twin.flood.cpu.state import GHOSTS, Water
from twin.flood.domain import Domain
from twin.flood.structures import Pump, Structure


class Plumbing:
    """The structures of a run."""

    def __init__(self, domain: Domain, base: float, structures: Sequence[Structure]) -> None:
        self.structures, self._base, self._area = list(structures), base, domain.area
        self._bed = domain.levels
        self.inlets = [places.indices(s.inlet, domain, s.name) for s in structures]
        self.outlets = [places.indices(s.outlet, domain, s.name) for s in structures]
        self.moved = {s.name: 0.0 for s in structures}

    def move(self, water: Water, t: float, dt: float, balance: Balance) -> None:
        """Move water through each structure for dt seconds; what leaves the domain is counted under its name."""
        for structure, inlet, outlet in zip(self.structures, self.inlets, self.outlets, strict=True):
            inner = self._level(water, inlet)
            outer = self._level(water, outlet) if len(outlet[0]) else 0.0
            volume = structure.discharge(t, inner, outer) * dt
            if volume == 0:
                continue
            giver, taker = (inlet, outlet) if volume > 0 else (outlet, inlet)
            size = abs(volume)
            if not isinstance(structure, Pump) and len(outlet[0]):
                # Not beyond the level at which both sides are equal.
                ours, theirs = len(inlet[0]) * self._area, len(outlet[0]) * self._area
                size = min(size, abs(inner - outer) * ours * theirs / (ours + theirs))
            taken = -places.pour(water, *giver, -size, self._area)
            if len(taker[0]):
                arrived = places.pour(water, *taker, taken, self._area)
                # What single precision adds more or less than it took.
                balance.add("structures", arrived - taken)
            else:
                balance.add(structure.name, -taken)
            self.moved[structure.name] += np.sign(volume) * taken

    def _level(self, water: Water, cells: tuple[places.Ints, places.Ints]) -> float:
        """Mean level of the cells, m above the terrain's datum; the bed's where it is dry."""
        rows, columns = cells
        bed = self._bed[rows - GHOSTS, columns - GHOSTS]
        return float(np.mean(bed + water.depth[rows, columns]))
