"""A city of a module's own with its server in this process, and a client that may write."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.app import create_app
from cim_models.database import Database
from layers.tokens import create_token
from tests.api.conftest import BASE, Places, bearer, client_of
from twin.directory import CityPlace
from twin.settings import Settings

ROOT = f"{BASE}/sensors/v1.1"
UNIT = {"name": "metre", "symbol": "m", "definition": "http://unitsofmeasure.org/ucum.html#para-30"}
MEASUREMENT = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement"


@dataclass(frozen=True)
class Sensors:
    """The SensorThings service, called with a token that may write; `public` has none."""

    client: httpx.AsyncClient
    public: httpx.AsyncClient
    database: Database

    async def get(self, path: str, **query: str | int) -> Any:
        """The JSON of a successful GET; names of options without their $."""
        parameters = {f"${name}": value for name, value in query.items()}
        answer = await self.client.get(f"{ROOT}/{path}", params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def values(self, path: str, **query: str | int) -> list[Any]:
        """The entities of a set."""
        found: list[Any] = (await self.get(path, **query))["value"]
        return found

    async def post(self, path: str, body: Any) -> int:
        """Create an entity; its id."""
        answer = await self.client.post(f"{ROOT}/{path}", json=body)
        assert answer.status_code == 201, answer.text
        return int(answer.headers["location"].rpartition("(")[2].rstrip(")"))

    async def status(self, method: str, path: str, body: Any = None) -> int:
        """The status that a call is answered with."""
        return (await self.client.request(method, f"{ROOT}/{path}", json=body)).status_code


@pytest.fixture(scope="module")
async def sensors(new_city: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sensors]:
    url = new_city()
    settings = Settings(database_url=url, data=tmp_path_factory.mktemp("data"), log_level="error")
    database = await Database.open(url)
    async with database.writing() as connection:
        token = await create_token(connection, "duty officer", "editor")
    async with client_of(create_app(settings, Places(CityPlace("town", url, Path("unused"))))) as public:
        client = httpx.AsyncClient(transport=public._transport, base_url=BASE, headers=bearer(token))
        yield Sensors(client, public, database)
    await database.close()


def thing(name: str, *, at: tuple[float, float] | None = (120.95, 28.1), **more: Any) -> dict[str, Any]:
    """A Thing, where it stands if anywhere, and what else it holds."""
    body: dict[str, Any] = {"name": name, "description": f"a {name}", "properties": {"river": "Yongan"}} | more
    if at is not None:
        body["Locations"] = [
            {
                "name": f"{name}'s place",
                "description": "on the bank",
                "encodingType": "application/geo+json",
                "location": {"type": "Point", "coordinates": list(at)},
            }
        ]
    return body


def stream(name: str, **more: Any) -> dict[str, Any]:
    """A Datastream with a Sensor and an ObservedProperty of its own."""
    return {
        "name": name,
        "description": f"{name} of the river",
        "observationType": MEASUREMENT,
        "unitOfMeasurement": UNIT,
        "Sensor": {"name": "float", "description": "", "encodingType": "application/pdf", "metadata": "http://x/y.pdf"},
        "ObservedProperty": {"name": name, "definition": f"http://example.org/{name}", "description": ""},
    } | more


def observation(minute: int, result: Any, **more: Any) -> dict[str, Any]:
    """An Observation at a minute of 2024-08-01, 00:00 UTC on."""
    time = f"2024-08-01T{minute // 60:02}:{minute % 60:02}:00.000Z"
    return {"phenomenonTime": time, "result": result} | more
