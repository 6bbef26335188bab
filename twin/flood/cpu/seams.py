"""Where parts that take steps of different lengths meet: what passes there is summed up for each side by itself.

After Osher & Sanders (1983) and Sanders (2008): a seam goes at the pace of its quicker side, with the slower one as it
was left, and each side takes at its own step exactly what has passed since its last one. So no water is lost.
"""

# Compiled loops take arrays by position, and a min or max of two numbers is one vector instruction.
# ruff: noqa: PLR0917, PLW3301

from typing import NamedTuple

import numpy as np
from numba import njit, prange
from numba.np.ufunc.parallel import get_thread_id

from twin.flood.cpu.face import FAST, LEAN, ROW
from twin.flood.cpu.state import GHOSTS, Floats
from twin.flood.cpu.volume import clear, fastest, greatest, plain_fluxes, rubbed_velocities, special_faces

PARALLEL = FAST | {"parallel": True}
# Columns of a segment, and of a seam between strips: its bounds; which seams lie around, or which one it is; its level.
TOP, BOTTOM, LEFT, RIGHT, LEVEL, NORTH, WEST, EAST = range(8)
LINE, FIRST, LAST, NUMBER = range(4)


class Passed(NamedTuple):
    """What passed the seams since each side's last step, times seconds: volume, momentum of that side, along.

    level: (seam between strips of rows, side north or south, quantity, column); upright: (seam between columns of
    blocks, side west or east, quantity, row).
    """

    level: Floats
    upright: Floats


@njit(cache=True)
def lay_out(levels, block, rows, columns, longest):  # type: ignore[no-untyped-def]
    """Segments of one level in each strip of rows, none longer than `longest`; and seams between strips at work.

    levels: of each block, -1 where no work is done. rows, columns: without ghosts. There is no seam beside a block
    that is not worked on: nothing passes there.
    """
    strips, files = levels.shape
    segments = np.empty((strips * files, 8), np.int64)
    seams = np.empty(((strips + 1) * files, 5), np.int64)
    n, m = 0, 0
    for br in range(strips):
        r0, r1 = GHOSTS + br * block, GHOSTS + min((br + 1) * block, rows)
        first = 0
        while first < files:
            last = first + 1
            level = levels[br, first]
            while last < files and levels[br, last] == level and (last - first) * block < longest:
                last += 1
            if level >= 0:
                c0, c1 = GHOSTS + first * block, GHOSTS + min(last * block, columns)
                segments[n] = (r0, r1, c0, c1, level, br, first, last)
                n += 1
            first = last
    for number in range(strips + 1):
        line = GHOSTS + min(number * block, rows)
        first = 0
        while first < files:
            last = first + 1
            pace = _meeting(levels, number, first)
            while last < files and _meeting(levels, number, last) == pace and (last - first) * block < longest:
                last += 1
            if pace >= 0:
                seams[m] = (line, GHOSTS + first * block, GHOSTS + min(last * block, columns), number, pace)
                m += 1
            first = last
    return segments[:n].copy(), seams[:m].copy()


@njit(cache=True)
def _meeting(levels, number, file):  # type: ignore[no-untyped-def]
    """Level at which a seam between two strips is passed, -1 beside a block without work."""
    north = levels[number - 1, file] if number > 0 else levels[number, file]
    south = levels[number, file] if number < levels.shape[0] else north
    return min(north, south)


@njit(**PARALLEL)
def squares(water, size, speed, deepest, columns, k):  # type: ignore[no-untyped-def]
    """Greatest speed of waves, m/s, and greatest depth or carried water, m, in squares of `size` cells.

    columns: room for two numbers of each column in each row of squares.
    """
    for s in prange(speed.shape[0]):
        _squares(water, GHOSTS + s * size, size, speed[s], deepest[s], columns[s], k)


@njit(**LEAN)
def _squares(water, first, size, speed, deepest, most, k):  # type: ignore[no-untyped-def]
    width = most.shape[1]
    clear(most[0], k)
    clear(most[1], k)
    for j in range(first, min(first + size, water.depth.shape[0] - GHOSTS)):
        h = water.depth[j, GHOSTS : GHOSTS + width]
        fastest(h, water.flow_x[j, GHOSTS:], water.flow_y[j, GHOSTS:], most[0], k)
        _deepest(h, water.carry[j, GHOSTS:], most[1])
    for n in range(speed.size):
        f = slice(n * size, min((n + 1) * size, width))
        speed[n] = greatest(most[0, f], k)
        deepest[n] = greatest(most[1, f], k)


@njit(**ROW)
def _deepest(h, c, most):  # type: ignore[no-untyped-def]
    for i in range(h.size):
        most[i] = max(most[i], max(h[i], c[i]))


@njit(**PARALLEL)
def cross(water, z, n2, cell, down, rim, seams, shares, dt, since, passed, scratch, k):  # type: ignore[no-untyped-def]
    """Add up what passes the seams between strips, of all shares.

    shares: where each begins and the last ends; dt: seconds since the last step of any level, since: of each.
    """
    for share in prange(len(shares) - 1):
        own = scratch[get_thread_id()]  # type: ignore[no-untyped-call]
        for s in range(shares[share], shares[share + 1]):
            _cross_level(water, z, n2, cell, down, rim, seams[s], since[seams[s, LEVEL]], dt, passed.level, own, k)


@njit(**LEAN)
def _cross_level(water, z, n2, cell, faces, rim, seam, span, dt, passed, scratch, k):  # type: ignore[no-untyped-def]
    j, c0, number = seam[LINE], seam[FIRST], seam[NUMBER]
    f = slice(c0, seam[LAST])
    h, hu, hv = water.depth, water.flow_x, water.flow_y
    x, w, r = scratch[0:4], scratch[4:8], scratch[8:10]
    rubbed_velocities(h[j - 1, f], hu[j - 1, f], hv[j - 1, f], n2[j - 1, f], cell, w[0], w[1], r[0], k)
    rubbed_velocities(h[j, f], hu[j, f], hv[j, f], n2[j, f], cell, w[2], w[3], r[1], k)
    zn, zs, hn, hs = z[j - 1, f], z[j, f], h[j - 1, f], h[j, f]
    plain_fluxes(zn, zs, hn, hs, w[1], w[3], w[0], w[2], r[0], r[1], x[0], x[1], x[2], x[3], k)
    special_faces(j, c0, faces, zn, zs, hn, hs, w[1], w[3], w[0], w[2], x[0], x[1], x[2], x[3], k)
    if j == GHOSTS:
        _mean(rim.north[f], x[0], span / dt)
    if j == h.shape[0] - GHOSTS:
        _mean(rim.south[f], x[0], span / dt)
    _add(passed[number, 0, 0, f], passed[number, 0, 1, f], passed[number, 0, 2, f], x[0], x[1], x[3], span)
    _add(passed[number, 1, 0, f], passed[number, 1, 1, f], passed[number, 1, 2, f], x[0], x[2], x[3], span)


@njit(**LEAN)
def cross_upright(water, z, n2, cell, faces, rim, j, i, span, dt, passed, scratch, k):  # type: ignore[no-untyped-def]
    """Add up what passes the seam west of column i in a row; both its cells are as they were left.

    span, dt: seconds since the last step of its pace, and of any level. passed: (side west or east, quantity, row).
    """
    east, west = slice(i, i + 1), slice(i - 1, i)
    h, hu, hv = water.depth[j], water.flow_x[j], water.flow_y[j]
    u, v, x, r = scratch[0], scratch[1], scratch[2], scratch[3]
    near = slice(i - 1, i + 1)
    rubbed_velocities(h[near], hu[near], hv[near], n2[j, near], cell, u, v, r, k)
    zw, ze, hw, he, uw, ue, vw, ve = z[j, west], z[j, east], h[west], h[east], u[0:1], u[1:2], v[0:1], v[1:2]
    plain_fluxes(zw, ze, hw, he, uw, ue, vw, ve, r[0:1], r[1:2], x[0:1], x[1:2], x[2:3], x[3:4], k)
    special_faces(j, i, faces, zw, ze, hw, he, uw, ue, vw, ve, x[0:1], x[1:2], x[2:3], x[3:4], k)
    if i == GHOSTS:
        rim.west[j] = x[0] * span / dt
    if i == h.size - GHOSTS:
        rim.east[j] = x[0] * span / dt
    for side in range(2):
        passed[side, 0, j] += x[0] * span
        passed[side, 1, j] += x[1 + side] * span
        passed[side, 2, j] += x[3] * span


@njit(**ROW)
def _add(volume, push, along, q, p, t, span):  # type: ignore[no-untyped-def]
    for i in range(volume.size):
        volume[i] += q[i] * span
        push[i] += p[i] * span
        along[i] += t[i] * span


@njit(**ROW)
def _mean(target, source, share):  # type: ignore[no-untyped-def]
    for i in range(target.size):
        target[i] = source[i] * share


@njit(**LEAN)
def collect(passed, over, volume, push, along, k):  # type: ignore[no-untyped-def]
    """Take what passed a seam as mean flows: quantity by place in, three rows out. over: 1 / s."""
    for n, target in enumerate((volume, push, along)):
        _mean(target[: passed.shape[1]], passed[n], over)
        for i in range(passed.shape[1]):
            passed[n, i] = k.zero
