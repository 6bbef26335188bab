"""Plays a made-up day: into the past at once, or as the clock goes, faster if wanted."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from cim_models.database import Database
from twin.sensing.ingest import Ingest
from twin.sensing.readings import Reading
from twin.sensing.simulation.signals import Day, Sensor, signal

EVERY = timedelta(minutes=5)
# Made at once, so that a whole day is a few batches a stream.
CHUNK = timedelta(hours=6)


async def play(
    database: Database,
    streams: dict[int, Sensor],
    start: datetime,
    end: datetime,
    *,
    landfall: float | None = None,
    speed: float | None = None,
    told: Callable[[datetime, int], None] = lambda _, __: None,
) -> int:
    """Write the readings of all streams from start to end; how many.

    landfall: hour of the first day at which a typhoon comes nearest. speed: so many seconds in one of the clock's;
    None writes as fast as it goes. told: called after each step with its moment and the number of readings.
    """
    zone = ZoneInfo(database.city.time_zone)
    midnight = start.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    day = Day(midnight.timestamp(), landfall)
    ingest = Ingest(database, via="feed")
    step = CHUNK if speed is None else EVERY
    moment, number = start, 0
    while moment < end:
        until = min(moment + step, end)
        times = np.arange(moment.timestamp(), until.timestamp(), EVERY.total_seconds())
        moments = [datetime.fromtimestamp(time, UTC) for time in times.tolist()]
        readings = [
            Reading(stream, at, value)
            for stream, sensor in streams.items()
            for at, value in zip(moments, signal(sensor, times, day).tolist(), strict=True)
        ]
        await ingest.submit(readings)
        number += len(readings)
        told(until, len(readings))
        moment = until
        if speed is not None and moment < end:
            await asyncio.sleep(EVERY.total_seconds() / speed)
    return number
