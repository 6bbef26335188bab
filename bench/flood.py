"""Floods: cell updates a second of each mode beside Itzi and ANUGA in the same run, and a coast of 10 km x 10 km.

python -m bench.flood [--cells 1000] [--hours 6]

Peers have a Python of their own: `python -m venv bench/peers/flood`, then in it `pip install itzi anuga`.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bench.flood_peer import MANNING, STEPS, waves
from bench.report import machine, table
from twin.flood import Domain, Rain, Rim, Series, Simulation, Wall
from twin.flood.cpu.solver import Mode

MODES: tuple[Mode, ...] = ("full", "fast", "inertial")
PEERS = ("itzi", "anuga")
THREADS = (1, 2)
PEER_PYTHON = Path(__file__).parent / "peers" / "flood" / "bin" / "python"
ROUNDS = 5
CELL = 10.0
HOUR = 3600.0


class Slice(NamedTuple):
    """Updates of a cell a second, and a second of processor time, which other work disturbs less; a step, s."""

    rate: float
    busy: float
    step: float


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.flood", description=__doc__)
    parser.add_argument("--cells", type=int, default=1000, help="cells along a side (1000)")
    parser.add_argument("--hours", type=float, default=6.0, help="length of the flood on the coast; 0 leaves it out")
    chosen = parser.parse_args()
    print(f"# Floods\n\n{machine()}, load {os.getloadavg()[0]:.1f}\n\n{speeds(chosen.cells)}")
    if chosen.hours:
        print(f"\n{coasts(chosen.cells, chosen.hours)}\n\nload {os.getloadavg()[0]:.1f}")


def speeds(cells: int) -> str:
    """A flat square all wet, 1 to 2 m deep: slices of every engine take turns; medians, the best, ratios to Itzi."""
    runs: dict[tuple[str, int], Callable[[], Slice]] = {}
    for threads in THREADS:
        runs |= {(f"CityTwin {mode}", threads): own(mode, cells, threads) for mode in MODES}
    peers: list[subprocess.Popen[str]] = []
    if PEER_PYTHON.is_file():
        for threads in THREADS:
            for peer in PEERS:
                peers.append(start(peer, cells, threads))
                runs[peer, threads] = asked(peers[-1])
    else:
        print(f"No peers: {PEER_PYTHON} is not there; see `python -m bench.flood --help`.\n")
    found: dict[tuple[str, int], list[Slice]] = {key: [] for key in runs}
    try:
        for _ in range(ROUNDS):
            for key, run in runs.items():
                found[key].append(run())
    finally:
        for process in peers:
            process.kill()
    best = {key: Slice(*map(max, zip(*slices, strict=True))) for key, slices in found.items()}
    rows = []
    for (name, threads), slices in found.items():
        most, itzi = best[name, threads], best.get(("itzi", threads))
        ratios = (f"{most.rate / itzi.rate:.1f}", f"{most.busy / itzi.busy:.1f}") if itzi else ("", "")
        usual = statistics.median(each.rate for each in slices)
        figures = (usual, most.rate, most.busy)
        rows.append((name, str(threads), *(f"{each / 1e6:.1f}" for each in figures), *ratios, f"{slices[0].step:.2f}"))
    head = ("engine", "threads", "M cell-steps/s, median", "best", "a processor second, best")
    return table((*head, "of Itzi's best", "of Itzi's processor second", "step, s"), rows)


def own(mode: Mode, cells: int, threads: int) -> Callable[[], Slice]:
    """The engine on the square, and what measures some steps of it on just so many threads."""
    y, x = (np.mgrid[0:cells, 0:cells] + 0.5) * CELL
    run = Simulation(
        Domain(np.zeros((cells, cells)), CELL, manning=MANNING), mode=mode, initial=waves(x, y), threads=threads
    )
    run.solver.look(False)
    run.step(1e9)

    def measured() -> Slice:
        run.solver.crew.muster()
        began, busy, first = time.perf_counter(), time.process_time(), run.time
        for _ in range(STEPS):
            run.step(1e9)
        updates = cells * cells * STEPS
        seconds, processor = time.perf_counter() - began, time.process_time() - busy
        return Slice(updates / seconds, updates / processor, (run.time - first) / STEPS)

    return measured


def start(peer: str, cells: int, threads: int) -> subprocess.Popen[str]:
    """A peer in a process of its own, which waits for its turns."""
    return subprocess.Popen(
        [str(PEER_PYTHON), str(Path(__file__).with_name("flood_peer.py")), peer, str(cells)],
        env=os.environ | {"OMP_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "passive"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def asked(peer: subprocess.Popen[str]) -> Callable[[], Slice]:
    """What has a peer measure a slice."""

    def measured() -> Slice:
        assert peer.stdin is not None
        assert peer.stdout is not None
        print("go", file=peer.stdin, flush=True)
        return Slice(*map(float, peer.stdout.readline().split()))

    return measured


def coasts(cells: int, hours: float) -> str:
    """Rain everywhere and a surge of 4 m against a wall of 3.5 m: seconds for some hours of it, in each mode."""
    title = f"{cells} x {cells} cells of 10 m, {hours:g} h"
    rows = [(mode, *coast(mode, cells, hours)) for mode in MODES]
    return table((title, "seconds", "of processors", "steps", "memory, bytes a cell"), rows)


def coast(mode: Mode, cells: int, hours: float) -> Iterator[str]:
    """A third of it is sea, 4 to 8 m deep; behind the wall the land rises from 2 to 42 m with dells of 1 m."""
    y, x = np.mgrid[0:cells, 0:cells] / cells
    dells = np.sin(60 * x) * np.sin(50 * y)
    bed = np.where(x > 2 / 3, -12 * (x - 2 / 3) - 4, 2 + 60 * (2 / 3 - x) + dells)
    side, shore = cells * CELL, cells * CELL * 2 / 3
    tracemalloc.start()
    run = Simulation(
        Domain(bed, CELL, manning=MANNING),
        mode=mode,
        initial_level=np.where(x > 2 / 3, 0.0, bed - 1),
        rain=[Rain(Series([0, 2 * HOUR, 4 * HOUR], [10, 40, 10], "steps"))],
        rims=[Rim("east", "level", Series([0, 3 * HOUR, 6 * HOUR], [0, 4, 0]), name="sea")],
        walls=[Wall([(shore, 0), (shore, -side)], 3.5)],
        threads=max(THREADS),
    )
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    began, busy = time.perf_counter(), time.process_time()
    found = run.run(hours * HOUR)
    yield f"{time.perf_counter() - began:.0f}"
    yield f"{time.process_time() - busy:.0f}"
    yield str(found.steps)
    yield f"{held / cells**2:.0f}"


if __name__ == "__main__":
    sys.exit(main())
