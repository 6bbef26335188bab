"""Exceptions: what a WFS answers when it cannot do as asked (OGC 09-025r2, 7.5 and D.2; 06-121r3, 8)."""

import asyncpg
import structlog

from api.errors import problem_of
from api.ows.fault import INVALID, Fault, exception_report
from api.wfs.versions import NEWEST, Version
from layers.catalog import LayerNotFound
from layers.crs import NoWay, UnknownCrs
from layers.features import SortError
from layers.fes import NoOrder, OtherLayer
from layers.filters import FilterError
from layers.formats.write import TooMuch
from layers.view import DatetimeError
from layers.xml import XmlError

UNREADABLE, FAILED, NOT_FOUND = "OperationParsingFailed", "OperationProcessingFailed", "NotFound"
UNSUPPORTED, NO_OPTION = "OperationNotSupported", "OptionNotSupported"
# Table D.2; what is not here is 400.
STATUSES = {UNSUPPORTED: 501, NO_OPTION: 501, FAILED: 403, NOT_FOUND: 404}
# What the floors below refuse, by the code that says it; special before general.
CODES: tuple[tuple[type[Exception], str, str | None], ...] = (
    (LayerNotFound, INVALID, "typeNames"),
    (UnknownCrs, INVALID, "srsName"),
    (NoWay, INVALID, "srsName"),
    (DatetimeError, INVALID, "datetime"),
    (SortError, INVALID, "sortBy"),
    (XmlError, UNREADABLE, "filter"),
    (NoOrder, FAILED, "filter"),
    (OtherLayer, INVALID, "resourceId"),
    (FilterError, INVALID, "filter"),
    (asyncpg.DataError, INVALID, "filter"),
    (TooMuch, FAILED, "count"),
)
# Names of parameters as the standard writes them.
LOCATORS = {
    name.upper(): name
    for name in (
        "service", "version", "request", "typeNames", "count", "startIndex", "resultType", "outputFormat", "srsName",
        "bbox", "filter", "cql_filter", "resourceId", "sortBy", "propertyName", "valueReference", "storedQuery_id",
        "resolve", "id", "sections", "updateSequence", "datetime", "recorded", "plan",
    )
}  # fmt: skip
LOG = structlog.get_logger()


def fault_of(error: Exception, request_id: str) -> tuple[Fault, int]:
    """The exception that tells of an error, and its HTTP status; what the server cannot do now is 503."""
    if isinstance(error, Fault):
        return error, STATUSES.get(error.code, 400)
    problem = problem_of(error)
    for family, code, locator in CODES:
        if isinstance(error, family):
            return Fault(code, problem.detail, locator), STATUSES.get(code, 400)
    if problem.status in (413, 414, 415):
        return Fault(UNREADABLE, problem.detail), problem.status
    if problem.status < 500:
        return Fault(INVALID, problem.detail), 400
    if problem.status == 500:
        LOG.error("request failed", request_id=request_id, exc_info=error)
    else:
        LOG.warning("request refused", request_id=request_id, reason=f"{type(error).__name__}: {error}")
    return Fault("NoApplicableCode", problem.detail), problem.status


def report(fault: Fault, version: Version) -> bytes:
    """The ExceptionReport of a version."""
    locator = None if fault.locator is None else LOCATORS.get(fault.locator.upper(), fault.locator)
    return exception_report(Fault(fault.code, str(fault), locator), version, old=version != NEWEST)
