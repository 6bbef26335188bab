"""What every format gives: sources that stream their features as Arrow batches, and the errors of reading."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from layers import LayerError

GEOMETRY = "geometry"
KEY = {b"key": b"true"}


class FormatError(LayerError):
    """A file cannot be read: broken, cut off, of no known format, or too large to unpack."""


class CrsUnknown(FormatError):
    """Neither the file nor the caller says what the coordinates are in."""


class Source(Protocol):
    """One layer of a file, read as a stream.

    name: the layer's name in the file. crs: "EPSG:3946" or WKT; None where neither file nor caller says.
    schema: the columns of every batch; "geometry" holds WKB in that CRS, x east (longitude) first, 2D or with Z.
    count: number of features where the format knows it before reading, for a progress bar.
    A field that is the format's own key for its features carries the metadata KEY.
    A source that is named after a theme and has the columns `uid` and `class` is in the model's terms already.
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


def is_key(field: pa.Field) -> bool:
    """Whether a field is how the format itself tells its features apart."""
    return bool(field.metadata) and KEY.items() <= field.metadata.items()


@dataclass(frozen=True)
class Format:
    """A format in the registry.

    suffixes: lower case, with the dot. recognises: whether a file that begins with these bytes is of the format,
    whatever it is called. open: its sources, given path, CRS and layer as `open_sources` gets them.
    """

    name: str
    suffixes: tuple[str, ...]
    recognises: Callable[[bytes], bool]
    open: Callable[[Path, str | None, str | None], list[Source]]
