"""Local inertia: flows on faces, depths in cells, without the advection of momentum.

The scheme of Bates et al. (2010) in the smoothed form of de Almeida et al. (2012), whose stability in two dimensions
needs alpha <= sqrt(theta / 2); with a limiter by which no cell gives more water than it has.
"""

# Compiled loops take arrays by position, and a min or max of two numbers is one vector instruction.
# ruff: noqa: PLR0917

import math

import numpy as np
from numba import njit, prange
from numba.np.ufunc.parallel import get_thread_id

from twin.flood.cpu.face import FAST, LEAN, ROW
from twin.flood.cpu.roots import over_seven_thirds
from twin.flood.cpu.state import CLOSED, GHOSTS, WALL
from twin.flood.cpu.volume import clear, copy, greatest
from twin.flood.cpu.walls import over_crest

PARALLEL = FAST | {"parallel": True}
THETA = 0.8


@njit(**PARALLEL)
def inertial_step(  # type: ignore[no-untyped-def]
    now, out, z, n2, across, down, rim, segments, scratch, kinds, along, ratio, dt, theta, k
):
    """One step; returns the greatest wave speed sqrt(g h) afterwards, m/s.

    Flows in flow_x, flow_y stand on west and north faces. ratio: dt over the width of a cell, s/m.
    """
    most = np.zeros(len(segments), now.depth.dtype)
    for s in prange(len(segments)):
        own = scratch[get_thread_id()]  # type: ignore[no-untyped-call]
        most[s] = _segment(now, out, z, n2, across, down, rim, segments[s], own, kinds, along, ratio, dt, theta, k)
    return np.sqrt(k.gravity * most.max()) if len(segments) else k.zero


@njit(**LEAN)
def _segment(now, out, z, n2, across, down, rim, segment, scratch, kinds, along, ratio, dt, theta, k):  # type: ignore[no-untyped-def]
    """Flows, shares and depths of a segment in one pass over its rows; returns the greatest depth, m.

    Flows and shares are computed for the cells around it too, so that no segment waits for another. Those of the
    ghosts are not: what is outside gives what it is asked for.
    """
    r0, r1, c0, c1 = segment
    rows, columns = now.depth.shape
    # Cells with the ones around the segment, and where those are no ghosts.
    a, b = c0 - 1, c1 + 1
    west, east = c0 if c0 == GHOSTS else a, c1 if c1 == columns - GHOSTS else b
    north, south = r0 if r0 == GHOSTS else r0 - 1, r1 if r1 == rows - GHOSTS else r1 + 1
    # Rows of the buffer begin at cell a.
    x, y, share, most = scratch[0], scratch[1:3], scratch[3:5], scratch[5]
    clear(most, k)
    for n in range(2):
        for i in range(b - a):
            share[n, i] = k.one
    f = slice(west - a, east - a)
    _down(now, z, n2, down, kinds, along, north, west, east, y[north & 1, f], ratio, dt, theta, k)
    for j in range(north, r1 + 1):
        s, n = j & 1, 1 - (j & 1)
        if j < south:
            _across(now, z, n2, across, kinds, along, j, west, east, x[west - a : east - a + 1], ratio, dt, theta, k)
            _down(now, z, n2, down, kinds, along, j + 1, west, east, y[n, f], ratio, dt, theta, k)
            _shares(now.depth[j, west:east], x[f], x[west - a + 1 :], y[s, f], y[n, f], ratio, share[s, f], k)
        else:
            for i in range(b - a):
                share[s, i] = k.one
        if j < r0:
            continue
        _limit(y[s, 1:], share[n, 1:], share[s, 1:], out.flow_y[j, c0:c1], k)
        if j == GHOSTS:
            copy(rim.north[c0:c1], out.flow_y[j, c0:c1])
        if j == rows - GHOSTS:
            copy(rim.south[c0:c1], out.flow_y[j, c0:c1])
        if j > r0:
            _store(now, out, j - 1, c0, c1, ratio, most, k)
        if j < r1:
            _limit(x[1:], share[s], share[s, 1:], out.flow_x[j, c0 : c1 + 1], k)
            if c0 == GHOSTS:
                rim.west[j] = out.flow_x[j, c0]
            if c1 == columns - GHOSTS:
                rim.east[j] = out.flow_x[j, c1]
    return greatest(most, k)


@njit(**LEAN)
def _across(now, z, n2, faces, kinds, along, j, west, east, out, ratio, dt, theta, k):  # type: ignore[no-untyped-def]
    """Flows through the west faces of cells west to east of row j, the one after them included."""
    h, x, y, columns = now.depth[j], now.flow_x[j], now.flow_y, now.depth.shape[1]
    a, b = slice(west - 1, east), slice(west, east + 1)
    _row(
        z[j, a], z[j, b], h[a], h[b], n2[j, a], n2[j, b], x[b], x[a], x[west + 1 :],
        y[j, a], y[j, b], y[j + 1, a], y[j + 1, b], out, ratio, dt, theta, k,
    )  # fmt: skip
    # Smoothing would carry flow along into a closed rim.
    if west == GHOSTS and kinds[along[0] + j] == CLOSED:
        out[0] = k.zero
    if east == columns - GHOSTS and kinds[along[1] + j] == CLOSED:
        out[east - west] = k.zero
    _special(j, west, faces, z[j, a], z[j, b], h[a], h[b], out, k)


@njit(**LEAN)
def _down(now, z, n2, faces, kinds, along, j, west, east, out, ratio, dt, theta, k):  # type: ignore[no-untyped-def]
    """Flows through the north faces of cells west to east of row j."""
    h, x, y, rows = now.depth, now.flow_x, now.flow_y, now.depth.shape[0]
    f, g = slice(west, east), slice(west + 1, east + 1)
    _row(
        z[j - 1, f], z[j, f], h[j - 1, f], h[j, f], n2[j - 1, f], n2[j, f], y[j, f], y[j - 1, f], y[j + 1, f],
        x[j - 1, f], x[j - 1, g], x[j, f], x[j, g], out, ratio, dt, theta, k,
    )  # fmt: skip
    if j == GHOSTS or j == rows - GHOSTS:
        side = along[2] if j == GHOSTS else along[3]
        for i in range(west, east):
            if kinds[side + i] == CLOSED:
                out[i - west] = k.zero
    _special(j, west, faces, z[j - 1, f], z[j, f], h[j - 1, f], h[j, f], out, k)


@njit(inline="always", **FAST)
def new_flow(za, zb, ha, hb, n2, other, smoothed, ratio, dt, k):  # type: ignore[no-untyped-def]
    """Flow through a face from cell a to b after a step, m2/s. other: flow along the face; smoothed: through it."""
    level_a, level_b = za + ha, zb + hb
    deep = max(level_a, level_b) - max(za, zb)
    flow = max(deep, k.shut)
    above = smoothed - k.gravity * ratio * flow * (level_b - level_a)
    # Friction by the new flow and not, as in the papers, by the old one: where the step is long, films on a slope
    # would swing between too fast and too slow for ever.
    drag = k.four * dt * k.gravity * n2 * math.sqrt(above * above + other * other) * over_seven_thirds(flow)
    return k.two * above / (k.one + math.sqrt(k.one + drag)) if deep > k.shut else k.zero


@njit(inline="always", **FAST)
def share_given(h, west, east, north, south, ratio, k):  # type: ignore[no-untyped-def]
    """The share of what it is asked for that a cell can give."""
    leaves = max(east, k.zero) + max(-west, k.zero) + max(south, k.zero) + max(-north, k.zero)
    return min(k.one, h / max(ratio * leaves, k.tiny))


@njit(**ROW)
def _row(za, zb, ha, hb, na, nb, q, qm, qp, ta, tb, tc, td, out, ratio, dt, theta, k):  # type: ignore[no-untyped-def]
    smooth = (k.one - theta) * k.half
    for i in range(za.size):
        other = k.quarter * (ta[i] + tb[i] + tc[i] + td[i])
        smoothed = theta * q[i] + smooth * (qm[i] + qp[i])
        out[i] = new_flow(za[i], zb[i], ha[i], hb[i], k.half * (na[i] + nb[i]), other, smoothed, ratio, dt, k)


@njit(**LEAN)
def _special(row, first, faces, za, zb, ha, hb, out, k):  # type: ignore[no-untyped-def]
    for n in range(faces.start[row], faces.start[row + 1]):
        i = faces.place[n] - first
        if 0 <= i < za.size:
            if faces.kind[n] != WALL:
                out[i] = faces.given[n]
            elif faces.crest[n] > max(za[i], zb[i]):
                out[i] = over_crest(za[i], ha[i], zb[i], hb[i], faces.crest[n], faces.strength[n], k)


@njit(**ROW)
def _shares(h, west, east, north, south, ratio, share, k):  # type: ignore[no-untyped-def]
    for i in range(h.size):
        share[i] = share_given(h[i], west[i], east[i], north[i], south[i], ratio, k)


@njit(**ROW)
def _limit(q, before, after, out, k):  # type: ignore[no-untyped-def]
    for i in range(out.size):
        # A choice between two numbers in memory would be compiled to a gather.
        out[i] = max(q[i], k.zero) * before[i] + min(q[i], k.zero) * after[i]


@njit(**LEAN)
def _store(now, out, j, c0, c1, ratio, most, k):  # type: ignore[no-untyped-def]
    x, y, f = out.flow_x[j], out.flow_y, slice(c0, c1)
    _fill(
        now.depth[j, f], now.carry[j, f], x[f], x[c0 + 1 :], y[j, f], y[j + 1, f], out.depth[j, f], out.carry[j, f],
        ratio, most, k,
    )  # fmt: skip


@njit(**ROW)
def _fill(h, c, west, east, north, south, ho, co, ratio, most, k):  # type: ignore[no-untyped-def]
    for i in range(h.size):
        change = c[i] + ratio * ((west[i] - east[i]) + (north[i] - south[i]))
        deep = max(h[i] + change, k.zero)
        co[i] = change - (deep - h[i])
        ho[i] = deep
        most[i] = max(most[i], deep)
