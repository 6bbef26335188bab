"""A private PostgreSQL with PostGIS: one cluster a home, from the system's binaries, that nobody has to administer."""

import fcntl
import hashlib
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from cim_models import postgres
from cim_models.base import CityModelError
from cim_models.home import Owner, service_user

ROLE = "twin"
SUPERUSER = "postgres"
PORT = 5432
# After a power cut PostgreSQL replays up to max_wal_size of log before it answers.
START_TIMEOUT_S = 600.0
STOP_TIMEOUT_S = 60.0
LOG_LIMIT = 16 * postgres.MB


class EmbeddedError(CityModelError):
    """The private PostgreSQL cannot do this."""


class ForeignDirectory(EmbeddedError):
    """The directory holds what this twin did not make or may not touch."""


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


@dataclass(frozen=True)
class Postmaster:
    """The running server, as its own postmaster.pid tells; port and sockets are empty while it starts."""

    pid: int
    port: int
    socket_directory: str
    listens: str


class Cluster:
    """The private PostgreSQL under `home`.

    port: also listen there on 127.0.0.1 (with the password of `url(..., tcp=True)`); by default only on a Unix socket.
    durable: False turns fsync off, for tests whose data may be lost.

    Databases belong to the ordinary role `twin`; the superuser is for this class alone.
    """

    def __init__(self, home: Path, *, port: int | None = None, durable: bool = True) -> None:
        self.home = home.absolute()
        self.directory = self.home / "postgres"
        self.data = self.directory / "data"
        self.log = self.directory / "server.log"
        self._password_file = self.directory / "password"
        self._port = port
        self._durable = durable
        self._lease: int | None = None
        self._child: subprocess.Popen[bytes] | None = None
        # Process titles carry it: it tells this cluster's processes from every other PostgreSQL's.
        self._name = "citytwin-" + hashlib.sha256(os.fsencode(self.home)).hexdigest()[:12]

    # --- life

    def start(self) -> bool:
        """Start the server and wait until it answers; adopt it if it runs already.

        True if this call started it. Safe to call from several processes at once. Raises ForeignDirectory,
        PostgresMissing, HomeError or EmbeddedError.
        """
        owner = self._claim_directory()
        with self._exclusively(owner):
            started = self._postmaster() is None
            if started:
                self._launch(owner)
            try:
                self._wait_until_ready()
                self._provision()
            except BaseException:
                if started:
                    self._shut_down(signal.SIGQUIT)
                raise
            self._take_lease(owner)
        return started

    def stop(self, *, force: bool = False) -> bool:
        """End this process's use of the server, and the server with its last user.

        force: stop it even if other processes use it. True if the server is down afterwards.
        """
        if not self.data.exists():
            return True
        with self._exclusively(service_user(self.directory)):
            self._end_lease()
            if not force and self._leased_elsewhere():
                return False
            self._shut_down(signal.SIGINT)
            shutil.rmtree(self.runtime, ignore_errors=True)
        return True

    def health(self) -> Health:
        """Whether the server answers now; never raises, never starts it."""
        try:
            if not self.data.exists():
                return Health(False, f"{self.home}: no city here yet; `twin up` makes one")
            if self._postmaster() is None:
                return Health(False, f"{self.home}: PostgreSQL is not running; `twin up` starts it")
            with self._connect() as connection:
                return Health(True, version=connection.info.parameter_status("server_version") or "")
        except (psycopg.Error, CityModelError, OSError) as error:
            return Health(False, str(error).strip())

    # --- databases

    def databases(self) -> list[str]:
        """Names of the databases made here."""
        with self._connect() as connection:
            rows = connection.execute(
                "select datname from pg_database where not datistemplate and datname <> %s order by 1",
                (SUPERUSER,),
            )
            return [name for (name,) in rows]

    def create_database(self, name: str, template: str | None = None) -> None:
        """A database with PostGIS in it, empty or a copy of `template` (to which nobody may be connected).

        Raises DatabaseExists, or NoSuchDatabase for the template.
        """
        statement = sql.SQL("create database {} owner {} template {}").format(
            sql.Identifier(name), sql.Identifier(ROLE), sql.Identifier(template or "template1")
        )
        with self._connect() as connection:
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
        with self._connect() as connection:
            connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))

    def url(self, database: str, *, tcp: bool = False) -> str:
        """URL of a database for the role `twin`, as psycopg, asyncpg, SQLAlchemy and libpq read it.

        tcp: through the loopback port, with the password; the cluster must have been given a port.
        """
        port = self._port_in_use()
        if tcp:
            password = self._password_file.read_text()
            return f"postgresql://{ROLE}:{password}@127.0.0.1:{port}/{quote(database, safe='')}"
        options = {"host": str(self.runtime)} | ({} if port == PORT else {"port": str(port)})
        return f"postgresql://{ROLE}@/{quote(database, safe='')}?{urlencode(options, safe='/')}"

    def dsn(self, database: str) -> str:
        """The same as libpq keywords, which GDAL takes after "PG:"."""
        return make_conninfo(host=str(self.runtime), port=self._port_in_use(), user=ROLE, dbname=database)

    @property
    def runtime(self) -> Path:
        """Directory of the socket: short, because a socket's path ends at 107 bytes, and entered by its owner alone."""
        if os.geteuid() == 0 and os.access("/run", os.W_OK):
            return Path("/run") / self._name
        # Not XDG_RUNTIME_DIR: it is gone after logout, and a cron job's environment does not name it.
        return Path("/tmp") / f"{self._name}-{os.geteuid()}"

    # --- directories

    def _claim_directory(self) -> Owner:
        """Make or check the cluster's directory; returns the user it belongs to."""
        fresh = not self.home.exists()
        self.home.mkdir(parents=True, exist_ok=True)
        owner = service_user(self.directory)
        if fresh and os.geteuid() == 0:
            os.chown(self.home, owner.uid, owner.gid)
        if not owner.may("x", self.home):
            raise ForeignDirectory(
                f"{self.home}: PostgreSQL runs as {owner.name}, which cannot enter this directory;"
                " name one that everybody can enter: TWIN_HOME=/var/lib/citytwin"
            )
        try:
            private_directory(self.directory, owner)
        except PermissionError:
            raise ForeignDirectory(
                f"{self.home}: {owner.name} may not write here; name another home: TWIN_HOME=/path/to/home"
            ) from None
        return owner

    def _check_data(self, owner: Owner) -> int | None:
        """Major version of the cluster that lies in the data directory; None if nothing does.

        Raises ForeignDirectory for anything that this class did not make.
        """
        if not self.data.exists() or not any(self.data.iterdir()):
            return None
        uid = self.data.stat().st_uid
        if uid != owner.uid:
            raise ForeignDirectory(
                f"{self.data}: belongs to user id {uid}, not to {owner.name};"
                f" give it back: chown -R {owner.name} '{self.directory}'"
            )
        if not (self.data / "citytwin").exists() or not (self.data / "PG_VERSION").exists():
            raise ForeignDirectory(
                f"{self.data}: holds files that CityTwin did not make; move them away,"
                " or name another home: TWIN_HOME=/path/to/home"
            )
        return int((self.data / "PG_VERSION").read_text())

    # --- the server process

    def _launch(self, owner: Owner) -> None:
        """Start the server's process; its first crash recovery may still be ahead."""
        self._end_orphans(alive := self._open_lock("alive", owner))
        try:
            server = self._installed(self._check_data(owner))
            if not (self.data / "citytwin").exists():
                self._initialise(server, owner)
            (self.data / "postmaster.pid").unlink(missing_ok=True)
            private_directory(self.runtime, owner)
            for stale in self.runtime.iterdir():
                stale.unlink()
            options = [f"-c{name}={value}" for name, value in self._settings().items()]
            log = self._open_log(owner)
            try:
                # The lock goes down to the server and its children: it is free when the last of them is gone,
                # which no process id tells (ids are used again, and other containers' are not seen).
                self._child = subprocess.Popen(
                    [server.binaries / "postgres", "-D", self.data, *options],
                    **owner.identity(),
                    env=environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=(alive,),
                    start_new_session=True,
                )
            finally:
                os.close(log)
        finally:
            os.close(alive)

    def _installed(self, major: int | None) -> postgres.Installation:
        """The server to run. Raises EmbeddedError where the data are another major version's."""
        try:
            return postgres.choose(major)
        except postgres.PostgresMissing as missing:
            if major is None or not (others := postgres.installations()):
                raise
            raise EmbeddedError(
                f"{self.data}: made by PostgreSQL {major}, and {others[0].major} is installed. {missing}. Or begin anew"
                f" and load the city again: mv '{self.directory}' '{self.directory}-{major}'"
            ) from None

    def _settings(self) -> dict[str, str]:
        chosen = postgres.settings() | {
            "cluster_name": self._name,
            "unix_socket_directories": str(self.runtime),
            "unix_socket_permissions": "0700",
            "listen_addresses": "127.0.0.1" if self._port else "",
            "port": str(self._port or PORT),
        }
        if not self._durable:
            chosen |= dict.fromkeys(("fsync", "synchronous_commit", "full_page_writes"), "off")
        return chosen

    def _initialise(self, server: postgres.Installation, owner: Owner) -> None:
        """Lay down the data directory, whole or not at all."""
        staging = self.directory / "data.new"
        shutil.rmtree(staging, ignore_errors=True)
        # In a C-locale cluster trigrams of Chinese are empty, and with them the search for names.
        command = [server.binaries / "initdb", "--pgdata", staging, "--username", SUPERUSER, "--auth", "trust"]
        command += ["--encoding=UTF8", "--locale=C.UTF-8"] + ([] if self._durable else ["--no-sync"])
        done = subprocess.run(
            command, **owner.identity(), env=environment(), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise EmbeddedError(f"{self.data}: initdb failed: {done.stderr.strip()}")
        # Who can enter the socket's directory (mode 0700) is the owner or root, so that a password there would
        # keep nobody out and only leak through URLs in logs; the loopback port is open to all, and asks for one.
        (staging / "pg_hba.conf").write_text(f"local all all trust\nhost all {ROLE} 127.0.0.1/32 scram-sha-256\n")
        self._write(self._password_file, secrets.token_urlsafe(24), owner)
        self._write(staging / "citytwin", "Made by CityTwin, which runs this cluster.\n", owner)
        if self.data.exists():
            self.data.rmdir()
        staging.rename(self.data)

    def _provision(self) -> None:
        """PostGIS for every database to come, and the role that owns them; the role last, as the sign of both."""
        with self._connect() as connection:
            if connection.execute("select from pg_roles where rolname = %s", (ROLE,)).fetchone():
                return
        with self._connect("template1") as connection:
            connection.execute("create extension if not exists postgis")
            connection.execute(
                sql.SQL("create role {} login createdb password {}").format(
                    sql.Identifier(ROLE), sql.Literal(self._password_file.read_text())
                )
            )

    def _wait_until_ready(self) -> None:
        """Until the server answers on its socket. Raises EmbeddedError with the log's end if it gives up."""

        def answers() -> bool:
            if self._child is not None and self._child.poll() is not None:
                raise EmbeddedError(f"PostgreSQL did not start; the end of {self.log}:\n{self._log_end()}")
            running = self._postmaster()
            if running is None and self._child is None:
                raise EmbeddedError(f"PostgreSQL went down while it started; see {self.log}")
            try:
                self._connect().close()
            except psycopg.OperationalError:
                return False
            return True

        if not _wait(answers, START_TIMEOUT_S):
            raise EmbeddedError(f"PostgreSQL does not answer after {START_TIMEOUT_S:.0f} s; see {self.log}")
        running = self._postmaster()
        if self._port and running and (running.port != self._port or not running.listens):
            raise EmbeddedError(
                f"{self.home}: PostgreSQL runs already without port {self._port}; stop it first: twin down"
            )

    def _shut_down(self, how: signal.Signals) -> None:
        """SIGINT: end connections, then stop. SIGQUIT: at once, recovering at the next start."""
        running = self._postmaster()
        if running is None:
            return
        os.kill(running.pid, how)
        if not _wait(lambda: self._postmaster() is None, STOP_TIMEOUT_S):
            os.kill(running.pid, signal.SIGQUIT)
            _wait(lambda: self._postmaster() is None, STOP_TIMEOUT_S)
        self._child = None

    def _postmaster(self) -> Postmaster | None:
        """The running server; None if postmaster.pid is missing or left over.

        Raises ForeignDirectory if somebody runs a server on this directory by hand.
        """
        if self._child is not None:
            self._child.poll()  # a dead child keeps its process id until it is asked for
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            pid = int(lines[0])
        except (FileNotFoundError, NotADirectoryError, IndexError, ValueError):
            return None
        command = _command_line(pid)
        if f"-ccluster_name={self._name}" in command:
            port, socket_directory, listens = (lines[3:6] + ["", "", ""])[:3]
            return Postmaster(pid, int(port or 0), socket_directory.strip(), listens.strip())
        if Path(command[0]).name == "postgres" and str(self.data) in command:
            raise ForeignDirectory(
                f"{self.data}: another PostgreSQL (process {pid}) runs on it, which `twin` did not start;"
                f" stop it: kill -INT {pid}"
            )
        return None

    def _end_orphans(self, alive: int) -> None:
        """Take the lock that a server's processes hold, ending those that outlived their postmaster."""
        for how in (signal.SIGQUIT, signal.SIGKILL):
            if _try_lock(alive):
                return
            # Their transactions are lost already: without a postmaster nobody can reach them.
            for pid in self._orphans():
                os.kill(pid, how)
            if _wait(lambda: _try_lock(alive), 10.0):
                return
        raise ForeignDirectory(
            f"{self.data}: in use by a PostgreSQL that this machine does not see, perhaps in another container; stop it"
        )

    def _orphans(self) -> list[int]:
        pids = (int(entry) for entry in os.listdir("/proc") if entry.isdigit())
        return [pid for pid in pids if _command_line(pid)[0].startswith(f"postgres: {self._name}: ")]

    # --- locks and files

    @contextmanager
    def _exclusively(self, owner: Owner) -> Iterator[None]:
        """One process at a time starts or stops the cluster."""
        lock = self._open_lock("start", owner)
        try:
            if not _wait(lambda: _try_lock(lock), START_TIMEOUT_S):
                raise EmbeddedError(f"{self.home}: another process is starting or stopping PostgreSQL; try again")
            yield
        finally:
            os.close(lock)

    def _take_lease(self, owner: Owner) -> None:
        if self._lease is None:
            self._lease = self._open_lock("in-use", owner)
            fcntl.flock(self._lease, fcntl.LOCK_SH)

    def _end_lease(self) -> None:
        if self._lease is not None:
            # Not just closed: a forked worker may hold a copy.
            fcntl.flock(self._lease, fcntl.LOCK_UN)
            os.close(self._lease)
            self._lease = None

    def _leased_elsewhere(self) -> bool:
        lock = os.open(self.directory / "in-use.lock", os.O_RDWR | os.O_NOFOLLOW)
        try:
            return not _try_lock(lock)
        finally:
            os.close(lock)

    def _open_lock(self, name: str, owner: Owner) -> int:
        return _open(self.directory / f"{name}.lock", os.O_RDWR, owner)

    def _open_log(self, owner: Owner) -> int:
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".log.1"))
        return _open(self.log, os.O_WRONLY | os.O_APPEND, owner)

    def _log_end(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-10:])

    @staticmethod
    def _write(path: Path, text: str, owner: Owner) -> None:
        with open(_open(path, os.O_WRONLY | os.O_TRUNC, owner), "w", encoding="utf-8") as file:
            file.write(text)

    # --- connections

    def _port_in_use(self) -> int:
        running = self._postmaster()
        return (running and running.port) or self._port or PORT

    def _connect(self, database: str = SUPERUSER) -> psycopg.Connection:
        return psycopg.connect(
            host=str(self.runtime),
            port=self._port_in_use(),
            user=SUPERUSER,
            dbname=database,
            connect_timeout=10,
            autocommit=True,
        )


def private_directory(path: Path, owner: Owner) -> None:
    """A directory that its owner alone (and root) can enter. Raises ForeignDirectory for somebody else's."""
    path.mkdir(mode=0o700, exist_ok=True)
    status = path.lstat()
    if os.geteuid() == 0 and status.st_uid == 0:
        os.chown(path, owner.uid, owner.gid, follow_symlinks=False)
        status = path.lstat()
    if path.is_symlink() or not path.is_dir() or status.st_uid != owner.uid or status.st_mode & 0o077:
        raise ForeignDirectory(
            f"{path}: must be a directory of {owner.name} (user id {owner.uid}) that nobody else can enter, but belongs"
            f" to user id {status.st_uid} with mode {status.st_mode & 0o777:o};"
            f" run as that user, or: chown -R {owner.name} '{path}' && chmod 700 '{path}'"
        )


def environment() -> dict[str, str]:
    """What PostgreSQL gets of the environment: a caller's PGDATA, PROJ_DATA or GDAL_DATA would lead it astray."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"}


def _open(path: Path, flags: int, owner: Owner) -> int:
    """Open or create a private file of the owner's; never through a link that the owner may have laid for root."""
    descriptor = os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    if os.geteuid() == 0:
        os.fchown(descriptor, owner.uid, owner.gid)
    return descriptor


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _command_line(pid: int) -> list[str]:
    """Command line of a process; [""] if it is gone, or dead and not yet collected."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return [""]


def _wait(done: Callable[[], bool], timeout_s: float) -> bool:
    until = time.monotonic() + timeout_s
    while not done():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True
