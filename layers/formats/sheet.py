"""XLSX workbooks: each sheet that tells places is a source, its first row the headings."""

import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from layers import ogr
from layers.formats.delimited import unlike
from layers.formats.markup import PROLOGUE, check_markup
from layers.formats.placing import placed
from layers.formats.source import FormatError, Reading, Source
from layers.formats.vector import MOST_FIELDS, broken, plain

NAME = "XLSX"
SUFFIX = ".xlsx"
# What a workbook is told by, among zips.
WORKBOOK = "xl/workbook.xml"
OPTIONS = {"HEADERS": "FORCE", "FIELD_TYPES": "AUTO"}
# GDAL holds a sheet as a full table, whatever its cells say of their places.
MOST_CELLS = 50_000_000
CELL = re.compile(rb'<(?:\w+:)?c [^>]*?\br="([A-Z]{1,7})(\d{1,9})"')
CHUNK = 4 << 20
LONGEST_CELL = 256


@dataclass(frozen=True)
class Sheet:
    """One sheet of a workbook."""

    path: Path
    name: str
    fields: pa.Schema

    def read(self, rows: int) -> Iterator[pa.RecordBatch]:
        """The rows in the types of their cells. Raises FormatError."""
        try:
            with ogr.open_arrow(self.path, layer=self.name, batch_size=rows, use_pyarrow=True, **OPTIONS) as (
                _,
                reader,
            ):
                for batch in reader:
                    yield pa.RecordBatch.from_arrays([plain(column) for column in batch.columns], schema=self.fields)
        except (ogr.DataSourceError, ogr.DataLayerError, OSError, pa.ArrowException) as error:
            raise broken(self.path, self.name, str(error)) from None


def is_workbook(path: Path) -> bool:
    """Whether a zip is a workbook."""
    try:
        with zipfile.ZipFile(path) as archive:
            return WORKBOOK in archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError):
        return False


def open_workbook(path: Path, reading: Reading) -> list[Source]:
    """The sheets that tell places. Raises FormatError where none does, or the workbook would fill the memory."""
    _check(path)
    try:
        names = [str(name) for name, _ in ogr.list_layers(path)]
    except (ogr.DataSourceError, ogr.DataLayerError, OSError) as error:
        raise broken(path, None, str(error)) from None
    if reading.layer is not None and reading.layer not in names:
        raise FormatError(f"{path.name}: no sheet {reading.layer!r}; it has {', '.join(names)}")
    found: list[Source] = []
    refused: list[str] = []
    for name in names if reading.layer is None else [reading.layer]:
        try:
            found.append(_open_sheet(path, name, reading))
        except FormatError as error:
            refused.append(str(error))
    if not found:
        raise FormatError(refused[0] if refused else f"{path.name}: no sheet in it")
    return found


def _open_sheet(path: Path, name: str, reading: Reading) -> Source:
    try:
        with ogr.open_arrow(path, layer=name, batch_size=1, use_pyarrow=True, **OPTIONS) as (_, reader):
            schema = reader.schema
        count = int(ogr.read_info(path, layer=name, **OPTIONS)["features"])
    except (ogr.DataSourceError, ogr.DataLayerError, OSError, pa.ArrowException) as error:
        raise broken(path, name, str(error)) from None
    headings = unlike([field.name.strip() for field in schema])
    kinds = [plain(pa.array([], field.type)).type for field in schema]
    sheet = Sheet(path, name, pa.schema(list(zip(headings, kinds, strict=True))))
    title = path.stem if name.lower().startswith("sheet") else name
    return placed(title, sheet.fields, sheet.read, columns=reading.columns, crs=reading.crs, count=count)


def _check(path: Path) -> None:
    """Refuse a workbook whose sheets claim more cells than a table has, before anything of it is read."""
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                if not member.filename.endswith(".xml"):
                    continue
                with archive.open(member) as part:
                    check_markup(path.name, part.read(PROLOGUE))
                if member.filename.startswith("xl/worksheets/"):
                    _check_cells(path, archive, member)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, ValueError) as error:
        raise FormatError(f"{path.name}: broken workbook ({error}); save it again") from None


def _check_cells(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    widest = last = 0
    with archive.open(member) as part:
        rest = b""
        while chunk := part.read(CHUNK):
            text = rest + chunk
            places = CELL.findall(text)
            rest = text[-LONGEST_CELL:]
            if places:
                widest = max(widest, *(_column(letters) for letters in {letters for letters, _ in places}))
                last = max(last, *(int(row) for _, row in places))
    if widest > MOST_FIELDS:
        raise FormatError(
            f"{path.name}: a cell in column {widest:,}, {MOST_FIELDS:,} at most; delete what is beside the table"
        )
    if widest * last > MOST_CELLS:
        raise FormatError(f"{path.name}: a sheet of {last:,} rows and {widest:,} columns; save it as CSV")


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
