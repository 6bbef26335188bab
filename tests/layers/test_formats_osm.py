"""OpenStreetMap: counts, rings and lengths as osmium-tool has them; a road graph that holds together; damage told."""

import json
import math
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import shapely
from pyproj import Geod

from layers.formats import FormatError, open_sources
from layers.formats.osm.tags import ROADS, oneway
from layers.formats.osm.values import integer, kilometres_per_hour, metres, storeys

GEOD = Geod(ellps="WGS84")
MEGABYTE_KIB = 1024

Theme = dict[str, dict[str, Any]]


def read(path: Path, *themes: str) -> dict[str, Theme]:
    """Rows by theme and uid, geometry as shapely."""
    found: dict[str, Theme] = {}
    for source in open_sources(path):
        if source.name in themes:
            rows = [row for batch in source.read() for row in batch.to_pylist()]
            shapes = shapely.from_wkb([row["geometry"] for row in rows])
            found[source.name] = {
                row["uid"]: row | {"geometry": shape} for row, shape in zip(rows, shapes, strict=True)
            }
            assert len(found[source.name]) == len(rows), f"a uid stands twice in {source.name}"
    return found


def opl(path: Path, *filters: str) -> list[str]:
    """The objects that osmium-tool finds, one a line, without those they refer to."""
    command = ["osmium", "tags-filter", "-R", "-f", "opl", str(path), *filters]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def opl_tags(line: str) -> dict[str, str]:
    (tags,) = (field[1:] for field in line.split(" ") if field.startswith("T"))
    return dict(tag.split("=", 1) for tag in tags.split(",")) if tags else {}


def exported(path: Path, kind: str) -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Id, tags and shape of each feature of `osmium export`."""
    command = ["osmium", "export", "-f", "geojsonseq", "-x", "print_record_separator=false", "-u", "type_id"]
    command += [f"--geometry-types={kind}", str(path)]
    for line in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines():
        feature = json.loads(line)
        yield feature["id"], feature["properties"], shapely.from_geojson(json.dumps(feature["geometry"]))


@pytest.fixture(scope="module")
def monaco(shared_data: Path) -> Path:
    return shared_data / "monaco" / "monaco-latest-20210419.osm.pbf"


@pytest.fixture(scope="module")
def city(monaco: Path) -> dict[str, Theme]:
    return read(monaco, "building", "road", "road_node", "land", "water", "administrative_area")


def buildings(path: Path) -> set[str]:
    """Uids of what osmium-tool finds to be a building; a relation of no type is none."""
    found = set()
    for line in opl(path, "wr/building"):
        tags = opl_tags(line)
        if tags["building"] != "no" and (line[0] == "w" or tags.get("type") == "multipolygon"):
            found.add(("way/" if line[0] == "w" else "relation/") + line.split(" ")[0][1:])
    return found


def test_buildings_as_osmium_filters_them(monaco: Path, city: dict[str, Theme]) -> None:
    assert set(city["building"]) == buildings(monaco)
    assert len(city["building"]) == 1207


def test_highways_as_osmium_filters_them(monaco: Path, city: dict[str, Theme]) -> None:
    lines = opl(monaco, "w/highway")
    roads = {
        line.split(" ")[0][1:]
        for line in lines
        if opl_tags(line)["highway"] in ROADS and opl_tags(line).get("area") != "yes"
    }
    assert {uid.split("/")[1] for uid in city["road"]} == roads
    assert len(roads) > 2000


def test_areas_keep_every_ring_and_square_metre(monaco: Path, city: dict[str, Theme]) -> None:
    holes = 0
    for identity, tags, shape in exported(monaco, "polygon"):
        # osmium numbers areas: twice the way's id, twice the relation's and one.
        number = int(identity[1:])
        uid = f"relation/{number // 2}" if number % 2 else f"way/{number // 2}"
        for theme, key in (("building", "building"), ("land", "landuse")):
            if tags.get(key, "no") == "no" or uid not in city[theme]:
                continue
            mine = city[theme][uid]["geometry"]
            assert shapely.get_num_interior_rings(shapely.get_parts(mine)).sum() == (
                shapely.get_num_interior_rings(shapely.get_parts(shape)).sum()
            )
            assert mine.area == pytest.approx(shape.area, rel=1e-9)
            holes += int(shapely.get_num_interior_rings(shapely.get_parts(mine)).sum())
    assert holes >= 20


def test_every_edge_hangs_between_nodes_that_exist(city: dict[str, Theme]) -> None:
    degrees: Counter[str] = Counter()
    for edge in city["road"].values():
        line = edge["geometry"]
        for end, uid in ((0, edge["start_node"]), (-1, edge["end_node"])):
            assert line.coords[end] == city["road_node"][uid]["geometry"].coords[0]
            degrees[uid] += 1
    assert {uid: node["degree"] for uid, node in city["road_node"].items()} == dict(degrees)


def test_ways_are_cut_nowhere_else_and_lose_no_metre(monaco: Path, city: dict[str, Theme]) -> None:
    lengths: defaultdict[str, float] = defaultdict(float)
    for uid, edge in city["road"].items():
        lengths[uid.split("/")[1]] += GEOD.geometry_length(edge["geometry"])
    compared = 0
    for identity, tags, shape in exported(monaco, "linestring"):
        if identity[1:] in lengths and tags.get("highway") in ROADS:
            assert lengths[identity[1:]] == pytest.approx(GEOD.geometry_length(shape), abs=1e-3)
            compared += 1
    assert compared > 2000


def test_the_graph_connects_what_shared_nodes_connect(monaco: Path, city: dict[str, Theme]) -> None:
    """As many connected pieces by the edges as by the node lists of the ways themselves."""

    def pieces(links: Iterator[list[str]]) -> int:
        parent: dict[str, str] = {}

        def root(node: str) -> str:
            while parent.setdefault(node, node) != node:
                parent[node] = parent[parent[node]]
                node = parent[node]
            return node

        for nodes in links:
            for node in nodes:
                parent[root(node)] = root(nodes[0])
        return len({root(node) for node in parent})

    ways = (line for line in opl(monaco, "w/highway") if opl_tags(line)["highway"] in ROADS)
    listed = (
        [node for field in line.split(" ") if field.startswith("Nn") for node in field[1:].split(",")]
        for line in ways
        if opl_tags(line).get("area") != "yes"
    )
    edges = ([edge["start_node"], edge["end_node"]] for edge in city["road"].values())
    assert pieces(edges) == pieces(listed)


def test_every_turn_restriction_stands_at_the_road_it_begins_on(monaco: Path, city: dict[str, Theme]) -> None:
    """All relations as osmium-tool lists them, but for those whose way passes the node in its middle."""
    ways = {}
    for line in subprocess.run(
        ["osmium", "cat", "-t", "way", "-f", "opl", str(monaco)], capture_output=True, text=True, check=True
    ).stdout.splitlines():
        refs = line.rsplit(" N", 1)[1].split(",")
        ways[line.split(" ")[0][1:]] = {refs[0][1:], refs[-1][1:]}
    expected = Counter()
    for line in opl(monaco, "r/type=restriction"):
        members = [each.split("@") for each in line.rsplit(" M", 1)[1].split(",")]
        node, to = (next(ref[1:] for ref, role in members if role == name) for name in ("via", "to"))
        text = f"{opl_tags(line)['restriction']} node/{node} way/{to}"
        expected.update(text for ref, role in members if role == "from" and node in ways[ref[1:]])
    roads = [json.loads(row["attributes"]).get("restrictions") for row in city["road"].values()]
    assert Counter(text for told in roads if told for text in told.split("; ")) == expected
    assert sum(expected.values()) == 45


def test_the_sea_lies_before_the_coast_and_under_no_house(city: dict[str, Theme]) -> None:
    sea = city["water"]["sea"]["geometry"]
    off_larvotto, port_hercule, palace = shapely.points([[7.440, 43.740], [7.4262, 43.7348], [7.4204, 43.7314]])
    assert sea.contains(off_larvotto)
    assert sea.contains(port_hercule)
    assert not sea.contains(palace)
    houses = shapely.point_on_surface([row["geometry"] for row in city["building"].values()])
    # Some stand on piles.
    assert shapely.contains(sea, houses).sum() < 5


def test_liechtenstein_in_bounded_memory(shared_data: Path) -> None:
    """The peak of a child that reads the country, above one that only imports: less than 120 MB for 73,000 objects."""
    path = shared_data / "osm" / "liechtenstein-20210505.osm.pbf"
    program = (
        "import sys; from pathlib import Path; from layers.formats import open_sources\n"
        "for source in open_sources(Path(sys.argv[1])) if len(sys.argv) > 1 else []:\n"
        "    print(source.name, sum(batch.num_rows for batch in source.read()))\n"
        "import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )

    def run(*arguments: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-c", program, *arguments],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
        return int(done[-1]), "\n".join(done[:-1])

    idle, _ = run()
    peak, counts = run(str(path))
    assert f"building {len(buildings(path))}\n" in counts
    assert peak - idle < 120 * MEGABYTE_KIB


def write_osm(path: Path, body: str) -> Path:
    path.write_text(f'<?xml version="1.0"?><osm version="0.6" generator="test">{body}</osm>')
    return path


def node(number: int, lon: float, lat: float, **tags: str) -> str:
    inner = "".join(f'<tag k="{key.replace("__", ":")}" v="{value}"/>' for key, value in tags.items())
    return f'<node id="{number}" version="1" lat="{lat}" lon="{lon}">{inner}</node>'


def way(number: int, nodes: list[int], **tags: str) -> str:
    inner = "".join(f'<nd ref="{ref}"/>' for ref in nodes)
    inner += "".join(f'<tag k="{key.replace("__", ":")}" v="{value}"/>' for key, value in tags.items())
    return f'<way id="{number}" version="1">{inner}</way>'


def relation(number: int, members: list[tuple[int, str]], **tags: str) -> str:
    inner = "".join(f'<member type="way" ref="{ref}" role="{role}"/>' for ref, role in members)
    inner += "".join(f'<tag k="{key.replace("__", ":")}" v="{value}"/>' for key, value in tags.items())
    return f'<relation id="{number}" version="1">{inner}</relation>'


GRID = "".join(node(10 * i + j, 120 + i / 1000, 27 + j / 1000) for i in range(1, 7) for j in range(7))


def test_roads_are_cut_at_shared_nodes_and_signals(tmp_path: Path) -> None:
    body = (
        "".join(node(i, 120 + i / 1000, 27) for i in (1, 2, 3, 5))
        + node(4, 120.004, 27, highway="traffic_signals")
        + node(6, 120.003, 27.001, highway="crossing")
        + way(100, [1, 2, 3, 4, 5], highway="primary")
        + way(101, [3, 6], highway="footway")
    )
    city = read(write_osm(tmp_path / "a.osm", body), "road", "road_node")
    ends = {uid: (edge["start_node"], edge["end_node"]) for uid, edge in city["road"].items()}
    assert ends == {
        "way/100/1-3": ("node/1", "node/3"),
        "way/100/3-4": ("node/3", "node/4"),
        "way/100/4-5": ("node/4", "node/5"),
        "way/101/3-6": ("node/3", "node/6"),
    }
    kinds = {uid: (row["kind"], row["degree"]) for uid, row in city["road_node"].items()}
    assert kinds == {
        "node/1": ("end", 1),
        "node/3": ("junction", 3),
        "node/4": ("signal", 2),
        "node/5": ("end", 1),
        "node/6": ("crossing", 1),
    }


def test_a_way_against_its_drawing_is_turned_round(tmp_path: Path) -> None:
    body = GRID + way(100, [11, 21, 31], highway="residential", oneway="-1")
    ((edge,), _) = (
        list(rows.values()) for rows in read(write_osm(tmp_path / "a.osm", body), "road", "road_node").values()
    )
    assert edge["oneway"] is True
    assert (edge["start_node"], edge["end_node"]) == ("node/31", "node/11")
    assert edge["geometry"].coords[0] == (120.003, 27.001)


def test_loops_stubs_and_lollipops_are_edges_too(tmp_path: Path) -> None:
    body = (
        GRID
        + way(100, [11, 21, 22, 12, 11], highway="service", junction="roundabout")
        + way(101, [31, 41, 42, 32, 41], highway="service")
        + way(102, [51, 61, 51, 61], highway="service")
        + way(103, [63, 63], highway="service")
    )
    edges = read(write_osm(tmp_path / "a.osm", body), "road")["road"]
    assert set(edges) == {
        "way/100/11-11",
        "way/101/31-41",
        "way/101/41-41",
        "way/102/51-61",
        "way/102/61-51",
        "way/102/51-61/2",
    }


def test_a_road_ends_where_the_file_lacks_its_nodes(tmp_path: Path) -> None:
    body = GRID + way(100, [11, 21, 999, 31, 41, 998], highway="service")
    city = read(write_osm(tmp_path / "a.osm", body), "road", "road_node")
    assert set(city["road"]) == {"way/100/11-21", "way/100/31-41"}
    assert {row["kind"] for row in city["road_node"].values()} == {"end"}


def test_holes_islands_and_what_cannot_be_closed(tmp_path: Path) -> None:
    body = (
        GRID
        + way(100, [11, 51, 55, 15, 11])
        + way(101, [22, 42, 44, 24, 22])
        + way(102, [61, 62])
        + relation(1, [(100, "outer"), (101, "inner")], type="multipolygon", building="yes", name="堂")
        + relation(2, [(102, "outer"), (777, "outer")], type="multipolygon", landuse="forest")
        + way(103, [11, 21, 22, 12, 11], building="no", landuse="grass")
    )
    city = read(write_osm(tmp_path / "a.osm", body), "building", "land")
    (hall,) = city["building"].values()
    assert hall["name"] == "堂"
    assert hall["geometry"].area == pytest.approx(1.6e-5 - 4e-6)
    assert city["land"]["relation/2"]["geometry"] is None
    assert city["land"]["way/103"]["code"] == "grass"


def test_a_thing_may_be_several_things(tmp_path: Path) -> None:
    ring = [11, 21, 22, 12, 11]
    body = GRID + way(100, ring, building="school", amenity="school", building__levels="2.5", height="40 ft")
    city = read(write_osm(tmp_path / "a.osm", body), "building", "facility", "land")
    building = city["building"]["way/100"]
    assert (building["function"], building["storeys"], building["height_source"]) == ("education", 3, "measured")
    assert building["height"] == pytest.approx(12.192)
    assert city["facility"]["way/100"]["class"] == "School"
    assert not city["land"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [("50", 50), ("30 mph", 48.28032), ("10 knots", 18.52), ("none", None), ("RO:urban", None), ("50;70", None),
     ("0", None), ("", None), (None, None)],
)  # fmt: skip
def test_speed_limits(value: str | None, expected: float | None) -> None:
    assert kilometres_per_hour(value) == (None if expected is None else pytest.approx(expected))


def test_lengths_numbers_and_storeys() -> None:
    assert [metres(text) for text in ("12", "12.5 m", "7'", "ca. 5", "1.2 km")] == [
        12,
        12.5,
        pytest.approx(2.1336),
        None,
        1200,
    ]
    assert metres("6'2\"") == pytest.approx(1.8796)
    assert [integer(text) for text in ("2", "2.0", "2;3", "2.5", "1e99", "nan")] == [2, 2, None, None, None, None]
    assert [storeys(text) for text in ("3", "2.5", "-1", "many")] == [3, 3, None, None]


def test_oneway_defaults() -> None:
    assert oneway({"highway": "motorway"}) is True
    assert oneway({"highway": "motorway", "oneway": "no"}) is False
    assert oneway({"highway": "primary", "junction": "roundabout"}) is True
    assert oneway({"highway": "primary"}) is False
    assert oneway({"highway": "primary", "oneway": "reversible"}) is None


@pytest.mark.parametrize("share", [0.3, 0.7, 0.99])
def test_a_pbf_cut_off_is_refused(monaco: Path, tmp_path: Path, share: float) -> None:
    content = monaco.read_bytes()
    (tmp_path / "cut.osm.pbf").write_bytes(content[: math.floor(len(content) * share)])
    with pytest.raises(FormatError, match=r"cut\.osm\.pbf: cannot be read as OpenStreetMap data"):
        read(tmp_path / "cut.osm.pbf", "road")


def test_xml_that_breaks_off_is_refused(tmp_path: Path) -> None:
    path = write_osm(tmp_path / "a.osm", GRID)
    path.write_text(path.read_text()[:-30])
    with pytest.raises(FormatError, match=r"a\.osm: cannot be read"):
        read(path, "road")


def test_wrong_layer_and_crs_are_told(monaco: Path) -> None:
    with pytest.raises(FormatError, match="no layer 'roads' in OpenStreetMap data; it has"):
        open_sources(monaco, layer="roads")
    with pytest.raises(FormatError, match="are in EPSG:4326"):
        open_sources(monaco, crs="EPSG:2154")
