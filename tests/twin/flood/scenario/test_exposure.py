"""Exposure against cases counted by hand."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import shapely

from twin.flood.exposure.contact import along, beside
from twin.flood.exposure.count import depth_colour
from twin.flood.exposure.moving import people_to_move
from twin.flood.exposure.objects import Exposed
from twin.flood.exposure.people import residents
from twin.flood.exposure.roads import RoadNet, closures
from twin.flood.exposure.rules import rules
from twin.scenarios.objects import Objects

RASTER = {"west": 0.0, "north": 100.0, "cell": 10.0}
DRY = np.ones((10, 10), bool)


def objects(shapes: list[shapely.Geometry], **columns: list[object]) -> Objects:
    return Objects(np.array(shapes, object), list(range(len(shapes))), columns)


def test_a_building_feels_the_deepest_cell_beside_it() -> None:
    usable = DRY.copy()
    usable[4, 4] = False
    house = np.array([shapely.box(41, 51, 49, 59)], object)
    contact = beside(house, reach=7.5, usable=usable, **RASTER)
    # The blocked cell it covers does not count; middles across its sides are 6 m away, across its corners 8.5 m.
    assert sorted(np.column_stack(np.divmod(contact.cell, 10)).tolist()) == [[3, 4], [4, 3], [4, 5], [5, 4]]
    depth = np.zeros((10, 10), np.float32)
    depth[4, 4], depth[3, 4], depth[9, 9] = 9.0, 0.4, 2.0
    assert contact.deepest(depth).tolist() == pytest.approx([0.4])


def test_a_road_feels_the_cells_it_runs_through() -> None:
    road = np.array([shapely.LineString([(5, 95), (35, 95)])], object)
    contact = along(road, usable=DRY, **RASTER)
    assert contact.cell.tolist() == [0, 1, 2, 3]


def test_people_of_a_village_live_in_its_homes_by_floor_area() -> None:
    found = residents(
        rules(),
        function=["residential", "residential", "industrial", "rural_residential"],
        storeys=np.array([1, 3, 5, np.nan]),
        area=np.array([100.0, 100.0, 900.0, 83.52]),
        village=["1", "1", "1", "2"],
        population={"1": 40},
    )
    # 40 people over 100 + 300 m2; in the village without a census 83.52 m2 hold two.
    assert found.tolist() == pytest.approx([10, 30, 0, 2])


def test_damage_and_moving_follow_the_tables() -> None:
    law = rules()
    assert law.damage("residential", np.array([0.0, 0.5, 0.75]), np.array([100.0])).tolist() == pytest.approx(
        [0.0, 0.327 * 1800 * 100, (0.327 + 0.494) / 2 * 1800 * 100]
    )
    # Below 0.3 m nobody; on the ground floor of three storeys a third; from 1.5 m all.
    share = law.share_to_move(np.array([0.29, 0.3, 1.5]), np.array([3.0, 3.0, 3.0]))
    assert share.tolist() == pytest.approx([0, 1 / 3, 1])
    assert law.class_of(np.array([0.04, 0.05, 0.3, 5.0])).tolist() == [-1, 0, 1, 5]


def test_roads_close_and_open_again() -> None:
    depth = np.array([[0.0, 0.35, 0.6, 0.1, 0.3], [0.0, 0.0, 0.0, 0.0, 0.0]])
    found = [(each.vehicle, each.first, each.last) for each in closures(depth, {"car": 0.3, "lorry": 0.6})]
    assert found == [("car", 1, 3), ("car", 4, 5), ("lorry", 2, 3)]


def test_the_way_leads_round_a_closed_road() -> None:
    net = RoadNet(["a", "b", "a", "c"], ["b", "s", "c", "s"], np.array([1.0, 1.0, 5.0, 5.0]))
    none, closed = np.zeros(4, bool), np.array([False, True, False, False])
    assert net.nearest({"s": 7}, none)["a"] == (7, 2.0)
    assert net.nearest({"s": 7}, closed)["a"] == (7, 10.0)
    assert "a" not in net.nearest({"s": 7}, np.ones(4, bool))


def test_who_has_to_move_and_where_to() -> None:
    """Two homes of one village, of which one floods; a shelter that is wet first and dry later."""
    homes = objects([shapely.box(0, 0, 10, 10), shapely.box(0, 80, 10, 90)], village_code=["990381001001"] * 2)
    nothing = beside(homes.shape, reach=1, usable=~DRY, **RASTER)
    exposed = Exposed(
        buildings=homes,
        at_buildings=nothing,
        area=np.array([100.0, 100.0]),
        storeys=np.array([1.0, 1.0]),
        people=np.array([12.0, 5.0]),
        roads=objects([shapely.LineString([(0, 0), (90, 0)])], start_node=["n0"], end_node=["n1"]),
        on_roads=nothing,
        services=objects([shapely.Point(90, 0)], **{"class": ["Shelter"]}, name=["hall"], capacity=[40]),
        at_services=nothing,
        nodes=objects([shapely.Point(0, 0), shapely.Point(90, 0)], uid=["n0", "n1"]),
        names={"990381001001": "东村"},
    )
    start = datetime(2026, 8, 1, tzinfo=UTC)
    rows = people_to_move(
        exposed,
        rules(),
        buildings=np.array([[0.0, 1.0, 1.0], [0.0, 0.0, 0.0]], np.float32),
        roads=np.array([[0.0, 0.0, 0.2]], np.float32),
        services=np.array([[0.0, 0.3, 0.0]], np.float32),
        moments=[start + timedelta(hours=n) for n in range(3)],
    ).to_pylist()
    assert [(row["people"], row["village"], row["shelter"], row["way_km"]) for row in rows] == [
        (12, "东村", None, None),
        (12, "东村", "hall", 0.09),
    ]


def test_buildings_are_coloured_by_the_classes_of_depth() -> None:
    """A class a colour, so that a legend can say from where to where each goes."""
    law = rules()
    step, what, *rest = depth_colour(law.classes)
    assert (step, what) == ("step", ["get", "depth_m"])
    assert rest[1::2] == law.classes[1:]
    assert len(set(rest[::2])) == len(law.classes)
    assert depth_colour([0.05]) == rest[0]
