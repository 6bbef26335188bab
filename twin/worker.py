"""Background work of a server (python -m twin.worker): the same chores for every city, as cities come and go."""

import asyncio
import signal
import time
from collections.abc import Sequence
from typing import Protocol

import structlog

from cim_models.database import Database
from layers.search import keep_findable
from layers.validity import keep_ticking
from tiles.cache import trim
from tiles.overview.follow import follow
from twin import logs
from twin.directory import CityPlace, Directory
from twin.process import die_with_supervisor, leave
from twin.sensing.bridge import Bridge
from twin.sensing.hooks import EventHooks
from twin.sensing.mapping import FILE
from twin.sensing.months import tend_months
from twin.sensing.watch import watch_city
from twin.settings import Settings, read_settings

# A new city is tended this soon.
CITIES_EVERY_S = 2.0
FIRST_DELAY_S, LONGEST_DELAY_S = 1.0, 30.0
TRIM_EVERY_S = 60.0
CONNECTIONS = 2
# A cell of an overview is rebuilt in milliseconds, a whole city's in minutes.
STATEMENT_TIMEOUT_S = 600.0
LOG = structlog.get_logger()


class Chore(Protocol):
    """What a city needs done all the time; it runs until it is cancelled."""

    __name__: str

    async def __call__(self, database: Database) -> None: ...


CHORES: tuple[Chore, ...] = (follow, keep_findable, keep_ticking, tend_months, watch_city)


class Worker:
    """Tends every city of the directory until `stop`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._directory = Directory(settings.database_url, settings.data, settings.cities)
        self._hooks = EventHooks(settings)
        self._tended: dict[str, asyncio.Task[None]] = {}
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        self._stopped.set()

    async def run(self) -> None:
        trimming = asyncio.create_task(self._trim_cache())
        while not self._stopped.is_set():
            try:
                self._tend({place.url: place for place in await asyncio.to_thread(self._directory.cities)})
            # The database may be away for a moment; its cities' tasks wait for it by themselves.
            except Exception as error:
                LOG.warning("cities not found", reason=str(error))
            await _sleep(self._stopped, CITIES_EVERY_S)
        self._tend({})
        trimming.cancel()

    def _tend(self, places: dict[str, CityPlace]) -> None:
        for url in self._tended.keys() - places.keys():
            self._tended.pop(url).cancel()
        for number, (url, place) in enumerate(places.items()):
            if url not in self._tended:
                chores = (*CHORES, self._hooks, *self._bridges(place, is_default=number == 0))
                self._tended[url] = asyncio.create_task(_tend_city(place, chores))

    def _bridges(self, place: CityPlace, *, is_default: bool) -> tuple[Chore, ...]:
        """What carries between the city and the broker, if there is one."""
        if self._settings.mqtt_url is None:
            return ()
        prefix = "" if is_default else f"cities/{place.name}/"
        return (Bridge(self._settings.mqtt_url, prefix, place.files / FILE),)

    async def _trim_cache(self) -> None:
        """Keep the tile files that the server processes share within their limit."""
        folder, limit = self._settings.cache, self._settings.cache_disk
        while folder is not None:
            removed = await asyncio.to_thread(trim, folder, limit)
            if removed:
                LOG.info("tile cache trimmed", bytes=removed)
            await asyncio.sleep(TRIM_EVERY_S)


async def _tend_city(place: CityPlace, chores: Sequence[Chore]) -> None:
    """Do a city's chores side by side, for ever."""
    await asyncio.gather(*(_keep(chore, place) for chore in chores))


async def _keep(chore: Chore, place: CityPlace) -> None:
    """Do a chore, and begin again after a while when it fails, later each time; the others go on meanwhile."""
    delay = FIRST_DELAY_S
    while True:
        began = time.monotonic()
        try:
            database = await Database.open(place.url, connections=CONNECTIONS, statement_timeout_s=STATEMENT_TIMEOUT_S)
            try:
                await chore(database)
            finally:
                await database.close()
        # Whatever it was: nobody else would begin it again.
        except Exception as error:
            if time.monotonic() - began > LONGEST_DELAY_S:
                delay = FIRST_DELAY_S
            LOG.warning(
                "chore interrupted",
                city=place.name,
                chore=f"{chore.__module__}.{chore.__name__}",
                reason=f"{type(error).__name__}: {error}",
                again_in_s=delay,
                exc_info=True,
            )
        await asyncio.sleep(delay)
        delay = min(2 * delay, LONGEST_DELAY_S)


async def _sleep(stopped: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stopped.wait(), seconds)
    except TimeoutError:
        return


def main() -> None:
    """Work until SIGTERM."""
    die_with_supervisor()
    asyncio.run(_main())


async def _main() -> None:
    settings = read_settings()
    logs.set_up(settings)
    worker = Worker(settings)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, worker.stop)
    await worker.run()
    # At once: what a thread still computes would be thrown away, and what is half written is undone.
    leave(0)


if __name__ == "__main__":
    main()
