"""Equilibrium against published solutions, by hand, and against what must always hold."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.twin.traffic.networks import braess, grid, published
from twin.traffic import (
    CAR,
    Demand,
    InvalidDemand,
    InvalidNetwork,
    Network,
    NotConverged,
    TrafficError,
    VehicleClass,
    assign,
)
from twin.traffic.network import CONICAL
from twin.traffic.readers import tntp

# Beckmann objectives of the best-known flows of the TNTP collection.
BEST_KNOWN = {"SiouxFalls": 4231335.28710744, "Anaheim": 1286032.171096032, "Barcelona": 1265654.92203176}


@pytest.mark.parametrize("name", BEST_KNOWN)
def test_best_known_solutions_are_met(shared_data: Path, name: str) -> None:
    """Relative gap 1e-10, objective to 1e-9, link flows to a hundredth of a vehicle."""
    network, demand = published(shared_data, name)
    found = assign(network, demand, gap=1e-10)
    assert found.gap <= 1e-10
    assert found.objective == pytest.approx(BEST_KNOWN[name], rel=1e-9)
    rising = (network.alpha > 0) & (network.beta > 0)
    best = tntp.read_flows(shared_data / "traffic" / "tntp" / name / f"{name}_flow.tntp", network)
    # Where time does not depend on flow, the equilibrium leaves the flow open.
    assert np.abs(found.flow - best)[rising].max() < 0.01
    assert found.node_error < 1e-9
    assert found.demand_error < 1e-9


def test_frank_wolfe_comes_to_the_same(shared_data: Path) -> None:
    network, demand = published(shared_data, "SiouxFalls")
    found = assign(network, demand, method="bfw", gap=1e-5)
    assert BEST_KNOWN["SiouxFalls"] <= found.objective <= BEST_KNOWN["SiouxFalls"] * (1 + 1e-5)
    assert found.node_error < 1e-9


@pytest.mark.parametrize(("bridge", "total"), [(False, 498.0), (True, 552.0)])
@pytest.mark.parametrize("method", ["paths", "bfw"])
def test_braess_bridge_makes_all_slower(bridge: bool, total: float, method: str) -> None:
    network, demand = braess(bridge)
    found = assign(network, demand, gap=1e-8, method=method)
    assert found.flow @ found.time_s == pytest.approx(total, abs=1e-4)


def test_a_stall_is_said_and_keeps_what_was_reached(shared_data: Path) -> None:
    network, demand = published(shared_data, "Anaheim")
    with pytest.raises(NotConverged, match=r"after 2 rounds, 1\.0e-10 was asked") as stopped:
        assign(network, demand, gap=1e-10, rounds=2)
    assert 1e-10 < stopped.value.assignment.gap < 1e-2


def test_threads_change_no_bit(shared_data: Path) -> None:
    network, demand = published(shared_data, "Anaheim")
    one, two = (assign(network, demand, gap=1e-6, threads=n) for n in (1, 2))
    assert (one.flow == two.flow).all()


def test_trips_without_a_way_are_counted_and_named() -> None:
    network, demand = braess(bridge=True)
    cut = assign(network.closing([0, 1]), demand)
    assert [(each.origin, each.destination, each.trips) for each in cut.unserved] == [(1, 2, 6.0)]
    assert cut.served == cut.cost == 0
    assert (cut.flow == 0).all()


def test_closures_lose_nobody(shared_data: Path) -> None:
    """The busiest links of Anaheim shut: what is carried and what is cut off is all there was."""
    network, demand = published(shared_data, "Anaheim")
    before = assign(network, demand)
    after = assign(network.closing(np.argsort(before.flow)[-40:]), demand, gap=1e-5)
    assert after.unserved_trips > 0
    assert after.served + after.unserved_trips + after.intrazonal == pytest.approx(demand.total, rel=1e-9)
    assert after.node_error < 1e-9
    assert after.demand_error < 1e-9
    assert (after.flow[~after.network.open] == 0).all()


def test_classes_share_the_road_by_their_size() -> None:
    """Two equal roads; lorries of 2 pcu pay a toll on the first, so that they take the second as far as it goes."""
    network = Network.build([0, 1], [0, 0], [1, 1], 10.0, 100.0, alpha=1.0, beta=1.0, toll=[1.0, 0.0])
    cars = Demand.from_pairs([0], [1], [100.0])
    lorries = Demand.from_pairs([0], [1], [25.0], vehicle=VehicleClass("lorry", pcu=2.0, seconds_per_toll=1e3))
    found = assign(network, [cars, lorries], gap=1e-10)
    assert found.flow == pytest.approx([75.0, 75.0])
    assert found.class_flow["lorry"] == pytest.approx([0.0, 25.0])
    assert found.class_flow["car"] == pytest.approx([75.0, 25.0])
    barred = VehicleClass("lorry", pcu=2.0, barred=np.array([True, True]))
    assert assign(network, [cars, Demand.from_pairs([0], [1], [25.0], vehicle=barred)]).unserved_trips == 25.0


def test_a_toll_moves_who_can_go_around() -> None:
    """10 + 10 v/100 + 5 = 20 + 10 (100 - v)/100: v = 75 on the tolled road."""
    network = Network.build([0, 1], [0, 0], [1, 1], [10.0, 20.0], 100.0, alpha=[1.0, 0.5], beta=1.0, toll=[5.0, 0])
    priced = VehicleClass("car", seconds_per_toll=1.0)
    found = assign(network, Demand.from_pairs([0], [1], [100.0], vehicle=priced), gap=1e-10)
    assert found.flow == pytest.approx([75.0, 25.0])


def test_conical_delay_doubles_at_capacity() -> None:
    """Spiess (1990): time is t0 when empty and twice t0 at capacity, whatever the slope."""
    network = Network.build([0, 1], [0], [1], 30.0, 100.0, delay=CONICAL, alpha=4.0)
    assert assign(network, Demand.from_pairs([0], [1], [100.0])).time_s == pytest.approx([60.0])
    assert assign(network, Demand.from_pairs([0], [1], [1e-9])).time_s == pytest.approx([30.0])
    two = Network.build([0, 1], [0, 0], [1, 1], 30.0, [100.0, 50.0], delay=CONICAL, alpha=4.0)
    split = assign(two, Demand.from_pairs([0], [1], [150.0]), gap=1e-10)
    assert split.flow == pytest.approx([100.0, 50.0])
    # The objective is the integral of time: by the trapezoidal rule on a thousand steps.
    v = np.linspace(0, 100, 1001)
    a, b = 4.0, 7 / 6
    t = 30 * (2 + np.sqrt(a * a * (1 - v / 100) ** 2 + b * b) - a * (1 - v / 100) - b)
    assert split.objective == pytest.approx(1.5 * np.trapezoid(t, v), rel=1e-6)


def test_a_turn_ban_solved_by_hand() -> None:
    """A square a-b-d, a-c-d with times 10+10 and 15+15. A ban on a-b-d sends all by c, 12 s there too."""
    network = Network.build(
        list("abcd"), [0, 1, 0, 2], [1, 3, 2, 3], [10, 10, 15, 15], 1.0, alpha=0, link_ids=["ab", "bd", "ac", "cd"]
    )
    demand = Demand.from_pairs(["a", "a"], ["d", "b"], [1.0, 1.0])
    banned = assign(network.with_turns([("ab", "bd", np.inf)]), demand)
    # Who ends at b still drives there.
    assert banned.flow == pytest.approx([1, 0, 1, 1])
    assert banned.movement_flow == pytest.approx([0])
    assert assign(network.with_turns([("ab", "bd", 12.0)]), demand).flow == pytest.approx([1, 0, 1, 1])
    cheap = assign(network.with_turns([("ab", "bd", 8.0)]), demand)
    assert cheap.flow == pytest.approx([2, 1, 0, 0])
    assert cheap.movement_flow == pytest.approx([1])
    assert cheap.cost == pytest.approx(28 + 10)


def test_a_banned_left_turn_goes_round_the_block() -> None:
    """South to west across a 3 x 3 grid is banned at the middle, in all its detours' U-turns too: 4 links become 6."""
    network = grid(3)
    network = Network.build(network.node_ids, network.tail, network.head, 10.0, 100.0, alpha=0)
    index = {ends: n for n, ends in enumerate(zip(network.tail.tolist(), network.head.tolist(), strict=True))}
    bans = [(index[1, 4], index[4, 3], np.inf)]
    free, held = (assign(n, Demand.from_pairs([1], [3], [1.0])) for n in (network, network.with_turns(bans)))
    assert free.cost == pytest.approx(20)
    # By the corner 0 it is as short.
    assert held.cost == pytest.approx(20)
    corner = network.closing([index[1, 0]])
    assert assign(corner, Demand.from_pairs([1], [3], [1.0])).cost == pytest.approx(20)
    # Round a block, or to the next crossing and back: 1-2-5-4-3 or 1-4-7-6-3.
    round_block = assign(corner.with_turns(bans), Demand.from_pairs([1], [3], [1.0]))
    assert round_block.cost == pytest.approx(40)


def test_select_link_knows_who_crosses() -> None:
    network, demand = braess(bridge=True)
    found = assign(network, demand, gap=1e-9)
    rows, flows = found.select_link([3])
    assert rows == [(1, 2, pytest.approx(found.flow[3]))]
    assert flows[3] == pytest.approx(found.flow[3])
    both, _ = found.select_link([0, 4], every=True)
    assert both[0][2] == pytest.approx(found.flow[3])


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), side=st.integers(2, 4))
def test_names_and_order_mean_nothing(seed: int, side: int) -> None:
    """The same streets with nodes and links in another order carry the same flows."""
    random = np.random.default_rng(seed)
    network = grid(side, seed)
    n, m = network.nodes, network.links
    ends = random.integers(0, n, (2, 6))
    trips = random.uniform(50, 400, 6)
    found = assign(network, Demand.from_pairs(ends[0], ends[1], trips, range(n)), gap=1e-9)
    node, link = random.permutation(n), random.permutation(m)
    other = Network.build(
        np.argsort(node), node[network.tail][link], node[network.head][link], network.free_time_s[link],
        network.capacity[link],
    )  # fmt: skip
    again = assign(other, Demand.from_pairs(ends[0], ends[1], trips, range(n)), gap=1e-9)
    assert again.objective == pytest.approx(found.objective, rel=1e-8)
    assert again.flow == pytest.approx(found.flow[link], abs=0.05)
    assert again.node_error < 1e-9


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_mirrored_city_has_mirrored_traffic(seed: int) -> None:
    """Two equal halves between one origin and one destination are equally slow, and share the trips equally.

    Times, because a street that is all but empty is as quick with a car more or less.
    """
    half = grid(3, seed)
    n, m = half.nodes, half.links
    network = Network.build(
        np.arange(2 * n + 2),
        np.concatenate([half.tail, half.tail + n, [2 * n, 2 * n, n - 1, 2 * n - 1]]),
        np.concatenate([half.head, half.head + n, [0, n, 2 * n + 1, 2 * n + 1]]),
        np.concatenate([half.free_time_s, half.free_time_s, np.ones(4)]),
        np.concatenate([half.capacity, half.capacity, np.full(4, 1e5)]),
    )
    found = assign(network, Demand.from_pairs([2 * n], [2 * n + 1], [2000.0]), gap=1e-9)
    assert found.time_s[:m] == pytest.approx(found.time_s[m : 2 * m], rel=1e-6)
    assert found.flow[2 * m :] == pytest.approx([1000.0] * 4, abs=5)


def test_what_cannot_be_meant_is_refused() -> None:
    network, demand = braess(bridge=True)
    with pytest.raises(InvalidDemand, match=r"-1\.0 trips from zone 1 to zone 2"):
        Demand.from_matrix([[0, -1], [0, 0]], [1, 2])
    with pytest.raises(InvalidDemand, match=r"nan trips from zone 2 to zone 1"):
        Demand.from_matrix([[0, 0], [np.nan, 0]], [1, 2])
    with pytest.raises(InvalidDemand, match="zone 9 is none of the network's 4 zones"):
        assign(network, Demand.from_pairs([1], [9], [1.0]))
    with pytest.raises(InvalidDemand, match="zone 7 is unknown; known are 1, 2"):
        Demand.from_pairs([1], [7], [1.0], [1, 2])
    with pytest.raises(InvalidNetwork, match="link 1: free_time_s is negative"):
        Network.build([0, 1], [0, 0], [1, 1], [1.0, -1.0], 1.0)
    with pytest.raises(InvalidNetwork, match="link 0: ends at no node"):
        Network.build([0, 1], [0], [2], 1.0, 1.0)
    with pytest.raises(InvalidDemand, match="two demands of one class"):
        assign(network, [demand, demand])
    with pytest.raises(TrafficError, match="method 'msa' is unknown; there are paths, bfw"):
        assign(network, demand, method="msa")  # type: ignore[arg-type]
    with pytest.raises(InvalidDemand, match="class car: fixed_s or barred is not of one value a link"):
        assign(network, Demand.from_pairs([1], [2], [1.0], vehicle=VehicleClass(barred=np.zeros(2, np.bool_))))
    with pytest.raises(InvalidNetwork, match="an id stands twice"):
        Network.build([1, 1], [0], [1], 1.0, 1.0)
    for links in ([5], [-1], [True, False]):
        with pytest.raises(InvalidNetwork, match="indices below 5 or as many flags"):
            network.closing(links)
    # Of a network without links nobody is lost either.
    nowhere = assign(Network.build([1, 2], [], [], [], []), Demand.from_pairs([1], [2], [3.0]))
    assert (nowhere.unserved_trips, nowhere.node_error) == (3, 0)
    # A capacity of zero closes a link that would delay.
    assert assign(Network.build([0, 1], [0], [1], 1.0, 0.0), Demand.from_pairs([0], [1], [3.0])).unserved_trips == 3
    assert CAR.pcu == 1
