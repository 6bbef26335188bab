"""Structures at work: how much each moves in a step, without emptying its inlet or swinging about equal levels."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

import numpy as np

from twin.flood import places
from twin.flood.balance import Balance
from twin.flood.cpu import transfer
from twin.flood.cpu.state import GHOSTS, Water
from twin.flood.domain import Domain
from twin.flood.structures import Pump, Structure


class Plumbing:
    """The structures of a run. Their ends stand in one list of cells, inlet and outlet of each in turn."""

    def __init__(self, domain: Domain, structures: Sequence[Structure]) -> None:
        # A pump remembers whether it runs: each run has pumps of its own.
        self.structures = [replace(s, running=[False]) if isinstance(s, Pump) else s for s in structures]
        self._area = domain.area
        self.inlets = [places.indices(s.inlet, domain, s.name) for s in structures]
        self.outlets = [places.indices(s.outlet, domain, s.name) for s in structures]
        ends = list(chain.from_iterable(zip(self.inlets, self.outlets, strict=True)))
        none = np.zeros(0, np.int64)
        self._rows = np.concatenate([none, *(rows for rows, _ in ends)])
        self._columns = np.concatenate([none, *(columns for _, columns in ends)])
        self._start = np.cumsum([0, *(len(rows) for rows, _ in ends)]).astype(np.int64)
        self._bed = domain.levels[self._rows - GHOSTS, self._columns - GHOSTS].astype(np.float64)
        self._levels = np.zeros(len(ends))
        self._volumes, self._gone, self._come = (np.zeros(len(structures)) for _ in range(3))
        ours, theirs = np.diff(self._start).reshape(-1, 2).T * self._area
        self._drains_away = theirs == 0
        # A pump lifts; what falls does not go on beyond the level at which both sides are equal.
        self._falls = np.array([not isinstance(s, Pump) for s in structures], bool) & ~self._drains_away
        self._evening_area = ours * theirs / np.maximum(ours + theirs, self._area)

    def move(self, water: Water, t: float, dt: float, balance: Balance) -> None:
        """Move water through each structure for dt seconds; what leaves the domain is counted under its name."""
        if not self.structures:
            return
        cells = (self._rows, self._columns, self._start)
        transfer.mean_levels(water.depth, self._bed, *cells, self._levels)
        levels = self._levels.reshape(-1, 2).tolist()
        flows = [each.discharge(t, *ends) for each, ends in zip(self.structures, levels, strict=True)]
        if not any(flows):
            return
        wanted = np.array(flows) * dt
        evening = np.abs(self._levels[::2] - self._levels[1::2]) * self._evening_area
        most = np.where(self._falls, evening, np.inf)
        self._volumes[:] = np.clip(wanted, -most, most)
        transfer.move(water, *cells, self._volumes, self._gone, self._come, self._area)
        for n in np.flatnonzero(self._drains_away & (self._gone > 0)):
            balance.add(self.structures[n].name, -float(self._gone[n]))
        # What single precision adds more or less than it took.
        balance.add("structures", float((self._come - self._gone)[~self._drains_away].sum()))

    def saved(self) -> list[list[bool]]:
        """Which pumps are running."""
        return [structure.running for structure in self.structures if isinstance(structure, Pump)]

    def restore(self, saved: list[list[bool]]) -> None:
        """Take a saved state."""
        pumps = [structure for structure in self.structures if isinstance(structure, Pump)]
        for pump, running in zip(pumps, saved, strict=True):
            pump.running[:] = running
