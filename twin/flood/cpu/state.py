"""What the loops work on: water, ground and special faces, as tuples of arrays that compiled code can take."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.int64]

# Cells around the grid that hold what is outside of it.
GHOSTS = 2

# What lies beyond a face of the rim.
CLOSED, OPEN, LEVEL = 0, 1, 2
# What a special face does.
WALL, GIVEN = 0, 1


class Water(NamedTuple):
    """Water in each cell, with two rows and columns of ghosts on each side.

    depth m; flow_x, flow_y m2/s to the east and to the south; carry m: water that is there but too little to be
    added to the depth in its precision, or negative: owed by a cell that gave more than it had.
    """

    depth: Floats
    flow_x: Floats
    flow_y: Floats
    carry: Floats


class Faces(NamedTuple):
    """Faces that do not follow the plain law: a wall on the edge of a cell, a flow given at the rim.

    start: for each row, where its faces begin in the lists that follow; place: the column of the cell east (south)
    of the face; kind WALL or GIVEN; crest: level of a wall's, or the depth with which a given flow comes, m; strength:
    factor on the weir's discharge; given m2/s, positive to the east (south).
    """

    start: Ints
    place: Ints
    kind: Ints
    crest: Floats
    strength: Floats
    given: Floats


class Rim(NamedTuple):
    """Volume that passed each face of the rim during a stage, m2/s, positive to the east (south)."""

    west: Floats
    east: Floats
    north: Floats
    south: Floats
