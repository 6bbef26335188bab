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
