"""Items of a layer (OGC API Features Part 1, 7.15 and 7.16): pages of features, and one feature."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from fastapi import Request, Response

from api.answers import LIVE, json_answer, wants_html
from api.cities import ServedCity
from api.crs import content_crs
from api.cursor import Cursor
from api.documentation import described, page_or
from api.errors import BadRequest
from api.exchange import city, exchange
from api.files import ITEM_FORMAT, file_answer, format_of
from api.item_pages import item_page, items_page
from api.links import GEOJSON, HTML, JSON, Link, header, link, same_query
from api.parameters import FORMAT, Parameter, Query, whole_number
from api.routing import PartRouter
from api.selections import (
    SELECTION_PARAMETERS,
    SORTBY,
    TELLING_PARAMETERS,
    Wanted,
    take_telling,
    take_wanted,
)
from api.views import VIEW_PARAMETERS, as_text, take_view
from layers.access import Principal
from layers.catalog import Catalog, Layer
from layers.counts import Count
from layers.features import Feature, ObjectNotFound, read_feature, read_page
from layers.formats.write import FORMATS
from layers.query import Selection

DEFAULT_LIMIT = 10
MAX_LIMIT = 10_000
LIMIT = Parameter[int | None](
    "limit",
    "At most this many objects on a page; more is cut to the maximum. A file has no pages: it holds as many as this,"
    " all by default.",
    whole_number(1, 10**9),
    None,
    {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
)
CURSOR = Parameter[str | None]("cursor", "Where the page before ended; taken from its next link.", as_text, None)
# Names that parameters of the resource itself have taken.
PARAMETERS: tuple[Parameter[Any], ...] = (
    LIMIT,
    *SELECTION_PARAMETERS,
    *TELLING_PARAMETERS,
    SORTBY,
    CURSOR,
    ITEM_FORMAT,
)
KINDS = tuple(dict.fromkeys((GEOJSON, HTML, *(each.media_type for each in FORMATS.values()))))
FEATURE = {
    "type": "Feature",
    "id": 4711,
    "geometry": {"type": "Point", "coordinates": [120.9512, 28.1012]},
    "properties": {"class": "School", "name": "海晏小学", "name_en": "Seacalm Primary School", "capacity": 400},
}
PAGE = {
    "type": "FeatureCollection",
    "features": [FEATURE],
    "numberReturned": 1,
    "numberMatched": 1,
    "timeStamp": "2026-01-01T00:00:00Z",
    "links": [],
}
RESERVED = frozenset(parameter.name for parameter in PARAMETERS)

router = PartRouter(tags=["Features"])


@dataclass(frozen=True)
class Answered:
    """A page of features, how many there are in all, and the cursor of the page after."""

    features: list[bytes]
    matched: Count
    following: Cursor | None


@router.get("/collections/{layer_id}/items", **described("getItems", *PARAMETERS, kinds=KINDS, example=PAGE))
async def items(request: Request, layer_id: str) -> Response:
    """Objects of a layer. Each queryable is a parameter too: ?class=School."""
    met, query = exchange(request), Query(request)
    catalog = await city(request).catalog()
    layer = catalog.layer(layer_id, met.principal)
    form, limit, text = format_of(request, query.take(ITEM_FORMAT)), query.take(LIMIT), query.take(CURSOR)
    cursor = None if text is None else Cursor.read(text)
    wanted = take_wanted(query, layer, catalog, RESERVED)
    query.finish()
    if form in FORMATS:
        if cursor is not None:
            raise BadRequest(f"cursor: a file has no pages; leave it out of f={form}")
        links = _links(request, layer, form, None)
        return await file_answer(request, catalog, wanted, FORMATS[form], limit=limit, links=links)
    number = min(limit or DEFAULT_LIMIT, MAX_LIMIT)
    answered = await _answer(city(request), wanted, catalog, met.principal, limit=number, cursor=cursor)
    links = _links(request, layer, form, answered.following)
    if form == "html":
        return items_page(request, catalog, layer, answered.features, matched=answered.matched, links=links)
    headers = {"Link": header(links), **content_crs(wanted.telling.crs)}
    return json_answer(_feature_collection(answered, links), media_type=GEOJSON, headers=headers)


@router.get(
    "/collections/{layer_id}/items/{object_id}",
    **page_or(*VIEW_PARAMETERS, *TELLING_PARAMETERS, operation_id="getItem", kind=GEOJSON),
)
async def item(request: Request, layer_id: str, object_id: str) -> Response:
    """One object."""
    served, met, query = city(request), exchange(request), Query(request)
    catalog = await served.catalog()
    layer = catalog.layer(layer_id, met.principal)
    html = wants_html(request, query.take(FORMAT))
    selection, telling = Selection(layer, take_view(query, catalog)), take_telling(query, layer, catalog)
    query.finish()
    number = read_object_id(object_id, layer)
    async with served.reading() as connection:
        feature = await read_feature(connection, selection, catalog, met.principal, number, telling=telling)
    address = f"{met.base}/collections/{layer.id}/items/{object_id}"
    links = [
        link("self", same_query(request, address, f="json"), GEOJSON, "This object"),
        link("alternate", same_query(request, address, f="html"), HTML, "This object as a page"),
        link("collection", f"{met.base}/collections/{layer.id}?f=json", JSON, layer.title.en),
    ]
    if html:
        return item_page(request, catalog, layer, feature.text, links=links)
    etag = entity_tag(feature)
    headers = {"Link": header(links), "ETag": etag, **content_crs(telling.crs)}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers={**LIVE, **headers})
    body = feature.text[:-1] + b',"links":' + orjson.dumps(links) + b"}"
    return json_answer(body, media_type=GEOJSON, headers=headers)


def read_object_id(text: str, layer: Layer) -> int:
    """The id in an address. Raises ObjectNotFound for what cannot be one."""
    if not (text.isascii() and text.isdigit() and int(text[:20]) < 2**63):
        raise ObjectNotFound(f"no object {text[:60]} in {layer.id} at that moment")
    return int(text)


def entity_tag(feature: Feature) -> str:
    """The ETag of a feature in one representation: equal in every process while it is believed and shown so."""
    return f'"{state_of(feature)}-{hashlib.blake2b(feature.text, digest_size=12).hexdigest()}"'


def state_of(feature: Feature) -> str:
    """What every ETag of the object begins with, in whichever CRS or selection of properties it was read."""
    return f"{int(feature.recorded_from.timestamp() * 1_000_000):x}"


async def _answer(
    served: ServedCity, wanted: Wanted, catalog: Catalog, principal: Principal, *, limit: int, cursor: Cursor | None
) -> Answered:
    async with served.reading() as connection:
        page = await read_page(
            connection,
            wanted.selection,
            catalog,
            principal,
            limit=limit,
            after=None if cursor is None else cursor.after,
            sorts=wanted.sorts,
            telling=wanted.telling,
        )
        if cursor is not None:
            matched = cursor.matched
        elif page.end is None:
            matched = Count(len(page.features), exact=True)
        else:
            matched = await served.numbers.count(connection, wanted.selection, catalog, principal)
    return Answered(page.features, matched, None if page.end is None else Cursor(page.end, matched))


def _links(request: Request, layer: Layer, form: str, following: Cursor | None) -> list[Link]:
    base = exchange(request).base
    address = f"{base}/collections/{layer.id}/items"
    whole = dict.fromkeys(("cursor", "limit"))
    offers = [("json", GEOJSON, "This page"), ("html", HTML, "This page for people")]
    links = [
        link("self" if name == form else "alternate", same_query(request, address, f=name), kind, title)
        for name, kind, title in offers
    ]
    links += [
        link(
            "self" if name == form else "enclosure",
            same_query(request, address, f=name, **({} if name == form else whole)),
            each.media_type,
            f"All of it as {each.title}",
        )
        for name, each in FORMATS.items()
    ]
    links.append(link("collection", f"{base}/collections/{layer.id}?f=json", JSON, layer.title.en))
    if following is not None:
        links.append(link("next", same_query(request, address, cursor=following.text()), GEOJSON, "The next page"))
    return links


def _feature_collection(answered: Answered, links: list[Link]) -> bytes:
    """The GeoJSON document, joined from what the database built."""
    matched = "numberMatched" if answered.matched.exact else "numberEstimated"
    tail: dict[str, Any] = {
        "numberReturned": len(answered.features),
        matched: answered.matched.number,
        "timeStamp": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "links": links,
    }
    return b"".join(
        (b'{"type":"FeatureCollection","features":[', b",".join(answered.features), b"],", orjson.dumps(tail)[1:])
    )
