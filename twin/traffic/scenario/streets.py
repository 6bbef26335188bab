"""The city's roads as a network for cars, with the roads that a planner has drawn."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import shapely

from twin.scenarios.city import City
from twin.scenarios.shapes import in_metres
from twin.traffic.network import Flags, Ids, Integers, Network
from twin.traffic.readers.lines import Columns, Report, network_from_lines
from twin.traffic.scenario.errors import TrafficRefused
from twin.traffic.scenario.inputs import NewRoad, TrafficInputs
from twin.traffic.scenario.turns import banned_turns

ROADS = "roads"
# Which turns are banned behind a road; see twin/traffic/scenario/turns.py.
RESTRICTIONS = "restrictions"
# What the network is made from; a road's further attributes may tell "car", "access", "length_m" and RESTRICTIONS, too.
COLUMNS = (
    "uid", "name", "name_en", "class", "lanes", "speed_kmh", "oneway", "bridge", "tunnel", "vertical_level",
    "start_node", "end_node", "attributes",
)  # fmt: skip
# Classes of OpenStreetMap that the city model has as service roads, and that no car may use unless it is said.
NO_CARS = ("busway", "bus_guideway", "escape")
CAR_KEYS = ("car", "motorcar", "motor_vehicle", "vehicle", "access")
SHUT = {"no", "private", "false", "agricultural", "forestry", "emergency", "military", "bus", "psv"}
FURTHER = {
    "access": pa.string(), "length_m": pa.float64(), RESTRICTIONS: pa.string(), "lanes_forward": pa.float64(),
    "lanes_backward": pa.float64(),
}  # fmt: skip
COUNTRY_OF_ZONE = {"Europe/Paris": "FR", "Europe/Berlin": "DE"}
# The ends of a drawn road are joined to a crossing no farther than this, m.
JOINED_M = 250.0
DRAWN_CLASS = "secondary"


@dataclass(frozen=True, eq=False)
class Streets:
    """network: every link, those of drawn roads last and open. road: row of `table` of each link.

    drawn: flags of links of drawn roads. directions: 0 for a road's first link in the network, 1 and on for others.
    """

    network: Network
    table: pa.Table
    road: Integers
    drawn: Flags
    directions: Integers
    report: Report

    def told(self, column: str) -> list[Any]:
        """A column of the roads."""
        values: list[Any] = self.table.column(column).to_pylist()
        return values

    def flags(self, column: str) -> Flags:
        """Of each link, whether a boolean column of its road is true."""
        return np.array([bool(each) for each in self.told(column)], np.bool_)[self.road]

    @property
    def lines(self) -> Ids:
        """The shape of each link in metres, in its direction."""
        found: Ids | None = self.network.geometry
        assert found is not None  # made from lines
        return found

    @property
    def as_it_is(self) -> Network:
        """Without the drawn roads."""
        return self.network.closing(self.drawn)


def read_streets(city: City, inputs: TrafficInputs) -> Streets:
    """Raises TrafficRefused for a city without roads for cars, or a drawn road that begins nowhere."""
    table = with_access(city.features(ROADS, columns=COLUMNS))
    if table.num_rows == 0:
        raise TrafficRefused(f"{city.name} has no roads; load some first", f"{city.name}没有道路数据，请先导入")
    table, drawn = with_drawn(table, inputs.new_roads, city.metric_crs)
    return streets_of(table, country_of(inputs.country, city.time_zone), city.metric_crs, drawn)


def country_of(asked: str, time_zone: str) -> str:
    """Whose default speeds to take."""
    return COUNTRY_OF_ZONE.get(time_zone, "CN") if asked == "auto" else asked


def streets_of(table: pa.Table, country: str, crs: str, drawn: int = 0) -> Streets:
    """A network of roads as `with_access` gives them; the last `drawn` of them are drawn."""
    network, report = network_from_lines(table, Columns(), country=country, crs=crs)
    row = {each: n for n, each in enumerate(table.column("object_id").to_pylist())}
    road = np.array([row[each] for each in network.link_ids.tolist()], np.int64)
    seen: dict[int, int] = {}
    directions = np.zeros(network.links, np.int64)
    for link, each in enumerate(road.tolist()):
        directions[link] = seen[each] = seen.get(each, -1) + 1
    uids, told = table.column("uid").to_pylist(), table.column(RESTRICTIONS).to_pylist()
    turns = banned_turns(network, road, uids, told, report)
    return Streets(replace(network, turns=turns), table, road, road >= table.num_rows - drawn, directions, report)


def with_access(table: pa.Table) -> pa.Table:
    """Roads with what `FURTHER` names from their further attributes, where these tell it."""
    told = [_Further.of(text) for text in table.column("attributes").to_pylist()]
    for name, kind in FURTHER.items():
        table = table.append_column(name, pa.array([getattr(each, name) for each in told], kind))
    return table


@dataclass(frozen=True)
class _Further:
    access: str | None = None
    length_m: float | None = None
    restrictions: str | None = None
    lanes_forward: float | None = None
    lanes_backward: float | None = None

    @classmethod
    def of(cls, text: str | None) -> "_Further":
        told = json.loads(text) if text else None
        if not isinstance(told, dict):
            return cls()
        # The word for the narrowest kind of vehicle decides (wiki.openstreetmap.org/wiki/Key:access).
        unsaid = "no" if told.get("highway") in NO_CARS else "yes"
        word = next((str(told[key]).lower() for key in CAR_KEYS if told.get(key) is not None), unsaid)
        shut = {each.strip() for each in word.split(";")} <= SHUT
        length, restrictions = told.get("length_m"), told.get(RESTRICTIONS)
        if isinstance(length, bool):
            length = None
        return cls(
            "no" if shut else None,
            _above_0(length),
            restrictions if isinstance(restrictions, str) else None,
            *(_above_0(told.get(key)) for key in ("lanes:forward", "lanes:backward")),
        )


def _above_0(value: object) -> float | None:
    """A number above 0, also of a text; None for anything else."""
    try:
        found = float(value) if isinstance(value, int | float | str) else 0.0
    except ValueError:
        return None
    return found if 0 < found < np.inf else None


def with_drawn(table: pa.Table, roads: Sequence[NewRoad], crs: str) -> tuple[pa.Table, int]:
    """Roads and, after them, those that were drawn, joined to the nearest crossings; and how many these are.

    Raises TrafficRefused for one that begins nowhere.
    """
    if not roads:
        return table, 0
    lines = shapely.from_wkb(table.column("geometry").to_numpy(zero_copy_only=False))
    ends = _Ends(lines, table.column("start_node").to_pylist(), table.column("end_node").to_pylist())
    rows = []
    for number, road in enumerate(roads, 1):
        line = in_metres(road.line, crs)
        corners = shapely.get_coordinates(line)
        (first, start), (last, end) = ends.nearest(corners[0], number), ends.nearest(corners[-1], number)
        corners[0], corners[-1] = first, last
        rows.append(
            {
                "object_id": -number, "geometry": shapely.to_wkb(shapely.linestrings(corners)),
                "uid": f"drawn-{number}",
                "class": DRAWN_CLASS, "lanes": round(road.lanes * (1 if road.oneway else 2)),
                "speed_kmh": road.speed_kmh, "oneway": road.oneway, "start_node": start, "end_node": end,
                # Above all others, so that it is joined at its ends only where lines are split by place.
                "vertical_level": 99, "bridge": False, "tunnel": False,
            }
        )  # fmt: skip
    return pa.concat_tables([table, pa.Table.from_pylist(rows, schema=table.schema)]), len(rows)


@dataclass(frozen=True)
class _Ends:
    """Where roads begin and end, to find the nearest."""

    lines: Any
    start: list[str | None]
    end: list[str | None]
    tree: shapely.STRtree = field(init=False)

    def __post_init__(self) -> None:
        points = np.concatenate([shapely.get_point(self.lines, 0), shapely.get_point(self.lines, -1)])
        object.__setattr__(self, "tree", shapely.STRtree(points))

    def nearest(self, place: Any, number: int) -> tuple[Any, str | None]:
        """The place and name of the nearest crossing. Raises TrafficRefused."""
        point = shapely.Point(place[:2])
        at = int(self.tree.nearest(point))
        found = self.tree.geometries[at]
        if found.distance(point) > JOINED_M:
            raise TrafficRefused(
                f"new_roads: an end of road {number} is {found.distance(point):.0f} m from the nearest crossing; "
                f"draw it to within {JOINED_M:g} m of one",
                f"new_roads：第 {number} 条新路距最近路口 {found.distance(point):.0f} 米，须在 {JOINED_M:g} 米以内",
            )
        return shapely.get_coordinates(found)[0], [*self.start, *self.end][at]
