"""One thread a cell: the formulas of `twin.flood.cpu`, compiled for a card.

What passes a face is computed by both of its cells from the same numbers in the same way, so that both get the same.
"""

# Kernels take arrays by position, and numba has no types for them.
# ruff: noqa: PLR0917

import math
from typing import Any, cast

from numba import cuda

from twin.flood.cpu.cells import beyond
from twin.flood.cpu.inertial import new_flow, share_given
from twin.flood.cpu.state import CLOSED, GHOSTS, WALL
from twin.flood.cpu.volume import one_step, rub, rubbed_face
from twin.flood.cpu.walls import given_flow, over_crest, over_wall

card = cast(Any, cuda)
NONE = -1


@card.jit
def outside(h, x, y, z, kinds, levels, along, staggered, k):  # type: ignore[no-untyped-def]
    """Fill the ghosts of one place along each side; see `cells.outside`."""
    n = card.grid(1)
    rows, columns = h.shape
    for side in range(4):
        upright = side < 2
        if GHOSTS <= n < (rows if upright else columns) - GHOSTS:
            kind, level = kinds[along[side] + n], levels[along[side] + n]
            far = (columns if upright else rows) - GHOSTS
            for m in range(GHOSTS):
                ghost = GHOSTS - 1 - m if side % 2 == 0 else far + m
                deep = m if kind == CLOSED else 0
                inner = GHOSTS + deep if side % 2 == 0 else far - 1 - deep
                jg, ig, j, i = (n, ghost, n, inner) if upright else (ghost, n, inner, n)
                found = beyond(kind, side, level - z[jg, ig], h[j, i], x[j, i], y[j, i], k)
                h[jg, ig] = found[0]
                if not staggered:
                    x[jg, ig] = found[1]
                    y[jg, ig] = found[2]
                elif m == 0 and side == 0:
                    x[j, ig] = x[j, i]
                elif m == 0 and side == 1:
                    x[j, ig + 1] = x[j, ig]
                elif m == 0 and side == 2:
                    y[jg, i] = y[j, i]
                elif m == 0:
                    y[jg + 1, i] = y[jg, i]


@card.jit(device=True)
def passes(za, ha, xa, ya, na, zb, hb, xb, yb, nb, n, kind, crest, strength, given, cell, k):  # type: ignore[no-untyped-def]
    """Fluxes through the face from cell a to b. x, y: flows across and along it; n: the special face, or NONE."""
    if n != NONE and kind[n] != WALL:
        return given_flow(given[n], crest[n], ha, hb, k)
    ua = xa / max(ha, k.dry) if ha > k.dry else k.zero
    va = ya / max(ha, k.dry) if ha > k.dry else k.zero
    ub = xb / max(hb, k.dry) if hb > k.dry else k.zero
    vb = yb / max(hb, k.dry) if hb > k.dry else k.zero
    if n == NONE:
        ra, rb = rub(ha, ua, va, na, cell, k), rub(hb, ub, vb, nb, cell, k)
        return rubbed_face(za, ha, ua, va, ra, zb, hb, ub, vb, rb, k)
    return over_wall(za, ha, ua, va, zb, hb, ub, vb, crest[n], strength[n], k)


@card.jit
def first_order(h, x, y, c, ho, xo, yo, co, z, n2, across, a_kind, a_crest, a_strength, a_given, down, d_kind, d_crest, d_strength, d_given, west, east, north, south, speed, cell, dt, k):  # type: ignore[no-untyped-def] # fmt: skip # noqa: E501
    """Euler's step of a cell."""
    i, j = card.grid(2)
    i, j = i + GHOSTS, j + GHOSTS
    rows, columns = h.shape
    if i >= columns - GHOSTS or j >= rows - GHOSTS:
        return
    zm, hm, xm, ym, nm = z[j, i], h[j, i], x[j, i], y[j, i], n2[j, i]
    a, b, s, t = i - 1, i + 1, j - 1, j + 1
    w = passes(
        z[j, a], h[j, a], x[j, a], y[j, a], n2[j, a], zm, hm, xm, ym, nm,
        across[j, i], a_kind, a_crest, a_strength, a_given, cell, k,
    )  # fmt: skip
    e = passes(
        zm, hm, xm, ym, nm, z[j, b], h[j, b], x[j, b], y[j, b], n2[j, b],
        across[j, b], a_kind, a_crest, a_strength, a_given, cell, k,
    )  # fmt: skip
    n = passes(
        z[s, i], h[s, i], y[s, i], x[s, i], n2[s, i], zm, hm, ym, xm, nm,
        down[j, i], d_kind, d_crest, d_strength, d_given, cell, k,
    )  # fmt: skip
    u = passes(
        zm, hm, ym, xm, nm, z[t, i], h[t, i], y[t, i], x[t, i], n2[t, i],
        down[t, i], d_kind, d_crest, d_strength, d_given, cell, k,
    )  # fmt: skip
    if i == GHOSTS:
        west[j] = w[0]
    if b == columns - GHOSTS:
        east[j] = e[0]
    if j == GHOSTS:
        north[i] = n[0]
    if t == rows - GHOSTS:
        south[i] = u[0]
    ratio = dt / cell
    gain = ratio * ((w[0] - e[0]) + (n[0] - u[0]))
    push_x = ratio * ((w[2] - e[1]) + (n[3] - u[3]))
    push_y = ratio * ((n[2] - u[1]) + (w[3] - e[3]))
    found = one_step(hm, xm, ym, c[j, i], n2[j, i], gain, push_x, push_y, dt, k)
    ho[j, i], xo[j, i], yo[j, i], co[j, i] = found[0], found[1], found[2], found[3]
    if found[0] > k.dry:
        wave = max(abs(found[1]), abs(found[2])) / found[0] + math.sqrt(k.gravity * found[0])
        card.atomic.max(speed, 0, wave)


@card.jit
def inertial_flows(h, x, y, xo, yo, z, n2, across, a_kind, a_crest, a_strength, a_given, down, d_kind, d_crest, d_strength, d_given, kinds, along, ratio, dt, theta, k):  # type: ignore[no-untyped-def] # fmt: skip # noqa: E501
    """Flows through the west and north face of a cell, as if each cell had what it is asked for."""
    i, j = card.grid(2)
    i, j = i + GHOSTS, j + GHOSTS
    rows, columns = h.shape
    smooth = (k.one - theta) * k.half
    a, s = i - 1, j - 1
    if i <= columns - GHOSTS and j < rows - GHOSTS:
        other = k.quarter * (y[j, a] + y[j, i] + y[j + 1, a] + y[j + 1, i])
        smoothed = theta * x[j, i] + smooth * (x[j, a] + x[j, i + 1])
        n = k.half * (n2[j, a] + n2[j, i])
        q = new_flow(z[j, a], z[j, i], h[j, a], h[j, i], n, other, smoothed, ratio, dt, k)
        if (i == GHOSTS and kinds[along[0] + j] == CLOSED) or (i == columns - GHOSTS and kinds[along[1] + j] == CLOSED):
            q = k.zero
        f = across[j, i]
        if f != NONE:
            if a_kind[f] != WALL:
                q = a_given[f]
            elif a_crest[f] > max(z[j, a], z[j, i]):
                q = over_crest(z[j, a], h[j, a], z[j, i], h[j, i], a_crest[f], a_strength[f], k)
        xo[j, i] = q
    if i < columns - GHOSTS and j <= rows - GHOSTS:
        other = k.quarter * (x[s, i] + x[s, i + 1] + x[j, i] + x[j, i + 1])
        smoothed = theta * y[j, i] + smooth * (y[s, i] + y[j + 1, i])
        n = k.half * (n2[s, i] + n2[j, i])
        q = new_flow(z[s, i], z[j, i], h[s, i], h[j, i], n, other, smoothed, ratio, dt, k)
        if (j == GHOSTS and kinds[along[2] + i] == CLOSED) or (j == rows - GHOSTS and kinds[along[3] + i] == CLOSED):
            q = k.zero
        f = down[j, i]
        if f != NONE:
            if d_kind[f] != WALL:
                q = d_given[f]
            elif d_crest[f] > max(z[s, i], z[j, i]):
                q = over_crest(z[s, i], h[s, i], z[j, i], h[j, i], d_crest[f], d_strength[f], k)
        yo[j, i] = q


@card.jit
def inertial_shares(h, x, y, share, ratio, k):  # type: ignore[no-untyped-def]
    """The share of what it is asked for that a cell can give; those outside give all."""
    i, j = card.grid(2)
    i, j = i + GHOSTS, j + GHOSTS
    if i < h.shape[1] - GHOSTS and j < h.shape[0] - GHOSTS:
        share[j, i] = share_given(h[j, i], x[j, i], x[j, i + 1], y[j, i], y[j + 1, i], ratio, k)


@card.jit(device=True)
def limited(q, before, after, k):  # type: ignore[no-untyped-def]
    """A flow, less what the cell that it comes from has not got."""
    return max(q, k.zero) * before + min(q, k.zero) * after


@card.jit
def inertial_depths(h, c, x, y, share, ho, xo, yo, co, west, east, north, south, speed, ratio, k):  # type: ignore[no-untyped-def]
    """Limited flows through a cell's faces, and its depth after the step."""
    i, j = card.grid(2)
    i, j = i + GHOSTS, j + GHOSTS
    rows, columns = h.shape
    if i >= columns - GHOSTS or j >= rows - GHOSTS:
        return
    b, t, own = i + 1, j + 1, share[j, i]
    w, e = limited(x[j, i], share[j, i - 1], own, k), limited(x[j, b], own, share[j, b], k)
    n, u = limited(y[j, i], share[j - 1, i], own, k), limited(y[t, i], own, share[t, i], k)
    xo[j, i], yo[j, i] = w, n
    if i == GHOSTS:
        west[j] = w
    if b == columns - GHOSTS:
        xo[j, b] = e
        east[j] = e
    if j == GHOSTS:
        north[i] = n
    if t == rows - GHOSTS:
        yo[t, i] = u
        south[i] = u
    change = c[j, i] + ratio * ((w - e) + (n - u))
    deep = max(h[j, i] + change, k.zero)
    co[j, i] = change - (deep - h[j, i])
    ho[j, i] = deep
    if deep > k.zero:
        card.atomic.max(speed, 0, math.sqrt(k.gravity * deep))
