"""What rules watch: datastreams with their levels and neighbours, areas with their gauges, and their series."""

from collections.abc import Mapping, Sequence
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
    where {WANTED} and ($4::bigint[] is null or d.id = any($4)) order by d.id
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
    select d.id as beside, o.id
    from sensing.datastream d join sensing.feature f on f.id = d.feature_id
    cross join lateral (
        select o.id from sensing.feature g join sensing.datastream o on o.feature_id = g.id
        where g.geom && st_expand(f.geom, $2::float8 / 111000 / greatest(cosd(st_ymax(f.geom)), 0.01))
          and o.id <> d.id and o.kind = d.kind and not o.is_multi
          and o.units ->> 'symbol' is not distinct from d.units ->> 'symbol'
          and st_dwithin(f.geom::geography, g.geom::geography, $2)
        order by st_distance(f.geom::geography, g.geom::geography), o.id limit 20
    ) o
    where d.id = any($1::bigint[])
"""
# One answer for all series: a question each would take longer than what is asked.
VALUES = """
    select v.times, v.numbers
    from unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[]) with ordinality as s (id, first, last, place)
    cross join lateral (
        select array_agg(extract(epoch from o.time)::float8 order by o.time, o.id) as times,
               array_agg(o.number order by o.time, o.id) as numbers
        from sensing.observation o
        where o.datastream_id = s.id and o.time >= s.first and o.time <= s.last and o.number is not null
    ) v
    order by s.place
"""
BEFORE = """
    select s.id, extract(epoch from o.time)::float8 as at, o.number
    from unnest($1::bigint[], $2::timestamptz[]) as s (id, first)
    cross join lateral (
        select o.time, o.number from sensing.observation o
        where o.datastream_id = s.id and o.time < s.first and o.number is not null
        order by o.time desc, o.id desc limit 1
    ) o
"""
# From the first moment to the last, by datastream.
Spans = Mapping[int, tuple[datetime, datetime]]


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
    streams: Sequence[Stream],
    spans: Spans,
    *,
    within_m: float | None = None,
    with_before: bool = False,
) -> list[Values]:
    """The series of each stream over its span.

    within_m: with those of its kind so near. with_before: and the value before the span.
    """
    ids = [each.id for each in streams]
    near = [] if within_m is None else await connection.fetch(NEAR, ids, within_m)
    lines = dict(zip(ids, await _lines(connection, [(each, *spans[each]) for each in ids]), strict=True))
    others: dict[int, list[Line]] = {each: [] for each in ids}
    beside = await _lines(connection, [(row["id"], *spans[row["beside"]]) for row in near])
    for row, line in zip(near, beside, strict=True):
        others[row["beside"]].append(line)
    if with_before:
        for row in await connection.fetch(BEFORE, ids, [spans[each][0] for each in ids]):
            times, numbers = lines[row["id"]]
            lines[row["id"]] = np.append(row["at"], times), np.append(row["number"], numbers)
    return [Values(*lines[each.id], each.levels, others[each.id]) for each in streams]


async def series_of_area(connection: Connection, area: Gauged, start: datetime, end: datetime) -> Values:
    """The series of an area's gauges beside each other, at every moment at which one of them tells something."""
    others = await _lines(connection, [(each, start, end) for each in area.members])
    times = np.unique(np.concatenate([line[0] for line in others]))
    return Values(times, np.full(len(times), np.nan), {}, others)


async def _lines(connection: Connection, wanted: Sequence[tuple[int, datetime, datetime]]) -> list[Line]:
    """The values of each datastream from a first moment to a last."""
    if not wanted:
        return []
    rows = await connection.fetch(VALUES, *map(list, zip(*wanted, strict=True)))
    return [(np.array(row["times"] or (), dtype=float), np.array(row["numbers"] or (), dtype=float)) for row in rows]
