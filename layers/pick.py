"""What lies at a point of a map: the objects that a finger laid on it would touch, the nearest first."""

from typing import Any

import orjson
import shapely
from sqlalchemy import LargeBinary, func, literal

from cim_models.base import WEB_SRID
from cim_models.database import Connection
from layers.access import Principal
from layers.catalog import Catalog
from layers.features import read_page
from layers.filters import Filter, all_of
from layers.query import Selection, objects, rows
from layers.statement import compiled

Point = tuple[float, float]


async def pick(
    connection: Connection,
    selection: Selection,
    catalog: Catalog,
    principal: Principal,
    *,
    area: shapely.Polygon,
    at: Point,
    limit: int,
) -> list[dict[str, Any]]:
    """Features (GeoJSON, CRS84) of the objects that touch `area`, the nearest to `at` first, the smallest among equals.

    area: longitude and latitude. at: EPSG:3857, which keeps to scale in every direction. limit: 1 to 1,000 objects.
    """
    table = objects(selection.layer, catalog)
    touched = func.geometry(literal(_ewkb(area, catalog.city.srid), LargeBinary))
    point = func.geometry(literal(_ewkb(shapely.Point(at), WEB_SRID), LargeBinary))
    chosen = (
        rows(selection, catalog, principal)
        .add_columns(table.c.object_id)
        .where(func.ST_Intersects(table.c.geom, touched))
        .order_by(func.ST_Distance(table.c.geom_web, point), func.ST_Area(table.c.geom_web), table.c.object_id)
        .limit(limit)
    )
    statement = compiled(chosen)
    ids = [row["object_id"] for row in await connection.fetch(statement.sql, *statement.arguments)]
    if not ids:
        return []
    named = Filter({"op": "in", "args": [{"property": "object_id"}, ids]})
    found = Selection(selection.layer, selection.view, all_of(selection.filter, named))
    page = await read_page(connection, found, catalog, principal, limit=len(ids))
    features = {feature["id"]: feature for feature in map(orjson.loads, page.features)}
    # An object that was taken away between the two statements is left out.
    return [features[number] for number in ids if number in features]


def _ewkb(shape: shapely.Geometry, srid: int) -> bytes:
    return bytes(shapely.to_wkb(shapely.set_srid(shape, srid), include_srid=True))
