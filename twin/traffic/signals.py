"""Signals of fixed time: plans that are given, and by Webster's method (1958) where none is.

Webster, F. V.: Traffic signal settings. Road Research Technical Paper 39, HMSO, London 1958.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely

from twin.traffic.errors import InvalidNetwork
from twin.traffic.network import Flags, Floats, Ids, Integers, Network
from twin.traffic.roads import CLASSES, GREEN_SHARE, UNKNOWN

# After each phase, when nobody goes, s; and the bounds of what a made-up plan has.
LOST_S, SHORTEST_CYCLE_S, LONGEST_CYCLE_S, LEAST_GREEN_S = 4.0, 60.0, 90.0, 10.0
# Signals this near to each other are one crossing's: OpenStreetMap has one on each approach.
ONE_CROSSING_M = 35.0
# Webster's optimum has no meaning close to saturation.
MOST_FLOW_RATIO = 0.9


@dataclass(frozen=True)
class Phase:
    """Links (indices) that are let over the crossing together, for seconds of effective green."""

    links: tuple[int, ...]
    green_s: float


@dataclass(frozen=True)
class Signal:
    """nodes: indices, all of one crossing. phases: in turn; after each, lost_s without green for anybody.

    offset_s: when the first phase begins. given: whether the plan is from data. Links that arrive at the nodes and are
    in no phase always go.
    """

    nodes: tuple[int, ...]
    phases: tuple[Phase, ...]
    lost_s: float = LOST_S
    offset_s: float = 0.0
    given: bool = True

    @property
    def cycle_s(self) -> float:
        """Seconds until all begins anew."""
        return sum(each.green_s + self.lost_s for each in self.phases)

    @property
    def green_s(self) -> dict[int, float]:
        """Seconds of green in a cycle of each link that has to wait."""
        found: dict[int, float] = {}
        for phase in self.phases:
            for link in phase.links:
                found[link] = found.get(link, 0.0) + phase.green_s
        return found

    def refuse_for(self, network: Network) -> None:
        """Raises InvalidNetwork for a plan that this network cannot have."""
        name = ", ".join(str(network.node_ids[each]) for each in self.nodes)
        if not self.phases or not all(np.isfinite(each.green_s) and each.green_s > 0 for each in self.phases):
            raise InvalidNetwork(f"signals at {name}: a phase without green; give each more than 0 s")
        if not (np.isfinite(self.lost_s) and self.lost_s >= 0 and np.isfinite(self.offset_s)):
            raise InvalidNetwork(f"signals at {name}: a lost time below 0 s, or an offset that is no number")
        for link in (link for each in self.phases for link in each.links):
            if int(network.head[link]) not in self.nodes:
                raise InvalidNetwork(f"signals at {name}: link {network.link_ids[link]} does not arrive there")


def default_signals(network: Network, nodes: Integers, flow: Floats | None = None) -> tuple[list[Signal], Integers]:
    """Two phases for each crossing with signals, by the direction of its approaches; and nodes that need none.

    nodes: indices of those with signals. flow: pcu/h of each link, equal by default. capacity of the network: at full
    green (see `at_full_flow`). The cycle is Webster's optimum (1.5 L + 5) / (1 - Y), between 60 and 90 s; green is
    shared as the greatest ratio of flow to capacity of each phase. Where all arrive along one axis, nobody crosses.
    """
    load = network.capacity if flow is None else np.maximum(flow, 1.0)
    ratio = load / np.maximum(network.capacity, 1.0)
    made: list[Signal] = []
    idle: list[int] = []
    for crossing in _crossings(network, nodes):
        inside = np.isin(network.head, crossing) & network.open
        links = np.flatnonzero(inside & ~np.isin(network.tail, crossing))
        along = _along(_bearings(network, links), int(np.argmax(load[links])) if len(links) else 0)
        if not len(links) or along.all():
            idle += crossing.tolist()
            continue
        sides = links[along], links[~along]
        green = _greens(np.array([ratio[side].max() for side in sides]))
        phases = tuple(Phase(tuple(side.tolist()), float(s)) for side, s in zip(sides, green, strict=True))
        made.append(Signal(tuple(crossing.tolist()), phases, given=False))
    return made, np.array(idle, np.int64)


def at_full_flow(network: Network, nodes: Integers) -> Network:
    """The network with the capacity of full green on links towards nodes with signals.

    Capacities by class hold the share of an hour that is green; where signals are simulated, it must not count twice.
    """
    halved = np.array([CLASSES.get(each, UNKNOWN).signals for each in network.road_class.tolist()], np.bool_)
    here = halved & np.isin(network.head, nodes)
    return replace(network, capacity=np.where(here, network.capacity / GREEN_SHARE, network.capacity))


def uniform_delay_s(cycle_s: float, green_s: float, saturation: float) -> float:
    """Seconds that a vehicle waits where vehicles come evenly: the first term of Webster's delay (1958, equation 1).

    saturation: flow as a share of what the green lets through, c (1 - g/c)^2 / (2 (1 - min(1, x) g/c)).
    """
    share = green_s / cycle_s
    return cycle_s * (1 - share) ** 2 / (2 * (1 - min(1.0, saturation) * share))


def _greens(ratio: Floats) -> Floats:
    """Seconds of green by the greatest flow ratio of each phase."""
    lost, total = LOST_S * len(ratio), min(float(ratio.sum()), MOST_FLOW_RATIO)
    cycle = float(np.clip((1.5 * lost + 5) / (1 - total), SHORTEST_CYCLE_S, LONGEST_CYCLE_S))
    spare = cycle - lost - LEAST_GREEN_S * len(ratio)
    # What is left above the least is shared so that greens are as the ratios, as far as the least allows.
    wanted = np.maximum((cycle - lost) * ratio / ratio.sum() - LEAST_GREEN_S, 0.0)
    green: Floats = np.round(LEAST_GREEN_S + spare * wanted / wanted.sum())
    return green


def _crossings(network: Network, nodes: Integers) -> list[Integers]:
    """The nodes by crossing."""
    points: Ids = np.asarray(shapely.points(np.nan_to_num(network.x[nodes]), np.nan_to_num(network.y[nodes])), object)
    placed = np.isfinite(network.x[nodes]) & np.isfinite(network.y[nodes])
    first, second = shapely.STRtree(points).query(points, predicate="dwithin", distance=ONE_CROSSING_M)
    near = placed[first] & placed[second]
    group = np.arange(len(nodes))
    while True:
        before = group.copy()
        np.minimum.at(group, first[near], before[second[near]])
        if (group == before).all():
            return [nodes[group == each] for each in np.unique(group)]


def _bearings(network: Network, links: Sequence[int] | Integers) -> Floats:
    """Radians of the way that each link arrives by."""
    if network.geometry is None:
        x, y = (axis[network.head[links]] - axis[network.tail[links]] for axis in (network.x, network.y))
        straight: Floats = np.arctan2(y, x)
        return straight
    lines = network.geometry[links]
    end, before = shapely.get_point(lines, -1), shapely.get_point(lines, -2)
    found: Floats = np.arctan2(shapely.get_y(end) - shapely.get_y(before), shapely.get_x(end) - shapely.get_x(before))
    return found


def _along(bearing: Floats, main: int) -> Flags:
    """Which arrive along the axis of the main one, either way, rather than across it."""
    return np.abs(np.cos(bearing - bearing[main])) >= np.cos(np.pi / 4) if len(bearing) else np.zeros(0, np.bool_)
