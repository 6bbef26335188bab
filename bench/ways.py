"""Traffic beside assignment: trees, isochrones at a server, a million vehicles, and OpenStreetMap to a network."""

import json
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyproj
import shapely

from layers.formats import open_sources
from twin.traffic import Demand, Network
from twin.traffic.dynamic import Departures, simulate
from twin.traffic.graph import sorted_graph
from twin.traffic.kernels.trees import grow, room, width_of
from twin.traffic.scenario.streets import streets_of, with_access

OSM_CRS = "EPSG:32632"
TREES, AREAS = 200, 40
VEHICLES, PLATOON = 1_000_000, 30
# In so many hours next to all arrive; in fewer the made-up streets jam.
HOURS, JAMMED_HOURS = 6, 3

Row = list[str]
T = TypeVar("T")


def timed(job: Callable[[], T]) -> tuple[T, float, float]:
    """The result of a call, and its wall and CPU seconds in all threads."""
    wall, cpu = time.perf_counter(), time.process_time()
    found = job()
    return found, time.perf_counter() - wall, time.process_time() - cpu


def trees(network: Network) -> Row:
    """Full shortest path trees from nodes all over a network, in one thread."""
    graph, _ = sorted_graph(network.tail, network.head, network.through)
    cost = network.free_time_s[np.argsort(network.tail, kind="stable")]
    nodes = network.nodes
    width, none, free = width_of(cost), np.empty(0, np.bool_), room(nodes)
    dist, pred = np.empty(nodes), np.empty(nodes, np.int32)

    def each(root: int) -> tuple[float, float]:
        roots = np.array([root])
        return timed(lambda: grow(graph, cost, width, roots, np.inf, none, 0, dist, pred, *free))[1:]

    times = [each(root) for root in np.linspace(0, nodes - 1, TREES, dtype=np.int64).tolist()]
    # The first one compiles.
    wall, cpu = np.median(np.array(times[1:]), axis=0) * 1000
    return [f"tree of {nodes:,} nodes and {network.links:,} links", "1 ms", f"{wall:.2f} ms", f"{cpu:.2f} ms"]


def isochrones(server: str) -> Row:
    """Requests of 5, 10 and 15 minutes by car at roads of a server's default city."""
    with urllib.request.urlopen(f"{server}/collections/roads/items?limit={AREAS}") as answer:
        features = json.load(answer)["features"]
    places = [each["geometry"]["coordinates"][0] for each in features]

    def each(x: float, y: float) -> float:
        asked = urllib.parse.urlencode({"coords": f"POINT({x} {y})", "minutes": "5,10,15"})
        return timed(lambda: urllib.request.urlopen(f"{server}/traffic/isochrones?{asked}").read())[1] * 1000

    first, *times = [each(*place[:2]) for place in places]
    told = f"{np.median(times):.0f} ms (95 %: {np.quantile(times, 0.95):.0f} ms; the first {first:.0f} ms)"
    return ["isochrone request", "50 ms", told, ""]


def vehicles(network: Network, demand: Demand, hours: int) -> Row:
    """A million vehicles in some hours on streets ten times as long and wide, through UXsim, and an hour more."""
    each_hour = replace(demand, trips=demand.trips * (VEHICLES / hours / demand.total))
    length = network.length_m * 10
    wide = replace(
        network, length_m=length, free_time_s=length / 15, capacity=np.full(network.links, 7200.0),
        lanes=np.full(network.links, 4.0), x=np.arange(network.nodes) * 1.0, y=np.zeros(network.nodes),
    )  # fmt: skip
    trips = [Departures(each_hour, 0, hours * 3600)]
    found, wall, cpu = timed(lambda: simulate(wide, trips, (hours + 1) * 3600, platoon=PLATOON))
    share = 100 * found.finished / found.trips
    what = f"UXsim: {found.trips:,.0f} vehicles in {hours} hours on {network.links:,} links, {share:.1f} % arrive"
    return [what, "5 s", f"{wall:.1f} s", f"{cpu:.1f} s"]


def osm(path: Path) -> Row:
    """A file of OpenStreetMap to a network with its turn restrictions; all themes of the file are read."""

    def read() -> Network:
        roads = next(each for each in open_sources(path) if each.name == "road")
        table = pa.Table.from_batches(roads.read())
        there = pyproj.Transformer.from_crs("OGC:CRS84", OSM_CRS, always_xy=True)
        degrees = shapely.from_wkb(table.column("geometry").to_numpy(zero_copy_only=False))
        metric = shapely.transform(degrees, lambda corners: np.column_stack(there.transform(*corners.T)))
        table = table.set_column(table.column_names.index("geometry"), "geometry", pa.array(shapely.to_wkb(metric)))
        told = with_access(table.append_column("object_id", pa.array(range(table.num_rows))))
        return streets_of(told, "DE", OSM_CRS).network

    network, wall, cpu = timed(read)
    what = f"{path.name}: {network.links:,} links, {len(network.turns)} banned movements"
    return [what, "10 s", f"{wall:.1f} s", f"{cpu:.1f} s"]
