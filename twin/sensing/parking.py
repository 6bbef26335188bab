"""Free places of car parks: as their sensors tell them now, and as they may be in the next hour."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from cim_models.database import Connection

FACILITIES, KIND = "facilities", "parking"
# What today has more or less than usual is down to 1/e of it after so long, min: our choice.
FADE_MIN = 60.0
QUARTER_MIN, QUARTERS = 15, 4
# Of a car park with several datastreams, the one that told last.
NOW = """
    select distinct on (p.object_id) p.object_id, d.id, l.time, l.number,
           l.time is null as unheard, l.arrived_at < now() - k.silent_after as silent
    from unnest($1::bigint[]) as p (object_id)
    join sensing.thing t on t.properties -> 'cim' @> jsonb_build_array(
        jsonb_build_object('layer', $2::text, 'object_id', p.object_id))
    join sensing.datastream d on d.thing_id = t.id and d.kind = $3
    join sensing.kind k on k.id = d.kind
    left join sensing.latest l on l.datastream_id = d.id
    order by p.object_id, l.time desc nulls last, d.id
"""
# The same quarter-hours of the city's clock, 1 to 4 weeks ago: 0 is the quarter of now.
USUAL = """
    with week as (
        select (date_bin('15 min', now() at time zone $2, timestamp '2001-01-01') - n * interval '7 days')
               at time zone $2 as begins
        from generate_series(1, 4) n
    )
    select o.datastream_id, floor(extract(epoch from o.time - w.begins) / 900)::int as quarter, avg(o.number) as free
    from week w join sensing.observation o on o.time >= w.begins and o.time < w.begins + interval '75 min'
    where o.datastream_id = any($1) and o.number is not null
    group by 1, 2
"""

State = Literal["ok", "silent", "unknown"]
Method = Literal["usual", "persistence"]


@dataclass(frozen=True)
class Occupancy:
    """What is known of one car park. free: places, None unless the state is ok; time: when that was observed."""

    state: State = "unknown"
    free: float | None = None
    time: datetime | None = None
    datastream: int | None = None


@dataclass(frozen=True)
class Forecast:
    """Free places in 15, 30, 45 and 60 minutes, and by what they are foretold."""

    method: Method
    free: dict[int, float]


async def occupancy(connection: Connection, car_parks: Sequence[int]) -> dict[int, Occupancy]:
    """By object id, the car parks that a datastream of kind `parking` watches: its number is that of free places."""
    found: dict[int, Occupancy] = {}
    for row in await connection.fetch(NOW, list(car_parks), FACILITIES, KIND):
        state: State = "unknown" if row["unheard"] or row["number"] is None else "silent" if row["silent"] else "ok"
        free = max(row["number"], 0.0) if state == "ok" else None
        found[row["object_id"]] = Occupancy(state, free, row["time"], row["id"])
    return found


async def forecasts(connection: Connection, now: Mapping[int, float], zone: str) -> dict[int, Forecast]:
    """By datastream, from the free places of now."""
    usual: dict[int, dict[int, float]] = {}
    for row in await connection.fetch(USUAL, list(now), zone):
        usual.setdefault(row["datastream_id"], {})[row["quarter"]] = row["free"]
    return {stream: forecast(free, usual.get(stream, {})) for stream, free in now.items()}


def forecast(free: float, usual: Mapping[int, float]) -> Forecast:
    """What is usual at that quarter-hour of the week, and of what today differs from it the part that has not faded.

    usual: mean free places of quarter-hours from now on, 0 the present one. With one missing, all stays as it is.
    """
    minutes = [QUARTER_MIN * n for n in range(1, QUARTERS + 1)]
    if not all(n in usual for n in range(QUARTERS + 1)):
        return Forecast("persistence", dict.fromkeys(minutes, free))
    differs = free - usual[0]
    return Forecast(
        "usual",
        {each: max(usual[each // QUARTER_MIN] + differs * math.exp(-each / FADE_MIN), 0.0) for each in minutes},
    )
