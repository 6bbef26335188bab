"""Background work of a server (python -m twin.worker): the same chores for every city, as cities come and go."""

import asyncio
import signal
from collections.abc import Callable, Coroutine

import structlog

from cim_models.database import Database
from twin.directory import CityPlace, Directory
from twin.process import die_with_supervisor
from twin.settings import Settings, read_settings

# A new city is tended this soon.
CITIES_EVERY_S = 2.0
FIRST_DELAY_S, LONGEST_DELAY_S = 1.0, 30.0
CONNECTIONS = 3
# A cell of an overview is rebuilt in milliseconds, a whole city's in minutes.
STATEMENT_TIMEOUT_S = 600.0
LOG = structlog.get_logger()

Chore = Callable[[Database, Settings], Coroutine[None, None, None]]
CHORES: tuple[Chore, ...] = ()


class Worker:
    """Tends every city of the directory until `stop`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._directory = Directory(settings.database_url, settings.data, settings.cities)
        self._tended: dict[str, asyncio.Task[None]] = {}
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        self._stopped.set()

    async def run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._tend({place.url: place for place in await asyncio.to_thread(self._directory.cities)})
            # The database may be away for a moment; its cities' tasks wait for it by themselves.
            except Exception as error:
                LOG.warning("cities not found", reason=str(error))
            await _sleep(self._stopped, CITIES_EVERY_S)
        self._tend({})

    def _tend(self, places: dict[str, CityPlace]) -> None:
        for url in self._tended.keys() - places.keys():
            self._tended.pop(url).cancel()
        for url in places.keys() - self._tended.keys():
            self._tended[url] = asyncio.create_task(_tend_city(places[url], self._settings))


async def _tend_city(place: CityPlace, settings: Settings) -> None:
    """Do a city's chores side by side; when one fails, all begin again after a while."""
    delay = FIRST_DELAY_S
    while True:
        try:
            database = await Database.open(place.url, connections=CONNECTIONS, statement_timeout_s=STATEMENT_TIMEOUT_S)
            try:
                async with asyncio.TaskGroup() as group:
                    for chore in CHORES:
                        group.create_task(chore(database, settings))
            finally:
                await database.close()
        except Exception as error:
            LOG.warning("chores interrupted", city=place.name, reason=str(error), again_in_s=delay, exc_info=True)
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
    worker = Worker(read_settings())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, worker.stop)
    await worker.run()


if __name__ == "__main__":
    main()
