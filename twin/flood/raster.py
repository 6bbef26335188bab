"""GeoTIFF in and out: a domain from a terrain file, grids of a run as Cloud-Optimized GeoTIFFs, with CRS and datum."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.errors import RasterioError
from rasterio.transform import Affine

from twin.flood.domain import Domain
from twin.flood.errors import InvalidInput

NODATA = -9999.0
DATUM_TAG = "VERTICAL_DATUM"


def read_domain(path: Path, *, vertical_datum: str | None = None, manning: npt.ArrayLike = 0.03) -> Domain:
    """The ground in a single-band GeoTIFF as a domain; cells without data end it.

    vertical_datum: of its heights, where the file does not say it itself (tag VERTICAL_DATUM, as `write_grid` writes
    it). Raises InvalidInput for a file without CRS, of oblong or turned cells, of several bands, or of another datum
    than the one given.
    """
    try:
        with rasterio.open(path) as file:
            heights = file.read(1, masked=True).filled(np.nan).astype(np.float64) if file.count == 1 else None
            transform, crs, stated = file.transform, file.crs, file.tags().get(DATUM_TAG)
    except RasterioError as error:
        raise InvalidInput(f"{path.name}: not a raster that can be read") from error
    if heights is None:
        raise InvalidInput(f"{path.name}: a terrain has one band; this file has several")
    if crs is None:
        raise InvalidInput(f"{path.name}: no CRS in the file; set it, e.g. with gdal_edit.py -a_srs EPSG:4549")
    if transform.b or transform.d or abs(transform.a + transform.e) > 1e-6 * transform.a:
        raise InvalidInput(f"{path.name}: cells must be squares that stand upright; warp it with gdalwarp -tr")
    if stated and vertical_datum and stated != vertical_datum:
        raise InvalidInput(f"{path.name}: its heights stand above {stated}, not above {vertical_datum}")
    return Domain(
        heights,
        cell=transform.a,
        west=transform.c,
        north=transform.f,
        manning=manning,
        crs=crs.to_string(),
        vertical_datum=stated or vertical_datum,
    )


def write_grid(
    path: Path, grid: npt.NDArray[Any], domain: Domain, *, unit: str, description: str, datum: bool = False
) -> None:
    """A grid on a domain's cells as COG, float32, NaN as no data; whole or not at all. datum: the values are levels."""
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
    beside.replace(path)


def read_grid(path: Path) -> npt.NDArray[np.float32]:
    """The cells of a file of `write_grid`; NaN where there is no data."""
    with rasterio.open(path) as file:
        cells: npt.NDArray[np.float32] = file.read(1, masked=True).filled(np.nan)
    return cells
