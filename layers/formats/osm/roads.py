"""Roads of OpenStreetMap as a routable graph: ways are cut at shared nodes into edges between road nodes.

Two passes: the first counts how often each node is used by a road, the second cuts the ways. The counts are plain
arrays of node ids, so the memory is 24 bytes for each node of a road, whatever else the file holds.
"""

from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np
import osmium
from osmium.osm import Node, Way

from layers.formats.osm.tags import is_reversed, is_road

NODE_KINDS = {"traffic_signals": "signal", "crossing": "crossing"}

Point = tuple[float, float]


@dataclass(frozen=True)
class Edge:
    """A piece of a way between two road nodes (OSM node ids), in the direction of travel if it is one-way."""

    uid: str
    start: int
    end: int
    points: tuple[Point, ...]


@dataclass(frozen=True)
class RoadNode:
    uid: str
    kind: str
    degree: int
    point: Point


@dataclass
class RoadGraph:
    """Where ways are cut, and the road nodes that came of it.

    cuts: sorted ids of nodes that end a way, that ways share or that carry traffic signals. kinds: of tagged nodes.
    """

    cuts: np.ndarray[Any, np.dtype[np.int64]]
    kinds: dict[int, str]
    _points: dict[int, Point] = field(default_factory=dict)
    _degrees: Counter[int] = field(default_factory=Counter)

    @classmethod
    def scan(cls, path: Path) -> Self:
        """First pass over the file. Raises what pyosmium raises for a broken file."""
        refs, ends = array("q"), array("q")
        kinds: dict[int, str] = {}
        for thing in osmium.FileProcessor(path).with_filter(osmium.filter.KeyFilter("highway")):
            if isinstance(thing, Node) and (kind := NODE_KINDS.get(thing.tags["highway"])):
                kinds[thing.id] = kind
            elif isinstance(thing, Way) and is_road(dict(thing.tags)):
                nodes = [node.ref for node in thing.nodes]
                refs.extend(nodes)
                ends.extend((*nodes[:1], *nodes[-1:]))
        used, times = np.unique(np.asarray(refs, dtype=np.int64), return_counts=True)
        signals = np.array([node for node, kind in kinds.items() if kind == "signal"], dtype=np.int64)
        cuts = np.union1d(used[times > 1], np.union1d(np.asarray(ends, dtype=np.int64), np.intersect1d(used, signals)))
        return cls(cuts, kinds)

    def edges(self, way: Way) -> Iterator[Edge]:
        """The pieces of a way. Where the file lacks the place of a node, the road ends before it."""
        backwards = is_reversed(dict(way.tags))
        seen: Counter[str] = Counter()
        for run in _located_runs(way):
            for piece in self._pieces(run):
                nodes = piece[::-1] if backwards else piece
                start, end = nodes[0][0], nodes[-1][0]
                # Named by its nodes, so that a new junction elsewhere on the way leaves this edge what it was.
                uid = f"way/{way.id}/{start}-{end}"
                seen[uid] += 1
                self._note(nodes[0])
                self._note(nodes[-1])
                yield Edge(
                    uid=uid if seen[uid] == 1 else f"{uid}/{seen[uid]}",
                    start=start,
                    end=end,
                    points=tuple(point for _, point in nodes),
                )

    def nodes(self) -> Iterator[RoadNode]:
        """The nodes of all edges so far, each with the number of edge ends that meet there."""
        for node, point in self._points.items():
            degree = self._degrees[node]
            kind = self.kinds.get(node) or ("end" if degree == 1 else "junction")
            yield RoadNode(f"node/{node}", kind, degree, point)

    def _note(self, located: tuple[int, Point]) -> None:
        node, point = located
        self._points[node] = point
        self._degrees[node] += 1

    def _pieces(self, run: Sequence[tuple[int, Point]]) -> Iterator[Sequence[tuple[int, Point]]]:
        ids = np.array([node for node, _ in run], dtype=np.int64)
        at = np.searchsorted(self.cuts, ids).clip(max=max(self.cuts.size - 1, 0))
        inner = [i for i in np.flatnonzero(self.cuts[at] == ids).tolist() if 0 < i < len(run) - 1]
        bounds = [0, *inner, len(run) - 1]
        for first, last in pairwise(bounds):
            piece = run[first : last + 1]
            # A node named twice in a row, or two nodes in one place, make no edge.
            if any(point != piece[0][1] for _, point in piece):
                yield piece


def _located_runs(way: Way) -> Iterator[list[tuple[int, Point]]]:
    run: list[tuple[int, Point]] = []
    for node in way.nodes:
        if node.location.valid():
            run.append((node.ref, (node.lon, node.lat)))
        else:
            if len(run) > 1:
                yield run
            run = []
    if len(run) > 1:
        yield run
