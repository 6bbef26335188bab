"""Which way storm water runs under the streets: from every street that can be drained to an outfall at water."""

import heapq
from dataclasses import dataclass

import numpy as np
import shapely

from twin.demo.districts import URBAN
from twin.demo.grid import Floats, Ints, Shapes
from twin.demo.ground_plan import GroundPlan
from twin.demo.lattice import Rank
from twin.demo.shapes import middles_of, points
from twin.demo.streets import HILL_ROAD
from twin.demo.villages import spaced_index

# Smallest fall, m per m; least and usual greatest depth of the pipe's bottom below the street, m.
FALL, SHALLOW, DEEP = 0.0009, 1.0, 2.9
MANHOLES_APART, OUTFALLS_APART, OUTFALL_REACH = 50.0, 240.0, 46.0
# Furthest way of the water under the streets, m.
FURTHEST = 1900.0


@dataclass(frozen=True)
class DrainedStreets:
    """Streets with drains: end nodes, length (m), lowest ground on the way (m), shape."""

    start: Ints
    end: Ints
    length: Floats
    lowest: Floats
    shape: Shapes


@dataclass(frozen=True)
class Outfalls:
    """node: of the street beside the water; bank: where the pipe ends; invert: there, m."""

    node: Ints
    bank: Floats
    invert: Floats


@dataclass(frozen=True)
class DrainTree:
    """How the street nodes drain.

    invert: of each node, m, infinite where there is no drain. parent, way: the next node downstream and the street
    to it, -1 at outfalls. order: the drained nodes from the outfalls up.
    """

    invert: Floats
    parent: Ints
    way: Ints
    order: list[int]


def drained_streets(plan: GroundPlan) -> DrainedStreets:
    """The streets of the built-up area."""
    network, districts = plan.network, plan.site.districts
    lines = network.lines
    urban = districts.at(districts.urban, *middles_of(lines.shape)) > URBAN
    fit = urban & (lines.rank >= Rank.TRUNK) & (lines.rank <= Rank.SERVICE) & ~lines.bridge & ~network.tunnel
    fit &= (lines.street != HILL_ROAD) & (network.start != network.end)
    which = np.flatnonzero(fit)
    shape = lines.shape[which]
    places, owner = _stations(shape)
    lowest = np.full(len(which), np.inf)
    np.minimum.at(lowest, owner, plan.ground_at(places))
    return DrainedStreets(network.start[which], network.end[which], shapely.length(shape), lowest, shape)


def pieces(length: Floats) -> Ints:
    """Number of pipes between manholes on a way of this length."""
    count: Ints = np.maximum(1, np.ceil(length / MANHOLES_APART)).astype(np.int64)
    return count


def _stations(shape: Shapes) -> tuple[Floats, Ints]:
    """Places along the lines, both ends included, where manholes may be, and the line of each."""
    count = 2 * pieces(shapely.length(shape)) + 1
    owner = np.repeat(np.arange(len(shape)), count)
    number = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    part = number / (count[owner] - 1)
    return shapely.get_coordinates(shapely.line_interpolate_point(shape[owner], part, normalized=True)), owner


def find_outfalls(plan: GroundPlan, streets: DrainedStreets) -> Outfalls:
    """Street nodes beside canals and river, at a distance from each other."""
    bodies, network = plan.water, plan.network
    water = np.flatnonzero(np.isin(bodies.kind, ("Canal", "River")))
    nodes = np.unique(np.concatenate((streets.start, streets.end)))
    at_node = points(network.places[nodes])
    (near, body), away = shapely.STRtree(bodies.shape[water]).query_nearest(
        at_node, max_distance=OUTFALL_REACH, return_distance=True, all_matches=False
    )
    nearest_first = np.argsort(away, kind="stable")
    near, body = near[nearest_first], body[nearest_first]
    chosen = spaced_index(network.places[nodes[near]], OUTFALLS_APART)
    node, own = nodes[near[chosen]], water[body[chosen]]
    way = shapely.shortest_line(at_node[near[chosen]], bodies.shape[own])
    bank = shapely.get_coordinates(shapely.get_point(way, -1))
    level = plan.ground_at(network.places[node])
    # The pipe's end lies half a metre under the usual water, where the bed and the street leave room for it.
    surface, bed = bodies.level[own], bodies.level[own] - bodies.depth[own]
    invert = np.maximum(np.minimum(surface - 0.5, level - DEEP + 0.6), bed + 0.25)
    deep_enough = invert + 0.1 < level - SHALLOW
    return Outfalls(node[deep_enough], bank[deep_enough], invert[deep_enough])


def grow(streets: DrainedStreets, level: Floats, outfalls: Outfalls) -> DrainTree:
    """Shortest ways to the outfalls along which pipes can fall under cover. level: ground at the street nodes, m."""
    incident: dict[int, list[int]] = {}
    for edge, ends in enumerate(zip(streets.start.tolist(), streets.end.tolist(), strict=True)):
        for node in ends:
            incident.setdefault(node, []).append(edge)
    start, end, length, lowest = (a.tolist() for a in (streets.start, streets.end, streets.length, streets.lowest))
    ground = level.tolist()
    away = np.full(len(level), np.inf)
    invert = np.full(len(level), np.inf)
    parent, way = np.full(len(level), -1), np.full(len(level), -1)
    away[outfalls.node] = 0
    invert[outfalls.node] = outfalls.invert + 0.05
    queue = [(0.0, node) for node in outfalls.node.tolist()]
    heapq.heapify(queue)
    done: set[int] = set()
    order = []
    while queue:
        spent, node = heapq.heappop(queue)
        if node in done:
            continue
        done.add(node)
        order.append(node)
        for edge in incident.get(node, ()):
            other = end[edge] if start[edge] == node else start[edge]
            total = spent + length[edge]
            cover = min(ground[other], lowest[edge])
            rise = max(float(invert[node]) + FALL * length[edge], cover - DEEP)
            if other not in done and total < min(away[other], FURTHEST) and rise <= cover - SHALLOW:
                away[other], invert[other], parent[other], way[other] = total, rise, node, edge
                heapq.heappush(queue, (total, other))
    return DrainTree(invert, parent, way, order)
