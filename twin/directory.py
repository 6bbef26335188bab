"""Which cities there are: databases of one PostgreSQL server, the private one or the operator's own."""

import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from cim_models.database import CitySpec, migrate
from layers.seeds import seed_layers
from twin import TwinError

PREFIX = "city_"
# A city is laid down and filled under this name, so that nobody meets it half made.
UNFINISHED = "unfinished_"
MAINTENANCE = "postgres"
NAME = re.compile(r"[a-z][a-z0-9_-]{0,47}\Z")
DATABASES = """
    select oid, datname from pg_database
    where (starts_with(datname, %(prefix)s) or datname = current_database() and datname <> %(maintenance)s)
      and has_database_privilege(oid, 'connect')
    order by datname <> current_database(), oid
"""

LEFT_OVER = """
    select datname from pg_database
    where starts_with(datname, %(prefix)s) and pg_has_role(datdba, 'usage') order by datname
"""


class DirectoryError(TwinError):
    """The cities cannot be listed, or not changed like this."""


class NoSuchCity(DirectoryError):
    """No city of that name is served here."""


class CityExists(DirectoryError):
    """A city of that name is there already."""


@dataclass(frozen=True)
class CityPlace:
    """Where a city is kept: its database, and the folder of its rasters."""

    name: str
    url: str
    files: Path

    @property
    def shown_url(self) -> str:
        """The database's URL for people to see, without its password."""
        return make_url(self.url).render_as_string(hide_password=True).replace("%2F", "/")


Fill = Callable[[CityPlace], None]


class Directory:
    """The cities on the PostgreSQL server of `url`, found anew at each call: another process may lay one down.

    A city is a database `city_*` that the role may connect to, or the database of `url` itself, if that holds one.
    files: folder with a folder of rasters for each city. only: names to serve, the default first; otherwise it is
    the city of `url`, or the oldest.
    """

    def __init__(self, url: str, files: Path, only: Sequence[str] = ()) -> None:
        self._url = url
        self._files = files
        self._only = tuple(only)
        self._names: dict[int, str] = {}

    def cities(self) -> list[CityPlace]:
        """Every city that is served, the default first. Raises DirectoryError when the server does not answer."""
        with self._connection() as connection:
            found = self._all(connection)
        if self._only:
            found = [place for place in found if place.name in self._only]
            found.sort(key=lambda place: self._only.index(place.name))
        return found

    def find(self, name: str | None = None) -> CityPlace:
        """The city of that name, or the default. Raises NoSuchCity, DirectoryError."""
        cities = self.cities()
        if not cities:
            raise NoSuchCity("no city here yet; make the demo city with `twin demo`, or lay your own with `twin init`")
        for place in cities:
            if name in (None, place.name):
                return place
        raise NoSuchCity(f"no city {name!r}; there are: {', '.join(place.name for place in cities)}")

    def create(self, spec: CitySpec, fill: Fill | None = None) -> CityPlace:
        """Lay a city down in a database of its own, and let `fill` load it before anybody sees it.

        Whole or not at all, except in an empty database that the operator has made for it: that one is used in
        place. Raises CityExists, DirectoryError, and whatever `fill` raises.
        """
        with self.making(spec.name) as place:
            self._lay_down(spec, place, fill)
        with self._connection() as connection:
            return next(place for place in self._all(connection) if place.name == spec.name)

    @contextmanager
    def making(self, name: str) -> Iterator[CityPlace]:
        """A new database for a city, which nobody meets before the end of the block; where that fails, it never was.

        An empty database that the operator has made for the city is used in place. Raises CityExists, DirectoryError.
        """
        check_name(name)
        with self._connection() as connection, self._alone(connection, name):
            if any(place.name == name for place in self._all(connection)):
                raise CityExists(f"city {name!r} is there already; add to it with `twin load --city {name}`")
            if (made := self._made_for(connection, name)) is not None:
                yield self._place(name, self._url_of(made))
                return
            unfinished = UNFINISHED + name
            # What a killed process left; nobody else is making it.
            _drop(connection, unfinished)
            _create(connection, unfinished)
            try:
                yield self._place(name, self._url_of(unfinished))
                _rename(connection, unfinished, PREFIX + name)
            except BaseException:
                with suppress(psycopg.Error):
                    _drop(connection, unfinished)
                shutil.rmtree(self._files / name, ignore_errors=True)
                raise

    def clear_unfinished(self) -> list[str]:
        """Remove what was left of cities whose making was killed; gives their names."""
        cleared = []
        with self._connection() as connection:
            for (database,) in connection.execute(LEFT_OVER, {"prefix": UNFINISHED}).fetchall():
                name = database.removeprefix(UNFINISHED)
                # Somebody is making it now.
                with suppress(CityExists), self._alone(connection, name):
                    _drop(connection, database)
                    shutil.rmtree(self._files / name, ignore_errors=True)
                    cleared.append(name)
        return cleared

    def _all(self, connection: psycopg.Connection) -> list[CityPlace]:
        databases = connection.execute(DATABASES, {"prefix": PREFIX, "maintenance": MAINTENANCE}).fetchall()
        found: dict[str, CityPlace] = {}
        for oid, database in databases:
            url = self._url_of(database)
            # A city's name never changes.
            name = self._names.get(oid) or _city_name(url)
            if name is not None:
                self._names[oid] = name
                # A copied database says the same name as the one it was copied from.
                found.setdefault(name, self._place(name, url))
        return list(found.values())

    def _lay_down(self, spec: CitySpec, place: CityPlace, fill: Fill | None) -> None:
        try:
            migrate(place.url, spec)
            seed_layers(place.url)
        except DBAPIError as error:
            raise DirectoryError(
                f"city {spec.name}: its database cannot be prepared ({first_line(error.orig)});"
                " have your administrator run in it: create extension postgis; create extension pg_trgm"
            ) from error
        place.files.mkdir(parents=True, exist_ok=True)
        if fill is not None:
            fill(place)

    def _made_for(self, connection: psycopg.Connection, name: str) -> str | None:
        """An empty database that waits for this city: `city_<name>`, or the one that the operator's URL names."""
        rows = connection.execute(DATABASES, {"prefix": PREFIX, "maintenance": MAINTENANCE}).fetchall()
        waiting = [database for oid, database in rows if oid not in self._names]
        for database in (PREFIX + name, make_url(self._url).database):
            if database in waiting:
                return database
        return None

    def _place(self, name: str, url: str) -> CityPlace:
        return CityPlace(name, url, self._files / name)

    def _url_of(self, database: str) -> str:
        # Not through SQLAlchemy's text form with its dialect's name in it: libpq and asyncpg read this too.
        return make_url(self._url).set(database=database).render_as_string(hide_password=False)

    @contextmanager
    def _connection(self) -> Iterator[psycopg.Connection]:
        try:
            connection = psycopg.connect(self._url, autocommit=True, connect_timeout=10)
        except psycopg.OperationalError as error:
            raise DirectoryError(f"the city database does not answer: {first_line(error)}") from None
        with connection:
            yield connection

    @contextmanager
    def _alone(self, connection: psycopg.Connection, name: str) -> Iterator[None]:
        """One process makes a city of that name; the lock ends with the connection, even by kill -9."""
        row = connection.execute("select pg_try_advisory_lock(hashtext(%s))", (PREFIX + name,)).fetchone()
        if row is None or not row[0]:
            raise CityExists(f"city {name!r} is being made by another process; wait for it")
        yield


def _city_name(url: str) -> str | None:
    """The name of the city in a database; None where there is none (yet), or the database was dropped just now."""
    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            row = connection.execute("select name from city").fetchone()
    except (psycopg.errors.UndefinedTable, psycopg.OperationalError):
        return None
    return str(row[0]) if row else None


def first_line(error: BaseException | None) -> str:
    """What libpq says, without the hints that it adds."""
    return str(error).strip().partition("\n")[0]


def check_name(name: str) -> None:
    """Raises DirectoryError for a name that cannot stand in URLs and database names."""
    if not NAME.match(name):
        raise DirectoryError(f"{name!r} cannot name a city; take a-z, 0-9, _ and -, a letter first, at most 48")


def _create(connection: psycopg.Connection, name: str) -> None:
    try:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    except psycopg.errors.InsufficientPrivilege:
        wanted = PREFIX + name.removeprefix(UNFINISHED)
        raise DirectoryError(
            f"role {connection.info.user} may not create databases; have your administrator run:"
            f" create database {wanted} owner {connection.info.user}"
        ) from None


def _rename(connection: psycopg.Connection, old: str, new: str) -> None:
    connection.execute(sql.SQL("alter database {} rename to {}").format(sql.Identifier(old), sql.Identifier(new)))


def _drop(connection: psycopg.Connection, name: str) -> None:
    connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
