"""Design storms: how rain of a return period falls, by intensity formula or by pattern."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twin.flood import checks
from twin.flood.errors import InvalidInput
from twin.flood.series import Series


@dataclass(frozen=True)
class IntensityFormula:
    """The Chinese rainstorm intensity formula q = 167 A (1 + C lg P) / (t + b)^n, q in L/(s ha), t min, P years.

    Parameters come from a city's published formula: `source` and `edition` say which (GB 50014-2021, section 4.1);
    beyond its ranges of duration (min) and return period (years) it is refused. made_up: invented for a demonstration.
    """

    a: float
    c: float
    b: float
    n: float
    source: str
    edition: str
    durations: tuple[float, float] = (5.0, 180.0)
    periods: tuple[float, float] = (2.0, 100.0)
    made_up: bool = False

    def __post_init__(self) -> None:
        for name, low in (("a", 0.0), ("c", 0.0), ("b", 0.0), ("n", 0.0)):
            checks.within(f"storm formula: {name}", getattr(self, name), low)
        if self.n >= 1:
            raise InvalidInput(f"storm formula: n {self.n:g} is not below 1; longer rain would bring less water")

    def intensity(self, minutes: float, years: float) -> float:
        """Mean intensity of the given duration, mm/h."""
        self._check(minutes, years)
        return float(60 * self._scale(years) / (minutes + self.b) ** self.n)

    def depth(self, minutes: float, years: float) -> float:
        """Depth of the given duration, mm."""
        return self.intensity(minutes, years) * minutes / 60

    def chicago(self, minutes: float, years: float, peak: float = 0.4, step: float = 5.0) -> Series:
        """The hyetograph of Keifer & Chu (1957) in steps of `step` minutes, mm/h; its depth is the formula's exactly.

        peak: share of the duration before the peak, 0 to 1. Each step holds the depth that falls in it, from the
        integral and not from the intensity in its middle, so that no part of the sharp peak is lost.
        """
        self._check(minutes, years)
        if not 0 <= peak <= 1 or not 0 < step <= minutes:
            raise InvalidInput(f"storm: peak {peak:g} must lie within 0 and 1, step {step:g} min within the duration")
        edges = np.append(np.arange(0, minutes - 1e-9, step), minutes)
        fallen = np.array([self._fallen(t, minutes, years, peak) for t in edges])
        rates = np.diff(fallen) / np.diff(edges) * 60
        return Series(edges * 60, np.append(rates, 0.0), "steps", "storm")

    def _scale(self, years: float) -> float:
        # 1 L/(s ha) is 0.006 mm/min; 167 of them are not quite 1, and the published formula is kept as it is.
        return 0.006 * 167 * self.a * (1 + self.c * math.log10(years))

    def _fallen(self, t: float, minutes: float, years: float, peak: float) -> float:
        """Depth up to a time, mm: both sides of the peak follow the formula's depth of their own share."""

        def depth(duration: float) -> float:
            return float(self._scale(years) * duration / (duration + self.b) ** self.n) if duration > 0 else 0.0

        crest = peak * minutes
        if t <= crest:
            return peak * (depth(minutes) - depth((crest - t) / peak)) if peak else 0.0
        return peak * depth(minutes) + (1 - peak) * depth((t - crest) / (1 - peak))

    def _check(self, minutes: float, years: float) -> None:
        for name, unit, value, (low, high) in (
            ("duration", "min", minutes, self.durations),
            ("return period", "years", years, self.periods),
        ):
            if not low <= value <= high:
                raise InvalidInput(
                    f"storm: {name} {value:g} {unit} is outside {low:g} to {high:g}, for which {self.source} "
                    f"({self.edition}) stands; use a depth with a pattern"
                )


def patterned(depth: float, shares: npt.ArrayLike, step: float) -> Series:
    """Rain of a depth (mm) falling by a temporal pattern: the share of each step of `step` minutes, summing to 1."""
    checks.within("storm: depth", depth, 0.0, unit="mm")
    checks.positive("storm: step", step, "min")
    parts = checks.floats("storm: shares", shares)
    if parts.ndim != 1 or not len(parts) or not (parts >= 0).all() or abs(parts.sum() - 1) > 1e-6:
        raise InvalidInput(f"storm: the shares of the pattern sum to {parts.sum():g}, not to 1")
    times = np.arange(len(parts) + 1) * step * 60
    return Series(times, np.append(parts * depth / step * 60, 0.0), "steps", "storm")
