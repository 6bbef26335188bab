"""Traffic minute by minute: queues, spill-back and closures at run time, simulated by UXsim (extra `dynamic`).

UXsim (Seo 2025, MIT) moves platoons by Newell's car following and lets them choose ways by the times of now (dynamic
user optimum). It knows no banned turns; its own scenario files are pickles and are never read.
"""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from twin.traffic.assignment import zone_nodes
from twin.traffic.demand import Demand
from twin.traffic.errors import Cancelled, InvalidDemand, InvalidNetwork
from twin.traffic.network import Floats, Integers, Network
from twin.traffic.signals import Signal

MINUTE_S = 60.0
# A stopped lane holds a car each five metres.
JAM_VEHICLES_PER_M = 0.2
# Seconds that a closed link seems to take: nobody chooses it who has another way.
AVOIDED_S = 1e6
SHORTEST_M = 20.0
UNLIMITED = 1e9
# Simulated time between two looks at progress: at each one UXsim goes through all vehicles, in Python.
TOLD_EVERY_S = 600.0


@dataclass(frozen=True)
class Departures:
    """Trips of a demand (an hour's) that leave evenly within a time, s since the start."""

    demand: Demand
    begin_s: float
    end_s: float


@dataclass(frozen=True)
class Shut:
    """Links (indices) that let nobody in or out for a time, s since the start."""

    links: Sequence[int]
    begin_s: float
    end_s: float


@dataclass(frozen=True, eq=False)
class Minutes:
    """What was simulated. time_s: ends of minutes; vehicles on each link, entered and left so far [minute, link].

    trips: vehicles that set out; finished: of these at their end by then. notes: what was not simulated.
    """

    time_s: Floats
    vehicles: Floats
    entered: Floats
    left: Floats
    trips: float
    finished: float
    notes: list[str]

    @property
    def flow(self) -> Floats:
        """Vehicles/h that left each link in each minute."""
        return np.diff(self.left, axis=0, prepend=0.0) * (3600 / MINUTE_S)


def simulate(
    network: Network,
    departures: Sequence[Departures],
    until_s: float,
    *,
    shut: Sequence[Shut] = (),
    signals: Sequence[Signal] = (),
    platoon: int = 5,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Minutes:
    """Queues on a network. platoon: vehicles that move as one; more is faster and coarser. seed: of who
    goes first where streets join; the same one gives the same result.

    signals: plans, switched in steps of as many seconds as a platoon has vehicles. capacity of links towards them: at
    full green. Raises InvalidNetwork for links without length or time and plans that do not fit, InvalidDemand for
    demand of another class's size, Cancelled if `cancelled` says so, ModuleNotFoundError without UXsim.
    """
    import uxsim

    used = np.flatnonzero(network.open & (network.tail != network.head))
    if not (np.isfinite(network.length_m[used]) & (network.free_time_s[used] > 0)).all():
        raise InvalidNetwork("a link without length or time; the simulation needs both")
    # It never comes to its end, where UXsim would analyse all trips for charts that nobody looks at.
    world: Any = uxsim.World(
        deltan=platoon, tmax=until_s + 2 * platoon, random_seed=seed, print_mode=0, save_mode=0, show_mode=0, cpp=True,
        vehicle_logging_timestep_interval=-1,
    )  # fmt: skip
    step = float(world.DELTAT)
    nodes = [world.addNode(str(n), float(x), float(y)) for n, (x, y) in enumerate(_places(network))]
    limits = _limits(network, signals, platoon)
    links = {int(n): _link(world, network, nodes, int(n), float(limits[n])) for n in used}
    for signal in signals:
        signal.refuse_for(network)
        _switch(signal, network, nodes, links, step)
    trips = 0.0
    for each in departures:
        if each.demand.vehicle.pcu != 1:
            raise InvalidDemand(f"class {each.demand.vehicle.name}: only vehicles of 1 pcu are simulated")
        trips += _add(world, network, nodes, each, until_s)
    events = sorted({t for each in shut for t in (each.begin_s, each.end_s) if 0 <= t < until_s})
    stops = np.unique(np.r_[np.arange(TOLD_EVERY_S, until_s, TOLD_EVERY_S), until_s, events])
    _close(links, limits, shut, 0.0)
    done = -1.0
    for stop in stops.tolist():
        # UXsim refuses a time of no steps: of what happens within one, only the first is waited for.
        if stop // step > done:
            world.exec_simulation(until_t=stop)
            done = stop // step
        if stop in events:
            _close(links, limits, shut, stop)
        if progress is not None:
            progress(stop / until_s)
        if cancelled is not None and cancelled():
            raise Cancelled(f"stopped at {stop:.0f} s of {until_s:.0f} s as asked")
    minutes = np.unique(np.r_[np.arange(MINUTE_S, until_s, MINUTE_S), until_s])
    entered, left = _counts(links, network.links, minutes / step)
    finished = platoon * sum(each.state == "end" for each in world.VEHICLES.values())
    notes = [f"{len(network.turns)} banned or dear turns are not simulated"] if len(network.turns) else []
    return Minutes(minutes, entered - left, entered, left, trips, float(finished), notes)


def _places(network: Network) -> Floats:
    return np.nan_to_num(np.stack([network.x, network.y], axis=1))


def _limits(network: Network, signals: Sequence[Signal], platoon: int) -> Floats:
    """Vehicles/s that each link lets out at green; inf where nothing limits them.

    While it waits at red, UXsim saves up a platoon for each lane. What is more than one is taken off the rest of the
    green, so that a whole green lets through its seconds times the capacity.
    """
    limits = np.where(network.alpha > 0, network.capacity / 3600, np.inf)
    for link, green in (pair for each in signals for pair in each.green_s.items()):
        saved = (max(1, round(float(network.lanes[link]))) - 1) * platoon / green
        limits[link] = max(limits[link] - saved, limits[link] / 10)
    return limits


def _link(world: Any, network: Network, nodes: list[Any], n: int, limit: float) -> Any:
    lanes = max(1, round(float(network.lanes[n])))
    length = max(float(network.length_m[n]), SHORTEST_M)
    return world.addLink(
        str(n), nodes[network.tail[n]], nodes[network.head[n]], length, length / float(network.free_time_s[n]),
        jam_density_per_lane=JAM_VEHICLES_PER_M, number_of_lanes=lanes, capacity_out=None if np.isinf(limit) else limit,
    )  # fmt: skip


def _switch(signal: Signal, network: Network, nodes: list[Any], links: dict[int, Any], step: float) -> None:
    """Give nodes their plan in whole steps, and the links that arrive their phases."""
    spans = [span for each in signal.phases for span in (each.green_s, signal.lost_s)]
    steps = np.diff(np.round(np.cumsum([0.0, *spans]) / step)).astype(int)
    steps[::2] = np.maximum(steps[::2], 1)
    kept = np.flatnonzero(steps)
    group = {int(span): n for n, span in enumerate(kept)}
    ends = np.cumsum(steps[kept])
    # Where the plan stands when the simulation begins.
    now = round(-signal.offset_s / step) % int(ends[-1])
    phase = int(np.searchsorted(ends, now, side="right"))
    for each in signal.nodes:
        # A phase of UXsim ends with the first step that is later than its time: half a step less makes that exact.
        intervals = ((steps[kept] - 0.5) * step).tolist()
        nodes[each].override_signal(intervals, reset=False)
        nodes[each].signal_phase = phase
        nodes[each].signal_t = float(now - (ends[phase] - steps[kept][phase])) * step
    phases = {link: [group[2 * n] for n, p in enumerate(signal.phases) if link in p.links] for link in links}
    for link in np.flatnonzero(np.isin(network.head, signal.nodes)).tolist():
        if link in links:
            links[link].signal_group = phases[link] or list(group.values())


def _add(world: Any, network: Network, nodes: list[Any], each: Departures, until_s: float) -> float:
    demand, end = each.demand, min(each.end_s, until_s)
    ends: Integers = zone_nodes(network, demand.zones.tolist())
    # Without what notes each call for files of scenarios, which takes as long as the engine for many pairs.
    add = inspect.unwrap(type(world).adddemand)
    total = 0.0
    for a, b, trips in zip(ends[demand.origin], ends[demand.destination], demand.trips, strict=True):
        if a != b:
            add(world, nodes[a], nodes[b], each.begin_s, end, flow=float(trips) / 3600)
            total += float(trips) * (end - each.begin_s) / 3600
    return total


def _close(links: dict[int, Any], limits: Floats, shut: Sequence[Shut], now: float) -> None:
    """Set what is closed from now on, and open what is no longer."""
    closed = {n for each in shut if each.begin_s <= now < each.end_s for n in each.links}
    for n in {n for each in shut for n in each.links} & links.keys():
        links[n].capacity_out = 0.0 if n in closed else min(float(limits[n]), UNLIMITED)
        links[n].capacity_in = 0.0 if n in closed else UNLIMITED
        links[n].route_choice_penalty = AVOIDED_S if n in closed else 0.0


def _counts(links: dict[int, Any], count: int, steps: Floats) -> tuple[Floats, Floats]:
    """Vehicles entered and left until some steps of the simulation, [step, link]."""
    entered, left = np.zeros((len(steps), count)), np.zeros((len(steps), count))
    for n, link in links.items():
        for out, series in ((entered, link.cum_arrival), (left, link.cum_departure)):
            out[:, n] = series[np.minimum(steps.astype(np.int64), len(series) - 1)]
    return entered, left
