"""Hours and days that a batch adds to: sums, extremes and ends of each, in the city's zone."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from twin.sensing.batch import EPOCH, Floats, Truth, Whole, microseconds, timestamps

SECOND, HOUR, DAY = 1_000_000, 3_600_000_000, 86_400_000_000
# Beyond them Python has no local time; offsets are those of these ends.
FIRST, LAST = (microseconds(datetime(year, 1, 1, tzinfo=UTC)) for year in (2, 9998))


@dataclass(frozen=True)
class Spans:
    """Hours or days of datastreams, in order. at: their beginnings, or dates, in microseconds since 1970."""

    streams: Whole
    at: Whole
    count: Whole
    sum: Floats
    min: Floats
    max: Floats
    first: Floats
    last: Floats
    first_time: Whole
    last_time: Whole

    def columns(self) -> list[list[Any]]:
        """As arrays for the database."""
        values = [each.tolist() for each in (self.count, self.sum, self.min, self.max, self.first, self.last)]
        return [
            self.streams.tolist(),
            timestamps(self.at),
            *values,
            *map(timestamps, (self.first_time, self.last_time)),
        ]


def roll_up(streams: Whole, at: Whole, times: Whole, numbers: Floats) -> Spans:
    """Spans of readings, by datastream and `at`. At equal times the later in the arrays counts as the last."""
    order = np.lexsort((times, at, streams))
    streams, at, times, numbers = streams[order], at[order], times[order], numbers[order]
    starts = beginnings(streams, at)
    ends = np.append(starts[1:], len(streams)) - 1
    if not len(starts):
        return Spans(streams, at, streams, *(numbers,) * 5, times, times)
    return Spans(
        streams[starts],
        at[starts],
        ends - starts + 1,
        np.add.reduceat(numbers, starts),
        np.minimum.reduceat(numbers, starts),
        np.maximum.reduceat(numbers, starts),
        numbers[starts],
        numbers[ends],
        times[starts],
        times[ends],
    )


def days_of(hours: Spans, dates: Whole) -> Spans:
    """Days put together from hours: no kind's day begins within an hour. dates: of each hour."""
    order = np.lexsort((hours.at, dates, hours.streams))
    starts = beginnings(hours.streams[order], dates[order])
    if not len(starts):
        return hours
    ends = order[np.append(starts[1:], len(order)) - 1]
    begins = order[starts]
    return Spans(
        hours.streams[begins],
        dates[begins],
        np.add.reduceat(hours.count[order], starts),
        np.add.reduceat(hours.sum[order], starts),
        np.minimum.reduceat(hours.min[order], starts),
        np.maximum.reduceat(hours.max[order], starts),
        hours.first[begins],
        hours.last[ends],
        hours.first_time[begins],
        hours.last_time[ends],
    )


def beginnings(*keys: Whole) -> Whole:
    """Where runs of equal keys begin."""
    differs: Truth = np.zeros(max(len(keys[0]) - 1, 0), dtype=bool)
    for key in keys:
        differs |= key[1:] != key[:-1]
    return np.flatnonzero(np.concatenate(([len(keys[0]) > 0], differs))).astype(np.int64)


def hour_of(times: Whole, zone: ZoneInfo) -> Whole:
    """The beginning of the hour, as clocks in the zone show it, that each moment is in."""
    offset = offsets(times, zone)
    return (times + offset) // HOUR * HOUR - offset


def date_of(times: Whole, zone: ZoneInfo, shifts: Whole) -> Whole:
    """Midnight of the date, told without a zone, that each moment counts to; shifts: added to local time before."""
    return (times + offsets(times, zone) + shifts) // DAY * DAY


def offsets(times: Whole, zone: ZoneInfo) -> Whole:
    """What the zone's clocks are ahead of UTC at each moment; all in microseconds."""
    hours, place = np.unique(times // HOUR, return_inverse=True)
    at_begin = np.array([_offset(hour * HOUR, zone) for hour in hours.tolist()], dtype=np.int64)
    at_end = np.array([_offset(hour * HOUR + HOUR - 1, zone) for hour in hours.tolist()], dtype=np.int64)
    found: Whole = at_begin[place]
    # Clocks are put forward or back within an hour of UTC in a few zones only.
    for index in np.flatnonzero((at_begin != at_end)[place]).tolist():
        found[index] = _offset(int(times[index]), zone)
    return found


def _offset(time: int, zone: ZoneInfo) -> int:
    moment = EPOCH + timedelta(microseconds=min(max(time, FIRST), LAST))
    offset = moment.astimezone(zone).utcoffset()
    assert offset is not None
    return offset // timedelta(microseconds=1)
