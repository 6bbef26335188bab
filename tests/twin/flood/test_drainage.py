"""Street drains as a network: beside hand-worked flows, and what the surface and the pipes give each other."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from twin.flood import Domain, Simulation
from twin.flood.drainage import DrainNetwork, Manhole, Outfall, Pipe, grate_inflow
from twin.flood.errors import InvalidInput

pytest.importorskip("swmm.toolkit", reason="SWMM is not installed: pip install 'citytwin[drains]'")

CELL, WALL = 10.0, 5.0


def two_streets() -> Domain:
    """Two basins of 9 x 9 cells, the left one's floor at 2 m and the right one's at 0 m, with high ground between."""
    bed = np.full((11, 21), WALL)
    bed[1:-1, 1:10], bed[1:-1, 11:-1] = 2.0, 0.0
    return Domain(bed, CELL)


@contextmanager
def running(network: DrainNetwork, **given: object) -> Iterator[Simulation]:
    simulation = Simulation(two_streets(), drains=network, threads=1, **given)  # type: ignore[arg-type]
    assert simulation.drainage is not None
    try:
        yield simulation
    finally:
        simulation.drainage.close()


def full_pipe(diameter: float, slope: float, n: float = 0.013) -> float:
    """Manning's discharge of a full round pipe, m3/s (Chow 1959, table 2-1: R = d / 4)."""
    return math.pi / 4 * diameter**2 / n * (diameter / 4) ** (2 / 3) * math.sqrt(slope)


def test_grates_are_a_weir_and_then_an_orifice():
    """HEC-22: 5 cm over 3.3 m of sides is 1.66 3.3 0.05^1.5 = 61 l/s; 1 m over 0.34 m2 is 0.67 0.34 sqrt(2 g)."""
    low, high = grate_inflow(np.array([0.05, 1.0])).tolist()
    assert low == pytest.approx(0.0612, abs=1e-4)
    assert high == pytest.approx(0.67 * 0.34 * math.sqrt(2 * 9.81))
    assert grate_inflow(np.array([0.05]), open_share=0.5)[0] == pytest.approx(low / 2)


def test_one_manhole_drains_what_its_grates_let_in():
    """A wide pipe: within a minute the street gives what the weir takes, by dV/dt = -Q(h); around the grates it sinks
    a little below the level of the whole street, so that it is somewhat less."""
    network = DrainNetwork(
        [Manhole("m", (5, 5), 0.0, 2.0)], [Outfall("o", None, -0.5)], [Pipe("p", "m", "o", 50.0, 1.2, 0.0, -0.5)]
    )
    with running(network, initial_level=2.05) as simulation:
        result = simulation.run(60.0)
        area, depth = 81 * CELL**2, 0.05
        for _ in range(60):
            depth -= float(grate_inflow(np.array([depth]))[0]) / area
        given = -result.balance.terms["drains"] / (area * (0.05 - depth))
        assert 0.9 < given < 1.0
        assert abs(result.balance.error) < 1e-6


def test_one_manhole_surcharges_by_what_its_pipe_cannot_take():
    """The upper street's grates take more than their pipe passes. It then runs full from rim to rim, 2 m in 200 m:
    Manning's discharge at a slope of 1 %. The way on is a pipe of 0.3 m from a rim at 0 m to an outfall 1.3 m lower:
    what it does not pass comes up in the lower street.
    """
    passed, away = full_pipe(0.4, 2.0 / 200.0), full_pipe(0.3, 1.3 / 100.0)
    network = DrainNetwork(
        [Manhole("up", (5, 5), 0.6, 2.0), Manhole("low", (5, 15), -1.4, 0.0)],
        [Outfall("out", None, -1.6)],
        [Pipe("a", "up", "low", 200.0, 0.4, 0.6, -1.4), Pipe("b", "low", "out", 100.0, 0.3, -1.4, -1.6)],
    )
    with running(network, initial_level=np.where(np.arange(21) < 10, 2.3, -1.0)) as simulation:
        drains = simulation.drainage
        assert drains is not None

        def state() -> tuple[float, float]:
            return float(simulation.depth[1:-1, 11:-1].sum() * CELL**2), drains.let_out

        simulation.run(600.0)
        before = state()
        result = simulation.run(1800.0)
        rising, leaving = ((now - then) / 1200.0 for now, then in zip(state(), before, strict=True))
        assert leaving == pytest.approx(away, rel=0.05)
        assert rising + leaving == pytest.approx(passed, rel=0.08)
        assert abs(result.balance.error) < 1e-6


def test_surface_and_pipes_lose_nothing_between_them():
    """What the surface gave, SWMM had; what SWMM let go, the surface was given: both to 1e-6 of what moved."""
    network = DrainNetwork(
        [Manhole("up", (3, 3), 0.4, 2.0), Manhole("mid", (5, 8), 0.1, 2.0), Manhole("low", (5, 14), -1.5, 0.0)],
        [Outfall("out", (8, 18), -1.9)],
        [
            Pipe("a", "up", "mid", 60.0, 0.4, 0.4, 0.1),
            Pipe("b", "mid", "low", 70.0, 0.4, 0.1, -1.5),
            Pipe("c", "low", "out", 60.0, 0.3, -1.5, -1.9),
        ],
    )
    with running(network, initial_level=2.3) as simulation:
        result = simulation.run(1800.0)
        drains, terms = simulation.drainage, result.balance.terms
        assert drains is not None
        assert abs(result.balance.error) < 1e-6
        totals = drains.routing_totals()
        moved = drains.taken + drains.returned + drains.let_out
        assert moved > 500
        assert abs(totals.external + drains.on_its_way - drains.taken) < 1e-6 * moved
        # Sealed in: pipes of 21 m3 and their manholes.
        assert totals.stored == pytest.approx(20.6, abs=0.5)
        assert drains.taken == pytest.approx(
            drains.returned + drains.let_out + totals.stored + drains.on_its_way, abs=1e-6 * moved
        )
        assert abs(totals.outflow - drains.let_out) < 1e-6 * moved
        assert terms["drains"] == pytest.approx(-drains.taken, rel=1e-9)
        assert terms["drains_returned"] + terms["drains_outfalls"] == pytest.approx(
            drains.returned + drains.let_out, rel=1e-6
        )
        assert drains.lost_share < 0.01
        with pytest.raises(InvalidInput, match="cannot be saved"):
            simulation.save(None)  # type: ignore[arg-type]


def test_a_network_that_leads_nowhere_is_refused():
    with pytest.raises(InvalidInput, match="an outfall"):
        DrainNetwork([Manhole("m", (1, 1), 0, 1)], [], [Pipe("p", "m", "m", 1, 1, 0, 0)])
    with pytest.raises(InvalidInput, match="pipe p leads"):
        DrainNetwork([Manhole("m", (1, 1), 0, 1)], [Outfall("o", None, 0)], [Pipe("p", "m", "x", 1, 1, 0, 0)])
    with pytest.raises(InvalidInput, match="twice"):
        DrainNetwork([Manhole("m", (1, 1), 0, 1)], [Outfall("m", None, 0)], [Pipe("p", "m", "m", 1, 1, 0, 0)])
