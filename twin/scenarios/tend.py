"""A worker tends one run: starts its process, hears of its progress, keeps it within its limits, and tells its end."""

import asyncio
import contextlib
import os
import shutil
import signal
import time
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from multiprocessing.forkserver import ensure_running
from pathlib import Path
from typing import Any, Self
from uuid import UUID

import structlog

from cim_models.database import Database
from layers.following import LOST
from twin.directory import CityPlace
from twin.scenarios.child import Call, main
from twin.scenarios.inputs import Words
from twin.scenarios.patience import patiently
from twin.scenarios.reasons import LOST_TWICE, fell, too_large, too_much, too_slow
from twin.scenarios.record import Folder, folder_of
from twin.scenarios.runs import beat, fail, start
from twin.settings import Settings

BEAT_S = 0.5
# A dismissed run may clean up so long before it is killed.
GRACE_S = 1.0
DISK_EVERY_S = 5.0
LOG_TAIL = 20_000
PAGE = os.sysconf("SC_PAGE_SIZE")
THREADS = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "GDAL_NUM_THREADS")
MOST_ATTEMPTS = 2
# Forks the processes of runs: it has loaded what they need.
NURSERY = get_context("forkserver")
LOGGER = structlog.get_logger()


@dataclass(frozen=True)
class Limits:
    """What one run may take: cores, bytes of memory and files, seconds; and the seconds that its result is kept."""

    cores: int
    memory: int
    disk: int
    seconds: float
    kept_s: float

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        cores = settings.cores or len(os.sched_getaffinity(0))
        return cls(
            cores=max(1, cores // max(1, settings.job_workers)),
            memory=settings.job_memory,
            disk=settings.job_disk,
            seconds=settings.job_timeout,
            kept_s=settings.results_kept * 86_400,
        )


def open_nursery(limits: Limits) -> None:
    """Start the process that runs are forked from; it ends with the thread that calls this."""
    os.environ |= dict.fromkeys(THREADS, str(limits.cores))
    NURSERY.set_forkserver_preload(["twin.scenarios.nursery"])
    ensure_running()


async def tend(place: CityPlace, database: Database, run_id: UUID, limits: Limits) -> None:
    """Compute a run to its end, whatever that is; returns at once for one that is over."""
    attempt = await patiently(lambda: _start(database, run_id))
    if attempt is None:
        return
    if attempt > MOST_ATTEMPTS:
        await _fail(database, run_id, attempt, LOST_TWICE, limits)
        return
    folder = folder_of(place.files, run_id)
    await asyncio.to_thread(_make, folder)
    child = await Child.start(_call(place, run_id, folder, limits), folder)
    try:
        reason = await child.watched(database, run_id, attempt, limits)
    finally:
        await child.end(at_once=True)
    log = await asyncio.to_thread(_tail, folder.log)
    await patiently(lambda: _keep_log(database, run_id, attempt, log))
    if reason is not None:
        await _fail(database, run_id, attempt, reason, limits)


class Child:
    """The process of one run."""

    def __init__(self, process: ForkServerProcess, said: Connection, folder: Folder) -> None:
        self._process = process
        self._folder = folder
        self._progress = 0.0
        self._message: dict[str, str] | None = None
        self._failed: Words | None = None
        self._hearing = asyncio.create_task(asyncio.to_thread(self._hear, said))

    @classmethod
    async def start(cls, call: Call, folder: Folder) -> Self:
        said, telling = NURSERY.Pipe(duplex=False)
        process = NURSERY.Process(target=main, args=(call, telling))
        # It waits for the nursery, which takes seconds to load what runs need.
        await asyncio.to_thread(process.start)
        telling.close()
        return cls(process, said, folder)

    async def watched(self, database: Database, run_id: UUID, attempt: int, limits: Limits) -> Words | None:
        """Wait for the end; why the run failed, None where it did not or nobody wants to know."""
        began = checked = time.monotonic()
        while not await self._ended_within(BEAT_S):
            now = time.monotonic()
            if now - began > limits.seconds:
                return too_slow(limits.seconds)
            if _memory(self._process.pid) > limits.memory:
                return too_large(limits.memory)
            if now - checked > DISK_EVERY_S:
                checked = now
                if await asyncio.to_thread(_size, self._folder.path) > limits.disk:
                    return too_much(limits.disk)
            try:
                async with database.writing() as connection:
                    wanted = await beat(connection, run_id, attempt, self._progress, self._message)
            except LOST:
                # The database is away; the run goes on meanwhile.
                continue
            if not wanted:
                await self.end()
                return None
        await self._hearing
        code = self._process.exitcode
        if self._failed is not None or not code:
            return self._failed
        return fell(-code) if code < 0 else None

    async def end(self, *, at_once: bool = False) -> None:
        """End it and what it has started: politely, and after a while at once."""
        if not at_once:
            self._signal(signal.SIGTERM)
            await self._ended_within(GRACE_S)
        self._signal(signal.SIGKILL)
        await asyncio.to_thread(self._process.join)
        await self._hearing

    def _signal(self, number: signal.Signals) -> None:
        assert self._process.pid is not None
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            # It has not come so far as to have a group.
            self._process.kill()

    async def _ended_within(self, seconds: float) -> bool:
        await asyncio.to_thread(self._process.join, seconds)
        return self._process.exitcode is not None

    def _hear(self, said: Connection) -> None:
        """Until the process has ended, which closes its end."""
        while True:
            try:
                told: dict[str, Any] = said.recv()
            except (EOFError, OSError):
                said.close()
                return
            if "failed" in told:
                self._failed = Words(**told["failed"])
            else:
                self._progress, self._message = told["progress"], told["message"] or self._message


def _call(place: CityPlace, run_id: UUID, folder: Folder, limits: Limits) -> Call:
    return Call(
        url=place.url,
        files=str(place.files),
        run=str(run_id),
        log=str(folder.log),
        cores=limits.cores,
        memory=limits.memory,
        disk=limits.disk,
        kept_s=limits.kept_s,
    )


async def _start(database: Database, run_id: UUID) -> int | None:
    async with database.writing() as connection:
        return await start(connection, run_id)


async def _fail(database: Database, run_id: UUID, attempt: int, reason: Words, limits: Limits) -> None:
    async def write() -> None:
        async with database.writing() as connection:
            if await fail(connection, run_id, attempt, reason, limits.kept_s):
                LOGGER.info("run failed", run=str(run_id), reason=reason.en)

    await patiently(write)


async def _keep_log(database: Database, run_id: UUID, attempt: int, log: str) -> None:
    async with database.writing() as connection:
        await connection.execute(
            "update scenario_run set log = $3 where id = $1 and attempt = $2", run_id, attempt, log
        )


def _make(folder: Folder) -> None:
    """An empty folder: what an earlier attempt has left is none of this one's."""
    shutil.rmtree(folder.path, ignore_errors=True)
    folder.path.mkdir(parents=True)
    folder.log.touch()


def _tail(log: Path) -> str:
    """The end of a log. PostgreSQL's text holds no NUL."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - LOG_TAIL))
        return file.read().decode("utf-8", errors="replace").replace("\0", "")


def _memory(session: int | None) -> int:
    """Bytes that the processes of a session hold in memory."""
    held = 0
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            fields = Path("/proc", entry, "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        # Of proc(5): session is the 6th field and rss the 24th; two stand before the bracket.
        if int(fields[3]) == session:
            held += int(fields[21]) * PAGE
    return held


def _size(folder: Path) -> int:
    """Bytes of the files in a folder."""
    held = 0
    for path, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                held += os.lstat(os.path.join(path, name)).st_size
    return held
