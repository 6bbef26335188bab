"""What is done cell by cell beside the flow: the outside, which blocks are wet, slow sources, records."""

# Compiled loops take arrays by position, and a min or max of two numbers is one vector instruction.
# ruff: noqa: PLR0917, PLW3301

import numpy as np
from numba import njit, prange

from twin.flood.cpu.face import FAST, ROW
from twin.flood.cpu.state import CLOSED, GHOSTS, OPEN

PARALLEL = FAST | {"parallel": True}


@njit(**FAST)
def beyond(kind, side, deep, h, x, y, k):  # type: ignore[no-untyped-def]
    """Depth and flows in a ghost, by those of the cell inside that stands for it.

    kind: what lies beyond the rim; side: 0 to 3 for west, east, north, south; deep: of the ghost's bed below the level
    at the rim, m.
    """
    upright = side < 2
    if kind == CLOSED:
        return h, -x if upright else x, y if upright else -y
    over = h if kind == OPEN else max(deep, k.zero)
    share = over / h if h > k.dry else k.zero
    x, y = x * share, y * share
    if kind == OPEN:
        # Nothing flows in from nowhere.
        x = min(x, k.zero) if side == 0 else (max(x, k.zero) if side == 1 else x)
        y = min(y, k.zero) if side == 2 else (max(y, k.zero) if side == 3 else y)
    return over, x, y


@njit(**FAST)
def outside(water, z, kinds, levels, along, staggered, k):  # type: ignore[no-untyped-def]
    """Fill the ghosts: a mirror (closed), the same water beyond (open), or water up to a level.

    kinds, levels: west, east (by row), north, south (by column), one after the other; `along` says where each begins.
    staggered: flows stand on faces (local inertia). The ghosts need depths, and the flow at the rim goes on beyond it:
    smoothed with none there, it would be held back at each step.
    """
    rows, columns = water.depth.shape
    # The nearer ghosts of all sides first: the mirror of a domain one cell wide shows the one beyond its other side.
    for m in range(GHOSTS):
        for side in range(4):
            upright = side < 2
            for n in range(GHOSTS, (rows if upright else columns) - GHOSTS):
                kind, level = kinds[along[side] + n], levels[along[side] + n]
                if side == 0:
                    jg, ig, j, i = n, GHOSTS - 1 - m, n, GHOSTS + m
                elif side == 1:
                    jg, ig, j, i = n, columns - GHOSTS + m, n, columns - GHOSTS - 1 - m
                elif side == 2:
                    jg, ig, j, i = GHOSTS - 1 - m, n, GHOSTS + m, n
                else:
                    jg, ig, j, i = rows - GHOSTS + m, n, rows - GHOSTS - 1 - m, n
                if kind != CLOSED:
                    # The nearest cell inside, for both ghosts.
                    j = n if upright else (GHOSTS if side == 2 else rows - GHOSTS - 1)
                    i = n if not upright else (GHOSTS if side == 0 else columns - GHOSTS - 1)
                deep, x, y = beyond(
                    kind, side, level - z[jg, ig], water.depth[j, i], water.flow_x[j, i], water.flow_y[j, i], k
                )
                water.depth[jg, ig] = deep
                if not staggered:
                    water.flow_x[jg, ig], water.flow_y[jg, ig] = x, y
                elif m == 0 and side == 0:
                    water.flow_x[j, ig] = water.flow_x[j, i]
                elif m == 0 and side == 1:
                    water.flow_x[j, ig + 1] = water.flow_x[j, ig]
                elif m == 0 and side == 2:
                    water.flow_y[jg, i] = water.flow_y[j, i]
                elif m == 0:
                    water.flow_y[jg + 1, i] = water.flow_y[jg, i]


@njit(**PARALLEL)
def wet_blocks(water, sources, block, wet):  # type: ignore[no-untyped-def]
    """Which blocks of `block` x `block` cells hold water or a source of it."""
    rows, columns = water.depth.shape
    for br in prange(wet.shape[0]):
        for bc in range(wet.shape[1]):
            r0, c0 = GHOSTS + br * block, GHOSTS + bc * block
            found = False
            for j in range(r0, min(r0 + block, rows - GHOSTS)):
                for i in range(c0, min(c0 + block, columns - GHOSTS)):
                    # A debt without water waits; it needs no work.
                    found |= water.depth[j, i] > 0 or water.carry[j, i] > 0 or sources[j, i]
                if found:
                    break
            wet[br, bc] = found


@njit(**FAST)
def still(water, other, r0, r1, c0, c1, k):  # type: ignore[no-untyped-def]
    """Leave a block that is no longer worked on with the same film and the same debt in both states, and no flow."""
    for j in range(r0, r1):
        for i in range(c0, c1):
            other.carry[j, i] = water.carry[j, i]
            other.depth[j, i] = water.depth[j, i]
            for state in (water, other):
                state.flow_x[j, i] = k.zero
                state.flow_y[j, i] = k.zero


@njit(**PARALLEL)
def add_rain(carry, share, depth, segments):  # type: ignore[no-untyped-def]
    """Add a depth (m) times a share of each cell; returns the sum of depths added, m."""
    added = np.zeros((len(segments), carry.shape[1]), np.float64)
    for s in prange(len(segments)):
        r0, r1, c0, c1 = segments[s]
        f = slice(c0, c1)
        for j in range(r0, r1):
            _rain(carry[j, f], share[j, f], depth, added[s])
    return added.sum()


@njit(**ROW)
def _rain(carry, share, depth, total):  # type: ignore[no-untyped-def]
    # Sums by column: one sum of all would run no vectors.
    for i in range(carry.size):
        fallen = share[i] * depth
        carry[i] += fallen
        total[i] += fallen


@njit(**PARALLEL)
def curve_number(carry, share, depth, fallen, retention, segments, k):  # type: ignore[no-untyped-def]
    """Take back of `add_rain` what the curve number method keeps; `fallen` is the rain so far, m. The sum, m."""
    taken = np.zeros((len(segments), carry.shape[1]), np.float64)
    for s in prange(len(segments)):
        r0, r1, c0, c1 = segments[s]
        f = slice(c0, c1)
        for j in range(r0, r1):
            _keep(carry[j, f], share[j, f], depth, fallen[j, f], retention[j, f], taken[s], k)
    return taken.sum()


@njit(**ROW)
def _keep(carry, share, depth, fallen, retention, total, k):  # type: ignore[no-untyped-def]
    fifth = k.one / (k.four + k.one)
    for i in range(carry.size):
        before = fallen[i]
        after = before + share[i] * depth
        first, rest = fifth * retention[i], k.four * fifth * retention[i]
        over_before, over_after = max(before - first, k.zero), max(after - first, k.zero)
        runs = over_after * over_after / max(after + rest, k.tiny)
        ran = over_before * over_before / max(before + rest, k.tiny)
        kept = max((after - before) - (runs - ran), k.zero)
        carry[i] -= kept
        fallen[i] = after
        total[i] += kept


@njit(**PARALLEL)
def take(deep, carry, rate, room, dt, segments, k):  # type: ignore[no-untyped-def]
    """Take water at a rate (m/s) as far as it is there and `room` (m, lowered) is left; returns the sum, m."""
    taken = np.zeros((len(segments), carry.shape[1]), np.float64)
    for s in prange(len(segments)):
        r0, r1, c0, c1 = segments[s]
        f = slice(c0, c1)
        for j in range(r0, r1):
            _take(deep[j, f], carry[j, f], rate[j, f], room[j, f], dt, taken[s], k)
    return taken.sum()


@njit(**ROW)
def _take(deep, carry, rate, room, dt, total, k):  # type: ignore[no-untyped-def]
    for i in range(carry.size):
        there = max(deep[i] + carry[i], k.zero)
        depth = min(min(rate[i] * dt, there), room[i])
        carry[i] -= depth
        room[i] -= depth
        total[i] += depth


@njit(**PARALLEL)
def green_ampt(deep, carry, soaked, conductivity, suction, deficit, dt, segments):  # type: ignore[no-untyped-def]
    """Infiltration f = K (1 + psi dtheta / F) after Green & Ampt (1911), F the depth soaked so far; the sum, m.

    The step solves F' - F = K dt + psi dtheta ln((F' + psi dtheta) / (F + psi dtheta)) by its explicit bound of
    Li et al. (1976): quadratic in F', never singular on dry ground.
    """
    taken = np.zeros(len(segments), np.float64)
    for s in prange(len(segments)):
        r0, r1, c0, c1 = segments[s]
        total = 0.0
        for j in range(r0, r1):
            for i in range(c0, c1):
                there = max(deep[j, i] + carry[j, i], np.float32(0))
                k = conductivity[j, i] * dt
                lift = suction[j, i] * deficit[j, i]
                f = soaked[j, i]
                less = k - 2 * f
                depth = min(0.5 * (less + np.sqrt(less * less + 8 * k * (lift + f))), there)
                carry[j, i] -= depth
                soaked[j, i] += depth
                total += depth
        taken[s] = total
    return taken.sum()


@njit(**PARALLEL)
def record(water, staggered, t, dt, wet_m, peak, speed, rating, arrival, duration, k, segments):  # type: ignore[no-untyped-def]
    """Raise the greatest depth, speed (m/s) and hazard rating d (v + 0.5); note arrival and time (s) above wet_m."""
    beyond = 1 if staggered else 0
    for s in prange(len(segments)):
        r0, r1, c0, c1 = segments[s]
        f, g = slice(c0, c1), slice(c0 - GHOSTS, c1 - GHOSTS)
        for j in range(r0, r1):
            n = j - GHOSTS
            x, y, below = water.flow_x[j], water.flow_y[j], water.flow_y[j + beyond]
            _record(
                water.depth[j, f], x[f], x[c0 + beyond :], y[f], below[f], t, dt, wet_m,
                peak[n, g], speed[n, g], rating[n, g], arrival[n, g], duration[n, g], k,
            )  # fmt: skip


@njit(**ROW)
def _record(h, west, east, north, south, t, dt, wet_m, peak, speed, rating, arrival, duration, k):  # type: ignore[no-untyped-def]
    # In a film velocities are of no meaning and of no danger.
    film = max(wet_m, k.dry)
    for i in range(h.size):
        x, y = k.half * (west[i] + east[i]), k.half * (north[i] + south[i])
        v = np.sqrt(x * x + y * y) / max(h[i], k.dry)
        wet, before = h[i] > film, arrival[i]
        peak[i] = max(peak[i], h[i] if h[i] > k.dry else k.zero)
        speed[i] = max(speed[i], v if wet else k.zero)
        rating[i] = max(rating[i], h[i] * (v + k.half) if wet else k.zero)
        arrival[i] = min(before, t if wet else before)
        duration[i] += dt if wet else k.zero


@njit(**PARALLEL)
def sums(water, segments):  # type: ignore[no-untyped-def]
    """Sum of depths with what is carried, m, in double precision; no number where any of them is none."""
    total = np.zeros((len(segments), water.depth.shape[1]), np.float64)
    for s in prange(len(segments)):
        r0, r1, c0, c1 = segments[s]
        f = slice(c0, c1)
        for j in range(r0, r1):
            _sum(water.depth[j, f], water.carry[j, f], total[s])
    return total.sum()


@njit(**ROW)
def _sum(depth, carry, total):  # type: ignore[no-untyped-def]
    for i in range(depth.size):
        total[i] += depth[i] + carry[i]
