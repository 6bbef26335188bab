"""CSV and other delimited text: encoding and delimiter found by looking, types by every value of a column."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from layers.formats import encoding
from layers.formats.encoding import Stated
from layers.formats.placing import placed
from layers.formats.source import Format, FormatError, Reading, Source
from layers.formats.vector import MOST_FIELDS

DELIMITERS = (",", "\t", ";", "|", "，")
BLOCK = 4 << 20
LONGEST_HEADER = 1 << 20
MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
# A leading zero is part of a code, and more than 15 digits is an identity number: neither is a quantity.
INTEGER = r"^-?(0|[1-9][0-9]{0,14})$"
NUMBER = r"^[-+]?(0|[1-9][0-9]{0,14})?(\.[0-9]+)?([eE][-+]?[0-9]{1,3})?$"


@dataclass(frozen=True)
class Delimited:
    """A table in text. encoding: as Python knows it; headings: of its columns, no two alike."""

    path: Path
    encoding: str
    delimiter: str
    headings: tuple[str, ...]
    types: dict[str, pa.DataType] = field(default_factory=dict)

    @property
    def fields(self) -> pa.Schema:
        return pa.schema([(name, self.types.get(name, pa.string())) for name in self.headings])

    def read(self, rows: int) -> Iterator[pa.RecordBatch]:
        """The rows in their types. Raises FormatError where one has other columns than the first."""
        for batch in self.texts():
            typed = [column.cast(kind) for column, kind in zip(batch.columns, self.fields.types, strict=True)]
            whole = pa.RecordBatch.from_arrays(typed, schema=self.fields)
            for start in range(0, whole.num_rows, rows):
                yield whole.slice(start, rows)

    def texts(self) -> Iterator[pa.RecordBatch]:
        """The rows with all their values as text, trimmed, null where there is none."""
        wrong: list[pyarrow.csv.InvalidRow] = []

        def refuse(row: pyarrow.csv.InvalidRow) -> str:
            wrong.append(row)
            return "error"

        try:
            with pyarrow.csv.open_csv(
                self.path,
                pyarrow.csv.ReadOptions(
                    use_threads=False,
                    block_size=BLOCK,
                    column_names=self.headings,
                    skip_rows_after_names=1,
                    encoding=self.encoding,
                ),
                pyarrow.csv.ParseOptions(delimiter=self.delimiter, newlines_in_values=True, invalid_row_handler=refuse),
                pyarrow.csv.ConvertOptions(
                    column_types=dict.fromkeys(self.headings, pa.string()), null_values=[""], strings_can_be_null=True
                ),
            ) as reader:
                for batch in reader:
                    trimmed = [pc.utf8_trim_whitespace(column) for column in batch.columns]
                    cleaned = [pc.if_else(pc.equal(column, ""), None, column) for column in trimmed]
                    yield pa.RecordBatch.from_arrays(cleaned, names=list(self.headings))
        except (pa.ArrowException, UnicodeError) as error:
            if wrong:
                row = wrong[0]
                raise FormatError(
                    f"{self.path.name}: a row has {row.actual_columns} columns where the heading has"
                    f" {row.expected_columns} ({row.text[:60]!r}); quote values that hold a"
                    f" {self.delimiter!r}, or save it as XLSX"
                ) from None
            raise FormatError(f"{self.path.name}: cannot be read as a table ({error}); save it as CSV again") from None


def open_delimited(path: Path, reading: Reading) -> list[Source]:
    """The table in a CSV file. Raises FormatError where its rows differ in columns, or no column tells a place."""
    if reading.layer not in (None, path.stem):
        raise FormatError(f"{path.name}: a CSV has no layer {reading.layer!r}; leave the layer out")
    codec, notes = _encoding(path, reading.encoding)
    delimiter, headings = _heading(path, codec)
    plain = Delimited(path, codec, delimiter, headings)
    types, count = _types(plain)
    table = Delimited(path, codec, delimiter, headings, types)
    return [
        placed(path.stem, table.fields, table.read, columns=reading.columns, crs=reading.crs, count=count, notes=notes)
    ]


def _encoding(path: Path, wanted: str | None) -> tuple[str, tuple[str, ...]]:
    with path.open("rb") as file:
        mark = next((codec for begin, codec in MARKS.items() if file.read(3).startswith(begin) or file.seek(0)), None)
    if mark == "utf-16" and wanted is None:
        return mark, ("texts read as UTF-16: as its byte order mark says",)
    stated = [Stated(encoding.UTF_8, "its byte order mark")] if mark else []
    choice = encoding.choose(path.name, encoding.whole(path), stated, wanted)
    return mark if mark and choice.encoding == encoding.UTF_8 else choice.encoding, encoding.note(choice)


def _heading(path: Path, codec: str) -> tuple[str, tuple[str, ...]]:
    """The delimiter, and the columns' names: those without one are numbered, those that stand twice too."""
    with path.open(encoding=codec, newline="", errors="replace") as file:
        begin = file.read(LONGEST_HEADER)
    first = begin.split("\n", 1)[0]
    if len(first) == LONGEST_HEADER:
        raise FormatError(f"{path.name}: a heading of more than {LONGEST_HEADER:,} letters; this is no table")
    delimiter = max(DELIMITERS[:4], key=first.count)
    names = [name.strip() for name in next(csv.reader(begin.splitlines(keepends=True), delimiter=delimiter), [])]
    if len(names) > MOST_FIELDS:
        raise FormatError(
            f"{path.name}: {len(names):,} columns, {MOST_FIELDS:,} at most; leave out those that nobody needs"
        )
    if len(names) < 2:
        raise FormatError(f"{path.name}: one column only; a table has its columns parted by a comma, semicolon or tab")
    return delimiter, unlike(names)


def unlike(names: list[str]) -> tuple[str, ...]:
    """Headings of which none is empty and no two are alike."""
    found: dict[str, None] = {}
    for number, name in enumerate(names, start=1):
        own = first = name or f"column_{number}"
        further = 1
        while own in found:
            further += 1
            own = f"{first}_{further}"
        found[own] = None
    return tuple(found)


def _types(table: Delimited) -> tuple[dict[str, pa.DataType], int]:
    """The columns that are numbers in every row, and how many rows there are."""
    integers, quantities, filled = set(table.headings), set(table.headings), set[str]()
    count = 0
    for batch in table.texts():
        count += batch.num_rows
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            if column.null_count == len(column):
                continue
            filled.add(name)
            for kept, pattern in ((integers, INTEGER), (quantities, NUMBER)):
                if name in kept and not pc.all(pc.match_substring_regex(column, pattern)).as_py():
                    kept.discard(name)
    types = {name: pa.float64() for name in quantities & filled}
    return types | {name: pa.int64() for name in integers & filled}, count


def _is_delimited(head: bytes) -> bool:
    """Whether it may be a table in text: two columns in its first line, and nothing that no text has."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    if b"\0" in head or re.match(rb"(\xef\xbb\xbf)?\s*[<{\[]", head):
        return False
    return any(mark in head.split(b"\n", 1)[0] for mark in (b",", b"\t", b";", b"|"))


FORMAT = Format("CSV", (".csv", ".tsv", ".txt"), _is_delimited, open_delimited)
