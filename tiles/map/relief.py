"""The ground's relief as pictures to lay on a map: shaded as the viewer shades it, and tinted up to an elevation."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from layers.colors import parse_color
from layers.crs import CRS84, OutsideCrs, transform_box
from tiles.map.png import write_png
from tiles.map.request import MapRequest
from tiles.map.scale import is_web
from tiles.terrain import Terrain

Floats = npt.NDArray[np.float64]

# Rows that are shaded at once, so that a large map takes little more memory than its picture.
STRIP = 256
# Below this zoom slopes are drawn steeper, by this power of two a zoom (MapLibre's hillshading).
PLAIN_ZOOM, STEEPER = 15, 0.3
# What lies no higher than the elevation asked for: CityTwin's own choice.
TINT = "#3f8fd0"
TINT_OPACITY = 0.5


def relief(terrain: Terrain, look: Mapping[str, Any], request: MapRequest, zoom: float) -> Iterator[tuple[int, bytes]]:
    """Pictures (PNG) of the relief, each as wide as the map, with the row from the top at which it is laid.

    look: of a hillshade. Nothing where no raster has a value. Raises TerrainUnreadable.
    """
    west, south, east, north = request.box
    across, down = (east - west) / request.width, (north - south) / request.height
    metres_x, metres_y = _ground(request)
    steepness = 2 * look["hillshade-exaggeration"] * 2 ** (STEEPER * max(0, PLAIN_ZOOM - int(zoom)))
    for top in range(0, request.height, STRIP):
        rows = min(STRIP, request.height - top)
        # A cell more on each side, so that slopes go on across strips and maps.
        box = (west - across, north - (top + rows + 1) * down, east + across, north - (top - 1) * down)
        heights = terrain.elevation(box, request.width + 2, rows + 2, request.known_crs.code)
        known = ~np.isnan(heights)
        if not known.any():
            continue
        slope_x, slope_y = _slopes(heights, metres_x * across, metres_y * down)
        shaded = _igor(slope_x * steepness, slope_y * steepness, look)
        if request.elevation is not None:
            low = heights[1:-1, 1:-1] <= request.elevation
            shaded = np.where(low[..., None], _over(shaded, _tint()), shaded)
        yield top, _png(shaded)


def _ground(request: MapRequest) -> tuple[float, float]:
    """Metres on the ground of a unit of the CRS, to the east and to the north, in the middle of the map."""
    crs = request.known_crs
    if not (crs.is_geographic or is_web(crs)):
        return crs.metres_per_unit, crs.metres_per_unit
    try:
        _, south, _, north = transform_box(request.box, crs, CRS84)
    except OutsideCrs:
        south = north = 0.0
    shrink = math.cos(math.radians(max(-80.0, min(80.0, (south + north) / 2))))
    return crs.metres_per_unit * shrink, crs.metres_per_unit * (1.0 if crs.is_geographic else shrink)


def _slopes(heights: npt.NDArray[np.float32], width: float, height: float) -> tuple[Floats, Floats]:
    """Rise over run to the east and to the south of the inner cells (Horn 1981); level where a neighbour is unknown."""
    h = heights.astype(np.float64)
    east = (h[:-2, 2:] + 2 * h[1:-1, 2:] + h[2:, 2:] - h[:-2, :-2] - 2 * h[1:-1, :-2] - h[2:, :-2]) / (8 * width)
    south = (h[2:, :-2] + 2 * h[2:, 1:-1] + h[2:, 2:] - h[:-2, :-2] - 2 * h[:-2, 1:-1] - h[:-2, 2:]) / (8 * height)
    return np.nan_to_num(east), np.nan_to_num(south)


def _igor(east: Floats, south: Floats, look: Mapping[str, Any]) -> Floats:
    """Igor Brejc's shading, with highlights, as MapLibre draws it: red, green, blue times opacity, and opacity."""
    towards = math.radians(look["hillshade-illumination-direction"]) + math.pi
    aspect = np.arctan2(south, -east)
    steep = np.arctan(np.hypot(east, south)) * 2 / math.pi
    away = 1 - np.abs(np.mod((aspect + towards) / math.pi + 0.5, 2) - 1)
    shadow, light = (_premultiplied(look[f"hillshade-{which}-color"]) for which in ("shadow", "highlight"))
    return np.asarray(shadow * (steep * away)[..., None] + light * (steep * (1 - away))[..., None])


def _tint() -> Floats:
    return _premultiplied(TINT) * TINT_OPACITY


def _premultiplied(color: str) -> Floats:
    red, green, blue, alpha = parse_color(color)
    return np.array([red * alpha, green * alpha, blue * alpha, alpha])


def _over(below: Floats, above: Floats) -> Floats:
    return np.asarray(above + below * (1 - above[3]))


def _png(premultiplied: Floats) -> bytes:
    """A PNG that takes no time to write and to read, for Mapnik knows no other way in."""
    alpha = premultiplied[..., 3:]
    plain = np.divide(premultiplied[..., :3], alpha, out=np.zeros_like(premultiplied[..., :3]), where=alpha > 0)
    rgba = np.rint(np.clip(np.concatenate([plain, alpha], axis=2), 0, 1) * 255).astype(np.uint8)
    return write_png(rgba, level=0)
