"""Runs of a role that reads some rows of a layer: theirs is what they see, and nothing of it is anybody else's."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
import pyarrow as pa
import pytest

from api.app import create_app
from cim_models.database import Database
from layers.access import Principal
from layers.tokens import create_token
from tests import town
from tests.api.conftest import Places, bearer, client_of
from tests.api.test_access import everything_about
from tests.twin.scenarios.test_city import opened
from twin.directory import CityPlace
from twin.scenarios import NoSuchRun, ScenarioError
from twin.scenarios.city import City
from twin.scenarios.echo import ECHO, EchoInputs
from twin.scenarios.keep import keep
from twin.scenarios.protocol import Result
from twin.scenarios.runs import start
from twin.settings import Settings

# Two neighbours who read one main each; the harbour reads one sensor besides.
GRANTS = """
    insert into permission (role, layer, action, row_filter)
    select role, layer, 'read', filter::jsonb from (values
        ('hill', '*', null),
        ('hill', 'utility_pipes', '{"op": "=", "args": [{"property": "uid"}, "secret-1"]}'),
        ('harbour', 'utility_pipes', '{"op": "=", "args": [{"property": "uid"}, "secret-2"]}'),
        ('harbour', 'sensors', '{"op": "=", "args": [{"property": "uid"}, "s1"]}')
    ) as given (role, layer, filter)
"""
CLERK = Principal("clerk", "hill")


@dataclass(frozen=True)
class Kept:
    """A run of the hill's clerk, its layers by role, and tokens by role."""

    url: str
    run: str
    layers: dict[str, str]
    tokens: dict[str, str]
    files: Path

    def addresses(self) -> list[str]:
        """Everything that could tell of it."""
        job, square, level = f"/jobs/{self.run}", self.layers["square"], self.layers["level"]
        coverage = f"/collections/{level}/coverage"
        return [
            *(job, f"{job}/results", f"{job}/events", f"{job}/tables/mains", f"{job}/tables/mains?f=xlsx"),
            *(f"{job}/files/echo.txt", f"{job}/files/level_0000.tif"),
            *(coverage, f"{coverage}/tilejson.json", f"{coverage}/tiles/WebMercatorQuad/14/6858/13697"),
            f"{coverage}/position?coords=POINT(120.97 28.1)",
            f"{coverage}/trajectory?coords=LINESTRING(120.95 28.1,120.98 28.1)",
            f"/wms?SERVICE=WMS&REQUEST=GetMap&VERSION=1.3.0&LAYERS={square}&STYLES=&CRS=CRS:84"
            "&BBOX=120.9,28,121,28.2&WIDTH=64&HEIGHT=64&FORMAT=image/png",
            f"/wfs?SERVICE=WFS&REQUEST=GetFeature&VERSION=2.0.0&TYPENAMES={square}",
            f"/traffic/links/1-f/trips?run={self.run}",
            *everything_about(square),
            *everything_about(level),
        ]


@pytest.fixture(scope="module")
def kept(new_city: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Kept:
    url, files = new_city(), tmp_path_factory.mktemp("files")
    town.fill(url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(GRANTS)
        connection.execute("update layer set restricted = true where id = 'sensors'")
    folder = files / "made"
    folder.mkdir()
    with opened(url, folder, CLERK) as asked:
        run = str(asked.run.id)
        asked.wait(_start(asked))
    folder = files / "runs" / run
    folder.mkdir(parents=True)
    with City.open(url, run, files=files, folder=folder) as city:
        mains = city.features("utility_pipes", columns=["name"])
        result = ECHO.run(city, EchoInputs(states=2), lambda *_: None)
        told = pa.table({"name": mains["name"]})
        keep(city, ECHO, Result(result.layers, result.indicators, {"mains": told}, result.files), 3600.0)
    with psycopg.connect(url) as connection:
        found = connection.execute("select id from layer where id like 'run%'").fetchall()
    layers = {str(name).rpartition("_")[2]: str(name) for (name,) in found}
    return Kept(url, run, layers, asyncio.run(_tokens(url)), files)


async def _start(city: City) -> None:
    async with city.database.writing() as connection:
        await start(connection, city.run.id)


async def _tokens(url: str) -> dict[str, str]:
    database = await Database.open(url, connections=1)
    try:
        async with database.writing() as connection:
            roles = ("hill", "harbour", "editor", "utility", "administrator")
            return {role: await create_token(connection, f"a {role}", role) for role in roles}
    finally:
        await database.close()


@pytest.fixture(scope="module")
async def restricted(kept: Kept, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx.AsyncClient]:
    settings = Settings(database_url=kept.url, data=tmp_path_factory.mktemp("data"), log_level="error")
    async with client_of(create_app(settings, Places(CityPlace("town", kept.url, kept.files)))) as client:
        yield client


@pytest.mark.parametrize("role", ["public", "editor", "harbour"])
async def test_who_sees_other_rows_hears_nothing_of_a_run(restricted: httpx.AsyncClient, kept: Kept, role: str) -> None:
    """Not its number, its layers, the name that it read, nor in other words than of a run that never was."""
    headers = {} if role == "public" else bearer(kept.tokens[role])
    secrets = (kept.run, *kept.layers.values(), f"{town.SECRET}1")
    for path in ["/jobs", "/wms?SERVICE=WMS&REQUEST=GetCapabilities", *kept.addresses()]:
        told = await restricted.get(path, headers=headers)
        assert told.status_code < 500, (path, told.text)
        if path.startswith(("/jobs/", f"/collections/{kept.layers['level']}/coverage")):
            assert told.status_code == 404, path
        # What was asked for may be said again.
        assert not [word for word in secrets if word in told.text and word not in path], path
        none = await restricted.get(_of_none(path, kept), headers=headers)
        assert (told.status_code, told.headers.get("content-type")) == (
            none.status_code,
            none.headers.get("content-type"),
        ), path


def _of_none(path: str, kept: Kept) -> str:
    """The same address of a run that never was."""
    for name in kept.layers.values():
        path = path.replace(name, "no_such_layer")
    return path.replace(kept.run, "00000000-0000-0000-0000-000000000000")


@pytest.mark.parametrize("role", ["hill", "utility", "administrator"])
async def test_who_sees_the_rows_sees_the_run(restricted: httpx.AsyncClient, kept: Kept, role: str) -> None:
    """Its own role, and those who read the whole layer."""
    headers = bearer(kept.tokens[role])
    mains = (await restricted.get(f"/jobs/{kept.run}/tables/mains", headers=headers)).raise_for_status()
    assert town.SECRET in mains.text
    assert "secret-2" not in mains.text
    assert kept.run in (await restricted.get("/jobs", headers=headers)).raise_for_status().text
    for path in kept.addresses()[:7]:
        (await restricted.get(path, headers=headers)).raise_for_status()
    level = f"/collections/{kept.layers['level']}/coverage/position?coords=POINT(120.97 28.1)"
    assert len((await restricted.get(level, headers=headers)).raise_for_status().json()["values"]) == 2
    features = f"/collections/{kept.layers['square']}/items"
    assert (await restricted.get(features, headers=headers)).raise_for_status().json()["numberMatched"] == 1


def test_nobody_builds_on_a_run_as_a_role_that_may_not_read_it(kept: Kept, tmp_path: Path) -> None:
    """The clerk, who also works for the harbour, sees the run; all of the harbour would read what came of it."""
    with opened(kept.url, kept.files, CLERK) as city:
        assert city.previous(kept.run).id == kept.run
    for other in (Principal("clerk", "harbour"), Principal("someone", "harbour")):
        with opened(kept.url, kept.files, other) as city, pytest.raises(NoSuchRun):
            city.previous(kept.run)


async def test_who_reads_some_sensors_is_not_told_of_all(restricted: httpx.AsyncClient, kept: Kept) -> None:
    """Series, events and last values are not asked sensor by sensor; their layer is."""
    headers = bearer(kept.tokens["harbour"])
    assert (await restricted.get("/collections/sensors/items", headers=headers)).status_code == 200
    for path in ("/sensors/v1.1/Things", "/sensors/latest", "/sensors/events", "/sensors/ranking?property=rain"):
        answer = await restricted.get(path, headers=headers)
        assert answer.status_code == 403, (path, answer.text)
        assert "ask for the layer's items" in answer.json()["detail"]
    assert (await restricted.get("/collections/events", headers=headers)).status_code == 404


def test_a_run_takes_no_series_of_a_sensor_that_may_be_hidden(kept: Kept, tmp_path: Path) -> None:
    with opened(kept.url, tmp_path, Principal("clerk", "harbour")) as city:
        assert city.counters(city.run.created_at) == []
        with pytest.raises(ScenarioError, match="harbour may read some of sensors"):
            city.series(1, city.run.created_at, city.run.created_at)
