"""Which part of an answer is asked for, and where those before and after it are (OGC 09-025r2, 7.7.4)."""

from dataclasses import dataclass
from urllib.parse import quote, urlencode

from api.ows.fault import INVALID, Fault
from api.ows.kvp import MAX_BYTES
from api.wfs.call import Call

# What a client of 2.0 gets that asks for no number: it pages. One of 1.1 cannot, and gets all.
COUNT_DEFAULT = 10_000
MOST = 10**9


@dataclass(frozen=True)
class Paging:
    """count: at most so many features, None for all; start: after so many."""

    count: int | None
    start: int


@dataclass(frozen=True)
class Found:
    """returned: features told; matched: of all, None if it is not known exactly."""

    returned: int
    matched: int | None

    @property
    def matched_text(self) -> str:
        return "unknown" if self.matched is None else str(self.matched)


def take_paging(call: Call) -> Paging:
    """COUNT or MAXFEATURES, and STARTINDEX. Raises Fault."""
    count = _number(call, "COUNT", "MAXFEATURES")
    start = _number(call, "STARTINDEX") or 0
    return Paging(COUNT_DEFAULT if count is None and call.dialect.is_newest else count, start)


def wants_hits(call: Call) -> bool:
    """RESULTTYPE: whether the number of features is wanted alone. Raises Fault."""
    asked = call.kvp.get("RESULTTYPE") or "results"
    if asked.lower() not in ("results", "hits"):
        raise Fault(INVALID, f"resultType={asked[:40]!r}: results or hits is wanted", "resultType")
    return asked.lower() == "hits"


def page_links(call: Call, paging: Paging, found: Found) -> dict[str, str]:
    """The attributes previous and next, where there are such pages and an address can hold the request.

    After a number alone, next is the page that was counted from.
    """
    links, end = {}, paging.start + found.returned
    is_more = found.matched is None or end < found.matched
    if paging.count is not None and paging.start and not wants_hits(call):
        first = max(0, paging.start - paging.count)
        links["previous"] = _address(call, first, min(paging.count, paging.start))
    if paging.count and is_more and (found.returned or wants_hits(call)):
        links["next"] = _address(call, end, paging.count)
    return {name: address for name, address in links.items() if len(address) < MAX_BYTES}


def _address(call: Call, start: int, count: int) -> str:
    parameters = call.kvp.values() | {"STARTINDEX": str(start), "COUNT": str(count)}
    for name in ("MAXFEATURES", "RESULTTYPE"):
        parameters.pop(name, None)
    return call.address + urlencode(parameters, quote_via=quote, safe=",:/")


def _number(call: Call, *names: str) -> int | None:
    text = call.kvp.first(*names)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 12 and int(text) <= MOST):
        raise Fault(INVALID, f"{names[0]}={text[:40]!r}: a whole number from 0 to {MOST} is wanted", names[0])
    return int(text)
