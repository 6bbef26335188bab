"""Queues by UXsim beside a point queue, whose every number is known."""

import numpy as np
import pytest

from twin.traffic import Demand, InvalidDemand, Network, VehicleClass
from twin.traffic.dynamic import Departures, Shut, simulate

PLATOON = 5


def street() -> Network:
    """Three kilometres at 20 m/s with room for 0.8 vehicles a second, whose end lets 0.4 through."""
    return Network.build(
        ["a", "b", "c"], [0, 1], [1, 2], [150.0, 50.0], [1440.0, 1e5], x=[0, 3000, 4000], y=[0, 0, 0],
        length_m=[3000.0, 1000.0], lanes=2.0,
    )  # fmt: skip


def test_a_bottleneck_is_a_point_queue() -> None:
    """0.8 vehicles/s come for 600 s and 0.4 leave: 240 wait at the worst, and the last of 480 leaves after 1,200 s."""
    demand = Demand.from_pairs(["a"], ["c"], [0.8 * 3600])
    found = simulate(street(), [Departures(demand, 0, 600)], 1800, platoon=PLATOON)
    at = {round(t): n for n, t in enumerate(found.time_s)}
    # Vehicles reach the end of the first link after 150 s.
    for time in (300, 540, 720, 900, 1200):
        left = min(0.4 * (time - 150), 480)
        assert found.left[at[time], 0] == pytest.approx(left, abs=2 * PLATOON)
        came = min(0.8 * time, 480)
        assert found.vehicles[at[time], 0] == pytest.approx(came - left, abs=3 * PLATOON)
    assert found.trips == found.finished == 480
    assert found.flow[at[720], 0] == pytest.approx(1440, abs=2 * PLATOON * 60)


def test_a_closed_street_lets_nobody_through_and_opens_again() -> None:
    demand = Demand.from_pairs(["a"], ["c"], [0.2 * 3600])
    found = simulate(street(), [Departures(demand, 0, 600)], 1800, shut=[Shut([0], 300, 900)], platoon=PLATOON)
    at = {round(t): n for n, t in enumerate(found.time_s)}
    assert np.ptp(found.left[at[360] : at[900] + 1, 0]) == 0
    assert found.left[at[300], 0] == pytest.approx(0.2 * 150, abs=2 * PLATOON)
    assert found.finished == pytest.approx(120, abs=PLATOON)


def test_streets_that_join_share_the_room_by_a_seed() -> None:
    """Two full streets into one that lets through what one of them brings: neither waits for the other's end."""
    network = Network.build(
        ["a", "b", "c", "d", "e"], [0, 1, 2, 3], [2, 2, 3, 4], 50.0, 1440.0, x=[0, 0, 1000, 2000, 3000],
        y=[0, 500, 0, 0, 0], length_m=1000.0,
    )  # fmt: skip
    demand = Demand.from_pairs(["a", "b"], ["e", "e"], [1440.0, 1440.0])
    found, again = (simulate(network, [Departures(demand, 0, 3600)], 3600, platoon=PLATOON) for _ in range(2))
    first, second = found.left[-1, :2]
    assert first + second < 0.6 * found.trips
    assert first / second == pytest.approx(1.0, abs=0.3)
    assert (found.left == again.left).all()


def test_what_is_not_simulated_is_said_or_refused() -> None:
    lorry = Demand.from_pairs(["a"], ["c"], [10.0], vehicle=VehicleClass("lorry", pcu=2))
    with pytest.raises(InvalidDemand, match="only vehicles of 1 pcu"):
        simulate(street(), [Departures(lorry, 0, 60)], 60)
    banned = street().with_turns([(0, 1, np.inf)])
    assert simulate(banned, [], 60).notes == ["1 banned or dear turns are not simulated"]
