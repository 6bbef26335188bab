"""Requests in XML (OGC 09-025r2, 6.2.3; 04-094), put into the key-value pairs that say the same."""

from collections.abc import Iterable
from xml.etree.ElementTree import tostring

from api.ows.fault import INVALID, Fault
from api.wfs.faults import UNREADABLE
from layers.xml import Element, XmlError, children, local, read_xml, words

VERSIONS = {"http://www.opengis.net/wfs/2.0": "2.0.0", "http://www.opengis.net/wfs": "1.1.0"}
# Child elements that are lists, by the parameter that holds them.
LISTS = {
    "TypeName": "TYPENAMES",
    "StoredQueryId": "STOREDQUERY_ID",
    "AcceptVersions": "ACCEPTVERSIONS",
    "AcceptFormats": "ACCEPTFORMATS",
    "Sections": "SECTIONS",
}


def read_posted(body: bytes) -> dict[str, str]:
    """The parameters that a request in XML means, under their names in capitals. Raises Fault."""
    try:
        root = read_xml(body)
    except XmlError as error:
        raise Fault(UNREADABLE, str(error), "request") from None
    namespace = root.tag.rpartition("}")[0].lstrip("{")
    if namespace not in VERSIONS:
        raise Fault(
            UNREADABLE, f"<{local(root)[:60]}> of {namespace[:100]!r} is no request of WFS 2.0 or 1.1", "request"
        )
    found = {"REQUEST": local(root), **_attributes(root)}
    if local(root) != "GetCapabilities":
        found.setdefault("VERSION", VERSIONS[namespace])
    for name, parameter in LISTS.items():
        texts = [words(each) for child in children(root, name) for each in (list(child) or [child])]
        if texts:
            found[parameter] = ",".join(texts)
    queries, stored = children(root, "Query"), children(root, "StoredQuery")
    if len(stored) > 1 or (stored and queries):
        raise Fault(INVALID, "a StoredQuery stands alone; ask for it by itself", "StoredQuery")
    if stored:
        return found | _stored(stored[0])
    return found | _queries(queries)


def _attributes(element: Element) -> dict[str, str]:
    return {name.rpartition("}")[2].upper(): value for name, value in element.items() if not name.startswith("{")}


def _stored(query: Element) -> dict[str, str]:
    found = {"STOREDQUERY_ID": query.get("id", "")}
    for parameter in children(query, "Parameter"):
        found[parameter.get("name", "").upper()] = words(parameter)
    return found


def _queries(queries: list[Element]) -> dict[str, str]:
    """Several queries are lists of lists, each in brackets (OGC 09-025r2, 6.2.5.3)."""
    found = [_query(query) for query in queries]
    names = dict.fromkeys(name for query in found for name in query)
    if len(found) == 1:
        return found[0]
    return {name: "".join(f"({query.get(name, '')})" for query in found) for name in names}


def _query(query: Element) -> dict[str, str]:
    found = {"TYPENAMES": ",".join((query.get("typeNames") or query.get("typeName") or "").split())}
    if srs := query.get("srsName"):
        found["SRSNAME"] = srs
    if properties := children(query, "PropertyName"):
        found["PROPERTYNAME"] = ",".join(map(words, properties))
    if filters := children(query, "Filter"):
        found["FILTER"] = tostring(filters[0], "unicode")
    if sorts := children(query, "SortBy"):
        found["SORTBY"] = ",".join(_sorts(sorts[0]))
    return found


def _sorts(element: Element) -> Iterable[str]:
    for each in children(element, "SortProperty"):
        name = "".join(map(words, children(each, "ValueReference", "PropertyName")))
        order = "".join(map(words, children(each, "SortOrder")))
        yield f"{name} {order}".strip()
