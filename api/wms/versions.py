"""The versions of WMS that are spoken, and which of them a client gets (OGC 06-042, 6.2.4)."""

import re
from typing import Literal

Version = Literal["1.1.1", "1.3.0"]
OLDEST: Version = "1.1.1"
NEWEST: Version = "1.3.0"
NUMBERS = re.compile(r"\d{1,4}(\.\d{1,4}){0,2}\Z", re.ASCII)


def negotiated(asked: str | None) -> Version | None:
    """The version of the capabilities for a client that asks for one: that, or the next lower, or the lowest.

    None for what is no version number.
    """
    if asked is None:
        return NEWEST
    return None if not NUMBERS.match(asked) else NEWEST if _parts(asked) >= _parts(NEWEST) else OLDEST


def spoken(asked: str) -> Version | None:
    """The version of any other request, which must be one that is spoken; 1.1.0 is asked and answered as 1.1.1."""
    if not NUMBERS.match(asked):
        return None
    parts = _parts(asked)
    return NEWEST if parts == (1, 3, 0) else OLDEST if parts in ((1, 1, 0), (1, 1, 1)) else None


def _parts(version: str) -> tuple[int, ...]:
    numbers = [int(part) for part in version.split(".")]
    return tuple(numbers + [0] * (3 - len(numbers)))
