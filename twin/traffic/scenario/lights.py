"""Where the city's streets have signals, and their plans: from the nodes of its roads, else made up and said so."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from twin.scenarios.city import City
from twin.scenarios.inputs import Words
from twin.scenarios.objects import further, read
from twin.traffic.errors import InvalidNetwork
from twin.traffic.network import Floats, Integers, Network
from twin.traffic.scenario.streets import Streets
from twin.traffic.signals import LOST_S, Phase, Signal, default_signals

NODES, SIGNAL = "road_nodes", "signal"
# What a node's further attributes hold: {"offset_s", "lost_s", "phases": [{"roads": [uid, ...], "green_s"}, ...]}.
PLAN = "signal_plan"
# A node of the data is the network's nearest within this, m, where their names differ.
NEAR_M = 15.0
# Where no node is known to have signals: crossings of streets of the first classes with any of these.
FIRST = frozenset({"primary", "secondary"})
MAIN = FIRST | {"tertiary"}


@dataclass(frozen=True, eq=False)
class Lights:
    """nodes: indices of those with signals. plans: given ones first. notes: what was guessed."""

    nodes: Integers
    plans: list[Signal]
    notes: list[Words]


def read_lights(city: City, streets: Streets, network: Network, flow: Floats) -> Lights:
    """Signals of the network and their plans; flow: pcu/h of each link.

    A plan that does not fit its crossing is made up anew, and noted.
    """
    found = read(city, NODES, None, "uid", "kind", "attributes") if _has(city, NODES) else None
    notes: list[Words] = []
    given: list[Signal] = []
    places: dict[int, dict[str, Any]] = {}
    if found is not None:
        lit = [n for n, kind in enumerate(found["kind"]) if kind == SIGNAL]
        nodes = _nodes_of(network, [found["uid"][n] for n in lit], found.shape[lit])
        places = {node: further(found["attributes"][n]) for node, n in zip(nodes, lit, strict=True) if node >= 0}
    if not places:
        guessed = _guessed(network)
        if len(guessed):
            notes.append(
                Words(
                    f"数据未标明信号灯：假定 {len(guessed)} 处主次干路交叉口设有信号灯",
                    f"no node of the roads has signals: {len(guessed)} crossings of main streets are assumed to have",
                )
            )
        places = {int(node): {} for node in guessed}
    for node, told in places.items():
        if PLAN in told:
            try:
                given.append(_plan(told[PLAN], node, streets, network))
            except (InvalidNetwork, ValueError, TypeError, KeyError, AttributeError) as error:
                name = str(network.node_ids[node])[:60]
                notes.append(
                    Words(f"信号灯 {name} 的配时方案不可用，改为推算：{error}", f"signals at {name}: {error}; made up")
                )
    known = {node for each in given for node in each.nodes}
    without = np.array(sorted(places.keys() - known), np.int64)
    made, idle = default_signals(network, without, flow)
    if made:
        notes.append(
            Words(
                f"{len(made)} 处路口无配时数据：按进口方向分两相位，周期（60–90 秒）与绿灯按韦伯斯特法（1958）",
                f"{len(made)} crossings have no plan in the data: two phases by direction, cycle (60 to 90 s) "
                "and greens by Webster (1958) from the volumes",
            )
        )
    kept = np.array(sorted(places.keys() - set(idle.tolist())), np.int64)
    return Lights(kept, given + made, notes)


def _has(city: City, layer: str) -> bool:
    return any(each.id == layer for each in city.catalog.layers(city.principal))


def _nodes_of(network: Network, uids: Sequence[str], points: Any) -> list[int]:
    """The network's node of each of the data: of that name, else the nearest; -1 where there is none."""
    tree = shapely.STRtree(np.asarray(shapely.points(network.x, network.y), object))
    found = []
    for uid, point in zip(uids, points, strict=True):
        node = network.node_index.get(uid)
        if node is None:
            near = tree.query_nearest(point, max_distance=NEAR_M, all_matches=False)
            node = int(near[0]) if len(near) else -1
        found.append(node)
    return found


def _plan(told: Any, node: int, streets: Streets, network: Network) -> Signal:
    told = json.loads(told) if isinstance(told, str) else told
    uids = streets.told("uid")
    arriving = np.flatnonzero(network.head[: len(streets.road)] == node).tolist()
    phases = []
    for phase in told["phases"]:
        roads = set(phase["roads"])
        links = tuple(link for link in arriving if uids[streets.road[link]] in roads)
        if not links:
            raise ValueError(f"no road of a phase arrives there: {sorted(map(str, roads))[:3]}")
        phases.append(Phase(links, float(phase["green_s"])))
    found = Signal((node,), tuple(phases), float(told.get("lost_s", LOST_S)), float(told.get("offset_s", 0.0)))
    found.refuse_for(network)
    return found


def _guessed(network: Network) -> Integers:
    """Nodes where a street of the first classes meets another main one, three streets at least."""
    kind = network.road_class.tolist()
    first = np.array([each in FIRST for each in kind], np.bool_) & network.open
    main = np.array([each in MAIN for each in kind], np.bool_) & network.open
    arrive = [np.bincount(network.head[flags], minlength=network.nodes) for flags in (first, main)]
    return np.flatnonzero((arrive[0] >= 1) & (arrive[1] >= 3))
