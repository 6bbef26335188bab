"""A server of one city in a process of its own (python -m tests.serve URL PORT), for clients that need real HTTP."""

import asyncio
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import socket

import uvloop

from api.app import create_app
from api.serve import open_server
from twin.directory import CityPlace
from twin.settings import Settings


class OneCity:
    """A directory of one city, whatever else lies in the cluster."""

    def __init__(self, url: str, files: Path) -> None:
        self.place = CityPlace("town", url, files)

    def cities(self) -> list[CityPlace]:
        return [self.place]


@contextmanager
def serving(url: str, files: Path = Path("unused"), **environ: str) -> Iterator[str]:
    """A server of the city at `url`; gives its address, and stops it afterwards. files: the city's own folder."""
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "tests.serve", url, str(port), str(files)]
    process = subprocess.Popen(command, env=os.environ | environ)
    address = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + 120
        while not _answers(address):
            assert process.poll() is None, "the server ended"
            assert time.monotonic() < until, "the server does not answer"
            time.sleep(0.05)
        yield address
    finally:
        process.terminate()
        assert process.wait(30) == 0


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/health/live", timeout=2):
            return True
    except (urllib.error.URLError, TimeoutError):
        return False


async def main(url: str, port: int, files: Path) -> None:
    settings = Settings(database_url=url, log_level="error")
    server = open_server(create_app(settings, OneCity(url, files)), "127.0.0.1", port)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.stop)
    await server.serve()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])))
