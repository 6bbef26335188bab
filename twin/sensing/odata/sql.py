"""From the tree of an expression to SQL: paths become joins inside an EXISTS, so that no row is met twice."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    Double,
    FromClause,
    Numeric,
    Select,
    Time,
    and_,
    case,
    cast,
    extract,
    func,
    literal_column,
    or_,
    select,
)

from twin.sensing import BadQuery
from twin.sensing.model import BY_NAME, EntityType, Property
from twin.sensing.odata import terms
from twin.sensing.odata.functions import PARTS_OF_TIME, SPATIAL, TEMPORAL
from twin.sensing.odata.parser import COMPARISONS
from twin.sensing.odata.syntax import Call, Constant, Node, Path
from twin.sensing.odata.terms import UTC_SQL, Term

MAX_LINKS = 6


def condition(node: Node, entity: EntityType, table: FromClause) -> ColumnElement[bool]:
    """What a row of `table`, of that type, must fulfil. Raises BadQuery."""
    if isinstance(node, Call) and node.name in ("and", "or"):
        left, right = (condition(each, entity, table) for each in node.arguments)
        return and_(left, right) if node.name == "and" else or_(left, right)
    if isinstance(node, Call) and node.name == "not":
        return ~condition(node.arguments[0], entity, table)
    scope = _Scope(entity, table)
    return scope.exists(terms.boolean(scope.term(node)))


def value(node: Node, entity: EntityType, table: FromClause) -> Term:
    """The value of an expression for a row of `table`, to order by. Raises BadQuery where it has several."""
    scope = _Scope(entity, table)
    term = scope.term(node)
    if scope.is_joined:
        return Term(term.type, scope.only(term.value))
    return term


class _Scope:
    """The tables that one comparison looks at, beginning with the row's own."""

    def __init__(self, entity: EntityType, table: FromClause) -> None:
        self._entity, self._table = entity, table
        self._joined: dict[tuple[str, ...], FromClause] = {}
        self._conditions: list[ColumnElement[bool]] = []
        self._several = False

    @property
    def is_joined(self) -> bool:
        return bool(self._joined)

    def exists(self, found: ColumnElement[bool]) -> ColumnElement[bool]:
        """True where some combination of the linked rows fulfils it."""
        if not self._joined:
            return found
        inner: Select[Any] = (
            select(literal_column("1")).select_from(*self._joined.values()).where(*self._conditions, found)
        )
        return inner.correlate_except(*self._joined.values()).exists()

    def only(self, found: ColumnElement[Any]) -> ColumnElement[Any]:
        if self._several:
            raise BadQuery("$orderby: a link to many has no one value to order by")
        inner: Select[Any] = select(found).select_from(*self._joined.values()).where(*self._conditions)
        return inner.correlate_except(*self._joined.values()).scalar_subquery()

    def term(self, node: Node) -> Term:
        if isinstance(node, Constant):
            return terms.constant(node)
        if isinstance(node, Path):
            return self._path(node.steps)
        if node.name in ("and", "or", "not"):
            parts = [terms.boolean(self.term(each)) for each in node.arguments]
            joined = ~parts[0] if node.name == "not" else and_(*parts) if node.name == "and" else or_(*parts)
            return Term("bool", joined)
        return _called(node.name, [self.term(each) for each in node.arguments])

    def _path(self, steps: tuple[str, ...]) -> Term:
        entity, table = self._entity, self._table
        for place, step in enumerate(steps):
            found = entity.find(step)
            if found is not None:
                return _property(found, table, steps[place + 1 :])
            navigation = entity.navigation(step)
            if navigation is None:
                raise BadQuery(f"{entity.name} has no {step[:60]!r}; it has {', '.join(entity.names)}")
            if place >= MAX_LINKS:
                raise BadQuery(f"a path may follow {MAX_LINKS} links")
            self._several |= navigation.many
            entity, source = BY_NAME[navigation.target], table
            prefix = steps[: place + 1]
            if prefix not in self._joined:
                self._joined[prefix] = table = navigation.targets()
                self._conditions += [navigation.match(table, source.c[navigation.key]), entity.base(table)]
            table = self._joined[prefix]
        raise BadQuery(f"{'/'.join(steps)}: a property is wanted, not an entity")


def _property(found: Property, table: FromClause, rest: tuple[str, ...]) -> Term:
    value = found.value(table)
    match found.type:
        case "json":
            return terms.member(value, rest) if rest else Term("json", value)
        case "result":
            if rest:
                return terms.member(table.c.json, rest)
            return Term("result", value, text=table.c.text, json=table.c.json)
        case _ if rest:
            raise BadQuery(f"{found.name} has no part {'/'.join(rest)[:60]!r}")
        case "interval":
            return Term("interval", value, None if found.end is None else found.end(table))
        case "id":
            return Term("number", value)
        case _:
            return Term(found.type, value)


def _called(name: str, given: list[Term]) -> Term:
    if name in COMPARISONS:
        return Term("bool", terms.compared(name, given[0], given[1]))
    if name == "in":
        return Term("bool", or_(*(terms.compared("eq", given[0], each) for each in given[1:])))
    if name in ARITHMETIC:
        return _computed(name, given)
    if name in SPATIAL or name == "geo.intersects":
        spatial = getattr(func, f"ST_{name.partition('_')[2].capitalize()}" if name in SPATIAL else "ST_Intersects")
        return Term("bool", spatial(*(terms.geometry(each) for each in given)))
    if name in TEMPORAL:
        return Term("bool", _allen(name, given[0], given[1]))
    if name in PARTS_OF_TIME:
        return Term("number", _part(name, terms.moment(given[0])))
    return FUNCTIONS[name](*given)


ARITHMETIC = ("add", "sub", "mul", "div", "mod", "negative")


def _computed(name: str, given: list[Term]) -> Term:
    kinds = [each.type for each in given]
    if name in ("add", "sub") and kinds[0] in ("time", "interval", "date"):
        first = terms.moment(given[0])
        if name == "sub" and kinds[1] in ("time", "interval", "date"):
            return Term("duration", first - terms.moment(given[1]))
        by = terms.duration(given[1])
        return Term("time", first + by if name == "add" else first - by)
    if "duration" in kinds and name in ("add", "sub"):
        left, right = (terms.duration(each) for each in given)
        return Term("duration", left + right if name == "add" else left - right)
    numbers = [cast(terms.number(each), Double) for each in given]
    match name:
        case "add":
            return Term("number", numbers[0] + numbers[1])
        case "sub":
            return Term("number", numbers[0] - numbers[1])
        case "mul":
            return Term("number", numbers[0] * numbers[1])
        case "div":
            return Term("number", numbers[0].op("/", return_type=Double())(numbers[1]))
        case "mod":
            return Term("number", cast(func.mod(*(cast(each, Numeric) for each in numbers)), Double))
        case _:
            return Term("number", -numbers[0])


def _allen(name: str, left: Term, right: Term) -> ColumnElement[bool]:
    """Relations of Allen (1983), an instant being a span of no length."""
    first, last, other_first, other_last = (
        terms.moment(left),
        terms.last_moment(left),
        terms.moment(right),
        terms.last_moment(right),
    )
    match name:
        case "before":
            return and_(first < other_first, last < other_first)
        case "after":
            return first > other_last
        case "meets":
            return or_(last == other_first, first == other_last)
        case "during":
            return and_(first >= other_first, first <= other_last, last <= other_last)
        case "overlaps":
            return and_(first <= other_last, last >= other_first)
        case "starts":
            return first == other_first
        case _:
            return last == other_last


def _part(name: str, moment: ColumnElement[Any]) -> ColumnElement[Any]:
    in_utc = func.timezone(UTC_SQL, moment)
    if name == "fractionalseconds":
        seconds = cast(extract("second", in_utc), Double)
        return seconds - func.floor(seconds)
    part = extract(name, in_utc)
    return cast(func.floor(part), BigInteger)


def _round(term: Term) -> ColumnElement[Any]:
    # Away from zero at the half, as OData has it; round() of a float goes to the even one.
    return cast(func.round(cast(terms.number(term), Numeric)), Double)


def _index_of(text: Term, part: Term) -> Term:
    return Term("number", func.strpos(terms.text(text), terms.text(part)) - literal_column("1"))


def _substring(text: Term, first: Term, length: Term | None = None) -> Term:
    start = cast(terms.number(first), BigInteger) + literal_column("1")
    start_int = func.greatest(start, literal_column("1")).op("::")(literal_column("int"))
    if length is None:
        return Term("text", func.substr(terms.text(text), start_int))
    count = func.greatest(cast(terms.number(length), BigInteger), literal_column("0"))
    return Term("text", func.substr(terms.text(text), start_int, count.op("::")(literal_column("int"))))


FUNCTIONS: dict[str, Callable[..., Term]] = {
    # substringof has the part first, contains has it last.
    "substringof": lambda part, whole: Term("bool", func.strpos(terms.text(whole), terms.text(part)) > 0),
    "contains": lambda whole, part: Term("bool", func.strpos(terms.text(whole), terms.text(part)) > 0),
    "startswith": lambda whole, part: Term("bool", func.starts_with(terms.text(whole), terms.text(part))),
    "endswith": lambda whole, part: Term(
        "bool", func.right(terms.text(whole), func.length(terms.text(part))) == terms.text(part)
    ),
    "indexof": _index_of,
    "concat": lambda first, second: Term("text", terms.text(first).op("||")(terms.text(second))),
    "substring": _substring,
    "tolower": lambda each: Term("text", func.lower(terms.text(each))),
    "toupper": lambda each: Term("text", func.upper(terms.text(each))),
    "trim": lambda each: Term("text", func.btrim(terms.text(each))),
    "length": lambda each: Term("number", func.length(terms.text(each))),
    "round": lambda each: Term("number", _round(each)),
    "floor": lambda each: Term("number", func.floor(cast(terms.number(each), Double))),
    "ceiling": lambda each: Term("number", func.ceil(cast(terms.number(each), Double))),
    "date": lambda each: Term("date", cast(func.timezone(UTC_SQL, terms.moment(each)), Date)),
    "time": lambda each: Term("clock", cast(func.timezone(UTC_SQL, terms.moment(each)), Time)),
    # Every time is told in UTC.
    "totaloffsetminutes": lambda each: Term("number", case((terms.moment(each).is_not(None), literal_column("0")))),
    "now": lambda: Term("time", func.now()),
    "mindatetime": lambda: Term("time", literal_column("'0001-01-01 00:00Z'::timestamptz")),
    "maxdatetime": lambda: Term("time", literal_column("'9999-12-31 23:59:59.999999Z'::timestamptz")),
    # In degrees: the unit of the CRS, as OData has it.
    "geo.distance": lambda left, right: Term(
        "number", func.ST_Distance(terms.geometry(left), terms.geometry(right), type_=Double())
    ),
    "geo.length": lambda each: Term("number", func.ST_Length(terms.geometry(each), type_=Double())),
    "st_relate": lambda left, right, pattern: Term(
        "bool", func.ST_Relate(terms.geometry(left), terms.geometry(right), _pattern(pattern))
    ),
}


def _pattern(term: Term) -> ColumnElement[Any]:
    pattern = getattr(term.value, "value", None)
    if not isinstance(pattern, str) or len(pattern) != 9 or set(pattern.upper()) - set("TF*012"):
        raise BadQuery("st_relate: nine of T, F, *, 0, 1 and 2 are wanted")
    return terms.text(term)
