"""What a rule watches for: conditions on a series, true or false at each moment, live and over history alike."""

from datetime import timedelta
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from twin.sensing import BadEntity

Floats = npt.NDArray[np.float64]
Truth = npt.NDArray[np.bool_]
Operator = Literal[">", ">=", "<", "<="]
COMPARE = {">": np.greater, ">=": np.greater_equal, "<": np.less, "<=": np.less_equal}
MAX_WINDOW = timedelta(days=31)
HOURS_A_WEEK = 168
MAD_TO_SIGMA = 1.4826
MIN_USUAL = 8
# Reference levels of a station: data in its datastream's properties, with the datum of its values.
Levels = dict[str, float]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Threshold(_Part):
    """A value beyond a limit: a number, or by `level` one of the station's own reference levels (警戒水位)."""

    type: Literal["threshold"]
    op: Operator = ">="
    value: float | None = None
    level: str | None = None

    def limit(self, levels: Levels) -> float:
        """NaN, which nothing is beyond, where the station has no such level."""
        given = levels.get(self.level) if self.level is not None else self.value
        return np.nan if given is None else given


class Windowed(_Part):
    """Over the time before each moment: the sum (rain), the change (level rise), or the range where it is stuck."""

    type: Literal["sum", "change", "stuck"]
    window: timedelta
    op: Operator = ">="
    value: float = 0.0


class Spike(_Part):
    """Far from what is usual at this hour of the week, by the values of the `window` before.

    The distance from their median in robust standard deviations, 1.4826 of their median absolute deviation (Rousseeuw
    and Croux 1993, section 1), which count as `least` at least: what hardly varies has a tiny deviation, and what never
    has varied tells nothing without. Told from MIN_USUAL values on.
    """

    type: Literal["spike"]
    window: timedelta = timedelta(days=28)
    value: Annotated[float, Field(gt=0)] = 6.0
    least: Annotated[float, Field(ge=0)] = 0.0


class Silence(_Part):
    """Nothing has arrived for so long; told by the clock, never by a reading."""

    type: Literal["silence"]
    after: timedelta


class Combined(_Part):
    """Several conditions at once."""

    type: Literal["all", "any"]
    of: Annotated[tuple["Condition", ...], Field(min_length=1, max_length=8)]


Condition = Annotated[Threshold | Windowed | Spike | Silence | Combined, Field(discriminator="type")]
Combined.model_rebuild()


class Watch(_Part):
    """A whole rule's condition: true for `hold` it raises, and it is over when `until` is true, or it is no more."""

    when: Condition
    hold: timedelta = timedelta(0)
    until: Condition | None = None


class Applies(_Part):
    """Which datastreams a rule watches: all that fit each condition given. bbox: degrees."""

    kinds: tuple[str, ...] | None = None
    datastreams: tuple[int, ...] | None = None
    bbox: tuple[float, float, float, float] | None = None


def check(condition: Condition) -> None:
    """Raises BadEntity for what can never be told."""
    if isinstance(condition, Combined):
        for each in condition.of:
            check(each)
    elif isinstance(condition, Threshold) and (condition.value is None) == (condition.level is None):
        raise BadEntity("threshold: give a value or a level")
    elif isinstance(condition, Windowed | Spike) and not timedelta(0) < condition.window <= MAX_WINDOW:
        raise BadEntity(f"window: more than nothing and at most {MAX_WINDOW.days} days")


def reach(condition: Condition | None) -> timedelta:
    """How far before a moment a condition looks."""
    if isinstance(condition, Combined):
        return max(reach(each) for each in condition.of)
    return condition.window if isinstance(condition, Windowed | Spike) else timedelta(0)


def silence_of(condition: Condition) -> timedelta | None:
    """After how long a rule calls a stream silent; None if it does not."""
    if isinstance(condition, Combined):
        found = [each for part in condition.of if (each := silence_of(part)) is not None]
        return min(found, default=None)
    return condition.after if isinstance(condition, Silence) else None


def truth(condition: Condition, times: Floats, values: Floats, levels: Levels, since: float = -np.inf) -> Truth:
    """Whether a condition holds at each moment (seconds since 1970, rising); nobody asks for those before `since`."""
    match condition:
        case Threshold():
            return np.asarray(COMPARE[condition.op](values, condition.limit(levels)), dtype=bool)
        case Windowed():
            return _windowed(condition, times, values)
        case Spike():
            return np.asarray(robust_z(condition, times, values, since) > condition.value, dtype=bool)
        case Combined():
            parts = [truth(each, times, values, levels, since) for each in condition.of]
            joined = np.logical_and if condition.type == "all" else np.logical_or
            return np.asarray(joined.reduce(parts), dtype=bool)
        case _:
            return np.zeros(len(times), dtype=bool)


def measure(condition: Condition, times: Floats, values: Floats) -> float | None:
    """The figure at the last moment by which a condition is judged: what an event tells as its evidence."""
    match condition:
        case Threshold():
            return float(values[-1])
        case Windowed():
            return float(_figures(condition, times, values)[-1])
        case Spike():
            return float(robust_z(condition, times, values, times[-1])[-1])
        case Combined():
            return measure(condition.of[0], times, values)
        case _:
            return None


def robust_z(condition: Spike, times: Floats, values: Floats, since: float) -> Floats:
    """How far each value is from what is usual at its hour of the week; 0 before `since`, and where little is known."""
    found = np.zeros(len(times))
    hours = times // 3600 % HOURS_A_WEEK
    for hour in np.unique(hours[times >= since]):
        here = np.flatnonzero(hours == hour)
        first = np.searchsorted(times[here], times[here] - condition.window.total_seconds(), side="left")
        for place in range(int(np.searchsorted(times[here], since)), len(here)):
            usual = values[here[first[place] : place]]
            if len(usual) >= MIN_USUAL:
                middle = np.median(usual)
                spread = max(MAD_TO_SIGMA * np.median(np.abs(usual - middle)), condition.least)
                found[here[place]] = abs(values[here[place]] - middle) / spread if spread else 0.0
    return found


def _windowed(condition: Windowed, times: Floats, values: Floats) -> Truth:
    figures = _figures(condition, times, values)
    if condition.type != "stuck":
        return np.asarray(COMPARE[condition.op](figures, condition.value), dtype=bool)
    # Stuck is told only of a whole window, and of several values in it.
    first = np.searchsorted(times, times - condition.window.total_seconds(), side="left")
    full = times - times[0] >= condition.window.total_seconds()
    return np.asarray((figures <= condition.value) & full & (np.arange(len(times)) - first >= 2), dtype=bool)


def _figures(condition: Windowed, times: Floats, values: Floats) -> Floats:
    before = times - condition.window.total_seconds()
    if condition.type == "sum":
        # What is told at its end belongs to the window that it ends in: open before, closed after.
        first = np.searchsorted(times, before, side="right")
        total = np.concatenate(([0.0], np.cumsum(values)))
        return np.asarray(total[1:] - total[first])
    first = np.searchsorted(times, before, side="left")
    if condition.type == "change":
        return values - values[first]
    return np.array([np.ptp(values[start : stop + 1]) for stop, start in enumerate(first)])
