"""Where a map lies and how many pixels it has: BBOX, CRS or SRS, WIDTH, HEIGHT (OGC 06-042, 7.3.3.5 to 7.3.3.8)."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from pyproj import Geod

from api.ows.fault import INVALID, MISSING, Fault
from api.wms.call import Call
from layers.crs import CRS84, Box, Crs, OutsideCrs, parse_crs, storage_crs, transform_box, transform_points
from tiles.map.request import LARGEST

# That of CGCS2000, and to a tenth of a millimetre that of WGS 84.
ELLIPSOID = Geod(ellps="GRS80")


@dataclass(frozen=True)
class Frame:
    """box: x (east) and y (north) in `crs`, at the outer edges of the outermost pixels."""

    crs: Crs
    box: Box
    width: int
    height: int

    @cached_property
    def metres_per_pixel(self) -> float:
        """On the ground, in the middle of the map, along its height; nan where the CRS has no values."""
        west, south, east, north = self.box
        x, step = (west + east) / 2, (north - south) / self.height
        y = (south + north) / 2
        lon, lat = transform_points(np.array([x, x]), np.array([y - step / 2, y + step / 2]), self.crs, CRS84)
        _, _, metres = ELLIPSOID.inv(lon[0], lat[0], lon[1], lat[1])
        return float(metres)

    def at(self, column: float, row: float) -> tuple[float, float]:
        """The place of a point of the picture, counted in pixels from its upper left corner."""
        west, south, east, north = self.box
        return west + column / self.width * (east - west), north - row / self.height * (north - south)


def take_frame(call: Call) -> Frame:
    """Raises Fault, UnknownCrs, NoWay."""
    crs = take_crs(call)
    return Frame(crs, take_box(call, crs), take_side(call, "WIDTH"), take_side(call, "HEIGHT"))


def take_crs(call: Call) -> Crs:
    """Raises Fault, UnknownCrs, and NoWay for a CRS that the city cannot be put into."""
    name = "SRS" if call.version == "1.1.1" else "CRS"
    text = call.kvp.first(name, "CRS", "SRS")
    if text is None:
        raise Fault(MISSING, f"{name} is missing", name)
    crs = parse_crs(text)
    transform_points(np.empty(0), np.empty(0), storage_crs(call.catalog), crs)
    return crs


def take_box(call: Call, crs: Crs) -> Box:
    """Version 1.3.0 counts the axes as the CRS does, 1.1.1 always x before y. Raises Fault."""
    text = call.kvp.required("BBOX")
    try:
        one, two, three, four = (float(part) for part in text.split(","))
    except ValueError:
        raise Fault(INVALID, f"BBOX={text[:100]!r}: four numbers with commas between them are wanted", "BBOX") from None
    if not all(map(math.isfinite, (one, two, three, four))):
        raise Fault(INVALID, f"BBOX={text[:100]!r}: four finite numbers are wanted", "BBOX")
    given = (one, two, three, four)
    west, south, east, north = crs.to_xy(given) if call.version == "1.3.0" else given
    if not (west < east and south < north):
        raise Fault(INVALID, f"BBOX={text[:100]!r}: the lower corner must lie below and left of the upper one", "BBOX")
    return west, south, east, north


def take_side(call: Call, name: str) -> int:
    """WIDTH or HEIGHT in pixels. Raises Fault."""
    text = call.kvp.required(name)
    # Some clients compute a size and write it as 256.0.
    digits = text.partition(".")[0] if text.endswith(".0") else text
    if not (digits.isascii() and digits.isdigit() and len(digits) < 8 and 1 <= int(digits) <= LARGEST):
        raise Fault(INVALID, f"{name}={text[:40]!r}: 1 to {LARGEST} pixels are drawn", name)
    return int(digits)


def lies_nowhere(frame: Frame, call: Call) -> bool:
    """Whether no place of the city's CRS is in the map: such a map is empty, not wrong (OGC 06-042, 7.3.3.6)."""
    try:
        west, south, east, north = transform_box(frame.box, frame.crs, storage_crs(call.catalog))
    except OutsideCrs:
        return True
    return south > 90 or north < -90 or (frame.crs.is_geographic and (west > 180 or east < -180))
