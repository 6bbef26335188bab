"""Files that Arrow writes: CSV for spreadsheets, and GeoParquet 1.1."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet
import shapely
from numpy.typing import NDArray

from layers.crs import CRS84
from layers.formats.write.spool import GEOMETRY, Spool

# A spreadsheet takes a file for the machine's old encoding unless it begins so.
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
FORMULA, SIGNED = r"^\s*[=+\-@]|^[\t\r]", r"^[+-][0-9]+(\.[0-9]+)?$"
GEOPARQUET_VERSION = "1.1.0"
KINDS = ("Point", "LineString", "LinearRing", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon",
         "GeometryCollection")  # fmt: skip


def write_csv(spool: Spool, target: Path) -> None:
    """UTF-8 with a byte order mark; the geometry, x before y, as well-known text in the last column."""
    schema = pa.schema([field.with_type(pa.string()) if field.name == GEOMETRY else field for field in spool.schema])
    with target.open("wb") as file:
        file.write(BYTE_ORDER_MARK)
        with pyarrow.csv.CSVWriter(file, schema) as writer:
            for batch in spool.batches():
                columns = dict(zip(batch.schema.names, batch.columns, strict=True))
                columns = {name: harmless(column) for name, column in columns.items()}
                if spool.has_geometry:
                    columns[GEOMETRY] = pa.array(_text(spool, columns[GEOMETRY]), pa.string())
                writer.write_batch(pa.RecordBatch.from_arrays(list(columns.values()), schema=schema))


def harmless(column: pa.Array) -> pa.Array:
    """Texts that a spreadsheet would run as formulas (=, +, -, @ before anything but a number), with an apostrophe."""
    if not pa.types.is_string(column.type):
        return column
    runs = pc.and_(pc.match_substring_regex(column, FORMULA), pc.invert(pc.match_substring_regex(column, SIGNED)))
    return pc.if_else(runs, pc.binary_join_element_wise("'", column, ""), column)


def _text(spool: Spool, shapes: pa.Array) -> list[str | None]:
    decimals = 9 if spool.crs.is_geographic else 4
    return list(shapely.to_wkt(shapely.from_wkb(shapes.to_pylist()), rounding_precision=decimals))


def write_parquet(spool: Spool, target: Path) -> None:
    """GeoParquet: WKB, the CRS as PROJJSON, the kinds and the extent of the geometry."""
    kinds: set[int] = set()
    bounds = np.array([np.inf, np.inf, -np.inf, -np.inf])
    with pyarrow.parquet.ParquetWriter(target, spool.schema, compression="zstd") as writer:
        for batch in spool.batches():
            if spool.has_geometry:
                shapes = shapely.from_wkb(batch.column(GEOMETRY).to_pylist())
                kinds.update(np.unique(shapely.get_type_id(shapes)).tolist())
                box = shapely.total_bounds(shapes)
                bounds = np.concatenate([np.fmin(bounds[:2], box[:2]), np.fmax(bounds[2:], box[2:])])
            writer.write_batch(batch)
        if spool.has_geometry:
            writer.add_key_value_metadata({"geo": json.dumps(_geo(spool, kinds, bounds))})


def _geo(spool: Spool, kinds: set[int], bounds: "NDArray[np.float64]") -> dict[str, object]:
    column: dict[str, object] = {
        "encoding": "WKB",
        "geometry_types": sorted(KINDS[kind] for kind in kinds if kind >= 0),
        # Named as the client asked for it: without a CRS the standard means CRS84.
        "crs": spool.crs.proj.to_json_dict() if spool.crs != CRS84 else CRS84.proj.to_json_dict(),
    }
    if np.isfinite(bounds).all():
        column["bbox"] = bounds.tolist()
    return {"version": GEOPARQUET_VERSION, "primary_column": GEOMETRY, "columns": {GEOMETRY: column}}
