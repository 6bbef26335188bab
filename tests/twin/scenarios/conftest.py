"""A server of the town and the process that computes its runs, as `twin up` starts them."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from socket import socket
from typing import Any

import httpx
import psycopg
import pytest

from cim_models.database import Database
from tests import town
from tests.serve import serving

CALLBACK_KEY = "a key of sixteen letters"
SETTINGS = {
    "TWIN_CITIES": "testing",
    "TWIN_LOG_LEVEL": "error",
    "TWIN_CALLBACK_KEY": CALLBACK_KEY,
    "TWIN_JOBS_QUEUED": "3",
    "TWIN_JOB_MEMORY": str(2**30),
    "TWIN_JOB_DISK": str(2**22),
    "TWIN_CORES": "2",
}
OVER = ("successful", "failed", "dismissed")


@dataclass
class Hook:
    """The server's address, tokens of each role, and how a worker is started. listening: a port for callbacks."""

    url: str
    database_url: str
    data: Path
    tokens: town.Tokens
    environ: dict[str, str]
    client: httpx.Client
    listening: int
    worker: subprocess.Popen[bytes] | None = None

    def ask(self, method: str, path: str, token: str | None = None, **kwargs: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token or self.tokens.editor}"} | kwargs.pop("headers", {})
        return self.client.request(method, self.url + path, headers=headers, **kwargs)

    def run(self, inputs: dict[str, Any], name: str = "echo", query: str = "", **body: Any) -> str:
        """The id of a job that was asked for."""
        answer = self.ask(
            "POST", f"/processes/{name}/execution{query}", json={"inputs": inputs, **body},
            headers={"Prefer": "respond-async"},
        )  # fmt: skip
        assert answer.status_code == 201, answer.text
        assert answer.headers["location"] == f"{self.url}/jobs/{answer.json()['jobID']}"
        return str(answer.json()["jobID"])

    def status(self, job: str) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("GET", f"/jobs/{job}").json()
        return found

    def until(self, job: str, *states: str, timeout_s: float = 60.0) -> dict[str, Any]:
        """The status of a job once it is in one of the states."""
        eventually(lambda: self.status(job)["status"] in (states or OVER), timeout_s)
        return self.status(job)

    def processes(self, job: str) -> list[int]:
        """The processes that have a job's log open: those that compute it."""
        log = self.data / "testing" / "runs" / job / "run.log"
        found = []
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.readlink(f"/proc/{entry}/fd/1") == str(log):
                    found.append(int(entry))
            except OSError:
                continue
        return found

    def start_worker(self) -> None:
        self.worker = subprocess.Popen([sys.executable, "-m", "twin.scenarios"], env=self.environ)

    def stop_worker(self) -> None:
        assert self.worker is not None
        self.worker.terminate()
        # Told before it had begun, it ends by the signal itself.
        assert self.worker.wait(30) in (0, -signal.SIGTERM)

    def kill_worker(self) -> None:
        assert self.worker is not None
        self.worker.send_signal(signal.SIGKILL)
        self.worker.wait()


def eventually(done: Callable[[], bool], timeout_s: float = 60.0) -> None:
    until = time.monotonic() + timeout_s
    while not done():
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.fixture(scope="session")
def hook(new_city: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hook]:
    """The town with its server and a worker."""
    url, data = new_city(), tmp_path_factory.mktemp("data")
    town.fill(url)
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        listening = probe.getsockname()[1]
    settings = SETTINGS | {"TWIN_REMOTE_HOSTS": f"127.0.0.1:{listening}"}
    environ = os.environ | settings | {"TWIN_DATABASE_URL": url, "TWIN_DATA": str(data)}
    with serving(url, data / "testing", **settings) as address, httpx.Client(timeout=60) as client:
        opened = Hook(address, url, data, asyncio.run(_tokens(url)), environ, client, listening)
        opened.start_worker()
        try:
            yield opened
        finally:
            opened.stop_worker()


async def _tokens(url: str) -> town.Tokens:
    database = await Database.open(url)
    try:
        return await town.make_tokens(database)
    finally:
        await database.close()


@pytest.fixture
def rows(hook: Hook) -> Iterator[psycopg.Connection]:
    """The database behind it."""
    with psycopg.connect(hook.database_url, autocommit=True) as connection:
        yield connection
