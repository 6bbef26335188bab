"""Cities for the tests of tiles, and tiles read by a decoder that is not ours."""

from collections.abc import AsyncIterator, Callable

import pytest

from cim_models.database import Database
from tests import town
from tests.enact import clear


@pytest.fixture(scope="session")
async def _shared(new_city: Callable[..., str]) -> AsyncIterator[Database]:
    opened = await Database.open(new_city())
    yield opened
    await opened.close()


@pytest.fixture
async def empty(_shared: Database) -> Database:
    """A city with nothing in it, not even the memory of overviews."""
    await clear(_shared)
    async with _shared.writing() as connection:
        await connection.execute("truncate overview, overview_coverage, overview_layer")
    return _shared


@pytest.fixture
async def own_town(new_city: Callable[..., str]) -> AsyncIterator[Database]:
    """The hand-made town, to be changed by one test."""
    url = new_city()
    town.fill(url)
    opened = await Database.open(url)
    yield opened
    await opened.close()
