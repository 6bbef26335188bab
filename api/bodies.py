"""Bodies of requests: their media type, CRS and JSON, each refused in words."""

import json
from typing import Any

import numpy as np
import orjson
import shapely
from fastapi import Request
from shapely.geometry.base import BaseGeometry

from api.crs import offered_crs
from api.errors import BadRequest, UnsupportedMediaType
from api.links import GEOJSON, JSON
from api.parameters import Parameter
from layers.catalog import Catalog
from layers.crs import CRS84, Crs, transform_points

# Nobody writes by hand what a parser would have to recurse into so far; a geometry has four levels.
MAX_DEPTH = 32
CONTENT_CRS = Parameter[str | None]("Content-Crs", "CRS of the body's geometries.", str, None)


async def read_json(request: Request, *kinds: str) -> Any:
    """The JSON of a body of one of the media types. Raises UnsupportedMediaType, BadRequest, TooLarge."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in kinds:
        raise UnsupportedMediaType(f"Content-Type {media_type or 'missing'}: send {kinds[0]}")
    body = await request.body()
    if _depth(body) > MAX_DEPTH:
        raise BadRequest(f"the body is nested deeper than {MAX_DEPTH} levels")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"the body is no JSON: {error}") from None


def content_crs_of(request: Request, catalog: Catalog) -> Crs:
    """The CRS that a body's geometries are in (Part 4, after Part 2's header). Raises BadRequest."""
    text = request.headers.get("content-crs")
    return CRS84 if text is None else offered_crs(text.strip().strip("<>"), CONTENT_CRS, catalog)


def geometry(value: Any, crs: Crs) -> BaseGeometry:
    """A GeoJSON geometry, given in `crs` and its own order of axes, as longitude and latitude. Raises BadRequest."""
    if not isinstance(value, dict):
        raise BadRequest("geometry: must be a GeoJSON geometry")
    try:
        shape: BaseGeometry = shapely.from_geojson(json.dumps(value))
    except (shapely.errors.GEOSException, ValueError) as error:
        raise BadRequest(f"geometry: is no GeoJSON: {error}") from None
    # GeoJSON is longitude, latitude whatever the city's datum is called.
    shape = shapely.set_srid(shape, 0)
    return shape if crs == CRS84 else _in_degrees(shapely.force_2d(shape), crs)


def _in_degrees(shape: BaseGeometry, crs: Crs) -> BaseGeometry:
    points = shapely.get_coordinates(shape)
    x, y = (points[:, 1], points[:, 0]) if crs.north_first else (points[:, 0], points[:, 1])
    longitude, latitude = transform_points(x, y, crs, CRS84)
    if not (np.isfinite(longitude).all() and np.isfinite(latitude).all()):
        raise BadRequest(f"geometry: has no place in {crs.code} ({crs.name}); its axes may be the other way round")
    moved: BaseGeometry = shapely.set_coordinates(shape, np.column_stack([longitude, latitude]))
    return moved


async def read_boundary(request: Request, catalog: Catalog) -> BaseGeometry:
    """A polygon from a body: a GeoJSON geometry, Feature, or FeatureCollection taken together."""
    body, crs = await read_json(request, GEOJSON, JSON), content_crs_of(request, catalog)
    if not isinstance(body, dict):
        raise BadRequest("the body must be a GeoJSON geometry, Feature or FeatureCollection")
    if body.get("type") == "FeatureCollection":
        features = body.get("features")
        if not isinstance(features, list) or not features:
            raise BadRequest("features: a list of at least one Feature is wanted")
        shapes = [_outline(feature, crs) for feature in features]
        if not all(shapely.is_valid(shapes)):
            raise BadRequest("features: one of the boundaries is not valid; mend it first")
        together: BaseGeometry = shapely.union_all(shapes)
        return together
    return _outline(body, crs)


def _outline(value: Any, crs: Crs) -> BaseGeometry:
    if isinstance(value, dict) and value.get("type") == "Feature":
        value = value.get("geometry")
    return geometry(value, crs)


def _depth(body: bytes) -> int:
    """An upper bound of how deep the JSON is nested; brackets within texts count too."""
    marks = np.frombuffer(body, np.uint8)
    marks = marks[(marks | 0x20 == 0x7B) | (marks | 0x20 == 0x7D)]
    steps = np.where((marks == 0x5B) | (marks == 0x7B), 1, -1)
    return int(np.cumsum(steps, dtype=np.int64).max(initial=0))
