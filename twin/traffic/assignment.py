"""Static assignment: trips on a network until no one gains by another way, with the checks that show it."""

import time as clock
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from twin.traffic.demand import Demand, VehicleClass
from twin.traffic.equilibrium import Pairs, on_paths
from twin.traffic.errors import InvalidDemand, NotConverged, TrafficError
from twin.traffic.frank_wolfe import on_links
from twin.traffic.graph import Expansion, compact, delays_of, expand
from twin.traffic.kernels.delays import integral, update
from twin.traffic.kernels.paths import Paths
from twin.traffic.network import Floats, Integers, Network
from twin.traffic.path_store import Labels, PathStore, Unserved, Uses

MOST_ROUNDS = {"paths": 200, "bfw": 2000}


@dataclass(frozen=True, eq=False)
class Assignment:
    """Traffic at equilibrium, one value a link of the network.

    flow: pcu/h; time_s: at that flow, without fixed costs. class_flow: vehicles/h of each class. movement_flow: pcu/h
        of each restricted turn as in network.turns.
    gap: relative gap at these times, (cost - least cost) / cost. objective: Beckmann's, pcu s. cost: pcu s of all
        trips with fixed costs. history: seconds of work and gap, round by round.
    intrazonal: trips within a zone, which use no road. unserved: trips without a way.
    node_error: greatest surplus of vehicles at a node over what begins and ends there, pcu/h, and demand_error:
        greatest difference between a pair's demand and its paths, both as a share of all demand.
    """

    network: Network
    demand: tuple[Demand, ...]
    flow: Floats
    time_s: Floats
    class_flow: dict[str, Floats]
    movement_flow: Floats
    gap: float
    objective: float
    cost: float
    rounds: int
    seconds: float
    history: list[tuple[float, float]]
    served: float
    intrazonal: float
    unserved: list[Unserved]
    node_error: float
    demand_error: float
    _paths: PathStore | None

    @property
    def volume_over_capacity(self) -> Floats:
        """Flow over capacity; 0 on closed links."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.network.open & (self.network.capacity > 0), self.flow / self.network.capacity, 0.0)

    @property
    def delay_s(self) -> Floats:
        """Seconds more than on the empty road, per vehicle."""
        return self.time_s - self.network.free_time_s

    @property
    def vehicle_hours(self) -> float:
        """Hours that all pcu spend on the road in an hour."""
        return float(self.flow @ self.time_s / 3600)

    @property
    def vehicle_km(self) -> float:
        """Kilometres that all pcu drive in an hour, on links of known length."""
        return float(self.flow @ np.nan_to_num(self.network.length_m) / 1000)

    @property
    def unserved_trips(self) -> float:
        """Trips for which no open way leads."""
        return sum(each.trips for each in self.unserved)

    def uses(self, links: npt.ArrayLike) -> Uses:
        """How much of the trips of each pair goes over each of some links (indices, each once).

        Raises TrafficError after method "bfw", which keeps no paths.
        """
        return self._kept().uses(np.atleast_1d(np.asarray(links, np.int64)))

    def shares(self, links: npt.ArrayLike) -> Floats:
        """pcu/h over each of some links (indices, each once) for one vehicle of each pair of the first demand.

        [link, pair]. Raises TrafficError after method "bfw".
        """
        demand, uses = self.demand[0], self.uses(links)
        key = demand.origin * len(demand.zones) + demand.destination
        order = np.argsort(key)
        own = uses.row == 0
        wanted = uses.origin[own] * len(demand.zones) + uses.destination[own]
        out = np.zeros((np.size(links), len(key)))
        out[uses.link[own], order[np.searchsorted(key[order], wanted)]] = uses.share[own] * demand.vehicle.pcu
        return out

    def select_link(self, links: npt.ArrayLike, *, every: bool = False) -> tuple[list[tuple[Any, Any, float]], Floats]:
        """Who uses a link: (origin, destination, pcu/h) of trips over any (or every) of some links, and their flows.

        links: indices. Path flows at equilibrium are one of many sets with these link flows.
        Raises TrafficError after method "bfw", which keeps no paths.
        """
        rows, flows = self._kept().over(np.atleast_1d(np.asarray(links, np.int64)), every)
        return rows, flows[: self.network.links]

    def routes(self) -> Iterator[tuple[str, float, Integers]]:
        """Class, vehicles/h and links (indices, in turn) of each path in use.

        Raises TrafficError after method "bfw", which keeps no paths.
        """
        for vehicle, per_hour, links in self._kept().routes():
            # Without the links that turns were laid out as.
            yield vehicle, per_hour, links[links < self.network.links]

    def paths(self) -> tuple[Integers, Integers, Floats, Integers, Integers]:
        """All paths in use: places of origin and destination in its demand's zones, pcu/h, where each begins; links.

        Path n has the links from begin[n] to begin[n + 1], in no order. Raises TrafficError after method "bfw".
        """
        origin, destination, flow, begin, links = self._kept().in_use()
        own = links < self.network.links
        return origin, destination, flow, np.r_[0, np.cumsum(own)][begin], links[own]

    def _kept(self) -> PathStore:
        if self._paths is None:
            raise TrafficError('no paths are kept by the method "bfw"; assign with method="paths"')
        return self._paths


def assign(
    network: Network,
    demand: Demand | Sequence[Demand],
    *,
    gap: float = 1e-6,
    method: Literal["paths", "bfw"] = "paths",
    rounds: int | None = None,
    threads: int = 2,
    progress: Callable[[float, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Assignment:
    """Traffic in user equilibrium (Wardrop 1952), to a relative gap measured at the final times.

    demand: of one or more classes; all share the road by their pcu. method: "paths" (gradient projection; keeps the
    paths, reaches any gap) or "bfw" (bi-conjugate Frank-Wolfe; needs little memory, slow below 1e-5). The same input
    gives the same bits, with any number of threads. progress: called with gap and round.

    Raises NotConverged (with what was reached) if the gap stays above after `rounds`, InvalidDemand for zones that
    the network lacks, TrafficError for another method, Cancelled if `cancelled` says so.
    """
    if method not in MOST_ROUNDS:
        raise TrafficError(f"method {method!r} is unknown; there are {', '.join(MOST_ROUNDS)}")
    began = clock.perf_counter()
    demands = (demand,) if isinstance(demand, Demand) else tuple(demand)
    if not demands:
        raise InvalidDemand("no demand; give one, if need be of no trips")
    names = [each.vehicle.name for each in demands]
    if len(set(names)) < len(names):
        raise InvalidDemand(f"two demands of one class: {', '.join(names)}; add them up or name the classes apart")
    expansion = expand(network)
    delays = delays_of(network, len(expansion.penalty_s))
    fixed = np.array([_fixed(network, expansion, each.vehicle) for each in demands]).reshape(len(demands), -1)
    pairs, labels, intrazonal = _pairs(network, expansion, demands)
    terminals = np.unique(np.concatenate([pairs.roots, pairs.ends]))
    graph = compact(expansion, delays, fixed, terminals)
    most = MOST_ROUNDS[method] if rounds is None else rounds
    solve = on_paths if method == "paths" else on_links
    inner = replace(pairs, roots=graph.node[pairs.roots], ends=graph.node[pairs.ends])
    found, paths, class_flows = solve(
        graph, inner, gap=gap, most=most, threads=threads, told=progress, cancelled=cancelled
    )
    flows = np.array([graph.spread(row, len(expansion.tail)) for row in class_flows]).reshape(fixed.shape)
    flow = flows.sum(axis=0)
    served = np.isfinite(found.least)
    carried = np.where(served, pairs.demand, 0.0)
    store = None if paths is None else PathStore(paths, graph, labels, len(expansion.tail))
    everything = max(float(carried.sum()), 1e-300)
    result = Assignment(
        network=network,
        demand=demands,
        flow=flow[: network.links],
        time_s=_times(network, flow[: network.links]),
        class_flow={
            each.vehicle.name: row[: network.links] / each.vehicle.pcu for each, row in zip(demands, flows, strict=True)
        },
        movement_flow=_turn_flows(network, expansion, flow),
        gap=found.gap,
        objective=float(integral(delays, flow).sum() + (flows * np.where(flows > 0, fixed, 0.0)).sum()),
        cost=found.total_cost,
        rounds=len(found.history),
        seconds=clock.perf_counter() - began,
        history=found.history,
        served=float((carried / labels.pcu).sum()),
        intrazonal=intrazonal,
        unserved=[labels.unserved(n, pairs.demand[n]) for n in np.flatnonzero(~served).tolist()],
        node_error=_node_error(expansion, pairs, carried, flows) / everything,
        demand_error=0.0 if paths is None else _demand_error(paths, carried) / everything,
        _paths=store,
    )
    if not found.gap <= gap:
        raise NotConverged(
            f"a relative gap of {found.gap:.1e} after {result.rounds} rounds, {gap:.1e} was asked; "
            "take a wider gap or more rounds",
            result,
        )
    return result


def _fixed(network: Network, expansion: Expansion, vehicle: VehicleClass) -> Floats:
    """Seconds of a class on each link of the expansion that do not depend on flow; inf where it may not go."""
    for values in (vehicle.fixed_s, vehicle.barred):
        if values is not None and np.shape(values) != (network.links,):
            raise InvalidDemand(f"class {vehicle.name}: fixed_s or barred is not of one value a link")
    seconds = vehicle.seconds_per_toll * network.toll
    if vehicle.seconds_per_metre:
        seconds = seconds + vehicle.seconds_per_metre * np.nan_to_num(network.length_m)
    if vehicle.fixed_s is not None:
        seconds = seconds + np.asarray(vehicle.fixed_s, np.float64)
    barred = ~network.open if vehicle.barred is None else ~network.open | np.asarray(vehicle.barred, np.bool_)
    return np.concatenate([np.where(barred, np.inf, seconds), expansion.penalty_s])


def zone_nodes(network: Network, ids: Iterable[Hashable]) -> Integers:
    """Nodes of zones by their ids. Raises InvalidDemand for one that the network has not."""
    wanted = list(ids)
    missing = next((each for each in wanted if each not in network.zone_index), None)
    if missing is not None:
        raise InvalidDemand(f"zone {missing!r} is none of the network's {len(network.zone_ids)} zones")
    return network.zone_nodes[[network.zone_index[each] for each in wanted]]


def _pairs(network: Network, expansion: Expansion, demands: tuple[Demand, ...]) -> tuple[Pairs, Labels, float]:
    parts, intrazonal = [], 0.0
    for number, demand in enumerate(demands):
        used = np.zeros(len(demand.zones), np.bool_)
        used[demand.origin] = used[demand.destination] = True
        nodes = np.full(len(demand.zones), -1)
        nodes[used] = zone_nodes(network, demand.zones[used].tolist())
        a, b = nodes[demand.origin], nodes[demand.destination]
        moving = (a != b) & (demand.trips > 0)
        intrazonal += float(demand.trips[(a == b) & (demand.trips > 0)].sum())
        count = int(moving.sum())
        pcu = np.full(count, demand.vehicle.pcu)
        columns = (np.full(count, number), a[moving], b[moving], demand.origin[moving], demand.destination[moving])
        parts.append((*columns, demand.trips[moving] * pcu, pcu))
    row, a, b, origin, destination, pcu_h, pcu = (np.concatenate(each) for each in zip(*parts, strict=True))
    order = np.lexsort((expansion.end[b], a, row))
    row, a, b, origin, destination, pcu_h, pcu = (each[order] for each in (row, a, b, origin, destination, pcu_h, pcu))
    new = np.flatnonzero(np.r_[True, (row[1:] != row[:-1]) | (a[1:] != a[:-1])]) if len(a) else np.empty(0, np.int64)
    pairs = Pairs(
        roots=expansion.start[a[new]],
        rows=row[new].astype(np.int64),
        ends=expansion.end[b],
        ends_first=np.r_[new, len(a)].astype(np.int64),
        demand=pcu_h.astype(np.float64),
    )
    return pairs, Labels(demands, row.astype(np.int64), origin, destination, pcu), intrazonal


def _times(network: Network, flow: Floats) -> Floats:
    """Seconds on each link at its flow, as the kernels compute them."""
    time, slope = np.empty(network.links), np.empty(network.links)
    update(delays_of(network, 0), np.ascontiguousarray(flow), time, slope)
    return time


def _turn_flows(network: Network, expansion: Expansion, flow: Floats) -> Floats:
    """Flow of the restricted turns, in the order of network.turns; 0 for those banned."""
    m = network.links
    where = {
        ends: n for n, ends in enumerate(zip(expansion.tail.tolist(), expansion.head.tolist(), strict=True)) if n >= m
    }
    turns = zip(network.turns.from_link.tolist(), network.turns.to_link.tolist(), strict=True)
    places = [where.get((int(expansion.head[a]), int(expansion.tail[b]))) for a, b in turns]
    return np.array([0.0 if place is None else flow[place] for place in places])


def _node_error(expansion: Expansion, pairs: Pairs, carried: Floats, flows: Floats) -> float:
    """Greatest surplus at a node of any class, pcu/h."""
    nodes, worst = len(expansion.through), 0.0
    rows = pairs.row_of_pair()
    roots = np.repeat(pairs.roots, np.diff(pairs.ends_first))
    for row, flow in enumerate(flows):
        own = np.where(rows == row, carried, 0.0)
        surplus = np.bincount(expansion.head, flow, nodes) - np.bincount(expansion.tail, flow, nodes)
        surplus = surplus + np.bincount(roots, own, nodes) - np.bincount(pairs.ends, own, nodes)
        worst = max(worst, float(np.abs(surplus).max(initial=0.0)))
    return worst


def _demand_error(paths: Paths, carried: Floats) -> float:
    owner = np.repeat(np.arange(len(carried)), np.diff(paths.of_pair))
    return float(np.abs(np.bincount(owner, paths.flow, len(carried)) - carried).max(initial=0.0))
