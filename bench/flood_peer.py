"""Itzi or ANUGA on the water of bench/flood.py, run with their own Python: a slice of steps for each line that comes.

OMP_NUM_THREADS=2 python flood_peer.py itzi|anuga CELLS
Answers each line with updates of a cell a second, the same a second of processor time, and the length of a step in s.
"""

import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout

import numpy as np

CELL, MANNING, STEPS = 10.0, 0.03, 4
Slice = Callable[[], tuple[float, float, float]]


def main(peer: str, cells: int) -> None:
    with redirect_stdout(sys.stderr):
        measure = {"itzi": itzi, "anuga": anuga}[peer](cells)
        measure()
    for _ in sys.stdin:
        with redirect_stdout(sys.stderr):
            found = measure()
        print(*(f"{figure:.6g}" for figure in found), flush=True)


def waves(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Depths of 1 to 2 m, m; x and y in m."""
    return 1.5 + 0.5 * np.sin(x / 200) * np.sin(y / 300)


def itzi(cells: int) -> Slice:
    """Local inertia on a raster, OpenMP."""
    from itzi import RasterDomain, SurfaceFlowSimulation

    y, x = (np.mgrid[0:cells, 0:cells] + 0.5) * CELL
    domain = RasterDomain(np.float32, np.zeros((cells, cells), bool), (CELL, CELL))
    domain.update_array("dem", np.zeros((cells, cells), np.float32))
    domain.update_array("friction", np.full((cells, cells), MANNING, np.float32))
    domain.update_array("water_depth", waves(x, y).astype(np.float32))
    usual = {"dtmax": 5.0, "cfl": 0.7, "g": 9.80665, "theta": 0.9, "hmin": 0.005, "slmax": 0.1, "vrouting": 0.1}
    run = SurfaceFlowSimulation(domain, usual)
    run.update_flow_dir()

    def measure() -> tuple[float, float, float]:
        began, busy, water = time.perf_counter(), time.process_time(), 0.0
        for _ in range(STEPS):
            run.solve_dt()
            water += run.dt.total_seconds()
            run.step()
        updates = cells * cells * STEPS
        return updates / (time.perf_counter() - began), updates / (time.process_time() - busy), water / STEPS

    return measure


def anuga(cells: int) -> Slice:
    """Second order on triangles (its default, DE1 with two stages a step), four to a square of 20 m, OpenMP."""
    import anuga

    squares = cells // 2
    domain = anuga.rectangular_cross_domain(squares, squares, len1=cells * CELL, len2=cells * CELL)
    domain.set_flow_algorithm("DE1")
    domain.set_store(False)
    domain.set_quantity("elevation", 0.0)
    domain.set_quantity("friction", MANNING)
    domain.set_quantity("stage", waves)
    wall = anuga.Reflective_boundary(domain)
    domain.set_boundary({"left": wall, "right": wall, "top": wall, "bottom": wall})
    triangles = len(domain)

    def measure() -> tuple[float, float, float]:
        began, busy, steps = time.perf_counter(), time.process_time(), 0
        for _ in domain.evolve(yieldstep=1.0, duration=1.0):
            steps += domain.number_of_steps
        updates = triangles * steps
        return updates / (time.perf_counter() - began), updates / (time.process_time() - busy), 1.0 / steps

    return measure


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
