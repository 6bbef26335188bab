"""From a filter's tree to SQL: every value bound, every property from a white list, every type known."""

from collections.abc import Callable, Mapping
from typing import Any, cast
from zoneinfo import ZoneInfo

import shapely
from sqlalchemy import (
    ARRAY,
    Boolean,
    DateTime,
    Float,
    FromClause,
    LargeBinary,
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
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.types import TypeEngine

from cim_models.base import INTERNAL
from cim_models.theme import Attribute
from layers.filter_functions import FUNCTIONS, Function
from layers.filter_shapes import box, check_measurable, is_shape, parsed
from layers.filter_terms import (
    ARITHMETIC,
    ARRAYS,
    COMPARISONS,
    SPATIAL,
    TEMPORAL,
    TEXT_FUNCTIONS,
    Condition,
    Sql,
    exactly,
    kind,
    number,
    operation,
    shown,
    whole,
)
from layers.filters import Filter, FilterError
from layers.view import DatetimeError, Interval, parse_interval

MAX_MEMBERS = 1_000
MOMENT = DateTime(timezone=True)
GEOMETRY_NAMES = ("geom", "geometry")
ELEMENTS: dict[str, TypeEngine[Any]] = {"text": String(), "number": Float(), "boolean": Boolean(), "time": MOMENT}
BEFORE_ALL, AFTER_ALL = (
    literal_column("'-infinity'::timestamptz", MOMENT),
    literal_column("'infinity'::timestamptz", MOMENT),
)

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
        if operator in ARRAYS:
            return ARRAYS[operator](*self.arrays(*exactly(2, operator, arguments)))
        if operator in FUNCTIONS and FUNCTIONS[operator].returns == "boolean":
            return cast(Condition, self.computed(FUNCTIONS[operator], arguments))
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
        if operator in FUNCTIONS:
            return self.computed(FUNCTIONS[operator], arguments)
        raise FilterError(f"filter: {operator} is not supported as a value")

    def computed(self, function: Function, arguments: list[Any]) -> Sql:
        given = exactly(len(function.arguments), function.name, arguments)
        read: dict[str, Callable[[Any], Sql]] = {
            "geometry": self.measurable,
            "text": lambda node: self.text(node, function.name),
            "number": lambda node: self.number(node, function.name),
            "time": lambda node: self.span(node)[0],
        }
        return function.build(
            *(read[wanted](node) for node, (_, wanted) in zip(given, function.arguments, strict=True))
        )

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

    def text(self, node: Any, operator: str) -> Sql:
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

    # --- arrays

    def arrays(self, left: Any, right: Any) -> tuple[Sql, Sql]:
        """Both sides of a comparison of arrays. Raises FilterError for arrays of unlike values."""
        sides = self.array(left), self.array(right)
        # An empty list is one of whatever the other side holds.
        element = next((cast(ARRAY[Any], side.type).item_type for side in sides if side is not None), String())
        one, two = (sql_cast(array([]), ARRAY(element)) if side is None else side for side in sides)
        if {type(cast(ARRAY[Any], side.type).item_type) for side in (one, two)} != {type(element)}:
            raise FilterError(f"filter: {shown(left)} and {shown(right)} hold unlike values")
        return one, two

    def array(self, node: Any) -> Sql | None:
        """An array, None for an empty list, whose values may be of any kind."""
        # The grammar cannot tell the array (height) from a number in brackets: a value counts as an array of one.
        if not isinstance(node, list):
            value = self.value(node)
            if kind(value) == "array":
                return value
        members = [self.value(member) for member in (node if isinstance(node, list) else [node])]
        if len(members) > MAX_MEMBERS:
            raise FilterError(f"filter: an array has at most {MAX_MEMBERS} values")
        kinds = {kind(member) for member in members}
        if len(kinds) > 1 or not kinds <= ELEMENTS.keys():
            raise FilterError(f"filter: {shown(node)}: an array holds values of one kind")
        element = ELEMENTS[kinds.pop()] if kinds else None
        return None if element is None else array([sql_cast(member, element) for member in members], type_=element)

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

    def measurable(self, node: Any) -> Sql:
        """A geometry that is measured on the ellipsoid."""
        if is_shape(node) or (isinstance(node, dict) and "bbox" in node):
            check_measurable(node)
        return self.geometry(node)

    def geometry(self, node: Any) -> Sql:
        if isinstance(node, dict) and "property" in node:
            column = self.property(node)
            if node["property"] not in GEOMETRY_NAMES:
                raise FilterError(f"filter: {node['property']} is no geometry; the geometry is called geom")
            return column
        if isinstance(node, dict) and "bbox" in node:
            shape = box(node["bbox"])
        elif is_shape(node):
            shape = parsed(node)
        else:
            raise FilterError(f"filter: {shown(node)} is no geometry")
        ewkb = shapely.to_wkb(shapely.set_srid(shape, self.srid), include_srid=True)
        return func.geometry(literal(ewkb, LargeBinary))


PREDICATES: dict[str, Callable[[_Visitor, list[Any]], Condition]] = {
    "isnull": _Visitor.is_null,
    "between": _Visitor.between,
    "in": _Visitor.is_in,
    "like": _Visitor.like,
}
