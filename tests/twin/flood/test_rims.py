"""What comes through the rim faster than its waves."""

import numpy as np
import pytest

from twin.flood import Domain, Rim, Simulation, constant
from twin.flood.cpu.solver import Mode

SPEED, DEPTH = 8.0, 0.5
SEQUENT = DEPTH / 2 * (np.sqrt(1 + 8 * SPEED**2 / (9.81 * DEPTH)) - 1)


def jet_into(pond: float, mode: Mode) -> np.ndarray:
    """Depths along 60 m of level ground under a pond of a depth, after a minute of a jet that comes into it."""
    rims = [
        Rim("west", "discharge", constant(SPEED * DEPTH), depth=DEPTH, name="jet"),
        Rim("east", "level", constant(pond), name="tail"),
    ]
    run = Simulation(Domain(np.zeros((1, 60)), 1.0, manning=0.0), mode=mode, initial=pond, rims=rims)
    run.run(60.0)
    assert abs(run.result().balance.error) < 1e-6
    return run.depth[0]


@pytest.mark.parametrize("mode", ["full", "fast"])
def test_a_jet_pushes_the_water_before_it_away_up_to_its_sequent_depth(mode: Mode) -> None:
    """Belanger: a jump stands where the water behind it is of the sequent depth; what is thinner is swept out."""
    swept = jet_into(0.7 * SEQUENT, mode)
    assert swept[:25] == pytest.approx(DEPTH, rel=0.01)
    drowned = jet_into(1.15 * SEQUENT, mode)
    assert drowned.min() > SEQUENT


@pytest.mark.parametrize("mode", ["full", "fast", "inertial"])
def test_a_rim_takes_no_more_than_there_is(mode: Mode) -> None:
    """1,000 m3 in a channel of 10 x 100 m, of which 5,000 are asked: almost all of it is taken, and nothing is owed."""
    taken = Rim("west", "discharge", constant(-0.5), name="taken")
    run = Simulation(Domain(np.zeros((1, 10)), 10.0), mode=mode, initial=1.0, rims=[taken])
    balance = run.run(1000.0).balance
    assert -1000 < balance.terms["taken"] < -950
    assert balance.stored == pytest.approx(1000 + balance.terms["taken"], abs=1e-3)
