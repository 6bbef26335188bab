"""The background worker: cities are tended as they come and go, and one failing chore disturbs no other."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest

from cim_models.database import CitySpec, Database
from cim_models.embedded import Cluster
from twin import worker
from twin.directory import Directory
from twin.settings import Settings

NAME = "tended"
SPEC = CitySpec(name=NAME, title_zh="城", title_en="City", metric_srid=4549, srid=4490)


@pytest.fixture
def settings(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(worker, "CITIES_EVERY_S", 0.1)
    monkeypatch.setattr(worker, "FIRST_DELAY_S", 0.1)
    monkeypatch.setattr(worker, "TRIM_EVERY_S", 0.1)
    return Settings(
        database_url=cluster.url("postgres"), cities=(NAME,), data=tmp_path, cache=tmp_path / "cache", cache_disk=1000
    )


@asynccontextmanager
async def working(settings: Settings) -> AsyncIterator[None]:
    tending = worker.Worker(settings)
    running = asyncio.create_task(tending.run())
    yield
    tending.stop()
    await running


async def eventually(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not done():  # noqa: ASYNC110  # what is waited for lies in other processes
            await asyncio.sleep(0.05)


async def test_cities_are_tended_as_they_come_and_go(
    settings: Settings, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    life: list[str] = []

    async def chore(database: Database) -> None:
        life.append(f"{database.city.name} begun")
        try:
            await asyncio.sleep(60)
        finally:
            life.append(f"{database.city.name} ended")

    monkeypatch.setattr(worker, "CHORES", (chore,))
    async with working(settings):
        await asyncio.sleep(0.3)
        assert life == []
        await asyncio.to_thread(Directory(settings.database_url, settings.data).create, SPEC)
        await eventually(lambda: life == ["tended begun"])
        await asyncio.to_thread(cluster.drop_database, f"city_{NAME}")
        await eventually(lambda: life == ["tended begun", "tended ended"])


async def test_a_failing_chore_begins_again_and_disturbs_no_other(
    settings: Settings, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    began: list[str] = []

    async def sound(_: Database) -> None:
        began.append("sound")
        await asyncio.sleep(60)

    async def failing(database: Database) -> None:
        began.append("failing")
        async with database.reading() as connection:
            await connection.execute("select 1 / 0")

    monkeypatch.setattr(worker, "CHORES", (sound, failing))
    await asyncio.to_thread(Directory(settings.database_url, settings.data).create, SPEC)
    try:
        async with working(settings):
            await eventually(lambda: began.count("failing") == 3)
    finally:
        await asyncio.to_thread(cluster.drop_database, f"city_{NAME}")
    assert began.count("sound") == 1


async def test_the_real_chores_keep_a_city_up_to_date(settings: Settings, cluster: Cluster) -> None:
    """Overviews are built, and a validity that ends becomes a change that readers hear of."""
    await asyncio.to_thread(Directory(settings.database_url, settings.data).create, SPEC)
    url = cluster.url(f"city_{NAME}")

    def asked(question: str) -> int:
        with psycopg.connect(url) as connection:
            row = connection.execute(question).fetchone()
        return int(row[0]) if row else 0

    try:
        async with working(settings):
            await eventually(lambda: asked("select count(*) from overview_layer") > 0)
            with psycopg.connect(url) as connection:
                connection.execute(
                    "insert into dataset (name, themes, title_zh, title_en) values ('d', array['building'], '数', 'D');"
                    "insert into building (dataset_id, uid, content_hash, class, geom, valid_to)"
                    " values (1, 'a', '', 'Building', st_multi(st_makeenvelope(121, 28, 121.001, 28.001, 4490)),"
                    " now() + interval '1 second')"
                )
            await eventually(lambda: asked("select count(*) from change where op = 'boundary'") == 1)
    finally:
        await asyncio.to_thread(cluster.drop_database, f"city_{NAME}")


async def test_the_tile_cache_is_kept_within_its_limit(settings: Settings) -> None:
    assert settings.cache is not None
    settings.cache.mkdir()
    for number in range(10):
        (settings.cache / str(number)).write_bytes(b"x" * 500)
    async with working(settings):
        await eventually(lambda: len(list(settings.cache.iterdir())) == 2)
