"""Geometries that stand in a filter: read, checked, and brought to longitude and latitude."""

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import shapely

from layers.crs import CRS84, Crs, transform_points
from layers.filter_terms import shown
from layers.filters import Filter, FilterError

# Points on each side of a box whose sides bend in longitude and latitude.
SIDE_POINTS = 20


def box(corners: Any) -> shapely.Geometry:
    """A box of CQL2; west > east crosses the antimeridian. Heights are passed over."""
    west, south, east, north = _corners(corners)
    if west > east:
        return shapely.MultiPolygon([shapely.box(west, south, 180, north), shapely.box(-180, south, east, north)])
    return shapely.box(west, south, east, north)


def _corners(corners: Any) -> tuple[float, float, float, float]:
    if (
        not isinstance(corners, list)
        or len(corners) not in (4, 6)
        or not all(isinstance(v, int | float) and not isinstance(v, bool) and abs(v) < math.inf for v in corners)
    ):
        raise FilterError("filter: bbox takes west, south, east, north")
    west, south, east, north = corners if len(corners) == 4 else (*corners[:2], *corners[3:5])
    if south > north:
        raise FilterError("filter: bbox takes west, south, east, north; here south lies over north")
    return west, south, east, north


def parsed(node: Mapping[str, Any]) -> shapely.Geometry:
    """A GeoJSON geometry, flat and valid: PostGIS would fail on another in the middle of the query."""
    shape = _read(node)
    if not shapely.is_valid(shape):
        raise FilterError(f"filter: {shown(node)} is not valid: {shapely.is_valid_reason(shape)}")
    return shape


def check_measurable(node: Any) -> None:
    """Refuse a geometry of a filter that cannot be measured on the ellipsoid. Raises FilterError."""
    shape = box(node["bbox"]) if "bbox" in node else parsed(node)
    west, south, east, north = shapely.bounds(shape)
    # Of no geometry the bounds are no numbers, and no comparison with them holds.
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90 and east - west < 180):
        raise FilterError(f"filter: {shown(node)} cannot be measured; give one on the globe, less than half around it")


def _read(node: Mapping[str, Any]) -> shapely.Geometry:
    try:
        return shapely.force_2d(shapely.from_geojson(json.dumps(node)))
    except (shapely.errors.GEOSException, ValueError):
        raise FilterError(f"filter: {shown(node)} is no geometry") from None


def is_shape(node: Any) -> bool:
    return isinstance(node, dict) and "type" in node and ("coordinates" in node or "geometries" in node)


def in_degrees(wanted: Filter, crs: Crs) -> Filter:
    """The filter with its geometries, written in `crs` and its own order of axes, as longitude and latitude.

    OGC API Features Part 3, filter-crs. Raises FilterError, NoWay.
    """
    return wanted if crs == CRS84 else Filter(_turned(wanted.tree, crs))


def _turned(node: Any, crs: Crs) -> Any:
    if isinstance(node, list):
        return [_turned(each, crs) for each in node]
    if not isinstance(node, dict):
        return node
    if "bbox" in node:
        one, two, three, four = _box_numbers(node["bbox"])
        low, high = ((two, one), (four, three)) if crs.north_first else ((one, two), (three, four))
        west, south, east, north = _corners([*low, *high])
        if crs.is_geographic:
            # Only its axes change places, and it may cross the antimeridian as before.
            return {"bbox": [west, south, east, north]}
        side = max(east - west, north - south) / SIDE_POINTS
        bent = shapely.box(west, south, east, north)
        return _geojson(_transformed(shapely.segmentize(bent, side) if side else bent, crs, node, flip=False))
    if is_shape(node):
        return _geojson(_transformed(_read(node), crs, node, flip=crs.north_first))
    return {name: _turned(value, crs) for name, value in node.items()}


def _box_numbers(corners: Any) -> tuple[float, float, float, float]:
    if not isinstance(corners, list) or len(corners) not in (4, 6):
        raise FilterError("filter: bbox takes the least and the greatest values of both axes")
    one, two, three, four = corners if len(corners) == 4 else (*corners[:2], *corners[3:5])
    return one, two, three, four


def _transformed(shape: shapely.Geometry, crs: Crs, node: Any, *, flip: bool) -> shapely.Geometry:
    points = shapely.get_coordinates(shape)
    x, y = (points[:, 1], points[:, 0]) if flip else (points[:, 0], points[:, 1])
    x, y = transform_points(x, y, crs, CRS84)
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise FilterError(f"filter: {shown(node)} has no place in {crs.code} ({crs.name})")
    return shapely.set_coordinates(shape, np.column_stack([x, y]))


def _geojson(shape: shapely.Geometry) -> Any:
    return json.loads(shapely.to_geojson(shape))
