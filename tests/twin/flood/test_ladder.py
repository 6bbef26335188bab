"""The ladder of cases with an outside answer, each figure of it, and the command that writes it up."""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from twin.cli import commands
from twin.flood.validation import analytic, benchmarks, cities, ladder, laws, real
from twin.flood.validation.rows import Curves, Row


def unmet(found: Iterable[Row | Curves]) -> list[Row]:
    rows = [each for each in found if isinstance(each, Row)]
    assert rows
    return [row for row in rows if not row.good]


@pytest.mark.parametrize("case", ladder.CASES, ids=lambda case: str(case.__name__))
def test_every_figure_is_met(case: Callable[[], Iterable[Row | Curves]]) -> None:
    assert not unmet(case())


def test_long_channels_follow_macdonald(shared_data: Path) -> None:
    assert not unmet(analytic.channels(shared_data / "flood" / "macdonald"))


def test_a_plain_floods_as_fast_as_by_another_model() -> None:
    """EA Test 4 until the water has come to its last point."""
    rows = benchmarks.plain(1.15)
    assert len(rows) == 2
    assert not unmet(rows)


def test_dam_failure_fills_the_valley_as_the_reference_does(shared_data: Path) -> None:
    """Peaks and arrivals within 90 min; p4 and p5 lie lower down the valley, and the ladder waits 30 h for them."""
    found = real.valley(shared_data / "flood" / "ea5", hours=1.5)
    early = [row for row in found.rows() if row.figure[:2] in {"p1", "p2", "p3", "p6", "p7"}]
    assert len(early) == 10
    assert not unmet(early)
    assert abs(found.result.balance.error) < 1e-6


def test_a_ward_fills_to_its_official_depth(shared_data: Path) -> None:
    """Koto on cells of 150 m: ground between buildings is coarser then, so its depths may be some centimetres worse."""
    found = cities.ward(shared_data / "tokyo_koto", hours=6.0, cell=150.0)
    assert len(found.official) == 27_730
    coarse = [row for row in unmet(found.rows()) if row.figure != "the same within the planned flood"]
    assert not coarse


def test_two_rivers_rise_and_leave_the_city_again(shared_data: Path) -> None:
    found = cities.town(shared_data / "lyon", hours=2.0, cell=60.0)
    assert not unmet(found.rows(found))
    slow = cities.town(shared_data / "lyon", hours=2.0, mode="inertial", cell=60.0)
    assert [row for row in slow.rows(found) if "beside full" in row.figure]


def test_agreement_counts_hits_and_misses_as_a_table_of_four_does() -> None:
    """Two hits, a miss and a false alarm: hit rate 2/3, CSI 2/4; depths are compared where both are wet."""
    same = cities.Agreement.of(np.array([1.0, 0.6, 0.4, 0.9]), np.array([0.8, 0.7, 0.6, 0.1]), 0.5)
    assert (same.hit, same.csi) == (2 / 3, 0.5)
    assert same.bias == pytest.approx(0.05)
    assert same.error == pytest.approx(0.15)


def test_the_command_prints_every_case_writes_the_page_and_fails_if_one_is_not_met(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One aim is made too hard on purpose; the valley and the street only begin."""
    monkeypatch.setattr(ladder, "CASES", (analytic.dam_breaks, laws.losses))
    monkeypatch.setattr(analytic, "DAM_BREAK", {"full": 1e-9})
    monkeypatch.setattr(analytic, "channels", lambda folder: iter(()))
    page = tmp_path / "accuracy.md"
    asked = ["flood", "validate", "--data", str(shared_data), "--quick", "--write", str(page)]
    result = CliRunner().invoke(commands, asked)
    assert result.exit_code != 0
    assert "3 of " in str(result.exception)
    assert result.output.count("NOT") == 3
    for words in ("Ritter, dry dam break, full", "Green-Ampt", "L1 error"):
        assert words in result.output
    assert page.read_text(encoding="utf-8").count(", not met**") == 3
    assert {each.name for each in (tmp_path / "images").iterdir()} == {
        "flood-dam-breaks.png", "flood-valley.png", "flood-merewether.png",
    }  # fmt: skip
