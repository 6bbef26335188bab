"""Small layers in the middle of the city, so that what shows results can be tried out without a model."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import rasterio
import shapely
from pyproj import Transformer
from rasterio.transform import from_origin

from twin.scenarios.city import City
from twin.scenarios.inputs import Words
from twin.scenarios.protocol import RasterLayer, VectorLayer

CELLS, CELL_M = 64, 10.0
BEGIN = datetime(2025, 1, 1, tzinfo=UTC)


def layers(city: City, number: int) -> list[RasterLayer | VectorLayer]:
    """A level that rises by a metre an hour over a square of 640 m, `number` states of it, and that square."""
    west, south, east, north = city.box
    transformer = Transformer.from_crs("OGC:CRS84", city.metric_crs, always_xy=True)
    x, y = transformer.transform((west + east) / 2, (south + north) / 2)
    half = CELLS * CELL_M / 2
    frames = [
        (BEGIN + timedelta(hours=hour), _written(city, x - half, y + half, float(hour))) for hour in range(number)
    ]
    square = shapely.box(x - half, y - half, x + half, y + half)
    table = pa.table({"uid": ["square"], "side": [2 * half], "geometry": [shapely.to_wkb(square)]})
    return [
        RasterLayer("level", Words("水位", "Level"), "m", frames, "level"),
        VectorLayer("square", Words("方块", "Square"), table),
    ]


def _written(city: City, west: float, north: float, level: float) -> Path:
    path = city.folder / f"level_{level:.0f}.tif"
    with rasterio.open(
        path, "w", driver="COG", dtype="float32", count=1, width=CELLS, height=CELLS, crs=city.metric_crs,
        transform=from_origin(west, north, CELL_M, CELL_M), nodata=np.nan,
    ) as dataset:  # fmt: skip
        dataset.write(np.full((1, CELLS, CELLS), level, np.float32))
    return path
