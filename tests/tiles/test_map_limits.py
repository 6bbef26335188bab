"""A map takes no more time than it has, leaves nothing behind in the database, and lets others have theirs."""

import asyncio
import resource
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import pytest

from cim_models.database import Database
from layers.access import PUBLIC
from tests import town
from tests.tiles.mapping import map_service
from tests.tiles.reading import catalog_of
from tiles.map import MapLayer, MapRequest, MapService
from tiles.map.service import APPLICATION
from tiles.studio import Busy, TooSlow

BOX = (town.WEST, town.SOUTH, town.WEST + 0.01, town.SOUTH + 0.004)
AT_WORK = "select count(*) from pg_stat_activity where application_name = $1 and state = 'active'"


@asynccontextmanager
async def locked(database: Database, table: str) -> AsyncIterator[None]:
    """A table that nobody can read: whatever is asked of it takes for ever."""
    async with await psycopg.AsyncConnection.connect(database.url) as connection:
        await connection.execute(f"lock table {table} in access exclusive mode")
        yield
        await connection.rollback()


async def draw(service: MapService, database: Database, layer: str) -> bytes:
    catalog = await catalog_of(database)
    request = MapRequest((MapLayer(catalog.layer(layer, PUBLIC)),), BOX, "EPSG:4490", 64, 64)
    return await service.draw(request, catalog, PUBLIC)


async def at_work(database: Database) -> int:
    async with database.reading() as connection:
        return int(await connection.fetchval(AT_WORK, APPLICATION))


async def until_at_work(database: Database) -> None:
    async with asyncio.timeout(10):
        while not await at_work(database):  # noqa: ASYNC110 - the database tells nobody
            await asyncio.sleep(0.02)


@pytest.fixture
async def warm(own_town: Database) -> AsyncIterator[MapService]:
    """A service that has drawn each layer before, so that only reading is left to do."""
    async with map_service(own_town, drawing=2, limit_s=2.5) as service:
        for layer in ("buildings", "facilities"):
            await draw(service, own_town, layer)
        yield service


async def test_a_map_that_takes_too_long_is_ended(own_town: Database, warm: MapService) -> None:
    async with locked(own_town, "building"):
        began = time.monotonic()
        with pytest.raises(TooSlow, match=r"2\.5 s"):
            await draw(warm, own_town, "buildings")
        assert time.monotonic() - began < 6
        assert await at_work(own_town) == 0
    assert await draw(warm, own_town, "buildings")


async def test_who_goes_away_leaves_no_query_behind(own_town: Database, warm: MapService) -> None:
    async with locked(own_town, "building"):
        task = asyncio.create_task(draw(warm, own_town, "buildings"))
        await until_at_work(own_town)
        began = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert time.monotonic() - began < 2
        assert await at_work(own_town) == 0


async def test_a_slow_layer_leaves_the_others_their_turn(own_town: Database, warm: MapService) -> None:
    async with locked(own_town, "building"):
        slow = [asyncio.create_task(draw(warm, own_town, "buildings")) for _ in range(6)]
        await until_at_work(own_town)
        began = time.monotonic()
        for _ in range(5):
            await draw(warm, own_town, "facilities")
        assert time.monotonic() - began < 2
        refused = await asyncio.gather(*slow, return_exceptions=True)
    assert {type(error) for error in refused} <= {TooSlow, Busy}


async def test_no_queue_is_without_end(own_town: Database) -> None:
    async with map_service(own_town, drawing=1, waiting=2, limit_s=1.0) as service:
        await draw(service, own_town, "buildings")
        async with locked(own_town, "building"):
            asked = [asyncio.create_task(draw(service, own_town, "buildings")) for _ in range(8)]
            done = await asyncio.gather(*asked, return_exceptions=True)
    busy = [error for error in done if isinstance(error, Busy) and "too many" in str(error)]
    assert len(busy) == 8 - 3


async def test_a_map_carries_its_request(own_town: Database, warm: MapService) -> None:
    """So that an operator who looks at the database's statements finds the request in the log."""
    async with locked(own_town, "building"):
        catalog = await catalog_of(own_town)
        request = MapRequest((MapLayer(catalog.layer("buildings", PUBLIC)),), BOX, "EPSG:4490", 64, 64)
        task = asyncio.create_task(warm.draw(request, catalog, PUBLIC, request_id="abc-1f"))
        await until_at_work(own_town)
        async with own_town.reading() as connection:
            query = await connection.fetchval(
                "select query from pg_stat_activity where application_name = $1 and state = 'active'", APPLICATION
            )
        assert "abc-1f" in query
        with pytest.raises(TooSlow):
            await task


async def test_the_largest_map_takes_bounded_memory(own_town: Database) -> None:
    """4096 x 4096 pixels of 4 bytes are 64 MiB; a picture and what encodes it stay within six of them."""
    async with map_service(own_town) as service:
        catalog = await catalog_of(own_town)
        layers = tuple(MapLayer(catalog.layer(name, PUBLIC)) for name in ("buildings", "facilities"))
        await draw(service, own_town, "buildings")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert await service.draw(MapRequest(layers, BOX, "EPSG:4490", 4096, 4096), catalog, PUBLIC)
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 6 * 64 * 1024
