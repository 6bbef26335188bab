"""Query options: what is asked for besides the address ($filter, $expand, $select and the rest; OGC 18-088, 9.3)."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from typing import Literal

from twin.sensing import BadQuery, Unsupported
from twin.sensing.odata.parser import Reader
from twin.sensing.odata.syntax import Node

MAX_EXPANDS = 25
MAX_EXPAND_DEPTH = 6
MAX_TOP = 10_000
DEFAULT_TOP = 100
DEFAULT_NESTED_TOP = 25
ResultFormat = Literal["dataArray", "GeoJSON", "CSV"]
FORMATS: tuple[ResultFormat, ...] = ("dataArray", "GeoJSON", "CSV")


@dataclass(frozen=True)
class Order:
    """One sort key."""

    by: Node
    descending: bool = False


@dataclass(frozen=True)
class Options:
    """What is wanted of a set of entities. source: the texts of the options, for the link to its next page."""

    filter: Node | None = None
    expand: tuple["Expand", ...] = ()
    select: tuple[str, ...] = ()
    orderby: tuple[Order, ...] = ()
    top: int | None = None
    skip: int = 0
    count: bool = False
    skiptoken: str | None = None
    result_format: ResultFormat | None = None
    source: dict[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Expand:
    """A link to follow, and what is wanted of its target."""

    name: str
    options: Options


def read_options(given: Iterable[tuple[str, str]], zone: tzinfo = UTC) -> Options:
    """The options of a request, from the names and texts of its query. Raises BadQuery, Unsupported."""
    found = Options()
    seen: dict[str, str] = {}
    for name, text in given:
        if name in seen:
            raise BadQuery(f"{name} is given twice")
        seen[name] = text
        found = _with(found, name, text, zone)
    return replace(found, source=seen)


def _with(options: Options, name: str, text: str, zone: tzinfo) -> Options:
    if name == "$skiptoken":
        return replace(options, skiptoken=text)
    if name in ("$resultFormat", "resultFormat"):
        form = next((each for each in FORMATS if each.lower() == text.lower()), None)
        if form is None:
            raise BadQuery(f"$resultFormat={text[:40]!r}: there are {', '.join(FORMATS)}")
        return replace(options, result_format=form)
    if name not in PARTS:
        raise _unknown(name, (*PARTS, "$resultFormat"))
    reader = Reader(text, zone)
    try:
        options = _read(options, name, reader, 1)
        reader.want_end()
    except BadQuery as error:
        raise type(error)(f"{name}: {error}") from None
    return options


def _unknown(name: str, known: Iterable[str]) -> BadQuery:
    # What begins with $ is OData's, which may have it.
    family = Unsupported if name.startswith("$") else BadQuery
    return family(f"no query option {name[:40]!r} here; there are {', '.join(known)}")


PARTS = ("$filter", "$expand", "$select", "$orderby", "$top", "$skip", "$count")


def _read(options: Options, name: str, reader: Reader, depth: int) -> Options:
    match name:
        case "$filter":
            return replace(options, filter=reader.expression())
        case "$expand":
            return replace(options, expand=_expands(reader, depth))
        case "$select":
            return replace(options, select=tuple(_listed(reader)))
        case "$orderby":
            return replace(options, orderby=_orders(reader))
        case "$top":
            return replace(options, top=min(_whole(reader), MAX_TOP))
        case "$skip":
            return replace(options, skip=_whole(reader))
        case _:
            word = reader.want_name("true or false")
            if word not in ("true", "false"):
                raise BadQuery(f"true or false is wanted, not {word[:40]!r}")
            return replace(options, count=word == "true")


def _expands(reader: Reader, depth: int) -> tuple[Expand, ...]:
    if depth > MAX_EXPAND_DEPTH:
        raise BadQuery(f"links may be followed {MAX_EXPAND_DEPTH} deep")
    found: dict[str, Expand] = {}
    while True:
        each = _expand(reader, depth)
        known = found.get(each.name)
        found[each.name] = each if known is None else _merged(known, each)
        if not reader.takes(","):
            break
    if _number(found.values()) > MAX_EXPANDS:
        raise BadQuery(f"more than {MAX_EXPANDS} links to follow")
    return tuple(found.values())


def _expand(reader: Reader, depth: int) -> Expand:
    name = reader.want_name("a link")
    if reader.takes("/"):
        if depth >= MAX_EXPAND_DEPTH:
            raise BadQuery(f"links may be followed {MAX_EXPAND_DEPTH} deep")
        return Expand(name, Options(expand=(_expand(reader, depth + 1),)))
    options, source = Options(), {}
    if reader.takes("("):
        while True:
            option = reader.want_name("a query option")
            if option not in PARTS:
                raise _unknown(option, PARTS)
            if option in source:
                raise BadQuery(f"{option} is given twice")
            reader.want("=")
            start = reader.word.start
            options = _read(options, option, reader, depth + 1)
            source[option] = reader.text[start : reader.word.start].strip()
            if not reader.takes(";"):
                break
        reader.want(")")
    return Expand(name, replace(options, source=source))


def _merged(first: Expand, second: Expand) -> Expand:
    """The same link named twice, as in Datastreams/Sensor,Datastreams/ObservedProperty."""
    if first.options.source and second.options.source:
        raise BadQuery(f"{first.name} is expanded twice with options")
    outer = first if first.options.source else second
    known = {each.name: each for each in first.options.expand}
    for each in second.options.expand:
        known[each.name] = _merged(known[each.name], each) if each.name in known else each
    return Expand(first.name, replace(outer.options, expand=tuple(known.values())))


def _number(expands: Iterable[Expand]) -> int:
    return sum(1 + _number(each.options.expand) for each in expands)


def _listed(reader: Reader) -> list[str]:
    names = [reader.want_name("a property")]
    while reader.takes(","):
        names.append(reader.want_name("a property"))
    return names


def _orders(reader: Reader) -> tuple[Order, ...]:
    found = []
    while True:
        by = reader.expression()
        descending = reader.takes("desc")
        if not descending:
            reader.takes("asc")
        found.append(Order(by, descending))
        if not reader.takes(","):
            return tuple(found)


def _whole(reader: Reader) -> int:
    word = reader.take()
    if word.kind != "number" or not word.text.isdigit() or len(word.text) > 9:
        raise BadQuery(f"a whole number from 0 to 999999999 is wanted, not {word.text[:40]!r}")
    return int(word.text)
