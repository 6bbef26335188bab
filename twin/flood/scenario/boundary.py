"""What lies beyond the raster's rim: the sea at its level, elsewhere land over which water may leave."""

import itertools

import numpy as np
import numpy.typing as npt

from twin.flood.forcing import Rim, Side
from twin.flood.scenario.ground import Ground
from twin.flood.series import Series

SEA, LAND, NOTHING = 2, 1, 0


def rims(ground: Ground, level: Series, datum: str) -> list[Rim]:
    """Stretches of the four sides. level: of the sea, m above `datum`."""
    kind = np.where(np.isnan(ground.bed), NOTHING, np.where(ground.sea, SEA, LAND))
    sides: dict[Side, npt.NDArray[np.int64]] = {
        "west": kind[:, 0],
        "east": kind[:, -1],
        "north": kind[0],
        "south": kind[-1],
    }
    found = []
    for side, along in sides.items():
        cuts = [0, *(np.flatnonzero(np.diff(along)) + 1).tolist(), len(along)]
        for first, last in itertools.pairwise(cuts):
            if along[first] == SEA:
                found.append(Rim(side, "level", level, first=first, last=last, datum=datum, name="sea"))
            elif along[first] == LAND:
                found.append(Rim(side, "open", first=first, last=last, name="open rim"))
    return found
