"""Keeps a server's processes alive: starts them, starts them again when they end, stops them all in order."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from twin import TwinError
from twin.logfile import LogFile
from twin.process import PARENT

FIRST_DELAY_S = 0.25
LONGEST_DELAY_S = 30.0
# A process that lived this long was well; its next fall starts counting anew.
SOUND_AFTER_S = 30.0
HOPELESS_AFTER = 3
STOP_TIMEOUT_S = 8.0
START_TIMEOUT_S = 120.0
LONGEST_LINE = 1024**2


class StartFailed(TwinError):
    """A process ends again and again before the server has answered once."""


@dataclass(eq=False)
class Program:
    """A process to keep alive."""

    name: str
    command: Sequence[str]
    falls: int = 0
    process: asyncio.subprocess.Process | None = None
    last_line: str = "it said nothing"


class Supervisor:
    """Runs programs side by side, each in a session of its own, their output gathered in one log.

    ended: called with the id of each process that is gone.
    """

    def __init__(
        self, environ: Mapping[str, str], log: LogFile, ended: Callable[[int], object] = lambda _: None
    ) -> None:
        self._ended = ended
        self._environ = {**environ, PARENT: str(os.getpid())}
        self._log = log
        self._stopping = asyncio.Event()
        self._programs: dict[Program, asyncio.Task[None]] = {}

    def keep(self, program: Program) -> None:
        """Start a program, and again whenever it ends, later each time."""
        self._programs[program] = asyncio.create_task(self._keep(program))

    async def wait_until(self, answers: Callable[[], Awaitable[bool]], timeout_s: float = START_TIMEOUT_S) -> None:
        """Wait until `answers`. Raises StartFailed when a program keeps ending before, or time is over."""
        until = time.monotonic() + timeout_s
        while not await answers():
            fallen = next((program for program in self._programs if program.falls >= HOPELESS_AFTER), None)
            if fallen is not None:
                raise StartFailed(f"{fallen.name} does not start ({fallen.last_line}); see {self._log.path}")
            if time.monotonic() > until:
                raise StartFailed(f"the server does not answer after {timeout_s:.0f} s; see {self._log.path}")
            await asyncio.sleep(0.05)

    async def stop(self, timeout_s: float = STOP_TIMEOUT_S) -> None:
        """End all programs: politely, and after `timeout_s` at once."""
        self._stopping.set()
        waiting = set(self._programs.values())
        for how, patience in ((signal.SIGTERM, timeout_s), (signal.SIGKILL, None)):
            for program in self._programs:
                if program.process is not None and program.process.returncode is None:
                    with contextlib.suppress(ProcessLookupError):
                        os.killpg(program.process.pid, how)
            if waiting:
                _, waiting = await asyncio.wait(waiting, timeout=patience)

    async def _keep(self, program: Program) -> None:
        delay = FIRST_DELAY_S
        while not self._stopping.is_set():
            began = time.monotonic()
            code = await self._run_once(program)
            if self._stopping.is_set():
                return
            if time.monotonic() - began > SOUND_AFTER_S:
                delay = FIRST_DELAY_S
            program.falls += 1
            self._log.event("process ended", "warning", process=program.name, status=code, again_in_s=delay)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), delay)
            delay = min(2 * delay, LONGEST_DELAY_S)

    async def _run_once(self, program: Program) -> int:
        program.process = process = await asyncio.create_subprocess_exec(
            *program.command,
            env=self._environ,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            # Ctrl-C in the terminal is for the supervisor, which stops its programs in order.
            start_new_session=True,
        )
        self._log.event("process started", process=program.name, pid=process.pid)
        if self._stopping.is_set():
            # Not politely: while it stops, this process ignores signals, and a child inherits that.
            process.kill()
        assert process.stdout is not None
        await self._gather(process.stdout, program)
        code = await process.wait()
        self._ended(process.pid)
        return code

    async def _gather(self, stream: asyncio.StreamReader, program: Program) -> None:
        """Pass output on to the log in whole lines, so that those of several processes do not mix."""
        rest = b""
        while chunk := await stream.read(65536):
            lines, newline, rest = (rest + chunk).rpartition(b"\n")
            if len(rest) > LONGEST_LINE:
                lines, newline, rest = lines + newline + rest, b"\n", b""
            if newline:
                self._log.write(lines + newline)
                program.last_line = lines.rpartition(b"\n")[2].decode(errors="replace")
        if rest:
            self._log.write(rest + b"\n")
            program.last_line = rest.decode(errors="replace")
