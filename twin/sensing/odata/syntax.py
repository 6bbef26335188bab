"""The words of a query, and the tree that an expression is."""

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Literal

from twin.sensing import BadQuery

MOMENT = (
    r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?"
    # A plus that nobody escaped reaches us as a space.
    r"(?:Z|[+\- ]\d\d:?\d\d)?"
)
WORDS = re.compile(
    rf"""
      (?P<space>\s+)
    | (?P<geometry>geography'(?:[^']|'')*'|geometry'(?:[^']|'')*')
    | (?P<duration>duration'[^']*')
    | (?P<string>'(?:[^']|'')*')
    | (?P<interval>{MOMENT}/{MOMENT})
    | (?P<moment>{MOMENT})
    | (?P<date>\d{{4}}-\d\d-\d\d(?![\d-]))
    | (?P<clock>\d\d:\d\d(?::\d\d(?:\.\d{{1,6}})?)?)
    | (?P<number>\d+(?:\.\d+)?(?:[eE][+\-]?\d+)?)
    | (?P<name>[$@]?[^\W\d][\w\-:]*(?:\.[^\W\d][\w\-]*)*)
    | (?P<mark>[(),;/=*\-])
    """,
    re.VERBOSE,
)
MAX_WORDS = 4_000

Kind = Literal["geometry", "duration", "string", "interval", "moment", "date", "clock", "number", "name", "mark", "end"]


@dataclass(frozen=True)
class Word:
    """A word, and where it stands in the text."""

    kind: Kind
    text: str
    start: int
    end: int


Value = str | int | float | bool | None | datetime | time | timedelta | tuple[datetime, datetime]
LiteralType = Literal["text", "number", "bool", "null", "time", "interval", "date", "clock", "duration", "geometry"]


@dataclass(frozen=True)
class Constant:
    """A value that the query gives."""

    type: LiteralType
    value: Value


@dataclass(frozen=True)
class Path:
    """Steps to a property: over links to its entity, and then perhaps into its JSON."""

    steps: tuple[str, ...]


@dataclass(frozen=True)
class Call:
    """A function, an operator, or a connective, by its name, with its arguments."""

    name: str
    arguments: tuple["Node", ...]


Node = Constant | Path | Call


def words_of(text: str) -> list[Word]:
    """The words of a query option, and one that ends it. Raises BadQuery."""
    found: list[Word] = []
    place = 0
    while place < len(text):
        match = WORDS.match(text, place)
        if match is None:
            raise BadQuery(f"at {place + 1}: {text[place : place + 20]!r} cannot be read here")
        kind = match.lastgroup
        if kind != "space":
            found.append(Word(kind, match.group(), match.start(), match.end()))  # type: ignore[arg-type]
        place = match.end()
        if len(found) > MAX_WORDS:
            raise BadQuery(f"the query has more than {MAX_WORDS} words")
    return [*found, Word("end", "", len(text), len(text))]
