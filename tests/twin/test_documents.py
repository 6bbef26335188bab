"""What the documents and the notebook show runs as it stands there, and tells every setting."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.twin.conftest import Home
from twin.settings import Settings

REPOSITORY = Path(__file__).resolve().parents[2]
PYTHON = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture
def here(town_home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to run examples in, with the town's server found by itself."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TWIN_HOME", town_home.environ["TWIN_HOME"])
    monkeypatch.delenv("TWIN_URL", raising=False)
    return tmp_path


def run(blocks: list[str], name: str) -> dict[str, Any]:
    scope: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, name, "exec"), scope)
    return scope


def test_the_developers_examples_run(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = PYTHON.findall((REPOSITORY / "docs" / "developer.md").read_text(encoding="utf-8"))
    assert len(blocks) >= 3
    run(blocks, "docs/developer.md")
    assert "testing" in capsys.readouterr().out
    assert (here / "buildings.html").exists()


def test_the_notebook_runs(here: Path) -> None:
    notebook = json.loads((REPOSITORY / "notebooks" / "first_look.ipynb").read_text(encoding="utf-8"))
    blocks = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    scope = run(blocks, "first_look.ipynb")
    assert len(scope["frame"]) > 0
    assert scope["file"].exists()
    # Outputs belong to who runs it, not into the repository.
    assert all(not cell.get("outputs") for cell in notebook["cells"])


def test_every_setting_is_told() -> None:
    text = (REPOSITORY / "docs" / "operator.md").read_text(encoding="utf-8")
    assert [name for name in Settings.model_fields if f"`TWIN_{name.upper()}`" not in text] == []
