"""What a style draws at a zoom: for each style layer the classes of objects that look alike, and how they look.

A style layer is read once; at a zoom its expressions fall apart into a tree of classes whose leaves are constants.
Mapnik's rules, SLD and legends are all written from that tree.
"""

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from layers.expressions import (
    OTHER,
    Expression,
    NoValue,
    Place,
    Source,
    StyleError,
    is_color,
    read,
    read_source,
)

# More combinations of properties' values are no map that anyone reads.
MOST_CLASSES = 20_000
GEOMETRY = Source("geometry-type", ())
KINDS_OF = {
    "Point": ("Point",),
    "LineString": ("LineString",),
    "MultiPolygon": ("Polygon",),
    "Geometry": ("Polygon", "LineString", "Point"),
}
# What a style layer draws of an object's geometry; of symbols on a line, lines.
DRAWS = {
    "fill": ("Polygon",),
    "fill-extrusion": ("Polygon",),
    "line": ("Polygon", "LineString"),
    "circle": ("Point",),
    "symbol": ("Polygon", "LineString", "Point"),
}


@dataclass(frozen=True)
class Property:
    """A property of a style layer.

    kind: color, number (not negative), share (0 to 1), offset, numbers, pair, flag, height (of which a flat map shows
    nothing), or the names it takes. by_object: whether it may depend on the object.
    """

    kind: str | tuple[str, ...]
    default: Any = None
    by_object: bool = True


SORT_KEY = Property("offset", 0.0)
PAINT: dict[str, dict[str, Property]] = {
    "fill": {
        "fill-color": Property("color", "#000000"),
        "fill-opacity": Property("share", 1.0),
        "fill-outline-color": Property("color"),
        "fill-antialias": Property("flag", True, by_object=False),
    },
    "line": {
        "line-color": Property("color", "#000000"),
        "line-opacity": Property("share", 1.0),
        "line-width": Property("number", 1.0),
        "line-dasharray": Property("numbers", by_object=False),
        "line-offset": Property("offset", 0.0),
    },
    "circle": {
        "circle-color": Property("color", "#000000"),
        "circle-opacity": Property("share", 1.0),
        "circle-radius": Property("number", 5.0),
        "circle-stroke-color": Property("color", "#000000"),
        "circle-stroke-opacity": Property("share", 1.0),
        "circle-stroke-width": Property("number", 0.0),
        "circle-pitch-alignment": Property(("map", "viewport"), "viewport", by_object=False),
    },
    "symbol": {
        "text-color": Property("color", "#000000"),
        "text-opacity": Property("share", 1.0),
        "text-halo-color": Property("color", "#00000000"),
        "text-halo-width": Property("number", 0.0),
    },
    "fill-extrusion": {
        "fill-extrusion-color": Property("color", "#000000"),
        "fill-extrusion-opacity": Property("share", 1.0, by_object=False),
        "fill-extrusion-height": Property("height", 0.0),
        "fill-extrusion-base": Property("height", 0.0),
        "fill-extrusion-vertical-gradient": Property("flag", True, by_object=False),
    },
    "hillshade": {
        "hillshade-exaggeration": Property("share", 0.5, by_object=False),
        "hillshade-shadow-color": Property("color", "#000000", by_object=False),
        "hillshade-highlight-color": Property("color", "#ffffff", by_object=False),
        "hillshade-accent-color": Property("color", "#000000", by_object=False),
        "hillshade-illumination-direction": Property("offset", 335.0, by_object=False),
        "hillshade-illumination-anchor": Property(("map", "viewport"), "viewport", by_object=False),
        "hillshade-method": Property(("igor",), "igor", by_object=False),
    },
}
ANCHORS = ("center", "left", "right", "top", "bottom", "top-left", "top-right", "bottom-left", "bottom-right")
LAYOUT: dict[str, dict[str, Property]] = {
    "fill": {"fill-sort-key": SORT_KEY},
    "line": {
        "line-cap": Property(("butt", "round", "square"), "butt", by_object=False),
        "line-join": Property(("miter", "round", "bevel"), "miter", by_object=False),
        "line-sort-key": SORT_KEY,
    },
    "circle": {"circle-sort-key": SORT_KEY},
    "symbol": {
        "symbol-placement": Property(("point", "line"), "point", by_object=False),
        "symbol-spacing": Property("number", 250.0, by_object=False),
        "symbol-sort-key": SORT_KEY,
        "text-size": Property("number", 16.0),
        "text-letter-spacing": Property("offset", 0.0),
        "text-max-width": Property("number", 10.0),
        "text-max-angle": Property("number", 45.0, by_object=False),
        "text-padding": Property("number", 2.0, by_object=False),
        "text-anchor": Property(ANCHORS, "center"),
        "text-offset": Property("pair", (0.0, 0.0), by_object=False),
        "text-optional": Property("flag", False, by_object=False),
        "text-allow-overlap": Property("flag", False, by_object=False),
        "text-transform": Property(("none", "uppercase", "lowercase"), "none"),
    },
    "fill-extrusion": {},
    "hillshade": {},
}
# Common to all; text-font is the same in every layer, and text-field is read for itself.
PARTS = {"id", "type", "slot", "of", "minzoom", "maxzoom", "filter", "layout", "paint"}


@dataclass(frozen=True)
class Leaf:
    """How a class of objects looks: its properties by name."""

    looks: tuple[tuple[str, Any], ...]

    @cached_property
    def values(self) -> dict[str, Any]:
        return dict(self.looks)


@dataclass(frozen=True)
class Span:
    """Numbers from `low` to `high`; infinite where it has no end."""

    low: float
    high: float
    with_low: bool
    with_high: bool


# Classes of one axis that look alike: keys of names and OTHER, or spans of numbers and None.
Classes = tuple[Any, ...]


@dataclass(frozen=True)
class Branch:
    """Objects told apart on an axis. by: classes and what becomes of them; None are not drawn."""

    source: Source
    by: tuple[tuple[Classes, "Tree"], ...]


Tree = Leaf | Branch | None


@dataclass(frozen=True)
class StyleLayer:
    """One style layer, read. text: what a label says. slot: ground, relief, ..., None for what its type has."""

    id: str
    type: str
    slot: str | None
    of: str | None
    min_zoom: float
    max_zoom: float
    visible: bool
    filter: Expression | None
    properties: Mapping[str, Expression]
    text: Source | None

    def shows_at(self, zoom: float) -> bool:
        return self.visible and self.min_zoom <= zoom < self.max_zoom

    def tree(self, zoom: float, geometry: str) -> Tree:
        """What it draws at a zoom of objects of that type of geometry (a theme's)."""
        return _tree(self, zoom, geometry)


def read_style_layer(part: Mapping[str, Any], path: str) -> StyleLayer:
    """Read a style layer whose "@" names are resolved. Raises StyleError with the path of the fault."""
    if not isinstance(part, Mapping):
        raise StyleError(f"{path}: a style layer is an object with type and paint")
    kind = part.get("type")
    if kind not in PAINT:
        raise StyleError(f"{path}.type: {kind!r} is not drawn; there are {', '.join(PAINT)}")
    if unknown := set(part) - PARTS:
        raise StyleError(f"{path}.{min(unknown)}: no such part; a style layer has {', '.join(sorted(PARTS))}")
    layout = dict(_object(part, "layout", path))
    visible = layout.pop("visibility", "visible")
    if visible not in ("visible", "none"):
        raise StyleError(f"{path}.layout.visibility: {visible!r} is neither visible nor none")
    layout.pop("text-font", None)
    text = layout.pop("text-field", None) if kind == "symbol" else None
    if kind == "symbol" and text is None:
        raise StyleError(f"{path}.layout.text-field: missing; a symbol is a text")
    properties = _properties(layout, LAYOUT[kind], f"{path}.layout")
    properties |= _properties(_object(part, "paint", path), PAINT[kind], f"{path}.paint")
    return StyleLayer(
        id=str(part.get("id", kind)),
        type=kind,
        slot=part.get("slot"),
        of=part.get("of"),
        min_zoom=_zoom(part, "minzoom", 0.0, path),
        max_zoom=_zoom(part, "maxzoom", 24.0, path),
        visible=visible == "visible",
        filter=read(part["filter"], f"{path}.filter") if "filter" in part else None,
        properties=properties,
        text=read_source(text, f"{path}.layout.text-field") if text is not None else None,
    )


def _object(part: Mapping[str, Any], name: str, path: str) -> Mapping[str, Any]:
    found = part.get(name, {})
    if not isinstance(found, Mapping):
        raise StyleError(f"{path}.{name}: {found!r} is no object")
    return found


def _zoom(part: Mapping[str, Any], name: str, default: float, path: str) -> float:
    found = part.get(name, default)
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found <= 24:
        raise StyleError(f"{path}.{name}: {found!r} is no zoom from 0 to 24")
    return float(found)


def _properties(given: Mapping[str, Any], known: Mapping[str, Property], path: str) -> dict[str, Expression]:
    found = {}
    for name, value in given.items():
        if name not in known:
            raise StyleError(f"{path}.{name}: is not drawn; there are {', '.join(sorted(known)) or 'none'}")
        found[name] = expression = read(value, f"{path}.{name}")
        if _zooms_within(value):
            raise StyleError(f"{path}.{name}: zoom stands only in the outermost step or interpolate")
        if expression.as_it_is and known[name].kind != "height":
            raise StyleError(f"{path}.{name}: is a property as it is; tell values apart by match, step or interpolate")
        if expression.axes and not known[name].by_object:
            raise StyleError(f"{path}.{name}: depends on the object; it is drawn by zoom alone")
        if expression.is_constant and not isinstance(value, list) and not _fits(value, known[name].kind):
            raise StyleError(f"{path}.{name}: {value!r} is no {_kind_name(known[name].kind)}")
    return found


def _zooms_within(value: Any) -> bool:
    """Whether an expression of a property looks at the zoom elsewhere than MapLibre lets it."""
    if not isinstance(value, list):
        return False
    place = {"step": 1, "interpolate": 2}.get(value[0]) if value and isinstance(value[0], str) else None
    return any(
        (part == ["zoom"] and index != place) or (part != ["zoom"] and _has_zoom(part))
        for index, part in enumerate(value)
    )


def _has_zoom(value: Any) -> bool:
    return isinstance(value, list) and (value == ["zoom"] or any(map(_has_zoom, value)))


def _kind_name(kind: str | tuple[str, ...]) -> str:
    return kind if isinstance(kind, str) else "one of " + ", ".join(kind)


def _fits(value: Any, kind: str | tuple[str, ...]) -> bool:
    if isinstance(kind, tuple):
        return value in kind
    if kind == "color":
        return is_color(value)
    if kind == "flag":
        return isinstance(value, bool)
    if kind in ("numbers", "pair"):
        return isinstance(value, list) and all(map(_is_number, value)) and (kind == "numbers" or len(value) == 2)
    if not _is_number(value):
        return False
    return kind == "offset" or (0 <= value <= 1 if kind == "share" else value >= 0)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


# --- the tree of a zoom


def _tree(layer: StyleLayer, zoom: float, geometry: str) -> Tree:
    if layer.type not in DRAWS:
        return _leaf(layer, Place(zoom, {}))
    drawn = tuple(kind for kind in KINDS_OF[geometry] if kind in DRAWS[layer.type])
    if layer.properties.get("symbol-placement") and _constant(layer, "symbol-placement", zoom) == "line":
        drawn = tuple(kind for kind in drawn if kind != "Point")
    axes = _axes(layer, KINDS_OF[geometry], drawn)
    count = math.prod(len(classes) for _, classes in axes)
    if count > MOST_CLASSES:
        raise StyleError(f"{layer.id}: tells {count} classes of objects apart; {MOST_CLASSES} are drawn at most")

    def grow(index: int, values: dict[Source, Any]) -> Tree:
        if index == len(axes):
            return _leaf(layer, Place(zoom, values))
        source, classes = axes[index]
        alike: dict[Tree, list[Any]] = {}
        for each in classes:
            tree = grow(index + 1, values | {source: _example(each)})
            alike.setdefault(tree, []).append(each)
        if len(alike) == 1 and (source != GEOMETRY or set(drawn) == set(KINDS_OF[geometry])):
            return next(iter(alike))
        if list(alike) == [None]:
            return None
        return Branch(source, tuple((_together(classes), tree) for tree, classes in alike.items()))

    return grow(0, {}) if drawn else None


def _constant(layer: StyleLayer, name: str, zoom: float) -> Any:
    return layer.properties[name].at(Place(zoom, {}))


def _axes(layer: StyleLayer, kinds: tuple[str, ...], drawn: tuple[str, ...]) -> list[tuple[Source, list[Any]]]:
    """What the style layer depends on, and into which classes each axis falls; the axis of fewest classes first."""
    names: dict[Source, dict[Any, None]] = {}
    numbers: dict[Source, set[float]] = {}
    for expression in (*layer.properties.values(), *([layer.filter] if layer.filter else [])):
        for source, kind, values in expression.axes:
            if kind == "name":
                names.setdefault(source, {}).update(dict.fromkeys(values))
            else:
                numbers.setdefault(source, set()).update(values)
    found: list[tuple[Source, list[Any]]] = []
    for source in dict.fromkeys([*names, *numbers]):
        if source == GEOMETRY:
            continue
        if source in numbers:
            points = numbers[source] | {float(v) for v in names.get(source, ()) if _is_number(v)}
            found.append((source, [*_spans(sorted(points)), None]))
        else:
            found.append((source, [*names[source], OTHER]))
    found.sort(key=lambda axis: len(axis[1]))
    if GEOMETRY in names or set(drawn) != set(kinds):
        found.insert(0, (GEOMETRY, list(drawn)))
    return found


def _spans(points: list[float]) -> list[Span]:
    """Each point by itself, and what lies between two."""
    if not points:
        return [Span(-math.inf, math.inf, False, False)]
    ends = [-math.inf, *points, math.inf]
    between = [Span(low, high, False, False) for low, high in itertools.pairwise(ends)]
    single = [Span(point, point, True, True) for point in points]
    return [span for pair in itertools.zip_longest(between, single) for span in pair if span is not None]


def _example(each: Any) -> Any:
    """A value of a class."""
    if not isinstance(each, Span):
        return each
    if math.isinf(each.low):
        return 0.0 if math.isinf(each.high) else each.high - 1
    return each.low + 1 if math.isinf(each.high) else (each.low + each.high) / 2


def _together(classes: list[Any]) -> Classes:
    """Classes of one axis that look alike, neighbouring spans as one."""
    joined: list[Any] = []
    for each in classes:
        last: Any = joined[-1] if joined else None
        are_spans = isinstance(each, Span) and isinstance(last, Span)
        if are_spans and last.high == each.low and (last.with_high or each.with_low):
            joined[-1] = Span(last.low, each.high, last.with_low, each.with_high)
        else:
            joined.append(each)
    return tuple(joined)


def _leaf(layer: StyleLayer, place: Place) -> Leaf | None:
    if layer.filter is not None:
        try:
            if layer.filter.at(place) is not True:
                return None
        except NoValue:
            return None
    known = LAYOUT[layer.type] | PAINT[layer.type]
    return Leaf(tuple((name, _look(layer, name, known[name], place)) for name in known))


def _look(layer: StyleLayer, name: str, known: Property, place: Place) -> Any:
    expression = layer.properties.get(name)
    if expression is None:
        return known.default
    try:
        value = expression.at(place)
    except NoValue:
        return known.default
    if not _fits(value, known.kind):
        raise StyleError(f"{layer.id}.{name}: at zoom {place.zoom:g} {value!r} is no {_kind_name(known.kind)}")
    return tuple(value) if isinstance(value, list) else value


def leaves(tree: Tree) -> Iterator[tuple[tuple[tuple[Source, Classes], ...], Leaf]]:
    """The leaves of a tree, each with the conditions on the way to it."""
    if isinstance(tree, Leaf):
        yield (), tree
    elif tree is not None:
        for classes, below in tree.by:
            for way, leaf in leaves(below):
                yield ((tree.source, classes), *way), leaf


def look_of(tree: Tree, values: Mapping[Source, Any]) -> Leaf | None:
    """How an object looks of which some values are known; what is not known is absent."""
    while isinstance(tree, Branch):
        value = values.get(tree.source)
        tree = next((below for classes, below in tree.by if _is_of(value, classes)), None)
    return tree


def _is_of(value: Any, classes: Classes) -> bool:
    spans = [each for each in classes if isinstance(each, Span)]
    if spans or None in classes:
        return None in classes if value is None else any(_holds(span, value) for span in spans)
    return (OTHER if value is None else value) in classes


def _holds(span: Span, value: float) -> bool:
    above = value > span.low or (span.with_low and value == span.low)
    return above and (value < span.high or (span.with_high and value == span.high))
