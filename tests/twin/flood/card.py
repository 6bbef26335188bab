"""Runs small floods on the processor and on the card that numba simulates, and prints how far they are apart, m.

A program of its own: the simulator takes the place of CUDA for a whole process.
"""

import json

import numpy as np

from twin.flood import Domain, Inflow, Rain, Rim, Series, Simulation, Wall, constant, simulation
from twin.flood.cpu.solver import Mode
from twin.flood.cuda import solver
from twin.flood.simulation import Device

# Each thread of the simulator is a thread of Python.
solver.THREADS, solver.ALONG = (8, 8), 16
SLOPE = np.linspace(2.0, 0.0, 12)[None, :] + 0.2 * np.cos(np.arange(6.0))[:, None]
FLAT = np.zeros((6, 12))


def lake(mode: Mode, device: Device) -> Simulation:
    return Simulation(Domain(SLOPE, 10.0), mode=mode, device=device, initial_level=1.2, threads=1)


def dam(mode: Mode, device: Device) -> Simulation:
    first = np.where(np.arange(12) < 6, 2.0, 0.5) + FLAT
    return Simulation(Domain(FLAT, 10.0), mode=mode, device=device, initial=first, threads=1)


def rain(mode: Mode, device: Device) -> Simulation:
    storm, below = [Rain(constant(200.0))], [Rim("east", "open", name="below")]
    return Simulation(Domain(SLOPE, 10.0), mode=mode, device=device, initial=2e-3, rain=storm, rims=below, threads=1)


def coast(mode: Mode, device: Device) -> Simulation:
    """A sea that comes over a wall onto dry land, a river, and a flow given at the rim."""
    domain = Domain(SLOPE, 10.0)
    return Simulation(
        domain,
        mode=mode,
        device=device,
        inflows=[Inflow(constant(2.0), [(2, 3)], "river")],
        rims=[
            Rim("east", "level", Series([0, 10], [0.5, 2.0]), name="sea"),
            Rim("north", "discharge", constant(0.05), first=2, last=5, name="brook"),
        ],
        walls=[Wall([(90, 0), (90, -60)], 1.2)],
        threads=1,
    )


def main() -> None:
    found: dict[str, dict[str, float]] = {}
    modes: tuple[Mode, ...] = ("fast", "inertial")
    for mode in modes:
        for make, until in ((lake, 6.0), (dam, 6.0), (rain, 40.0), (coast, 12.0)):
            here, there = make(mode, "processor"), make(mode, "card")
            first = there.depth.copy()
            ours, theirs = here.run(until).balance, there.run(until).balance
            found[f"{make.__name__} {mode}"] = {
                "apart_m": float(np.abs(here.depth - there.depth).max()),
                "moved_m": float(np.abs(there.depth - first).max()),
                "least_m": float(there.depth.min()),
                "error": abs(theirs.error),
                "terms_apart_m3": max((abs(theirs.terms[name] - v) for name, v in ours.terms.items()), default=0.0),
            }
    found["chosen"] = chosen()
    print(json.dumps(found))


def chosen() -> dict[str, float]:
    """Whether a card is taken unasked: as it is, and when it computes with another gravity."""
    solver.CELLS_WORTH_A_CARD = 1
    found = {"as_it_is": isinstance(Simulation(Domain(FLAT, 10.0), mode="fast").solver, solver.CardSolver)}
    simulation._card_agrees.cache_clear()
    numbers = solver.numbers
    solver.numbers = lambda dtype: numbers(dtype)._replace(gravity=dtype.type(4.9))
    found["spoilt"] = isinstance(Simulation(Domain(FLAT, 10.0), mode="fast").solver, solver.CardSolver)
    return found


if __name__ == "__main__":
    main()
