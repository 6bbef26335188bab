"""The cities that this process serves: opened when first asked for, found and forgotten without a restart."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol, Self, TypeVar

from api.coverages import Coverages
from api.errors import NotFound
from api.identity import Identity
from api.recent import Recent
from api.terrain import TerrainTiles
from api.ways import NetworkCache
from cim_models.database import Connection, Database
from layers.access import SYSTEM, Principal
from layers.catalog import Catalog, Layer, LayerNotFound, load_catalog
from layers.counts import Counts, layer_counts
from layers.legend import values_in_use
from tiles.map import MapService
from tiles.map_tiles import MapTiles
from tiles.service import TileService
from twin.directory import CityPlace
from twin.settings import Settings

# Numbers of objects may be older than the rest.
COUNTS_FRESH_S = 10.0
# However many tiles are asked for, other requests find a connection.
SPARED_CONNECTIONS = 2
# Of the memory for tiles, one part in so many for those of maps.
MAPS_SHARE = 4
T = TypeVar("T")


class CityDirectory(Protocol):
    """Where the cities are, the default first. May block: it is asked in a thread."""

    def cities(self) -> list[CityPlace]: ...


class ServedCity:
    """One open city. path: what stands before its addresses, empty for the default city."""

    def __init__(
        self, place: CityPlace, database: Database, tiles: TileService, maps: MapService, settings: Settings
    ) -> None:
        self.place = place
        self.path = ""
        self.tiles = tiles
        self.maps = maps
        self.map_tiles = MapTiles(database, maps, tiles, memory=settings.cache_memory // MAPS_SHARE)
        self.terrain = TerrainTiles(self, place.files)
        self.coverages = Coverages(self, place.files)
        self.ways = NetworkCache(self, place.files)
        self._patience_s = settings.connection_timeout
        self._laid_down: datetime | None = None
        self._replaced = False
        self.database = database
        self.identity = Identity(database)
        self.numbers = Counts()
        self._catalog = Recent(self._load_catalog)
        self._counts: dict[str, Recent[dict[str, int]]] = {}
        self._in_use = Recent(self._load_in_use, COUNTS_FRESH_S)

    @classmethod
    async def open(cls, place: CityPlace, settings: Settings, *, read_url: str | None) -> Self:
        """Raises NoCity and what a database that does not answer raises."""
        database = await Database.open(
            place.url,
            read_url=read_url,
            connections=settings.connections,
            statement_timeout_s=settings.statement_timeout,
        )
        tiles = TileService(
            database,
            memory=settings.cache_memory - settings.cache_memory // MAPS_SHARE,
            files=settings.cache,
            drawing=max(1, settings.connections - SPARED_CONNECTIONS),
            waiting=settings.tile_queue,
            limit_s=settings.statement_timeout,
        )
        maps = MapService(
            database,
            read_url or place.url,
            place.files,
            drawing=settings.map_threads,
            waiting=settings.map_queue,
            limit_s=settings.map_timeout,
        )
        try:
            return cls(place, database, await tiles.start(), await maps.start(), settings)
        except BaseException:
            await database.close()
            raise

    @property
    def name(self) -> str:
        return self.place.name

    def reading(self) -> AbstractAsyncContextManager[Connection]:
        """A connection to read from; TimeoutError when none is free in time, so that no queue grows without end."""
        return self.database.reading(acquire_timeout_s=self._patience_s)

    async def catalog(self) -> Catalog:
        """What the city holds, at most `FRESH_S` old."""
        return self._catalog.kept() or await self._catalog.get()

    async def latest(self, answer: Callable[[], Awaitable[T]]) -> T:
        """What `answer` gives; where it lacks a layer, once more by a catalogue that is newer than the question.

        Whoever has just been told of a layer, by a run that has ended or by another server process, finds it.
        """
        began = time.monotonic()
        try:
            return await answer()
        except LayerNotFound:
            if not await self._catalog.renewed(began):
                raise
        return await answer()

    def is_at(self, place: CityPlace) -> bool:
        """Whether this is the city that lies there, and no other has been laid down in its place."""
        return self.place == place and not self._replaced

    async def _load_catalog(self) -> Catalog:
        async with self.reading() as connection:
            laid_down = await connection.fetchval("select created_at from city")
            self._replaced = laid_down != (self._laid_down or laid_down)
            self._laid_down = self._laid_down or laid_down
            return await load_catalog(connection, self.database.city)

    async def counts(self, principal: Principal) -> dict[str, int]:
        """About how many objects each layer has that the principal may read."""
        # What a principal sees is a matter of its role, and roles are few.
        recent = self._counts.setdefault(principal.role, Recent(lambda: self._load_counts(principal), COUNTS_FRESH_S))
        kept = recent.kept()
        return await recent.get() if kept is None else kept

    async def _load_counts(self, principal: Principal) -> dict[str, int]:
        catalog = await self.catalog()
        async with self.reading() as connection:
            return await layer_counts(connection, catalog.layers(principal), catalog, principal)

    async def in_use(self, layer: Layer) -> set[str] | None:
        """The values that a layer's legend need list; None for all."""
        kept = self._in_use.kept()
        return (await self._in_use.get() if kept is None else kept).get(layer.id)

    async def _load_in_use(self) -> dict[str, set[str] | None]:
        catalog = await self.catalog()
        async with self.reading() as connection:
            # Statistics are of the whole table: they would tell of objects that a narrower window hides.
            whole = (layer for layer in catalog.layers(SYSTEM) if layer.filter is None and layer.dataset_id is None)
            return {layer.id: await values_in_use(connection, layer, catalog) for layer in whole}

    async def close(self) -> None:
        await self.map_tiles.close()
        await self.tiles.close()
        await self.maps.close()
        await self.database.close()


class Cities:
    """All cities of the server by name."""

    def __init__(self, directory: CityDirectory, settings: Settings) -> None:
        self._settings = settings
        self._directory = directory
        self._places = Recent(self._list)
        self._open: dict[str, ServedCity] = {}
        self._opening = asyncio.Lock()
        self._closing: set[asyncio.Task[None]] = set()

    async def _list(self) -> list[CityPlace]:
        places = await asyncio.to_thread(self._directory.cities)
        for name in self._open.keys() - {place.name for place in places}:
            self._forget(name)
        return places

    def _forget(self, name: str) -> None:
        """Close a city that is there no more, once the requests in hand are done."""
        closing = asyncio.create_task(self._open.pop(name).close())
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)

    async def places(self) -> list[CityPlace]:
        """Where the cities are, the default first."""
        kept = self._places.kept()
        return await self._places.get() if kept is None else kept

    def at_hand(self, name: str | None) -> ServedCity | None:
        """The city of that name if it is open and surely there, without waiting."""
        if (places := self._places.kept()) is None:
            return None
        for place in places:
            if name in (None, place.name):
                served = self._open.get(place.name)
                return served if served is not None and served.place is place and served.is_at(place) else None
        return None

    async def city(self, name: str | None = None) -> ServedCity:
        """The city of that name, the default one for None. Raises NotFound."""
        places = await self.places()
        if not places:
            raise NotFound("no city here yet; make the demo city with `twin demo`, or lay your own with `twin init`")
        place = next((p for p in places if name in (None, p.name)), None)
        if place is None:
            raise NotFound(f"no city {name!r}; /cities lists those there are")
        is_default = place == places[0]
        served = self._open.get(place.name)
        if served is None or not served.is_at(place):
            served = await self._opened(place, self._settings.database_read_url if is_default else None)
        served.place = place
        served.path = "" if is_default else f"/cities/{place.name}"
        return served

    async def _opened(self, place: CityPlace, read_url: str | None) -> ServedCity:
        async with self._opening:
            served = self._open.get(place.name)
            if served is None or not served.is_at(place):
                if served is not None:
                    self._forget(place.name)
                served = await ServedCity.open(place, self._settings, read_url=read_url)
                self._open[place.name] = served
            return served

    async def close(self) -> None:
        """Close every city, when the requests in hand are done."""
        for name in list(self._open):
            self._forget(name)
        await asyncio.gather(*self._closing)
