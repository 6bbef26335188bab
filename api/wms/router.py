"""The address of the WMS: reads a request, finds its operation, and answers each refusal in the standard's form."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Request, Response

from api.answers import Language, language
from api.documentation import described
from api.exchange import city, exchange
from api.ows.fault import INVALID, MISSING, Fault
from api.ows.kvp import Kvp, read_kvp
from api.presence import ClientGone
from api.routing import PartRouter
from api.wms.call import Call
from api.wms.capabilities import get_capabilities
from api.wms.describe import describe_layer, get_styles
from api.wms.faults import MEDIA_TYPES, fault_of, report
from api.wms.info import get_feature_info
from api.wms.info_formats import INFO_FORMATS
from api.wms.legends import get_legend_graphic
from api.wms.maps import get_map
from api.wms.parameters import FORM_BODY, PARAMETERS
from api.wms.pictures import FORMATS
from api.wms.refusals import refusal_in_picture
from api.wms.versions import NEWEST, OLDEST, Version, negotiated, spoken

CAPABILITIES = "GetCapabilities"
OPERATIONS: dict[str, Callable[[Call], Awaitable[Response]]] = {
    CAPABILITIES: get_capabilities,
    "GetMap": get_map,
    "GetFeatureInfo": get_feature_info,
    "GetLegendGraphic": get_legend_graphic,
    "GetStyles": get_styles,
    "DescribeLayer": describe_layer,
}
# WMS 1.0.0 had shorter names; and names are written in any case.
WRITTEN = {name.lower(): name for name in OPERATIONS} | {"capabilities": CAPABILITIES, "map": "GetMap"}
LANGUAGES: dict[str, Language] = {"zh": "zh", "chi": "zh", "zho": "zh", "en": "en", "eng": "en"}
KINDS = (
    "text/xml",
    "application/vnd.ogc.wms_xml",
    "application/vnd.ogc.se_xml",
    "application/vnd.ogc.sld+xml",
    *FORMATS,
    "image/svg+xml",
    *INFO_FORMATS,
)

router = PartRouter(tags=["WMS"])


@router.get("/wms", **described("getWms", *PARAMETERS, kinds=KINDS, title="As REQUEST asks"))
async def wms(request: Request) -> Response:
    """Maps as WMS 1.3.0 and 1.1.1 ask for them: GetCapabilities, GetMap, GetFeatureInfo, GetLegendGraphic and more."""
    return await answer(request)


@router.post("/wms", **described("postWms", kinds=KINDS, title="As REQUEST asks", body=FORM_BODY))
async def posted(request: Request) -> Response:
    """The same, its parameters as a form."""
    return await answer(request)


async def answer(request: Request) -> Response:
    """The answer to a WMS request, whatever becomes of it."""
    kvp, version = Kvp(b""), NEWEST
    try:
        kvp = await read_kvp(request)
        version = spoken(kvp.get("VERSION") or NEWEST) or NEWEST
        operation = _operation(kvp)
        version = _version(kvp, operation)
        return await OPERATIONS[operation](await _call(request, kvp, version))
    except ClientGone:
        raise
    except Exception as error:
        return await _refusal(request, error, kvp, version)


async def _call(request: Request, kvp: Kvp, version: Version) -> Call:
    served = city(request)
    asked = (kvp.first("LANGUAGE", "ACCEPTLANGUAGES") or "").lower().partition("-")[0]
    spoken_language = LANGUAGES.get(asked) or language(request)
    return Call(request, kvp, exchange(request), served, await served.catalog(), spoken_language, version)


def _operation(kvp: Kvp) -> str:
    """The operation that is asked for. Raises Fault."""
    asked = kvp.required("REQUEST")
    operation = WRITTEN.get(asked.lower())
    if operation is None:
        known = ", ".join(OPERATIONS)
        raise Fault("OperationNotSupported", f"REQUEST={asked[:60]!r}: there are {known}", "REQUEST")
    service = kvp.get("SERVICE")
    if service is None and operation == CAPABILITIES and kvp.get("WMTVER") is None:
        raise Fault(MISSING, "SERVICE is missing; this service is called WMS", "SERVICE")
    if service is not None and service.upper() != "WMS":
        raise Fault(INVALID, f"SERVICE={service[:40]!r}: this service is called WMS", "SERVICE")
    return operation


def _version(kvp: Kvp, operation: str) -> Version:
    """The version to answer in (OGC 06-042, 6.2.4 and 6.9.1). Raises Fault."""
    asked = kvp.first("VERSION", "WMTVER")
    if operation == CAPABILITIES:
        found = negotiated(asked)
    elif asked is None and operation not in ("GetMap", "GetFeatureInfo"):
        # What SLD adds is asked for without a version by old clients.
        found = OLDEST
    else:
        found = spoken(kvp.required("VERSION") if asked is None else asked)
    if found is None:
        raise Fault(INVALID, f"VERSION={(asked or '')[:40]!r}: {OLDEST} and {NEWEST} are spoken", "VERSION")
    return found


async def _refusal(request: Request, error: Exception, kvp: Kvp, version: Version) -> Response:
    """A report in XML, or in the picture where a client of maps wants it so."""
    fault, status = fault_of(error, exchange(request).request_id)
    headers: dict[str, Any] = {"Cache-Control": "no-store"}
    if status == 503:
        headers["Retry-After"] = "1"
    picture = await refusal_in_picture(fault, kvp)
    if picture is not None:
        return Response(picture.body, status, headers, picture.kind)
    return Response(report(fault, version), status, headers, f"{MEDIA_TYPES[version]}; charset=utf-8")
