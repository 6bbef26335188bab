"""Key-value pairs as OWS clients write them (OGC 06-042, 6.8; 06-121r3, 11.5): names in any case, values as given."""

from collections.abc import Iterator, Mapping
from typing import Self
from urllib.parse import unquote_to_bytes

from starlette.requests import Request

from api.errors import TooLong
from api.ows.fault import INVALID, MISSING, Fault

FORM = "application/x-www-form-urlencoded"
# A dozen filters of full length; longer ones come by POST.
MAX_BYTES = 64 * 1024
MAX_PAIRS = 200


class Kvp:
    """The parameters of one request, under their names in capitals."""

    def __init__(self, raw: bytes) -> None:
        """Raises Fault, TooLong."""
        if len(raw) > MAX_BYTES:
            raise TooLong(f"the parameters have {len(raw)} bytes; at most {MAX_BYTES} are read")
        self._values: dict[str, str] = {}
        for name, value in _pairs(raw):
            # The same word twice, as from an address that already held it, is no contradiction.
            if self._values.setdefault(name, value).casefold() != value.casefold():
                raise Fault(INVALID, f"{name} is given twice: {self._values[name][:60]!r}, {value[:60]!r}", name)

    @classmethod
    def of(cls, values: Mapping[str, str]) -> Self:
        """Parameters that were given otherwise than as pairs, under their names in capitals."""
        made = cls(b"")
        made._values.update(values)
        return made

    def values(self) -> dict[str, str]:
        """All that was given, under names in capitals."""
        return dict(self._values)

    def get(self, name: str) -> str | None:
        """The value of a parameter; None if it is absent or empty."""
        return self._values.get(name) or None

    def is_empty(self, name: str) -> bool:
        """Whether a parameter is given, and says nothing."""
        return self._values.get(name) == ""

    def required(self, name: str) -> str:
        """The value of a parameter that must be given. Raises Fault."""
        value = self.get(name)
        if value is None:
            raise Fault(MISSING, f"{name} is missing", name)
        return value

    def first(self, *names: str) -> str | None:
        """The value of the first of these that is given."""
        return next((value for name in names if (value := self.get(name)) is not None), None)


async def read_kvp(request: Request) -> Kvp:
    """The parameters of a request: of its address, and of a form that is posted (OGC 06-042, 6.3.4). Raises Fault."""
    raw: bytes = request.scope["query_string"]
    body = await request.body()
    if body.strip():
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
            raise Fault(INVALID, f"a posted request is read as {FORM}; XML and SLD documents are not")
        raw = raw + b"&" + body
    return Kvp(raw)


def _pairs(raw: bytes) -> Iterator[tuple[str, str]]:
    fields = [field for field in raw.split(b"&") if field.strip(b"?")]
    if len(fields) > MAX_PAIRS:
        raise Fault(INVALID, f"{len(fields)} parameters; at most {MAX_PAIRS} are read")
    for field in fields:
        name, _, value = field.partition(b"=")
        # Addresses are glued together from one that has a question mark, or copied out of XML.
        word = _text(name.lstrip(b"?").removeprefix(b"amp;")).strip().upper()
        if word:
            yield word, _text(value).strip()


def _text(escaped: bytes) -> str:
    """Percent-encoded UTF-8, or the GB 18030 of older Chinese clients. Raises Fault."""
    plain = unquote_to_bytes(escaped.replace(b"+", b" "))
    for encoding in ("utf-8", "gb18030"):
        try:
            text = plain.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            raise Fault(INVALID, "a parameter holds a NUL character")
        return text
    raise Fault(INVALID, "a parameter is neither UTF-8 nor GB 18030; percent-encode it as UTF-8")
