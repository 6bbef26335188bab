"""The words of a filter: its operators in SQL, what kind a value is, and how a fault in a filter is told."""

import json
import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Float,
    Integer,
    Numeric,
    String,
    and_,
    func,
    literal,
    literal_column,
    or_,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.types import BigInteger

from layers.filters import FilterError

Sql = ColumnElement[Any]
Condition = ColumnElement[bool]
Binary = Callable[[Sql, Sql], Sql]


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
    """text, boolean, number, time, geometry, array or object."""
    if isinstance(value.type, ARRAY):
        return "array"
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
# Arrays are sets: order and repetition do not count (OGC 21-065r2, table 10).
ARRAYS: dict[str, Callable[[Sql, Sql], Condition]] = {
    "a_equals": lambda a, b: and_(a.op("@>", is_comparison=True)(b), a.op("<@", is_comparison=True)(b)),
    "a_contains": lambda a, b: a.op("@>", is_comparison=True)(b),
    "a_containedby": lambda a, b: a.op("<@", is_comparison=True)(b),
    "a_overlaps": lambda a, b: a.op("&&", is_comparison=True)(b),
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
