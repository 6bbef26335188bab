"""The flow on a graphics card beside the processor's, in numba's simulator of one; and what is done without a card."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from twin.flood import Domain, InvalidInput, Simulation
from twin.flood.cuda import solver

ROOT = Path(__file__).resolve().parents[3]
CASES = [f"{case} {mode}" for mode in ("fast", "inertial") for case in ("lake", "dam", "rain", "coast")]
Found = dict[str, dict[str, float]]


@pytest.fixture(scope="module")
def found() -> Found:
    run = subprocess.run(
        [sys.executable, "-m", "tests.twin.flood.card"],
        cwd=ROOT,
        env=os.environ | {"NUMBA_ENABLE_CUDASIM": "1"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    told: Found = json.loads(run.stdout)
    return told


@pytest.mark.parametrize("case", CASES)
def test_a_card_finds_what_the_processor_finds(found: Found, case: str) -> None:
    """Depths to a thousandth of a millimetre, volumes by their terms, nothing lost, nothing below 0."""
    figures = found[case]
    assert figures["apart_m"] < 1e-6
    assert figures["terms_apart_m3"] < 1e-2
    assert figures["error"] < 1e-6
    assert figures["least_m"] >= 0
    assert (figures["moved_m"] == 0) == case.startswith("lake")


def test_a_card_is_taken_unasked_where_it_agrees_with_the_processor(found: Found) -> None:
    assert found["chosen"] == {"as_it_is": True, "spoilt": False}


def test_without_a_card_the_processor_computes_unless_it_is_insisted_on() -> None:
    pond = Domain(np.zeros((4, 4)), 10.0)
    assert not isinstance(Simulation(pond, mode="fast").solver, solver.CardSolver)
    with pytest.raises(InvalidInput, match="no graphics card answers"):
        Simulation(pond, mode="fast", device="card")
    with pytest.raises(InvalidInput, match="'full' runs on the processor"):
        Simulation(pond, mode="full", device="card")


def test_a_card_that_fails_is_left_with_a_word_why(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It says that it is there, and then has no driver to compile for."""
    monkeypatch.setattr(solver, "card_answers", lambda: True)
    monkeypatch.setattr(solver, "CELLS_WORTH_A_CARD", 1)
    with caplog.at_level(logging.WARNING):
        run = Simulation(Domain(np.zeros((4, 4)), 10.0), mode="fast", initial=1.0)
    assert "the graphics card is not used" in caplog.text
    run.run(10.0)
    assert run.depth.min() == 1.0
