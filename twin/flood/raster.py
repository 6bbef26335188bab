"""GeoTIFF in and out: terrain and gridded rain from files, grids of a run as Cloud-Optimized GeoTIFFs, with CRS."""

import warnings
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio
import rasterio.features
import shapely.geometry
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.transform import Affine
from rasterio.vrt import WarpedVRT
from rasterio.warp import calculate_default_transform

from twin.flood.domain import Domain
from twin.flood.errors import InvalidInput
from twin.flood.forcing import RainFrames

NODATA = -9999.0
DATUM_TAG, TIME_TAG = "VERTICAL_DATUM", "TIME"
METRES = {"", "m", "metre", "metres", "meter", "meters", "unknown"}
MILLIMETRES_AN_HOUR = {"", "mm/h", "mm/hr", "mm h-1", "mm.h-1", "mm hr-1"}


def read_domain(path: Path, *, vertical_datum: str | None = None, manning: npt.ArrayLike = 0.03) -> Domain:
    """The ground in a single-band GeoTIFF as a domain; cells without data end it, with a warning inside of it.

    vertical_datum: of its heights, where the file does not say it itself (tag VERTICAL_DATUM, as `write_grid` writes
    it). Raises InvalidInput for a file without CRS, of oblong or turned cells, of several bands, or of another datum
    than the one given.
    """
    try:
        with rasterio.open(path) as file:
            heights = _values(file, file.scales[0], file.offsets[0]) if file.count == 1 else None
            unit = (file.units[0] or "").strip().casefold() if file.count == 1 else ""
            transform, crs, stated = file.transform, file.crs, file.tags().get(DATUM_TAG)
    except RasterioError as error:
        raise InvalidInput(f"{path.name}: not a raster that can be read") from error
    if heights is None:
        raise InvalidInput(f"{path.name}: a terrain has one band; this file has several")
    if unit not in METRES:
        raise InvalidInput(f"{path.name}: its heights are in {unit!r}; convert them to metres")
    if crs is None:
        raise InvalidInput(f"{path.name}: no CRS in the file; set it, e.g. with gdal_edit.py -a_srs EPSG:4549")
    if transform.b or transform.d or abs(transform.a + transform.e) > 1e-6 * transform.a:
        raise InvalidInput(f"{path.name}: cells must be squares that stand upright; warp it with gdalwarp -tr")
    if stated and vertical_datum and stated != vertical_datum:
        raise InvalidInput(f"{path.name}: its heights stand above {stated}, not above {vertical_datum}")
    if count := enclosed(heights):
        warnings.warn(
            f"{path.name}: {count} cells without heights lie inside of the terrain; no water gets there. Fill them, "
            "e.g. with gdal_fillnodata.py, unless that is meant",
            stacklevel=2,
        )
    return Domain(
        heights,
        cell=transform.a,
        west=transform.c,
        north=transform.f,
        manning=manning,
        crs=crs.to_string(),
        vertical_datum=stated or vertical_datum,
    )


def read_rain(files: Mapping[float, Path], domain: Domain) -> RainFrames:
    """Gridded rain in mm/h from single-band GeoTIFFs, each from its time (s) on, whatever their CRS.

    A pixel keeps its value on its way into the domain's CRS. Raises InvalidInput, naming the file, for one that cannot
    be read, has no CRS, another unit than mm/h, or gaps over the domain; and for a domain without CRS.
    """
    if domain.crs is None:
        raise InvalidInput("crs: the domain has none; gridded rain cannot be laid upon it")
    if not files:
        raise InvalidInput("rain frames: no file was given")
    frames = [_rain_over(path, domain) for _, path in sorted(files.items())]
    rows, columns = (max(frame.shape[axis] for frame in frames) for axis in (0, 1))
    finest = [
        frame[np.ix_(np.arange(rows) * frame.shape[0] // rows, np.arange(columns) * frame.shape[1] // columns)]
        for frame in frames
    ]
    return RainFrames(sorted(files), np.stack(finest))


def _rain_over(path: Path, domain: Domain) -> npt.NDArray[np.float64]:
    """The pixels of a file over a domain, as many as it has there and no more than the domain has cells."""
    rows, columns = domain.shape
    west, south = domain.west, domain.north - rows * domain.cell
    east = west + columns * domain.cell
    try:
        with rasterio.open(path) as file:
            if file.crs is None:
                raise InvalidInput(f"{path.name}: no CRS in the file; set it, e.g. with gdal_edit.py -a_srs EPSG:4326")
            if file.count != 1:
                raise InvalidInput(f"{path.name}: rain has one band; this file has several")
            if (unit := (file.units[0] or "").strip().casefold()) not in MILLIMETRES_AN_HOUR:
                raise InvalidInput(f"{path.name}: its rain is in {unit!r}; convert it to mm/h")
            pixel = calculate_default_transform(file.crs, domain.crs, file.width, file.height, *file.bounds)[0].a
            tall = min(rows, max(1, round(rows * domain.cell / pixel)))
            wide = min(columns, max(1, round(columns * domain.cell / pixel)))
            there = rasterio.transform.from_bounds(west, south, east, domain.north, wide, tall)
            shape = {"transform": there, "width": wide, "height": tall, "dtype": "float32", "nodata": NODATA}
            with WarpedVRT(file, crs=domain.crs, resampling=Resampling.nearest, **shape) as warped:
                found = _values(warped, file.scales[0], file.offsets[0])
    except RasterioError as error:
        raise InvalidInput(f"{path.name}: not a raster that can be read") from error
    if np.isnan(found).any():
        raise InvalidInput(
            f"{path.name}: no rain is known in {np.isnan(found).mean():.1%} of the domain; fill the gaps"
        )
    return found


def _values(file: Any, scale: float, offset: float) -> npt.NDArray[np.float64]:
    """The numbers that a band means, by its scale and offset; NaN where there is no data."""
    stored: npt.NDArray[np.float64] = file.read(1, masked=True).astype(np.float64).filled(np.nan)
    return stored * scale + offset


def enclosed(levels: npt.NDArray[np.float64]) -> int:
    """Cells without data that ground surrounds: not joined side by side to any at the rim."""
    if np.isfinite(levels).all():
        return 0
    outside = np.pad(np.isnan(levels), 1, constant_values=True).astype(np.uint8)
    parts = rasterio.features.shapes(outside, mask=outside > 0)
    # The part around everything begins in the corner; areas are in cells.
    areas = [shapely.geometry.shape(shape).area for shape, _ in parts if shape["coordinates"][0][0] != (0.0, 0.0)]
    return round(sum(areas))


def write_grid(
    path: Path,
    grid: npt.NDArray[Any],
    domain: Domain,
    *,
    unit: str,
    description: str,
    datum: bool = False,
    time: datetime | None = None,
) -> None:
    """A grid on a domain's cells as COG, float32, NaN as no data; whole or not at all.

    datum: the values are levels. time: the moment they are of, told in the tag TIME.
    """
    beside = path.with_name(f".{path.name}.part")
    with rasterio.open(
        beside, "w", driver="COG", dtype="float32", count=1, height=domain.shape[0], width=domain.shape[1],
        crs=domain.crs, transform=Affine(domain.cell, 0, domain.west, 0, -domain.cell, domain.north),
        nodata=NODATA, compress="DEFLATE", predictor=3, level=1, blocksize=256, overview_resampling="average",
    ) as file:  # fmt: skip
        file.write(np.nan_to_num(grid, nan=NODATA).astype(np.float32), 1)
        file.set_band_description(1, description)
        file.units = (unit,)
        if datum and domain.vertical_datum:
            file.update_tags(**{DATUM_TAG: domain.vertical_datum})
        if time is not None:
            file.update_tags(**{TIME_TAG: time.isoformat()})
    beside.replace(path)


def read_grid(path: Path) -> npt.NDArray[np.float32]:
    """The cells of a file of `write_grid`; NaN where there is no data."""
    with rasterio.open(path) as file:
        cells: npt.NDArray[np.float32] = file.read(1, masked=True).filled(np.nan)
    return cells
