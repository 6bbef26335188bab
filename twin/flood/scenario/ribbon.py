"""The crest line of a wall that the city has as a long narrow polygon."""

from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

# Length of the outline over the root of the area: a square has 4, a strip of 1 to 20 has 9.4.
LEAST_STRETCH = 8.0
STEP_M = 5.0
MOST_POINTS = 3000


def crest_line(shape: Any) -> shapely.LineString | None:
    """Middle line of a strip, its own line for a line, the long axis for a block such as a dam; None for a point."""
    if shape.geom_type in ("LineString", "LinearRing"):
        return shapely.LineString(shape.coords)
    if shape.geom_type == "MultiLineString":
        return shapely.LineString(max(shape.geoms, key=lambda part: part.length))
    if shape.geom_type == "MultiPolygon":
        shape = max(shape.geoms, key=lambda part: part.area)
    if shape.geom_type != "Polygon":
        return None
    if shape.interiors:
        return _between_rings(shape)
    if shape.length / np.sqrt(shape.area) < LEAST_STRETCH:
        return _long_axis(shape)
    return _fold(shape)


def _fold(strip: shapely.Polygon) -> shapely.LineString:
    """The outline folded where both sides come nearest to each other; middles between the sides are the crest."""
    count = int(np.clip(strip.length / STEP_M, 40, MOST_POINTS)) // 2 * 2
    ring = shapely.get_coordinates(
        shapely.line_interpolate_point(strip.exterior, np.arange(count) / count, normalized=True)
    )
    half = np.arange(count // 2 + 1)
    apart = [
        float(np.hypot(*(ring[(fold + half) % count] - ring[(fold - half) % count]).T).mean())
        for fold in range(count // 2)
    ]
    fold = int(np.argmin(apart))
    middles = (ring[(fold + half) % count] + ring[(fold - half) % count]) / 2
    crest: shapely.LineString = shapely.simplify(shapely.LineString(middles[_forward(middles)]), 0.5)
    return crest


def _forward(points: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Points that are not on top of the one before."""
    return np.concatenate(([True], np.hypot(*np.diff(points, axis=0).T) > 0.01))


def _between_rings(ring: shapely.Polygon) -> shapely.LineString:
    """A dike all round: half-way between its outer and inner edge."""
    outer = shapely.get_coordinates(shapely.segmentize(ring.exterior, STEP_M))
    inner = shapely.LineString(max(ring.interiors, key=lambda hole: hole.length))
    nearest = shapely.get_coordinates(
        shapely.line_interpolate_point(inner, shapely.line_locate_point(inner, shapely.points(outer)))
    )
    return shapely.LineString((outer + nearest) / 2)


def _long_axis(block: shapely.Polygon) -> shapely.LineString:
    """Through the middles of the short sides of the narrowest rectangle around it."""
    corners = shapely.get_coordinates(shapely.minimum_rotated_rectangle(block))[:4]
    middles = (corners + np.roll(corners, -1, axis=0)) / 2
    if np.hypot(*(middles[0] - middles[2])) >= np.hypot(*(middles[1] - middles[3])):
        return shapely.LineString(middles[[0, 2]])
    return shapely.LineString(middles[[1, 3]])
