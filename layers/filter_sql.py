"""From a filter's tree to SQL: every value bound, every property from a white list, every type known."""

import json
import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

import shapely
from sqlalchemy import (
    Boolean,
    ColumnElement,
    DateTime,
    Float,
    FromClause,
    Integer,
    LargeBinary,
    Numeric,
    String,
    and_,
    case,
    false,
    func,
    literal,
    literal_column,
    not_,
    or_,
    true,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.types import BigInteger

from cim_models.base import INTERNAL
from cim_models.theme import Attribute
from layers.filters import Filter, FilterError
from layers.view import DatetimeError, Interval, parse_interval

MAX_MEMBERS = 1_000
MOMENT = DateTime(timezone=True)
GEOMETRY_NAMES = ("geom", "geometry")
BEFORE_ALL, AFTER_ALL = (
    literal_column("'-infinity'::timestamptz", MOMENT),
    literal_column("'infinity'::timestamptz", MOMENT),
)

Sql = ColumnElement[Any]
Condition = ColumnElement[bool]
Columns = Mapping[str, Sql]


def filterable(table: FromClause, attributes: tuple[Attribute, ...]) -> dict[str, Sql]:
    """The names a filter may use on a table of city objects, and what they mean in SQL."""
    columns: dict[str, Sql] = dict.fromkeys(("id", "object_id"), table.c.object_id)
    columns |= {attribute.name: stored(table, attribute) for attribute in attributes}
    columns |= {name: table.c[name] for name in ("valid_from", "valid_to")}
    return columns | dict.fromkeys(GEOMETRY_NAMES, table.c.geom)


def stored(table: FromClause, attribute: Attribute) -> Sql:
    """The value of an attribute: its column, or what the source gave under that name, null if of another type."""
    if attribute.name in table.c and attribute.name not in INTERNAL:
        return cast(Sql, table.c[attribute.name])
    value = table.c.attributes[attribute.name]
    if attribute.type == "text":
        return cast(Sql, value.astext)
    kind, target = ("boolean", Boolean()) if attribute.type == "boolean" else ("number", Float())
    return case((func.jsonb_typeof(value) == literal_column(f"'{kind}'"), sql_cast(value, target)))


def filter_expression(wanted: Filter, columns: Columns, srid: int, zone: ZoneInfo) -> Condition:
    """SQL condition of a filter on `columns`.

    srid: of the geometry column; geometries in the filter are longitude, latitude (CRS84). zone: in which a bare date
    is a day. Raises FilterError for an unknown property, operator, or a comparison of unlike types.
    """
    return _Visitor(columns, srid, zone).condition(wanted.tree)


class _Visitor:
    """Walks a CQL2-JSON tree; conditions and values are kept apart, so that nothing untyped reaches SQL."""

    def __init__(self, columns: Columns, srid: int, zone: ZoneInfo) -> None:
        self.columns = columns
        self.srid = srid
        self.zone = zone

    # --- conditions

    def condition(self, node: Any) -> Condition:
        if isinstance(node, bool):
            return true() if node else false()
        if not isinstance(node, dict):
            raise FilterError(f"filter: {shown(node)} is no condition")
        if "property" in node:
            column = self.property(node)
            if kind(column) != "boolean":
                raise FilterError(f"filter: {shown(node['property'])} is no condition; compare it, e.g. height > 10")
            return column
        operator, arguments = operation(node)
        if operator in ("and", "or"):
            parts = [self.condition(argument) for argument in arguments]
            return and_(true(), *parts) if operator == "and" else or_(false(), *parts)
        if operator == "not":
            (inner,) = exactly(1, operator, arguments)
            return not_(self.condition(inner))
        if operator in COMPARISONS:
            left, right = self.alike(*exactly(2, operator, arguments))
            return COMPARISONS[operator](left, right)
        if operator in PREDICATES:
            return PREDICATES[operator](self, arguments)
        if operator in SPATIAL:
            one, two = (self.geometry(argument) for argument in exactly(2, operator, arguments))
            return cast(Condition, getattr(func, SPATIAL[operator])(one, two, type_=Boolean()))
        if operator in TEMPORAL:
            (a_start, a_end), (b_start, b_end) = (self.span(argument) for argument in exactly(2, operator, arguments))
            return TEMPORAL[operator](a_start, a_end, b_start, b_end)
        raise FilterError(f"filter: {operator} is not supported")

    def is_null(self, arguments: list[Any]) -> Condition:
        (subject,) = exactly(1, "isNull", arguments)
        return self.value(subject).is_(None)

    def between(self, arguments: list[Any]) -> Condition:
        subject, low, high = exactly(3, "between", arguments)
        value, lower = self.alike(subject, low)
        return value.between(lower, self.alike(subject, high)[1])

    def is_in(self, arguments: list[Any]) -> Condition:
        subject, members = exactly(2, "in", arguments)
        if not isinstance(members, list) or len(members) > MAX_MEMBERS:
            raise FilterError(f"filter: in takes a list of at most {MAX_MEMBERS} values")
        pairs = [self.alike(subject, member) for member in members]
        return pairs[0][0].in_([member for _, member in pairs]) if pairs else false()

    def like(self, arguments: list[Any]) -> Condition:
        subject, pattern = exactly(2, "like", arguments)
        if isinstance(pattern, str) and (len(pattern) - len(pattern.rstrip("\\"))) % 2:
            raise FilterError("filter: a pattern cannot end with a single backslash")
        return self.text(subject, "like").like(self.text(pattern, "like"))

    # --- values

    def value(self, node: Any) -> Sql:
        if isinstance(node, bool):
            return literal(node)
        if isinstance(node, str):
            if "\0" in node:
                raise FilterError("filter: holds a NUL character")
            return literal(node)
        if isinstance(node, int | float):
            return literal(number(node), Float)
        if not isinstance(node, dict):
            raise FilterError(f"filter: {shown(node)} is no value")
        if "property" in node:
            return self.property(node)
        if "timestamp" in node or "date" in node:
            return literal(self.moments(node).start, MOMENT)
        operator, arguments = operation(node)
        if operator in TEXT_FUNCTIONS:
            (inner,) = exactly(1, operator, arguments)
            return TEXT_FUNCTIONS[operator](self.text(inner, operator))
        if operator in ARITHMETIC:
            one, two = (self.number(argument, operator) for argument in exactly(2, operator, arguments))
            return ARITHMETIC[operator](one, two)
        raise FilterError(f"filter: {operator} is not supported as a value")

    def property(self, node: Mapping[str, Any]) -> Sql:
        name = node["property"]
        if not isinstance(name, str) or name not in self.columns:
            raise FilterError(f"filter: no property {shown(name)}; there are {', '.join(sorted(self.columns))}")
        return self.columns[name]

    def alike(self, left: Any, right: Any) -> tuple[Sql, Sql]:
        """Both sides of a comparison. Raises FilterError for sides of unlike types."""
        one, two = self.value(left), self.value(right)
        kinds = {kind(one), kind(two)}
        if kinds == {"time", "text"}:
            # A moment written as plain text, as some clients send it.
            one, two = (
                literal(self.moments({"timestamp": node}).start, MOMENT) if isinstance(node, str) else side
                for node, side in ((left, one), (right, two))
            )
            kinds = {kind(one), kind(two)}
        if len(kinds) != 1 or kinds & {"geometry", "object"}:
            among = " with ".join(sorted(kinds))
            raise FilterError(f"filter: {shown(left)} and {shown(right)} cannot be compared ({among})")
        return whole(one, left, two), whole(two, right, one)

    def text(self, node: Any, operator: str) -> ColumnElement[str]:
        value = self.value(node)
        if kind(value) != "text":
            raise FilterError(f"filter: {operator} needs text, not {shown(node)}")
        return value

    def number(self, node: Any, operator: str) -> Sql:
        value = self.value(node)
        if kind(value) != "number":
            raise FilterError(f"filter: {operator} needs numbers, not {shown(node)}")
        # CQL2 divides as in arithmetic; PostgreSQL would drop the remainder of whole numbers.
        return value if isinstance(value.type, Float) else sql_cast(value, Float)

    # --- time

    def span(self, node: Any) -> tuple[Sql, Sql]:
        """Start and end of a time; a date is that whole day, a moment starts and ends at once."""
        if isinstance(node, dict) and "interval" in node:
            ends = node["interval"]
            if not isinstance(ends, list) or len(ends) != 2:
                raise FilterError("filter: an interval has a start and an end")
            return self.end(ends[0], BEFORE_ALL, 0), self.end(ends[1], AFTER_ALL, 1)
        if isinstance(node, dict) and "property" in node:
            column = self.property(node)
            if kind(column) != "time":
                raise FilterError(f"filter: {shown(node['property'])} is no time")
            return column, column
        moments = self.moments(node if isinstance(node, dict) else {"timestamp": node})
        return literal(moments.start, MOMENT), literal(moments.end, MOMENT)

    def end(self, node: Any, unbounded: Sql, side: int) -> Sql:
        """One end of an interval; `..` and a null property are unbounded."""
        if node == "..":
            return unbounded
        if isinstance(node, dict) and "interval" in node:
            raise FilterError("filter: an interval has moments at its ends")
        return func.coalesce(self.span(node)[side], unbounded, type_=MOMENT)

    def moments(self, node: Mapping[str, Any]) -> Interval:
        text = node.get("timestamp", node.get("date"))
        if not isinstance(text, str) or "/" in text:
            raise FilterError(f"filter: {shown(node)} is no RFC 3339 moment or date")
        try:
            return parse_interval(text, self.zone)
        except DatetimeError as error:
            raise FilterError(f"filter: {error}") from None

    # --- place

    def geometry(self, node: Any) -> Sql:
        if isinstance(node, dict) and "property" in node:
            column = self.property(node)
            if node["property"] not in GEOMETRY_NAMES:
                raise FilterError(f"filter: {node['property']} is no geometry; the geometry is called geom")
            return column
        if isinstance(node, dict) and "bbox" in node:
            shape = box(node["bbox"])
        elif isinstance(node, dict) and "type" in node and ("coordinates" in node or "geometries" in node):
            shape = parsed(node)
        else:
            raise FilterError(f"filter: {shown(node)} is no geometry")
        ewkb = shapely.to_wkb(shapely.set_srid(shape, self.srid), include_srid=True)
        return func.geometry(literal(ewkb, LargeBinary))


def operation(node: Mapping[str, Any]) -> tuple[str, list[Any]]:
    operator, arguments = node.get("op"), node.get("args", [])
    if not isinstance(operator, str) or not isinstance(arguments, list):
        raise FilterError(f"filter: {shown(node)} is not supported")
    return operator.lower(), arguments


def exactly(count: int, operator: str, arguments: list[Any]) -> list[Any]:
    if len(arguments) != count:
        raise FilterError(f"filter: {operator} takes {count} argument{'s' if count > 1 else ''}")
    return arguments


def kind(value: Sql) -> str:
    """text, boolean, number, time, geometry or object."""
    try:
        python = value.type.python_type
    except NotImplementedError:
        return "geometry"
    return {str: "text", bool: "boolean", int: "number", float: "number", datetime: "time"}.get(python, "object")


def number(value: float) -> float:
    try:
        found = float(value)
    except OverflowError:
        found = math.inf
    if not math.isfinite(found):
        raise FilterError("filter: a number is out of range")
    return found


def whole(side: Sql, node: Any, other: Sql) -> Sql:
    """A whole number as one where the other side is a column of them, so that its index serves."""
    is_number = isinstance(node, int | float) and not isinstance(node, bool)
    if is_number and isinstance(other.type, Integer) and abs(node) < 2**53 and float(node).is_integer():
        return literal(int(node), BigInteger)
    return side


def box(corners: Any) -> shapely.Geometry:
    """A box of CQL2; west > east crosses the antimeridian. Heights are passed over."""
    if (
        not isinstance(corners, list)
        or len(corners) not in (4, 6)
        or not all(isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v) for v in corners)
    ):
        raise FilterError("filter: bbox takes west, south, east, north")
    west, south, east, north = corners if len(corners) == 4 else (*corners[:2], *corners[3:5])
    if south > north:
        raise FilterError("filter: bbox takes west, south, east, north; here south lies over north")
    if west > east:
        return shapely.MultiPolygon([shapely.box(west, south, 180, north), shapely.box(-180, south, east, north)])
    return shapely.box(west, south, east, north)


def parsed(node: Mapping[str, Any]) -> shapely.Geometry:
    """A GeoJSON geometry, flat and valid: PostGIS would fail on another in the middle of the query."""
    try:
        shape = shapely.force_2d(shapely.from_geojson(json.dumps(node)))
    except (shapely.errors.GEOSException, ValueError):
        raise FilterError(f"filter: {shown(node)} is no geometry") from None
    if not shapely.is_valid(shape):
        raise FilterError(f"filter: {shown(node)} is not valid: {shapely.is_valid_reason(shape)}")
    return shape


def shown(node: Any) -> str:
    text = node if isinstance(node, str) else json.dumps(node, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "..."


def without_accents(value: Sql) -> Sql:
    # Letters fall apart into base and marks; the marks of U+0300 to U+036F go.
    apart = func.normalize(value, literal_column("NFD"), type_=String())
    return func.regexp_replace(
        apart, literal_column("'[\u0300-\u036f]'"), literal_column("''"), literal_column("'g'"), type_=String()
    )


def remainder(one: Sql, two: Sql) -> Sql:
    # PostgreSQL has the remainder of exact numbers only.
    exact = func.mod(sql_cast(one, Numeric), sql_cast(func.nullif(two, 0), Numeric))
    return sql_cast(exact, Float)


Binary = Callable[[Sql, Sql], Sql]
PREDICATES: dict[str, Callable[[_Visitor, list[Any]], Condition]] = {
    "isnull": _Visitor.is_null,
    "between": _Visitor.between,
    "in": _Visitor.is_in,
    "like": _Visitor.like,
}
COMPARISONS: dict[str, Binary] = {
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
}
TEXT_FUNCTIONS: dict[str, Callable[[Sql], Sql]] = {
    "casei": lambda value: func.lower(value, type_=String()),
    "accenti": without_accents,
}
# A division by nought is unknown, not an error of the whole request.
ARITHMETIC: dict[str, Binary] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: sql_cast(a / func.nullif(b, 0, type_=Float()), Float),
    "%": remainder,
    "div": lambda a, b: func.trunc(a / func.nullif(b, 0, type_=Float()), type_=Float()),
    "^": lambda a, b: func.power(a, b, type_=Float()),
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
# Allen's relations on (start, end) of both sides (OGC 21-065r2, table 9).
Allen = Callable[[Any, Any, Any, Any], Condition]
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
