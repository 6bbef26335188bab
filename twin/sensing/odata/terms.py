"""What an expression is while it becomes SQL: a value with a type, and the ways from one type to another."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Literal

import shapely
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    DateTime,
    Double,
    Interval,
    Text,
    Time,
    and_,
    case,
    cast,
    func,
    literal,
    literal_column,
    null,
    or_,
)
from sqlalchemy.dialects.postgresql import JSONB

from cim_models.observation import SRID
from twin.sensing import BadQuery
from twin.sensing.odata.syntax import Constant

MOMENT = DateTime(timezone=True)
UTC_SQL: ColumnElement[str] = literal_column("'UTC'")
TRUE_JSON: ColumnElement[Any] = literal_column("'true'::jsonb")
TermType = Literal[
    "bool", "text", "number", "time", "interval", "date", "clock", "duration", "geometry", "json", "result", "null"
]


@dataclass(frozen=True)
class Term:
    """A value in SQL. end: of an interval, null in it for an instant. text, json: the other columns of a result."""

    type: TermType
    value: ColumnElement[Any]
    end: ColumnElement[Any] | None = None
    text: ColumnElement[Any] | None = None
    json: ColumnElement[Any] | None = None


def constant(given: Constant) -> Term:
    """A value of the query, bound. Raises BadQuery."""
    match given.value:
        case None:
            return Term("null", null())
        case bool(value):
            return Term("bool", literal_column(str(value).lower()))
        case int(value):
            return Term("number", literal(value, BigInteger))
        case float(value):
            return Term("number", literal(value, Double))
        case datetime() as value if given.type == "date":
            return Term("date", literal(value.date(), Date))
        case datetime() as value:
            return Term("time", literal(value, MOMENT))
        case tuple((first, last)):
            return Term("interval", literal(first, MOMENT), literal(last, MOMENT))
        case time() as value:
            return Term("clock", literal(value, Time))
        case timedelta() as value:
            return Term("duration", literal(value, Interval))
        case str(value) if given.type == "geometry":
            return Term("geometry", _shape(value))
        case str(value):
            return Term("text", literal(value, Text))
        case _:
            raise BadQuery(f"{given.value!r} cannot be used here")


def _shape(text: str) -> ColumnElement[Any]:
    try:
        shape = shapely.from_wkt(text.removeprefix("SRID=4326;"))
    except (shapely.errors.GEOSException, NotImplementedError) as error:
        raise BadQuery(f"{text[:60]!r} is no WKT: {error}") from None
    if not shapely.is_valid(shape):
        raise BadQuery(f"{text[:60]!r}: {shapely.is_valid_reason(shape)}")
    return func.ST_GeomFromText(literal(shapely.to_wkt(shape, -1, output_dimension=2), Text), SRID)


def number(term: Term) -> ColumnElement[Any]:
    """Raises BadQuery for what is none."""
    match term.type:
        case "number" | "result" | "null":
            return term.value
        case "json":
            is_number = func.jsonb_typeof(term.value) == literal_column("'number'")
            return case((is_number, cast(_json_text(term.value), Double)))
        case _:
            raise BadQuery(f"a number is wanted, not a {term.type}")


def text(term: Term) -> ColumnElement[Any]:
    """Raises BadQuery for what is none."""
    match term.type:
        case "text" | "null":
            return term.value
        case "json":
            return _json_text(term.value)
        case "result":
            assert term.text is not None
            return term.text
        case _:
            raise BadQuery(f"a text is wanted, not a {term.type}")


def boolean(term: Term) -> ColumnElement[Any]:
    """Raises BadQuery for what is none."""
    match term.type:
        case "bool" | "null":
            return term.value
        case "json":
            return term.value == TRUE_JSON
        case "result":
            assert term.json is not None
            return term.json == TRUE_JSON
        case _:
            raise BadQuery(f"true or false is wanted, not a {term.type}")


def moment(term: Term) -> ColumnElement[Any]:
    """A moment; of an interval, its beginning. Raises BadQuery for what is none."""
    match term.type:
        case "time" | "interval" | "null":
            return term.value
        case "date":
            return func.timezone(UTC_SQL, cast(term.value, DateTime))
        case _:
            raise BadQuery(f"a time is wanted, not a {term.type}")


def last_moment(term: Term) -> ColumnElement[Any]:
    """The end of an interval, the moment itself where it has none."""
    first = moment(term)
    return first if term.end is None else func.coalesce(term.end, first)


def geometry(term: Term) -> ColumnElement[Any]:
    """Raises BadQuery for what is none."""
    if term.type != "geometry":
        raise BadQuery(f"a geometry is wanted, such as geography'POINT (120.9 28.1)', not a {term.type}")
    return term.value


def duration(term: Term) -> ColumnElement[Any]:
    """Raises BadQuery for what is none."""
    if term.type != "duration":
        raise BadQuery(f"a duration is wanted, such as duration'PT1H', not a {term.type}")
    return term.value


def is_nothing(term: Term) -> ColumnElement[bool]:
    """Whether there is no value at all."""
    if term.type == "result":
        assert term.text is not None
        assert term.json is not None
        return and_(term.value.is_(None), term.text.is_(None), term.json.is_(None))
    if term.type == "json":
        return or_(term.value.is_(None), term.value == literal_column("'null'::jsonb"))
    return term.value.is_(None)


def compared(operator: str, left: Term, right: Term) -> ColumnElement[bool]:
    """eq, ne, gt, ge, lt or le between two terms, in the type that fits both. Raises BadQuery."""
    kinds = {left.type, right.type}
    if "null" in kinds:
        if operator not in ("eq", "ne"):
            raise BadQuery(f"null has no order: use eq or ne, not {operator}")
        nothing = is_nothing(right if left.type == "null" else left)
        return nothing if operator == "eq" else ~nothing
    if kinds & {"time", "interval"}:
        return _compared_times(operator, left, right)
    if kinds == {"result", "text"}:
        # In quotes a number is what it is written as, "10" before "9": so the conformance suite and FROST have it.
        return _ordered(operator, _written(left), _written(right))
    for kind, taken in (
        ("number", number),
        ("text", text),
        ("bool", boolean),
        ("date", moment),
        ("duration", duration),
        ("json", number),
        ("result", number),
    ):
        if kind in kinds:
            return _ordered(operator, taken(left), taken(right))
    if kinds == {"clock"}:
        return _ordered(operator, left.value, right.value)
    raise BadQuery(f"a {left.type} cannot be compared with a {right.type}")


def _written(term: Term) -> ColumnElement[Any]:
    return text(term) if term.type == "text" else func.coalesce(text(term), cast(term.value, Text))


def _ordered(operator: str, left: ColumnElement[Any], right: ColumnElement[Any]) -> ColumnElement[bool]:
    match operator:
        case "eq":
            return left == right
        case "ne":
            return left != right
        case "gt":
            return left > right
        case "ge":
            return left >= right
        case "lt":
            return left < right
        case _:
            return left <= right


def _compared_times(operator: str, left: Term, right: Term) -> ColumnElement[bool]:
    """Times as spans: one is less than another if it ends before that begins."""
    first, last, other_first, other_last = moment(left), last_moment(left), moment(right), last_moment(right)
    is_span = left.type == "interval" or right.type == "interval"
    if not is_span:
        return _ordered(operator, first, other_first)
    match operator:
        case "eq":
            return and_(first == other_first, last == other_last)
        case "ne":
            return or_(first != other_first, last != other_last)
        case "gt":
            return first > other_last
        case "ge":
            return first >= other_last
        # What is said of the beginning too is for the index on it.
        case "lt":
            return and_(first < other_first, last < other_first)
        case _:
            return and_(first <= other_first, last <= other_first)


def _json_text(value: ColumnElement[Any]) -> ColumnElement[Any]:
    return value.op("#>>", return_type=Text())(literal_column("'{}'::text[]"))


def member(value: ColumnElement[Any], steps: tuple[str, ...]) -> Term:
    """What stands in a JSON value under these steps."""
    return Term("json", func.jsonb_extract_path(value, *(literal(step, Text) for step in steps), type_=JSONB))
