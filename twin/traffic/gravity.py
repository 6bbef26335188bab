"""Where trips go: the doubly constrained gravity model, and its deterrence fitted to a mean cost."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from twin.traffic.errors import InvalidDemand
from twin.traffic.network import Floats

BALANCED = 1e-10
MOST_ROUNDS = 5000
# Deterrence beyond this, in mean costs, leaves of all pairs but the nearest nothing to balance.
STEEPEST = 64.0


@dataclass(frozen=True)
class Deterrence:
    """How cost keeps trips away: exp(-beta c), c^-beta, or c^alpha exp(-beta c) (Tanner 1961); costs above 0."""

    beta: float
    form: Literal["exponential", "power", "tanner"] = "exponential"
    alpha: float = 0.0

    def __call__(self, cost: Floats) -> Floats:
        """Weights of costs; an infinite cost weighs nothing."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            if self.form == "power":
                weight = cost**-self.beta
            else:
                weight = np.exp(-self.beta * cost) * (cost**self.alpha if self.form == "tanner" else 1.0)
        return np.where(np.isfinite(cost), weight, 0.0)


def balance(weights: npt.ArrayLike, produced: npt.ArrayLike, attracted: npt.ArrayLike) -> Floats:
    """A matrix with given sums of rows and columns, each entry its weight times a factor of row and of column.

    Sums of columns are scaled to the sum of rows. (Furness 1965; iterative proportional fitting.)
    Raises InvalidDemand for negative sums, or if the weights leave a zone without partners.
    """
    seed = np.asarray(weights, np.float64)
    rows, columns = np.asarray(produced, np.float64), np.asarray(attracted, np.float64)
    if seed.shape != (len(rows), len(columns)):
        raise InvalidDemand(f"weights of {seed.shape} for {len(rows)} origins and {len(columns)} destinations")
    for what, values in (("weights", seed), ("trips produced", rows), ("trips attracted", columns)):
        if not (np.isfinite(values) & (values >= 0)).all():
            raise InvalidDemand(f"{what}: a value below 0 or no number")
    if rows.sum() == 0:
        return np.zeros(seed.shape)
    if columns.sum() == 0:
        raise InvalidDemand("trips are produced and none attracted; give the zones some attraction")
    columns = columns * (rows.sum() / columns.sum())
    lonely = np.flatnonzero((rows > 0) & ~(seed[:, columns > 0] > 0).any(axis=1))
    if len(lonely):
        raise InvalidDemand(f"zone in row {lonely[0]}: its trips have nowhere to go; every weight is 0")
    b = np.ones(len(columns))
    for _ in range(MOST_ROUNDS):
        a = _over(rows, seed @ b)
        b = _over(columns, a @ seed)
        off = float(np.abs(a * (seed @ b) - rows).max())
        if off <= BALANCED * rows.sum():
            return a[:, None] * seed * b
        if not np.isfinite(off) or max(a.max(), b.max()) > 1e150:
            break
    raise InvalidDemand(
        f"no matrix has these sums with these weights (rows stay off by {off:.3g} trips); allow more pairs"
    )


def gravity(produced: npt.ArrayLike, attracted: npt.ArrayLike, cost: npt.ArrayLike, deterrence: Deterrence) -> Floats:
    """Trips by the doubly constrained gravity model (Wilson 1967). cost: zones x zones, inf where no way leads."""
    return balance(deterrence(np.asarray(cost, np.float64)), produced, attracted)


def calibrate(
    produced: npt.ArrayLike, attracted: npt.ArrayLike, cost: npt.ArrayLike, mean_cost: float
) -> tuple[Deterrence, Floats]:
    """The exponential deterrence with which trips cost `mean_cost` on average, and the matrix (Hyman 1969).

    Raises InvalidDemand if no deterrence gives that mean.
    """
    costs = np.asarray(cost, np.float64)

    if not mean_cost > 0:
        raise InvalidDemand(f"a mean cost of {mean_cost}; a number above 0 is needed")

    def at(beta: float) -> tuple[float, Floats]:
        trips = gravity(produced, attracted, costs, Deterrence(beta))
        with np.errstate(invalid="ignore"):
            return float(np.where(trips > 0, trips * costs, 0).sum() / trips.sum()) - mean_cost, trips

    # The mean falls with beta: from that of trips that cost keeps from nothing.
    low, above = 0.0, at(0.0)[0]
    high, below = 1.0 / mean_cost, above
    nearest = above
    try:
        while below > 0 and high < STEEPEST / mean_cost:
            low, above, high = (low, above, high) if below is above else (high, below, 2 * high)
            below = nearest = at(high)[0]
    except InvalidDemand:
        # So steep that no matrix has these sums any more.
        below = np.inf
    if above < 0 or below > 0:
        raise InvalidDemand(
            f"no deterrence makes trips cost {mean_cost:g} on average; the nearest is {mean_cost + nearest:g}"
        )
    while True:
        beta = low + (high - low) * min(max(above / (above - below), 0.05), 0.95) if above > below else high
        error, trips = at(beta)
        if abs(error) <= 1e-9 * mean_cost or high - low <= 1e-14 * high:
            return Deterrence(beta), trips
        low, above, high, below = (beta, error, high, below) if error > 0 else (low, above, beta, error)


def _over(a: Floats, b: Floats) -> Floats:
    return np.divide(a, b, out=np.zeros_like(a), where=b > 0)
