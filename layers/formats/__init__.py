"""Reading files: `open_sources` finds the format by content and gives one source for each layer.

A new format is one module with a `FORMAT`, and its name in the tuple below.
"""

import shutil
import weakref
from pathlib import Path

from layers.formats import osm, raster, vector
from layers.formats.archive import UnpackLimits, is_archive, unpacked
from layers.formats.source import GEOMETRY, CrsUnknown, Format, FormatError, Source, is_key

__all__ = ["FORMATS", "GEOMETRY", "CrsUnknown", "Format", "FormatError", "Source", "files_in", "is_key", "open_sources"]

FORMATS: tuple[Format, ...] = (*vector.FORMATS, osm.PBF, osm.XML, raster.FORMAT)

HEAD = 1024
ARCHIVES = (".zip", ".gz")


def open_sources(
    path: Path, *, crs: str | None = None, layer: str | None = None, limits: UnpackLimits | None = None
) -> list[Source]:
    """The layers of a file, opened but not read.

    crs: what the coordinates are in ("EPSG:4549" or WKT), instead of what the file says. layer: only this one.
    limits: what a zip or gzip file may unpack to. Raises FormatError where the file is missing, of no known format,
    broken, hostile, or has no such layer.
    """
    head = _head(path)
    if is_archive(head):
        return _open_archive(path, head, crs, layer, limits or UnpackLimits())
    for known in FORMATS:
        if known.recognises(head):
            return known.open(path, crs, layer)
    raise FormatError(_unknown(path, head))


def files_in(folder: Path) -> list[Path]:
    """Files under `folder` that could be read, by their names, sorted; a Shapefile's side files count with it."""
    suffixes = (*ARCHIVES, *(suffix for known in FORMATS for suffix in known.suffixes))
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name.lower().endswith(suffixes))


def _open_archive(path: Path, head: bytes, crs: str | None, layer: str | None, limits: UnpackLimits) -> list[Source]:
    with unpacked(path, head, limits) as (folder, files):
        known = [file for file in files if any(f.recognises(_head(file)) for f in FORMATS)]
        if not known:
            names = ", ".join(sorted(file.name for file in files)[:5]) or "nothing"
            raise FormatError(f"{path.name}: nothing in it that can be read (it holds {names}); {_readable()}")
        sources = [source for file in known for source in _open_member(file, crs, layer, alone=len(known) == 1)]
        if not sources:
            raise FormatError(f"{path.name}: no layer {layer!r} in any of its {len(known)} files")
    # The unpacked files are needed as long as any source is: the last one to go takes the folder with it.
    remaining = {id(source) for source in sources}
    for source in sources:
        weakref.finalize(source, _release, remaining, id(source), folder)
    return sources


def _open_member(file: Path, crs: str | None, layer: str | None, *, alone: bool) -> list[Source]:
    if alone or layer is None:
        return open_sources(file, crs=crs, layer=layer)
    return [source for source in open_sources(file, crs=crs) if source.name == layer]


def _release(remaining: set[int], source: int, folder: Path) -> None:
    remaining.discard(source)
    if not remaining:
        shutil.rmtree(folder, ignore_errors=True)


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(HEAD)
    except IsADirectoryError:
        raise FormatError(f"{path}: is a folder; name a file in it") from None
    except OSError as error:
        raise FormatError(f"{path}: cannot be opened ({error.strerror})") from None


def _unknown(path: Path, head: bytes) -> str:
    if not head:
        return f"{path.name}: the file is empty"
    for known in FORMATS:
        if path.name.lower().endswith(known.suffixes):
            return f"{path.name}: does not begin like a {known.name} file; it is broken or something else"
    return f"{path.name}: no known format; {_readable()}"


def _readable() -> str:
    return "can be read: " + ", ".join(dict.fromkeys(known.name for known in FORMATS))
