"""People moved to shelters that have only so much room: who goes where, by which roads, and how long it takes."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from twin.scenarios.city import City
from twin.scenarios.objects import Objects, read
from twin.scenarios.shapes import in_metres
from twin.traffic.access import Route, Router
from twin.traffic.network import Floats, Integers
from twin.traffic.scenario.allocation import allocate
from twin.traffic.scenario.errors import TrafficRefused
from twin.traffic.scenario.flooding import Flooding
from twin.traffic.scenario.inputs import TrafficInputs
from twin.traffic.scenario.states import State
from twin.traffic.scenario.streets import Streets
from twin.traffic.scenario.zoning import Houses
from twin.traffic.zones import nearest_nodes

TO_MOVE = "people_to_move"
# A shelter that the flood reaches with so much water takes nobody, m.
DRY_M = 0.05


@dataclass(frozen=True, eq=False)
class Leaving:
    """Who leaves, and what takes them in. villages: codes; people of each; x, y: the middle of those who leave.

    shelters: those that no flood reaches. room: persons in each; people_a_vehicle: as the planner says.
    """

    villages: list[str]
    people: Integers
    x: Floats
    y: Floats
    shelters: Objects
    room: Integers
    people_a_vehicle: float


@dataclass(frozen=True)
class Move:
    """People of a village who go to one shelter. cleared_min: until the last of them is there."""

    village: str
    shelter: int
    people: int
    way: Route
    cleared_min: float


@dataclass(frozen=True, eq=False)
class Evacuation:
    """taken: persons in each shelter. without_way, without_room: people of each village who stay.

    vehicles: of each link. narrowest: the link that takes longest to pass all that want to, None if nobody moves.
    """

    leaving: Leaving
    moves: list[Move]
    taken: Integers
    without_way: dict[str, int]
    without_room: dict[str, int]
    vehicles: Floats
    narrowest: int | None

    @property
    def cleared_min(self) -> float:
        """Minutes until the last is there, if all leave at once."""
        return max((each.cleared_min for each in self.moves), default=0.0)


def read_leaving(city: City, inputs: TrafficInputs, houses: Houses, flooding: Flooding | None) -> Leaving | None:
    """Who has to leave as the planner says, None where nobody is asked to. Raises TrafficRefused."""
    if inputs.evacuate == "area" and inputs.evacuation_area is not None:
        moving = _in_area(houses, in_metres(inputs.evacuation_area, city.metric_crs))
    elif inputs.evacuate == "flood" and flooding is not None:
        moving = _flooded(houses, flooding)
    else:
        return None
    villages, of = np.unique(np.array(houses.village, str), return_inverse=True)
    count = np.bincount(of, moving, len(villages))
    some = np.round(count) > 0
    x, y = (np.bincount(of, moving * each, len(villages))[some] / count[some] for each in (houses.x, houses.y))
    shelters = _shelters(city, flooding)
    room = np.array([each or 0 for each in shelters["capacity"]], np.int64)
    people = np.round(count[some]).astype(np.int64)
    return Leaving(villages[some].tolist(), people, x, y, shelters, room, inputs.people_a_vehicle)


def plan_evacuation(leaving: Leaving, streets: Streets, state: State, time_s: Floats | None) -> Evacuation:
    """Who goes where, on the roads of a state, at the times of its links (free where None): before the flood comes.

    People go so that the sum of all their ways is least, village by village. Each link passes its capacity: who comes
    later waits for those before (a point queue, all leave at once). That is the least time that this plan can take.
    """
    people, room = leaving.people, leaving.room
    without_way: dict[str, int] = {}
    without_room: dict[str, int] = {}
    ways: dict[tuple[int, int], Route] = {}
    placed = np.zeros((len(people), len(room)), np.int64)
    if placed.size:
        middles = shapely.get_coordinates(shapely.centroid(leaving.shelters.shape))
        begins, ends = _crossings(streets, leaving.x, leaving.y), _crossings(streets, middles[:, 0], middles[:, 1])
        router = Router(state.network, time_s, state.car)
        cost = router.matrix(begins, ends)
        placed = allocate(people, room, cost)
        for n, to in zip(*(each.tolist() for each in np.nonzero(placed)), strict=True):
            way = router.route(begins[n], ends[to])
            assert way is not None  # nobody is placed where none leads
            ways[n, to] = way
        without_way = {leaving.villages[n]: int(people[n]) for n in np.flatnonzero(np.isinf(cost).all(axis=1))}
    for village, left in zip(leaving.villages, (people - placed.sum(axis=1)).tolist(), strict=True):
        if left and village not in without_way:
            without_room[village] = left
    vehicles = np.zeros(streets.network.links)
    for pair, way in ways.items():
        vehicles[way.links] += placed[pair] / leaving.people_a_vehicle
    queue_min = 60 * vehicles / np.maximum(state.network.capacity[: len(vehicles)], 1.0)
    moves = [
        Move(
            leaving.villages[n],
            to,
            int(placed[n, to]),
            way,
            way.time_s / 60 + float(queue_min[way.links].max(initial=0.0)),
        )
        for (n, to), way in ways.items()
    ]
    narrowest = int(queue_min.argmax()) if moves else None
    return Evacuation(leaving, moves, placed.sum(axis=0), without_way, without_room, vehicles, narrowest)


def _crossings(streets: Streets, x: Floats, y: Floats) -> list[Any]:
    """Ids of the nearest nodes of the streets; centroids of zones are no places to go to."""
    ids: list[Any] = streets.network.node_ids[nearest_nodes(streets.network, x, y)[0]].tolist()
    return ids


def _in_area(houses: Houses, area: shapely.Geometry) -> Floats:
    """People of each building within an area in metres."""
    inside = shapely.contains_xy(area, houses.x, houses.y)
    if not houses.people[inside].sum() >= 1:
        raise TrafficRefused(
            "evacuation_area: nobody lives there; draw it over homes", "evacuation_area：范围内无人居住，请重新绘制"
        )
    return np.where(inside, houses.people, 0.0)


def _flooded(houses: Houses, flooding: Flooding) -> Floats:
    """People of each building who have to leave, shared out in each village as the flood run counts them there."""
    if TO_MOVE not in flooding.record.tables:
        raise TrafficRefused(
            f"evacuate: run {flooding.record.id} has no table {TO_MOVE}; take a flood run with exposure",
            f"evacuate：洪水模拟 {flooding.record.id} 没有需转移人数表",
        )
    most: dict[str, int] = {}
    for row in flooding.record.table(TO_MOVE).select(["village_code", "people"]).to_pylist():
        most[row["village_code"]] = max(most.get(row["village_code"], 0), row["people"])
    codes = np.array(houses.village, str)
    moving = np.zeros(len(houses))
    for code, count in most.items():
        there = codes == code
        living = houses.people[there].sum()
        if living > 0:
            moving[there] = houses.people[there] * min(1.0, count / living)
    return moving


def _shelters(city: City, flooding: Flooding | None) -> Objects:
    """Shelters that no flood reaches."""
    found = read(city, "facilities", None, "class", "name", "capacity").of_class("Shelter")
    if flooding is None or not len(found):
        return found
    middles = shapely.get_coordinates(shapely.centroid(found.shape))
    return found.take(flooding.deepest_at(middles[:, 0], middles[:, 1]) < DRY_M)
