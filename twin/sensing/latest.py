"""The city's sensors at one look: every datastream with its last value, its place and its state, for maps."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

import asyncpg
import numpy as np
import orjson
import yaml
from cachetools import LRUCache

from cim_models.database import Connection
from twin.sensing import EntityNotFound
from twin.sensing.allocation import without_collection
from twin.sensing.batch import Floats

EXTENT = 4096
SOURCE_LAYER = "sensors_latest"
# Of what a process keeps of a city's streams: some hundred thousand of them.
KEPT_BYTES = 64_000_000
DESCRIBED = """
    from sensing.datastream d
    join sensing.thing t on t.id = d.thing_id
    left join sensing.feature f on f.id = d.feature_id
    left join (
        select distinct on (tl.thing_id) tl.thing_id, o.geom
        from sensing.thing_location tl join sensing.location o on o.id = tl.location_id
        where o.geom is not null order by tl.thing_id, o.id
    ) p on p.thing_id = t.id
"""
WANTED = """
    where ($1::text[] is null or d.kind = any($1))
      and ($2::bigint[] is null or d.id = any($2))
      and ($3::float8[] is null or coalesce(p.geom, f.geom) && st_makeenvelope($3[1], $3[2], $3[3], $3[4], 4326))
      and ($4::jsonb is null or t.properties -> 'cim' @> $4)
"""
GRAVEST = """
    select distinct on (datastream_id) datastream_id, id, severity
    from sensing.event
    where ended_at is null and state <> 'closed' and datastream_id is not null
    order by datastream_id, array_position(array['red', 'orange', 'yellow', 'blue'], severity), id
"""
MISSING = "select array(select unnest($1::bigint[]) except select id from sensing.datastream order by 1)"
EVENTS = f"left join ({GRAVEST}) e on e.datastream_id = d.id"
# Silent is never green: a stream that has not told its value in time is no longer trusted to be well.
STATE = """
    case when l.time is null then 'unknown'
         when l.arrived_at < now() - k.silent_after then 'silent'
         when e.severity in ('red', 'orange') then 'alarm'
         when e.severity is not null then 'warning' else 'ok' end
"""
FIELDS = {"name": "String", "kind": "String", "thing": "Number", "title": "String", "unit": "String", "value": "Number",
          "time": "Number", "state": "String", "severity": "String", "event": "Number"}  # fmt: skip
# What does not change with each value. Points go as two numbers, which costs PostgreSQL less than a document.
STREAMS = f"""
    select s.*, st_x(point) as x, st_y(point) as y, case when point is null then st_asgeojson(geom, 7) end as shape
    from (
        select d.id, d.name, d.kind, t.id as thing_id, t.name as thing, d.units ->> 'symbol' as unit,
               t.properties -> 'cim' as objects,
               case when d.properties ? 'levels'
                    then sensing.levels_at(d.properties -> 'levels', current_date) end as levels,
               d.properties -> 'levels' ->> 'datum' as datum,
               case when d.kind = 'camera' then d.properties -> 'camera' end as camera,
               coalesce(p.geom, f.geom) as geom,
               case when geometrytype(coalesce(p.geom, f.geom)) = 'POINT' then coalesce(p.geom, f.geom) end as point
        {DESCRIBED} {WANTED} order by d.id limit $5
    ) s order by id
"""
# What does, of those that a transaction not over at `$2` has written, as JSON without braces, a line for each; JSON as
# PostgreSQL writes it has no line breaks. A row that is older than two thousand million transactions counts as new.
VALUES = """
    select pg_snapshot_xmin(pg_current_snapshot()) as horizon, array_agg(d.place - 1) as places,
           array_agg(case when l.time is not null
                          then coalesce(extract(epoch from l.arrived_at)::float8, 'infinity') end) as arrived,
           string_agg(concat(
               '"result":', coalesce(l.number::text, to_json(l.text)::text, l.json::text, 'null'),
               ',"time":', coalesce(to_char(l.time at time zone 'UTC', '"\\""YYYY-MM-DD"T"HH24:MI:SS"Z\\""'), 'null')
           ), chr(10)) as told
    from unnest($1::bigint[]) with ordinality as d (id, place) join sensing.latest l on l.datastream_id = d.id
    where $2::xid8 is null or age(l.xmin) <= (select age($2::xid8::xid))
"""
SILENT_BEFORE = "select id, extract(epoch from now() - silent_after)::float8 as moment from sensing.kind"
# Of a stream without a value.
UNTOLD = b'"result":null,"time":null'
HORIZON = "select pg_snapshot_xmin(pg_current_snapshot())"
IS_SAME = "select current_date = $2 and not exists (select from sensing.description_change where xid >= $1)"
TILE = f"""
    select st_asmvt(t, '{SOURCE_LAYER}', {EXTENT}, 'geom', 'id') from (
        select d.id, d.name, d.kind, t.id as thing, t.name as title, d.units ->> 'symbol' as unit, l.number as value,
               extract(epoch from l.time)::bigint as time, {STATE} as state, e.severity, e.id as event,
               st_asmvtgeom(st_transform(coalesce(p.geom, f.geom), 3857), st_tileenvelope($5, $6, $7), {EXTENT}, 64,
                            true) as geom
        {DESCRIBED} join sensing.latest l on l.datastream_id = d.id join sensing.kind k on k.id = d.kind {EVENTS}
        {WANTED} order by d.id
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


async def require_datastreams(connection: Connection, datastreams: Sequence[int]) -> None:
    """Raises EntityNotFound, naming them, where there are not all of these."""
    if datastreams and (missing := await connection.fetchval(MISSING, datastreams)):
        raise EntityNotFound(f"no Datastream {', '.join(map(str, missing[:10]))}{', …' if len(missing) > 10 else ''}")


@cache
def latest_style() -> dict[str, Any]:
    """How last values are drawn: `states` with their words and colours, `layers` of MapLibre without a source."""
    text = resources.files("twin.sensing").joinpath("latest_style.yaml").read_text(encoding="utf-8")
    style: dict[str, Any] = yaml.safe_load(text)
    return style


@dataclass
class _Described:
    """Streams as they are told before their state. horizon: what ended before it is told; day: of their levels.

    arrived: when each last value came, in seconds since 1970; NaN where there is none. horizon_of_values: as horizon.
    """

    horizon: int
    day: date
    ids: list[int]
    kinds: list[str]
    heads: list[bytes]
    told: list[bytes]
    arrived: Floats
    horizon_of_values: int | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def size(self) -> int:
        return 2 * sum(map(len, self.heads)) + 200 * len(self.ids) + 100

    async def read_values(self, connection: Connection) -> None:
        """Take over what has changed since the last time."""
        # One after another: what an earlier look has found must not replace a later one's.
        async with self.lock:
            row = await connection.fetchrow(VALUES, self.ids, self.horizon_of_values)
            assert row is not None, "an aggregate has a row"
            if row["places"] is not None:
                for place, value in zip(row["places"], row["told"].encode().split(b"\n"), strict=True):
                    self.told[place] = self.heads[place] + value
                self.arrived[row["places"]] = row["arrived"]
            self.horizon_of_values = row["horizon"]


class Latest:
    """Tells last values. What does not change with them is put together once, and anew when something of it changes; of
    the values only those are read that have changed since they were asked for before."""

    def __init__(self) -> None:
        self._kept: LRUCache[tuple[object, ...], _Described] = LRUCache(KEPT_BYTES, getsizeof=lambda each: each.size)

    async def features(self, connection: Connection, chosen: Chosen, limit: int) -> tuple[bytes, int]:
        """A GeoJSON feature for each datastream, as a JSON array, and their number."""
        described = await self._described(connection, chosen, limit)
        if not described.ids:
            return b"[]", 0
        await described.read_values(connection)
        states = await _states(connection, described)
        return b"[" + b"}},".join(map(bytes.__add__, described.told, states)) + b"}}]", len(described.ids)

    async def _described(self, connection: Connection, chosen: Chosen, limit: int) -> _Described:
        key = chosen, limit
        kept = self._kept.get(key)
        if kept is not None and await connection.fetchval(IS_SAME, kept.horizon, kept.day):
            return kept
        horizon = await connection.fetchval(HORIZON)
        today = await connection.fetchval("select current_date")
        rows = await connection.fetch(STREAMS, *chosen.arguments(), limit)
        with without_collection():
            ids, kinds, heads = (
                [row["id"] for row in rows],
                [row["kind"] for row in rows],
                [_head(row) for row in rows],
            )
            told = [head + UNTOLD for head in heads]
        found = _Described(horizon, today, ids, kinds, heads, told, np.full(len(ids), np.nan))
        if found.size <= KEPT_BYTES:
            self._kept[key] = found
        return found


async def _states(connection: Connection, described: _Described) -> list[bytes]:
    """How it stands with each stream now, by the clock and by its gravest event."""
    moments = {row["id"]: row["moment"] for row in await connection.fetch(SILENT_BEFORE)}
    events = {row["datastream_id"]: (row["severity"], row["id"]) for row in await connection.fetch(GRAVEST)}
    is_silent = described.arrived < np.array([moments.get(kind, np.nan) for kind in described.kinds])
    conditions = np.where(np.isnan(described.arrived), UNKNOWN, np.where(is_silent, SILENT, OK))
    if not events:
        return [QUIET[condition] for condition in conditions.tolist()]
    return [
        QUIET[condition] if stream not in events else _state(condition, *events[stream])
        for stream, condition in zip(described.ids, conditions.tolist(), strict=True)
    ]


def _state(condition: int, severity: str | None = None, event: int | None = None) -> bytes:
    if condition == OK and severity is not None:
        state = "alarm" if severity in ("red", "orange") else "warning"
    else:
        state = CONDITIONS[condition]
    return b"," + orjson.dumps({"state": state, "severity": severity, "event": event})[1:-1]


OK, SILENT, UNKNOWN = range(3)
CONDITIONS = "ok", "silent", "unknown"
# Of streams without an event, nearly all there are.
QUIET = [_state(condition) for condition in range(len(CONDITIONS))]


def _head(row: asyncpg.Record) -> bytes:
    """A feature up to its values."""
    if row["x"] is not None:
        geometry: Any = {"type": "Point", "coordinates": (round(row["x"], 7), round(row["y"], 7))}
    else:
        geometry = None if row["shape"] is None else orjson.Fragment(row["shape"])
    feature: dict[str, Any] = {
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
            "levels": row["levels"],
            "datum": row["datum"],
            "objects": row["objects"],
        },
    }
    if row["camera"] is not None:
        feature["properties"]["camera"] = row["camera"]
    return orjson.dumps(feature)[:-2] + b","


async def latest_tile(connection: Connection, chosen: Chosen, z: int, x: int, y: int) -> bytes:
    """A vector tile of the web's grid with a layer `sensors_latest`; empty where there is none."""
    bounds = await connection.fetchval(BOUNDS, z, x, y)
    arguments = Chosen(chosen.kinds, chosen.datastreams, bounds, chosen.of).arguments()
    tile: bytes = await connection.fetchval(TILE, *arguments, z, x, y)
    return tile
