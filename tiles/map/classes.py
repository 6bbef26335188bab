"""The classes of a style as SQL: which of a style layer's looks an object has, told by a number."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Boolean, ColumnElement, Integer, and_, case, func, literal, literal_column, null, or_
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import Float, String

from layers.expressions import OTHER, Source
from layers.filter_terms import kind
from layers.looks import GEOMETRY, Branch, Leaf, Span, Tree, leaves

Column = ColumnElement[Any]
# From so many names on a dictionary is quicker than one comparison after the other.
MANY = 24
# The dimension of each kind of geometry.
DIMENSIONS = {"Point": 0, "LineString": 1, "Polygon": 2}


@dataclass(frozen=True)
class Columns:
    """What styles may read of an object. property: its column by name, None if the layer does not show it."""

    property: Callable[[str], Column | None]
    geometry: Column

    def of(self, source: Source) -> Column:
        """SQL of what a style reads, null for what the layer does not show."""
        if source.kind == "get":
            found = self.property(source.parts[0])
            return null() if found is None else found
        if source.kind == "has":
            return self.of(Source("get", source.parts)).is_not(None)
        if source.kind == "geometry-type":
            return func.ST_Dimension(self.geometry, type_=Integer())
        if source.kind == "literal":
            return literal(source.parts[0])
        parts = [self.of(part) for part in source.parts]
        if source.kind == "coalesce":
            return func.coalesce(*parts, type_=parts[0].type)
        # To MapLibre what is absent adds nothing to a text.
        return func.concat(*parts, type_=String())

    def text(self, source: Source) -> Column:
        """SQL of what a label says."""
        return sql_cast(self.of(source), String)


def looks_of(tree: Tree) -> list[Leaf]:
    """The different looks of a style layer; an object's number counts in this list."""
    return list(dict.fromkeys(leaf for _, leaf in leaves(tree)))


def class_number(tree: Tree, columns: Columns) -> Column:
    """SQL of the number of an object's look, null if it is not drawn."""
    numbers = {leaf: number for number, leaf in enumerate(looks_of(tree))}
    return _number(tree, numbers, columns)


def by_class(values: list[float], number: Column) -> Column:
    """SQL of a value that each look has, by its number."""
    return case(*((number == _constant(i), literal_column(repr(float(v)))) for i, v in enumerate(values)))


def _number(tree: Tree, numbers: dict[Leaf, int], columns: Columns) -> Column:
    if tree is None:
        return null()
    if isinstance(tree, Leaf):
        return _constant(numbers[tree])
    return _told_apart(tree, numbers, columns)


def _told_apart(branch: Branch, numbers: dict[Leaf, int], columns: Columns) -> Column:
    value = columns.of(branch.source)
    otherwise: Column = null()
    results: list[tuple[tuple[Any, ...], Column]] = []
    for classes, below in branch.by:
        result = _number(below, numbers, columns)
        # Together the classes are all there can be: what is none of the others needs no condition.
        if OTHER in classes or None in classes:
            otherwise = result
        else:
            results.append((classes, result))
    if not results:
        return otherwise
    if branch.source == GEOMETRY:
        return case(*((value.in_(_dimensions(kinds)), result) for kinds, result in results), else_=otherwise)
    if any(isinstance(each, Span) for classes, _ in results for each in classes):
        whens = [(or_(*(_within(value, span) for span in spans)), result) for spans, result in results]
        return case(*whens, else_=otherwise)
    return _by_name(value, results, otherwise)


def _by_name(value: Column, results: list[tuple[tuple[Any, ...], Column]], otherwise: Column) -> Column:
    """What follows from a name, which is read once however many there are."""
    places = {key: place for place, (keys, _) in enumerate(results) for key in _of_kind(value, keys)}
    if not places:
        return otherwise
    place: Column
    if len(places) > MANY and kind(value) == "text":
        # A sorted dictionary finds one of hundreds of land use codes in a few steps.
        table = literal(orjson.dumps(places).decode(), String)
        place = sql_cast(sql_cast(table, JSONB)[value].astext, Integer)
    else:
        place = case({key: _constant(number) for key, number in places.items()}, value=value)
    return case({number: result for number, (_, result) in enumerate(results)}, value=place, else_=otherwise)


def _dimensions(kinds: tuple[str, ...]) -> list[Column]:
    return [_constant(DIMENSIONS[each]) for each in kinds]


def _within(value: Column, span: Span) -> ColumnElement[bool]:
    if kind(value) != "number":
        return literal_column("false", Boolean())
    limits: list[ColumnElement[bool]] = [value.is_not(None)]
    if math.isfinite(span.low):
        limits.append(value >= literal(span.low, Float) if span.with_low else value > literal(span.low, Float))
    if math.isfinite(span.high):
        limits.append(value <= literal(span.high, Float) if span.with_high else value < literal(span.high, Float))
    return and_(*limits)


def _of_kind(value: Column, keys: tuple[Any, ...]) -> list[Any]:
    """Those of the keys that a value of its type can be; what is of another type is none of them."""
    of_kind: dict[str, list[Any]] = {
        "text": [key for key in keys if isinstance(key, str)],
        "number": [float(key) for key in keys if isinstance(key, int | float)],
        "boolean": [key[1] for key in keys if isinstance(key, tuple)],
    }
    return of_kind.get(kind(value), [])


def _constant(number: int) -> Column:
    return literal_column(str(number), Integer())
