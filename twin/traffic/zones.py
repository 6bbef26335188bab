"""Zones: where trips begin and end, and how they come onto the network."""

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from twin.traffic.checks import largest_part
from twin.traffic.errors import InvalidNetwork
from twin.traffic.network import BPR, Floats, Ids, Integers, Network

# Connectors are driven at the speed of a yard, straight, with as much room as is wanted.
CONNECTOR_KMH = 15.0
CONNECTOR = "connector"


def nearest_nodes(network: Network, x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[Integers, Floats]:
    """The nearest node of the network's main part to each place, and metres to it."""
    candidates = largest_part(network)
    tree = shapely.STRtree(_points(network.x[candidates], network.y[candidates]))
    (_, found), distance = tree.query_nearest(
        shapely.points(np.asarray(x, np.float64), np.asarray(y, np.float64)), all_matches=False, return_distance=True
    )
    return candidates[found], distance


def connect(network: Network, ids: Sequence[Hashable], x: npt.ArrayLike, y: npt.ArrayLike, ways: int = 2) -> Network:
    """The network with a centroid for each zone, joined both ways to nodes near it; no one drives through.

    ways: at most so many nodes, none further than twice the nearest.
    Links keep their indices, connectors follow. Raises InvalidNetwork for ids that stand twice or are nodes already.
    """
    xs, ys = np.atleast_1d(np.asarray(x, np.float64)), np.atleast_1d(np.asarray(y, np.float64))
    if len(set(ids)) < len(ids) or any(each in network.node_index for each in ids):
        raise InvalidNetwork("zones: an id stands twice, or is a node's")
    if not (np.isfinite(xs) & np.isfinite(ys)).all():
        raise InvalidNetwork("zones: a centroid without coordinates")
    candidates = largest_part(network)
    tree = shapely.STRtree(_points(network.x[candidates], network.y[candidates]))
    zones, places = [], []
    for n, point in enumerate(_points(xs, ys)):
        # Twice the distance of the nearest holds further ones in all but empty places.
        reach = max(2 * point.distance(tree.geometries[tree.nearest(point)]), 1.0)
        near = tree.query(point, predicate="dwithin", distance=reach)
        near = near[np.argsort(shapely.distance(tree.geometries[near], point), kind="stable")][:ways]
        zones += [n] * len(near)
        places += candidates[near].tolist()
    centre, place = np.array(zones, np.int64) + network.nodes, np.array(places, np.int64)
    metres = np.hypot(network.x[place] - xs[zones], network.y[place] - ys[zones])
    lines = shapely.linestrings(
        np.stack([np.stack([xs[zones], ys[zones]], 1), np.stack([network.x[place], network.y[place]], 1)], 1)
    )
    m = 2 * len(place)

    def both(values: Any) -> Any:
        return np.concatenate([values, values])

    def after(old: Ids, new: Any) -> Ids:
        return np.concatenate([old, np.broadcast_to(np.asarray(new, old.dtype), (m,))])

    node_ids = np.array([*network.node_ids.tolist(), *ids], object)
    link_ids = [f"{CONNECTOR} {ids[z]} {n}" for n, z in enumerate(zones)]
    made = Network.build(
        node_ids,
        np.concatenate([network.tail, centre, place]),
        np.concatenate([network.head, place, centre]),
        after(network.free_time_s, both(metres / (CONNECTOR_KMH / 3.6))),
        after(network.capacity, 1e9),
        x=np.concatenate([network.x, xs]),
        y=np.concatenate([network.y, ys]),
        through=np.concatenate([network.through, np.zeros(len(xs), np.bool_)]),
        link_ids=np.array([*network.link_ids.tolist(), *link_ids, *link_ids], object),
        length_m=after(network.length_m, both(metres)),
        lanes=after(network.lanes, 1),
        toll=after(network.toll, 0),
        road_class=after(network.road_class, CONNECTOR),
        delay=after(network.delay, BPR),
        alpha=after(network.alpha, 0),
        beta=after(network.beta, 1),
        geometry=None if network.geometry is None else np.concatenate([network.geometry, both(lines)]),
        zones=list(ids),
        turns=network.turns,
        crs=network.crs,
    )
    return made.closing(np.flatnonzero(~network.open))


def _points(x: Floats, y: Floats) -> Ids:
    return np.array(shapely.points(x, y), object)
