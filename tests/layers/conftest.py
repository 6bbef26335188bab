"""An empty city that the tests of this floor share: emptying one takes less time than laying one down."""

from collections.abc import AsyncIterator, Callable

import pytest

from cim_models.database import Database
from tests.enact import clear


@pytest.fixture(scope="session")
async def _shared(new_city: Callable[..., str]) -> AsyncIterator[Database]:
    opened = await Database.open(new_city())
    yield opened
    await opened.close()


@pytest.fixture
async def empty(_shared: Database) -> Database:
    """A city with nothing in it."""
    await clear(_shared)
    return _shared
