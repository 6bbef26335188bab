"""Polygons fill the pixels that GDAL's rasterizer fills: those whose middle lies inside."""

import numpy as np
import pytest
import rasterio.features
import shapely
from rasterio.transform import from_origin

from tiles.overview.fill import filled

SIDE, PIXEL = 80, 7.5


@pytest.mark.parametrize("seed", range(5))
def test_gdal_fills_the_same(seed: int) -> None:
    """Blobs with holes, some in several parts, some beyond the frame."""
    random = np.random.default_rng(seed)
    points = shapely.points(random.uniform(-100, 700, (60, 2)))
    blobs = shapely.buffer(points, random.uniform(1, 90, 60))
    shapes = [shapely.difference(blob, shapely.union_all(blobs[i + 1 : i + 9 : 2])) for i, blob in enumerate(blobs)]
    geometry = np.array([shape for shape in shapes if not shape.is_empty])
    origin = np.tile([0.0, SIDE * PIXEL], (len(geometry), 1))
    number, pixel = filled(geometry, origin, PIXEL, SIDE)
    for index, shape in enumerate(geometry):
        expected = rasterio.features.rasterize(
            [shape], (SIDE, SIDE), transform=from_origin(0, SIDE * PIXEL, PIXEL, PIXEL)
        )
        found = np.zeros(SIDE * SIDE, np.uint8)
        found[pixel[number == index]] = 1
        # Middles that lie on an edge may go either way.
        assert np.count_nonzero(found.reshape(SIDE, SIDE) != expected) <= 1


def test_each_polygon_has_its_own_frame() -> None:
    squares = np.array([shapely.box(0, 0, 2, 1), shapely.box(10, 10, 12, 11)])
    number, pixel = filled(squares, np.array([[0.0, 4.0], [10.0, 14.0]]), 1.0, 4)
    assert number.tolist() == [0, 0, 1, 1]
    assert pixel.tolist() == [12, 13, 12, 13]


def test_nothing_fills_nothing() -> None:
    number, pixel = filled(np.zeros(0, object), np.zeros((0, 2)), 1.0, 4)
    assert len(number) == len(pixel) == 0
