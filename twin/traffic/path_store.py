"""The paths of an assignment, and what they tell: who uses a link, and which trips have no way."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from twin.traffic.demand import Demand
from twin.traffic.graph import Compact
from twin.traffic.kernels.paths import Paths
from twin.traffic.network import Floats, Integers


@dataclass(frozen=True)
class Unserved:
    """Trips that no open way leads for."""

    vehicle: str
    origin: Any
    destination: Any
    trips: float


class Uses(NamedTuple):
    """Who uses some links, an entry for each link and pair of zones of a class.

    link: place in the links asked for. row: of the class. origin, destination: places in its zones. share: of the
    pair's trips.
    """

    link: Integers
    row: Integers
    origin: Integers
    destination: Integers
    share: Floats


@dataclass
class Labels:
    """What each pair is called: class, origin, destination."""

    demands: tuple[Demand, ...]
    row: Integers
    origin: Integers
    destination: Integers
    pcu: Floats

    def unserved(self, pair: int, pcu: float) -> Unserved:
        demand = self.demands[self.row[pair]]
        origin, destination = (demand.zones[n[pair]] for n in (self.origin, self.destination))
        return Unserved(demand.vehicle.name, plain(origin), plain(destination), float(pcu / self.pcu[pair]))


@dataclass
class PathStore:
    """Paths as links of the compact graph, and what is needed to tell of them. links: of the expansion."""

    paths: Paths
    graph: Compact
    labels: Labels
    links: int

    def over(self, links: Integers, every: bool) -> tuple[list[tuple[Any, Any, float]], Floats]:
        """(origin, destination, pcu/h) of paths over any (or every) of some links, and the flows of those paths."""
        hit = self._hits(links)
        chosen = (hit >= len(np.unique(links)) if every else hit > 0) & (self.paths.flow > 0)
        flow = np.where(chosen, self.paths.flow, 0.0)
        sums = np.bincount(self._pair_of_path(), flow, len(self.paths.of_pair) - 1)
        rows = []
        for n in np.flatnonzero(sums):
            demand = self.labels.demands[self.labels.row[n]]
            a, b = demand.zones[self.labels.origin[n]], demand.zones[self.labels.destination[n]]
            rows.append((plain(a), plain(b), float(sums[n])))
        owner = np.repeat(np.arange(len(flow)), np.diff(self.paths.begin))
        compacted = np.bincount(self.paths.links, flow[owner], len(self.graph.delays.kind)).astype(np.float64)
        return rows, self.graph.spread(compacted, self.links)

    def routes(self) -> Iterator[tuple[str, float, Integers]]:
        """Class, vehicles/h and links of the expansion of each path in use, in the order that they are driven."""
        g, begin, pair = self.graph, self.paths.begin, self._pair_of_path()
        for n in np.flatnonzero(self.paths.flow > 0).tolist():
            chains = self.paths.links[begin[n] : begin[n + 1]][::-1].tolist()
            links = np.concatenate([g.members[g.member_first[each] : g.member_first[each + 1]] for each in chains])
            name = self.labels.demands[self.labels.row[pair[n]]].vehicle.name
            yield name, float(self.paths.flow[n] / self.labels.pcu[pair[n]]), links

    def in_use(self) -> tuple[Integers, Integers, Floats, Integers, Integers]:
        """Of each path in use: places of origin and destination in its class's zones, pcu/h, where it begins; links.

        The last are links of the expansion, path after path.
        """
        g, used = self.graph, np.flatnonzero(self.paths.flow > 0)
        pair = self._pair_of_path()[used]
        chains = self.paths.links[_ranges(self.paths.begin[used], np.diff(self.paths.begin)[used])]
        count = np.diff(g.member_first)[chains]
        links = g.members[_ranges(g.member_first[chains], count)]
        chain_begin = np.r_[0, np.cumsum(np.diff(self.paths.begin)[used])]
        begin = np.r_[0, np.cumsum(count)][chain_begin]
        return self.labels.origin[pair], self.labels.destination[pair], self.paths.flow[used], begin, links

    def uses(self, links: Integers) -> Uses:
        """How much of each pair's trips goes over each of some links, each of which stands there once."""
        g = self.graph
        place = np.full(self.links, -1)
        place[links] = np.arange(len(links))
        asked = place[g.members] >= 0
        chain, of = (
            np.repeat(np.arange(len(g.member_first) - 1), np.diff(g.member_first))[asked],
            place[g.members][asked],
        )
        # Links of one chain are driven by the same paths.
        first = np.searchsorted(chain, np.arange(len(g.member_first)))
        driven = np.flatnonzero(np.diff(first)[self.paths.links] > 0)
        count = np.diff(first)[self.paths.links[driven]]
        link = of[_ranges(first[self.paths.links[driven]], count)]
        path = np.repeat(np.searchsorted(self.paths.begin, driven, side="right") - 1, count)
        pair, flow = self._pair_of_path()[path], self.paths.flow[path]
        pairs = len(self.paths.of_pair) - 1
        keys, where = np.unique(link * pairs + pair, return_inverse=True)
        total = np.bincount(self._pair_of_path(), self.paths.flow, pairs)
        link, pair = np.divmod(keys, max(pairs, 1))
        share = np.bincount(where, flow, len(keys)) / np.maximum(total[pair], 1e-300)
        used = share > 0
        link, pair = link[used], pair[used]
        labels = self.labels
        return Uses(link, labels.row[pair], labels.origin[pair], labels.destination[pair], share[used])

    def _hits(self, links: Integers) -> Integers:
        """How many of some links each path has."""
        wanted = np.zeros(self.links, np.bool_)
        wanted[links] = True
        g = self.graph
        inside = np.add.reduceat(np.r_[wanted[g.members].astype(np.int64), 0], g.member_first[:-1])
        found: Integers = np.add.reduceat(np.r_[inside[self.paths.links], 0], self.paths.begin[:-1])
        return found

    def _pair_of_path(self) -> Integers:
        return np.repeat(np.arange(len(self.paths.of_pair) - 1), np.diff(self.paths.of_pair))


def plain(value: Any) -> Any:
    """An id as Python has it."""
    return value.item() if isinstance(value, np.generic) else value


def _ranges(first: Integers, count: Integers) -> Integers:
    """Indices of ranges one after another."""
    return np.repeat(first - (np.cumsum(count) - count), count) + np.arange(int(count.sum()))
