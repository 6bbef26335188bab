"""User equilibrium on paths: every trip goes by a way than which none is cheaper (Wardrop 1952, first principle)."""

import time as clock
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from twin.traffic.errors import Cancelled
from twin.traffic.graph import Compact
from twin.traffic.kernels import paths as kernel
from twin.traffic.kernels.delays import update
from twin.traffic.kernels.paths import Paths
from twin.traffic.kernels.trees import grow_each, width_of
from twin.traffic.network import Floats, Integers

# Trees are grown for so many roots at once that they fit in this many bytes.
TREES_BYTES = 48 * 2**20
# So many roots are a part: whatever the number of threads, so that it changes no result.
ROOTS_A_PART = 16
# Sweeps over the kept paths until their own excess is this share of what the first one found, or so many.
INNER_SHARE, MOST_SWEEPS = 0.1, 20
# Each so many sweeps the last one is gone on with: sooner its direction is mostly what pairs trade back and forth. At
# most so many times as far at first, and as many times that wherever so far still paid: long strides that do not go
# straight on end in path flows from which sweeps come back slowly (measured on drawn networks).
GO_ON_EVERY, FARTHEST = 4, 10.0
Told = Callable[[float, int], None]


@dataclass
class Pairs:
    """What is to be carried, in the order of its roots.

    roots, rows: node and class of each root. ends: nodes that trips of root n go to, from ends_first[n] on; one a
    pair. demand: pcu/h of each pair.
    """

    roots: Integers
    rows: Integers
    ends: Integers
    ends_first: Integers
    demand: Floats

    def row_of_pair(self) -> Integers:
        """The class of each pair."""
        return np.repeat(self.rows, np.diff(self.ends_first))


@dataclass
class Found:
    """Flows of links (all classes, pcu/h), times, least costs of pairs (s; inf where no way leads), gap by gap.

    history: seconds and relative gaps; but for the last they are those told while times change.
    """

    flow: Floats
    time: Floats
    least: Floats
    gap: float = 1.0
    history: list[tuple[float, float]] = field(default_factory=list)
    total_cost: float = 0.0


class Trees:
    """Shortest path trees of all roots, some at a time."""

    def __init__(self, graph: Compact, pairs: Pairs, threads: int) -> None:
        self.graph, self.pairs, self.threads = graph, pairs, threads
        nodes = len(graph.graph.through)
        self.batch = max(min(TREES_BYTES // (12 * max(nodes, 1)), ROOTS_A_PART), 1)
        self._dist = np.empty((self.batch, nodes))
        self._pred = np.empty((self.batch, nodes), np.int32)
        self._width = width_of(graph.delays.base + graph.fixed[0]) if len(graph.fixed) else 1.0

    def batches(self) -> list[slice]:
        count = len(self.pairs.roots)
        return [slice(n, min(n + self.batch, count)) for n in range(0, count, self.batch)]

    def grow(self, part: slice, costs: Floats) -> tuple[Floats, npt.NDArray[np.int32]]:
        """dist, pred [root, node] of some roots."""
        p, count = self.pairs, part.stop - part.start
        dist, pred = self._dist[:count], self._pred[:count]
        firsts = p.ends_first[part.start : part.stop + 1]
        grow_each(
            self.graph.graph, costs, self._width, p.roots[part], p.rows[part], firsts, p.ends, self.threads, dist, pred
        )
        return dist, pred


@dataclass
class Part:
    """Some roots with their pairs and the paths these use. The arrays but `paths` are views of those of all pairs."""

    roots: slice
    pairs: slice
    paths: Paths
    starts: Integers

    def sizes(self) -> tuple[int, int]:
        """Paths, and links of them."""
        return len(self.paths.flow), len(self.paths.links)


class PathEquilibrium:
    """Path flows on their way to equilibrium.

    A round takes one part of the roots after another: trees at the newest times, new paths, flow moved at once. So
    later parts already answer to what earlier ones have changed, and few rounds of trees are needed.
    """

    def __init__(self, graph: Compact, pairs: Pairs, threads: int) -> None:
        self.graph, self.pairs = graph, pairs
        self.trees = Trees(graph, pairs, threads)
        links, count = len(graph.delays.kind), len(pairs.demand)
        self.flow, self.time, self.slope = np.zeros(links), np.empty(links), np.empty(links)
        self.rows = pairs.row_of_pair()
        self.demand = pairs.demand.copy()
        self._cheapest, self.least = np.empty(count), np.empty(count)
        self._pool = np.empty(4096, np.int32)
        self._marks = np.zeros(links, np.int64), np.zeros(links, np.int64)
        self._mark, self._farthest = 1, FARTHEST
        self.parts = [self._part(roots) for roots in self.trees.batches()]
        update(graph.delays, self.flow, self.time, self.slope)

    def _part(self, roots: slice) -> Part:
        pairs = slice(*self.pairs.ends_first[[roots.start, roots.stop]].tolist())
        count, none = pairs.stop - pairs.start, np.empty(0)
        paths = Paths(np.zeros(count + 1, np.int64), np.zeros(1, np.int64), none.astype(np.int32), none, none)
        return Part(roots, pairs, paths, np.zeros(count + 1, np.int64))

    def load(self) -> None:
        """Put all trips on the road, each part at the times that those before it leave."""
        for part in self.parts:
            self._seek(part)
            demand = self.demand[part.pairs]
            demand[~np.isfinite(self.least[part.pairs])] = 0.0
            self._merge(part)
            kernel.load(part.paths, 0, len(demand), self.flow)
            update(self.graph.delays, self.flow, self.time, self.slope)

    def round(self) -> float:
        """Every part once; the relative gap as far as it can be told while times change."""
        cost, excess, first = 0.0, 0.0, 0.0
        for part in self.parts:
            spent = self._seek(part)
            cost += spent
            excess += spent - self._least_cost(part)
            self._merge(part)
            first += self._sweep(part)
        gap = excess / cost if cost > 0 else 0.0
        for number in range(MOST_SWEEPS):
            before = [part.paths.flow.copy() for part in self.parts]
            if sum(self._sweep(part) for part in self.parts) <= INNER_SHARE * first:
                break
            if number % GO_ON_EVERY == GO_ON_EVERY - 1:
                self._go_on(before)
        self._refresh()
        return gap

    def measure(self) -> tuple[float, float]:
        """Relative gap at the times of now, (cost of all trips - their least cost) / cost, and the cost, pcu s.

        The paths that are found on the way are taken in for the next round.
        """
        cost, least = 0.0, 0.0
        for part in self.parts:
            cost += self._seek(part)
            least += self._least_cost(part)
            self._merge(part)
        return (cost - least) / cost if cost > 0 else 0.0, cost

    def all_paths(self) -> Paths:
        """Paths of all pairs together."""
        each = [part.paths for part in self.parts]
        before = np.cumsum([0, *(len(paths.flow) for paths in each)])
        room = np.cumsum([0, *(len(paths.links) for paths in each)])
        zero = np.zeros(1, np.int64)
        return Paths(
            np.concatenate([zero, *(p.of_pair[1:] + n for p, n in zip(each, before, strict=False))]),
            np.concatenate([zero, *(p.begin[1:] + n for p, n in zip(each, room, strict=False))]),
            np.concatenate([np.empty(0, np.int32), *(p.links for p in each)]),
            np.concatenate([np.empty(0), *(p.flow for p in each)]),
            np.concatenate([np.empty(0), *(p.fixed for p in each)]),
        )

    def _seek(self, part: Part) -> float:
        """Grow a part's trees at the times of now and note new paths; the cost of its trips, pcu s."""
        cheapest = self._cheapest[part.pairs]
        spent = kernel.costs(part.paths, self.time, cheapest)
        dist, pred = self.trees.grow(part.roots, self.time + self.graph.fixed)
        firsts = self.pairs.ends_first[part.roots.start : part.roots.stop + 1] - part.pairs.start
        self._pool = kernel.collect(
            dist, pred, self.graph.graph.tail, self.pairs.ends[part.pairs], firsts, cheapest, self.least[part.pairs],
            part.starts, self._pool,
        )  # fmt: skip
        return float(spent)

    def _least_cost(self, part: Part) -> float:
        demand, least = self.demand[part.pairs], self.least[part.pairs]
        served = demand > 0
        return float(demand[served] @ least[served])

    def _merge(self, part: Part) -> None:
        """Take the new paths in, and drop those that carry nothing."""
        rows, fixed = self.rows[part.pairs], self.graph.fixed
        part.paths = kernel.merge(part.paths, part.starts, self._pool, self.demand[part.pairs], fixed, rows)

    def _sweep(self, part: Part) -> float:
        excess, self._mark = kernel.sweep(
            part.paths, self.graph.delays, self.flow, self.time, self.slope, *self._marks, self._mark
        )
        return float(excess)

    def _go_on(self, before: list[Floats]) -> None:
        """Go on in the direction of the last sweep as far as it pays.

        Pairs that share a steep link can only swap what it carries, bit by bit: their sweeps differ little from one
        to the next (pattern moves, Hooke & Jeeves 1961).
        """
        way, still, most = np.zeros(len(self.flow)), 0.0, np.inf
        for part, flow in zip(self.parts, before, strict=True):
            fixed, room = kernel.reach(part.paths, flow, way)
            still, most = still + fixed, min(most, room)
        if not 0 < most < np.inf:
            return
        times = kernel.stride(self.graph.delays, self.flow, way, still, min(most, self._farthest))
        self._farthest = FARTHEST * (self._farthest if times >= self._farthest else 1.0)
        for part, flow in zip(self.parts, before, strict=True):
            kernel.go_on(part.paths, flow, times)
        np.maximum(self.flow + times * way, 0.0, out=self.flow)
        update(self.graph.delays, self.flow, self.time, self.slope)

    def _refresh(self) -> None:
        """Flows anew from the paths, without what many additions have rounded."""
        self.flow[:] = 0.0
        for part in self.parts:
            kernel.settle(part.paths, self.demand[part.pairs])
            kernel.load(part.paths, 0, part.pairs.stop - part.pairs.start, self.flow)
        update(self.graph.delays, self.flow, self.time, self.slope)


def on_paths(
    graph: Compact,
    pairs: Pairs,
    *,
    gap: float,
    most: int,
    threads: int,
    told: Told | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> tuple[Found, Paths, Floats]:
    """Equilibrium to a relative gap, or as near as `most` rounds bring it; flows of each class."""
    began = clock.perf_counter()
    state = PathEquilibrium(graph, pairs, threads)
    state.load()
    found = Found(state.flow, state.time, state.least)
    # A gap told while times change may be better than the true one: what it must reach learns from each measurement.
    aim = gap
    for number in range(most):
        found.gap = state.round()
        measured = found.gap <= aim or number == most - 1
        if measured:
            told_gap = found.gap
            found.gap, found.total_cost = state.measure()
            aim = min(aim, 0.9 * told_gap * gap / max(found.gap, 1e-300))
        found.history.append((clock.perf_counter() - began, found.gap))
        if told is not None:
            told(found.gap, number)
        if measured and found.gap <= gap:
            break
        if cancelled is not None and cancelled():
            raise Cancelled(f"stopped at a gap of {found.gap:.1e} as asked")
    paths = state.all_paths()
    flows = np.zeros((len(graph.fixed), len(state.flow)))
    firsts = np.searchsorted(state.rows, np.arange(len(flows) + 1))
    for row, flow in enumerate(flows):
        kernel.load(paths, firsts[row], firsts[row + 1], flow)
    return found, paths, flows
