"""What lies at a place: the nearest address and name, the nearest road, and the areas around it."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Float, Text, cast, func, literal, literal_column, select

from layers.catalog import Layer
from layers.query import objects
from layers.search.entries import AREAS, ROADS
from layers.search.shown import Asker, Shown, shown
from layers.statement import compiled

# Entries looked at, of which the asker may see none.
MOST = 100
NEAREST_SQL = """
    select "table", object_id, field, text,
           ST_Distance(point::geography, ST_SetSRID(ST_Point($1, $2), $3)::geography) as distance
    from search_entry
    where "table" = any($4) and (field = 'address') = $6
    order by point <-> ST_SetSRID(ST_Point($1, $2), $3) limit $5
"""


@dataclass(frozen=True)
class Near:
    """An object near a place; distance in metres, from its surface for a road, from a point on it otherwise."""

    layer: Layer
    object_id: int
    text: str
    distance: float


@dataclass(frozen=True)
class Area:
    """An administrative area that a place lies in."""

    object_id: int
    code: str | None
    level: str | None
    name: str | None
    name_en: str | None


@dataclass(frozen=True)
class Surroundings:
    """What lies at a place; None where nothing is near enough. areas: the smallest first."""

    address: Near | None
    place: Near | None
    road: Near | None
    areas: tuple[Area, ...]


async def reverse(asker: Asker, place: tuple[float, float], *, within_m: float) -> Surroundings:
    """What lies at longitude, latitude, nothing further than `within_m` metres; as the asker may see it."""
    return Surroundings(
        address=await _nearest(asker, place, within_m, addressed=True),
        place=await _nearest(asker, place, within_m, addressed=False),
        road=await _road(asker, place, within_m),
        areas=await _areas(asker, place),
    )


async def _nearest(asker: Asker, place: tuple[float, float], within_m: float, *, addressed: bool) -> Near | None:
    layers = [layer for layer in asker.layers() if layer.theme.table not in (AREAS, ROADS)]
    tables = sorted({layer.theme.table for layer in layers})
    rows = await asker.connection.fetch(NEAREST_SQL, *place, asker.catalog.city.srid, tables, MOST, addressed)
    seen = await shown(asker, {(row["table"], row["object_id"]) for row in rows}, layers)
    for row in sorted(rows, key=lambda each: each["distance"]):
        one: Shown | None = seen.get((row["table"], row["object_id"]))
        if one is None or one.looked_up or one.texts.get(row["field"]) != row["text"]:
            continue
        if row["distance"] <= within_m:
            return Near(one.layer, one.object_id, row["text"], row["distance"])
    return None


async def _road(asker: Asker, place: tuple[float, float], within_m: float) -> Near | None:
    layer = next((each for each in asker.layers() if each.theme.table == ROADS and each.property("name")), None)
    if layer is None:
        return None
    table, point = objects(layer, asker.catalog), _point(asker, place)
    nearest = (
        asker.rows(layer)
        .add_columns(table.c.object_id, table.c.name, table.c.geom)
        .where(table.c.name.is_not(None))
        .order_by(table.c.geom.op("<->")(point))
        .limit(1)
        .subquery("nearest")
    )
    distance = func.ST_Distance(_geography(nearest.c.geom), _geography(point))
    statement = compiled(select(nearest.c.object_id, nearest.c.name, distance.label("distance")))
    row = await asker.connection.fetchrow(statement.sql, *statement.arguments)
    if row is None or row["distance"] > within_m:
        return None
    return Near(layer, row["object_id"], row["name"], row["distance"])


async def _areas(asker: Asker, place: tuple[float, float]) -> tuple[Area, ...]:
    layer = next((each for each in asker.layers() if each.theme.table == AREAS), None)
    if layer is None:
        return ()
    table = objects(layer, asker.catalog)
    nothing = cast(literal_column("null"), Text)
    told = [
        (table.c[name] if layer.property(name) else nothing).label(name)
        for name in ("code", "level", "name", "name_en")
    ]
    around = asker.rows(layer).add_columns(table.c.object_id, *told)
    statement = compiled(
        around.where(func.ST_Intersects(table.c.geom, _point(asker, place)))
        .order_by(func.ST_Area(table.c.geom))
        .limit(20)
    )
    return tuple(Area(*row) for row in await asker.connection.fetch(statement.sql, *statement.arguments))


def _point(asker: Asker, place: tuple[float, float]) -> ColumnElement[Any]:
    lon, lat = (literal(value, Float) for value in place)
    return func.ST_SetSRID(func.ST_Point(lon, lat), literal_column(str(asker.catalog.city.srid)))


def _geography(shape: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.geography(shape)
