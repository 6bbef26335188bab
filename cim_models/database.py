"""The city's database: laying it down, bringing it up to date, and connections to it."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self, TypeAlias

import asyncpg
import psycopg
from asyncpg.pool import PoolConnectionProxy
from pyproj import CRS
from pyproj.exceptions import CRSError
from sqlalchemy import MetaData, create_engine, make_url
from sqlalchemy.pool import NullPool

from cim_models.base import CityModelError
from cim_models.schema import schema
from cim_models.vocabulary import write_vocabulary

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"

MIGRATIONS = Path(__file__).parent / "migrations"
# One number for all CityTwin migrations of a database: "twin" in ASCII.
MIGRATION_LOCK = 0x7477696E


class SchemaTooNew(CityModelError):
    """The database was migrated by a newer CityTwin."""


class NoCity(CityModelError):
    """The database holds no city."""


class CitySpecError(CityModelError):
    """A city cannot be laid down like this."""


@dataclass(frozen=True)
class CitySpec:
    """What `twin init` lays down once for a city.

    srid: geographic storage CRS, 4326 or 4490. metric_srid: EPSG code of the projected CRS in which the city is
    measured. vertical_datum: name of the datum of all its heights; "unknown" is a stated value. view: where a viewer
    starts (center, zoom, pitch, bearing); None is the whole city.
    """

    name: str
    title_zh: str
    title_en: str
    srid: int = 4326
    metric_srid: int = 3857
    vertical_datum: str = "unknown"
    time_zone: str = "UTC"
    made_up: bool = False
    view: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if self.srid not in (4326, 4490):
            raise CitySpecError(f"city {self.name}: srid {self.srid}; a city is stored in 4326 or 4490")
        try:
            metric = CRS.from_epsg(self.metric_srid)
        except CRSError:
            raise CitySpecError(f"city {self.name}: EPSG:{self.metric_srid} is not known to PROJ") from None
        if not metric.is_projected or metric.axis_info[0].unit_conversion_factor != 1.0:
            raise CitySpecError(
                f"city {self.name}: EPSG:{self.metric_srid} ({metric.name}) is no projected CRS in metres;"
                " name the city's own zone, e.g. EPSG:4549"
            )


@dataclass(frozen=True)
class City:
    """The row that a city's database says of itself; `view` is where a viewer starts."""

    name: str
    title_zh: str
    title_en: str
    srid: int
    metric_srid: int
    vertical_datum: str
    time_zone: str
    made_up: bool
    view: dict[str, Any] | None

    @property
    def tables(self) -> MetaData:
        return schema(self.srid)


CITY_COLUMNS = ", ".join(City.__dataclass_fields__)


def migrate(url: str, city: CitySpec | None = None) -> City:
    """Bring the database at `url` (postgresql://...) up to this version's schema; lay `city` down if it is empty.

    One process migrates at a time. Raises NoCity for an empty database without `city`, SchemaTooNew for one that a
    newer CityTwin has touched.
    """
    # Alembic is large, and few processes migrate.
    from alembic import command
    from alembic.config import Config

    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), poolclass=NullPool)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["city"] = city
    with engine.begin() as connection:
        connection.exec_driver_sql("select pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))
        found = connection.exec_driver_sql("select to_regclass('alembic_version')").scalar()
        version = found and connection.exec_driver_sql("select version_num from alembic_version").scalar()
        if version is None and city is None:
            raise NoCity(f"{database_name(url)}: no city in this database; lay one down with `twin init`")
        if version is not None and version not in known_schemas():
            raise SchemaTooNew(
                f"{database_name(url)}: schema {version} is newer than this CityTwin; upgrade CityTwin to open it"
            )
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        write_vocabulary(connection)
    return read_city(url)


@cache
def newest_schema() -> str | None:
    """The version of the schema that this program migrates to."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory(str(MIGRATIONS)).get_current_head()


@cache
def known_schemas() -> frozenset[str]:
    """Every version of the schema that this program can open, the newest and all before it."""
    from alembic.script import ScriptDirectory

    return frozenset(script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions())


def database_name(url: str) -> str:
    """The database's name, for messages: a URL may carry a password."""
    return make_url(url).database or "database"


def read_city(url: str) -> City:
    """The city in the database at `url`. Raises NoCity."""
    with psycopg.connect(url) as connection:
        try:
            row = connection.execute(f"select {CITY_COLUMNS} from city").fetchone()
        except psycopg.errors.UndefinedTable:
            row = None
    if row is None:
        raise NoCity(f"{database_name(url)}: no city in this database; lay one down with `twin init`")
    return City(*row)


class Database:
    """Connections of one process to one city: a pool for readers, and transactions for writers."""

    def __init__(self, url: str, city: City, pool: asyncpg.Pool, readers: asyncpg.Pool) -> None:
        self.url = url
        self.city = city
        self._pool = pool
        self._readers = readers

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        read_url: str | None = None,
        connections: int = 8,
        statement_timeout_s: float = 30.0,
    ) -> Self:
        """Open the city at `url`; `read_url` names a replica for readers.

        connections: at most this many a pool. statement_timeout_s: no statement of the pool runs longer.
        Raises NoCity.
        """
        pool = await _pool(url, connections, statement_timeout_s)
        row = await pool.fetchrow(f"select {CITY_COLUMNS} from city") if await _has_city(pool) else None
        if row is None:
            await pool.close()
            raise NoCity(f"{database_name(url)}: no city in this database; lay one down with `twin init`")
        readers = await _pool(read_url, connections, statement_timeout_s) if read_url else pool
        return cls(url, City(**row), pool, readers)

    async def close(self) -> None:
        await self._pool.close()
        if self._readers is not self._pool:
            await self._readers.close()

    @property
    def tables(self) -> MetaData:
        return self.city.tables

    @property
    def has_replica(self) -> bool:
        """Whether readers ask another server than writers, one that may lag behind."""
        return self._readers is not self._pool

    @asynccontextmanager
    async def reading(self, *, acquire_timeout_s: float | None = None) -> AsyncIterator[Connection]:
        """A connection to read from; TimeoutError when none is free in time."""
        async with self._readers.acquire(timeout=acquire_timeout_s) as connection:
            yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Connection]:
        """A connection inside one transaction, committed at the end, undone by any exception."""
        async with self._pool.acquire() as connection, connection.transaction():
            yield connection


async def _has_city(pool: asyncpg.Pool) -> bool:
    return bool(await pool.fetchval("select to_regclass('city') is not null"))


async def _pool(url: str, connections: int, statement_timeout_s: float) -> asyncpg.Pool:
    return await asyncpg.create_pool(
        url,
        min_size=1,
        max_size=connections,
        init=_prepare,
        reset=_leave,
        # Every layer, view and filter is a statement of its own; the default of 100 would prepare them anew.
        statement_cache_size=2000,
        max_cached_statement_lifetime=0,
        max_cacheable_statement_size=64 * 1024,
        server_settings={
            "application_name": "citytwin",
            "statement_timeout": str(int(statement_timeout_s * 1000)),
            "timezone": "UTC",
            # Tiles take milliseconds; compiling their plans would take longer than running them.
            "jit": "off",
            # Many requests at once share the cores better than one that takes them all.
            "max_parallel_workers_per_gather": "0",
            # A tile's features are sorted in memory.
            "work_mem": "16MB",
        },
    )


async def _leave(_: Connection) -> None:
    """Nothing but an open transaction, which asyncpg ends, is left by those who give a connection back.

    What asks the server to forget anything else would take as long as drawing a small tile. Who listens, or locks or
    sets something beyond a transaction, opens a connection of its own.
    """


async def _prepare(connection: Connection) -> None:
    for name in ("json", "jsonb"):
        await connection.set_type_codec(name, schema="pg_catalog", encoder=json.dumps, decoder=json.loads)
