"""Road networks of one city in memory, as roles may see them, built anew when the roads have changed."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

import numpy as np
import orjson
import shapely
from cachetools import LRUCache

from api.errors import BadRequest
from layers.access import Principal
from layers.catalog import LayerNotFound
from layers.query import Selection
from layers.view import View, parse_moment
from tiles.flights import Flights
from tiles.studio import Busy

if TYPE_CHECKING:
    from api.cities import ServedCity
    from twin.scenarios.objects import Objects
    from twin.scenarios.protocol import RunRecord
    from twin.traffic.access import Router
    from twin.traffic.network import Floats
    from twin.traffic.scenario.ways import Doors, Mode, Vehicle, Ways

ROADS = "roads"
# A network of a city of 100,000 roads weighs about 200 MB.
MOST_NETWORKS, MOST_ROUTERS = 4, 24
THREADS, MOST_WAITING = 2, 32
T = TypeVar("T")


@dataclass(frozen=True)
class Conditions:
    """What ways are looked for in: a run, as it was found for the principal, and the moment, None for its first.

    kind: its water ("flood"), or the times of its roads ("traffic").
    """

    kind: Literal["flood", "traffic"]
    record: "RunRecord"
    moment: datetime | None


@dataclass(frozen=True, eq=False)
class Residents:
    """People of each building, and where it meets a network."""

    doors: "Doors"
    people: "Floats"


class NetworkCache:
    """Networks of one city in this process, by mode, role, plan and version of the roads."""

    def __init__(self, served: "ServedCity", folder: Path) -> None:
        self._served, self._folder = served, folder
        self._kept: LRUCache[tuple[object, ...], Ways] = LRUCache(MOST_NETWORKS)
        self._routers: LRUCache[tuple[object, ...], Router] = LRUCache(MOST_ROUTERS)
        self._residents: LRUCache[tuple[object, ...], Residents] = LRUCache(MOST_NETWORKS)
        self._flights: Flights[tuple[object, ...], Ways] = Flights()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="ways")
        self._waiting = 0

    async def ways(
        self, mode: "Mode", principal: Principal, plan: int | None, met: Conditions | None = None
    ) -> tuple["Ways", tuple[object, ...]]:
        """The network that a role sees, with the roads that a traffic run drew, and its key. Raises LayerNotFound."""
        catalog = await self._served.catalog()
        layer = catalog.layer(ROADS, principal)
        asked = met.record.inputs if met is not None and met.kind == "traffic" else {}
        drawn, country = asked.get("new_roads") or (), asked.get("country", "auto")
        key = mode, principal.role, plan, layer.version, country, orjson.dumps(drawn)
        if (kept := self._kept.get(key)) is None:
            kept = await self._flights.join(key, lambda: self._built(key, principal))
        return kept, key

    async def _built(self, key: tuple[Any, ...], principal: Principal) -> "Ways":
        from twin.traffic.scenario.inputs import NewRoad
        from twin.traffic.scenario.streets import COLUMNS, country_of
        from twin.traffic.scenario.ways import Ways

        mode, _, plan, _, country, drawn = key
        table = await self._objects(ROADS, COLUMNS, plan, principal)
        if table.num_rows == 0:
            raise BadRequest("the city has no roads; load some first")
        city = self._served.database.city
        whose, crs = country_of(country, city.time_zone), f"EPSG:{city.metric_srid}"
        roads = [NewRoad.model_validate(each) for each in orjson.loads(drawn)]
        found = await self.work(lambda: Ways.of(table, mode, whose, crs, roads))
        self._kept[key] = found
        return found

    async def _objects(self, layer_id: str, columns: Sequence[str], plan: int | None, principal: Principal) -> Any:
        """A table of a layer as a role sees it. Raises LayerNotFound."""
        from twin.scenarios.city import attribute_of, read_objects

        catalog = await self._served.catalog()
        layer = catalog.layer(layer_id, principal)
        async with self._served.reading() as connection:
            return await read_objects(
                connection,
                Selection(layer, View(None, None, plan)),
                [attribute_of(layer, name) for name in columns],
                catalog,
                principal,
                metric_srid=self._served.database.city.metric_srid,
            )

    async def divisions(self, key: tuple[object, ...], principal: Principal) -> "Objects":
        """The administrative areas as a role sees them in the plan of a network's key. Raises LayerNotFound."""
        from twin.scenarios.objects import objects_of
        from twin.traffic.scenario.zoning import DIVISIONS, OF_DIVISIONS

        found = await self._objects(DIVISIONS, OF_DIVISIONS, cast("int | None", key[2]), principal)
        return objects_of(found, OF_DIVISIONS)

    async def residents(self, ways: "Ways", key: tuple[object, ...], principal: Principal) -> Residents | None:
        """People by building, where they meet a network; None for who may not read buildings or divisions."""
        from twin.scenarios.objects import objects_of
        from twin.traffic.scenario.zoning import BUILDINGS, DIVISIONS, OF_BUILDINGS, OF_DIVISIONS, houses_of

        catalog, plan = await self._served.catalog(), cast("int | None", key[2])
        try:
            versions = [catalog.layer(each, principal).version for each in (BUILDINGS, DIVISIONS)]
        except LayerNotFound:
            return None
        place = (*key, *versions)
        if (kept := self._residents.get(place)) is None:
            buildings = await self._objects(BUILDINGS, OF_BUILDINGS, plan, principal)
            divisions = await self._objects(DIVISIONS, OF_DIVISIONS, plan, principal)

            def settle() -> Residents:
                houses = houses_of(objects_of(buildings, OF_BUILDINGS), objects_of(divisions, OF_DIVISIONS))
                return Residents(ways.doors(np.asarray(shapely.points(houses.x, houses.y), object)), houses.people)

            kept = self._residents[place] = await self.work(settle)
        return kept

    async def router(
        self, ways: "Ways", key: tuple[object, ...], met: Conditions | None, vehicle: "Vehicle"
    ) -> "Router | None":
        """The router of a network at a state of a run; None on empty roads. Raises TrafficRefused."""
        if met is None:
            return None
        if met.kind == "traffic":
            from twin.traffic.scenario.link_times import read_link_times

            times, begins = await self.work(lambda: read_link_times(met.record, met.moment))
            return await self._router((*key, met.record.id, begins, vehicle), lambda: ways.at_times(times, vehicle))
        from twin.traffic.scenario.flooding import frames_of

        frames = frames_of(met.record)
        at = met.moment or frames[0][0]
        number = max([n for n, (begins, _) in enumerate(frames) if begins <= at], default=0)
        crs = f"EPSG:{self._served.database.city.metric_srid}"
        place = (*key, met.record.id, number, vehicle)
        return await self._router(place, lambda: _in_water(ways, frames, number, crs, vehicle))

    async def _router(self, place: tuple[object, ...], make: Callable[[], "Router"]) -> "Router":
        if (kept := self._routers.get(place)) is None:
            kept = self._routers[place] = await self.work(make)
        return kept

    async def conditions(
        self, flood: str | None, traffic: str | None, moment: str | None, principal: Principal
    ) -> Conditions | None:
        """The run that was asked for. Raises BadRequest, DatetimeError, NoSuchRun, NotFinished."""
        if flood is not None and traffic is not None:
            raise BadRequest("run, flood_run: name one of the two; a traffic run in a flood knows its water")
        run = flood or traffic
        if run is None:
            if moment is not None:
                raise BadRequest("datetime: it tells the state of a run; name its flood_run or run, too")
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
        record = folder_of(self._folder, found.id).record(found)
        return Conditions("flood" if traffic is None else "traffic", record, at)

    async def work(self, job: Callable[[], T]) -> T:
        """The result of a computation in a thread. Raises Busy and what `job` raises."""
        if self._waiting >= MOST_WAITING:
            raise Busy("too many ways are being looked for and waited for; ask again in a moment")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, job)
        finally:
            self._waiting -= 1


def _in_water(ways: "Ways", frames: list[tuple[datetime, Path]], number: int, crs: str, vehicle: "Vehicle") -> "Router":
    from twin.traffic.scenario.flooding import contact_with, read_depth

    streets = ways.streets
    raised = streets.flags("bridge") | streets.flags("tunnel")
    contact = contact_with(streets.lines, raised, frames[0][1], crs)
    depth: Any = contact.deepest(read_depth(frames[number][1]))
    return ways.in_water(depth, vehicle)
