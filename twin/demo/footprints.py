"""Shapes of buildings: rings in a unit square, stretched to size, turned and set in their places, many at once."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import shapely

from twin.demo.grid import Floats, Ints, Shapes
from twin.demo.shapes import polygons


class Shape(IntEnum):
    """Kinds of footprint."""

    RECTANGLE = 0
    STAGGERED = 1
    L = 2
    U = 3
    COURTYARD = 4
    H = 5
    CROSS = 6
    T = 7
    COMB = 8
    ROUND = 9


# Where wings end, as part of the building's size: `w` is a wing's width, filled in for each building.
RINGS: dict[Shape, str] = {
    Shape.RECTANGLE: "0 0, 1 0, 1 1, 0 1",
    Shape.STAGGERED: "0 .12, .5 .12, .5 0, 1 0, 1 .88, .5 .88, .5 1, 0 1",
    Shape.L: "0 0, 1 0, 1 w, w w, w 1, 0 1",
    Shape.U: "0 0, 1 0, 1 1, 1-w 1, 1-w w, w w, w 1, 0 1",
    Shape.COURTYARD: "0 0, 1 0, 1 1, 0 1",
    Shape.H: "0 0, w 0, w .38, 1-w .38, 1-w 0, 1 0, 1 1, 1-w 1, 1-w .62, w .62, w 1, 0 1",
    Shape.CROSS: "w 0, 1-w 0, 1-w w, 1 w, 1 1-w, 1-w 1-w, 1-w 1, w 1, w 1-w, 0 1-w, 0 w, w w",
    Shape.T: "0 1-w, .5-w/2 1-w, .5-w/2 0, .5+w/2 0, .5+w/2 1-w, 1 1-w, 1 1, 0 1",
    Shape.COMB: "0 0, 1 0, 1 1, 1-w 1, 1-w w, .5+w/2 w, .5+w/2 .9, .5-w/2 .9, .5-w/2 w, w w, w 1, 0 1",
}
ROUND_CORNERS = 20
# Three wings leave less room for each.
WIDEST = {Shape.COMB: 0.22}


@dataclass(frozen=True)
class Frames:
    """Where buildings stand: their middles, m; unit vectors along their length; length and depth, m."""

    middle: Floats
    along: Floats
    size: Floats


def footprints(kind: Ints, frames: Frames, wing: Floats, flip: Ints) -> Shapes:
    """Polygons of buildings.

    kind: a Shape each. wing: width of the wings as part of the size. flip: bit 1 mirrors along, bit 2 across.
    """
    middle, along, size = frames.middle, frames.along, frames.size
    result = np.empty(len(kind), dtype=object)
    across = np.stack((-along[:, 1], along[:, 0]), axis=1)
    for shape in Shape:
        which = np.flatnonzero(kind == shape)
        if not len(which):
            continue
        unit = _ring(shape, np.minimum(wing[which], WIDEST.get(shape, 0.5)))
        sign = np.stack((1 - 2 * (flip[which] & 1), 1 - (flip[which] & 2)), axis=1)[:, None]
        local = (unit - 0.5) * size[which][:, None] * sign

        outer = _placed(local, middle[which], along[which], across[which])
        if shape == Shape.COURTYARD:
            yard = local * (1 - 2 * wing[which][:, None, None])
            inner = _placed(yard, middle[which], along[which], across[which])
            rings = np.asarray(shapely.linearrings(inner), dtype=object)
            result[which] = shapely.polygons(np.asarray(shapely.linearrings(outer), dtype=object), holes=rings[:, None])
        else:
            result[which] = polygons(outer)
    return result


def _placed(corners: Floats, middle: Floats, along: Floats, across: Floats) -> Floats:
    """Corners given along and across a building, where they lie."""
    result: Floats = middle[:, None] + corners[..., :1] * along[:, None] + corners[..., 1:] * across[:, None]
    return result


def _ring(shape: Shape, wing: Floats) -> Floats:
    """Corners in the unit square, one ring for each wing width."""
    if shape == Shape.ROUND:
        angle = np.linspace(0, 2 * np.pi, ROUND_CORNERS, endpoint=False)
        ring = 0.5 + 0.5 * np.stack((np.cos(angle), np.sin(angle)), axis=1)
        return np.broadcast_to(ring, (len(wing), *ring.shape))
    corners = [corner.split() for corner in RINGS[shape].split(",")]
    return np.stack([np.stack([_value(term, wing) for term in corner], axis=1) for corner in corners], axis=1)


def _value(term: str, wing: Floats) -> Floats:
    """A coordinate such as `.5-w/2` for each wing width."""
    table = {"w": wing, "1-w": 1 - wing, ".5-w/2": 0.5 - wing / 2, ".5+w/2": 0.5 + wing / 2}
    return table[term] if term in table else np.full(len(wing), float(term))
