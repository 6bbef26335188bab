"""Arrays of geometries from arrays of coordinates."""

import numpy as np
import shapely

from twin.demo.grid import Floats, Ints, Shapes


def points(places: Floats) -> Shapes:
    """A point for each row of x and y."""
    return np.asarray(shapely.points(places), dtype=object)


def lines(vertices: Floats) -> Shapes:
    """A line for each row of vertices."""
    return np.asarray(shapely.linestrings(vertices), dtype=object)


def lines_by_owner(vertices: Floats, owner: Ints) -> Shapes:
    """A line through the vertices of each owner; owners ascend without gap."""
    return np.asarray(shapely.linestrings(vertices, indices=owner), dtype=object)


def polygons(rings: Floats) -> Shapes:
    """A polygon for each row of corners."""
    return np.asarray(shapely.polygons(rings), dtype=object)


def one(shape: shapely.Geometry) -> Shapes:
    """A geometry as an array of one."""
    result = np.empty(1, dtype=object)
    result[0] = shape
    return result


def merged_lines(links: Shapes) -> Shapes:
    """Chains of lines that meet end to end, each as one line."""
    return shapely.get_parts(shapely.line_merge(shapely.MultiLineString(list(links))))


def places_of(shapes: Shapes) -> tuple[Floats, Floats]:
    """x and y of a point on each of the shapes."""
    inner = shapely.point_on_surface(shapes)
    return shapely.get_x(inner), shapely.get_y(inner)


def middles_of(shapes: Shapes) -> tuple[Floats, Floats]:
    """x and y of the middle of each line."""
    middle = shapely.line_interpolate_point(shapes, 0.5, normalized=True)
    return shapely.get_x(middle), shapely.get_y(middle)


def largest(parts: Shapes) -> shapely.Polygon:
    """The polygon of the greatest area."""
    result: shapely.Polygon = parts[shapely.area(parts).argmax()]
    return result
