"""Travel time of links under flow: t = base + rise f(v), with slopes and integrals.

Both delay functions have this form, so that links in series with the same power add up to one link of their kind,
and neither capacity nor division is met in a loop.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

# Python's errors (division by zero) would cost a branch each.
COMPILED: dict[str, Any] = {"cache": True, "error_model": "numpy"}
CONSTANT, QUARTIC, POWER, CONICAL = 0, 1, 2, 3


class Delays(NamedTuple):
    """One value a link. kind; base s; rise; power (of the flow; slope alpha if conical); scale (1 / capacity)."""

    kind: npt.NDArray[np.int8]
    base: npt.NDArray[np.float64]
    rise: npt.NDArray[np.float64]
    power: npt.NDArray[np.float64]
    scale: npt.NDArray[np.float64]


@njit(**COMPILED, inline="always")
def time_and_slope(d, link, flow):  # type: ignore[no-untyped-def]
    """Seconds, and seconds per unit of flow, at a flow >= 0."""
    kind, base, rise = d.kind[link], d.base[link], d.rise[link]
    if kind == CONSTANT:
        return base, 0.0
    if kind == QUARTIC:
        cube = flow * flow * flow
        return base + rise * cube * flow, 4.0 * rise * cube
    power = d.power[link]
    if kind == POWER:
        # The right limit at zero flow: a linear delay rises from the first vehicle on.
        under = flow ** (power - 1.0) if power != 1.0 else 1.0
        return base + rise * under * flow, power * rise * under
    left = power * (1.0 - flow * d.scale[link])
    flat = (2.0 * power - 1.0) / (2.0 * power - 2.0)
    root = np.sqrt(left * left + flat * flat)
    return base + rise * (1.0 + root - left - flat), rise * power * d.scale[link] * (1.0 - left / root)


@njit(**COMPILED)
def update(d, flow, time, slope):  # type: ignore[no-untyped-def]
    """Times and slopes of all links at their flows."""
    for link in range(flow.size):
        time[link], slope[link] = time_and_slope(d, link, flow[link])


def integral(d: Delays, flow: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The integral of time over flow from 0, per link: its share of Beckmann's objective."""
    power = np.where(d.kind == QUARTIC, 4.0, d.power)
    rising = (d.kind == QUARTIC) | (d.kind == POWER)
    total = d.base * flow + np.where(rising, d.rise * flow ** (power + 1) / (power + 1), 0.0)
    at = np.flatnonzero(d.kind == CONICAL)
    a, x, c = d.power[at], flow[at] * d.scale[at], 1 / d.scale[at]
    b = (2 * a - 1) / (2 * a - 2)

    def under_root(u: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        found: npt.NDArray[np.float64] = 0.5 * (u * np.hypot(u, b) + b * b * np.arcsinh(u / b))
        return found

    total[at] += d.rise[at] * c * ((under_root(a) - under_root(a * (1 - x))) / a + (1 - b) * x - a * (x - x * x / 2))
    return total
