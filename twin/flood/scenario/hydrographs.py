"""Series that a planner types in: rows of an hour since the start and a value."""

import itertools

Hydrograph = list[tuple[float, float]]
# Hours that a series may reach back or ahead.
FURTHEST_H = 10_000.0


def refuse_wrong(name: str, rows: Hydrograph, low: float, high: float, unit: str) -> None:
    """Raises ValueError, naming the field, for hours that do not rise and values outside limits or that are none."""
    for hour, value in rows:
        if not abs(hour) <= FURTHEST_H:
            raise ValueError(f"{name}: {hour:g} is no hour since the start")
        if not low <= value <= high:
            raise ValueError(f"{name}: {value:g} {unit} at hour {hour:g}; {low:g} to {high:g} {unit} is allowed")
    if any(b[0] <= a[0] for a, b in itertools.pairwise(rows)):
        raise ValueError(f"{name}: hours must rise")
