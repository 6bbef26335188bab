"""What a map shows: LAYERS, STYLES, filters, and the moment, plan and height that are looked at."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from api.ows.fault import INVALID, Fault
from api.wms.call import Call
from api.wms.dimensions import Height, Moment, nearest_warning, take_elevation, take_time, take_view
from api.wms.names import is_one_group, layers_of, listed
from layers.catalog import Layer
from layers.coverage import state_at
from layers.crs import CRS84
from layers.ecql import parse_ecql, split_filters
from layers.fes import parse_fes
from layers.fields import fields_of
from layers.filters import Filter, FilterError
from layers.srs_name import official_name
from layers.style import MODES, Mode
from tiles.map import MapLayer

# Between filters that stand in brackets each.
BETWEEN = re.compile(r"\)\s*\((?=\s*(?:<|\)|\Z))")
DPI = re.compile(r"dpi:([0-9.]+)", re.IGNORECASE)
# A style's pixel is that of a web page, 96 to the inch, which is what QGIS says of a usual screen.
USUAL_DPI = 96.0
TERRAIN = "terrain"


@dataclass(frozen=True)
class Content:
    """layers: the undermost first. stacked: drawn in just that order. warnings: of dimensions taken otherwise."""

    names: tuple[str, ...]
    layers: tuple[MapLayer, ...]
    stacked: bool
    elevation: float | None
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Chosen:
    """One name of the LAYERS list with what the other lists say of it."""

    layers: tuple[Layer, ...]
    style: Mode
    filter: Filter | None


def take_content(call: Call) -> Content:
    """Raises Fault, FilterError."""
    refuse_sld(call)
    names = listed(call.kvp.required("LAYERS"), "LAYERS")
    members = [layers_of(name, call.catalog, call.principal) for name in names]
    styles, filters = _styles(call, len(names)), _filters(call, members)
    chosen = [Chosen(*each) for each in zip(members, styles, filters, strict=True)]
    moment, height = take_time(call.kvp.get("TIME"), call.catalog.zone), _height(call, members)
    view = take_view(call.kvp, call.catalog, moment)
    return Content(
        names=tuple(names),
        layers=tuple(MapLayer(layer, each.style, view, each.filter) for each in chosen for layer in each.layers),
        stacked=not is_one_group(names),
        elevation=height.value,
        warnings=tuple(warning for warning in (*_of_time(moment, members), height.warning) if warning),
    )


def refuse_sld(call: Call) -> None:
    """Styles are the city's own. Raises Fault."""
    for name in ("SLD", "SLD_BODY", "SLD_URL"):
        if call.kvp.get(name) is not None:
            detail = f"{name}: maps are drawn in the styles that GetCapabilities lists; SLD from clients is not read"
            raise Fault("OperationNotSupported", detail, name)


def take_style(text: str | None, locator: str = "STYLES") -> Mode:
    """A style by its name, the default one for none. Raises Fault."""
    if text is None or text in ("", "default"):
        return MODES[0]
    found = next((mode for mode in MODES if mode == text), None)
    if found is None:
        raise Fault("StyleNotDefined", f"no style {text[:60]!r}; there are {', '.join(MODES)}", locator)
    return found


def take_scale_factor(call: Call) -> float:
    """By what symbols grow: from DPI, or how MapServer and GeoServer call it. Raises Fault."""
    options = DPI.search(call.kvp.get("FORMAT_OPTIONS") or "")
    text = call.kvp.first("DPI", "MAP_RESOLUTION") or (options and options[1])
    if not text:
        return 1.0
    try:
        dpi = float(text)
    except ValueError:
        dpi = float("nan")
    if not 24 <= dpi <= 1200:
        raise Fault(INVALID, f"DPI={text[:40]!r}: 24 to 1200 dots per inch are drawn", "DPI")
    return dpi / USUAL_DPI


def _styles(call: Call, count: int) -> list[Mode]:
    """One for each layer; an empty list, and empty places in it, mean the default (OGC 06-042, 7.3.3.4)."""
    names = [name.strip() for name in (call.kvp.get("STYLES") or "").split(",")]
    if len(names) == 1:
        names *= count
    if len(names) != count:
        raise Fault("StyleNotDefined", f"STYLES: {len(names)} styles for {count} layers; one for each", "STYLES")
    return [take_style(name) for name in names]


def _filters(call: Call, members: Sequence[Sequence[Layer]]) -> list[Filter | None]:
    """CQL_FILTER or FILTER as GeoServer's users know them, one for each layer. Raises Fault, FilterError, XmlError."""
    in_text, in_xml = call.kvp.get("CQL_FILTER"), call.kvp.get("FILTER")
    if in_text is not None and in_xml is not None:
        raise Fault(INVALID, "FILTER and CQL_FILTER exclude each other", "FILTER")
    if in_xml is not None:
        return _in_xml(in_xml, members)
    return _in_text(in_text, len(members))


def _in_text(source: str | None, count: int) -> list[Filter | None]:
    """Filters in CQL2 or ECQL with semicolons between them. Raises FilterError."""
    if source is None:
        return [None] * count
    texts = [text.strip() for text in split_filters(source)]
    if len(texts) > count and not texts[-1]:
        texts.pop()
    if len(texts) != count:
        raise FilterError(f"CQL_FILTER: {len(texts)} filters for {count} layers; one for each, with ; between them")
    return [parse_ecql(text) if text else None for text in texts]


def _in_xml(source: str, members: Sequence[Sequence[Layer]]) -> list[Filter | None]:
    """Filter elements, each in brackets where there are several; what names no CRS is longitude, latitude."""
    texts = BETWEEN.split(source.strip()[1:-1]) if source.lstrip().startswith("(") else [source]
    if len(texts) != len(members):
        raise Fault(INVALID, f"FILTER: {len(texts)} filters for {len(members)} layers; one for each", "FILTER")
    found: list[Filter | None] = []
    for text, layers in zip(texts, members, strict=True):
        if text.strip() and len(layers) != 1:
            raise Fault(INVALID, "FILTER: a filter in XML is of one layer, not of a theme", "FILTER")
        found.append(parse_fes(text.encode(), fields_of(layers[0]), official_name(CRS84)) if text.strip() else None)
    return found


def _of_time(moment: Moment, members: Sequence[Sequence[Layer]]) -> list[str | None]:
    """What is told of the moments that are shown: a raster of several states shows the nearest."""
    layers = [layer for group in members for layer in group]
    stepped = {layer.times for layer in layers if layer.is_raster and layer.times}
    now = datetime.now(UTC)
    shown = [times[state_at(times, moment.valid, now)] for times in sorted(stepped)]
    found = [nearest_warning(moment, each) for each in dict.fromkeys(shown)]
    is_all = all(layer.is_raster and layer.times for layer in layers)
    return found if is_all else [moment.warning, *found]


def _height(call: Call, members: Sequence[Sequence[Layer]]) -> Height:
    """ELEVATION is a dimension of the terrain alone, and passed over for other layers (annex C.3.1)."""
    if not any(layer.theme.table == TERRAIN for layers in members for layer in layers):
        return Height(None)
    return take_elevation(call.kvp.get("ELEVATION"))
