"""The limits of a tile set: which tiles of a grid can show anything of some layers (OGC 17-083r4, 6.2.6)."""

from collections.abc import Iterable
from functools import lru_cache

from layers.boxes import union
from layers.catalog import Layer
from tiles.matrix import Box, Grid, Tile, TileOutOfRange

# First and last column and row: x0, y0, x1, y1.
Limits = tuple[int, int, int, int]


def limits_of(grid: Grid, zoom: int, layers: Iterable[Layer]) -> Limits | None:
    """The tiles in which layers have anything; None while nothing is loaded."""
    box = union(layer.extent for layer in layers if layer.extent is not None)
    return None if box is None else _limits(grid, zoom, box)


@lru_cache(maxsize=1024)
def _limits(grid: Grid, zoom: int, degrees: Box) -> Limits:
    return grid.limits(zoom, degrees)


def is_within(tile: Tile, layers: Iterable[Layer]) -> bool:
    """Whether a tile lies within the limits of a tile set of these layers."""
    limits = limits_of(tile.grid, tile.z, layers)
    return limits is None or (limits[0] <= tile.x <= limits[2] and limits[1] <= tile.y <= limits[3])


def refuse_outside(tile: Tile, layers: Iterable[Layer]) -> None:
    """Tiles beyond the limits that a tile set declares are none (OGC API Tiles, /req/core/tc-error A).

    Raises TileOutOfRange.
    """
    layers = list(layers)
    if not is_within(tile, layers):
        x0, y0, x1, y1 = limits_of(tile.grid, tile.z, layers) or (0, 0, 0, 0)
        raise TileOutOfRange(
            f"tile {tile.z}/{tile.x}/{tile.y}: at zoom {tile.z} there are columns {x0} to {x1} and rows {y0} to {y1}"
        )
