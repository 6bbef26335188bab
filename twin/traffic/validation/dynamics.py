"""UXsim beside what is known of queues: a bottleneck, and a signal."""

from collections.abc import Iterator
from importlib.util import find_spec

import numpy as np

from twin.traffic.demand import Demand
from twin.traffic.dynamic import Departures, simulate
from twin.traffic.network import Network
from twin.traffic.signals import Phase, Signal, uniform_delay_s
from twin.traffic.validation.cases import Row

PLATOON = 5
# A prime number of seconds: looked at once a minute, a queue is seen in each second of the cycle.
CYCLE_S, GREEN_S, SATURATION, FREE_S = 71, 30, 0.5, 100.0


def queues() -> Iterator[Row]:
    """Both, where UXsim is installed."""
    if find_spec("uxsim") is None:
        yield Row("UXsim", "queues", "known ones", 'not tried; pip install "citytwin[dynamic]"', True)
        return
    yield from point_queue()
    yield from signal()


def point_queue() -> Iterator[Row]:
    """0.8 vehicles/s come for 600 s to an end that lets out 0.4: at minutes, what a point queue has let out by then."""
    network = Network.build(
        ["a", "b", "c"], [0, 1], [1, 2], [150.0, 50.0], [1440.0, 1e5], x=[0, 3000, 4000], y=[0, 0, 0],
        length_m=[3000.0, 1000.0], lanes=2.0,
    )  # fmt: skip
    demand = Demand.from_pairs(["a"], ["c"], [0.8 * 3600])
    found = simulate(network, [Departures(demand, 0, 600)], 1800, platoon=PLATOON)
    left = np.clip(0.4 * (found.time_s - 150), 0, 480)
    off = float(np.abs(found.left[:, 0] - left).max())
    case = "UXsim, a bottleneck as a point queue"
    yield Row(case, "vehicles let out, at any minute", f"to {2 * PLATOON}", f"{off:.0f} off", off <= 2 * PLATOON)
    yield Row(case, "vehicles at their end", "480", f"{found.finished:.0f}", found.finished == 480)


def signal() -> Iterator[Row]:
    """A street with 30 s of green in 71: Webster's uniform delay (1958), and the share of green as capacity."""
    network = Network.build(
        ["w", "o", "e"], [0, 1], [1, 2], FREE_S, SATURATION * 3600, x=[0, 1500, 3000], y=[0, 0, 0], length_m=1500.0
    )
    plan = Signal((1,), (Phase((0,), GREEN_S), Phase((), CYCLE_S - GREEN_S - 2)), lost_s=1)
    watched = 4 * CYCLE_S
    for saturation in (0.43, 0.77, 2.0):
        per_s = saturation * SATURATION * GREEN_S / CYCLE_S
        until = (10 + watched) * 60.0
        demand = Demand.from_pairs(["w"], ["e"], [per_s * 3600])
        found = simulate(network, [Departures(demand, 0, until)], until, signals=[plan], platoon=1)
        case = f"UXsim, a signal at {saturation:g} of its capacity"
        if saturation > 1:
            passed = float(found.left[-1, 0] - found.left[-1 - watched, 0]) / watched * 60
            most = SATURATION * GREEN_S / CYCLE_S * 3600
            good = abs(passed / most - 1) < 0.03
            yield Row(case, "capacity, veh/h", f"{most:.0f} to 3 %", f"{passed:.0f}", good)
        else:
            waited = float(found.vehicles[-watched:, 0].mean()) / per_s - FREE_S
            theory = uniform_delay_s(CYCLE_S, GREEN_S, saturation)
            good = abs(waited / theory - 1) < 0.05
            yield Row(case, "mean delay, s", f"{theory:.1f} to 5 % (Webster's uniform term)", f"{waited:.1f}", good)
