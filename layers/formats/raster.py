"""Terrain and imagery as GeoTIFF, NetCDF or ASCII grid: what a raster is and where it lies; its cells become a
Cloud-Optimized GeoTIFF."""

import hashlib
import logging
import os
import re
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import orjson
import pyarrow as pa
import rasterio
import rasterio.shutil
import shapely
from pyproj import CRS, Geod
from pyproj.exceptions import CRSError
from rasterio.enums import ColorInterp
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rio_cogeo.cogeo import cog_translate
from rio_cogeo.profiles import cog_profiles

from layers.formats.source import GEOMETRY, CrsUnknown, Format, FormatError, Reading, Source

TIFF_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
FOLDER = "terrain"
# A few kilobytes of sparse TIFF can claim any size; a city at 10 cm is 25 GB.
MOST_BYTES = 64 << 30
EDGE_POINTS = 32
# Metres in the units that heights come in beside metres.
METRES = {"ft": 0.3048, "foot": 0.3048, "us-ft": 1200 / 3937, "us survey foot": 1200 / 3937, "cm": 0.01, "mm": 1e-3}
# What programs write where there is no ground, and no ground has as its height.
NO_GROUND = (-9999.0, -32768.0, -32767.0, -99999.0, float(np.finfo(np.float32).min))
SAMPLE = 2048

SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("uid", "class", "name", "kind", "path")),
        ("resolution", pa.float64()),
        ("nodata", pa.float64()),
        ("attributes", pa.string()),
        (GEOMETRY, pa.binary()),
    ]
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RasterSource:
    """One raster as a source of the theme `terrain`: a single row with the raster's footprint.

    kind: imagery for three bands and more or a palette, hillshade for one band of bytes, else dtm; a recipe may say
    otherwise. opened_as: what rasterio opens. variable: of a NetCDF that has several. resolution: metres, of the wider
    side of a cell. footprint: polygon in `crs`, x east first. scale, offset: of terrain, metres from what a cell holds.
    """

    file: Path
    crs: str
    kind: str
    resolution: float
    nodata: float | None
    footprint: shapely.Polygon
    attributes: dict[str, Any]
    opened_as: str
    variable: str = ""
    name: str = "terrain"
    count: int | None = 1
    schema: pa.Schema = SCHEMA
    scale: float = 1.0
    offset: float = 0.0
    notes: tuple[str, ...] = ()

    @cached_property
    def path(self) -> str:
        """Where the COG lies, relative to the city's data directory; named by content, so a new edition never
        overwrites cells that an older one still shows."""
        with self.file.open("rb") as file:
            # Of one file's variables each has cells of its own.
            digest = hashlib.file_digest(
                file, lambda: hashlib.blake2b(self.variable.encode(), digest_size=8)
            ).hexdigest()
        return f"{FOLDER}/{self.file.stem}-{digest}.tif"

    def read(self, rows: int = 10_000) -> Iterator[pa.RecordBatch]:
        yield pa.RecordBatch.from_pylist(
            [
                {
                    "uid": self.file.stem,
                    "class": self.kind,
                    "name": self.file.stem,
                    "kind": self.kind,
                    "path": self.path,
                    "resolution": self.resolution,
                    "nodata": self.nodata,
                    "attributes": orjson.dumps(self.attributes).decode(),
                    GEOMETRY: shapely.to_wkb(self.footprint),
                }
            ],
            schema=self.schema,
        )

    def write_cog(self, folder: Path) -> Path:
        """Write the cells to `folder / path` as a COG, whole or not at all; nothing to do where it lies already.

        folder: the city's data directory. Raises FormatError where cells cannot be read, OSError where the disk is
        full. Values are kept bit for bit (deflate), but for heights in other than metres, which become metres in single
        precision; overviews are averages, of classes (palette) the nearest.
        """
        target = folder / self.path
        if target.exists():
            return target
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".cog-", dir=target.parent) as scratch:
            try:
                partial = self._translate(Path(scratch))
            except RasterioError as error:
                raise _broken(self.file, error) from None
            os.replace(partial, target)
        return target

    @property
    def _in_metres(self) -> bool:
        """Whether cells must be turned into metres."""
        return (self.scale, self.offset) != (1.0, 0.0)

    def _translate(self, scratch: Path) -> Path:
        # A virtual copy takes the CRS that was given; the file itself is not touched.
        virtual, result = scratch / "source.vrt", scratch / "result.tif"
        rasterio.shutil.copy(self.opened_as, virtual, driver="VRT")
        with rasterio.open(virtual, "r+") as dataset:
            dataset.crs = self.crs
            palette = ColorInterp.palette in dataset.colorinterp
            floating = self._in_metres or np.issubdtype(dataset.dtypes[0], np.floating)
        if self._in_metres:
            _scale(virtual, self.scale, self.offset, self.nodata)
        profile = cog_profiles.get("deflate")  # type: ignore[no-untyped-call]
        profile |= {"predictor": 3 if floating else 2, "bigtiff": "IF_SAFER"}
        cog_translate(
            str(virtual),
            str(result),
            profile,
            nodata=self.nodata,
            overview_resampling="nearest" if palette else "average",
            in_memory=False,
            quiet=True,
            forward_band_tags=True,
        )
        return result


def open_geotiff(path: Path, reading: Reading) -> list[Source]:
    """The raster in a GeoTIFF. Raises CrsUnknown where it has no CRS and none is given, FormatError where it is broken
    or does not say where on the ground it lies."""
    return [_open_raster(path, reading, "GTiff", str(path))]


def open_grid(path: Path, reading: Reading) -> list[Source]:
    """The raster in an Esri ASCII grid, with the CRS of a .prj beside it. Raises as `open_geotiff` does."""
    return [_open_raster(path, reading, "AAIGrid", str(path))]


def open_netcdf(path: Path, reading: Reading) -> list[Source]:
    """The one grid in a NetCDF file, or the one that `layer` names. Raises as `open_geotiff` does."""
    with _opened(str(path), "netCDF", path) as dataset:
        names = {name.rsplit(":", 1)[-1]: name for name in dataset.subdatasets}
    if not names:
        return [_open_raster(path, reading, "netCDF", str(path))]
    chosen = reading.layer or (next(iter(names)) if len(names) == 1 else None)
    if chosen is None or chosen not in names:
        raise FormatError(f"{path.name}: several variables; choose one with --layer: {', '.join(names)}")
    return [_open_raster(path, Reading(reading.crs), "netCDF", names[chosen], chosen)]


def _open_raster(path: Path, reading: Reading, driver: str, opened_as: str, variable: str = "") -> Source:
    if reading.layer not in (None, "terrain"):
        raise FormatError(f"{path.name}: a raster has no layer {reading.layer!r}; leave the layer out")
    with _opened(opened_as, driver, path) as dataset:
        stated = reading.crs or (dataset.crs.to_wkt() if dataset.crs else None)
        if stated is None:
            raise CrsUnknown(f"{path.name}: no CRS in the file; name it with --crs, e.g. --crs EPSG:4549")
        if dataset.transform.is_identity:
            raise FormatError(f"{path.name}: not georeferenced; export it with its position (a GeoTIFF or world file)")
        size = dataset.width * dataset.height * sum(np.dtype(kind).itemsize for kind in dataset.dtypes)
        if size > MOST_BYTES:
            raise FormatError(
                f"{path.name}: {size / 1e9:,.0f} GB of cells; cut it into tiles of {MOST_BYTES / 1e9:.0f} GB"
            )
        if driver == "netCDF" and dataset.count > 1:
            raise FormatError(f"{path.name}: {dataset.count} steps of time; a city's terrain has one, cut out that one")
        if np.issubdtype(dataset.dtypes[0], np.complexfloating):
            raise FormatError(f"{path.name}: its cells are complex numbers; export heights or colours")
        system = _crs(path, stated)
        footprint = _footprint(dataset)
        kind, nodata = _kind(dataset), _nodata(dataset)
        notes: tuple[str, ...] = ()
        scale, offset = _metres(dataset) if kind == "dtm" else (1.0, 0.0)
        if kind == "dtm" and nodata is None and (nodata := _without_ground(dataset)) is not None:
            notes = (f"cells of {nodata:g} are taken as empty: the file does not say what stands for no data",)
        return RasterSource(
            file=path,
            crs=_short(system),
            kind=kind,
            resolution=_resolution(dataset, system, footprint),
            nodata=nodata,
            scale=scale,
            offset=offset,
            notes=notes,
            footprint=footprint,
            opened_as=opened_as,
            variable=variable,
            attributes={
                "width": dataset.width,
                "height": dataset.height,
                "bands": dataset.count,
                "type": dataset.dtypes[0],
                "crs": _short(system),
            },
        )


@contextmanager
def _opened(name: str, driver: str, path: Path) -> Iterator[rasterio.DatasetReader]:
    try:
        with warnings.catch_warnings():
            # That a container has no position of its own says nothing of what it contains.
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(name, driver=driver) as dataset:
                yield dataset
    except RasterioError as error:
        raise _broken(path, error) from None


def _crs(path: Path, stated: str) -> CRS:
    try:
        return CRS.from_user_input(stated)
    except CRSError:
        raise CrsUnknown(f"{path.name}: {stated!r} is no CRS that PROJ knows; name one as EPSG:4549") from None


def _short(system: CRS) -> str:
    code = system.to_epsg()
    return f"EPSG:{code}" if code else system.to_wkt()


def _kind(dataset: rasterio.DatasetReader) -> str:
    if dataset.count >= 3 or ColorInterp.palette in dataset.colorinterp:
        return "imagery"
    return "hillshade" if dataset.dtypes[0] == "uint8" else "dtm"


def _nodata(dataset: rasterio.DatasetReader) -> float | None:
    nodata = dataset.nodata
    # NaN is no number to a database column; cells that are NaN stay empty without it.
    return None if nodata is None or not np.isfinite(nodata) else float(nodata)


def _metres(dataset: rasterio.DatasetReader) -> tuple[float, float]:
    """Scale and offset that make metres of what the first band's cells hold."""
    unit = METRES.get((dataset.units[0] or "").strip().lower(), 1.0)
    return float(dataset.scales[0]) * unit, float(dataset.offsets[0]) * unit


def _without_ground(dataset: rasterio.DatasetReader) -> float | None:
    """What stands in cells without ground where the file does not say it; None if all of a sample may be heights."""
    sample = dataset.read(1, out_shape=(min(dataset.height, SAMPLE), min(dataset.width, SAMPLE)))
    return next((value for value in NO_GROUND if (sample == value).any()), None)


def _scale(virtual: Path, scale: float, offset: float, nodata: float | None) -> None:
    """Have a VRT of GDAL's give its cells scaled, in single precision."""
    tree = ElementTree.parse(virtual)
    for band in tree.iter("VRTRasterBand"):
        band.set("dataType", "Float32")
        for told in ("Scale", "Offset", "UnitType"):
            for element in band.findall(told):
                band.remove(element)
        for source in band.findall("SimpleSource") + band.findall("ComplexSource"):
            source.tag = "ComplexSource"
            ElementTree.SubElement(source, "ScaleOffset").text = repr(offset)
            ElementTree.SubElement(source, "ScaleRatio").text = repr(scale)
            if nodata is not None and source.find("NODATA") is None:
                ElementTree.SubElement(source, "NODATA").text = repr(nodata)
        if nodata is not None and band.find("NoDataValue") is None:
            ElementTree.SubElement(band, "NoDataValue").text = repr(nodata)
    tree.write(virtual)


def _footprint(dataset: rasterio.DatasetReader) -> shapely.Polygon:
    """The raster's outline, with points along its sides, since a straight side bends in another CRS."""
    width, height = dataset.width, dataset.height
    corners = [dataset.transform @ corner for corner in ((0, 0), (0, height), (width, height), (width, 0))]
    outline = shapely.Polygon(corners)
    return shapely.segmentize(outline, outline.length / EDGE_POINTS)


def _resolution(dataset: rasterio.DatasetReader, system: CRS, footprint: shapely.Polygon) -> float:
    across, along = dataset.res
    if not system.is_geographic:
        return float(max(across, along) * system.axis_info[0].unit_conversion_factor)
    lon, lat = footprint.centroid.x, footprint.centroid.y
    geod = system.get_geod() or Geod(ellps="WGS84")
    _, _, east = geod.inv(lon, lat, lon + across, lat)
    _, _, north = geod.inv(lon, lat, lon, lat + along)
    return float(max(east, north))


def _broken(path: Path, error: Exception) -> FormatError:
    logger.debug("reading %s", path, exc_info=error)
    return FormatError(
        f"{path.name}: cannot be read as a raster ({error}); the file is broken or cut off, fetch it again"
    )


GRID = re.compile(rb"\s*ncols\s+\d+\s+nrows\s+\d+\s", re.IGNORECASE)
# NetCDF 3, and NetCDF 4, which is HDF5.
NETCDF_MAGIC = (b"CDF\x01", b"CDF\x02", b"CDF\x05", b"\x89HDF\r\n\x1a\n")

FORMATS = (
    Format("GeoTIFF", (".tif", ".tiff"), lambda head: head.startswith(TIFF_MAGIC), open_geotiff),
    Format("NetCDF", (".nc", ".nc4"), lambda head: head.startswith(NETCDF_MAGIC), open_netcdf),
    Format("ASCII grid", (".asc", ".grd"), lambda head: GRID.match(head) is not None, open_grid),
)
