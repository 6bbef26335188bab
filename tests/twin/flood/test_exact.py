"""The engine beside exact solutions: water at rest, dam breaks, basins that swing, steady channels."""

from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pytest

from tests.twin.flood.exact import bump, ritter, shock_over_bump, stoker, thacker_curved, thacker_planar
from twin.flood import Domain, Rain, Rim, Simulation, constant

Mode = Literal["full", "fast", "inertial"]
MODES: tuple[Mode, ...] = ("full", "fast", "inertial")
FINITE_VOLUMES: tuple[Mode, ...] = ("full", "fast")


@pytest.mark.parametrize("mode", MODES)
def test_water_at_rest_stays_at_rest(mode: Mode) -> None:
    """A lake with islands on a rough bed far above sea level: not one bit moves in 200 s, in single precision."""
    bed = np.random.default_rng(1).random((40, 50)) * 5 + 300
    lake = Simulation(Domain(bed, 10.0), mode=mode, initial_level=303.3)
    before = lake.depth.copy()
    assert 0.2 < (before == 0).mean() < 0.5
    result = lake.run(200.0)
    assert np.array_equal(lake.depth, before)
    assert result.speed.max() == 0
    assert result.balance.missing == 0


@pytest.mark.parametrize("mode", MODES)
def test_gentle_rain_is_not_swallowed_by_single_precision(mode: Mode) -> None:
    """1 mm/h for 6 h on 8 m of still water adds 6.00 mm within 1 % (added plainly it adds nothing)."""
    pond = Simulation(Domain(np.zeros((8, 8)), 100.0), mode=mode, initial=8.0, rain=[Rain(constant(1.0))])
    result = pond.run(6 * 3600.0)
    assert (pond.depth.astype(np.float64).mean() - 8) * 1000 == pytest.approx(6.0, rel=0.01)
    assert abs(result.balance.error) < 1e-9


def dam_break(mode: Mode, tail: float, cells: int = 200) -> tuple[npt.NDArray[Any], Simulation]:
    cell = 2000 / cells
    x = (np.arange(cells) + 0.5) * cell - 1000
    channel = Domain(np.zeros((1, cells)), cell, west=-1000, manning=0.0)
    broken = Simulation(channel, mode=mode, initial=np.where(x < 0, 10.0, tail)[None, :])
    return x, broken


@pytest.mark.parametrize(("mode", "most"), [("full", 0.003), ("fast", 0.008)])
def test_dry_dam_break_follows_ritter(mode: Mode, most: float) -> None:
    """Ritter (1892): L1 error of depth over the initial depth after 40 s, 200 cells; measured 0.0026 and 0.0069."""
    x, broken = dam_break(mode, 0.0)
    result = broken.run(40.0)
    assert np.abs(broken.depth[0] - ritter(x, 40.0, 10.0)).mean() / 10 < most
    assert abs(result.balance.error) < 1e-6


@pytest.mark.parametrize(("mode", "most"), [("full", 0.003), ("fast", 0.008)])
@pytest.mark.parametrize("tail", [1.0, 5.0])
def test_wet_dam_break_follows_stoker(mode: Mode, most: float, tail: float) -> None:
    """Stoker (1957), a bore over 1 m and 5 m of still water, 200 cells."""
    x, broken = dam_break(mode, tail)
    broken.run(40.0)
    assert np.abs(broken.depth[0] - stoker(x, 40.0, 10.0, tail)).mean() / 10 < most


def test_smooth_waves_converge_with_second_order() -> None:
    """A smooth hump in a closed basin against itself on four times as many cells: order of L1 between 50 and 100."""
    depths = {}
    for cells in (50, 100, 400):
        cell = 1000 / cells
        x = (np.arange(cells) + 0.5) * cell
        hump = 5 + 0.2 * np.exp(-(((x - 500) / 100) ** 2))
        run = Simulation(Domain(np.zeros((1, cells)), cell, manning=0.0), initial=hump[None, :], longest_step=1e3)
        run.run(30.0)
        depths[cells] = run.depth[0].astype(np.float64)
    errors = [np.abs(depths[n] - depths[400].reshape(n, -1).mean(axis=1)).mean() for n in (50, 100)]
    assert np.log2(errors[0] / errors[1]) > 1.6


def basin(cells: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any], float]:
    cell = 4.0 / cells
    middle = (np.arange(cells) + 0.5) * cell - 2
    x, y = np.meshgrid(middle, middle)
    return x, y, cell


def test_planar_surface_turns_in_a_paraboloid() -> None:
    """Thacker (1981): after one turn the surface is where it was; period 2 pi a / sqrt(2 g h0)."""
    x, y, cell = basin(80)
    shape = {"a": 1.0, "h0": 0.1, "eta": 0.5}
    bed, level = thacker_planar(x, y, 0.0, **shape)
    period = 2 * np.pi / np.sqrt(2 * 9.81 * 0.1)
    water = Simulation(Domain(bed, cell, manning=0.0), initial=np.maximum(level - bed, 0), longest_step=0.05)
    # The surface starts in motion: v = eta omega northwards, here to the south as rows go down with y.
    speed = 0.5 * np.sqrt(2 * 9.81 * 0.1)
    water.solver.water.flow_y[:] = water.solver.water.depth * speed
    result = water.run(period)
    off = np.abs(water.depth - np.maximum(level - bed, 0))
    assert off.mean() / np.maximum(level - bed, 0).mean() < 0.04
    # The middle of the water is back: its angle says by how much of a turn it is early or late.
    weight = water.depth.astype(np.float64)
    angle = np.arctan2((weight * y).sum(), (weight * x).sum())
    assert abs(angle) / (2 * np.pi) < 0.01
    assert abs(result.balance.error) < 1e-6


def test_curved_surface_swings_in_a_paraboloid() -> None:
    """Thacker (1981): the middle is lowest after half a period and highest after one, which is met within 1 %."""
    x, y, cell = basin(160)
    shape = {"a": 1.0, "h0": 0.1, "r0": 0.8}
    r = np.hypot(x, y)
    bed, level = thacker_curved(r, 0.0, **shape)
    period = 2 * np.pi / np.sqrt(8 * 9.81 * 0.1)
    first = np.maximum(level - bed, 0) * (r < 1.2)
    middle = {"middle": (2.01, -2.01)}
    domain = Domain(bed, cell, manning=0.0)
    water = Simulation(domain, initial=first, longest_step=0.05, gauges=middle, series_step=period / 100)
    water.run(period / 2)
    _, halfway = thacker_curved(r, period / 2, **shape)
    assert water.depth[80, 80] == pytest.approx(halfway[80, 80] - bed[80, 80], rel=0.02)
    swing = water.run(1.25 * period)
    around = (swing.series_times > 0.75 * period) & (swing.series_times < 1.25 * period)
    bend = np.polyfit(swing.series_times[around], swing.series["middle"][around], 4)
    times = np.linspace(0.85, 1.15, 601) * period
    assert times[np.argmax(np.polyval(bend, times))] == pytest.approx(period, rel=0.01)


@pytest.mark.parametrize("mode", FINITE_VOLUMES)
def test_shock_over_a_bump_stands_where_it_must(mode: Mode) -> None:
    """Transcritical flow with a shock (Goutal & Maurel 1997): the jump within 2 cells, discharge the same all along."""
    cells, cell = 100, 0.25
    x = (np.arange(cells) + 0.5) * cell
    bed = bump(x)[None, :]
    flow = Simulation(
        Domain(bed, cell, manning=0.0),
        mode=mode,
        initial_level=0.33,
        rims=[
            Rim("west", "discharge", constant(0.18), name="inflow"),
            Rim("east", "level", constant(0.33), name="tail"),
        ],
    )
    flow.run(150.0)
    exact = shock_over_bump(x)
    rise = [int(np.argmax(np.diff(depth[40:52]))) for depth in (flow.depth[0], exact)]
    assert abs(rise[0] - rise[1]) <= 2
    assert np.abs(flow.depth[0] - exact).mean() < (0.008 if mode == "full" else 0.015)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("name", "q", "rain"), [("norain", 2.0, 0.0), ("rain", 1.0, 0.001 * 3600 * 1000)])
def test_long_channel_follows_macdonald(shared_data: Path, mode: Mode, name: str, q: float, rain: float) -> None:
    """MacDonald's channel with friction, without and with rain (SWASHES 3.2): 5 mm, local inertia 4 cm (mean error)."""
    table = np.genfromtxt(shared_data / "flood" / "macdonald" / f"mcdo_{name}.csv", delimiter=",", skip_header=1)
    bed, level = table[:, -2], table[:, -1]
    channel = Domain(bed[None, :], 5.0, manning=0.033)
    flow = Simulation(
        channel,
        mode=mode,
        initial=(level - bed)[None, :],
        rain=[Rain(constant(rain))] if rain else [],
        rims=[
            Rim("west", "discharge", constant(q), name="inflow"),
            Rim("east", "level", constant(float(1.5 * level[-1] - 0.5 * level[-2])), name="tail"),
        ],
    )
    flow.run(2500.0)
    assert np.abs(flow.depth[0] + bed - level).mean() < (0.04 if mode == "inertial" else 0.005)
