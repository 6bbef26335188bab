"""Signals: Webster's plans, and what UXsim makes of them, beside what his formula says of queues."""

from collections.abc import Sequence

import numpy as np
import pytest

from twin.traffic import Demand, InvalidNetwork, Network
from twin.traffic.dynamic import Departures, Minutes, simulate
from twin.traffic.signals import Phase, Signal, at_full_flow, default_signals, uniform_delay_s

# A prime number of seconds: looked at once a minute, a queue is seen in each second of the cycle.
CYCLE_S, GREEN_S, SATURATION = 71, 30, 0.5
FREE_S = 100.0


def crossing(lanes: float = 1.0) -> Network:
    """Four streets that meet at "o", each both ways: 0-3 arrive from west, east, south and north, 4-7 leave."""
    ends = [1, 2, 3, 4]
    return Network.build(
        ["o", "w", "e", "s", "n"], [*ends, 0, 0, 0, 0], [0, 0, 0, 0, *ends], FREE_S, SATURATION * 3600,
        x=[0, -1500, 1500, 0, 0], y=[0, 0, 0, -1500, 1500], length_m=1500.0, lanes=lanes, road_class="secondary",
    )  # fmt: skip


def signalled(per_s: float, until_s: float, *, offset_s: float = 0.0, lanes: float = 1.0) -> Minutes:
    """Vehicles from west to east, one by one."""
    phases = Phase((0, 1), GREEN_S), Phase((2, 3), CYCLE_S - GREEN_S - 2)
    demand = Demand.from_pairs(["w"], ["e"], [per_s * 3600])
    signal = Signal((0,), phases, lost_s=1, offset_s=offset_s)
    return simulate(crossing(lanes), [Departures(demand, 0, until_s)], until_s, signals=[signal], platoon=1)


@pytest.mark.parametrize("saturation", [0.43, 0.77])
def test_delay_is_websters_uniform_term(saturation: float) -> None:
    """By Little's law, to 5 %. Vehicles a cycle are no whole number, lest all cycles be the same to the second."""
    per_s, watched = saturation * SATURATION * GREEN_S / CYCLE_S, 4 * CYCLE_S
    found = signalled(per_s, (10 + watched) * 60, offset_s=13)
    waited = found.vehicles[-watched:, 0].mean() / per_s - FREE_S
    assert waited == pytest.approx(uniform_delay_s(CYCLE_S, GREEN_S, saturation), rel=0.05)


@pytest.mark.parametrize("lanes", [1.0, 2.0])
def test_capacity_is_the_share_of_green(lanes: float) -> None:
    found = signalled(0.4, (10 + CYCLE_S) * 60, lanes=lanes)
    passed = found.left[-1, 0] - found.left[-1 - CYCLE_S, 0]
    assert passed == pytest.approx(SATURATION * GREEN_S * 60, rel=0.03)
    assert found.trips == pytest.approx(
        found.finished + found.vehicles[-1].sum(), abs=found.trips - found.entered[-1, 0]
    )


def test_steps_of_a_platoon_keep_the_cycle() -> None:
    """Five vehicles a step of 5 s: 28 + 4 + 28 + 4 s become 30, 5, 25 and 5, of which 30 let through 15 vehicles."""
    signal = Signal((0,), (Phase((0, 1), 28.0), Phase((2, 3), 28.0)))
    demand = Demand.from_pairs(["w"], ["e"], [0.45 * 3600])
    found = simulate(crossing(), [Departures(demand, 0, 4000)], 4000, signals=[signal], platoon=5)
    assert (found.left[60, 0] - found.left[10, 0]) / 3000 == pytest.approx(SATURATION * 30 / 65, rel=0.05)


def test_two_phases_by_direction_with_greens_by_flow() -> None:
    """Webster: y = 0.4 and 0.2, L = 8 s: (1.5 L + 5) / (1 - Y) = 42.5 s, 60 at the least; 52 s of green, two to one."""
    flow = np.array([720.0, 500, 360, 100, 0, 0, 0, 0])
    [signal], idle = default_signals(crossing(), np.array([0]), flow)
    assert [each.links for each in signal.phases] == [(0, 1), (2, 3)]
    assert [each.green_s for each in signal.phases] == pytest.approx([52 * 2 / 3, 52 / 3], abs=0.5)
    assert signal.cycle_s == pytest.approx(60, abs=1)
    assert not signal.given
    assert not len(idle)
    [full], _ = default_signals(crossing(), np.array([0]), flow * 2)
    assert full.cycle_s == pytest.approx(90, abs=1)


def test_nobody_crosses_where_all_come_along_one_axis() -> None:
    made, idle = default_signals(crossing().closing([2, 3, 6, 7]), np.array([0]))
    assert made == []
    assert idle.tolist() == [0]


def test_signals_on_the_approaches_are_one_crossings() -> None:
    """As in OpenStreetMap: one 15 m before the crossing on each of two streets."""
    network = Network.build(
        ["w", "a", "o", "s", "b"], [0, 1, 3, 4], [1, 2, 4, 2], 10.0, 1800.0, x=[-500, -15, 0, 0, 0],
        y=[0, 0, 0, -500, -15], length_m=100.0,
    )  # fmt: skip
    [signal], _ = default_signals(network, np.array([1, 4]))
    assert signal.nodes == (1, 4)
    assert [each.links for each in signal.phases] == [(0,), (2,)]


def test_green_does_not_count_twice() -> None:
    network = crossing()
    assert (at_full_flow(network, np.array([0])).capacity / network.capacity).tolist() == [2.0] * 4 + [1.0] * 4


@pytest.mark.parametrize(
    ("phases", "lost_s", "said"),
    [([], 4.0, "without green"), ([Phase((0,), 0.0)], 4.0, "without green"), ([Phase((0,), 30.0)], -1.0, "below 0 s"),
     ([Phase((5,), 30.0)], 4.0, "does not arrive there")],
)  # fmt: skip
def test_plans_that_cannot_be_meant(phases: Sequence[Phase], lost_s: float, said: str) -> None:
    with pytest.raises(InvalidNetwork, match=said):
        Signal((0,), tuple(phases), lost_s).refuse_for(crossing())
