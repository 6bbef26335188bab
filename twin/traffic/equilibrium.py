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
from twin.traffic.kernels.trees import grow_each
from twin.traffic.network import Floats, Integers

# Trees are grown for so many roots at once that they fit in this many bytes.
TREES_BYTES = 48 * 2**20
# The first trips are loaded in so many parts, each at the times that those before leave.
PARTS = 8
# Sweeps over the kept paths until their own excess is this share of the gap, or so many.
INNER_SHARE, MOST_SWEEPS = 0.1, 20
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
    """Flows of links (all classes, pcu/h), times, least costs of pairs (s; inf where no way leads), gap by gap."""

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
        fits = max(TREES_BYTES // (12 * max(nodes, 1)), threads)
        self.batch = max(min(fits, -(-len(pairs.roots) // PARTS)), 1)
        self._dist = np.empty((self.batch, nodes))
        self._pred = np.empty((self.batch, nodes), np.int32)

    def batches(self) -> list[slice]:
        count = len(self.pairs.roots)
        return [slice(n, min(n + self.batch, count)) for n in range(0, count, self.batch)]

    def grow(self, part: slice, costs: Floats) -> tuple[Floats, npt.NDArray[np.int32]]:
        """dist, pred [root, node] of some roots."""
        p, count = self.pairs, part.stop - part.start
        dist, pred = self._dist[:count], self._pred[:count]
        firsts = p.ends_first[part.start : part.stop + 1]
        grow_each(self.graph.graph, costs, p.roots[part], p.rows[part], firsts, p.ends, self.threads, dist, pred)
        return dist, pred


class PathEquilibrium:
    """Path flows on their way to equilibrium; each `step` makes new paths known and balances them."""

    def __init__(self, graph: Compact, pairs: Pairs, threads: int) -> None:
        self.graph, self.pairs = graph, pairs
        self.trees = Trees(graph, pairs, threads)
        links, count = len(graph.delays.kind), len(pairs.demand)
        self.flow, self.time, self.slope = np.zeros(links), np.empty(links), np.empty(links)
        none = np.empty(0)
        self.paths = Paths(np.zeros(count + 1, np.int64), np.zeros(1, np.int64), none.astype(np.int32), none, none)
        self.rows = pairs.row_of_pair()
        self.demand = pairs.demand.copy()
        self._cheapest, self.least = np.empty(count), np.empty(count)
        self._starts = np.zeros(count + 1, np.int64)
        self._pool = np.empty(max(1024, 16 * count), np.int32)
        self._marks = np.zeros(links, np.int64), np.zeros(links, np.int64)
        self._mark = 1
        update(graph.delays, self.flow, self.time, self.slope)

    def seek(self, loading: bool = False) -> None:
        """Grow all trees at the times of now and note new paths; with `loading`, trips go on the road part by part."""
        kernel.costs(self.paths, self.time, self._cheapest)
        used = 0
        for part in self.trees.batches():
            dist, pred = self.trees.grow(part, self.time + self.graph.fixed)
            firsts = self.pairs.ends_first[part.start : part.stop + 1]
            self._pool, used = kernel.collect(
                dist, pred, self.graph.graph.tail, self.pairs.ends, firsts, firsts[0], self._cheapest, self.least,
                self._starts, self._pool, used,
            )  # fmt: skip
            if loading:
                kernel.load_new(self._starts, self._pool, self.demand, firsts[0], firsts[-1], self.flow)
                update(self.graph.delays, self.flow, self.time, self.slope)
        if loading:
            self.demand[~np.isfinite(self.least)] = 0.0

    def gap(self) -> tuple[float, float]:
        """Relative gap at the times of now, (cost of all trips - their least cost) / cost, and the cost, pcu s."""
        served = self.demand > 0
        least = float(self.demand[served] @ self.least[served])
        cost = float(self.flow @ self.time + self.paths.flow @ self.paths.fixed)
        return (cost - least) / cost if cost > 0 else 0.0, cost

    def merge(self) -> None:
        """Take the new paths in, and drop those that carry nothing."""
        self.paths = kernel.merge(self.paths, self._starts, self._pool, self.demand, self.graph.fixed, self.rows)

    def balance(self, gap: float, cost: float) -> None:
        """Move flow between known paths until their own excess is well below the gap."""
        for _ in range(MOST_SWEEPS):
            excess, self._mark = kernel.sweep(
                self.paths, self.graph.delays, self.flow, self.time, self.slope, *self._marks, self._mark, 0.0
            )
            if excess <= INNER_SHARE * gap * cost:
                break
        kernel.settle(self.paths, self.demand)
        kernel.refresh(self.paths, self.graph.delays, self.flow, self.time, self.slope)

    def class_flows(self) -> Floats:
        """pcu/h [class, link]."""
        flows = np.zeros((len(self.graph.fixed), len(self.flow)))
        firsts = np.searchsorted(self.rows, np.arange(len(flows) + 1))
        for row, flow in enumerate(flows):
            kernel.load(self.paths, firsts[row], firsts[row + 1], flow)
        return flows


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
    state.seek(loading=True)
    state.merge()
    kernel.refresh(state.paths, graph.delays, state.flow, state.time, state.slope)
    found = Found(state.flow, state.time, state.least)
    for number in range(most):
        state.seek()
        found.gap, found.total_cost = state.gap()
        found.history.append((clock.perf_counter() - began, found.gap))
        if told is not None:
            told(found.gap, number)
        if found.gap <= gap:
            break
        if cancelled is not None and cancelled():
            raise Cancelled(f"stopped at a gap of {found.gap:.1e} as asked")
        state.merge()
        state.balance(found.gap, found.total_cost)
    return found, state.paths, state.class_flows()
