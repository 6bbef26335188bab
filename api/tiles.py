"""Vector tiles: the hot route by itself, before FastAPI and its parameters, and TileJSON that tells of it."""

import gzip
import re
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.answers import json_answer, language, said
from api.city import around
from api.documentation import described
from api.errors import BadRequest, MethodNotAllowed
from api.exchange import Exchange, city, exchange, of_scope
from api.links import MVT, same_query
from api.pages import city_title
from api.parameters import Parameter, Query
from api.views import FILTER_PARAMETERS, VIEW_PARAMETERS, as_text, take_filter, take_view
from layers.access import Principal
from layers.catalog import Catalog, Layer
from layers.query import Selection, rows
from tiles.drawn import drawn_properties
from tiles.matrix import Tile, tile_at
from tiles.picture import Picture

# Beyond it a viewer enlarges: a unit of the tile is 15 cm there.
MAX_ZOOM = 16
MAX_LAYERS = 64
LAYER_ID = r"[a-z][a-z0-9_]{0,62}"
ADDRESS = re.compile(rf"(?:/collections/({LAYER_ID}))?/tiles/WebMercatorQuad/(\d{{1,2}})/(\d{{1,7}})/(\d{{1,7}})\Z")
FIELD_TYPES = {"text": "String", "integer": "Number", "number": "Number", "boolean": "Boolean"}
COLLECTIONS = Parameter[str | None](
    "collections",
    "Layers, with commas between them; all by default.",
    as_text,
    None,
    {"type": "array", "items": {"type": "string"}, "maxItems": MAX_LAYERS},
    max_length=MAX_LAYERS * 64,
    explode=False,
)
TILE_PARAMETERS = (*VIEW_PARAMETERS, *FILTER_PARAMETERS)

router = APIRouter(tags=["Tiles"])


class TileRoute:
    """Answers tiles; everything else goes on to `app`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = ADDRESS.match(scope["path"]) if scope["type"] == "http" else None
        if found is None:
            await self._app(scope, receive, send)
            return
        met = of_scope(scope)
        if scope["method"] != "GET":
            raise MethodNotAllowed("a tile can only be read", allowed="GET, HEAD")
        layer_id, z, row, column = found.groups()
        met.operation = "getTile" if layer_id is None else "getLayerTile"
        picture = await _picture(scope, met, layer_id, tile_at(int(z), int(column), int(row)))
        await _send(picture, scope, send)


async def _picture(scope: Scope, met: Exchange, layer_id: str | None, tile: Tile) -> Picture:
    assert met.city is not None
    catalog, service = await met.city.catalog(), met.city.tiles
    # Asked in the same words before, the tile may lie ready: then nothing of the query is read again.
    words = f"{layer_id or ''}?{scope['query_string'].decode('latin-1')}"
    kept = service.kept(catalog, words, tile, met.principal)
    if kept is not None:
        return kept
    query = Query(Request(scope))
    layers = _layers(catalog, met.principal, layer_id, query.take(COLLECTIONS) if layer_id is None else None)
    view, wanted = take_view(query, catalog), take_filter(query, catalog)
    query.finish()
    # Filters are as many as their users think of.
    return await service.tile(
        catalog, layers, tile, met.principal, view=view, wanted=wanted, words=words if wanted is None else None
    )


def _layers(catalog: Catalog, principal: Principal, layer_id: str | None, named: str | None) -> list[Layer]:
    """Raises LayerNotFound, BadRequest."""
    if layer_id is not None:
        return [catalog.layer(layer_id, principal)]
    if named is None:
        return drawable(catalog, principal)
    names = named.split(",")
    if len(names) > MAX_LAYERS or len(set(names)) < len(names):
        raise BadRequest(f"collections: at most {MAX_LAYERS} layers, each once")
    return [catalog.layer(name, principal) for name in names]


def drawable(catalog: Catalog, principal: Principal) -> list[Layer]:
    """The layers that there are vector tiles of, ground first."""
    return [layer for layer in catalog.layers(principal) if layer.theme.table != "terrain"]


# Live: kept by the client, and asked for again; a tile that is the same costs no bytes.
HEADERS = (
    (b"content-type", MVT.encode()),
    (b"cache-control", b"no-cache"),
    (b"vary", b"Accept-Encoding, Authorization"),
)


async def _send(picture: Picture, scope: Scope, send: Send) -> None:
    etag, body, status = picture.etag.encode(), picture.body, 200 if picture.body else 204
    headers = [*HEADERS, (b"etag", etag)]
    if picture.thinned:
        headers.append((b"x-thinned", b"true"))
    packed = False
    for name, value in scope["headers"]:
        if name == b"accept-encoding":
            packed = b"gzip" in value or b"*" in value
        elif name == b"if-none-match" and etag in value:
            status, body = 304, b""
    if body:
        if packed:
            headers.append((b"content-encoding", b"gzip"))
        else:
            body = gzip.decompress(body)
        headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@router.get("/tiles/WebMercatorQuad/tilejson.json", **described("getTileJson", COLLECTIONS, *TILE_PARAMETERS))
async def tilejson(request: Request) -> Response:
    """TileJSON 3.0 of many layers in one tile."""
    catalog, met, query = await city(request).catalog(), exchange(request), Query(request)
    layers = _layers(catalog, met.principal, None, query.take(COLLECTIONS))
    title = said(city_title(catalog), language(request))
    address = f"{met.base}/tiles/WebMercatorQuad/{{z}}/{{y}}/{{x}}"
    return json_answer(_tilejson(request, query, catalog, layers, title=title, address=address))


@router.get(
    "/collections/{layer_id}/tiles/WebMercatorQuad/tilejson.json", **described("getLayerTileJson", *TILE_PARAMETERS)
)
async def layer_tilejson(request: Request, layer_id: str) -> Response:
    """TileJSON 3.0 of one layer."""
    catalog, met, query = await city(request).catalog(), exchange(request), Query(request)
    layer = catalog.layer(layer_id, met.principal)
    title = said(layer.title, language(request))
    address = f"{met.base}/collections/{layer.id}/tiles/WebMercatorQuad/{{z}}/{{y}}/{{x}}"
    return json_answer(_tilejson(request, query, catalog, [layer], title=title, address=address))


def _tilejson(
    request: Request, query: Query, catalog: Catalog, layers: Sequence[Layer], *, title: str, address: str
) -> dict[str, Any]:
    # Checked here, so that a fault shows once and not with every tile; the tiles are asked with the same words.
    view, wanted = take_view(query, catalog), take_filter(query, catalog)
    query.finish()
    for layer in layers:
        rows(Selection(layer, view, wanted), catalog, exchange(request).principal)
    document: dict[str, Any] = {
        "tilejson": "3.0.0",
        "name": title,
        "scheme": "xyz",
        "tiles": [same_query(request, address)],
        "minzoom": min((layer.min_zoom for layer in layers), default=0),
        "maxzoom": MAX_ZOOM,
        "attribution": "; ".join(dict.fromkeys(name for layer in layers for name in layer.attribution)),
        "vector_layers": [_vector_layer(layer) for layer in layers],
    }
    if (box := around(layers)) is not None:
        west, south, east, north = box
        document["bounds"] = box
        document["center"] = [(west + east) / 2, (south + north) / 2, 12]
    return document


def _vector_layer(layer: Layer) -> Mapping[str, Any]:
    return {
        "id": layer.id,
        "description": layer.title.en,
        "minzoom": layer.min_zoom,
        "maxzoom": MAX_ZOOM,
        "fields": {attribute.name: FIELD_TYPES[attribute.type] for attribute in drawn_properties(layer)},
    }


_READ = "A gzipped Mapbox Vector Tile of extent 4096; each layer is called like its collection, ids are object ids."
_ANSWERS = {
    "200": {"description": _READ, "content": {MVT: {"schema": {"type": "string", "format": "binary"}}}},
    "204": {"description": "Nothing is there"},
    "304": {"description": "The tile is as the client knows it (If-None-Match)"},
}


def _place(name: str, description: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": {"type": "integer", "minimum": 0},
    }


_TILE = [
    _place("z", "Zoom, from 0 to 22."),
    _place("row", "Row, from the north (y)."),
    _place("col", "Column, from the west (x)."),
]
_LAYER = {"name": "layer_id", "in": "path", "required": True, "schema": {"type": "string"}}
# What FastAPI cannot know: the raw route is none of its own.
PATHS: dict[str, Any] = {
    "/tiles/WebMercatorQuad/{z}/{row}/{col}": {
        "get": {
            "tags": ["Tiles"],
            "summary": "Tile",
            "description": "Many layers in one vector tile.",
            "operationId": "getTile",
            "parameters": [*_TILE, *(p.document() for p in (COLLECTIONS, *TILE_PARAMETERS))],
            "responses": _ANSWERS,
        }
    },
    "/collections/{layer_id}/tiles/WebMercatorQuad/{z}/{row}/{col}": {
        "get": {
            "tags": ["Tiles"],
            "summary": "Layer tile",
            "description": "One layer as a vector tile.",
            "operationId": "getLayerTile",
            "parameters": [_LAYER, *_TILE, *(p.document() for p in TILE_PARAMETERS)],
            "responses": _ANSWERS,
        }
    },
}
