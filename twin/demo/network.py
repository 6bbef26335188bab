"""The road network as one graph: streets, motorway and ramps, joined at nodes."""

from dataclasses import dataclass

import numpy as np
import shapely

from twin.demo.grid import Bools, Floats, Ints
from twin.demo.linework import Linework, components, join, node_ids
from twin.demo.through_routes import ThroughRoutes


@dataclass(frozen=True)
class Network:
    """All roads. start, end: node of each line; places: of the nodes; degree: lines at each node."""

    lines: Linework
    tunnel: Bools
    start: Ints
    end: Ints
    places: Floats
    degree: Ints

    @property
    def length(self) -> Floats:
        """Of each line, m."""
        result: Floats = shapely.length(self.lines.shape)
        return result


def connect(streets: Linework, routes: ThroughRoutes) -> Network:
    """Streets, motorway and ramps as one connected graph."""
    lines = join(streets, routes.lines)
    tunnel = np.concatenate((np.zeros(len(streets), dtype=bool), routes.tunnel))
    places, start, end = node_ids(lines)
    label = components(start, end, len(places))
    used = label[start] == np.bincount(label[start]).argmax()
    lines, tunnel = lines.take(used), tunnel[used]
    places, start, end = node_ids(lines)
    degree = np.bincount(np.concatenate((start, end)), minlength=len(places))
    return Network(lines, tunnel, start, end, places, degree)
