"""The cells of a coverage as pictures to lay on a map, in the colours of its ramp."""

from collections.abc import Iterator

from layers.coverage import Frame
from layers.ramps import Ramp
from layers.style import Mode
from tiles.coverage import read_cells
from tiles.map.png import write_png
from tiles.map.request import MapRequest

# Rows that are read at once, so that a large map takes little more memory than its picture.
STRIP = 1_024


def painted(
    frame: Frame, ramp: Ramp, mode: Mode, request: MapRequest, *, opacity: float
) -> Iterator[tuple[int, bytes]]:
    """Pictures (PNG), each as wide as the map, with the row from the top at which it is laid; none where all is clear.

    Raises CellsUnreadable.
    """
    west, south, east, north = request.box
    down = (north - south) / request.height
    for top in range(0, request.height, STRIP):
        rows = min(STRIP, request.height - top)
        box = (west, north - (top + rows) * down, east, north - top * down)
        pixels = ramp.paint(read_cells(frame, box, request.width, rows, request.known_crs), mode)
        if pixels[..., 3].any():
            if opacity < 1:
                pixels[..., 3] = pixels[..., 3] * opacity
            yield top, write_png(pixels, level=0)
