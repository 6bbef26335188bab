"""Sources made of rows that a test writes down."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyogrio
import shapely

from layers.formats import GEOMETRY
from layers.mapping import Ground, MappedBatch, mapped
from layers.recipe import Part

# Pingyang's belt of CGCS2000, and the storage CRS of a Chinese city.
PINGYANG = Ground(srid=4490, metric_srid=4549)
LYON = Ground(srid=4326, metric_srid=3946)


@dataclass(frozen=True)
class Rows:
    """A source of given batches; any class with these members is one."""

    batches: tuple[pa.RecordBatch, ...]
    crs: str | None = "EPSG:4326"
    name: str = "rows"
    count: int | None = None

    @property
    def schema(self) -> pa.Schema:
        return self.batches[0].schema

    def read(self, rows: int = 10_000) -> Iterator[pa.RecordBatch]:
        for batch in self.batches:
            for start in range(0, batch.num_rows, rows):
                yield batch.slice(start, rows)


def source(
    geometries: Sequence[Any], crs: str | None = "EPSG:4326", name: str = "rows", **columns: Sequence[Any] | pa.Array
) -> Rows:
    """Geometries as WKB, WKT, shapely objects or None, with further columns."""
    shapes = [_wkb(geometry) for geometry in geometries]
    arrays = {key: value if isinstance(value, pa.Array) else pa.array(value) for key, value in columns.items()}
    return Rows((pa.RecordBatch.from_pydict({**arrays, GEOMETRY: pa.array(shapes, pa.binary())}),), crs, name)


def write_squares(folder: Path) -> None:
    """The same 50 squares in every vector format, as a.gpkg and so on, with a number and a Chinese text."""
    table = pa.table(
        {
            "height": [float(i) for i in range(50)],
            "label": [f"楼{i}" for i in range(50)],
            GEOMETRY: pa.array([shapely.to_wkb(square(120.5 + i / 100, 27.6)) for i in range(50)], pa.binary()),
        }
    )
    for suffix, driver, crs in (
        ("gpkg", "GPKG", "EPSG:4490"),
        ("fgb", "FlatGeobuf", "EPSG:4490"),
        ("shp", "ESRI Shapefile", "EPSG:4490"),
        ("geojson", "GeoJSON", "EPSG:4326"),
        ("geojsonl", "GeoJSONSeq", "EPSG:4326"),
    ):
        path = folder / f"a.{suffix}"
        pyogrio.write_arrow(
            table, path, layer="a", driver=driver, crs=crs, geometry_name=GEOMETRY, geometry_type="Polygon"
        )


def _wkb(geometry: Any) -> bytes | None:
    if geometry is None or isinstance(geometry, bytes):
        return geometry
    with np.errstate(invalid="ignore"):
        return shapely.to_wkb(shapely.from_wkt(geometry) if isinstance(geometry, str) else geometry, flavor="iso")


def part(**keys: Any) -> Part:
    return Part.model_validate({"file": "rows", **keys})


def square(lon: float, lat: float, side: float = 0.001) -> shapely.Polygon:
    return shapely.box(lon, lat, lon + side, lat + side)


def one(rows: Rows, how: Part, ground: Ground = PINGYANG) -> MappedBatch:
    """The single batch that a source maps to."""
    (batch,) = mapped(rows, how, ground)
    return batch


def column(batch: MappedBatch, name: str) -> list[Any]:
    return batch.rows.column(name).to_pylist()


def shapes(batch: MappedBatch) -> list[Any]:
    return shapely.from_wkb(column(batch, "geom")).tolist() if batch.rows.num_rows else []


def reasons(batch: MappedBatch) -> Mapping[int, str]:
    return {reject.row: reject.reason for reject in batch.rejects}
