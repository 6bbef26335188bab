"""Notebooks run from top to bottom in a kernel of their own; those that need real data or minutes are tried by hand."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from cim_models.database import Database
from layers.tokens import create_token
from tests import coast
from tests.serve import serving

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"


def run(name: str, folder: Path, given: str = "") -> str:
    """Run a notebook in a folder, with other values after the cell that is tagged `parameters`; what it printed."""
    notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    if given:
        tagged = [n for n, cell in enumerate(notebook.cells) if "parameters" in cell.metadata.get("tags", [])]
        notebook.cells.insert(tagged[0] + 1, nbformat.v4.new_code_cell(given))
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    return "".join(output.text for output in outputs if output.get("name") == "stdout")


@pytest.fixture
def coast_city(new_city: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server of the small coast, the process that computes its runs, and a token that may run, found by the SDK."""
    url, files = new_city(), tmp_path / "data" / "testing"
    files.mkdir(parents=True)
    coast.fill(url, files)
    settings = {"TWIN_CITIES": "testing", "TWIN_LOG_LEVEL": "error"}
    environ = os.environ | settings | {"TWIN_DATABASE_URL": url, "TWIN_DATA": str(tmp_path / "data")}
    with serving(url, files, **settings) as address:
        monkeypatch.setenv("TWIN_URL", address)
        monkeypatch.setenv("TWIN_TOKEN", asyncio.run(_editor(url)))
        worker = subprocess.Popen([sys.executable, "-m", "twin.scenarios"], env=environ)
        try:
            yield
        finally:
            worker.terminate()
            assert worker.wait(30) == 0


async def _editor(url: str) -> str:
    database = await Database.open(url)
    try:
        async with database.writing() as connection:
            return await create_token(connection, "an editor", "editor")
    finally:
        await database.close()


def test_the_first_look_runs(town_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_URL", town_server)
    printed = run("first_look", tmp_path)
    assert "made up, nothing in it is real" in printed
    assert "middle.gpkg" in printed


@pytest.mark.usefixtures("coast_city")
def test_the_typhoon_floods_a_small_coast(tmp_path: Path) -> None:
    printed = run("typhoon", tmp_path, "name, resolution_m = None, 60")
    assert "most people have water at their walls" in printed


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_outputs_belong_to_who_runs_it(path: Path) -> None:
    """A notebook of the repository is whole, and holds no outputs."""
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert all(not cell.get("outputs") for cell in notebook.cells)
