"""The one file that a backup is: a ZIP whose parts are stored as they are, written in one pass, each with a checksum.

ZIP, because its directory stands at the end: a file that was cut off is known at once, each part can be read by itself,
and any machine can open it without CityTwin.
"""

import contextlib
import hashlib
import os
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Self

from pydantic import ValidationError

from twin.keeping import KeepingError
from twin.keeping.manifest import Manifest, Part

CHUNK = 1024**2
MANIFEST = "citytwin.json"
LONGEST_MANIFEST = 64 * 1024**2


class BadBackup(KeepingError):
    """A file that is no backup, or no longer a whole one."""


class BackupWriter:
    """Writes `path`, which is there only when it is whole. Raises KeepingError where a file is there already."""

    def __init__(self, path: Path) -> None:
        if path.exists():
            raise KeepingError(f"{path}: is there already; name another file, or move that one away")
        self._path = path
        self._partial = path.with_name(f".{path.name}.partial")
        descriptor = os.open(self._partial, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        self._file = os.fdopen(descriptor, "wb")
        self._zip = zipfile.ZipFile(self._file, "w", zipfile.ZIP_STORED)
        self.parts: dict[str, Part] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        if failure is None:
            return
        with contextlib.suppress(OSError, ValueError):
            # On a full disk its last bytes cannot be written either, and need not be.
            self._zip.close()
        with contextlib.suppress(OSError):
            self._file.close()
        self._partial.unlink(missing_ok=True)

    def add(self, name: str, chunks: Iterable[bytes]) -> None:
        """Write one part, however long it turns out to be."""
        digest, size = hashlib.sha256(), 0
        with self._zip.open(_entry(name), "w", force_zip64=True) as target:
            for chunk in chunks:
                digest.update(chunk)
                size += len(chunk)
                target.write(chunk)
        self.parts[name] = Part(size=size, sha256=digest.hexdigest())

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest, bring everything to the disk, and give the file its name."""
        self._zip.writestr(_entry(MANIFEST), manifest.model_dump_json(indent=1))
        self._zip.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        # Not replace: another backup may have got the name meanwhile.
        os.link(self._partial, self._path)
        self._partial.unlink()
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


class Backup:
    """A backup that is being read."""

    def __init__(self, path: Path, archive: zipfile.ZipFile, manifest: Manifest) -> None:
        self.path = path
        self.manifest = manifest
        self._zip = archive

    def check(self) -> None:
        """Read every byte and compare the checksums. Raises BadBackup."""
        for name in self.manifest.parts:
            for _ in self.read(name):
                pass

    def read(self, name: str) -> Iterator[bytes]:
        """One part in pieces. Raises BadBackup at its end where it is not what was written."""
        digest = hashlib.sha256()
        try:
            with self._zip.open(name) as source:
                while chunk := source.read(CHUNK):
                    digest.update(chunk)
                    yield chunk
        except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
            raise self._broken(f"{name}: {error}") from None
        if digest.hexdigest() != self.manifest.parts[name].sha256:
            raise self._broken(f"{name} is not what was saved")

    def _broken(self, why: str) -> BadBackup:
        return BadBackup(f"{self.path}: broken ({why}); take another copy of this backup, or an older one")


@contextlib.contextmanager
def open_backup(path: Path) -> Iterator[Backup]:
    """The backup in a file, its manifest read and compared with what is in it.

    Raises BadBackup for what is none, was cut off, or was made by a newer CityTwin.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, IsADirectoryError):
        raise BadBackup(f"{path}: no backup of CityTwin, or one that was cut off; copy it again") from None
    with archive:
        yield Backup(path, archive, _manifest(path, archive))


def _manifest(path: Path, archive: zipfile.ZipFile) -> Manifest:
    entries = {entry.filename: entry for entry in archive.infolist()}
    if MANIFEST not in entries or entries[MANIFEST].file_size > LONGEST_MANIFEST:
        raise BadBackup(f"{path}: no backup of CityTwin: it has no {MANIFEST}")
    try:
        manifest = Manifest.model_validate_json(archive.read(MANIFEST))
    except (ValidationError, zipfile.BadZipFile, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise BadBackup(f"{path}: its {MANIFEST} cannot be read ({reason}); is it of a newer CityTwin?") from None
    stored = {name: entry.file_size for name, entry in entries.items() if name != MANIFEST}
    wanted = {name: part.size for name, part in manifest.parts.items()}
    packed = any(entry.compress_type != zipfile.ZIP_STORED for entry in entries.values())
    dumps = {city.dump for city in manifest.cities}
    if packed or stored != wanted or not dumps <= wanted.keys():
        raise BadBackup(f"{path}: broken (its parts are not those of its {MANIFEST}); take another copy")
    return manifest


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.external_attr = 0o600 << 16
    return entry
