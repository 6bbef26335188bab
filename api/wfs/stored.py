"""Stored queries (OGC 09-025r2, 7.9.3.6 and 14): the one that every WFS has, a feature by its id."""

from fastapi import Response

from api.answers import LIVE
from api.ows.fault import INVALID, MISSING, Fault
from api.ows.xml import Element, child, document
from api.wfs.call import Call
from api.wfs.faults import NOT_FOUND
from api.wfs.queries import Query, take_srs
from layers.catalog import LayerNotFound
from layers.features import Telling
from layers.fes import object_of
from layers.fields import ID
from layers.filters import Filter
from layers.gml import NAMESPACE, PREFIX

BY_ID = "urn:ogc:def:query:OGC-WFS::GetFeatureById"
# As the first edition of the standard wrote it, and the third.
OTHER_NAMES = (
    "urn:ogc:def:storedQuery:OGC-WFS::GetFeatureById",
    "http://www.opengis.net/def/query/OGC-WFS/0/GetFeatureById",
)
LANGUAGE = "urn:ogc:def:queryLanguage:OGC-WFS::WFSQueryExpression"
TITLE = "A feature by its id"
ABSTRACT = "The feature whose gml:id is given, such as buildings.7."


def stored_query(call: Call) -> Query | None:
    """The query that STOREDQUERY_ID asks for; None where it is not given. Raises Fault."""
    asked = call.kvp.get("STOREDQUERY_ID")
    if asked is None:
        return None
    _check(asked)
    identifier = call.kvp.get("ID")
    if identifier is None:
        raise Fault(MISSING, "id is missing: GetFeatureById takes a feature's id, such as buildings.7", "id")
    name = identifier.strip().rpartition(".")[0]
    number = object_of(identifier, name)
    try:
        layer = call.catalog.layer(name, call.principal)
    except LayerNotFound:
        number = None
    if number is None:
        raise Fault(NOT_FOUND, f"no feature {identifier[:80]!r}", "ID")
    srs = take_srs(call.kvp.get("SRSNAME"), call)
    only = Filter({"op": "in", "args": [{"property": ID}, [number]]})
    return Query(layer, None, only, (), Telling(crs=srs.crs, east_first=not srs.north_first), srs)


async def list_stored_queries(call: Call) -> Response:
    """14.3."""
    root = _root("ListStoredQueriesResponse", call)
    query = child(root, "StoredQuery", id=BY_ID)
    child(query, "Title", TITLE, xml_lang="en")
    for name in _types(call):
        child(query, "ReturnFeatureType", name)
    return _answer(root)


async def describe_stored_queries(call: Call) -> Response:
    """14.4. Raises Fault."""
    for asked in (call.kvp.get("STOREDQUERY_ID") or BY_ID).split(","):
        _check(asked.strip())
    root = _root("DescribeStoredQueriesResponse", call)
    described = child(root, "StoredQueryDescription", id=BY_ID)
    child(described, "Title", TITLE, xml_lang="en")
    child(described, "Abstract", ABSTRACT, xml_lang="en")
    child(described, "Parameter", name="id", type="xs:string")
    types = " ".join(_types(call))
    child(described, "QueryExpressionText", isPrivate="true", returnFeatureTypes=types, language=LANGUAGE)
    return _answer(root)


def _check(asked: str) -> None:
    if asked not in (BY_ID, *OTHER_NAMES):
        raise Fault(INVALID, f"storedQuery_id={asked[:80]!r}: there is {BY_ID}", "storedQuery_id")


def _types(call: Call) -> list[str]:
    return [f"{PREFIX}:{layer.id}" for layer in call.layers()]


def _root(name: str, call: Call) -> Element:
    spaces = {
        "xmlns": call.dialect.wfs,
        f"xmlns:{PREFIX}": NAMESPACE,
        "xmlns:xs": "http://www.w3.org/2001/XMLSchema",
        "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
        "xsi:schemaLocation": f"{call.dialect.wfs} {call.dialect.schema}",
    }
    return Element(name, spaces)


def _answer(root: Element) -> Response:
    return Response(document(root), 200, LIVE, "application/xml; charset=utf-8")
