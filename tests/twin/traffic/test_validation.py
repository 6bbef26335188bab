"""The command that shows how far the engine may be trusted."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from twin.cli import commands
from twin.traffic.validation import cases


def test_the_command_prints_every_case_writes_the_page_and_fails_if_one_is_not_met(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One objective is made wrong on purpose; the largest network and the town stand in tests of their own."""
    monkeypatch.setattr(cases, "BEST_KNOWN", {"SiouxFalls": 1.0, "Anaheim": cases.BEST_KNOWN["Anaheim"]})
    monkeypatch.setattr(cases, "wildau_counts", lambda folder: iter(()))
    page = tmp_path / "accuracy.md"
    result = CliRunner().invoke(commands, ["traffic", "validate", "--data", str(shared_data), "--write", str(page)])
    assert result.exit_code != 0
    assert "1 of " in str(result.exception)
    assert result.output.count("NOT") == 1
    for words in ("Anaheim: objective", "Braess", "all trips accounted for", "Lyon, Cours Lafayette"):
        assert words in result.output
    assert page.read_text().count("**no**") == 1
    assert {each.name for each in (tmp_path / "images").iterdir()} == {
        "traffic-convergence.png", "traffic-flows.png", "traffic-lyon.png",
    }  # fmt: skip
