"""Coordinate reference systems as clients name them: which they mean, and which axis they write first.

Inside CityTwin x is east and y is north. The standards write coordinates in the order that the CRS's own definition
gives (OGC 06-042, 6.7.2; OGC policy directive on axis order): latitude before longitude in EPSG:4326 and 4490,
northing before easting in the Gauss-Kruger zones of CGCS2000. PROJ's registry says which; nothing is listed by hand.
"""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.aoi import AreaOfInterest
from pyproj.database import query_crs_info, query_utm_crs_info
from pyproj.enums import PJType
from pyproj.exceptions import CRSError, ProjError

from layers import LayerError
from layers.access import SYSTEM
from layers.catalog import Catalog

Box = tuple[float, float, float, float]
Floats = NDArray[np.float64]

MAX_LENGTH = 300
EARTH_RADIUS_M = 6_378_137.0
# How far over the edge of its formal zone a projected CRS is still used: cities do not end at a meridian.
SPILL_DEGREES = 3.0
LAST_LATITUDE = 85.06
# Gauss-Kruger zones and 3-degree belts of CGCS2000 (EPSG registry).
CGCS2000_ZONES = range(4491, 4555)
AUTHORITIES = ("EPSG", "OGC", "ESRI", "IGNF")
# Names that came into use before web Mercator had a code of its own, or beside it.
WEB_MERCATOR = ("EPSG:900913", "EPSG:3785", "EPSG:102100", "EPSG:102113", "ESRI:102100", "ESRI:102113", "OSGEO:41001")
ALIASES = dict.fromkeys(WEB_MERCATOR, "EPSG:3857")
CODE = re.compile(r"[A-Z0-9_.]{1,32}h?\Z")
SHORT = re.compile(r"\[?(?P<authority>[A-Z]+):(?P<code>[\w.]+)\]?\Z", re.IGNORECASE)
URN = re.compile(r"urn:(?:x-)?ogc:def:crs:(?P<authority>[A-Z]+):(?:[\w.]*:)?(?P<code>[^:]+)\Z", re.IGNORECASE)
URI = re.compile(r"https?://(?:www\.)?opengis\.net/def/crs/(?P<authority>[A-Z]+)/[\w.]+/(?P<code>[^/]+)/?\Z", re.I)
GML_URI = re.compile(r"https?://(?:www\.)?opengis\.net/gml/srs/(?P<authority>[A-Z]+)\.xml#(?P<code>.+)\Z", re.I)
FORMS = (SHORT, URN, URI, GML_URI)
WKT = re.compile(r"\s*(?:[A-Z]+(?:CRS|CS|_CS)\s*[\[(]|\+|\{)", re.IGNORECASE)


class UnknownCrs(LayerError):
    """A text that names no CRS in which the city could be drawn or told; the message says why, and what does."""


class NoWay(LayerError):
    """Two CRS between which PROJ knows no accurate transformation."""


class OutsideCrs(LayerError):
    """A box that cannot be expressed in a CRS: it lies where the projection has no values."""


@dataclass(frozen=True)
class Crs:
    """A horizontal CRS.

    code: as PROJ reads it, EPSG:4549 or OGC:CRS84. north_first: whether the standards write its northing or latitude
    before its easting or longitude. area: west, south, east, north in degrees where it is meant to be used; west > east
    crosses the antimeridian.
    """

    code: str
    name: str
    north_first: bool
    is_geographic: bool
    metres_per_unit: float
    area: Box

    @property
    def proj(self) -> CRS:
        """As pyproj knows it."""
        return _proj(self.code)

    @property
    def srid(self) -> int | None:
        """The EPSG code as PostGIS knows it; None for a CRS of another authority."""
        authority, _, code = self.code.partition(":")
        return int(code) if authority == "EPSG" else 4326 if self == CRS84 else None

    @property
    def urn(self) -> str:
        """OGC 07-092r3."""
        authority, _, code = self.code.partition(":")
        return f"urn:ogc:def:crs:{authority}:{'1.3' if authority == 'OGC' else ''}:{code}"

    @property
    def uri(self) -> str:
        """As OGC API documents name it (OGC 09-048r5)."""
        authority, _, code = self.code.partition(":")
        return f"http://www.opengis.net/def/crs/{authority}/{'1.3' if authority == 'OGC' else '0'}/{code}"

    def to_xy(self, box: Box) -> Box:
        """A box in the CRS's own order of axes as x (east), y (north)."""
        return _exchanged(box) if self.north_first else box

    def to_official(self, box: Box) -> Box:
        """A box x (east), y (north) in the CRS's own order of axes."""
        return _exchanged(box) if self.north_first else box


def parse_crs(text: str) -> Crs:
    """The CRS that a text means: EPSG:n, CRS:84, a URN, a URI, or what old clients write. Raises UnknownCrs."""
    name = text.strip()
    if len(name) > MAX_LENGTH:
        raise UnknownCrs(f"a CRS's name has at most {MAX_LENGTH} characters; write it as EPSG:4549")
    if WKT.match(name):
        raise UnknownCrs("a CRS is named here, not defined by WKT or a PROJ string; write it as EPSG:4549")
    if name.upper().startswith("AUTO"):
        raise UnknownCrs(f"{name}: automatic projections are not offered; name the UTM zone, such as EPSG:32651")
    if name.upper() in ("CRS84", "CRS83", "CRS27"):
        name = f"OGC:{name}"
    matched = next((match for form in FORMS if (match := form.match(name))), None)
    if matched is None:
        raise UnknownCrs(f"{name!r} names no CRS; write it as EPSG:4549, CRS:84 or {CRS84.urn}")
    return _named(_canonical(matched["authority"].upper(), matched["code"].upper()), name)


def transform_box(box: Box, source: Crs, target: Crs, densify: int = 21) -> Box:
    """The box in `target` that covers a box in `source`, both x (east), y (north).

    densify: points on each side, for sides that bend. In a geographic target west > east crosses the antimeridian.
    Raises NoWay, OutsideCrs.
    """
    for step in _way(source.code, target.code):
        try:
            box = step.transform_bounds(*box, densify_pts=densify, errcheck=True)
        except ProjError:
            raise OutsideCrs(f"the box {_told(box)} has no place in {target.code} ({target.name})") from None
    if not all(map(math.isfinite, box)):
        raise OutsideCrs(f"the box has no place in {target.code} ({target.name})")
    return box


def transform_points(x: Floats, y: Floats, source: Crs, target: Crs) -> tuple[Floats, Floats]:
    """Points x (east), y (north) in another CRS; infinite where it has no values. Raises NoWay."""
    for step in _way(source.code, target.code):
        x, y = step.transform(x, y)
    return x, y


def box_in(extent: Box, source: Crs, target: Crs) -> Box | None:
    """What a catalogue states as the bounds of an extent: as far as `target` is used; None where it is not.

    extent: x (east), y (north) in `source`, a geographic CRS. Raises NoWay.
    """
    part = _common(extent, _reach(target))
    if part is None:
        return None
    try:
        return transform_box(part, source, target)
    except OutsideCrs:
        return None


def known_crs(catalog: Catalog) -> list[Crs]:
    """The CRS that a city offers by name, its own first; any other that PROJ knows is read as well."""
    here = _whereabouts(catalog)
    lon, lat = (here[0] + here[2]) / 2, (here[1] + here[3]) / 2
    own = [f"EPSG:{catalog.city.srid}", f"EPSG:{catalog.city.metric_srid}"]
    everywhere = ["EPSG:4326", "OGC:CRS84", "EPSG:3857", "EPSG:4490"]
    found = dict.fromkeys([*own, *everywhere, *_cgcs2000_zones(lon, lat), *_utm_zones(lon, lat)])
    return [parse_crs(code) for code in found]


def storage_crs(catalog: Catalog) -> Crs:
    """The geographic CRS that a city is stored in."""
    return parse_crs(f"EPSG:{catalog.city.srid}")


def _canonical(authority: str, code: str) -> str:
    if authority in ("CRS", "OGC"):
        # PROJ tells the letter of heights, CRS84h, by its case.
        return f"OGC:CRS{code.removeprefix('CRS').replace('H', 'h')}"
    name = f"{authority}:{code.lstrip('0') if code.isdigit() else code}"
    return ALIASES.get(name, name)


def _named(code: str, text: str) -> Crs:
    authority, _, number = code.partition(":")
    if authority not in AUTHORITIES or not CODE.match(number) or (authority == "EPSG" and not number.isdigit()):
        raise UnknownCrs(f"{text!r} names no CRS; those of {', '.join(AUTHORITIES)} are known, such as EPSG:4549")
    return _crs(code)


@lru_cache(maxsize=512)
def _crs(code: str) -> Crs:
    try:
        crs = _proj(code)
    except CRSError:
        raise UnknownCrs(f"PROJ knows no CRS {code}; write one as EPSG:4549") from None
    if not (crs.is_geographic or crs.is_projected) or len(crs.axis_info) != 2:
        raise UnknownCrs(_not_flat(code, crs))
    area = crs.area_of_use
    unit = crs.axis_info[0].unit_conversion_factor
    return Crs(
        code=code,
        name=crs.name,
        north_first=_is_north_first(code, crs),
        is_geographic=crs.is_geographic,
        metres_per_unit=unit * EARTH_RADIUS_M if crs.is_geographic else unit,
        area=area.bounds if area else (-180.0, -90.0, 180.0, 90.0),
    )


@lru_cache(maxsize=512)
def _proj(code: str) -> CRS:
    return CRS.from_user_input(code)


def _is_north_first(code: str, crs: CRS) -> bool:
    first, second = crs.axis_info
    if {first.direction, second.direction} == {"east", "north"}:
        return bool(first.direction == "north")
    # Around a pole both axes run along meridians, and only their names tell them apart (EPSG:32661 and 5041).
    if first.direction == second.direction and first.direction in ("north", "south"):
        return bool(first.name.lower().startswith("northing"))
    raise UnknownCrs(f"{code} ({crs.name}) counts to the {first.direction} and {second.direction}; no map is drawn so")


def _not_flat(code: str, crs: CRS) -> str:
    """Why a CRS cannot carry a map, and which of its relatives can."""
    if crs.is_geocentric:
        kind = "geocentric: X, Y, Z from the centre of the earth"
    elif crs.is_compound:
        flat = next((part for part in crs.sub_crs_list if len(part.axis_info) == 2), None)
        instead = f"; name its horizontal part, EPSG:{flat.to_epsg()}" if flat is not None and flat.to_epsg() else ""
        return f"{code} ({crs.name}) is compound, with heights{instead}"
    elif crs.is_vertical:
        return f"{code} ({crs.name}) is vertical: heights alone; name a horizontal CRS such as EPSG:4490"
    elif len(crs.axis_info) == 3:
        kind = "three-dimensional, with ellipsoidal heights"
    else:
        return f"{code} ({crs.name}) is no geographic or projected CRS; name one such as EPSG:4490"
    flat_code = _geographic_of(crs.name)
    return f"{code} ({crs.name}) is {kind}; a map is flat" + (f": name EPSG:{flat_code} instead" if flat_code else "")


def _geographic_of(name: str) -> str | None:
    """The EPSG code of the latitude and longitude of the same name: a datum's three CRS are called alike."""
    flat = query_crs_info("EPSG", PJType.GEOGRAPHIC_2D_CRS)
    return next((info.code for info in flat if info.name == name and not info.deprecated), None)


@lru_cache(maxsize=512)
def _way(source: str, target: str) -> tuple[Transformer, ...]:
    """Transformations to do one after the other; none where coordinates stay as they are.

    EPSG holds no transformation between CGCS2000 and WGS 84: both follow ITRF, and WGS 84 as an ensemble is only
    stated to 2 m, so PROJ would call any a ballpark. Here the two are one, as Chinese practice takes them.
    """
    if _proj(source).equals(_proj(target), ignore_axis_order=True):
        return ()
    if (direct := _transformer(source, target)) is not None:
        return (direct,)
    for here, there in (("EPSG:4490", "EPSG:4326"), ("EPSG:4326", "EPSG:4490")):
        first, second = _transformer(source, here), _transformer(there, target)
        if first is not None and second is not None:
            return first, second
    raise NoWay(
        f"no accurate transformation from {source} to {target} ({_proj(target).name}) is known, only a rough one that"
        " may be off by a hundred metres; name a CRS of the city's own datum, such as EPSG:4490"
    )


def _transformer(source: str, target: str) -> Transformer | None:
    try:
        return Transformer.from_crs(_proj(source), _proj(target), always_xy=True, allow_ballpark=False)
    except ProjError:
        return None


def _cgcs2000_zones(lon: float, lat: float) -> Iterable[str]:
    """6-degree zones and 3-degree belts of CGCS2000 in which a place lies, each with and without its number."""
    for crs in (_crs(f"EPSG:{code}") for code in CGCS2000_ZONES):
        west, south, east, north = crs.area
        if west <= lon <= east and south <= lat <= north:
            yield crs.code


@lru_cache(maxsize=64)
def _utm_zones(lon: float, lat: float) -> tuple[str, ...]:
    """The UTM zones of WGS 84 in which a place lies; PROJ takes a tenth of a second to look them up."""
    zones = query_utm_crs_info("WGS 84", AreaOfInterest(lon, lat, lon, lat))
    return tuple(f"EPSG:{zone.code}" for zone in zones)


def _whereabouts(catalog: Catalog) -> Box:
    """What the open layers cover, in degrees; the area of the metric CRS while they are empty."""
    boxes = [layer.extent for layer in catalog.layers(SYSTEM) if layer.extent and not layer.restricted]
    if not boxes:
        return parse_crs(f"EPSG:{catalog.city.metric_srid}").area
    west, south, east, north = zip(*boxes, strict=True)
    return min(west), min(south), max(east), max(north)


def _reach(crs: Crs) -> Box:
    west, south, east, north = crs.area
    if crs.is_geographic or west > east:
        return -180.0, -90.0, 180.0, 90.0
    return (
        max(west - SPILL_DEGREES, -180.0),
        max(south - SPILL_DEGREES, -LAST_LATITUDE),
        min(east + SPILL_DEGREES, 180.0),
        min(north + SPILL_DEGREES, LAST_LATITUDE),
    )


def _common(one: Box, other: Box) -> Box | None:
    west, south, east, north = (
        max(one[0], other[0]),
        max(one[1], other[1]),
        min(one[2], other[2]),
        min(one[3], other[3]),
    )
    return (west, south, east, north) if west <= east and south <= north else None


def _exchanged(box: Box) -> Box:
    first, second, third, fourth = box
    return second, first, fourth, third


def _told(box: Box) -> str:
    return ", ".join(f"{value:.10g}" for value in box)


CRS84 = _crs("OGC:CRS84")
