"""Plays a made-up day: into the past at once, or as the clock goes, faster if wanted."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from cim_models.database import Database
from layers.access import SYSTEM
from twin.sensing.batch import Reading
from twin.sensing.ingest import Ingest
from twin.sensing.signals import record_signal
from twin.sensing.simulation.signals import Day, Sensor, signal
from twin.sensing.simulation.typhoon import signals_by, typhoon_by
from twin.sensing.typhoons import save_typhoon

EVERY = timedelta(minutes=5)
# Made at once, so that a whole day is a few batches a stream.
CHUNK = timedelta(hours=6)
MIDDLE = """
    select st_x(c) as lon, st_y(c) as lat from (
        select st_centroid(st_collect(l.geom)) as c
        from sensing.datastream d join sensing.thing_location t using (thing_id)
        join sensing.location l on l.id = t.location_id where d.id = any($1::bigint[])
    ) p
"""


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
    A typhoon is told of as it comes, and signals of an exercise with it.
    """
    zone = ZoneInfo(database.city.time_zone)
    midnight = start.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    day = Day(midnight.timestamp(), landfall)
    ingest = Ingest(database, via="feed")
    place = None if landfall is None else await _middle(database, streams)
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
        if place is not None:
            async with database.writing() as connection:
                await save_typhoon(connection, typhoon_by(day, place, until), SYSTEM.name)
                for each in signals_by(day, moment, until):
                    await record_signal(connection, each, SYSTEM.name)
        told(until, len(readings))
        moment = until
        if speed is not None and moment < end:
            await asyncio.sleep(EVERY.total_seconds() / speed)
    return number


async def _middle(database: Database, streams: dict[int, Sensor]) -> tuple[float, float]:
    """Where the sensors are, in degrees."""
    async with database.reading() as connection:
        row = await connection.fetchrow(MIDDLE, list(streams))
    assert row is not None, "an aggregate has a row"
    return row["lon"], row["lat"]
