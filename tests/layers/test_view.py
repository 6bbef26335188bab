"""`datetime` and `recorded` against OGC API Features Part 1, 7.15.4, and the calendar of the city's zone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.view import NOW, TICK, DatetimeError, Interval, View, parse_interval, parse_moment

SHANGHAI, PARIS = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Paris")


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2018-02-12T23:20:50Z", utc(2018, 2, 12, 23, 20, 50), utc(2018, 2, 12, 23, 20, 50)),
        ("2018-02-12T00:00:00Z/2018-03-18T12:31:12Z", utc(2018, 2, 12), utc(2018, 3, 18, 12, 31, 12)),
        ("2018-02-12T00:00:00Z/..", utc(2018, 2, 12), None),
        ("../2018-03-18T12:31:12Z", None, utc(2018, 3, 18, 12, 31, 12)),
        ("2018-02-12T00:00:00Z/", utc(2018, 2, 12), None),
        ("/2018-03-18T12:31:12Z", None, utc(2018, 3, 18, 12, 31, 12)),
        ("../..", None, None),
        ("2018-02-12T00:00:00+08:00", utc(2018, 2, 11, 16), utc(2018, 2, 11, 16)),
        ("2018-02-12T00:00:00 08:00", utc(2018, 2, 11, 16), utc(2018, 2, 11, 16)),
        ("2018-02-12T00:00:00.123456Z", utc(2018, 2, 12, 0, 0, 0, 123456), utc(2018, 2, 12, 0, 0, 0, 123456)),
        # A bare date is that day where the city is.
        ("2018-02-12", utc(2018, 2, 11, 16), utc(2018, 2, 12, 16) - TICK),
        ("2018-02-12/2018-02-13", utc(2018, 2, 11, 16), utc(2018, 2, 13, 16) - TICK),
    ],
)
def test_what_the_standard_writes(text: str, start: datetime | None, end: datetime | None) -> None:
    assert parse_interval(text, SHANGHAI) == Interval(start, end)


@pytest.mark.parametrize(
    "text",
    ["", "..", "/", "a", "2018-02-12T23:20:50", "2018-02-30", "2018-13-01", "1/2/3", "2019-01-01/2018-01-01", "P1Y",
     "2018-02-12Z", "20180212", "2018-02-12T25:00:00Z", "now", "9999-12-31/a", "2018-02-12T00:00:00+99:00",
     "٢٠١٨-٠٢-١٢"],
)  # fmt: skip
def test_what_is_no_time_is_refused(text: str) -> None:
    if text == "/":
        # Both ends open, as "../..".
        assert parse_interval(text, SHANGHAI) == Interval(None, None)
        return
    with pytest.raises(DatetimeError):
        parse_interval(text, SHANGHAI)


@pytest.mark.parametrize("text", ["0001-01-01", "9999-12-31", "0001-01-01T00:00:00+08:00", "9999-12-31T23:00:00-08:00"])
def test_what_lies_outside_the_calendar_is_told_so(text: str) -> None:
    with pytest.raises(DatetimeError, match="outside the calendar"):
        parse_interval(text, SHANGHAI)


@pytest.mark.parametrize(("day", "hours"), [("2025-03-30", 23), ("2025-10-26", 25), ("2025-06-01", 24)])
def test_a_day_of_clock_change_is_as_long_as_it_is(day: str, hours: int) -> None:
    span = parse_interval(day, PARIS)
    assert span.start is not None
    assert span.end is not None
    assert span.end + TICK - span.start == timedelta(hours=hours)


def test_recorded_on_a_date_is_its_end() -> None:
    assert parse_moment("2018-02-12", SHANGHAI) == utc(2018, 2, 12, 16) - TICK
    assert parse_moment("2018-02-12T00:00:00Z", SHANGHAI) == utc(2018, 2, 12)


@given(st.text(max_size=40) | st.from_regex(r"[0-9T:Z/.+-]{0,40}", fullmatch=True))
def test_any_text_is_a_span_or_refused(text: str) -> None:
    try:
        span = parse_interval(text, PARIS)
    except DatetimeError:
        return
    assert span.start is None or span.end is None or span.start <= span.end


def test_only_the_city_of_now_is_now() -> None:
    assert NOW.is_now
    assert not View(plan=1).is_now
    assert not View(recorded=utc(2020, 1, 1)).is_now
    assert not View(Interval(None, None)).is_now
