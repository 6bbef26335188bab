"""The city's sensors at one look: every datastream with its last value, its place and its state, for maps."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import asyncpg
import orjson
import yaml

from cim_models.database import Connection
from twin.sensing.allocation import without_collection

EXTENT = 4096
SOURCE_LAYER = "sensors_latest"
# Silent is never green: a stream that has not told its value in time is no longer trusted to be well.
STREAMS = """
    select d.id, d.name, d.kind, t.id as thing_id, t.name as thing, d.units ->> 'symbol' as unit,
           l.number, l.text, l.json, l.time,
           case when l.time is null then 'unknown'
                when l.arrived_at < now() - k.silent_after then 'silent'
                when e.severity in ('red', 'orange') then 'alarm'
                when e.severity is not null then 'warning' else 'ok' end as state,
           e.severity, e.id as event_id, t.properties -> 'cim' as objects,
           case when d.properties ? 'levels'
                then sensing.levels_at(d.properties -> 'levels', current_date) end as levels,
           d.properties -> 'levels' ->> 'datum' as datum, coalesce(p.geom, f.geom) as geom
    from sensing.datastream d
    join sensing.latest l on l.datastream_id = d.id
    join sensing.kind k on k.id = d.kind
    join sensing.thing t on t.id = d.thing_id
    left join sensing.feature f on f.id = d.feature_id
    left join (
        select distinct on (tl.thing_id) tl.thing_id, o.geom
        from sensing.thing_location tl join sensing.location o on o.id = tl.location_id
        where o.geom is not null order by tl.thing_id, o.id
    ) p on p.thing_id = t.id
    left join (
        select distinct on (datastream_id) datastream_id, id, severity
        from sensing.event
        where ended_at is null and state <> 'closed' and datastream_id is not null
        order by datastream_id, array_position(array['red', 'orange', 'yellow', 'blue'], severity), id
    ) e on e.datastream_id = d.id
    where ($1::text[] is null or d.kind = any($1))
      and ($2::bigint[] is null or d.id = any($2))
      and ($3::float8[] is null or coalesce(p.geom, f.geom) && st_makeenvelope($3[1], $3[2], $3[3], $3[4], 4326))
      and ($4::jsonb is null or t.properties -> 'cim' @> $4)
"""
FIELDS = {"name": "String", "kind": "String", "thing": "Number", "title": "String", "unit": "String", "value": "Number",
          "time": "Number", "state": "String", "severity": "String", "event": "Number"}  # fmt: skip
# Points go as two numbers, and documents are put together outside: that is a fifth of what PostgreSQL takes for them.
FEATURES = f"""
    select *, st_x(point) as x, st_y(point) as y, case when point is null then st_asgeojson(geom, 7) end as shape
    from (select *, case when geometrytype(geom) = 'POINT' then geom end as point from ({STREAMS}) s) s
    order by id limit $5
"""
TILE = f"""
    select st_asmvt(t, '{SOURCE_LAYER}', {EXTENT}, 'geom', 'id') from (
        select id, name, kind, thing_id as thing, thing as title, unit, number as value,
               extract(epoch from time)::bigint as time, state, severity, event_id as event,
               st_asmvtgeom(st_transform(geom, 3857), st_tileenvelope($5, $6, $7), {EXTENT}, 64, true) as geom
        from ({STREAMS}) s order by id
    ) t where geom is not null
"""
BOUNDS = """
    select array[st_xmin(b), st_ymin(b), st_xmax(b), st_ymax(b)]
    from st_transform(st_tileenvelope($1, $2, $3, margin => 0.02), 4326) b
"""

Bbox = Sequence[float]


@dataclass(frozen=True)
class Chosen:
    """Which datastreams are meant; None is no condition. bbox: degrees. of: layer and id of a city object."""

    kinds: Sequence[str] | None = None
    datastreams: Sequence[int] | None = None
    bbox: Bbox | None = None
    of: tuple[str, int] | None = None

    @property
    def _object(self) -> object:
        return None if self.of is None else [{"layer": self.of[0], "object_id": self.of[1]}]

    def arguments(self) -> tuple[object, ...]:
        return self.kinds, self.datastreams, self.bbox, self._object


@cache
def latest_style() -> dict[str, Any]:
    """How last values are drawn: `states` with their words and colours, `layers` of MapLibre without a source."""
    text = resources.files("twin.sensing").joinpath("latest_style.yaml").read_text(encoding="utf-8")
    style: dict[str, Any] = yaml.safe_load(text)
    return style


async def latest_features(connection: Connection, chosen: Chosen, limit: int) -> tuple[bytes, int]:
    """A GeoJSON feature for each datastream, as a JSON array, and their number."""
    rows = await connection.fetch(FEATURES, *chosen.arguments(), limit)
    with without_collection():
        told = orjson.dumps([_feature(row) for row in rows], option=orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS)
    return told, len(rows)


def _feature(row: asyncpg.Record) -> dict[str, Any]:
    result = row["number"]
    if result is None:
        result = row["json"] if row["text"] is None else row["text"]
    if row["x"] is not None:
        geometry: Any = {"type": "Point", "coordinates": (round(row["x"], 7), round(row["y"], 7))}
    else:
        geometry = None if row["shape"] is None else orjson.Fragment(row["shape"])
    return {
        "type": "Feature",
        "id": row["id"],
        "geometry": geometry,
        "properties": {
            "datastream": row["id"],
            "name": row["name"],
            "kind": row["kind"],
            "thing": row["thing_id"],
            "title": row["thing"],
            "unit": row["unit"],
            "result": result,
            "time": row["time"],
            "state": row["state"],
            "severity": row["severity"],
            "event": row["event_id"],
            "levels": row["levels"],
            "datum": row["datum"],
            "objects": row["objects"],
        },
    }


async def latest_tile(connection: Connection, chosen: Chosen, z: int, x: int, y: int) -> bytes:
    """A vector tile of the web's grid with a layer `sensors_latest`; empty where there is none."""
    bounds = await connection.fetchval(BOUNDS, z, x, y)
    arguments = Chosen(chosen.kinds, chosen.datastreams, bounds, chosen.of).arguments()
    tile: bytes = await connection.fetchval(TILE, *arguments, z, x, y)
    return tile
