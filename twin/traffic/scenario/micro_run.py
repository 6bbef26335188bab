"""A run of single vehicles from the city to its results."""

import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import shapely

from twin.flood.scenario.shapes import in_metres
from twin.scenarios.city import City
from twin.scenarios.inputs import Words
from twin.scenarios.protocol import Progress, Result
from twin.traffic.assignment import Assignment
from twin.traffic.errors import TrafficError
from twin.traffic.micro.cutout import Route, Vehicles, drawn, routes_across
from twin.traffic.micro.net import build_net
from twin.traffic.micro.process import MicroFailed, Sumo
from twin.traffic.micro.simulation import Micro, simulate
from twin.traffic.network import Flags
from twin.traffic.scenario.errors import TrafficRefused
from twin.traffic.scenario.flooding import read_flooding
from twin.traffic.scenario.inputs import TrafficInputs
from twin.traffic.scenario.lights import Lights, read_lights
from twin.traffic.scenario.micro import MicroInputs
from twin.traffic.scenario.micro_layers import minute_table, street_layer, write_tracks
from twin.traffic.scenario.run import busiest, number
from twin.traffic.scenario.solving import Solver
from twin.traffic.scenario.states import State, moments, read_closures, state_at
from twin.traffic.scenario.streets import Streets, read_streets
from twin.traffic.scenario.trips import make_trips
from twin.traffic.scenario.zoning import draw_zones, read_houses
from twin.traffic.signals import at_full_flow

SCENARIO = "traffic"
MOST_LINKS, MOST_VEHICLES = 2000, 20_000
LIMIT_S = 900.0
# Routes need no equilibrium to the last digit.
GAP = 1e-4
READ, ASSIGNED, DRIVEN = 0.1, 0.4, 0.95


@dataclass(frozen=True, eq=False)
class _Usual:
    """The traffic that the vehicles are taken from."""

    streets: Streets
    state: State
    found: Assignment
    notes: list[Words]


def run_micro(city: City, inputs: MicroInputs, progress: Progress) -> Result:
    """Drive the vehicles of an area. Raises TrafficRefused, telling the planner which field is wrong."""
    try:
        return _run(city, inputs, progress)
    except MicroFailed as error:
        raise TrafficRefused(f"area: {error}", f"area：SUMO 未能完成：{error}") from error
    except TrafficError as error:
        raise TrafficRefused(str(error)) from error


def _run(city: City, inputs: MicroInputs, progress: Progress) -> Result:
    sumo = Sumo.installed()
    usual = _assigned(city, inputs, progress)
    streets, state = usual.streets, usual.state
    inside = _inside(city, inputs, streets, state)
    routes = routes_across(usual.found, inside)
    duration = (inputs.warm_up_min + inputs.minutes) * 60.0
    vehicles = drawn(routes, duration, city.seed)
    _refuse(routes, vehicles)
    progress(ASSIGNED, Words("生成微观路网", "Building the net"))
    lights = _lights(city, inputs, usual)
    scratch = city.folder / "sumo"
    scratch.mkdir()
    try:
        net = build_net(sumo, scratch, state.network, inside, plans=lights.plans, lit=lights.nodes)

        def told(share: float) -> None:
            minute = Words(f"第 {share * duration / 60:.0f} 分钟", f"minute {share * duration / 60:.0f}")
            progress(ASSIGNED + (DRIVEN - ASSIGNED) * share, minute)

        found = simulate(
            sumo, scratch, net, routes, vehicles, warm_up_s=inputs.warm_up_min * 60.0, until_s=duration,
            seed=city.seed, limit_s=LIMIT_S, told=told,
        )  # fmt: skip
    finally:
        shutil.rmtree(scratch)
    progress(DRIVEN, Words("整理结果", "Writing the results"))
    begins = _begins(city, state)
    tracks = write_tracks(city.folder, found.tracks, begins, city.metric_crs)
    used = [each for each in lights.plans if any(inside[link] for link in each.green_s)]
    given = sum(each.given for each in used)
    indicators = _indicators(found) | {
        "signals_given": number(given, "1", "有配时数据的路口", "Crossings with a plan of the data"),
        "signals_made": number(len(used) - given, "1", "推算配时的路口", "Crossings with a plan made up"),
        "sources": {"vehicles": f"Eclipse SUMO {sumo.version}"},
        "notes": [each._asdict() for each in usual.notes + lights.notes],
    }
    return Result(
        layers=[street_layer(streets, found.streets, begins)],
        indicators=indicators,
        tables={"minutes": minute_table(found.streets, begins)},
        files={"vehicles.json": tracks},
    )


def _assigned(city: City, inputs: MicroInputs, progress: Progress) -> _Usual:
    """The traffic of a run at its hour, or of the city as it is, assigned anew: a run does not keep its paths."""
    base = _base(city, inputs)
    notes: list[Words] = []
    progress(0.0, Words("读取路网", "Reading the roads"))
    streets = read_streets(city, base)
    closures = read_closures(city, streets, base.closures)
    flooding = read_flooding(city, base, streets.lines, streets.flags("bridge") | streets.flags("tunnel"))
    houses = read_houses(city)
    zones = draw_zones(houses, streets.as_it_is, base)
    as_it_is, network = zones.joined_to(streets.as_it_is), zones.joined_to(streets.network)
    trips = make_trips(houses, zones, as_it_is, base, notes)
    solver = Solver(trips, zones, gap=max(GAP, base.gap), threads=max(1, city.cores), notes=notes)
    when = moments(city, base, flooding)
    at = 0
    if inputs.hour is not None:
        at = next((n for n, each in enumerate(when) if each.hour == inputs.hour), -1)
    if at < 0:
        hours = ", ".join(str(each.hour) for each in when[:24])
        raise TrafficRefused(
            f"hour: the traffic run has no hour {inputs.hour}; it has {hours}",
            f"hour：所选情景没有 {inputs.hour} 时，只有 {hours} 时",
        )
    words = Words("求均衡", "Looking for the equilibrium")
    progress(READ, words)
    if base.busiest_bridges:
        first = state_at(as_it_is, when[0], ())
        closures += busiest(streets, solver.usual(first, lambda _: progress(READ, words)), base.busiest_bridges)
    state = state_at(network, when[at], closures, None if flooding is None else flooding.depth_m(at))
    traffic = solver.solve(state, lambda share: progress(READ + (ASSIGNED - READ) * 0.8 * share, words))
    return _Usual(streets, state, traffic.found, notes)


def _base(city: City, inputs: MicroInputs) -> TrafficInputs:
    """Of which traffic; the hour alone counts where there is no run. Raises TrafficRefused, NoSuchRun, NotFinished."""
    if inputs.traffic_run is None:
        return TrafficInputs() if inputs.hour is None else TrafficInputs(hour=inputs.hour)
    record = city.previous(inputs.traffic_run)
    if record.scenario != SCENARIO:
        raise TrafficRefused(
            f"traffic_run: {record.id} is a run of {record.scenario}; take one of {SCENARIO}",
            f"traffic_run：{record.id} 是 {record.scenario} 的结果，请选交通影响的结果",
        )
    return TrafficInputs.model_validate(dict(record.inputs))


def _inside(city: City, inputs: MicroInputs, streets: Streets, state: State) -> Flags:
    """Flags of the links of the state's network that touch the area and may be driven on. Raises TrafficRefused."""
    inside = np.zeros(state.network.links, np.bool_)
    touched = shapely.intersects(streets.lines, in_metres(inputs.area, city.metric_crs))
    inside[: len(touched)] = touched & ~state.shut[: len(touched)]
    count = int(inside.sum())
    if not count:
        raise TrafficRefused("area: it touches no open road for cars", "area：范围内没有可通行的机动车道路")
    if count > MOST_LINKS:
        raise TrafficRefused(
            f"area: {count:,} links; {MOST_LINKS:,} at most are driven on: draw a smaller one",
            f"area：范围内有 {count} 个路段，最多 {MOST_LINKS} 个，请缩小范围",
        )
    return inside


def _refuse(routes: list[Route], vehicles: Vehicles) -> None:
    if not routes:
        raise TrafficRefused("area: no trips lead through it", "area：没有出行经过该范围")
    if len(vehicles) > MOST_VEHICLES:
        raise TrafficRefused(
            f"minutes: {len(vehicles):,} vehicles; {MOST_VEHICLES:,} at most: take less time or a smaller area",
            f"minutes：共 {len(vehicles)} 辆车，最多 {MOST_VEHICLES} 辆，请缩短时长或缩小范围",
        )


def _lights(city: City, inputs: MicroInputs, usual: _Usual) -> Lights:
    network, none = usual.state.network, np.empty(0, np.int64)
    if inputs.signals == "none":
        return Lights(none, [], [Words("按要求不设信号灯", "no signals, as asked for")])
    full = at_full_flow(network, np.arange(network.nodes))
    found = read_lights(city, usual.streets, full, usual.found.flow)
    if inputs.signals == "plans":
        return found
    said = Words("信号配时由 SUMO 自行生成", "signals have the plans that SUMO makes up")
    return Lights(found.nodes, [], [said])


def _begins(city: City, state: State) -> datetime:
    """When the outputs begin: the state's own time, else today at its hour."""
    if state.moment.begins is not None:
        return state.moment.begins
    zone = ZoneInfo(city.time_zone)
    looked_at = city.view.valid.start if city.view.valid is not None else None
    day = (looked_at or datetime.now(zone)).astimezone(zone)
    return day.replace(hour=state.moment.hour, minute=0, second=0, microsecond=0) + timedelta()


def _indicators(found: Micro) -> dict[str, Any]:
    minutes = found.streets
    driven = float(minutes.vehicles.sum())
    speed = float(minutes.speed_m_s @ minutes.vehicles) / driven * 3.6 if driven else 0.0
    return {
        "vehicles": number(found.asked, "1", "车辆总数", "Vehicles"),
        "arrived": number(found.arrived, "1", "驶出范围", "Left the area"),
        "on_road": number(found.on_road, "1", "结束时仍在路上", "On the road at the end"),
        "waiting": number(found.waiting, "1", "未能驶入", "Found no room to drive in"),
        "without_way": number(
            found.without_way, "1", "路线在微观路网中不通", "With a route that the net does not join"
        ),
        "speed_kmh": number(speed, "km/h", "平均车速", "Mean speed"),
        "lost_s": number(found.lost_s, "s", "驶出车辆平均延误", "Mean delay of those that left"),
        "longest_queue": number(
            float(minutes.queue.max(initial=0.0)),
            "1",
            "最长排队（单路段一分钟平均）",
            "Longest queue of a link, mean of a minute",
        ),
        "jumped": number(
            found.jumped, "1", "因堵死被移至下一路段（次）", "Put on to the next link out of a jam (times)"
        ),
    }
