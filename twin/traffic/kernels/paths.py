"""Path flows of all pairs, and their way to equilibrium by gradient projection.

Each pair keeps the paths it uses. Flow moves from each dearer path to the cheapest by a Newton step on their
difference (Jayakrishnan et al. 1994), one pair after another at the newest times (Gauss-Seidel).
"""

# Compiled loops take arrays by position.
# ruff: noqa: PLR0917

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from twin.traffic.kernels.delays import COMPILED, time_and_slope

# A tree's cost and the sum along a kept path differ by rounding alone below this share.
SAME = 1e-13
# A step is halved towards the root until the difference left is below this share of the first.
CLOSE_ENOUGH, TRIES = 0.25, 8


class Paths(NamedTuple):
    """Paths of pair n: of_pair[n] to of_pair[n + 1]; links of path p, last first: begin[p] to begin[p + 1].

    flow: pcu/h of each path. fixed: s of each path that do not depend on flow.
    """

    of_pair: npt.NDArray[np.int64]
    begin: npt.NDArray[np.int64]
    links: npt.NDArray[np.int32]
    flow: npt.NDArray[np.float64]
    fixed: npt.NDArray[np.float64]


@njit(**COMPILED)
def costs(paths, time, cheapest):  # type: ignore[no-untyped-def]
    """Cost of the cheapest kept path of each pair, s; inf where none is kept. Returns the cost of all flow, pcu s."""
    total = 0.0
    for pair in range(cheapest.size):
        least = np.inf
        for p in range(paths.of_pair[pair], paths.of_pair[pair + 1]):
            cost = paths.fixed[p]
            for q in range(paths.begin[p], paths.begin[p + 1]):
                cost += time[paths.links[q]]
            least = min(least, cost)
            total += paths.flow[p] * cost
        cheapest[pair] = least
    return total


@njit(**COMPILED)
def collect(dist, pred, tail, ends, ends_first, cheapest, least, starts, pool):  # type: ignore[no-untyped-def]
    """Note each pair's least cost, and write the path to the pool where it is cheaper than all kept ones.

    starts: where each pair's path stands in the pool. Returns the pool, grown if need be.
    """
    pair, used = 0, 0
    for n in range(dist.shape[0]):
        for end in ends[ends_first[n] : ends_first[n + 1]]:
            starts[pair] = used
            least[pair] = dist[n, end]
            if least[pair] < cheapest[pair] * (1.0 - SAME):
                node = end
                while pred[n, node] != -1:
                    if used == pool.size:
                        wider = np.empty(2 * used, np.int32)
                        wider[:used] = pool
                        pool = wider
                    link = pred[n, node]
                    pool[used] = link
                    used += 1
                    node = tail[link]
            pair += 1
            starts[pair] = used
    return pool


@njit(**COMPILED)
def merge(paths, starts, pool, demand, fixed, row):  # type: ignore[no-untyped-def]
    """The used paths and the new ones together; a pair's first path takes all its demand."""
    pairs = demand.size
    count, room = 0, 0
    for pair in range(pairs):
        for p in range(paths.of_pair[pair], paths.of_pair[pair + 1]):
            if paths.flow[p] > 0.0:
                count += 1
                room += paths.begin[p + 1] - paths.begin[p]
        if starts[pair + 1] > starts[pair]:
            count += 1
            room += starts[pair + 1] - starts[pair]
    of_pair, begin = np.zeros(pairs + 1, np.int64), np.zeros(count + 1, np.int64)
    links, flow, still = np.empty(room, np.int32), np.empty(count), np.empty(count)
    path, end = 0, 0
    for pair in range(pairs):
        for p in range(paths.of_pair[pair], paths.of_pair[pair + 1]):
            if paths.flow[p] > 0.0:
                for q in range(paths.begin[p], paths.begin[p + 1]):
                    links[end] = paths.links[q]
                    end += 1
                flow[path], still[path] = paths.flow[p], paths.fixed[p]
                path += 1
                begin[path] = end
        if starts[pair + 1] > starts[pair]:
            total = 0.0
            for q in range(starts[pair], starts[pair + 1]):
                links[end] = pool[q]
                total += fixed[row[pair], pool[q]]
                end += 1
            flow[path] = 0.0 if path > of_pair[pair] else demand[pair]
            still[path] = total
            path += 1
            begin[path] = end
        of_pair[pair + 1] = path
    return Paths(of_pair, begin, links, flow, still)


@njit(**COMPILED)
def settle(paths, demand):  # type: ignore[no-untyped-def]
    """Give each pair's largest path what the others leave, so that no demand is lost to rounding."""
    for pair in range(demand.size):
        first, end = paths.of_pair[pair], paths.of_pair[pair + 1]
        if end == first:
            continue
        most, others = first, 0.0
        for p in range(first, end):
            if paths.flow[p] > paths.flow[most]:
                most = p
        for p in range(first, end):
            if p != most:
                others += paths.flow[p]
        paths.flow[most] = demand[pair] - others


@njit(**COMPILED)
def load(paths, first_pair, end_pair, flow):  # type: ignore[no-untyped-def]
    """Add the flow of some pairs' paths to their links."""
    for p in range(paths.of_pair[first_pair], paths.of_pair[end_pair]):
        for q in range(paths.begin[p], paths.begin[p + 1]):
            flow[paths.links[q]] += paths.flow[p]


@njit(**COMPILED)
def _move(paths, path, best, amount, on_path, on_best, mark, of_best, delays, flow, time, slope):  # type: ignore[no-untyped-def]
    """Move flow from a path to the best; the difference of their costs afterwards, s."""
    gap = paths.fixed[path] - paths.fixed[best]
    for q in range(paths.begin[path], paths.begin[path + 1]):
        link = paths.links[q]
        if on_best[link] != of_best:
            flow[link] = max(flow[link] - amount, 0.0)
            time[link], slope[link] = time_and_slope(delays, link, flow[link])
            gap += time[link]
    for q in range(paths.begin[best], paths.begin[best + 1]):
        link = paths.links[q]
        if on_path[link] != mark:
            flow[link] = max(flow[link] + amount, 0.0)
            time[link], slope[link] = time_and_slope(delays, link, flow[link])
            gap -= time[link]
    return gap


@njit(**COMPILED)
def _equalise(paths, path, best, on_path, on_best, mark, of_best, delays, flow, time, slope):  # type: ignore[no-untyped-def]
    """Move flow between two paths until they cost the same, or the dearer is empty; returns its excess before."""
    gap = paths.fixed[path] - paths.fixed[best]
    steep = 0.0
    for q in range(paths.begin[path], paths.begin[path + 1]):
        link = paths.links[q]
        on_path[link] = mark
        if on_best[link] != of_best:
            gap += time[link]
            steep += slope[link]
    for q in range(paths.begin[best], paths.begin[best + 1]):
        link = paths.links[q]
        if on_path[link] != mark:
            gap -= time[link]
            steep += slope[link]
    excess = paths.flow[path] * max(gap, 0.0)
    # Within the loop over a pair's paths the best one may have become the dearer.
    most, least = paths.flow[path], -paths.flow[best]
    amount = gap / steep if steep > 0.0 else (np.inf if gap > 0.0 else -np.inf)
    amount = min(max(amount, least), most)
    if gap == 0.0 or amount == 0.0:
        return excess
    moved, before = amount, gap
    after = _move(paths, path, best, amount, on_path, on_best, mark, of_best, delays, flow, time, slope)
    low, low_gap = 0.0, before
    for _ in range(TRIES):
        # Only a step too far is taken back: slopes of powers are too flat where there is little flow.
        if after * before >= 0.0 or abs(after) <= CLOSE_ENOUGH * abs(before):
            break
        target = low + (moved - low) * max(min(low_gap / (low_gap - after), 0.9), 0.1)
        new = _move(paths, path, best, target - moved, on_path, on_best, mark, of_best, delays, flow, time, slope)
        moved = target
        if new * before >= 0.0:
            break
        after = new
    paths.flow[path] -= moved
    paths.flow[best] += moved
    if abs(paths.flow[path]) < 1e-15 * most:
        paths.flow[path] = 0.0
    return excess


@njit(**COMPILED)
def sweep(paths, delays, flow, time, slope, on_path, on_best, mark):  # type: ignore[no-untyped-def]
    """Equalise the used paths of every pair.

    on_path, on_best: marks of links, all below `mark`. Returns the excess cost found, and the next mark.
    """
    excess = 0.0
    for pair in range(paths.of_pair.size - 1):
        first, end = paths.of_pair[pair], paths.of_pair[pair + 1]
        if end - first < 2:
            continue
        best, least, worst = first, np.inf, 0.0
        for p in range(first, end):
            cost = paths.fixed[p]
            for q in range(paths.begin[p], paths.begin[p + 1]):
                cost += time[paths.links[q]]
            if cost < least:
                least, best = cost, p
            if paths.flow[p] > 0.0:
                worst = max(worst, cost)
        if worst <= least:
            continue
        of_best = mark
        for q in range(paths.begin[best], paths.begin[best + 1]):
            on_best[paths.links[q]] = of_best
        for p in range(first, end):
            if p == best or paths.flow[p] <= 0.0:
                continue
            mark += 1
            excess += _equalise(paths, p, best, on_path, on_best, mark, of_best, delays, flow, time, slope)
        mark += 1
    return excess, mark


@njit(**COMPILED)
def reach(paths, before, way):  # type: ignore[no-untyped-def]
    """Add to the links' `way` how a pair's flow has changed since `before`.

    Returns the change of cost that does not depend on flow, pcu s, and how many such changes the flows have room for.
    """
    still, room = 0.0, np.inf
    for p in range(before.size):
        change = paths.flow[p] - before[p]
        if change == 0.0:
            continue
        still += change * paths.fixed[p]
        if change < 0.0:
            room = min(room, -paths.flow[p] / change)
        for q in range(paths.begin[p], paths.begin[p + 1]):
            way[paths.links[q]] += change
    return still, room


@njit(**COMPILED)
def stride(delays, flow, way, still, most):  # type: ignore[no-untyped-def]
    """How many times `way` more, up to `most`, makes the objective least: the root of its slope, which rises."""
    low, high, at = 0.0, most, most
    for _ in range(60):
        rise, curve = still, 0.0
        for link in range(flow.size):
            if way[link] != 0.0:
                time, slope = time_and_slope(delays, link, max(flow[link] + at * way[link], 0.0))
                rise += way[link] * time
                curve += way[link] * way[link] * slope
        if at == most and rise <= 0.0:
            return most
        if rise > 0.0:
            high = at
        else:
            low = at
        new = at - rise / curve if curve > 0.0 else -1.0
        if not low < new < high:
            new = 0.5 * (low + high)
        if abs(new - at) <= 1e-9 * new:
            break
        at = new
    return low


@njit(**COMPILED)
def go_on(paths, before, times):  # type: ignore[no-untyped-def]
    """Change path flows as many times more as they have changed since `before`."""
    for p in range(before.size):
        paths.flow[p] = max(paths.flow[p] + times * (paths.flow[p] - before[p]), 0.0)
