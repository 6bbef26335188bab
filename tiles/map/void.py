"""Where a map reaches beyond the earth: pixels that are no place of the map's CRS (OGC 20-058, 10.3, void-color)."""

import math

import numpy as np
import numpy.typing as npt

from layers.crs import CRS84, EARTH_RADIUS_M, transform_points
from tiles.map.request import MapRequest

Mask = npt.NDArray[np.bool_]
# Points along a side that are looked at; of a larger picture's pixels every so many.
MOST = 512


def void_of(request: MapRequest) -> Mask:
    """Which pixels are beyond the poles, or where the projection leads from nowhere: [height, width], north first.

    Longitudes go around, so that a map in degrees ends in the north and south alone.
    """
    crs = request.known_crs
    west, south, east, north = request.box
    rows, columns = min(request.height, MOST), min(request.width, MOST)
    across, up = (east - west) / columns, (north - south) / rows
    x = west + (np.arange(columns) + 0.5) * across
    y = north - (np.arange(rows) + 0.5) * up
    if crs.is_geographic:
        pole = math.pi / 2 * EARTH_RADIUS_M / crs.metres_per_unit
        found = np.broadcast_to(np.abs(y)[:, None] > pole, (rows, columns))
    else:
        xs, ys = (each.ravel() for each in np.meshgrid(x, y))
        there = transform_points(*transform_points(xs, ys, crs, CRS84), CRS84, crs)
        # A place is found again from its longitude and latitude; what is beyond the edge comes back elsewhere.
        is_found = (np.abs(there[0] - xs) < across) & (np.abs(there[1] - ys) < up)
        found = ~is_found.reshape(rows, columns)
    return found[np.arange(request.height) * rows // request.height][
        :, np.arange(request.width) * columns // request.width
    ]
