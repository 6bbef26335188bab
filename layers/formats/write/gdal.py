"""Files that GDAL writes: GeoPackage, FlatGeobuf, GML and Shapefile, from Arrow batches."""

import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyogrio
import shapely

from layers.formats.write.spool import GEOMETRY, Spool
from layers.gml import NAMESPACE, PREFIX

# A Shapefile holds one kind of geometry; a layer of several becomes several, each named after its kind.
SHAPEFILE_KINDS = {
    "point": ("Point", (0,)),
    "multipoint": ("MultiPoint", (4,)),
    "line": ("LineString", (1, 2, 5)),
    "polygon": ("Polygon", (3, 6)),
}
GDAL_KINDS = {"Geometry": "Unknown"}


def write_geopackage(spool: Spool, target: Path) -> None:
    _write(spool, target, "GPKG", spool.batches())


def write_flatgeobuf(spool: Spool, target: Path) -> None:
    _write(spool, target, "FlatGeobuf", spool.batches())


def write_gml(spool: Spool, target: Path) -> None:
    """GML 3.2, simple features profile; coordinates in the CRS's own order of axes."""
    options = {"FORMAT": "GML3.2", "XSISCHEMA": "OFF", "PREFIX": PREFIX, "TARGET_NAMESPACE": NAMESPACE}
    _write(spool, target, "GML", spool.batches(), options=options, as_text=True)


def write_shapefile(spool: Spool, target: Path) -> None:
    """A zip of Shapefiles in UTF-8, which their .cpg says; names are cut to ten bytes, as the format wants."""
    folder = target.with_suffix(".shapes")
    folder.mkdir()
    mixed = spool.geometry_type == "Geometry"
    kinds = _kinds(spool) if mixed else [None]
    for kind in kinds:
        name = spool.layer if kind is None else f"{spool.layer}_{kind}"
        geometry_type, numbers = SHAPEFILE_KINDS[kind] if kind else (spool.geometry_type, None)
        rows = spool.batches() if numbers is None else _of_kind(spool.batches(), numbers)
        options = {"ENCODING": "UTF-8"}
        _write(
            spool,
            folder / f"{name}.shp",
            "ESRI Shapefile",
            rows,
            kind=geometry_type,
            options=options,
            as_text=True,
        )
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, file.name)
            file.unlink()
    folder.rmdir()


def _kinds(spool: Spool) -> list[str | None]:
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
    options: Mapping[str, Any] | None = None,
    as_text: bool = False,
) -> None:
    """kind: of the geometry, the layer's by default. as_text: moments as ISO 8601, for formats that know days alone."""
    schema = _plain(spool.schema) if as_text else spool.schema
    rows = (batch.cast(schema) for batch in batches) if as_text else batches
    with_geometry: dict[str, Any] = {
        "geometry_name": GEOMETRY,
        "geometry_type": GDAL_KINDS.get(kind or spool.geometry_type, kind or spool.geometry_type),
        "crs": spool.crs_text,
    }
    pyogrio.write_arrow(
        pa.RecordBatchReader.from_batches(schema, rows),
        target,
        layer=target.stem if driver == "ESRI Shapefile" else spool.layer,
        driver=driver,
        layer_options=dict(options or {}),
        **(with_geometry if spool.has_geometry else {}),
    )


def _plain(schema: pa.Schema) -> pa.Schema:
    return pa.schema([field.with_type(pa.string()) if pa.types.is_timestamp(field.type) else field for field in schema])
