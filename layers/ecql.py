"""ECQL, the filters that users of GeoServer write, put into CQL2 text.

CQL2 text is left as it is: what ECQL says differently is rewritten, and only that. Spatial predicates have other names
there (INTERSECTS), BBOX is a predicate, time has operators between its sides (BEFORE, DURING), moments need no word
before them, and a list of ids stands alone (IN ('7', '9')).
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from layers.filters import MAX_DEPTH, MAX_LENGTH, Filter, FilterError, nesting, parse_filter

TOKEN = re.compile(
    r"""
    (?P<text>'(?:[^']|'')*')
  | (?P<quoted>"[^"]*")
  | (?P<moment>\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)
  | (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
  | (?P<word>[^\W\d][\w.:]*)
  | (?P<sign><>|!=|<=|>=|==|[^\s])
    """,
    re.VERBOSE,
)
SPATIAL = ("INTERSECTS", "DISJOINT", "CONTAINS", "WITHIN", "TOUCHES", "CROSSES", "OVERLAPS", "EQUALS")
# What one unit of DWITHIN is in metres.
UNITS = {
    "meters": 1.0,
    "metres": 1.0,
    "m": 1.0,
    "kilometers": 1000.0,
    "kilometres": 1000.0,
    "km": 1000.0,
    "feet": 0.3048,
    "statute miles": 1609.344,
    "nautical miles": 1852.0,
}
# The names by which data that came from shapefiles, PostGIS and GML call their geometry.
GEOMETRIES = ("the_geom", "wkb_geometry", "shape", "geometryproperty")
# CRS whose coordinates are longitude and latitude as filters write them.
DEGREES = ("4326", "4490", "CRS84", "CRS:84")
SIGNS = {"==": "=", "!=": "<>"}
# Nobody writes more, and each is looked at a few times.
MOST_TOKENS = 20_000


@dataclass(frozen=True)
class Token:
    kind: str
    text: str

    def is_word(self, *words: str) -> bool:
        return self.kind == "word" and self.text.upper() in words


END = Token("end", "")


def parse_ecql(source: str) -> Filter | None:
    """The filter that ECQL or CQL2 text means; None for INCLUDE, which is everything. Raises FilterError."""
    if len(source) > MAX_LENGTH:
        raise FilterError(f"filter: {len(source)} characters; at most {MAX_LENGTH} are read")
    if nesting(source) > MAX_DEPTH:
        raise FilterError(f"filter: nested deeper than {MAX_DEPTH} levels; simplify it")
    if source.strip().upper() == "INCLUDE":
        return None
    return parse_filter(to_cql2(source))


def split_filters(source: str) -> list[str]:
    """Filters with semicolons between them, which may also stand in their texts."""
    parts, start = [], 0
    for match in re.finditer(r"'[^']*'|\"[^\"]*\"|;", source):
        if match.group() == ";":
            parts.append(source[start : match.start()])
            start = match.end()
    return [*parts, source[start:]]


def to_cql2(source: str) -> str:
    """ECQL as CQL2 text. Raises FilterError where an ECQL predicate is incomplete."""
    return _Rewriter(source).rewritten()


class _Rewriter:
    """Walks the tokens once; what is to be said differently looks ahead as far as it needs."""

    def __init__(self, source: str) -> None:
        self._tokens = [
            Token(match.lastgroup or "sign", match.group()) for match in TOKEN.finditer(source) if match.group().strip()
        ]
        if len(self._tokens) > MOST_TOKENS:
            raise FilterError("filter: too long")
        self._place = 0

    def rewritten(self) -> str:
        written: list[str] = []
        while (token := self._peek()) is not END:
            written += list(self._next(token, written))
        return " ".join(written)

    def _next(self, token: Token, written: list[str]) -> Iterator[str]:
        """What the next tokens are in CQL2; may take back the operand that was written last."""
        self._place += 1
        following = self._peek()
        if token.kind == "moment":
            yield _moment(token.text)
        elif token.kind == "sign":
            yield SIGNS.get(token.text, token.text)
        elif token.kind != "word":
            yield token.text
        elif token.is_word(*CALLS) and following.text == "(":
            yield CALLS[token.text.upper()](self)
        elif token.is_word("IN") and (not written or written[-1].upper() in ("AND", "OR", "NOT", "(")):
            yield f"id IN ({', '.join(self._ids())})"
        elif token.is_word("ILIKE") and written:
            yield from self._ilike(written)
        elif token.is_word("BEFORE", "AFTER", "DURING", "TEQUALS") and written and following.text != "(":
            yield from self._temporal(token.text.upper(), written)
        elif token.is_word("EXISTS") and written:
            yield "IS NOT NULL"
        elif token.is_word("DOES"):
            yield self._does_not_exist()
        elif token.is_word("EXCLUDE") and not written and following is END:
            yield "false"
        elif token.is_word("INCLUDE"):
            yield "true"
        elif token.is_word("SRID") and following.text == "=":
            self._srid()
        elif token.text.lower() in GEOMETRIES:
            yield "geom"
        else:
            yield token.text

    # --- predicates that are called

    def spatial(self, name: str) -> str:
        one, other = self._arguments(name, 2)
        return f"S_{name}({one}, {other})"

    def bbox(self) -> str:
        arguments = self._arguments("BBOX", 4, 5, 6)
        if _is_number(arguments[0]):
            # CQL2's own: a box as a geometry.
            return f"BBOX({', '.join(arguments)})"
        if len(arguments) == 4:
            raise FilterError("filter: BBOX takes a property and four numbers")
        if len(arguments) == 6 and not any(code in arguments[5] for code in DEGREES):
            raise FilterError(f"filter: BBOX in {arguments[5][:40]}: give it in longitude and latitude")
        return f"S_INTERSECTS({arguments[0]}, BBOX({', '.join(arguments[1:5])}))"

    def dwithin(self) -> str:
        one, other, distance, unit = self._arguments("DWITHIN", 4)
        factor = UNITS.get(unit.strip().lower())
        if factor is None or not _is_number(distance):
            raise FilterError(f"filter: DWITHIN takes a distance and one of {', '.join(UNITS)}")
        return f"near({one}, {other}, {float(distance) * factor!r})"

    def beyond(self) -> str:
        return f"NOT {self.dwithin()}"

    def str_to(self, function: str) -> str:
        (text,) = self._arguments(function, 1)
        return f"{function}({text})"

    # --- predicates between their sides

    def _ilike(self, written: list[str]) -> Iterator[str]:
        negated = written[-1].upper() == "NOT"
        if negated:
            written.pop()
        operand = _taken_back(written)
        yield f"CASEI({operand})"
        yield "NOT LIKE" if negated else "LIKE"
        yield f"CASEI({self._operand()})"

    def _temporal(self, operator: str, written: list[str]) -> Iterator[str]:
        operand = _taken_back(written)
        if operator == "DURING":
            start = self._instant()
            if self._take().text != "/":
                raise FilterError("filter: DURING takes start/end, e.g. 2015-01-01T00:00:00Z/2016-01-01T00:00:00Z")
            yield f"T_DURING({operand}, INTERVAL({start}, {self._instant()}))"
        else:
            yield f"T_{operator.removeprefix('T')}({operand}, {_moment_of(self._instant())})"

    def _instant(self) -> str:
        token = self._take()
        if token.kind == "moment":
            return f"'{_zoned(token.text)}'"
        if token.kind == "text":
            return token.text
        raise FilterError(f"filter: {token.text[:40]!r} is no moment, such as 2015-01-01T00:00:00Z")

    def _does_not_exist(self) -> str:
        for expected in ("-", "NOT", "-", "EXIST"):
            if self._take().text.upper() != expected:
                raise FilterError("filter: DOES-NOT-EXIST is written in one word")
        return "IS NULL"

    def _ids(self) -> list[str]:
        found = []
        for argument in self._arguments("IN", *range(1, 1_001)):
            # GeoServer's ids are the layer's name and the number.
            number = argument.strip("'").rpartition(".")[2]
            if not (number.isascii() and number.isdigit()):
                raise FilterError(f"filter: {argument[:40]} is no id; ids are whole numbers")
            found.append(number)
        return found

    def _srid(self) -> None:
        """Skip `=4326;` before a geometry: all are longitude and latitude."""
        sign, number, semicolon = self._take(), self._take(), self._peek()
        if sign.text != "=" or number.text not in DEGREES or semicolon.text != ";":
            raise FilterError("filter: geometries are given in longitude and latitude, SRID 4326 or 4490")
        self._place += 1

    # --- tokens

    def _peek(self) -> Token:
        return self._tokens[self._place] if self._place < len(self._tokens) else END

    def _take(self) -> Token:
        token = self._peek()
        self._place += 1
        return token

    def _operand(self) -> str:
        """A value: a single token, or a function with its brackets."""
        written = [self._take().text]
        if self._peek().text == "(":
            written.append(f"({', '.join(self._arguments(written[0], *range(0, 20)))})")
        return "".join(written)

    def _arguments(self, name: str, *counts: int) -> list[str]:
        """The arguments in brackets, each rewritten. Raises FilterError for another number of them."""
        if self._take().text != "(":
            raise FilterError(f"filter: {name} takes its arguments in brackets")
        arguments: list[list[str]] = [[]]
        depth = 0
        while depth or self._peek().text != ")":
            token = self._peek()
            if token is END:
                raise FilterError(f"filter: the bracket of {name} is not closed")
            if token.text == "," and not depth:
                self._place += 1
                arguments.append([])
                continue
            depth += (token.text in "([") - (token.text in ")]") if token.kind == "sign" else 0
            arguments[-1] += list(self._next(token, arguments[-1]))
        self._place += 1
        if len(arguments) not in counts:
            raise FilterError(f"filter: {name} with {len(arguments)} arguments")
        return [" ".join(argument) for argument in arguments]


CALLS: dict[str, Callable[[_Rewriter], str]] = {
    **{name: lambda rewriter, name=name: rewriter.spatial(name) for name in SPATIAL},  # type: ignore[misc]
    "BBOX": _Rewriter.bbox,
    "DWITHIN": _Rewriter.dwithin,
    "BEYOND": _Rewriter.beyond,
    "STRTOLOWERCASE": lambda rewriter: rewriter.str_to("lower"),
    "STRTOUPPERCASE": lambda rewriter: rewriter.str_to("upper"),
    "STRLENGTH": lambda rewriter: rewriter.str_to("char_length"),
}


def _taken_back(written: list[str]) -> str:
    """The operand that was written last, with its brackets and its function's name. Raises FilterError."""
    if not written:
        raise FilterError("filter: nothing stands before the operator")
    taken = [written.pop()]
    if taken[0] != ")":
        return taken[0]
    depth = 1
    while depth and written:
        taken.append(written.pop())
        depth += (taken[-1] == ")") - (taken[-1] == "(")
    if written and re.match(r"\w+\Z", written[-1]) and written[-1].upper() not in ("AND", "OR", "NOT"):
        taken.append(written.pop())
    return " ".join(reversed(taken))


def _zoned(moment: str) -> str:
    """A moment that names no zone is in UTC, as GeoServer has it."""
    return moment if re.search(r"(Z|[+-]\d{2}:?\d{2})\Z", moment) else f"{moment}Z"


def _moment(text: str) -> str:
    return f"TIMESTAMP('{_zoned(text)}')"


def _moment_of(quoted: str) -> str:
    return f"DATE({quoted})" if re.match(r"'\d{4}-\d{2}-\d{2}'\Z", quoted) else f"TIMESTAMP({quoted})"


def _is_number(text: str) -> bool:
    try:
        float(text.replace(" ", ""))
    except ValueError:
        return False
    return True
