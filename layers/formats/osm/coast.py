"""The sea of an OpenStreetMap extract: what its coastlines cut off from the box of the file.

A coastline has land on its left and sea on its right (wiki.openstreetmap.org/wiki/Tag:natural=coastline). The box is
cut along them, and each piece is sea or land by the side it shows to the coastlines on its edge.
"""

from collections.abc import Sequence

import numpy as np
import shapely
from shapely import LineString, MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

Line = Sequence[tuple[float, float]]

# Degrees, about a millimetre: a step to the side of a coastline, to see which piece lies there.
ASIDE = 1e-8


def sea(coastlines: Sequence[Line], box: tuple[float, float, float, float]) -> MultiPolygon | None:
    """The sea inside `box` (west, south, east, north; degrees), or None where there is none to be sure of.

    An extract often ends its coastline inside the box. From such an end the sea is bounded by a straight line, square
    to the coast, out to the box: what lies in front of the known coast is sea, what lies beyond is not known. A piece
    that shows both sides is left out.
    """
    frame = shapely.box(*box)
    lines = [LineString(line) for line in coastlines if len(line) > 1]
    inside = shapely.intersection([*lines, *_bounds_of_the_known(lines, frame)], frame)
    if shapely.is_empty(inside).all():
        return None
    noded = shapely.union_all([*inside, frame.boundary])
    right, left = _beside(lines, frame)
    pieces = shapely.polygonize([noded]).geoms
    wet = [
        piece
        for piece in pieces
        if isinstance(piece, Polygon) and right.intersects(piece) and not left.intersects(piece)
    ]
    return MultiPolygon(wet) if wet else None


def _bounds_of_the_known(lines: Sequence[LineString], frame: Polygon) -> list[LineString]:
    """From each end of a coastline inside the frame, a line out to sea, square to the chord of the coast."""
    bounds = []
    far = 2 * frame.length
    merged = shapely.line_merge(shapely.union_all(lines), directed=True)
    for line in shapely.get_parts(merged):
        if line.is_closed:
            continue
        ends = shapely.get_coordinates(line)[[0, -1]]
        east, north = ends[1] - ends[0]
        seaward = np.array([north, -east]) / np.hypot(east, north) * far
        bounds += [LineString([end, end + seaward]) for end in ends if shapely.contains_xy(frame, *end)]
    return bounds


def _beside(lines: Sequence[LineString], frame: Polygon) -> tuple[BaseGeometry, BaseGeometry]:
    """Points just right and just left of the middle of every coastline segment inside the frame."""
    starts = np.concatenate([shapely.get_coordinates(line)[:-1] for line in lines])
    ends = np.concatenate([shapely.get_coordinates(line)[1:] for line in lines])
    middles, along = (starts + ends) / 2, ends - starts
    length = np.hypot(along[:, 0], along[:, 1])
    kept = (length > 10 * ASIDE) & shapely.contains_xy(frame, middles)
    to_right = np.column_stack((along[:, 1], -along[:, 0]))[kept] / length[kept, None] * ASIDE
    return shapely.multipoints(middles[kept] + to_right), shapely.multipoints(middles[kept] - to_right)
