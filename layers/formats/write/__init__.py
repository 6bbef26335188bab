"""Formats in which a layer is handed out as a file."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from layers.formats.write.dxf import write_dxf
from layers.formats.write.gdal import (
    write_flatgeobuf,
    write_geodatabase,
    write_geopackage,
    write_gml,
    write_kml,
    write_mapinfo,
    write_shapefile,
    write_workbook,
)
from layers.formats.write.gpx import write_gpx
from layers.formats.write.spool import Spool, TooMuch, spool_geojson, spool_rows
from layers.formats.write.table import write_csv, write_parquet

__all__ = ["FORMATS", "FileFormat", "Spool", "TooMuch", "spool_geojson", "spool_rows"]


@dataclass(frozen=True)
class FileFormat:
    """A file format. name: as `f=` says it; write: from laid down rows, None where the database builds it; degrees: it
    knows longitude and latitude alone."""

    name: str
    suffix: str
    media_type: str
    title: str
    write: Callable[[Spool, Path], None] | None
    degrees: bool = False


XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

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
        FileFormat("kml", ".kml", "application/vnd.google-earth.kml+xml", "KML", write_kml, degrees=True),
        FileFormat("dxf", ".dxf", "image/vnd.dxf", "DXF", write_dxf),
        FileFormat("xlsx", ".xlsx", XLSX, "XLSX", write_workbook),
        FileFormat("mapinfo", ".tab.zip", "application/zip", "MapInfo TAB (zip)", write_mapinfo),
        FileFormat("gdb", ".gdb.zip", "application/zip", "File Geodatabase (zip)", write_geodatabase),
        FileFormat("gpx", ".gpx", "application/gpx+xml", "GPX", write_gpx, degrees=True),
    )
}
