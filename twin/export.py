"""A layer as a file: features flow from the server's pages through Arrow into GDAL, a few thousand at a time."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyogrio
import shapely

from twin import TwinError
from twin.sdk import Layer
from twin.sdk.layer import FORMATS

ROWS = 5000
GEOMETRY = "geometry"
TYPES = {"text": pa.string(), "integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_()}
VALIDITY = ("valid_from", "valid_to")
GEOMETRY_TYPES = {"polygon": "MultiPolygon", "line": "LineString", "point": "Point"}


class ExportError(TwinError):
    """A file that cannot be written."""


@dataclass(frozen=True)
class Driver:
    """How GDAL writes one kind of file."""

    name: str
    options: Mapping[str, str] = field(default_factory=dict)


DRIVERS = {
    ".geojson": Driver("GeoJSON", {"RFC7946": "YES", "ID_FIELD": "object_id"}),
    ".geojsonl": Driver("GeoJSONSeq"),
    ".geojsons": Driver("GeoJSONSeq", {"RS": "YES"}),
    ".gpkg": Driver("GPKG"),
    ".fgb": Driver("FlatGeobuf"),
    ".csv": Driver("CSV", {"GEOMETRY": "AS_WKT"}),
}


def export(layer: Layer, features: Iterable[Mapping[str, Any]], path: Path, *, replace: bool = False) -> int:
    """Write features of a layer to `path`, in the format that its ending says; returns how many.

    The file is in longitude and latitude (EPSG:4326), and whole or not there. Raises ExportError, SdkError.
    """
    _check_target(path, tuple(DRIVERS), replace=replace)
    driver = DRIVERS[path.suffix.lower()]
    schema = _schema(layer)
    counted = _Counted(_batches(features, schema))
    # The ending stays: some drivers look at it.
    unfinished = path.with_name(f".unfinished-{os.getpid()}-{path.name}")
    try:
        pyogrio.write_arrow(
            pa.RecordBatchReader.from_batches(schema, counted),
            unfinished,
            layer=layer.id,
            driver=driver.name,
            geometry_name=GEOMETRY,
            geometry_type=GEOMETRY_TYPES.get(layer.geometry, "Unknown"),
            crs="EPSG:4326",
            layer_options=dict(driver.options),
        )
        unfinished.replace(path)
    except RuntimeError as error:
        raise counted.failure or ExportError(f"{path}: cannot be written ({error})") from None
    finally:
        unfinished.unlink(missing_ok=True)
    return counted.rows


def fetch(
    layer: Layer,
    path: Path,
    *,
    bbox: list[float] | None = None,
    where: str | None = None,
    at: str | None = None,
    replace: bool = False,
) -> None:
    """Write features of a layer to `path` in a format that the server writes. Raises ExportError, SdkError."""
    _check_target(path, tuple(dict.fromkeys((*DRIVERS, *FORMATS))), replace=replace)
    layer.to_file(path, bbox, where, at)


def _check_target(path: Path, endings: tuple[str, ...], *, replace: bool) -> None:
    if not path.name.lower().endswith(endings):
        raise ExportError(f"{path.name}: unknown ending; there are {', '.join(endings)}")
    if not path.absolute().parent.is_dir():
        raise ExportError(f"{path.parent}: no such folder; make it first")
    if path.exists() and not replace:
        raise ExportError(f"{path}: is there already; replace it with --force, or name another file")


class _Counted:
    """Batches that pass, how many rows were in them, and why they ended early: GDAL tells only that they did."""

    def __init__(self, batches: Iterator[pa.RecordBatch]) -> None:
        self._batches = batches
        self.rows = 0
        self.failure: Exception | None = None

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        try:
            for batch in self._batches:
                self.rows += batch.num_rows
                yield batch
        except Exception as error:
            self.failure = error
            raise


def _schema(layer: Layer) -> pa.Schema:
    moment = pa.timestamp("ms", "UTC")
    return pa.schema(
        [
            ("object_id", pa.int64()),
            *((name, TYPES[each.type]) for name, each in layer.schema.items()),
            *((name, moment) for name in VALIDITY),
            pa.field(GEOMETRY, pa.binary(), metadata={"ARROW:extension:name": "geoarrow.wkb"}),
        ]
    )


def _batches(features: Iterable[Mapping[str, Any]], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    left = iter(features)
    while chunk := list(islice(left, ROWS)):
        geometries = shapely.from_geojson([json.dumps(feature["geometry"]) for feature in chunk])
        columns: dict[str, Any] = {
            "object_id": [feature["id"] for feature in chunk],
            GEOMETRY: shapely.to_wkb(geometries, include_srid=False),
        }
        for name in schema.names:
            if name not in columns:
                columns[name] = [feature["properties"].get(name) for feature in chunk]
        for name in VALIDITY:
            columns[name] = [text and datetime.fromisoformat(text) for text in columns[name]]
        yield pa.RecordBatch.from_arrays([pa.array(columns[each.name], each.type) for each in schema], schema=schema)
