"""The looks that a style layer gives to objects at a zoom: a tree that tells classes of objects apart.

Each leaf is how a class looks, in constants; Mapnik's rules, SLD and legends are all written from that tree.
"""

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from layers.expressions import OTHER, Expression, NoValue, Place, Source, StyleError
from layers.style_properties import LAYOUT, PAINT, Property, fits, is_number, kind_name

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


class Subject(Protocol):
    """A style layer, as far as its looks go."""

    @property
    def id(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def filter(self) -> Expression | None: ...
    @property
    def properties(self) -> Mapping[str, Expression]: ...


def grow(layer: Subject, zoom: float, geometry: str) -> Tree:
    """What a style layer draws at a zoom of objects of that type of geometry (a theme's). Raises StyleError."""
    if layer.type not in DRAWS:
        return _leaf(layer, Place(zoom, {}))
    drawn = tuple(kind for kind in KINDS_OF[geometry] if kind in DRAWS[layer.type])
    if layer.properties.get("symbol-placement") and _constant(layer, "symbol-placement", zoom) == "line":
        drawn = tuple(kind for kind in drawn if kind != "Point")
    axes = _axes(layer, KINDS_OF[geometry], drawn)
    count = math.prod(len(classes) for _, classes in axes)
    if count > MOST_CLASSES:
        raise StyleError(f"{layer.id}: tells {count} classes of objects apart; {MOST_CLASSES} are drawn at most")

    def below(index: int, values: dict[Source, Any]) -> Tree:
        if index == len(axes):
            return _leaf(layer, Place(zoom, values))
        source, classes = axes[index]
        alike: dict[Tree, list[Any]] = {}
        for each in classes:
            tree = below(index + 1, values | {source: _example(each)})
            alike.setdefault(tree, []).append(each)
        if len(alike) == 1 and (source != GEOMETRY or set(drawn) == set(KINDS_OF[geometry])):
            return next(iter(alike))
        if list(alike) == [None]:
            return None
        return Branch(source, tuple((_together(classes), tree) for tree, classes in alike.items()))

    return below(0, {}) if drawn else None


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


def _constant(layer: Subject, name: str, zoom: float) -> Any:
    return layer.properties[name].at(Place(zoom, {}))


def _axes(layer: Subject, kinds: tuple[str, ...], drawn: tuple[str, ...]) -> list[tuple[Source, list[Any]]]:
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
            points = numbers[source] | {float(v) for v in names.get(source, ()) if is_number(v)}
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


def _leaf(layer: Subject, place: Place) -> Leaf | None:
    if layer.filter is not None:
        try:
            if layer.filter.at(place) is not True:
                return None
        except NoValue:
            return None
    known = LAYOUT[layer.type] | PAINT[layer.type]
    return Leaf(tuple((name, _look(layer, name, known[name], place)) for name in known))


def _look(layer: Subject, name: str, known: Property, place: Place) -> Any:
    expression = layer.properties.get(name)
    if expression is None:
        return known.default
    try:
        value = expression.at(place)
    except NoValue:
        return known.default
    if not fits(value, known.kind):
        raise StyleError(f"{layer.id}.{name}: at zoom {place.zoom:g} {value!r} is no {kind_name(known.kind)}")
    return tuple(value) if isinstance(value, list) else value


def _is_of(value: Any, classes: Classes) -> bool:
    spans = [each for each in classes if isinstance(each, Span)]
    if spans or None in classes:
        return None in classes if value is None else any(_holds(span, value) for span in spans)
    return (OTHER if value is None else value) in classes


def _holds(span: Span, value: float) -> bool:
    above = value > span.low or (span.with_low and value == span.low)
    return above and (value < span.high or (span.with_high and value == span.high))
