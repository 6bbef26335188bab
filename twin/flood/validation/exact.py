"""Exact solutions of the shallow water equations, from the literature."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
G = 9.81


def ritter(x: Floats, t: float, h0: float) -> Floats:
    """Depth after a dam at x = 0 broke over a dry bed (Ritter 1892)."""
    c = math.sqrt(G * h0)
    return np.where(x < -c * t, h0, np.where(x > 2 * c * t, 0.0, (2 * c - x / t) ** 2 / (9 * G)))


def stoker(x: Floats, t: float, h0: float, h1: float) -> Floats:
    """Depth after a dam at x = 0 broke over still water of depth h1 (Stoker 1957, chapter 10.8)."""
    c0 = math.sqrt(G * h0)

    def excess(h: float) -> float:
        # Speed behind the rarefaction less that behind the bore.
        return 2 * (c0 - math.sqrt(G * h)) - (h - h1) * math.sqrt(G / 2 * (1 / h + 1 / h1))

    low, high = h1, h0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    h = (low + high) / 2
    u, c = 2 * (c0 - math.sqrt(G * h)), math.sqrt(G * h)
    bore = h * u / (h - h1)
    fan = (2 * c0 - x / t) ** 2 / (9 * G)
    return np.select([x < -c0 * t, x < (u - c) * t, x < bore * t], [np.full_like(x, h0), fan, np.full_like(x, h)], h1)


def riemann(x: Floats, t: float, left: tuple[float, float], right: tuple[float, float]) -> tuple[Floats, Floats]:
    """Depth and speed after t seconds where two states (m, m/s) met at x = 0 (Toro 2001, chapter 6), dry beds too."""
    (hl, ul), (hr, ur) = left, right
    cl, cr = math.sqrt(G * hl), math.sqrt(G * hr)
    dry = min(hl, hr) == 0 or 2 * (cl + cr) <= ur - ul
    h = 0.0 if dry else _between(left, right)
    u, c = (ul + ur + _passing(h, hr) - _passing(h, hl)) / 2, math.sqrt(G * h)
    # Each fan from its first to its last speed; a shock is a fan without width.
    tail_l, tail_r = (ul + 2 * cl, ur - 2 * cr) if dry else (u - c, u + c)
    head_l = ul - cl if h <= hl else ul - cl * math.sqrt((h + hl) * h / 2) / hl
    head_r = ur + cr if h <= hr else ur + cr * math.sqrt((h + hr) * h / 2) / hr
    tail_l, tail_r = (head_l if h > hl else tail_l), (head_r if h > hr else tail_r)
    s = x / t
    fan_l, fan_r = (ul + 2 * cl - s) / 3, (s - ur + 2 * cr) / 3
    where = [s < head_l, s < tail_l, s > head_r, s > tail_r]
    # Beside dry ground there is one fan.
    if hl == 0:
        where = [s < tail_r, s < tail_r, s > head_r, s > tail_r]
    if hr == 0:
        where = [s < head_l, s < tail_l, s > tail_l, s > tail_l]
    depth = np.select(where, [np.full_like(s, hl), fan_l**2 / G, np.full_like(s, hr), fan_r**2 / G], h)
    speed = np.select(where, [np.full_like(s, ul), s + fan_l, np.full_like(s, ur), s - fan_r], u)
    return depth, speed


def oblique_jump(speed: float, depth: float, turn: float) -> tuple[float, float]:
    """Depth (m) behind the jump where a fast flow is turned, and its angle to the flow before it, rad (Ippen 1951)."""
    froude = speed / math.sqrt(G * depth)
    low, high = math.asin(1 / froude), math.radians(60)
    for _ in range(80):
        angle = (low + high) / 2
        ratio = (math.sqrt(1 + 8 * (froude * math.sin(angle)) ** 2) - 1) / 2
        low, high = (angle, high) if math.tan(angle) > ratio * math.tan(angle - turn) else (low, angle)
    return ratio * depth, angle


def varied_flow(x: Floats, *, q: float, slope: float, n: float, depth: float, at: float) -> Floats:
    """Depth of the steady flow of q m2/s down a slope that has a given depth at a place (Chow 1959, section 9-1)."""
    found, place, h = np.empty_like(x), at, depth

    def rise(h: float) -> float:
        return (slope - n * n * q * q / math.pow(h, 10 / 3)) / (1 - q * q / (G * h**3))

    # Away from the place where it is known, by the midpoint rule.
    for index in np.argsort(np.abs(x - at)).tolist():
        step = (float(x[index]) - place) / 50
        for _ in range(50):
            h += step * rise(h + step / 2 * rise(h))
        found[index], place = h, float(x[index])
    return found


def thacker_planar(x: Floats, y: Floats, t: float, *, a: float, h0: float, eta: float) -> tuple[Floats, Floats]:
    """Bed and level of a flat surface that turns in a paraboloid (Thacker 1981; SWASHES 4.2.2)."""
    omega = math.sqrt(2 * G * h0) / a
    bed = -h0 * (1 - (x**2 + y**2) / a**2)
    level = eta * h0 / a**2 * (2 * x * math.cos(omega * t) + 2 * y * math.sin(omega * t) - eta)
    return bed, level


def thacker_curved(r: Floats, t: float, *, a: float, h0: float, r0: float) -> tuple[Floats, Floats]:
    """Bed and level of a curved surface that swings in a paraboloid (Thacker 1981; SWASHES 4.2.1)."""
    omega = math.sqrt(8 * G * h0) / a
    big = (a**2 - r0**2) / (a**2 + r0**2)
    bed = -h0 * (1 - r**2 / a**2)
    swing = 1 - big * math.cos(omega * t)
    level = h0 * (math.sqrt(1 - big**2) / swing - 1 - r**2 / a**2 * ((1 - big**2) / swing**2 - 1))
    return bed, level


def bump(x: Floats) -> Floats:
    """The bed of the flow over a bump (SWASHES 3.1)."""
    return np.where(np.abs(x - 10) < 2, 0.2 - 0.05 * (x - 10) ** 2, 0.0)


def _passing(h: float, side: float) -> float:
    """Change of speed through the wave between a side of some depth and what lies in the middle, m/s."""
    if h <= side:
        return 2 * (math.sqrt(G * h) - math.sqrt(G * side))
    return (h - side) * math.sqrt(G / 2 * (1 / h + 1 / side))


def _between(left: tuple[float, float], right: tuple[float, float]) -> float:
    """Depth between the two waves, m."""
    (hl, ul), (hr, ur) = left, right
    low, high = 0.0, 100 * max(hl, hr)
    for _ in range(200):
        h = (low + high) / 2
        low, high = (low, h) if _passing(h, hl) + _passing(h, hr) + ur - ul > 0 else (h, high)
    return h


def shock_over_bump(x: Floats, q: float = 0.18, tail: float = 0.33) -> Floats:
    """Depth of the transcritical flow with a shock over the bump (Goutal & Maurel 1997; SWASHES 3.1.5)."""
    crest = 0.2
    critical = (q * q / G) ** (1 / 3)
    upstream = 1.5 * critical + crest
    downstream = q * q / (2 * G * tail**2) + tail

    def depth(z: float, head: float, deep: bool) -> float:
        low, high = (critical, head - z) if deep else (1e-6, critical)
        for _ in range(80):
            h = (low + high) / 2
            too_much = h + q * q / (2 * G * h * h) > head - z
            low, high = (low, h) if too_much == deep else (h, high)
        return (low + high) / 2

    def jump(at: float) -> float:
        z = float(bump(np.array([at]))[0])
        h1, h2 = depth(z, upstream, False), depth(z, downstream, True)
        return q * q * (1 / h1 - 1 / h2) + G / 2 * (h1**2 - h2**2)

    # Behind the shock the flow has energy enough to pass: nearer to the crest it had none.
    first = 10 + math.sqrt(max(crest - (downstream - 1.5 * critical), 0.0) / 0.05)
    places = np.linspace(first + 1e-3, 11.999, 2000)
    jumps = np.array([jump(float(at)) for at in places])
    shock = float(places[int(np.argmin(np.abs(jumps)))])
    beds = bump(x)
    return np.array(
        [
            depth(float(z), upstream, bool(at < 10)) if at < shock else depth(float(z), downstream, True)
            for at, z in zip(x, beds, strict=True)
        ]
    )
