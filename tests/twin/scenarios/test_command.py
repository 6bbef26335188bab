"""`twin run NAME` and `twin jobs`, as people call them."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.twin.scenarios.conftest import Hook
from twin.cli import commands


@pytest.fixture
def called(hook: Hook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.chdir(tmp_path)
    return CliRunner(env={"TWIN_URL": hook.url, "TWIN_TOKEN": hook.tokens.editor, "COLUMNS": "200"})


def test_a_scenario_is_run_listed_and_dismissed(called: CliRunner, hook: Hook, tmp_path: Path) -> None:
    file = tmp_path / "inputs.json"
    file.write_text(json.dumps({"text": "from a file", "number": 1}), encoding="utf-8")
    done = called.invoke(commands, ["run", "echo", "--inputs", str(file), "--input", "number=4", "--wait"])
    assert done.exit_code == 0, done.output
    assert '"from a file"' in done.output
    assert "4.0" in done.output
    job = hook.run({"pause": 30})
    assert job in called.invoke(commands, ["jobs"]).output
    assert called.invoke(commands, ["jobs", "dismiss", job]).exit_code == 0
    assert hook.status(job)["status"] == "dismissed"


@pytest.mark.parametrize("words", [["--input", "number"], ["--input", "number=x"], ["--preset", "none"]])
def test_what_cannot_be_run_is_an_error_in_words(called: CliRunner, words: list[str]) -> None:
    done = called.invoke(commands, ["run", "echo", *words])
    assert done.exit_code != 0
    assert done.exception is not None
    assert any(word in str(done.exception) for word in ("KEY=VALUE", "number", "greeting"))
