"""Sensors: where they stand, what they measure, and which object of the city they serve."""

from dataclasses import dataclass, field

import numpy as np
import shapely

from twin.demo.defences import Defences
from twin.demo.divisions import Divisions
from twin.demo.drains import Drains, pump_uids
from twin.demo.frame import Frame
from twin.demo.grid import Floats, Grid
from twin.demo.landform import Landform
from twin.demo.lattice import Rank
from twin.demo.layout import Layout
from twin.demo.network import Network
from twin.demo.tables import ThemeWriter, numbered
from twin.demo.villages import spaced
from twin.demo.water_bodies import WaterBodies, water_uids
from twin.demo.works import Pumps

# Kind: observed property, unit (UCUM), Chinese and English name.
KINDS = {
    "water_level": ("water level above the 1985 datum", "m", "水位站", "Water Level Gauge"),
    "rain": ("rainfall", "mm", "雨量站", "Rain Gauge"),
    "tide": ("sea level above the 1985 datum", "m", "潮位站", "Tide Gauge"),
    "wind": ("wind speed", "m/s", "风速站", "Wind Station"),
    "flow": ("discharge", "m3/s", "管道流量计", "Drain Flow Meter"),
    "air_quality": ("PM2.5", "ug/m3", "空气质量站", "Air Quality Station"),
    "traffic": ("vehicles", "{vehicle}/h", "交通流量站", "Traffic Counter"),
    "parking": ("free places", "{place}", "停车监测", "Parking Monitor"),
    "pump": ("pumped discharge", "m3/s", "泵站监测", "Pump Monitor"),
    "sluice": ("gate opening", "m", "水闸监测", "Sluice Monitor"),
}
# Distance between stations of one kind, m (times the root of the city's scale where it says so).
RAIN_APART, AIR_APART, WIND_APART, TRAFFIC_APART, LEVEL_APART, FLOW_APART = 2300.0, 2000.0, 4200.0, 650.0, 1100.0, 420.0


@dataclass
class _List:
    """Sensors gathered so far: place, kind, what each serves."""

    places: list[tuple[float, float]] = field(default_factory=list)
    kind: list[str] = field(default_factory=list)
    serves: list[str | None] = field(default_factory=list)

    def add(self, kind: str, places: Floats, serves: list[str] | list[None]) -> None:
        self.places += [(x, y) for x, y in np.asarray(places, dtype=float).reshape(-1, 2).tolist()]
        self.kind += [kind] * len(serves)
        self.serves += list(serves)


def write_sensors(
    frame: Frame,
    layout: Layout,
    land: Landform,
    divisions: Divisions,
    bodies: WaterBodies,
    defences: Defences,
    pumps: Pumps,
    network: Network,
    drains: Drains,
    parking: list[tuple[float, float, str]],
    grid: Grid,
    ground: Floats,
    writer: ThemeWriter,
) -> None:
    """All sensors of the city. parking: places and uids of car parks; ground: elevation on `grid`, m."""
    found = _List()
    size = np.sqrt(frame.scale)
    _water(land, bodies, defences, pumps, found)
    seats = divisions.seeds[frame.random("stations").permutation(len(divisions.seeds))]
    codes = dict(zip(map(tuple, divisions.seeds.tolist()), divisions.village_code, strict=True))
    for kind, apart in (("rain", RAIN_APART), ("air_quality", AIR_APART), ("wind", WIND_APART)):
        places = spaced(seats, apart * size)
        found.add(kind, places + len(kind), [f"village-{codes[tuple(p)]}" for p in places.tolist()])
    _traffic(network, found)
    _flow(drains, found)
    for x, y, uid in parking:
        found.add("parking", np.array((x, y)), [uid])
    places = np.array(found.places)
    level = ground[grid.cells(*places.T)].astype(float)
    count: dict[str, int] = {}
    zh, en = [], []
    for kind in found.kind:
        count[kind] = count.get(kind, 0) + 1
        zh.append(f"{KINDS[kind][2]}{count[kind]}")
        en.append(f"{KINDS[kind][3]} {count[kind]}")
    writer.write(
        shapely.points(places),
        uid=numbered("sensor", range(len(places))),
        class_="Sensor",
        name=zh,
        name_en=en,
        kind=found.kind,
        observed_property=[KINDS[kind][0] for kind in found.kind],
        unit=[KINDS[kind][1] for kind in found.kind],
        status="active",
        serves_uid=found.serves,
        elevation=np.round(level + 2.0, 2),
    )


def _water(land: Landform, bodies: WaterBodies, defences: Defences, pumps: Pumps, found: _List) -> None:
    uid = water_uids(bodies)
    kind = np.array(bodies.kind, dtype=object)
    river, canal = np.flatnonzero(kind == "River"), np.flatnonzero(kind == "Canal")
    for which in (river, canal):
        middle = shapely.get_coordinates(shapely.point_on_surface(bodies.shape[which]))
        chosen = {tuple(place) for place in spaced(middle, LEVEL_APART * 0.4).tolist()}
        for i, place in zip(which.tolist(), middle, strict=True):
            if tuple(place.tolist()) in chosen:
                found.add("water_level", place, [uid[i]])
    reservoir = int(np.flatnonzero(kind == "Reservoir")[0])
    (x, y), (ax, ay) = land.river.dam_axis
    found.add("water_level", np.array((x - 30 * ax, y - 30 * ay)), [uid[reservoir]])
    sluices = numbered("sluice", range(len(defences.sluices)))
    at = shapely.get_coordinates(defences.sluices)
    found.add("sluice", at, sluices)
    found.add("pump", shapely.get_coordinates(pumps.places), pump_uids(pumps))
    sea = np.flatnonzero(kind == "Sea")
    largest = uid[int(sea[shapely.area(bodies.shape[sea]).argmax()])]
    fronts = at[np.array(defences.sluice_at_sea, dtype=bool)]
    gauges = spaced(fronts, 2500.0)
    found.add("tide", gauges, [largest] * len(gauges))


def _traffic(network: Network, found: _List) -> None:
    lines = network.lines
    main = np.flatnonzero((lines.rank <= Rank.SECONDARY) & (lines.rank != Rank.MOTORWAY_LINK) & (network.length > 60))
    main = main[np.argsort(lines.rank[main], kind="stable")]
    middle = shapely.get_coordinates(shapely.line_interpolate_point(lines.shape[main], 0.5, normalized=True))
    chosen = {tuple(place) for place in spaced(middle, TRAFFIC_APART).tolist()}
    which = [i for i, place in enumerate(middle.tolist()) if tuple(place) in chosen]
    found.add("traffic", middle[which], [uid for uid in numbered("road", main[which])])


def _flow(drains: Drains, found: _List) -> None:
    """Meters in the last pipe before the larger outfalls."""
    kind = np.array(drains.kind, dtype=object)
    last = np.flatnonzero(kind[drains.end] == "Outfall")
    last = last[np.argsort(-drains.length_up[last], kind="stable")]
    place = drains.places[drains.start[last]]
    chosen = {tuple(at) for at in spaced(place, FLOW_APART).tolist()}
    which = [i for i, at in enumerate(place.tolist()) if tuple(at) in chosen and drains.length_up[last[i]] > 800]
    found.add("flow", place[which], numbered("storm-pipe", last[which]))
