"""What passes a line across the flow, beside what was given, by every mode; and rims of domains one cell wide."""

import numpy as np
import pytest

from twin.flood import Domain, Rain, RainFrames, Rim, Series, Simulation, Wall, constant
from twin.flood.structures import weir_discharge

MODES = ("full", "fast", "inertial")


@pytest.mark.parametrize("mode", MODES)
def test_a_section_tells_what_passes_whatever_its_shape(mode: str) -> None:
    """A thin film runs down a slope of steps as high as it is deep: 20 rows of 10 m bring 0.05 m2/s each.

    Through a straight line, one with a step, one the other way round, and one that comes back to where it began.
    """
    slope = -0.01 * 10 * np.arange(40)[None, :] + np.zeros((20, 1))
    lines = {
        "straight": [(200.0, -210.0), (200.0, 10.0)],
        "stepped": [(205.0, -210.0), (205.0, -100.0), (255.0, -100.0), (255.0, 10.0)],
        "backwards": [(155.0, 10.0), (245.0, -210.0)],
        "half": [(205.0, -104.0), (205.0, 10.0)],
        "around": [(155.0, 10.0), (155.0, -105.0), (105.0, -105.0), (105.0, 10.0)],
    }
    run = Simulation(
        Domain(slope, 10.0, manning=0.03),
        mode=mode,  # type: ignore[arg-type]
        initial=0.06,
        rims=[Rim("west", "discharge", constant(0.05)), Rim("east", "open")],
        gauges={"straight": (200, -50)},
        sections=lines,
        series_step=300,
    )
    found = run.run(1200.0)
    told = {name: flows[-1] for name, flows in found.sections.items()}
    assert told["straight"] == pytest.approx(10.0, rel=0.03)
    assert told["stepped"] == pytest.approx(10.0, rel=0.03)
    assert told["backwards"] == pytest.approx(-10.0, rel=0.03)
    assert told["half"] == pytest.approx(5.0, rel=0.06)
    assert told["around"] == pytest.approx(0.0, abs=0.3)
    # A gauge of the same name keeps its depths.
    assert 0.02 < found.series["straight"][-1] < 0.1


@pytest.mark.parametrize("mode", MODES)
def test_a_section_along_a_wall_tells_what_comes_over_it(mode: str) -> None:
    """0.5 m above the crest: 1.7049 h^1.5 on each of 50 m."""
    run = Simulation(
        Domain(np.zeros((5, 20)), 10.0),
        mode=mode,  # type: ignore[arg-type]
        initial=np.where(np.arange(20) < 10, 2.5, 0.0)[None, :] + np.zeros((5, 1)),
        walls=[Wall([(100, 10), (100, -60)], 2.0)],
        sections={"over": [(100.0, -60.0), (100.0, 10.0)]},
        series_step=1.0,
    )
    found = run.run(60.0)
    over, times = found.sections["over"], found.series_times
    # Local inertia keeps flows on the faces, which stand still before the first step.
    assert over[0] == pytest.approx(0.0 if mode == "inertial" else 50 * weir_discharge(2.5, 0.0, 2.0), rel=1e-3)
    passed = float(run.depth[:, 10:].sum()) * 100
    assert np.trapezoid(over, times) == pytest.approx(passed, rel=0.03)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shape", [(1, 1), (7, 1), (1, 7), (2, 3)])
def test_narrow_domains_lose_no_water(mode: str, shape: tuple[int, int]) -> None:
    """Sea beyond one side of a domain one cell wide, and a closed rim beyond the other."""
    bed = np.random.default_rng(0).random(shape) * 2
    sea = [Rim("east", "level", constant(1.5)), Rim("south", "open", name="out")]
    run = Simulation(Domain(bed, 10.0), mode=mode, initial_level=1.2, rain=[Rain(constant(50.0))], rims=sea)  # type: ignore[arg-type]
    assert abs(run.run(200.0).balance.error) < 1e-6


def test_gridded_rain_goes_on_after_a_restart_bit_by_bit(tmp_path) -> None:  # type: ignore[no-untyped-def]
    """Stopped between two frames of radar, at an odd time."""
    frames = np.random.default_rng(1).random((5, 4, 6)) * 80

    def town() -> Simulation:
        bed = 0.02 * np.arange(53)[None, :] + np.zeros((37, 1))
        radar, drizzle = RainFrames(np.arange(5) * 37.0, frames), Rain(Series([0, 90], [10, 0], "steps"))
        return Simulation(Domain(bed, 10.0), mode="fast", initial=0.5, rain=[radar, drizzle])

    whole, half = town(), town()
    whole.run(77.77)
    whole.save(tmp_path / "half.npz")
    half.restore(tmp_path / "half.npz")
    whole.run(150.0)
    half.run(150.0)
    assert np.array_equal(whole.depth, half.depth)
