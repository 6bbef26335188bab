"""A batch of readings in columns, as the database and the sums of hours and days want them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

Whole = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Truth = npt.NDArray[np.bool_]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Reading(NamedTuple):
    """One observation to be written. One of number, text and json (as JSON text) is its result.

    time, time_end: phenomenon time; an instant has no end. feature_id: None for what the datastream usually observes.
    quality, parameters: JSON text.
    """

    datastream_id: int
    time: datetime
    number: float | None = None
    text: str | None = None
    json: str | None = None
    time_end: datetime | None = None
    result_time: datetime | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    quality: str | None = None
    parameters: str | None = None
    feature_id: int | None = None


# All that a plain reading has: a moment and a number.
BARE = (None,) * (len(Reading._fields) - 3)


@dataclass(frozen=True)
class Batch:
    """streams: ids of datastreams; times: microseconds since 1970, UTC; numbers: NaN where a result is none.

    readings: what the columns were made from, where one of them has more than a moment and a number; else None.
    """

    streams: Whole
    times: Whole
    numbers: Floats
    readings: Sequence[Reading] | None = None

    @classmethod
    def of(cls, readings: Sequence[Reading]) -> Self:
        is_plain = all(each[3:] == BARE and each[2] is not None for each in readings)
        return cls(
            np.array([each[0] for each in readings], dtype=np.int64),
            np.array([microseconds(each[1]) for each in readings], dtype=np.int64),
            np.array([each[2] for each in readings], dtype=np.float64),
            None if is_plain else readings,
        )

    @classmethod
    def joined(cls, batches: Sequence[Self]) -> Self:
        """Batches of columns alone as one, in order."""
        assert all(each.readings is None for each in batches), "what has more than columns is joined as readings"
        streams, times, numbers = zip(*((each.streams, each.times, each.numbers) for each in batches), strict=True)
        return cls(np.concatenate(streams), np.concatenate(times), np.concatenate(numbers))

    def __len__(self) -> int:
        return len(self.streams)

    def months(self) -> set[tuple[int, int]]:
        """The months, in UTC, that the readings fall in."""
        found = np.unique(self.times.view("datetime64[us]").astype("datetime64[M]")).astype(np.int64)
        return {(1970 + number // 12, number % 12 + 1) for number in found.tolist()}


def microseconds(moment: datetime) -> int:
    return (moment - EPOCH) // MICROSECOND


def timestamps(times: Whole) -> list[datetime]:
    """Moments as the driver takes them for columns of `timestamp`, in UTC and without saying so."""
    found: list[datetime] = times.view("datetime64[us]").tolist()
    return found
