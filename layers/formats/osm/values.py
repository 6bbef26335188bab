"""Values of OpenStreetMap tags: numbers with units, yes and no. What cannot be read is None, never a guess."""

import re
from typing import Final

MILE_KM: Final = 1.609344
NAUTICAL_MILE_KM: Final = 1.852
FOOT_M: Final = 0.3048
INCH_M: Final = 0.0254

NUMBER = r"([-+]?\d+(?:\.\d+)?)"
LENGTH = re.compile(rf"{NUMBER}\s*(m|km|ft|')?")
FEET_AND_INCHES = re.compile(r"(\d+)'\s*(\d+(?:\.\d+)?)(?:\"|'')")
SPEED = re.compile(rf"{NUMBER}\s*(km/h|kmh|kph|mph|knots)?")

LENGTH_UNITS: Final[dict[str | None, float]] = {None: 1.0, "m": 1.0, "km": 1000.0, "ft": FOOT_M, "'": FOOT_M}
SPEED_UNITS: Final[dict[str | None, float]] = {
    None: 1.0,
    "km/h": 1.0,
    "kmh": 1.0,
    "kph": 1.0,
    "mph": MILE_KM,
    "knots": NAUTICAL_MILE_KM,
}

INTEGER_LIMIT: Final = 2**31


def metres(value: str | None) -> float | None:
    """Length in metres; without a unit it is metres ("12", "12.5 m", "40 ft", "12'6\"")."""
    if not value:
        return None
    if imperial := FEET_AND_INCHES.fullmatch(value.strip()):
        return int(imperial[1]) * FOOT_M + float(imperial[2]) * INCH_M
    found = LENGTH.fullmatch(value.strip())
    return float(found[1]) * LENGTH_UNITS[found[2]] if found else None


def kilometres_per_hour(value: str | None) -> float | None:
    """Speed in km/h; without a unit it is km/h. "none", "walk" and zone names such as "RO:urban" are None."""
    found = SPEED.fullmatch(value.strip()) if value else None
    speed = float(found[1]) * SPEED_UNITS[found[2]] if found else 0.0
    return speed if speed > 0 else None


def integer(value: str | None) -> int | None:
    """A whole number; "2.0" is 2, "2;3" and "2.5" are None."""
    try:
        number = float(value) if value else None
    except ValueError:
        return None
    return int(number) if number is not None and abs(number) < INTEGER_LIMIT and number == int(number) else None


def storeys(value: str | None) -> int | None:
    """Storeys in whole; a half storey ("2.5") is one that stands, so it counts."""
    length = metres(value)
    return -int(-length // 1) if length is not None and 0 <= length < INTEGER_LIMIT else None


def present(value: str | None) -> bool:
    """Whether a feature is there at all ("yes", "viaduct"), as of bridge=, tunnel=, electrified=."""
    return value is not None and value != "no"
