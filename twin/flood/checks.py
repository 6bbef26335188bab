"""What a user gives is looked at before anything is computed with it; messages begin with the field's name."""

import math
from collections.abc import Collection
from typing import Any

import numpy as np
import numpy.typing as npt

from twin.flood.errors import InvalidInput

Floats = npt.NDArray[np.float64]


def floats(name: str, values: Any) -> Floats:
    """Values as numbers, whatever their shape. Raises InvalidInput for anything else."""
    try:
        return np.asarray(values, np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"{name}: numbers are needed, not {values!r:.60}") from error


def within(name: str, value: Any, low: float, high: float = math.inf, unit: str = "") -> float:
    """One finite number from low to high. Raises InvalidInput."""
    number = floats(name, value)
    if number.ndim or not np.isfinite(number) or not low <= number <= high:
        limits = f"from {low:g} on" if high == math.inf else f"from {low:g} to {high:g}"
        raise InvalidInput(f"{name}: {value!r:.60} is no number {limits if low > -math.inf else ''} {unit}".rstrip())
    return float(number)


def positive(name: str, value: Any, unit: str = "") -> float:
    """One finite number above 0. Raises InvalidInput."""
    if within(name, value, 0.0, unit=unit) == 0:
        raise InvalidInput(f"{name}: 0 {unit} is not above 0")
    return float(value)


def one_of(name: str, value: Any, known: Collection[str]) -> None:
    """Raises InvalidInput for a word that is not known."""
    if value not in known:
        raise InvalidInput(f"{name}: {value!r:.60} is none of {', '.join(known)}")


def on_cells(name: str, values: Any, shape: tuple[int, int]) -> Floats:
    """One number for all cells or one for each, as a grid. Raises InvalidInput for another shape."""
    given = floats(name, values)
    try:
        spread: Floats = np.broadcast_to(given, shape)
    except ValueError as error:
        raise InvalidInput(f"{name}: its shape {given.shape} is not that of the terrain, {shape}") from error
    return spread
