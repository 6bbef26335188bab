"""One stage over a segment: a strip of rows and a run of columns, with buffers that stay in the nearest cache."""

# Compiled loops take arrays by position, and a min or max of two numbers is one vector instruction.
# ruff: noqa: PLR0917

import numpy as np
from numba import njit, prange
from numba.np.ufunc.parallel import get_thread_id

from twin.flood.cpu.face import FAST, LEAN
from twin.flood.cpu.seams import BOTTOM, EAST, LEFT, LEVEL, NORTH, RIGHT, TOP, WEST, collect
from twin.flood.cpu.state import GHOSTS
from twin.flood.cpu.volume import (
    advance,
    clear,
    copy,
    fastest,
    greatest,
    plain_fluxes,
    rubbed_velocities,
    sloped_fluxes,
    slopes,
    special_faces,
    update,
    velocities,
)

PARALLEL = FAST | {"parallel": True}


@njit(**PARALLEL)
def first_order(water, z, n2, across, down, segments, shares, cell, speed, since, passed, scratch, k):  # type: ignore[no-untyped-def]
    """Euler's step of the segments of all shares, each by the seconds since its level's last one, in place.

    shares: where each begins and the last ends. passed: what went through the seams around them meanwhile, which is
    taken. Sets the greatest wave speed of each segment afterwards, m/s.
    """
    for share in prange(len(shares) - 1):
        own = scratch[get_thread_id()]  # type: ignore[no-untyped-call]
        for s in range(shares[share], shares[share + 1]):
            speed[s] = _first_order(water, z, n2, across, down, segments[s], since, passed, cell, k, own)


@njit(**PARALLEL)
def second_order(now, out, z, n2, across, down, rim, segments, scratch, ratio, dt, weight, k):  # type: ignore[no-untyped-def]
    """One stage of Heun's step: weight 1, then 1/2 over the old state; returns the greatest wave speed, m/s."""
    speed = np.zeros(len(segments), now.depth.dtype)
    for s in prange(len(segments)):
        r0, r1, c0, c1 = segments[s]
        own = scratch[get_thread_id()]  # type: ignore[no-untyped-call]
        speed[s] = _second_order(now, out, z, n2, across, down, rim, r0, r1, c0, c1, ratio, dt, weight, k, own)
    return speed.max() if len(segments) else k.zero


@njit(**LEAN)
def _first_order(water, z, n2, across, down, segment, since, passed, cell, k, scratch):  # type: ignore[no-untyped-def]
    h, hu, hv = water.depth, water.flow_x, water.flow_y
    r0, r1, c0, c1 = segment[TOP], segment[BOTTOM], segment[LEFT], segment[RIGHT]
    dt, width, f = since[segment[LEVEL]], c1 - c0, slice(c0, c1)
    over, ratio = k.one / dt, dt / cell
    west, east = passed.upright[segment[WEST], 1], passed.upright[segment[EAST], 0]
    # Rows of the buffer are longer than the segment; loops run as far as the rows of cells do.
    x, y, w, most, r = scratch[0:4], scratch[4:12], scratch[12:16], scratch[16], scratch[17:19]
    clear(most, k)
    collect(passed.level[segment[NORTH], 1, :, f], over, y[4 * (r0 & 1)], y[4 * (r0 & 1) + 2], y[4 * (r0 & 1) + 3], k)
    w0 = 2 * (r0 & 1)
    rubbed_velocities(h[r0, f], hu[r0, f], hv[r0, f], n2[r0, f], cell, w[w0], w[w0 + 1], r[r0 & 1], k)
    for j in range(r0 + 1, r1 + 1):
        i, s, n = j - 1, j & 1, 1 - (j & 1)
        if j < r1:
            rubbed_velocities(h[j, f], hu[j, f], hv[j, f], n2[j, f], cell, w[2 * s], w[2 * s + 1], r[s], k)
            zn, zs, hn, hs = z[i, f], z[j, f], h[i, f], h[j, f]
            un, us, vn, vs = w[2 * n + 1], w[2 * s + 1], w[2 * n], w[2 * s]
            plain_fluxes(
                zn, zs, hn, hs, un, us, vn, vs, r[n], r[s], y[4 * s], y[4 * s + 1], y[4 * s + 2], y[4 * s + 3], k
            )
            special_faces(
                j, c0, down, zn, zs, hn, hs, un, us, vn, vs, y[4 * s], y[4 * s + 1], y[4 * s + 2], y[4 * s + 3], k
            )
        else:
            collect(passed.level[segment[NORTH] + 1, 0, :, f], over, y[4 * s], y[4 * s + 1], y[4 * s + 3], k)
        zw, ze, hw, he = z[i, c0 : c1 - 1], z[i, c0 + 1 : c1], h[i, c0 : c1 - 1], h[i, c0 + 1 : c1]
        uw, ue, vw, ve = w[2 * n], w[2 * n, 1:], w[2 * n + 1], w[2 * n + 1, 1:]
        plain_fluxes(zw, ze, hw, he, uw, ue, vw, ve, r[n], r[n, 1:], x[0, 1:], x[1, 1:], x[2, 1:], x[3, 1:], k)
        special_faces(i, c0 + 1, across, zw, ze, hw, he, uw, ue, vw, ve, x[0, 1:], x[1, 1:], x[2, 1:], x[3, 1:], k)
        x[0, 0], x[2, 0], x[3, 0] = west[0, i] * over, west[1, i] * over, west[2, i] * over
        x[0, width], x[1, width], x[3, width] = east[0, i] * over, east[1, i] * over, east[2, i] * over
        for quantity in range(3):
            west[quantity, i], east[quantity, i] = k.zero, k.zero
        advance(
            h[i, f], hu[i, f], hv[i, f], water.carry[i, f], n2[i, f],
            x[0], x[0, 1:], x[1, 1:], x[2], x[3], x[3, 1:],
            y[4 * n], y[4 * s], y[4 * s + 1], y[4 * n + 2], y[4 * n + 3], y[4 * s + 3], ratio, dt, k,
        )  # fmt: skip
        fastest(h[i, f], hu[i, f], hv[i, f], most, k)
    return greatest(most, k)


@njit(**LEAN)
def _second_order(now, out, z, n2, across, down, rim, r0, r1, c0, c1, ratio, dt, weight, k, scratch):  # type: ignore[no-untyped-def]
    h, hu, hv = now.depth, now.flow_x, now.flow_y
    rows, columns = h.shape
    width = c1 - c0
    a, b = c0 - 2, c1 + 2
    x, y, w, d, e, most = scratch[0:4], scratch[4:12], scratch[12:20], scratch[20:24], scratch[24:32], scratch[32]
    clear(most, k)
    for i in range(r0 - 2, r0 + 1):
        velocities(h[i, a:b], hu[i, a:b], hv[i, a:b], w[2 * (i & 3) + 0], w[2 * (i & 3) + 1], k)
    for j in range(r0 - 1, r1 + 1):
        s, n = j & 1, 1 - (j & 1)
        up, here, under = (j - 1) & 3, j & 3, (j + 1) & 3
        velocities(h[j + 1, a:b], hu[j + 1, a:b], hv[j + 1, a:b], w[2 * under], w[2 * under + 1], k)
        f = slice(c0, c1)
        uu, uh, uk = w[2 * up + 1, 2:], w[2 * here + 1, 2:], w[2 * under + 1, 2:]
        vu, vh, vk = w[2 * up, 2:], w[2 * here, 2:], w[2 * under, 2:]
        slopes(
            z[j - 1, f], z[j, f], z[j + 1, f], h[j - 1, f], h[j, f], h[j + 1, f], uu, uh, uk, vu, vh, vk,
            e[4 * s], e[4 * s + 1], e[4 * s + 2], e[4 * s + 3], k,
        )  # fmt: skip
        if j < r0:
            continue
        sloped_fluxes(
            z[j - 1, f], z[j, f], h[j - 1, f], h[j, f], uu, uh, vu, vh, e[4 * n], e[4 * s], e[4 * n + 1], e[4 * s + 1],
            e[4 * n + 2], e[4 * s + 2], e[4 * n + 3], e[4 * s + 3],
            y[4 * s], y[4 * s + 1], y[4 * s + 2], y[4 * s + 3], k,
        )  # fmt: skip
        special_faces(
            j, c0, down, z[j - 1, f], z[j, f], h[j - 1, f], h[j, f], uu, uh, vu, vh,
            y[4 * s], y[4 * s + 1], y[4 * s + 2], y[4 * s + 3], k,
        )  # fmt: skip
        if j == GHOSTS:
            copy(rim.north[c0:c1], y[4 * s])
        if j == rows - GHOSTS:
            copy(rim.south[c0:c1], y[4 * s])
        if j == r0:
            continue
        i = j - 1
        u, v, zi, hi = w[2 * up], w[2 * up + 1], z[i, a:b], h[i, a:b]
        slopes(
            zi[:-2], zi[1:-1], zi[2:], hi[:-2], hi[1:-1], hi[2:], u, u[1:], u[2:], v, v[1:], v[2:],
            d[0], d[1], d[2], d[3], k,
        )  # fmt: skip
        zw, ze, hw, he = zi[1:-2], zi[2:-1], hi[1:-2], hi[2:-1]
        uw, ue, vw, ve = u[1:], u[2:], v[1:], v[2:]
        sloped_fluxes(
            zw, ze, hw, he, uw, ue, vw, ve, d[0], d[0, 1:], d[1], d[1, 1:],
            d[2], d[2, 1:], d[3], d[3, 1:], x[0], x[1], x[2], x[3], k,
        )  # fmt: skip
        special_faces(i, c0, across, zw, ze, hw, he, uw, ue, vw, ve, x[0], x[1], x[2], x[3], k)
        if c0 == GHOSTS:
            rim.west[i] = x[0, 0]
        if c1 == columns - GHOSTS:
            rim.east[i] = x[0, width]
        update(
            h[i, f], hu[i, f], hv[i, f], now.carry[i, f], n2[i, f], x[0], x[0, 1:], x[1, 1:], x[2], x[3], x[3, 1:],
            y[4 * n], y[4 * s], y[4 * s + 1], y[4 * n + 2], y[4 * n + 3], y[4 * s + 3], d[0, 1:], e[4 * n],
            out.depth[i, f], out.flow_x[i, f], out.flow_y[i, f], out.carry[i, f], ratio, dt, weight, k,
        )  # fmt: skip
        if weight < k.one:
            fastest(out.depth[i, f], out.flow_x[i, f], out.flow_y[i, f], most, k)
    return greatest(most, k)
