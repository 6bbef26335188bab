"""Trips that agree with counts: a known matrix moved no further than the counts ask."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twin.traffic.assignment import Assignment, assign
from twin.traffic.demand import Demand
from twin.traffic.errors import InvalidDemand, NotConverged
from twin.traffic.network import Floats, Integers, Network

MOST_STEPS = 100
# A step in logarithms of factors: no pair changes more than e-fold at once.
LONGEST = 1.0


def geh(flow: npt.ArrayLike, count: npt.ArrayLike) -> Floats:
    """sqrt(2 (m - c)^2 / (m + c)) of hourly flows (DMRB volume 12); below 5 is held to be good."""
    m, c = np.asarray(flow, np.float64), np.asarray(count, np.float64)
    return np.sqrt(np.divide(2 * (m - c) ** 2, m + c, out=np.zeros(np.broadcast(m, c).shape), where=m + c > 0))


def rmse(flow: npt.ArrayLike, count: npt.ArrayLike) -> float:
    """Root mean square error, in the unit of the flows."""
    return float(np.sqrt(np.mean((np.asarray(flow, np.float64) - np.asarray(count, np.float64)) ** 2)))


@dataclass(frozen=True, eq=False)
class Fit:
    """A matrix fitted to counts.

    before, after: flows at the counted links. changed: sum of |trips - prior| over the prior's sum. unreached:
    places in the list of counts that no trip of the prior passes; nothing is fitted to them.
    """

    demand: Demand
    assignment: Assignment
    links: Integers
    counts: Floats
    before: Floats
    after: Floats
    changed: float
    unreached: Integers

    @property
    def rmse(self) -> float:
        """Of all counts, vehicles/h."""
        return rmse(self.after, self.counts)

    @property
    def geh(self) -> Floats:
        """Of each count."""
        return geh(self.after, self.counts)


def fit(
    network: Network,
    prior: Demand,
    counts: Mapping[int, float],
    *,
    slack: float = 0.0,
    rounds: int = 5,
    gap: float = 1e-5,
    threads: int = 2,
) -> Fit:
    """Trips with the counted flows that differ least from a prior, by relative entropy (Van Zuylen & Willumsen 1980).

    counts: pcu/h by index of link. slack: vehicles by which a count may be missed for each e-fold change that it
    asks of a pair; 0 meets counts wherever the prior's ways allow it. Trips choose their ways anew in each round.
    A pair without trips in the prior gets none. Raises InvalidDemand for counts that are negative or elsewhere.
    """
    links = np.array(list(counts), np.int64)
    wanted = np.array(list(counts.values()), np.float64)
    if not len(links) or links.min() < 0 or links.max() >= network.links or not (wanted >= 0).all():
        raise InvalidDemand("counts: indices of links with numbers of 0 or more are needed, at least one")
    demand = prior
    first = found = _assigned(network, demand, gap, threads)
    for _ in range(rounds):
        shares = found.shares(links)
        factors = _factors(shares, prior.trips, wanted, slack)
        demand = prior.scaled(factors)
        before = found.flow[links]
        found = _assigned(network, demand, gap, threads)
        if np.abs(found.flow[links] - before).max() < 1e-6 * max(wanted.max(), 1.0):
            break
    return Fit(
        demand=demand,
        assignment=found,
        links=links,
        counts=wanted,
        before=first.flow[links],
        after=found.flow[links],
        changed=float(np.abs(demand.trips - prior.trips).sum() / prior.total),
        unreached=np.flatnonzero((first.flow[links] == 0) & (found.flow[links] == 0)),
    )


def _assigned(network: Network, demand: Demand, gap: float, threads: int) -> Assignment:
    try:
        return assign(network, demand, gap=gap, threads=threads)
    except NotConverged as error:
        # Ways change in every round anyway; the last gap is told in the result.
        return error.assignment


def _factors(shares: Floats, prior: Floats, wanted: Floats, slack: float) -> Floats:
    """exp(shares^T x) with shares (prior exp(shares^T x)) + slack x = wanted, by damped Newton steps on the dual."""
    used = shares.any(axis=1)
    a, c = shares[used], wanted[used]
    # Without slack, counts that contradict each other have no solution; this keeps the system regular.
    ridge = max(slack, 1e-9 * max(float(c.max(initial=0.0)), 1.0))
    x = np.zeros(len(c))

    def value(at: Floats) -> float:
        with np.errstate(over="ignore"):
            return float(prior @ np.exp(a.T @ at) - c @ at + 0.5 * ridge * at @ at)

    for _ in range(MOST_STEPS):
        trips = prior * np.exp(a.T @ x)
        slope = a @ trips - c + ridge * x
        if np.abs(slope).max(initial=0.0) < 1e-9 * max(float(c.max(initial=0.0)), 1.0):
            break
        hessian = (a * trips) @ a.T + ridge * np.eye(len(c))
        step = -np.linalg.solve(hessian, slope)
        step *= min(1.0, LONGEST / max(float(np.abs(a.T @ step).max(initial=0.0)), 1e-300))
        here, length = value(x), 1.0
        while value(x + length * step) > here and length > 1e-8:
            length /= 2
        x = x + length * step
    found: Floats = np.exp(a.T @ x)
    return found
