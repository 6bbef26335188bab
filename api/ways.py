"""Road networks of one city in memory, as roles may see them, built anew when the roads have changed."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from cachetools import LRUCache

from api.errors import BadRequest
from layers.access import Principal
from layers.query import Selection
from layers.view import View, parse_moment
from tiles.flights import Flights
from tiles.studio import Busy

if TYPE_CHECKING:
    from api.cities import ServedCity
    from twin.scenarios.protocol import RunRecord
    from twin.traffic.access import Router
    from twin.traffic.scenario.ways import Mode, Ways

# A network of a city of 100,000 roads weighs about 200 MB.
MOST_NETWORKS, MOST_FLOODED = 4, 24
THREADS, MOST_WAITING = 2, 32
T = TypeVar("T")


@dataclass(frozen=True)
class Water:
    """A state of a flood: the run, as it was found for the principal, and the moment, None for the first."""

    record: "RunRecord"
    moment: datetime | None


class NetworkCache:
    """Networks of one city in this process, by mode, role, plan and version of the roads."""

    def __init__(self, served: "ServedCity", folder: Path) -> None:
        self._served, self._folder = served, folder
        self._kept: LRUCache[tuple[object, ...], Ways] = LRUCache(MOST_NETWORKS)
        self._flooded: LRUCache[tuple[object, ...], Router] = LRUCache(MOST_FLOODED)
        self._flights: Flights[tuple[object, ...], Ways] = Flights()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="ways")
        self._waiting = 0

    async def ways(self, mode: "Mode", principal: Principal, plan: int | None) -> tuple["Ways", tuple[object, ...]]:
        """The network that a role sees, and its key. Raises LayerNotFound."""
        catalog = await self._served.catalog()
        layer = catalog.layer("roads", principal)
        key = mode, principal.role, plan, layer.version
        if (kept := self._kept.get(key)) is None:
            kept = await self._flights.join(key, lambda: self._built(key, mode, principal, plan))
        return kept, key

    async def _built(self, key: tuple[object, ...], mode: "Mode", principal: Principal, plan: int | None) -> "Ways":
        from twin.scenarios.city import attribute_of, read_objects
        from twin.traffic.scenario.streets import COLUMNS, ROADS, country_of
        from twin.traffic.scenario.ways import Ways

        catalog = await self._served.catalog()
        layer, city = catalog.layer(ROADS, principal), self._served.database.city
        async with self._served.reading() as connection:
            table = await read_objects(
                connection,
                Selection(layer, View(None, None, plan)),
                [attribute_of(layer, name) for name in COLUMNS],
                catalog,
                principal,
                metric_srid=city.metric_srid,
            )
        if table.num_rows == 0:
            raise BadRequest("the city has no roads; load some first")
        country = country_of("auto", city.time_zone)
        found = await self.work(lambda: Ways.of(table, mode, country, f"EPSG:{city.metric_srid}"))
        self._kept[key] = found
        return found

    async def router(self, ways: "Ways", key: tuple[object, ...], water: Water | None) -> "Router | None":
        """The router of a network in the water of a state; None on dry ground. Raises TrafficRefused."""
        if water is None:
            return None
        from twin.traffic.scenario.flooding import frames_of

        frames = frames_of(water.record)
        at = water.moment or frames[0][0]
        number = max([n for n, (begins, _) in enumerate(frames) if begins <= at], default=0)
        place = (*key, water.record.id, number)
        if (kept := self._flooded.get(place)) is None:
            crs = f"EPSG:{self._served.database.city.metric_srid}"
            kept = self._flooded[place] = await self.work(lambda: _in_water(ways, frames, number, crs))
        return kept

    async def water(self, run: str | None, moment: str | None, principal: Principal) -> Water | None:
        """The flood that was asked for. Raises BadRequest, DatetimeError, NoSuchRun, NotFinished."""
        if run is None:
            if moment is not None:
                raise BadRequest("datetime: it tells the state of a flood; name its flood_run, too")
            return None
        from twin.scenarios import NotFinished
        from twin.scenarios.record import folder_of
        from twin.scenarios.runs import find_run

        catalog = await self._served.catalog()
        at = None if moment is None else parse_moment(moment, catalog.zone).astimezone(UTC)
        async with self._served.reading() as connection:
            found = await find_run(connection, run, principal)
        if found.state != "successful":
            raise NotFinished(f"run {found.id} is {found.state}; take one that is successful")
        return Water(folder_of(self._folder, found.id).record(found), at)

    async def work(self, job: Callable[[], T]) -> T:
        """The result of a computation in a thread. Raises Busy and what `job` raises."""
        if self._waiting >= MOST_WAITING:
            raise Busy("too many ways are being looked for and waited for; ask again in a moment")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, job)
        finally:
            self._waiting -= 1


def _in_water(ways: "Ways", frames: list[tuple[datetime, Path]], number: int, crs: str) -> "Router":
    from twin.traffic.scenario.flooding import contact_with, read_depth

    streets = ways.streets
    raised = streets.flags("bridge") | streets.flags("tunnel")
    contact = contact_with(streets.lines, raised, frames[0][1], crs)
    depth: Any = contact.deepest(read_depth(frames[number][1]))
    return ways.in_water(depth)
