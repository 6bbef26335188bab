"""The command as people call it, for a home of a test's own, and the server that it starts."""

import io
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from twin.cli import app
from twin.serving import Serving, who_serves

NUMBERS = count(1)
# What a developer has set for a twin of their own must not reach the tests'.
# Hardly any test asks for ways.
QUICKLY = {"TWIN_WAYS_AHEAD": "false"}
OWN_ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("TWIN_")}


@dataclass(frozen=True)
class Done:
    """What a call of the command came to."""

    returncode: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Home:
    """A twin's home, and the command called for it."""

    path: Path
    environ: dict[str, str]

    def twin(self, *words: str) -> Done:
        """`twin WORDS`, in this process: starting another for each would take minutes in all."""
        output, errors = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(output), redirect_stderr(errors):
            patch.setattr(os, "environ", self.environ)
            patch.setattr(sys, "argv", ["twin", *words])
            patch.chdir(self.path.parent)
            try:
                app()
                status = 0
            except SystemExit as end:
                status = int(end.code or 0)
        return Done(status, output.getvalue(), errors.getvalue())

    def start(self, *words: str) -> str:
        """`twin up` in the background, on a free port; the server's URL."""
        done = self.twin("up", "--detach", "--port", "0", *words)
        assert done.returncode == 0, done.stderr + self.log()
        return self.server().url

    def server(self) -> Serving:
        """The server at work here; fails if there is none."""
        found = who_serves(self.path)
        assert found is not None, self.log()
        return found

    def log(self) -> str:
        file = self.path / "logs" / "twin.log"
        return file.read_text() if file.exists() else ""

    def processes(self) -> dict[int, str]:
        """Every living process of this home, with its command line."""
        found = {}
        for entry in filter(str.isdigit, os.listdir("/proc")):
            process = Path("/proc", entry)
            try:
                command = process.joinpath("cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                environ = process.joinpath("environ").read_bytes().decode(errors="replace").split("\0")
            except OSError:
                continue
            if command and (f"TWIN_HOME={self.path}" in environ or f"{self.path}/postgres/" in command):
                found[int(entry)] = command
        return found

    def process(self, name: str) -> int:
        """One process whose command line holds `name`."""
        return next(pid for pid, command in self.processes().items() if name in command)


@pytest.fixture(scope="session")
def new_home(open_folder: Path) -> Iterator[Callable[..., Home]]:
    """Homes of tests' own; what still runs in one is stopped at the end, and then nothing of it may be left."""
    with homes_in(open_folder) as make:
        yield make


@pytest.fixture(scope="session")
def memory_home() -> Iterator[Callable[..., Home]]:
    """The same in the machine's memory, where to wait for the disk takes no time."""
    with tempfile.TemporaryDirectory(prefix="citytwin-test-", dir="/dev/shm") as folder:
        Path(folder).chmod(0o755)
        with homes_in(Path(folder)) as make:
            yield make


@contextmanager
def homes_in(folder: Path) -> Iterator[Callable[..., Home]]:
    made: list[Home] = []

    def make(**environ: str) -> Home:
        path = folder / f"twin {next(NUMBERS)}"
        # To get ready to compute scenarios takes both cores for seconds, which few tests need.
        made.append(Home(path, OWN_ENVIRONMENT | {"TWIN_HOME": str(path), "TWIN_JOB_WORKERS": "0"} | QUICKLY | environ))
        return made[-1]

    yield make
    for home in made:
        if home.path.exists():
            home.twin("down")
            assert home.processes() == {}


@pytest.fixture(scope="session")
def town_home(new_home: Callable[..., Home], town_url: str) -> Home:
    """A home whose server serves the hand-made town, from a database that it does not manage."""
    home = new_home(TWIN_DATABASE_URL=town_url, TWIN_CITIES="testing", TWIN_WORKERS="1")
    home.start()
    return home


@pytest.fixture(scope="session")
def town_server(town_home: Home) -> str:
    """The URL of the town's server."""
    return town_home.server().url
