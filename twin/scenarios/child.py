"""The process that computes one run, forked from one that has loaded all that a run may need.

It is a process of its own so that a crash, a lack of memory or an endless loop ends the run and nothing else.
"""

import os
import resource
import signal
import time
import traceback
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from twin.process import die_with_parent, leave
from twin.scenarios.inputs import Words
from twin.scenarios.protocol import Dismissed
from twin.scenarios.reasons import REFUSALS, reason_of

TOLD_EVERY_S = 0.2
FAILED, DISMISSED = 1, 3


@dataclass(frozen=True)
class Call:
    """What is to be computed. url: of the city's database. files: its folder. memory, disk: bytes. kept_s: of the
    result."""

    url: str
    files: str
    run: str
    log: str
    cores: int
    memory: int
    disk: int
    kept_s: float


class Reporter:
    """The progress of a run, told to the worker a few times a second."""

    def __init__(self, worker: Connection) -> None:
        self._worker = worker
        self._told = 0.0
        self._dismissed = False
        signal.signal(signal.SIGTERM, self._dismiss)

    def __call__(self, fraction: float, message: Words | str = "") -> None:
        """Raises Dismissed once the worker has said so."""
        if self._dismissed:
            raise Dismissed
        now = time.monotonic()
        if now - self._told >= TOLD_EVERY_S:
            self._told = now
            words = Words(message, message) if isinstance(message, str) else message
            self.tell(progress=min(1.0, max(0.0, float(fraction))), message=words._asdict() if words.en else None)

    def tell(self, **said: Any) -> None:
        try:
            self._worker.send(said)
        except BrokenPipeError:
            # The worker is gone, and with it whoever wanted this.
            raise Dismissed from None

    def _dismiss(self, *_: object) -> None:
        self._dismissed = True


def main(call: Call, worker: Connection) -> None:
    """Compute a run; tell the worker of it."""
    # A group of its own, so that the programs that it starts end with it.
    os.setsid()
    die_with_parent()
    parent = parent_process()
    if parent is None or not parent.is_alive():
        leave(FAILED)
    from twin.scenarios import compute

    reporter = Reporter(worker)
    _redirect(Path(call.log))
    _limit(call)
    try:
        compute.compute(call, reporter)
    except Dismissed:
        leave(DISMISSED)
    except Exception as error:
        if not isinstance(error, REFUSALS):
            traceback.print_exc()
        reporter.tell(failed=reason_of(error, call.memory, call.disk)._asdict())
        leave(FAILED)
    leave(0)


def _redirect(log: Path) -> None:
    """What a library prints belongs into the run's log, not among what is told to the worker."""
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)


def _limit(call: Call) -> None:
    """What is asked for beyond the limits is refused, which a program can tell."""
    # Not the address space: CUDA and thread arenas reserve far more of that than they ever use.
    resource.setrlimit(resource.RLIMIT_DATA, (call.memory, call.memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (call.disk, call.disk))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
