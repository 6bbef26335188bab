"""What all tests share: one private PostgreSQL for the run, and the real data that some of them ask."""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from cim_models.database import CitySpec, Database, migrate
from cim_models.embedded import Cluster
from layers.seeds import seed_layers
from layers.tokens import create_token
from tests import town
from tests.serve import serving

# Seconds of each of a hundred servers, for networks that hardly any test asks for.
os.environ.setdefault("TWIN_WAYS_AHEAD", "false")
NUMBERS = count(1)
# A made-up county on the coast that CityTwin was first built for.
TEST_CITY = CitySpec(
    name="testing",
    title_zh="测试市",
    title_en="Testing",
    srid=4490,
    metric_srid=4549,
    vertical_datum="1985国家高程基准",
    time_zone="Asia/Shanghai",
    made_up=True,
)


@pytest.fixture(scope="session")
def open_folder() -> Iterator[Path]:
    """A temporary folder that the user PostgreSQL runs as can enter, unlike pytest's own when root calls it."""
    folder = Path(tempfile.mkdtemp(prefix="citytwin-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def cluster(open_folder: Path) -> Iterator[Cluster]:
    """One private PostgreSQL with PostGIS for the whole run; its data may be lost, so that it is quick."""
    shared = Cluster(open_folder / "shared", durable=False)
    shared.start()
    yield shared
    shared.stop(force=True)


@pytest.fixture(scope="session")
def new_city(cluster: Cluster) -> Callable[..., str]:
    """Lays a city down in a fresh database of the shared cluster and gives its URL; TEST_CITY costs a copy only."""
    made: list[str] = []

    def make(spec: CitySpec = TEST_CITY) -> str:
        if not made:
            made.append("template_city")
            cluster.create_database("template_city")
            _lay_down(cluster.url("template_city"), TEST_CITY)
        made.append(f"city_{spec.name}_{next(NUMBERS)}")
        if spec == TEST_CITY:
            cluster.create_database(made[-1], template="template_city")
        else:
            cluster.create_database(made[-1])
            _lay_down(cluster.url(made[-1]), spec)
        return cluster.url(made[-1])

    # They go with the cluster; to drop each would take a checkpoint each.
    return make


def _lay_down(url: str, spec: CitySpec) -> None:
    migrate(url, spec)
    seed_layers(url)


@pytest.fixture
def city_url(new_city: Callable[..., str]) -> str:
    """The URL of an empty TEST_CITY of the test's own."""
    return new_city()


@pytest.fixture
async def database(city_url: str) -> AsyncIterator[Database]:
    """An open TEST_CITY of the test's own."""
    opened = await Database.open(city_url)
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def town_url(new_city: Callable[..., str]) -> str:
    """The URL of the hand-made town, which no test changes."""
    url = new_city()
    town.fill(url)
    town.make_findable(url)
    return url


@pytest.fixture(scope="session")
async def town_database(town_url: str) -> AsyncIterator[Database]:
    """The hand-made town, open."""
    opened = await Database.open(town_url)
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def town_server(town_url: str) -> Iterator[str]:
    """The address of a real server of the hand-made town."""
    with serving(town_url) as address:
        yield address


@dataclass(frozen=True)
class SensingServer:
    """A real server of a city without sensors, left so by each module that uses it. token: of one who may write."""

    address: str
    database_url: str
    token: str


@pytest.fixture(scope="session")
async def sensing_server(new_city: Callable[..., str]) -> AsyncIterator[SensingServer]:
    url = new_city()
    database = await Database.open(url)
    async with database.writing() as connection:
        token = await create_token(connection, "officer", "editor")
    await database.close()
    with serving(url) as address:
        yield SensingServer(address, url, token)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real cities' data; named by TWIN_TEST_DATA, else beside the checkout."""
    repository = Path(__file__).resolve().parents[1]
    folder = Path(os.environ.get("TWIN_TEST_DATA", repository.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data in {folder}; name their folder with TWIN_TEST_DATA")
    return folder
