"""Objects written (OGC API Features Part 4: create, replace, update, delete); each writing needs a token."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast

import orjson
from fastapi import Request, Response
from shapely.geometry.base import BaseGeometry

from api.answers import json_answer
from api.bodies import content_crs_of, geometry, read_json
from api.documentation import NOTHING, described
from api.errors import BadRequest, PreconditionFailed, PreconditionRequired, Unauthorized
from api.exchange import city, exchange
from api.features import read_object_id, state_of
from api.links import GEOJSON, JSON
from api.parameters import Parameter, Query, one_of
from api.routing import PartRouter
from api.schemas import DERIVED
from api.views import PLAN, as_text
from layers import edit
from layers.catalog import Catalog, Layer
from layers.content import FIXED
from layers.crs import CRS84, Crs
from layers.features import VALIDITY, Telling, read_feature
from layers.query import Selection
from layers.timeline import Span
from layers.view import Interval, View, parse_interval

Mode = Literal["correct", "supersede"]
MODES = ("correct", "supersede")
PATCH = "application/merge-patch+json"
MEDIA_TYPES = (GEOJSON, JSON, PATCH)
MODE = Parameter[str | None](
    "mode",
    "correct: the model was wrong. supersede: the world changed. PUT and PATCH correct, DELETE supersedes by default.",
    one_of(*MODES),
    None,
    {"type": "string", "enum": list(MODES)},
)
AS_OF = Parameter[str | None](
    "as_of",
    "The moment or date on which the world changed, or whose state is corrected; now by default.",
    as_text,
    None,
)
WHY = Parameter[str | None]("why", "The reason, kept with the change.", as_text, None, max_length=500)
CHANGES: tuple[Parameter[Any], ...] = (MODE, AS_OF, PLAN, WHY)
ITEMS, ITEM = "/collections/{layer_id}/items", "/collections/{layer_id}/items/{object_id}"
SCHEMA = {
    "type": "object",
    "required": ["type"],
    "properties": {
        "type": {"type": "string", "enum": ["Feature"]},
        "geometry": {"type": "object", "nullable": True},
        "properties": {"type": "object", "nullable": True},
    },
}
EXAMPLE = {
    "type": "Feature",
    "geometry": {"type": "Point", "coordinates": [120.955, 28.102]},
    "properties": {"class": "Clinic", "name": "海晏卫生院", "capacity": 30},
}
FEATURE = {"required": True, "content": {GEOJSON: {"schema": SCHEMA, "example": EXAMPLE}}}
COLLECTION = {
    "type": "object",
    "required": ["type", "features"],
    "properties": {
        "type": {"type": "string", "enum": ["FeatureCollection"]},
        "features": {"type": "array", "items": SCHEMA, "minItems": 1, "maxItems": edit.MOST_EDITS},
    },
}
FEATURES = {
    "required": True,
    "content": {
        GEOJSON: {
            "schema": {"oneOf": [SCHEMA, COLLECTION]},
            "examples": {
                "one": {"value": EXAMPLE},
                "several": {"value": {"type": "FeatureCollection", "features": [EXAMPLE]}},
            },
        }
    },
}
CHANGE = {
    "required": True,
    "content": {PATCH: {"schema": {"type": "object"}, "example": {"properties": {"capacity": 40, "phone": None}}}},
}

router = PartRouter(tags=["Editing"])


@dataclass(frozen=True)
class Written:
    """What a body says: the properties it names, the geometry if it has one, and the validity if it names it."""

    properties: dict[str, Any]
    geometry: BaseGeometry | None
    span: Span | None


@dataclass(frozen=True)
class Asked:
    """What the address of an edit says."""

    mode: Mode
    as_of: datetime | None
    plan: int | None
    why: str | None


@router.options(ITEMS, include_in_schema=False)
async def items_options(request: Request, layer_id: str) -> Response:
    """What may be done here, by whoever asks: clients find out by this whether they may edit."""
    return await _allowed(request, layer_id, "POST")


@router.options(ITEM, include_in_schema=False)
async def item_options(request: Request, layer_id: str, object_id: str) -> Response:
    """What may be done with an object, by whoever asks."""
    return await _allowed(request, layer_id, "PUT", "PATCH", "DELETE")


@router.post(ITEMS, **described("createItem", PLAN, WHY, kinds=(JSON,), status=201, body=FEATURES))
async def create(request: Request, layer_id: str) -> Response:
    """Add an object, whose address Location is; or all objects of a FeatureCollection, or none of them.

    `valid_from` and `valid_to` may stand among the properties.
    """
    catalog, layer = await _editable(request, layer_id)
    query = Query(request)
    plan, why = query.take(PLAN), query.take(WHY)
    query.finish()
    body, crs = await read_json(request, *MEDIA_TYPES), content_crs_of(request, catalog)
    several = isinstance(body, dict) and body.get("type") == "FeatureCollection"
    features = body.get("features") if several else [body]
    if not isinstance(features, list) or not 0 < len(features) <= edit.MOST_EDITS:
        raise BadRequest(f"features: a list of 1 to {edit.MOST_EDITS} features is wanted")
    added = []
    for place, feature in enumerate(features):
        try:
            added.append(_insert(feature, catalog, layer, crs, plan))
        except BadRequest as error:
            raise BadRequest(f"features[{place}]: {error}" if several else str(error)) from None
    ids = await edit.apply(city(request).database, catalog, exchange(request).principal, added, why=why)
    address = f"{exchange(request).base}/collections/{layer.id}/items"
    if several:
        return json_answer({"numberCreated": len(ids), "ids": ids}, status=201)
    return Response(status_code=201, headers={"Location": f"{address}/{ids[0]}"})


def _insert(feature: Any, catalog: Catalog, layer: Layer, crs: Crs, plan: int | None) -> edit.Insert:
    if not isinstance(feature, dict) or feature.get("type", "Feature") != "Feature":
        raise BadRequest("the body must be one GeoJSON Feature, or a FeatureCollection")
    told = _properties(feature)
    uid = told.pop("uid", None)
    if uid is not None and not isinstance(uid, str):
        raise BadRequest("uid: must be text")
    # What a copy of another object brings along is derived anew.
    for name in DERIVED:
        told.pop(name, None)
    written = _written(feature, told, catalog, crs)
    if written.geometry is None:
        raise BadRequest("geometry: is missing")
    given = {name: value for name, value in written.properties.items() if value is not None}
    return edit.Insert(
        layer=layer.id, properties=given, geometry=written.geometry, span=written.span or Span(), uid=uid, plan=plan
    )


@router.put(ITEM, **described("replaceItem", *CHANGES, kinds=NOTHING, status=204, body=FEATURE))
async def replace(request: Request, layer_id: str, object_id: str) -> Response:
    """Replace an object; what the body does not name becomes empty. `If-Match` guards against others' edits."""
    return await _change(request, layer_id, object_id, whole=True)


@router.patch(ITEM, **described("updateItem", *CHANGES, kinds=NOTHING, status=204, body=CHANGE))
async def update(request: Request, layer_id: str, object_id: str) -> Response:
    """Change what the body names, null empties (RFC 7396). `If-Match` guards against others' edits."""
    return await _change(request, layer_id, object_id, whole=False)


@router.delete(ITEM, **described("deleteItem", *CHANGES, kinds=NOTHING, status=204))
async def delete(request: Request, layer_id: str, object_id: str) -> Response:
    """End an object (supersede), or say that it never was (correct). In a plan: take it away."""
    catalog, layer = await _editable(request, layer_id)
    asked = _asked(request, catalog, default="supersede")
    number = read_object_id(object_id, layer)
    read_at, _ = await _current(request, catalog, layer, number, asked)
    existing: dict[str, Any] = {"layer": layer.id, "object_id": number, "plan": asked.plan, "read_at": read_at}
    wanted: edit.Edit
    if asked.mode == "correct":
        wanted = edit.Erase(**existing)
    elif asked.plan is not None and asked.as_of is None:
        wanted = edit.Remove(**existing)
    else:
        wanted = edit.Delete(**existing, as_of=asked.as_of or datetime.now(catalog.zone))
    await edit.apply(city(request).database, catalog, exchange(request).principal, [wanted], why=asked.why)
    return Response(status_code=204)


async def _change(request: Request, layer_id: str, object_id: str, *, whole: bool) -> Response:
    catalog, layer = await _editable(request, layer_id)
    asked = _asked(request, catalog, default="correct")
    number = read_object_id(object_id, layer)
    body, crs = await _body(request), content_crs_of(request, catalog)
    read_at, current = await _current(request, catalog, layer, number, asked, crs=crs)
    if not whole and "geometry" in body:
        # RFC 7396: what is given is merged into what is there, at every level; null takes away.
        body["geometry"] = merged(current["geometry"], body["geometry"])
    if body.get("geometry") is None and (whole or "geometry" in body):
        raise BadRequest("geometry: is missing; every object has one, and PATCH without it leaves it as it is")
    told, now = _properties(body), _properties(current)
    # A feature that was read is sent back with what nobody writes; unchanged, that is passed over.
    for name in FIXED:
        if name in told and told[name] == now.get(name):
            del told[name]
    if all(told.get(name) == current["properties"][name] for name in VALIDITY):
        for name in VALIDITY:
            told.pop(name, None)
    written = _written(body, told, catalog, crs)
    emptied = {name: None for name in now if whole and name not in (*FIXED, *VALIDITY)}
    change: dict[str, Any] = {
        "layer": layer.id,
        "object_id": number,
        "plan": asked.plan,
        "read_at": read_at,
        "properties": emptied | written.properties,
        # Read and sent back, a geometry has been rounded; what did not change keeps every digit.
        "geometry": None if body.get("geometry") == current["geometry"] else written.geometry,
    }
    wanted: edit.Edit
    if asked.mode == "supersede":
        if written.span is not None:
            raise BadRequest(
                "valid_from, valid_to: a new state begins at as_of; correct the old one's dates by mode=correct"
            )
        wanted = edit.Supersede(**change, as_of=asked.as_of or datetime.now(catalog.zone))
    else:
        wanted = edit.Correct(**change, at=asked.as_of, span=written.span)
    await edit.apply(city(request).database, catalog, exchange(request).principal, [wanted], why=asked.why)
    return Response(status_code=204)


async def _allowed(request: Request, layer_id: str, *writing: str) -> Response:
    principal = exchange(request).principal
    catalog = await city(request).catalog()
    layer = catalog.layer(layer_id, principal)
    may = not principal.is_anonymous and edit.may_edit(layer, catalog, principal)
    methods = ", ".join(("GET", "HEAD", "OPTIONS", *(writing if may else ())))
    headers = {"Allow": methods, "Vary": "Authorization"}
    return Response(status_code=200, headers=headers | ({"Accept-Patch": PATCH} if "PATCH" in writing and may else {}))


def merged(target: Any, patch: Any) -> Any:
    """A JSON value after a merge patch (RFC 7396, section 2)."""
    if not isinstance(patch, dict):
        return patch
    found = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            found.pop(name, None)
        else:
            found[name] = merged(found.get(name), value)
    return found


async def _editable(request: Request, layer_id: str) -> tuple[Catalog, Layer]:
    """Raises Unauthorized before anything is said of the layer; what may be written is for the edit to ask."""
    principal = exchange(request).principal
    if principal.is_anonymous:
        raise Unauthorized("writing needs a token: send Authorization: Bearer TOKEN")
    catalog = await city(request).catalog()
    return catalog, catalog.layer(layer_id, principal)


def _asked(request: Request, catalog: Catalog, *, default: Mode) -> Asked:
    query = Query(request)
    mode, as_of = query.take(MODE) or default, query.take(AS_OF)
    plan, why = query.take(PLAN), query.take(WHY)
    query.finish()
    moment = None if as_of is None else parse_interval(as_of, catalog.zone).start
    if as_of is not None and (moment is None or "/" in as_of):
        raise BadRequest(f"as_of={as_of!r}: a moment or a date is wanted")
    return Asked(cast(Mode, mode), moment, plan, why)


async def _current(
    request: Request, catalog: Catalog, layer: Layer, object_id: int, asked: Asked, *, crs: Crs = CRS84
) -> tuple[datetime | None, dict[str, Any]]:
    """The object as it is to be changed, and if the client said what it has read, since when that is believed.

    Raises ObjectNotFound, PreconditionFailed, PreconditionRequired.
    """
    known = request.headers.get("if-match")
    if known is None and request.app.state.settings.require_if_match:
        raise PreconditionRequired("say which state you have read: send its ETag as If-Match")
    valid = None if asked.as_of is None else Interval(asked.as_of, asked.as_of)
    selection = Selection(layer, View(valid, plan=asked.plan))
    async with city(request).reading() as connection:
        feature = await read_feature(
            connection, selection, catalog, exchange(request).principal, object_id, telling=Telling(crs=crs)
        )
    if known is not None and known.strip() != "*" and f'"{state_of(feature)}-' not in known:
        raise PreconditionFailed(f"object {object_id} was changed since it was read; read it again")
    return feature.recorded_from if known else None, orjson.loads(feature.text)


async def _body(request: Request) -> dict[str, Any]:
    body = await read_json(request, *MEDIA_TYPES)
    if not isinstance(body, dict) or body.get("type", "Feature") != "Feature":
        raise BadRequest("the body must be one GeoJSON Feature")
    return body


def _properties(feature: Mapping[str, Any]) -> dict[str, Any]:
    """A feature's properties, those of the source (`attributes`) among them."""
    told = _object(feature.get("properties"), "properties")
    own = {name: value for name, value in told.items() if name != "attributes"}
    return own | _object(told.get("attributes"), "attributes")


def _object(value: Any, name: str) -> dict[str, Any]:
    if value is None:
        return {}
    if isinstance(value, str):
        # Desktop programs keep an object that they read as its JSON text, and send it back so.
        value = _object_in(value)
    if not isinstance(value, dict):
        raise BadRequest(f"{name}: must be an object")
    return value


def _object_in(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def _written(body: Mapping[str, Any], told: dict[str, Any], catalog: Catalog, crs: Crs) -> Written:
    given = {name: told.pop(name) for name in VALIDITY if name in told}
    span = Span(*(_moment(name, given.get(name), catalog) for name in VALIDITY)) if given else None
    shape = body.get("geometry")
    return Written(told, None if shape is None else geometry(shape, crs), span)


def _moment(name: str, value: Any, catalog: Catalog) -> datetime | None:
    if value is None:
        return None
    if not isinstance(value, str) or "/" in value:
        raise BadRequest(f"{name}: a moment, a date or null is wanted")
    return parse_interval(value, catalog.zone).start
