"""The server process of one data directory: whether it runs, how it is started, ended and cleared away."""

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cim_models.embedded.home import ForeignDirectory, Owner, environment
from cim_models.embedded.postgres import MB, Installation

STOP_TIMEOUT_S = 60.0
LOG_LIMIT = 16 * MB


@dataclass(frozen=True)
class Postmaster:
    """A running server, as its postmaster.pid tells; while it starts, port is 0 and ready is False."""

    pid: int
    port: int
    listens: bool
    ready: bool


class ServerProcess:
    """The PostgreSQL that serves `data`; `name` is its cluster_name, by which its processes are told from others'."""

    def __init__(self, data: Path, name: str) -> None:
        self.data = data
        self.name = name
        self.log = data.parent / "server.log"
        self._child: subprocess.Popen[bytes] | None = None

    def running(self) -> Postmaster | None:
        """The server; None if postmaster.pid is missing or left over from one that was killed.

        Raises ForeignDirectory if somebody runs a server on this directory by hand.
        """
        # A dead child keeps its process id until it is asked for.
        if self._child is not None and self._child.poll() is not None:
            self._child = None
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            pid = int(lines[0])
        except (FileNotFoundError, NotADirectoryError, IndexError, ValueError):
            return None
        except PermissionError:
            raise ForeignDirectory(
                f"{self.data}: belongs to another user; run as that user, or name a home of your own:"
                " TWIN_HOME=/path/to/home"
            ) from None
        command = _command_line(pid)
        if f"-ccluster_name={self.name}" in command:
            port, _, listens, _, status = (*(line.strip() for line in lines[3:8]), "", "", "", "", "")[:5]
            return Postmaster(pid, int(port or 0), bool(listens), status == "ready")
        if Path(command[0]).name == "postgres" and not _serves_elsewhere(command, self.data):
            raise ForeignDirectory(
                f"{self.data}: another PostgreSQL (process {pid}) runs on it, which `twin` did not start;"
                f" stop it: kill -INT {pid}"
            )
        return None

    def launch(self, owner: Owner, server: Installation, settings: Mapping[str, str], alive: int) -> None:
        """Start the server; recovery from a crash may still be ahead of it.

        alive: descriptor of the locked file that tells whether any of its processes lives.
        """
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".log.1"))
        log = owner.open(self.log, os.O_WRONLY | os.O_APPEND)
        try:
            self._child = subprocess.Popen(
                [
                    server.binaries / "postgres",
                    *("-D", self.data),
                    *(f"-c{name}={value}" for name, value in settings.items()),
                ],
                **owner.identity(),
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(alive,),
                # Ctrl-C in the terminal is for the caller, who stops the server in order.
                start_new_session=True,
            )
        finally:
            os.close(log)

    def gone(self) -> bool:
        """Whether there is no server to wait for: it has ended, or never was."""
        return self.running() is None and self._child is None

    def log_end(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-10:])

    def shut_down(self, how: signal.Signals) -> None:
        """SIGINT: end connections, then stop. SIGQUIT: at once, recovering at the next start."""
        for signal_number in (how, signal.SIGQUIT):
            if server := self.running():
                os.kill(server.pid, signal_number)
            elif self._child is not None:
                self._child.send_signal(signal_number)
            if wait(self.gone, STOP_TIMEOUT_S):
                return

    def end_orphans(self, alive: int) -> None:
        """Lock the file that every process of the server holds, ending those that outlived their postmaster.

        Raises ForeignDirectory if somebody holds it whom this machine does not see.
        """
        for how in (signal.SIGQUIT, signal.SIGKILL):
            if try_lock(alive):
                return
            # What they do is lost already: without its postmaster nobody can reach a backend.
            for pid in self._orphans():
                os.kill(pid, how)
            if wait(lambda: try_lock(alive), 10.0):
                return
        raise ForeignDirectory(
            f"{self.data}: in use by a PostgreSQL that this machine does not see, perhaps in another container;"
            " stop it there"
        )

    def _orphans(self) -> list[int]:
        pids = (int(entry) for entry in os.listdir("/proc") if entry.isdigit())
        return [pid for pid in pids if _command_line(pid)[0].startswith(f"postgres: {self.name}: ")]


def try_lock(descriptor: int) -> bool:
    """Lock a file exclusively, if nobody holds it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def wait(done: Callable[[], bool], timeout_s: float) -> bool:
    """Ask until it is done, at most for so long; whether it is."""
    until = time.monotonic() + timeout_s
    while not done():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def _command_line(pid: int) -> list[str]:
    """Command line of a process; [""] if it is gone, or dead and not yet collected."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return [""]


def _serves_elsewhere(command: list[str], data: Path) -> bool:
    """Whether a postgres command line names another data directory: the process id was used again."""
    named = command[command.index("-D") + 1] if "-D" in command[:-1] else ""
    if not named.startswith("/"):
        return False
    try:
        return not os.path.samefile(named, data)
    except OSError:
        return True
