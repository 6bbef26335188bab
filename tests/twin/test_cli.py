"""The command's manners: exit statuses, one clear line for an error, a traceback only when asked for."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.twin.conftest import Home
from twin.loading import LoadError

LIGHT = ("httpx", "typer", "rich")


@pytest.fixture(scope="module")
def empty(new_home: Callable[..., Home]) -> Home:
    """A home in which nothing was ever made."""
    return new_home()


def test_help_is_there_at_once_and_loads_no_server() -> None:
    script = (
        "import sys; sys.argv = ['twin', '--help']\n"
        "from twin.cli import app\n"
        "try: app()\n"
        "except SystemExit: pass\n"
        "print([name for name in ('sqlalchemy', 'psycopg', 'pydantic', 'httpx', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    for verb in ("run", "up", "down", "status", "init", "load", "demo", "layers", "export", "token", "doctor"):
        assert verb in done.stdout


def test_the_light_install_names_what_is_missing(tmp_path: Path) -> None:
    """With the server's packages hidden, a verb of the server says how to install them, and help still works."""
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "for name in ('sqlalchemy', 'psycopg', 'asyncpg', 'pydantic', 'pydantic_settings', 'pyarrow', 'numpy'):\n"
        "    sys.modules[name] = None\n"
    )
    for words, status in ((["up"], 1), (["token", "list"], 1), (["--help"], 0)):
        done = subprocess.run(
            [sys.executable, "-m", "twin", *words],
            env={"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin", "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status
        if status:
            assert 'pip install "citytwin[server]"' in done.stderr
            assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["status"], 3, ""),
        (["down"], 0, ""),
        (["token", "list"], 1, "twin demo"),
        (["layers"], 1, "twin up"),
        (["export", "buildings", "b.gpkg", "--bbox", "1,2"], 2, "west,south,east,north"),
        (["load", "missing.gpkg"], 1, "missing.gpkg: no such file"),
        (["load", "lyon"], 1, "--data"),
        (["run", "--city", "lyon"], 1, "--data"),
        (["init", "x", "--metric-crs", "EPSG:4326"], 1, "EPSG:4549"),
        (["init", "x", "--metric-crs", "nonsense"], 2, "EPSG"),
        (["init", "x", "--metric-crs", "EPSG:4549", "--zone", "Mars/Olympus"], 2, "time zone"),
        (["demo", "--buildings", "1"], 2, "500"),
        (["nonsense"], 2, "nonsense"),
    ],
)
def test_refusals_are_one_clear_line(empty: Home, words: list[str], status: int, said: str) -> None:
    done = empty.twin(*words)
    assert done.returncode == status, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    if status == 1:
        assert len(done.stderr.strip().splitlines()) == 1


def test_looking_makes_nothing(empty: Home) -> None:
    for words in (["status"], ["token", "list"], ["doctor"], ["layers"]):
        empty.twin(*words)
    assert not empty.path.exists()


@pytest.mark.parametrize("words", [("load", "missing.gpkg", "--verbose"), ("--verbose", "load", "missing.gpkg")])
def test_verbose_shows_where_an_error_came_from(empty: Home, words: tuple[str, ...]) -> None:
    with pytest.raises(LoadError):
        empty.twin(*words)


def test_a_wrong_setting_is_named(new_home: Callable[..., Home]) -> None:
    done = new_home(TWIN_PORT="many").twin("status")
    assert done.returncode == 1
    assert "TWIN_PORT" in done.stderr


def test_an_own_database_that_is_away_is_told(new_home: Callable[..., Home]) -> None:
    home = new_home(TWIN_DATABASE_URL="postgresql://nobody:secret@127.0.0.1:1/city")
    done = home.twin("up", "--port", "0")
    assert done.returncode == 1
    assert "does not answer" in done.stderr
    assert "secret" not in done.stderr
    doctor = home.twin("doctor")
    assert doctor.returncode == 1
    assert "start it, or correct the URL" in doctor.stdout


def test_doctor_finds_this_machine_well(empty: Home) -> None:
    done = empty.twin("doctor")
    assert "PostGIS in" in done.stdout
    assert "EPSG:4490 to EPSG:4549" in done.stdout


def test_tokens_are_made_listed_and_ended(town_home: Home) -> None:
    made = town_home.twin("token", "create", "planner", "--days", "2")
    assert made.returncode == 0, made.stderr
    assert made.stdout.startswith("twin_")
    listed = town_home.twin("token", "list").stdout
    assert made.stdout.strip() not in listed
    number = next(line.split()[0] for line in listed.splitlines() if "planner" in line)
    assert town_home.twin("token", "revoke", number).returncode == 0
    assert "revoked" in town_home.twin("token", "list").stdout
    assert town_home.twin("token", "revoke", number).returncode == 1
    assert town_home.twin("token", "create", "x", "--role", "emperor").returncode == 1


def test_how_long_readings_are_kept_is_told_and_changed(town_home: Home) -> None:
    assert "for ever" in town_home.twin("sensors", "keep", "energy").stdout
    for words, said in ((["energy", "24"], "24 months"), (["energy", "0"], "for ever")):
        done = town_home.twin("sensors", "keep", *words)
        assert (done.returncode, said in done.stdout) == (0, True), done.stderr
    unknown = town_home.twin("sensors", "keep", "gossip", "2")
    assert (unknown.returncode, "there are air_quality" in unknown.stderr.replace("\n", " ")) == (1, True)


def test_layers_are_listed(town_home: Home) -> None:
    done = town_home.twin("layers")
    assert done.returncode == 0, done.stderr
    assert "建筑" in done.stdout
