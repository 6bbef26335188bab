"""What a case of the ladder gives: figures beside what they should be, and curves to look at."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from twin.flood.cpu.solver import Mode

MODES: tuple[Mode, ...] = ("full", "fast", "inertial")
FINITE_VOLUMES: tuple[Mode, ...] = ("full", "fast")


@dataclass(frozen=True)
class Row:
    """One figure of a case: what it is, what it should be, what was found, and whether that is near enough."""

    case: str
    figure: str
    expected: str
    found: str
    good: bool


@dataclass(frozen=True, eq=False)
class Line:
    """One line of a picture; `exact` ones are drawn thin and black."""

    label: str
    x: npt.NDArray[Any]
    y: npt.NDArray[Any]
    exact: bool = False


@dataclass(frozen=True, eq=False)
class Curves:
    """One panel of a picture: lines over one axis."""

    picture: str
    title: str
    x_title: str
    y_title: str
    lines: Sequence[Line]


Found = Iterator[Row | Curves]


def at_most(case: str, figure: str, found: float, limit: float | None, unit: str = "") -> Row:
    """A figure that should not be larger than a limit; without one it is told and not judged."""
    space = " " + unit if unit else ""
    told = f"{found:.2g}{space}" if found < 100 else f"{found:.0f}{space}"
    if limit is None:
        return Row(case, figure, "told, not judged", told, True)
    return Row(case, figure, f"<= {limit:g}{space}", told, bool(found <= limit))


def near(case: str, figure: str, found: float, expected: float, *, share: float, unit: str = "") -> Row:
    """A figure that should equal another within a share of it."""
    space = " " + unit if unit else ""
    good = bool(abs(found - expected) <= share * abs(expected))
    return Row(case, figure, f"{expected:.5g}{space} within {100 * share:g} %", f"{found:.5g}{space}", good)
