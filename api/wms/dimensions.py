"""TIME and ELEVATION: which moment, and which heights, a map shows (OGC 06-042, annexes C and D).

A city has a state at every moment, so a moment need not be rounded to one that there are data of: only what lies beyond
the range that is declared is taken to its nearer end. A list of moments, or a range, shows each object as it last was
between the first and the last of them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from api.ows.fault import INVALID, Fault
from api.ows.kvp import Kvp
from api.views import PLAN
from layers.catalog import Catalog
from layers.view import TICK, DatetimeError, Interval, View, parse_interval, parse_moment, written

FIRST, LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
TIME_EXTENT = "1900-01-01T00:00:00Z/2100-01-01T00:00:00Z/P1D"
# Metres above the city's vertical datum: from the deepest shore to the highest mountain, as fine as one likes.
LOWEST, HIGHEST = -500.0, 9000.0
ELEVATION_EXTENT = "-500/9000/0"
NOW_WORDS = frozenset(("current", "now", "present"))
YEAR, MONTH = re.compile(r"\d{4}\Z", re.ASCII), re.compile(r"\d{4}-\d{2}\Z", re.ASCII)
NAIVE = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}(:\d{2}(:\d{2}(\.\d+)?)?)?\Z", re.ASCII)
HOUR_ONLY = re.compile(r"(T\d{2})(?=Z|[+-]|\Z)", re.ASCII)
PERIOD = re.compile(r"P[0-9YMWDTHS.]+\Z", re.ASCII)
MOST_MOMENTS = 1_000


@dataclass(frozen=True)
class Moment:
    """The valid time that a map shows, None for now, and the warning that goes with it."""

    valid: Interval | None
    warning: str | None = None


@dataclass(frozen=True)
class Height:
    """The lowest ground that a map shows, metres; None for all of it."""

    value: float | None
    warning: str | None = None


def take_time(text: str | None, zone: ZoneInfo) -> Moment:
    """What TIME asks for. zone: of dates and times that name none. Raises Fault."""
    if text is None:
        return Moment(None, _warning("Default", "time", written(datetime.now(UTC)), "ISO8601"))
    if text.lower() in NOW_WORDS:
        return Moment(None)
    spans = [_span(part, zone) for part in _parts(text)]
    starts, ends = [span.start for span in spans], [span.end for span in spans]
    start = None if None in starts else min(moment for moment in starts if moment)
    end = None if None in ends else max(moment for moment in ends if moment)
    if start and end and start > end:
        raise Fault("InvalidDimensionValue", f"TIME={text[:80]!r}: it ends before it starts", "TIME")
    return _within_extent(Interval(start, end))


def listed_times(times: Sequence[datetime]) -> str:
    """The moments of a layer that has states, as a dimension lists them."""
    return ",".join(written(moment) for moment in times)


def nearest_warning(moment: Moment, shown: datetime) -> str | None:
    """What is said where a layer shows a state of another moment than is asked for."""
    if moment.valid is not None and shown in (moment.valid.start, moment.valid.end):
        return None
    return _warning("Default" if moment.valid is None else "Nearest", "time", written(shown), "ISO8601")


def take_view(kvp: Kvp, catalog: Catalog, moment: Moment) -> View:
    """The moment of TIME with the vendor parameters PLAN and RECORDED. Raises Fault, BadRequest."""
    plan, recorded = kvp.get("PLAN"), kvp.get("RECORDED")
    number = None if plan is None else PLAN.read(plan)
    if number is not None and number not in catalog.plans:
        raise Fault(INVALID, f"PLAN={number}: the city has no such plan", "PLAN")
    try:
        known = None if recorded is None else parse_moment(recorded, catalog.zone)
    except DatetimeError as error:
        raise Fault(INVALID, f"RECORDED: {error}", "RECORDED") from None
    return View(moment.valid, known, number)


def take_elevation(text: str | None) -> Height:
    """What ELEVATION asks for. Raises Fault."""
    if text is None:
        return Height(None, _warning("Default", "elevation", f"{LOWEST:g}", "metre"))
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not abs(value) < float("inf"):
        raise Fault("InvalidDimensionValue", f"ELEVATION={text[:60]!r}: one number of metres is wanted", "ELEVATION")
    nearest = min(max(value, LOWEST), HIGHEST)
    return Height(nearest, None if nearest == value else _warning("Nearest", "elevation", f"{nearest:g}", "metre"))


def _parts(text: str) -> list[str]:
    parts = [part.strip() for part in text.split(",")]
    if len(parts) > MOST_MOMENTS:
        raise Fault("InvalidDimensionValue", f"TIME: {len(parts)} moments; at most {MOST_MOMENTS} are read", "TIME")
    return parts


def _span(text: str, zone: ZoneInfo) -> Interval:
    """A moment, a year, month or day, or start/end[/period]: what lies between, whatever the period."""
    start, *more = text.split("/")
    if len(more) > 2 or (len(more) == 2 and not PERIOD.match(more[1])):
        raise Fault("InvalidDimensionValue", f"TIME={text[:80]!r}: give a moment, or start/end[/period]", "TIME")
    if not more:
        return _instant(start, zone)
    return Interval(_instant(start, zone).start, _instant(more[0], zone).end)


def _instant(text: str, zone: ZoneInfo) -> Interval:
    if text.lower() in NOW_WORDS:
        now = datetime.now(UTC)
        return Interval(now, now)
    if YEAR.match(text):
        return Interval(_day(f"{text}-01-01", zone).start, _day(f"{text}-12-31", zone).end)
    if MONTH.match(text):
        following = int(text[:4]) * 12 + int(text[5:])
        after = _day(f"{following // 12:04}-{following % 12 + 1:02}-01", zone).start
        assert after is not None
        return Interval(_day(f"{text}-01", zone).start, after - TICK)
    if NAIVE.match(text):
        try:
            moment = datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)
        except (ValueError, OverflowError):
            raise _unreadable(text) from None
        return Interval(moment, moment)
    return _day(HOUR_ONLY.sub(r"\1:00", text), zone)


def _day(text: str, zone: ZoneInfo) -> Interval:
    try:
        return parse_interval(text, zone)
    except DatetimeError:
        raise _unreadable(text) from None


def _unreadable(text: str) -> Fault:
    return Fault(
        "InvalidDimensionValue",
        f"TIME={text[:60]!r}: not an ISO 8601 moment, e.g. 2025-08-01T12:00:00Z, 2025-08-01, 2025, or current",
        "TIME",
    )


def _within_extent(span: Interval) -> Moment:
    """The span, or the end of the declared range that is nearest to it."""
    for beyond, nearest in (
        (span.end is not None and span.end < FIRST, FIRST),
        (span.start and span.start > LAST, LAST),
    ):
        if beyond:
            return Moment(Interval(nearest, nearest), _warning("Nearest", "time", written(nearest), "ISO8601"))
    return Moment(span)


def _warning(kind: str, name: str, value: str, units: str) -> str:
    """The HTTP header of annex C.4.2 and C.4.3, word for word."""
    return f"99 {kind} value used: {name}={value} {units}"
