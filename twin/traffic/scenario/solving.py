"""Equilibria of a run: one for each hour of the usual city, one for each state that differs from it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from twin.scenarios.inputs import Words
from twin.traffic.access import Router
from twin.traffic.assignment import Assignment, assign
from twin.traffic.errors import NotConverged
from twin.traffic.network import Floats
from twin.traffic.scenario.emissions import co2_kg
from twin.traffic.scenario.states import State
from twin.traffic.scenario.trips import Trips
from twin.traffic.scenario.zoning import Zones, zone_names

Tell = Callable[[float], None]


@dataclass(frozen=True, eq=False)
class Traffic:
    """A state's traffic. matrix_s: seconds from zone to zone at equilibrium, inf where no way leads for a car."""

    state: State
    found: Assignment
    matrix_s: Floats

    @property
    def vehicle_km(self) -> dict[str, float]:
        """Kilometres an hour of each class."""
        length = np.nan_to_num(self.state.network.length_m) / 1000
        return {name: float(flow @ length) for name, flow in self.found.class_flow.items()}

    @property
    def vehicle_hours(self) -> float:
        """Hours that all vehicles spend on the road in an hour."""
        seconds = 0.0
        for vehicle in (self.state.car, self.state.lorry):
            flow = self.found.class_flow.get(vehicle.name)
            if flow is not None:
                own = self.found.time_s if vehicle.fixed_s is None else self.found.time_s + vehicle.fixed_s
                seconds += float(flow @ np.where(flow > 0, own, 0.0))
        return seconds / 3600

    @property
    def co2_kg(self) -> float:
        return co2_kg(self.vehicle_km)

    @property
    def time_s(self) -> Floats:
        """Seconds of a car on each link."""
        fixed = self.state.car.fixed_s
        return self.found.time_s if fixed is None else self.found.time_s + fixed


class Solver:
    """Solves states, each hour of the usual city once."""

    def __init__(self, trips: Trips, zones: Zones, *, gap: float, threads: int, notes: list[Words]) -> None:
        self._trips, self._nodes = trips, zone_names(zones.ids)
        self._gap, self._threads, self._notes = gap, threads, notes
        self._usual: dict[int, Traffic] = {}

    def usual(self, state: State, tell: Tell) -> Traffic:
        """The usual city at the hour of a state, which must be one of it."""
        hour = state.moment.hour
        if hour not in self._usual:
            self._usual[hour] = self.solve(state, tell)
        return self._usual[hour]

    def solve(self, state: State, tell: Tell) -> Traffic:
        """The traffic of a state. A gap that is not reached is noted, and what was reached is taken."""
        demands = self._trips.demands(state.moment.hour, state.car, state.lorry)

        def told(gap: float, _: int) -> None:
            # From a gap of 1 to the one asked for, by its logarithm.
            tell(min(1.0, max(0.0, np.log10(max(gap, 1e-12)) / np.log10(self._gap))))

        try:
            found = assign(state.network, demands, gap=self._gap, threads=self._threads, progress=told)
        except NotConverged as error:
            found = error.assignment
            hour = state.moment.hour
            self._notes.append(Words(f"{hour} 时未收敛到要求的相对间隙，取所达到的结果", f"hour {hour}: {error}"))
        router = Router(state.network, found.time_s, state.car)
        return Traffic(state, found, router.matrix(self._nodes, self._nodes, threads=self._threads))
