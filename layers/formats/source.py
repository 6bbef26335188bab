"""What every format gives: sources that stream their features as Arrow batches, and the errors of reading."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from layers import LayerError

GEOMETRY = "geometry"
KEY = {b"key": b"true"}
MADE = {b"made": b"true"}
# How the CSV is called, after a table's name, that holds rows whose address was not found.
UNMATCHED = " unmatched.csv"


class FormatError(LayerError):
    """A file cannot be read: broken, cut off, of no known format, or too large to unpack."""


class CrsUnknown(FormatError):
    """Neither the file nor the caller says what the coordinates are in."""


class Source(Protocol):
    """One layer of a file, read as a stream.

    name: the layer's name in the file. crs: "EPSG:3946" or WKT; None where neither file nor caller says.
    schema: the columns of every batch; "geometry" holds WKB in that CRS, x east (longitude) first, 2D or with Z.
    count: number of features where the format knows it before reading, for a progress bar.
    A field that is the format's own key for its features carries the metadata KEY, one that was found out and stands in
    no file the metadata MADE.
    A source that is named after a theme and has the columns `uid` and `class` is in the model's terms already.
    A source may have `notes`: what the report should say of how it was read.
    """

    @property
    def name(self) -> str: ...

    @property
    def crs(self) -> str | None: ...

    @property
    def schema(self) -> pa.Schema: ...

    @property
    def count(self) -> int | None: ...

    def read(self, rows: int = 10_000) -> Iterator[pa.RecordBatch]:
        """Batches of at most `rows` features; may be called again. Raises FormatError where the file breaks off."""
        ...


def notes_of(source: Source) -> tuple[str, ...]:
    """What the report should say of how a source was read: its encoding, the columns its places came from."""
    found: tuple[str, ...] = getattr(source, "notes", ())
    return found


@dataclass(frozen=True)
class Columns:
    """Where a table keeps its places: x (east) and y (north), well-known text, or addresses to be looked up."""

    x: str | None = None
    y: str | None = None
    wkt: str | None = None
    address: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reading:
    """How to read a file, where it does not say or says it wrongly.

    crs: what the coordinates are in. layer: only this one. encoding: of its texts. columns: a table's places.
    """

    crs: str | None = None
    layer: str | None = None
    encoding: str | None = None
    columns: Columns | None = None


def is_key(field: pa.Field) -> bool:
    """Whether a field is how the format itself tells its features apart."""
    return bool(field.metadata) and KEY.items() <= field.metadata.items()


def is_made(field: pa.Field) -> bool:
    """Whether a field stands in no file, so that it says nothing of which row is meant."""
    return bool(field.metadata) and MADE.items() <= field.metadata.items()


@dataclass(frozen=True)
class Format:
    """A format in the registry.

    suffixes: lower case, with the dot. recognises: whether a file that begins with these bytes is of the format,
    whatever it is called; formats that begin alike are told apart by their suffixes. open: its sources.
    """

    name: str
    suffixes: tuple[str, ...]
    recognises: Callable[[bytes], bool]
    open: Callable[[Path, Reading], list[Source]]
