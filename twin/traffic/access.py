"""Who gets where in what time: shortest path trees, routes, isochrones and matrices, on any travel times."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from twin.traffic.demand import CAR, VehicleClass
from twin.traffic.errors import InvalidNetwork
from twin.traffic.graph import expand, sorted_graph
from twin.traffic.kernels.trees import Graph, grow, grow_each, room, width_of
from twin.traffic.network import Flags, Floats, Integers, Network


@dataclass(frozen=True, eq=False)
class Tree:
    """Times from (or to) the nearest of some nodes.

    time_s: one a node of the network, inf where no way leads. link_time_s: when each link is entered (or, towards
    the roots, how long from its end), inf where it is not reached.
    """

    time_s: Floats
    link_time_s: Floats
    _by: npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Route:
    """A way: indices of its links in order, its seconds, and its metres (nan if a length is unknown)."""

    links: Integers
    time_s: float
    length_m: float


class Router:
    """Ways through a network at given times.

    time_s: seconds of each link, by default those of the empty road; inf or a closed link is no way. An assignment's
        `time_s` gives loaded times. vehicle: its fixed costs count as time, its barred links are closed.
    Raises InvalidNetwork for negative times.
    """

    def __init__(self, network: Network, time_s: npt.ArrayLike | None = None, vehicle: VehicleClass = CAR) -> None:
        seconds = np.asarray(network.free_time_s if time_s is None else time_s, np.float64)
        if seconds.shape != (network.links,) or not (seconds >= 0).all():
            raise InvalidNetwork(f"time_s: {network.links} values of 0 s or more are needed, one a link")
        cost = seconds + vehicle.seconds_per_toll * network.toll
        if vehicle.seconds_per_metre:
            cost = cost + vehicle.seconds_per_metre * np.nan_to_num(network.length_m)
        if vehicle.fixed_s is not None:
            cost = cost + vehicle.fixed_s
        shut = ~network.open if vehicle.barred is None else ~network.open | vehicle.barred
        self.network = network
        self._expansion = expand(network)
        self._cost = np.concatenate([np.where(shut, np.inf, cost), self._expansion.penalty_s])
        self._ways: dict[bool, tuple[Graph, Integers, Floats, float]] = {}

    @property
    def cost_s(self) -> Floats:
        """Seconds of each link as the vehicle counts them, inf where it may not go."""
        return self._cost[: self.network.links]

    def tree(self, nodes: Hashable | Iterable[Hashable], *, limit_s: float = np.inf, towards: bool = False) -> Tree:
        """Times from the nearest of some nodes (ids) to all others; with `towards`, from all others to it.

        Beyond limit_s nothing is looked for. Raises InvalidNetwork for an unknown node.
        """
        roots = self._indices(nodes)
        graph, order, cost, width = self._way(towards)
        e, count = self._expansion, len(graph.through)
        begin, end = (e.end, e.start) if towards else (e.start, e.end)
        dist, pred = np.empty(count), np.empty(count, np.int32)
        grow(graph, cost, width, begin[roots], limit_s, np.empty(0, np.bool_), 0, dist, pred, *room(count))
        times = dist[end]
        # At a restricted node trips begin and end in different places.
        times[roots] = 0.0
        passes = e.through.copy()
        passes[begin[roots]] = True
        m = self.network.links
        entry = (e.head if towards else e.tail)[:m]
        entered = np.where(passes[entry] & np.isfinite(self._cost[:m]), dist[entry], np.inf)
        by = np.where(pred >= 0, order[np.maximum(pred, 0)], -1).astype(np.int32)
        return Tree(times, entered, by)

    def route(self, origin: Hashable, destination: Hashable) -> Route | None:
        """The shortest way between two nodes (ids), or None if there is none. Raises InvalidNetwork."""
        a, b = (int(self._indices(each)[0]) for each in (origin, destination))
        if a == b:
            return Route(np.empty(0, np.int64), 0.0, 0.0)
        graph, order, cost, width = self._way(False)
        e, count = self._expansion, len(graph.through)
        dist, pred, wanted = np.empty(count), np.empty(count, np.int32), np.zeros(count, np.bool_)
        wanted[e.end[b]] = True
        grow(graph, cost, width, e.start[[a]], np.inf, wanted, 1, dist, pred, *room(count))
        if not np.isfinite(dist[e.end[b]]):
            return None
        links: list[int] = []
        node = int(e.end[b])
        while pred[node] >= 0:
            link = int(order[pred[node]])
            links += [link] if link < self.network.links else []
            node = int(e.tail[link])
        way = np.array(links[::-1], np.int64)
        return Route(way, float(dist[e.end[b]]), float(self.network.length_m[way].sum()))

    def isochrone(
        self, nodes: Hashable | Iterable[Hashable], limit_s: float, *, towards: bool = False
    ) -> tuple[Floats, Floats]:
        """What is reached within a time: seconds of each node (inf beyond), and the share of each link from its start.

        With `towards`, whence the nodes are reached, and shares from the links' ends.
        """
        found = self.tree(nodes, limit_s=limit_s, towards=towards)
        seconds = self._cost[: self.network.links]
        left = np.where(np.isfinite(found.link_time_s), limit_s - np.nan_to_num(found.link_time_s, posinf=0.0), 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(seconds > 0, left / seconds, (found.link_time_s <= limit_s).astype(np.float64))
        return np.where(found.time_s <= limit_s, found.time_s, np.inf), np.clip(share, 0.0, 1.0)

    def matrix(self, origins: Iterable[Hashable], destinations: Iterable[Hashable], *, threads: int = 2) -> Floats:
        """Seconds from each of some nodes (ids) to each of others, inf where no way leads."""
        a, b = self._indices(list(origins)), self._indices(list(destinations))
        graph, _, cost, width = self._way(False)
        e, count = self._expansion, len(graph.through)
        ends = np.unique(e.end[b])
        out = np.empty((len(a), len(b)))
        # Trees of some origins at a time: what they take is bounded.
        step = max(threads, 4_000_000 // max(count, 1))
        for n in range(0, len(a), step):
            roots = e.start[a[n : n + step]]
            dist, pred = np.empty((len(roots), count)), np.empty((len(roots), count), np.int32)
            firsts = np.arange(len(roots) + 1) * len(ends)
            rows = np.zeros(len(roots), np.int64)
            grow_each(graph, cost[None, :], width, roots, rows, firsts, np.tile(ends, len(roots)), threads, dist, pred)
            out[n : n + step] = dist[:, e.end[b]]
        out[a[:, None] == b[None, :]] = 0.0
        return out

    def nearest(self, nodes: Iterable[Hashable], *, towards: bool = True) -> tuple[Integers, Floats]:
        """For each node of the network the nearest of some others (its place in the list, -1 if none) and seconds."""
        listed = list(nodes)
        roots = self._indices(listed)
        found = self.tree(listed, towards=towards)
        e = self._expansion
        begin, end = (e.end, e.start) if towards else (e.start, e.end)
        far = e.head if towards else e.tail
        who = np.full(len(e.through), -1)
        who[begin[roots[::-1]]] = np.arange(len(roots))[::-1]
        # Nodes one after another along the tree: each asks the one it was reached from, twice as far every round.
        up = np.where(found._by >= 0, far[np.maximum(found._by, 0)], np.arange(len(e.through)))
        while True:
            further = up[up]
            if (further == up).all():
                break
            up = further
        nearest = np.where(np.isfinite(found.time_s), who[up][end], -1)
        nearest[roots[::-1]] = np.arange(len(roots))[::-1]
        return nearest, found.time_s

    def _way(self, towards: bool) -> tuple[Graph, Integers, Floats, float]:
        """The graph forwards or backwards, which link stands where in it, costs in that order, and s of a bucket."""
        if towards not in self._ways:
            e = self._expansion
            tail, head = (e.head, e.tail) if towards else (e.tail, e.head)
            graph, order = sorted_graph(tail, head, e.through)
            self._ways[towards] = graph, order, self._cost[order], width_of(self._cost)
        return self._ways[towards]

    def _indices(self, nodes: Any) -> Integers:
        index = self.network.node_index
        ids = [nodes] if isinstance(nodes, str | int | np.generic) else list(nodes)
        missing = next((each for each in ids if each not in index), None)
        if missing is not None:
            raise InvalidNetwork(f"no node {missing!r} in the network")
        return np.array([index[each] for each in ids], np.int64)


def reached_nodes(network: Network, roots: Integers, *, towards: bool = False) -> Flags:
    """Nodes that some way over open links leads to from any root (indices), or with `towards` from where one leads."""
    tail, head = (network.head, network.tail) if towards else (network.tail, network.head)
    use = network.open
    graph, _ = sorted_graph(tail[use], head[use], np.ones(network.nodes, np.bool_))
    n = network.nodes
    dist, pred = np.empty(n), np.empty(n, np.int32)
    grow(graph, np.zeros(len(graph.tail)), 1.0, roots, np.inf, np.empty(0, np.bool_), 0, dist, pred, *room(n))
    return np.isfinite(dist)
