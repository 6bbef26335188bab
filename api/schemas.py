"""What a layer's objects tell, take, and can be asked by, as JSON Schema (OGC API Features Parts 3, 5 and 8)."""

from typing import Any

from fastapi import Request, Response

from api.answers import Language, json_answer, language, said
from api.documentation import described
from api.exchange import city, exchange
from api.links import JSON, SCHEMA, link
from api.parameters import Query
from api.routing import PartRouter
from cim_models.theme import Attribute
from layers.catalog import Layer, Title
from layers.content import FIXED
from layers.features import OBJECT_ID, VALIDITY, sortables
from layers.filter_functions import FUNCTIONS, Function

GEOMETRY_FORMATS = {
    "MultiPolygon": "geometry-multipolygon",
    "LineString": "geometry-linestring",
    "Point": "geometry-point",
    "Geometry": "geometry-any",
}
VALIDITY_TITLES = {"valid_from": Title("有效期起", "Valid from"), "valid_to": Title("有效期止", "Valid to")}
VALIDITY_ROLES = dict(zip(VALIDITY, ("primary-interval-start", "primary-interval-end"), strict=True))
# What is told of an object but is nobody's to write: it follows from the geometry, or names a file of the server.
DERIVED = tuple(name for name in FIXED if name != "uid")
TYPES = {"text": "string", "number": "number", "integer": "integer", "boolean": "boolean", "time": "string"}

router = PartRouter(tags=["Features"])


@router.get("/collections/{layer_id}/queryables", **described("getQueryables", kinds=(SCHEMA,)))
async def queryables(request: Request, layer_id: str) -> Response:
    """What a filter on the layer may name (Part 3, 6.2)."""
    spoken = language(request)
    return await _answer(
        request, layer_id, "queryables", lambda layer: {"object_id": _id(spoken), **_properties(layer, spoken)}
    )


@router.get("/collections/{layer_id}/sortables", **described("getSortables", kinds=(SCHEMA,)))
async def get_sortables(request: Request, layer_id: str) -> Response:
    """What the layer's objects can be sorted by (Part 8)."""
    spoken = language(request)

    def named(layer: Layer) -> dict[str, Any]:
        known = {"object_id": _id(spoken), **_properties(layer, spoken)}
        return {name: known[name] for name in sortables(layer)}

    return await _answer(request, layer_id, "sortables", named)


@router.get("/collections/{layer_id}/schema", **described("getSchema", kinds=(SCHEMA,)))
async def schema(request: Request, layer_id: str) -> Response:
    """What an object tells, and what it takes when it is written (Part 5): `readOnly` is only told."""
    spoken = language(request)

    def told(layer: Layer) -> dict[str, Any]:
        found = {"object_id": _id(spoken) | {"readOnly": True, "x-ogc-role": "id"}, **_properties(layer, spoken)}
        found["geometry"]["x-ogc-role"] = "primary-geometry"
        for name, role in VALIDITY_ROLES.items():
            found[name]["x-ogc-role"] = role
        for name in DERIVED:
            if name in found:
                found[name]["readOnly"] = True
        if layer.tells_whole:
            found["attributes"] = {"title": "What else the source gave", "type": "object"}
        return {name: {**each, "x-ogc-propertySeq": place} for place, (name, each) in enumerate(found.items(), 1)}

    return await _answer(request, layer_id, "schema", told, required=["geometry", "class"])


@router.get("/functions", **described("getFunctions"))
async def functions(request: Request) -> Response:
    """The functions that a filter may call, beside the operators of CQL2."""
    Query(request).finish()
    spoken = language(request)
    address = f"{exchange(request).base}/functions"
    return json_answer(
        {
            "functions": [_function(function, spoken) for function in FUNCTIONS.values()],
            "links": [link("self", address, JSON, "This document")],
        }
    )


async def _answer(
    request: Request, layer_id: str, name: str, properties: Any, *, required: list[str] | None = None
) -> Response:
    Query(request).finish()
    met = exchange(request)
    layer = (await city(request).catalog()).layer(layer_id, met.principal)
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{met.base}/collections/{layer.id}/{name}",
        "type": "object",
        "title": said(layer.title, language(request)),
        "properties": properties(layer),
        "additionalProperties": False,
    }
    return json_answer(document | ({"required": required} if required else {}), media_type=SCHEMA)


def _id(spoken: Language) -> dict[str, Any]:
    return {"title": said(Title(OBJECT_ID.zh, OBJECT_ID.en), spoken), "type": "integer"}


def _properties(layer: Layer, spoken: Language) -> dict[str, Any]:
    geometry = {"title": "Geometry", "format": GEOMETRY_FORMATS[layer.theme.geometry]}
    found: dict[str, Any] = {"geometry": geometry, **{each.name: _property(each, spoken) for each in layer.properties}}
    for name, both in VALIDITY_TITLES.items():
        found[name] = {"title": said(both, spoken), "type": "string", "format": "date-time"}
    return found


def _property(attribute: Attribute, spoken: Language) -> dict[str, Any]:
    found = {"title": said(Title(attribute.zh, attribute.en), spoken), "type": TYPES[attribute.type]}
    return found | {"x-ogc-unit": attribute.unit, "x-ogc-unitLang": "UCUM"} if attribute.unit else found


def _function(function: Function, spoken: Language) -> dict[str, Any]:
    return {
        "name": function.name,
        "description": said(Title(function.zh, function.en), spoken),
        "returns": [_kind(function.returns)],
        "arguments": [{"title": title, "type": [_kind(kind)]} for title, kind in function.arguments],
    }


def _kind(kind: str) -> str:
    return {"text": "string", "time": "datetime"}.get(kind, kind)
