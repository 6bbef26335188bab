"""The layers in the capabilities: all, by theme, each with where it lies and how it can be drawn."""

import math
from collections.abc import Collection, Mapping, Sequence

from api.city import area_of_use, extent
from api.links import HTML, JSON
from api.ows.xml import Element, child, link
from api.wms.call import Call
from api.wms.dimensions import ELEVATION_EXTENT, LOWEST, TIME_EXTENT, listed_times
from api.wms.names import WHOLE, Group, groups
from api.wms.texts import ALL, ALL_ABSTRACT, STYLES, keywords, layer_abstract, layer_keywords, said_here
from layers.catalog import Layer
from layers.crs import CRS84, Box, Crs, NoWay, box_in, known_crs, storage_crs
from layers.style import MODES

# At zoom 0 of a viewer's tiles of 512 pixels, a pixel being 0.28 mm (OGC 06-042, 7.2.4.6.9).
WIDEST_SCALE = 279_541_132.014
PIXEL_M = 0.000_28
DEGREES, METRES = 9, 3


# Of each layer, the values that its legend lists; None for all.
InUse = Mapping[str, Collection[str] | None]


def add_layers(capability: Element, call: Call, in_use: InUse) -> None:
    """The layer tree, of what the principal may see; takes the time that PROJ takes for every box."""
    offered = known_crs(call.catalog)
    tree = groups(call.catalog, call.principal)
    root = child(capability, "Layer", queryable="1")
    _add_name(root, WHOLE, said_here(ALL, call), said_here(ALL_ABSTRACT, call), keywords(ALL))
    for name in crs_names(offered, call):
        child(root, "CRS" if call.version == "1.3.0" else "SRS", name)
    around = extent(call.catalog, call.principal) or area_of_use(call.catalog.city.metric_srid)
    _add_boxes(root, around, offered, call)
    # Every layer has a time: what is true of all stands once, and is inherited (OGC 06-042, 7.2.4.8).
    _add_time(root, TIME_EXTENT, call)
    for group in tree:
        _add_group(root, group, offered, in_use, call)


def crs_names(offered: Sequence[Crs], call: Call) -> list[str]:
    """Names of CRS as this version writes them, with the old one of web Mercator that desks still ask for."""
    names = [name_of(crs) for crs in offered]
    return [*names, "EPSG:900913"] if call.version == "1.1.1" else names


def name_of(crs: Crs) -> str:
    """A CRS as WMS names it (OGC 06-042, annex B)."""
    return "CRS:84" if crs == CRS84 else crs.code


def _add_group(root: Element, group: Group, offered: Sequence[Crs], in_use: InUse, call: Call) -> None:
    element = child(root, "Layer", queryable="1")
    _add_name(element, group.name, said_here(group.title, call), None, keywords(group.title))
    extents = [layer.extent for layer in group.layers if layer.extent is not None]
    if extents:
        west, south, east, north = zip(*extents, strict=True)
        _add_boxes(element, (min(west), min(south), max(east), max(north)), offered, call)
    for layer in group.layers:
        _add_layer(element, layer, offered, in_use, call)


def _add_layer(parent: Element, layer: Layer, offered: Sequence[Crs], in_use: InUse, call: Call) -> None:
    """One layer, its parts in the order of the schema."""
    element = child(parent, "Layer", queryable="1", opaque="0")
    _add_name(element, layer.id, said_here(layer.title, call), layer_abstract(layer, call), layer_keywords(layer))
    if layer.extent is not None:
        _add_boxes(element, layer.extent, offered, call)
    if layer.times:
        # In place of what is inherited: a result has states at these moments, each of which holds until the next.
        _add_time(element, listed_times(layer.times), call)
    if layer.theme.table == "terrain":
        _add_elevation(element, call)
    if layer.attribution:
        child(child(element, "Attribution"), "Title", "; ".join(layer.attribution))
    _add_documents(element, layer, call)
    for mode in MODES:
        style = child(element, "Style")
        child(style, "Name", mode)
        child(style, "Title", said_here(STYLES[mode], call))
        _add_legend(style, layer, mode, in_use, call)
    if layer.min_zoom:
        _add_scales(element, WIDEST_SCALE / 2**layer.min_zoom, call)


def _add_name(element: Element, name: str, title: str, abstract: str | None, words: Sequence[str]) -> None:
    child(element, "Name", name)
    child(element, "Title", title)
    if abstract:
        child(element, "Abstract", abstract)
    listed = child(element, "KeywordList")
    for word in words:
        child(listed, "Keyword", word)


def _add_boxes(element: Element, extent: Box, offered: Sequence[Crs], call: Call) -> None:
    """Where a layer lies: in degrees, and once in each CRS, its axes as the version counts them."""
    storage = storage_crs(call.catalog)
    west, south, east, north = (_rounded(value, DEGREES, up=i > 1) for i, value in enumerate(extent))
    if call.version == "1.1.1":
        child(element, "LatLonBoundingBox", minx=west, miny=south, maxx=east, maxy=north)
    else:
        box = child(element, "EX_GeographicBoundingBox")
        for name, value in (
            ("westBoundLongitude", west),
            ("eastBoundLongitude", east),
            ("southBoundLatitude", south),
            ("northBoundLatitude", north),
        ):
            child(box, name, value)
    for crs in offered:
        try:
            found = box_in(extent, storage, crs)
        except NoWay:
            continue
        if found is not None and found[0] <= found[2]:
            _add_box(element, crs, found, call)


def _add_box(element: Element, crs: Crs, box: Box, call: Call) -> None:
    newer = call.version == "1.3.0"
    decimals = DEGREES if crs.is_geographic else METRES
    # Outwards, so that what touches the edge lies in the box as it is written.
    xy = tuple(_rounded(value, decimals, up=i > 1) for i, value in enumerate(box))
    one, two, three, four = (xy[1], xy[0], xy[3], xy[2]) if newer and crs.north_first else xy
    corners = {"minx": one, "miny": two, "maxx": three, "maxy": four}
    child(element, "BoundingBox", **{"CRS" if newer else "SRS": name_of(crs), **corners})


def _rounded(value: float, decimals: int, *, up: bool) -> str:
    scale: int = 10**decimals
    # A value that is written with so many decimals stays what it is.
    shifted = round(value * scale, 3)
    return f"{(math.ceil(shifted) if up else math.floor(shifted)) / scale:.{decimals}f}".rstrip("0").rstrip(".")


def _add_time(element: Element, extent: str, call: Call) -> None:
    """What is asked for without a time is as it is now (OGC 06-042, annex C)."""
    if call.version == "1.1.1":
        child(element, "Dimension", name="time", units="ISO8601")
        child(element, "Extent", extent, name="time", default="current", nearestValue="1")
    else:
        flags = {"multipleValues": "1", "nearestValue": "1", "current": "1"}
        child(element, "Dimension", extent, name="time", units="ISO8601", default="current", **flags)


def _add_elevation(element: Element, call: Call) -> None:
    """The terrain from a height up; metres above the city's vertical datum, which the abstract of /city names."""
    units = {"name": "elevation", "units": "metre", "unitSymbol": "m"}
    if call.version == "1.1.1":
        child(element, "Dimension", **units)
        child(element, "Extent", ELEVATION_EXTENT, name="elevation", default=f"{LOWEST:g}", nearestValue="1")
    else:
        child(element, "Dimension", ELEVATION_EXTENT, **units, default=f"{LOWEST:g}", nearestValue="1")


def _add_documents(element: Element, layer: Layer, call: Call) -> None:
    """The collection of the same objects: its description as metadata, its objects as data."""
    address = f"{call.met.base}/collections/{layer.id}"
    if call.version == "1.3.0":
        # No ISO 19115 record: the type says by which standard the document is to be read.
        for kind, form in ((JSON, "json"), (HTML, "html")):
            metadata = child(element, "MetadataURL", type="OGC-API-Features")
            child(metadata, "Format", kind)
            link(metadata, f"{address}?f={form}")
    data = child(element, "DataURL")
    child(data, "Format", JSON)
    link(data, f"{address}/items?f=json" if not layer.is_raster else f"{address}?f=json")


def _add_legend(style: Element, layer: Layer, mode: str, in_use: InUse, call: Call) -> None:
    width, height = call.served.maps.legend_size(layer, call.catalog, mode, in_use=in_use[layer.id])
    legend = child(style, "LegendURL", width=width, height=height)
    child(legend, "Format", "image/png")
    request = f"SERVICE=WMS&VERSION={call.version}&REQUEST=GetLegendGraphic&SLD_VERSION=1.1.0"
    link(legend, f"{call.address}{request}&LAYER={layer.id}&STYLE={mode}&FORMAT=image/png")


def _add_scales(element: Element, widest: float, call: Call) -> None:
    """The layer is only drawn at larger scales than this."""
    if call.version == "1.3.0":
        child(element, "MaxScaleDenominator", f"{widest:.0f}")
    else:
        # The diagonal of a pixel on the ground, metres (OGC 01-068r3, 7.1.4.5.8).
        child(element, "ScaleHint", min="0", max=f"{math.sqrt(2) * PIXEL_M * widest:.3f}")
