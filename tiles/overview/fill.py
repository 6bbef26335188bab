"""Which pixels polygons cover: those whose middle lies inside, one compiled pass over many small polygons."""

import numpy as np
import shapely
from numba import njit

from tiles.overview.level import Floats, Ints, Values

# Crossings of a row of pixels with one polygon's edges; more are beyond what pixels can show.
MOST_CROSSINGS = 256


def filled(geometry: Values, origin: Floats, pixel: float, side: int) -> tuple[Ints, Ints]:
    """The pixels of each polygon, as (its number, row * side + column).

    origin: x of the western and y of the northern edge of each polygon's frame of `side` x `side` pixels of length
    `pixel`; what lies outside of its frame is left out.
    """
    parts, part_of = shapely.get_parts(geometry, return_index=True)
    rings, ring_of = shapely.get_rings(parts, return_index=True)
    corners, corner_of = shapely.get_coordinates(rings, return_index=True)
    number = part_of[ring_of][corner_of]
    x = (corners[:, 0] - origin[number, 0]) / pixel
    y = (origin[number, 1] - corners[:, 1]) / pixel
    starts = np.searchsorted(number, np.arange(len(geometry) + 1))
    return _filled(x, y, corner_of, starts, side)


@njit(cache=True)
def _filled(x: Floats, y: Floats, ring: Ints, starts: Ints, side: int) -> tuple[Ints, Ints]:
    """Row by row between each second crossing of the middle line (even-odd rule)."""
    numbers, pixels = np.empty(1024, np.int64), np.empty(1024, np.int64)
    used = 0
    crossings = np.empty(MOST_CROSSINGS, np.float64)
    for number in range(len(starts) - 1):
        first, last = starts[number], starts[number + 1]
        top, bottom = y[first:last].min(), y[first:last].max()
        for row in range(max(0, int(np.floor(top))), min(side, int(np.ceil(bottom)) + 1)):
            middle = row + 0.5
            count = 0
            for at in range(first, last - 1):
                if ring[at] == ring[at + 1] and (y[at] <= middle) != (y[at + 1] <= middle) and count < MOST_CROSSINGS:
                    crossings[count] = x[at] + (middle - y[at]) / (y[at + 1] - y[at]) * (x[at + 1] - x[at])
                    count += 1
            inside = np.sort(crossings[:count])
            for pair in range(0, count - 1, 2):
                begin = max(0, int(np.ceil(inside[pair] - 0.5)))
                end = min(side, int(np.ceil(inside[pair + 1] - 0.5)))
                for column in range(begin, end):
                    if used == len(pixels):
                        numbers = np.concatenate((numbers, np.empty_like(numbers)))
                        pixels = np.concatenate((pixels, np.empty_like(pixels)))
                    numbers[used], pixels[used] = number, row * side + column
                    used += 1
    return numbers[:used], pixels[:used]
