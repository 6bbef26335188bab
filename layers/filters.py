"""Filters: CQL2 text or JSON, parsed by the `cql2` library, turned into SQL with every value bound."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

import cql2
import shapely
from sqlalchemy import (
    ColumnElement,
    DateTime,
    FromClause,
    LargeBinary,
    String,
    and_,
    cast,
    false,
    func,
    literal,
    literal_column,
    not_,
    or_,
    true,
)

from cim_models.base import COLUMN_TYPES
from cim_models.theme import Attribute
from layers import LayerError

MAX_LENGTH = 16_384
# The parser recurses and ends the process at a few hundred levels; nobody writes fifty by hand.
MAX_DEPTH = 48
Columns = Mapping[str, ColumnElement[Any]]
Language = Literal["cql2-text", "cql2-json"]


class FilterError(LayerError):
    """A filter that cannot be read, or that names what the layer has not."""


@dataclass(frozen=True)
class Filter:
    """A CQL2 expression as its JSON tree."""

    tree: Mapping[str, Any]


def all_of(*filters: Filter | None) -> Filter | None:
    """What fulfils every filter given; None if none is."""
    trees = [each.tree for each in filters if each is not None]
    if len(trees) < 2:
        return Filter(trees[0]) if trees else None
    return Filter({"op": "and", "args": trees})


def property_equals(attribute: Attribute, text: str) -> Filter:
    """The filter that `?name=text` means, the text read as the property's type. Raises FilterError."""
    value: str | float | bool = text
    try:
        if attribute.type == "boolean":
            value = {"true": True, "false": False}[text.lower()]
        elif attribute.type != "text":
            value = float(text)
    except (KeyError, ValueError):
        raise FilterError(f"{attribute.name}={text[:60]!r}: the property is {attribute.type}") from None
    return Filter({"op": "=", "args": [{"property": attribute.name}, value]})


def parse_filter(source: str, language: Language = "cql2-text") -> Filter:
    """Read a CQL2 filter (OGC 21-065r2). Raises FilterError with the place of the fault."""
    if len(source) > MAX_LENGTH:
        raise FilterError(f"filter: {len(source)} characters; at most {MAX_LENGTH} are read")
    try:
        if language == "cql2-json":
            tree = json.loads(source)
            _check_depth(tree)
            tree = cql2.parse_json(json.dumps(tree)).to_json()
        else:
            if _nesting(source) > MAX_DEPTH:
                raise FilterError(f"filter: nested deeper than {MAX_DEPTH} levels; simplify it")
            tree = cql2.parse_text(source).to_json()
    except (cql2.ParseError, cql2.ValidationError, json.JSONDecodeError, RecursionError, ValueError) as error:
        raise FilterError(f"filter: not valid {language}: {error}") from None
    _check_depth(tree)
    if not isinstance(tree, dict):
        raise FilterError("filter: must be a condition, e.g. height > 10")
    return Filter(tree)


def _nesting(source: str) -> int:
    """An upper bound of how deep the parser may recurse: brackets open at once, and prefixes that stack."""
    depth = deepest = 0
    for character in source:
        depth += (character in "([") - (character in ")]")
        deepest = max(deepest, depth)
    return deepest + source.lower().count("not") + source.count("--") + source.count("- -")


def _check_depth(tree: Any) -> None:
    level, depth = [tree], 0
    while level:
        depth += 1
        if depth > 4 * MAX_DEPTH:
            raise FilterError(f"filter: nested deeper than {MAX_DEPTH} levels; simplify it")
        level = [
            child
            for node in level
            if isinstance(node, dict | list)
            for child in (node.values() if isinstance(node, dict) else node)
        ]


def filterable(table: FromClause, attributes: tuple[Attribute, ...]) -> dict[str, ColumnElement[Any]]:
    """The names a filter may use on a table of city objects, and what they mean in SQL."""
    columns: dict[str, ColumnElement[Any]] = {"id": table.c.object_id, "object_id": table.c.object_id}
    for attribute in attributes:
        if attribute.name in table.c:
            columns[attribute.name] = table.c[attribute.name]
        else:
            stored = table.c.attributes[attribute.name].astext
            columns[attribute.name] = cast(stored, COLUMN_TYPES[attribute.type]) if attribute.type != "text" else stored
    for name in ("valid_from", "valid_to"):
        columns[name] = table.c[name]
    return columns | {"geom": table.c.geom, "geometry": table.c.geom}


def filter_expression(wanted: Filter, columns: Columns, srid: int) -> ColumnElement[bool]:
    """SQL condition of a filter on `columns`; geometries in the filter are longitude, latitude (CRS84).

    Raises FilterError for an unknown property, operator, or a comparison of unlike types.
    """
    return _Visitor(columns, srid).condition(wanted.tree)


class _Visitor:
    """Walks a CQL2-JSON tree; conditions and values are kept apart, so that nothing untyped reaches SQL."""

    def __init__(self, columns: Columns, srid: int) -> None:
        self.columns = columns
        self.srid = srid

    def condition(self, node: Any) -> ColumnElement[bool]:
        if isinstance(node, bool):
            return true() if node else false()
        if isinstance(node, dict) and "property" in node:
            column = self._property(node)
            if column.type.python_type is not bool:
                raise FilterError(
                    f"filter: {node['property']} is no condition; compare it, e.g. {node['property']} = 1"
                )
            return column
        if not isinstance(node, dict) or "op" not in node:
            raise FilterError(f"filter: {_shown(node)} is no condition")
        operator, arguments = str(node["op"]).lower(), node.get("args", [])
        if not isinstance(arguments, list):
            raise FilterError(f"filter: the arguments of {operator} must be a list")
        if operator in ("and", "or"):
            parts = [self.condition(argument) for argument in arguments]
            return and_(true(), *parts) if operator == "and" else or_(false(), *parts)
        if operator == "not":
            return not_(self.condition(_exactly(1, operator, arguments)[0]))
        if operator in COMPARISONS:
            left, right = self._alike(*_exactly(2, operator, arguments))
            return COMPARISONS[operator](left, right)
        if operator == "isnull":
            return self.value(_exactly(1, operator, arguments)[0]).is_(None)
        if operator == "between":
            middle, low, high = _exactly(3, operator, arguments)
            value, lower = self._alike(middle, low)
            return value.between(lower, self._alike(middle, high)[1])
        if operator == "in":
            subject, members = _exactly(2, operator, arguments)
            if not isinstance(members, list) or len(members) > 1000:
                raise FilterError("filter: in takes a list of at most 1000 values")
            pairs = [self._alike(subject, member) for member in members]
            return pairs[0][0].in_([right for _, right in pairs]) if pairs else false()
        if operator == "like":
            value, pattern = (self.value(a) for a in _exactly(2, operator, arguments))
            return _text(value, "like").like(_text(pattern, "like"))
        if operator in SPATIAL:
            return self._spatial(operator, _exactly(2, operator, arguments))
        if operator in TEMPORAL:
            return self._temporal(operator, _exactly(2, operator, arguments))
        raise FilterError(f"filter: {operator} is not supported")

    def value(self, node: Any) -> ColumnElement[Any]:
        if isinstance(node, dict):
            if "property" in node:
                return self._property(node)
            if "timestamp" in node or "date" in node:
                return literal(_moment(node), DateTime(timezone=True))
            operator, arguments = str(node.get("op", "")).lower(), node.get("args", [])
            if operator in ("casei", "accenti"):
                inner = _text(self.value(_exactly(1, operator, arguments)[0]), operator)
                return func.lower(inner) if operator == "casei" else func.normalize(inner, literal_column("NFC"))
            if operator in ARITHMETIC:
                left, right = (self.value(a) for a in _exactly(2, operator, arguments))
                for side in (left, right):
                    if side.type.python_type not in (int, float):
                        raise FilterError(f"filter: {operator} needs numbers")
                return ARITHMETIC[operator](left, right)
            raise FilterError(f"filter: {operator or _shown(node)} is not supported as a value")
        if isinstance(node, bool | str):
            return literal(node)
        if isinstance(node, int | float) and math.isfinite(node):
            return literal(float(node))
        raise FilterError(f"filter: {_shown(node)} is no value")

    def _property(self, node: Mapping[str, Any]) -> ColumnElement[Any]:
        name = node["property"]
        if name not in self.columns:
            raise FilterError(f"filter: no property {name!r}; there are {', '.join(sorted(self.columns))}")
        return self.columns[name]

    def _alike(self, left: Any, right: Any) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
        one, two = self.value(left), self.value(right)
        kinds = {_kind(one), _kind(two)}
        if kinds == {"time", "text"}:
            # A moment written as plain text, as ldproxy and QGIS send it.
            one, two = (
                literal(_moment({"timestamp": side}), DateTime(timezone=True)) if isinstance(side, str) else sql
                for side, sql in ((left, one), (right, two))
            )
        elif len(kinds) != 1:
            raise FilterError(
                f"filter: {_shown(left)} and {_shown(right)} cannot be compared ({' with '.join(sorted(kinds))})"
            )
        return one, two

    def _spatial(self, operator: str, arguments: list[Any]) -> ColumnElement[bool]:
        return getattr(func, SPATIAL[operator])(*(self._geometry(a) for a in arguments), type_=true().type)  # type: ignore[no-any-return]

    def _geometry(self, node: Any) -> ColumnElement[Any]:
        if isinstance(node, dict) and "property" in node:
            column = self._property(node)
            if node["property"] not in ("geom", "geometry"):
                raise FilterError(f"filter: {node['property']} is no geometry; the geometry is called geom")
            return column
        if isinstance(node, dict) and "bbox" in node:
            box = node["bbox"]
            if len(box) != 4 or not all(isinstance(v, int | float) and math.isfinite(v) for v in box):
                raise FilterError("filter: bbox takes west, south, east, north")
            return func.ST_MakeEnvelope(*(literal(float(v)) for v in box), literal_column(str(self.srid)))
        if isinstance(node, dict) and "type" in node and ("coordinates" in node or "geometries" in node):
            try:
                geometry = shapely.from_geojson(json.dumps(node))
            except shapely.errors.GEOSException:
                raise FilterError(f"filter: {_shown(node)} is no geometry") from None
            ewkb = shapely.to_wkb(shapely.set_srid(geometry, self.srid), include_srid=True)
            return func.geometry(literal(ewkb, LargeBinary))
        raise FilterError(f"filter: {_shown(node)} is no geometry")

    def _temporal(self, operator: str, arguments: list[Any]) -> ColumnElement[bool]:
        (a_start, a_end), (b_start, b_end) = (self._span(a) for a in arguments)
        return TEMPORAL[operator](a_start, a_end, b_start, b_end)

    def _span(self, node: Any) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
        if isinstance(node, dict) and "interval" in node:
            ends = node["interval"]
            if not isinstance(ends, list) or len(ends) != 2:
                raise FilterError("filter: an interval has a start and an end")
            return self._end(ends[0], "-infinity"), self._end(ends[1], "infinity")
        value = self.value(node if isinstance(node, dict) else {"timestamp": node})
        if _kind(value) != "time":
            raise FilterError(f"filter: {_shown(node)} is no time")
        return value, value

    def _end(self, node: Any, unbounded: str) -> ColumnElement[Any]:
        if node == "..":
            return literal_column(f"'{unbounded}'::timestamptz", DateTime(timezone=True))
        return self._span(node)[0]


def _exactly(count: int, operator: str, arguments: Any) -> list[Any]:
    if not isinstance(arguments, list) or len(arguments) != count:
        raise FilterError(f"filter: {operator} takes {count} argument{'s' if count > 1 else ''}")
    return arguments


def _kind(value: ColumnElement[Any]) -> str:
    try:
        python = value.type.python_type
    except NotImplementedError:
        return "geometry"
    return {str: "text", bool: "boolean", int: "number", float: "number", datetime: "time"}.get(python, "object")


def _text(value: ColumnElement[Any], operator: str) -> ColumnElement[str]:
    if _kind(value) != "text":
        raise FilterError(f"filter: {operator} needs text")
    return cast(value, String) if not isinstance(value.type, String) else value


def _moment(node: Mapping[str, Any]) -> datetime:
    text = str(node.get("timestamp") or node.get("date"))
    try:
        if len(text) == 10:
            day = date.fromisoformat(text)
            return datetime.fromisoformat(f"{day.isoformat()}T00:00:00+00:00")
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise FilterError(f"filter: {text!r} is no RFC 3339 moment or date")
    return moment


def _shown(node: Any) -> str:
    text = node if isinstance(node, str) else json.dumps(node, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "..."


Binary = Callable[[ColumnElement[Any], ColumnElement[Any]], ColumnElement[Any]]
COMPARISONS: dict[str, Binary] = {
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
}
ARITHMETIC: dict[str, Binary] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    # A division by nought is unknown, not an error of the whole request.
    "/": lambda a, b: a / func.nullif(b, 0),
    "%": lambda a, b: a % func.nullif(b, 0),
    "div": lambda a, b: func.div(a, func.nullif(b, 0)),
    "^": func.power,
}
SPATIAL = {
    "s_intersects": "ST_Intersects",
    "s_contains": "ST_Contains",
    "s_within": "ST_Within",
    "s_disjoint": "ST_Disjoint",
    "s_equals": "ST_Equals",
    "s_touches": "ST_Touches",
    "s_crosses": "ST_Crosses",
    "s_overlaps": "ST_Overlaps",
}
# Allen's relations on (start, end) of both sides; a moment starts and ends at once (OGC 21-065r2, table 9).
Allen = Callable[[Any, Any, Any, Any], ColumnElement[bool]]
TEMPORAL: dict[str, Allen] = {
    "t_after": lambda a0, a1, b0, b1: a0 > b1,
    "t_before": lambda a0, a1, b0, b1: a1 < b0,
    "t_contains": lambda a0, a1, b0, b1: and_(a0 < b0, a1 > b1),
    "t_disjoint": lambda a0, a1, b0, b1: or_(a1 < b0, a0 > b1),
    "t_during": lambda a0, a1, b0, b1: and_(a0 > b0, a1 < b1),
    "t_equals": lambda a0, a1, b0, b1: and_(a0 == b0, a1 == b1),
    "t_finishedby": lambda a0, a1, b0, b1: and_(a0 < b0, a1 == b1),
    "t_finishes": lambda a0, a1, b0, b1: and_(a0 > b0, a1 == b1),
    "t_intersects": lambda a0, a1, b0, b1: and_(a0 <= b1, a1 >= b0),
    "t_meets": lambda a0, a1, b0, b1: a1 == b0,
    "t_metby": lambda a0, a1, b0, b1: a0 == b1,
    "t_overlappedby": lambda a0, a1, b0, b1: and_(a0 > b0, a0 < b1, a1 > b1),
    "t_overlaps": lambda a0, a1, b0, b1: and_(a0 < b0, a1 > b0, a1 < b1),
    "t_startedby": lambda a0, a1, b0, b1: and_(a0 == b0, a1 > b1),
    "t_starts": lambda a0, a1, b0, b1: and_(a0 == b0, a1 < b1),
}
