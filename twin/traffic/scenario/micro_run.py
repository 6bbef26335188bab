"""A run of single vehicles from the city to its results."""

import shutil
from typing import Any

import numpy as np

from twin.scenarios.city import City
from twin.scenarios.inputs import Words
from twin.scenarios.protocol import Progress, Result
from twin.traffic.errors import TrafficError
from twin.traffic.micro.cutout import Route, Vehicles, drawn, routes_across
from twin.traffic.micro.net import build_net
from twin.traffic.micro.process import MicroFailed, Sumo
from twin.traffic.micro.simulation import Micro, simulate
from twin.traffic.network import Flags
from twin.traffic.scenario.errors import TrafficRefused
from twin.traffic.scenario.lights import Lights
from twin.traffic.scenario.micro import MicroInputs
from twin.traffic.scenario.minute_layers import minute_table, street_layer
from twin.traffic.scenario.run import number
from twin.traffic.scenario.solving import Traffic
from twin.traffic.scenario.states import State
from twin.traffic.scenario.streets import Streets
from twin.traffic.scenario.tracks import write_tracks
from twin.traffic.scenario.usual import BALANCING, Usual, begin_of, lights_of, no_lights, read_usual, touched

MOST_LINKS, MOST_VEHICLES = 2000, 20_000
LIMIT_S = 900.0
READ, ASSIGNED, DRIVEN = 0.1, 0.4, 0.95


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
    usual = read_usual(city, inputs, progress)
    streets, state = usual.streets, usual.state(usual.first)
    inside = _inside(city, inputs, streets, state)
    traffic = usual.solved(state, lambda share: progress(READ + (ASSIGNED - READ) * 0.8 * share, BALANCING))
    routes = routes_across(traffic.found, inside)
    duration = (inputs.warm_up_min + inputs.minutes) * 60.0
    vehicles = drawn(routes, duration, city.seed)
    _refuse(routes, vehicles)
    progress(ASSIGNED, Words("生成微观路网", "Building the net"))
    lights = _lights(city, inputs, usual, traffic)
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
    begins = begin_of(city, state.moment)
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
        tables={"minutes": minute_table(found.streets, begins, inputs.minutes)},
        files={"vehicles.json": tracks},
    )


def _inside(city: City, inputs: MicroInputs, streets: Streets, state: State) -> Flags:
    """Flags of the links of the state's network that touch the area and may be driven on. Raises TrafficRefused."""
    inside = np.zeros(state.network.links, np.bool_)
    there = touched(inputs.area, streets, city.metric_crs)
    inside[: len(there)] = there & ~state.shut[: len(there)]
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


def _lights(city: City, inputs: MicroInputs, usual: Usual, traffic: Traffic) -> Lights:
    if inputs.signals == "none":
        return no_lights()
    found = lights_of(city, usual, traffic)
    if inputs.signals == "plans":
        return found
    said = Words("信号配时由 SUMO 自行生成", "signals have the plans that SUMO makes up")
    return Lights(found.nodes, [], [said])


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
