"""Lines made into edges: split where they meet on one level, joined where their ends lie together."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import shapely

from twin.traffic.network import Floats, Ids, Integers


@dataclass(frozen=True)
class Pieces:
    """Lines, and which line each is a piece of."""

    lines: Ids
    of: Integers


def split_at_crossings(lines: Ids, levels: Integers, snap_m: float) -> Pieces:
    """Split lines where one of the same level crosses them, or ends on them within snap_m.

    Shared stretches are left as they are. Cuts nearer than snap_m to an end make no piece.
    """
    tree = shapely.STRtree(lines)
    a, b = tree.query(lines, predicate="dwithin", distance=snap_m)
    meets = (a != b) & (levels[a] == levels[b])
    a, b = a[meets], b[meets]
    cuts: dict[int, list[float]] = {}
    ends = np.stack([shapely.get_point(lines, 0), shapely.get_point(lines, -1)])
    for side in range(2):
        close = shapely.distance(lines[a], ends[side][b]) <= snap_m
        at = shapely.line_locate_point(lines[a[close]], ends[side][b[close]])
        _note(cuts, a[close], at)
    points, which = shapely.get_parts(shapely.intersection(lines[a], lines[b]), return_index=True)
    is_point = shapely.get_type_id(points) == shapely.GeometryType.POINT
    at = shapely.line_locate_point(lines[a[which[is_point]]], points[is_point])
    _note(cuts, a[which[is_point]], at)
    out: list[Any] = []
    of: list[int] = []
    for n, line in enumerate(lines):
        length = line.length
        inner = sorted(each for each in cuts.get(n, ()) if snap_m < each < length - snap_m)
        places = [0.0]
        for each in inner:
            places += [each] if each - places[-1] > snap_m else []
        parts = [line] if len(places) == 1 else _cut(line, [*places, length])
        out += parts
        of += [n] * len(parts)
    return Pieces(np.array(out, object), np.array(of, np.int64))


def join_ends(lines: Ids, snap_m: float) -> tuple[Integers, Integers, int]:
    """Nodes at the lines' starts and ends, one for all that lie within snap_m of each other, and how many."""
    points = np.concatenate([shapely.get_point(lines, 0), shapely.get_point(lines, -1)])
    a, b = shapely.STRtree(points).query(points, predicate="dwithin", distance=snap_m)
    # The least number among neighbours spreads until nothing changes: groups by shared ends.
    group = np.arange(len(points))
    while True:
        before = group.copy()
        np.minimum.at(group, a, group[b])
        group = group[group]
        if (group == before).all():
            break
    _, node = np.unique(group, return_inverse=True)
    return node[: len(lines)], node[len(lines) :], int(node.max(initial=-1)) + 1


def _note(cuts: dict[int, list[float]], lines: Integers, at: Floats) -> None:
    for line, place in zip(lines.tolist(), at.tolist(), strict=True):
        cuts.setdefault(line, []).append(place)


def _cut(line: shapely.LineString, places: list[float]) -> list[Any]:
    """The pieces of a line between distances along it."""
    from shapely.ops import substring

    return [substring(line, a, b) for a, b in pairwise(places)]
