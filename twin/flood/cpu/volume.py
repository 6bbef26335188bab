"""Finite volumes: rows of cells brought one stage forward in time.

Each loop runs over whole 1-D slices, `for i in range(row.size)`, and selects instead of branching: with indices such
as `a[j, i - 1]` LLVM vectorises numba's wrap of negative indices into gathers, ten times slower (measured).
"""

# Compiled loops take arrays by position, and a min or max of two numbers is one vector instruction.
# ruff: noqa: PLR0917, PLW3301

import math

import numpy as np
from numba import njit

from twin.flood.cpu.face import FAST, LEAN, ROW, minmod, through_face
from twin.flood.cpu.roots import over_seven_thirds
from twin.flood.cpu.state import WALL
from twin.flood.cpu.walls import given_flow, over_wall


@njit(**ROW)
def velocities(h, hu, hv, u, v, k):  # type: ignore[no-untyped-def]
    """Velocity to the east and south, none in a film."""
    for i in range(h.size):
        over = k.one / max(h[i], k.dry)
        over = over if h[i] > k.dry else k.zero
        u[i] = hu[i] * over
        v[i] = hv[i] * over


@njit(**ROW)
def slopes(zm, z, zp, hm, h, hp, um, u, up, vm, v, vp, level, depth, across, along, k):  # type: ignore[no-untyped-def]
    """Limited differences across a cell of level, depth and both velocities; none beside a dry cell."""
    for i in range(h.size):
        wet = k.one if min(min(hm[i], h[i]), hp[i]) > k.dry else k.zero
        before = h[i] - hm[i]
        after = hp[i] - h[i]
        depth[i] = wet * minmod(before, after, k)
        level[i] = wet * minmod(before + (z[i] - zm[i]), after + (zp[i] - z[i]), k)
        across[i] = wet * minmod(u[i] - um[i], up[i] - u[i], k)
        along[i] = wet * minmod(v[i] - vm[i], vp[i] - v[i], k)


@njit(inline="always", **FAST)
def rub(h, u, v, n2, cell, k):  # type: ignore[no-untyped-def]
    """By how much (m) friction lets the level fall across a cell for each m/s of speed along: n^2 |u| / h^(4/3) dx."""
    return n2 * cell * math.sqrt(u * u + v * v) * max(h, k.dry) * over_seven_thirds(max(h, k.dry))


@njit(**ROW)
def rubbed_velocities(h, hu, hv, n2, cell, u, v, r, k):  # type: ignore[no-untyped-def]
    """`velocities`, and what `rub` makes of them."""
    for i in range(h.size):
        over = k.one / max(h[i], k.dry)
        over = over if h[i] > k.dry else k.zero
        u[i] = hu[i] * over
        v[i] = hv[i] * over
        r[i] = rub(h[i], u[i], v[i], n2[i], cell, k)


@njit(inline="always", **FAST)
def rubbed_face(za, ha, ua, va, ra, zb, hb, ub, vb, rb, k):  # type: ignore[no-untyped-def]
    """Fluxes of `through_face` at first order, as over a bed without the fall that friction (ra, rb) holds in balance.

    That fall, no more than the bed's and the level's own, is taken out of the step between the two cells and given back
    as a push of gravity on the thinner of the two depths, half to each: a pool at the foot of a slope is not pushed by
    the film that runs into it (the apparent bed of Bouchut, Mangeney, Perthame & Vilotte 2003). A step would count as a
    difference of levels, and smear what runs down a slope.
    """
    fall = za - zb
    held = minmod(minmod(fall, fall + ha - hb, k), k.half * (ra * ua + rb * ub), k)
    thin = min(ha, hb)
    half = k.half * held if thin > k.dry else k.zero
    volume, left, right, along = through_face(za - half, ha, ua, va, zb + half, hb, ub, vb, k)
    push = k.gravity * half * thin
    return volume, left - push, right + push, along


@njit(**ROW)
def plain_fluxes(za, zb, ha, hb, ua, ub, va, vb, ra, rb, volume, left, right, along, k):  # type: ignore[no-untyped-def]
    """First order: what passes the faces between cells a and b."""
    for i in range(za.size):
        volume[i], left[i], right[i], along[i] = rubbed_face(
            za[i], ha[i], ua[i], va[i], ra[i], zb[i], hb[i], ub[i], vb[i], rb[i], k
        )


@njit(**ROW)
def sloped_fluxes(  # type: ignore[no-untyped-def]
    za, zb, ha, hb, ua, ub, va, vb, ea, eb, da, db, ca, cb, la, lb, volume, left, right, along, k
):
    """Second order: e, d, c, l are the differences of level, depth, velocity across and along the face."""
    for i in range(za.size):
        volume[i], left[i], right[i], along[i] = through_face(
            za[i] + k.half * (ea[i] - da[i]),
            ha[i] + k.half * da[i],
            ua[i] + k.half * ca[i],
            va[i] + k.half * la[i],
            zb[i] - k.half * (eb[i] - db[i]),
            hb[i] - k.half * db[i],
            ub[i] - k.half * cb[i],
            vb[i] - k.half * lb[i],
            k,
        )


@njit(**LEAN)
def special_faces(row, first, faces, za, zb, ha, hb, ua, ub, va, vb, volume, left, right, along, k):  # type: ignore[no-untyped-def]
    """Put walls and given flows in place of what the plain law gave; `first` is the column of the first face."""
    for n in range(faces.start[row], faces.start[row + 1]):
        i = faces.place[n] - first
        if 0 <= i < za.size:
            if faces.kind[n] == WALL:
                volume[i], left[i], right[i], along[i] = over_wall(
                    za[i], ha[i], ua[i], va[i], zb[i], hb[i], ub[i], vb[i], faces.crest[n], faces.strength[n], k
                )
            else:
                volume[i], left[i], right[i], along[i] = given_flow(faces.given[n], faces.crest[n], ha[i], hb[i], k)


@njit(inline="always", **FAST)
def one_step(h, hu, hv, c, n2, gain, push_x, push_y, dt, k):  # type: ignore[no-untyped-def]
    """Depth, flows and carry of a cell after Euler's step: as `update` with a weight of 1 and without slopes.

    gain: of depth, m; push_x, push_y: of the flows, m2/s.
    """
    change = c + gain
    deep = max(h + change, k.zero)
    x = hu + push_x
    y = hv + push_y
    drag = k.four * dt * k.gravity * n2 * math.sqrt(x * x + y * y) * over_seven_thirds(max(h + gain, k.dry))
    keep = k.two / (k.one + math.sqrt(k.one + drag))
    keep = keep if min(h + gain, deep) > k.dry else k.zero
    return deep, keep * x, keep * y, change - (deep - h)


@njit(**ROW)
def advance(h, hu, hv, c, n2, vw, ve, le, rw, aw, ae, vn, vs, ls, rn, an, as_, ratio, dt, k):  # type: ignore[no-untyped-def]
    """One row by Euler's step, in place."""
    for i in range(h.size):
        gain = ratio * ((vw[i] - ve[i]) + (vn[i] - vs[i]))
        push_x = ratio * ((rw[i] - le[i]) + (an[i] - as_[i]))
        push_y = ratio * ((rn[i] - ls[i]) + (aw[i] - ae[i]))
        h[i], hu[i], hv[i], c[i] = one_step(h[i], hu[i], hv[i], c[i], n2[i], gain, push_x, push_y, dt, k)


@njit(**ROW)
def update(  # type: ignore[no-untyped-def]
    h, hu, hv, c, n2, vw, ve, le, rw, aw, ae, vn, vs, ls, rn, an, as_, ex, ey, ho, huo, hvo, co, ratio, dt, weight, k
):  # fmt: skip
    """One row: what is in ho, huo, hvo and co, and the advanced current state, weighed; depth never below 0.

    v, l, r, a: volume, momentum seen from the left and right, transverse momentum through the west, east, north and
    south face. Manning's friction is implicit: |q| = 2 |q*| / (1 + sqrt(1 + 4 dt g n^2 |q*| / h^(7/3))) is the root
    of q = q* - dt g n^2 |q| q / h^(7/3); it tends to steady flow down a slope where the step is long.

    The old state is overwritten in place: given as rows of its own it would lie where the results go, and a loop
    whose rows may overlap runs without vector instructions, six times slower (measured).
    """
    rest = k.one - weight
    pull = k.gravity * ratio
    friction = k.four * dt * k.gravity
    for i in range(h.size):
        gain = ratio * ((vw[i] - ve[i]) + (vn[i] - vs[i]))
        change = weight * (c[i] + gain) + rest * (co[i] + (ho[i] - h[i]))
        # The remainder that single precision cannot add stays in the carry, as does what a cell owes.
        deep = max(h[i] + change, k.zero)
        co[i] = change - (deep - h[i])
        ho[i] = deep
        bed = pull * h[i]
        x = hu[i] + ratio * ((rw[i] - le[i]) + (an[i] - as_[i])) - bed * ex[i]
        y = hv[i] + ratio * ((rn[i] - ls[i]) + (aw[i] - ae[i])) - bed * ey[i]
        now = max(h[i] + gain, k.dry)
        drag = friction * n2[i] * np.sqrt(x * x + y * y) * over_seven_thirds(now)
        keep = k.two / (k.one + np.sqrt(k.one + drag))
        keep = keep if min(h[i] + gain, deep) > k.dry else k.zero
        moves = weight * keep
        still = rest if deep > k.dry else k.zero
        huo[i] = moves * x + still * huo[i]
        hvo[i] = moves * y + still * hvo[i]


@njit(**ROW)
def fastest(h, hu, hv, most, k):  # type: ignore[no-untyped-def]
    """Raise `most` to the speed of waves along an axis in each column, m/s; one maximum of all would run no vectors."""
    for i in range(h.size):
        deep = max(h[i], k.dry)
        speed = max(abs(hu[i]), abs(hv[i])) / deep + np.sqrt(k.gravity * deep)
        most[i] = max(most[i], speed if h[i] > k.dry else k.zero)


@njit(**LEAN)
def greatest(values, k):  # type: ignore[no-untyped-def]
    """The greatest of numbers that are not negative."""
    most = k.zero
    for i in range(values.size):
        most = max(most, values[i])
    return most


@njit(**LEAN)
def copy(target, source):  # type: ignore[no-untyped-def]
    """Fill a row from another; assigning a slice would allocate in case the two overlap."""
    for i in range(target.size):
        target[i] = source[i]


@njit(**LEAN)
def clear(values, k):  # type: ignore[no-untyped-def]
    """Nothing in a row."""
    for i in range(values.size):
        values[i] = k.zero
