"""A table of a result as JSON, CSV or XLSX."""

import io
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import orjson
import pyarrow as pa
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from pyarrow import csv, parquet

from twin.scenarios import ScenarioError

Form = Literal["json", "csv", "xlsx"]
# What one sheet holds (ECMA-376, ST_CellRef); the first row is the heading.
MOST_ROWS = 1_048_575
LONGEST_TEXT = 32_767
CHUNK = 10_000


def read_table(file: Path) -> pa.Table:
    """A table of a run without its geometry. Raises ScenarioError when the file is gone."""
    try:
        table = parquet.read_table(file)
    except (OSError, pa.ArrowInvalid):
        raise ScenarioError(f"{file.stem}: the table's file is gone or damaged; run the scenario again") from None
    return table.drop_columns([each.name for each in table.schema if pa.types.is_binary(each.type)])


def told(table: pa.Table, form: Form, zone: ZoneInfo, language: str) -> bytes:
    """A table in one of the forms. language: of the headings in XLSX, where the columns have titles in it.

    zone: in which XLSX tells times, since it knows no offset. Raises ScenarioError for more rows than a sheet holds.
    """
    if form == "json":
        names = table.column_names
        return orjson.dumps({"columns": names, "rows": list(_rows(table))}, default=str)
    if form == "csv":
        target = io.BytesIO()
        csv.write_csv(table, target)
        return target.getvalue()
    return _sheet(table, zone, language)


def _rows(table: pa.Table) -> Iterator[list[Any]]:
    for batch in table.to_batches(CHUNK):
        yield from map(list, zip(*(column.to_pylist() for column in batch.columns), strict=True))


def _sheet(table: pa.Table, zone: ZoneInfo, language: str) -> bytes:
    if table.num_rows > MOST_ROWS:
        raise ScenarioError(f"{table.num_rows} rows: a sheet holds {MOST_ROWS}; take CSV")
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append([_cell(sheet, _title(each, language), zone) for each in table.schema])
    for row in _rows(table):
        sheet.append([_cell(sheet, value, zone) for value in row])
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def _title(field: pa.Field, language: str) -> str:
    found = (field.metadata or {}).get(language.encode())
    return found.decode() if found else str(field.name)


def _cell(sheet: Any, value: Any, zone: ZoneInfo) -> Any:
    if isinstance(value, datetime):
        return WriteOnlyCell(sheet, value if value.tzinfo is None else value.astimezone(zone).replace(tzinfo=None))
    if value is None or isinstance(value, bool | int | float):
        return WriteOnlyCell(sheet, value)
    cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", str(value))[:LONGEST_TEXT])
    # A text that begins with = is a text, not a formula that whoever opens the sheet would run.
    cell.data_type = "s"
    return cell
