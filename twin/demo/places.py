"""Places that people go to: schools, hospitals, shelters, parking, stations, markets, parks, bus stops."""

from dataclasses import dataclass

import numpy as np
import shapely

from twin.demo.divisions import Divisions
from twin.demo.fabric import Built
from twin.demo.frame import Frame
from twin.demo.grid import Floats, Ints, Shapes
from twin.demo.lattice import Rank
from twin.demo.names import NameBook
from twin.demo.network import Network, street_names
from twin.demo.tables import ThemeWriter, numbered
from twin.demo.uses import Use
from twin.demo.villages import spaced


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


class Places:
    """Facilities of the city, gathered batch by batch; keeps the car parks for their sensors."""

    def __init__(self, frame: Frame, divisions: Divisions, writer: ThemeWriter) -> None:
        self._frame = frame
        self._divisions = divisions
        self._writer = writer
        self._stems = NameBook(frame).streets(4000)
        self._given: dict[Use, int] = {}
        self._count = 0
        self.parking: list[tuple[float, float, str]] = []

    def names(self, use: Ints, where: Shapes) -> tuple[list[str | None], list[str | None]]:
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
            ordinal = f"第{again + 1}" if again else ""
            zh[i] = f"{stem[0]}{ordinal}{kind.zh}"
            en[i] = f"{stem[1]} {kind.en}" + (f" {again + 1}" if again else "")
        return zh, en

    def add(self, built: Built, zh: list[str | None], en: list[str | None]) -> None:
        """Facilities on the parcels of a batch; zh, en: the parcels' names."""
        use = built.parcels.use
        which = np.flatnonzero(np.isin(use, list(KINDS)))
        floor = np.bincount(
            built.buildings.parcel,
            weights=shapely.area(built.buildings.shape) * built.buildings.storeys,
            minlength=len(use),
        )
        land = shapely.area(built.parcels.shape)
        kinds = [KINDS[Use(i)] for i in use[which].tolist()]
        base = np.where(use[which] == Use.PARKING, land[which], floor[which])
        capacity = [
            int(area / kind.per_capacity) if kind.per_capacity else None
            for area, kind in zip(base.tolist(), kinds, strict=True)
        ]
        shape = built.parcels.shape[which]
        uid = numbered("place", range(self._count, self._count + len(which)))
        self._count += len(which)
        self._write(shape, uid, [k.facility for k in kinds], [zh[i] for i in which], [en[i] for i in which], capacity)
        self._remember_parking(shape, [k.facility for k in kinds], uid)
        self._shelters(shape, kinds, capacity, [zh[i] for i in which], [en[i] for i in which])
        self._car_parks(built, floor, zh, en)

    def _remember_parking(self, shape: Shapes, facility: list[str], uid: list[str]) -> None:
        for place, kind, own in zip(shapely.point_on_surface(shape), facility, uid, strict=True):
            if kind == "Parking":
                self.parking.append((place.x, place.y, own))

    def _shelters(
        self,
        shape: Shapes,
        kinds: list[PlaceKind],
        capacity: list[int | None],
        zh: list[str | None],
        en: list[str | None],
    ) -> None:
        which = [i for i, kind in enumerate(kinds) if kind.shelter and capacity[i]]
        self._write(
            shapely.point_on_surface(shape[which]),
            numbered("place", range(self._count, self._count + len(which))),
            ["Shelter"] * len(which),
            [f"{zh[i]}避灾安置点" for i in which],
            [f"{en[i]} Shelter" for i in which],
            [int((capacity[i] or 0) * kinds[i].shelter) for i in which],
        )
        self._count += len(which)

    def _car_parks(self, built: Built, floor: Floats, zh: list[str | None], en: list[str | None]) -> None:
        use = built.parcels.use
        which = np.flatnonzero(np.isin(use, list(WITH_PARKING)) & (floor > 6000))
        per_car = np.array([WITH_PARKING.get(what, 1.0) for what in Use])[use[which]]
        uid = numbered("place", range(self._count, self._count + len(which)))
        self._count += len(which)
        shape = shapely.point_on_surface(built.parcels.shape[which])
        self._write(
            shape,
            uid,
            ["Parking"] * len(which),
            [f"{zh[i]}停车场" if zh[i] else None for i in which],
            [f"{en[i]} Car Park" if en[i] else None for i in which],
            (floor[which] / per_car).astype(int).tolist(),
        )
        self._remember_parking(shape, ["Parking"] * len(which), uid)

    def bus_stops(self, network: Network) -> None:
        """Bus stops along the main streets, named after the street they are on."""
        lines = network.lines
        zh, en = street_names(self._frame, lines)
        main = np.flatnonzero(
            (lines.rank >= Rank.PRIMARY) & (lines.rank <= Rank.TERTIARY) & ~lines.bridge & (network.length > 50)
        )
        middle = shapely.get_coordinates(shapely.line_interpolate_point(lines.shape[main], 0.5, normalized=True))
        chosen = {tuple(place) for place in spaced(middle, BUS_STOPS_APART).tolist()}
        which = [i for i, place in enumerate(middle.tolist()) if tuple(place) in chosen]
        stops = shapely.points(middle[which])
        names = [(zh[main[i]], en[main[i]]) for i in which]
        self._write(
            stops,
            numbered("busstop", range(len(which))),
            ["BusStop"] * len(which),
            [f"{a}站" if a else None for a, _ in names],
            [f"{b} Stop" if b else None for _, b in names],
            [None] * len(which),
        )

    def village_halls(self) -> None:
        """In each village a hall that serves as a shelter."""
        divisions = self._divisions
        rural = [i for i, name in enumerate(divisions.village_name) if name.zh.endswith("村")]
        self._write(
            shapely.points(divisions.seeds[rural]),
            numbered("hall", rural),
            ["Shelter"] * len(rural),
            [f"{divisions.village_name[i].zh}文化礼堂" for i in rural],
            [f"{divisions.village_name[i].en} Hall" for i in rural],
            [int(np.clip(divisions.population[i] * 0.3, 40, 800)) for i in rural],
        )

    def _write(
        self,
        shape: Shapes,
        uid: list[str],
        facility: list[str],
        zh: list[str | None],
        en: list[str | None],
        capacity: list[int | None] | list[int],
    ) -> None:
        if not len(shape):
            return
        village = self._divisions.village_of(self._writer.inner_points(shape)).tolist()
        townships, names = self._divisions.township_of, self._divisions.township_name
        self._writer.write(
            shape,
            uid=uid,
            class_=facility,
            name=zh,
            name_en=en,
            village_code=[self._divisions.village_code[i] for i in village],
            capacity=capacity,
            address=[f"{names[townships[i]].zh}{self._divisions.village_name[i].zh}" for i in village],
        )
