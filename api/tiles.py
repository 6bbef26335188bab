"""Tiles: the hot routes by themselves, before FastAPI and its parameters; vector tiles, and maps cut into tiles."""

import re
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from api.answers import qualities
from api.errors import BadRequest, MethodNotAllowed
from api.exchange import Exchange, of_scope
from api.links import MVT
from api.matrices import grid_named
from api.parameters import Parameter, Query, one_of
from api.raw import send_packed, send_plain
from api.views import FILTER_PARAMETERS, VIEW_PARAMETERS, as_text, take_filter, take_view
from layers.access import Principal
from layers.catalog import Catalog, Layer
from layers.style import MODES, Mode, StyleNotFound, palette
from tiles.limits import refuse_outside
from tiles.map import MapLayer
from tiles.map.request import Format
from tiles.map_tiles import Content
from tiles.matrix import Tile, tile_at
from tiles.picture import Picture

MAX_LAYERS = 64
LAYER_ID = r"[a-z][a-z0-9_]{0,62}"
NUMBER = r"(\d{1,10})"
ADDRESS = re.compile(
    rf"(?:/collections/({LAYER_ID}))?((?:/styles/(\w{{1,40}}))?/map)?/tiles/(\w{{1,40}})/{NUMBER}/{NUMBER}/{NUMBER}\Z",
    re.ASCII,
)
COLLECTIONS = Parameter[str | None](
    "collections",
    "Layers, with commas between them; all by default, on maps those that are shown at first.",
    as_text,
    None,
    {"type": "array", "items": {"type": "string"}, "maxItems": MAX_LAYERS},
    max_length=MAX_LAYERS * 64,
)
TILE_PARAMETERS = (*VIEW_PARAMETERS, *FILTER_PARAMETERS)
PICTURES: dict[str, Format] = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}
# As `f` names them: by a word, or by the media type itself.
FORMS: dict[str, Format] = PICTURES | {kind: kind for kind in PICTURES.values()}
VECTOR_FORMAT = Parameter[str](
    "f", "Format of the tile.", one_of("mvt"), "mvt", {"type": "string", "enum": ["mvt"], "default": "mvt"}
)
PICTURE_FORMAT = Parameter[str | None](
    "f",
    "Format of the picture; by default what the Accept header asks for, PNG where it takes that.",
    one_of(*FORMS),
    None,
    {"type": "string", "enum": list(FORMS)},
)


@dataclass(frozen=True)
class Asked:
    """What an address names. style: None for vector tiles."""

    layer_id: str | None
    style: str | None
    tile: Tile


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
        layer_id, is_map, style, grid_id, z, row, column = found.groups()
        met.operation = operation(layer_id is not None, is_map is not None, style is not None)
        served, format_ = met.city, None if is_map is None else _wanted_format(scope)
        assert served is not None

        async def drawn() -> Picture:
            catalog = await served.catalog()
            tile = tile_at(int(z), int(column), int(row), grid_named(grid_id, catalog))
            if format_ is None:
                return await _vector_tile(scope, met, catalog, Asked(layer_id, None, tile))
            return await _map_tile(scope, met, catalog, Asked(layer_id, style or MODES[0], tile), format_)

        picture = await served.latest(drawn)
        if format_ is None:
            await send_packed(picture, MVT.encode(), scope, send)
        else:
            await send_plain(picture, format_.encode(), scope, send)


def operation(of_layer: bool, is_map: bool, is_styled: bool) -> str:
    """The name of what is done, with the suffix that OGC API Tiles gives it (table 11)."""
    origin = "collection" if of_layer else "dataset"
    return f"city.{origin}.{'style.' * is_styled}{'map' if is_map else 'vector'}.getTile"


async def _vector_tile(scope: Scope, met: Exchange, catalog: Catalog, asked: Asked) -> Picture:
    assert met.city is not None
    service, tile = met.city.tiles, asked.tile
    # Asked in the same words before, the tile may lie ready: then nothing of the query is read again.
    words = f"{asked.layer_id or ''}?{scope['query_string'].decode('latin-1')}"
    picture = service.kept(catalog, words, tile, met.principal)
    if picture is not None and picture.body:
        return picture
    query = Query(Request(scope))
    query.take(VECTOR_FORMAT)
    layers = chosen_layers(query, catalog, met.principal, asked.layer_id)
    view, wanted = take_view(query, catalog), take_filter(query, catalog)
    query.finish()
    if picture is None:
        # Filters are as many as their users think of.
        words_ = words if wanted is None else None
        picture = await service.tile(catalog, layers, tile, met.principal, view=view, wanted=wanted, words=words_)
    if not picture.body:
        refuse_outside(tile, layers)
    return picture


async def _map_tile(scope: Scope, met: Exchange, catalog: Catalog, asked: Asked, format_: Format) -> Picture:
    assert met.city is not None
    service, tile = met.city.map_tiles, asked.tile
    words = f"{asked.layer_id or ''}/{asked.style}/{format_}?{scope['query_string'].decode('latin-1')}"
    picture = service.kept(catalog, words, tile, met.principal)
    if picture is not None:
        return picture
    query = Query(Request(scope))
    query.take(PICTURE_FORMAT)
    style = style_named(asked.style or "")
    layers = map_layers(query, catalog, met.principal, asked.layer_id)
    view, wanted = take_view(query, catalog), take_filter(query, catalog)
    query.finish()
    shown = tuple(MapLayer(layer, style, view, wanted) for layer in layers)
    content = Content(shown, format_, tile_background(style, asked.layer_id is None, format_))
    return await service.tile(catalog, content, tile, met.principal, words=words if wanted is None else None)


def style_named(name: str) -> Mode:
    """The style of that name. Raises StyleNotFound."""
    mode = next((mode for mode in MODES if mode == name), None)
    if mode is None:
        raise StyleNotFound(f"no style {name[:60]!r}; there are {', '.join(MODES)}")
    return mode


def tile_background(style: Mode, of_whole_map: bool, format_: Format) -> str | None:
    """The whole map lies on its style's background; a layer on nothing, so that it can be laid over other maps."""
    return str(palette(style)["background"]) if of_whole_map or format_ == "image/jpeg" else None


def _wanted_format(scope: Scope) -> Format:
    """By `f`, else the first that the Accept header takes."""
    found = re.search(rb"(?:^|&)f=(?:image(?:/|%2[Ff]))?(\w{1,10})(?:&|\Z)", scope["query_string"])
    if found is not None:
        # Another than these is refused where the parameters are read.
        return PICTURES.get(found[1].decode(), "image/png")
    accept: bytes = next((value for name, value in scope["headers"] if name == b"accept"), b"")
    return accepted_picture(accept.decode("latin-1"))


def accepted_picture(accept: str) -> Format:
    """The first kind of picture that an Accept header takes; PNG where it takes none of them."""
    accepted = qualities(accept) if accept else {"*/*": 1.0}
    wildcard = max(accepted.get("*/*", 0.0), accepted.get("image/*", 0.0))
    return next((kind for kind in PICTURES.values() if accepted.get(kind, wildcard) > 0), "image/png")


def chosen_layers(query: Query, catalog: Catalog, principal: Principal, layer_id: str | None) -> list[Layer]:
    """The layers of a vector tile. Raises LayerNotFound, BadRequest."""
    return _named_layers(query, catalog, principal, layer_id) or drawable(catalog, principal)


def map_layers(query: Query, catalog: Catalog, principal: Principal, layer_id: str | None) -> list[Layer]:
    """The layers of a map: the one, those named, or those that are shown at first. Raises LayerNotFound, BadRequest."""
    return _named_layers(query, catalog, principal, layer_id) or shown_at_first(catalog, principal)


def _named_layers(query: Query, catalog: Catalog, principal: Principal, layer_id: str | None) -> list[Layer]:
    if layer_id is not None:
        return [catalog.layer(layer_id, principal)]
    named = query.take(COLLECTIONS)
    if named is None:
        return []
    names = named.split(",")
    if len(names) > MAX_LAYERS or len(set(names)) < len(names):
        raise BadRequest(f"collections: at most {MAX_LAYERS} layers, each once")
    return [catalog.layer(name, principal) for name in names]


def drawable(catalog: Catalog, principal: Principal) -> list[Layer]:
    """The layers that there are vector tiles of, ground first."""
    return [layer for layer in catalog.layers(principal) if layer.is_shown and not layer.is_raster]


def shown_at_first(catalog: Catalog, principal: Principal) -> list[Layer]:
    """The layers of the whole map as a viewer opens it, ground first."""
    return [layer for layer in catalog.layers(principal) if layer.visible]


def _place(name: str, description: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": {"type": "integer", "minimum": 0},
    }


def _word(name: str, description: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "description": description, "schema": {"type": "string"}}


_TILE = [
    _word("tileMatrixSetId", "The grid; /tileMatrixSets lists them."),
    _place("tileMatrix", "Zoom."),
    _place("tileRow", "Row, from the north (y)."),
    _place("tileCol", "Column, from the west (x)."),
]
_LAYER, _STYLE = _word("layer_id", "The layer."), _word("style_id", "day or night.")
_VECTOR = "A gzipped Mapbox Vector Tile of extent 4096; each layer is called like its collection, ids are object ids."
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_OTHERS = {
    "304": {"description": "The tile is as the client knows it (If-None-Match)"},
    "404": {"description": "No such layer, grid or style, or beyond the limits of the tile set"},
}
_VECTOR_ANSWERS = {
    "200": {"description": _VECTOR, "content": {MVT: _BINARY}},
    "204": {"description": "Nothing is there"},
    **_OTHERS,
}
_MAP_ANSWERS = {
    "200": {"description": "A picture of 256 x 256 pixels", "content": dict.fromkeys(PICTURES.values(), _BINARY)},
    **_OTHERS,
}


def _path(of_layer: bool, is_map: bool, is_styled: bool) -> tuple[str, dict[str, Any]]:
    """Address and description of one family of tiles."""
    address = "/collections/{layer_id}" * of_layer + "/styles/{style_id}" * is_styled + "/map" * is_map
    format_ = PICTURE_FORMAT if is_map else VECTOR_FORMAT
    queried: tuple[Parameter[Any], ...] = (*(() if of_layer else (COLLECTIONS,)), *TILE_PARAMETERS, format_)
    what = ("A map" if is_map else "Vector data") + (" of one layer" if of_layer else " of many layers")
    described = {
        "tags": ["Tiles"],
        "summary": "Tile",
        "description": f"{what}, as a tile" + (", in one of its styles." if is_styled else "."),
        "operationId": operation(of_layer, is_map, is_styled),
        "parameters": [*[_LAYER] * of_layer, *[_STYLE] * is_styled, *_TILE, *(p.document() for p in queried)],
        "responses": _MAP_ANSWERS if is_map else _VECTOR_ANSWERS,
    }
    return f"{address}/tiles/{{tileMatrixSetId}}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}", {"get": described}


# Of which layers, vector or map, in the default style or one that is named.
FAMILIES = [(of_layer, *kind) for of_layer in (False, True) for kind in ((False, False), (True, False), (True, True))]
# What FastAPI cannot know: the raw routes are none of its own.
PATHS: dict[str, Any] = dict(_path(*family) for family in FAMILIES)
