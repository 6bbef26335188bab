"""What a traffic run tells in tables: states, zones, townships, trips that have no way, who is cut off."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from twin.traffic.network import Floats
from twin.traffic.scenario.evacuation import Evacuation
from twin.traffic.scenario.reach import Reached
from twin.traffic.scenario.solving import Traffic
from twin.traffic.scenario.states import Closed, Moment
from twin.traffic.scenario.streets import Streets
from twin.traffic.scenario.zoning import Houses, Zones

TIME = pa.timestamp("us", tz="UTC")
STAMP = {"time": TIME, "hour": pa.int64()}
MOST_UNSERVED = 20_000
Rows = list[dict[str, Any]]


def state_table(pairs: Sequence[tuple[Traffic, Traffic]]) -> pa.Table:
    """One row a state: the city as it is and as it would be. pairs: usual, changed."""
    rows = []
    for usual, changed in pairs:
        rows.append(
            stamp(changed)
            | {
                "trips": round(changed.found.served + changed.found.unserved_trips + changed.found.intrazonal, 1),
                "unserved_trips": round(changed.found.unserved_trips, 1),
                "vehicle_km_usual": round(sum(usual.vehicle_km.values()), 1),
                "vehicle_km": round(sum(changed.vehicle_km.values()), 1),
                "vehicle_hours_usual": round(usual.vehicle_hours, 2),
                "vehicle_hours": round(changed.vehicle_hours, 2),
                "co2_kg_usual": round(usual.co2_kg, 1),
                "co2_kg": round(changed.co2_kg, 1),
                "closed_km": closed_km(usual, changed),
                "relative_gap": changed.found.gap,
                "node_error": changed.found.node_error,
            }
        )
    numbers = {name: pa.float64() for name in rows[0] if name not in STAMP} if rows else {}
    return typed(rows, **STAMP, **numbers)


def closed_km(usual: Traffic, changed: Traffic) -> float:
    """Kilometres of links that cars may use in the usual city and not in the changed one."""
    lost = changed.state.shut & ~usual.state.shut
    return round(float(np.nan_to_num(changed.state.network.length_m[lost]).sum()) / 1000, 2)


def zone_table(zones: Zones) -> pa.Table:
    """Codes of zones, as a table of trips names them."""
    return pa.table(
        {
            "zone": zones.ids, "name": zones.names, "township_code": zones.township,
            "x": np.round(zones.x, 1), "y": np.round(zones.y, 1), "weight": np.round(zones.weight, 1),
        }
    )  # fmt: skip


def township_table(
    zones: Zones, houses: Houses, pairs: Sequence[tuple[Traffic, Traffic]], trips: Sequence[Floats]
) -> pa.Table:
    """Time lost by trips that begin in each township, in each state; trips without a way apart."""
    codes, of = np.unique(np.array(zones.township, str), return_inverse=True)
    rows: Rows = []
    for (usual, changed), matrix in zip(pairs, trips, strict=True):
        served = np.isfinite(changed.matrix_s) & np.isfinite(usual.matrix_s)
        longer = np.where(served, changed.matrix_s, 0.0) - np.where(served, usual.matrix_s, 0.0)
        sums = [
            np.bincount(of, each.sum(axis=1), len(codes))
            for each in (matrix, matrix * longer, np.where(served, 0.0, matrix))
        ]
        for n, code in enumerate(codes.tolist()):
            begun, lost, unserved = (float(each[n]) for each in sums)
            rows.append(
                stamp(changed)
                | {
                    "township_code": code, "township": houses.names.get(code, code), "trips": round(begun, 1),
                    "lost_hours": round(lost / 3600, 2),
                    "lost_min_a_trip": round(lost / 60 / max(begun - unserved, 1e-9), 3) if begun > unserved else None,
                    "trips_without_a_way": round(unserved, 1),
                }
            )  # fmt: skip
    return typed(
        rows, **STAMP, township_code=pa.string(), township=pa.string(), trips=pa.float64(), lost_hours=pa.float64(),
        lost_min_a_trip=pa.float64(), trips_without_a_way=pa.float64(),
    )  # fmt: skip


def unserved_table(zones: Zones, changed: Iterable[Traffic]) -> pa.Table:
    """Trips for which no open way leads, pair by pair, the most first in each state."""
    names = dict(zip((f"zone {each}" for each in zones.ids), zones.names, strict=True))
    rows: Rows = []
    for traffic in changed:
        for each in sorted(traffic.found.unserved, key=lambda one: (-one.trips, str(one.origin), str(one.destination))):
            if len(rows) == MOST_UNSERVED:
                break
            rows.append(
                stamp(traffic)
                | {
                    "vehicle": each.vehicle, "origin": str(each.origin).removeprefix("zone "),
                    "origin_name": names.get(str(each.origin), ""),
                    "destination": str(each.destination).removeprefix("zone "),
                    "destination_name": names.get(str(each.destination), ""), "trips": round(each.trips, 3),
                }
            )  # fmt: skip
    texts = ("vehicle", "origin", "origin_name", "destination", "destination_name")
    return typed(rows, **STAMP, **dict.fromkeys(texts, pa.string()), trips=pa.float64())


def cut_off_tables(reached: Reached) -> dict[str, pa.Table]:
    """Villages (and people) that reach no hospital, shelter or fire station; and people by minutes to one."""
    who = {**STAMP, "service": pa.string(), "vehicle": pa.string()}
    return {
        "cut_off_by_village": typed(
            reached.rows, **who, village_code=pa.string(), village=pa.string(), people=pa.int64(),
            people_cut_off=pa.int64(), buildings_cut_off=pa.int64(),
        ),
        "within": typed(reached.within, **who, minutes=pa.int64(), people=pa.int64(), buildings=pa.int64()),
    }  # fmt: skip


def evacuation_tables(houses: Houses, evacuation: Evacuation) -> dict[str, pa.Table]:
    """Who goes to which shelter, how far, and until when; how full the shelters are."""
    names, rooms = evacuation.leaving.shelters["name"], evacuation.leaving.room.tolist()
    moves: Rows = [
        {
            "village_code": each.village,
            "village": houses.names.get(each.village, each.village),
            "people": each.people,
            "shelter": names[each.shelter],
            "way_km": round(each.way.length_m / 1000, 2),
            "way_min": round(each.way.time_s / 60, 1),
            "cleared_min": round(each.cleared_min, 1),
        }
        for each in evacuation.moves
    ]
    for why, left in (("no way", evacuation.without_way), ("no room", evacuation.without_room)):
        moves += [
            {"village_code": code, "village": houses.names.get(code, code), "people": count, "without": why}
            for code, count in left.items()
        ]
    texts, numbers = dict.fromkeys(("shelter", "without"), pa.string()), ("way_km", "way_min", "cleared_min")
    return {
        "evacuation_plan": typed(
            moves, village_code=pa.string(), village=pa.string(), people=pa.int64(), **texts,
            **dict.fromkeys(numbers, pa.float64()),
        ),
        "shelters": typed(
            [
                {"shelter": name, "capacity": room, "taken": taken}
                for name, room, taken in zip(names, rooms, evacuation.taken.tolist(), strict=True)
            ],
            shelter=pa.string(), capacity=pa.int64(), taken=pa.int64(),
        ),
    }  # fmt: skip


def event_tables(streets: Streets, closures: Iterable[Closed], when: Sequence[Moment]) -> dict[str, pa.Table]:
    """Which event closes which roads, and whether it lasts in any of the hours; none where no event closes any."""
    names, ids = streets.told("name"), streets.told("object_id")
    rows: Rows = [
        {
            "event": each.event.number, "title": each.event.title, "kind": each.event.kind,
            "begins": each.event.begins, "ends": each.event.ends, "road": ids[row], "name": names[row],
            "distance_m": round(each.event.distance_m, 1), "closes": any(each.holds(moment) for moment in when),
        }
        for each in closures
        if each.event is not None
        for row in np.unique(streets.road[each.links]).tolist()
    ]  # fmt: skip
    table = typed(
        rows, event=pa.int64(), title=pa.string(), kind=pa.string(), begins=TIME, ends=TIME, road=pa.int64(),
        name=pa.string(), distance_m=pa.float64(), closes=pa.bool_(),
    )  # fmt: skip
    return {"closed_by_events": table} if rows else {}


def stamp(traffic: Traffic) -> dict[str, Any]:
    return {"time": traffic.state.moment.begins, "hour": traffic.state.moment.hour}


def typed(rows: Rows, **columns: pa.DataType) -> pa.Table:
    """Rows as a table of typed columns, empty ones too."""
    return pa.Table.from_pylist(rows, schema=pa.schema(columns))
