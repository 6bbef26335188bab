"""Traffic counters, and what they count in each hour of a usual working day."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from cim_models.database import Connection

# Only what counts vehicles an hour: speeds and shares of time are of kind `traffic`, too. UCUM, and as people write.
# Comparing as JSON leaves out what is no number.
COUNTERS = """
    select d.id, t.name, st_x(p.geom) as x, st_y(p.geom) as y,
           case when d.properties -> 'direction' between '0' and '360'
                then (d.properties ->> 'direction')::float8 end as direction,
           array(select (r #>> '{}')::numeric::bigint from jsonb_path_query(
               t.properties, '$.cim[*] ? (@.layer == "roads").object_id ? (@ >= 0 && @ < 9007199254740992)') r) as roads
    from sensing.datastream d
    join sensing.thing t on t.id = d.thing_id
    join lateral (
        select st_transform(o.geom, $1::int) as geom
        from sensing.thing_location tl join sensing.location o on o.id = tl.location_id
        where tl.thing_id = t.id and geometrytype(o.geom) = 'POINT' order by o.id limit 1
    ) p on true
    where d.kind = 'traffic' and d.units ->> 'symbol' ~ '^([{]veh[^}]*[}]|veh|辆|1)?/h$'
    order by d.id
"""
# Whole hours only. A negative value is the word of a counter for a fault.
USUAL = """
    select datastream_id, extract(hour from at at time zone $3)::int as hour, avg(sum / count) as flow,
           count(*) as days
    from sensing.hourly
    where datastream_id = any($1) and at >= $2::timestamptz - interval '4 weeks'
      and at <= $2::timestamptz - interval '1 hour' and min >= 0
      and extract(isodow from at at time zone $3) < 6
    group by 1, 2
"""


@dataclass(frozen=True)
class Count:
    """flow: vehicles/h, the mean of so many days."""

    flow: float
    days: int


@dataclass(frozen=True)
class Counter:
    """x, y: in the metric CRS. direction: degrees from north that its vehicles drive to, None for both ways or where
    it is not known. roads: object ids of those that it is linked to. usual: by the hour of the city's clock.
    datastream: None for one that is no sensor of the city.
    """

    datastream: int | None
    name: str
    x: float
    y: float
    direction: float | None = None
    roads: frozenset[int] = frozenset()
    usual: Mapping[int, Count] = field(default_factory=dict)


async def read_counters(connection: Connection, until: datetime, *, metric_srid: int, zone: str) -> list[Counter]:
    """Counters that have a place, with the mean of Mondays to Fridays in the four weeks before a moment.

    Holidays are not known and count as working days.
    """
    rows = await connection.fetch(COUNTERS, metric_srid)
    usual: dict[int, dict[int, Count]] = {}
    for row in await connection.fetch(USUAL, [row["id"] for row in rows], until, zone):
        usual.setdefault(row["datastream_id"], {})[row["hour"]] = Count(row["flow"], row["days"])
    return [
        Counter(row["id"], row["name"], row["x"], row["y"], row["direction"], frozenset(row["roads"]), usual[row["id"]])
        for row in rows
        if row["id"] in usual
    ]
