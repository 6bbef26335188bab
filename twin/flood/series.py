"""A quantity that changes with time: rain, discharge, level."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from twin.flood import checks
from twin.flood.errors import InvalidInput


@dataclass(frozen=True, eq=False)
class Series:
    """Values at times (s since the start of the run), lines between them or steps from each to the next.

    Before the first and after the last time the value stays. Raises InvalidInput for times out of order, values that
    are not numbers, or lists of different length; `name` says which input it was.
    """

    times: npt.ArrayLike
    values: npt.ArrayLike
    between: Literal["lines", "steps"] = "lines"
    name: str = "series"

    def __post_init__(self) -> None:
        checks.one_of(f"{self.name}: between", self.between, ("lines", "steps"))
        times = np.atleast_1d(checks.floats(f"{self.name}: times", self.times))
        values = np.atleast_1d(checks.floats(f"{self.name}: values", self.values))
        if times.ndim != 1 or times.shape != values.shape or not len(times):
            raise InvalidInput(
                f"{self.name}: {len(times)} times and {len(values)} values; give one value for each time"
            )
        for kind, numbers in (("time", times), ("value", values)):
            if not np.isfinite(numbers).all():
                place = int(np.flatnonzero(~np.isfinite(numbers))[0])
                raise InvalidInput(f"{self.name}: {kind} {place + 1} is not a number; fill the gap or leave it out")
        wrong = np.flatnonzero(np.diff(times) <= 0)
        if len(wrong):
            a, b = times[wrong[0] : wrong[0] + 2]
            raise InvalidInput(f"{self.name}: time {b:g} s stands after {a:g} s; times must rise")
        object.__setattr__(self, "times", times)
        object.__setattr__(self, "values", values)
        areas = np.diff(times) * (values[:-1] if self.between == "steps" else (values[1:] + values[:-1]) / 2)
        object.__setattr__(self, "_areas", np.concatenate(([0.0], np.cumsum(areas))))

    def at(self, t: float) -> float:
        """The value at a time."""
        times, values = np.asarray(self.times), np.asarray(self.values)
        if self.between == "lines":
            return float(np.interp(t, times, values))
        return float(values[max(int(np.searchsorted(times, t, "right")) - 1, 0)])

    def integral(self, begin: float, end: float) -> float:
        """The area under the series between two times, value x s, exact."""
        return self._until(end) - self._until(begin)

    def next_break(self, t: float) -> float:
        """The first time after t at which the series bends; infinite if there is none."""
        times = np.asarray(self.times)
        at = int(np.searchsorted(times, t, "right"))
        return float(times[at]) if at < len(times) else np.inf

    def _until(self, t: float) -> float:
        times, values = np.asarray(self.times), np.asarray(self.values)
        if t <= times[0]:
            return float((t - times[0]) * values[0])
        at = min(int(np.searchsorted(times, t, "right")) - 1, len(times) - 1)
        here = values[at] if self.between == "steps" or at == len(times) - 1 else (values[at] + self.at(t)) / 2
        areas: npt.NDArray[np.float64] = getattr(self, "_areas")  # noqa: B009 (set on a frozen object)
        return float(areas[at] + (t - times[at]) * here)


def constant(value: float, name: str = "series") -> Series:
    """The same value at all times."""
    return Series([0.0], [value], name=name)


def checked(name: str, value: object, low: float, high: float, unit: str) -> Series:
    """A series whose values lie within limits. Raises InvalidInput, naming the field, for what is none."""
    if not isinstance(value, Series):
        raise InvalidInput(f"{name}: a Series is needed, not {value!r:.60}; constant(...) makes one of a number")
    values = np.asarray(value.values)
    if values.min() < low or values.max() > high:
        raise InvalidInput(f"{name}: {values.min():g} to {values.max():g}; from {low:g} to {high:g} {unit} is allowed")
    return value
