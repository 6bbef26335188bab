"""Water over a wall that stands on the edge between two cells."""

# Compiled loops take arrays by position, and a min or max of two numbers is one vector instruction.
# ruff: noqa: PLR0917

import math

from numba import njit

from twin.flood.cpu.face import FAST, through_face
from twin.flood.cpu.roots import cube_root


@njit(inline="always", **FAST)
def weir(head_up, head_down, strength, k):  # type: ignore[no-untyped-def]
    """Discharge over a broad crest, m2/s per metre of wall, from the higher to the lower side.

    Heads above the crest in metres, head_up not below head_down. Free: q = strength 1.7049 h^1.5. Submerged:
    times (1 - (h2/h1)^1.5)^0.385 (Villemonte 1947).
    """
    up = max(head_up, k.zero)
    ratio = min(max(head_down, k.zero) / max(up, k.tiny), k.one)
    left = k.one - ratio * math.sqrt(ratio)
    return strength * k.broad_crest * up * math.sqrt(up) * left**k.villemonte


@njit(**FAST)
def over_wall(zl, hl, ul, vl, zr, hr, ur, vr, crest, strength, k):  # type: ignore[no-untyped-def]
    """Fluxes of `through_face` at a face with a wall on it whose crest stands at a level, m.

    A wall under water from both sides hands over, as it drowns, to the shallow water flux above a raised bed.
    """
    left = max(zl + hl - crest, k.zero)
    right = max(zr + hr - crest, k.zero)
    higher = max(left, right)
    if crest <= max(zl, zr):
        return through_face(zl, hl, ul, vl, zr, hr, ur, vr, k)
    if higher <= k.dry:
        return k.zero, k.zero, k.zero, k.zero
    ratio = min(left, right) / higher
    share = min(max((ratio - k.drowning) / (k.drowned - k.drowning), k.zero), k.one)
    volume = weir(higher, min(left, right), strength, k)
    volume = volume if left > right else -volume
    # Water leaves and arrives with the speed it has on the crest.
    pushed = volume * volume / max(higher * (k.two / k.three), k.tiny)
    along = volume * (vl if volume > k.zero else vr)
    if share <= k.zero:
        return volume, pushed, pushed, along
    # As a raised bed: depths above the crest, the rest of each column rests against the wall.
    q, a, b, t = through_face(crest, left, ul, vl, crest, right, ur, vr, k)
    rest = k.one - share
    return rest * volume + share * q, rest * pushed + share * a, rest * pushed + share * b, rest * along + share * t


@njit(**FAST)
def given_flow(q, depth, hl, hr, k):  # type: ignore[no-untyped-def]
    """Fluxes of `through_face` where a flow q (m2/s) is given.

    depth: with which it comes where that is below its critical depth (m), else it comes critical at the thinnest: a
    flow given to dry ground must not come as a jet. It comes so as long as the water inside does not drown it, that is
    while its specific force q^2/h + g/2 h^2 is the greater one (Chow 1959, section 3-8).
    """
    inside = hl if q < k.zero else hr
    critical = cube_root(max(q * q / k.gravity, k.tiny))
    comes = min(depth if depth > k.zero else critical, critical)
    pushed = q * q / comes + k.half_gravity * (comes * comes - inside * inside)
    pushed = max(pushed, q * q / max(inside, critical))
    return q, pushed, pushed, k.zero


@njit(**FAST)
def over_crest(zl, hl, zr, hr, crest, strength, k):  # type: ignore[no-untyped-def]
    """Discharge over a wall to the right, m2/s, by the weir alone."""
    left = max(zl + hl - crest, k.zero)
    right = max(zr + hr - crest, k.zero)
    q = weir(max(left, right), min(left, right), strength, k)
    return q if left > right else -q
