"""OGC API Styles (OGC 20-009): the looks of the whole map and of each layer by day and by night, for MapLibre."""

import asyncio
from typing import Any

from fastapi import Request, Response

from api.answers import LIVE, json_answer, language, said
from api.documentation import described
from api.exchange import city, exchange
from api.links import DESCRIBED_BY, JSON, STYLE, Link, link
from api.matrices import JSON_ONLY
from api.pages import city_title
from api.parameters import Parameter, Query, one_of
from api.routing import PartRouter
from api.tiles import style_named
from layers.catalog import Catalog, Layer, Title
from layers.sld import Version, sld
from layers.style import MODES, Mode, compose, layer_style
from tiles.drawn import drawn_properties

CONFORMANCE = tuple(
    f"http://www.opengis.net/spec/ogcapi-styles-1/1.0/conf/{part}"
    for part in ("core", "global-styles", "collection-styles", "mapbox-style", "sld-10", "sld-11")
)
TITLES: dict[Mode, Title] = {"day": Title("日间", "Day"), "night": Title("夜间", "Night")}
SLD_KIND = "application/vnd.ogc.sld+xml"
# Encodings by the word that asks for them: their media type, and the version of SLD.
ENCODINGS: dict[str, tuple[str, Version | None]] = {
    "mapbox": (STYLE, None),
    "sld11": (f"{SLD_KIND};version=1.1", "1.1.0"),
    "sld10": (f"{SLD_KIND};version=1.0", "1.0.0"),
}
STYLE_KINDS = tuple(kind for kind, _ in ENCODINGS.values())
STYLE_FORMAT = Parameter[str | None](
    "f",
    "Encoding of the style: MapLibre's, or SLD 1.1 or 1.0; by default what the Accept header asks for.",
    one_of(*ENCODINGS),
    None,
    {"type": "string", "enum": list(ENCODINGS)},
)
# What an attribute is called where a style's metadata lists those that it reads.
KINDS = {"text": "string", "integer": "integer", "number": "number", "boolean": "boolean"}
GEOMETRIES = {"MultiPolygon": "polygon", "LineString": "line", "Point": "point"}

router = PartRouter(tags=["Styles"])


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


@router.get("/styles/{style_id}", **described("getStyle", STYLE_FORMAT, kinds=STYLE_KINDS))
async def style(request: Request, style_id: str) -> Response:
    """One style, of the layers that the principal may read."""
    mode, encoding = style_named(style_id), _encoding(request, _take(request, STYLE_FORMAT))
    if encoding != "mapbox":
        catalog = await city(request).catalog()
        return await _as_sld(request, encoding, mode, _shown(request, catalog))
    return json_answer(await _composed(request, mode), media_type=STYLE)


@router.get("/collections/{layer_id}/styles/{style_id}", **described("getLayerStyle", STYLE_FORMAT, kinds=STYLE_KINDS))
async def one_layer_style(request: Request, layer_id: str, style_id: str) -> Response:
    """One style of one layer, with that layer's tiles as its source."""
    mode, encoding = style_named(style_id), _encoding(request, _take(request, STYLE_FORMAT))
    layer, address = await _layer(request, layer_id)
    if encoding != "mapbox":
        return await _as_sld(request, encoding, mode, [layer])
    return json_answer(_of_layer(await _composed(request, mode, layer.id), layer, address), media_type=STYLE)


@router.get("/styles/{style_id}/metadata", **described("getStyleMetadata", JSON_ONLY))
async def metadata(request: Request, style_id: str) -> Response:
    """What a style of the whole map is for, and what it reads."""
    _take(request, JSON_ONLY)
    catalog, base = await city(request).catalog(), exchange(request).base
    layers = _shown(request, catalog)
    return json_answer(_metadata(request, base, style_named(style_id), city_title(catalog), layers))


@router.get("/collections/{layer_id}/styles/{style_id}/metadata", **described("getLayerStyleMetadata", JSON_ONLY))
async def layer_metadata(request: Request, layer_id: str, style_id: str) -> Response:
    """What a style of one layer is for, and what it reads."""
    _take(request, JSON_ONLY)
    layer, address = await _layer(request, layer_id)
    return json_answer(_metadata(request, address, style_named(style_id), layer.title, [layer]))


def _take(request: Request, parameter: Parameter[str | None]) -> str | None:
    query = Query(request)
    found = query.take(parameter)
    query.finish()
    return found


def _encoding(request: Request, given: str | None) -> str:
    """By `f`, else by the Accept header, in which the version is a parameter of SLD's media type."""
    accept = request.headers.get("accept", "").lower().replace(" ", "").replace('"', "")
    if given is not None or SLD_KIND not in accept or STYLE in accept:
        return given or "mapbox"
    return "sld10" if f"{SLD_KIND};version=1.0" in accept else "sld11"


def _shown(request: Request, catalog: Catalog) -> list[Layer]:
    """The layers of the whole map that the principal may read."""
    mine = catalog.layers(exchange(request).principal)
    return [layer for layer in mine if layer.is_shown and layer.extent is not None]


async def _as_sld(request: Request, encoding: str, mode: Mode, layers: list[Layer]) -> Response:
    """The style as SLD. Raises StyleError for what SLD cannot say."""
    kind, version = ENCODINGS[encoding]
    assert version is not None
    body = await asyncio.to_thread(sld, layers, await city(request).catalog(), version, (mode,))
    return Response(body, 200, dict(LIVE), kind)


async def _layer(request: Request, layer_id: str) -> tuple[Layer, str]:
    """A layer and its collection's address. Raises LayerNotFound."""
    catalog, met = await city(request).catalog(), exchange(request)
    layer = catalog.layer(layer_id, met.principal)
    return layer, f"{met.base}/collections/{layer.id}"


async def _composed(request: Request, mode: Mode, *named: str) -> dict[str, Any]:
    served, met = city(request), exchange(request)
    terrain = bool(await served.terrain.of(met.principal))
    return compose(await served.catalog(), met.principal, mode, base=met.base, terrain=terrain, named=named)


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
        *(
            link("stylesheet", f"{address}/styles/{mode}?f={encoding}", kind, f"{title} by {mode}")
            for encoding, (kind, _) in ENCODINGS.items()
        ),
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
                "link": link("stylesheet", f"{own}?f=mapbox", STYLE, "MapLibre style"),
            },
            *(
                {
                    "title": f"SLD {version}",
                    "version": version,
                    "specification": f"http://www.opengis.net/doc/IS/sld/{version[:3]}",
                    "native": False,
                    "link": link("stylesheet", f"{own}?f={encoding}", kind, f"SLD {version}"),
                }
                for encoding, (kind, version) in ENCODINGS.items()
                if version is not None
            ),
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
