"""Shortest path trees: Dijkstra's algorithm on a binary heap that holds each node at most once."""

# Compiled loops take arrays by position.
# ruff: noqa: PLR0917

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit, prange

from twin.traffic.kernels.delays import COMPILED


class Graph(NamedTuple):
    """Links in the order of their tails: those of node n are first[n] to first[n + 1]."""

    first: npt.NDArray[np.int64]
    tail: npt.NDArray[np.int32]
    head: npt.NDArray[np.int32]
    through: npt.NDArray[np.bool_]


@njit(**COMPILED, inline="always")
def _rise(key, heap, place, at, node, value):  # type: ignore[no-untyped-def]
    while at > 0:
        up = (at - 1) >> 1
        if key[up] <= value:
            break
        key[at] = key[up]
        heap[at] = heap[up]
        place[heap[at]] = at
        at = up
    key[at] = value
    heap[at] = node
    place[node] = at


@njit(**COMPILED, inline="always")
def _sink(key, heap, place, size, node, value):  # type: ignore[no-untyped-def]
    """Put a node in at the top and let it find its place."""
    at = 0
    while True:
        down = 2 * at + 1
        if down >= size:
            break
        if down + 1 < size and key[down + 1] < key[down]:
            down += 1
        if key[down] >= value:
            break
        key[at] = key[down]
        heap[at] = heap[down]
        place[heap[at]] = at
        at = down
    key[at] = value
    heap[at] = node
    place[node] = at


@njit(**COMPILED)
def grow(graph, cost, roots, limit, wanted, left, dist, pred, key, heap, place):  # type: ignore[no-untyped-def]
    """Fill dist (s, inf where no way leads) and pred (link by which a node is reached, -1) from roots at 0 s.

    Nothing beyond `limit` s is settled; with left > 0 it ends once so many nodes flagged in `wanted` are settled.
    A node that is no thoroughfare is left only if it is a root.
    """
    dist[:] = np.inf
    pred[:] = -1
    place[:] = -1
    size = 0
    for root in roots:
        if place[root] == -1:
            dist[root] = 0.0
            _rise(key, heap, place, size, root, 0.0)
            size += 1
    while size > 0:
        node, here = heap[0], key[0]
        if here > limit:
            break
        size -= 1
        place[node] = -2
        if size > 0:
            _sink(key, heap, place, size, heap[size], key[size])
        if left > 0 and wanted[node]:
            left -= 1
            if left == 0:
                break
        if not graph.through[node] and pred[node] != -1:
            continue
        for link in range(graph.first[node], graph.first[node + 1]):
            there = here + cost[link]
            to = graph.head[link]
            if there < dist[to]:
                dist[to] = there
                pred[to] = link
                at = place[to]
                if at == -1:
                    at = size
                    size += 1
                _rise(key, heap, place, at, to, there)
    # What was only seen is not known to be nearest.
    for at in range(size):
        dist[heap[at]] = np.inf
        pred[heap[at]] = -1


@njit(**COMPILED, parallel=True)
def grow_each(graph, costs, roots, rows, ends_first, ends, threads, dist, pred):  # type: ignore[no-untyped-def]
    """One tree a root over the costs of its row; dist, pred [root, node]. Each ends at its last of `ends`."""
    nodes = graph.first.size - 1
    for thread in prange(threads):
        key, heap = np.empty(nodes), np.empty(nodes, np.int32)
        place, wanted = np.empty(nodes, np.int32), np.zeros(nodes, np.bool_)
        for n in range(thread, roots.size, threads):
            left = 0
            for end in ends[ends_first[n] : ends_first[n + 1]]:
                if not wanted[end]:
                    wanted[end] = True
                    left += 1
            grow(graph, costs[rows[n]], roots[n : n + 1], np.inf, wanted, left, dist[n], pred[n], key, heap, place)
            for end in ends[ends_first[n] : ends_first[n + 1]]:
                wanted[end] = False
