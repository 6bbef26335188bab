"""Equilibria on networks drawn at random, held against costs and shortest ways that scipy computes."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from twin.traffic import Assignment, Demand, Network, Router, VehicleClass, assign
from twin.traffic.network import CONICAL, Floats

GAP = 1e-8


def drawn(seed: int) -> tuple[Network, list[Demand]]:
    """Parallel links, loops, closed and narrow links, delays of all kinds, ids with gaps, pairs without a way."""
    random = np.random.default_rng(seed)
    n = int(random.integers(8, 30))
    m = int(random.integers(3 * n, 5 * n))
    tail, head = random.integers(0, n, (2, m))
    tail[:5], head[:5] = tail[5:10], head[5:10]
    capacity = random.uniform(20, 400, m)
    capacity[random.random(m) < 0.05] = 0
    conical = random.random(m) < 0.3
    ids = np.sort(random.choice(10**12, n, replace=False))
    network = Network.build(
        ids, tail, head, np.where(random.random(m) < 0.1, 0.0, random.uniform(1, 100, m)), capacity,
        alpha=np.where(conical, random.uniform(2, 8, m), random.choice([0, 0.15, 1.0], m)),
        beta=np.where(conical, 1, random.choice([0, 1, 2.5, 4, 5.5], m)), delay=np.where(conical, CONICAL, 0),
        toll=random.integers(0, 4, m), length_m=random.uniform(1, 1000, m),
    )  # fmt: skip
    ends, trips = random.integers(0, n, (2, 50)), random.uniform(0, 60, 50)
    trips[:5] = 0
    car = Demand.from_pairs(ids[ends[0]], ids[ends[1]], trips, ids.tolist())
    lorry = VehicleClass("lorry", 2.5, seconds_per_toll=12, seconds_per_metre=0.02, barred=random.random(m) < 0.1)
    return network, [car, Demand.from_pairs(ids[ends[1]], ids[ends[0]], 0.4 * trips, ids.tolist(), lorry)]


def own_cost(network: Network, vehicle: VehicleClass, time_s: Floats) -> Floats:
    """Seconds of each link as a class counts them, inf where it may not go."""
    cost = (
        time_s + vehicle.seconds_per_toll * network.toll + vehicle.seconds_per_metre * np.nan_to_num(network.length_m)
    )
    shut = ~network.open if vehicle.barred is None else ~network.open | vehicle.barred
    return np.where(shut, np.inf, cost)


def shortest(network: Network, cost: Floats) -> Floats:
    """Costs between all nodes by scipy, which knows neither parallel links nor links that cost nothing."""
    least = np.full((network.nodes, network.nodes), np.inf)
    np.minimum.at(least, (network.tail, network.head), cost + 1e-12)
    rows, columns = np.nonzero(np.isfinite(least))
    found: Floats = dijkstra(csr_array((least[rows, columns], (rows, columns)), shape=least.shape))
    return found


def gap_by_hand(found: Assignment) -> tuple[float, float]:
    """The relative gap at the flows' own costs, and the trips without a way."""
    network, spent, least, lost = found.network, 0.0, 0.0, 0.0
    for demand in found.demand:
        vehicle = demand.vehicle
        cost = own_cost(network, vehicle, found.time_s)
        flow = found.class_flow[vehicle.name] * vehicle.pcu
        assert not flow[~np.isfinite(cost)].any()
        spent += float(flow[flow > 0] @ cost[flow > 0])
        ways = shortest(network, cost)[demand.origin, demand.destination]
        least += vehicle.pcu * float(demand.trips[np.isfinite(ways)] @ ways[np.isfinite(ways)])
        lost += float(demand.trips[~np.isfinite(ways)].sum())
    return (spent - least) / spent, lost


@pytest.mark.parametrize("seed", range(12))
def test_nobody_could_gain_by_ways_that_scipy_finds(seed: int) -> None:
    network, demands = drawn(seed)
    found = assign(network, demands, gap=GAP)
    gap, lost = gap_by_hand(found)
    assert -1e-9 < gap < 1.01 * GAP
    assert found.unserved_trips == pytest.approx(lost)
    assert found.served + lost + found.intrazonal == pytest.approx(sum(each.total for each in demands))
    assert max(found.node_error, found.demand_error) < 1e-9


def test_ways_that_share_a_steep_link_are_told_apart_in_few_rounds() -> None:
    """Two pairs must swap what a steep link carries; step by step, each alone, that took thousands of sweeps."""
    # Both choose between a steep pair of links a-b; pair 0-4 goes on by a soft link, pair 1-5 by another.
    tail = [0, 1, 2, 2, 3, 3, 6, 6, 7, 8]
    head = [2, 2, 3, 6, 4, 5, 7, 8, 4, 5]
    steep = [0, 0, 1, 1, 0, 0, 0, 0, 1, 1]
    capacity = np.where(steep, [1, 1, 100, 100, 1, 1, 1, 1, 1000, 1000], 1)
    network = Network.build(
        range(9), tail, head, [1, 1, 50, 50, 1, 1, 1, 1, 30, 40], capacity, alpha=np.where(steep, 1.0, 0.0), beta=4.0
    )
    demand = Demand.from_pairs([0, 1], [4, 5], [400.0, 500.0], range(9))
    found = assign(network, demand, gap=1e-10)
    assert found.rounds < 20
    assert gap_by_hand(found)[0] < 1e-10


@pytest.mark.parametrize("seed", range(4))
def test_trees_are_those_of_scipy(seed: int) -> None:
    network, demands = drawn(seed)
    ids = network.node_ids.tolist()
    for demand in demands:
        cost = own_cost(network, demand.vehicle, network.free_time_s)
        ours = Router(network, vehicle=demand.vehicle).matrix(ids, ids)
        assert ours == pytest.approx(shortest(network, cost), abs=1e-9)
