"""GetPropertyValue (OGC 09-025r2, 10): the values of one property, without the features around them."""

import asyncio
from dataclasses import replace

from fastapi import Response

from api.ows.fault import INVALID, Fault
from api.wfs.call import Call
from api.wfs.documents import HEAD, collection, streamed
from api.wfs.faults import NO_OPTION
from api.wfs.formats import check_schema_format
from api.wfs.paging import page_links, take_paging, wants_hits
from api.wfs.queries import Query, check_resolve, take_queries, take_view
from api.wfs.reading import Frame, Writing, count_all, read_parts, together
from api.wfs.stored import stored_query
from layers.features import VALIDITY
from layers.fields import GEOMETRY, ID, fields_of
from layers.filters import Filter, FilterError, all_of
from layers.gml import values_statement
from layers.query import Selection
from layers.statement import Statement

ROOT = "wfs:ValueCollection"
MEMBER = Frame(b"<wfs:member>", b"</wfs:member>\n")


async def get_property_value(call: Call) -> Response:
    """Raises Fault and what reading raises."""
    check_schema_format(call)
    check_resolve(call)
    if call.kvp.get("RESOLVEPATH") is not None:
        raise Fault(NO_OPTION, "resolvePath: nothing here refers to anything elsewhere", "resolvePath")
    if call.kvp.is_empty("VALUEREFERENCE"):
        raise Fault(INVALID, "valueReference is empty; DescribeFeatureType lists the properties", "valueReference")
    reference = call.kvp.required("VALUEREFERENCE")
    stored = stored_query(call)
    queries = await asyncio.to_thread(take_queries, call) if stored is None else [stored]
    if len(queries) > 1:
        raise Fault(NO_OPTION, "values are told of one feature type at a time", "typeNames")
    view, paging = take_view(call), take_paging(call)
    named = [_named(query, reference) for query in queries]
    queries = [query for query, _ in named]
    if wants_hits(call):
        found = await count_all(call, queries, view)
        document = collection(call, ROOT, queries, found=found, links=page_links(call, paging, found))
        return streamed(call, [HEAD, *document], call.dialect.gml_format)

    def statement(query: Query, selection: Selection, limit: int, offset: int) -> Statement:
        return values_statement(
            selection, call.catalog, call.principal,
            name=named[0][1], limit=limit, offset=offset, sorts=query.sorts, srs=query.srs,
        )  # fmt: skip

    parts = await read_parts(call, queries, view, paging, Writing(statement, MEMBER))
    found = together(parts)
    links, files = page_links(call, paging, found), [part.file for part in parts]
    document = collection(call, ROOT, queries, found=found, links=links, inside=files)
    return streamed(call, [HEAD, *document], call.dialect.gml_format)


def _named(query: Query, reference: str) -> tuple[Query, str]:
    """The property that is asked for, and the query for those objects alone that have it. Raises Fault."""
    try:
        name = fields_of(query.layer).meant(reference)
    except FilterError as error:
        raise Fault(INVALID, f"valueReference: {error}", "valueReference") from None
    if name == ID or name not in (*(each.name for each in query.layer.properties), *VALIDITY, GEOMETRY):
        # Every object has an id, and attributes, be they empty.
        return query, name
    has_it = Filter({"op": "not", "args": [{"op": "isNull", "args": [{"property": name}]}]})
    return replace(query, filter=all_of(query.filter, has_it)), name
