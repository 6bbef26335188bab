"""A whole traffic run in a real database: two villages, two bridges over a river between them, and a hamlet.

The river runs along x = 1000. West of it lies a village of homes, east of it one of offices; the north bridge is the
short way, the south bridge the long one. A hamlet hangs on one road in the south-west, across a ford.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
import pyarrow as pa
import pytest
import shapely
from scipy.optimize import linprog

from cim_models.database import Database
from layers.access import Principal
from layers.catalog import load_catalog
from layers.drawing import check_style
from twin.flood.domain import Domain
from twin.flood.raster import write_grid
from twin.flood.scenario import FLOOD
from twin.scenarios.city import City
from twin.scenarios.inputs import Words
from twin.scenarios.keep import keep
from twin.scenarios.protocol import RasterLayer, Result, RunRecord, VectorLayer
from twin.scenarios.record import folder_of
from twin.scenarios.runs import Asked, enqueue, start
from twin.traffic.scenario import TRAFFIC
from twin.traffic.scenario.allocation import allocate
from twin.traffic.scenario.errors import TrafficRefused
from twin.traffic.scenario.inputs import TrafficInputs
from twin.traffic.scenario.link_times import read_link_times
from twin.traffic.scenario.streets import COLUMNS, read_streets
from twin.traffic.scenario.streets import ROADS as ROADS_LAYER
from twin.traffic.scenario.trip_paths import users_of
from twin.traffic.scenario.water import CAR_IN_WATER, LORRY_IN_WATER
from twin.traffic.scenario.ways import Ways
from twin.traffic.scenario.zoning import draw_zones, read_houses

WEST, SOUTH = 596_000, 3_111_000
# Nodes: W and E in the middle of both villages, bridges N1-N2 and S1-S2, hamlet H beyond the ford F.
NODES = {
    "W": (500, 1000), "E": (1500, 1000), "N1": (950, 1000), "N2": (1050, 1000), "S1": (950, 0), "S2": (1050, 0),
    "W2": (500, 0), "E2": (1500, 0), "H": (0, 0),
}  # fmt: skip
ROADS = [
    ("W", "N1", False), ("N1", "N2", True), ("N2", "E", False), ("W", "W2", False), ("W2", "S1", False),
    ("S1", "S2", True), ("S2", "E2", False), ("E2", "E", False), ("W2", "H", False),
]  # fmt: skip
FILL = """
    insert into dataset (name, themes, title_zh, title_en, loaded_at, extent)
    select 'river', array['building'], '河', 'River', now(), array[st_xmin(b), st_ymin(b), st_xmax(b), st_ymax(b)]
    from st_transform(st_makeenvelope(596000, 3111000, 597600, 3112100, 4549), 4490) b;
"""
DIVISION = """
    insert into administrative_area (dataset_id, uid, content_hash, class, name, code, level, population, geom)
    select 1, 'a' || %(code)s, '', 'AdministrativeArea', %(name)s, %(code)s, 'village', %(people)s,
           st_multi(st_transform(st_makeenvelope(%(x)s - 300, %(y)s - 200, %(x)s + 300, %(y)s + 200, 4549), 4490))
"""
BUILDING = """
    insert into building (dataset_id, uid, content_hash, class, function, storeys, village_code, geom)
    select 1, 'b' || %(code)s || %(function)s, '', 'Building', %(function)s, 5, %(code)s,
           st_multi(st_transform(st_makeenvelope(%(x)s, %(y)s, %(x)s + 40, %(y)s + 40, 4549), 4490))
"""
ROAD = """
    insert into road (dataset_id, uid, content_hash, class, name, lanes, speed_kmh, bridge, start_node, end_node, geom)
    select 1, %(uid)s, '', 'secondary', %(uid)s, 2, 36, %(bridge)s, %(a)s, %(b)s,
           st_transform(st_setsrid(st_makeline(st_point(%(x)s, %(y)s), st_point(%(x2)s, %(y2)s)), 4549), 4490)
"""
FACILITY = """
    insert into facility (dataset_id, uid, content_hash, class, name, geom)
    select 1, uid, '', class, name, st_transform(st_setsrid(st_point(x, y), 4549), 4490)
    from (values ('h', 'Hospital', '医院', 597490, 3112010), ('s', 'School', '小学', 596490, 3112010))
      as of_each (uid, class, name, x, y)
"""
SHELTER = """
    insert into facility (dataset_id, uid, content_hash, class, name, capacity, geom)
    select 1, %(name)s, '', 'Shelter', %(name)s, %(room)s,
           st_transform(st_setsrid(st_point(%(x)s, %(y)s), 4549), 4490)
"""
USUAL = {"zones": "village", "trips_total": 1000, "lorry_share": 0.0, "mean_trip_min": 3.0, "hour": 7}


@pytest.fixture(scope="module")
def river(new_city: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """The city's URL and folder."""
    url = new_city()
    at = {name: (WEST + x, SOUTH + y) for name, (x, y) in NODES.items()}
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(FILL)
        villages = (("990381001001", "西村", 900, "W", "residential"), ("990381002001", "东村", 300, "E", "office"),
                    ("990381001002", "渡口村", 60, "H", "residential"))  # fmt: skip
        for code, name, people, node, function in villages:
            place = {"code": code, "x": at[node][0], "y": at[node][1]}
            connection.execute(DIVISION, place | {"name": name, "people": people})
            connection.execute(BUILDING, place | {"function": function})
            connection.execute(BUILDING, place | {"function": "mixed"})
        for a, b, bridge in ROADS:
            ends = {"x": at[a][0], "y": at[a][1], "x2": at[b][0], "y2": at[b][1]}
            connection.execute(ROAD, ends | {"uid": f"{a}-{b}", "bridge": bridge, "a": a, "b": b})
        connection.execute(FACILITY)
        for name, room, node in (("西校", 300, "W2"), ("东校", 400, "E")):
            connection.execute(SHELTER, {"name": name, "room": room, "x": at[node][0], "y": at[node][1]})
    return url, tmp_path_factory.mktemp("river")


@contextmanager
def opened(river: tuple[str, Path], scenario: str = "traffic") -> Iterator[City]:
    url, files = river

    async def ask() -> UUID:
        database = await Database.open(url, connections=1)
        try:
            async with database.writing() as connection:
                asked = Asked(scenario, {}, {}, 1, Principal("planner", "editor"))
                run_id = await enqueue(connection, asked, most=100)
                await start(connection, run_id)
                return run_id
        finally:
            await database.close()

    run_id = asyncio.run(ask())
    folder = folder_of(files, run_id).path
    folder.mkdir(parents=True)
    with City.open(url, str(run_id), files=files, folder=folder) as city:
        yield city


def run(river: tuple[str, Path], **inputs: Any) -> Result:
    with opened(river) as city:
        return TRAFFIC.run(city, TrafficInputs.model_validate(USUAL | inputs), lambda *_: None)


def layer(result: Result, role: str) -> pa.Table:
    return next(each.table for each in result.layers if each.role == role)


def volumes(table: pa.Table, column: str = "volume") -> dict[str, float]:
    """Of each road, both ways together."""
    found: dict[str, float] = {}
    for row in table.to_pylist():
        found[row["name"]] = found.get(row["name"], 0.0) + row[column]
    return found


@pytest.fixture(scope="module")
def bridged(river: tuple[str, Path]) -> Result:
    """The north bridge is closed by a line drawn across it."""
    line = {"type": "LineString", "coordinates": shown(river, [(1000, 900), (1000, 1100)])}
    return run(river, closures=[{"line": line}])


def shown(river: tuple[str, Path], places: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Longitude and latitude of places in the plan above, as the database turns them."""
    with psycopg.connect(river[0]) as connection:
        return [
            connection.execute(
                "select st_x(p), st_y(p) from st_transform(st_setsrid(st_point(%s, %s), 4549), 4490) p",
                (WEST + x, SOUTH + y),
            ).fetchone()  # type: ignore[misc]
            for x, y in places
        ]


def test_traffic_of_a_closed_bridge_goes_over_the_other(bridged: Result) -> None:
    """All trips between the banks have one of two ways; those of one bridge are on the other, to the vehicle."""
    before, after = volumes(layer(bridged, "usual")), volumes(layer(bridged, "traffic"))
    change = volumes(layer(bridged, "change"), "change")
    assert before["N1-N2"] > 100
    assert "N1-N2" not in after
    assert after["S1-S2"] == pytest.approx(before["N1-N2"] + before.get("S1-S2", 0), abs=1)
    assert change["N1-N2"] == pytest.approx(-before["N1-N2"], abs=1)
    assert bridged.indicators["unserved_trips"]["value"] == 0
    assert bridged.indicators["closed_km"]["value"] == pytest.approx(0.2, abs=0.01)
    assert {row["name"] for row in layer(bridged, "closed").to_pylist()} == {"N1-N2"}


def test_the_townships_lose_what_the_roads_take_more(bridged: Result) -> None:
    """Hours lost by trips, township by township, are the hours that the roads hold more (connectors do not change)."""
    lost = sum(row["lost_hours"] for row in bridged.tables["townships"].to_pylist())
    assert lost == pytest.approx(bridged.indicators["vehicle_hours_more"]["value"], rel=0.01)
    assert lost > 1
    state = bridged.tables["states"].to_pylist()[0]
    # 2 km more for each trip over the river, 0.07 kg of fuel and 3.169 kg of CO2 a km and kg.
    assert state["vehicle_km"] - state["vehicle_km_usual"] == pytest.approx(
        2 * volumes(layer(bridged, "usual"))["N1-N2"], rel=0.02
    )
    assert state["co2_kg"] == pytest.approx(state["vehicle_km"] * 0.07 * 3.169, rel=1e-3)
    assert state["node_error"] < 1e-9


def test_who_used_the_closed_bridge_is_told(bridged: Result) -> None:
    """All who drive over it come from one bank and go to the other, and no trip is counted twice."""
    usual, users = volumes(layer(bridged, "usual")), volumes(layer(bridged, "users"))
    assert users["N1-N2"] == pytest.approx(usual["N1-N2"], abs=2)
    assert users["W-N1"] == pytest.approx(usual["N1-N2"], abs=2)
    assert sum(row["volume"] for row in bridged.tables["closed_road_trips"].to_pylist()) == pytest.approx(
        users["N1-N2"], rel=0.01
    )


def test_no_layer_and_table_share_a_name(bridged: Result) -> None:
    """One that did would not be kept."""
    names = [*(each.role for each in bridged.layers), *bridged.tables]
    assert len(names) == len(set(names))


def test_desire_lines_lose_what_the_townships_lose(bridged: Result) -> None:
    lines, towns = layer(bridged, "desire").to_pylist(), bridged.tables["townships"].to_pylist()
    lost = sum(row["lost_min"] * row["trips"] for row in lines) / 60
    assert lost == pytest.approx(sum(row["lost_hours"] for row in towns), rel=0.02)
    assert all(row["trips"] == pytest.approx(row["trips_there"] + row["trips_back"], abs=0.2) for row in lines)


def test_ways_at_the_times_of_a_run(river: tuple[str, Path]) -> None:
    """From bank to bank over the bridge that is left, in the time that the run's own speeds make."""
    with opened(river) as city:
        inputs = USUAL | {"closures": [{"where": "uid = 'N1-N2'"}]}
        result = TRAFFIC.run(city, TrafficInputs.model_validate(inputs), lambda *_: None)
        times, begins = read_link_times(RunRecord("1", "traffic", inputs, {}, {}, {}, {}, city.folder), None)
        ways = Ways.of(city.features(ROADS_LAYER, columns=COLUMNS), "car", "CN", city.metric_crs)
    assert begins is None
    ends = [(float(WEST + NODES[each][0]), float(SOUTH + NODES[each][1])) for each in ("W", "E")]
    found = ways.route(ends[0], ends[1], ways.at_times(times))
    names = [name for name, _, _ in found.streets]
    assert "S1-S2" in names
    assert_users(city.folder, result)
    assert "N1-N2" in [name for name, _, _ in ways.route(ends[0], ends[1]).streets]
    # The other way is emptier in the morning.
    slowest_last = sorted(layer(result, "traffic").to_pylist(), key=lambda row: -row["speed_kmh"])
    speed = {row["name"]: row["speed_kmh"] for row in slowest_last}
    by_hand = sum(3.6 * metres / speed[str(name)] for name, _, metres in found.streets)
    assert found.seconds == pytest.approx(by_hand, rel=0.02)


def test_a_closed_road_that_nobody_uses_changes_nothing_and_this_is_said(river: tuple[str, Path]) -> None:
    """So few trips all take the short way."""
    few = {"demand": "csv", "od_csv": "origin,destination,trips\n990381001001,990381002001,10\n", "trips_total": None}
    result = run(river, closures=[{"where": "uid = 'S1-S2'"}], **few)
    assert "change" not in [each.role for each in result.layers]
    assert any("nobody uses what is closed" in note["en"] for note in result.indicators["notes"])
    assert result.indicators["vehicle_hours_more"]["value"] == 0


def test_trips_begin_at_crossings_where_few_roads_have_buildings(river: tuple[str, Path]) -> None:
    """Without a choice, and with zones in the townships that they lie in."""
    with opened(river) as city:
        streets = read_streets(city, TrafficInputs())
        houses = read_houses(city)
    none = replace(houses, x=houses.x[:0], y=houses.y[:0])
    west = shapely.box(WEST - 500, SOUTH - 500, WEST + 1000, SOUTH + 1500)
    zones = draw_zones(replace(none, townships={"990381001": west}), streets.network, TrafficInputs())
    assert (zones.of_house < 0).all()
    assert zones.weight.sum() == streets.network.nodes
    assert {code for code, x in zip(zones.township, zones.x, strict=True) if x < WEST + 900} == {"990381001"}
    assert {code for code, x in zip(zones.township, zones.x, strict=True) if x > WEST + 1100} == {""}
    assert (draw_zones(houses, streets.network, TrafficInputs()).of_house >= 0).any()


def assert_users(folder: Path, result: Result) -> None:
    """Whoever drives over the bridge that is left drives to it, too; pair by pair they are the link's volume."""
    record = RunRecord("1", "traffic", {}, {}, {}, {}, {}, folder)
    link = next(row for row in layer(result, "traffic").to_pylist() if row["name"] == "S1-S2")
    road, direction = (int(part) for part in link["uid"].split("-"))
    users = users_of(record, road, direction, None)
    assert users.volume == pytest.approx(link["volume"], abs=1)
    assert sum(volume for _, _, volume in users.pairs) == pytest.approx(users.volume)
    assert users.flows.max() == pytest.approx(users.volume)
    # Each of them drives the bridge and what leads to it and from it, once.
    assert (shapely.length(users.lines) * users.flows).sum() > 3 * 100 * users.volume
    with pytest.raises(TrafficRefused, match="none of the run"):
        users_of(record, 10**9, 0, None)


def test_the_busiest_bridge_is_found(river: tuple[str, Path]) -> None:
    result = run(river, busiest_bridges=1)
    assert {row["name"] for row in layer(result, "closed").to_pylist()} == {"N1-N2"}


def test_a_slowed_road_keeps_its_trips_and_a_new_road_takes_them(river: tuple[str, Path]) -> None:
    new = {"line": {"type": "LineString", "coordinates": shown(river, [(500, 1010), (1500, 1010)])}, "speed_kmh": 90}
    result = run(river, new_roads=[new], closures=[{"where": "uid = 'W-N1'", "speed_share": 0.5}])
    before, after = layer(result, "usual").to_pylist(), layer(result, "traffic").to_pylist()
    assert not any(row["road"] < 0 for row in before)
    assert sum(row["volume"] for row in after if row["road"] < 0) > 100
    assert result.indicators["vehicle_hours_more"]["value"] < 0
    assert result.indicators["closed_km"]["value"] == 0


def test_a_closure_holds_for_its_hours(river: tuple[str, Path]) -> None:
    """The north bridge is closed from 8 to 9: traffic at 7 is as ever, at 8 it goes round."""
    closed = {"where": "uid = 'N1-N2'", "from_hour": 8, "until_hour": 9}
    result = run(river, hours=2, closures=[closed])
    over = {row["hour"] for row in layer(result, "traffic").to_pylist() if row["name"] == "N1-N2"}
    assert over == {7}
    early, late = result.tables["states"].to_pylist()
    assert early["vehicle_km"] == early["vehicle_km_usual"]
    assert late["vehicle_km"] > 1.2 * late["vehicle_km_usual"]
    assert late["time"] - early["time"] == timedelta(hours=1)


def test_trips_of_a_cut_off_village_are_counted_and_named(river: tuple[str, Path]) -> None:
    result = run(river, closures=[{"where": "uid = 'W2-H'"}])
    unserved = result.tables["unserved"].to_pylist()
    assert {row["origin_name"] for row in unserved} | {row["destination_name"] for row in unserved} >= {"渡口村"}
    assert all("渡口村" in (row["origin_name"], row["destination_name"]) for row in unserved)
    cut = [row for row in result.tables["cut_off_by_village"].to_pylist() if row["vehicle"] == "car"]
    assert [(row["service"], row["village"], row["people_cut_off"]) for row in cut] == [
        ("hospital", "渡口村", 60), ("school", "渡口村", 60), ("shelter", "渡口村", 60),
    ]  # fmt: skip
    # Each village lives wholly in one building, and the east village at the hospital's door.
    within = {(r["service"], r["minutes"], r["vehicle"]): r["people"] for r in result.tables["within"].to_pylist()}
    assert within["hospital", 30, "car"] == 1200
    assert within["school", 5, "car"] == 1200


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"closures": [{"where": "uid = 'no such'"}]}, "closure 1"),
        # The flood that a later test makes is not there yet.
        ({"flood_run": "latest"}, "no finished flood run"),
        ({"demand": "csv", "od_csv": "origin,destination\n"}, "no column trips"),
        ({"demand": "csv", "od_csv": "origin,destination,trips\nx,y,1\n"}, "line 2"),
        ({"demand": "csv", "od_csv": "origin,destination,trips\n990381001001,990381002001,-1\n"}, "'-1' trips"),
    ],
)
def test_what_cannot_be_computed_is_refused(river: tuple[str, Path], inputs: dict[str, Any], said: str) -> None:
    with pytest.raises(TrafficRefused, match=said):
        run(river, **inputs)


def flooded(river: tuple[str, Path], depths_m: Sequence[float]) -> None:
    """A finished flood run with states an hour apart, in which the ford is under water of each depth."""
    begin = datetime(2026, 8, 10, 9, tzinfo=UTC)
    domain = Domain(np.zeros((60, 90)), cell=20, west=WEST - 100, north=SOUTH + 1100, crs="EPSG:4549")
    frames: list[tuple[datetime | None, Path]] = []
    with opened(river, "flood") as city:
        for n, depth in enumerate(depths_m):
            cells = np.full((60, 90), np.nan)
            cells[45:58, 20:24] = depth or np.nan
            path = city.folder / f"depth-{n}.tif"
            write_grid(path, cells, domain, unit="m", description="depth")
            frames.append((begin + timedelta(hours=n), path))
        moving = pa.table({"village_code": ["990381001002"] * 2, "people": [10, 40]})
        depth = RasterLayer("depth", Words("水深", "Depth"), "m", frames, "depth")
        keep(city, FLOOD, Result([depth], tables={"people_to_move": moving}), 3600)


def test_a_flood_cuts_off_hour_by_hour(river: tuple[str, Path]) -> None:
    """The ford is dry, then under 0.4 m: too deep for cars, not for lorries; then under 0.7 m; then dry again."""
    flooded(river, (0.0, 0.4, 0.7, 0.0))
    with opened(river) as city:
        inputs = TrafficInputs.model_validate(USUAL | {"flood_run": "latest", "lorry_share": 0.1, "evacuate": "flood"})
        result = TRAFFIC.run(city, inputs, lambda *_: None)
        keep(city, TRAFFIC, result, 3600)
        kept = city.previous(str(city.run.id))
    assert set(kept.layers) == {
        "traffic",
        "usual",
        "change",
        "desire",
        "closed",
        "cut_off_hospital",
        "cut_off_school",
        "cut_off_shelter",
        "evacuation",
        "faults",
    }
    cut = {
        (row["time"].astimezone(UTC).hour, row["vehicle"]): (row["village"], row["people_cut_off"])
        for row in kept.table("cut_off_by_village").to_pylist()
        if row["service"] == "hospital"
    }
    assert cut == {(10, "car"): ("渡口村", 60), (11, "car"): ("渡口村", 60), (11, "lorry"): ("渡口村", 60)}
    closed = [(row["name"], row["valid_from"].astimezone(UTC).hour) for row in layer(result, "closed").to_pylist()]
    assert closed == [("W2-H", 10), ("W2-H", 11)]
    # 9 o'clock in Greenwich is 17 in the city: its trips go by the profile of the evening.
    assert [row["hour"] for row in result.tables["states"].to_pylist()] == [17, 18, 19, 20]
    states = result.tables["states"].to_pylist()
    assert states[0]["unserved_trips"] == 0 < states[1]["unserved_trips"]
    assert result.indicators["cut_off_hospital_car"]["value"] == 60
    # The most that the flood run counts in any state leave, while the ford is dry, for the shelter half a kilometre on.
    plan = [(row["village"], row["people"], row["shelter"]) for row in kept.table("evacuation_plan").to_pylist()]
    assert plan == [("渡口村", 40, "西校")]


def test_a_village_is_moved_to_shelters_with_room(river: tuple[str, Path], bridged: Result) -> None:
    """Of 900 people of the west village 300 find room 1 km to the south and 400 1 km over the bridge, at 36 km/h.

    Four people a vehicle: 100 vehicles pass the bridge at its capacity, and the last of them then has its way to drive.
    """
    corners = [(300, 800), (700, 800), (700, 1200), (300, 1200), (300, 800)]
    area = {"type": "Polygon", "coordinates": [shown(river, corners)]}
    result = run(river, evacuate="area", evacuation_area=area, trips_total=0.01)
    plan = {row["shelter"]: row for row in result.tables["evacuation_plan"].to_pylist() if row["shelter"]}
    assert {name: (row["people"], row["way_km"]) for name, row in plan.items()} == {"西校": (300, 1), "东校": (400, 1)}
    assert result.indicators["people_without_room"]["value"] == 200
    capacity = layer(bridged, "usual").to_pylist()[0]["capacity"]
    cleared = 100 / 60 + 60 * 100 / capacity
    assert plan["东校"]["cleared_min"] == pytest.approx(cleared, abs=0.1)
    assert result.indicators["cleared_min"]["value"] == pytest.approx(cleared, rel=1e-3)
    assert volumes(layer(result, "evacuation"))["N1-N2"] == 100
    assert [(r["capacity"], r["taken"]) for r in result.tables["shelters"].to_pylist()] == [(300, 300), (400, 400)]


@pytest.mark.parametrize("seed", range(12))
def test_people_are_placed_as_linear_programming_places_them(seed: int) -> None:
    random = np.random.default_rng(seed)
    groups, places = random.integers(1, 8, 2)
    people, room = random.integers(0, 50, groups), random.integers(0, 60, places)
    cost = random.integers(1, 30, (groups, places)).astype(float)
    cost[random.random(cost.shape) < 0.2] = np.inf
    flow = allocate(people, room, cost)
    # Each person placed is worth more than any way costs: as many as can be, at the least sum.
    gain = np.where(np.isfinite(cost), cost - 1e4, 0.0).ravel()
    rows = [np.kron(np.eye(groups), np.ones(places)), np.kron(np.ones(groups), np.eye(places))]
    bounds = [(0, None if np.isfinite(each) else 0) for each in cost.ravel()]
    best = linprog(gain, A_ub=np.vstack(rows), b_ub=np.concatenate([people, room]), bounds=bounds)
    assert (flow >= 0).all()
    assert (flow.sum(axis=1) <= people).all()
    assert (flow.sum(axis=0) <= room).all()
    assert gain @ flow.ravel() == pytest.approx(best.fun)


def test_a_table_of_trips_is_taken_as_it_is(river: tuple[str, Path]) -> None:
    table = "origin,destination,trips\n990381001001,990381002001,120\n990381002001,990381001001,30\n"
    result = run(river, demand="csv", od_csv=table)
    assert result.indicators["trips"]["value"] == 150
    assert volumes(layer(result, "traffic"))["N1-N2"] == pytest.approx(150, abs=2)


async def test_styles_are_drawn(river: tuple[str, Path], bridged: Result) -> None:
    database = await Database.open(river[0], connections=1)
    async with database.reading() as connection:
        catalog = await load_catalog(connection, database.city)
    await database.close()
    for each in bridged.layers:
        assert isinstance(each, VectorLayer)
        check_style([dict(part) for part in each.style or ()], catalog)


def test_the_curve_of_speeds_in_water() -> None:
    """Pregnolato et al. (2017), the formula by hand: w = 100, 150, 200 mm; a car stops at 300, a lorry at 600."""
    assert CAR_IN_WATER.speed_kmh([0.1, 0.15, 0.2]) == pytest.approx([40.6548, 24.2598, 12.3648], abs=1e-3)
    assert CAR_IN_WATER.speed_kmh([0.0, np.nan]).tolist() == [np.inf, np.inf]
    assert CAR_IN_WATER.speed_kmh([0.3, 2.0]).tolist() == [0.0, 0.0]
    assert LORRY_IN_WATER.speed_kmh([0.2, 0.6]) == pytest.approx([40.6548, 0.0], abs=1e-3)
