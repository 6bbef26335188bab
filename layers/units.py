"""Units of source fields and what one of them is in the unit of a model attribute (UCUM symbols)."""

from typing import Final

# Each unit of a dimension in its base unit. 1 ft is 0.3048 m since 1959; the US survey foot is 1200/3937 m.
LENGTH: Final = {
    "m": 1.0,
    "mm": 0.001,
    "cm": 0.01,
    "dm": 0.1,
    "km": 1000.0,
    "in": 0.0254,
    "ft": 0.3048,
    "ft_us": 1200 / 3937,
}
SPEED: Final = {"km/h": 1.0, "m/s": 3.6, "mph": 1.609344, "kn": 1.852}
DIMENSIONS: Final = (LENGTH, SPEED)


def factor(source: str, target: str) -> float:
    """By what a value in `source` is multiplied to be in `target`. Raises ValueError where that is no conversion."""
    for dimension in DIMENSIONS:
        if target in dimension:
            if source in dimension:
                return dimension[source] / dimension[target]
            raise ValueError(f"{source!r} cannot be converted to {target}; known: {', '.join(dimension)}")
    raise ValueError(f"nothing can be converted to {target!r}")
