"""The address of the WFS: reads a request, finds its operation, and answers each refusal in the standard's form."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response

from api.answers import language
from api.exchange import city, exchange
from api.ows.documentation import XML, described_with_reports
from api.ows.fault import INVALID, MISSING, Fault
from api.ows.kvp import FORM, Kvp
from api.presence import ClientGone, while_waited_for
from api.routing import PartRouter
from api.wfs.call import Call
from api.wfs.capabilities import get_capabilities
from api.wfs.describe import describe_feature_type
from api.wfs.faults import UNSUPPORTED, fault_of, report
from api.wfs.features import get_feature
from api.wfs.formats import FILES
from api.wfs.parameters import BODY, PARAMETERS
from api.wfs.posted import read_posted
from api.wfs.stored import describe_stored_queries, list_stored_queries
from api.wfs.values import get_property_value
from api.wfs.versions import NEWEST, OLDEST, Version, negotiated, spoken
from layers.formats.write import FORMATS

Operation = Callable[[Call], Coroutine[Any, Any, Response]]
CAPABILITIES = "GetCapabilities"
OPERATIONS: dict[str, Operation] = {
    CAPABILITIES: get_capabilities,
    "DescribeFeatureType": describe_feature_type,
    "ListStoredQueries": list_stored_queries,
    "DescribeStoredQueries": describe_stored_queries,
    "GetFeature": get_feature,
    "GetPropertyValue": get_property_value,
}
OLD_OPERATIONS = (CAPABILITIES, "DescribeFeatureType", "GetFeature")
# Names are matched in any case, as everywhere with key-value pairs.
WRITTEN = {name.lower(): name for name in OPERATIONS}
KINDS = ("application/gml+xml; version=3.2", "text/xml; subtype=gml/3.1.1", "application/json", "text/xml", XML,
         *(FORMATS[name].media_type for name in FILES))  # fmt: skip

router = PartRouter(tags=["WFS"])


@router.get("/wfs", **described_with_reports("getWfs", *PARAMETERS, kinds=KINDS))
async def wfs(request: Request) -> Response:
    """Features as WFS 2.0.0 and 1.1.0 ask for them: GetCapabilities, DescribeFeatureType, GetFeature and more."""
    return await _answer(request)


@router.post("/wfs", **described_with_reports("postWfs", kinds=KINDS, body=BODY))
async def posted(request: Request) -> Response:
    """The same, asked for in XML or by a form."""
    return await _answer(request)


async def _answer(request: Request) -> Response:
    version = NEWEST
    try:
        kvp = await _parameters(request)
        version = spoken(kvp.get("VERSION") or NEWEST) or NEWEST
        operation, version = _operation(kvp)
        served = city(request)
        call = Call(request, kvp, exchange(request), served, await served.catalog(), language(request), version)
        return await while_waited_for(request, operation(call))
    except ClientGone:
        raise
    except Exception as error:
        fault, status = fault_of(error, exchange(request).request_id)
        headers = {"Cache-Control": "no-store"} | ({"Retry-After": "1"} if status == 503 else {})
        return Response(report(fault, version), status, headers, f"{XML}; charset=utf-8")


async def _parameters(request: Request) -> Kvp:
    """What a request asks: in its address, in XML, or in a form. Raises Fault, TooLong, TooLarge."""
    query: bytes = request.scope["query_string"]
    body = await request.body()
    if not body.strip():
        return Kvp(query)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() == FORM:
        return Kvp(query + b"&" + body)
    # What the address says beside is of our own: the moment, the plan.
    return Kvp.of(Kvp(query).values() | await asyncio.to_thread(read_posted, body))


def _operation(kvp: Kvp) -> tuple[Operation, Version]:
    """The operation that is asked for, and in which version (OGC 06-121r3, 7.2 and 11.5). Raises Fault."""
    asked = kvp.required("REQUEST")
    service = kvp.required("SERVICE")
    if service.upper() != "WFS":
        raise Fault(INVALID, f"SERVICE={service[:40]!r}: this service is called WFS", "service")
    name = WRITTEN.get(asked.lower())
    if name is None:
        known = ", ".join(OPERATIONS)
        raise Fault(UNSUPPORTED, f"REQUEST={asked[:60]!r}: there are {known}", asked[:60])
    if name == CAPABILITIES:
        return OPERATIONS[name], negotiated(kvp)
    given = kvp.get("VERSION")
    if given is None:
        raise Fault(MISSING, f"VERSION is missing: {NEWEST} or {OLDEST}", "version")
    version = spoken(given)
    if version is None:
        raise Fault(INVALID, f"VERSION={given[:40]!r}: {NEWEST} and {OLDEST} are spoken", "version")
    if version == OLDEST and name not in OLD_OPERATIONS:
        raise Fault(UNSUPPORTED, f"REQUEST={asked[:60]!r}: WFS {OLDEST} has {', '.join(OLD_OPERATIONS)}", asked[:60])
    return OPERATIONS[name], version
