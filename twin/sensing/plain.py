"""Rows of a dataArray that are each a moment and a number: read by the column, not one by one."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa

from twin.sensing import BadEntity
from twin.sensing.batch import Batch, microseconds
from twin.sensing.observations import FUTURE, read_id
from twin.sensing.rollup import FIRST

MOMENT = pa.timestamp("us", tz="UTC")
# What is nearly infinite is told by row, as what is not plain.
MOST = 1e300


def plain_batch(groups: Sequence[Any]) -> Batch | None:
    """The readings of groups as CreateObservations has them, in order; None where any needs to be read by itself."""
    times: list[Any] = []
    values: list[Any] = []
    streams: list[int] = []
    counts: list[int] = []
    for group in groups:
        if not isinstance(group, dict) or "MultiDatastream" in group:
            return None
        components, rows = group.get("components"), group.get("dataArray")
        if not isinstance(components, list) or not isinstance(rows, list) or not rows:
            return None
        if set(map(type, rows)) != {list} or set(map(len, rows)) != {2}:
            return None
        if components == ["phenomenonTime", "result"]:
            moments, results = zip(*rows, strict=True)
        elif components == ["result", "phenomenonTime"]:
            results, moments = zip(*rows, strict=True)
        else:
            return None
        try:
            streams.append(read_id(group.get("Datastream")))
        except BadEntity:
            return None
        times += moments
        values += results
        counts.append(len(rows))
    if set(map(type, times)) != {str} or not set(map(type, values)) <= {float, int}:
        return None
    try:
        numbers = np.array(values, dtype=np.float64)
        instants = pa.array(times).cast(MOMENT).cast(pa.int64()).to_numpy()
    except (OverflowError, pa.ArrowInvalid):
        return None
    is_told = instants.min() >= FIRST and instants.max() <= microseconds(datetime.now(UTC) + FUTURE)
    if not is_told or not (np.abs(numbers) < MOST).all():
        return None
    return Batch(np.repeat(np.array(streams, dtype=np.int64), counts), instants, numbers)
