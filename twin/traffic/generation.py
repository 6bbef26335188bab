"""How many trips begin and end in a zone: from people and from what its buildings are used for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from twin.traffic.errors import InvalidDemand
from twin.traffic.network import Floats, Integers


class Rate(NamedTuple):
    """Car trips in the morning peak hour for 100 m2 of floor: out of a building, and into it."""

    out: float
    into: float


# Orders of magnitude only, assumed here so that a city without a survey has some demand; a city that has counted
# gives its own. Homes send out, work, schools and shops take in.
MORNING_RATES = {
    "residential": Rate(0.25, 0.06),
    "commercial": Rate(0.15, 0.50),
    "office": Rate(0.08, 0.80),
    "industrial": Rate(0.05, 0.25),
    "education": Rate(0.20, 0.90),
    "health": Rate(0.20, 0.60),
    "public": Rate(0.10, 0.45),
    "other": Rate(0.05, 0.10),
}
STOREY_M = 3.0
# Share of a day's car trips that begin in each hour of a working day: two peaks, seven and five o'clock.
# A made-up profile of the usual shape, to be replaced by the city's own counts.
WORKDAY = np.array(
    [
        0.7,
        0.4,
        0.3,
        0.3,
        0.6,
        1.8,
        4.6,
        8.2,
        7.6,
        5.4,
        4.9,
        5.1,
        5.3,
        5.2,
        5.4,
        6.2,
        7.6,
        8.5,
        6.9,
        5.0,
        3.6,
        2.8,
        2.2,
        1.4,
    ]
)


@dataclass(frozen=True, eq=False)
class Ends:
    """Trips an hour that begin (produced) and end (attracted) in each zone."""

    produced: Floats
    attracted: Floats


def trip_ends(
    zone: npt.ArrayLike,
    zones: int,
    *,
    footprint_m2: npt.ArrayLike,
    storeys: npt.ArrayLike,
    function: Sequence[str],
    rates: Mapping[str, Rate] = MORNING_RATES,
) -> Ends:
    """Trips of each zone from its buildings' floors: footprint x storeys (1 where unknown) x the function's rate.

    zone: index of each building's zone, -1 for none. A function without a rate has that of "other".
    Raises InvalidDemand for negative areas or storeys.
    """
    where: Integers = np.asarray(zone, np.int64)
    levels = np.asarray(storeys, np.float64)
    floor = np.asarray(footprint_m2, np.float64) * np.where(np.isnan(levels), 1.0, levels)
    if not (floor >= 0).all():
        raise InvalidDemand(f"building {int(np.argmin(floor >= 0))}: a footprint or storeys below 0 or no number")
    other = rates.get("other", Rate(0, 0))
    each = np.array([rates.get(name, other) for name in function], np.float64).reshape(-1, 2)
    inside = where >= 0
    hundreds = floor[inside] / 100
    sums = [np.bincount(where[inside], hundreds * each[inside, n], zones).astype(np.float64) for n in range(2)]
    return Ends(*sums)


def hourly(daily_trips: float | Floats, profile: npt.ArrayLike = WORKDAY) -> Floats:
    """Trips in each of 24 hours, [hour] or [hour, ...]: a day's trips by shares of any sum."""
    shares = np.asarray(profile, np.float64)
    if shares.shape != (24,) or not (shares >= 0).all() or shares.sum() == 0:
        raise InvalidDemand("a profile is 24 shares of 0 or more, not all 0")
    found: Floats = np.multiply.outer(shares / shares.sum(), daily_trips)
    return found
