"""Ways from a place clicked on the map: areas reached in so many minutes, and routes, by car or on foot."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import shapely
from contourpy import FillType, contour_generator

from twin.scenarios import ScenarioError
from twin.traffic.access import Router
from twin.traffic.checks import largest_part
from twin.traffic.demand import VehicleClass
from twin.traffic.errors import InvalidNetwork
from twin.traffic.network import Floats, Ids, Integers
from twin.traffic.roads import NOT_FOR_CARS
from twin.traffic.scenario.inputs import NewRoad
from twin.traffic.scenario.link_times import LinkTimes
from twin.traffic.scenario.states import Moment, state_at
from twin.traffic.scenario.streets import RESTRICTIONS, Streets, streets_of, with_access, with_drawn
from twin.traffic.scenario.water import CAR_IN_WATER

Mode = Literal["car", "walk"]
Vehicle = Literal["car", "lorry"]
# A usual walk; by car from the door to the street, as connectors of zones are driven.
WALK_KMH, YARD_KMH = 4.8, 15.0
NO_FOOT = frozenset({"motorway", "motorway_link", "construction"})
# From farther away nobody is taken to a road, m.
FARTHEST_M = 2000.0
# An area is drawn from cells of this side or larger, so that there are at most so many along the longer side, m.
FINEST_M, MOST_ALONG = 30.0, 400
# A block of houses between reached streets is reached, too; what is larger is not, m2.
BLOCK_M2 = 100_000.0


class NoWay(ScenarioError):
    """A place too far from any road, or two that no way joins."""


@dataclass(frozen=True, eq=False)
class Found:
    """A route. line in metres; streets: name, English name and metres of each street in turn."""

    line: shapely.LineString
    seconds: float
    metres: float
    streets: list[tuple[str | None, str | None, float]]


@dataclass(frozen=True, eq=False)
class Doors:
    """Places on a network: the crossing that is nearest to each, and seconds to it, inf from too far."""

    node: Integers
    seconds: Floats


class Ways:
    """Ways on a city's roads in one mode: on empty roads, at the times of a run, or in the water of a state."""

    def __init__(self, streets: Streets, mode: Mode) -> None:
        self.streets, self.mode, network = streets, mode, streets.network
        self._yard_m_s = (WALK_KMH if mode == "walk" else YARD_KMH) / 3.6
        self._core = largest_part(network)
        crossings: Ids = np.asarray(shapely.points(network.x[self._core], network.y[self._core]), object)
        self._tree = shapely.STRtree(crossings)
        self._dry = Router(network)

    @classmethod
    def of(cls, table: pa.Table, mode: Mode, country: str, crs: str, drawn: Sequence[NewRoad] = ()) -> "Ways":
        """From roads as `streets.COLUMNS` names their columns, with object_id and geometry; drawn: further ones.

        Raises NoWay for no roads, TrafficRefused for a drawn one that begins nowhere.
        """
        roads, count = with_drawn(with_access(table), drawn, crs)
        try:
            return cls(streets_of(on_foot(roads) if mode == "walk" else roads, country, crs, count), mode)
        except InvalidNetwork as error:
            raise NoWay(str(error)) from error

    def in_water(self, depth_m: Floats, vehicle: Vehicle = "car") -> Router:
        """A router on the network in water, one depth a link. On foot as deep as a car goes, and no slower."""
        if self.mode == "walk":
            return Router(self.streets.network, vehicle=VehicleClass(barred=depth_m >= CAR_IN_WATER.deepest_m))
        state = state_at(self.streets.network, Moment(0), (), depth_m)
        return Router(state.network, vehicle=state.lorry if vehicle == "lorry" else state.car)

    def at_times(self, times: LinkTimes, vehicle: Vehicle = "car") -> Router:
        """A router at the times that a run found."""
        return Router(self.streets.network, times.on(self.streets, vehicle))

    def start(self, x: float, y: float) -> tuple[Any, float]:
        """The id of the nearest crossing to a place, and seconds to it. Raises NoWay."""
        point = shapely.Point(x, y)
        at = int(self._tree.nearest(point))
        metres = float(self._tree.geometries[at].distance(point))
        if not metres <= FARTHEST_M:
            raise NoWay(
                f"no road within {FARTHEST_M:g} m of that place ({metres:.0f} m); take another",
                f"该点 {FARTHEST_M:g} 米内没有道路（{metres:.0f} 米）",
            )
        return self.streets.network.node_ids[self._core[at]], metres / self._yard_m_s

    def areas(
        self, x: float, y: float, limits_s: Sequence[float], router: Router | None = None, *, towards: bool = False
    ) -> list[shapely.Geometry]:
        """What is reached within each time, as polygons in metres about a cell around the streets.

        towards: whence the place is reached instead.
        """
        node, begun = self.start(x, y)
        used = router or self._dry
        found = used.tree(node, limit_s=max(max(limits_s) - begun, 0.0), towards=towards)
        link, share, column, row = self._samples
        share = 1 - share if towards else share
        own = used.cost_s
        with np.errstate(invalid="ignore"):
            seconds = begun + found.link_time_s[link] + np.where(share > 0, share * own[link], 0.0)
        grid = np.full(self._size, np.inf)
        np.minimum.at(grid, (row, column), np.where(np.isnan(seconds), np.inf, seconds))
        grid[self._cell_of(x, y)] = 0.0
        return self._outlines(grid, limits_s)

    def route(self, begin: tuple[float, float], end: tuple[float, float], router: Router | None = None) -> Found:
        """The quickest way between two places in metres. Raises NoWay."""
        (a, before), (b, after) = self.start(*begin), self.start(*end)
        found = (router or self._dry).route(a, b)
        if found is None:
            raise NoWay("no open way leads from the one place to the other", "两点之间没有可通行的道路")
        lines = self.streets.lines
        corners = [shapely.get_coordinates(each) for each in lines[found.links]]
        line = np.vstack([np.array([begin]), *corners, np.array([end])])
        return Found(shapely.LineString(line), before + found.time_s + after, found.length_m, self._told(found.links))

    def times(self, begin: tuple[float, float], places: Ids, router: Router | None = None) -> Floats:
        """Seconds from a place to others, points in metres; inf where no way leads. Raises NoWay."""
        return self.times_to(begin, self.doors(places), router)

    def doors(self, places: Ids) -> "Doors":
        """Where points in metres meet the network."""
        (_, at), metres = self._tree.query_nearest(places, all_matches=False, return_distance=True)
        return Doors(self._core[at], np.where(metres <= FARTHEST_M, metres / self._yard_m_s, np.inf))

    def times_to(
        self, begin: tuple[float, float], doors: "Doors", router: Router | None = None, *, towards: bool = False
    ) -> Floats:
        """Seconds from a place to doors, or (towards) from these to it; inf where no way leads. Raises NoWay."""
        node, before = self.start(*begin)
        reached = (router or self._dry).tree(node, towards=towards).time_s
        found: Floats = before + reached[doors.node] + doors.seconds
        return found

    def matrix(self, begins: Ids, ends: Ids, router: Router | None = None) -> Floats:
        """Seconds from each of some points in metres to each of others; inf where no way leads or no road is near."""
        a, b = self.doors(begins), self.doors(ends)
        ids = self.streets.network.node_ids
        between = (router or self._dry).matrix(ids[a.node].tolist(), ids[b.node].tolist())
        found: Floats = a.seconds[:, None] + between + b.seconds[None, :]
        x, y = (shapely.get_x(each) for each in (begins, ends)), (shapely.get_y(each) for each in (begins, ends))
        same = np.equal.outer(*x) & np.equal.outer(*y)
        return np.where(same & np.isfinite(found), 0.0, found)

    def _told(self, links: Integers) -> list[tuple[str | None, str | None, float]]:
        names, english = self.streets.told("name"), self.streets.told("name_en")
        told: list[tuple[str | None, str | None, float]] = []
        for link in links.tolist():
            road = int(self.streets.road[link])
            length = float(self.streets.network.length_m[link])
            if told and told[-1][:2] == (names[road], english[road]):
                length += told.pop()[2]
            told.append((names[road], english[road], length))
        return told

    @cached_property
    def _frame(self) -> tuple[float, float, float]:
        """West, north and side of the cells."""
        west, south, east, north = shapely.total_bounds(self.streets.lines)
        side = max(FINEST_M, max(east - west, north - south) / MOST_ALONG)
        return west - 2 * side, north + 2 * side, side

    @cached_property
    def _size(self) -> tuple[int, int]:
        west, north, side = self._frame
        _, south, east, _ = shapely.total_bounds(self.streets.lines)
        return int((north - south) / side) + 3, int((east - west) / side) + 3

    @cached_property
    def _samples(self) -> tuple[Integers, Floats, Integers, Integers]:
        """Points along all links, two a cell: link, share of it, column and row of the cell."""
        west, north, side = self._frame
        lines = self.streets.lines
        count = np.ceil(shapely.length(lines) / (side / 2)).astype(np.int64) + 1
        link = np.repeat(np.arange(len(lines)), count)
        place = np.arange(len(link)) - np.repeat(np.cumsum(count) - count, count)
        share = place / np.maximum(count - 1, 1)[link]
        points = shapely.line_interpolate_point(lines[link], share, normalized=True)
        column = ((shapely.get_x(points) - west) / side).astype(np.int64)
        row = ((north - shapely.get_y(points)) / side).astype(np.int64)
        return link, share, column, row

    def _cell_of(self, x: float, y: float) -> tuple[int, int]:
        west, north, side = self._frame
        rows, columns = self._size
        return min(max(int((north - y) / side), 0), rows - 1), min(max(int((x - west) / side), 0), columns - 1)

    def _outlines(self, seconds: Floats, limits_s: Sequence[float]) -> list[shapely.Geometry]:
        """Of each time, what lies within it, a cell around the streets; blocks between reached streets filled."""
        west, north, side = self._frame
        far = 2 * max(limits_s)
        wide = np.pad(np.minimum(seconds, far), 2, constant_values=far)
        grown = wide.copy()
        for axis in (0, 1):
            for step in (-1, 1):
                np.minimum(grown, np.roll(wide, step, axis), out=grown)
        x = west + (np.arange(grown.shape[1]) - 1.5) * side
        y = north - (np.arange(grown.shape[0]) - 1.5) * side
        lines = contour_generator(x, y, grown, fill_type=FillType.ChunkCombinedOffsetOffset)
        return [_polygons(lines.filled(-1.0, limit), side / 3) for limit in limits_s]


def _polygons(chunks: tuple[Any, ...], tolerance: float) -> shapely.Geometry:
    """Polygons as contourpy writes them: corners, where each ring begins, which ring begins a polygon; of one chunk."""
    corners, starts, shells = (part[0] for part in chunks)
    if corners is None:
        return shapely.Polygon()
    rings = shapely.linearrings(corners, indices=np.repeat(np.arange(len(starts) - 1), np.diff(starts)))
    is_shell = np.zeros(len(starts) - 1, np.bool_)
    is_shell[shells[:-1]] = True
    kept = is_shell | (shapely.area(shapely.polygons(rings)) > BLOCK_M2)
    found = shapely.polygons(rings[kept], indices=(np.cumsum(is_shell) - 1)[kept])
    simple = shapely.simplify(shapely.multipolygons(found), tolerance, preserve_topology=False)
    valid: shapely.Geometry = shapely.make_valid(simple)
    return valid


def on_foot(roads: pa.Table) -> pa.Table:
    """Roads as those on foot use them: both ways, at one speed, those closed to cars only where they are paths."""
    classes, access = roads.column("class").to_pylist(), roads.column("access").to_pylist()
    paths = NOT_FOR_CARS - NO_FOOT
    usable = [
        kind not in NO_FOOT and (shut is None or kind in paths) for kind, shut in zip(classes, access, strict=True)
    ]
    found = roads.filter(pa.array(usable, pa.bool_()))
    count = found.num_rows
    for name, values in (
        ("oneway", pa.nulls(count, pa.bool_())),
        ("speed_kmh", pa.array([WALK_KMH] * count, pa.float64())),
        ("access", pa.nulls(count, pa.string())),
        (RESTRICTIONS, pa.nulls(count, pa.string())),
        # So that the reader, which is for cars, leaves none out.
        ("class", pa.array(["residential"] * count, pa.string())),
    ):
        found = found.set_column(found.column_names.index(name), name, values)
    return found
