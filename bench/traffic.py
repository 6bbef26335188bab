"""Traffic: user equilibrium beside AequilibraE, to the same relative gap on the same networks; trees, areas, queues.

python -m bench.traffic [--install] [--data FOLDER] [--city NODES] [--gaps 1e-4 1e-6] [--server URL] [--only quick]
"""

import argparse
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bench import ways
from bench.peers import PEERS
from bench.report import machine, table
from twin.traffic import Assignment, Demand, Network, NotConverged, Router, assign
from twin.traffic.checks import largest_part
from twin.traffic.graph import delays_of
from twin.traffic.kernels.delays import update
from twin.traffic.readers import tntp

AEQUILIBRAE = "1.7.2"
PYTHON = PEERS / "aequilibrae" / "bin" / "python"
THREADS, CITY = 2, 13_000
MOST_ITERATIONS = 2000
PEER_TIMEOUT_S = 3600


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.traffic", description=__doc__)
    parser.add_argument("--install", action="store_true", help="first put AequilibraE into bench/peers")
    parser.add_argument("--data", type=Path, help="folder with traffic/tntp")
    parser.add_argument("--city", type=int, default=CITY, help=f"crossings of the generated city ({CITY}); 0 for none")
    parser.add_argument("--gaps", type=float, nargs="+", default=[1e-6, 1e-10], help="relative gaps (1e-6 1e-10)")
    parser.add_argument("--server", help="address of a server whose default city is asked for isochrones")
    parser.add_argument("--only", choices=("equilibrium", "quick"), help="one of the two tables")
    chosen = parser.parse_args()
    if chosen.install and not PYTHON.exists():
        venv.create(PYTHON.parent.parent, with_pip=True)
        subprocess.run([str(PYTHON), "-m", "pip", "install", f"aequilibrae=={AEQUILIBRAE}"], check=True)
    print(f"# Traffic\n\n{machine()}\n")
    if chosen.only != "equilibrium":
        found = []
        for row in quick(chosen.data, chosen.server):
            found.append(row)
            print(row, file=sys.stderr, flush=True)
        print(table(["what", "aim", "wall", "CPU"], found) + "\n")
    if chosen.only == "quick":
        return
    peer = f"AequilibraE {AEQUILIBRAE}"
    head = [
        "network", "asked", "CityTwin s", "CPU s", "true gap", f"{peer} s", "CPU s", "true gap", "ratio", "ratio of CPU"
    ]  # fmt: skip
    rows = []
    for name, network, demand in problems(chosen.data, chosen.city):
        for gap in chosen.gaps:
            rows.append([name, f"{gap:.0e}", *beside(network, demand, gap)])
            print(rows[-1], file=sys.stderr, flush=True)
    print(table(head, rows))


def quick(data: Path | None, server: str | None) -> Iterator[list[str]]:
    """What has an aim of its own."""
    yield ways.trees(city(CITY)[0])
    if server:
        yield ways.isochrones(server.rstrip("/"))
    if data:
        yield ways.osm(data / "osm" / "liechtenstein-20210505.osm.pbf")
    for hours in (ways.HOURS, ways.JAMMED_HOURS):
        yield ways.vehicles(*city(1000, pairs=20_000, zones=200), hours)


def problems(data: Path | None, nodes: int) -> Iterator[tuple[str, Network, Demand]]:
    """Networks whose zones are their first nodes, with trips."""
    for name in ("Anaheim", "Barcelona") if data else ():
        folder = data / "traffic" / "tntp" / name
        network = tntp.read_network(folder / f"{name}_net.tntp", time_unit_s=1.0)
        yield name, network, tntp.read_trips(folder / f"{name}_trips.tntp")
    if nodes:
        yield f"made-up city, {nodes:,} crossings", *city(nodes)


def city(nodes: int, pairs: int = 50_000, zones: int = 500, seed: int = 0) -> tuple[Network, Demand]:
    """A grid of streets a third of which are missing, with main roads at every twelfth; trips between 500 zones."""
    random = np.random.default_rng(seed)
    side = round(nodes**0.5)
    node = np.arange(side * side).reshape(side, side)
    across = np.stack([node[:, :-1].ravel(), node[:, 1:].ravel()])
    down = np.stack([node[:-1].ravel(), node[1:].ravel()])
    main_road = np.concatenate([across[0] // side % 12 == 0, down[0] % side % 12 == 0])
    streets = np.concatenate([across, down], axis=1)
    kept = main_road | (random.random(len(main_road)) < 0.7)
    streets, main_road = streets[:, kept], np.tile(main_road[kept], 2)
    tail, head = np.concatenate([streets, streets[::-1]], axis=1)
    length = random.uniform(80, 150, len(tail))
    time, capacity = length / np.where(main_road, 50 / 3.6, 30 / 3.6), np.where(main_road, 2000.0, 700.0)
    whole = Network.build(node.ravel(), tail, head, time, capacity)
    chosen = random.choice(largest_part(whole), zones, replace=False)
    # Peers want zones to be the first nodes.
    order = np.concatenate([chosen, np.setdiff1d(node.ravel(), chosen)])
    place = np.argsort(order)
    network = Network.build(
        np.arange(len(order)), place[tail], place[head], time, capacity, length_m=length, zones=range(zones)
    )
    ends = random.integers(0, zones, (2, pairs))
    return network, Demand.from_pairs(*ends.tolist(), random.exponential(1.6, pairs), range(zones))


def beside(network: Network, demand: Demand, gap: float) -> list[str]:
    """Seconds and true gaps of both, and how many times faster CityTwin is."""
    assign(network, demand, gap=1.0)
    ours, _, cpu = ways.timed(lambda: _assigned(network, demand, gap))
    own = [f"{ours.seconds:.2f}", f"{cpu:.2f}", f"{true_gap(network, demand, ours.flow):.1e}"]
    if not PYTHON.exists():
        return [*own, "not installed", "", "", "", ""]
    with tempfile.TemporaryDirectory() as scratch:
        problem, answer = Path(scratch) / "problem.npz", Path(scratch) / "answer.npz"
        np.savez(
            problem, tail=network.tail, head=network.head, time=network.free_time_s, capacity=network.capacity,
            alpha=network.alpha, beta=network.beta, demand=demand.matrix(), blocked=not network.through.all(),
        )  # fmt: skip
        script = Path(__file__).parent / "aequilibrae_peer.py"
        words = [str(PYTHON), str(script), str(problem), str(answer), str(gap), str(MOST_ITERATIONS), str(THREADS)]
        try:
            subprocess.run(words, check=True, capture_output=True, timeout=PEER_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            return [*own, f"> {PEER_TIMEOUT_S}", "", "", f"> {PEER_TIMEOUT_S / ours.seconds:.0f}", ""]
        found = np.load(answer)
        seconds, their_cpu = float(found["seconds"]), float(found["cpu"])
        theirs = f"{seconds:.2f} ({int(found['iterations'])} iterations)"
        gap_left = f"{true_gap(network, demand, found['flow']):.1e}"
        ratios = f"{seconds / ours.seconds:.0f}", f"{their_cpu / cpu:.0f}"
        return [*own, theirs, f"{their_cpu:.2f}", gap_left, *ratios]


def _assigned(network: Network, demand: Demand, gap: float) -> Assignment:
    try:
        return assign(network, demand, gap=gap, threads=THREADS)
    except NotConverged as short:
        return short.assignment


def true_gap(network: Network, demand: Demand, flow: np.ndarray) -> float:
    """(cost - least cost) / cost at the times of these flows, computed for both in the same way."""
    time, slope = np.empty(network.links), np.empty(network.links)
    update(delays_of(network, 0), np.ascontiguousarray(flow, np.float64), time, slope)
    zones = network.zone_ids.tolist()
    least = Router(network, time).matrix(zones, zones)
    moving = demand.origin != demand.destination
    shortest = float(demand.trips[moving] @ least[demand.origin, demand.destination][moving])
    return (float(flow @ time) - shortest) / float(flow @ time)


if __name__ == "__main__":
    main()
