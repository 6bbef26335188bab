"""Trips of an hour: from floors and people by gravity, spread by crossings, or from a table."""

from collections.abc import Mapping

import numpy as np

from twin.scenarios.inputs import Words
from twin.traffic.access import Router
from twin.traffic.demand import CAR, Demand, VehicleClass
from twin.traffic.errors import InvalidDemand
from twin.traffic.generation import MORNING_RATES, WORKDAY, Ends, trip_ends
from twin.traffic.gravity import Deterrence, calibrate, gravity
from twin.traffic.network import Floats, Network
from twin.traffic.readers.tables import read_rows
from twin.traffic.scenario.errors import TrafficRefused
from twin.traffic.scenario.inputs import TrafficInputs
from twin.traffic.scenario.zoning import Houses, Zones, zone_names

LORRY_PCU = 2.0
PEAK_HOUR, NOON = 7, 12
# Made up: of a crossing in a dense street grid, in the peak hour.
TRIPS_A_CROSSING = 10.0
# Functions of the city model by those that rates are known for.
RATED = {
    "rural_residential": "residential", "mixed": "residential", "hotel": "commercial", "warehouse": "industrial",
    "medical": "health", "culture": "public", "religious": "public", "transport": "public", "utility": "other",
    "agricultural": "other", "garage": "other",
}  # fmt: skip


class Trips:
    """Trips between zones in the morning's peak hour, and in other hours by the profile of a working day.

    After noon they go the other way round. A table of trips holds for each hour as it is.
    """

    def __init__(
        self,
        zones: Zones,
        matrix: Floats,
        lorry_share: float,
        *,
        by_profile: bool,
        of_hours: Mapping[int, Floats] | None = None,
    ) -> None:
        self._zones, self._matrix, self._lorries = zones, matrix, lorry_share
        self._by_profile, self._of_hours = by_profile, of_hours or {}

    def with_hours(self, matrices: Mapping[int, Floats]) -> "Trips":
        """The same trips but for some hours, which have matrices of their own."""
        return Trips(self._zones, self._matrix, self._lorries, by_profile=self._by_profile, of_hours=matrices)

    def matrix(self, hour: int) -> Floats:
        """Vehicles from zone to zone in an hour of the day."""
        if hour in self._of_hours:
            return self._of_hours[hour]
        if not self._by_profile:
            return self._matrix
        way = self._matrix if hour < NOON else self._matrix.T
        return way * float(WORKDAY[hour] / WORKDAY[PEAK_HOUR])

    def demands(self, hour: int, car: VehicleClass = CAR, lorry: VehicleClass | None = None) -> list[Demand]:
        """Trips of cars, and of lorries and buses if there are any."""
        nodes, all_of_them = zone_names(self._zones.ids), self.matrix(hour)
        parts = [(car, 1 - self._lorries), (lorry or VehicleClass("lorry", LORRY_PCU), self._lorries)]
        return [Demand.from_matrix(all_of_them * share, nodes, vehicle) for vehicle, share in parts if share > 0]


def make_trips(houses: Houses, zones: Zones, network: Network, inputs: TrafficInputs, notes: list[Words]) -> Trips:
    """Raises TrafficRefused where there is nothing that trips could come from. network: with the zones joined."""
    if inputs.demand == "csv":
        return Trips(zones, _table(inputs.od_csv or "", zones), inputs.lorry_share, by_profile=False)
    ends = _ends(houses, zones, inputs, notes)
    minutes = Router(network).matrix(zone_names(zones.ids), zone_names(zones.ids)) / 60
    # Within a zone: half the way to the nearest other one.
    apart = np.where(np.eye(len(zones), dtype=bool), np.inf, minutes)
    np.fill_diagonal(minutes, apart.min(axis=1) / 2)
    try:
        deterrence, matrix = calibrate(ends.produced, ends.attracted, minutes, inputs.mean_trip_min)
    except InvalidDemand as error:
        deterrence = Deterrence(1 / inputs.mean_trip_min)
        matrix = gravity(ends.produced, ends.attracted, minutes, deterrence)
        notes.append(
            Words(
                f"平均行程时间无法标定到 {inputs.mean_trip_min:g} 分钟，阻抗系数取其倒数",
                f"mean_trip_min: {error}; a deterrence of 1/mean was taken",
            )
        )
    return Trips(zones, matrix, inputs.lorry_share, by_profile=True)


def _ends(houses: Houses, zones: Zones, inputs: TrafficInputs, notes: list[Words]) -> Ends:
    """Trips that begin and end in each zone in the morning's peak hour."""
    if (zones.of_house < 0).all():
        ends = Ends(zones.weight, zones.weight)
        total = inputs.trips_total or float(zones.weight.sum()) * TRIPS_A_CROSSING
        notes.append(
            Words(
                "出行按路口平摊，为假定值，未使用建筑用途",
                "trips are spread by crossings and made up: no functions of buildings were used",
            )
        )
    else:
        ends = trip_ends(
            zones.of_house,
            len(zones),
            footprint_m2=houses.floor_m2,
            storeys=np.ones(len(houses)),
            function=[RATED.get(each, each) for each in houses.function],
            rates=MORNING_RATES,
        )
        by_people = float(houses.people.sum()) * inputs.trips_per_1000 / 1000
        total = inputs.trips_total or by_people or float(ends.produced.sum())
        notes.append(
            Words(
                "出行率与日变化系数为假定值，未经调查或计数检验",
                "rates of trips by floor and the profile of the day are assumed; no survey or count stands behind",
            )
        )
    if not ends.produced.sum() > 0 or not ends.attracted.sum() > 0:
        raise TrafficRefused(
            'demand: no trip begins or ends anywhere, for no building has floors; take demand "crossings"',
            "demand：没有可产生出行的建筑，请改用 crossings",
        )
    produced = ends.produced * (total / ends.produced.sum())
    return Ends(produced, ends.attracted * (total / ends.attracted.sum()))


def _table(text: str, zones: Zones) -> Floats:
    index = {each: n for n, each in enumerate(zones.ids)}
    matrix = np.zeros((len(zones), len(zones)))
    for row in read_rows(text, "od_csv", ("origin", "destination", "trips")):
        ends = [row.texts[name] for name in ("origin", "destination")]
        unknown = next((each for each in ends if each not in index), None)
        if unknown is not None:
            raise TrafficRefused(
                f"od_csv, line {row.line}: zone {unknown[:60]!r} is unknown; the table zones lists them",
                f"od_csv 第 {row.line} 行：没有小区“{unknown[:60]}”",
            )
        try:
            number = row.number("trips")
        except ValueError:
            number = np.nan
        if not 0 <= number <= 1e6:
            raise TrafficRefused(f"od_csv, line {row.line}: {row.texts['trips'][:60]!r} trips; use 0 to 1,000,000")
        matrix[index[ends[0]], index[ends[1]]] += number
    return matrix
