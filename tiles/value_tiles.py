"""Value tiles: pictures of a coverage that carry the values themselves, for viewers that colour and animate them."""

import numpy as np

from layers.coverage import Frame
from tiles.coverage import read_cells
from tiles.map.png import write_png
from tiles.matrix import MAP_PIXELS, Tile

# value = base + step * (65536 R + 256 G + B), in the layer's unit; opacity 0 is no data.
VALUE_BASE, VALUE_STEP = -10_000.0, 0.001


def value_tile(frame: Frame, tile: Tile) -> bytes | None:
    """A PNG of 256 x 256 pixels that carries the values, None where there are none. Raises CellsUnreadable."""
    values = read_cells(frame, tile.box(), MAP_PIXELS, MAP_PIXELS, tile.grid.crs)
    known = ~np.isnan(values)
    if not known.any():
        return None
    steps = np.rint((np.nan_to_num(values).astype(np.float64) - VALUE_BASE) / VALUE_STEP)
    steps = np.where(known, np.clip(steps, 0, 2**24 - 1), 0).astype(np.uint32)
    return write_png(np.stack([steps >> 16, steps >> 8, steps, known * 255], axis=-1).astype(np.uint8))
