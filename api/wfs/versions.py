"""The versions of WFS that are spoken, and what differs between them beside the features themselves."""

import re
from dataclasses import dataclass
from typing import Literal

from api.ows.fault import INVALID, Fault
from api.ows.kvp import Kvp

Version = Literal["2.0.0", "1.1.0"]
NEWEST: Version = "2.0.0"
OLDEST: Version = "1.1.0"
NUMBERS = re.compile(r"\d{1,4}(\.\d{1,4}){0,2}\Z", re.ASCII)


@dataclass(frozen=True)
class Dialect:
    """How a version writes. wfs, gml, ows: namespaces; gml_format: the outputFormat that is its own."""

    version: Version
    wfs: str
    gml: str
    ows: str
    schema: str
    gml_schema: str
    gml_format: str

    @property
    def is_newest(self) -> bool:
        return self.version == NEWEST


DIALECTS: dict[Version, Dialect] = {
    "2.0.0": Dialect(
        "2.0.0",
        "http://www.opengis.net/wfs/2.0",
        "http://www.opengis.net/gml/3.2",
        "http://www.opengis.net/ows/1.1",
        "http://schemas.opengis.net/wfs/2.0/wfs.xsd",
        "http://schemas.opengis.net/gml/3.2.1/gml.xsd",
        "application/gml+xml; version=3.2",
    ),
    "1.1.0": Dialect(
        "1.1.0",
        "http://www.opengis.net/wfs",
        "http://www.opengis.net/gml",
        "http://www.opengis.net/ows",
        "http://schemas.opengis.net/wfs/1.1.0/wfs.xsd",
        "http://schemas.opengis.net/gml/3.1.1/base/gml.xsd",
        "text/xml; subtype=gml/3.1.1",
    ),
}


def negotiated(kvp: Kvp) -> Version:
    """The version of the capabilities for a client (OGC 06-121r3, 7.3.2, and the older way of D.11). Raises Fault."""
    accepted = kvp.get("ACCEPTVERSIONS")
    if accepted is not None:
        for wanted in accepted.split(","):
            if (found := spoken(wanted.strip())) is not None:
                return found
        detail = f"ACCEPTVERSIONS={accepted[:60]!r}: {NEWEST} and {OLDEST} are spoken"
        raise Fault("VersionNegotiationFailed", detail, "AcceptVersions")
    asked = kvp.get("VERSION")
    if asked is None:
        return NEWEST
    if not NUMBERS.match(asked):
        raise Fault(INVALID, f"VERSION={asked[:40]!r}: {NEWEST} and {OLDEST} are spoken", "version")
    return NEWEST if _parts(asked) >= _parts(NEWEST) else OLDEST


def spoken(asked: str) -> Version | None:
    """The version that a number means, its last digit left aside; None for one that is not spoken."""
    if not NUMBERS.match(asked):
        return None
    return {(2, 0): NEWEST, (1, 1): OLDEST}.get(_parts(asked)[:2])


def _parts(version: str) -> tuple[int, int, int]:
    major, minor, patch = (*(int(part) for part in version.split(".")), 0, 0)[:3]
    return major, minor, patch
