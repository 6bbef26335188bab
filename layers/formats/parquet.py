"""GeoParquet: Arrow's own reader, with the places' column and CRS as the file's metadata tells (GeoParquet 1.1)."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
from pyproj import CRS
from pyproj.exceptions import CRSError

from layers.formats.placing import placed
from layers.formats.source import GEOMETRY, Format, FormatError, Reading, Source
from layers.formats.vector import MOST_FIELDS, broken, plain

# A file without a CRS is in longitude and latitude (GeoParquet 1.1, crs).
DEFAULT_CRS = "OGC:CRS84"


@dataclass(frozen=True)
class Parquet:
    """A GeoParquet file. shape: its column of WKB."""

    path: Path
    name: str
    crs: str | None
    schema: pa.Schema
    count: int | None
    shape: str

    def read(self, rows: int = 10_000) -> Iterator[pa.RecordBatch]:
        for batch in _rows(self.path, rows):
            yield pa.RecordBatch.from_arrays([plain(column) for column in batch.columns], schema=self.schema)


def open_parquet(path: Path, reading: Reading) -> list[Source]:
    """The table in a Parquet file: by its GeoParquet metadata, else by its columns' headings. Raises FormatError."""
    if reading.layer not in (None, path.stem):
        raise FormatError(f"{path.name}: a Parquet file has no layer {reading.layer!r}; leave the layer out")
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            schema, count = file.schema_arrow, file.metadata.num_rows
        told = json.loads((schema.metadata or {}).get(b"geo", b"{}"))
    except (pa.ArrowException, OSError, ValueError) as error:
        raise broken(path, None, str(error)) from None
    if len(schema) > MOST_FIELDS:
        raise FormatError(f"{path.name}: {len(schema):,} columns, {MOST_FIELDS:,} at most; leave out what nobody needs")
    if not isinstance(told, dict) or not told:
        fields = pa.schema([(field.name, plain(pa.array([], field.type)).type) for field in schema])
        rows = Parquet(path, path.stem, None, fields, count, "").read
        return [placed(path.stem, fields, rows, columns=reading.columns, crs=reading.crs, count=count)]
    shape, crs = _shape(path, told, schema)
    fields = pa.schema([_field(field, shape) for field in schema])
    return [Parquet(path, path.stem, reading.crs or crs, fields, count, shape)]


def _rows(path: Path, rows: int) -> Iterator[pa.RecordBatch]:
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            yield from file.iter_batches(rows)
    except (pa.ArrowException, OSError) as error:
        raise broken(path, None, str(error)) from None


def _field(field: pa.Field, shape: str) -> pa.Field:
    if field.name == shape:
        return pa.field(GEOMETRY, pa.binary())
    name = f"{field.name}_field" if field.name == GEOMETRY else field.name
    return pa.field(name, plain(pa.array([], field.type)).type)


def _shape(path: Path, told: dict[str, Any], schema: pa.Schema) -> tuple[str, str | None]:
    shape = told.get("primary_column")
    columns = told.get("columns")
    if not isinstance(shape, str) or shape not in schema.names or not isinstance(columns, dict):
        raise FormatError(f"{path.name}: its GeoParquet metadata names no column that is there; write it again")
    column = columns.get(shape)
    if not isinstance(column, dict) or column.get("encoding") != "WKB":
        raise FormatError(f"{path.name}: its geometry is not in WKB; write it with encoding WKB")
    if "crs" not in column:
        return shape, DEFAULT_CRS
    if column["crs"] is None:
        return shape, None
    try:
        crs = CRS.from_json_dict(column["crs"])
    except (CRSError, TypeError, ValueError):
        raise FormatError(f"{path.name}: its CRS cannot be read; name it with --crs, e.g. --crs EPSG:4549") from None
    code = crs.to_authority()
    return shape, ":".join(code) if code else crs.to_wkt()


FORMAT = Format("GeoParquet", (".parquet", ".geoparquet"), lambda head: head.startswith(b"PAR1"), open_parquet)
