"""A run of queues from the city to its results."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from twin.scenarios.city import City
from twin.scenarios.inputs import Words
from twin.scenarios.protocol import Progress, Result, VectorLayer
from twin.traffic.chains import Chains, chained
from twin.traffic.dynamic import Flows, Minutes, Shut, simulate
from twin.traffic.errors import TrafficError
from twin.traffic.link_minutes import LinkMinutes
from twin.traffic.micro.cutout import Route, routes_across
from twin.traffic.network import Flags, Network
from twin.traffic.queues import by_minute, since, thinned
from twin.traffic.scenario.dynamic import DynamicInputs
from twin.traffic.scenario.errors import TrafficRefused
from twin.traffic.scenario.lights import Lights
from twin.traffic.scenario.minute_layers import closed_roads_layer, lost_layer, lost_table, minute_table, street_layer
from twin.traffic.scenario.run import number
from twin.traffic.scenario.states import Closed, Moment, read_closures, state_at
from twin.traffic.scenario.tables import event_tables
from twin.traffic.scenario.usual import (
    BALANCING,
    Usual,
    begin_of,
    busiest_of,
    lights_of,
    no_lights,
    read_usual,
    touched,
)
from twin.traffic.signals import at_full_flow

# UXsim keeps a table of all pairs of nodes for each look at the ways.
MOST_NODES, MOST_VEHICLES = 2500, 300_000
LOOK_AGAIN_S = 300.0
# Vehicles that move as one, the fewest with which so many platoons are on their way.
PLATOONS, MOST_PLATOONS = (1, 2, 5), 30_000
HOUR_S = 3600.0
# Who sets out so long before a road on the way is closed is there before it, s.
AHEAD_S = 600.0
READ, ASSIGNED, DRIVEN = 0.1, 0.4, 0.92
PCU = Words(
    "车辆以小客车当量计，一辆货车按两辆；禁止转向未模拟",
    "vehicles are passenger-car units, a lorry is two; banned turns are not simulated",
)


@dataclass(frozen=True, eq=False)
class _Hour:
    """Routes of a state of the run; begin_s, end_s: since the simulation's start."""

    moment: Moment
    begin_s: float
    end_s: float
    routes: list[Route]
    unserved: float


@dataclass(eq=False)
class _Plan:
    """What is simulated. used: links that vehicles or their detours use."""

    hours: list[_Hour] = field(default_factory=list)
    shut: list[Shut] = field(default_factory=list)
    lights: Lights = field(default_factory=no_lights)
    used: Flags = field(default_factory=lambda: np.zeros(0, np.bool_))


def run_dynamic(city: City, inputs: DynamicInputs, progress: Progress) -> Result:
    """Simulate queues. Raises TrafficRefused, telling the planner which field is wrong."""
    try:
        return _run(city, inputs, progress)
    except TrafficError as error:
        raise TrafficRefused(str(error)) from error


def _run(city: City, inputs: DynamicInputs, progress: Progress) -> Result:
    usual = read_usual(city, inputs, progress)
    sudden = read_closures(city, usual.streets, inputs, usual.notes)
    if inputs.busiest_bridges:
        sudden += busiest_of(usual, inputs.busiest_bridges, lambda _: progress(READ, BALANCING))
    plan = _planned(city, inputs, usual, sudden, progress)
    warm_up_s, until_s = inputs.warm_up_min * 60.0, (inputs.warm_up_min + inputs.minutes) * 60.0
    chains = _chains(usual, plan)
    flows = [flow for each in plan.hours for flow in _flows(chains, usual.network, each, plan.shut)]
    vehicles = sum(float(each.per_hour.sum()) * (each.end_s - each.begin_s) / HOUR_S for each in flows)
    _refuse(chains, vehicles)
    platoon = next((each for each in PLATOONS if vehicles / each <= MOST_PLATOONS), PLATOONS[-1])
    signals = chains.signals(plan.lights.plans)

    def told(share: float) -> None:
        minute = (share * until_s - warm_up_s) / 60
        progress(ASSIGNED + (DRIVEN - ASSIGNED) * share, Words(f"第 {minute:.0f} 分钟", f"minute {minute:.0f}"))

    found = simulate(
        chains.network, flows, until_s, shut=_shut(chains, plan.shut), signals=signals, platoon=platoon,
        look_again_s=LOOK_AGAIN_S, seed=city.seed, threads=max(1, city.cores), progress=told,
    )  # fmt: skip
    progress(DRIVEN, Words("整理结果", "Writing the results"))
    minutes = since(by_minute(chains, found, platoon), inputs.warm_up_min)
    begins = begin_of(city, usual.when[usual.first])
    given = sum(each.given for each in signals)
    notes = [PCU, *usual.notes, *plan.lights.notes]
    indicators = _indicators(found, minutes, plan, usual) | {
        "signals_given": number(given, "1", "有配时数据的路口", "Crossings with a plan of the data"),
        "signals_made": number(len(signals) - given, "1", "推算配时的路口", "Crossings with a plan made up"),
        "platoon": number(platoon, "1", "同行车队（辆）", "Vehicles that move as one"),
        "sources": {"queues": "UXsim (Seo 2025)"},
        "notes": [each._asdict() for each in dict.fromkeys(notes)],
    }
    return Result(
        # Where nothing is closed, or nobody waits, there is none of it.
        layers=[each for each in _layers(usual, plan, minutes, begins, warm_up_s) if each.table.num_rows],
        indicators=indicators,
        tables={
            "minutes": minute_table(minutes, begins, inputs.minutes),
            "queued_links": lost_table(usual.streets, minutes, begins),
            **event_tables(usual.streets, [*usual.closures, *sudden], [each.moment for each in plan.hours]),
        },
    )


def _layers(usual: Usual, plan: _Plan, minutes: LinkMinutes, begins: datetime, warm_up_s: float) -> list[VectorLayer]:
    return [
        street_layer(usual.streets, thinned(minutes), begins),
        closed_roads_layer(usual.streets, plan.shut, begins, warm_up_s),
        lost_layer(usual.streets, minutes, begins),
    ]


def _planned(city: City, inputs: DynamicInputs, usual: Usual, sudden: Sequence[Closed], progress: Progress) -> _Plan:
    """Routes of each hour, what is closed when, and signals.

    Drivers know what is closed when their hour begins, as the traffic run has it. What is closed suddenly is known to
    nobody; the streets on which the run's equilibrium would lead around it are simulated, too.
    """
    plan = _Plan(used=np.zeros(usual.network.links, np.bool_))
    within = _within(city, inputs, usual)
    spans = _spans(usual, inputs)
    for done, (n, moment, begin_s, end_s) in enumerate(spans):

        def tell(share: float, done: int = done) -> None:
            progress(READ + (ASSIGNED - READ) * 0.8 * (done + share) / len(spans), BALANCING)

        depth = usual.depth_m(n)
        state = state_at(usual.network, moment, usual.closures, depth)
        traffic = usual.solved(state, lambda share: tell(share / 2))
        routes = routes_across(traffic.found, within & ~state.shut)
        plan.hours.append(_Hour(moment, begin_s, end_s, routes, traffic.found.unserved_trips))
        _use(plan, routes)
        if sudden:
            around = state_at(usual.network, moment, [*usual.closures, *map(_all_day, sudden)], depth)
            _use(plan, routes_across(usual.solved(around, lambda share: tell((1 + share) / 2)).found, within))
        if depth is not None:
            plan.shut += _wet(usual.network, state_at(usual.network, moment, (), depth).network, begin_s, end_s)
        if not done and inputs.signals == "plans":
            plan.lights = lights_of(city, usual, traffic)
    clock = _Clock.of(city, inputs, usual)
    plan.shut += [clock.shut(each) for each in usual.closures]
    plan.shut += [clock.shut(each, (inputs.closed_from_min, inputs.closed_until_min)) for each in sudden]
    return plan


@dataclass(frozen=True)
class _Clock:
    """begins: of the outputs. hour: of the city's clock then. warm_up_s: of the simulation before."""

    begins: datetime
    hour: int
    warm_up_s: float

    @classmethod
    def of(cls, city: City, inputs: DynamicInputs, usual: Usual) -> "_Clock":
        moment = usual.when[usual.first]
        return cls(begin_of(city, moment), moment.hour, inputs.warm_up_min * 60.0)

    def shut(self, closed: Closed, minutes: tuple[int, int] | None = None) -> Shut:
        """A closure in seconds since the simulation's start. minutes: of one that has no times of its own."""
        if closed.event is not None and closed.midnight is not None:
            ends = closed.event.ends
            begin_s = (closed.event.begins - self.begins).total_seconds()
            end_s = np.inf if ends is None else (ends - self.begins).total_seconds()
        elif minutes is not None and (closed.from_hour, closed.until_hour) == (0.0, 24.0):
            begin_s, end_s = (each * 60.0 for each in minutes)
        else:
            begin_s, end_s = ((each - self.hour) * HOUR_S for each in (closed.from_hour, closed.until_hour))
        links = np.flatnonzero(closed.links).tolist()
        return Shut(links, begin_s + self.warm_up_s, end_s + self.warm_up_s, closed.speed_share)


def _within(city: City, inputs: DynamicInputs, usual: Usual) -> Flags:
    """Links of streets that are asked for; the connectors of zones are none."""
    found = np.zeros(usual.network.links, np.bool_)
    streets = usual.streets
    found[: streets.network.links] = True if inputs.area is None else touched(inputs.area, streets, city.metric_crs)
    return found


def _spans(usual: Usual, inputs: DynamicInputs) -> list[tuple[int, Moment, float, float]]:
    """States of the run that the simulation goes through: number, moment, and from when to when.

    The first one holds in the warm-up; where the run has no further one, hours of the city's clock follow, with the
    last water.
    """
    until_s, begin_s = (inputs.warm_up_min + inputs.minutes) * 60.0, 0.0
    found: list[tuple[int, Moment, float, float]] = []
    n, moment, end_s = usual.first, usual.when[usual.first], inputs.warm_up_min * 60.0
    while begin_s < until_s:
        lasts = (
            HOUR_S if moment.begins is None or moment.ends is None else (moment.ends - moment.begins).total_seconds()
        )
        end_s += lasts
        found.append((n, moment, begin_s, min(end_s, until_s)))
        begin_s = end_s
        if n + 1 < len(usual.when):
            n, moment = n + 1, usual.when[n + 1]
        else:
            later = None if moment.ends is None else moment.ends + timedelta(hours=1)
            moment = Moment((moment.hour + 1) % 24, moment.ends, later)
    return found


def _use(plan: _Plan, routes: Sequence[Route]) -> None:
    for route in routes:
        plan.used[list(route.links)] = True


def _all_day(closed: Closed) -> Closed:
    return Closed(closed.links, closed.speed_share)


def _wet(dry: Network, wet: Network, begin_s: float, end_s: float) -> list[Shut]:
    """What water closes, and what it leaves of capacities, in tenths."""
    share = np.where(wet.open, np.round(wet.capacity / np.maximum(dry.capacity, 1e-9), 1), 0.0)
    lost = dry.open & (share < 1)
    return [
        Shut(np.flatnonzero(lost & (share == each)).tolist(), begin_s, end_s, float(each))
        for each in np.unique(share[lost])
    ]


def _chains(usual: Usual, plan: _Plan) -> Chains:
    """The streets in use as chains; crossings with signals and ends of trips stay, and what closes is apart."""
    lit = plan.lights.nodes
    network = at_full_flow(usual.network, lit)
    kept = np.zeros(network.nodes, np.bool_)
    kept[lit] = True
    for route in (each for hour in plan.hours for each in hour.routes):
        kept[[network.tail[route.links[0]], network.head[route.links[-1]]]] = True
    shut = np.zeros((network.links, len(plan.shut)))
    for n, each in enumerate(plan.shut):
        shut[list(each.links), n] = 1
    alike = np.column_stack([network.capacity, np.round(network.lanes), shut])
    group = np.unique(alike, axis=0, return_inverse=True)[1].ravel()
    return chained(network, plan.used & network.open, kept, group)


def _flows(chains: Chains, network: Network, hour: _Hour, shut: Sequence[Shut]) -> list[Flows]:
    """Routes as they are driven: whose way is closed before they are there looks for another one, from the start."""
    chain_of = np.full(network.links, -1)
    chain_of[chains.links] = chains.chain
    closed = [each for each in shut if each.share == 0 and each.begin_s < hour.end_s and each.end_s > hour.begin_s]
    links = np.zeros(network.links, np.bool_)
    links[[link for each in closed for link in each.links]] = True
    hit = np.array([links[list(route.links)].any() for route in hour.routes], np.bool_)
    begin_s = min((each.begin_s for each in closed), default=hour.end_s) - AHEAD_S
    end_s = max((each.end_s for each in closed), default=hour.end_s)
    begin_s, end_s = (float(np.clip(each, hour.begin_s, hour.end_s)) for each in (begin_s, end_s))
    parts = [
        (~hit, hour.begin_s, hour.end_s, True), (hit, hour.begin_s, begin_s, True), (hit, begin_s, end_s, False),
        (hit, end_s, hour.end_s, True),
    ]  # fmt: skip
    found = []
    for which, begin, end, keeps in parts:
        routes = [hour.routes[n] for n in np.flatnonzero(which).tolist()]
        if routes and end > begin:
            ways = [list(dict.fromkeys(chain_of[list(route.links)].tolist())) for route in routes]
            found.append(
                Flows(
                    chains.node[[network.tail[route.links[0]] for route in routes]],
                    chains.node[[network.head[route.links[-1]] for route in routes]],
                    np.array([route.per_hour * (2.0 if route.vehicle == "lorry" else 1.0) for route in routes]),
                    begin, end, ways if keeps else None,
                )
            )  # fmt: skip
    return found


def _shut(chains: Chains, shut: Sequence[Shut]) -> list[Shut]:
    found = []
    for each in shut:
        flags = np.zeros(int(chains.links.max(initial=-1)) + 1, np.bool_)
        here = [link for link in each.links if link < len(flags)]
        flags[here] = True
        found.append(Shut(chains.having(flags).tolist(), each.begin_s, each.end_s, each.share))
    return found


def _refuse(chains: Chains, vehicles: float) -> None:
    nodes = chains.network.nodes
    if vehicles < 1:
        raise TrafficRefused("area: no trips lead through it", "area：没有出行经过该范围")
    if nodes > MOST_NODES:
        raise TrafficRefused(
            f"area: {nodes:,} crossings with traffic, {MOST_NODES:,} at most are simulated: draw a smaller one",
            f"area：范围内有 {nodes} 个有车的路口，最多 {MOST_NODES} 个，请绘制较小的范围",
        )
    if vehicles > MOST_VEHICLES:
        raise TrafficRefused(
            f"minutes: {vehicles:,.0f} vehicles; {MOST_VEHICLES:,} at most: take less time or a smaller area",
            f"minutes：共 {vehicles:.0f} 辆车，最多 {MOST_VEHICLES} 辆，请缩短时长或缩小范围",
        )


def _indicators(found: Minutes, minutes: LinkMinutes, plan: _Plan, usual: Usual) -> dict[str, Any]:
    network = usual.streets.network
    free = network.length_m[minutes.link] / network.free_time_s[minutes.link]
    driven = float(minutes.vehicles.sum())
    lost_h = float((minutes.vehicles * np.clip(1 - minutes.speed_m_s / free, 0, 1)).sum()) / 60
    speed = float(minutes.speed_m_s @ minutes.vehicles) / driven * 3.6 if driven else 0.0
    standing = np.bincount(minutes.minute, minutes.queue)
    return {
        "vehicles": number(found.trips, "1", "出发车辆", "Vehicles that set out"),
        "arrived": number(found.finished, "1", "已到达", "Arrived"),
        "on_road": number(found.on_road, "1", "结束时仍在路上", "On the road at the end"),
        "waiting": number(found.waiting, "1", "结束时等待驶入", "Waiting to enter at the end"),
        "given_up": number(found.given_up, "1", "途中无路可走", "With no way on"),
        "without_way": number(
            sum(each.unserved * (each.end_s - each.begin_s) / HOUR_S for each in plan.hours),
            "1", "出发前已无路可达", "Trips without a way, which do not set out",
        ),
        "speed_kmh": number(speed, "km/h", "平均车速", "Mean speed"),
        "lost_hours": number(lost_h, "h", "排队损失车小时", "Vehicle-hours lost in queues"),
        "most_queued": number(
            float(standing.max(initial=0.0)), "1", "同时排队车辆（最多时）", "Vehicles in queues, at most"
        ),
        "longest_queue": number(
            float(minutes.queue.max(initial=0.0)), "1", "最长排队（单路段）", "Longest queue of a link"
        ),
    }  # fmt: skip
