"""What a boundary holds of a polygon layer: the area of each class in it, of what none covers, and of overlaps."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import BigInteger, LargeBinary, case, func, literal, literal_column

from cim_models.database import Connection
from layers import LayerError
from layers.access import Principal
from layers.catalog import Catalog, Layer
from layers.features import ObjectNotFound
from layers.filter_sql import stored
from layers.measure import areas
from layers.planning import planned_anew
from layers.query import Selection, objects, rows
from layers.statement import compiled

MOST_VERTICES = 100_000
MOST_PIECES = 50_000
MOST_PIECE_VERTICES = 1_000_000
POLYGONS = ("MultiPolygon", "Geometry")


class BoundaryError(LayerError):
    """A boundary, or what lies in it, of which no table can be made."""


@dataclass(frozen=True)
class Row:
    """One class: how many objects reach into the boundary, and their area in it, m2."""

    value: str | None
    count: int
    area_m2: float


@dataclass(frozen=True)
class AreaTable:
    """Areas in m2. The rows and `uncovered_m2`, less `overlap_m2`, are the boundary's area, but for `residual_m2`."""

    rows: tuple[Row, ...]
    boundary_m2: float
    uncovered_m2: float
    overlap_m2: float

    @property
    def residual_m2(self) -> float:
        """What rounding left over."""
        return sum(row.area_m2 for row in self.rows) + self.uncovered_m2 - self.overlap_m2 - self.boundary_m2


def checked_boundary(shape: BaseGeometry) -> BaseGeometry:
    """A polygon, flat and valid, in longitude and latitude. Raises BoundaryError."""
    vertices = shapely.get_num_coordinates(shape)
    if vertices > MOST_VERTICES:
        raise BoundaryError(f"the boundary has {vertices:,} vertices; at most {MOST_VERTICES:,} are read: simplify it")
    flat: BaseGeometry = shapely.force_2d(shape)
    if flat.geom_type not in ("Polygon", "MultiPolygon") or flat.is_empty:
        raise BoundaryError(f"the boundary is a {shape.geom_type}; give a Polygon or a MultiPolygon")
    if not (np.abs(shapely.get_coordinates(flat)) <= (180, 90)).all():
        raise BoundaryError("the boundary lies outside the globe; give longitude, latitude in degrees")
    if not flat.is_valid:
        raise BoundaryError(f"the boundary is not valid: {shapely.is_valid_reason(flat)}; mend it first")
    return flat


async def boundary_of(connection: Connection, catalog: Catalog, principal: Principal, object_id: int) -> BaseGeometry:
    """The outline of an administrative area as it is now. Raises ObjectNotFound, LayerNotFound."""
    layer = catalog.layer("administrative_areas", principal)
    table = objects(layer, catalog)
    chosen = rows(Selection(layer), catalog, principal).where(table.c.object_id == literal(object_id, BigInteger))
    statement = compiled(chosen.add_columns(func.ST_AsBinary(table.c.geom)))
    found = await connection.fetchval(statement.sql, *statement.arguments)
    if found is None:
        raise ObjectNotFound(f"no object {object_id} in {layer.id} at that moment")
    outline: BaseGeometry = shapely.from_wkb(found)
    return outline


async def area_table(
    connection: Connection,
    selection: Selection,
    catalog: Catalog,
    principal: Principal,
    boundary: BaseGeometry,
    *,
    by: str,
) -> AreaTable:
    """The selection's polygons in a boundary (longitude, latitude), by a property. Raises BoundaryError."""
    pieces = await _pieces(connection, selection, catalog, principal, boundary=boundary, by=by)
    return await asyncio.to_thread(_table, boundary, pieces, catalog.city.srid)


def default_by(layer: Layer) -> str:
    """Land is told by its code, everything else by its class."""
    return "code" if layer.theme.table == "land" else "class"


async def _pieces(
    connection: Connection,
    selection: Selection,
    catalog: Catalog,
    principal: Principal,
    *,
    boundary: BaseGeometry,
    by: str,
) -> Mapping[str | None, list[bytes]]:
    layer, table = selection.layer, objects(selection.layer, catalog)
    attribute = layer.property(by)
    if attribute is None:
        raise BoundaryError(f"by={by}: {layer.id} has {', '.join(each.name for each in layer.properties)}")
    if layer.theme.geometry not in POLYGONS:
        raise BoundaryError(f"{layer.id} has no polygons; an area table is made of a layer that has")
    outline: Any = func.geometry(
        literal(shapely.to_wkb(shapely.set_srid(boundary, catalog.city.srid), include_srid=True), LargeBinary)
    )
    inside = case(
        (func.ST_CoveredBy(table.c.geom, outline), table.c.geom), else_=func.ST_Intersection(table.c.geom, outline)
    )
    chosen = (
        rows(selection, catalog, principal)
        .where(func.ST_Intersects(table.c.geom, outline), func.ST_Dimension(table.c.geom) == 2)
        .add_columns(stored(table, attribute).label("value"), func.ST_AsBinary(inside).label("piece"))
        .limit(literal_column(str(MOST_PIECES + 1)))
    )
    statement = compiled(chosen)
    found: dict[str | None, list[bytes]] = {}
    number = size = 0
    async with planned_anew(connection):
        fetched = await connection.fetch(statement.sql, *statement.arguments)
    for row in fetched:
        number, size = number + 1, size + len(row["piece"]) // 16
        if number > MOST_PIECES or size > MOST_PIECE_VERTICES:
            raise BoundaryError(
                f"more than {MOST_PIECES:,} objects lie in the boundary; take a smaller one or a filter"
            )
        value = row["value"]
        found.setdefault(None if value is None else str(value), []).append(row["piece"])
    return found


def _table(boundary: BaseGeometry, pieces: Mapping[str | None, list[bytes]], srid: int) -> AreaTable:
    shapes = {value: shapely.from_wkb(found) for value, found in pieces.items()}
    found = [Row(value, *_measured(each, srid)) for value, each in shapes.items()]
    everything = np.concatenate(list(shapes.values())) if shapes else np.array([], dtype=object)
    covered = shapely.union_all(everything) if len(everything) else shapely.Polygon()
    whole, together, left = areas([boundary, covered, shapely.difference(boundary, covered)], srid)
    total = sum(row.area_m2 for row in found)
    return AreaTable(
        rows=tuple(sorted((row for row in found if row.count), key=lambda row: -row.area_m2)),
        boundary_m2=float(whole),
        uncovered_m2=float(left),
        overlap_m2=max(float(total - together), 0.0),
    )


def _measured(shapes: Any, srid: int) -> tuple[int, float]:
    # What touches the boundary from outside is no part of it.
    sizes = areas(shapes, srid)
    return int((sizes > 0).sum()), float(sizes.sum())
