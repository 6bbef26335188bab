"""Rows in longitude and latitude (WGS 84), for formats that know nothing else."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from layers.crs import CRS84, transform_points
from layers.formats.write.spool import GEOMETRY, Spool


def in_degrees(spool: Spool) -> Iterator[tuple[pa.RecordBatch, NDArray[np.object_]]]:
    """Each batch, and its shapes x east in EPSG:4326."""

    def turned(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(transform_points(points[:, 0], points[:, 1], spool.crs, CRS84))

    for batch in spool.batches():
        shapes = shapely.from_wkb(batch.column(GEOMETRY).to_pylist())
        yield batch, shapes if spool.crs == CRS84 else shapely.transform(shapes, turned)
