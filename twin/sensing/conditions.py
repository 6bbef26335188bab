"""Conditions of rules, and when they hold: for a series of one datastream, and for the gauges of an area."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

import numpy as np
import numpy.typing as npt
import shapely
from pydantic import BaseModel, ConfigDict, Field, model_validator

from twin.sensing import BadEntity
from twin.sensing.figures import (
    Floats,
    Kind,
    Line,
    areal_mean,
    changes,
    disagreement,
    gaps,
    over_window,
    ranges,
    robust_z,
)
from twin.sensing.writing.fields import shape_of

Truth = npt.NDArray[np.bool_]
Operator = Literal[">", ">=", "<", "<="]
COMPARE = {">": np.greater, ">=": np.greater_equal, "<": np.less, "<=": np.less_equal}
MAX_WINDOW = timedelta(days=31)
MAX_CORNERS = 10_000
Window = Annotated[timedelta, Field(gt=timedelta(0), le=MAX_WINDOW)]
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


class Range(_Part):
    """A value that cannot be: below `low` or above `high`."""

    type: Literal["range"]
    low: float | None = None
    high: float | None = None


class Windowed(_Part):
    """Over the time before each moment: the sum (rain), the change (level rise), or the range where it is stuck."""

    type: Literal["sum", "change", "stuck"]
    window: Window
    op: Operator = ">="
    value: float = 0.0


class Spike(_Part):
    """Far from what is usual at this hour of the week, by the values of the `window` before: see `robust_z`."""

    type: Literal["spike"]
    window: Window = timedelta(days=28)
    value: Annotated[float, Field(gt=0)] = 6.0
    least: Annotated[float, Field(ge=0)] = 0.0


class Gap(_Part):
    """Nothing was told for longer before this value; while it lasts, it is a `silence`."""

    type: Literal["gap"]
    after: Window


class Silence(_Part):
    """Nothing has arrived for so long; told by the clock, never by a reading."""

    type: Literal["silence"]
    after: timedelta


class Disagreement(_Part):
    """Farther than `value` from the median of the sensors of its kind and unit within so many metres.

    All by their sum or mean over the window before; told where at least `others` of them tell something.
    """

    type: Literal["disagreement"]
    window: Window
    of: Kind = "mean"
    value: Annotated[float, Field(gt=0)]
    within_m: Annotated[float, Field(gt=0, le=100_000)]
    others: Annotated[int, Field(ge=1, le=20)] = 2


class Areal(_Part):
    """The mean over an area's gauges of their sum or mean over the window before; of rules that apply to areas."""

    type: Literal["areal"]
    window: Window
    of: Kind = "sum"
    op: Operator = ">="
    value: float


class Combined(_Part):
    """Several conditions at once."""

    type: Literal["all", "any"]
    of: Annotated[tuple["Condition", ...], Field(min_length=1, max_length=8)]


Condition = Annotated[
    Threshold | Range | Windowed | Spike | Gap | Silence | Disagreement | Areal | Combined, Field(discriminator="type")
]
Combined.model_rebuild()


class Watch(_Part):
    """A whole rule's condition: true for `hold` it raises, and it is over when `until` is true, or it is no more.

    marks: whether each observation for which `when` is true is told so in its resultQuality.
    """

    when: Condition
    hold: timedelta = timedelta(0)
    until: Condition | None = None
    marks: bool = False


class Area(_Part):
    """An area by its outline, such as a catchment: a GeoJSON polygon in degrees."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    outline: dict[str, Any]

    @model_validator(mode="after")
    def _is_an_area(self) -> Self:
        try:
            shape = shape_of(self.outline, "outline")
        except BadEntity as error:
            raise ValueError(str(error)) from None
        is_area = shape.geom_type in ("Polygon", "MultiPolygon") and shape.is_valid
        if not is_area or shapely.get_num_coordinates(shape) > MAX_CORNERS:
            raise ValueError(f"outline: a valid polygon of at most {MAX_CORNERS:,} corners is wanted")
        return self


class Applies(_Part):
    """Which datastreams a rule watches: all that fit each condition given. bbox: degrees.

    areas: the rule is of areas, each judged by its gauges: administrative areas of a level, or outlines.
    """

    kinds: tuple[str, ...] | None = None
    datastreams: tuple[int, ...] | None = None
    bbox: tuple[float, float, float, float] | None = None
    areas: (
        Literal["county", "township", "village"]
        | Annotated[tuple[Area, ...], Field(min_length=1, max_length=200)]
        | None
    ) = None


def parts_of(condition: Condition | None) -> list[Condition]:
    """The conditions that one is put together from."""
    if isinstance(condition, Combined):
        return [part for each in condition.of for part in parts_of(each)]
    return [] if condition is None else [condition]


def check(watch: Watch, applies: Applies) -> None:
    """Raises BadEntity for what can never be told."""
    parts = parts_of(watch.when) + parts_of(watch.until)
    for each in parts:
        if isinstance(each, Threshold) and (each.value is None) == (each.level is None):
            raise BadEntity("threshold: give a value or a level")
        if isinstance(each, Range) and each.low is None and each.high is None:
            raise BadEntity("range: give low, high or both")
    if any(isinstance(each, Areal) != (applies.areas is not None) for each in parts):
        raise BadEntity("areas are watched by conditions of type areal, and by no others")
    if watch.marks and (applies.areas is not None or any(isinstance(each, Silence) for each in parts)):
        raise BadEntity("marks: neither an area nor a silence has an observation to mark")


def reach(condition: Condition | None) -> timedelta:
    """How far before a moment a condition looks."""
    found = timedelta(0)
    for each in parts_of(condition):
        if isinstance(each, Windowed | Spike | Disagreement | Areal):
            found = max(found, each.window)
    return found


def nearness(watch: Watch) -> float | None:
    """Within how many metres the sensors stand that a watched one is compared with; None if with none."""
    parts = parts_of(watch.when) + parts_of(watch.until)
    return max((each.within_m for each in parts if isinstance(each, Disagreement)), default=None)


def silence_of(condition: Condition) -> timedelta | None:
    """After how long a rule calls a stream silent; None if it does not."""
    return min((each.after for each in parts_of(condition) if isinstance(each, Silence)), default=None)


def truth(
    condition: Condition,
    times: Floats,
    values: Floats,
    levels: Levels,
    *,
    since: float = -np.inf,
    others: Sequence[Line] = (),
) -> Truth:
    """Whether a condition holds at each moment (seconds since 1970, rising); nobody asks for those before `since`.

    others: series of the sensors near by, or of the gauges of an area.
    """
    match condition:
        case Combined():
            parts = [truth(each, times, values, levels, since=since, others=others) for each in condition.of]
            joined = np.logical_and if condition.type == "all" else np.logical_or
            return np.asarray(joined.reduce(parts), dtype=bool)
        case Silence():
            return np.zeros(len(times), dtype=bool)
    found = figures(condition, times, values, since, others)
    match condition:
        case Threshold():
            return np.asarray(COMPARE[condition.op](found, condition.limit(levels)), dtype=bool)
        case Range():
            low, high = condition.low, condition.high
            return np.asarray(
                (found < (-np.inf if low is None else low)) | (found > (np.inf if high is None else high)), dtype=bool
            )
        case Gap():
            return np.asarray(found > condition.after.total_seconds(), dtype=bool)
        case Spike() | Disagreement():
            return np.asarray(found > condition.value, dtype=bool)
        case Windowed(type="stuck"):
            # Stuck is told only of a whole window, and of several values in it.
            window = condition.window.total_seconds()
            number = np.arange(len(times)) - np.searchsorted(times, times - window, side="left")
            return np.asarray((found <= condition.value) & (times - times[:1] >= window) & (number >= 2), dtype=bool)
        case Windowed() | Areal():
            return np.asarray(COMPARE[condition.op](found, condition.value), dtype=bool)


def measure(condition: Condition, times: Floats, values: Floats, others: Sequence[Line] = ()) -> float | None:
    """The figure at the last moment by which a condition is judged: what an event tells as its evidence."""
    first = parts_of(condition)[0]
    if isinstance(first, Silence):
        return None
    figure = float(figures(first, times, values, times[-1], others)[-1])
    return None if np.isnan(figure) else figure


def figures(condition: Condition, times: Floats, values: Floats, since: float, others: Sequence[Line]) -> Floats:
    """What a condition compares, at each moment."""
    match condition:
        case Windowed(type="sum"):
            return over_window((times, values), times, condition.window.total_seconds(), "sum")
        case Windowed(type="change"):
            return changes(times, values, condition.window.total_seconds())
        case Windowed():
            return ranges(times, values, condition.window.total_seconds())
        case Spike():
            return robust_z((times, values), condition.window.total_seconds(), condition.least, since)
        case Gap():
            return gaps(times)
        case Disagreement():
            window = condition.window.total_seconds()
            return disagreement((times, values), others, window, condition.of, condition.others)
        case Areal():
            return areal_mean(others, times, condition.window.total_seconds(), condition.of)
        case _:
            return values
