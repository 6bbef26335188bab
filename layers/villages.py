"""Which village an object lies in: a derived value, kept beside the object and never a version of its own."""

from cim_models.themes import THEMES

VILLAGE = "village"
# Areas know their own division code; every other object gets the one of the village it lies in.
ASSIGNED = tuple(table for table in THEMES if table != "administrative_area")


def village_of(geometry: str) -> str:
    """SQL: the code of the village that holds a point on the surface of `geometry`, an SQL expression; null in none.

    Villages are taken as they are believed to be now. Where two overlap, the lower code has it.
    """
    return f"""(
        select village.code from administrative_area village
        where village.recorded_to = 'infinity' and village.plan_id is null and village.level = '{VILLAGE}'
          and (village.valid_from is null or village.valid_from <= now())
          and (village.valid_to is null or village.valid_to > now())
          and ST_Intersects(village.geom, ST_PointOnSurface({geometry}))
        order by village.code limit 1
    )"""


def reassignments(boxes: str) -> list[str]:
    """SQL statements that bring the villages of all current objects up to date that touch one of `boxes`.

    boxes: SQL that gives geometries in the city's CRS as `geom`; where villages changed. Each statement is followed
    by the extents of the objects it changed: xmin, ymin, xmax, ymax in EPSG:3857, to be told to the change feed.
    """
    return [
        f"""
        update {table} object set village_code = found.code
        from (
            select candidate.id, {village_of("candidate.geom")} as code
            from {table} candidate
            where candidate.recorded_to = 'infinity'
              and exists (select from ({boxes}) box where candidate.geom && box.geom)
        ) found
        where object.recorded_to = 'infinity' and object.id = found.id
          and object.village_code is distinct from found.code
        """
        for table in ASSIGNED
    ]
