"""The course of the river: where it leaves the hills, where its dam stands, how wide and how deep it is."""

from dataclasses import dataclass

import numpy as np

from twin.demo.frame import Frame
from twin.demo.grid import Floats, Grid
from twin.demo.layout import Layout

# Fall of the valley floor in the hills, m per m, and what the dam holds back at its foot, m.
VALLEY_SLOPE = 0.011
DAM_HEAD = 30.0
FREEBOARD = 4.0


@dataclass(frozen=True)
class River:
    """Points downstream from the spring through the bay.

    way: distance along the river, m. leaves_hills, mouth, dam: indices of points. rise: of the valley floor above the
    plain, m. width: of the water, m.
    """

    points: Floats
    way: Floats
    dam: int
    leaves_hills: int
    mouth: int
    rise: Floats
    width: Floats
    head: float

    @property
    def dam_axis(self) -> tuple[Floats, Floats]:
        """The dam's middle and the unit vector downstream."""
        before, after = self.points[self.dam - 3], self.points[self.dam + 3]
        return self.points[self.dam], (after - before) / np.hypot(*(after - before))


def course(frame: Frame, layout: Layout, grid: Grid, hilliness: Floats, coast: Floats) -> River:
    """The river of this plan. coast: distance to the coast, m, positive on land."""
    points = layout.river
    way = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))))
    size = np.sqrt(frame.scale)
    upland = (points[:, 0] < -2.5 * layout.unit) & (grid.sample(hilliness, *points.T) > 0)
    dam = int(np.hypot(*(points - layout.dam).T).argmin())
    leaves_hills = max(int(np.flatnonzero(upland).max()), dam + 8)
    mouth = int(np.flatnonzero(grid.sample(coast, *points.T) > 0).max())
    to_mouth = np.clip(way[mouth] - way, 0, None) / (way[mouth] - way[leaves_hills])
    width = size * (34 + 58 * np.clip(1 - to_mouth, 0, 1) + 130 * np.exp(-((to_mouth / 0.16) ** 1.5)))
    width[:leaves_hills] = np.clip(width[:leaves_hills] * 0.6, 10, None)
    rise = np.clip(way[leaves_hills] - way, 0, None) * VALLEY_SLOPE
    return River(points, way, dam, leaves_hills, mouth, rise, width, DAM_HEAD * frame.scale**0.3)
