"""One private PostgreSQL cluster a home: its life, its directories, its databases and how they are reached."""

import fcntl
import hashlib
import os
import secrets
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from cim_models.base import CityModelError
from cim_models.embedded import postgres
from cim_models.embedded.home import ForeignDirectory, Owner, service_user
from cim_models.embedded.process import ServerProcess, try_lock, wait

ROLE = "twin"
SUPERUSER = "postgres"
PORT = 5432
ACCESS = f"""\
local all,replication all trust
host all {ROLE} 127.0.0.1/32 scram-sha-256
"""
# After a power cut PostgreSQL replays up to max_wal_size of log before it answers.
START_TIMEOUT_S = 600.0


class EmbeddedError(CityModelError):
    """The private PostgreSQL cannot do this."""


class DatabaseExists(EmbeddedError):
    """A database of that name is there already."""


class NoSuchDatabase(EmbeddedError):
    """The cluster has no database of that name."""


@dataclass(frozen=True)
class Health:
    """Whether the cluster answers; `reason` says why not and what to do."""

    ready: bool
    reason: str = ""
    version: str = ""


class Cluster:
    """The private PostgreSQL under `home`, started from the system's binaries.

    port: listen there too, on 127.0.0.1, for `url(..., tcp=True)`; by default it has only a Unix socket.
    durable: False turns fsync off, for tests whose data may be lost.

    Databases belong to the ordinary role `twin`; the superuser is for this class alone.
    """

    def __init__(self, home: Path, *, port: int | None = None, durable: bool = True) -> None:
        self.home = home.absolute()
        self.directory = self.home / "postgres"
        self.data = self.directory / "data"
        self._password_file = self.directory / "password"
        self._port = port
        self._durable = durable
        self._lease: int | None = None
        self._name = "citytwin-" + hashlib.sha256(os.fsencode(self.home)).hexdigest()[:12]
        self._process = ServerProcess(self.data, self._name)

    # --- life

    def start(self) -> bool:
        """Start the server and wait until it answers, or adopt it if it runs already; True if this call started it.

        Several processes may call at once. Raises ForeignDirectory, HomeError, PostgresMissing, EmbeddedError.
        """
        owner = self.claim_directory()
        with self._exclusively(owner):
            started = not self._adopt()
            try:
                if started:
                    self._launch(owner)
                self._wait_until_ready()
                self._provision()
            except BaseException:
                if started:
                    self._end(signal.SIGQUIT)
                raise
            self._take_lease(owner)
        return started

    def stop(self, *, force: bool = False) -> bool:
        """End this process's use of the server, and with its last user the server; True if it is down afterwards.

        force: stop it even if other processes use it.
        """
        if not self.directory.exists():
            return True
        owner = service_user(self.directory)
        owner.private_directory(self.directory)
        with self._exclusively(owner):
            self._end_lease()
            if not force and self._leased_elsewhere(owner):
                return False
            self._end(signal.SIGINT)
        return True

    def health(self) -> Health:
        """Whether the server answers now; never raises, never starts it."""
        try:
            if self._process.running() is None:
                if not self.data.exists():
                    return Health(False, f"{self.home}: no city here yet; `twin up` makes one")
                return Health(False, f"{self.home}: PostgreSQL is not running; `twin up` starts it")
            with self.connect() as connection:
                version = connection.info.parameter_status("server_version") or ""
                return Health(True, version=version.partition(" ")[0])
        except (psycopg.Error, CityModelError, OSError) as error:
            return Health(False, str(error).strip())

    # --- databases

    def databases(self) -> list[str]:
        """Names of the databases made here, sorted."""
        with self.connect() as connection:
            rows = connection.execute(
                "select datname from pg_database where not datistemplate and datname <> %s order by 1",
                (SUPERUSER,),
            )
            return [name for (name,) in rows]

    def create_database(self, name: str, template: str | None = None) -> None:
        """A database with PostGIS in it, empty or a copy of `template`, to which nobody may be connected.

        Raises DatabaseExists, or NoSuchDatabase for the template.
        """
        statement = sql.SQL("create database {} owner {} template {}").format(
            sql.Identifier(name), sql.Identifier(ROLE), sql.Identifier(template or "template1")
        )
        with self.connect() as connection:
            try:
                connection.execute(statement)
            except psycopg.errors.DuplicateDatabase:
                raise DatabaseExists(f"{name}: the database exists; choose another name or drop it") from None
            except psycopg.errors.InvalidCatalogName:
                raise NoSuchDatabase(f"{template}: no such database to copy; there are {self.databases()}") from None

    def drop_database(self, name: str) -> None:
        """Remove a database and end the connections to it. Raises NoSuchDatabase."""
        if name not in (names := self.databases()):
            raise NoSuchDatabase(f"{name}: no such database to drop; there are {names}")
        with self.connect() as connection:
            connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))

    def url(self, database: str, *, tcp: bool = False) -> str:
        """URL of a database for the role `twin`, as psycopg, asyncpg, SQLAlchemy and libpq read it.

        tcp: through the loopback port, with the password; the cluster must have been given a port.
        """
        port = self.port
        if tcp:
            password = self._password_file.read_text()
            return f"postgresql://{ROLE}:{password}@127.0.0.1:{port}/{quote(database, safe='')}"
        where = {"host": str(self.runtime)} | ({} if port == PORT else {"port": str(port)})
        return f"postgresql://{ROLE}@/{quote(database, safe='')}?{urlencode(where, safe='/')}"

    def dsn(self, database: str) -> str:
        """The same as libpq keywords, which GDAL takes after "PG:"."""
        return make_conninfo(host=str(self.runtime), port=self.port, user=ROLE, dbname=database)

    def connect(self, database: str = SUPERUSER) -> psycopg.Connection:
        """A connection of the superuser; each statement is committed by itself. For this package alone."""
        return psycopg.connect(
            host=str(self.runtime),
            port=self.port,
            user=SUPERUSER,
            dbname=database,
            connect_timeout=10,
            autocommit=True,
        )

    @property
    def runtime(self) -> Path:
        """Directory of the socket, which its owner alone can enter; short, as a socket's path ends at 107 bytes."""
        if os.geteuid() == 0 and os.access("/run", os.W_OK):
            return Path("/run") / self._name
        # Not XDG_RUNTIME_DIR: it goes with the last login, and a cron job's environment does not name it.
        return Path("/tmp") / f"{self._name}-{os.geteuid()}"

    # --- directories

    def claim_directory(self) -> Owner:
        """Make or check the cluster's directory; returns the user it belongs to."""
        try:
            fresh = not self.home.exists()
            self.home.mkdir(parents=True, exist_ok=True)
            owner = service_user(self.directory)
            if fresh and os.geteuid() == 0:
                os.chown(self.home, owner.uid, owner.gid)
            if not owner.can_enter(self.home):
                raise ForeignDirectory(
                    f"{self.home}: PostgreSQL runs as {owner.name}, who cannot enter this directory;"
                    " name one that everybody can enter: TWIN_HOME=/var/lib/citytwin"
                )
            owner.private_directory(self.directory)
        except PermissionError as error:
            raise ForeignDirectory(
                f"{error.filename}: no permission; name a home of your own: TWIN_HOME=/path/to/home"
            ) from None
        return owner

    def _version_of_data(self, owner: Owner) -> int | None:
        """PostgreSQL's major version of the data directory; None if nothing is in it.

        Raises ForeignDirectory for anything that `_initialise` did not make.
        """
        if not self.data.exists() or not any(self.data.iterdir()):
            return None
        uid = self.data.stat().st_uid
        if uid != owner.uid:
            raise ForeignDirectory(
                f"{self.data}: belongs to user id {uid}, not to {owner.name};"
                f" if it is this twin's: chown -R {owner.name} '{self.directory}'"
            )
        if not (self.data / "citytwin").exists() or not (self.data / "PG_VERSION").exists():
            raise ForeignDirectory(
                f"{self.data}: holds files that CityTwin did not make; move them away,"
                " or name another home: TWIN_HOME=/path/to/home"
            )
        return int((self.data / "PG_VERSION").read_text())

    def _installed(self, major: int | None) -> postgres.Installation:
        """The server to run. Raises EmbeddedError where the data are another major version's."""
        try:
            return postgres.choose(major)
        except postgres.PostgresMissing as missing:
            if major is None or not (others := postgres.installations()):
                raise
            raise EmbeddedError(
                f"{self.data}: made by PostgreSQL {major}, while {others[0].major} is installed."
                f" To go on with {major}: {missing}."
                f" To begin anew with {others[0].major}: mv '{self.directory}' '{self.directory}-{major}'"
            ) from None

    def _initialise(self, server: postgres.Installation, owner: Owner, alive: int) -> None:
        """Lay down the data directory, whole or not at all."""
        staging = self.directory / "data.new"
        shutil.rmtree(staging, ignore_errors=True)
        said = server.initialise(staging, SUPERUSER, owner, alive, durable=self._durable)
        if said:
            raise EmbeddedError(f"{self.data}: initdb failed: {said}")
        owner.write(self._password_file, secrets.token_urlsafe(24))
        owner.write(staging / "citytwin", "CityTwin made this cluster, and runs it.\n")
        if self.data.exists():
            self.data.rmdir()
        staging.rename(self.data)

    # --- steps of a start

    def _adopt(self) -> bool:
        """Whether a server runs that this process can use."""
        server = self._process.running()
        if server is None:
            return False
        if server.ready and not (self.runtime / f".s.PGSQL.{server.port}").exists():
            # Somebody cleaned up /tmp; a server without its socket hears nobody.
            self._end(signal.SIGINT)
            return False
        if self._port and server.ready and not (server.listens and server.port == self._port):
            raise EmbeddedError(
                f"{self.home}: PostgreSQL runs already, without port {self._port}; stop it first: twin down"
            )
        return True

    def _launch(self, owner: Owner) -> None:
        # PostgreSQL's processes inherit the locked file: it is free when the last of them is gone. Process ids
        # cannot tell that; they are used again, and another container's are not seen.
        alive = self._open_lock("alive", owner)
        try:
            self._process.end_orphans(alive)
            major = self._version_of_data(owner)
            server = self._installed(major)
            if major is None:
                self._initialise(server, owner, alive)
            owner.private_directory(self.runtime)
            for stale in self.runtime.iterdir():
                stale.unlink()
            # Who can enter the socket's directory (mode 0700) is its owner or root: a password there would keep nobody
            # out and leak through URLs in logs. The loopback port is open to every user, and asks for one.
            owner.write(self.data / "pg_hba.conf", ACCESS)
            owner.write(self.directory / "archive.sh", postgres.archive_script())
            self._process.launch(owner, server, self._settings(), alive)
        finally:
            os.close(alive)

    def _settings(self) -> dict[str, str]:
        chosen = postgres.settings() | {
            "cluster_name": self._name,
            "unix_socket_directories": str(self.runtime),
            "listen_addresses": "127.0.0.1" if self._port else "",
            "port": str(self._port or PORT),
        }
        if not self._durable:
            chosen |= {"fsync": "off", "full_page_writes": "off"}
        return chosen

    def _wait_until_ready(self) -> None:
        def answers() -> bool:
            if self._process.gone():
                end = self._process.log_end()
                raise EmbeddedError(f"PostgreSQL did not start; {self._process.log} ends with:\n{end}")
            try:
                self.connect().close()
            except psycopg.OperationalError:
                return False
            return True

        if not wait(answers, START_TIMEOUT_S):
            raise EmbeddedError(f"PostgreSQL does not answer after {START_TIMEOUT_S:.0f} s; see {self._process.log}")

    def _provision(self) -> None:
        """PostGIS for every database to come, and the role that owns them; the role last, as the sign of both."""
        with self.connect() as connection:
            if connection.execute("select 1 from pg_roles where rolname = %s", (ROLE,)).fetchone():
                return
        with self.connect("template1") as connection:
            connection.execute("create extension if not exists postgis")
            # Encrypted here: a statement that fails is written to the log as it came.
            password = connection.pgconn.encrypt_password(
                self._password_file.read_bytes(), ROLE.encode(), b"scram-sha-256"
            )
            connection.execute(
                sql.SQL("create role {} login createdb password {}").format(
                    sql.Identifier(ROLE), sql.Literal(password.decode())
                )
            )

    def _end(self, how: signal.Signals) -> None:
        self._process.shut_down(how)
        shutil.rmtree(self.runtime, ignore_errors=True)

    # --- locks and connections

    @contextmanager
    def _exclusively(self, owner: Owner) -> Iterator[None]:
        """One process at a time starts or stops the cluster."""
        lock = self._open_lock("start", owner)
        try:
            if not wait(lambda: try_lock(lock), START_TIMEOUT_S):
                raise EmbeddedError(f"{self.home}: another process is starting or stopping PostgreSQL; try again")
            yield
        finally:
            os.close(lock)

    def _take_lease(self, owner: Owner) -> None:
        """Hold a shared lock as long as this process uses the server; it ends even with kill -9."""
        if self._lease is None:
            self._lease = self._open_lock("in-use", owner)
            fcntl.flock(self._lease, fcntl.LOCK_SH)

    def _end_lease(self) -> None:
        if self._lease is not None:
            # Closing is not enough where a forked worker holds a copy.
            fcntl.flock(self._lease, fcntl.LOCK_UN)
            os.close(self._lease)
            self._lease = None

    def _leased_elsewhere(self, owner: Owner) -> bool:
        lock = self._open_lock("in-use", owner)
        try:
            return not try_lock(lock)
        finally:
            os.close(lock)

    def _open_lock(self, name: str, owner: Owner) -> int:
        return owner.open(self.directory / f"{name}.lock", os.O_RDWR)

    @property
    def port(self) -> int:
        """The port whose number is in the socket's name."""
        server = self._process.running()
        return (server and server.port) or self._port or PORT
