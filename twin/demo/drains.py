"""Storm drains under the town's streets: trees of pipes that fall all the way to outfalls at canals and river."""

import heapq
from dataclasses import dataclass

import numpy as np
import shapely

from twin.demo.districts import URBAN, Districts
from twin.demo.grid import Bools, Floats, Grid, Ints, Shapes
from twin.demo.lattice import Rank
from twin.demo.network import Network
from twin.demo.streets import HILL_ROAD
from twin.demo.tables import ThemeWriter, attributes, numbered
from twin.demo.villages import spaced
from twin.demo.water_bodies import WaterBodies
from twin.demo.works import Pumps

# Smallest fall, m per m; least and usual greatest depth of the pipe's bottom below the street, m.
FALL, SHALLOW, DEEP = 0.0009, 1.0, 2.9
MANHOLES_APART, OUTFALLS_APART, OUTFALL_REACH = 50.0, 240.0, 46.0
# Furthest way of the water under the streets, m.
FURTHEST = 1900.0
# Pipe sizes, mm, and the length of street upstream (m) above which the next one is taken.
SIZES = np.array([300, 400, 500, 600, 800, 1000, 1200, 1500, 1800, 2000])
STEPS = np.array([120, 260, 480, 800, 1500, 2600, 4200, 6500, 9500])


@dataclass(frozen=True)
class Drains:
    """Storm network. places, invert, ground: of the nodes, m; kind: their class. Pipes run from start to end, downhill.

    length_up: length of drained street above each pipe, m.
    """

    places: Floats
    kind: list[str]
    invert: Floats
    ground: Floats
    start: Ints
    end: Ints
    length_up: Floats


@dataclass(frozen=True)
class _Streets:
    """The drained streets: edge by edge the end nodes, length, lowest ground on the way, and shape."""

    start: Ints
    end: Ints
    length: Floats
    lowest: Floats
    shape: Shapes


def drain(network: Network, districts: Districts, bodies: WaterBodies, grid: Grid, ground: Floats) -> Drains:
    """Drains of all streets in the built-up area that have somewhere to drain to. ground: elevation on `grid`, m."""
    streets = _drained_streets(network, districts, grid, ground)
    level = _ground_at(grid, ground, network.places)
    sources, outfall, outfall_invert = _outfalls(network, streets, bodies, level)
    invert, parent, way, order = _fall(streets, level, sources, outfall_invert)
    return _network(
        network, streets, level, grid, ground, (invert, parent, way, order), (sources, outfall, outfall_invert)
    )


def _ground_at(grid: Grid, ground: Floats, places: Floats) -> Floats:
    result: Floats = ground[grid.cells(*places.T)].astype(float)
    return result


def _drained_streets(network: Network, districts: Districts, grid: Grid, ground: Floats) -> _Streets:
    lines = network.lines
    middle = shapely.line_interpolate_point(lines.shape, 0.5, normalized=True)
    urban = districts.at(districts.urban, shapely.get_x(middle), shapely.get_y(middle)) > URBAN
    fit = urban & (lines.rank >= Rank.TRUNK) & (lines.rank <= Rank.SERVICE) & ~lines.bridge & ~network.tunnel
    fit &= (lines.street != HILL_ROAD) & (network.start != network.end)
    which = np.flatnonzero(fit)
    shape = lines.shape[which]
    places, owner = _stations(shape)
    lowest = np.full(len(which), np.inf)
    np.minimum.at(lowest, owner, _ground_at(grid, ground, places))
    return _Streets(network.start[which], network.end[which], shapely.length(shape), lowest, shape)


def _pieces(length: Floats) -> Ints:
    return np.maximum(1, np.ceil(length / MANHOLES_APART)).astype(np.int64)


def _stations(shape: Shapes) -> tuple[Floats, Ints]:
    """Places along the lines, both ends included, where manholes may be, and the line of each."""
    count = 2 * _pieces(shapely.length(shape)) + 1
    owner = np.repeat(np.arange(len(shape)), count)
    number = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    part = number / (count[owner] - 1)
    return shapely.get_coordinates(shapely.line_interpolate_point(shape[owner], part, normalized=True)), owner


def _outfalls(network: Network, streets: _Streets, bodies: WaterBodies, level: Floats) -> tuple[Ints, Floats, Floats]:
    """Street nodes beside water, the places on the bank where their pipes end, and the inverts there, m."""
    water = np.flatnonzero(np.isin(bodies.kind, ("Canal", "River")))
    nodes = np.unique(np.concatenate((streets.start, streets.end)))
    points = shapely.points(network.places[nodes])
    tree = shapely.STRtree(bodies.shape[water])
    (near, body), away = tree.query_nearest(points, max_distance=OUTFALL_REACH, return_distance=True, all_matches=False)
    order = np.argsort(away, kind="stable")
    chosen = spaced(network.places[nodes[near[order]]], OUTFALLS_APART)
    keys = {tuple(place): i for i, place in enumerate(network.places[nodes[near]].tolist())}
    pick = np.array([keys[tuple(place)] for place in chosen.tolist()], dtype=np.int64)
    source, own = nodes[near[pick]], water[body[pick]]
    way = shapely.shortest_line(points[near[pick]], bodies.shape[own])
    bank = shapely.get_coordinates(shapely.get_point(way, -1))
    # The pipe's end lies half a metre under the usual water, where the bed and the street leave room for it.
    surface, bed = bodies.level[own], bodies.level[own] - bodies.depth[own]
    invert = np.maximum(np.minimum(surface - 0.5, level[source] - DEEP + 0.6), bed + 0.25)
    deep_enough = invert + 0.1 < level[source] - SHALLOW
    return source[deep_enough], bank[deep_enough], invert[deep_enough]


def _fall(
    streets: _Streets, level: Floats, sources: Ints, outfall_invert: Floats
) -> tuple[Floats, Ints, Ints, list[int]]:
    """Shortest ways to the outfalls along which pipes can fall under cover.

    Returns for each node the invert (m, inf where there is no drain), the next node and edge downstream, and the
    nodes from the outfalls up.
    """
    incident: dict[int, list[int]] = {}
    for edge, (a, b) in enumerate(zip(streets.start.tolist(), streets.end.tolist(), strict=True)):
        incident.setdefault(a, []).append(edge)
        incident.setdefault(b, []).append(edge)
    count = len(level)
    away = np.full(count, np.inf)
    invert = np.full(count, np.inf)
    parent, way = np.full(count, -1), np.full(count, -1)
    away[sources] = 0
    invert[sources] = outfall_invert + 0.05
    queue = [(0.0, node) for node in sources.tolist()]
    heapq.heapify(queue)
    start, end, length, lowest = (a.tolist() for a in (streets.start, streets.end, streets.length, streets.lowest))
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
            cover = min(float(level[other]), lowest[edge])
            rise = max(float(invert[node]) + FALL * length[edge], cover - DEEP)
            if other not in done and total < min(away[other], FURTHEST) and rise <= cover - SHALLOW:
                away[other], invert[other], parent[other], way[other] = total, rise, node, edge
                heapq.heappush(queue, (total, other))
    return invert, parent, way, order


def _network(
    network: Network,
    streets: _Streets,
    level: Floats,
    grid: Grid,
    ground: Floats,
    tree: tuple[Floats, Ints, Ints, list[int]],
    outlets: tuple[Ints, Floats, Floats],
) -> Drains:
    """Manholes and pipes along the tree's edges, and from the middle of every other street down to both its ends."""
    invert, parent, way, order = tree
    sources, bank, bank_invert = outlets
    in_tree = np.zeros(len(streets.length), dtype=bool)
    in_tree[way[way >= 0]] = True
    both = ~in_tree & np.isfinite(invert[streets.start]) & np.isfinite(invert[streets.end])
    head = np.maximum(invert[streets.start], invert[streets.end]) + FALL * streets.length / 2
    head = np.maximum(head, streets.lowest - DEEP)
    both &= head <= streets.lowest - SHALLOW
    loaded = np.zeros(len(level))
    np.add.at(loaded, streets.start[both], streets.length[both] / 2)
    np.add.at(loaded, streets.end[both], streets.length[both] / 2)
    for node in reversed(order):
        if parent[node] >= 0:
            loaded[parent[node]] += loaded[node] + streets.length[way[node]]
    child = np.flatnonzero(parent >= 0)
    edge = way[child]
    # Runs of pipes from the upper end of a street (part 0 or 1 of its length, or the middle) to the lower.
    half = np.flatnonzero(both)
    run_edge = np.concatenate((edge, half, half))
    upper_part = np.concatenate((np.where(streets.start[edge] == child, 0.0, 1.0), np.full(2 * len(half), 0.5)))
    lower_part = np.concatenate(
        (np.where(streets.start[edge] == child, 1.0, 0.0), np.zeros(len(half)), np.ones(len(half)))
    )
    nodes = np.flatnonzero(np.isfinite(invert))
    number = np.full(len(level), -1)
    number[nodes] = np.arange(len(nodes))
    middle = len(nodes) + np.arange(len(half))
    upper = np.concatenate((number[child], middle, middle))
    lower = np.concatenate((number[parent[child]], number[streets.start[half]], number[streets.end[half]]))
    high = np.concatenate((invert[child], head[half], head[half]))
    low = np.concatenate((invert[parent[child]], invert[streets.start[half]], invert[streets.end[half]]))
    carried = np.concatenate((loaded[child], np.zeros(2 * len(half))))
    run_length = streets.length[run_edge] * np.abs(upper_part - lower_part)
    count = _pieces(run_length)
    # Manholes within the runs.
    run = np.repeat(np.arange(len(count)), count - 1)
    step = np.arange(len(run)) - np.repeat(np.cumsum(count - 1) - (count - 1), count - 1) + 1
    part = step / count[run]
    along = upper_part[run] + (lower_part - upper_part)[run] * part
    inner = shapely.get_coordinates(
        shapely.line_interpolate_point(streets.shape[run_edge[run]], along, normalized=True)
    )
    inner_invert = high[run] + (low - high)[run] * part
    middle_place = shapely.get_coordinates(shapely.line_interpolate_point(streets.shape[half], 0.5, normalized=True))
    # On whole millimetres, as they are written, so that the ground is that of the cell they are found in.
    places = np.round(np.concatenate((network.places[nodes], middle_place, inner, bank)), 3)
    inverts = np.concatenate((invert[nodes], head[half], inner_invert, bank_invert))
    first_inner = len(nodes) + len(half)
    first_bank = first_inner + len(inner)
    starts, ends, pipe_run = _chained(count, upper, lower, first_inner)
    place_in_run = np.arange(len(pipe_run)) - (np.cumsum(count) - count)[pipe_run]
    length_up = carried[pipe_run] + run_length[pipe_run] * (place_in_run + 1) / count[pipe_run]
    return Drains(
        places=places,
        kind=["Manhole"] * first_bank + ["Outfall"] * len(bank),
        invert=inverts,
        ground=_ground_at(grid, ground, places),
        start=np.concatenate((starts, number[sources])),
        end=np.concatenate((ends, first_bank + np.arange(len(bank)))),
        length_up=np.concatenate((length_up, loaded[sources])),
    )


def _chained(count: Ints, upper: Ints, lower: Ints, first_inner: int) -> tuple[Ints, Ints, Ints]:
    """Start and end node of every pipe of the runs from the upper end down, and the run of each."""
    run = np.repeat(np.arange(len(count)), count)
    step = np.arange(len(run)) - np.repeat(np.cumsum(count) - count, count)
    before = np.cumsum(count - 1) - (count - 1)
    inner = first_inner + before[run] + step
    start = np.where(step == 0, upper[run], inner - 1)
    end = np.where(step == count[run] - 1, lower[run], inner)
    return start, end, run


def write_drains(
    drains: Drains, pumps: Pumps, grid: Grid, ground: Floats, pipes: ThemeWriter, nodes: ThemeWriter
) -> Bools:
    """Storm pipes and their nodes, and the pumps at the sea wall; gives which pipes are main drains."""
    uid = np.array(numbered("storm-node", range(len(drains.places))), dtype=object)
    nodes.write(
        shapely.points(drains.places),
        uid=uid,
        class_=drains.kind,
        medium="storm",
        invert=np.round(drains.invert, 4),
        ground_level=np.round(drains.ground, 3),
        depth=np.round(drains.ground - drains.invert, 3),
    )
    size = SIZES[np.searchsorted(STEPS, drains.length_up)]
    pipes.write(
        shapely.linestrings(np.stack((drains.places[drains.start], drains.places[drains.end]), axis=1)),
        uid=numbered("storm-pipe", range(len(size))),
        class_="Pipe",
        medium="storm",
        material=np.where(size >= 600, "reinforced concrete", "HDPE").tolist(),
        diameter_mm=size.astype(float),
        invert_start=np.round(drains.invert[drains.start], 4),
        invert_end=np.round(drains.invert[drains.end], 4),
        start_node=uid[drains.start],
        end_node=uid[drains.end],
    )
    at = shapely.get_coordinates(pumps.places)
    nodes.write(
        pumps.places,
        uid=pump_uids(pumps),
        class_="Pump",
        name=[f"{number + 1}号排涝泵" for number in pumps.sluice],
        name_en=[f"Drainage Pump {number + 1}" for number in pumps.sluice],
        medium="storm",
        invert=-0.5,
        ground_level=np.round(_ground_at(grid, ground, at), 3),
        depth=np.round(_ground_at(grid, ground, at) + 0.5, 3),
        attributes=attributes(capacity_m3_s=12.0, start_level_m=2.4, stop_level_m=1.9),
    )
    return size >= 1000


def pump_uids(pumps: Pumps) -> list[str]:
    """Unique id of each pump."""
    return numbered("pump", pumps.sluice)
