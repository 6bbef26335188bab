"""The built-up mass of a cell: polygons around the pixels that its smaller polygons cover, for each calm span."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from tiles.matrix import HALF_WORLD
from tiles.overview.level import (
    Coverage,
    Floats,
    Ints,
    Level,
    Span,
    Values,
    cell_side,
    column_row,
    first_of,
    pixel_side,
)
from tiles.overview.moments import calm_spans
from tiles.overview.outline import Outlines, outlines
from tiles.overview.recipe import BLOCK_PIXELS, FRAME, IMAGE_PIXELS, LEAST_COVERED, SHADE_BANDS

PIXELS = IMAGE_PIXELS**2
BLOCKS_ACROSS = IMAGE_PIXELS // BLOCK_PIXELS
BLOCKS = BLOCKS_ACROSS**2
_pixel = np.arange(PIXELS)
# The block of each pixel of an image.
BLOCK_OF = _pixel // IMAGE_PIXELS // BLOCK_PIXELS * BLOCKS_ACROSS + _pixel % IMAGE_PIXELS // BLOCK_PIXELS
# Images traced at once: 26 MB of them.
BATCH = 1000
# Pixels: a little more than a stair of one pixel strays from its slope.
STAIR = 0.75


@dataclass
class Mass:
    """One entry a multipolygon: what one key covers in one band of shade, in one cell, for one span."""

    cell: Ints
    key: Ints
    start: Ints
    end: Ints
    shade: Floats
    geometry: Values

    def __len__(self) -> int:
        return len(self.cell)


def mass(level: Level) -> Mass:
    """The masses of a level's coverage.

    A pixel is built up if enough of it is covered; its key and band are those of which there is most in its block, so
    that mixed quarters do not come out as noise.
    """
    images = list(calm_spans(level.coverage, level.limits))
    parts = [_mass(level, images[first : first + BATCH]) for first in range(0, len(images), BATCH)]
    none = np.zeros(0, np.int64)
    parts.append(Mass(none, none, none, none, none.astype(float), none.astype(object)))
    return Mass(*map(np.concatenate, zip(*(vars(part).values() for part in parts), strict=True)))


def _mass(level: Level, images: list[tuple[int, Span, Ints]]) -> Mass:
    image = np.repeat(np.arange(len(images)), [len(there) for _, _, there in images])
    coverage = level.coverage[np.concatenate([there for _, _, there in images])]
    place = image * PIXELS + coverage.pixel
    covered = np.bincount(place, coverage.area, len(images) * PIXELS)
    tints = _tints(BLOCK_OF[place % PIXELS] + place // PIXELS * BLOCKS, coverage)
    stack = tints.label[BLOCK_OF + np.arange(len(images))[:, None] * BLOCKS]
    stack[covered.reshape(stack.shape) < LEAST_COVERED * pixel_side(level.zoom) ** 2] = 0
    traced = outlines(stack.reshape(-1, IMAGE_PIXELS, IMAGE_PIXELS))
    # The label is the area's key, band and image at once: its number is that of a tint.
    tint, group = np.unique(traced.area_label - 1, return_inverse=True)
    cell = np.array([cell for cell, _, _ in images])[tints.image[tint]]
    span = np.array([span for _, span, _ in images]).reshape(-1, 2)[tints.image[tint]]
    geometry = _multipolygons(traced, group, cell[group], level.zoom)
    return Mass(cell, tints.key[tint], span[:, 0], span[:, 1], tints.shade[tint], geometry)


@dataclass
class _Tints:
    """What colours there are. label: tint + 1 of each block, 0 where nothing is. image, key, shade: of each tint."""

    label: NDArray[np.int32]
    image: Ints
    key: Ints
    shade: Floats


def _tints(block: Ints, coverage: Coverage) -> _Tints:
    """The key of which there is most in each block, and the band of the mean shade; alike blocks have one tint."""
    order = np.lexsort((coverage.key, block))
    block, key = block[order], coverage.key[order]
    starts = np.flatnonzero(first_of(block, key))
    sums = [np.add.reduceat(v[order], starts) for v in (coverage.area, coverage.shaded, coverage.shaded_area)]
    block, key = block[starts], key[starts]
    # Most first, equal ones by number, so that the same city gives the same picture.
    order = np.lexsort((key, -sums[0], block))
    block, key = block[order], key[order]
    starts = np.flatnonzero(first_of(block))
    shaded, area = (np.add.reduceat(v[order], starts) for v in sums[1:])
    block, key = block[starts], key[starts]
    band = np.searchsorted(SHADE_BANDS, _mean(shaded, area, otherwise=0.0), side="right")
    distinct, tint = np.unique(np.stack([block // BLOCKS, key, band]), axis=1, return_inverse=True)
    label = np.zeros((block.max(initial=0) // BLOCKS + 1) * BLOCKS, np.int32)
    label[block] = tint + 1
    tints = distinct.shape[1]
    shade = _mean(np.bincount(tint, shaded, tints), np.bincount(tint, area, tints), otherwise=np.nan)
    return _Tints(label, distinct[0], distinct[1], shade)


def _mean(total: NDArray[Any], weight: NDArray[Any], *, otherwise: float) -> Floats:
    mean = np.full(len(total), otherwise)
    np.divide(total, weight, out=mean, where=weight > 0)
    return mean


def _multipolygons(traced: Outlines, group: Ints, cell: Ints, zoom: int) -> Values:
    """Multipolygons in EPSG:3857; `group` and `cell` say where each area belongs."""
    corners, ring_area = traced.corners, traced.ring_area
    if not len(ring_area):
        return np.zeros(0, object)
    column, row = column_row(cell[ring_area])
    lengths = np.diff(traced.ring_start)
    ring = np.repeat(np.arange(len(lengths)), lengths)
    side, pixel = cell_side(zoom), pixel_side(zoom)
    x = column[ring] * side - HALF_WORLD + (corners[:, 1] - FRAME) * pixel
    y = HALF_WORLD - row[ring] * side - (corners[:, 0] - FRAME) * pixel
    rings: Values = np.asarray(shapely.linearrings(x, y, indices=ring))
    # Rings of an area one after another, its shell first.
    order = np.argsort(ring_area, kind="stable")
    polygons: Values = np.asarray(shapely.polygons(rings[order], indices=ring_area[order]))
    # Stairs become slopes; what is but a pixel or two stays.
    smooth: Values = np.asarray(shapely.simplify(polygons, STAIR * pixel, preserve_topology=False))
    polygons = np.where(shapely.is_empty(smooth), polygons, smooth)
    order = np.argsort(group, kind="stable")
    return np.asarray(shapely.multipolygons(polygons[order], indices=group[order]))
