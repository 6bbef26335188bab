"""Shapefiles, whose texts are in whatever encoding their tables turn out to be in."""

from pathlib import Path

from layers.formats import dbf, encoding
from layers.formats.encoding import Choice, Stated
from layers.formats.source import Format, FormatError, Reading, Source
from layers.formats.vector import Gdal, broken, open_vector


def open_shapefile(path: Path, reading: Reading) -> list[Source]:
    """The layer of a Shapefile. Raises FormatError where it is cut off, or its texts are in no known encoding."""
    _check_length(path)
    if (table := side(path, ".dbf")) is None:
        # Shapes alone: nothing in it is text.
        return open_vector(path, reading)
    choice = encoding_of(path, table, reading.encoding)
    return open_vector(path, reading, Gdal(encoding=choice.gdal, notes=encoding.note(choice)))


def encoding_of(path: Path, table: Path, wanted: str | None) -> Choice:
    """The encoding of a Shapefile's table, by its .cpg, the table's own statement, and its texts."""
    stated = dbf.stated(table)
    if (cpg := side(path, ".cpg")) is not None:
        name = cpg.read_bytes()[:64].decode("ascii", "replace").strip()
        codec = encoding.known(name)
        stated = [*([Stated(codec, f"its .cpg ({name})")] if codec else []), *stated]
    return encoding.choose(path.name, dbf.texts(table), stated, wanted)


def side(path: Path, suffix: str) -> Path | None:
    """A file beside `path` with another ending, in whatever case."""
    return next((file for end in (suffix, suffix.upper()) if (file := path.with_suffix(end)).is_file()), None)


def _check_length(path: Path) -> None:
    """A Shapefile states its length (16-bit words, big endian, at byte 24); GDAL reads a cut one without a word."""
    if path.suffix.lower() != ".shp":
        return
    if side(path, ".shx") is None:
        raise FormatError(f"{path.name}: its .shx is missing; hand over all of its files, best as one zip")
    with path.open("rb") as file:
        stated = 2 * int.from_bytes(file.read(28)[24:], "big")
    if path.stat().st_size < stated:
        raise broken(path, None, f"{path.stat().st_size} bytes of {stated}")


def _is_shapefile(head: bytes) -> bool:
    # The index beside it (.shx) begins alike, but its first entry is the offset of the first record, 50 words.
    return head.startswith(b"\x00\x00\x27\x0a") and head[100:104] != b"\x00\x00\x00\x32"


FORMAT = Format("Shapefile", (".shp",), _is_shapefile, open_shapefile)
