"""Who serves from a home: one server at a time, holding a locked file that says where it is reached."""

import fcntl
import json
import os
import select
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from twin import TwinError

FILE = "server.json"
SIZE = 512
STOP_TIMEOUT_S = 30.0


class AlreadyServing(TwinError):
    """Another process serves from this home."""


class NotStopped(TwinError):
    """The server did not stop in time, or may not be stopped by this user."""


@dataclass(frozen=True)
class Serving:
    """A server at work; url is empty while it starts, pid 0 in its first moment. started_at: seconds since 1970."""

    pid: int
    url: str = ""
    started_at: float = 0.0


@contextmanager
def sole_server(home: Path) -> Iterator[Callable[[str], None]]:
    """Be the one server of `home` until the end of the block; call what it gives with the URL once that answers.

    The lock ends with the process, even by kill -9. Raises AlreadyServing.
    """
    descriptor = os.open(home / FILE, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyServing(f"{home}: {_where(_read(descriptor))}; stop it with `twin down`") from None

        def announce(url: str) -> None:
            _write(descriptor, Serving(os.getpid(), url, time.time()))

        _write(descriptor, Serving(os.getpid()))
        yield announce
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def who_serves(home: Path) -> Serving | None:
    """The server of `home`, None if none is at work."""
    try:
        descriptor = os.open(home / FILE, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(descriptor) or Serving(0)
    finally:
        os.close(descriptor)
    return None


def fell(home: Path) -> bool:
    """Whether the last server of `home` ended without stopping in order: one that does leaves the file empty."""
    try:
        return bool((home / FILE).stat().st_size) and who_serves(home) is None
    except FileNotFoundError:
        return False


def stop_server(server: Serving) -> None:
    """End a server and wait until its process is gone. Raises NotStopped."""
    if not server.pid:
        raise NotStopped("a server is just being started; try again")
    try:
        # A descriptor, not the number: that may be given to another process meanwhile.
        process = os.pidfd_open(server.pid)
    except ProcessLookupError:
        return
    try:
        signal.pidfd_send_signal(process, signal.SIGTERM)
        ended, _, _ = select.select([process], [], [], STOP_TIMEOUT_S)
    except PermissionError:
        raise NotStopped(f"process {server.pid} belongs to another user; stop it as that user: twin down") from None
    finally:
        os.close(process)
    if not ended:
        raise NotStopped(
            f"process {server.pid} has not ended in {STOP_TIMEOUT_S:.0f} s; if it must: kill -9 {server.pid}"
        )


def _where(server: Serving | None) -> str:
    if server is None or not server.url:
        return "a server is being started here"
    return f"a server is at work here, at {server.url} (process {server.pid})"


def _read(descriptor: int) -> Serving | None:
    try:
        return Serving(**json.loads(os.pread(descriptor, SIZE, 0)))
    except (ValueError, TypeError):
        # It holds the lock and has not written yet.
        return None


def _write(descriptor: int, server: Serving) -> None:
    # Always as long: written at once, it is never read in part.
    os.pwrite(descriptor, json.dumps(asdict(server)).encode().ljust(SIZE), 0)
