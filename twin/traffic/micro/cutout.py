"""What of an assignment happens in a part of its network: routes across it, and vehicles that set out on them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twin.traffic.assignment import Assignment
from twin.traffic.network import Flags, Floats, Integers


@dataclass(frozen=True)
class Route:
    """links: indices, one after the other. vehicle: name of the class. per_hour: vehicles."""

    links: tuple[int, ...]
    vehicle: str
    per_hour: float


@dataclass(frozen=True, eq=False)
class Vehicles:
    """Vehicles in the order of their departure. route: index, depart_s: since the start."""

    route: Integers
    depart_s: Floats

    def __len__(self) -> int:
        return len(self.route)


def routes_across(found: Assignment, inside: Flags) -> list[Route]:
    """The parts of all paths in use that lie on some links (one flag each), equal ones added up.

    A path that leaves and comes back is two routes. Raises TrafficError after method "bfw".
    """
    total: dict[tuple[str, tuple[int, ...]], float] = {}
    for vehicle, per_hour, links in found.routes():
        here = inside[links]
        if here.any():
            for part in np.split(links, np.flatnonzero(np.diff(here)) + 1):
                if inside[part[0]]:
                    key = vehicle, tuple(part.tolist())
                    total[key] = total.get(key, 0.0) + per_hour
    return [Route(links, vehicle, per_hour) for (vehicle, links), per_hour in sorted(total.items())]


def drawn(routes: Sequence[Route], duration_s: float, seed: int) -> Vehicles:
    """Vehicles of a time, as many in all as the routes have, each at a random moment.

    Rounding carries over from route to route, so that many thin ones keep their sum.
    """
    random = np.random.default_rng(seed)
    wanted = np.cumsum([0.0, *(each.per_hour * duration_s / 3600 for each in routes)])
    upto = np.floor(wanted + random.random()).astype(np.int64)
    route = np.repeat(np.arange(len(routes)), upto[1:] - upto[:-1])
    depart = random.uniform(0, duration_s, len(route))
    order = np.argsort(depart, kind="stable")
    return Vehicles(route[order], depart[order])
