"""A server of one's own from its first start to its end, killed on the way in every way there is."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import httpx
import pytest

from tests.twin.conftest import Home
from twin.serving import who_serves


@pytest.fixture(scope="module")
def home(new_home: Callable[..., Home]) -> Home:
    """A home whose server is up, without a city."""
    home = new_home(TWIN_WORKERS="2", TWIN_JOB_WORKERS="1")
    home.start()
    return home


def ready(home: Home) -> bool:
    url = home.server().url
    try:
        return httpx.get(f"{url}/health/ready", timeout=5).is_success
    except httpx.TransportError:
        return False


def served(home: Home) -> bool:
    server = who_serves(home.path)
    return server is not None and bool(server.url)


def eventually(done: Callable[[], bool], timeout_s: float = 30.0) -> None:
    until = time.monotonic() + timeout_s
    while not done():
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_new_home_is_served(home: Home) -> None:
    assert ready(home)
    status = home.twin("status")
    assert status.returncode == 0
    assert home.server().url in status.stdout
    assert "private PostgreSQL" in status.stdout
    # The token of the local user is theirs alone, and so is the log.
    assert (home.path / "token").stat().st_mode & 0o777 == 0o600
    assert (home.path / "logs" / "twin.log").stat().st_mode & 0o777 == 0o600


def test_what_computes_scenarios_is_kept_alive(home: Home) -> None:
    eventually(lambda: any("-m twin.scenarios" in command for command in home.processes().values()))
    victim = home.process("-m twin.scenarios")
    os.kill(victim, signal.SIGKILL)
    eventually(lambda: any("-m twin.scenarios" in c for pid, c in home.processes().items() if pid != victim))


def test_a_second_server_is_refused_and_told_where_the_first_is(home: Home) -> None:
    second = home.twin("up", "--port", "0")
    assert second.returncode == 1
    assert home.server().url in second.stderr
    assert ready(home)


def test_a_killed_server_process_starts_again(home: Home) -> None:
    victim = home.process("api.serve")
    os.kill(victim, signal.SIGKILL)
    # The other one goes on answering.
    eventually(lambda: ready(home))
    eventually(lambda: sum("api.serve" in command for command in home.processes().values()) == 2)
    assert victim not in home.processes()
    # What it had under way is no longer counted in /metrics.
    assert not list((home.path / "metrics").glob(f"gauge_live*_{victim}.db"))


def test_a_killed_postgres_comes_back(home: Home) -> None:
    postmaster = int((home.path / "postgres/data/postmaster.pid").read_text().split()[0])
    os.kill(postmaster, signal.SIGKILL)
    eventually(lambda: not ready(home))
    eventually(lambda: ready(home))


def test_kill_9_of_the_supervisor_leaves_only_the_database(home: Home) -> None:
    """The next start adopts it; without one, `twin down` ends it."""
    postgres = home.process("postgres -D")
    kill_supervisor(home, postgres)
    assert home.twin("status").returncode == 3
    home.start()
    assert ready(home)
    assert home.process("postgres -D") == postgres
    kill_supervisor(home, postgres)
    assert home.twin("down").returncode == 0
    assert home.processes() == {}
    again = home.twin("down")
    assert again.returncode == 0
    assert "nothing is running" in again.stdout


def kill_supervisor(home: Home, postgres: int) -> None:
    os.kill(home.server().pid, signal.SIGKILL)
    eventually(lambda: list(home.processes()) == [postgres])


def test_a_taken_port_is_told(new_home: Callable[..., Home], town_server: str) -> None:
    taken = httpx.URL(town_server).port
    done = new_home().twin("up", "--port", str(taken))
    assert done.returncode == 1
    assert f"port {taken}" in done.stderr
    assert "--port" in done.stderr


def test_a_server_in_the_foreground_ends_at_ctrl_c(new_home: Callable[..., Home], town_url: str) -> None:
    home = new_home(TWIN_DATABASE_URL=town_url, TWIN_CITIES="testing", TWIN_WORKERS="1")
    # As in a terminal: who runs tests in the background ignores Ctrl-C, and what is started there inherits that.
    command = ["env", "--default-signal=INT", sys.executable, "-m", "twin", "up", "--port", "0"]
    process = subprocess.Popen(command, env=home.environ, stdout=subprocess.PIPE, text=True)
    try:
        eventually(lambda: served(home), timeout_s=90)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    finally:
        process.kill()
    assert process.stdout is not None
    assert "CityTwin serves at http://127.0.0.1:" in process.stdout.read()
    assert home.processes() == {}
