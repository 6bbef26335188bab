"""Files that GDAL writes from Arrow batches: GeoPackage, GML, KML, Shapefile, MapInfo, geodatabase, XLSX and others."""

import shutil
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import shapely

from layers import ogr
from layers.crs import CRS84
from layers.formats.write.degrees import in_degrees
from layers.formats.write.spool import GEOMETRY, Spool, TooMuch
from layers.gml import NAMESPACE, PREFIX

# A Shapefile holds one kind of geometry; a layer of several becomes several, each named after its kind.
SHAPEFILE_KINDS = {
    "point": ("Point", (0,)),
    "multipoint": ("MultiPoint", (4,)),
    "line": ("LineString", (1, 2, 5)),
    "polygon": ("Polygon", (3, 6)),
}
GDAL_KINDS = {"Geometry": "Unknown"}
# What a spreadsheet program opens: rows below the heading, letters of a cell and of a sheet's name.
MOST_SHEET_ROWS, LONGEST_CELL, LONGEST_SHEET = 1_048_575, 32_767, 31


def write_geopackage(spool: Spool, target: Path) -> None:
    _write(spool, target, "GPKG", spool.batches())


def write_flatgeobuf(spool: Spool, target: Path) -> None:
    _write(spool, target, "FlatGeobuf", spool.batches())


def write_gml(spool: Spool, target: Path) -> None:
    """GML 3.2, simple features profile; coordinates in the CRS's own order of axes."""
    options = {"FORMAT": "GML3.2", "XSISCHEMA": "OFF", "PREFIX": PREFIX, "TARGET_NAMESPACE": NAMESPACE}
    _write(spool, target, "GML", spool.batches(), options=options, as_text=True)


def write_kml(spool: Spool, target: Path) -> None:
    """KML 2.2, in longitude and latitude whatever was asked for: it knows nothing else. Raises ShapesMissing."""
    spool.check_shapes()
    schema = spool.schema

    def rows() -> Iterator[pa.RecordBatch]:
        for batch, shapes in in_degrees(spool):
            columns = dict(zip(batch.schema.names, batch.columns, strict=True))
            columns[GEOMETRY] = pa.array(shapely.to_wkb(shapes), pa.binary())
            yield pa.RecordBatch.from_arrays(list(columns.values()), schema=schema)

    _write(replace(spool, crs=CRS84), target, "LIBKML", rows(), as_text=True)


def write_mapinfo(spool: Spool, target: Path) -> None:
    """A zip of a MapInfo table in UTF-8, which MapInfo Pro reads since 15.2. Raises ShapesMissing."""
    spool.check_shapes()
    with _folder(target) as folder:
        options = {"ENCODING": "UTF-8"}
        _write(spool, folder / f"{spool.layer}.tab", "MapInfo File", spool.batches(), options=options, as_text=True)


def write_geodatabase(spool: Spool, target: Path) -> None:
    """A zip of a file geodatabase, a feature class for each kind of geometry, as the format wants."""
    with _folder(target) as folder:
        database = folder / f"{spool.layer}.gdb"
        for name, kind, rows in _by_kind(spool):
            _write(spool, database, "OpenFileGDB", rows, kind=kind, name=name, append=database.exists())


def write_workbook(spool: Spool, target: Path) -> None:
    """XLSX: a point of each object as x and y, and its shape as well-known text where that fits into a cell.

    Raises TooMuch beyond the rows of a sheet.
    """
    places = [pa.field(name, pa.float64()) for name in ("x", "y")] + [pa.field("wkt", pa.string())]
    own = [field for field in spool.schema if field.name != GEOMETRY]
    schema = _plain(pa.schema([*own, *(places if spool.has_geometry else [])]))

    def rows() -> Iterator[pa.RecordBatch]:
        count = 0
        for batch in spool.batches():
            count += batch.num_rows
            if count > MOST_SHEET_ROWS:
                raise TooMuch(f"more than {MOST_SHEET_ROWS:,} rows, a sheet holds no more; take csv, or narrow it")
            columns = [batch.column(field.name) for field in own]
            if spool.has_geometry:
                columns += _cells(batch.column(GEOMETRY))
            yield pa.RecordBatch.from_arrays(
                [column.cast(field.type) for column, field in zip(columns, schema, strict=True)], schema=schema
            )

    ogr.write_arrow(
        pa.RecordBatchReader.from_batches(schema, rows()), target, layer=spool.layer[:LONGEST_SHEET], driver="XLSX"
    )


def _cells(wkb: pa.Array) -> list[pa.Array]:
    shapes = shapely.from_wkb(wkb.to_pylist())
    points = shapely.point_on_surface(shapes)
    texts = [text if text and len(text) <= LONGEST_CELL else None for text in shapely.to_wkt(shapes)]
    return [*(pa.array(get(points), from_pandas=True) for get in (shapely.get_x, shapely.get_y)), pa.array(texts)]


@contextmanager
def _folder(target: Path) -> Iterator[Path]:
    """A folder that becomes the zip `target` when all is written into it."""
    folder = target.with_suffix(".parts")
    folder.mkdir()
    try:
        yield folder
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for file in sorted(folder.rglob("*")):
                if file.is_file():
                    archive.write(file, file.relative_to(folder))
    finally:
        shutil.rmtree(folder)


def write_shapefile(spool: Spool, target: Path) -> None:
    """A zip of Shapefiles in UTF-8, which their .cpg says; names are cut to ten bytes, as the format wants."""
    with _folder(target) as folder:
        for name, kind, rows in _by_kind(spool):
            options = {"ENCODING": "UTF-8"}
            file = folder / f"{name}.shp"
            _write(spool, file, "ESRI Shapefile", rows, kind=kind, name=name, options=options, as_text=True)


def _by_kind(spool: Spool) -> Iterator[tuple[str, str, Iterator[pa.RecordBatch]]]:
    """Name, kind of geometry and rows of each part that has one kind alone."""
    if spool.geometry_type != "Geometry":
        yield spool.layer, spool.geometry_type, spool.batches()
        return
    for kind in _kinds(spool):
        geometry_type, numbers = SHAPEFILE_KINDS[kind]
        yield f"{spool.layer}_{kind}", geometry_type, _of_kind(spool.batches(), numbers)


def _kinds(spool: Spool) -> list[str]:
    found: set[int] = set()
    for batch in spool.batches():
        found.update(np.unique(shapely.get_type_id(shapely.from_wkb(batch.column(GEOMETRY).to_pylist()))).tolist())
    return [kind for kind, (_, numbers) in SHAPEFILE_KINDS.items() if found.intersection(numbers)] or ["polygon"]


def _of_kind(batches: Iterable[pa.RecordBatch], numbers: tuple[int, ...]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        kinds = shapely.get_type_id(shapely.from_wkb(batch.column(GEOMETRY).to_pylist()))
        yield batch.filter(pa.array(np.isin(kinds, numbers)))


def _write(
    spool: Spool,
    target: Path,
    driver: str,
    batches: Iterator[pa.RecordBatch],
    *,
    kind: str | None = None,
    name: str | None = None,
    append: bool = False,
    options: Mapping[str, Any] | None = None,
    as_text: bool = False,
) -> None:
    """kind, name: of geometry and layer, the spool's own by default. append: to a file that is there. as_text:
    moments as ISO 8601, for formats that know days alone."""
    schema = _plain(spool.schema) if as_text else spool.schema
    rows = (batch.cast(schema) for batch in batches) if as_text else batches
    with_geometry: dict[str, Any] = {
        "geometry_name": GEOMETRY,
        "geometry_type": GDAL_KINDS.get(kind or spool.geometry_type, kind or spool.geometry_type),
        "crs": spool.crs_text,
    }
    ogr.write_arrow(
        pa.RecordBatchReader.from_batches(schema, rows),
        target,
        layer=name or spool.layer,
        driver=driver,
        append=append,
        layer_options=dict(options or {}),
        **(with_geometry if spool.has_geometry else {}),
    )


def _plain(schema: pa.Schema) -> pa.Schema:
    return pa.schema([field.with_type(pa.string()) if pa.types.is_timestamp(field.type) else field for field in schema])
