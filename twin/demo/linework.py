"""Lines with a rank, noded so that they meet only at their ends, as a graph."""

from dataclasses import dataclass, fields

import numpy as np
import shapely

from twin.demo.grid import Bools, Floats, Ints, Shapes
from twin.demo.shapes import lines as lines_through
from twin.demo.shapes import one

# Vertices of noded lines are whole multiples of this, m; so junctions are equal to the bit.
PRECISION = 0.1


@dataclass(frozen=True)
class Linework:
    """Lines, one element each: geometry, rank, id of the street it is part of, whether it is a bridge."""

    shape: Shapes
    rank: Ints
    street: Ints
    bridge: Bools

    def __len__(self) -> int:
        return len(self.shape)

    def take(self, which: Bools | Ints) -> "Linework":
        """The lines chosen by a mask or by indices."""
        return Linework(*(getattr(self, column.name)[which] for column in fields(self)))


def lines_of(shapes: Shapes | shapely.Geometry, rank: Ints | int, street: Ints | int, bridge: bool = False) -> Linework:
    """Linework of the line parts of any geometries; rank and street hold for each geometry or for all."""
    many = one(shapes) if isinstance(shapes, shapely.Geometry) else shapes
    parts, parent = shapely.get_parts(many, return_index=True)
    # However short: a gap would join two faces.
    line = (shapely.get_type_id(parts) == 1) & (shapely.length(parts) > 0)
    parts, parent = parts[line], parent[line]
    ranks = np.broadcast_to(rank, many.shape)[parent]
    streets = np.broadcast_to(street, many.shape)[parent]
    return Linework(parts, ranks.astype(np.int64), streets.astype(np.int64), np.full(len(parts), bridge))


def join(*parts: Linework) -> Linework:
    """All lines together."""
    return Linework(*(np.concatenate([getattr(part, c.name) for part in parts]) for c in fields(Linework)))


def noded(lines: Linework) -> Linework:
    """The same lines cut wherever they meet, doubles merged into the most important of them."""
    pieces = shapely.get_parts(shapely.union_all(lines.shape, grid_size=PRECISION))
    middle = shapely.line_interpolate_point(pieces, 0.5, normalized=True)
    piece, source = shapely.STRtree(lines.shape).query_nearest(middle, max_distance=4 * PRECISION)
    # Of several sources on top of each other the one of the lowest rank counts; a bridge over its like stays one.
    order = np.lexsort((~lines.bridge[source], lines.rank[source], piece))
    piece, source = piece[order], source[order]
    first = np.concatenate(([True], piece[1:] != piece[:-1]))
    piece, source = piece[first], source[first]
    return Linework(pieces[piece], lines.rank[source], lines.street[source], lines.bridge[source])


def node_ids(lines: Linework) -> tuple[Floats, Ints, Ints]:
    """Junctions of noded lines: their places, and the junction at each line's start and end."""
    ends = np.concatenate((_point(lines.shape, 0), _point(lines.shape, -1)))
    keys = np.round(ends / PRECISION).astype(np.int64)
    _, first, number = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    number = number.ravel()
    return ends[first], number[: len(lines)], number[len(lines) :]


def components(start: Ints, end: Ints, count: int) -> Ints:
    """For each of `count` nodes the smallest node it is joined to, over edges start-end."""
    label = np.arange(count)
    while True:
        low = np.minimum(label[start], label[end])
        lowered = label.copy()
        np.minimum.at(lowered, start, low)
        np.minimum.at(lowered, end, low)
        # A label is itself a node of the component: following it halves the way each round.
        lowered = lowered[lowered]
        if np.array_equal(lowered, label):
            return label
        label = lowered


def largest_component(lines: Linework) -> Bools:
    """Which of the noded lines belong to the component with the greatest length."""
    places, start, end = node_ids(lines)
    label = components(start, end, len(places))
    length = np.bincount(label[start], weights=shapely.length(lines.shape), minlength=len(places))
    largest: Bools = label[start] == length.argmax()
    return largest


def without_dangles(lines: Linework, prunable: Bools, keep_near: Bools) -> Linework:
    """Noded lines less those prunable ones that end in nothing, again and again.

    keep_near: lines whose free end is where it should be.
    """
    places, start, end = node_ids(lines)
    alive = np.ones(len(lines), dtype=bool)
    while True:
        degree = np.bincount(start[alive], minlength=len(places)) + np.bincount(end[alive], minlength=len(places))
        loose = alive & prunable & ~keep_near & ((degree[start] == 1) | (degree[end] == 1))
        if not loose.any():
            return lines.take(alive)
        alive &= ~loose


def bearings(shapes: Shapes) -> Floats:
    """Direction from a line's start to its end, radians."""
    along = _point(shapes, -1) - _point(shapes, 0)
    result: Floats = np.arctan2(along[:, 1], along[:, 0])
    return result


def parallel_to(shapes: Shapes, others: Shapes, distance: float, angle: float) -> Bools:
    """Lines whose middle lies within `distance` m of one of `others` that runs within `angle` radians of them."""
    corners, line = shapely.get_coordinates(others, return_index=True)
    same = line[1:] == line[:-1]
    segments = np.stack((corners[:-1][same], corners[1:][same]), axis=1)
    along = segments[:, 1] - segments[:, 0]
    direction = np.arctan2(along[:, 1], along[:, 0])
    middle = shapely.line_interpolate_point(shapes, 0.5, normalized=True)
    near, segment = shapely.STRtree(lines_through(segments)).query_nearest(middle, max_distance=distance)
    turn = np.abs(np.sin(bearings(shapes)[near] - direction[segment]))
    result = np.zeros(len(shapes), dtype=bool)
    result[near[turn < np.sin(angle)]] = True
    return result


def _point(shapes: Shapes, index: int) -> Floats:
    result: Floats = shapely.get_coordinates(shapely.get_point(shapes, index))
    return result
