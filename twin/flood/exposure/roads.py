"""Roads that water closes: when, for which vehicles; and the way from each node to the nearest dry shelter."""

import heapq
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Closure:
    """A road that a vehicle cannot use; from the state `first` to before the state `last`."""

    road: int
    vehicle: str
    first: int
    last: int
    depth: float


def closures(depth: npt.NDArray[np.floating[Any]], limits: Mapping[str, float]) -> list[Closure]:
    """Runs of states in which each road is at least as deep as a vehicle's limit. depth: [road, state], m."""
    found = []
    states = depth.shape[1]
    for vehicle, limit in limits.items():
        shut = depth >= limit
        for road in np.flatnonzero(shut.any(axis=1)).tolist():
            edges = np.flatnonzero(np.diff(np.concatenate(([0], shut[road].astype(np.int8), [0]))))
            for first, last in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
                found.append(Closure(road, vehicle, first, min(last, states), float(depth[road, first:last].max())))
    return found


class RoadNet:
    """The road graph for finding ways; both directions of each road, for in a flood nobody minds a one-way sign."""

    def __init__(self, start: Sequence[str | None], end: Sequence[str | None], length: Floats) -> None:
        self._number: dict[str, int] = {}
        self._links: dict[int, list[tuple[int, int, float]]] = defaultdict(list)
        for road, (a, b) in enumerate(zip(start, end, strict=True)):
            if a is None or b is None:
                continue
            here, there = self._node(a), self._node(b)
            self._links[here].append((there, road, float(length[road])))
            self._links[there].append((here, road, float(length[road])))

    def nearest(self, targets: Mapping[str, int], shut: npt.NDArray[np.bool_]) -> dict[str, tuple[int, float]]:
        """For each node that reaches a target over open roads: the nearest target's number, and the way, m.

        targets: number by node. shut: for each road. Dijkstra (1959) from all targets at once.
        """
        best: dict[int, tuple[float, int]] = {}
        queue = [(0.0, self._number[node], number) for node, number in targets.items() if node in self._number]
        heapq.heapify(queue)
        while queue:
            way, node, target = heapq.heappop(queue)
            if node in best:
                continue
            best[node] = (way, target)
            for there, road, length in self._links[node]:
                if there not in best and not shut[road]:
                    heapq.heappush(queue, (way + length, there, target))
        names = list(self._number)
        return {names[node]: (target, way) for node, (way, target) in best.items()}

    def _node(self, name: str) -> int:
        return self._number.setdefault(name, len(self._number))
