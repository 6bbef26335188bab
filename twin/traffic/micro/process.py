"""SUMO's programs: where they are, and one of them run within bounds of time and memory."""

import os
import resource
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from twin.traffic.errors import TrafficError

MOST_BYTES = 4 << 30
LOOKED_EVERY_S = 0.2
TOLD_BYTES = 2000


class MicroUnavailable(TrafficError):
    """SUMO is not installed here."""


class MicroFailed(TrafficError):
    """A program of SUMO refused its input, or took too long; the message holds its last words."""


@dataclass(frozen=True)
class Sumo:
    """home: folder of its programs and data. version: as its package tells it."""

    home: Path
    version: str

    @classmethod
    def installed(cls) -> "Sumo":
        """Raises MicroUnavailable. Nothing of it is imported: a program of another licence stays a process."""
        spec = find_spec("sumo")
        for place in spec.submodule_search_locations or () if spec else ():
            if (Path(place) / "bin" / "sumo").is_file():
                try:
                    return cls(Path(place), version("eclipse-sumo"))
                except PackageNotFoundError:
                    continue
        raise MicroUnavailable('SUMO is not installed on this server; pip install "citytwin[sumo]" puts it there')

    def run(
        self,
        program: str,
        words: Sequence[str | Path],
        folder: Path,
        *,
        limit_s: float,
        told: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Run one to its end, in a folder. told: the end of what it printed, a few times a second; what it raises
        ends the program and goes on. Raises MicroFailed.
        """
        log = folder / f"{program}.log"
        environment = {"PATH": "/usr/bin:/bin", "SUMO_HOME": str(self.home), "LC_ALL": "C"}
        with log.open("wb") as out:
            process = subprocess.Popen(
                [str(self.home / "bin" / program), *map(str, words)],
                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, cwd=folder, env=environment,
            )  # fmt: skip
        begun = time.monotonic()
        try:
            _bound(process.pid)
            while process.poll() is None:
                told(_end_of(log))
                if time.monotonic() - begun > limit_s:
                    raise MicroFailed(f"{program}: not done in {limit_s:.0f} s; take a smaller area or less time")
                time.sleep(LOOKED_EVERY_S)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
        if process.returncode != 0:
            reason = _end_of(log).strip().replace(str(folder) + os.sep, "")
            raise MicroFailed(f"{program} ended with {process.returncode}: {reason[-500:]}")


def _bound(pid: int) -> None:
    """No more memory than MOST_BYTES, or what this process itself may take."""
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    most = min(each for each in (soft, hard, MOST_BYTES) if each != resource.RLIM_INFINITY)
    try:
        resource.prlimit(pid, resource.RLIMIT_DATA, (most, most))
    except ProcessLookupError:
        # It has already ended.
        return


def _end_of(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - TOLD_BYTES))
        return file.read().decode("utf-8", "replace")
