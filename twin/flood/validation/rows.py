"""What a case of the ladder gives: figures beside what they should be, and curves to look at."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from twin.flood.cpu.solver import Mode

MODES: tuple[Mode, ...] = ("full", "fast", "inertial")
FINITE_VOLUMES: tuple[Mode, ...] = ("full", "fast")
# Where a figure is told for what it is.
NOT_JUDGED = "not judged"


@dataclass(frozen=True)
class Row:
    """One figure of a case: what it is, what it should be, what was found, and whether that is near enough.

    mode: the scheme that found it, or none where a formula or one scheme alone is asked.
    """

    case: str
    figure: str
    expected: str
    found: str
    good: bool
    mode: Mode | None = None


@dataclass(frozen=True, eq=False)
class Line:
    """One line of a picture; `exact` ones are drawn thin and black, or as black dots where there are only samples."""

    label: str
    x: npt.NDArray[Any]
    y: npt.NDArray[Any]
    exact: bool = False
    samples: bool = False


@dataclass(frozen=True, eq=False)
class Curves:
    """One panel of a picture: lines over one axis."""

    picture: str
    title: str
    x_title: str
    y_title: str
    lines: Sequence[Line]


Found = Iterator[Row | Curves]


def at_most(
    case: str, figure: str, found: float, limit: float | None, unit: str = "", *, mode: Mode | None = None
) -> Row:
    """A figure that should not be larger than a limit; without one it is told and not judged."""
    space = " " + unit if unit else ""
    told = (f"{found:.0f}" if found >= 10 else f"{found:.2g}") + space
    if limit is None:
        return Row(case, figure, NOT_JUDGED, told, True, mode)
    return Row(case, figure, f"<= {limit:g}{space}", told, bool(found <= limit), mode)


def at_least(
    case: str, figure: str, found: float, limit: float | None, unit: str = "", *, mode: Mode | None = None
) -> Row:
    """A figure that should not be smaller than a limit; without one it is told and not judged."""
    space = " " + unit if unit else ""
    told = f"{found:.2g}" if abs(found) < 0.1 else f"{found:.3g}"
    if limit is None:
        return Row(case, figure, NOT_JUDGED, told + space, True, mode)
    return Row(case, figure, f">= {limit:g}{space}", told + space, bool(found >= limit), mode)


def near(
    case: str, figure: str, found: float, expected: float, *, share: float, unit: str = "", mode: Mode | None = None
) -> Row:
    """A figure that should equal another within a share of it."""
    space = " " + unit if unit else ""
    good = bool(abs(found - expected) <= share * abs(expected))
    return Row(case, figure, f"{expected:.5g}{space} within {100 * share:g} %", f"{found:.5g}{space}", good, mode)
