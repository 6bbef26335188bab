"""How large a map draws: the zoom at which the viewer would show the same ground, and where that ground lies."""

import math

from layers.access import SYSTEM
from layers.catalog import Catalog
from layers.crs import Crs, OutsideCrs, transform_box
from tiles.map.request import MapRequest
from tiles.matrix import HALF_WORLD, PIXELS, Box

# Widths grow by a few per cent from one step of zoom to the next, and each step is prepared once.
STEPS = 8
DEEPEST = 24.0
STEEPEST = 80.0


def zoom_of(request: MapRequest, catalog: Catalog) -> float:
    """The viewer's zoom at which its ground has the map's scale, in steps of 1/8."""
    west, south, east, north = request.box
    crs = request.known_crs
    across, down = (east - west) / request.width, (north - south) / request.height
    if crs.is_geographic:
        # As OGC's grids count degrees: along the equator.
        pixel = across * crs.metres_per_unit
    else:
        pixel = math.sqrt(across) * math.sqrt(down) * crs.metres_per_unit
        if not is_web(crs):
            # Taken at the city, not in the picture, so that neighbouring pictures are of one zoom.
            pixel /= math.cos(latitude_of(catalog))
    return zoom_of_pixel(pixel * request.scale_factor)


def zoom_of_pixel(side: float) -> float:
    """The viewer's zoom of which a pixel's side is so many metres along the equator, in steps of 1/8."""
    zoom = math.log2(2 * HALF_WORLD / PIXELS) - math.log2(side)
    return min(DEEPEST, max(0.0, round(zoom * STEPS) / STEPS))


def is_web(crs: Crs) -> bool:
    """Whether it is the CRS that geometry is stored in for drawing, under any of its names."""
    return crs.code == "EPSG:3857"


def box_in(box: Box, crs: Crs, target: Crs) -> Box:
    """The box of a map in another CRS; all of the world where it has none there, or would cross the antimeridian."""
    try:
        found = transform_box(box, crs, target)
    except OutsideCrs:
        found = None
    if found is None or found[0] >= found[2]:
        half_x, half_y = (180.0, 90.0) if target.is_geographic else (HALF_WORLD, HALF_WORLD)
        return -half_x, -half_y, half_x, half_y
    return found


def latitude_of(catalog: Catalog) -> float:
    """About where the city lies, in radians from the equator."""
    extents = [layer.extent for layer in catalog.layers(SYSTEM) if layer.extent]
    if not extents:
        return 0.0
    middle = (min(e[1] for e in extents) + max(e[3] for e in extents)) / 2
    return math.radians(max(-STEEPEST, min(STEEPEST, middle)))
