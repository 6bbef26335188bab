"""Query parameters: each one object that reads, limits and documents it; what is not known is refused."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast
from urllib.parse import parse_qsl

from starlette.requests import Request

from api.errors import BadRequest, TooLong

# A filter of full length, its every third character escaped.
MAX_QUERY_BYTES = 32 * 1024
MAX_PARAMETERS = 64
# An axis each, or all in one (OGC 20-058, /req/spatial-subsetting/subset-definition): alone in being given twice.
REPEATED = "subset"
T = TypeVar("T")
Schema = dict[str, Any]


@dataclass(frozen=True)
class Parameter(Generic[T]):
    """A query parameter. parse: from its text, raising ValueError with what is wanted instead."""

    name: str
    description: str
    parse: Callable[[str], T]
    default: T
    schema: Schema = field(default_factory=lambda: {"type": "string"})
    max_length: int = 1_000

    def read(self, text: str) -> T:
        """Raises BadRequest."""
        if len(text) > self.max_length:
            raise BadRequest(f"{self.name}: {len(text)} characters; at most {self.max_length} are read")
        try:
            return self.parse(text)
        except ValueError as error:
            raise BadRequest(f"{self.name}={text[:100]!r}: {error}") from None

    def document(self) -> dict[str, Any]:
        """The parameter as OpenAPI 3.0 describes it.

        What is the default of others is said: Part 1 wants `style` and `explode` of its parameters so (7.15.2).
        """
        return {
            "name": self.name,
            "in": "query",
            "required": False,
            "description": self.description,
            "schema": self.schema,
            "style": "form",
            "explode": False,
        }


class Query:
    """The query of one request; `finish` refuses whatever nobody took."""

    def __init__(self, request: Request) -> None:
        raw = cast(bytes, request.scope["query_string"])
        if len(raw) > MAX_QUERY_BYTES:
            raise TooLong(f"the query has {len(raw)} bytes; at most {MAX_QUERY_BYTES} are read")
        try:
            pairs = parse_qsl(
                raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS
            )
        except ValueError:
            raise BadRequest(
                f"the query cannot be read: percent-encoded UTF-8 of at most {MAX_PARAMETERS} parameters is"
            ) from None
        if len(parts := [text for name, text in pairs if name == REPEATED]) > 1:
            pairs = [pair for pair in pairs if pair[0] != REPEATED] + [(REPEATED, ",".join(parts))]
        self._left = dict(pairs)
        self._known: list[str] = []
        if len(self._left) < len(pairs):
            repeated = sorted({name for name, _ in pairs if sum(other == name for other, _ in pairs) > 1})
            raise BadRequest(f"given more than once: {', '.join(repeated)}")
        if "\0" in "".join(part for pair in pairs for part in pair):
            raise BadRequest("the query holds a NUL character")

    def take(self, parameter: Parameter[T]) -> T:
        """The parameter's value, its default if it is not given. Raises BadRequest."""
        self._known.append(parameter.name)
        text = self._left.pop(parameter.name, None)
        return parameter.default if text is None else parameter.read(text)

    def take_named(self, names: Iterable[str]) -> dict[str, str]:
        """The texts of those parameters that have one of the names."""
        names = list(names)
        self._known += names
        return {name: self._left.pop(name) for name in names if name in self._left}

    def finish(self) -> None:
        """Refuse parameters that this resource does not have (OGC API Features Part 1, 7.6). Raises BadRequest."""
        if self._left:
            unknown = ", ".join(name[:50] for name in self._left)
            raise BadRequest(f"unknown parameter: {unknown}; there are {', '.join(self._known)}")


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """Reads a whole number from low to high."""

    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 20 and low <= int(text) <= high):
            raise ValueError(f"a whole number from {low} to {high} is wanted")
        return int(text)

    return parse


def one_of(*values: str) -> Callable[[str], str]:
    """Reads one of a few words."""

    def parse(text: str) -> str:
        if text not in values:
            raise ValueError(f"one of {', '.join(values)} is wanted")
        return text

    return parse


FORMAT = Parameter[str | None](
    "f",
    "Format of the answer; by default what the Accept header asks for.",
    one_of("json", "html"),
    None,
    {"type": "string", "enum": ["json", "html"]},
)
