"""GetFeature and GetFeatureById (OGC 09-025r2, 11 and 7.9.3.6; 04-094, 9): features as GML, GeoJSON or a file."""

import asyncio
from dataclasses import replace

import orjson
from fastapi import Response

from api.answers import LIVE
from api.files import file_answer
from api.ows.fault import Fault
from api.selections import Wanted
from api.wfs.call import Call
from api.wfs.documents import HEAD, Piece, collection, declarations, inner_collection, now, streamed
from api.wfs.faults import NO_OPTION, NOT_FOUND
from api.wfs.formats import FILES, JSON, take_format
from api.wfs.paging import Found, Paging, page_links, take_paging, wants_hits
from api.wfs.queries import Query, check_resolve, take_queries, take_view
from api.wfs.reading import Frame, Part, Statements, Writing, count_all, read_parts, together
from api.wfs.stored import stored_query
from layers.crs import CRS84
from layers.features import page_statement
from layers.formats.write import FORMATS
from layers.gml import gml_statement
from layers.query import Selection
from layers.statement import Statement

MEMBERS = {"2.0.0": Frame(b"<wfs:member>", b"</wfs:member>\n"),
           "1.1.0": Frame(b"<gml:featureMember>", b"</gml:featureMember>\n")}  # fmt: skip
ROOT = "wfs:FeatureCollection"
LISTED = Frame(between=b",\n")


async def get_feature(call: Call) -> Response:
    """Raises Fault and what reading raises."""
    form = take_format(call)
    check_resolve(call)
    stored = stored_query(call)
    if stored is not None:
        return await _one(call, stored, form)
    queries, view, paging = await asyncio.to_thread(take_queries, call), take_view(call), take_paging(call)
    if wants_hits(call):
        return _hits(call, await count_all(call, queries, view), queries, form)
    if form in FILES:
        if len(queries) != 1 or paging.start:
            raise Fault(NO_OPTION, f"outputFormat={form}: a file holds one feature type from its first feature on")
        wanted = Wanted(queries[0].selection(view), queries[0].sorts, queries[0].telling)
        limit = paging.count if call.kvp.first("COUNT", "MAXFEATURES") else None
        return await file_answer(call.request, call.catalog, wanted, FORMATS[form], limit=limit, links=[])
    if form == "json":
        parts = await read_parts(call, queries, view, paging, Writing(_geojson(call), LISTED))
        return _collected(call, parts, paging)
    parts = await read_parts(call, queries, view, paging, Writing(_gml(call), MEMBERS[call.version]))
    return _gml_collection(call, parts, paging)


# --- what is read


def _gml(call: Call) -> Statements:
    def statement(query: Query, selection: Selection, limit: int, offset: int) -> Statement:
        return gml_statement(
            selection, call.catalog, call.principal,
            limit=limit, offset=offset, sorts=query.sorts, telling=query.telling, srs=query.srs,
        )  # fmt: skip

    return statement


def _geojson(call: Call) -> Statements:
    """Features as /collections has them, but x (east) before y: what reads GeoJSON from a WFS expects no other."""

    def statement(query: Query, selection: Selection, limit: int, offset: int) -> Statement:
        return page_statement(
            selection, call.catalog, call.principal,
            limit=limit, offset=offset, sorts=query.sorts, telling=replace(query.telling, east_first=True),
        )  # fmt: skip

    return statement


async def _one(call: Call, query: Query, form: str) -> Response:
    """The feature itself, in no collection (09-025r2, 7.9.3.6). Raises Fault."""
    if form in FILES:
        raise Fault(NO_OPTION, f"outputFormat={form}: a single feature comes as GML or GeoJSON", "outputFormat")
    statements = _geojson(call) if form == "json" else _gml(call)
    (part,) = await read_parts(call, [query], take_view(call), Paging(1, 0), Writing(statements))
    with part.file as file:
        file.seek(0)
        body = file.read()
    if not body:
        raise Fault(NOT_FOUND, f"no feature {(call.kvp.get('ID') or '')[:80]!r} at that moment", "ID")
    if form == "json":
        return Response(body, 200, LIVE, JSON)
    declared = declarations(call, [query]).encode()
    return Response(
        HEAD + body.replace(b" gml:id=", b" " + declared + b" gml:id=", 1), 200, LIVE, call.dialect.gml_format
    )


def _gml_collection(call: Call, parts: list[Part], paging: Paging) -> Response:
    found, inside = together(parts), list[Piece]()
    for part in parts:
        is_one_of_several = len(parts) > 1 and call.dialect.is_newest
        inside += inner_collection(part.found, [part.file]) if is_one_of_several else [part.file]
    links, queries = page_links(call, paging, found), [part.query for part in parts]
    document = collection(call, ROOT, queries, found=found, links=links, inside=inside)
    return streamed(call, [HEAD, *document], call.dialect.gml_format)


def _hits(call: Call, found: Found, queries: list[Query], form: str) -> Response:
    """The number alone (09-025r2, 11.2.4)."""
    if form == "json":
        return Response(orjson.dumps({"type": "FeatureCollection", "features": []} | _numbers(found)), 200, LIVE, JSON)
    document = collection(call, ROOT, queries, found=found, links=page_links(call, take_paging(call), found))
    return streamed(call, [HEAD, *document], call.dialect.gml_format)


# --- collections in GeoJSON


def _collected(call: Call, parts: list[Part], paging: Paging) -> Response:
    """One FeatureCollection of all. It names its CRS where that is not longitude and latitude of WGS 84, which
    RFC 7946 has no member for, but clients of WFS read."""
    found = together(parts)
    told: dict[str, object] = _numbers(found) | {"numberReturned": found.returned, "timeStamp": now()}
    links = page_links(call, paging, found)
    told["links"] = [{"rel": REL[name], "href": href, "type": JSON} for name, href in links.items()]
    crs = {part.query.srs.crs for part in parts}
    if len(crs) == 1 and (only := crs.pop()) != CRS84:
        told["crs"] = {"type": "name", "properties": {"name": only.urn}}
    pieces: list[Piece] = [b'{"type":"FeatureCollection","features":[']
    for part in parts:
        if part.found.returned:
            pieces += [part.file, b",\n"]
        else:
            part.file.close()
    if found.returned:
        pieces.pop()
    return streamed(call, [*pieces, b"],", orjson.dumps(told)[1:]], JSON)


REL = {"next": "next", "previous": "prev"}


def _numbers(found: Found) -> dict[str, object]:
    return {} if found.matched is None else {"numberMatched": found.matched}
