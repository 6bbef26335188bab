"""Map pictures for a report: a grid in its ramp's colours over shaded ground and the usual water."""

import base64
from typing import Any

import numpy as np
import numpy.typing as npt
from rasterio.io import MemoryFile

from layers.ramps import ramp_named
from twin.flood.scenario.ground import Ground

# A page is not wider; larger grids are thinned.
WIDEST = 1400
STEEPER = 2.0
# Sea, rivers and lakes as they were before the flood.
WATER = (206, 222, 233)


def map_png(grid: npt.NDArray[np.floating[Any]], ground: Ground, ramp: str) -> str:
    """A PNG in base64, with light from the north-west."""
    thin = max(1, -(-grid.shape[1] // WIDEST))
    grown = max(1, WIDEST // 2 // grid.shape[1])
    grid, bed = grid[::thin, ::thin], ground.natural[::thin, ::thin]
    water = (ground.sea | np.isfinite(ground.standing))[::thin, ::thin]
    slopes: Any = np.gradient(np.nan_to_num(bed), ground.site.cell * thin)
    shade = np.clip(225 + (slopes[0] - slopes[1]) * 110 * STEEPER, 90, 250)
    base: npt.NDArray[np.float64] = np.repeat(shade[..., None], 3, axis=2) * np.array([0.98, 0.985, 0.96])
    base[water] = WATER
    base[np.isnan(bed)] = 255
    painted = ramp_named(ramp).paint(grid.astype(np.float32), "day").astype(np.float64)
    weight = painted[..., 3:] / 255
    colours = (base * (1 - weight) + painted[..., :3] * weight).clip(0, 255).astype(np.uint8)
    colours = colours.repeat(grown, axis=0).repeat(grown, axis=1)
    with MemoryFile() as memory:
        with memory.open(driver="PNG", width=colours.shape[1], height=colours.shape[0], count=3, dtype="uint8") as file:
            file.write(np.moveaxis(colours, 2, 0))
        return base64.b64encode(memory.read()).decode("ascii")
