"""Storm drains under the town's streets: pipes between manholes that fall all the way to outfalls at water."""

from dataclasses import dataclass

import numpy as np
import shapely

from twin.demo.drain_tree import (
    DEEP,
    FALL,
    SHALLOW,
    DrainedStreets,
    DrainTree,
    drained_streets,
    find_outfalls,
    grow,
    pieces,
)
from twin.demo.grid import Floats, Ints
from twin.demo.ground_plan import GroundPlan
from twin.demo.shapes import lines, points
from twin.demo.tables import ThemeWriter, attributes, numbered
from twin.demo.works import Pumps

# Pipe sizes, mm, and the length of street upstream (m) above which the next one is taken.
SIZES = np.array([300, 400, 500, 600, 800, 1000, 1200, 1500, 1800, 2000])
STEPS = np.array([120, 260, 480, 800, 1500, 2600, 4200, 6500, 9500])
# Bottom of the pumps' sumps, and the levels at which they start and stop, m above the 1985 datum.
SUMP, START_LEVEL, STOP_LEVEL = -0.5, 2.4, 1.9


@dataclass(frozen=True)
class Drains:
    """Storm network. places, invert (m): of the nodes; kind: their class. Pipes run from start to end, downhill.

    length_up: length of drained street above the lower end of each pipe, m.
    """

    places: Floats
    kind: list[str]
    invert: Floats
    start: Ints
    end: Ints
    length_up: Floats


@dataclass(frozen=True)
class _Runs:
    """Pipes along one street from an upper place to a lower one.

    edge: street. from_part, to_part: places along it, as parts of its length. upper, lower: nodes there. high, low:
    their inverts, m. carried: length of drained street above the upper place, m.
    """

    edge: Ints
    from_part: Floats
    to_part: Floats
    upper: Ints
    lower: Ints
    high: Floats
    low: Floats
    carried: Floats


def drain(plan: GroundPlan) -> Drains:
    """Drains of all streets in the built-up area that have somewhere to drain to."""
    streets = drained_streets(plan)
    outfalls = find_outfalls(plan, streets)
    tree = grow(streets, plan.ground_at(plan.network.places), outfalls)
    heads, head_invert = _split_streets(streets, tree)
    load = _loads(streets, tree, heads)
    nodes = np.flatnonzero(np.isfinite(tree.invert))
    number = np.full(len(tree.invert), -1)
    number[nodes] = np.arange(len(nodes))
    runs = _join(_tree_runs(streets, tree, number, load), _head_runs(streets, tree, number, heads, head_invert))
    count = pieces(streets.length[runs.edge] * np.abs(runs.from_part - runs.to_part))
    inner, inner_invert = _manholes(streets, runs, count)
    middles = shapely.get_coordinates(shapely.line_interpolate_point(streets.shape[heads], 0.5, normalized=True))
    first_inner = len(nodes) + len(heads)
    first_bank = first_inner + len(inner)
    start, end, run, place = _chained(count, runs, first_inner)
    way = streets.length[runs.edge] * np.abs(runs.from_part - runs.to_part)
    banks = first_bank + np.arange(len(outfalls.node))
    places = np.concatenate((plan.network.places[nodes], middles, inner, outfalls.bank))
    return Drains(
        # On whole millimetres, as they are written, so that the ground is that of the cell they are found in.
        places=np.round(places, 3),
        kind=["Manhole"] * first_bank + ["Outfall"] * len(banks),
        invert=np.concatenate((tree.invert[nodes], head_invert, inner_invert, outfalls.invert)),
        start=np.concatenate((start, number[outfalls.node])),
        end=np.concatenate((end, banks)),
        length_up=np.concatenate((runs.carried[run] + way[run] * (place + 1) / count[run], load[outfalls.node])),
    )


def _split_streets(streets: DrainedStreets, tree: DrainTree) -> tuple[Ints, Floats]:
    """Streets outside the tree that drain from their middle to both ends, and the invert in the middle, m."""
    in_tree = np.zeros(len(streets.length), dtype=bool)
    in_tree[tree.way[tree.way >= 0]] = True
    head = np.maximum(tree.invert[streets.start], tree.invert[streets.end]) + FALL * streets.length / 2
    head = np.maximum(head, streets.lowest - DEEP)
    both = np.flatnonzero(~in_tree & (head <= streets.lowest - SHALLOW))
    return both, head[both]


def _loads(streets: DrainedStreets, tree: DrainTree, heads: Ints) -> Floats:
    """Length of drained street above each node, m."""
    load = np.zeros(len(tree.invert))
    np.add.at(load, streets.start[heads], streets.length[heads] / 2)
    np.add.at(load, streets.end[heads], streets.length[heads] / 2)
    for node in reversed(tree.order):
        if tree.parent[node] >= 0:
            load[tree.parent[node]] += load[node] + streets.length[tree.way[node]]
    return load


def _tree_runs(streets: DrainedStreets, tree: DrainTree, number: Ints, load: Floats) -> _Runs:
    child = np.flatnonzero(tree.parent >= 0)
    parent, edge = tree.parent[child], tree.way[child]
    forward = streets.start[edge] == child
    return _Runs(
        edge=edge,
        from_part=np.where(forward, 0.0, 1.0),
        to_part=np.where(forward, 1.0, 0.0),
        upper=number[child],
        lower=number[parent],
        high=tree.invert[child],
        low=tree.invert[parent],
        carried=load[child],
    )


def _head_runs(streets: DrainedStreets, tree: DrainTree, number: Ints, heads: Ints, invert: Floats) -> _Runs:
    """From the middles of the split streets, which are nodes after those of the tree, to their starts and ends."""
    count = len(heads)
    middle = int(number.max()) + 1 + np.arange(count)
    ends = np.concatenate((streets.start[heads], streets.end[heads]))
    return _Runs(
        edge=np.tile(heads, 2),
        from_part=np.full(2 * count, 0.5),
        to_part=np.repeat((0.0, 1.0), count),
        upper=np.tile(middle, 2),
        lower=number[ends],
        high=np.tile(invert, 2),
        low=tree.invert[ends],
        carried=np.zeros(2 * count),
    )


def _join(*parts: _Runs) -> _Runs:
    return _Runs(*(np.concatenate([getattr(part, name) for part in parts]) for name in _Runs.__dataclass_fields__))


def _manholes(streets: DrainedStreets, runs: _Runs, count: Ints) -> tuple[Floats, Floats]:
    """Manholes within the runs, from the upper end of each down, and their inverts, m."""
    run = np.repeat(np.arange(len(count)), count - 1)
    step = np.arange(len(run)) - np.repeat(np.cumsum(count - 1) - (count - 1), count - 1) + 1
    part = step / count[run]
    along = runs.from_part[run] + (runs.to_part - runs.from_part)[run] * part
    at = shapely.line_interpolate_point(streets.shape[runs.edge[run]], along, normalized=True)
    return shapely.get_coordinates(at), runs.high[run] + (runs.low - runs.high)[run] * part


def _chained(count: Ints, runs: _Runs, first_inner: int) -> tuple[Ints, Ints, Ints, Ints]:
    """Start and end node of every pipe from the upper end of its run down, the run, and the pipe's place in it."""
    run = np.repeat(np.arange(len(count)), count)
    place = np.arange(len(run)) - np.repeat(np.cumsum(count) - count, count)
    inner = first_inner + (np.cumsum(count - 1) - (count - 1))[run] + place
    start = np.where(place == 0, runs.upper[run], inner - 1)
    end = np.where(place == count[run] - 1, runs.lower[run], inner)
    return start, end, run, place


def write_drains(plan: GroundPlan, drains: Drains, pumps: Pumps, pipes: ThemeWriter, nodes: ThemeWriter) -> None:
    """Storm pipes and their nodes, and the pumps at the sea wall."""
    uid = np.array(numbered("storm-node", range(len(drains.places))), dtype=object)
    level = plan.ground_at(drains.places)
    nodes.write(
        points(drains.places),
        uid=uid,
        class_=drains.kind,
        medium="storm",
        invert=np.round(drains.invert, 4),
        ground_level=np.round(level, 3),
        depth=np.round(level - drains.invert, 3),
    )
    size = SIZES[np.searchsorted(STEPS, drains.length_up)]
    pipes.write(
        lines(np.stack((drains.places[drains.start], drains.places[drains.end]), axis=1)),
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
    _write_pumps(plan, pumps, nodes)


def _write_pumps(plan: GroundPlan, pumps: Pumps, nodes: ThemeWriter) -> None:
    level = plan.ground_at(shapely.get_coordinates(pumps.places))
    nodes.write(
        pumps.places,
        uid=pump_uids(pumps),
        class_="Pump",
        name=[f"{number + 1}号排涝泵" for number in pumps.sluice],
        name_en=[f"Drainage Pump {number + 1}" for number in pumps.sluice],
        medium="storm",
        invert=SUMP,
        ground_level=np.round(level, 3),
        depth=np.round(level - SUMP, 3),
        attributes=attributes(capacity_m3_s=12.0, start_level_m=START_LEVEL, stop_level_m=STOP_LEVEL),
    )


def pump_uids(pumps: Pumps) -> list[str]:
    """Unique id of each pump."""
    return numbered("pump", pumps.sluice)
