"""Computes the runs of every city: one at a time, and beside it one member of an ensemble."""

import asyncio
import logging
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from uuid import UUID

import structlog
from procrastinate import App

from cim_models.database import Database
from layers.following import LOST
from twin import logs
from twin.directory import CityPlace, Directory
from twin.process import die_with_supervisor, leave
from twin.scenarios.chores import Callbacks, mend, remove_expired
from twin.scenarios.photos import remove_unused
from twin.scenarios.queue import queue_of
from twin.scenarios.runs import MEMBERS, RUNS, TASK, hold
from twin.scenarios.tend import Limits, open_nursery, tend
from twin.settings import Settings, read_settings
from twin.worker import CITIES_EVERY_S, FIRST_DELAY_S, LONGEST_DELAY_S

CONNECTIONS = 3
POLL_S = 1.0
CHORES_EVERY_S = 1.0
HEARTBEAT_S, STALLED_S = 5.0, 60.0
STATEMENT_TIMEOUT_S = 60.0
LOGGER = structlog.get_logger()


class Worker:
    """Computes what is queued in any city of the directory until `stop`."""

    def __init__(self, settings: Settings) -> None:
        self._directory = Directory(settings.database_url, settings.data, settings.cities)
        self.limits = Limits.of(settings)
        self._callbacks = Callbacks.of(settings)
        # Whatever city they are of. A run waits while its members are computed: they have a turn of their own.
        self._turns = {RUNS: asyncio.Semaphore(1), MEMBERS: asyncio.Semaphore(1)}
        self._tended: dict[str, asyncio.Task[None]] = {}
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        self._stopped.set()

    async def run(self) -> None:
        while not self._stopped.is_set():
            try:
                places = await asyncio.to_thread(self._directory.cities)
            # The database may be away for a moment; what is being computed goes on.
            except Exception as error:
                LOGGER.warning("cities not found", reason=str(error))
            else:
                for url in self._tended.keys() - {place.url for place in places}:
                    self._tended.pop(url).cancel()
                for number, place in enumerate(places):
                    if place.url not in self._tended:
                        path = f"/cities/{place.name}" if number else ""
                        self._tended[place.url] = asyncio.create_task(self._city(place, path))
            try:
                await asyncio.wait_for(self._stopped.wait(), CITIES_EVERY_S)
            except TimeoutError:
                continue

    async def _city(self, place: CityPlace, path: str) -> None:
        """Work for a city until it is gone; path: what stands before its addresses."""
        await _keep(place, lambda: self._work(place, path))

    async def _work(self, place: CityPlace, path: str) -> None:
        database = await Database.open(place.url, connections=CONNECTIONS, statement_timeout_s=STATEMENT_TIMEOUT_S)
        try:
            app = queue_of(place.url)
            app.task(name=TASK)(self._task(place, database))
            async with app.open_async():
                await asyncio.gather(
                    _keep(place, lambda: _queue(app, RUNS)),
                    _keep(place, lambda: _queue(app, MEMBERS)),
                    _keep(place, lambda: self._chores(place, database, path)),
                )
        finally:
            await database.close()

    def _task(self, place: CityPlace, database: Database) -> Callable[[str], Awaitable[None]]:
        async def compute(run: str) -> None:
            run_id = UUID(run)
            async with database.reading() as connection:
                parent = await connection.fetchval("select parent from scenario_run where id = $1", run_id)
            async with _in_hand(database, run_id), self._turns[RUNS if parent is None else MEMBERS]:
                await tend(place, database, run_id, self.limits)

        return compute

    async def _chores(self, place: CityPlace, database: Database, path: str) -> None:
        """What the runs of a city need done by anybody, each worker as well as the other."""
        while True:
            await mend(database, self.limits.kept_s)
            await remove_expired(database, place.files)
            await remove_unused(database)
            await self._callbacks.tell(database, path)
            await asyncio.sleep(CHORES_EVERY_S)


async def _keep(place: CityPlace, work: Callable[[], Awaitable[None]]) -> None:
    """Do a work for ever; begin again, later each time, where the database was away."""
    delay = FIRST_DELAY_S
    while True:
        began = time.monotonic()
        try:
            await work()
        except Exception as error:
            _report(place, error)
        delay = FIRST_DELAY_S if time.monotonic() - began > LONGEST_DELAY_S else min(2 * delay, LONGEST_DELAY_S)
        await asyncio.sleep(delay)


def _report(place: CityPlace, error: Exception) -> None:
    LOGGER.warning("jobs interrupted", city=place.name, reason=f"{type(error).__name__}: {error}")


@asynccontextmanager
async def _in_hand(database: Database, run_id: UUID) -> AsyncIterator[None]:
    """Say all the time that this worker has a run, so that no other takes it up."""

    async def say() -> None:
        while True:
            with suppress(*LOST):
                async with database.writing() as connection:
                    await hold(connection, run_id)
            await asyncio.sleep(POLL_S)

    saying = asyncio.create_task(say())
    try:
        yield
    finally:
        saying.cancel()


async def _queue(app: App, name: str) -> None:
    await app.run_worker_async(
        queues=[name],
        name=name,
        concurrency=1,
        fetch_job_polling_interval=POLL_S,
        install_signal_handlers=False,
        update_heartbeat_interval=HEARTBEAT_S,
        stalled_worker_timeout=STALLED_S,
        delete_jobs="always",
    )


def main() -> None:
    """Work until SIGTERM."""
    die_with_supervisor()
    asyncio.run(_main())


async def _main() -> None:
    settings = read_settings()
    logs.set_up(settings)
    # It tells of each job twice, and the runs' own lines say more.
    logging.getLogger("procrastinate").setLevel(logging.WARNING)
    worker = Worker(settings)
    open_nursery(worker.limits)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, worker.stop)
    await worker.run()
    # At once: the kernel ends what is being computed with this process, and it is begun anew at the next start.
    leave(0)
