"""Figures by which series are judged: over the time before each moment, against the usual, and beside each other."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
# Times in seconds since 1970, rising, and values.
Line = tuple[Floats, Floats]
Kind = Literal["sum", "mean"]

HOURS_A_WEEK = 168
MAD_TO_SIGMA = 1.4826
MIN_USUAL = 8


def changes(times: Floats, values: Floats, window_s: float) -> Floats:
    """Each value less the first of the window before it."""
    return values - values[np.searchsorted(times, times - window_s, side="left")]


def ranges(times: Floats, values: Floats, window_s: float) -> Floats:
    """Largest less smallest value of the window before each."""
    first = np.searchsorted(times, times - window_s, side="left")
    return np.array([np.ptp(values[start : stop + 1]) for stop, start in enumerate(first)])


def gaps(times: Floats) -> Floats:
    """Seconds between each moment and the one before; 0 for the first."""
    return np.diff(times, prepend=times[:1])


def over_window(line: Line, at: Floats, window_s: float, kind: Kind) -> Floats:
    """Sum or mean of the values in the window before each moment of `at`; NaN where there is none.

    What is told at its end belongs to the window that it ends in: open before, closed after.
    """
    times, values = line
    first, stop = np.searchsorted(times, at - window_s, side="right"), np.searchsorted(times, at, side="right")
    total, number = np.concatenate(([0.0], np.cumsum(values))), stop - first
    sums = np.where(number > 0, total[stop] - total[first], np.nan)
    return np.asarray(sums if kind == "sum" else sums / np.maximum(number, 1))


def beside(lines: Sequence[Line], at: Floats, window_s: float, kind: Kind) -> Floats:
    """What each of several series tells of the window before each moment: rows of moments, columns of those that do.

    A series that has told nothing in the window is no zero: NaN, and behind the others in its row.
    """
    found = np.full((len(at), len(lines)), np.nan)
    for place, line in enumerate(lines):
        found[:, place] = over_window(line, at, window_s, kind)
    return np.sort(found, axis=1)


def areal_mean(lines: Sequence[Line], at: Floats, window_s: float, kind: Kind) -> Floats:
    """Arithmetic mean over the gauges of an area that told something (WMO-No. 168, II-4); NaN where none did."""
    found = beside(lines, at, window_s, kind)
    number = np.count_nonzero(~np.isnan(found), axis=1)
    return np.asarray(np.where(number > 0, np.nansum(found, axis=1), np.nan) / np.maximum(number, 1))


def disagreement(own: Line, others: Sequence[Line], window_s: float, kind: Kind, least: int) -> Floats:
    """How far a series stands from the median of the others; NaN where fewer than `least` of them tell anything."""
    found = beside(others, own[0], window_s, kind)
    number = np.count_nonzero(~np.isnan(found), axis=1)
    middle = np.full(len(found), np.nan)
    for count in np.unique(number[number >= least]).tolist():
        rows = number == count
        middle[rows] = np.median(found[rows, :count], axis=1)
    return np.asarray(np.abs(over_window(own, own[0], window_s, kind) - middle))


def robust_z(line: Line, window_s: float, least: float, since: float) -> Floats:
    """How far each value is from what is usual at its hour of the week, in robust standard deviations.

    From the median of the values in the window before at the same hour of the week, in units of 1.4826 times their
    median absolute deviation (Rousseeuw and Croux 1993, section 1), `least` at least. 0 before `since`, and where
    there are fewer than MIN_USUAL of them, or where they have never varied and `least` is 0.
    """
    times, values = line
    found = np.zeros(len(times))
    hours = times // 3600 % HOURS_A_WEEK
    for hour in np.unique(hours[times >= since]):
        here = np.flatnonzero(hours == hour)
        first = np.searchsorted(times[here], times[here] - window_s, side="left")
        for place in range(int(np.searchsorted(times[here], since)), len(here)):
            usual = values[here[first[place] : place]]
            if len(usual) >= MIN_USUAL:
                middle = np.median(usual)
                spread = max(MAD_TO_SIGMA * np.median(np.abs(usual - middle)), least)
                found[here[place]] = abs(values[here[place]] - middle) / spread if spread else 0.0
    return found
