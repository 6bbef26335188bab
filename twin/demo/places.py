"""Places that people go to: schools, hospitals, shelters, parking, stations, markets, parks, bus stops."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from twin.demo.fabric import Built
from twin.demo.grid import Floats, Ints, Shapes
from twin.demo.ground_plan import GroundPlan
from twin.demo.lattice import Rank
from twin.demo.names import NameBook
from twin.demo.road_tables import street_names
from twin.demo.shapes import middles_of, points
from twin.demo.tables import ThemeWriter, numbered
from twin.demo.uses import Use
from twin.demo.villages import spaced_index


@dataclass(frozen=True)
class PlaceKind:
    """How a use becomes a facility. zh, en: suffix of the name. per_capacity: floor area (m2) a person or place takes.

    shelter: share of the capacity that can be taken in during a typhoon. largest: parcels below this (m2) are points.
    """

    facility: str
    zh: str
    en: str
    per_capacity: float = 0.0
    shelter: float = 0.0


KINDS: dict[Use, PlaceKind] = {
    Use.PRIMARY_SCHOOL: PlaceKind("School", "小学", "Primary School", 9.0, 0.8),
    Use.MIDDLE_SCHOOL: PlaceKind("School", "中学", "Middle School", 11.0, 0.8),
    Use.COLLEGE: PlaceKind("University", "学院", "College", 22.0, 0.5),
    Use.HOSPITAL: PlaceKind("Hospital", "医院", "Hospital", 70.0),
    Use.GOVERNMENT: PlaceKind("TownHall", "政务中心", "Town Hall"),
    Use.FIRE_STATION: PlaceKind("FireStation", "消防站", "Fire Station"),
    Use.POLICE: PlaceKind("Police", "派出所", "Police Station"),
    Use.MARKET: PlaceKind("Market", "农贸市场", "Market"),
    Use.MALL: PlaceKind("Shop", "购物中心", "Shopping Centre"),
    Use.HOTEL: PlaceKind("Hotel", "大酒店", "Hotel", 45.0),
    Use.CULTURE: PlaceKind("Museum", "文化中心", "Cultural Centre", 20.0, 0.6),
    Use.SPORT: PlaceKind("Stadium", "体育中心", "Sports Centre", 4.0, 0.7),
    Use.TEMPLE: PlaceKind("Worship", "寺", "Temple"),
    Use.BUS_STATION: PlaceKind("BusStation", "客运站", "Bus Station"),
    Use.RAILWAY_STATION: PlaceKind("RailwayStation", "站", "Railway Station"),
    Use.PARK: PlaceKind("Park", "公园", "Park"),
    Use.PARKING: PlaceKind("Parking", "停车场", "Car Park", 30.0),
    Use.PORT: PlaceKind("Port", "港区", "Port"),
}
# Uses whose buildings have a car park, and one car to how much floor area, m2.
WITH_PARKING = {Use.MALL: 60.0, Use.HOSPITAL: 110.0, Use.OFFICES: 130.0, Use.RAILWAY_STATION: 40.0, Use.SPORT: 90.0}
BUS_STOPS_APART = 420.0
# A village hall stands within this distance of a road, m.
HALL_REACH = 120.0


@dataclass(frozen=True)
class _Facilities:
    """Rows to be written: geometry, class, names, capacity in persons or places."""

    shape: Shapes
    kind: Sequence[str]
    zh: Sequence[str | None]
    en: Sequence[str | None]
    capacity: Sequence[int | None]


class Places:
    """Facilities of the city, gathered batch by batch; keeps the car parks for their sensors."""

    def __init__(self, plan: GroundPlan, writer: ThemeWriter) -> None:
        self._plan = plan
        self._writer = writer
        self._stems = NameBook(plan.site.frame).streets(4000)
        self._given: dict[Use, int] = {}
        self.parking: list[tuple[float, float, str]] = []

    def names(self, use: Ints) -> tuple[list[str | None], list[str | None]]:
        """Names for parcels of these uses, Chinese and English; null for uses that have none."""
        zh: list[str | None] = [None] * len(use)
        en: list[str | None] = [None] * len(use)
        for i, what in enumerate(use.tolist()):
            kind = KINDS.get(Use(what))
            if kind is None:
                continue
            number = self._given[Use(what)] = self._given.get(Use(what), -1) + 1
            stem = self._stems[(number * 7 + what * 131) % len(self._stems)]
            again = number * 7 // len(self._stems)
            zh[i] = stem[0] + (f"第{again + 1}" if again else "") + kind.zh
            en[i] = f"{stem[1]} {kind.en}" + (f" {again + 1}" if again else "")
        return zh, en

    def add(self, built: Built, zh: list[str | None], en: list[str | None]) -> None:
        """Facilities on the parcels of a batch; zh, en: the parcels' names."""
        use = built.parcels.use
        buildings = built.buildings
        floors = shapely.area(buildings.shape) * buildings.storeys
        floor = np.bincount(buildings.parcel, weights=floors, minlength=len(use)).astype(float)
        space = np.where(use == Use.PARKING, shapely.area(built.parcels.shape), floor)
        which = np.flatnonzero(np.isin(use, list(KINDS))).tolist()
        kinds = [KINDS[Use(use[i])] for i in which]
        capacity = [
            int(space[i] / kind.per_capacity) if kind.per_capacity else None
            for i, kind in zip(which, kinds, strict=True)
        ]
        found = _Facilities(
            built.parcels.shape[which], [kind.facility for kind in kinds], _of(zh, which), _of(en, which), capacity
        )
        self._write(found)
        self._shelters(found, [kind.shelter for kind in kinds])
        self._car_parks(built, floor, zh, en)
        grounds = len(built.sports_grounds)
        self._write(
            _Facilities(
                built.sports_grounds,
                ["Other"] * grounds,
                ["运动场"] * grounds,
                ["Sports Ground"] * grounds,
                [None] * grounds,
            )
        )

    def _shelters(self, found: _Facilities, share: list[float]) -> None:
        """Shelters in those of the facilities that take people in, with `share` of their capacity."""
        places = [int((capacity or 0) * part) for capacity, part in zip(found.capacity, share, strict=True)]
        which = [i for i, count in enumerate(places) if count]
        self._write(
            _Facilities(
                shapely.point_on_surface(found.shape[which]),
                ["Shelter"] * len(which),
                [f"{found.zh[i]}避灾安置点" for i in which],
                [f"{found.en[i]} Shelter" for i in which],
                [places[i] for i in which],
            )
        )

    def _car_parks(self, built: Built, floor: Floats, zh: list[str | None], en: list[str | None]) -> None:
        """Car parks of large buildings. floor: area of each parcel's buildings on all storeys, m2."""
        use = built.parcels.use
        which = np.flatnonzero(np.isin(use, list(WITH_PARKING)) & (floor > 6000)).tolist()
        self._write(
            _Facilities(
                shapely.point_on_surface(built.parcels.shape[which]),
                ["Parking"] * len(which),
                [f"{zh[i]}停车场" if zh[i] else None for i in which],
                [f"{en[i]} Car Park" if en[i] else None for i in which],
                [int(floor[i] / WITH_PARKING[Use(use[i])]) for i in which],
            )
        )

    def bus_stops(self) -> None:
        """Bus stops along the main streets, named after the street they are on."""
        network = self._plan.network
        lines = network.lines
        zh, en = street_names(self._plan.site.frame, lines)
        busy = (lines.rank >= Rank.PRIMARY) & (lines.rank <= Rank.TERTIARY) & ~lines.bridge
        main = np.flatnonzero(busy & (network.length > 50))
        middle = np.stack(middles_of(lines.shape[main]), axis=1)
        chosen = spaced_index(middle, BUS_STOPS_APART)
        which = main[chosen].tolist()
        self._write(
            _Facilities(
                points(middle[chosen]),
                ["BusStop"] * len(which),
                [f"{zh[i]}站" if zh[i] else None for i in which],
                [f"{en[i]} Stop" if en[i] else None for i in which],
                [None] * len(which),
            )
        )

    def village_halls(self) -> None:
        """In each village on a road a hall that serves as a shelter."""
        divisions = self._plan.divisions
        seats = points(divisions.seeds)
        roads = shapely.STRtree(self._plan.network.lines.shape)
        reached = np.unique(roads.query(seats, predicate="dwithin", distance=HALL_REACH)[0]).tolist()
        which = [i for i in reached if divisions.village_name[i].zh.endswith("村")]
        self._write(
            _Facilities(
                seats[which],
                ["Shelter"] * len(which),
                [f"{divisions.village_name[i].zh}文化礼堂" for i in which],
                [f"{divisions.village_name[i].en} Hall" for i in which],
                [int(np.clip(divisions.population[i] * 0.3, 40, 800)) for i in which],
            )
        )

    def _write(self, found: _Facilities) -> None:
        if not len(found.shape):
            return
        divisions = self._plan.divisions
        inner = self._writer.inner_points(found.shape)
        village = divisions.village_of(inner).tolist()
        uid = numbered("place", range(self._writer.count, self._writer.count + len(village)))
        towns = [divisions.township_name[i].zh for i in divisions.township_of[village].tolist()]
        self._writer.write(
            found.shape,
            uid=uid,
            class_=found.kind,
            name=found.zh,
            name_en=found.en,
            village_code=[divisions.village_code[i] for i in village],
            capacity=found.capacity,
            address=[town + divisions.village_name[i].zh for town, i in zip(towns, village, strict=True)],
        )
        for place, kind, own in zip(inner, found.kind, uid, strict=True):
            if kind == "Parking":
                self.parking.append((place.x, place.y, own))


def _of(names: list[str | None], which: list[int]) -> list[str | None]:
    return [names[i] for i in which]
