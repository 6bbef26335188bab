"""The layers in the capabilities: the whole map and each layer, with styles, dimension, limits and addresses."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from api.city import around
from api.ows.xml import Element, child
from api.wms.call import Call
from api.wms.dimensions import TIME_EXTENT, listed_times
from api.wms.info_formats import INFO_FORMATS
from api.wms.names import WHOLE, layers_of
from api.wms.texts import ALL, ALL_ABSTRACT, STYLES, keywords, layer_abstract, layer_keywords, said_here
from api.wmts.requests import FORMATS
from layers.catalog import Layer
from layers.crs import CRS84
from layers.style import MODES
from tiles.limits import limits_of
from tiles.matrix import Grid, grids_of

INFO_ENDINGS = {"application/json": "json", "text/html": "html", "text/plain": "txt"}
# What a client puts into an address in place of these (OGC 07-057r7, 10.2.1).
TILE = "{Style}/{TileMatrixSet}/{TileMatrix}/{TileRow}/{TileCol}"


@dataclass(frozen=True)
class Offered:
    """A layer as the document lists it. layers: of the city, which it shows."""

    name: str
    title: str
    abstract: str | None
    words: Sequence[str]
    layers: Sequence[Layer]


def add_layers(contents: Element, call: Call) -> None:
    """The whole map first; then each layer that the principal may see."""
    for offered in _offered(call):
        _add_layer(contents, call, offered)


def _offered(call: Call) -> Iterator[Offered]:
    whole = layers_of(WHOLE, call.catalog, call.principal)
    if whole:
        yield Offered(WHOLE, said_here(ALL, call), said_here(ALL_ABSTRACT, call), keywords(ALL), whole)
    for layer in call.catalog.layers(call.principal):
        title, abstract = said_here(layer.title, call), layer_abstract(layer, call)
        yield Offered(layer.id, title, abstract, layer_keywords(layer), [layer])


def _add_layer(contents: Element, call: Call, offered: Offered) -> None:
    """One layer, its parts in the order of the schema (OGC 07-057r7, table 6)."""
    name, layers = offered.name, offered.layers
    element = child(contents, "Layer")
    child(element, "ows:Title", offered.title)
    if offered.abstract:
        child(element, "ows:Abstract", offered.abstract)
    listed = child(element, "ows:Keywords")
    for word in offered.words:
        child(listed, "ows:Keyword", word)
    if (box := around(layers)) is not None:
        bounds = child(element, "ows:WGS84BoundingBox", crs=CRS84.urn)
        child(bounds, "ows:LowerCorner", f"{box[0]!r} {box[1]!r}")
        child(bounds, "ows:UpperCorner", f"{box[2]!r} {box[3]!r}")
    child(element, "ows:Identifier", name)
    if name != WHOLE:
        child(element, "ows:Metadata", xlink_href=f"{call.met.base}/collections/{name}?f=json")
    _add_styles(element, call, name)
    for format_ in FORMATS:
        child(element, "Format", format_)
    for kind in INFO_FORMATS:
        child(element, "InfoFormat", kind)
    _add_time(element, layers)
    for grid in grids_of(call.catalog.city).values():
        _add_grid(element, grid, layers)
    _add_addresses(element, call, name)


def _add_styles(element: Element, call: Call, name: str) -> None:
    for mode in MODES:
        style = child(element, "Style", isDefault="true" if mode == MODES[0] else "false")
        child(style, "ows:Title", said_here(STYLES[mode], call))
        child(style, "ows:Identifier", mode)
        if name != WHOLE:
            legend = {
                "SERVICE": "WMS",
                "VERSION": "1.3.0",
                "REQUEST": "GetLegendGraphic",
                "LAYER": name,
                "STYLE": mode,
                "FORMAT": "image/png",
                "SLD_VERSION": "1.1.0",
            }
            address = f"{call.met.base}/wms?{urlencode(legend)}"
            child(style, "LegendURL", format="image/png", xlink_href=address)


def _add_time(element: Element, layers: Sequence[Layer]) -> None:
    """Every layer has a time; what is asked for without one is as it is now (OGC 07-057r7, table 10).

    A result lists the moments of its states.
    """
    times = layers[0].times if len(layers) == 1 else ()
    dimension = child(element, "Dimension")
    child(dimension, "ows:Identifier", "Time")
    child(dimension, "ows:UOM", "ISO8601")
    child(dimension, "Default", "current")
    child(dimension, "Current", "true")
    for value in ("current", *(listed_times(times).split(",") if times else (TIME_EXTENT,))):
        child(dimension, "Value", value)


def _add_grid(element: Element, grid: Grid, layers: Sequence[Layer]) -> None:
    """Where the layer has anything, at each zoom of a grid."""
    link = child(element, "TileMatrixSetLink")
    child(link, "TileMatrixSet", grid.id)
    if all(layer.extent is None for layer in layers):
        return
    listed = child(link, "TileMatrixSetLimits")
    for zoom in range(grid.first, grid.last + 1):
        x0, y0, x1, y1 = limits_of(grid, zoom, layers) or (0, 0, 0, 0)
        limits = child(listed, "TileMatrixLimits")
        child(limits, "TileMatrix", str(zoom))
        for name, value in (("MinTileRow", y0), ("MaxTileRow", y1), ("MinTileCol", x0), ("MaxTileCol", x1)):
            child(limits, name, str(value))


def _add_addresses(element: Element, call: Call, name: str) -> None:
    address = f"{call.met.base}/wmts/1.0.0/{name}/{TILE}"
    for format_, ending in FORMATS.items():
        template = f"{address}.{ending}?time={{Time}}"
        child(element, "ResourceURL", format=format_, resourceType="tile", template=template)
    for kind, ending in INFO_ENDINGS.items():
        template = f"{address}/{{J}}/{{I}}.{ending}?time={{Time}}"
        child(element, "ResourceURL", format=kind, resourceType="FeatureInfo", template=template)
