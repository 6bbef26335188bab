"""One stage over a segment: a strip of rows and a run of columns, with buffers that stay in the nearest cache."""

# Compiled loops take arrays by position, and a min or max of two numbers is one vector instruction.
# ruff: noqa: PLR0917

import numpy as np
from numba import njit, prange
from numba.np.ufunc.parallel import get_thread_id

from twin.flood.cpu.face import FAST, LEAN
from twin.flood.cpu.seams import BOTTOM, EAST, LEFT, LEVEL, NORTH, RIGHT, TOP, WEST, collect, cross_upright
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
# Of faces west and north of cells, of velocities, and of the greatest speed in each column: what first order needs.
ROWS_OF_BUFFERS = 19


@njit(**PARALLEL)
def first_order(  # type: ignore[no-untyped-def]
    water, z, n2, across, down, rim, segments, strips, shares, due, dt, since, cell, speed, passed, scratch, k
):
    """Euler's step, in place, of the segments of levels up to `due`, each by the seconds since its level's last one.

    strips: where the segments of each strip begin and the last end; shares: where the strips of each share do. dt:
    seconds since the last step of any level. passed: what went through the seams meanwhile, which is taken. Sets the
    greatest wave speed afterwards by strip and level, m/s.
    """
    for share in prange(len(shares) - 1):
        own = scratch[get_thread_id()]  # type: ignore[no-untyped-call]
        for n in range(shares[share], shares[share + 1]):
            strip = segments[strips[n] : strips[n + 1]]
            _first_order(water, z, n2, across, down, rim, strip, due, dt, since, cell, speed[n], passed, own, k)


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
def _first_order(water, z, n2, across, down, rim, strip, due, dt, since, cell, speed, passed, scratch, k):  # type: ignore[no-untyped-def]
    """A strip, row by row through all its segments: memory is read in order, however short they are."""
    h, hu, hv = water.depth, water.flow_x, water.flow_y
    # Columns of the buffers are those of the grid; rows of faces stand one in front, for both ends of a segment.
    x, y, w, most, r = scratch[0:4], scratch[4:12], scratch[12:16], scratch[16], scratch[17:19]
    clear(speed, k)
    if not len(strip):
        return
    r0, r1, number = strip[0, TOP], strip[0, BOTTOM], strip[0, NORTH]
    for s in range(len(strip)):
        if strip[s, LEVEL] <= due:
            f, y0, w0 = slice(strip[s, LEFT], strip[s, RIGHT]), 4 * (r0 & 1), 2 * (r0 & 1)
            over = k.one / since[strip[s, LEVEL]]
            clear(most[f], k)
            collect(passed.level[number, 1, :, f], over, y[y0, f], y[y0 + 2, f], y[y0 + 3, f], k)
            rubbed_velocities(h[r0, f], hu[r0, f], hv[r0, f], n2[r0, f], cell, w[w0, f], w[w0 + 1, f], r[r0 & 1, f], k)
    for j in range(r0 + 1, r1 + 1):
        i, y0, y1, w0, w1 = j - 1, 4 * (1 - (j & 1)), 4 * (j & 1), 2 * (1 - (j & 1)), 2 * (j & 1)
        if strip[0, LEFT] == GHOSTS and strip[0, LEVEL] <= due:
            cross_upright(
                water, z, n2, cell, across, rim, i, GHOSTS, since[strip[0, LEVEL]], dt, passed.upright[0], x, k
            )
        for s in range(len(strip)):
            c0, c1, level = strip[s, LEFT], strip[s, RIGHT], strip[s, LEVEL]
            # Nothing passes to a block that is not worked on.
            meets = c1 == h.shape[1] - GHOSTS or (s + 1 < len(strip) and strip[s + 1, LEFT] == c1)
            pace = min(level, strip[s + 1, LEVEL]) if s + 1 < len(strip) else level
            if meets and pace <= due:
                cross_upright(
                    water, z, n2, cell, across, rim, i, c1, since[pace], dt, passed.upright[strip[s, EAST]], x, k
                )
            if level > due:
                continue
            f, width = slice(c0, c1), c1 - c0
            over, ratio = k.one / since[level], since[level] / cell
            if j < r1:
                rubbed_velocities(h[j, f], hu[j, f], hv[j, f], n2[j, f], cell, w[w1, f], w[w1 + 1, f], r[j & 1, f], k)
                zn, zs, hn, hs = z[i, f], z[j, f], h[i, f], h[j, f]
                un, us, vn, vs = w[w0 + 1, f], w[w1 + 1, f], w[w0, f], w[w1, f]
                rn, rs = r[i & 1, f], r[j & 1, f]
                plain_fluxes(
                    zn, zs, hn, hs, un, us, vn, vs, rn, rs, y[y1, f], y[y1 + 1, f], y[y1 + 2, f], y[y1 + 3, f], k
                )
                special_faces(
                    j, c0, down, zn, zs, hn, hs, un, us, vn, vs, y[y1, f], y[y1 + 1, f], y[y1 + 2, f], y[y1 + 3, f], k
                )
            else:
                collect(passed.level[number + 1, 0, :, f], over, y[y1, f], y[y1 + 1, f], y[y1 + 3, f], k)
            zw, ze, hw, he = z[i, c0 : c1 - 1], z[i, c0 + 1 : c1], h[i, c0 : c1 - 1], h[i, c0 + 1 : c1]
            uw, ue, vw, ve = w[w0, f], w[w0, c0 + 1 :], w[w0 + 1, f], w[w0 + 1, c0 + 1 :]
            rw, re = r[i & 1, f], r[i & 1, c0 + 1 :]
            plain_fluxes(zw, ze, hw, he, uw, ue, vw, ve, rw, re, x[0, 1:], x[1, 1:], x[2, 1:], x[3, 1:], k)
            special_faces(i, c0 + 1, across, zw, ze, hw, he, uw, ue, vw, ve, x[0, 1:], x[1, 1:], x[2, 1:], x[3, 1:], k)
            west, east = passed.upright[strip[s, WEST], 1], passed.upright[strip[s, EAST], 0]
            x[0, 0], x[2, 0], x[3, 0] = west[0, i] * over, west[1, i] * over, west[2, i] * over
            x[0, width], x[1, width], x[3, width] = east[0, i] * over, east[1, i] * over, east[2, i] * over
            for quantity in range(3):
                west[quantity, i], east[quantity, i] = k.zero, k.zero
            advance(
                h[i, f], hu[i, f], hv[i, f], water.carry[i, f], n2[i, f],
                x[0], x[0, 1:], x[1, 1:], x[2], x[3], x[3, 1:],
                y[y0, f], y[y1, f], y[y1 + 1, f], y[y0 + 2, f], y[y0 + 3, f], y[y1 + 3, f], ratio, since[level], k,
            )  # fmt: skip
            fastest(h[i, f], hu[i, f], hv[i, f], most[f], k)
    for s in range(len(strip)):
        if strip[s, LEVEL] <= due:
            level = strip[s, LEVEL]
            speed[level] = max(speed[level], greatest(most[strip[s, LEFT] : strip[s, RIGHT]], k))


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
