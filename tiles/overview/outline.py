"""Outlines of labelled pixels: from a stack of small label images to polygons with holes, one compiled pass.

GDAL's polygonize gives the same rings, but hands each over as Python objects; over the few thousand images of a city
that took 40 times as long as this kernel.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

Ints = npt.NDArray[np.int32]

# Steps east, south, west, north on the lattice of pixel corners, rows downward.
STEP_ROW = np.array([0, 1, 0, -1])
STEP_COLUMN = np.array([1, 0, -1, 0])


@dataclass(frozen=True)
class Outlines:
    """Rings of all areas of equal label, 4-connected.

    corners: row, column of each ring's turns, in pixels, rings one after another, not closed. ring_start: where each
    begins, with the end as last. ring_area: the area it bounds; an area's first ring is its shell, further ones its
    holes. area_image, area_label: where each area lies.
    """

    corners: Ints
    ring_start: Ints
    ring_area: Ints
    area_image: Ints
    area_label: Ints


def outlines(images: Ints) -> Outlines:
    """The outlines of `images` (image, row, column), whose label 0 is background."""
    padded = np.zeros((images.shape[0], images.shape[1] + 2, images.shape[2] + 2), np.int32)
    padded[:, 1:-1, 1:-1] = images
    areas, area_image, area_label = _areas(padded)
    corners, ring_start, ring_area = _rings(areas, len(area_image))
    return Outlines(corners - 1, ring_start, ring_area, area_image, area_label)


@njit(cache=True)
def _areas(images: Ints) -> tuple[Ints, Ints, Ints]:
    """Number the 4-connected areas from 1; an area's number rises with its first pixel in reading order."""
    count, rows, columns = images.shape
    areas = np.zeros_like(images)
    area_image, area_label = [np.int32(0) for _ in range(0)], [np.int32(0) for _ in range(0)]
    stack = np.empty((rows * columns, 2), np.int32)
    for image in range(count):
        for row in range(1, rows - 1):
            for column in range(1, columns - 1):
                label = images[image, row, column]
                if label == 0 or areas[image, row, column] != 0:
                    continue
                area_image.append(np.int32(image))
                area_label.append(label)
                number = len(area_image)
                areas[image, row, column] = number
                stack[0] = row, column
                height = 1
                while height:
                    height -= 1
                    here_row, here_column = stack[height]
                    for way in range(4):
                        next_row, next_column = here_row + STEP_ROW[way], here_column + STEP_COLUMN[way]
                        if images[image, next_row, next_column] == label and areas[image, next_row, next_column] == 0:
                            areas[image, next_row, next_column] = number
                            stack[height] = next_row, next_column
                            height += 1
    return areas, np.array(area_image), np.array(area_label)


@njit(cache=True)
def _rings(areas: Ints, count: int) -> tuple[Ints, Ints, Ints]:
    """Walk along the cracks between pixels with the area on the right hand, once around each ring."""
    images, rows, columns = areas.shape
    walked = np.zeros(areas.shape, np.bool_)
    corners = np.empty((4 * areas.size, 2), np.int32)
    ring_start, ring_area = [np.int32(0)], [np.int32(0) for _ in range(0)]
    used = 0
    for image in range(images):
        for start_row in range(1, rows - 1):
            for start_column in range(1, columns - 1):
                area = areas[image, start_row, start_column]
                if area == 0 or walked[image, start_row, start_column]:
                    continue
                if areas[image, start_row - 1, start_column] == area:
                    continue
                row, column, heading = start_row, start_column, 0
                while True:
                    if heading == 0:
                        walked[image, row, column] = True
                    row, column = row + STEP_ROW[heading], column + STEP_COLUMN[heading]
                    turn = _turn(areas[image], row, column, heading, area)
                    if turn != 0:
                        corners[used] = row, column
                        used += 1
                        heading = (heading + turn) % 4
                    if row == start_row and column == start_column and heading == 0:
                        break
                ring_start.append(np.int32(used))
                ring_area.append(np.int32(area - 1))
    return corners[:used], np.array(ring_start), np.array(ring_area)


@njit(cache=True)
def _turn(areas: Ints, row: int, column: int, heading: int, area: int) -> int:
    """-1 left, 0 straight, 1 right.

    Left goes first: where two pixels of an area meet at a corner only, the ring closes there, so that no ring touches
    itself and the polygon is valid (OGC 06-103r4, 6.1.11).
    """
    # Pixels ahead, right and left of the heading; pixel (r, c) lies south-east of corner (r, c).
    if heading == 0:
        right, left = areas[row, column], areas[row - 1, column]
    elif heading == 1:
        right, left = areas[row, column - 1], areas[row, column]
    elif heading == 2:
        right, left = areas[row - 1, column - 1], areas[row, column - 1]
    else:
        right, left = areas[row - 1, column], areas[row - 1, column - 1]
    if left == area:
        return -1
    if right == area:
        return 0
    return 1
