"""How a run behaves: volume, symmetry, threads, stopping and going on, what is refused."""

from pathlib import Path

import numpy as np
import pytest

from twin.flood import (
    Cancelled,
    Domain,
    Frame,
    Inflow,
    InvalidInput,
    Rain,
    RainFrames,
    Rim,
    Series,
    Simulation,
    Unstable,
    constant,
    hazard_class,
)
from twin.flood.cpu.solver import Mode
from twin.flood.validation.laws import hills, storm

MODES: tuple[Mode, ...] = ("full", "fast", "inertial")


def test_every_drop_is_accounted_for_by_its_term() -> None:
    """The ladder holds the whole account in every mode; here each term is what was asked for."""
    result = storm(hills(), "fast").run(1800.0)
    terms = result.balance.terms
    assert terms["rain"] == pytest.approx((60 * 600 + 120 * 600) / 3.6e6 * 70 * 90 * 100, rel=1e-6)
    assert terms["river"] == pytest.approx(40 * 300 / 2 + 600 * 22.5 + 900 * 5, rel=1e-6)
    assert terms["infiltration"] < 0
    assert terms["drains"] < 0
    assert np.isfinite(result.speed).all()
    assert result.speed.max() < 15


@pytest.mark.parametrize("mode", MODES)
def test_threads_do_not_change_a_bit(mode: Mode) -> None:
    """One thread and two: equal to the last bit."""
    domain = hills(150, 160)
    depths = []
    for threads in (1, 2):
        run = storm(domain, mode, threads)
        run.run(120.0)
        depths.append(run.depth.copy())
    assert np.array_equal(*depths)


@pytest.mark.parametrize("mode", MODES)
def test_a_restored_run_goes_on_bit_by_bit(mode: Mode, tmp_path: Path) -> None:
    """Saved at half time and restored into a fresh simulation, against a run that never stopped."""
    whole, first, second = (storm(hills(), mode) for _ in range(3))
    for run in (whole, first):
        run.run(300.0)
    first.save(tmp_path / "half.npz")
    second.restore(tmp_path / "half.npz")
    expected, found = whole.run(600.0), second.run(600.0)
    assert np.array_equal(whole.depth, second.depth)
    assert np.array_equal(expected.depth, found.depth)
    assert np.array_equal(expected.arrival, found.arrival, equal_nan=True)
    assert found.balance.terms == expected.balance.terms
    with pytest.raises(InvalidInput, match="another terrain"):
        storm(hills(seed=4), mode).restore(tmp_path / "half.npz")


def test_a_run_can_be_watched_and_stopped() -> None:
    run = storm(hills(), "fast")
    seen: list[float] = []
    with pytest.raises(Cancelled, match="as asked"):
        run.run(1800.0, progress=lambda share, t: seen.append(share), cancelled=lambda: len(seen) >= 5)
    assert seen == sorted(seen)
    assert 0 < run.time < 1800
    assert run.run(run.time + 10).time == run.time


def test_records_tell_when_how_deep_and_how_long() -> None:
    """A pond filled at 0.1 mm/s for 100 s: 5 mm at 50 s, 1 cm at most, above 5 mm for 150 s of 200."""
    frames: list[Frame] = []
    pond = Simulation(
        Domain(np.zeros((4, 4)), 10.0),
        rain=[Rain(Series([0, 100], [360, 0], "steps"))],
        longest_step=1.0,
        record_step=0.0,
        wet_m=0.005,
        gauges={"middle": (20, -20)},
        series_step=10.0,
    )
    result = pond.run(200.0, frames=[50, 100], on_frame=frames.append)
    assert result.depth[1, 1] == pytest.approx(0.01, rel=0.001)
    assert result.level[1, 1] == pytest.approx(0.01, rel=0.001)
    assert result.arrival[0, 0] == pytest.approx(50, abs=2)
    assert result.duration[0, 0] == pytest.approx(150, abs=2)
    assert [frame.time for frame in frames] == [50, 100]
    assert frames[0].depth[1, 1] == pytest.approx(0.005, rel=0.001)
    assert result.series_times[5] == 50
    assert result.series["middle"][5] == pytest.approx(0.005, rel=0.001)
    assert result.speed.max() == 0


def test_rain_frames_fall_where_and_when_they_say() -> None:
    frames = np.zeros((2, 2, 2))
    frames[0, 0, 1], frames[1, 1, 0] = 36.0, 72.0
    domain = Domain(np.zeros((4, 4)), 10.0)
    result = Simulation(domain, rain=[RainFrames([0, 100], frames)]).run(150.0)
    assert result.balance.terms["rain"] == pytest.approx((36 * 100 + 72 * 50) / 3.6e6 * 4 * 100, rel=1e-5)


def test_water_stays_inside_of_an_irregular_domain() -> None:
    """Ground ends at NaN: no water gets there, none is lost, nothing is told there."""
    bed = np.zeros((30, 30))
    bed[np.hypot(*(np.mgrid[0:30, 0:30] - 15)) > 12] = np.nan
    run = Simulation(Domain(bed, 10.0), initial=np.where(np.isnan(bed), 0, 1.0), rain=[Rain(constant(20.0))])
    result = run.run(600.0)
    assert (run.depth[np.isnan(bed)] == 0).all()
    assert np.isnan(result.depth[np.isnan(bed)]).all()
    assert abs(result.balance.error) < 1e-7


def test_hazard_follows_defra() -> None:
    """d (v + 0.5) at 0.3 m: still water is low, 2 m/s is 0.75 and moderate; 1.5 m at 2 m/s is extreme."""
    ratings = np.array([0, 0.3 * 0.5, 0.3 * 2.5, 0.6 * 2.5, 1.5 * 2.5], np.float32)
    assert hazard_class(ratings).tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Domain(np.zeros(5), 10.0), "bed: a grid"),
        (lambda: Domain(np.full((3, 3), np.nan), 10.0), "bed: no level"),
        (lambda: Domain(np.array([[0.0, -32768.0]]), 10.0), "row 0, column 1 is no level on Earth"),
        (lambda: Domain(np.zeros((3, 3)), 0.0), "cell: 0"),
        (lambda: Domain(np.zeros((3, 3)), 10.0, manning=30.0), "manning: 30"),
        (lambda: Domain(np.zeros((3, 3)), 10.0, crs="EPSG:4326"), "does not measure in metres"),
        (lambda: Domain(np.zeros((3, 3)), 10.0, crs="EPSG:0"), "is not known"),
        (lambda: Domain(np.zeros((30, 30)), 10.0, most_cells=100), "900 cells need"),
        (lambda: Series([0, 2, 1], [1, 2, 3], name="tide"), "tide: time 1 s stands after 2 s"),
        (lambda: Series([0, 1], [1, np.nan], name="tide"), "tide: value 2 is not a number"),
        (lambda: Rain(constant(-1.0)), "millimetres per hour"),
        (lambda: Simulation(hills(), initial=-1.0), "initial: depths below 0"),
        (lambda: Simulation(hills(), initial=np.zeros((2, 2))), "initial: its shape"),
        (lambda: Simulation(hills(), gauges={"school": (-5, 0)}), "gauge school: .* lies outside"),
        (lambda: Simulation(hills(), inflows=[Inflow(constant(1), [(999, 0)], "dam")]), "dam: row 999"),
        (lambda: Simulation(hills(), rims=[Rim("east", "level")]), "takes a series"),
        (lambda: Simulation(hills(), rims=[Rim("east", "open", last=999)]), "no stretch"),
        (lambda: Simulation(hills(), rims=[Rim("east", "open"), Rim("east", "open")]), "something else already"),
        (
            lambda: Simulation(hills(), rims=[Rim("east", "level", constant(1), datum="EGM96", name="sea")]),
            "sea: levels above EGM96, terrain above an unknown datum",
        ),
    ],
)
def test_what_cannot_be_computed_is_refused_with_its_name(make, says: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InvalidInput, match=says):
        make()


def test_a_run_that_runs_away_says_when_and_where() -> None:
    """A thousand million m3/s into one cell: said with time, place and a hint."""
    domain = hills()
    run = Simulation(domain, inflows=[Inflow(constant(1e9), [(5, 7)], "typo")])
    with pytest.raises(Unstable, match=r"s near .*row \d+, column \d+; look for"):
        run.run(600.0)
