"""The lines of the street grid in grid coordinates, and polylines along them."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from twin.demo.frame import Frame
from twin.demo.grid import Floats, Ints, Shapes
from twin.demo.guide import Guide
from twin.demo.layout import Layout
from twin.demo.shapes import lines

# Mean distance between the lines that may become main streets, m.
SPACING = 540.0
STEP = 45.0


class Rank(IntEnum):
    """Street classes from the most important down; BORDER only separates land and is no street."""

    MOTORWAY = 0
    MOTORWAY_LINK = 1
    TRUNK = 2
    PRIMARY = 3
    SECONDARY = 4
    TERTIARY = 5
    RESIDENTIAL = 6
    SERVICE = 7
    FOOTWAY = 8
    BORDER = 9


@dataclass(frozen=True)
class Lattice:
    """Positions of the grid's lines, m, ascending, with their ranks: lines of constant u, and of constant v."""

    guide: Guide
    u: Floats
    v: Floats
    u_rank: Ints
    v_rank: Ints

    def line(self, along_u: bool, position: Floats) -> Shapes:
        """Polylines through the whole grid: v = position if `along_u`, else u = position.

        position: one row a line, of values at the points of `self.stations(along_u)`; or one column.
        """
        station = self.stations(along_u)
        across = np.broadcast_to(position, (len(position), len(station)))
        along = np.broadcast_to(station, across.shape)
        x, y = self.guide.xy(along, across) if along_u else self.guide.xy(across, along)
        return lines(np.stack((x, y), axis=-1))

    def stations(self, along_u: bool) -> Floats:
        """The running coordinate of the points of a line, m."""
        ends = self.u if along_u else self.v
        return np.arange(ends[0] - SPACING, ends[-1] + SPACING, STEP)


def lay_lattice(frame: Frame, layout: Layout, guide: Guide) -> Lattice:
    """Lines about SPACING apart; every other one primary, some of these trunk roads."""
    rng = frame.random("lattice")
    ranks = []
    positions = []
    for field, place in (
        (guide.u, (layout.station - 500, layout.industry - 350)),
        (guide.v, (layout.port, layout.new_town)),
    ):
        count = int((field.max() - field.min()) / SPACING) + 1
        at = field.min() + (np.arange(count) + 0.5) * SPACING + rng.uniform(-80, 80, count)
        rank = np.where(np.arange(count) % 2, Rank.SECONDARY, Rank.PRIMARY).astype(np.int64)
        for x, y in place:
            primary = np.flatnonzero(rank <= Rank.PRIMARY)
            target = guide.grid.sample(field, x, y)
            rank[primary[np.abs(at[primary] - target).argmin()]] = Rank.TRUNK
        positions.append(at)
        ranks.append(rank)
    return Lattice(guide, positions[0], positions[1], ranks[0], ranks[1])
