"""Names of CRS as GML and WFS write them: the form of the name decides which axis comes first.

A URN or an http URI means the order of axes that the CRS itself defines (OGC 07-092r3; 09-048r5). The short EPSG:4326,
and the address within epsg.xml that GML 2 had, are written x (east) before y (north) by whoever writes them: GeoServer,
GDAL and QGIS alike.
"""

from dataclasses import dataclass

from layers.crs import CRS84, GML_URI, SHORT, URI, Box, Crs, parse_crs


@dataclass(frozen=True)
class SrsName:
    """A CRS and how it was named. text: the name, for documents in it; east_first: x (east) before y (north)."""

    crs: Crs
    text: str
    east_first: bool

    @property
    def north_first(self) -> bool:
        """Whether coordinates under this name begin with the northing or latitude."""
        return self.crs.north_first and not self.east_first

    def to_official(self, box: Box) -> Box:
        """A box under this name in the CRS's own order of axes."""
        one, two, three, four = box
        return (two, one, four, three) if self.crs.north_first and self.east_first else box


def parse_srs_name(text: str) -> SrsName:
    """Raises UnknownCrs."""
    crs, name = parse_crs(text), text.strip()
    if GML_URI.match(name):
        authority, _, code = crs.code.partition(":")
        return SrsName(crs, f"http://www.opengis.net/gml/srs/{authority.lower()}.xml#{code}", True)
    if URI.match(name):
        return SrsName(crs, crs.uri, False)
    if SHORT.match(name) and crs != CRS84:
        return SrsName(crs, crs.code, True)
    return official_name(crs)


def official_name(crs: Crs) -> SrsName:
    """The URN of a CRS."""
    return SrsName(crs, crs.urn, False)
