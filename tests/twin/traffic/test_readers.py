"""Networks and trips from files and layers of lines: what is joined, what is guessed, what is refused."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import shapely
from pyproj import Transformer

from twin.traffic import Demand, InvalidDemand, InvalidNetwork, Router, assign, check
from twin.traffic.assignment import Assignment
from twin.traffic.demand import read_csv
from twin.traffic.readers import lyon, tntp
from twin.traffic.readers.lines import network_from_lines
from twin.traffic.roads import speed_kmh
from twin.traffic.scenario.streets import with_access
from twin.traffic.zones import connect, nearest_nodes


def roads(*lines: tuple[list[tuple[float, float]], dict[str, object]]) -> pa.Table:
    rows = [
        {"object_id": n, "geometry": shapely.LineString(line).wkb, **about} for n, (line, about) in enumerate(lines)
    ]
    names = {name for row in rows for name in row}
    return pa.table({name: [row.get(name) for row in rows] for name in sorted(names)})


def test_a_bridge_is_not_joined_to_what_it_crosses() -> None:
    """Two streets cross and are joined; a bridge over both meets neither but at its end; a T is joined."""
    table = roads(
        ([(0, 0), (100, 0)], {"class": "primary"}),
        ([(50, -50), (50, 50)], {"class": "residential"}),
        ([(20, -50), (20, 50), (100, 50)], {"class": "primary", "bridge": True}),
        ([(75, 0.2), (75, -50)], {"class": "residential"}),
    )
    network, report = network_from_lines(table)
    at = {(round(x), round(y)): n for n, (x, y) in enumerate(zip(network.x, network.y, strict=True))}
    degree = np.bincount(network.tail, minlength=network.nodes)
    assert degree[at[50, 0]] == 4
    assert degree[at[75, 0]] == 3
    assert (20, 0) not in at
    assert report.counts["split where lines meet"] == 3
    # Down on the ground from the bridge's end: there is no way but its own.
    assert Router(network).route(str(at[20, -50]), str(at[0, 0])) is None


def test_attributes_and_defaults_make_links() -> None:
    table = roads(
        ([(0, 0), (300, 0)], {"class": "primary", "lanes": 4, "speed_kmh": 36, "oneway": False}),
        ([(300, 0), (600, 0)], {"class": "motorway", "oneway": True}),
        ([(0, 0), (0, 90)], {"class": "footway"}),
        ([(0, 0), (0, -90)], {"class": "boulevard", "access": "private"}),
        ([(600, 0), (700, 0)], {"class": "boulevard"}),
    )
    network, report = network_from_lines(table)
    assert network.link_ids.tolist() == [0, 1, 4, 0, 4]
    assert network.free_time_s[:2] == pytest.approx([30.0, 300 / (100 / 3.6)])
    # Two lanes each way with signals; two lanes without.
    assert network.capacity[:2] == pytest.approx([1400.0, 4000.0])
    assert report.counts == {
        "not for cars": 1, "no access": 1, "joined by place": 3, "two-way by default": 1, "speed by class": 2,
        "lanes by class": 2, "unknown class": 1,
    }  # fmt: skip
    assert network_from_lines(table, country="FR")[0].speed_kmh[1] == pytest.approx(130)
    with pytest.raises(InvalidNetwork, match="no default speeds for 'XX'"):
        network_from_lines(table, country="XX")
    with pytest.raises(InvalidNetwork, match="no line of 1 is a road that cars may use"):
        network_from_lines(table.slice(2, 1))
    with pytest.raises(InvalidNetwork, match="column lanes"):
        network_from_lines(roads(([(0, 0), (1, 0)], {"class": "primary", "lanes": "two"})))


def test_nodes_that_are_named_join_whatever_lies_between() -> None:
    table = roads(
        ([(0, 0), (10, 0)], {"class": "primary", "start_node": "a", "end_node": "b", "oneway": "-1"}),
        ([(10, 5), (20, 0)], {"class": "primary", "start_node": "b", "end_node": "c", "oneway": "yes"}),
    )
    network, _ = network_from_lines(table)
    ends = [(network.node_ids[a], network.node_ids[b]) for a, b in zip(network.tail, network.head, strict=True)]
    assert ends == [("b", "c"), ("b", "a")]
    assert network.geometry is not None
    assert network.geometry[1].coords[0] == (10, 0)


def test_speeds_are_understood() -> None:
    given = [50, "50", "30 mph", "30mph", "50 km/h", "walk", "RU:urban", None, 1e6, -3]
    found = [None if (v := speed_kmh(each)) is None else round(v, 1) for each in given]
    assert found == [50, 50, 48.3, 48.3, 50, None, None, None, None, None]


@pytest.mark.parametrize(
    ("tags", "shut"),
    [
        ({}, False),
        ({"access": "no"}, True),
        ({"access": "no", "motor_vehicle": "yes"}, False),
        ({"access": "private", "motorcar": "destination"}, False),
        ({"access": "yes", "vehicle": "no"}, True),
        ({"vehicle": "yes", "motor_vehicle": "agricultural;forestry"}, True),
        ({"motor_vehicle": "agricultural;destination"}, False),
        ({"motor_vehicle": "private", "motorcar": "permissive"}, False),
        ({"access": "no", "bus": "yes"}, True),
        ({"car": False}, True),
        ({"highway": "busway"}, True),
        ({"highway": "busway", "motor_vehicle": "yes"}, False),
        ({"access": "agricultural; forestry"}, True),
    ],
)
def test_the_narrowest_word_of_access_decides(tags: dict[str, object], shut: bool) -> None:
    """As wiki.openstreetmap.org/wiki/Key:access has it for cars."""
    table = with_access(pa.table({"attributes": [json.dumps(tags)]}))
    assert table.column("access").to_pylist() == ["no" if shut else None]


def test_lanes_each_way_are_told_apart() -> None:
    """As wiki.openstreetmap.org/wiki/Key:lanes has it: of three lanes two lead forward."""
    tags = {"lanes": "3", "lanes:forward": "2", "lanes:backward": "1"}
    table = roads(
        ([(0, 0), (300, 0)], {"class": "primary", "lanes": 3, "attributes": json.dumps(tags)}),
        ([(300, 0), (600, 0)], {"class": "primary", "lanes": 3, "attributes": json.dumps({"lanes:forward": "x"})}),
    )
    network, _ = network_from_lines(with_access(table))
    lanes = dict(zip(zip(network.x[network.tail], network.x[network.head], strict=True), network.lanes, strict=True))
    assert lanes == {(0, 300): 2, (300, 0): 1, (300, 600): 1.5, (600, 300): 1.5}
    assert network.capacity.tolist() == [700 * each for each in network.lanes.tolist()]


def test_zones_join_the_network_and_nobody_drives_through_them() -> None:
    table = roads(*[([(x, 0), (x + 100, 0)], {"class": "primary", "oneway": False}) for x in range(0, 500, 100)])
    network, _ = network_from_lines(table)
    with_zones = connect(network, ["A", "B"], [0, 500], [10, 10], ways=2)
    assert with_zones.links == network.links + 4
    found = assign(with_zones, Demand.from_pairs(["A"], ["B"], [100.0]))
    assert found.served == 100
    middle = connect(with_zones, ["M"], [250], [1])
    assert Router(middle).route("A", "B").length_m == pytest.approx(Router(with_zones).route("A", "B").length_m)  # type: ignore[union-attr]
    nodes, metres = nearest_nodes(network, [90], [0])
    assert network.x[nodes[0]] == 100
    assert metres[0] == pytest.approx(10)
    with pytest.raises(InvalidNetwork, match="stands twice"):
        connect(network, ["A", "A"], [0, 1], [0, 1])


@pytest.fixture(scope="module")
def morning(shared_data: Path) -> Assignment:
    """The trips of Lyon that leave between 8 and 9, on its roads."""
    folder = shared_data / "lyon"
    network = lyon.read_network(folder / "lyon_traffic.gpkg", folder / "raw" / "network-Lyon63V.json.gz")
    trips = lyon.read_trips(folder / "raw" / "demand-Lyon63V-coords.csv.gz")
    assert len(trips.departure_s) == 18_849
    return assign(network, trips.between(8 * 3600, 9 * 3600, network), gap=1e-8)


def test_lyon_is_read_with_its_banned_turns(morning: Assignment) -> None:
    """3,496 of 3,540 sections are for cars (the rest is metro and tram); 18,849 trips; a peak hour finds its ways."""
    found, network, demand = morning, morning.network, morning.demand[0]
    assert network.links == 3496
    assert len(network.turns) > 1000
    assert demand.total == 6071
    assert found.unserved_trips < 0.01 * demand.total
    assert found.node_error < 1e-9
    assert {each.kind for each in check(network)} <= {"island", "trap", "source", "dead_end", "duplicate"}


def test_a_closed_rhone_bridge_in_lyon_sends_its_trips_over_the_next_one(morning: Assignment) -> None:
    """A line drawn across Pont Raymond-Poincaré closes it both ways; the ring road's viaduct takes what can go round.

    Who begins at its northern end, where sections of the source lead nowhere else, has no way left and is named.
    """
    network, before = morning.network, morning
    onto = Transformer.from_crs("OGC:CRS84", lyon.CRS, always_xy=True)

    def crossed(*line: tuple[float, float]) -> np.ndarray:
        drawn = shapely.LineString([onto.transform(*place) for place in line])
        return np.flatnonzero(shapely.intersects(network.geometry, drawn))

    bridge, viaduct = crossed((4.8592, 45.7866), (4.8614, 45.7866)), crossed((4.8815, 45.7895), (4.8835, 45.7925))
    assert network.link_ids[bridge].tolist() == ["T_58424807_FRef", "T_58424807_toRef"]
    after = assign(network.closing(bridge), morning.demand, gap=1e-8)
    assert (after.flow[bridge] == 0).all()
    stranded = after.unserved_trips - before.unserved_trips
    assert before.flow[bridge].sum() > 100
    gone_round = before.flow[bridge].sum() - stranded
    assert 0.8 * gone_round < after.flow[viaduct].sum() - before.flow[viaduct].sum() <= gone_round


def test_a_matrix_file_is_read_or_refused_by_line(tmp_path: Path) -> None:
    file = tmp_path / "od.csv"
    file.write_text("\ufefforigin,destination,trips\n1,2,5\n2,1,2.5\n1,2,1\n", encoding="utf-8")
    demand = read_csv(file, [1, 2])
    assert demand.matrix().tolist() == [[0, 6], [2.5, 0]]
    for text, says in [
        ("origin,destination,trips\n1,3,5\n", "line 2: zone '3' is unknown"),
        ("origin,destination,trips\n1,2,-5\n", r"line 2: -5\.0 trips"),
        ("origin,destination,trips\n1,2,many\n", "line 2: 'many' is no number"),
        ("from,to,trips\n1,2,5\n", "no column destination"),
    ]:
        file.write_text(text)
        with pytest.raises(InvalidDemand, match=says):
            read_csv(file, [1, 2])


def test_broken_tntp_files_are_refused_by_line(tmp_path: Path) -> None:
    file = tmp_path / "x_net.tntp"
    head = "<NUMBER OF ZONES> 2\n<NUMBER OF NODES> 2\n<FIRST THRU NODE> 1\n<NUMBER OF LINKS> 1\n<END OF METADATA>\n"
    for text, says in [
        ("", "is this a TNTP network"),
        (head + "1 2 x 1 1 1 1 ;\n", "line 6: '1 2 x 1 1 1 1' is no row of numbers"),
        (head + "1 9 1 1 1 1 1 ;\n", "a link at node 9"),
        (head, "0 links, the head speaks of 1"),
    ]:
        file.write_text(text)
        with pytest.raises(InvalidNetwork, match=says):
            tntp.read_network(file)
    file.write_text("<NUMBER OF ZONES> 2\nOrigin 1\n 2 : 5; 3 : 1;\n")
    with pytest.raises(InvalidDemand, match="trips from 1 to 3; zones are 1 to 2"):
        tntp.read_trips(file)
