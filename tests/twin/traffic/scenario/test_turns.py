"""Turn restrictions from an OpenStreetMap file to ways and volumes, on streets solved by hand.

South to north and west to east at the equator: 1 - 2 - 3 in a row, 4 north of 2, and a slanting street from 3 to 4.
Each straight street is 1,113.2 m and takes 111.32 s; from 1 to 4 it takes two of them, or one and a root of two more
where one may not turn left at 2.
"""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyproj
import pytest
import shapely

from layers.formats import open_sources
from twin.traffic import Demand, Router, assign
from twin.traffic.scenario.streets import Streets, streets_of, with_access
from twin.traffic.scenario.ways import on_foot

LEG_S = 111.32
LEFT, ROUND = 2 * LEG_S, (2 + 2**0.5) * LEG_S
PLACES = {1: (-0.01, 0.0), 2: (0.0, 0.0), 3: (0.01, 0.0), 4: (0.0, 0.01)}
WAYS = {10: (1, 2), 11: (2, 3), 12: (2, 4), 13: (3, 4)}
ON_TURNING_LEFT = [("way", 10, "from"), ("node", 2, "via"), ("way", 12, "to")]


def osm(folder: Path, members: list[tuple[str, int, str]], **tags: str) -> Path:
    """A file with the streets and one restriction."""
    lines = ['<osm version="0.6">']
    lines += [f'<node id="{n}" version="1" lon="{x}" lat="{y}"/>' for n, (x, y) in PLACES.items()]
    for way, ends in WAYS.items():
        refs = "".join(f'<nd ref="{n}"/>' for n in ends)
        kind = '<tag k="highway" v="residential"/><tag k="maxspeed" v="36"/>'
        lines.append(f'<way id="{way}" version="1">{refs}{kind}</way>')
    parts = "".join(f'<member type="{kind}" ref="{ref}" role="{role}"/>' for kind, ref, role in members)
    told = "".join(f'<tag k="{key}" v="{value}"/>' for key, value in ({"type": "restriction"} | tags).items())
    lines.append(f'<relation id="1" version="1">{parts}{told}</relation></osm>')
    path = folder / "streets.osm"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def streets(path: Path, walking: bool = False) -> Streets:
    roads = next(each for each in open_sources(path) if each.name == "road")
    table = pa.Table.from_batches(roads.read())
    there = pyproj.Transformer.from_crs("OGC:CRS84", "EPSG:3857", always_xy=True)
    degrees = shapely.from_wkb(table.column("geometry").to_numpy(zero_copy_only=False))
    metric = shapely.transform(degrees, lambda corners: np.column_stack(there.transform(*corners.T)))
    table = table.set_column(table.column_names.index("geometry"), "geometry", pa.array(shapely.to_wkb(metric)))
    told = with_access(table.append_column("object_id", pa.array(range(table.num_rows))))
    return streets_of(on_foot(told) if walking else told, "CN", "EPSG:3857")


@pytest.mark.parametrize(
    ("members", "tags", "seconds", "report"),
    [
        (ON_TURNING_LEFT, {"restriction": "no_left_turn"}, ROUND, {"turn restrictions": 1}),
        (ON_TURNING_LEFT, {"restriction": "no_left_turn", "except": "bus;taxi"}, ROUND, {"turn restrictions": 1}),
        (ON_TURNING_LEFT, {"restriction": "no_left_turn", "except": "psv;motorcar"}, LEFT, {}),
        (ON_TURNING_LEFT, {"restriction:hgv": "no_left_turn"}, LEFT, {}),
        (
            [("way", 10, "from"), ("node", 2, "via"), ("way", 11, "to")],
            {"restriction": "only_straight_on"}, ROUND, {"turn restrictions": 1},
        ),
        (
            [("way", 10, "from"), ("node", 2, "via"), ("way", 99, "to")],
            {"restriction": "only_straight_on"}, LEFT, {"turn restrictions that fit no roads for cars": 1},
        ),
        (
            [("way", 10, "from"), ("way", 11, "via"), ("way", 13, "to")],
            {"restriction": "no_left_turn"}, LEFT, {"turn restrictions over a road, not kept": 1},
        ),
    ],
)  # fmt: skip
def test_a_relation_bans_a_turn(
    tmp_path: Path, members: list[tuple[str, int, str]], tags: dict[str, str], seconds: float, report: dict[str, int]
) -> None:
    found = streets(osm(tmp_path, members, **tags))
    route = Router(found.network).route("node/1", "node/4")
    assert route is not None
    assert route.time_s == pytest.approx(seconds, rel=1e-4)
    assert {what: count for what, count in found.report.counts.items() if what.startswith("turn")} == report


def test_a_banned_turn_holds_for_volumes_areas_and_closures_but_not_on_foot(tmp_path: Path) -> None:
    path = osm(tmp_path, ON_TURNING_LEFT, restriction="no_left_turn")
    found = streets(path)
    network = found.network
    trips = Demand.from_pairs(["node/1"], ["node/4"], [100.0])
    way = np.array([network.node_ids[n][5:] for n in np.r_[network.tail, network.head]]).reshape(2, -1).T
    volume = {"-".join(ends): flow for ends, flow in zip(way, assign(network, trips).flow, strict=True)}
    assert {ends for ends, flow in volume.items() if flow > 0} == {"1-2", "2-3", "3-4"}
    seconds, _ = Router(network).isochrone("node/1", 2.5 * LEG_S)
    assert [network.node_ids[n] for n in np.flatnonzero(np.isfinite(seconds))] == ["node/1", "node/2", "node/3"]
    # Without the slanting street one turns round at 3, and comes from the east, from where the turn is free.
    shut = network.closing(network.links_named([3]))
    assert Router(shut).tree("node/1").time_s[3] == pytest.approx(4 * LEG_S, rel=1e-4)
    walked = Router(streets(path, walking=True).network).route("node/1", "node/4")
    assert walked is not None
    assert len(walked.links) == 2
