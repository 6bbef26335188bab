"""Databases out and in: pg_dump and pg_restore of the right version, streamed, and what a database holds."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

import psycopg
from psycopg import IsolationLevel, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from cim_models.embedded import postgres
from cim_models.embedded.home import environment
from twin.keeping import KeepingError
from twin.keeping.container import CHUNK

# Level 1 takes a third of the time of the default, for a file a tenth larger.
COMPRESSION = "1"
TABLES = """
    select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'r' and c.relpersistence = 'p' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
      and not exists (select from pg_depend where objid = c.oid and deptype = 'e')
    order by 1, 2
"""
# An extension belongs to who may create it; the database has them before anything is restored into it.
OF_EXTENSIONS = (" EXTENSION - ", " COMMENT - EXTENSION ", " TABLE DATA public spatial_ref_sys ")


class DumpFailed(KeepingError):
    """pg_dump or pg_restore ended with an error."""


@dataclass(frozen=True)
class Snapshot:
    """One moment of a database, held as long as the transaction behind it. id: as pg_dump takes it."""

    connection: psycopg.Connection
    id: str
    taken_at: datetime

    def rows(self) -> dict[str, int]:
        """How many rows each table holds, counted."""
        return count_rows(self.connection)

    def value(self, statement: str) -> str:
        row = self.connection.execute(statement).fetchone()
        assert row is not None
        return str(row[0])

    def extensions(self) -> tuple[str, ...]:
        names = self.connection.execute("select extname from pg_extension where extname <> 'plpgsql' order by 1")
        return tuple(name for (name,) in names)


@contextmanager
def snapshot(url: str) -> Iterator[Snapshot]:
    """Hold the present moment of a database while others go on writing."""
    with psycopg.connect(url) as connection:
        connection.isolation_level, connection.read_only = IsolationLevel.REPEATABLE_READ, True
        row = connection.execute("select pg_export_snapshot(), now()").fetchone()
        assert row is not None
        yield Snapshot(connection, *row)


def count_rows(connection: psycopg.Connection) -> dict[str, int]:
    """Rows of each table, by "schema.table"; those of extensions and unlogged ones are left out."""
    counts = {}
    for schema, table in connection.execute(TABLES).fetchall():
        row = connection.execute(sql.SQL("select count(*) from {}").format(sql.Identifier(schema, table))).fetchone()
        assert row is not None
        counts[f"{schema}.{table}"] = row[0]
    return counts


def server_major(url: str) -> int:
    """Major version of the server behind a URL."""
    with psycopg.connect(url) as connection:
        return connection.info.server_version // 10000


def dump(url: str, moment: Snapshot) -> Iterator[bytes]:
    """The database as of a snapshot, in pg_dump's custom format. Raises DumpFailed."""
    options = ("--format=custom", f"--compress={COMPRESSION}", f"--snapshot={moment.id}")
    command = [_program("pg_dump", url), *options, *_plain(), "--no-unlogged-table-data", *_target(url)]
    with _started(command, url, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        while chunk := process.stdout.read(CHUNK):
            yield chunk


def load(url: str, chunks: Iterable[bytes], contents: Path) -> None:
    """Put a dump into an empty database that has its extensions. contents: what `list_contents` wrote.

    Raises DumpFailed.
    """
    options = ("--exit-on-error", f"--use-list={contents}")
    command = [_program("pg_restore", url), *options, *_plain(), *_target(url)]
    with _started(command, url, stdin=subprocess.PIPE) as process:
        _feed(process, chunks)


def list_contents(url: str, chunks: Iterable[bytes], contents: Path) -> None:
    """Write what is in a dump to a file, less what belongs to extensions. Raises DumpFailed."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as listing:
        with _started([_program("pg_restore", url), "--list"], url, stdin=subprocess.PIPE, stdout=listing) as process:
            _feed(process, chunks)
        listing.seek(0)
        lines = [line for line in listing if not any(words in line for words in OF_EXTENSIONS)]
    contents.write_text("".join(lines), encoding="utf-8")


def _plain() -> tuple[str, ...]:
    """Roles are each server's own affair: who restores a city owns it."""
    return "--no-owner", "--no-privileges"


def _target(url: str) -> tuple[str, ...]:
    # Without its password: everybody sees the command line of a process.
    told = {key: str(value) for key, value in conninfo_to_dict(url).items() if key != "password"}
    return "--dbname", make_conninfo(**told)


def _program(name: str, url: str) -> str:
    """The client of the server's own version, or the newest there is: it reads what is older."""
    major = server_major(url)
    installed = postgres.installations()
    for server in (*(each for each in installed if each.major == major), *installed):
        if server.major >= major and (server.binaries / name).exists():
            return str(server.binaries / name)
    if found := shutil.which(name):
        return found
    raise KeepingError(f"{name} is not on this machine; install it: apt-get install postgresql-client-{major}")


@contextmanager
def _started(
    command: list[str], url: str, *, stdin: int | None = subprocess.DEVNULL, stdout: int | IO[str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a client program for the block; it is ended with it. Raises DumpFailed where the program fails."""
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, env=_environment(url), stdin=stdin, stdout=stdout, stderr=errors)
        try:
            yield process
        except BaseException:
            process.kill()
            raise
        finally:
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    # What a program that has ended did not read goes nowhere.
                    with suppress(BrokenPipeError):
                        pipe.close()
            process.wait()
        if process.returncode:
            errors.seek(0)
            said = errors.read().decode(errors="replace").strip().splitlines() or ["it said nothing"]
            raise DumpFailed(f"{Path(command[0]).name} failed: {said[0]}")


def _feed(process: subprocess.Popen[bytes], chunks: Iterable[bytes]) -> None:
    """Write to a program until it has had enough; why it ended tells its exit status."""
    assert process.stdin is not None
    try:
        for chunk in chunks:
            process.stdin.write(chunk)
        process.stdin.close()
    except BrokenPipeError:
        return


def _environment(url: str) -> Mapping[str, str]:
    password = conninfo_to_dict(url).get("password")
    return environment() | ({"PGPASSWORD": str(password)} if password else {})
