"""Floods: cell updates a second of each mode, and Merewether beside what was observed.

python -m bench.flood [--cells 1000] [--data FOLDER]
"""

import argparse
import csv
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import rasterio
import shapely

from bench.report import machine
from twin.flood import Domain, Inflow, Rim, Simulation, constant
from twin.flood.cpu.solver import Mode

MODES: tuple[Mode, ...] = ("full", "fast", "inertial")
ROUNDS = 5


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.flood", description=__doc__)
    parser.add_argument("--cells", type=int, default=1000, help="cells along a side (1000)")
    parser.add_argument("--data", type=Path, help="folder with flood/merewether")
    chosen = parser.parse_args()
    print(f"# Floods\n\n{machine()}\n\n" + "\n".join(speeds(chosen.cells)))
    if chosen.data:
        print("\n" + "\n".join(merewether(chosen.data / "flood" / "merewether")))


def speeds(cells: int) -> Iterator[str]:
    """Rows of a table: M cell updates a second, median and best of rounds that take turns."""
    yield "| engine | threads | M cell-steps/s, median | best |\n| --- | --- | --- | --- |"
    runs: dict[tuple[str, int], Callable[[], float]] = {
        (mode, threads): own(mode, cells, threads) for mode in MODES for threads in (1, 2)
    }
    found: dict[tuple[str, int], list[float]] = {key: [] for key in runs}
    for _ in range(ROUNDS):
        for key, run in runs.items():
            found[key].append(run())
    for (mode, threads), values in found.items():
        yield f"| CityTwin {mode} | {threads} | {statistics.median(values):.0f} | {max(values):.0f} |"


def own(mode: Mode, cells: int, threads: int) -> Callable[[], float]:
    """A flat square all wet, 1 to 2 m deep, and what measures some steps of it."""
    depth = 1 + np.random.default_rng(0).random((cells, cells))
    run = Simulation(Domain(np.zeros((cells, cells)), 10.0), mode=mode, initial=depth, threads=threads)
    run.solver.look(False)
    run.step(1e9)

    def measured() -> float:
        steps = 4
        run.solver.crew.muster()
        begin = time.perf_counter()
        for _ in range(steps):
            run.step(1e9)
        return cells * cells * steps / (time.perf_counter() - begin) / 1e6

    return measured


def merewether(folder: Path) -> Iterator[str]:
    """Peak stages at the five observed points of the flood of June 2007, and TUFLOW's on the same cells."""
    with rasterio.open(folder / "topography1.tif") as raster:
        bed = raster.read(1).astype(np.float64)
        corner = raster.transform
        nodata = raster.nodata
    bed[bed == nodata] = np.nan
    bed[:, 0], bed[-1] = np.nan, np.nan
    bed = bed[:-1, 1:]
    west, north = corner.c + corner.a, corner.f
    rows, columns = bed.shape
    x, y = np.meshgrid(west + np.arange(columns) + 0.5, north - np.arange(rows) - 0.5)
    for house in sorted((folder / "houses").glob("house*.csv")):
        if house.stem not in {"house030", "house032", "house033"}:
            bed[inside(house, x, y)] += 3.0
    manning = np.where(inside(folder / "Road" / "RoadPolygon.csv", x, y), 0.02, 0.04)
    domain = Domain(bed, 1.0, west, north, manning, "EPSG:32756", "AHD")
    flow = Inflow.disc(domain, 382265, 6354280, radius=10, discharge=constant(19.7))
    run = Simulation(domain, inflows=[flow], rims=[Rim("north", "open"), Rim("east", "open")])
    result = run.run(900.0)
    level = np.where(run.depth > 0.01, bed + run.depth, np.nan)
    yield "| point | observed | found | error | TUFLOW 1 m |\n| --- | --- | --- | --- | --- |"
    errors = []
    with (folder / "point_observations.csv").open() as file:
        for point in csv.DictReader(file):
            observed, tuflow = float(point["Observed"]), float(point["TUFLOW_1m_Table9"])
            near = np.hypot(x - float(point["x"]), y - float(point["y"])) <= 1.5
            found = float(np.nanmean(level[near]))
            errors.append(abs(found - observed))
            row = (f"{observed:.3f}", f"{found:.3f}", f"{found - observed:+.3f}", f"{tuflow - observed:+.3f}")
            yield f"| {point['ID']} | {' | '.join(row)} |"
    mean = np.mean(errors)
    yield f"\nMean absolute error {mean:.3f} m; volume error {result.balance.error:.1e}; {result.steps} steps."


def inside(outline: Path, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Which places lie in a polygon of a file of corners."""
    with outline.open() as file:
        corners = [[float(v) for v in row[:2]] for row in csv.reader(file) if len(row) > 1 and number(row[0])]
    return shapely.contains_xy(shapely.polygons(corners), x, y)


def number(text: str) -> bool:
    """Whether a word reads as a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
