"""Objects written one by one (OGC API Features Part 4: create, replace, update, delete); each needs a token."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast

import orjson
import shapely
from fastapi import APIRouter, Request, Response
from shapely.geometry.base import BaseGeometry

from api.documentation import NOTHING, described
from api.errors import BadRequest, PreconditionFailed, Unauthorized, UnsupportedMediaType
from api.exchange import city, exchange
from api.features import read_object_id, state_of
from api.links import CRS84, GEOJSON
from api.parameters import Parameter, Query, one_of
from api.views import PLAN, as_text
from layers import edit
from layers.catalog import Catalog, Layer
from layers.content import FIXED
from layers.features import VALIDITY, read_feature
from layers.query import Selection
from layers.timeline import Span
from layers.view import Interval, View, parse_interval

Mode = Literal["correct", "supersede"]
MODES = ("correct", "supersede")
MEDIA_TYPES = (GEOJSON, "application/json", "application/merge-patch+json")
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
FEATURE = {
    "required": True,
    "content": {
        GEOJSON: {
            "schema": {
                "type": "object",
                "required": ["type"],
                "properties": {
                    "type": {"type": "string", "enum": ["Feature"]},
                    "geometry": {"type": "object", "nullable": True},
                    "properties": {"type": "object", "nullable": True},
                },
            }
        }
    },
}

router = APIRouter(tags=["Editing"])


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


@router.post(
    "/collections/{layer_id}/items", **described("createItem", PLAN, WHY, kinds=NOTHING, status=201, body=FEATURE)
)
async def create(request: Request, layer_id: str) -> Response:
    """Add an object; Location is its address. `valid_from` and `valid_to` may stand among its properties."""
    catalog, layer = await _editable(request, layer_id)
    query = Query(request)
    plan, why = query.take(PLAN), query.take(WHY)
    query.finish()
    body = await _body(request)
    told = _properties(body)
    uid = told.pop("uid", None)
    if uid is not None and not isinstance(uid, str):
        raise BadRequest("uid: must be text")
    written = _written(body, told, catalog)
    if written.geometry is None:
        raise BadRequest("geometry: is missing")
    added = edit.Insert(
        layer=layer.id,
        properties=written.properties,
        geometry=written.geometry,
        span=written.span or Span(),
        uid=uid,
        plan=plan,
    )
    (object_id,) = await edit.apply(city(request).database, catalog, exchange(request).principal, [added], why=why)
    address = f"{exchange(request).base}/collections/{layer.id}/items/{object_id}"
    return Response(status_code=201, headers={"Location": address})


@router.put(ITEM, **described("replaceItem", *CHANGES, kinds=NOTHING, status=204, body=FEATURE))
async def replace(request: Request, layer_id: str, object_id: str) -> Response:
    """Replace an object; what the body does not name becomes empty. `If-Match` guards against others' edits."""
    return await _change(request, layer_id, object_id, whole=True)


@router.patch(ITEM, **described("updateItem", *CHANGES, kinds=NOTHING, status=204, body=FEATURE))
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
    body = await _body(request)
    read_at, current = await _current(request, catalog, layer, number, asked)
    told = _properties(body)
    now = _properties(current)
    # A feature that was read is sent back with what nobody writes; unchanged, that is passed over.
    for name in FIXED:
        if name in told and told[name] == now.get(name):
            del told[name]
    if all(told.get(name) == current["properties"][name] for name in VALIDITY):
        for name in VALIDITY:
            told.pop(name, None)
    written = _written(body, told, catalog)
    emptied = {name: None for name in now if whole and name not in (*FIXED, *VALIDITY)}
    if whole and written.geometry is None:
        raise BadRequest("geometry: is missing; PATCH changes a part")
    change: dict[str, Any] = {
        "layer": layer.id,
        "object_id": number,
        "plan": asked.plan,
        "read_at": read_at,
        "properties": emptied | written.properties,
        "geometry": written.geometry,
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
    request: Request, catalog: Catalog, layer: Layer, object_id: int, asked: Asked
) -> tuple[datetime | None, dict[str, Any]]:
    """The object as it is to be changed, and if the client said what it has read, since when that is believed.

    Raises ObjectNotFound, PreconditionFailed.
    """
    valid = None if asked.as_of is None else Interval(asked.as_of, asked.as_of)
    selection = Selection(layer, View(valid, plan=asked.plan))
    async with city(request).reading() as connection:
        feature = await read_feature(connection, selection, catalog, exchange(request).principal, object_id)
    known = request.headers.get("if-match")
    if known is not None and known.strip() != "*" and f'"{state_of(feature)}-' not in known:
        raise PreconditionFailed(f"object {object_id} was changed since it was read; read it again")
    return feature.recorded_from if known else None, orjson.loads(feature.text)


async def _body(request: Request) -> dict[str, Any]:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in MEDIA_TYPES:
        raise UnsupportedMediaType(f"Content-Type {media_type or 'missing'}: send {GEOJSON}")
    crs = request.headers.get("content-crs", f"<{CRS84}>").strip("<> ")
    if crs != CRS84:
        raise BadRequest(f"Content-Crs: only {CRS84} is read")
    try:
        body = orjson.loads(await request.body())
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"the body is no JSON: {error}") from None
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
    if not isinstance(value, dict):
        raise BadRequest(f"{name}: must be an object")
    return value


def _written(body: Mapping[str, Any], told: dict[str, Any], catalog: Catalog) -> Written:
    given = {name: told.pop(name) for name in VALIDITY if name in told}
    span = Span(*(_moment(name, given.get(name), catalog) for name in VALIDITY)) if given else None
    return Written(told, _geometry(body.get("geometry")), span)


def _moment(name: str, value: Any, catalog: Catalog) -> datetime | None:
    if value is None:
        return None
    if not isinstance(value, str) or "/" in value:
        raise BadRequest(f"{name}: a moment, a date or null is wanted")
    return parse_interval(value, catalog.zone).start


def _geometry(value: Any) -> BaseGeometry | None:
    if value is None:
        return None
    try:
        shape = shapely.from_geojson(json.dumps(value))
    except (shapely.errors.GEOSException, ValueError) as error:
        raise BadRequest(f"geometry: is no GeoJSON: {error}") from None
    # GeoJSON is longitude, latitude whatever the city's datum is called.
    return shapely.set_srid(shape, 0)
