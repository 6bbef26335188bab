"""Walls on edges, breaches, culverts, gates, pumps, storms and tides, each beside its formula."""

import math

import numpy as np
import pytest

from twin.flood import (
    Breach,
    Culvert,
    Domain,
    IntensityFormula,
    InvalidInput,
    Pump,
    Series,
    Simulation,
    Sluice,
    Wall,
    constant,
    patterned,
    tide,
    with_surge,
)
from twin.flood.cpu.solver import Mode
from twin.flood.structures import gate_discharge, weir_discharge
from twin.flood.walls import wall_faces

MODES: tuple[Mode, ...] = ("full", "fast", "inertial")
# An invented set, of the size that Chinese cities publish.
FORMULA = IntensityFormula(a=10.0, c=0.8, b=10.0, n=0.7, source="made up", edition="2026", made_up=True)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "line", [[(-5, -213), (505, -278)], [(205, 5), (262, -505)], [(-5, -250), (250, -250), (251, 9)]]
)
def test_a_wall_is_tight_whatever_its_direction(mode: Mode, line: list[tuple[float, float]]) -> None:
    """Deep water on one side of a slanting wall: not a drop on the other after 10 min."""
    domain = Domain(np.zeros((50, 50)), 10.0)
    wall = Wall(line, crest=3.0, name="sea wall")
    faces = wall_faces(domain, wall)
    # Fill from the first corner as far as the wall lets through.
    reached, front = {(0, 0)}, [(0, 0)]
    shut = set(zip(faces.upright.tolist(), faces.rows.tolist(), faces.columns.tolist(), strict=True))
    while front:
        r, c = front.pop()
        for r1, c1, face in (
            (r, c + 1, (True, r, c + 1)),
            (r, c - 1, (True, r, c)),
            (r + 1, c, (False, r + 1, c)),
            (r - 1, c, (False, r, c)),
        ):
            if 0 <= r1 < 50 and 0 <= c1 < 50 and face not in shut and (r1, c1) not in reached:
                reached.add((r1, c1))
                front.append((r1, c1))
    behind = np.ones((50, 50), bool)
    behind[tuple(zip(*reached, strict=True))] = False
    assert 0.1 < behind.mean() < 0.9
    run = Simulation(domain, mode=mode, initial=np.where(behind, 0, 2.5), walls=[wall])
    run.run(600.0)
    assert run.depth[behind].max() == 0
    assert run.depth[~behind].min() == pytest.approx(2.5, abs=1e-5)


def test_weir_and_gate_follow_their_formulas() -> None:
    """Chow (1959): free weir; Villemonte (1947): none at equal levels; a drowned gate as an orifice."""
    assert weir_discharge(1.0, -1.0, 0.0) == pytest.approx((2 / 3) ** 1.5 * math.sqrt(9.81), rel=1e-3)
    assert weir_discharge(1.0, 1.0, 0.0) == 0
    assert weir_discharge(0.8, 1.0, 0.0) == -weir_discharge(1.0, 0.8, 0.0)
    assert weir_discharge(1.0, 0.5, 0.0) == pytest.approx(1.7049 * (1 - 0.5**1.5) ** 0.385, rel=1e-3)
    assert gate_discharge(3.0, 2.5, 0.0, 0.2) == pytest.approx(0.61 * 0.2 * math.sqrt(2 * 9.81 * 0.5), rel=1e-6)
    assert gate_discharge(3.0, 0.0, 0.0, 0.2) == pytest.approx(
        0.61 * 0.2 / math.sqrt(1 + 0.61 * 0.2 / 3) * math.sqrt(2 * 9.81 * 3), rel=1e-6
    )
    assert gate_discharge(0.1, 0.0, 0.0, 5.0) == pytest.approx(weir_discharge(0.1, 0.0, 0.0))


def two_ponds(structure: object, left: float = 2.0, right: float = 0.0, seconds: float = 60.0) -> Simulation:
    """Two ponds of 10 x 10 cells of 10 m with ground between them that no water passes."""
    bed = np.zeros((10, 21))
    bed[:, 10] = 20
    first = np.where(np.arange(21) < 10, left, right)[None, :] + np.zeros((10, 1))
    run = Simulation(Domain(bed, 10.0), initial=np.where(bed > 0, 0, first), structures=[structure])  # type: ignore[list-item]
    result = run.run(seconds)
    assert abs(result.balance.error) < 1e-7
    return run


LEFT, RIGHT = [(5, 8)], [(5, 12)]


def test_check_valves_and_pumps_know_their_direction_and_state() -> None:
    valve = two_ponds(Sluice(LEFT, RIGHT, 5.0, 0.0, constant(1.0), one_way=True), left=1, right=2)
    assert valve.depth[:, :10].mean() == pytest.approx(1.0, abs=1e-6)
    low = two_ponds(Pump(RIGHT, LEFT, [0, 4], [1.0, 0.5], start=1.5, stop=0.2), left=2, right=1)
    assert low.depth[:, 11:].mean() == pytest.approx(1.0, abs=1e-6)
    failed = two_ponds(
        Pump(RIGHT, LEFT, [0, 4], [1, 1], start=0.5, stop=0.2, working=Series([0, 30], [1, 0], "steps")), 2, 1
    )
    assert failed.depth[:, 11:].mean() == pytest.approx(1 - 30 / 10_000, rel=1e-3)
    with pytest.raises(InvalidInput, match="rising heads"):
        Pump(RIGHT, LEFT, [4, 0], [1, 0], start=1, stop=0)


@pytest.mark.parametrize("bore", [0.6, 1.2])
def test_culvert_lets_in_what_hds_5_says(bore: float) -> None:
    """Inlet control of a concrete pipe with a square edge in a headwall (FHWA HDS-5 2012, chart 1, scale 1).

    Open above: HW / D = Hc / D + 0.0098 X^2; drowned: 0.0398 X^2 + 0.67, with X = 1.811 Q / (A D^0.5) in SI units. Hc
    of a discharge that runs critically at the depth y is y + A / 2 T, without any fit.
    """
    pipe, area = Culvert(LEFT, RIGHT, bore, bore, 5.0, 0.02, 0.0, manning=0.012), math.pi / 4 * bore**2
    for share in (0.2, 0.3, 0.4, 0.5, 0.6):
        angle = 2 * math.acos(1 - 2 * share)
        wet, top = bore**2 / 8 * (angle - math.sin(angle)), bore * math.sin(angle / 2)
        flow = math.sqrt(9.81 * wet**3 / top)
        headwater = share * bore + wet / top / 2 + 0.0098 * bore * (1.811 * flow / (area * bore**0.5)) ** 2
        assert pipe.discharge(0, 0.02 + headwater, -5.0) == pytest.approx(flow, rel=0.08)
    for ratio in (1.2, 1.5, 2.0, 3.0):
        flow = math.sqrt((ratio - 0.67) / 0.0398) * area * bore**0.5 / 1.811
        assert pipe.discharge(0, 0.02 + ratio * bore, -5.0) == pytest.approx(flow, rel=0.11)


@pytest.mark.parametrize("circular", [True, False])
def test_culvert_carries_more_the_higher_the_water_stands(circular: bool) -> None:
    """Without steps where the weir turns into an orifice or the barrel runs full, either way, level or falling."""
    for fall in (0.0, 0.1, 1.0):
        culvert = Culvert(LEFT, RIGHT, 1.0, 1.0, 40.0, fall, 0.0, circular=circular)
        flows = np.array([culvert.discharge(0, up, -5.0) for up in np.linspace(0, 6, 3001)])
        assert (flows >= 0.995 * np.maximum.accumulate(flows)).all()
        assert np.diff(flows).max() < 0.01
        back = np.array([culvert.discharge(0, 2.0, down) for down in np.linspace(-1, 2, 1501)])
        assert np.diff(back).max() < 0.001
        assert culvert.discharge(0, 1.5, 2.0) < 0


def test_open_culvert_ends_at_equal_levels() -> None:
    """Both ponds settle at the mean level and do not swing about it."""
    run = two_ponds(Culvert(LEFT, RIGHT, 3.0, 3.0, 10, 0.0, 0.0, circular=False), 1.2, 1.0, 600.0)
    assert run.depth[:, :10].mean() == pytest.approx(1.1, abs=0.01)
    assert run.depth[:, 11:].mean() == pytest.approx(1.1, abs=0.01)


def test_a_breach_sinks_then_widens_by_verheij_and_knaap() -> None:
    """Growth under a constant 2 m of fall for 2 h equals B = 1.3 g^0.5 dH^1.5 / uc lg(1 + 0.04 g t / uc)."""
    breach = Breach("dike", (200, -100), start=60, bottom=0.0, fall=120)
    width, step = 0.0, 1 / 600
    for n in range(1200):
        width += breach.growth(2.0, (n + 0.5) * step) * step
    assert width == pytest.approx(1.3 * 9.81**0.5 * 2**1.5 / 0.5 * math.log10(1 + 0.04 * 9.81 * 2 / 0.5), rel=0.001)
    run = Simulation(
        Domain(np.zeros((20, 40)), 10.0),
        initial=np.where(np.arange(40) < 20, 2.5, 0.0)[None, :] + np.zeros((20, 1)),
        walls=[Wall([(200, 10), (200, -210)], 3.0, name="dike")],
        breaches=[breach],
    )
    run.run(60.0)
    assert run.depth[:, 20:].max() == 0
    run.run(400.0)
    assert run.depth[:, 20:].mean() > 0.01
    assert run.depth[9:11, 21].min() > 0.1
    assert abs(run.result().balance.error) < 1e-6
    with pytest.raises(InvalidInput, match="no wall 'dyke'; walls are: none"):
        Simulation(Domain(np.zeros((4, 4)), 10.0), breaches=[Breach("dyke", (0, 0), 0, 0)])
    with pytest.raises(InvalidInput, match="outside the terrain"):
        Simulation(Domain(np.zeros((4, 4)), 10.0), walls=[Wall([(900, 0), (990, 0)], 1)])


def test_chicago_storm_holds_the_depth_of_its_formula() -> None:
    """Depth over the duration equals q = 167 A (1 + C lg P) / (t + b)^n to 0.1 %; the peak stands at its share."""
    q = 167 * 10 * (1 + 0.8 * math.log10(50)) / (120 + 10) ** 0.7
    storm = FORMULA.chicago(120, 50, peak=0.4)
    depth = storm.integral(0, 7200) / 3600
    # q in L/(s ha) is 0.36 mm/h.
    assert depth == pytest.approx(q * 0.36 * 2, rel=0.001)
    # The worst half hour around the peak holds the formula's depth of half an hour.
    worst = max(storm.integral(t, t + 1800) for t in range(0, 5401, 300)) / 3600
    assert worst == pytest.approx(FORMULA.depth(30, 50), rel=0.01)
    assert np.asarray(storm.times)[np.argmax(storm.values)] == pytest.approx(0.4 * 7200, abs=300)
    with pytest.raises(InvalidInput, match="1440 min is outside 5 to 180"):
        FORMULA.chicago(1440, 50)
    assert patterned(200, [0.25, 0.5, 0.25], 480).integral(0, 86400) / 3600 == pytest.approx(200)


def test_tide_is_the_sum_of_its_constituents() -> None:
    """M2 alone comes back after 12.4206 h; with a surge both are added; an unknown one is named."""
    m2 = tide({"M2": (1.5, 0.0)}, 0.2, 86400.0)
    assert m2.at(0) == pytest.approx(1.7)
    assert m2.at(12.4206 * 3600) == pytest.approx(1.7, abs=0.001)
    assert with_surge(m2, Series([0, 3600], [0, 1])).at(12.4206 * 3600) == pytest.approx(2.7, abs=0.001)
    with pytest.raises(InvalidInput, match="no constituent M9"):
        tide({"M9": (1, 0)}, 0, 10)
