"""The real application over the town: in this process for most tests, as a server process where HTTP matters."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from starlette.types import ASGIApp

from api.app import create_app
from cim_models.database import Database
from tests import town
from twin.directory import CityPlace
from twin.settings import Settings

BASE = "http://city.test"


class Places:
    """Cities of a test's own choosing."""

    def __init__(self, *places: CityPlace) -> None:
        self.places = list(places)

    def cities(self) -> list[CityPlace]:
        return self.places


@asynccontextmanager
async def running(app: ASGIApp) -> AsyncIterator[ASGIApp]:
    """The application between its start and its stop, as a server runs it."""
    told: asyncio.Queue[str] = asyncio.Queue()
    answered: asyncio.Queue[str] = asyncio.Queue()

    async def receive() -> dict[str, str]:
        return {"type": await told.get()}

    async def send(message: dict[str, str]) -> None:
        await answered.put(message["type"])

    life = asyncio.create_task(app({"type": "lifespan", "asgi": {"version": "3.0"}}, receive, send))
    await told.put("lifespan.startup")
    assert await answered.get() == "lifespan.startup.complete"
    yield app
    await told.put("lifespan.shutdown")
    assert await answered.get() == "lifespan.shutdown.complete"
    await life


@asynccontextmanager
async def client_of(app: ASGIApp) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application in this process."""
    async with running(app), httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE) as client:
        yield client


@pytest.fixture(scope="session")
async def tokens(town_database: Database) -> town.Tokens:
    return await town.make_tokens(town_database)


@pytest.fixture(scope="session")
def settings(town_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(database_url=town_url, data=tmp_path_factory.mktemp("data"), log_level="error")


@pytest.fixture(scope="session")
async def client(settings: Settings, town_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the town's server, in this process."""
    app = create_app(settings, Places(CityPlace("town", town_url, Path("unused"))))
    async with client_of(app) as opened:
        yield opened


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
