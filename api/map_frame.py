"""Which part of the world a map shows and in how many pixels: subsetting and scaling (OGC API Maps, 11 to 13 and 16).

What a request leaves open follows from the rest: the size from the box and the scale, the box from its centre, the
size and the scale, and all of it from where the layers are; always so that distances look alike in both directions.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from pyproj import Geod

from api.errors import BadRequest, NotFound, TooLarge
from api.parameters import Parameter, Query
from layers.catalog import Catalog
from layers.crs import CRS84, Box, Crs, OutsideCrs, UnknownCrs, box_in, parse_crs, storage_crs, transform_points
from layers.crs import transform_box as transformed
from tiles.map.request import LARGEST

Point = tuple[float, float]
Span = tuple[float | None, float | None]
OPEN: Span = (None, None)
# Pixels along the longer side of a map whose size nobody names.
USUAL_SIDE = 1024
# Side of a pixel on the standard's screen, millimetres.
USUAL_PIXEL_MM = 0.28
PIXELS_MM = (0.02, 2.8)
ELLIPSOID = Geod(ellps="GRS80")
URI = {"type": "string", "format": "uri"}
AXIS = re.compile(r"\s*(\w{1,20})\(([^():]{1,40})(?::([^():]{1,40}))?\)\s*\Z")
# What CRS84's axes are called by those who do not look it up.
LONGITUDES, LATITUDES = ("lon", "long", "longitude"), ("lat", "latitude")


def _numbers(count: tuple[int, ...], wanted: str) -> Callable[[str], tuple[float, ...]]:
    """Reads numbers with commas between them."""

    def parse(text: str) -> tuple[float, ...]:
        try:
            found = tuple(float(part) for part in text.split(","))
        except ValueError:
            found = ()
        if len(found) not in count or not all(map(math.isfinite, found)):
            raise ValueError(wanted)
        return found

    return parse


def _positive(low: float, high: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            raise ValueError(f"a number from {low:g} to {high:g} is wanted")
        return value

    return parse


def _pixels(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0):
        raise ValueError("a whole number of pixels is wanted")
    return int(text)


def _crs_parameter(name: str, description: str) -> Parameter[str | None]:
    return Parameter[str | None](name, description, str, None, URI, max_length=200)


def _side(name: str) -> Parameter[int | None]:
    schema = {"type": "integer", "minimum": 1, "maximum": LARGEST}
    return Parameter[int | None](name, f"Pixels, at most {LARGEST}.", _pixels, None, schema)


BBOX = Parameter[tuple[float, ...] | None](
    "bbox",
    "What the map shows: two corners, the lower left first, in the order of bbox-crs.",
    _numbers((4, 6), "four numbers are wanted, the lower left corner first (six with heights)"),
    None,
    {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 6},
)
BBOX_CRS = _crs_parameter("bbox-crs", "CRS of the bbox; CRS84 by default.")
SUBSET = Parameter[str | None](
    "subset",
    "As bbox, by the names of axes: Lat(28:28.2),Lon(120.9:121). What is not named, or is *, is as far as the city.",
    str,
    None,
    max_length=200,
)
SUBSET_CRS = _crs_parameter("subset-crs", "CRS of the subset; CRS84 by default.")
CENTER = Parameter[tuple[float, ...] | None](
    "center",
    "Middle of the map, in the order of center-crs.",
    _numbers((2,), "two numbers are wanted"),
    None,
    {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
)
CENTER_CRS = _crs_parameter("center-crs", "CRS of the centre; CRS84 by default.")
CRS = _crs_parameter("crs", "CRS of the map; the city's own by default.")
WIDTH, HEIGHT = _side("width"), _side("height")
SCALE = Parameter[float | None](
    "scale-denominator",
    "Metres on the ground to a metre on the screen, whose pixels measure mm-per-pixel.",
    _positive(1, 1e9),
    None,
    {"type": "number", "minimum": 1, "maximum": 1e9},
)
MM_PER_PIXEL = Parameter[float](
    "mm-per-pixel",
    "Side of a screen's pixel in millimetres; the finer, the larger symbols are drawn.",
    _positive(*PIXELS_MM),
    USUAL_PIXEL_MM,
    {"type": "number", "minimum": PIXELS_MM[0], "maximum": PIXELS_MM[1], "default": USUAL_PIXEL_MM},
)
PARAMETERS = (
    BBOX, BBOX_CRS, SUBSET, SUBSET_CRS, CENTER, CENTER_CRS, CRS, WIDTH, HEIGHT, SCALE, MM_PER_PIXEL,
)  # fmt: skip


@dataclass(frozen=True)
class Frame:
    """box: x (east), y (north) in `crs`. scale_factor: by which symbols grow on a screen of other pixels."""

    crs: Crs
    box: Box
    width: int
    height: int
    scale_factor: float

    def headers(self) -> dict[str, str]:
        """What the answer says of where it lies (/req/core/map-response, /rec/core/content-crs)."""
        box = ",".join(f"{value:.12g}" for value in self.crs.to_official(self.box))
        # The bare URI: only Part 2 of Features puts it in angle brackets.
        return {"Content-Bbox": box, "Content-Crs": self.crs.uri}


def take_frame(query: Query, catalog: Catalog, extent: Box | None) -> Frame:
    """What a query asks for. extent: where the layers are, in degrees. Raises BadRequest, NotFound, TooLarge, NoWay."""
    crs = _crs(query.take(CRS), CRS) or storage_crs(catalog)
    box, centre = _box(query, crs, catalog, extent), _centre(query, crs)
    width, height = (_limited(query.take(side), side) for side in (WIDTH, HEIGHT))
    scale, mm = query.take(SCALE), query.take(MM_PER_PIXEL)
    if box is not None and (centre is not None or (scale is not None and (width or height))):
        raise BadRequest("a bbox or subset with its size leaves nothing to a center or scale-denominator; give fewer")
    if box is None and centre is None and scale is None:
        box = _everything(crs, catalog, extent)
        # A size alone is that of the whole, as far as its shape allows.
        box = _widened(box, crs, width, height) if width and height else box
    if box is None:
        place = centre or _middle(_everything(crs, catalog, extent))
        width, height = width or height or USUAL_SIDE, height or width or USUAL_SIDE
        box = _around(place, crs, width, height, _metres(crs, catalog, extent, scale, mm))
    elif scale is not None:
        width, height = (_limited(round(m / (scale * mm / 1000)) or 1, WIDTH) for m in _size(box, crs))
    width, height = _filled(box, crs, width, height)
    return Frame(crs, box, width, height, USUAL_PIXEL_MM / mm)


def _crs(text: str | None, parameter: Parameter[str | None]) -> Crs | None:
    if text is None:
        return None
    try:
        return parse_crs(text)
    except UnknownCrs as error:
        raise BadRequest(f"{parameter.name}: {error}") from None


def _limited(side: int | None, parameter: Parameter[int | None]) -> int | None:
    """Raises TooLarge (11.5: a size out of range is answered with 413)."""
    if side is not None and side > LARGEST:
        raise TooLarge(f"{parameter.name}: {side} pixels; a map has at most {LARGEST} along a side")
    return side


def _box(query: Query, crs: Crs, catalog: Catalog, extent: Box | None) -> Box | None:
    """The box in the map's CRS; east of 180 where it crosses the antimeridian. Raises BadRequest, NotFound."""
    given, box_crs = query.take(BBOX), _crs(query.take(BBOX_CRS), BBOX_CRS) or CRS84
    subset, subset_crs = query.take(SUBSET), _crs(query.take(SUBSET_CRS), SUBSET_CRS) or CRS84
    if given is not None and subset is not None:
        raise BadRequest("bbox and subset say the same; give one")
    if given is None and subset is None:
        return None
    if given is None:
        box_crs, box = subset_crs, _subset(subset or "", subset_crs, catalog, extent)
    else:
        one, two, three, four = given if len(given) == 4 else (*given[:2], *given[3:5])
        box = box_crs.to_xy((one, two, three, four))
    box = _eastward(box) if box_crs.is_geographic else box
    west, south, east, north = box
    if not (west < east and south < north):
        raise BadRequest(f"bbox: {box_crs.code} counts {_axes(box_crs)}; give the lower left corner first")
    if box_crs == crs:
        return box
    try:
        return _eastward(transformed(box, box_crs, crs))
    except OutsideCrs as error:
        raise BadRequest(f"bbox: {error}") from None


def _eastward(box: Box) -> Box:
    """A box in degrees whose west is above its east, for it crosses the antimeridian, with its east one turn on."""
    west, south, east, north = box
    return west, south, east + 360 if west > east else east, north


def _subset(text: str, crs: Crs, catalog: Catalog, extent: Box | None) -> Box:
    """As Lat(28:28.2),Lon(120.9:121), in any order, in any case. Raises BadRequest, NotFound."""
    spans = _spans(text)
    names = [axis.abbrev.lower() for axis in crs.proj.axis_info]
    axes = [[name, *(LONGITUDES if name == "lon" else LATITUDES if name == "lat" else ())] for name in names]
    first, second = ([span for name, span in spans if name in axis] for axis in axes)
    if len(first) > 1 or len(second) > 1 or len(first) + len(second) != len(spans):
        raise BadRequest(f"subset={text[:80]!r}: {_axes(crs)} are the axes, each once, as Axis(low:high)")
    (low1, high1), (low2, high2) = *(first or [OPEN]), *(second or [OPEN])
    ends = (low1, low2, high1, high2)
    corners = [end for end in ends if end is not None]
    if len(corners) < len(ends):
        whole = crs.to_official(_everything(crs, catalog, extent))
        corners = [far if end is None else end for end, far in zip(ends, whole, strict=True)]
    west, south, east, north = box = crs.to_xy((corners[0], corners[1], corners[2], corners[3]))
    if crs.is_geographic and (min(west, east) > 180 or max(west, east) < -180 or south > 90 or north < -90):
        raise NotFound(f"subset={text[:80]!r}: {crs.code} has no such degrees")
    return box


def _spans(text: str) -> list[tuple[str, Span]]:
    """The axes of a subset in small letters, each with its ends; None for an open one. Raises BadRequest."""
    found: list[tuple[str, Span]] = []
    for part in re.split(r",(?=\s*\w+\()", text):
        match = AXIS.match(part)
        try:
            if match is None or match[3] is None:
                raise ValueError
            low, high = (None if end.strip() == "*" else float(end) for end in match.group(2, 3))
            if not all(end is None or math.isfinite(end) for end in (low, high)):
                raise ValueError
        except ValueError:
            raise BadRequest(f"subset={text[:80]!r}: axes are wanted as Axis(low:high), numbers or *") from None
        found.append((match[1].lower(), (low, high)))
    return found


def _axes(crs: Crs) -> str:
    return " and ".join(axis.abbrev for axis in crs.proj.axis_info)


def _centre(query: Query, crs: Crs) -> Point | None:
    given, own = query.take(CENTER), _crs(query.take(CENTER_CRS), CENTER_CRS) or CRS84
    if given is None:
        return None
    x, y = own.to_xy((given[0], given[1], given[0], given[1]))[:2]
    (x,), (y,) = transform_points(np.array([x]), np.array([y]), own, crs)
    if not math.isfinite(x + y):
        raise BadRequest(f"center: it has no place in {crs.code} ({crs.name})")
    return float(x), float(y)


def _everything(crs: Crs, catalog: Catalog, extent: Box | None) -> Box:
    """Where the layers are, in the map's CRS; the whole area of the city's while nothing is loaded."""
    degrees = extent or parse_crs(f"EPSG:{catalog.city.metric_srid}").area
    box = box_in(degrees, CRS84, crs)
    if box is None:
        raise BadRequest(f"crs: {crs.code} ({crs.name}) is not used where the city lies")
    west, south, east, north = box
    # Points on one line, or one alone, are shown with some ground around them.
    least = 100 / crs.metres_per_unit
    x, y = _middle(box)
    across, up = max(east - west, least) / 2, max(north - south, least) / 2
    return x - across, y - up, x + across, y + up


def _middle(box: Box) -> Point:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def _ground(crs: Crs, place: Point) -> Point:
    """Metres on the ground to a unit of the CRS, to the east and to the north of a place."""
    step = 10 / crs.metres_per_unit
    x = place[0] + np.array([-step, step, 0, 0])
    y = place[1] + np.array([0, 0, -step, step])
    lon, lat = transform_points(x, y, crs, CRS84)
    _, _, metres = ELLIPSOID.inv(lon[::2], lat[::2], lon[1::2], lat[1::2])
    if not np.isfinite(metres).all() or (metres <= 0).any():
        raise BadRequest(f"the map's middle has no place in {crs.code} ({crs.name})")
    return float(metres[0] / (2 * step)), float(metres[1] / (2 * step))


def _size(box: Box, crs: Crs) -> Point:
    """Metres on the ground across and up a box, as in its middle."""
    east, north = _ground(crs, _middle(box))
    return (box[2] - box[0]) * east, (box[3] - box[1]) * north


def _metres(crs: Crs, catalog: Catalog, extent: Box | None, scale: float | None, mm: float) -> float:
    """Metres on the ground to a pixel: by the scale, else so that the whole would have the usual size."""
    if scale is not None:
        return scale * mm / 1000
    return max(_size(_everything(crs, catalog, extent), crs)) / USUAL_SIDE


def _around(place: Point, crs: Crs, width: int, height: int, metres: float) -> Box:
    east, north = _ground(crs, place)
    across, up = width * metres / east / 2, height * metres / north / 2
    return place[0] - across, place[1] - up, place[0] + across, place[1] + up


def _widened(box: Box, crs: Crs, width: int, height: int) -> Box:
    """The box with ground added on two sides, so that it has the shape of the picture."""
    across, up = _size(box, crs)
    return _around(_middle(box), crs, width, height, max(across / width, up / height))


def _filled(box: Box, crs: Crs, width: int | None, height: int | None) -> tuple[int, int]:
    """The size, with what is left open so that distances look alike in both directions."""
    if width and height:
        return width, height
    across, up = _size(box, crs)
    if width is None and height is None:
        longer = max(across, up)
        return max(1, round(USUAL_SIDE * across / longer)), max(1, round(USUAL_SIDE * up / longer))
    if width is None:
        assert height is not None
        return min(LARGEST, max(1, round(height * across / up))), height
    return width, min(LARGEST, max(1, round(width * up / across)))
