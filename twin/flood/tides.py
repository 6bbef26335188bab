"""The astronomical tide from its constituents, and surge on top of it."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from twin.flood import checks
from twin.flood.errors import InvalidInput
from twin.flood.series import Series

# The greatest range on Earth is 16 m (Bay of Fundy); more is in centimetres.
HIGHEST_AMPLITUDE_M = 10.0
# Speeds in degrees an hour (Pugh 1987, table 4.1).
SPEEDS = {
    "M2": 28.9841042,
    "S2": 30.0,
    "N2": 28.4397295,
    "K2": 30.0821373,
    "K1": 15.0410686,
    "O1": 13.9430356,
    "P1": 14.9589314,
    "Q1": 13.3986609,
    "M4": 57.9682084,
    "MS4": 58.9841042,
}


def tide(
    constituents: Mapping[str, tuple[float, float]], mean: float, until: float, step: float = 300.0, start: float = 0.0
) -> Series:
    """Levels in m, from 0 to `until` seconds: mean + sum of amplitude cos(speed t - phase).

    constituents: amplitude (m) and phase (degrees) by name. Phases hold at the origin of time, `start` seconds before
    the run: nodal factors and equilibrium arguments of that date are the caller's to put into them.
    """
    unknown = sorted(set(constituents) - set(SPEEDS))
    if unknown:
        raise InvalidInput(f"tide: no constituent {', '.join(unknown)}; known are {', '.join(SPEEDS)}")
    for name, (amplitude, phase) in constituents.items():
        checks.within(f"tide: amplitude of {name}", amplitude, 0.0, HIGHEST_AMPLITUDE_M, "m")
        checks.within(f"tide: phase of {name}", phase, -np.inf, unit="degrees")
    checks.within("tide: mean", mean, -np.inf, unit="m")
    checks.positive("tide: step", step, "s")
    times = np.arange(0.0, checks.within("tide: until", until, 0.0, unit="s") + step, step)
    hours = (times + start) / 3600
    level = np.full_like(times, mean)
    for name, (amplitude, phase) in constituents.items():
        level += amplitude * np.cos(np.radians(SPEEDS[name] * hours - phase))
    return Series(times, level, name="tide")


def with_surge(level: Series, surge: Series) -> Series:
    """Tide and surge together, at the times of both."""
    times: npt.NDArray[np.float64] = np.union1d(np.asarray(level.times), np.asarray(surge.times))
    return Series(times, [level.at(t) + surge.at(t) for t in times.tolist()], name=f"{level.name} and {surge.name}")
