"""Local inertia: flows on faces, depths in cells, without the advection of momentum.

The scheme of Bates et al. (2010) in the smoothed form of de Almeida et al. (2012), whose stability in two dimensions
needs alpha <= sqrt(theta / 2); with a limiter by which no cell gives more water than it has.
"""

# Compiled loops take arrays by position, and a min or max of two numbers is one vector instruction.
# ruff: noqa: PLR0917

import numpy as np
from numba import njit, prange

from twin.flood.cpu.face import FAST, LEAN
from twin.flood.cpu.roots import cube_root
from twin.flood.cpu.state import CLOSED, GHOSTS, WALL
from twin.flood.cpu.walls import weir

PARALLEL = FAST | {"parallel": True}
THETA = 0.8
# Flow depth (m) below which a face is shut.
SHUT_M = 1e-3


@njit(**PARALLEL)
def inertial_step(now, out, z, n2, across, down, rim, segments, kinds, along, dt, over_dx, theta, shut, k):  # type: ignore[no-untyped-def]
    """One step; returns the greatest wave speed sqrt(g h) afterwards, m/s.

    Flows in now.flow_x, now.flow_y stand on west and north faces; `out` holds what is in between: new flows, and
    in out.depth the share of its outflow that a cell can give (1 in ghosts).
    """
    most = np.zeros(len(segments), now.depth.dtype)
    for s in prange(len(segments)):
        r0, r1, c0, c1 = segments[s]
        _flows(now, out, z, n2, across, down, kinds, along, r0, r1, c0, c1, dt, over_dx, theta, shut, k)
    for s in prange(len(segments)):
        r0, r1, c0, c1 = segments[s]
        for j in range(r0, r1):
            x, y, yn = out.flow_x[j], out.flow_y[j], out.flow_y[j + 1]
            _shares(now.depth[j, c0:c1], x[c0:c1], x[c0 + 1 :], y[c0:c1], yn[c0:c1], dt * over_dx, out.depth[j, c0:], k)
    for s in prange(len(segments)):
        r0, r1, c0, c1 = segments[s]
        most[s] = _fill(now, out, rim, r0, r1, c0, c1, dt * over_dx, k)
    return np.sqrt(k.gravity * most.max()) if len(segments) else k.zero


@njit(**LEAN)
def _flows(now, out, z, n2, across, down, kinds, along, r0, r1, c0, c1, dt, over_dx, theta, shut, k):  # type: ignore[no-untyped-def]
    h, x, y = now.depth, now.flow_x, now.flow_y
    rows, columns = h.shape
    b = c1 + 1
    for j in range(r0, r1 + 1):
        if j < r1:
            _row(
                z[j, c0 - 1 : c1], z[j, c0:b], h[j, c0 - 1 : c1], h[j, c0:b], n2[j, c0 - 1 : c1], n2[j, c0:b],
                x[j, c0:b], x[j, c0 - 1 :], x[j, c0 + 1 :], y[j, c0 - 1 :], y[j, c0:], y[j + 1, c0 - 1 :],
                y[j + 1, c0:], out.flow_x[j, c0:b], dt, over_dx, theta, shut, k,
            )  # fmt: skip
            # Smoothing would carry flow along into a closed rim.
            if c0 == GHOSTS and kinds[along[0] + j] == CLOSED:
                out.flow_x[j, c0] = k.zero
            if c1 == columns - GHOSTS and kinds[along[1] + j] == CLOSED:
                out.flow_x[j, c1] = k.zero
            _special(j, c0, across, z[j, c0 - 1 : c1], z[j, c0:b], h[j, c0 - 1 :], h[j, c0:], out.flow_x[j, c0:], k)
        _row(
            z[j - 1, c0:c1], z[j, c0:c1], h[j - 1, c0:c1], h[j, c0:c1], n2[j - 1, c0:c1], n2[j, c0:c1],
            y[j, c0:c1], y[j - 1, c0:], y[j + 1, c0:], x[j - 1, c0:],
            x[j - 1, c0 + 1 :], x[j, c0:], x[j, c0 + 1 :], out.flow_y[j, c0:c1], dt, over_dx, theta, shut, k,
        )  # fmt: skip
        if j == GHOSTS or j == rows - GHOSTS:
            side = along[2] if j == GHOSTS else along[3]
            for i in range(c0, c1):
                if kinds[side + i] == CLOSED:
                    out.flow_y[j, i] = k.zero
        _special(j, c0, down, z[j - 1, c0:c1], z[j, c0:c1], h[j - 1, c0:], h[j, c0:], out.flow_y[j, c0:], k)


@njit(**LEAN)
def _row(za, zb, ha, hb, na, nb, q, qm, qp, ta, tb, tc, td, out, dt, over_dx, theta, shut, k):  # type: ignore[no-untyped-def]
    smooth = (k.one - theta) * k.half
    pull = k.gravity * dt
    for i in range(q.size):
        level_a, level_b = za[i] + ha[i], zb[i] + hb[i]
        deep = max(level_a, level_b) - max(za[i], zb[i])
        flow = max(deep, shut)
        other = k.quarter * (ta[i] + tb[i] + tc[i] + td[i])
        n = k.half * (na[i] + nb[i])
        speed = np.sqrt(q[i] * q[i] + other * other)
        above = theta * q[i] + smooth * (qm[i] + qp[i]) - pull * flow * (level_b - level_a) * over_dx
        new = above / (k.one + pull * n * speed / (flow * flow * cube_root(flow)))
        out[i] = new if deep > shut else k.zero


@njit(**LEAN)
def _special(row, first, faces, za, zb, ha, hb, out, k):  # type: ignore[no-untyped-def]
    for n in range(faces.start[row], faces.start[row + 1]):
        i = faces.place[n] - first
        if 0 <= i < za.size:
            if faces.kind[n] != WALL:
                out[i] = faces.given[n]
            elif faces.crest[n] > max(za[i], zb[i]):
                left = max(za[i] + ha[i] - faces.crest[n], k.zero)
                right = max(zb[i] + hb[i] - faces.crest[n], k.zero)
                q = weir(max(left, right), min(left, right), faces.strength[n], k)
                out[i] = q if left > right else -q


@njit(**LEAN)
def _shares(h, west, east, north, south, ratio, share, k):  # type: ignore[no-untyped-def]
    for i in range(h.size):
        leaves = max(east[i], k.zero) + max(-west[i], k.zero) + max(south[i], k.zero) + max(-north[i], k.zero)
        share[i] = min(k.one, h[i] / max(ratio * leaves, k.tiny))


@njit(**LEAN)
def _limit(q, before, after, out, k):  # type: ignore[no-untyped-def]
    for i in range(out.size):
        out[i] = q[i] * (before[i] if q[i] > k.zero else after[i])


@njit(**LEAN)
def _store(h, c, west, east, north, south, ratio, k):  # type: ignore[no-untyped-def]
    for i in range(h.size):
        change = c[i] + ratio * ((west[i] - east[i]) + (north[i] - south[i]))
        deep = max(h[i] + change, k.zero)
        c[i] = change - (deep - h[i])
        h[i] = deep


@njit(**LEAN)
def _fill(now, out, rim, r0, r1, c0, c1, ratio, k):  # type: ignore[no-untyped-def]
    rows, columns = now.depth.shape
    x, y, share = out.flow_x, out.flow_y, out.depth
    most = k.zero
    for j in range(r0, r1 + 1):
        _limit(y[j, c0:c1], share[j - 1, c0:], share[j, c0:], now.flow_y[j, c0:c1], k)
        if j == GHOSTS:
            for i in range(c0, c1):
                rim.north[i] = now.flow_y[j, i]
        if j == rows - GHOSTS:
            for i in range(c0, c1):
                rim.south[i] = now.flow_y[j, i]
        if j == r1:
            break
        _limit(x[j, c0 : c1 + 1], share[j, c0 - 1 :], share[j, c0:], now.flow_x[j, c0 : c1 + 1], k)
        if c0 == GHOSTS:
            rim.west[j] = now.flow_x[j, c0]
        if c1 == columns - GHOSTS:
            rim.east[j] = now.flow_x[j, c1]
    for j in range(r0, r1):
        _store(
            now.depth[j, c0:c1], now.carry[j, c0:c1], now.flow_x[j, c0:c1], now.flow_x[j, c0 + 1 :],
            now.flow_y[j, c0:c1], now.flow_y[j + 1, c0:c1], ratio, k,
        )  # fmt: skip
        for i in range(c0, c1):
            most = max(most, now.depth[j, i])
    return most
