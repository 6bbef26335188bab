"""Reading files: `open_sources` finds the format by content and gives one source for each layer.

A new format is one module with a `FORMAT`, and its name in the tuple below.
"""

import shutil
import weakref
from collections.abc import Iterator
from pathlib import Path

from layers.formats import (
    archive,
    delimited,
    dxf,
    geodatabase,
    mapinfo,
    markup,
    osm,
    parquet,
    raster,
    shapefile,
    sheet,
    survey,
    vector,
)
from layers.formats.archive import UnpackLimits, is_archive, unpacked
from layers.formats.source import (
    GEOMETRY,
    MADE,
    UNMATCHED,
    Columns,
    CrsUnknown,
    Format,
    FormatError,
    Reading,
    Source,
    is_key,
    is_made,
    notes_of,
)

__all__ = [
    "FORMATS",
    "GEOMETRY",
    "MADE",
    "UNMATCHED",
    "Columns",
    "CrsUnknown",
    "Format",
    "FormatError",
    "Reading",
    "Source",
    "files_in",
    "is_key",
    "is_made",
    "notes_of",
    "open_sources",
    "parts_of",
]

# In the order in which they are asked: what begins with a mark of its own first, tables in plain text last.
FORMATS: tuple[Format, ...] = (
    *vector.FORMATS,
    shapefile.FORMAT,
    osm.PBF,
    osm.XML,
    *markup.FORMATS,
    *dxf.FORMATS,
    *mapinfo.FORMATS,
    parquet.FORMAT,
    *raster.FORMATS,
    survey.FORMAT,
    delimited.FORMAT,
)

HEAD = 4096
ARCHIVES = (".zip", ".gz", ".kmz")
OTHERS = (geodatabase.NAME, sheet.NAME)
# Text of which any may be a table: it is one only where it is called so.
BY_NAME = (delimited.FORMAT,)
PLAIN_TEXT = (survey.FORMAT, delimited.FORMAT)
# By marks of their beginning: they look like formats that are read, whose readers would call them broken.
NOT_READ = ((b'"CityJSON', "CityJSON"), (b"opengis.net/citygml", "CityGML"))


def open_sources(
    path: Path,
    *,
    crs: str | None = None,
    layer: str | None = None,
    encoding: str | None = None,
    columns: Columns | None = None,
    limits: UnpackLimits | None = None,
) -> list[Source]:
    """The layers of a file, opened but not read.

    crs: what the coordinates are in ("EPSG:4549" or WKT), instead of what the file says. layer: only this one.
    encoding: of its texts, instead of what is found. columns: a table's places. limits: what a zip or gzip file may
    unpack to. Raises FormatError where the file is missing, of no known format, broken, hostile, or has no such layer.
    """
    return _open(path, Reading(crs, layer, encoding, columns), limits or UnpackLimits())


def _open(path: Path, reading: Reading, limits: UnpackLimits) -> list[Source]:
    if geodatabase.is_geodatabase(path):
        return geodatabase.open_geodatabase(path, reading)
    head = _head(path)
    if is_archive(head):
        if sheet.is_workbook(path):
            archive.inspect(path, limits)
            return sheet.open_workbook(path, reading)
        return _open_archive(path, head, reading, limits)
    for mark, name in NOT_READ:
        if mark in head:
            raise FormatError(f"{path.name}: {name} is not read; export its footprints with heights as a GeoPackage")
    known = _format(path, head)
    if known is None:
        raise FormatError(_unknown(path, head))
    return known.open(path, reading)


def files_in(folder: Path) -> list[Path]:
    """Files under `folder` that could be read, by their names, sorted; a Shapefile's side files count with it, a
    geodatabase's with their folder, and rows that an earlier load returned not at all."""
    suffixes = (*ARCHIVES, sheet.SUFFIX, *(suffix for known in FORMATS for suffix in known.suffixes))
    return sorted(
        path
        for path in _under(folder)
        if geodatabase.is_geodatabase(path)
        or (path.is_file() and path.name.lower().endswith(suffixes) and not path.name.endswith(UNMATCHED))
    )


def parts_of(path: Path) -> list[Path]:
    """The files that make up what `path` names, sorted: a geodatabase's own, a Shapefile's and a MapInfo table's side
    files, or the one file."""
    if path.is_dir():
        return sorted(file for file in path.iterdir() if file.is_file())
    if path.suffix.lower() in (".shp", ".tab", ".mif"):
        return sorted(file for file in path.parent.glob(f"{_escaped(path.stem)}.*") if file.is_file())
    return [path]


def _escaped(stem: str) -> str:
    return "".join(f"[{letter}]" if letter in "[*?" else letter for letter in stem)


def _under(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        yield path
        if path.is_dir() and not path.is_symlink() and not geodatabase.is_geodatabase(path):
            yield from _under(path)


def _format(path: Path, head: bytes) -> Format | None:
    """The format of a file by its beginning; of text that has none, by its name."""
    named = [known for known in FORMATS if path.name.lower().endswith(known.suffixes)]
    for known in FORMATS:
        if known.recognises(head) and (known not in BY_NAME or known in named):
            return known
    return None


def _open_archive(path: Path, head: bytes, reading: Reading, limits: UnpackLimits) -> list[Source]:
    with unpacked(path, head, limits) as (folder, files):
        known = _readable_in(folder, files)
        if not known:
            names = ", ".join(sorted(file.name for file in files)[:5]) or "nothing"
            raise FormatError(f"{path.name}: nothing in it that can be read (it holds {names}); {_readable()}")
        alone = len(known) == 1
        sources = [source for file in known for source in _open_member(file, reading, limits, alone=alone)]
        if not sources:
            raise FormatError(f"{path.name}: no layer {reading.layer!r} in any of its {len(known)} files")
    # The unpacked files are needed as long as any source is: the last one to go takes the folder with it.
    remaining = {id(source) for source in sources}
    for source in sources:
        weakref.finalize(source, _release, remaining, id(source), folder)
    return sources


def _readable_in(folder: Path, files: list[Path]) -> list[Path]:
    """What can be read of an archive's files; not the archives in it, which would unpack without an end."""
    databases = sorted({file.parent for file in files if geodatabase.is_geodatabase(file.parent)} - {folder})
    single = [file for file in files if file.parent not in databases]
    return [*databases, *(file for file in single if _format(file, _head(file)) or sheet.is_workbook(file))]


def _open_member(file: Path, reading: Reading, limits: UnpackLimits, *, alone: bool) -> list[Source]:
    if alone or reading.layer is None:
        return _open(file, reading, limits)
    every = _open(file, Reading(reading.crs, None, reading.encoding, reading.columns), limits)
    return [source for source in every if source.name == reading.layer]


def _release(remaining: set[int], source: int, folder: Path) -> None:
    remaining.discard(source)
    if not remaining:
        shutil.rmtree(folder, ignore_errors=True)


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(HEAD)
    except IsADirectoryError:
        raise FormatError(f"{path}: is a folder and no file geodatabase; name a file in it") from None
    except OSError as error:
        raise FormatError(f"{path}: cannot be opened ({error.strerror})") from None


def _unknown(path: Path, head: bytes) -> str:
    if not head:
        return f"{path.name}: the file is empty"
    for known in FORMATS:
        if known not in PLAIN_TEXT and path.name.lower().endswith(known.suffixes):
            return f"{path.name}: does not begin like a {known.name} file; it is broken or something else"
    return f"{path.name}: no known format; {_readable()}"


def _readable() -> str:
    names = [known.name for known in FORMATS if known.open is not dxf.refuse_dwg]
    return "can be read: " + ", ".join([*dict.fromkeys(names), *OTHERS])
