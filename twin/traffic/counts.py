"""Trips that agree with counts: a known matrix moved no further than the counts ask."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from twin.traffic.assignment import Assignment, assign
from twin.traffic.demand import Demand
from twin.traffic.errors import InvalidDemand, NotConverged
from twin.traffic.network import Floats, Integers, Network

MOST_STEPS, SOLVED = 100, 1e-10
# A step in logarithms of factors: no pair changes more than e-fold at once.
LONGEST = 1.0
# Rounds end when the answer gets better or worse by no more than this share.
LITTLE = 0.01
CountsOfLinks = Mapping[int, float] | Mapping[tuple[int, ...], float]


def geh(flow: npt.ArrayLike, count: npt.ArrayLike) -> Floats:
    """sqrt(2 (m - c)^2 / (m + c)) of hourly flows (DMRB volume 12); below 5 is held to be good."""
    m, c = np.asarray(flow, np.float64), np.asarray(count, np.float64)
    return np.sqrt(np.divide(2 * (m - c) ** 2, m + c, out=np.zeros(np.broadcast(m, c).shape), where=m + c > 0))


def rmse(flow: npt.ArrayLike, count: npt.ArrayLike) -> float:
    """Root mean square error, in the unit of the flows."""
    return float(np.sqrt(np.mean((np.asarray(flow, np.float64) - np.asarray(count, np.float64)) ** 2)))


@dataclass(frozen=True, eq=False)
class Fit:
    """Trips fitted to counts.

    demands: of each class, in the order of the prior's. links: the first of each count's. counts: vehicles/h.
    before, after: those computed with the prior and with the fitted trips. changed: sum of |trips - prior| over the
    prior's sum. unreached: places in the list of counts that no trip of the prior passes; nothing is fitted to them.
    """

    demands: tuple[Demand, ...]
    assignment: Assignment
    links: Integers
    counts: Floats
    before: Floats
    after: Floats
    changed: float
    unreached: Integers

    @property
    def demand(self) -> Demand:
        """Of the first class."""
        return self.demands[0]

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
    prior: Demand | Sequence[Demand],
    counts: CountsOfLinks,
    *,
    slack: npt.ArrayLike = 0.0,
    rounds: int = 8,
    gap: float = 1e-5,
    threads: int = 2,
    progress: Callable[[float], None] | None = None,
) -> Fit:
    """Trips with the counted flows that differ least from a prior, by relative entropy (Van Zuylen & Willumsen 1980).

    counts: vehicles/h of all classes by index of link, or by several that are counted together (both ways of a road).
    slack: vehicles by which a count may be missed for each e-fold change that it asks of a pair, one for all or one a
    count; 0 meets counts wherever the prior's ways allow it. All classes of a pair change alike. Trips choose their
    ways anew in each round; the round with the best answer to both counts and prior is kept. A pair without trips in
    the prior gets none. progress: called with the share of rounds that are done, at most.
    Raises InvalidDemand for counts that are negative or elsewhere.
    """
    asked = _Counts.of(network, counts, slack)
    priors = (prior,) if isinstance(prior, Demand) else tuple(prior)
    pairs = _Pairs(priors)
    found = first = _assigned(network, priors, gap, threads)
    factors, share = np.ones(len(pairs.trips)), 1.0
    before = asked.passed(first)
    best = Fit(priors, found, asked.firsts, asked.flow, before, before, 0.0, np.empty(0, np.int64))
    least, kept = asked.price(before) + pairs.price(factors), factors
    for number in range(rounds):
        if progress is not None:
            progress((number + 1) / (rounds + 1))
        wanted = _factors(*pairs.uses(found, asked), pairs.trips, asked)
        # Ways that answer to the new trips may overshoot: from the best so far, half as far then.
        factors = kept * (wanted / kept) ** share
        demands = tuple(each.scaled(factors[at]) for each, at in zip(priors, pairs.place, strict=True))
        found = _assigned(network, demands, gap, threads)
        after = asked.passed(found)
        price = asked.price(after) + pairs.price(factors)
        settled = abs(least - price) <= LITTLE * least
        if price < least:
            changed = float(np.abs(factors - 1) @ pairs.trips / max(pairs.trips.sum(), 1e-300))
            best = replace(best, demands=demands, assignment=found, after=after, changed=changed)
            least, kept = price, factors
        else:
            share /= 2
        if settled:
            break
    return replace(best, unreached=np.flatnonzero((best.before == 0) & (best.after == 0)))


@dataclass(frozen=True, eq=False)
class _Counts:
    """links: each once. count, place: which links (by place) a count is the sum of. ridge: slack, never quite 0."""

    links: Integers
    count: Integers
    place: Integers
    flow: Floats
    ridge: Floats

    @classmethod
    def of(cls, network: Network, counts: CountsOfLinks, slack: npt.ArrayLike) -> "_Counts":
        groups = [each if isinstance(each, tuple) else (each,) for each in counts]
        flow = np.array(list(counts.values()), np.float64)
        every = np.array([link for group in groups for link in group], np.int64)
        if not len(every) or every.min() < 0 or every.max() >= network.links or not (flow >= 0).all():
            raise InvalidDemand("counts: indices of links with numbers of 0 or more are needed, at least one")
        links, place = np.unique(every, return_inverse=True)
        # Without slack, counts that contradict each other have no solution; this keeps the system regular.
        ridge = np.maximum(np.broadcast_to(np.asarray(slack, np.float64), flow.shape), 1e-9 * max(flow.max(), 1.0))
        return cls(links, np.repeat(np.arange(len(groups)), [len(each) for each in groups]), place, flow, ridge)

    @property
    def firsts(self) -> Integers:
        """The first link of each count."""
        return self.links[self.place[np.searchsorted(self.count, np.arange(len(self.flow)))]]

    def passed(self, found: Assignment) -> Floats:
        """Vehicles/h of all classes at each count."""
        flow = np.sum(list(found.class_flow.values()), axis=0)[self.links]
        return np.bincount(self.count, flow[self.place], len(self.flow)).astype(np.float64)

    def price(self, flow: Floats) -> float:
        """What it costs to miss the counts so."""
        return float(((flow - self.flow) ** 2 / (2 * self.ridge)).sum())


class _Pairs:
    """Pairs of zones that any class has trips for. trips: of all classes. place: of each class's pairs among them."""

    def __init__(self, priors: tuple[Demand, ...]) -> None:
        ids: dict[Any, int] = {}
        for demand in priors:
            for each in demand.zones.tolist():
                ids.setdefault(each, len(ids))
        self._zones = len(ids)
        self._number = [np.array([ids[each] for each in demand.zones.tolist()], np.int64) for demand in priors]
        keys = [self._key(n, each.origin, each.destination) for n, each in enumerate(priors)]
        self._keys, where = np.unique(np.concatenate(keys), return_inverse=True)
        self.place = np.split(where, np.cumsum([len(each) for each in keys])[:-1])
        self._of_class = np.array(
            [np.bincount(at, each.trips, len(self._keys)) for each, at in zip(priors, self.place, strict=True)]
        )
        self.trips: Floats = self._of_class.sum(axis=0)

    def _key(self, row: int, origin: Integers, destination: Integers) -> Integers:
        number = self._number[row]
        found: Integers = number[origin] * self._zones + number[destination]
        return found

    def uses(self, found: Assignment, asked: _Counts) -> tuple[Integers, Integers, Floats]:
        """Counts, pairs and the share of the pair's vehicles that the count sees, entry by entry."""
        uses = found.uses(asked.links)
        key = np.empty(len(uses.link), np.int64)
        for row in range(len(self._number)):
            own = uses.row == row
            key[own] = self._key(row, uses.origin[own], uses.destination[own])
        pair = np.searchsorted(self._keys, key)
        share = uses.share * self._of_class[uses.row, pair] / self.trips[pair]
        # A link may be a part of several counts.
        order = np.argsort(asked.place, kind="stable")
        first = np.searchsorted(asked.place[order], np.arange(len(asked.links) + 1))
        many = np.diff(first)[uses.link]
        entry = np.repeat(np.arange(len(key)), many)
        nth = np.arange(len(entry)) - np.repeat(np.cumsum(many) - many, many)
        return asked.count[order[first[uses.link[entry]] + nth]], pair[entry], share[entry]

    def price(self, factors: Floats) -> float:
        """Relative entropy to the prior."""
        return float(self.trips @ (factors * np.log(factors) - factors + 1))


def _assigned(network: Network, demands: tuple[Demand, ...], gap: float, threads: int) -> Assignment:
    try:
        return assign(network, demands, gap=gap, threads=threads)
    except NotConverged as error:
        # Ways change in every round anyway; the last gap is told in the result.
        return error.assignment


def _factors(count: Integers, pair: Integers, share: Floats, prior: Floats, asked: _Counts) -> Floats:
    """exp(A^T x), A[count, pair] = share, with A (prior exp(A^T x)) + ridge x = counts: damped Newton on the dual."""
    used, count = np.unique(count, return_inverse=True)
    columns, pair = np.unique(pair, return_inverse=True)
    base, c, ridge = prior[columns], asked.flow[used], asked.ridge[used]
    near = 1e-9 * max(float(c.max(initial=0.0)), 1.0)

    def across(x: Floats) -> Floats:
        return np.bincount(pair, share * x[count], len(columns)).astype(np.float64)

    def along(trips: Floats) -> Floats:
        return np.bincount(count, share * trips[pair], len(used)).astype(np.float64)

    def value(at: Floats) -> float:
        with np.errstate(over="ignore"):
            return float(base @ np.exp(across(at)) - c @ at + 0.5 * at @ (ridge * at))

    x = np.zeros(len(c))
    for _ in range(MOST_STEPS):
        trips = base * np.exp(across(x))
        slope = along(trips) - c + ridge * x
        if np.abs(slope).max(initial=0.0) < near:
            break
        diagonal = np.bincount(count, share * share * trips[pair], len(used)) + ridge

        def turned(at: Floats, trips: Floats = trips) -> Floats:
            return along(trips * across(at)) + ridge * at

        step = _solved(turned, -slope, diagonal)
        step *= min(1.0, LONGEST / max(float(np.abs(across(step)).max(initial=0.0)), 1e-300))
        here, length = value(x), 1.0
        while value(x + length * step) > here and length > 1e-8:
            length /= 2
        x = x + length * step
    factors = np.ones(len(prior))
    factors[columns] = np.exp(across(x))
    return factors


def _solved(product: Callable[[Floats], Floats], right: Floats, diagonal: Floats) -> Floats:
    """Conjugate gradients with the matrix's diagonal before them (Hestenes & Stiefel 1952)."""
    x = np.zeros(len(right))
    left = right.copy()
    way = scaled = left / diagonal
    square = float(left @ scaled)
    enough = SOLVED * SOLVED * square
    for _ in range(2 * len(right) + 20):
        if square <= enough:
            break
        turned = product(way)
        length = square / float(way @ turned)
        x += length * way
        left = left - length * turned
        scaled = left / diagonal
        before, square = square, float(left @ scaled)
        way = scaled + (square / before) * way
    return x
