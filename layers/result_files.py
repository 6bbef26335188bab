"""What a result's raster file says of itself, before it becomes a layer."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
import shapely
from rasterio.errors import RasterioError

from layers import LayerError
from layers.boxes import Bbox
from layers.crs import Crs, NoWay, UnknownCrs, parse_crs, transform_points

# Points along each side of a footprint, which bends in degrees.
SIDE_POINTS = 21
TYPES = ("float32", "float64", "int16", "int32", "uint8", "uint16", "uint32")


class FileError(LayerError):
    """A file that cannot be a layer's cells."""


@dataclass(frozen=True)
class CellFile:
    """A raster file. path: relative to the city's folder. extent: degrees. footprint: EWKB. resolution: metres."""

    path: str
    crs: str
    extent: Bbox
    footprint: bytes
    resolution: float


def look_into(path: Path, files: Path, band: int, srid: int) -> CellFile:
    """What a layer must know of a file. files: the city's folder; srid: in which it stores. Raises FileError."""
    home, file = files.resolve(), path.resolve()
    if not file.is_relative_to(home):
        raise FileError(f"{path.name}: lies outside of the city's folder {home}")
    try:
        with rasterio.open(file, driver="GTiff") as dataset:
            if dataset.crs is None or dataset.crs.to_epsg() is None:
                raise FileError(f"{path.name}: names no CRS of the EPSG registry; write it in the city's metric CRS")
            if band not in dataset.indexes:
                raise FileError(f"{path.name}: has no band {band}; there are {dataset.count}")
            if (kind := dataset.dtypes[band - 1]) not in TYPES:
                raise FileError(f"{path.name}: cells of type {kind}; there may be {', '.join(TYPES)}")
            bounds, sides = dataset.bounds, dataset.res
            crs = parse_crs(f"EPSG:{dataset.crs.to_epsg()}")
    except RasterioError as error:
        raise FileError(f"{path.name}: cannot be read as a GeoTIFF: {error}") from None
    except UnknownCrs as error:
        raise FileError(f"{path.name}: {error}") from None
    ring = _footprint((bounds.left, bounds.bottom, bounds.right, bounds.top), crs, srid, path.name)
    footprint = shapely.set_srid(shapely.MultiPolygon([ring]), srid)
    return CellFile(
        path=file.relative_to(home).as_posix(),
        crs=crs.code,
        extent=footprint.bounds,
        footprint=shapely.to_wkb(footprint, include_srid=True),
        resolution=max(sides) * crs.metres_per_unit,
    )


def _footprint(bounds: Bbox, crs: Crs, srid: int, name: str) -> shapely.Polygon:
    """The rectangle of a file in degrees. Raises FileError."""
    along = max(bounds[2] - bounds[0], bounds[3] - bounds[1]) / SIDE_POINTS
    corners = shapely.get_coordinates(shapely.segmentize(shapely.box(*bounds), along))
    try:
        x, y = transform_points(corners[:, 0], corners[:, 1], crs, parse_crs(f"EPSG:{srid}"))
    except NoWay as error:
        raise FileError(f"{name}: {error}") from None
    if not np.isfinite([x, y]).all():
        raise FileError(f"{name}: reaches beyond where {crs.code} ({crs.name}) can be computed")
    return shapely.Polygon(np.column_stack((x, y)))
