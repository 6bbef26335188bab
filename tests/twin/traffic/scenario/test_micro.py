"""Single vehicles in a real database: the two villages of the traffic runs, driven by SUMO itself."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pyproj
import pytest
import shapely

from api.processes.documents import description
from tests.twin.traffic.scenario.test_run import NODES, ROADS, SOUTH, USUAL, WEST, layer, opened, river, shown
from twin.scenarios.keep import keep
from twin.scenarios.protocol import Result
from twin.traffic.micro import process
from twin.traffic.micro.process import Sumo
from twin.traffic.scenario import TRAFFIC, engines
from twin.traffic.scenario.errors import TrafficRefused
from twin.traffic.scenario.inputs import TrafficInputs
from twin.traffic.scenario.micro import MICRO, MicroInputs

__all__ = ["river"]
City = tuple[str, Path]
NODE = """
    insert into road_node (dataset_id, uid, content_hash, class, kind, attributes, geom)
    select 1, %(uid)s, '', 'RoadNode', 'signal', %(attributes)s,
           st_transform(st_setsrid(st_point(%(x)s, %(y)s), 4549), 4490)
"""
PLAN = {"offset_s": 10, "phases": [{"roads": ["W-N1"], "green_s": 40}, {"roads": ["W-W2"], "green_s": 20}]}


@pytest.fixture
def sumo() -> Sumo:
    return Sumo.installed()


def box(river: City, west: float, south: float, east: float, north: float) -> dict[str, Any]:
    corners = shown(river, [(west, south), (east, south), (east, north), (west, north), (west, south)])
    return {"type": "Polygon", "coordinates": [corners]}


def drive(river: City, **inputs: Any) -> Result:
    with opened(river, "traffic-micro") as city:
        return MICRO.run(city, MicroInputs.model_validate(inputs), lambda *_: None)


def told(result: Result, name: str) -> float:
    return float(result.indicators[name]["value"])


def test_vehicles_of_a_run_with_a_closed_bridge(river: City, sumo: Sumo) -> None:
    """All drive over the other one, under the plan of the data; each is accounted for and on a street."""
    with psycopg.connect(river[0], autocommit=True) as connection:
        x, y = NODES["W"]
        place = {"uid": "W", "x": WEST + x, "y": SOUTH + y, "attributes": json.dumps({"signal_plan": PLAN})}
        connection.execute(NODE, place)
    with opened(river) as city:
        closed = {"where": "uid = 'N1-N2'"}
        asked = USUAL | {"closures": [closed], "mean_trip_min": 3.0}
        keep(city, TRAFFIC, TRAFFIC.run(city, TrafficInputs.model_validate(asked), lambda *_: None), 3600)
        # As its row keeps them.
        run_id = str(city.run.id)
    with psycopg.connect(river[0], autocommit=True) as connection:
        connection.execute("update scenario_run set inputs = %s where id = %s", (json.dumps(asked), run_id))
    result = drive(river, area=box(river, -100, -100, 1600, 1100), traffic_run=run_id, minutes=10, warm_up_min=5)
    vehicles = told(result, "vehicles")
    # 1,000 trips an hour in all, some of them within a village.
    assert 100 < vehicles <= 251
    assert vehicles == sum(told(result, name) for name in ("arrived", "on_road", "waiting", "without_way"))
    assert told(result, "without_way") == 0
    assert told(result, "signals_given") == 1
    streets = layer(result, "queues").to_pylist()
    assert {row["name"] for row in streets} >= {"S1-S2"}
    assert "N1-N2" not in {row["name"] for row in streets}
    assert all(0 <= row["speed_kmh"] <= 50 for row in streets)
    assert result.tables["minutes"].num_rows == 10
    tracks = json.loads(result.files["vehicles.json"].read_text())
    assert datetime.fromisoformat(tracks["begins"]).astimezone(UTC) == streets[0]["valid_from"]
    places = {name: (WEST + x, SOUTH + y) for name, (x, y) in NODES.items()}
    lines = shapely.MultiLineString([(places[a], places[b]) for a, b, _ in ROADS])
    metres = pyproj.Transformer.from_crs("OGC:CRS84", "EPSG:4549", always_xy=True)
    for each in tracks["vehicles"]:
        lon, lat = (
            start + np.cumsum(each[axis]) / tracks["units"] for axis, start in zip("xy", tracks["origin"], strict=True)
        )
        assert shapely.distance(lines, shapely.points(*metres.transform(lon, lat))).max() < 10
        assert len(each["x"]) <= 600 - each["from"]


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        (lambda river: {"area": box(river, 5000, 5000, 5100, 5100)}, "area: it touches no open road"),
        (lambda river: {"area": box(river, 600, 900, 800, 1100), "hour": 3, "traffic_run": "other"}, "no job 'other'"),
    ],
)
def test_what_cannot_be_driven(river: City, sumo: Sumo, inputs: Callable[[City], dict[str, Any]], said: str) -> None:
    with pytest.raises(Exception, match=said):
        drive(river, **inputs(river))


def test_without_sumo_it_is_told_what_to_install(river: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "find_spec", lambda _: None)
    with pytest.raises(TrafficRefused, match=r'pip install "citytwin\[sumo\]"'):
        drive(river, area=box(river, 0, 0, 100, 100))


def test_who_asks_for_the_scenario_learns_it_before_the_form(monkeypatch: pytest.MonkeyPatch) -> None:
    assert description(MICRO, "", "en")["twin"]["missing"] is None
    monkeypatch.setattr(engines, "find_spec", lambda _: None)
    said = description(MICRO, "", "en")["twin"]["missing"]
    assert 'pip install "citytwin[sumo]"' in said["zh"]
    assert "not installed" in said["en"]
