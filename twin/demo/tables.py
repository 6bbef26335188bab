"""Themes as files: features are collected in batches, written to GeoParquet, and read back as sources."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyproj
import shapely

from cim_models.themes import THEMES
from twin.demo.divisions import Divisions
from twin.demo.frame import METRIC_CRS
from twin.demo.grid import Shapes
from twin.demo.shapes import points

GEOMETRY, ATTRIBUTES = "geometry", "attributes"
TYPES = {"text": pa.string(), "integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_()}
SHARED = ("uid", "class", "name", "name_en", "village_code")
ROW_GROUP = 20_000


@dataclass(frozen=True)
class DemoSource:
    """One theme of the made-up city, in the model's own columns; geometry is WKB in EPSG:4549, easting first.

    name: the theme. title_zh, title_en: of the data set; both say that it is made up. path: GeoParquet.
    """

    name: str
    title_zh: str
    title_en: str
    path: Path

    @property
    def crs(self) -> str:
        """The metric CRS of the coordinates."""
        return METRIC_CRS

    @property
    def schema(self) -> pa.Schema:
        """Columns of every batch."""
        return pq.read_schema(self.path).remove_metadata()

    @property
    def count(self) -> int:
        """Number of features."""
        return int(pq.read_metadata(self.path).num_rows)

    def read(self, rows: int = 10_000) -> Iterator[pa.RecordBatch]:
        """Batches of at most `rows` features, from the beginning each time."""
        with pq.ParquetFile(self.path) as file:
            for batch in file.iter_batches(batch_size=rows):
                yield batch.replace_schema_metadata(None)


class ThemeWriter:
    """Writes the features of one theme, part by part."""

    def __init__(self, folder: Path, theme: str, origin: tuple[float, float], divisions: Divisions) -> None:
        self.path = folder / f"{theme}.parquet"
        self.count = 0
        self._theme = THEMES[theme]
        self._origin = np.array(origin)
        self._divisions = divisions
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = pq.ParquetWriter(
            self.path, schema(theme).with_metadata({"geo": _geo_metadata()}), compression="zstd"
        )

    def __enter__(self) -> "ThemeWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def write(self, shape: Shapes, **columns: Any) -> None:
        """Add features.

        shape: in local metres. columns: values by name, one for all or one for each; what is not given is null, but
        for `village_code`, which is found. `attributes` are JSON texts.
        """
        if not len(shape):
            return
        placed = self._placed(shape)
        columns["class"] = columns.pop("class_")
        if columns.get("village_code") is None:
            columns["village_code"] = self._divisions.codes_of(self._inner(placed))
        arrays = {GEOMETRY: pa.array(shapely.to_wkb(placed), pa.binary())}
        for field in schema(self._theme.table):
            if field.name != GEOMETRY:
                arrays[field.name] = _column(columns.pop(field.name, None), field.type, len(shape))
        if columns:
            raise KeyError(f"{self._theme.table} has no column {', '.join(columns)}")
        self._file.write_table(pa.table(arrays, schema=schema(self._theme.table)), row_group_size=ROW_GROUP)
        self.count += len(shape)

    def inner_points(self, shape: Shapes) -> Shapes:
        """A point on each of the shapes as they are written, in local metres."""
        return self._inner(self._placed(shape))

    def _placed(self, shape: Shapes) -> Shapes:
        """The shapes in EPSG:4549, on whole millimetres, and valid there."""
        placed = np.asarray(shapely.transform(shape, lambda corners: np.round(corners, 3) + self._origin), dtype=object)
        broken = np.flatnonzero(~shapely.is_valid(placed))
        placed[broken] = [_polygons(shapely.make_valid(placed[i], method="structure")) for i in broken]
        return placed

    def _inner(self, placed: Shapes) -> Shapes:
        return points(shapely.get_coordinates(shapely.point_on_surface(placed)) - self._origin)


def _polygons(shape: shapely.Geometry) -> shapely.Geometry:
    """What is left of a polygon whose slivers have collapsed to lines."""
    parts = shapely.get_parts(shape)
    solid = parts[shapely.get_dimensions(parts) == 2]
    result: shapely.Geometry = solid[0] if len(solid) == 1 else shapely.MultiPolygon(list(shapely.get_parts(solid)))
    return result


def schema(theme: str) -> pa.Schema:
    """The columns of a theme's source."""
    hot = [(attribute.name, TYPES[attribute.type]) for attribute in THEMES[theme].attributes]
    shared = [(name, pa.string()) for name in SHARED]
    return pa.schema([*shared, *hot, (ATTRIBUTES, pa.string()), (GEOMETRY, pa.binary())])


def attributes(**values: Any) -> str:
    """Further facts as JSON text."""
    return json.dumps(values, ensure_ascii=False)


def numbered(prefix: str, numbers: Sequence[int] | Any) -> list[str]:
    """Unique ids such as `road-000017`."""
    return [f"{prefix}-{number:06d}" for number in np.asarray(numbers).tolist()]


def _column(values: Any, kind: pa.DataType, count: int) -> pa.Array:
    if values is None:
        return pa.nulls(count, kind)
    if isinstance(values, str | int | float | bool | np.generic):
        return pa.array([values] * count, kind)
    if isinstance(values, np.ndarray) and values.dtype != object and pa.types.is_floating(kind):
        return pa.array(values.astype(float), kind, from_pandas=True)
    return pa.array(values.tolist() if isinstance(values, np.ndarray) else values, kind)


def _geo_metadata() -> str:
    """The `geo` entry of GeoParquet 1.1."""
    column = {
        "encoding": "WKB",
        "geometry_types": [],
        "crs": json.loads(pyproj.CRS(METRIC_CRS).to_json()),
    }
    return json.dumps({"version": "1.1.0", "primary_column": GEOMETRY, "columns": {GEOMETRY: column}})
