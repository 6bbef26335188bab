"""GetCapabilities (OGC 09-025r2, 8; 04-094, 13): what there is, from the catalogue alone; no object is looked at."""

import hashlib
from collections.abc import Callable, Sequence

from fastapi import Response

from api.answers import said
from api.ows.metadata import add_identification, add_provider, has_newest, licences_of, take_sections
from api.ows.xml import Element, child, document
from api.pages import city_title
from api.raw import is_known
from api.wfs.call import Call
from api.wfs.feature_types import add_feature_types
from api.wfs.filter_capabilities import add_filter_capabilities, add_old_filter_capabilities
from api.wfs.formats import offered
from api.wfs.paging import COUNT_DEFAULT
from api.wfs.versions import NEWEST, OLDEST
from layers.catalog import Title
from layers.edition import changed_at
from layers.gml import NAMESPACE, PREFIX

ABSTRACT = Title(
    "这座城市的数字孪生的要素：可按属性、位置与时间筛选，分页读取。DATETIME 可看过去任一时刻，PLAN 可看规划方案。",
    "The features of this city's digital twin: filtered by property, place and time, read by pages. DATETIME shows any"
    " moment of the past, PLAN a plan's changes.",
)
MADE_UP = Title("数据为虚构。", "The data are made up.")
KEYWORDS = ("数字孪生", "digital twin", "城市信息模型", "CIM", "WFS")
OPERATIONS = ("GetCapabilities", "DescribeFeatureType", "ListStoredQueries", "DescribeStoredQueries", "GetFeature",
              "GetPropertyValue")  # fmt: skip
PAGED = ("GetFeature", "GetPropertyValue")
OLD_OPERATIONS = ("GetCapabilities", "DescribeFeatureType", "GetFeature")
# Table 13: what is claimed, and what is not.
CONFORMANCE = {
    "ImplementsBasicWFS": True,
    "ImplementsTransactionalWFS": False,
    "ImplementsLockingWFS": False,
    "KVPEncoding": True,
    "XMLEncoding": True,
    "SOAPEncoding": False,
    "ImplementsInheritance": False,
    "ImplementsRemoteResolve": False,
    "ImplementsResultPaging": True,
    "ImplementsStandardJoins": False,
    "ImplementsSpatialJoins": False,
    "ImplementsTemporalJoins": False,
    "ImplementsFeatureVersioning": False,
    "ManageStoredQueries": False,
    # A page is of the moment in which it is asked for.
    "PagingIsTransactionSafe": False,
}
XSI, XLINK = "http://www.w3.org/2001/XMLSchema-instance", "http://www.w3.org/1999/xlink"
FES, OGC = "http://www.opengis.net/fes/2.0", "http://www.opengis.net/ogc"
HEADERS = {"Cache-Control": "no-cache", "Vary": "Authorization, Accept-Language, Accept-Encoding"}


async def get_capabilities(call: Call) -> Response:
    """Raises Fault."""
    async with call.served.reading() as connection:
        changed = await changed_at(connection)
    # Microseconds, so that two changes are never one; a number, so that clients can tell which is newer.
    sequence = int(changed.timestamp() * 1_000_000)
    known = has_newest(call.kvp.get("UPDATESEQUENCE"), sequence)
    sections = [] if known else take_sections(call.kvp.get("SECTIONS"), SECTIONS)
    body = _document(call, sequence, sections)
    etag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    headers = HEADERS | {"ETag": etag, "Content-Language": call.spoken}
    if is_known(call.request.headers.get("if-none-match", "").encode("latin-1"), etag.encode()):
        return Response(status_code=304, headers=headers)
    return Response(body, 200, headers, "text/xml; charset=utf-8")


def _document(call: Call, sequence: int, sections: Sequence[str]) -> bytes:
    dialect = call.dialect
    root = Element(
        "wfs:WFS_Capabilities",
        {
            "xmlns": dialect.wfs,
            "xmlns:wfs": dialect.wfs,
            "xmlns:ows": dialect.ows,
            "xmlns:gml": dialect.gml,
            **({"xmlns:fes": FES} if dialect.is_newest else {"xmlns:ogc": OGC}),
            "xmlns:xs": "http://www.w3.org/2001/XMLSchema",
            "xmlns:xlink": XLINK,
            f"xmlns:{PREFIX}": NAMESPACE,
            "xmlns:xsi": XSI,
            "xsi:schemaLocation": f"{dialect.wfs} {dialect.schema}",
            "version": call.version,
            "updateSequence": str(sequence),
        },
    )
    for name in sections:
        SECTIONS[name](root, call)
    return document(root)


def _add_identification(root: Element, call: Call) -> None:
    title, abstract = city_title(call.catalog), said(ABSTRACT, call.spoken)
    add_identification(
        root,
        title=said(title, call.spoken),
        abstract=f"{abstract} {said(MADE_UP, call.spoken)}" if call.catalog.city.made_up else abstract,
        keywords=(*dict.fromkeys((title.zh, title.en)), *KEYWORDS),
        kind="WFS",
        versions=(NEWEST, OLDEST),
        licences=licences_of(call.catalog, call.principal),
    )


def _add_provider(root: Element, call: Call) -> None:
    name = said(city_title(call.catalog), call.spoken)
    add_provider(root, call.request.app.state.settings, name=name, site=f"{call.met.base}/")


def _add_operations(root: Element, call: Call) -> None:
    section = child(root, "ows:OperationsMetadata")
    add = _Domains(call)
    for name in OPERATIONS if call.dialect.is_newest else OLD_OPERATIONS:
        operation = child(section, "ows:Operation", name=name)
        http = child(child(operation, "ows:DCP"), "ows:HTTP")
        child(http, "ows:Get", xlink_href=call.address)
        child(http, "ows:Post", xlink_href=call.address.rstrip("?"))
        for parameter, values in _parameters(name, call).items():
            add.values(operation, "ows:Parameter", parameter, values)
        if call.dialect.is_newest and name in PAGED:
            # Here, not beside the others: desks look for it at the operation.
            add.value(operation, "CountDefault", str(COUNT_DEFAULT))
    if call.dialect.is_newest:
        add.values(section, "ows:Parameter", "version", (NEWEST, OLDEST))
        for name, holds in CONFORMANCE.items():
            add.value(section, name, "TRUE" if holds else "FALSE")
        add.values(section, "ows:Constraint", "QueryExpressions", ("wfs:Query", "wfs:StoredQuery"))


def _parameters(operation: str, call: Call) -> dict[str, Sequence[str]]:
    formats = offered(call)
    if operation == "GetCapabilities":
        accepted: dict[str, Sequence[str]] = {"AcceptVersions": (NEWEST, OLDEST), "AcceptFormats": ("text/xml",)}
        return accepted | ({"Sections": tuple(SECTIONS)} if call.dialect.is_newest else {})
    # Every reference leads to the document it stands in: there are none to other objects.
    resolve: dict[str, Sequence[str]] = {"resolve": ("none", "local")} if call.dialect.is_newest else {}
    match operation:
        case "DescribeFeatureType":
            return {"outputFormat": formats[:2]}
        case "GetPropertyValue":
            return resolve | {"outputFormat": formats[:2]}
        case "GetFeature":
            return {"resultType": ("results", "hits"), "outputFormat": formats} | resolve
    return {}


class _Domains:
    """Parameters and constraints as OWS 1.1 writes them, or as 1.0 does."""

    def __init__(self, call: Call) -> None:
        self._newest = call.dialect.is_newest

    def values(self, parent: Element, kind: str, name: str, values: Sequence[str]) -> None:
        domain = child(parent, kind, name=name)
        listed = child(domain, "ows:AllowedValues") if self._newest else domain
        for value in values:
            child(listed, "ows:Value", value)

    def value(self, parent: Element, name: str, value: str) -> None:
        domain = child(parent, "ows:Constraint", name=name)
        child(domain, "ows:NoValues")
        child(domain, "ows:DefaultValue", value)


def _add_filters(root: Element, call: Call) -> None:
    if call.dialect.is_newest:
        add_filter_capabilities(root)
    else:
        add_old_filter_capabilities(root)


SECTIONS: dict[str, Callable[[Element, Call], None]] = {
    "ServiceIdentification": _add_identification,
    "ServiceProvider": _add_provider,
    "OperationsMetadata": _add_operations,
    "FeatureTypeList": add_feature_types,
    "Filter_Capabilities": _add_filters,
}
