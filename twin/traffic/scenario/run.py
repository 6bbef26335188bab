"""A traffic run from the city to its results."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from twin.scenarios.city import City
from twin.scenarios.inputs import Words
from twin.scenarios.protocol import Progress, RasterLayer, Result, VectorLayer
from twin.traffic.checks import Finding, check
from twin.traffic.errors import TrafficError
from twin.traffic.network import Floats, Integers
from twin.traffic.scenario.count_file import read_count_file
from twin.traffic.scenario.counters import GOOD_GEH, Counted, count_table, read_counted
from twin.traffic.scenario.desire import desire_layer, users
from twin.traffic.scenario.emissions import SOURCE as CO2_SOURCE
from twin.traffic.scenario.errors import TrafficRefused
from twin.traffic.scenario.evacuation import Evacuation, plan_evacuation, read_leaving
from twin.traffic.scenario.fitting import Fitted, fit_indicators, fit_tables, fit_trips, write_fitted
from twin.traffic.scenario.flooding import read_flooding
from twin.traffic.scenario.inputs import TrafficInputs
from twin.traffic.scenario.link_times import write_link_times
from twin.traffic.scenario.maps import closed_layer, cut_off_layers, evacuation_layers, fault_layer, traffic_layers
from twin.traffic.scenario.reach import Reached, read_places
from twin.traffic.scenario.solving import Solver, Traffic
from twin.traffic.scenario.states import Closed, Moment, State, moments, read_closures, state_at
from twin.traffic.scenario.streets import Streets, read_streets
from twin.traffic.scenario.tables import (
    closed_km,
    cut_off_tables,
    evacuation_tables,
    event_tables,
    state_table,
    township_table,
    typed,
    unserved_table,
    zone_table,
)  # fmt: skip
from twin.traffic.scenario.trip_paths import write_trip_paths
from twin.traffic.scenario.trips import Trips, make_trips
from twin.traffic.scenario.water import LORRY_SOURCE
from twin.traffic.scenario.water import SOURCE as WATER_SOURCE
from twin.traffic.scenario.zoning import Houses, Zones, draw_zones, read_houses

# Parts of the whole run: reading, equilibria, then tables and layers.
PREPARED, FITTED, COMPUTED = 0.2, 0.5, 0.92
VEHICLES = {"car": Words("小客车", "by car"), "lorry": Words("货车", "by lorry")}
NOBODY = Words(
    "封闭的道路现状无车使用：可能是路网的尽头，或两侧没有出行，因此流量没有变化",
    "nobody uses what is closed as it is: the network may end there, or no trips begin beyond it; so nothing changes",
)
WET_SOURCES = {"co2": CO2_SOURCE, "car_in_water": WATER_SOURCE, "lorry_in_water": LORRY_SOURCE}
Pairs = list[tuple[Traffic, Traffic]]


def run_traffic(city: City, inputs: TrafficInputs, progress: Progress) -> Result:
    """Compute traffic and what changes. Raises TrafficRefused, telling the planner which field is wrong."""
    try:
        return _run(city, inputs, progress)
    except TrafficError as error:
        raise TrafficRefused(str(error)) from error


def _run(city: City, inputs: TrafficInputs, progress: Progress) -> Result:
    notes: list[Words] = []
    progress(0.0, Words("读取路网", "Reading the roads"))
    streets = read_streets(city, inputs)
    faults = check(streets.network)
    closures = read_closures(city, streets, inputs, notes)
    flooding = read_flooding(city, inputs, streets.lines, streets.flags("bridge") | streets.flags("tunnel"))
    progress(PREPARED / 3, Words("读取建筑与人口", "Reading buildings and people"))
    houses = read_houses(city)
    leaving = read_leaving(city, inputs, houses, flooding)
    progress(PREPARED / 2, Words("推算出行", "Making trips"))
    zones = draw_zones(houses, streets.as_it_is, inputs)
    usual_network = zones.joined_to(streets.as_it_is)
    network = zones.joined_to(streets.network)
    trips = make_trips(houses, zones, usual_network, inputs, notes)
    when = moments(city, inputs, flooding)
    usual = [state_at(usual_network, moment, ()) for moment in when]
    counted, fitted = _counts(city, inputs, streets, trips, usual, notes=notes, progress=progress)
    trips = trips if fitted is None else trips.with_hours(fitted.after)
    progress(prepared := PREPARED if fitted is None else FITTED, Words("求均衡", "Looking for the equilibrium"))
    solver = Solver(trips, zones, gap=inputs.gap, threads=max(1, city.cores), notes=notes)
    if inputs.busiest_bridges:
        closures += busiest(streets, solver.usual(usual[0], lambda _: None), inputs.busiest_bridges)
    changed = [
        state_at(network, moment, closures, None if flooding is None else flooding.depth_m(n))
        for n, moment in enumerate(when)
    ]
    reached, pairs = Reached(houses, read_places(city, houses, streets.network), usual[0], when), Pairs()
    for n, (before, after) in enumerate(zip(usual, changed, strict=True)):
        share = (COMPUTED - prepared) / len(when)
        begin = prepared + n * share
        if _computes(inputs):
            pairs.append(
                _solved(solver, before, after, bool(inputs.new_roads), _Part(progress, begin, share, after.moment))
            )
        progress(begin + share * 0.95, _words(after.moment))
        reached.take(after, pairs[-1][1].time_s if pairs else None)
    progress(COMPUTED, Words("整理结果", "Writing the results"))
    tables: dict[str, pa.Table] = {"zones": zone_table(zones), **cut_off_tables(reached)}
    layers: list[RasterLayer | VectorLayer] = []
    if pairs:
        traffic = _Told(streets, zones, houses, pairs, [trips.matrix(each.hour) for each in when], counted, fitted)
        notes += _of_nobody(closures, pairs)
        tables |= traffic.tables()
        layers += traffic.layers()
    layers += filter(
        None, (closed_layer(streets, changed), *cut_off_layers(houses, reached), fault_layer(streets, faults))
    )
    write_link_times(city.folder, streets, changed, [after.found.time_s for _, after in pairs])
    write_trip_paths(city.folder, streets, zones, [after for _, after in pairs])
    tables |= {"network": _network_table(streets, faults), **event_tables(streets, closures, when)}
    indicators = _indicators(pairs, reached, len(zones), notes) | _counts_met(tables, fitted)
    if leaving is not None:
        plan = plan_evacuation(leaving, streets, usual[0], pairs[0][0].time_s if pairs else None)
        tables |= evacuation_tables(houses, plan)
        layers += evacuation_layers(streets, plan, usual[0])
        indicators |= _evacuated(plan, streets)
    if flooding is not None:
        indicators |= {"flood_run": flooding.record.id, "sources": WET_SOURCES}
    return Result(layers=layers, indicators=indicators, tables=tables)


@dataclass(frozen=True, eq=False)
class _Told:
    """The traffic of a run. trips: vehicles from zone to zone of each state."""

    streets: Streets
    zones: Zones
    houses: Houses
    pairs: Pairs
    trips: Sequence[Floats]
    counted: Sequence[Counted]
    fitted: Fitted | None

    @cached_property
    def _users(self) -> tuple[VectorLayer, pa.Table] | None:
        # A flood takes hundreds of roads: whoever drives comes over one of them.
        flooded = any((after.state.depth_m > 0).any() for _, after in self.pairs)
        return None if flooded else users(self.streets, self.zones, self.pairs)

    def tables(self) -> dict[str, pa.Table]:
        found = {
            "states": state_table(self.pairs),
            "townships": township_table(self.zones, self.houses, self.pairs, self.trips),
            "unserved": unserved_table(self.zones, [after for _, after in self.pairs]),
        }
        if self._users is not None:
            found["closed_road_trips"] = self._users[1]
        prior = {} if self.fitted is None else self.fitted.prior_flows()
        counts = count_table(self.streets, self.counted, self.pairs, prior)
        if self.fitted is not None:
            found |= fit_tables(self.fitted, self.zones)
        return found | {"counts": counts} if counts.num_rows else found

    def layers(self) -> list[VectorLayer]:
        further = desire_layer(self.zones, self.pairs, self.trips), None if self._users is None else self._users[0]
        return [*traffic_layers(self.streets, self.pairs), *(each for each in further if each is not None)]


def _computes(inputs: TrafficInputs) -> bool:
    """Whether traffic is computed, and not only who reaches what."""
    return inputs.flood_run is None or inputs.flood_traffic


def _counts(
    city: City,
    inputs: TrafficInputs,
    streets: Streets,
    trips: Trips,
    usual: Sequence[State],
    *,
    notes: list[Words],
    progress: Progress,
) -> tuple[list[Counted], Fitted | None]:
    """What the inputs say to hold beside the run, and trips fitted to it where they ask. Raises TrafficRefused."""
    if inputs.counts == "none" or not _computes(inputs):
        return [], None
    if inputs.counts_csv is None:
        counted = read_counted(city, streets)
    else:
        counted = read_count_file(inputs.counts_csv, streets, city.metric_crs, inputs.hour, notes)
    if not inputs.fit_counts:
        return counted, None
    words = Words("按计数校正出行", "Fitting the trips to counts")
    fitted = fit_trips(
        trips,
        usual,
        counted,
        error=inputs.count_error,
        gap=inputs.gap,
        threads=max(1, city.cores),
        notes=notes,
        tell=lambda share: progress(PREPARED + share * (FITTED - PREPARED), words),
    )
    write_fitted(city.folder, fitted)
    return counted, fitted


class _Part:
    """Tells how far one state's equilibria are, as a part of the run."""

    def __init__(self, progress: Progress, begin: float, share: float, moment: Moment) -> None:
        self._progress, self._begin, self._share, self._words = progress, begin, share, _words(moment)
        self._most = 0.0

    def __call__(self, share: float) -> None:
        # Never back: the second equilibrium begins anew.
        self._most = max(self._most, share)
        self._progress(self._begin + self._share * 0.9 * self._most, self._words)


def _words(moment: Moment) -> Words:
    return Words(f"{moment.hour} 时", f"{moment.hour}:00")


def _solved(solver: Solver, before: State, after: State, is_new: bool, tell: _Part) -> tuple[Traffic, Traffic]:
    usual = solver.usual(before, lambda share: tell(share / 2))
    if after.is_usual and not is_new:
        return usual, usual
    return usual, solver.solve(after, lambda share: tell(0.5 + share / 2))


def busiest(streets: Streets, usual: Traffic, count: int) -> list[Closed]:
    """The bridges with most traffic, both ways; a bridge is all its roads that touch. Raises TrafficRefused."""
    raised = streets.flags("bridge") & np.array([each != "motorway" for each in streets.told("class")])[streets.road]
    flow = usual.found.flow[: streets.network.links]
    links = np.flatnonzero(raised)
    if not len(links):
        raise TrafficRefused(
            "busiest_bridges: no road of this city is marked as a bridge; draw the closure",
            "busiest_bridges：道路数据未标明桥梁，请在图上绘制封路",
        )
    group = _touching(streets, links)
    # A bridge carries what its busiest link each way does, not the sum of its pieces.
    most = {each: float(flow[links[group == each]].max()) for each in np.unique(group).tolist()}
    chosen = sorted(most, key=lambda each: (-most[each], each))[:count]
    flags = np.zeros(streets.network.links, np.bool_)
    flags[links[np.isin(group, chosen)]] = True
    return [Closed(flags, 0.0)]


def _touching(streets: Streets, links: Integers) -> Integers:
    """A number for each of some links, the same for those that share a node."""
    network = streets.network
    group = np.arange(network.nodes)
    while True:
        before = group.copy()
        least = np.minimum(group[network.tail[links]], group[network.head[links]])
        np.minimum.at(group, network.tail[links], least)
        np.minimum.at(group, network.head[links], least)
        if (group == before).all():
            found: Integers = group[network.tail[links]]
            return found


def _of_nobody(closures: Sequence[Closed], pairs: Pairs) -> list[Words]:
    """A note where nobody uses, as the city is, any of the links that are closed or slowed."""
    flows = [usual.found.flow[: len(each.links)][each.links] for usual, _ in pairs for each in closures]
    return [NOBODY] if flows and not any((flow > 0).any() for flow in flows) else []


def _network_table(streets: Streets, faults: Sequence[Finding]) -> pa.Table:
    """What the network was made from, what was taken for granted, and what is doubtful about it."""
    rows: list[dict[str, Any]] = [
        {"about": "links", "zh": "路段", "count": streets.network.links},
        {"about": "nodes", "zh": "节点", "count": streets.network.nodes},
        *({"about": what, "zh": None, "count": number} for what, number in streets.report.counts.items()),
        *({"about": each.title[1], "zh": each.title[0], "count": len(each)} for each in faults),
    ]
    return typed(rows, about=pa.string(), zh=pa.string(), count=pa.int64())


def _indicators(pairs: Pairs, reached: Reached, zones: int, notes: Sequence[Words]) -> dict[str, Any]:
    found: dict[str, Any] = {"zones": number(zones, "1", "交通小区", "Zones")}
    if pairs:
        lost = sum(after.vehicle_hours - usual.vehicle_hours for usual, after in pairs)
        unserved = sum(after.found.unserved_trips for _, after in pairs)
        found |= {
            "trips": number(sum(_trips(after) for _, after in pairs), "1", "出行", "Trips"),
            "vehicle_km": number(
                sum(sum(a.vehicle_km.values()) for _, a in pairs), "km", "车公里", "Vehicle-kilometres"
            ),
            "vehicle_hours": number(sum(a.vehicle_hours for _, a in pairs), "h", "车小时", "Vehicle-hours"),
            "vehicle_hours_more": number(lost, "h", "车小时变化", "Vehicle-hours more than as it is"),
            "co2_t": number(sum(a.co2_kg for _, a in pairs) / 1000, "t", "二氧化碳", "Carbon dioxide"),
            "co2_t_more": number(
                sum(a.co2_kg - b.co2_kg for b, a in pairs) / 1000, "t", "二氧化碳变化", "Carbon dioxide, more"
            ),
            "unserved_trips": number(unserved, "1", "无路可达出行", "Trips without a way"),
            "closed_km": number(
                max(closed_km(b, a) for b, a in pairs), "km", "封闭路段（最多时）", "Links closed, at most"
            ),
            "relative_gap": number(max(t.found.gap for p in pairs for t in p), "1", "相对间隙", "Relative gap"),
            "sources": {"co2": CO2_SOURCE},
        }
    for (service, vehicle), people in reached.peak.items():
        words, who = next(each.title for each in reached.services if each.name == service), VEHICLES[vehicle]
        found[f"cut_off_{service}_{vehicle}"] = number(
            reached.most(service, vehicle), "1", f"最多时断路人口（{words.zh}，{who.zh}）",
            f"People cut off at most ({words.en.lower()}, {who.en})",
        )  # fmt: skip
        found[f"villages_cut_off_{service}_{vehicle}"] = number(
            int((people > 0).sum()), "1", f"断路村庄（{words.zh}，{who.zh}）",
            f"Villages cut off at any time ({words.en.lower()}, {who.en})",
        )  # fmt: skip
    return found | {"notes": [each._asdict() for each in dict.fromkeys(notes)]}


def _counts_met(tables: Mapping[str, pa.Table], fitted: Fitted | None) -> dict[str, Any]:
    if "counts" not in tables:
        return {}
    changed = {} if fitted is None else fit_indicators(fitted, number)
    share = float((tables["counts"].column("geh").to_numpy() < GOOD_GEH).mean())
    met = number(100 * share, "%", "与计数相符（GEH 小于 5）", "Counts that are met (GEH below 5)")
    return {"counts_met": met} | changed


def _evacuated(plan: Evacuation, streets: Streets) -> dict[str, Any]:
    row = None if plan.narrowest is None else int(streets.road[plan.narrowest])
    road = None if row is None else streets.told("name")[row] or f"road {streets.told('object_id')[row]}"
    return {
        "people_to_move": number(int(plan.leaving.people.sum()), "1", "需转移人数", "People to move"),
        "people_without_room": number(
            sum(plan.without_room.values()), "1", "避灾点容量不足人数", "People without room in a shelter"
        ),
        "people_without_way": number(sum(plan.without_way.values()), "1", "无路可达人数", "People without a way"),
        "cleared_min": number(plan.cleared_min, "min", "清空时间（下限）", "Clearance time, at least"),
        "narrowest_road": road,
    }


def _trips(traffic: Traffic) -> float:
    return traffic.found.served + traffic.found.unserved_trips + traffic.found.intrazonal


def number(value: float, unit: str, zh: str, en: str) -> dict[str, Any]:
    """An indicator."""
    rounded = value if isinstance(value, int) else float(f"{value:.6g}")
    return {"value": rounded, "unit": unit, "title": {"zh": zh, "en": en}}
