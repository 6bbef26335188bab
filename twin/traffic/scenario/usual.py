"""The traffic that simulations drive: of a finished run, or of the city as it is, assigned anew hour by hour.

A run keeps its paths for the card of a link, without classes and only while there is room: they are found again.
"""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import shapely

from twin.scenarios.city import City
from twin.scenarios.inputs import Words
from twin.scenarios.protocol import Progress, RunRecord
from twin.scenarios.shapes import Polygon, in_metres
from twin.traffic.network import Flags, Floats, Network
from twin.traffic.scenario.errors import TrafficRefused
from twin.traffic.scenario.fitting import read_fitted
from twin.traffic.scenario.flooding import Flooding, read_flooding
from twin.traffic.scenario.from_traffic import FromTraffic
from twin.traffic.scenario.inputs import TrafficInputs
from twin.traffic.scenario.lights import Lights, read_lights
from twin.traffic.scenario.run import busiest
from twin.traffic.scenario.solving import Solver, Tell, Traffic
from twin.traffic.scenario.states import (
    Closed,
    Moment,
    State,
    looked_at,
    moments,
    read_closures,
    state_at,
)
from twin.traffic.scenario.streets import Streets, read_streets
from twin.traffic.scenario.trips import make_trips
from twin.traffic.scenario.zoning import draw_zones, read_houses
from twin.traffic.signals import at_full_flow

SCENARIO = "traffic"
# Routes need no equilibrium to the last digit.
GAP = 1e-4
BALANCING = Words("求均衡", "Looking for the equilibrium")


@dataclass(frozen=True, eq=False)
class Usual:
    """What the vehicles are taken from. when: the states of the run, `first` the one that is asked for.

    as_it_is, network: with the zones joined, without and with drawn roads; neither knows closures or water.
    """

    streets: Streets
    as_it_is: Network
    network: Network
    closures: list[Closed]
    flooding: Flooding | None
    solver: Solver
    when: list[Moment]
    first: int
    notes: list[Words]

    def depth_m(self, number: int) -> Floats | None:
        """Of the run's water on each link in a state; None without a flood."""
        return None if self.flooding is None else self.flooding.depth_m(number)

    def state(self, number: int) -> State:
        """The network in a state of the run."""
        return state_at(self.network, self.when[number], self.closures, self.depth_m(number))

    def solved(self, state: State, tell: Tell) -> Traffic:
        """The equilibrium of a state."""
        return self.solver.solve(state, tell)


def read_usual(city: City, inputs: FromTraffic, progress: Progress) -> Usual:
    """Raises TrafficRefused for an hour that the run has not, NoSuchRun, NotFinished."""
    record = _run_of(city, inputs)
    base = _base(record, inputs)
    notes: list[Words] = []
    progress(0.0, Words("读取路网", "Reading the roads"))
    streets = read_streets(city, base)
    closures = read_closures(city, streets, base, notes)
    flooding = read_flooding(city, base, streets.lines, streets.flags("bridge") | streets.flags("tunnel"))
    houses = read_houses(city)
    zones = draw_zones(houses, streets.as_it_is, base)
    as_it_is, network = zones.joined_to(streets.as_it_is), zones.joined_to(streets.network)
    trips = make_trips(houses, zones, as_it_is, base, notes)
    if record is not None:
        trips = trips.with_hours(read_fitted(record.folder))
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
    usual = Usual(streets, as_it_is, network, closures, flooding, solver, when, at, notes)
    if base.busiest_bridges:
        closures += busiest_of(usual, base.busiest_bridges, lambda _: progress(0.0, BALANCING))
    return usual


def busiest_of(usual: Usual, count: int, tell: Tell) -> list[Closed]:
    """The closure of the busiest bridges, by the traffic of the city as it is at the hour that is asked for."""
    state = state_at(usual.as_it_is, usual.when[usual.first], ())
    return busiest(usual.streets, usual.solver.usual(state, tell), count)


def touched(area: Polygon, streets: Streets, crs: str) -> Flags:
    """Flags of the links of streets that an area touches."""
    found: Flags = shapely.intersects(streets.lines, in_metres(area, crs))
    return found


def lights_of(city: City, usual: Usual, traffic: Traffic) -> Lights:
    """The signals of the streets in a state, and their plans."""
    network = traffic.state.network
    return read_lights(city, usual.streets, at_full_flow(network, np.arange(network.nodes)), traffic.found.flow)


def no_lights() -> Lights:
    """None, as was asked for."""
    return Lights(np.empty(0, np.int64), [], [Words("按要求不设信号灯", "no signals, as asked for")])


def begin_of(city: City, moment: Moment) -> datetime:
    """When a state begins: its own time, else its hour of the day looked at."""
    if moment.begins is not None:
        return moment.begins
    return looked_at(city).replace(hour=moment.hour, minute=0, second=0, microsecond=0)


def _run_of(city: City, inputs: FromTraffic) -> RunRecord | None:
    """The run that the traffic is of. Raises TrafficRefused, NoSuchRun, NotFinished."""
    if inputs.traffic_run is None:
        return None
    record = city.previous(inputs.traffic_run)
    if record.scenario != SCENARIO:
        raise TrafficRefused(
            f"traffic_run: {record.id} is a run of {record.scenario}; take one of {SCENARIO}",
            f"traffic_run：{record.id} 是 {record.scenario} 的结果，请选交通影响的结果",
        )
    return record


def _base(record: RunRecord | None, inputs: FromTraffic) -> TrafficInputs:
    """What that run was asked for; the hour alone counts where there is none."""
    if record is not None:
        return TrafficInputs.model_validate(dict(record.inputs))
    return TrafficInputs() if inputs.hour is None else TrafficInputs(hour=inputs.hour)
