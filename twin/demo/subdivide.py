"""Cutting many polygons at once into smaller ones of similar size, as blocks and parcels are cut from land."""

from dataclasses import dataclass

import numpy as np
import shapely

from twin.demo.grid import Bools, Floats, Ints, Shapes
from twin.demo.shapes import lines, polygons

# Places along a cut, as parts of its half length, where a bent cut has vertices.
STATIONS = np.array([-1.0, -0.5, 0.0, 0.5, 1.0])


@dataclass(frozen=True)
class Cuts:
    """How cuts are laid; each a number for all polygons or one for each.

    jitter: how far from the middle, as part of the length. tilt: standard deviation from the right angle, radians.
    bend: standard deviation of the sag, as part of the cut's length. aspect: length over width that pieces tend to.
    """

    jitter: Floats | float = 0.1
    tilt: Floats | float = 0.0
    bend: Floats | float = 0.0
    aspect: Floats | float = 1.0


def cut(shapes: Shapes, cuts: Cuts, rng: np.random.Generator) -> tuple[Shapes, Ints, Shapes]:
    """Each polygon cut in two across its oriented envelope.

    Returns the pieces, the index of the polygon each comes from, and the cut lines (one geometry a polygon). A
    concave polygon may fall into more than two pieces.
    """
    count = len(shapes)
    middle, axis, length, width = _axes(shapes, cuts)
    turn = rng.standard_normal(count) * cuts.tilt
    normal = np.stack((-axis[:, 1], axis[:, 0]), axis=1) * np.cos(turn)[:, None] + axis * np.sin(turn)[:, None]
    middle = middle + axis * (rng.uniform(-1, 1, count) * cuts.jitter * length)[:, None]
    sag = rng.standard_normal(count) * cuts.bend * width
    reach = width / 2 + 0.3 * length
    line = (
        middle[:, None]
        + normal[:, None] * (STATIONS * reach[:, None])[:, :, None]
        + axis[:, None] * (sag[:, None] * (1 - STATIONS**2))[:, :, None]
    )
    beyond = line[:, ::-1] + axis[:, None] * (2 * length[:, None] + 2 * reach[:, None])[:, :, None]
    half = polygons(np.concatenate((line, beyond, line[:, :1]), axis=1))
    sides = np.concatenate((shapely.intersection(shapes, half), shapely.difference(shapes, half)))
    pieces, side = shapely.get_parts(sides, return_index=True)
    solid = shapely.area(pieces) > 0
    return pieces[solid], side[solid] % count, shapely.intersection(shapes, lines(line))


def _axes(shapes: Shapes, cuts: Cuts) -> tuple[Floats, Floats, Floats, Floats]:
    """Middle of each polygon's oriented envelope, unit vector that cuts cross, extent along it and beside it, m."""
    corners = shapely.get_coordinates(shapely.oriented_envelope(shapes)).reshape(len(shapes), 5, 2)
    sides = np.stack((corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 1]), axis=1)
    extents: Floats = np.hypot(sides[..., 0], sides[..., 1])
    longest, shortest = extents.max(axis=1), extents.min(axis=1)
    # A piece that is less drawn out than wished is cut lengthwise.
    lengthwise = longest / np.maximum(shortest, 0.1) < cuts.aspect / np.sqrt(2)
    first = (extents[:, 0] >= extents[:, 1]) != lengthwise
    chosen_side = np.where(first, 0, 1)
    each = np.arange(len(shapes))
    length, width = extents[each, chosen_side], extents[each, 1 - chosen_side]
    axis = sides[each, chosen_side] / np.maximum(length, 1e-9)[:, None]
    return corners[:, :4].mean(axis=1), axis, length, width


def cut_down(
    shapes: Shapes, target: Floats, cuts: Cuts, rng: np.random.Generator, rounds: int = 16
) -> tuple[Shapes, Ints]:
    """Polygons cut again and again until none is larger than about 1.4 times its target.

    target: wished area of each polygon's pieces, m2. Returns the pieces and the index of the polygon each comes from.
    """
    origin = np.arange(len(shapes))
    done: list[Shapes] = []
    origins: list[Ints] = []
    for _ in range(rounds):
        large = shapely.area(shapes) > 1.4 * target[origin]
        done.append(shapes[~large])
        origins.append(origin[~large])
        if not large.any():
            break
        shapes, parent, _lines = cut(shapes[large], chosen(cuts, origin[large]), rng)
        origin = origin[large][parent]
    else:
        done.append(shapes)
        origins.append(origin)
    return np.concatenate(done), np.concatenate(origins)


def chosen(cuts: Cuts, which: Bools | Ints) -> Cuts:
    """The cuts of some of the polygons."""
    values = (cuts.jitter, cuts.tilt, cuts.bend, cuts.aspect)
    return Cuts(*(value[which] if isinstance(value, np.ndarray) else value for value in values))
