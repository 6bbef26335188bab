"""Formats in which a layer is handed out as a file."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from layers.formats.write.gdal import write_flatgeobuf, write_geopackage, write_gml, write_shapefile
from layers.formats.write.spool import Spool, TooMuch, spool_geojson, spool_rows
from layers.formats.write.table import write_csv, write_parquet

__all__ = ["FORMATS", "FileFormat", "Spool", "TooMuch", "spool_geojson", "spool_rows"]


@dataclass(frozen=True)
class FileFormat:
    """A file format. name: as `f=` says it; write: from laid down rows; None where the database builds it."""

    name: str
    suffix: str
    media_type: str
    title: str
    write: Callable[[Spool, Path], None] | None


FORMATS = {
    each.name: each
    for each in (
        FileFormat("geojson", ".geojson", "application/geo+json", "GeoJSON", None),
        FileFormat("gpkg", ".gpkg", "application/geopackage+sqlite3", "GeoPackage", write_geopackage),
        FileFormat("fgb", ".fgb", "application/flatgeobuf", "FlatGeobuf", write_flatgeobuf),
        FileFormat("parquet", ".parquet", "application/vnd.apache.parquet", "GeoParquet", write_parquet),
        FileFormat("csv", ".csv", "text/csv", "CSV", write_csv),
        FileFormat("gml", ".gml", "application/gml+xml", "GML 3.2", write_gml),
        FileFormat("shp", ".zip", "application/zip", "Shapefile (zip)", write_shapefile),
    )
}
