"""Which village an object lies in: a derived value, kept beside the object and never a version of its own.

It is the village of a point on the object's surface; where two overlap, the lower code has it. Villages are those that
the city has now.
"""

from cim_models.database import Connection
from cim_models.themes import THEMES
from layers.boxes import Bbox, boxes, cells_sql
from layers.changes import INSERT_SQL

AREAS = "administrative_area"
WHY = "villages changed"
# Areas know their own division code; every other object gets the one of the village it lies in.
ASSIGNED = tuple(table for table in THEMES if table != AREAS)
VILLAGES = f"""
    select code, geom from {AREAS}
    where recorded_to = 'infinity' and plan_id is null and level = 'village'
      and (valid_from is null or valid_from <= now()) and (valid_to is null or valid_to > now())
"""


def village_of(geometry: str) -> str:
    """SQL expression: the code of the village of one `geometry`, an SQL expression; null in none."""
    return f"""(
        select village.code from ({VILLAGES}) village
        where ST_Intersects(village.geom, ST_PointOnSurface({geometry}))
        order by village.code limit 1
    )"""


def assignment(name: str, objects: str) -> list[str]:
    """SQL statements that make the temporary table `name`: key, code of each of `objects` that lies in a village.

    objects: SQL that gives key, geom. Village by village with an index on the points: object by object it takes four
    times as long, for each has to find its village and unpack it.
    """
    points = f"{name}_points"
    return [
        f"create temporary table {points} on commit drop as"
        f" select key, ST_PointOnSurface(geom) as point from ({objects}) object",
        f"create index on {points} using gist (point)",
        f"analyze {points}",
        f"create temporary table {name} on commit drop as"
        f" select key, min(code) as code from ({VILLAGES}) village"
        f" join {points} on ST_Intersects(village.geom, point) group by key",
        f"drop table {points}",
        f"analyze {name} (key)",
    ]


def reassignment(table: str, extent: Bbox, srid: int) -> tuple[list[str], str]:
    """SQL that brings the villages of a theme's current objects up to date after villages changed within `extent`.

    Statements that prepare it, and one that changes the rows in place and gives the cells of those it changed, as
    `layers.boxes.boxes` takes them.
    """
    envelope = f"ST_MakeEnvelope({', '.join(map(repr, extent))}, {srid})"
    within = f"select id as key, geom from {table} where recorded_to = 'infinity' and geom && {envelope}"
    name = f"village_of_{table}"
    updated = f"""
        update {table} object set village_code = assigned.code
        from ({within}) inside left join {name} assigned using (key)
        where object.recorded_to = 'infinity' and object.id = inside.key
          and object.village_code is distinct from assigned.code
        returning object.geom_web
    """
    prepare = [f"drop table if exists {name}", *assignment(name, within)]
    return prepare, f"with updated as ({updated}) {cells_sql('select geom_web from updated')}"


async def reassign(connection: Connection, extent: Bbox, srid: int, who: str) -> None:
    """Tell every object in a changed extent its village again, and the change feed where that made a difference."""
    for table in ASSIGNED:
        prepare, update = reassignment(table, extent, srid)
        await connection.execute("; ".join(prepare))
        cells = await connection.fetch(update)
        await connection.executemany(
            INSERT_SQL,
            [
                (table, None, None, None, "bulk", box, box, None, None, who, WHY)
                for box in boxes(tuple(cell) for cell in cells)
            ],
        )
