"""Where trips come from: gravity against a published example, generation, profiles, and fits to counts."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from tests.twin.traffic.networks import grid
from twin.traffic import Demand, InvalidDemand, InvalidNetwork, VehicleClass, assign
from twin.traffic.counts import fit, geh, rmse
from twin.traffic.generation import Rate, hourly, trip_ends
from twin.traffic.gravity import Deterrence, balance, calibrate, gravity
from twin.traffic.readers import sumo
from twin.traffic.validation.wildau import fitted

COST = np.array([[1.0, 1.2, 1.8], [1.2, 1.0, 1.5], [1.8, 1.5, 1.0]])


def test_gravity_meets_a_worked_example() -> None:
    """Mathew & Krishna Rao, Introduction to Transportation Engineering (NPTEL 105101087), lecture 8, problem.

    The example stops after one round with three digits; the balanced matrix lies within a trip of it.
    """
    found = gravity([110, 122, 114], [120, 108, 118], COST, Deterrence(1.0, "power"))
    assert found == pytest.approx(
        np.array([[48.01, 34.10, 27.56], [42.43, 43.53, 35.21], [29.53, 30.32, 55.15]]), abs=1
    )
    assert found.sum(axis=1) == pytest.approx([110, 122, 114])
    assert found.sum(axis=0) == pytest.approx([120, 108, 118])


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), beta=st.floats(0.2, 2.0))
def test_a_calibrated_deterrence_is_found_again(seed: int, beta: float) -> None:
    random = np.random.default_rng(seed)
    produced, attracted = random.uniform(10, 100, (2, 6))
    cost = random.uniform(1, 5, (6, 6))
    trips = gravity(produced, attracted, cost, Deterrence(beta))
    found, again = calibrate(produced, attracted, cost, float((trips * cost).sum() / trips.sum()))
    assert found.beta == pytest.approx(beta, rel=1e-4)
    assert again == pytest.approx(trips, rel=1e-3)


def test_what_cannot_be_balanced_is_refused() -> None:
    with pytest.raises(InvalidDemand, match="zone in row 1: its trips have nowhere to go"):
        balance([[1, 1], [0, 0]], [5, 5], [5, 5])
    with pytest.raises(InvalidDemand, match="no matrix has these sums"):
        balance([[1, 0], [1, 1]], [9, 1], [5, 5])
    with pytest.raises(InvalidDemand, match="below 0"):
        gravity([1, -1], [1, 1], np.ones((2, 2)), Deterrence(1))
    with pytest.raises(InvalidDemand, match="the nearest is"):
        calibrate([98, 106, 122], [102, 118, 106], COST, 0.5)
    # No way leads from the first to the second zone: none goes.
    assert gravity([1, 2], [2, 1], [[1, np.inf], [1, 1]], Deterrence(1))[0, 1] == 0


def test_trips_follow_floors_and_functions() -> None:
    rates = {"home": Rate(1.0, 0.0), "work": Rate(0.0, 2.0), "other": Rate(0.5, 0.5)}
    found = trip_ends(
        [0, 0, 1, -1], 2, footprint_m2=[100, 200, 50, 1e6], storeys=[2, 1, np.nan, 9],
        function=["home", "work", "mill", "home"], rates=rates,
    )  # fmt: skip
    assert found.produced.tolist() == [2.0, 0.25]
    assert found.attracted.tolist() == [4.0, 0.25]
    with pytest.raises(InvalidDemand, match="building 1"):
        trip_ends([0, 0], 1, footprint_m2=[1, -1], storeys=[1, 1], function=["home", "home"])
    day = hourly(1000.0)
    assert day.sum() == pytest.approx(1000)
    assert day.argmax() in (7, 17)


def test_a_fit_meets_counts_and_stays_near_the_prior() -> None:
    """Trips of a grid are doubled on some pairs; their counts, and nothing else, bring a prior back towards them."""
    network = grid(5, 3)
    random = np.random.default_rng(1)
    ends = random.integers(0, network.nodes, (2, 40))
    prior = Demand.from_pairs(ends[0], ends[1], 20.0, range(network.nodes))
    truth = prior.scaled(random.uniform(0.5, 2.0, len(prior.trips)))
    flow = assign(network, truth).flow
    links = np.argsort(flow)[-12:]
    found = fit(network, prior, {int(link): float(flow[link]) for link in links}, rounds=10)
    assert found.rmse < 0.5
    assert rmse(found.before, found.counts) > 10
    assert found.geh.max() < 0.1
    assert 0 < found.changed < 1
    loose = fit(network, prior, {int(link): float(flow[link]) for link in links}, slack=1e5)
    assert loose.changed < 0.05 < found.changed
    with pytest.raises(InvalidDemand, match="at least one"):
        fit(network, prior, {})


def test_a_fit_of_two_classes_is_the_least_change_that_scipy_finds() -> None:
    """Without congestion ways stay: trips that differ least from the prior, and the counts' duals, by scipy."""
    network = replace(grid(4, 7), alpha=np.zeros(grid(4, 7).links))
    random = np.random.default_rng(4)
    ends = random.integers(0, network.nodes, (2, 30))
    cars = Demand.from_pairs(ends[0], ends[1], random.uniform(5, 40, 30), range(network.nodes))
    lorries = replace(cars, trips=0.1 * cars.trips, vehicle=VehicleClass("lorry", 2.0))
    first = assign(network, [cars, lorries])
    vehicles = np.sum(list(first.class_flow.values()), axis=0)
    a, b, c, d = (int(each) for each in np.argsort(vehicles)[-4:])
    wanted = np.array([vehicles[a] + vehicles[b] + 30, 0.7 * vehicles[c], vehicles[d] + 20])
    slack = np.array([0.0, 0.0, 5.0])
    found = fit(network, [cars, lorries], dict(zip([(a, b), (c,), (d,)], wanted.tolist(), strict=True)), slack=slack)
    assert found.after[:2] == pytest.approx(wanted[:2], abs=1e-3)
    assert found.demands[1].trips == pytest.approx(0.1 * found.demands[0].trips)
    shares = first.shares([a, b, c, d])
    seen, prior = np.stack([shares[0] + shares[1], shares[2], shares[3]]), 1.1 * cars.trips

    def distance(factors: np.ndarray[Any, Any]) -> float:
        missed = seen[2] @ (prior * factors) - wanted[2]
        return float(prior @ (factors * np.log(factors) - factors + 1) + missed**2 / (2 * slack[2]))

    best = minimize(
        distance, np.ones(len(prior)), bounds=[(1e-6, None)] * len(prior), method="SLSQP",
        constraints={"type": "eq", "fun": lambda factors: seen[:2] @ (prior * factors) - wanted[:2]},
        options={"maxiter": 500, "ftol": 1e-12},
    )  # fmt: skip
    assert found.demand.trips / cars.trips == pytest.approx(best.x, abs=2e-3)


def test_counts_that_contradict_each_other_are_met_half_way() -> None:
    network = grid(4, 7)
    prior = Demand.from_pairs([0], [15], 100.0, range(network.nodes))
    link = int(np.argmax(assign(network, prior).flow))
    found = fit(network, prior, {(link,): 150.0, (link, link): 100.0}, slack=[1.0, 1.0])
    assert 50 < found.after[0] < 150
    assert found.after[1] == pytest.approx(2 * found.after[0])


def test_geh_by_hand() -> None:
    assert geh(120.0, 80.0) == pytest.approx(4.0)
    assert geh(0, 0) == 0


def test_wildau_is_fitted_to_its_counts(shared_data: Path) -> None:
    """18 counts of two hours; the best published tool leaves a root mean square error of 0.141 vehicles."""
    found, hours = fitted(shared_data / "traffic" / "wildau")
    assert len(found.counts) == 18
    assert found.rmse * hours < 0.141
    assert found.geh.max() < 5
    assert 0.1 < found.changed < 1.0
    assert not len(found.unreached)


def test_no_sumo_network_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.net.xml"
    for text in ("", "<net>", "<net></net>", '<net><edge id="a"><lane id="b"/></edge></net>'):
        file.write_text(text)
        with pytest.raises(InvalidNetwork, match=r"no SUMO network|no edge in it"):
            sumo.read_network(file)
