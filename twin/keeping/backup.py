"""`twin backup`: every city of a home in one file, each as of one moment, while others go on editing."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path

from cim_models import __version__
from twin.directory import CityPlace
from twin.keeping import KeepingError, keeping
from twin.keeping.container import CHUNK, BackupWriter
from twin.keeping.manifest import TOKEN, Manifest, SavedCity
from twin.keeping.postgres import Snapshot, dump, server_major, snapshot
from twin.local import LocalTwin

Step = Callable[[str], AbstractContextManager[None]]
# In the home: when it was last saved, and where.
LAST = "last-backup"
# Where things are on this machine; on another one they are elsewhere.
PLACES = ("TWIN_HOME", "TWIN_DATABASE_URL", "TWIN_DATABASE_READ_URL", "TWIN_DATA", "TWIN_CACHE", "TWIN_VIEWER")


def backup(twin: LocalTwin, file: Path, environ: Mapping[str, str], step: Step) -> Manifest:
    """Save all cities of `twin` in `file`: database, files, settings and the local user's token.

    The file appears when it is whole; it holds secrets, and its owner alone can read it. Raises KeepingError, OSError.
    """
    file = file.absolute()
    with twin.database(make=False), keeping(twin.home), BackupWriter(file) as writer:
        places = twin.directory.cities()
        if not places:
            raise KeepingError(f"{twin.home}: no city here to save")
        cities = [_save_city(writer, place, step) for place in places]
        if twin.token_file.exists():
            writer.add(TOKEN, [twin.token_file.read_bytes()])
        manifest = Manifest(
            version=__version__,
            made_at=datetime.now(UTC),
            postgres=server_major(places[0].url),
            cities=tuple(cities),
            settings=settings_of(environ),
            parts=writer.parts,
        )
        writer.finish(manifest)
        (twin.home / LAST).write_text(f"{manifest.made_at.isoformat()} {file}\n", encoding="utf-8")
    return manifest


def last_backup(home: Path) -> tuple[datetime, Path] | None:
    """When a home was last saved, and in which file; None where it never was."""
    try:
        moment, _, file = (home / LAST).read_text(encoding="utf-8").strip().partition(" ")
        return datetime.fromisoformat(moment), Path(file)
    except (FileNotFoundError, ValueError):
        return None


def settings_of(environ: Mapping[str, str]) -> dict[str, str]:
    """The settings that hold wherever the cities are."""
    return {name: value for name, value in environ.items() if name.startswith("TWIN_") and name not in PLACES}


def _save_city(writer: BackupWriter, place: CityPlace, step: Step) -> SavedCity:
    with step(f"{place.name}: database"), snapshot(place.url) as moment:
        city = _describe(place.name, moment)
        writer.add(city.dump, dump(place.url, moment))
    # After the database: a file is laid down before the row that names it is committed, and then never changed.
    with step(f"{place.name}: files"):
        for path in files_under(place.files):
            writer.add(city.folder + path.relative_to(place.files).as_posix(), _content(path))
    return city


def _describe(name: str, moment: Snapshot) -> SavedCity:
    return SavedCity(
        name=name,
        taken_at=moment.taken_at,
        schema_version=moment.value("select version_num from alembic_version"),
        extensions=moment.extensions(),
        rows=moment.rows(),
    )


def files_under(folder: Path) -> Iterator[Path]:
    """A city's files, less those that are just being made, whose names or folders begin with a dot; in order."""
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(parent, name) for name in sorted(names) if not name.startswith("."))


def _content(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk
    except FileNotFoundError:
        raise KeepingError(f"{path}: was removed while it was being saved; run the backup again") from None
