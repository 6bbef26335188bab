"""`twin restore`: a backup becomes the cities of an empty home, all of them or none."""

import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path

import psycopg
from psycopg import sql

from cim_models.database import known_schemas
from twin.directory import CityPlace, first_line
from twin.keeping import KeepingError, keeping
from twin.keeping.backup import Step
from twin.keeping.container import Backup, open_backup
from twin.keeping.manifest import TOKEN, Manifest, SavedCity
from twin.keeping.postgres import count_rows, list_contents, load, server_major
from twin.local import LocalTwin
from twin.own_token import ensure_own_token
from twin.serving import who_serves

SETTINGS_FILE = "settings.env"
# A dump is packed, a database has indexes.
DATABASE_TO_DUMP = 6
# Transactions are numbered anew in a new cluster. A reader of a feed that left off at a high number of the old one
# would wait for it for years, so what is restored counts as older than everything to come.
NUMBERED = """
    select n.nspname, c.relname from pg_attribute a
    join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
    where a.attname = 'xid' and a.atttypid = 'xid8'::regtype and c.relkind = 'r' and n.nspname !~ '^pg_'
    order by c.relname <> 'change_consumer'
"""
# A reader begins at the first row it has not seen; by number alone it may meet some twice, and loses none.
PLACES = """
    update change_consumer place set seq = coalesce(
        (select min(seq) - 1 from change where (change.xid, change.seq) > (place.xid, place.seq)),
        (select max(seq) from change), 0)
"""


def check(file: Path, step: Step) -> Manifest:
    """Read a whole backup and compare its checksums; nothing else is touched. Raises BadBackup, KeepingError."""
    with open_backup(file) as saved:
        _refuse_newer(saved)
        with step("every byte checked"):
            saved.check()
        return saved.manifest


def restore(twin: LocalTwin, file: Path, step: Step) -> Manifest:
    """Bring the cities of a backup back into the empty home of `twin`. What fails leaves the home empty.

    Raises BadBackup for a file that is broken, before anything is touched; KeepingError where the home is not empty,
    too small, or of an older PostgreSQL.
    """
    refuse_used(twin)
    manifest = check(file, step)
    twin.make_home()
    _refuse_full(twin, manifest)
    with open_backup(file) as saved, keeping(twin.home), twin.database():
        _refuse_cities(twin)
        _refuse_older_server(twin, saved)
        with ExitStack() as cities:
            for city in manifest.cities:
                place = cities.enter_context(twin.directory.making(city.name))
                with step(f"{city.name}: database"):
                    _restore_database(saved, city, place.url)
                with step(f"{city.name}: files"):
                    _restore_files(saved, city, place)
            _restore_home(twin, saved)
        ensure_own_token(twin.token_file, twin.directory.cities())
    return manifest


def refuse_used(twin: LocalTwin) -> None:
    """Raises KeepingError where a server is at work or files of a city lie."""
    if who_serves(twin.home) is not None:
        raise KeepingError(f"{twin.home}: a server is at work here; stop it with `twin down`")
    data = twin.settings.data
    if data.exists() and any(data.iterdir()):
        raise KeepingError(f"{data}: not empty; restore into a home of its own: TWIN_HOME=/path/to/new/home")


def _refuse_newer(saved: Backup) -> None:
    for city in saved.manifest.cities:
        if city.schema_version not in known_schemas():
            raise KeepingError(
                f"{saved.path}: saved by CityTwin {saved.manifest.version}, with schema {city.schema_version}, which"
                " is newer than this one; upgrade CityTwin first"
            )


def _refuse_full(twin: LocalTwin, manifest: Manifest) -> None:
    wanted = sum(part.size for part in manifest.parts.values())
    wanted += (DATABASE_TO_DUMP - 1) * sum(manifest.parts[city.dump].size for city in manifest.cities)
    free = shutil.disk_usage(twin.home).free
    if free < wanted:
        raise KeepingError(
            f"{twin.home}: {free / 1e9:.1f} GB free, while the cities may take {wanted / 1e9:.1f} GB; free some, or"
            " name another disk: TWIN_HOME=/path/to/home"
        )


def _refuse_cities(twin: LocalTwin) -> None:
    if cities := twin.directory.cities():
        names = ", ".join(place.name for place in cities)
        raise KeepingError(
            f"{twin.home}: has cities already ({names}); restore into an empty home: TWIN_HOME=/path/to/new/home"
        )


def _refuse_older_server(twin: LocalTwin, saved: Backup) -> None:
    major, wanted = server_major(twin.settings.database_url), saved.manifest.postgres
    if major < wanted:
        raise KeepingError(
            f"{saved.path}: saved from PostgreSQL {wanted}, while {major} is here; install {wanted}:"
            f" apt-get install postgresql-{wanted} postgresql-{wanted}-postgis-3"
        )


def _restore_database(saved: Backup, city: SavedCity, url: str) -> None:
    _make_extensions(url, city.extensions)
    with tempfile.NamedTemporaryFile() as contents:
        list_contents(url, saved.read(city.dump), Path(contents.name))
        load(url, saved.read(city.dump), Path(contents.name))
    with psycopg.connect(url) as connection:
        found = count_rows(connection)
        if found != city.rows:
            tables = ", ".join(
                sorted(name for name in found.keys() | city.rows if found.get(name) != city.rows.get(name))
            )
            raise KeepingError(f"city {city.name}: restored with other rows than were saved, in {tables}")
        _forget_transactions(connection)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("analyze")


def _make_extensions(url: str, names: Iterable[str]) -> None:
    with psycopg.connect(url) as connection:
        for name in names:
            try:
                connection.execute(sql.SQL("create extension if not exists {}").format(sql.Identifier(name)))
            except psycopg.Error as error:
                raise KeepingError(
                    f"the cities need PostgreSQL's extension {name} ({first_line(error)}); install it, and have your"
                    f" administrator run in the empty database: create extension {name}"
                ) from None


def _forget_transactions(connection: psycopg.Connection) -> None:
    connection.execute(PLACES)
    for schema, table in connection.execute(NUMBERED).fetchall():
        connection.execute(sql.SQL("update {} set xid = '0'").format(sql.Identifier(schema, table)))


def _restore_files(saved: Backup, city: SavedCity, place: CityPlace) -> None:
    place.files.mkdir(parents=True)
    for name in saved.manifest.files(city):
        target = place.files / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as file:
            file.writelines(saved.read(city.folder + name))


def _restore_home(twin: LocalTwin, saved: Backup) -> None:
    if TOKEN in saved.manifest.parts:
        _write_private(twin.token_file, b"".join(saved.read(TOKEN)))
    write_settings(twin.home, saved.manifest.settings)


def write_settings(home: Path, settings: Mapping[str, str]) -> None:
    """Lay the settings that were in force beside the cities, for the operator to set them again."""
    if settings:
        lines = "".join(f"{name}={value}\n" for name, value in sorted(settings.items()))
        _write_private(home / SETTINGS_FILE, lines.encode())


def _write_private(path: Path, content: bytes) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb") as file:
        file.write(content)
