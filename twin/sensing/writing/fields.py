"""What may be written of each entity type: checked, and given to the columns (OGC 18-088, 8.2)."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import ColumnElement, Text, func, literal, null
from sqlalchemy.dialects.postgresql import JSONB

from cim_models.observation import SRID
from twin.sensing import BadEntity
from twin.sensing.model import EntityType
from twin.sensing.writing.declared import check_declared

GEOJSON_TYPES = ("application/geo+json", "application/vnd.geo+json")
MAX_TEXT = 100_000
Columns = dict[str, Any]
Read = Callable[[Any, str], Any]


@dataclass(frozen=True)
class Field:
    """A property, the column it goes to, and how its value is read. emptied: what PUT leaves where it is not given."""

    name: str
    column: str
    read: Read
    required: bool = False


def text(value: Any, name: str) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEXT or "\0" in value:
        raise BadEntity(f"{name}: a text of at most {MAX_TEXT:,} characters is wanted")
    return value


def _json(value: Any, _: str) -> ColumnElement[Any]:
    return literal(value, JSONB)


def _object(value: Any, name: str) -> ColumnElement[Any]:
    if not isinstance(value, dict):
        raise BadEntity(f"{name}: a JSON object is wanted")
    return literal(value, JSONB)


def _declared(value: Any, name: str) -> ColumnElement[Any]:
    column = _object(value, name)
    check_declared(value)
    return column


def _list(value: Any, name: str) -> ColumnElement[Any]:
    if not isinstance(value, list) or not value:
        raise BadEntity(f"{name}: a list is wanted")
    return literal(value, JSONB)


def _unit(value: Any, name: str) -> ColumnElement[Any]:
    if not isinstance(value, dict) or not {"name", "symbol", "definition"} <= value.keys():
        raise BadEntity(f"{name}: an object with name, symbol and definition is wanted, each null if there is none")
    return literal(value, JSONB)


def _area(value: Any, name: str) -> ColumnElement[Any]:
    return _geometry(shape_of(value, name))


DESCRIBED = (Field("name", "name", text, True), Field("description", "description", text))
PROPERTIES = Field("properties", "properties", _object)
ENCODING = Field("encodingType", "encoding_type", text, True)
OBSERVED = (Field("observedArea", "observed_area", _area), Field("properties", "properties", _declared))
FIELDS: dict[str, tuple[Field, ...]] = {
    "Thing": (*DESCRIBED, PROPERTIES),
    "Location": (*DESCRIBED, ENCODING, Field("location", "location", _json, True), PROPERTIES),
    "FeatureOfInterest": (*DESCRIBED, ENCODING, Field("feature", "feature", _json, True), PROPERTIES),
    "Sensor": (*DESCRIBED, ENCODING, Field("metadata", "metadata", _json, True), PROPERTIES),
    "ObservedProperty": (*DESCRIBED, Field("definition", "definition", text, True), PROPERTIES),
    "Datastream": (
        *DESCRIBED,
        Field("observationType", "observation_type", text, True),
        Field("unitOfMeasurement", "units", _unit, True),
        *OBSERVED,
    ),
    "MultiDatastream": (
        *DESCRIBED,
        Field("observationType", "observation_type", text),
        Field("multiObservationDataTypes", "types", _list, True),
        Field("unitOfMeasurements", "units", _list, True),
        *OBSERVED,
    ),
}
SHAPED = {"Location": "location", "FeatureOfInterest": "feature"}
# Told by the server; what a client sends of them, because it was read with them, is passed over.
COMPUTED = ("phenomenonTime", "resultTime")


def read_fields(entity: EntityType, body: Mapping[str, Any], *, partly: bool = False) -> Columns:
    """The columns of an entity from its JSON. partly: only what is given (PATCH). Raises BadEntity."""
    fields = FIELDS[entity.name]
    known = {each.name for each in fields} | {each.name for each in entity.navigations}
    for name in body:
        computed = name in COMPUTED and entity.find(name) is not None
        if name not in known and name not in ("@iot.id", "id") and "@" not in name and not computed:
            raise BadEntity(f"{entity.name} has no {name[:60]!r}; it has {', '.join(sorted(known))}")
    columns: Columns = {}
    for each in fields:
        value = body.get(each.name)
        if value is not None:
            columns[each.column] = each.read(value, each.name)
        elif each.required and (not partly or each.name in body):
            raise BadEntity(f"{entity.name} needs {each.name}")
        elif not partly or each.name in body:
            columns[each.column] = None
    shaped = SHAPED.get(entity.name)
    if shaped is not None and shaped in body:
        columns["geom"] = _place(body, shaped)
    return columns


def _place(body: Mapping[str, Any], name: str) -> ColumnElement[Any]:
    """The geometry of a place that is given as GeoJSON; null in another encoding."""
    encoding = str(body.get("encodingType") or GEOJSON_TYPES[0])
    if encoding not in GEOJSON_TYPES:
        return null()
    value = body[name]
    if isinstance(value, dict) and value.get("type") == "Feature":
        value = value.get("geometry")
    return _geometry(shape_of(value, name))


def _geometry(shape: BaseGeometry) -> ColumnElement[Any]:
    return func.ST_GeomFromText(literal(shapely.to_wkt(shape, -1, output_dimension=2), Text), SRID)


def shape_of(value: Any, name: str) -> BaseGeometry:
    """A geometry from GeoJSON, WGS 84, longitude first. Raises BadEntity."""
    try:
        shape: BaseGeometry = shapely.from_geojson(json.dumps(value))
    except (shapely.errors.GEOSException, ValueError, TypeError) as error:
        raise BadEntity(f"{name}: is no GeoJSON geometry: {error}") from None
    if shape.is_empty:
        raise BadEntity(f"{name}: the geometry is empty")
    west, south, east, north = shape.bounds
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise BadEntity(f"{name}: {shape.bounds} is not on the globe; longitude comes first, then latitude")
    if not shapely.is_valid(shape):
        raise BadEntity(f"{name}: {shapely.is_valid_reason(shape)}")
    return shape
