"""Service exceptions: what a WMS answers when it cannot do as asked (OGC 06-042, 6.11 and annex E.2; 01-068r3, A.3)."""

import asyncpg
import structlog

from api.errors import problem_of
from api.ows.fault import INVALID, Fault
from api.ows.xml import Element, child, document
from api.wms.versions import Version
from layers.catalog import LayerNotFound
from layers.crs import NoWay, UnknownCrs
from layers.filters import FilterError
from layers.view import DatetimeError
from tiles.map import BadMap

REPORT_NAMESPACE = "http://www.opengis.net/ogc"
REPORT_SCHEMA = "http://schemas.opengis.net/wms/1.3.0/exceptions_1_3_0.xsd"
REPORT_DTD = "http://schemas.opengis.net/wms/1.1.1/WMS_exception_1_1_1.dtd"
MEDIA_TYPES: dict[Version, str] = {"1.3.0": "text/xml", "1.1.1": "application/vnd.ogc.se_xml"}
LOG = structlog.get_logger()


# What the floors below refuse, by the code that says it; special before general.
CODES: tuple[tuple[type[Exception], str, str | None], ...] = (
    (LayerNotFound, "LayerNotDefined", "LAYERS"),
    (UnknownCrs, "InvalidCRS", "CRS"),
    (NoWay, "InvalidCRS", "CRS"),
    (DatetimeError, "InvalidDimensionValue", "TIME"),
    (FilterError, INVALID, "CQL_FILTER"),
    (asyncpg.DataError, INVALID, "CQL_FILTER"),
    (BadMap, INVALID, None),
)


def fault_of(error: Exception, request_id: str) -> tuple[Fault, int]:
    """The service exception that tells of an error, and the HTTP status it goes with.

    A request that is at fault is answered with 200: the report is the answer (OGC 06-042, 6.11), and clients that see
    another status never read it. What the server cannot do now is 503, so that caches and clients come back.
    """
    if isinstance(error, Fault):
        return error, 200
    problem = problem_of(error)
    for family, code, locator in CODES:
        if isinstance(error, family):
            return Fault(code, problem.detail if isinstance(error, asyncpg.DataError) else str(error), locator), 200
    if problem.status < 500:
        return Fault(INVALID, problem.detail), 200
    if problem.status == 500:
        LOG.error("request failed", request_id=request_id, exc_info=error)
    else:
        LOG.warning("request refused", request_id=request_id, reason=f"{type(error).__name__}: {error}")
    return Fault("NoApplicableCode", problem.detail), problem.status


def report(fault: Fault, version: Version) -> bytes:
    """The ServiceExceptionReport of a version."""
    if version == "1.1.1":
        root = Element("ServiceExceptionReport", {"version": version})
        child(root, "ServiceException", str(fault), code=_code(fault, version))
        return document(root, doctype=f'ServiceExceptionReport SYSTEM "{REPORT_DTD}"')
    root = Element(
        "ServiceExceptionReport",
        {
            "version": version,
            "xmlns": REPORT_NAMESPACE,
            "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
            "xsi:schemaLocation": f"{REPORT_NAMESPACE} {REPORT_SCHEMA}",
        },
    )
    child(root, "ServiceException", str(fault), code=_code(fault, version), locator=fault.locator)
    return document(root)


def _code(fault: Fault, version: Version) -> str:
    # WMS 1.1.1 says spatial reference system where 1.3.0 says coordinate reference system.
    return "InvalidSRS" if fault.code == "InvalidCRS" and version == "1.1.1" else fault.code
