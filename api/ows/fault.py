"""A request that a service of OWS Common refuses, and the report that says so (OGC 06-121r3, clause 8)."""

from api import ApiError
from api.ows.xml import Element, child, document

# Those that are of a parameter, whichever the service; WMS has none of its own for them.
MISSING, INVALID = "MissingParameterValue", "InvalidParameterValue"
NAMESPACES = {
    "xmlns": "http://www.opengis.net/ows/1.1",
    "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "xsi:schemaLocation": "http://www.opengis.net/ows/1.1 http://schemas.opengis.net/ows/1.1.0/owsExceptionReport.xsd",
}
# Those of OWS 1.0 (OGC 05-008), for WFS 1.1.0.
OLD_NAMESPACES = {
    "xmlns": "http://www.opengis.net/ows",
    "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "xsi:schemaLocation": "http://www.opengis.net/ows http://schemas.opengis.net/ows/1.0.0/owsExceptionReport.xsd",
}


class Fault(ApiError):
    """A request that is refused. code: the standard's; locator: the parameter that is at fault."""

    def __init__(self, code: str, detail: str, locator: str | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.locator = locator


def exception_report(fault: Fault, version: str, *, old: bool = False) -> bytes:
    """The ExceptionReport. version: of the service's standard; old: as OWS 1.0 has it."""
    root = Element("ExceptionReport", (OLD_NAMESPACES if old else NAMESPACES) | {"version": version})
    if not old:
        root.set("xml:lang", "en")
    exception = child(root, "Exception", exceptionCode=fault.code, locator=fault.locator)
    child(exception, "ExceptionText", str(fault))
    return document(root)
