"""`twin archive`: every moment of a home in a folder, and a home brought back as it was at one of them.

archive.json says whose it is; bases/TIME/ are copies of the database now and then, wal/ is its log since, files/ the
files of the cities.
"""

import gzip
import json
import shutil
import zlib
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from cim_models import __version__
from cim_models.embedded import Cluster
from cim_models.embedded.archive import CHECKSUMS, Archive, Archiving
from twin.keeping import KeepingError, keeping
from twin.keeping.backup import Step, settings_of
from twin.keeping.container import CHUNK
from twin.keeping.manifest import Strict
from twin.keeping.restore import refuse_used, write_settings
from twin.local import LocalTwin
from twin.own_token import ensure_own_token

FILE = "archive.json"
# Bytes of log in a file, as initdb has it.
SEGMENT = 16 * 1024**2
# A copy of the database is named after the moment at which it was whole.
FINISHED, UNFINISHED = "%Y%m%dT%H%M%S.%f%z", "unfinished"


class Owned(Strict):
    """Whose archive a folder is. home: the twin's, on the machine that writes it."""

    product: str = "citytwin"
    version: str
    home: str
    settings: dict[str, str]


def start(twin: LocalTwin, folder: Path, environ: Mapping[str, str], step: Step) -> None:
    """Archive to `folder` from now on, beginning with a copy of all there is; called again, it makes another copy.

    The server may go on. Raises KeepingError, ArchiveError.
    """
    folder = folder.absolute()
    archive = Archive(_private(twin))
    with twin.database(make=False), keeping(twin.home):
        if archive.folder not in (None, folder):
            raise KeepingError(f"{twin.home} is archived to {archive.folder}; end that first: twin archive stop")
        if archive.folder is None:
            _claim(folder, twin, environ)
            archive.begin(folder, twin.settings.data.absolute())
        # A new home has none before it was served.
        with suppress(FileNotFoundError):
            shutil.copy(twin.token_file, folder / "token")
        with step("copy of the database"):
            unfinished = folder / "bases" / UNFINISHED
            archive.copy_base(unfinished)
            archive.flush()
            unfinished.rename(folder / "bases" / datetime.now(UTC).strftime(FINISHED))


def stop(twin: LocalTwin) -> Path:
    """Bring what is there by now into the archive, and end archiving; gives its folder. Raises KeepingError."""
    archive = Archive(_private(twin))
    if (folder := archive.folder) is None:
        raise KeepingError(f"{twin.home} is not archived; begin with `twin archive start FOLDER`")
    with twin.database(make=False):
        archive.end()
    return folder


def state(twin: LocalTwin) -> Archiving | None:
    """How archiving goes, None where it is off. Raises KeepingError, NoDatabase."""
    archive = Archive(_private(twin))
    if archive.folder is None:
        return None
    with twin.database(make=False):
        return archive.state()


def restore_moment(twin: LocalTwin, folder: Path, to: datetime | None, step: Step) -> None:
    """Bring the empty home of `twin` to what the archived one was at a moment, or at the archive's end.

    What fails leaves the home empty. Raises KeepingError where nothing in the archive can lead there, before anything
    is touched; ArchiveError.
    """
    folder, cluster = folder.absolute(), _private(twin)
    refuse_used(twin)
    if cluster.data.exists():
        raise KeepingError(f"{twin.home}: has a database; restore into an empty home: TWIN_HOME=/path/to/new/home")
    owned = _read(folder)
    base = _base_before(folder, to)
    with step("log checked"):
        _check_log(folder / "wal")
    twin.make_home()
    with keeping(twin.home):
        try:
            with step("files"):
                shutil.copytree(folder / "files", twin.settings.data, dirs_exist_ok=True, ignore=_unfinished)
            with step("database"):
                Archive(cluster).lay_down(base, folder, to)
        except BaseException:
            shutil.rmtree(twin.settings.data, ignore_errors=True)
            raise
        with suppress(FileNotFoundError):
            shutil.copy(folder / "token", twin.token_file)
        write_settings(twin.home, owned.settings)
        with twin.database():
            ensure_own_token(twin.token_file, twin.directory.cities())


def _private(twin: LocalTwin) -> Cluster:
    if twin.cluster is None:
        raise KeepingError(
            "TWIN_DATABASE_URL names a PostgreSQL of your own, which its administrator archives, with pgBackRest for"
            " example; `twin backup` saves your cities from there"
        )
    return twin.cluster


def _claim(folder: Path, twin: LocalTwin, environ: Mapping[str, str]) -> None:
    """Make the folder this home's, or see that it is."""
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        if (owner := _read(folder).home) != str(twin.home):
            raise KeepingError(f"{folder}: the archive of {owner}; name an empty folder")
        return
    # It will hold all that the cities hold.
    folder.chmod(0o700)
    owned = Owned(version=__version__, home=str(twin.home), settings=settings_of(environ))
    (folder / FILE).write_text(owned.model_dump_json(indent=1), encoding="utf-8")


def _read(folder: Path) -> Owned:
    try:
        return Owned.model_validate_json((folder / FILE).read_bytes())
    except (FileNotFoundError, ValidationError):
        raise KeepingError(f"{folder}: no archive of CityTwin, or one of a newer CityTwin") from None


def _base_before(folder: Path, to: datetime | None) -> Path:
    """The newest copy of the database that was finished by then."""
    finished = bases(folder)
    fitting = [moment for moment in finished if to is None or moment <= to]
    if not fitting:
        first = f"begins {min(finished):%Y-%m-%d %H:%M:%S} UTC" if finished else "has no copy of the database"
        raise KeepingError(f"{folder}: {first}; nothing before can be brought back")
    return finished[max(fitting)]


def bases(folder: Path) -> dict[datetime, Path]:
    """The copies of the database in an archive, by the moment at which each was whole."""
    copies = (copy for copy in (folder / "bases").iterdir() if copy.name != UNFINISHED)
    return {datetime.strptime(copy.name, FINISHED): copy for copy in copies}


def first_segment(base: Path) -> str:
    """The first segment of the log that a copy of the database needs, as in its file's name, without the timeline."""
    ranges = json.loads((base / CHECKSUMS).read_bytes())["WAL-Ranges"]
    high, low = min(tuple(int(half, 16) for half in each["Start-LSN"].split("/")) for each in ranges)
    return f"{high:08X}{low // SEGMENT:08X}"


def _check_log(wal: Path) -> None:
    """Raises KeepingError for a segment that is damaged: the replay would end before it without a word."""
    for segment in sorted(wal.glob("*.gz")):
        try:
            with gzip.open(segment) as content:
                while content.read(CHUNK):
                    pass
        except (OSError, EOFError, zlib.error) as error:
            raise KeepingError(f"{segment}: damaged ({error}); bring another copy, or restore a backup") from None


def _unfinished(_: str, names: list[str]) -> list[str]:
    return [name for name in names if name.endswith(".partial")]
