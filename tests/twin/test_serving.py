"""One server a home, and where it is; told by a lock that ends with its process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from twin.serving import AlreadyServing, NotStopped, Serving, sole_server, stop_server, who_serves

HOLD = """
import sys, time
from pathlib import Path
from twin.serving import sole_server
with sole_server(Path(sys.argv[1])) as announce:
    announce("http://x")
    print("serving", flush=True)
    time.sleep(60)
"""


def held(home: Path) -> subprocess.Popen[str]:
    """Another process that is the server of `home`."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(home)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "serving\n"
    return process


def test_nobody_serves_a_home_without_a_server(tmp_path: Path) -> None:
    assert who_serves(tmp_path) is None
    assert who_serves(tmp_path / "nowhere") is None


def test_a_server_is_found_once_it_is_announced(tmp_path: Path) -> None:
    with sole_server(tmp_path) as announce:
        starting = who_serves(tmp_path)
        assert starting == Serving(os.getpid())
        announce("http://127.0.0.1:8000")
        found = who_serves(tmp_path)
        assert found is not None
        assert found.url == "http://127.0.0.1:8000"
    assert who_serves(tmp_path) is None


def test_a_second_server_is_refused(tmp_path: Path) -> None:
    process = held(tmp_path)
    try:
        with pytest.raises(AlreadyServing, match="http://x"), sole_server(tmp_path):
            pass
    finally:
        process.kill()
        process.wait()
    # kill -9 ends the lock; what the file says no longer counts.
    assert (tmp_path / "server.json").read_text().strip()
    assert who_serves(tmp_path) is None
    with sole_server(tmp_path):
        pass


def test_stopping_waits_until_the_process_is_gone(tmp_path: Path) -> None:
    process = held(tmp_path)
    found = who_serves(tmp_path)
    assert found is not None
    stop_server(found)
    assert process.wait(1) == -15


def test_a_server_that_is_not_there_yet_or_no_longer_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotStopped, match="try again"):
        stop_server(Serving(0))
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    stop_server(Serving(gone.pid))
