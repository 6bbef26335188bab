"""The county's outline: the frame's rectangle, worn at the edges."""

import numpy as np
import shapely

from twin.demo.contours import areas_above
from twin.demo.frame import Frame
from twin.demo.grid import noise
from twin.demo.shapes import largest


def outline(frame: Frame) -> shapely.Polygon:
    """The county; terrain goes on a little beyond it on all sides."""
    grid = frame.grid.coarser(2)
    x, y = grid.mesh()
    size = np.sqrt(frame.scale)
    inside = np.minimum(np.minimum(x - x.min(), x.max() - x), np.minimum(y - y.min(), y.max() - y)) - 300 * size
    worn = inside + 120 * size * noise(grid, 2500 * frame.scale, frame.random("county"), octaves=4)
    return largest(areas_above(grid, worn, tolerance=8.0))
