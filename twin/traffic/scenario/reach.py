"""Who reaches a hospital, a school, a shelter, a fire station, and who is cut off, village by village."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from twin.scenarios.city import City
from twin.scenarios.inputs import Words
from twin.scenarios.objects import Objects, read
from twin.traffic.access import Router
from twin.traffic.network import Flags, Floats, Integers, Network
from twin.traffic.scenario.states import Moment, State
from twin.traffic.scenario.zoning import Houses
from twin.traffic.zones import nearest_nodes

WITHIN_MIN = (5, 10, 15, 30)
# A place in water as deep as this serves nobody, m: the depth in which a car has to stop.
OUT_OF_SERVICE_M = 0.3


@dataclass(frozen=True)
class Service:
    """Places of some classes. to_people: whether help comes from there, or people go there."""

    name: str
    title: Words
    classes: tuple[str, ...]
    to_people: bool = False


SERVICES = (
    Service("hospital", Words("医院", "Hospital"), ("Hospital",)),
    Service("school", Words("学校", "School"), ("School",)),
    Service("shelter", Words("避灾点", "Shelter"), ("Shelter",)),
    Service("fire_station", Words("消防站", "Fire station"), ("FireStation",), to_people=True),
)


@dataclass(frozen=True, eq=False)
class Places:
    """The city's services on a network: nodes of each service's places, and of the buildings."""

    network: Network
    services: list[Service]
    nodes: list[Integers]
    home: Integers

    def minutes(self, number: int, router: Router, wet: Flags) -> Floats:
        """From each building to (or from) the nearest place of a service that works, inf where no way leads.

        wet: nodes under water where nothing works.
        """
        working = self.nodes[number][~wet[self.nodes[number]]]
        if not len(working):
            return np.full(len(self.home), np.inf)
        ids = self.network.node_ids[working].tolist()
        found = router.tree(ids, towards=not self.services[number].to_people)
        return found.time_s[self.home] / 60


def read_places(city: City, houses: Houses, network: Network) -> Places:
    """Services that the city has at all."""
    facilities = read(city, "facilities", None, "class")
    services, nodes = [], []
    for service in SERVICES:
        found: Objects = facilities.of_class(*service.classes)
        if len(found):
            middles = shapely.centroid(found.shape)
            services.append(service)
            nodes.append(np.unique(nearest_nodes(network, shapely.get_x(middles), shapely.get_y(middles))[0]))
    home = nearest_nodes(network, houses.x, houses.y)[0] if len(houses) else np.empty(0, np.int64)
    return Places(network, services, nodes, home)


def wet_nodes(state: State) -> Flags:
    """Nodes all of whose links stand in water too deep for a car."""
    network = state.network
    dry = np.zeros(network.nodes, np.bool_)
    shallow = state.depth_m < OUT_OF_SERVICE_M
    dry[network.tail[shallow]] = dry[network.head[shallow]] = True
    return ~dry


class Reached:
    """Rows on who reaches what, gathered over the states of a run.

    ends: of states by their beginning. peak: people of each village cut off at most, by service and vehicle.
    """

    def __init__(self, houses: Houses, places: Places, usual: State, moments: Sequence[Moment]) -> None:
        self._houses, self._places = houses, places
        self.services = places.services
        self.ends = {each.begins: each.ends for each in moments}
        router, dry = Router(usual.network, vehicle=usual.car), np.zeros(usual.network.nodes, np.bool_)
        self._usual = [places.minutes(n, router, dry) for n in range(len(places.services))]
        codes = np.array(houses.village, str)
        self.villages, self._of = np.unique(codes, return_inverse=True)
        self.people = np.bincount(self._of, houses.people, len(self.villages))
        self.rows: list[dict[str, Any]] = []
        self.within: list[dict[str, Any]] = []
        self.peak: dict[tuple[str, str], Floats] = {}
        self._most: dict[tuple[str, str], float] = {}

    def most(self, service: str, vehicle: str) -> float:
        """People cut off in the state where they are most."""
        return self._most.get((service, vehicle), 0.0)

    def take(self, state: State, time_s: Floats | None) -> None:
        """Count one state. Those that were reached in the usual city and now are not are cut off."""
        wet = wet_nodes(state)
        for vehicle in (state.car, state.lorry):
            router = Router(state.network, time_s, vehicle)
            for n, service in enumerate(self._places.services):
                minutes = self._places.minutes(n, router, wet)
                lost = np.isfinite(self._usual[n]) & ~np.isfinite(minutes)
                self._count(state, service, vehicle.name, minutes, lost)

    def _count(self, state: State, service: Service, vehicle: str, minutes: Floats, lost: Flags) -> None:
        people = self._houses.people
        cut = np.bincount(self._of[lost], people[lost], len(self.villages))
        places = np.bincount(self._of[lost], minlength=len(self.villages))
        stamp = {"time": state.moment.begins, "hour": state.moment.hour, "service": service.name, "vehicle": vehicle}
        for at in sorted(np.flatnonzero(places).tolist(), key=lambda village: -cut[village]):
            code = str(self.villages[at])
            self.rows.append(
                stamp
                | {
                    "village_code": code,
                    "village": self._houses.names.get(code, code),
                    "people": round(float(self.people[at])),
                    "people_cut_off": round(float(cut[at])),
                    "buildings_cut_off": int(places[at]),
                }
            )
        for limit in WITHIN_MIN:
            inside = minutes <= limit
            self.within.append(
                stamp | {"minutes": limit, "people": round(float(people[inside].sum())), "buildings": int(inside.sum())}
            )
        key = service.name, vehicle
        self.peak[key] = np.maximum(self.peak.get(key, np.zeros(len(self.villages))), cut)
        self._most[key] = max(self.most(*key), float(cut.sum()))
