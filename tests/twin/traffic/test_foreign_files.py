"""TNTP and SUMO files as others write them: heads without all lines, comments, offsets, lanes not for cars."""

from pathlib import Path

import pytest

from twin.traffic import InvalidDemand, InvalidNetwork, Router
from twin.traffic.readers import sumo, tntp

HEAD = "<NUMBER OF ZONES> 2\n<NUMBER OF NODES> 3\n<FIRST THRU NODE> 3\n<NUMBER OF LINKS> 2\n<END OF METADATA>\n"
ROWS = "\t1\t3\t100\t1\t2\t0.15\t4\t0\t0\t1\t;\n\t3\t2\t100\t1\t2\t0.15\t4\t0\t0\t1\t;\n"
TRIPS = "<NUMBER OF ZONES> 2\n<TOTAL OD FLOW> 9.5\n<END OF METADATA>\n"
WRITTEN = [
    HEAD + "~\tinit_node\tterm_node\t;\n" + ROWS,
    "\ufeff" + HEAD.replace("\n", "\r\n") + ROWS.replace("\n", " \r\n"),
    HEAD + "init_node term_node capacity length free_flow_time b power speed toll link_type ;\n" + ROWS,
    HEAD.lower() + "~ from here on\n\n" + ROWS.replace("\t", "  ").replace(";", "; ~ as counted"),
    HEAD.replace("ZONES> 2", "ZONES>\t2.0 \t~ zones").replace("<FIRST", "<TOLL FACTOR> 0.02\n<FIRST") + ROWS,
]


@pytest.mark.parametrize("text", WRITTEN)
def test_a_tntp_network_is_the_same_however_it_is_written(tmp_path: Path, text: str) -> None:
    file = tmp_path / "x_net.tntp"
    file.write_text(text, encoding="utf-8")
    network = tntp.read_network(file)
    assert network.link_ids.tolist() == ["1-3", "3-2"]
    assert network.free_time_s.tolist() == [120, 120]
    assert network.through.tolist() == [False, False, True]
    assert network.zone_ids.tolist() == [1, 2]


def test_without_a_first_node_for_through_traffic_all_are(tmp_path: Path) -> None:
    file = tmp_path / "x_net.tntp"
    file.write_text(HEAD.replace("<FIRST THRU NODE> 3\n", "") + ROWS)
    assert tntp.read_network(file).through.all()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD.replace("NODES> 3", "NODES> 3000000000000") + ROWS, "NUMBER OF NODES is '3000000000000'"),
        (HEAD.replace("ZONES> 2", "ZONES> -2") + ROWS, "NUMBER OF ZONES is '-2'"),
        (HEAD.replace("ZONES> 2", "ZONES> 9") + ROWS, "9 zones and 3 nodes"),
        (HEAD.replace("LINKS> 2", "LINKS> two") + ROWS, "2 links, the head speaks of two"),
        (HEAD + ROWS.replace("\t1\t3", "\t0\t3"), "a link at node 0"),
        (HEAD + ROWS.replace("\t1\t3", "\tnan\t3"), "link 1: nodes are whole numbers"),
    ],
)
def test_tntp_heads_that_cannot_be_meant_are_refused(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "x_net.tntp"
    file.write_text(text)
    with pytest.raises(InvalidNetwork, match=said):
        tntp.read_network(file)


@pytest.mark.parametrize(
    "text",
    ["Origin 1\n 1 : 0.0;  2 : 5.5;\nOrigin 2\n1:4;\n", "origin\t1 \r\n\t2 :5.5;\r\n~ 1 : 9;\r\nORIGIN 2\r\n1 : 4e0 ;"],
)
def test_tntp_trips_are_the_same_however_they_are_written(tmp_path: Path, text: str) -> None:
    file = tmp_path / "x_trips.tntp"
    file.write_text(TRIPS + text)
    assert tntp.read_trips(file).matrix().tolist() == [[0, 5.5], [4, 0]]


def test_tntp_zones_and_flows_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    trips, flows, net = tmp_path / "x_trips.tntp", tmp_path / "x_flow.tntp", tmp_path / "x_net.tntp"
    trips.write_text(TRIPS + "Origin 1\n1.5 : 3;")
    with pytest.raises(InvalidDemand, match=r"origin 1: 1\.5 : 3 is no pair"):
        tntp.read_trips(trips)
    net.write_text(HEAD + ROWS)
    flows.write_text("From To Volume Cost\n1 3 many 2\n")
    with pytest.raises(InvalidNetwork, match="1 3 many 2"):
        tntp.read_flows(flows, tntp.read_network(net))


# A-B-C in a line; from AB one may go on to BC by car, and only by bicycle to BD. DB and CB lead back.
NET = """<net>
<location netOffset="{offset}" projParameter="{projection}"/>
<junction id="A" type="priority" x="0" y="0"/><junction id="B" type="priority" x="100" y="0"/>
<junction id="C" type="priority" x="200" y="0"/><junction id="D" type="priority" x="100" y="100"/>
<junction id=":B_0" type="internal" x="100" y="0"/>
<edge id=":B_0" function="internal"><lane id=":B_0_0" index="0" speed="9" length="9" shape="99,0 101,0"/></edge>
<edge id="AB" from="A" to="B" type="highway.primary">
  <lane id="AB_0" index="0" allow="bicycle" speed="5" length="100" shape="0,0 100,0"/>
  <lane id="AB_1" index="1" disallow="pedestrian" speed="20" length="100" shape="0,3 100,3"/>
</edge>
<edge id="BC" from="B" to="C"><lane id="BC_0" index="0" speed="10" length="100" shape="100,0 200,0"/></edge>
<edge id="BD" from="B" to="D"><lane id="BD_0" index="0" speed="10" length="100" shape="100,0 100,100"/></edge>
<connection from="AB" to="BC" fromLane="1" toLane="0" via=":B_0_0"/>
<connection from="AB" to="BD" fromLane="0" toLane="0"/>
<connection from="AB" to="BD" fromLane="1" toLane="0" allow="bus"/>
</net>"""


def test_a_sumo_network_has_the_connections_of_lanes_for_cars(tmp_path: Path) -> None:
    file = tmp_path / "x.net.xml"
    file.write_text(NET.format(offset="0.00,0.00", projection="!"))
    network = sumo.read_network(file)
    assert network.crs == ""
    assert network.lanes.tolist() == [1, 1, 1]
    assert network.free_time_s.tolist() == [5, 10, 10]
    assert Router(network).route("A", "C").time_s == 15  # type: ignore[union-attr]
    assert Router(network).route("A", "D") is None


def test_a_sumo_network_lies_where_its_projection_says(tmp_path: Path) -> None:
    """Coordinates are projected ones plus the offset."""
    file = tmp_path / "x.net.xml"
    file.write_text(NET.format(offset="-404100.00,-5795200.00", projection="+proj=utm +zone=33 +ellps=WGS84"))
    network = sumo.read_network(file)
    assert network.crs.startswith("+proj=utm")
    assert (network.x[0], network.y[0]) == (404100, 5795200)
    assert network.geometry is not None
    assert network.geometry[1].coords[0] == (404200, 5795200)


def test_a_sumo_edge_at_no_junction_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.net.xml"
    file.write_text(NET.format(offset="0,0", projection="!").replace('to="D"', 'to="X"'))
    with pytest.raises(InvalidNetwork, match="junction 'X'"):
        sumo.read_network(file)
