"""Stations in order: who has had the most rain in a window, whose level stands highest against its reference."""

from datetime import datetime, timedelta
from typing import Any

from cim_models.database import Connection

LONGEST = timedelta(hours=72)
PLACED = """
    select d.id as datastream, d.name, t.id as thing, t.name as title, d.units ->> 'symbol' as unit,
           st_asgeojson(f.geom, 6)::jsonb as place
"""
# What is told at the end of its time belongs to the window that it ends in: open before, closed after.
AMOUNTS = f"""
    {PLACED}, s.value, s.count, s.last_time as time
    from sensing.datastream d join sensing.thing t on t.id = d.thing_id
    left join sensing.feature f on f.id = d.feature_id
    cross join lateral (
        select sum(number) as value, count(*) as count, max(o.time) as last_time from sensing.observation o
        where o.datastream_id = d.id and o.time > $2 and o.time <= $3 and o.number is not null
    ) s
    where d.kind = $1 and s.count > 0 order by s.value desc, d.id limit $4
"""
# The value at a moment, what it was a window before, and the reference levels of that day.
STANDS = f"""
    {PLACED}, v.number as value, v.time, v.number - b.number as change,
           sensing.levels_at(d.properties -> 'levels', $3::date) as levels,
           d.properties -> 'levels' ->> 'datum' as datum
    from sensing.datastream d join sensing.thing t on t.id = d.thing_id
    left join sensing.feature f on f.id = d.feature_id
    cross join lateral (
        select number, o.time from sensing.observation o
        where o.datastream_id = d.id and o.time <= $3 and o.time > $3 - interval '1 day' and o.number is not null
        order by o.time desc limit 1
    ) v
    left join lateral (
        select number from sensing.observation o
        where o.datastream_id = d.id and o.time <= v.time - ($3 - $2) and o.time > v.time - ($3 - $2) - interval '1 day'
          and o.number is not null
        order by o.time desc limit 1
    ) b on true
    where d.kind = $1
"""


async def rank(connection: Connection, kind: str, window: timedelta, at: datetime, limit: int) -> list[dict[str, Any]]:
    """Stations of a kind in order at a moment: amounts by their sum over the window, others by how far they stand
    above their reference level (`warning`, else the lowest they have), with their change over the window.

    Stations without a level come after those with one, by their value. Nothing older than a day before counts.
    """
    is_total = await connection.fetchval("select is_total from sensing.kind where id = $1", kind)
    if is_total:
        rows = await connection.fetch(AMOUNTS, kind, at - window, at, limit)
        return [dict(row) for row in rows]
    found = [_against(dict(row)) for row in await connection.fetch(STANDS, kind, at - window, at)]
    found.sort(key=lambda each: (each["above"] is None, -(each["value"] if each["above"] is None else each["above"])))
    return found[:limit]


def _against(row: dict[str, Any]) -> dict[str, Any]:
    levels: dict[str, float] = row["levels"] or {}
    name = "warning" if "warning" in levels else min(levels, key=lambda each: levels[each], default=None)
    passed = [each for each, value in sorted(levels.items(), key=lambda item: item[1]) if row["value"] >= value]
    above = None if name is None else round(row["value"] - levels[name], 6)
    return row | {"levels": levels, "level": name, "above": above, "passed": passed}
