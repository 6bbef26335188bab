"""What the documents show runs as it stands there, tells every setting, and leads to what there is."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.twin.conftest import Home
from twin.settings import Settings

REPOSITORY = Path(__file__).resolve().parents[2]
# To a place in this repository: what has a scheme leads elsewhere.
LINK = re.compile(r"\]\((?![a-z]+:|#)([^)\s]+)\)")
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


def test_every_setting_is_told() -> None:
    text = (REPOSITORY / "docs" / "operator.md").read_text(encoding="utf-8")
    assert [name for name in Settings.model_fields if f"`TWIN_{name.upper()}`" not in text] == []


def test_every_link_leads_somewhere() -> None:
    """From the README every page is reached, and no link between documents leads to a file that is not there."""
    seen: set[Path] = set()
    waiting, lost = [REPOSITORY / "README.md"], []
    while waiting:
        page = waiting.pop()
        if page in seen:
            continue
        seen.add(page)
        for target in LINK.findall(page.read_text(encoding="utf-8")):
            there = (page.parent / target.partition("#")[0]).resolve()
            if not there.exists():
                lost.append(f"{page.relative_to(REPOSITORY)}: {target}")
            elif there.is_dir():
                waiting += there.glob("*.md")
            elif there.suffix == ".md":
                waiting.append(there)
    assert lost == []
    assert set((REPOSITORY / "docs").glob("*.md")) <= seen
