"""Rasters of known functions, as runs write them: what is asked of a service is compared with the function."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.transform import from_origin
from rio_cogeo.cogeo import cog_translate
from rio_cogeo.profiles import cog_profiles

Function = Callable[[npt.NDArray[np.float64], npt.NDArray[np.float64]], npt.NDArray[np.float64]]

# Over the town (tests/town.py), in its metric CRS, EPSG:4549 with cells of 5 m.
CRS, CELL, COLUMNS, ROWS = "EPSG:4549", 5.0, 400, 240
WEST, NORTH = 592_800.0, 3_110_700.0


def write(path: Path, function: Function, *, dtype: str = "float32") -> Path:
    """A COG of `function` of x and y (metres, at the middle of each cell); NaN is no data."""
    x = WEST + (np.arange(COLUMNS) + 0.5) * CELL
    y = NORTH - (np.arange(ROWS) + 0.5) * CELL
    values = np.broadcast_to(function(x[None, :], y[:, None]), (ROWS, COLUMNS)).astype(dtype)
    plain = path.with_suffix(".plain.tif")
    profile = {"driver": "GTiff", "width": COLUMNS, "height": ROWS, "count": 1, "dtype": dtype, "crs": CRS}
    with rasterio.open(plain, "w", transform=from_origin(WEST, NORTH, CELL, CELL), nodata=np.nan, **profile) as file:
        file.write(values, 1)
    profile = cog_profiles.get("deflate") | {"blockxsize": 128, "blockysize": 128}
    cog_translate(str(plain), str(path), profile, in_memory=True, quiet=True, overview_resampling="average")
    plain.unlink()
    return path
