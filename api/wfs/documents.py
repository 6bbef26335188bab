"""Documents around features: feature and value collections of either version, sent at the client's pace."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import IO
from urllib.parse import urlencode
from xml.sax.saxutils import quoteattr

from fastapi import Response
from starlette.responses import StreamingResponse

from api.answers import LIVE
from api.files import handed_out
from api.wfs.call import Call
from api.wfs.paging import Found, wants_hits
from api.wfs.queries import Query
from layers.gml import NAMESPACE, PREFIX

XSI = "http://www.w3.org/2001/XMLSchema-instance"
HEAD = b'<?xml version="1.0" encoding="UTF-8"?>\n'
NO_LINKS: Mapping[str, str] = {}
Piece = bytes | IO[bytes]


def collection(
    call: Call,
    root: str,
    queries: Sequence[Query],
    *,
    found: Found,
    links: Mapping[str, str] = NO_LINKS,
    inside: Sequence[Piece] = (),
) -> list[Piece]:
    """A collection's element. root: its name; links: previous and next; inside: what stands in it."""
    if call.dialect.is_newest:
        told = {"timeStamp": now(), "numberMatched": found.matched_text, "numberReturned": str(found.returned), **links}
    else:
        # 1.1.0 has one number: of those that are there, or with hits of all (04-094, 9.3).
        number = found.matched if wants_hits(call) else found.returned
        told = {"timeStamp": now()} | ({} if number is None else {"numberOfFeatures": str(number)})
    attributes = " ".join(f"{name}={quoteattr(value)}" for name, value in told.items())
    return [f"<{root} {declarations(call, queries)} {attributes}>\n".encode(), *inside, f"</{root}>\n".encode()]


def inner_collection(found: Found, inside: Sequence[Piece]) -> list[Piece]:
    """The collection of one of several queries, as a member of the answer (09-025r2, 11.3.3.5)."""
    numbers = f'numberMatched="{found.matched_text}" numberReturned="{found.returned}"'
    start = f'<wfs:member><wfs:FeatureCollection timeStamp="{now()}" {numbers}>\n'
    return [start.encode(), *inside, b"</wfs:FeatureCollection></wfs:member>\n"]


def declarations(call: Call, queries: Sequence[Query]) -> str:
    """What the prefixes stand for, and where their schemas are."""
    dialect = call.dialect
    schemas = [dialect.wfs, dialect.schema, dialect.gml, dialect.gml_schema]
    if queries:
        described = {"SERVICE": "WFS", "VERSION": call.version, "REQUEST": "DescribeFeatureType"}
        names = dict.fromkeys(f"{PREFIX}:{query.layer.id}" for query in queries)
        described["TYPENAMES" if dialect.is_newest else "TYPENAME"] = ",".join(names)
        schemas += [NAMESPACE, call.address + urlencode(described, safe=",:")]
    spaces = {
        "xmlns:wfs": dialect.wfs,
        "xmlns:gml": dialect.gml,
        f"xmlns:{PREFIX}": NAMESPACE,
        "xmlns:xsi": XSI,
        "xsi:schemaLocation": " ".join(schemas),
    }
    return " ".join(f"{name}={quoteattr(value)}" for name, value in spaces.items())


def streamed(call: Call, pieces: Sequence[Piece], kind: str) -> Response:
    """An answer put together from texts and files, which are closed once they are sent."""
    return StreamingResponse(_sent(call, pieces), 200, LIVE, kind)


async def _sent(call: Call, pieces: Sequence[Piece]) -> AsyncIterator[bytes]:
    for piece in pieces:
        if isinstance(piece, bytes):
            yield piece
        else:
            async for chunk in handed_out(piece, call.met):
                yield chunk


def now() -> str:
    """The moment of an answer."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
