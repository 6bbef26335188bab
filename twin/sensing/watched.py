"""What rules watch: datastreams with their levels and neighbours, areas with their gauges, and their series."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from cim_models.database import Connection
from twin.sensing.conditions import Applies, Levels
from twin.sensing.figures import Floats, Line
from twin.sensing.writing.fields import shape_of

WANTED = """
    ($1::text[] is null or d.kind = any($1)) and ($2::bigint[] is null or d.id = any($2))
    and ($3::float8[] is null or f.geom && st_makeenvelope($3[1], $3[2], $3[3], $3[4], 4326))
"""
STREAMS = f"""
    select d.id, d.name, t.name as thing, d.units ->> 'symbol' as unit,
           sensing.levels_at(d.properties -> 'levels', current_date) as levels,
           coalesce(t.properties -> 'cim', '[]') as objects, st_asgeojson(st_pointonsurface(f.geom), 7)::jsonb as place
    from sensing.datastream d join sensing.thing t on t.id = d.thing_id
    left join sensing.feature f on f.id = d.feature_id
    where {WANTED} and ($4::bigint[] is null or d.id = any($4))
"""
GAUGES = """
    select a.name, a.object_id, st_asgeojson(st_pointonsurface(a.geom), 7)::jsonb as place,
           array_agg(d.id order by d.id) as members, min(d.units ->> 'symbol') as unit
"""
OF_LEVEL = f"""
    {GAUGES} from administrative_area a
    join sensing.feature f on st_intersects(a.geom, st_setsrid(f.geom, (select srid from city)))
    join sensing.datastream d on d.feature_id = f.id
    where {WANTED} and a.level = $4 and a.recorded_to = 'infinity' and a.plan_id is null
      and coalesce(a.valid_from <= now(), true) and coalesce(a.valid_to > now(), true)
    group by a.id, a.object_id, a.name, a.geom order by a.object_id
"""
OF_OUTLINES = f"""
    {GAUGES} from (
        select name, null::bigint as object_id, st_geomfromtext(outline, 4326) as geom
        from unnest($4::text[], $5::text[]) as given (name, outline)
    ) a
    join sensing.feature f on st_intersects(a.geom, f.geom)
    join sensing.datastream d on d.feature_id = f.id
    where {WANTED} group by a.object_id, a.name, a.geom order by a.name
"""
# A degree of longitude is the shorter one: the box is made for it, the distance is the geodesic.
NEAR = """
    select o.id from sensing.datastream d join sensing.feature f on f.id = d.feature_id
    join sensing.feature g on g.geom && st_expand(f.geom, $2::float8 / 111000 / greatest(cosd(st_ymax(f.geom)), 0.01))
    join sensing.datastream o on o.feature_id = g.id
    where d.id = $1 and o.id <> d.id and o.kind = d.kind and not o.is_multi
      and o.units ->> 'symbol' is not distinct from d.units ->> 'symbol'
      and st_dwithin(f.geom::geography, g.geom::geography, $2)
    order by st_distance(f.geom::geography, g.geom::geography), o.id limit 20
"""
VALUES = """
    select extract(epoch from time)::float8 as at, number from sensing.observation
    where datastream_id = $1 and time >= $2 and time <= $3 and number is not null order by time, id
"""
BEFORE = """
    select extract(epoch from time)::float8 as at, number from sensing.observation
    where datastream_id = $1 and time < $2 and number is not null order by time desc, id desc limit 1
"""


@dataclass(frozen=True)
class Stream:
    """A datastream that a rule watches."""

    id: int
    title: str
    unit: str
    levels: Levels
    objects: list[Any]
    place: dict[str, Any] | None


@dataclass(frozen=True)
class Gauged:
    """An area that a rule watches by its gauges. key: its address or name; members: their datastreams."""

    key: str
    title: str
    unit: str
    members: list[int]
    objects: list[Any]
    place: dict[str, Any]


@dataclass(frozen=True)
class Values:
    """A series: seconds since 1970, rising, and values; with its levels, and the series it is judged beside."""

    times: Floats
    numbers: Floats
    levels: Levels
    others: Sequence[Line] = ()


async def streams_of(connection: Connection, applies: Applies, among: Sequence[int] | None = None) -> dict[int, Stream]:
    """The datastreams that a rule watches. among: only of these."""
    found = {}
    for row in await connection.fetch(STREAMS, applies.kinds, applies.datastreams, applies.bbox, among):
        levels = {name: float(level) for name, level in (row["levels"] or {}).items()}
        title = f"{row['thing']} · {row['name']}"
        found[row["id"]] = Stream(row["id"], title, row["unit"] or "", levels, row["objects"], row["place"])
    return found


async def areas_of(connection: Connection, applies: Applies) -> list[Gauged]:
    """The areas that a rule watches, those in which there is a gauge."""
    chosen = applies.kinds, applies.datastreams, applies.bbox
    if isinstance(applies.areas, str):
        rows = await connection.fetch(OF_LEVEL, *chosen, applies.areas)
    else:
        outlines = [(each.name, shape_of(each.outline, "outline").wkt) for each in applies.areas or ()]
        rows = await connection.fetch(OF_OUTLINES, *chosen, *map(list, zip(*outlines, strict=True)))
    return [
        Gauged(
            row["name"] if row["object_id"] is None else f"administrative_areas/{row['object_id']}",
            row["name"] or "",
            row["unit"] or "",
            row["members"],
            [] if row["object_id"] is None else [{"layer": "administrative_areas", "object_id": row["object_id"]}],
            row["place"],
        )
        for row in rows
    ]


async def series_of(
    connection: Connection,
    stream: Stream,
    start: datetime,
    end: datetime,
    *,
    within_m: float | None = None,
    with_before: bool = False,
) -> Values:
    """The series of a stream. within_m: with those of its kind so near. with_before: and the value before the start."""
    near = [] if within_m is None else [row["id"] for row in await connection.fetch(NEAR, stream.id, within_m)]
    others = [await _line(connection, each, start, end) for each in near]
    times, numbers = await _line(connection, stream.id, start, end)
    before = await connection.fetchrow(BEFORE, stream.id, start) if with_before else None
    if before is not None:
        times, numbers = np.append(before["at"], times), np.append(before["number"], numbers)
    return Values(times, numbers, stream.levels, others)


async def series_of_area(connection: Connection, area: Gauged, start: datetime, end: datetime) -> Values:
    """The series of an area's gauges beside each other, at every moment at which one of them tells something."""
    others = [await _line(connection, each, start, end) for each in area.members]
    times = np.unique(np.concatenate([line[0] for line in others]))
    return Values(times, np.full(len(times), np.nan), {}, others)


async def _line(connection: Connection, datastream: int, start: datetime, end: datetime) -> Line:
    rows = await connection.fetch(VALUES, datastream, start, end)
    times, numbers = (np.array([row[i] for row in rows], dtype=float) for i in (0, 1))
    return times, numbers
