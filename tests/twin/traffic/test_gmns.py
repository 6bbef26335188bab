"""GMNS folders: units, uses, zones, lines and directions; what is guessed, what is refused; a published network."""

import csv
from pathlib import Path

import numpy as np
import pytest

from tests.twin.traffic.networks import published
from twin.traffic import InvalidNetwork, Router, assign
from twin.traffic.readers.gmns import read_network

CONFIG = "dataset_name,long_length,speed,crs,geometry_field_format\nbridge,mile,mph,EPSG:32651,WKT\n"
NODES = """node_id,name,x_coord,y_coord,node_type,zone_id
1,west,300000,3100000,centroid,A
2,,301000,3100000,,B
3,,301200,3100000,,B
4,,301300,3100000,,B
"""
COLUMNS = "link_id,from_node_id,to_node_id,directed,geometry_id,geometry,dir_flag,length,facility_type,capacity"
LINKS = (
    COLUMNS
    + """,free_speed,lanes,allowed_uses,toll
west,1,2,0,,"LINESTRING (301000 3100000, 300500 3100100, 300000 3100000)",-1,0.7,Arterial,800,30,2,ALL,
bent,2,3,1,g,,1,,collector,,,,"CARS, BIKE",50
east,3,4,true,,,,NaN,,900,60,1,,
path,2,4,1,,,,0.1,SIDEWALK,,,,,
bus,3,2,1,,,,0.2,arterial,900,30,1,"BUS,TRUCK",
shut,4,3,1,,,,0.1,local,900,30,0,ALL,
"""
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.csv").write_text(CONFIG)
    (tmp_path / "node.csv").write_text("\ufeff" + NODES, encoding="utf-8")
    (tmp_path / "link.csv").write_text(LINKS)
    (tmp_path / "geometry.csv").write_text(
        'geometry_id,geometry\ng,"LINESTRING (301000 3100000, 301100 3100100, 301200 3100000)"\n'
    )
    (tmp_path / "use_group.csv").write_text('use_group,uses\nCARS,"SOV,HOV"\nALL,"CARS,BUS"\n')
    return tmp_path


def test_a_folder_becomes_a_network(folder: Path) -> None:
    network, report = read_network(folder)
    assert network.link_ids.tolist() == ["west", "bent", "east", "west"]
    ends = [f"{network.node_ids[a]}{network.node_ids[b]}" for a, b in zip(network.tail, network.head, strict=True)]
    assert ends == ["12", "23", "34", "21"]
    # 0.7 mile at 30 mph; 2 sides of 141 m at a collector's 40 km/h; 100 m at 60 mph.
    assert network.free_time_s == pytest.approx([84, 2e4**0.5 * 2 / (40 / 3.6), 100 / (60 * 0.44704), 84])
    assert network.capacity.tolist() == [1600, 650, 900, 1600]
    assert network.lanes.tolist() == [2, 1, 1, 2]
    assert network.toll.tolist() == [0, 50, 0, 0]
    assert network.crs == "EPSG:32651"
    assert network.geometry is not None
    assert [line.coords[0] for line in network.geometry] == [
        (300000, 3100000), (301000, 3100000), (301200, 3100000), (301000, 3100000)
    ]  # fmt: skip
    assert network.through.tolist() == [False, True, True, True]
    # Of three nodes of a zone the one nearest to their middle.
    assert dict(zip(network.zone_ids, network.node_ids[network.zone_nodes], strict=True)) == {"A": "1", "B": "3"}
    assert report.counts == {
        "not for the uses asked for": 2, "no lanes": 1, "straight line": 1, "length by its line": 2, "unknown class": 1,
        "speed by class": 1, "lanes by class": 1, "capacity by class": 1, "zone of many nodes": 1,
    }  # fmt: skip
    assert Router(network).route("1", "3") is not None
    assert "bus" in read_network(folder, uses={"bus"})[0].link_ids


def test_degrees_are_laid_out_in_metres(folder: Path) -> None:
    (folder / "node.csv").write_text("node_id,x_coord,y_coord\n1,120.9,28.1\n2,120.91,28.1\n")
    (folder / "link.csv").write_text(
        'link_id,from_node_id,to_node_id,length,geometry\na,1,2,,"LINESTRING (120.9 28.1, 120.91 28.1)"\n'
        "b,2,1,100,oops\n"
    )
    about = {"crs": "4326", "long_length": "metre", "speed": "km/h"}
    network, report = read_network(folder, config=about)
    assert network.crs == "EPSG:32651"
    assert network.length_m == pytest.approx([983, 100], rel=2e-3)
    assert network.zone_ids.tolist() == ["1", "2"]
    assert report.counts["shorter than the straight way"] == 1
    assert report.counts["line not understood"] == 1
    assert report.counts["directed by default"] == 2
    (folder / "config.csv").unlink()
    with pytest.raises(InvalidNetwork, match="link a: no length, and no crs"):
        read_network(folder, config={"long_length": "metre"})


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("config.csv", "mile,", "league,", "long_length is 'league'; use one of feet"),
        ("config.csv", "mph", "", "speed is ''; use one of ft/s"),
        ("config.csv", "EPSG:32651", "EPSG:1", "crs 'EPSG:1' is unknown"),
        ("config.csv", "WKT", "geojson", "geometry_field_format is 'geojson'; only WKT"),
        ("node.csv", "node_id", "id", "node.csv: no column node_id"),
        ("node.csv", "4,,301300", "3,,301300", "node.csv, row 4: node_id '3' stands twice"),
        ("node.csv", "301300", "", "node.csv, row 4: x_coord or y_coord is missing"),
        ("link.csv", "west,1,2,0", "west,9,2,0", "link west: from_node_id '9' is no node"),
        ("link.csv", "west,1,2,0", "west,1,2,maybe", "link west: directed is 'maybe'; use 1 or 0"),
        ("link.csv", "900,60,1", "900,-60,1", "link east: free_speed is 0 or less"),
        ("link.csv", "900,60,1", "-900,60,1", "link east: capacity is negative"),
        ("link.csv", "900,60,1", "900,60,many", "lanes is 'many', no number"),
        ("link.csv", "900,60,1", "inf,60,1", "capacity is 'inf', no number"),
    ],
)
def test_what_is_wrong_is_named(folder: Path, file: str, old: str, new: str, says: str) -> None:
    path = folder / file
    text = path.read_text(encoding="utf-8-sig")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InvalidNetwork, match=says):
        read_network(folder)


def test_what_is_no_network_is_refused(folder: Path) -> None:
    (folder / "link.csv").write_text("link_id,from_node_id,to_node_id,allowed_uses\na,1,2,BIKE\n")
    with pytest.raises(InvalidNetwork, match="no link is for all, auto"):
        read_network(folder)
    (folder / "node.csv").write_bytes(b"node_id,x_coord,y_coord\n\xff\xfe,1,2\n")
    with pytest.raises(InvalidNetwork, match=r"node\.csv: no table of comma-separated UTF-8"):
        read_network(folder)
    with pytest.raises(InvalidNetwork, match=r"no node\.csv; a GMNS network is a folder"):
        read_network(folder / "elsewhere")


def test_a_published_network_is_the_same_as_gmns(shared_data: Path, tmp_path: Path) -> None:
    """Sioux Falls written as GMNS, in km and km/h on three lanes, has the best-known equilibrium."""
    network, demand = published(shared_data, "SiouxFalls")
    with (tmp_path / "node.csv").open("w", newline="") as file:
        csv.writer(file).writerows(
            [["node_id", "x_coord", "y_coord", "zone_id"], *([n, 0, 0, n] for n in network.node_ids.tolist())]
        )
    ids = network.node_ids.tolist()
    rows = [
        [name, ids[a], ids[b], 1, time, 3600, capacity / 3, 3]
        for name, a, b, time, capacity in zip(
            network.link_ids, network.tail, network.head, network.free_time_s, network.capacity, strict=True
        )
    ]
    with (tmp_path / "link.csv").open("w", newline="") as file:
        names = ["link_id", "from_node_id", "to_node_id", "directed", "length", "free_speed", "capacity", "lanes"]
        csv.writer(file).writerows([names, *rows])
    read, _ = read_network(tmp_path, config={"long_length": "km", "speed": "km/h"})
    # Zones of GMNS are called by texts.
    same = type(demand).from_matrix(demand.matrix(), [str(each) for each in demand.zones])
    found = assign(read, same, gap=1e-10)
    assert found.objective == pytest.approx(4231335.28710744, rel=1e-9)
    assert np.allclose(found.flow, assign(network, demand, gap=1e-10).flow, atol=1e-2)


def test_numbers_that_pandas_has_made_fractions_are_ids_again(tmp_path: Path) -> None:
    (tmp_path / "node.csv").write_text("node_id,x_coord,y_coord\n1.0,0,0\n2.0,100,0\n")
    (tmp_path / "link.csv").write_text("link_id,from_node_id,to_node_id,directed,length,lanes\n7,1,2,0.0,100.0,2.0\n")
    network, _ = read_network(tmp_path, config={"long_length": "m", "speed": "km/h"})
    assert network.node_ids.tolist() == ["1", "2"]
    assert (network.links, network.length_m.tolist(), network.lanes.tolist()) == (2, [100, 100], [2, 2])
