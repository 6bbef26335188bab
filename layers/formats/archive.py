"""Zip and gzip files: looked at before anything is unpacked, unpacked under limits, gone with their sources."""

import gzip
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from layers.formats.source import FormatError

ZIP_MAGIC = b"PK\x03\x04"
EMPTY_ZIP_MAGIC = b"PK\x05\x06"
GZIP_MAGIC = b"\x1f\x8b"

CHUNK = 1 << 20
UTF_8_NAME = 0x800


@dataclass(frozen=True)
class UnpackLimits:
    """What an archive may become: bytes in all, files, and bytes out for each byte in.

    The ratio counts only above `ratio_from` bytes: a small file of zeros is no attack. Deflate itself ends near 1030.
    """

    total: int = 16 << 30
    files: int = 10_000
    ratio: int = 200
    ratio_from: int = 64 << 20


def is_archive(head: bytes) -> bool:
    return head.startswith((ZIP_MAGIC, EMPTY_ZIP_MAGIC, GZIP_MAGIC))


@contextmanager
def unpacked(path: Path, head: bytes, limits: UnpackLimits) -> Iterator[tuple[Path, list[Path]]]:
    """A new temporary folder with the archive's files in it, and their paths; removed again if the caller fails.

    Raises FormatError for an archive that is broken, encrypted, too large, or packed so tightly that it is a bomb.
    """
    folder = Path(tempfile.mkdtemp(prefix="citytwin-"))
    try:
        unpack = _gunzip if head.startswith(GZIP_MAGIC) else _unzip
        yield folder, unpack(path, folder, limits)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _gunzip(path: Path, folder: Path, limits: UnpackLimits) -> list[Path]:
    target = folder / (path.name.removesuffix(".gz") or "content")
    try:
        with gzip.open(path) as packed:
            _copy(packed, target, path.name, min(limits.total, _ratio_limit(path.stat().st_size, limits)))
    except (OSError, EOFError, zlib.error) as error:
        raise FormatError(f"{path.name}: broken gzip file ({error}); fetch it again") from None
    return [target]


def _unzip(path: Path, folder: Path, limits: UnpackLimits) -> list[Path]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            _inspect(path, members, limits)
            return [_extract(archive, member, folder, path.name) for member in members]
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, ValueError) as error:
        raise FormatError(f"{path.name}: broken zip file ({error}); fetch it again") from None


def inspect(path: Path, limits: UnpackLimits) -> None:
    """Refuse a hostile zip that is read as it is, by its directory alone. Raises FormatError."""
    try:
        with zipfile.ZipFile(path) as archive:
            _inspect(path, archive.infolist(), limits)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise FormatError(f"{path.name}: broken zip file ({error}); fetch it again") from None


def _inspect(path: Path, members: list[zipfile.ZipInfo], limits: UnpackLimits) -> None:
    """Refuse a hostile archive by its directory alone."""
    total = sum(member.file_size for member in members)
    if len(members) > limits.files:
        raise FormatError(f"{path.name}: {len(members)} files in the zip, {limits.files} at most; unpack it yourself")
    if total > limits.total:
        raise FormatError(
            f"{path.name}: unpacks to {_megabytes(total)}, {_megabytes(limits.total)} at most;"
            " unpack it yourself if you trust it"
        )
    # Members that share their packed bytes would pass one by one, so the whole is measured too.
    if total > _ratio_limit(path.stat().st_size, limits):
        raise FormatError(
            f"{path.name}: {_megabytes(total)} packed into {_megabytes(path.stat().st_size)}; this looks like a"
            " zip bomb and is not unpacked"
        )
    for member in members:
        if member.flag_bits & 0x1:
            raise FormatError(f"{path.name}: {member.filename} is encrypted; give it without a password")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise FormatError(f"{path.name}: {member.filename} is a link; pack the file itself")


def _extract(archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path, archive_name: str) -> Path:
    parts = [part for part in _name(member).replace("\\", "/").split("/") if part not in ("", ".", "..")]
    target = folder.joinpath(*parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(member) as packed:
        # The directory may lie about the size; the bytes may not exceed what it promised.
        _copy(packed, target, f"{archive_name}/{member.filename}", member.file_size)
    return target


def _name(member: zipfile.ZipInfo) -> str:
    """A member's name; what no flag says is UTF-8 was most likely packed on a Chinese Windows (APPNOTE 6.3, D.1)."""
    if member.flag_bits & UTF_8_NAME:
        return member.filename
    packed = member.filename.encode("cp437", "replace")
    for encoding in ("utf-8", "gb18030"):
        try:
            return packed.decode(encoding)
        except UnicodeDecodeError:
            continue
    return member.filename


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def _copy(packed: _Readable, target: Path, name: str, most: int) -> None:
    written = 0
    with target.open("wb") as out:
        while chunk := packed.read(CHUNK):
            written += len(chunk)
            if written > most:
                raise FormatError(f"{name}: unpacks to more than {_megabytes(most)}; this looks like a zip bomb")
            out.write(chunk)


def _ratio_limit(packed: int, limits: UnpackLimits) -> int:
    return max(limits.ratio_from, packed * limits.ratio)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
