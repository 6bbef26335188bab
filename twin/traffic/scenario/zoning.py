"""Where trips begin and end: buildings with their people, and zones of them joined to the network."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import shapely

from twin.flood.exposure.people import residents
from twin.flood.exposure.rules import rules
from twin.scenarios.city import City
from twin.scenarios.objects import Objects, read
from twin.traffic.network import Floats, Integers, Network
from twin.traffic.scenario.errors import TrafficRefused
from twin.traffic.scenario.inputs import TrafficInputs
from twin.traffic.zones import connect

# Buildings tell of a network's trips where this share of its crossings has one within this, m.
SERVED_M, SERVED_SHARE = 500.0, 0.5
# So many villages make zones; with fewer, most trips would stay within theirs.
ENOUGH_VILLAGES = 25
MOST_ZONES = 1500
TOWNSHIP_DIGITS = 9
BUILDINGS, DIVISIONS = "buildings", "administrative_areas"
OF_BUILDINGS = "function", "storeys", "village_code"
OF_DIVISIONS = "code", "name", "level", "population"


@dataclass(frozen=True, eq=False)
class Houses:
    """Buildings: middles x, y in metres, people, floor in m2, function, and the codes of their villages ("" unknown).

    names: of villages and townships by code. shapes: of villages by code; townships: their shapes by code.
    """

    x: Floats
    y: Floats
    people: Floats
    floor_m2: Floats
    function: list[str]
    village: list[str]
    names: dict[str, str]
    shapes: dict[str, shapely.Geometry]
    townships: dict[str, shapely.Geometry]

    def __len__(self) -> int:
        return len(self.x)

    @cached_property
    def township(self) -> list[str]:
        """Township code of each building: its village's, else that of the township it stands in."""
        return _standing_in(
            self.townships, shapely.points(self.x, self.y), [code[:TOWNSHIP_DIGITS] for code in self.village]
        )


@dataclass(frozen=True, eq=False)
class Zones:
    """ids, names and townships of zones, where their middles are, and the zone of each building (-1: of none).

    weight: m2 of floor in each, or crossings where zones are made of these.
    """

    ids: list[str]
    names: list[str]
    township: list[str]
    x: Floats
    y: Floats
    weight: Floats
    of_house: Integers

    def __len__(self) -> int:
        return len(self.ids)

    def joined_to(self, network: Network) -> Network:
        """The network with a centroid and connectors for each zone."""
        return connect(network, [f"zone {each}" for each in self.ids], self.x, self.y)


def read_houses(city: City) -> Houses:
    """All buildings of the city, and its divisions. People live where `twin.flood` says they do."""
    return houses_of(read(city, BUILDINGS, None, *OF_BUILDINGS), read(city, DIVISIONS, None, *OF_DIVISIONS))


def houses_of(found: Objects, divisions: Objects) -> Houses:
    """Buildings and divisions with the columns of `OF_BUILDINGS` and `OF_DIVISIONS`."""
    population: dict[str, int] = {}
    names: dict[str, str] = {}
    shapes: dict[str, dict[str, shapely.Geometry]] = {"village": {}, "township": {}}
    columns = (divisions[name] for name in ("code", "name", "level", "population"))
    for shape, code, name, level, count in zip(divisions.shape, *columns, strict=True):
        if not code:
            continue
        names[code] = name or code
        if level in shapes:
            shapes[level][code] = shape
        if level == "village":
            population |= {code: int(count)} if count else {}
    storeys, area = found.numbers("storeys"), shapely.area(found.shape)
    middles = shapely.centroid(found.shape)
    x, y = shapely.get_x(middles), shapely.get_y(middles)
    village = _standing_in(shapes["village"], middles, [code or "" for code in found["village_code"]])
    people = residents(
        rules(), function=found["function"], storeys=storeys, area=area, village=village, population=population
    )
    floor = area * np.maximum(np.nan_to_num(storeys, nan=1.0), 1.0)
    functions = [each or "other" for each in found["function"]]
    return Houses(x, y, people, floor, functions, village, names, shapes["village"], shapes["township"])


def _standing_in(shapes: dict[str, shapely.Geometry], places: Any, codes: Sequence[str]) -> list[str]:
    """The code of each place, and where that is "", of the division it lies in."""
    found = list(codes)
    if shapes and not all(found):
        known = list(shapes)
        point, area = shapely.STRtree([shapes[code] for code in known]).query(places, predicate="intersects")
        for n, where in zip(point.tolist(), area.tolist(), strict=True):
            found[n] = found[n] or known[where]
    return found


def draw_zones(houses: Houses, network: Network, inputs: TrafficInputs) -> Zones:
    """Zones of the houses, or of the crossings where trips are spread by these. Raises TrafficRefused."""
    kind = inputs.zones
    by_crossings = inputs.demand == "crossings" or (inputs.demand != "city" and not _serves(houses, network))
    by_crossings = by_crossings or len(houses) == 0
    if kind == "auto":
        enough = len(set(houses.village) - {""}) >= ENOUGH_VILLAGES
        kind = "village" if enough and not by_crossings else "grid"
    if by_crossings:
        x, y, weight = network.x, network.y, np.ones(network.nodes)
    else:
        x, y, weight = houses.x, houses.y, np.maximum(houses.floor_m2, 1.0)
    if kind == "grid" or by_crossings:
        labels = _cells(x, y, inputs.grid_m)
    else:
        labels = houses.village if kind == "village" else houses.township
    ids, of = np.unique(np.array(labels, str), return_inverse=True)
    wanted = np.array([each != "" for each in ids])
    number = np.where(wanted, np.cumsum(wanted) - 1, -1)[of]
    ids = ids[wanted]
    if not 2 <= len(ids) <= MOST_ZONES:
        raise TrafficRefused(
            f"zones: {len(ids)} zones by {kind}; 2 to {MOST_ZONES} are needed: choose others or another grid_m",
            f"zones：按 {kind} 得到 {len(ids)} 个小区，须为 2 至 {MOST_ZONES} 个",
        )
    inside = number >= 0
    total = np.bincount(number[inside], weight[inside], len(ids)).astype(np.float64)
    xs = np.bincount(number[inside], (weight * x)[inside], len(ids)) / total
    ys = np.bincount(number[inside], (weight * y)[inside], len(ids)) / total
    of_house = np.full(len(houses), -1) if by_crossings else number
    codes = _standing_in(houses.townships, shapely.points(x, y), [""] * len(x)) if by_crossings else houses.township
    township = _townships(number, codes, weight, len(ids))
    return Zones(
        ids.tolist(), [houses.names.get(each, each) for each in ids.tolist()], township, xs, ys, total, of_house
    )


def _serves(houses: Houses, network: Network) -> bool:
    """Whether buildings stand along the whole network, so that its trips begin at them."""
    if len(houses) == 0:
        return False
    homes: Any = shapely.points(houses.x, houses.y)
    near = shapely.STRtree(homes).query_nearest(
        shapely.points(network.x, network.y), max_distance=SERVED_M, all_matches=False, return_distance=False
    )
    return bool(near.shape[1] >= SERVED_SHARE * network.nodes)


def _cells(x: Floats, y: Floats, side: float) -> list[str]:
    column, row = np.floor(x / side).astype(int), np.floor(y / side).astype(int)
    return [f"{a}-{b}" for a, b in zip((column - column.min()).tolist(), (row - row.min()).tolist(), strict=True)]


def _townships(zone_of: Integers, codes: Sequence[str], weight: Floats, count: int) -> list[str]:
    """The township that most weight of each zone stands in, "" where it is not known."""
    votes: list[dict[str, float]] = [{} for _ in range(count)]
    for zone, code, share in zip(zone_of.tolist(), codes, weight.tolist(), strict=True):
        if zone >= 0 and code:
            votes[zone][code] = votes[zone].get(code, 0.0) + share
    return [max(each, key=lambda code: (each[code], code)) if each else "" for each in votes]


def zone_names(zones: Sequence[str]) -> list[str]:
    """Node ids of zones in a network that they are joined to."""
    return [f"zone {each}" for each in zones]
