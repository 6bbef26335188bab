"""Parcels: the land left between the streets, cut by use."""

from dataclasses import dataclass

import numpy as np
import shapely

from twin.demo.grid import Floats, Ints, Shapes
from twin.demo.lattice import Rank
from twin.demo.linework import Linework
from twin.demo.streets import HECTARE
from twin.demo.subdivide import Cuts, cut_down
from twin.demo.uses import GROUND, Use

# Carriageway and whole street from wall to wall by rank, m.
CARRIAGEWAY = {
    Rank.MOTORWAY: 12.0, Rank.MOTORWAY_LINK: 7.0, Rank.TRUNK: 30.0, Rank.PRIMARY: 24.0, Rank.SECONDARY: 16.0,
    Rank.TERTIARY: 11.0, Rank.RESIDENTIAL: 7.0, Rank.SERVICE: 4.0, Rank.FOOTWAY: 2.5, Rank.BORDER: 0.0,
}  # fmt: skip
STREET = {
    Rank.MOTORWAY: 16.0, Rank.MOTORWAY_LINK: 9.0, Rank.TRUNK: 44.0, Rank.PRIMARY: 36.0, Rank.SECONDARY: 26.0,
    Rank.TERTIARY: 18.0, Rank.RESIDENTIAL: 12.0, Rank.SERVICE: 6.0, Rank.FOOTWAY: 3.0, Rank.BORDER: 0.0,
}  # fmt: skip


@dataclass(frozen=True)
class Parcels:
    """Polygons with their use and the index of the block they were cut from (-1: none)."""

    shape: Shapes
    use: Ints
    block: Ints

    def __len__(self) -> int:
        return len(self.shape)


def street_space(lines: Linework) -> Shapes:
    """The ground that each street takes."""
    width = np.array([STREET[rank] for rank in Rank])[lines.rank]
    space: Shapes = shapely.buffer(lines.shape, width / 2, quad_segs=2)
    return space


def cut_parcels(net: Shapes, use: Ints, block: Ints, rng: np.random.Generator) -> Parcels:
    """Parcels of blocks from which the streets have been taken."""
    size = np.array([GROUND[kind].parcel for kind in Use])[use] * HECTARE * rng.lognormal(0, 0.2, len(use))
    aspect = np.array([GROUND[kind].aspect for kind in Use])[use]
    shapes, origin = cut_down(net, size, Cuts(jitter=0.08, tilt=0.02, aspect=aspect), rng)
    return Parcels(shapes, _varied(shapes, use[origin], rng), block[origin])


def _varied(shapes: Shapes, use: Ints, rng: np.random.Generator) -> Ints:
    """Some parcels have another use than their block."""
    result = use.copy()
    throw = rng.random(len(use))
    large = shapely.area(shapes) > 400
    for kind, ground in GROUND.items():
        low = 0.0
        for other, share in ground.instead:
            changed = (use == kind) & (throw >= low) & (throw < low + share) & large
            result[changed] = other
            low += share
    return result


def fields_of(net: Shapes, block: Ints, offshore: Floats, hilliness: Floats, rng: np.random.Generator) -> Parcels:
    """Fields, orchards towards the hills, ponds towards the sea.

    offshore: distance to the coast (m, negative inland) and hilliness of each piece of rural land.
    """
    wish = np.full(len(net), GROUND[Use.FIELD].parcel * HECTARE)
    aspect = np.full(len(net), GROUND[Use.FIELD].aspect)
    shapes, origin = cut_down(net, wish * rng.lognormal(0, 0.3, len(net)), Cuts(0.1, 0.015, 0.0, aspect), rng)
    count = len(shapes)
    near_sea = np.exp(offshore[origin] / 500)
    near_hill = np.clip(1 + hilliness[origin] * 5, 0, 1)
    throw = rng.random(count)
    use = np.full(count, Use.FIELD, dtype=np.int64)
    use[throw < 0.03 + 0.5 * near_sea] = Use.POND
    use[throw > 0.975] = Use.FARMYARD
    use[(throw > 0.93 - 0.7 * near_hill) & (throw <= 0.975)] = Use.ORCHARD
    use[(shapely.area(shapes) < 2500) & (use == Use.POND)] = Use.FIELD
    return Parcels(shapes, use, block[origin])
