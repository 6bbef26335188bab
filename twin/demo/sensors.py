"""Sensors: where they stand, what they measure, and which object of the city they serve."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import shapely

from twin.demo.drains import Drains, pump_uids
from twin.demo.grid import Floats
from twin.demo.ground_plan import GroundPlan
from twin.demo.lattice import Rank
from twin.demo.shapes import middles_of, points
from twin.demo.tables import ThemeWriter, numbered
from twin.demo.villages import spaced, spaced_index
from twin.demo.water_bodies import water_uids
from twin.demo.works import Pumps


class SensorKind(NamedTuple):
    """What a kind of sensor observes, in which unit (UCUM), and its name."""

    observes: str
    unit: str
    zh: str
    en: str


KINDS = {
    "water_level": SensorKind("water level above the 1985 datum", "m", "水位站", "Water Level Gauge"),
    "rain": SensorKind("rainfall", "mm", "雨量站", "Rain Gauge"),
    "tide": SensorKind("sea level above the 1985 datum", "m", "潮位站", "Tide Gauge"),
    "wind": SensorKind("wind speed", "m/s", "风速站", "Wind Station"),
    "flow": SensorKind("discharge", "m3/s", "管道流量计", "Drain Flow Meter"),
    "air_quality": SensorKind("PM2.5", "ug/m3", "空气质量站", "Air Quality Station"),
    "traffic": SensorKind("vehicles", "{vehicle}/h", "交通流量站", "Traffic Counter"),
    "parking": SensorKind("free places", "{place}", "停车监测", "Parking Monitor"),
    "pump": SensorKind("pumped discharge", "m3/s", "泵站监测", "Pump Monitor"),
    "sluice": SensorKind("gate opening", "m", "水闸监测", "Sluice Monitor"),
}
# Distance between sensors of one kind, m; that of weather stations grows with the root of the city's scale.
WEATHER_APART = {"rain": 2300.0, "air_quality": 2000.0, "wind": 4200.0}
TRAFFIC_APART, GAUGES_APART, TIDE_APART, FLOW_APART = 650.0, 440.0, 2500.0, 420.0
# Outfalls that drain more than this length of street have a meter, m.
METERED_FROM = 800.0
# Height of a sensor above the ground, m.
MAST = 2.0


@dataclass
class _Found:
    """Sensors gathered so far: place, kind, uid of what each serves."""

    places: list[tuple[float, float]] = field(default_factory=list)
    kind: list[str] = field(default_factory=list)
    serves: list[str] = field(default_factory=list)

    def add(self, kind: str, places: Floats, serves: Sequence[str]) -> None:
        """Sensors of one kind; places: rows of x and y."""
        self.places += [(x, y) for x, y in places.tolist()]
        self.kind += [kind] * len(serves)
        self.serves += serves


def write_sensors(
    plan: GroundPlan, pumps: Pumps, drains: Drains, parking: list[tuple[float, float, str]], writer: ThemeWriter
) -> None:
    """All sensors of the city. parking: places and uids of the car parks."""
    found = _Found()
    _water(plan, found)
    at_pumps = shapely.get_coordinates(pumps.places)
    found.add("pump", at_pumps, pump_uids(pumps))
    _weather(plan, found)
    _traffic(plan, found)
    _flow(drains, found)
    found.add("parking", np.array([(x, y) for x, y, _ in parking]).reshape(-1, 2), [uid for _, _, uid in parking])
    places = np.array(found.places)
    number = _numbers(found.kind)
    writer.write(
        points(places),
        uid=numbered("sensor", range(len(places))),
        class_="Sensor",
        name=[f"{KINDS[kind].zh}{i}" for kind, i in zip(found.kind, number, strict=True)],
        name_en=[f"{KINDS[kind].en} {i}" for kind, i in zip(found.kind, number, strict=True)],
        kind=found.kind,
        observed_property=[KINDS[kind].observes for kind in found.kind],
        unit=[KINDS[kind].unit for kind in found.kind],
        status="active",
        serves_uid=found.serves,
        elevation=np.round(plan.ground_at(places) + MAST, 2),
    )


def _numbers(kinds: list[str]) -> list[int]:
    """The running number of each sensor among those of its kind, from 1."""
    count: dict[str, int] = {}
    numbers = []
    for kind in kinds:
        count[kind] = count.get(kind, 0) + 1
        numbers.append(count[kind])
    return numbers


def _water(plan: GroundPlan, found: _Found) -> None:
    """Gauges in river, canals and reservoir, at the sluices, and of the tide in front of some of them."""
    bodies, defences = plan.water, plan.defences
    uid = water_uids(bodies)
    kind = np.array(bodies.kind, dtype=object)
    for what in ("River", "Canal"):
        which = np.flatnonzero(kind == what)
        middle = shapely.get_coordinates(shapely.point_on_surface(bodies.shape[which]))
        chosen = spaced_index(middle, GAUGES_APART)
        found.add("water_level", middle[chosen], [uid[i] for i in which[chosen].tolist()])
    (x, y), (ax, ay) = plan.site.land.river.dam_axis
    reservoir = int(np.flatnonzero(kind == "Reservoir")[0])
    found.add("water_level", np.array([(x - 30 * ax, y - 30 * ay)]), [uid[reservoir]])
    at = shapely.get_coordinates(defences.sluices)
    found.add("sluice", at, numbered("sluice", range(len(at))))
    sea = np.flatnonzero(kind == "Sea")
    largest_sea = uid[int(sea[shapely.area(bodies.shape[sea]).argmax()])]
    gauges = spaced(at[defences.sluice_at_sea], TIDE_APART)
    found.add("tide", gauges, [largest_sea] * len(gauges))


def _weather(plan: GroundPlan, found: _Found) -> None:
    """Stations spread over the villages, each serving the village it stands in."""
    divisions = plan.divisions
    frame = plan.site.frame
    order = frame.random("stations").permutation(len(divisions.seeds))
    for number, (kind, apart) in enumerate(WEATHER_APART.items()):
        chosen = order[spaced_index(divisions.seeds[order], apart * np.sqrt(frame.scale))]
        codes = [f"village-{divisions.village_code[i]}" for i in chosen.tolist()]
        # Not on top of each other where one village has several.
        found.add(kind, divisions.seeds[chosen] + 6.0 * number, codes)


def _traffic(plan: GroundPlan, found: _Found) -> None:
    """Counters on the main roads, the most important first."""
    lines = plan.network.lines
    counted = (lines.rank <= Rank.SECONDARY) & (lines.rank != Rank.MOTORWAY_LINK) & (plan.network.length > 60)
    main = np.flatnonzero(counted)
    main = main[np.argsort(lines.rank[main], kind="stable")]
    middle = np.stack(middles_of(lines.shape[main]), axis=1)
    chosen = spaced_index(middle, TRAFFIC_APART)
    found.add("traffic", middle[chosen], numbered("road", main[chosen]))


def _flow(drains: Drains, found: _Found) -> None:
    """Meters in the last pipe before the larger outfalls."""
    kind = np.array(drains.kind, dtype=object)
    last = np.flatnonzero((kind[drains.end] == "Outfall") & (drains.length_up > METERED_FROM))
    last = last[np.argsort(-drains.length_up[last], kind="stable")]
    places = drains.places[drains.start[last]]
    chosen = spaced_index(places, FLOW_APART)
    found.add("flow", places[chosen], numbered("storm-pipe", last[chosen]))
