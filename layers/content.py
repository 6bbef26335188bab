"""What an edit may write: properties of the layer's types and geometry of the theme's kind, checked beforehand.

Nothing is converted on the way in but what loses nothing: 3 is a number, a polygon is a multipolygon of one.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson
import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import SmallInteger, Table

from cim_models.theme import Attribute, GeometryType
from layers import LayerError
from layers.catalog import Layer

# Identity, and what follows from the geometry, is not written by hand.
# A raster's row names a file on the server; only an import, which wrote the file, may say which.
FIXED = ("uid", "village_code", "path")
LONGEST_TEXT = 100_000
INTEGER_LIMIT = 2**31
SMALL_LIMIT = 2**15
PARTS_OF: dict[GeometryType, tuple[str, ...]] = {
    "Point": ("Point",),
    "LineString": ("LineString",),
    "MultiPolygon": ("Polygon", "MultiPolygon"),
}


class ContentError(LayerError):
    """A property or geometry that the layer cannot take."""


def typed_properties(
    layer: Layer, table: Table, properties: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Values for the table's columns, and for its `attributes`; None empties a property. Raises ContentError."""
    columns: dict[str, Any] = {}
    attributes: dict[str, Any] = {}
    for name, value in properties.items():
        attribute = layer.property(name)
        if name in FIXED:
            raise ContentError(f"{layer.id}: {name} cannot be written; leave it out")
        if attribute is not None and name in table.c:
            columns[name] = _typed(layer, attribute, value, small=isinstance(table.c[name].type, SmallInteger))
        elif attribute is not None:
            attributes[name] = _typed(layer, attribute, value)
        elif layer.whole and name not in table.c:
            attributes[name] = _json(layer, name, value)
        else:
            known = ", ".join(a.name for a in layer.properties if a.name not in FIXED)
            raise ContentError(f"{layer.id} has no property {name!r}; it has {known}")
    return columns, attributes


def _typed(layer: Layer, attribute: Attribute, value: Any, *, small: bool = False) -> Any:
    where = f"{layer.id}: {attribute.name}={value!r:.80}"
    limit = SMALL_LIMIT if small else INTEGER_LIMIT
    if value is None:
        if attribute.name == "class":
            raise ContentError(f"{where}: every object has a class")
        return None
    match attribute.type:
        case "boolean" if isinstance(value, bool):
            return value
        case "integer" if isinstance(value, int) and not isinstance(value, bool) and -limit <= value < limit:
            return value
        case "number" if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return float(value)
        case "text" if isinstance(value, str) and _storable(value) and len(value) <= LONGEST_TEXT:
            return value
    unit = f" in {attribute.unit}" if attribute.unit else ""
    raise ContentError(f"{where}: give {KINDS[attribute.type]}{unit}")


KINDS = {
    "text": f"text of at most {LONGEST_TEXT} characters, without a null character",
    "integer": "a whole number",
    "number": "a finite number",
    "boolean": "true or false",
}


def _storable(text: str) -> bool:
    """PostgreSQL keeps no null character, UTF-8 no half of a surrogate pair."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _json(layer: Layer, name: str, value: Any) -> Any:
    try:
        text = orjson.dumps({name: value}).decode()
    except (TypeError, ValueError):
        text = "\0"
    if "\\u0000" in text or "\0" in text or len(text) > LONGEST_TEXT:
        raise ContentError(f"{layer.id}: {name!r:.80}: the value is no JSON that can be kept; give text or a number")
    return value


def checked_geometry(layer: Layer, geometry: BaseGeometry, srid: int) -> bytes:
    """EWKB of a geometry in the city's CRS (longitude first, 2D). Raises ContentError."""
    where = f"{layer.id}: geometry"
    allowed = PARTS_OF.get(layer.theme.geometry)
    if allowed is not None and geometry.geom_type not in allowed:
        raise ContentError(f"{where} is a {geometry.geom_type}; give a {' or '.join(allowed)}")
    if shapely.get_srid(geometry) not in (0, srid):
        raise ContentError(f"{where} is in EPSG:{shapely.get_srid(geometry)}; transform it to EPSG:{srid}")
    flat: BaseGeometry = shapely.force_2d(geometry)
    if flat.is_empty:
        raise ContentError(f"{where} is empty")
    # A comparison with NaN is false, so this holds for finite coordinates alone.
    if not (np.abs(shapely.get_coordinates(flat)) <= (180, 90)).all():
        raise ContentError(f"{where} lies outside the globe; give longitude, latitude in degrees")
    if not flat.is_valid:
        raise ContentError(f"{where} is not valid: {shapely.is_valid_reason(flat)}; mend it first")
    if layer.theme.geometry == "MultiPolygon" and isinstance(flat, shapely.Polygon):
        flat = shapely.MultiPolygon([flat])
    return shapely.to_wkb(shapely.set_srid(flat, srid), include_srid=True)
