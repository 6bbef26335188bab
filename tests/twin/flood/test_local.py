"""Steps of their own length for parts of the grid: nothing is lost between them, and the flood is the same."""

from pathlib import Path

import numpy as np
import pytest

from twin.flood import Domain, Rain, Rim, Series, Simulation, Wall
from twin.flood.cpu import local
from twin.flood.cpu.solver import Solver
from twin.flood.validation.laws import hills


def coast(*, rows: int = 96, columns: int = 200, threads: int = 1) -> Simulation:
    """A sea 8 m deep that rises 3 m in ten minutes, a wall at 2.5 m, land from 1 m on with hollows, and rain on it."""
    y, x = np.mgrid[0:rows, 0:columns]
    bed = np.where(x > 120, -8.0, 1 + 0.04 * (120 - x) + 0.3 * np.sin(x / 4) * np.sin(y / 5))
    return Simulation(
        Domain(bed, 10.0),
        mode="fast",
        initial_level=np.where(x > 120, 0.0, -9.0),
        rain=[Rain(Series([0, 600], [80, 20], "steps"))],
        rims=[Rim("east", "level", Series([0, 600], [0, 3]), name="sea"), Rim("west", "open", name="out")],
        walls=[Wall([(1210, 0), (1210, -10.0 * rows)], 2.5)],
        threads=threads,
    )


def levels(run: Simulation) -> set[int]:
    assert isinstance(run.solver, Solver)
    assert run.solver.local is not None
    return set(run.solver.local.levels.ravel().tolist())


def test_no_water_is_lost_between_parts_of_other_steps() -> None:
    run = coast()
    found = run.run(1200.0)
    assert len(levels(run) - {-1}) >= 3
    assert abs(found.balance.error) < 1e-7
    assert found.balance.terms["sea"] > 1e5
    assert run.depth.min() >= 0


def test_the_flood_is_that_of_equal_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Depths on land within millimetres of those where all cells take the shortest step, its water within 0.5 %."""
    own = coast()
    own.run(1200.0)
    monkeypatch.setattr(local, "MARGIN", 1e9)
    equal = coast()
    equal.run(1200.0)
    assert levels(equal) <= {-1, 0}
    land = np.s_[:, :120]
    off = np.abs(own.depth[land] - equal.depth[land])
    assert equal.depth[land].max() > 0.3
    assert np.quantile(off, 0.99) < 0.005
    assert own.depth[land].sum() == pytest.approx(equal.depth[land].sum(), rel=0.005)


def test_parts_of_other_steps_do_not_depend_on_threads_or_on_a_stop(tmp_path: Path) -> None:
    one, two, first, second = (coast(threads=threads) for threads in (1, 2, 1, 1))
    for run in (one, two):
        run.run(300.0)
        run.run(600.0)
    first.run(300.0)
    first.save(tmp_path / "half.npz")
    second.restore(tmp_path / "half.npz")
    second.run(600.0)
    assert len(levels(one) - {-1}) >= 3
    assert np.array_equal(one.depth, two.depth)
    assert np.array_equal(one.depth, second.depth)


def test_water_at_rest_stays_so_between_deep_and_shallow() -> None:
    """A lake 40 m deep with shoals and islands: levels of all kinds, and not a grain moves."""
    ground = hills(96, 128).levels
    bed = np.where(np.arange(128) > 90, -20.0, ground)
    run = Simulation(Domain(bed, 10.0), mode="fast", initial_level=20.0)
    before = run.depth.copy()
    run.run(120.0)
    assert len(levels(run) - {-1}) >= 2
    assert np.array_equal(run.depth, before)


def test_rain_of_a_film_waits_in_blocks_without_work_and_is_not_lost() -> None:
    """0.06 mm on dry ground moves nothing, and is all there."""
    run = Simulation(hills(), mode="fast", rain=[Rain(Series([0, 60], [3.6, 0], "steps"))])
    found = run.run(600.0)
    assert levels(run) == {-1}
    assert found.balance.stored == pytest.approx(0.06e-3 * 70 * 90 * 100, rel=1e-5)
    assert abs(found.balance.error) < 1e-6


def test_a_dam_that_breaks_into_a_dry_part_keeps_its_pace() -> None:
    """Ritter's front crosses blocks that slept: depth within 1 % of the dam on the mean along the whole wave."""
    run = Simulation(
        Domain(np.zeros((40, 400)), 10.0, manning=0.0),
        mode="fast",
        initial=np.where(np.arange(400) < 200, 10.0, 0.0) + np.zeros((40, 1)),
    )
    found = run.run(60.0)
    x = (np.arange(400) + 0.5) * 10.0 - 2000.0
    c = (9.81 * 10) ** 0.5
    exact = np.where(x < -c * 60, 10.0, np.where(x < 2 * c * 60, (2 * c - x / 60) ** 2 / (9 * 9.81), 0.0))
    assert np.abs(run.depth[20] - exact).mean() / 10.0 < 0.01
    assert abs(found.balance.error) < 1e-7


def test_threads_are_dealt_equal_work_however_unequal_its_pieces() -> None:
    pieces = np.array([1024, 32, 32, 64, 512, 32, 32, 256, 32, 32, 1024, 32] * 8)
    bounds = local.shares(pieces)
    half = pieces[: bounds[local.SHARES // 2]].sum()
    assert (bounds[0], bounds[-1]) == (0, len(pieces))
    assert (np.diff(bounds) >= 0).all()
    assert abs(half - pieces.sum() / 2) <= pieces.max() / 2
    assert local.shares(pieces[:0]).max() == 0
