"""Styles as SLD, for desktop programs: Symbology Encoding in SLD 1.1 (OGC 05-077r4, 05-078r4), or SLD 1.0 (02-070).

SLD knows no zoom, so what changes with it is written once for each whole zoom, as rules for the scales around it. A
scale's denominator is the one of WebMercatorQuad, at the equator with pixels of 0.28 mm.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

from layers.catalog import Catalog, Layer, Title
from layers.colors import format_color, parse_color
from layers.drawing import StyleLayer, read_styles
from layers.expressions import OTHER, Source, StyleError
from layers.looks import GEOMETRY, KINDS_OF, Branch, Leaf, Span, Tree
from layers.style import FONT, MODES, Mode

Version = Literal["1.1.0", "1.0.0"]
VERSIONS: tuple[Version, ...] = ("1.1.0", "1.0.0")
SLD, SE, OGC = "http://www.opengis.net/sld", "http://www.opengis.net/se", "http://www.opengis.net/ogc"
MODE_TITLES = {"day": Title("日间", "Day"), "night": Title("夜间", "Night")}
FIRST_ZOOM, LAST_ZOOM = 0, 22
# Denominator at zoom 0 of tiles with 512 pixels a side (OGC 17-083r4, annex D, a zoom earlier).
WORLD_SCALE = 2 * math.pi * 6_378_137 / 512 / 0.00028
# What a style is for where a layer has several kinds of geometry (OGC 05-077r4, 8).
GENERIC = {"Polygon": "generic:polygon", "LineString": "generic:line", "Point": "generic:point"}
# What a condition is on the way to a look, as a piece of a filter; None where it needs none.
Condition = Element | None


@dataclass(frozen=True)
class Band:
    """What a style layer draws between two scales; a denominator of None is without limit."""

    least: float | None
    most: float | None
    tree: Tree


def sld(layers: Sequence[Layer], catalog: Catalog, version: Version = "1.1.0", modes: Sequence[Mode] = MODES) -> bytes:
    """An SLD document of layers, in each mode a style; the first is the default.

    Raises StyleError for a style that depends on what SLD cannot ask.
    """
    return _Writer(version).document(layers, catalog, modes)


def bands(style: StyleLayer, geometry: str) -> Iterator[Band]:
    """The scales between which a style layer draws alike, from the largest zoom to the smallest."""
    zooms = [zoom for zoom in range(FIRST_ZOOM, LAST_ZOOM + 1) if style.visible and _shows(style, zoom)]
    trees = [(zoom, style.tree(_inner(style, zoom), geometry)) for zoom in zooms]
    while trees:
        last, tree = trees.pop()
        first = last
        while trees and trees[-1] == (first - 1, tree):
            first = trees.pop()[0]
        if tree is not None:
            least = None if last == LAST_ZOOM else WORLD_SCALE / 2 ** min(last + 1, style.max_zoom)
            most = None if first == FIRST_ZOOM else WORLD_SCALE / 2 ** max(first, style.min_zoom)
            yield Band(least, most, tree)


def _kinds(style: StyleLayer, geometry: str) -> list[str]:
    """The kinds of geometry that a style layer draws, of those of its theme."""
    drawn: dict[str, None] = {}
    for band in bands(style, geometry):
        on_way = band.tree if isinstance(band.tree, Branch) and band.tree.source == GEOMETRY else None
        told = [kind for kinds, below in on_way.by if below is not None for kind in kinds] if on_way else []
        drawn |= dict.fromkeys(told or KINDS_OF[geometry])
    return list(drawn)


def _shows(style: StyleLayer, zoom: int) -> bool:
    return style.min_zoom < zoom + 1 and style.max_zoom > zoom


def _inner(style: StyleLayer, zoom: int) -> float:
    """A zoom in the middle of what is drawn between two whole ones."""
    return (max(zoom, style.min_zoom) + min(zoom + 1, style.max_zoom)) / 2


class _Writer:
    """Writes one version: 1.1 has its symbols in a namespace of their own, 1.0 names parameters otherwise."""

    def __init__(self, version: Version) -> None:
        self._version = version
        self._is_new = version == "1.1.0"
        self._space = SE if self._is_new else SLD
        self._parameter = "SvgParameter" if self._is_new else "CssParameter"

    def document(self, layers: Sequence[Layer], catalog: Catalog, modes: Sequence[Mode]) -> bytes:
        for prefix, space in (("sld", SLD), ("se", SE), ("ogc", OGC)):
            register_namespace(prefix, space)
        root = Element(f"{{{SLD}}}StyledLayerDescriptor", version=self._version)
        for layer in layers:
            named = SubElement(root, f"{{{SLD}}}NamedLayer")
            self._add(named, "Name", layer.id)
            for mode in modes:
                self._style(named, layer, catalog, mode, is_default=mode == modes[0])
        return bytes(tostring(root, "utf-8", xml_declaration=True))

    def _style(self, named: Element, layer: Layer, catalog: Catalog, mode: Mode, *, is_default: bool) -> None:
        style = SubElement(named, f"{{{SLD}}}UserStyle")
        self._add(style, "Name", mode)
        title = MODE_TITLES[mode]
        self._title(style, f"{layer.title.zh} {title.zh} / {layer.title.en}, {title.en.lower()}")
        SubElement(style, f"{{{SLD}}}IsDefault").text = "1" if is_default else "0"
        for part in read_styles(layer, mode, catalog):
            if part.type not in SYMBOLS or part.of is not None:
                continue
            rules = self._add(style, "FeatureTypeStyle")
            self._add(rules, "Name", part.id)
            for kind in _kinds(part, layer.theme.geometry):
                self._add(rules, "SemanticTypeIdentifier", GENERIC[kind])
            before = len(rules)
            for band in bands(part, layer.theme.geometry):
                for conditions, look in self._ways(band.tree):
                    rule = self._rule(rules, f"{part.id}-{len(rules)}", conditions, band)
                    SYMBOLS[part.type](self, rule, part, look.values)
            if len(rules) == before:
                style.remove(rules)

    def _rule(self, rules: Element, name: str, conditions: list[Element], band: Band) -> Element:
        rule = self._add(rules, "Rule")
        self._add(rule, "Name", name)
        if conditions:
            rule.append(_filter(conditions))
        for limit, scale in (("Min", band.least), ("Max", band.most)):
            if scale is not None:
                self._add(rule, f"{limit}ScaleDenominator", f"{scale:.0f}")
        return rule

    # --- conditions

    def _ways(self, tree: Tree) -> Iterator[tuple[list[Element], Leaf]]:
        if isinstance(tree, Leaf):
            yield [], tree
        elif isinstance(tree, Branch):
            named = [key for classes, _ in tree.by for key in classes if key != OTHER]
            for classes, below in tree.by:
                condition = _condition(tree.source, classes, named)
                for conditions, leaf in self._ways(below):
                    yield ([condition, *conditions] if condition is not None else conditions), leaf

    # --- symbols

    def _polygon(self, rule: Element, part: StyleLayer, look: Mapping[str, Any]) -> None:
        prefix = part.type
        symbol = self._add(rule, "PolygonSymbolizer")
        opacity = look[f"{prefix}-opacity"]
        self._paint(self._add(symbol, "Fill"), "fill", look[f"{prefix}-color"], opacity)
        outline = look.get("fill-outline-color")
        if outline is not None:
            stroke = self._add(symbol, "Stroke")
            self._paint(stroke, "stroke", outline, opacity)
            self._set(stroke, "stroke-width", 1)

    def _line(self, rule: Element, part: StyleLayer, look: Mapping[str, Any]) -> None:
        del part
        symbol = self._add(rule, "LineSymbolizer")
        stroke = self._add(symbol, "Stroke")
        self._paint(stroke, "stroke", look["line-color"], look["line-opacity"])
        self._set(stroke, "stroke-width", look["line-width"])
        self._set(stroke, "stroke-linejoin", look["line-join"].replace("miter", "mitre"))
        self._set(stroke, "stroke-linecap", look["line-cap"])
        if look["line-dasharray"]:
            dashes = " ".join(f"{dash * look['line-width']:.4g}" for dash in look["line-dasharray"])
            self._set(stroke, "stroke-dasharray", dashes)
        if look["line-offset"] and self._is_new:
            # To the left of the line's direction there, to the right in MapLibre.
            self._add(symbol, "PerpendicularOffset", f"{-look['line-offset']:.4g}")

    def _circle(self, rule: Element, part: StyleLayer, look: Mapping[str, Any]) -> None:
        del part
        graphic = self._add(self._add(rule, "PointSymbolizer"), "Graphic")
        mark = self._add(graphic, "Mark")
        self._add(mark, "WellKnownName", "circle")
        self._paint(self._add(mark, "Fill"), "fill", look["circle-color"], look["circle-opacity"])
        if look["circle-stroke-width"] > 0:
            stroke = self._add(mark, "Stroke")
            self._paint(stroke, "stroke", look["circle-stroke-color"], look["circle-stroke-opacity"])
            self._set(stroke, "stroke-width", look["circle-stroke-width"])
        self._add(graphic, "Size", f"{2 * look['circle-radius'] + look['circle-stroke-width']:.4g}")

    def _label(self, rule: Element, part: StyleLayer, look: Mapping[str, Any]) -> None:
        assert part.text is not None
        symbol = self._add(rule, "TextSymbolizer")
        SubElement(self._add(symbol, "Label"), f"{{{OGC}}}PropertyName").text = _first_property(part.text)
        font = self._add(symbol, "Font")
        self._set(font, "font-family", FONT[0])
        self._set(font, "font-size", look["text-size"])
        self._placement(self._add(symbol, "LabelPlacement"), look)
        if look["text-halo-width"] > 0:
            halo = self._add(symbol, "Halo")
            self._add(halo, "Radius", f"{look['text-halo-width']:.4g}")
            self._paint(self._add(halo, "Fill"), "fill", look["text-halo-color"], look["text-opacity"])
        self._paint(self._add(symbol, "Fill"), "fill", look["text-color"], look["text-opacity"])

    def _placement(self, placement: Element, look: Mapping[str, Any]) -> None:
        if look["symbol-placement"] == "line":
            line = self._add(placement, "LinePlacement")
            if self._is_new:
                self._add(line, "IsRepeated", "true")
                self._add(line, "Gap", f"{look['symbol-spacing']:.4g}")
            return
        point = self._add(placement, "PointPlacement")
        anchor = self._add(point, "AnchorPoint")
        sides = look["text-anchor"].split("-")
        self._add(anchor, "AnchorPointX", "0" if "left" in sides else "1" if "right" in sides else "0.5")
        self._add(anchor, "AnchorPointY", "1" if "top" in sides else "0" if "bottom" in sides else "0.5")
        across, down = look["text-offset"]
        if across or down:
            away = self._add(point, "Displacement")
            self._add(away, "DisplacementX", f"{across * look['text-size']:.4g}")
            self._add(away, "DisplacementY", f"{-down * look['text-size']:.4g}")

    # --- elements

    def _add(self, above: Element, name: str, text: str | None = None) -> Element:
        added = SubElement(above, f"{{{self._space}}}{name}")
        added.text = text
        return added

    def _title(self, above: Element, text: str) -> None:
        self._add(self._add(above, "Description") if self._is_new else above, "Title", text)

    def _set(self, above: Element, name: str, value: object) -> None:
        self._add(above, self._parameter, f"{value:.4g}" if isinstance(value, float) else str(value)).set("name", name)

    def _paint(self, above: Element, name: str, color: str, opacity: float) -> None:
        red, green, blue, alpha = parse_color(color)
        self._set(above, name, format_color((red, green, blue, 1.0)))
        self._set(above, f"{name}-opacity", float(alpha * opacity))


SYMBOLS = {
    "fill": _Writer._polygon,
    "fill-extrusion": _Writer._polygon,
    "line": _Writer._line,
    "circle": _Writer._circle,
    "symbol": _Writer._label,
}


def _filter(conditions: list[Element]) -> Element:
    wanted = Element(f"{{{OGC}}}Filter")
    wanted.append(conditions[0] if len(conditions) == 1 else _joined("And", conditions))
    return wanted


def _joined(operator: str, parts: Sequence[Element]) -> Element:
    if len(parts) == 1 and operator != "Not":
        return parts[0]
    joined = Element(f"{{{OGC}}}{operator}")
    joined.extend(parts)
    return joined


def _condition(source: Source, classes: tuple[Any, ...], named: Sequence[Any]) -> Condition:
    """What an object of the classes fulfils; of which geometry it is, the symbol says."""
    if source == GEOMETRY:
        return None
    if source.kind == "has":
        absent = _absent(source.parts[0])
        return absent if OTHER in classes else _joined("Not", [absent])
    if OTHER in classes:
        others = [_is_named(source, key) for key in named if key not in classes]
        return _joined("Not", [_joined("Or", others)]) if others else None
    parts = [
        _within(source, each) if isinstance(each, Span) else _absent(_property(source)) if each is None else None
        for each in classes
    ]
    found = [part if part is not None else _is_named(source, key) for part, key in zip(parts, classes, strict=True)]
    return _joined("Or", found)


def _within(source: Source, span: Span) -> Element:
    limits = []
    for limit, operator, inclusive in ((span.low, "Greater", span.with_low), (span.high, "Less", span.with_high)):
        if math.isfinite(limit):
            limits.append(
                _compared(f"PropertyIs{operator}Than{'OrEqualTo' * inclusive}", _property(source), f"{limit:g}")
            )
    return _joined("And", limits) if limits else _joined("Not", [_absent(_property(source))])


def _is_named(source: Source, key: Any) -> Element:
    if source.kind == "concat":
        return _joined("And", [_compared("PropertyIsEqualTo", name, text) for name, text in _split(source, key)])
    text = str(key[1]).lower() if isinstance(key, tuple) else str(key)
    return _compared("PropertyIsEqualTo", _property(source), text)


def _split(source: Source, key: str) -> Iterator[tuple[str, str]]:
    """A text put together from two properties with a sign between them, taken apart."""
    if [part.kind for part in source.parts] != ["get", "literal", "get"]:
        raise StyleError(f"{source.parts}: SLD asks for texts of two properties with a sign between them at most")
    first, sign, second = (part.parts[0] for part in source.parts)
    before, _, after = key.partition(sign)
    yield first, before
    yield second, after


def _property(source: Source) -> str:
    if source.kind != "get":
        raise StyleError(f"{source.kind}: SLD asks for properties alone")
    return str(source.parts[0])


def _first_property(text: Source) -> str:
    """What a label says first of all; SLD has no second choice."""
    if text.kind == "get":
        return str(text.parts[0])
    found = next((part for part in text.parts if isinstance(part, Source) and part.properties()), None)
    if found is None:
        raise StyleError("text-field: SLD labels objects by a property")
    return _first_property(found)


def _absent(name: str) -> Element:
    absent = Element(f"{{{OGC}}}PropertyIsNull")
    SubElement(absent, f"{{{OGC}}}PropertyName").text = name
    return absent


def _compared(operator: str, name: str, value: str) -> Element:
    compared = Element(f"{{{OGC}}}{operator}")
    SubElement(compared, f"{{{OGC}}}PropertyName").text = name
    SubElement(compared, f"{{{OGC}}}Literal").text = value
    return compared
