"""GetCapabilities (OGC 06-042, 7.2; 01-068r3, 7.1): what there is, from the catalogue alone; no object is looked at."""

import asyncio
import hashlib
from collections.abc import Iterable

from fastapi import Response

from api.ows.fault import Fault
from api.ows.xml import Element, child, document, link
from api.pages import city_title
from api.wms.call import Call
from api.wms.describe import STYLES_KIND
from api.wms.info_formats import INFO_FORMATS
from api.wms.layer_tree import InUse, add_layers
from api.wms.legends import values_in_use
from api.wms.names import MOST
from api.wms.pictures import FORMATS
from api.wms.texts import abstract, keywords, said_here
from api.wms.versions import Version
from layers.edition import changed_at
from tiles.map.legend import FORMATS as LEGEND_FORMATS
from tiles.map.request import LARGEST

CAPABILITIES_DTD = "http://schemas.opengis.net/wms/1.1.1/WMS_MS_Capabilities.dtd"
NAMESPACES = {
    "xmlns": "http://www.opengis.net/wms",
    "xmlns:sld": "http://www.opengis.net/sld",
    "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "xsi:schemaLocation": "http://www.opengis.net/wms http://schemas.opengis.net/wms/1.3.0/capabilities_1_3_0.xsd"
    " http://www.opengis.net/sld http://schemas.opengis.net/sld/1.1.0/sld_capabilities.xsd",
}
MEDIA_TYPES: dict[Version, str] = {"1.3.0": "text/xml", "1.1.1": "application/vnd.ogc.wms_xml"}
EXCEPTIONS: dict[Version, tuple[str, ...]] = {
    "1.3.0": ("XML", "INIMAGE", "BLANK"),
    "1.1.1": ("application/vnd.ogc.se_xml", "application/vnd.ogc.se_inimage", "application/vnd.ogc.se_blank"),
}
HEADERS = {"Cache-Control": "no-cache", "Vary": "Authorization, Accept-Language, Accept-Encoding"}


async def get_capabilities(call: Call) -> Response:
    """Raises Fault."""
    async with call.served.reading() as connection:
        changed = await changed_at(connection)
    # Microseconds, so that two changes are never one; a number, so that clients can tell which is newer.
    sequence = int(changed.timestamp() * 1_000_000)
    _refuse_current(call.kvp.get("UPDATESEQUENCE"), sequence)
    in_use = {layer.id: await values_in_use(layer, call) for layer in call.catalog.layers(call.principal)}
    body = await asyncio.to_thread(_document, call, sequence, in_use)
    etag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    headers = HEADERS | {"ETag": etag, "Content-Language": call.spoken}
    if etag in call.request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(body, 200, headers, f"{MEDIA_TYPES[call.version]}; charset=utf-8")


def _refuse_current(asked: str | None, sequence: int) -> None:
    """OGC 06-042, 7.2.3.5: who has the newest document is told so, who has one from the future is mistaken."""
    if asked is None:
        return
    if not (asked.isascii() and asked.isdigit() and int(asked[:25]) <= sequence):
        detail = f"UPDATESEQUENCE={asked[:40]!r}: the newest is {sequence}"
        raise Fault("InvalidUpdateSequence", detail, "UPDATESEQUENCE")
    if int(asked) == sequence:
        raise Fault("CurrentUpdateSequence", f"{sequence} is the newest", "UPDATESEQUENCE")


def _document(call: Call, sequence: int, in_use: InUse) -> bytes:
    newer = call.version == "1.3.0"
    root = Element("WMS_Capabilities" if newer else "WMT_MS_Capabilities", NAMESPACES if newer else {})
    root.set("version", call.version)
    root.set("updateSequence", str(sequence))
    _add_service(root, call)
    capability = child(root, "Capability")
    _add_operations(child(capability, "Request"), call)
    listed = child(capability, "Exception")
    for kind in EXCEPTIONS[call.version]:
        child(listed, "Format", kind)
    none = {"SupportSLD": "0", "UserLayer": "0", "UserStyle": "0", "RemoteWFS": "0"}
    child(capability, "sld:UserDefinedSymbolization" if newer else "UserDefinedSymbolization", **none)
    add_layers(capability, call, in_use)
    return document(root, None if newer else f'WMT_MS_Capabilities SYSTEM "{CAPABILITIES_DTD}"')


def _add_service(root: Element, call: Call) -> None:
    service = child(root, "Service")
    # The name is fixed in 1.3.0, and in 1.1.1 for those who have no other.
    child(service, "Name", "WMS" if call.version == "1.3.0" else "OGC:WMS")
    child(service, "Title", said_here(city_title(call.catalog), call))
    child(service, "Abstract", abstract(call))
    words = child(service, "KeywordList")
    for word in keywords(city_title(call.catalog)):
        child(words, "Keyword", word)
    link(service, call.met.base + "/")
    _add_contact(service, call)
    child(service, "Fees", "none")
    licences = dict.fromkeys(each for layer in call.catalog.layers(call.principal) for each in layer.licence)
    child(service, "AccessConstraints", "; ".join(licences) or "none")
    if call.version == "1.3.0":
        for name, most in (("LayerLimit", MOST), ("MaxWidth", LARGEST), ("MaxHeight", LARGEST)):
            child(service, name, str(most))


def _add_contact(service: Element, call: Call) -> None:
    """Whom to ask, as far as the operator has said."""
    settings = call.request.app.state.settings
    if not (settings.contact_person or settings.contact_organization or settings.contact_email):
        return
    contact = child(service, "ContactInformation")
    if settings.contact_person or settings.contact_organization:
        primary = child(contact, "ContactPersonPrimary")
        child(primary, "ContactPerson", settings.contact_person or "")
        child(primary, "ContactOrganization", settings.contact_organization or "")
    if settings.contact_email:
        child(contact, "ContactElectronicMailAddress", settings.contact_email)


def _add_operations(request: Element, call: Call) -> None:
    newer = call.version == "1.3.0"
    described = ("text/xml",) if newer else ("application/vnd.ogc.wms_xml", "text/xml")
    operations: list[tuple[str, Iterable[str]]] = [
        ("GetCapabilities", (MEDIA_TYPES[call.version],)),
        ("GetMap", FORMATS),
        ("GetFeatureInfo", INFO_FORMATS),
    ]
    if newer:
        operations += [("sld:DescribeLayer", described), ("sld:GetLegendGraphic", LEGEND_FORMATS)]
    else:
        operations += [
            ("DescribeLayer", described),
            ("GetLegendGraphic", LEGEND_FORMATS),
            ("GetStyles", (STYLES_KIND,)),
        ]
    for name, kinds in operations:
        operation = child(request, name)
        for kind in kinds:
            child(operation, "Format", kind)
        http = child(child(operation, "DCPType"), "HTTP")
        for method in ("Get", "Post"):
            link(child(http, method), call.address)
