"""Which village an object lies in: a derived value, kept beside the object and never a version of its own."""

from cim_models.database import Connection
from cim_models.themes import THEMES
from layers.boxes import Bbox, boxes, cells_sql
from layers.changes import INSERT_SQL

AREAS = "administrative_area"
VILLAGE = "village"
# Those that the city has now.
VILLAGES = f"""
    select code, geom from {AREAS}
    where recorded_to = 'infinity' and plan_id is null and level = '{VILLAGE}'
      and (valid_from is null or valid_from <= now()) and (valid_to is null or valid_to > now())
"""
# Areas know their own division code; every other object gets the one of the village it lies in.
WHY = "villages changed"
ASSIGNED = tuple(table for table in THEMES if table != AREAS)


def village_of(geometry: str) -> str:
    """SQL: the code of the village that holds a point on the surface of `geometry`, an SQL expression; null in none.

    Villages are those that the city has now. Where two overlap, the lower code has it.
    """
    return f"""(
        select village.code from ({VILLAGES}) village
        where ST_Intersects(village.geom, ST_PointOnSurface({geometry}))
        order by village.code limit 1
    )"""


def reassignment(table: str, extent: Bbox, srid: int) -> str:
    """SQL that brings the villages of a theme's current objects up to date after villages changed within `extent`.

    It changes the rows in place and gives the cells of those it changed, as `layers.boxes.boxes` takes them.
    """
    envelope = f"ST_MakeEnvelope({', '.join(map(repr, extent))}, {srid})"
    updated = f"""
        update {table} object set village_code = found.code
        from (
            select candidate.id, {village_of("candidate.geom")} as code
            from {table} candidate
            where candidate.recorded_to = 'infinity' and candidate.geom && {envelope}
        ) found
        where object.recorded_to = 'infinity' and object.id = found.id
          and object.village_code is distinct from found.code
        returning object.geom_web
    """
    return f"with updated as ({updated}) {cells_sql('select geom_web from updated')}"


async def reassign(connection: Connection, extent: Bbox, srid: int, who: str) -> None:
    """Tell every object in a changed extent its village again, and the change feed where that made a difference."""
    for table in ASSIGNED:
        cells = await connection.fetch(reassignment(table, extent, srid))
        await connection.executemany(
            INSERT_SQL,
            [
                (table, None, None, None, "bulk", box, box, None, None, who, WHY)
                for box in boxes(tuple(cell) for cell in cells)
            ],
        )
