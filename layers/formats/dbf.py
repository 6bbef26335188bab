"""The texts in a dBASE table, which Shapefiles and MapInfo tables keep their attributes in, as the bytes they are."""

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from layers.formats.encoding import Stated, Text

# The language driver at byte 29 as code page; 0x57 is "whatever the machine's was", and zero says nothing.
LANGUAGE_DRIVERS = {
    0x01: "cp437", 0x02: "cp850", 0x03: "cp1252", 0x13: "cp932", 0x4D: "gb18030", 0x4E: "cp949", 0x4F: "big5",
    0x58: "cp1252", 0x59: "cp1252", 0x78: "big5", 0x79: "cp949", 0x7A: "gb18030", 0x7B: "cp932", 0xC8: "cp1250",
    0xC9: "cp1251",
}  # fmt: skip
HEADER, FIELD, LONGEST_NAME = 32, 32, 11
ROWS = 20_000


def stated(path: Path) -> list[Stated]:
    """What the table's language driver says of its encoding."""
    with path.open("rb") as file:
        header = file.read(HEADER)
    encoding = LANGUAGE_DRIVERS.get(header[29]) if len(header) == HEADER else None
    return [Stated(encoding, f"its language driver 0x{header[29]:02X}")] if encoding else []


def texts(path: Path, only: frozenset[int] | None = None) -> Iterator[Text]:
    """Field names and text values. only: fields by their place, for a table that calls other things text too.

    A table that breaks off gives what there is: who reads it tells of that."""
    with path.open("rb") as file:
        header = file.read(HEADER)
        if len(header) < HEADER:
            return
        _, _, begin, length = struct.unpack("<4sIHH", header[:12])
        fields = _fields(file.read(max(begin - HEADER, 0)))
        for name, _, _ in fields if only is None else ():
            yield Text(name, cut=len(name) >= LONGEST_NAME - 1)
        file.seek(begin)
        while length and (rows := file.read(ROWS * length)):
            table = np.frombuffer(rows, dtype=np.uint8, count=len(rows) // length * length).reshape(-1, length)
            at = 1
            for number, (_, kind, width) in enumerate(fields):
                if kind == b"C" and (only is None or number in only) and width and at + width <= length:
                    yield from _values(table[:, at : at + width], width)
                at += width


def _fields(block: bytes) -> list[tuple[bytes, bytes, int]]:
    found = []
    for start in range(0, len(block) - FIELD + 1, FIELD):
        if block[start] == 0x0D:
            break
        name = block[start : start + LONGEST_NAME].split(b"\0")[0]
        # The lengths of long texts go on where numbers keep their decimals.
        kind, low, high = block[start + 11 : start + 12], block[start + 16], block[start + 17]
        found.append((name, kind, low + 256 * high if kind == b"C" else low))
    return found


def _values(column: "np.ndarray[tuple[int, int], np.dtype[np.uint8]]", width: int) -> Iterator[Text]:
    foreign = np.ascontiguousarray(column[(column >= 0x80).any(axis=1)])
    for value in set(foreign.view(f"S{width}").ravel().tolist()):
        text = value.rstrip(b" \0")
        yield Text(text, cut=len(text) >= width - 1)
