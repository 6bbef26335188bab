"""Cases with an exact solution: water at rest, dam breaks, basins that swing, steady channels."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from twin.flood import Domain, Rain, Rim, Simulation, constant
from twin.flood.validation.exact import bump, ritter, shock_over_bump, stoker, thacker_curved, thacker_planar
from twin.flood.validation.rows import FINITE_VOLUMES, MODES, Curves, Found, Line, Row, at_most, near

# Aims: L1 error of dam breaks over the initial depth, 200 cells; local inertia is told and not judged.
DAM_BREAK = {"full": 0.003, "fast": 0.008}
SHOCK_M = {"full": 0.003, "fast": 0.006}
CHANNEL_M = {"full": 0.015, "fast": 0.015, "inertial": 0.035}
DAM_DEPTH_M, DAM_SECONDS = 10.0, 40.0
GRAVITY = 9.81


def at_rest() -> Found:
    """A lake with islands on rough ground 300 m above the sea, 200 s in single precision."""
    bed = np.random.default_rng(1).random((40, 50)) * 5 + 300
    for mode in MODES:
        lake = Simulation(Domain(bed, 10.0), mode=mode, initial_level=303.3)
        before = lake.depth.copy()
        result = lake.run(200.0)
        moved = float(np.abs(lake.depth - before).max())
        case = "lake with islands at 300 m, at rest"
        yield at_most(case, "change of level in 200 s", moved, 1e-6, "m", mode=mode)
        yield at_most(case, "greatest speed", float(result.speed.max()), 0.0, "m/s", mode=mode)


def gentle_rain() -> Found:
    """1 mm/h for 6 h on 8 m of still water, which plain single precision swallows."""
    for mode in MODES:
        pond = Simulation(Domain(np.zeros((8, 8)), 100.0), mode=mode, initial=8.0, rain=[Rain(constant(1.0))])
        pond.run(6 * 3600.0)
        risen = (float(pond.depth.astype(np.float64).mean()) - 8) * 1000
        yield near("1 mm/h for 6 h on 8 m of water", "rise", risen, 6.0, share=0.01, unit="mm", mode=mode)


def dam_breaks() -> Found:
    """Ritter (1892) over a dry bed, Stoker (1957) over 1 m and 5 m of still water: after 40 s, 200 cells of 10 m."""
    x = (np.arange(200) + 0.5) * 10 - 1000
    for tail in (0.0, 1.0, 5.0):
        exact = stoker(x, DAM_SECONDS, DAM_DEPTH_M, tail) if tail else ritter(x, DAM_SECONDS, DAM_DEPTH_M)
        name = f"Stoker, 10 m over {tail:g} m" if tail else "Ritter, dry dam break"
        lines = [Line("exact", x, exact, exact=True)]
        for mode in MODES:
            channel = Domain(np.zeros((1, 200)), 10.0, west=-1000, manning=0.0)
            broken = Simulation(channel, mode=mode, initial=np.where(x < 0, DAM_DEPTH_M, tail)[None, :])
            broken.run(DAM_SECONDS)
            lines.append(Line(mode, x, broken.depth[0].copy()))
            error = float(np.abs(broken.depth[0] - exact).mean()) / DAM_DEPTH_M
            yield at_most(name, "L1 error of depth / h0", error, DAM_BREAK.get(mode), mode=mode)
        yield Curves("flood-dam-breaks", name, "m", "depth, m", lines)


def swinging_basins() -> Found:
    """Thacker (1981): a flat surface that turns, and a curved one that swings, in a paraboloid without friction."""
    yield _planar()
    yield from _curved()


def shock() -> Found:
    """Transcritical flow with a shock over a bump (Goutal & Maurel 1997; SWASHES 3.1.5), 100 cells of 0.25 m."""
    x = (np.arange(100) + 0.5) * 0.25
    exact, bed, case = shock_over_bump(x), bump(x), "transcritical flow over a bump"
    lines = [Line("bed", x, bed, exact=True), Line("exact", x, bed + exact, exact=True)]
    for mode in FINITE_VOLUMES:
        flow = Simulation(
            Domain(bed[None, :], 0.25, manning=0.0),
            mode=mode,
            initial_level=0.33,
            rims=[
                Rim("west", "discharge", constant(0.18), name="inflow"),
                Rim("east", "level", constant(0.33), name="tail"),
            ],
        )
        flow.run(150.0)
        lines.append(Line(mode, x, bed + flow.depth[0]))
        found, there = (int(np.argmax(np.diff(depth[40:52]))) for depth in (flow.depth[0], exact))
        error = float(np.abs(flow.depth[0] - exact).mean())
        yield at_most(case, "shock away from its place", abs(found - there), 2, "cells", mode=mode)
        yield at_most(case, "mean error of level", error, SHOCK_M[mode], "m", mode=mode)
    yield Curves("flood-steady", "Transcritical shock over a bump", "m", "level, m", lines)


def channels(folder: Path) -> Found:
    """MacDonald's long channel with friction (SWASHES 3.2), steady after 2500 s. folder: flood/macdonald."""
    for name, discharge, rain, title in (
        ("norain", 2.0, 0.0, "MacDonald's channel"),
        ("rain", 1.0, 0.001 * 3600 * 1000, "MacDonald's channel with rain"),
    ):
        table = np.genfromtxt(folder / f"mcdo_{name}.csv", delimiter=",", skip_header=1)
        bed, level = table[:, -2], table[:, -1]
        x = (np.arange(len(bed)) + 0.5) * 5
        lines = [Line("bed", x, bed, exact=True), Line("exact", x, level, exact=True)]
        for mode in MODES:
            flow = Simulation(
                Domain(bed[None, :], 5.0, manning=0.033),
                mode=mode,
                initial=(level - bed)[None, :],
                rain=[Rain(constant(rain))] if rain else [],
                rims=[
                    Rim("west", "discharge", constant(discharge), name="inflow"),
                    Rim("east", "level", constant(float(1.5 * level[-1] - 0.5 * level[-2])), name="tail"),
                ],
            )
            flow.run(2500.0)
            lines.append(Line(mode, x, bed + flow.depth[0]))
            error = float(np.abs(flow.depth[0] + bed - level).mean())
            yield at_most(title, "mean error of level", error, CHANNEL_M[mode], "m", mode=mode)
        yield Curves("flood-steady", title, "m", "level, m", lines)


def order() -> Iterator[Row]:
    """A smooth hump in a closed basin against itself on four times as many cells: order of L1 between 50 and 100."""
    depths = {}
    for cells in (50, 100, 400):
        x = (np.arange(cells) + 0.5) * 1000 / cells
        hump = 5 + 0.2 * np.exp(-(((x - 500) / 100) ** 2))
        basin = Domain(np.zeros((1, cells)), 1000 / cells, manning=0.0)
        run = Simulation(basin, initial=hump[None, :], longest_step=1e3)
        run.run(30.0)
        depths[cells] = run.depth[0].astype(np.float64)
    errors = [np.abs(depths[n] - depths[400].reshape(n, -1).mean(axis=1)).mean() for n in (50, 100)]
    found = float(np.log2(errors[0] / errors[1]))
    yield Row("smooth wave on 50 and 100 cells", "order of convergence", ">= 1.6", f"{found:.2f}", found >= 1.6, "full")


def _planar() -> Row:
    x, y, cell = _basin(80)
    bed, level = thacker_planar(x, y, 0.0, a=1.0, h0=0.1, eta=0.5)
    turn = np.sqrt(2 * GRAVITY * 0.1)
    water = Simulation(Domain(bed, cell, manning=0.0), initial=np.maximum(level - bed, 0), longest_step=0.05)
    # The surface starts in motion: v = eta omega to the north, here backwards as rows go down with y.
    water.solver.water.flow_y[:] = water.solver.water.depth * 0.5 * turn
    water.run(2 * np.pi / turn)
    # The middle of the water is back: its angle says by how much of a turn it is early or late.
    weight = water.depth.astype(np.float64)
    angle = np.arctan2((weight * y).sum(), (weight * x).sum())
    return at_most(
        "Thacker's planar surface", "error of the period", abs(angle) / (2 * np.pi) * 100, 1.0, "%", mode="full"
    )


def _curved() -> Found:
    x, y, cell = _basin(160)
    shape = {"a": 1.0, "h0": 0.1, "r0": 0.8}
    r = np.hypot(x, y)
    bed, level = thacker_curved(r, 0.0, **shape)
    period = 2 * np.pi / np.sqrt(8 * GRAVITY * 0.1)
    first = np.maximum(level - bed, 0) * (r < 1.2)
    water = Simulation(
        Domain(bed, cell, manning=0.0),
        initial=first,
        longest_step=0.05,
        gauges={"middle": (2.01, -2.01)},
        series_step=period / 100,
    )
    found = water.run(1.25 * period)
    times, middle = found.series_times, found.series["middle"]
    late = times > 0.75 * period
    bend = np.polyfit(times[late], middle[late], 4)
    fine = np.linspace(0.85, 1.15, 601) * period
    highest = float(fine[np.argmax(np.polyval(bend, fine))])
    early = abs(highest / period - 1) * 100
    yield at_most("Thacker's curved surface", "error of the period", early, 1.0, "%", mode="full")
    near_middle = np.array([np.hypot(0.01, 0.01)])
    exact = np.array([np.diff(thacker_curved(near_middle, float(t), **shape), axis=0).item() for t in times])
    yield Curves(
        "flood-dam-breaks",
        "Thacker's curved surface: its middle",
        "periods",
        "depth, m",
        [Line("exact", times / period, exact, exact=True), Line("full", times / period, middle)],
    )


def _basin(cells: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any], float]:
    middle = (np.arange(cells) + 0.5) * 4.0 / cells - 2
    x, y = np.meshgrid(middle, middle)
    return x, y, 4.0 / cells
