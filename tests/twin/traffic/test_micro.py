"""Single vehicles by SUMO itself: who drives in comes out, waits or is on the road; red holds them; bounds hold it."""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import shapely

from twin.traffic import Demand, Network, assign
from twin.traffic.micro.cutout import Route, drawn, routes_across
from twin.traffic.micro.net import build_net
from twin.traffic.micro.process import MicroFailed, Sumo
from twin.traffic.micro.simulation import Micro, simulate
from twin.traffic.signals import Phase, Signal, uniform_delay_s

EAST, NORTH, HALF_M = 600_000, 3_000_000, 500.0
MINUTES = 10
# What a car waits besides: for its start, and for cars that do not come evenly.
STARTS_S = 12.0


@pytest.fixture(scope="module")
def sumo() -> Sumo:
    return Sumo.installed()


def crossing() -> Network:
    """Four streets of 500 m that meet at "o": 0-3 arrive from west, east, south and north, 4-7 leave."""
    x, y = (np.array(each) for each in ([0, -HALF_M, HALF_M, 0, 0], [0, 0, 0, -HALF_M, HALF_M]))
    tail, head = [1, 2, 3, 4, 0, 0, 0, 0], [0, 0, 0, 0, 1, 2, 3, 4]
    places = np.column_stack([x + EAST, y + NORTH])
    lines = [shapely.LineString(places[[a, b]]) for a, b in zip(tail, head, strict=True)]
    return Network.build(
        ["o", "w", "e", "s", "n"], tail, head, HALF_M / 14, 1800.0, x=places[:, 0], y=places[:, 1], length_m=HALF_M,
        geometry=lines, road_class="secondary", link_ids=list("wesnWESN"),
    )  # fmt: skip


def driven(
    sumo: Sumo, folder: Path, per_hour: Sequence[float], network: Network, plans: Sequence[Signal] = ()
) -> Micro:
    """Vehicles from west to east, and from south to north."""
    routes = [Route((0, 5), "car", per_hour[0]), Route((2, 7), "lorry", per_hour[1])]
    net = build_net(sumo, folder, network, np.ones(8, np.bool_), plans=plans, lit=np.empty(0, np.int64))
    vehicles = drawn(routes, MINUTES * 60, seed=1)
    return simulate(sumo, folder, net, routes, vehicles, warm_up_s=120, until_s=MINUTES * 60, seed=1, limit_s=60)


def test_routes_are_the_parts_of_paths_inside() -> None:
    """Flow by flow, what each link inside carries."""
    network = crossing()
    demand = Demand.from_pairs(["w", "e", "s", "n", "w"], ["e", "w", "n", "s", "n"], [300.0, 200, 100, 50, 25])
    found = assign(network, demand)
    routes = routes_across(found, np.ones(8, np.bool_))
    assert {each.links: each.per_hour for each in routes} == pytest.approx(
        {(0, 5): 300, (0, 7): 25, (1, 4): 200, (2, 7): 100, (3, 6): 50}
    )
    inside = np.array([False, True, True, True, False, True, False, True])
    assert {each.links: each.per_hour for each in routes_across(found, inside)} == pytest.approx(
        {(1,): 200, (2, 7): 100, (3,): 50, (5,): 300, (7,): 25}
    )


def test_many_thin_routes_keep_their_sum() -> None:
    vehicles = drawn([Route((0,), "car", 0.7)] * 1000, 1800, seed=0)
    assert len(vehicles) in (350, 351)
    assert (np.diff(vehicles.depart_s) >= 0).all()


def test_vehicles_in_are_those_out_on_the_road_and_unserved(sumo: Sumo, tmp_path: Path) -> None:
    """A turn that is banned leaves the route over it without a way."""
    network = crossing().with_turns([("s", "N", np.inf)])
    found = driven(sumo, tmp_path, (2400, 120), network)
    assert found.asked == 420
    assert found.without_way == 20
    assert found.asked == found.without_way + found.arrived + found.on_road + found.waiting
    assert found.entered == found.arrived + found.on_road
    # One lane has no room for 2,400 vehicles an hour.
    assert found.waiting > 20
    assert found.arrived > 200


def test_given_signals_hold_vehicles_as_webster_says(sumo: Sumo, tmp_path: Path) -> None:
    plan = Signal((0,), (Phase((0, 1), 36.0), Phase((2, 3), 16.0)))
    found = driven(sumo, tmp_path, (300, 120), crossing(), [plan])
    by_link = {n: found.streets.queue[found.streets.link == n].sum() * 60 / (MINUTES - 2) for n in (0, 2, 5)}
    assert found.without_way == found.jumped == 0
    assert by_link[5] == 0
    # Vehicle-seconds of standing in a minute, by the vehicles of a minute.
    for link, green, per_minute in ((0, 36, 5), (2, 16, 2)):
        least = uniform_delay_s(plan.cycle_s, green, per_minute / 60 / (0.5 * green / plan.cycle_s))
        assert by_link[link] / per_minute == pytest.approx(least, abs=STARTS_S)


def test_tracks_go_along_the_streets_second_by_second(sumo: Sumo, tmp_path: Path) -> None:
    found = driven(sumo, tmp_path, (300, 0), crossing())
    tracks = found.tracks.to_pandas()
    assert tracks["time"].min() == 0
    assert tracks["time"].max() == MINUTES * 60 - 120 - 1
    assert tracks["y"].between(NORTH - 6, NORTH).all()
    one = tracks[tracks["vehicle"] == tracks["vehicle"].median()]
    assert (np.diff(one["time"]) == 1).all()
    assert (np.diff(one["x"]) >= 0).all()
    assert np.ptp(one["x"]) > HALF_M
    assert set(tracks["type"]) == {"car"}


def test_a_program_ends_with_who_asked_for_it(sumo: Sumo, tmp_path: Path) -> None:
    """On dismissal `told` raises; and none runs on beyond its time."""

    class Dismissed(BaseException):
        pass

    def dismiss(_: str) -> None:
        raise Dismissed

    net = build_net(sumo, tmp_path, crossing(), np.ones(8, np.bool_), plans=[], lit=np.empty(0, np.int64))
    words = ["-n", net.file, "--end", "100000000"]
    with pytest.raises(Dismissed):
        sumo.run("sumo", words, tmp_path, limit_s=60, told=dismiss)
    begun = time.monotonic()
    with pytest.raises(MicroFailed, match="not done in"):
        sumo.run("sumo", words, tmp_path, limit_s=0.5)
    assert time.monotonic() - begun < 30
    running = [each for each in Path("/proc").glob("[0-9]*/cmdline") if str(tmp_path).encode() in _read(each)]
    assert running == []


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""


def test_what_sumo_refuses_is_told(sumo: Sumo, tmp_path: Path) -> None:
    with pytest.raises(MicroFailed, match=r"no\.net\.xml"):
        sumo.run("sumo", ["-n", tmp_path / "no.net.xml"], tmp_path, limit_s=60)
