"""Coordinate reference systems by reference (OGC API Features Part 2): which are offered, asked for and answered in."""

from typing import Any

from api.errors import BadRequest
from api.parameters import Parameter, Query
from layers.catalog import Catalog
from layers.crs import CRS84, Crs, UnknownCrs, known_crs, parse_crs
from layers.filter_shapes import in_degrees
from layers.filters import Filter
from layers.query import Bbox

CRS_URI = {"type": "string", "format": "uri"}
CRS = Parameter[str | None](
    "crs",
    "CRS of the answer's geometries, with its axes in their own order; CRS84 by default. A collection lists those.",
    str,
    None,
    CRS_URI | {"default": CRS84.uri, "example": "http://www.opengis.net/def/crs/EPSG/0/4490"},
    max_length=200,
)
BBOX_CRS = Parameter[str | None](
    "bbox-crs",
    "CRS of the bbox, with its axes in their own order; CRS84 by default.",
    str,
    None,
    CRS_URI | {"default": CRS84.uri, "example": "http://www.opengis.net/def/crs/EPSG/0/4326"},
    max_length=200,
)


def offered(catalog: Catalog) -> list[Crs]:
    """The CRSs that features are told in, CRS84 first, as Part 1 wants it."""
    return list(dict.fromkeys([CRS84, *known_crs(catalog)]))


def offered_crs(text: str | None, parameter: Parameter[Any], catalog: Catalog) -> Crs:
    """The CRS of a parameter's value. Raises BadRequest for one that is not offered (Part 2, 6.2.2)."""
    if text is None:
        return CRS84
    try:
        crs = parse_crs(text)
    except UnknownCrs as error:
        raise BadRequest(f"{parameter.name}: {error}") from None
    if crs not in offered(catalog):
        raise BadRequest(f"{parameter.name}: {crs.code} is not offered here; the collection's crs lists those that are")
    return crs


def take_crs(query: Query, catalog: Catalog) -> Crs:
    """The CRS of the answer. Raises BadRequest."""
    return offered_crs(query.take(CRS), CRS, catalog)


def content_crs(crs: Crs) -> dict[str, str]:
    """The header by which an answer names its CRS (Part 2, 6.3)."""
    return {"Content-Crs": f"<{crs.uri}>"}


def take_box(
    query: Query, bbox: Parameter[tuple[float, ...] | None], catalog: Catalog
) -> tuple[Bbox | None, Filter | None]:
    """A box in degrees, or where its sides bend in degrees the filter that says the same. Raises BadRequest, NoWay."""
    numbers, crs = query.take(bbox), offered_crs(query.take(BBOX_CRS), BBOX_CRS, catalog)
    if numbers is None:
        return None, None
    if not crs.is_geographic:
        inside = Filter({"op": "s_intersects", "args": [{"property": "geom"}, {"bbox": list(numbers)}]})
        return None, in_degrees(inside, crs)
    flat = numbers if len(numbers) == 4 else (*numbers[:2], *numbers[3:5])
    west, south, east, north = crs.to_xy(flat)  # type: ignore[arg-type]
    if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90):
        raise BadRequest(
            f"{bbox.name}: out of range for {crs.code}: longitudes from -180 to 180,"
            " latitudes from -90 to 90, the least first"
        )
    return (west, south, east, north), None
