"""Traffic minute by minute: queues, spill-back and closures at run time, simulated by UXsim (extra `dynamic`).

UXsim (Seo 2025, MIT) moves platoons by Newell's car following and lets them choose ways by the times of now (dynamic
user optimum). It knows no banned turns; its own scenario files are pickles and are never read.
"""

import inspect
from collections import Counter
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
# Seconds that a driver keeps behind the one ahead.
REACTION_S = 1.0
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


@dataclass(frozen=True, eq=False)
class Flows:
    """Vehicles/h from nodes to nodes (indices) that leave evenly within a time, s since the start.

    ways: links of each one's way, which these drivers keep to; None where they look for one by the times of now.
    """

    origin: Integers
    destination: Integers
    per_hour: Floats
    begin_s: float
    end_s: float
    ways: Sequence[Sequence[int]] | None = None


@dataclass(frozen=True)
class Shut:
    """Links (indices) that let nobody in or out for a time, s since the start; or some, by the share of their capacity
    that is left.
    """

    links: Sequence[int]
    begin_s: float
    end_s: float
    share: float = 0.0


@dataclass(frozen=True, eq=False)
class Minutes:
    """What was simulated. time_s: ends of minutes; vehicles on each link, entered and left so far [minute, link].

    trips: vehicles that set out; these are, by then, finished at their end, on the road, waiting for room to enter it,
    or given up where no way led on. notes: what was not simulated.
    """

    time_s: Floats
    vehicles: Floats
    entered: Floats
    left: Floats
    trips: float
    finished: float
    on_road: float
    waiting: float
    given_up: float
    notes: list[str]

    @property
    def flow(self) -> Floats:
        """Vehicles/h that left each link in each minute."""
        return np.diff(self.left, axis=0, prepend=0.0) * (3600 / MINUTE_S)


def simulate(
    network: Network,
    departures: Sequence[Departures | Flows],
    until_s: float,
    *,
    shut: Sequence[Shut] = (),
    signals: Sequence[Signal] = (),
    platoon: int = 5,
    look_again_s: float = 600.0,
    seed: int = 0,
    threads: int = 1,
    progress: Callable[[float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Minutes:
    """Queues on a network. platoon: vehicles that move as one; more is faster and coarser. look_again_s: between two
    looks for quicker ways, at each of which half of the drivers take what is found. seed: of who goes first where
    streets join; the same one gives the same result, with any number of threads.

    Memory and time grow with the square of the nodes that links in use have (see `twin.traffic.chains`).

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
        deltan=platoon, reaction_time=REACTION_S, tmax=until_s + 2 * platoon, random_seed=seed, print_mode=0,
        save_mode=0, show_mode=0, cpp=True, vehicle_logging_timestep_interval=-1, duo_update_time=look_again_s,
        threads=threads,
    )  # fmt: skip
    step = float(world.DELTAT)
    places = _places(network)
    ends = np.unique([network.tail[used], network.head[used]]).tolist()
    nodes = {n: world.addNode(str(n), *places[n].tolist()) for n in ends}
    limits = _limits(network, signals, platoon)
    links = {int(n): _link(world, network, nodes, int(n), float(limits[n])) for n in used}
    for signal in signals:
        signal.refuse_for(network)
        _switch(signal, network, nodes, links, step)
    random = np.random.default_rng(seed)
    trips = 0.0
    for each in departures:
        flows = _flows(network, each) if isinstance(each, Departures) else each
        trips += platoon * _add(world, nodes, flows, min(flows.end_s, until_s), random)
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
    state = Counter(each.state for each in world.VEHICLES.values())
    finished, on_road, waiting, lost = (float(platoon * state[name]) for name in ("end", "run", "wait", "abort"))
    notes = [f"{len(network.turns)} banned or dear turns are not simulated"] if len(network.turns) else []
    return Minutes(minutes, entered - left, entered, left, trips, finished, on_road, waiting, lost, notes)


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


def _link(world: Any, network: Network, nodes: dict[int, Any], n: int, limit: float) -> Any:
    lanes = max(1, round(float(network.lanes[n])))
    length = max(float(network.length_m[n]), SHORTEST_M)
    ends = nodes[int(network.tail[n])], nodes[int(network.head[n])]
    return world.addLink(
        str(n), *ends, length, length / float(network.free_time_s[n]), jam_density_per_lane=JAM_VEHICLES_PER_M,
        number_of_lanes=lanes, capacity_out=None if np.isinf(limit) else limit,
    )  # fmt: skip


def _switch(signal: Signal, network: Network, nodes: dict[int, Any], links: dict[int, Any], step: float) -> None:
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
    for each in (node for node in signal.nodes if node in nodes):
        # A phase of UXsim ends with the first step that is later than its time: half a step less makes that exact.
        intervals = ((steps[kept] - 0.5) * step).tolist()
        nodes[each].override_signal(intervals, reset=False)
        nodes[each].signal_phase = phase
        nodes[each].signal_t = float(now - (ends[phase] - steps[kept][phase])) * step
    phases = {link: [group[2 * n] for n, p in enumerate(signal.phases) if link in p.links] for link in links}
    for link in np.flatnonzero(np.isin(network.head, signal.nodes)).tolist():
        if link in links:
            links[link].signal_group = phases[link] or list(group.values())


def _flows(network: Network, each: Departures) -> Flows:
    demand = each.demand
    if demand.vehicle.pcu != 1:
        raise InvalidDemand(f"class {demand.vehicle.name}: only vehicles of 1 pcu are simulated")
    ends = zone_nodes(network, demand.zones.tolist())
    return Flows(ends[demand.origin], ends[demand.destination], demand.trips, each.begin_s, each.end_s)


def _add(world: Any, nodes: dict[int, Any], flows: Flows, end_s: float, random: np.random.Generator) -> int:
    """How many platoons were added. What is less than one is carried on from pair to pair, so that thin flows keep
    their sum; those of a pair leave evenly.
    """
    # Without what notes each call for files of scenarios, which takes as long as the engine for many pairs.
    add = inspect.unwrap(type(world).adddemand)
    platoon, step, lasting = int(world.DELTAN), float(world.DELTAT), max(0.0, end_s - flows.begin_s)
    moving = flows.origin != flows.destination
    ways = None if flows.ways is None else [flows.ways[n] for n in np.flatnonzero(moving).tolist()]
    origin, destination = flows.origin[moving], flows.destination[moving]
    wanted = np.cumsum(np.r_[0.0, flows.per_hour[moving] * lasting / 3600 / platoon])
    upto = np.floor(wanted + random.random() + 1e-9).astype(np.int64)
    for n in np.flatnonzero(np.diff(upto)).tolist():
        count = int(upto[n + 1] - upto[n])
        leave = flows.begin_s + (np.arange(count) + random.random()) / count * lasting
        ends = nodes[int(origin[n])], nodes[int(destination[n])]
        for at in (np.floor(leave / step) * step).tolist():
            if ways is None:
                add(world, *ends, at, at + step, flow=platoon / step)
            else:
                world.addVehicle(*ends, at, links_prefer=[str(link) for link in ways[n]])
    return int(upto[-1] - upto[0])


def _close(links: dict[int, Any], limits: Floats, shut: Sequence[Shut], now: float) -> None:
    """Set what is closed or has less room from now on, and open what is no longer."""
    left = {n: 1.0 for each in shut for n in each.links if n in links}
    for each in shut:
        if each.begin_s <= now < each.end_s:
            left.update({n: min(left[n], each.share) for n in each.links if n in left})
    for n, share in left.items():
        links[n].capacity_out = min(float(limits[n]), UNLIMITED) * share
        links[n].capacity_in = 0.0 if share == 0 else UNLIMITED
        links[n].route_choice_penalty = AVOIDED_S if share == 0 else 0.0
        if share < 1:
            # What was saved up before would still be let through: of a link without limits, everybody.
            links[n].capacity_out_remain = 0.0
        if share == 0:
            links[n].capacity_in_remain = 0.0


def _counts(links: dict[int, Any], count: int, steps: Floats) -> tuple[Floats, Floats]:
    """Vehicles entered and left until some steps of the simulation, [step, link]."""
    entered, left = np.zeros((len(steps), count)), np.zeros((len(steps), count))
    for n, link in links.items():
        for out, series in ((entered, link.cum_arrival), (left, link.cum_departure)):
            out[:, n] = series[np.minimum(steps.astype(np.int64), len(series) - 1)]
    return entered, left
