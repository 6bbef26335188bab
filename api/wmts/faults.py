"""Exception reports: what a WMTS answers when it cannot do as asked (OGC 07-057r7, 7.2.4 and 7.4; 06-121r3, 8)."""

from api.ows.fault import INVALID, MISSING, Fault, exception_report
from api.wms.faults import fault_of
from tiles.matrix import TileOutOfRange

# What the modules shared with WMS refuse, as WMTS calls it, and the parameter that is meant.
AS_WMTS = {
    "LayerNotDefined": (INVALID, "LAYER"),
    "StyleNotDefined": (INVALID, "STYLE"),
    "InvalidFormat": (INVALID, "INFOFORMAT"),
    "InvalidPoint": ("PointIJOutOfRange", None),
    "InvalidDimensionValue": (INVALID, "TIME"),
    "InvalidCRS": (INVALID, None),
}
# OGC 07-057r7, tables 26 and 31; 06-121r3, table 28.
STATUSES = {"OperationNotSupported": 501, "NoApplicableCode": 500}

__all__ = ["INVALID", "MISSING", "Fault", "refusal", "report"]


def refusal(error: Exception, request_id: str, *, is_address: bool) -> tuple[Fault, int]:
    """The exception that tells of an error, and its HTTP status.

    is_address: what was asked for by address; what that does not name is not found (OGC 07-057r7, 10.3).
    """
    if isinstance(error, TileOutOfRange):
        return Fault("TileOutOfRange", str(error), "TILEROW"), 404 if is_address else 400
    fault, status = fault_of(error, request_id)
    code, locator = AS_WMTS.get(fault.code, (fault.code, fault.locator))
    if status == 200:
        status = STATUSES.get(code, 404 if is_address and code == INVALID else 400)
    return Fault(code, str(fault), locator or fault.locator), status


def report(fault: Fault) -> bytes:
    """The ExceptionReport."""
    return exception_report(fault, "1.0.0")
