"""Outlines of pixels are those that GDAL's polygonize draws, and valid polygons."""

import numpy as np
import pytest
import rasterio.features
import shapely

from tiles.overview.outline import outlines


def polygons(images: np.ndarray) -> dict[tuple[int, int], list[shapely.Polygon]]:
    """Our outlines by image and label, x to the right and y down."""
    traced = outlines(images)
    rings = np.split(traced.corners[:, ::-1], traced.ring_start[1:-1])
    found: dict[tuple[int, int], list[shapely.Polygon]] = {}
    for area, (image, label) in enumerate(zip(traced.area_image, traced.area_label, strict=True)):
        shell, *holes = (rings[ring] for ring in np.flatnonzero(traced.ring_area == area))
        found.setdefault((int(image), int(label)), []).append(shapely.Polygon(shell, holes))
    return found


@pytest.mark.parametrize("density", [0.02, 0.4, 0.6, 0.97])
def test_gdal_draws_the_same(density: float) -> None:
    random = np.random.default_rng(7)
    images = np.where(random.random((20, 24, 24)) < density, random.integers(1, 4, (20, 24, 24)), 0).astype(np.int32)
    ours = polygons(images)
    for number, image in enumerate(images):
        theirs: dict[int, list[shapely.Polygon]] = {}
        for geometry, label in rasterio.features.shapes(image, mask=image > 0, connectivity=4):
            theirs.setdefault(int(label), []).append(shapely.geometry.shape(geometry))
        assert {label for where, label in ours if where == number} == set(theirs)
        for label, expected in theirs.items():
            found = ours[number, label]
            assert all(shapely.is_valid(found))
            assert len(found) == len(expected)
            assert shapely.equals(shapely.multipolygons(found), shapely.multipolygons(expected))


def test_no_image_has_no_outline() -> None:
    traced = outlines(np.zeros((3, 8, 8), np.int32))
    assert len(traced.area_label) == 0
    assert len(outlines(np.zeros((0, 8, 8), np.int32)).area_label) == 0
