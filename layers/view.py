"""A view says which city is looked at: at which moment, as known when, with which plan."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from layers import LayerError

# PostgreSQL counts microseconds, so a half-open span is a closed one that ends a microsecond earlier.
TICK = timedelta(microseconds=1)
BARE_DATE = re.compile(r"\d{4}-\d{2}-\d{2}\Z")


class DatetimeError(LayerError):
    """A `datetime` or `recorded` parameter that is neither an RFC 3339 moment, a date, nor an interval of these."""


@dataclass(frozen=True)
class Interval:
    """A closed span of time; None is unbounded. A moment is a span whose ends are equal."""

    start: datetime | None
    end: datetime | None

    @property
    def is_moment(self) -> bool:
        return self.start is not None and self.start == self.end


@dataclass(frozen=True)
class View:
    """valid: valid time asked for, None is now. recorded: as the model knew it then, None is now. plan: its id."""

    valid: Interval | None = None
    recorded: datetime | None = None
    plan: int | None = None

    @property
    def is_now(self) -> bool:
        """The city as it is: what nearly everyone asks, and the common caches hold."""
        return self == NOW


NOW = View()


def parse_interval(value: str, zone: ZoneInfo) -> Interval:
    """A `datetime` parameter (OGC API Features Part 1, 7.15.4): moment, date, or interval, `..` or empty for open ends.

    A bare date is that whole day in the city's `zone`; a time without an offset is refused. Raises DatetimeError.
    """
    parts = value.strip().split("/")
    if len(parts) > 2 or value.strip() in ("", ".."):
        raise DatetimeError(f"datetime={value!r}: give a moment, a date, or start/end, e.g. 2025-08-01/2025-08-31")
    if len(parts) == 1:
        return _span(parts[0], zone)
    start = None if parts[0] in ("", "..") else _span(parts[0], zone).start
    end = None if parts[1] in ("", "..") else _span(parts[1], zone).end
    if start and end and start > end:
        raise DatetimeError(f"datetime={value!r}: the interval ends before it starts")
    return Interval(start, end)


def parse_moment(value: str, zone: ZoneInfo) -> datetime:
    """A `recorded` parameter: a moment, or a bare date for the end of that day. Raises DatetimeError."""
    end = _span(value.strip(), zone).end
    assert end is not None
    return end


def written(moment: datetime) -> str:
    """A moment as RFC 3339 writes it, in UTC, with parts of a second only where it has them."""
    precision = "milliseconds" if moment.microsecond else "seconds"
    return moment.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")


def _span(value: str, zone: ZoneInfo) -> Interval:
    try:
        if BARE_DATE.match(value):
            day = date.fromisoformat(value)
            # Each midnight is taken in the zone: a day of clock change has 23 or 25 hours.
            start, following = (
                datetime.combine(midnight, time.min, zone).astimezone(UTC)
                for midnight in (day, day + timedelta(days=1))
            )
            return Interval(start, following - TICK)
        # A "+" that a client left unescaped arrives as a blank.
        moment = datetime.fromisoformat(re.sub(r" (?=\d\d:\d\d\Z)", "+", value))
        if moment.tzinfo is None:
            raise ValueError
        moment = moment.astimezone(UTC)
    except OverflowError:
        raise DatetimeError(f"{value!r}: outside the calendar, which is the years 0001 to 9999 in UTC") from None
    except ValueError:
        raise DatetimeError(
            f"{value!r}: not an RFC 3339 moment or date, e.g. 2025-08-01T12:00:00Z or 2025-08-01"
        ) from None
    return Interval(moment, moment)
