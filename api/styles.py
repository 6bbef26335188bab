"""OGC API Styles (OGC 20-009): the looks of the whole map and of each layer by day and by night, for MapLibre."""

from typing import Any

from fastapi import APIRouter, Request, Response

from api.answers import json_answer, language, said
from api.documentation import described
from api.exchange import city, exchange
from api.links import DESCRIBED_BY, JSON, STYLE, Link, link
from api.matrices import JSON_ONLY
from api.pages import city_title
from api.parameters import Parameter, Query, one_of
from api.tiles import style_named
from layers.catalog import Layer, Title
from layers.style import MODES, Mode, compose, layer_style
from tiles.drawn import drawn_properties

CONFORMANCE = tuple(
    f"http://www.opengis.net/spec/ogcapi-styles-1/1.0/conf/{part}"
    for part in ("core", "global-styles", "collection-styles", "mapbox-style")
)
TITLES: dict[Mode, Title] = {"day": Title("日间", "Day"), "night": Title("夜间", "Night")}
STYLE_FORMAT = Parameter[str]("f", "Encoding of the style.", one_of("mapbox"), "mapbox", {"enum": ["mapbox"]})
# What an attribute is called where a style's metadata lists those that it reads.
KINDS = {"text": "string", "integer": "integer", "number": "number", "boolean": "boolean"}
GEOMETRIES = {"MultiPolygon": "polygon", "LineString": "line", "Point": "point"}

router = APIRouter(tags=["Styles"])


@router.get("/styles", **described("getStyles", JSON_ONLY))
async def styles(request: Request) -> Response:
    """The styles of the whole map."""
    _take(request, JSON_ONLY)
    title = city_title(await city(request).catalog())
    return json_answer(_list(request, exchange(request).base, title))


@router.get("/collections/{layer_id}/styles", **described("getLayerStyles", JSON_ONLY))
async def layer_styles(request: Request, layer_id: str) -> Response:
    """The styles of one layer."""
    _take(request, JSON_ONLY)
    layer, address = await _layer(request, layer_id)
    return json_answer(_list(request, address, layer.title))


@router.get("/styles/{style_id}", **described("getStyle", STYLE_FORMAT, kinds=(STYLE,)))
async def style(request: Request, style_id: str) -> Response:
    """One style, of the layers that the principal may read."""
    _take(request, STYLE_FORMAT)
    return json_answer(await _composed(request, style_named(style_id)), media_type=STYLE)


@router.get("/collections/{layer_id}/styles/{style_id}", **described("getLayerStyle", STYLE_FORMAT, kinds=(STYLE,)))
async def one_layer_style(request: Request, layer_id: str, style_id: str) -> Response:
    """One style of one layer, with that layer's tiles as its source."""
    _take(request, STYLE_FORMAT)
    layer, address = await _layer(request, layer_id)
    document = await _composed(request, style_named(style_id))
    return json_answer(_of_layer(document, layer, address), media_type=STYLE)


@router.get("/styles/{style_id}/metadata", **described("getStyleMetadata", JSON_ONLY))
async def metadata(request: Request, style_id: str) -> Response:
    """What a style of the whole map is for, and what it reads."""
    _take(request, JSON_ONLY)
    catalog, met = await city(request).catalog(), exchange(request)
    layers = [layer for layer in catalog.layers(met.principal) if layer.extent is not None]
    return json_answer(_metadata(request, met.base, style_named(style_id), city_title(catalog), layers))


@router.get("/collections/{layer_id}/styles/{style_id}/metadata", **described("getLayerStyleMetadata", JSON_ONLY))
async def layer_metadata(request: Request, layer_id: str, style_id: str) -> Response:
    """What a style of one layer is for, and what it reads."""
    _take(request, JSON_ONLY)
    layer, address = await _layer(request, layer_id)
    return json_answer(_metadata(request, address, style_named(style_id), layer.title, [layer]))


def _take(request: Request, parameter: Parameter[Any]) -> None:
    query = Query(request)
    query.take(parameter)
    query.finish()


async def _layer(request: Request, layer_id: str) -> tuple[Layer, str]:
    """A layer and its collection's address. Raises LayerNotFound."""
    catalog, met = await city(request).catalog(), exchange(request)
    layer = catalog.layer(layer_id, met.principal)
    return layer, f"{met.base}/collections/{layer.id}"


async def _composed(request: Request, mode: Mode) -> dict[str, Any]:
    served, met = city(request), exchange(request)
    terrain = bool(await served.terrain.of(met.principal))
    return compose(await served.catalog(), met.principal, mode, base=met.base, terrain=terrain)


def _list(request: Request, address: str, title: Title) -> dict[str, Any]:
    """The styles at an address (/req/core/styles-success)."""
    found = [
        {"id": mode, "title": _title(request, title, mode), "links": _links(address, mode, said(title, "en"))}
        for mode in MODES
    ]
    own = link("self", f"{address}/styles", JSON, "Styles")
    return {"default": MODES[0], "styles": found, "links": [own]}


def _links(address: str, mode: Mode, title: str) -> list[Link]:
    return [
        link("stylesheet", f"{address}/styles/{mode}", STYLE, f"{title} by {mode}"),
        link(DESCRIBED_BY, f"{address}/styles/{mode}/metadata", JSON, "What the style is for"),
        link("preview", f"{address}/styles/{mode}/map?width=400", "image/png", "How it looks"),
    ]


def _title(request: Request, title: Title, mode: Mode) -> str:
    spoken = language(request)
    return f"{said(title, spoken)} ({said(TITLES[mode], spoken)})"


def _of_layer(document: dict[str, Any], layer: Layer, address: str) -> dict[str, Any]:
    """The part of the whole map's style that draws one layer, shown whether or not the map opens with it."""
    hidden = {f"{layer.id}-{part['id']}" for part in layer_style(layer) if "visibility" in part.get("layout", {})}
    parts = [part for part in document["layers"] if part.get("metadata", {}).get("twin:layer") == layer.id]
    for part in parts:
        if part["id"] not in hidden:
            part["layout"].pop("visibility", None)
    used = {part["source"] for part in parts}
    sources = {name: source for name, source in document["sources"].items() if name in used}
    if "city" in sources:
        sources["city"] = {"type": "vector", "url": f"{address}/tiles/WebMercatorQuad/tilejson.json"}
    named = document | {"name": f"{layer.title.en} {document['metadata']['twin:mode']}"}
    return named | {"sources": sources, "layers": parts}


def _metadata(request: Request, address: str, mode: Mode, title: Title, layers: list[Layer]) -> dict[str, Any]:
    """As OGC 20-009 models a style's metadata: its stylesheets, and the layers and attributes that it reads."""
    spoken = language(request)
    own = f"{address}/styles/{mode}"
    return {
        "id": mode,
        "title": _title(request, title, mode),
        "keywords": [title.zh, title.en, TITLES[mode].zh, TITLES[mode].en],
        "scope": "style",
        "stylesheets": [
            {
                "title": "MapLibre",
                "version": "8",
                "specification": "https://maplibre.org/maplibre-style-spec/",
                "native": True,
                "tilingScheme": "WebMercatorQuad",
                "link": link("stylesheet", own, STYLE, "MapLibre style"),
            }
        ],
        "layers": [
            {
                "id": layer.id,
                "description": said(layer.title, spoken),
                "type": GEOMETRIES.get(layer.theme.geometry, "geometry"),
                "attributes": [{"id": p.name, "type": KINDS[p.type]} for p in drawn_properties(layer)],
            }
            for layer in layers
        ],
        "links": [link("self", f"{own}/metadata", JSON, "This document"), *_links(address, mode, title.en)],
    }
