"""Lines across the flow: the discharge that passes the faces between cells on them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely

from twin.flood import places
from twin.flood.cpu.face import Numbers
from twin.flood.cpu.solver import Mode
from twin.flood.cpu.state import GHOSTS, WALL, Faces, Floats, Water
from twin.flood.cpu.volume import rub, rubbed_face
from twin.flood.cpu.walls import over_wall
from twin.flood.domain import Domain
from twin.flood.edges import Edges
from twin.flood.walls import Wall, wall_faces

# The direction of a line is taken over so much of a cell: less than any bend, more than rounding.
TANGENT_CELLS = 0.01


class Section:
    """A line through which the discharge is told, positive to the right of its direction.

    What passes a face is asked of the law that moved the water there: the flow on the face by local inertia, the mean
    of both cells in second order, the flux between two cells in first order, and the weir where a wall stands.
    """

    def __init__(
        self, domain: Domain, line: Sequence[tuple[float, float]], name: str, *, z: Floats, edges: Edges, mode: Mode
    ) -> None:
        found = wall_faces(domain, Wall(line, 0.0, name=f"section {name}"))
        way, half = shapely.LineString(line), TANGENT_CELLS * domain.cell
        ends = [
            shapely.line_interpolate_point(way, np.clip(found.along + side, 0, way.length)) for side in (-half, half)
        ]
        (x0, y0), (x1, y1) = (shapely.get_coordinates(each).T for each in ends)
        # East through an upright face is to the right of a line that goes north.
        signs = np.where(found.upright, np.sign(y1 - y0), np.sign(x1 - x0))
        self._faces = [
            (bool(upright), int(row) + GHOSTS, int(column) + GHOSTS, float(sign))
            for upright, row, column, sign in zip(found.upright, found.rows, found.columns, signs, strict=True)
        ]
        self._z, self._across, self._down, self._mode, self._cell = z, edges.across, edges.down, mode, domain.cell
        self._n2 = places.padded(domain.roughness**2).astype(z.dtype)

    def discharge(self, water: Water, k: Numbers) -> float:
        """m3/s now."""
        passed = (sign * self._through(water, upright, row, column, k) for upright, row, column, sign in self._faces)
        return float(sum(passed)) * self._cell

    def _through(self, water: Water, upright: bool, row: int, column: int, k: Numbers) -> float:
        """m2/s to the east through the west face of a cell (upright), or to the south through its north face."""
        across, along = (water.flow_x, water.flow_y) if upright else (water.flow_y, water.flow_x)
        here, before = (row, column), (row, column - 1) if upright else (row - 1, column)
        if self._mode == "inertial":
            return float(across[here])
        wall = _wall(self._across if upright else self._down, row, column)
        if wall is None and self._mode == "full":
            return float((across[here] + across[before]) / 2)
        sides: list[tuple[Any, ...]] = []
        for at in (before, here):
            deep = max(water.depth[at], k.dry)
            u, v = (flow[at] / deep if water.depth[at] > k.dry else k.zero for flow in (across, along))
            sides.append((self._z[at], water.depth[at], u, v))
        if wall is not None:
            return float(over_wall(*sides[0], *sides[1], *wall, k)[0])
        cell = self._z.dtype.type(self._cell)
        drags = [rub(*side[1:], self._n2[at], cell, k) for side, at in zip(sides, (before, here), strict=True)]
        return float(rubbed_face(*sides[0], drags[0], *sides[1], drags[1], k)[0])


def _wall(faces: Faces, row: int, column: int) -> tuple[np.floating, np.floating] | None:
    """Crest (above the lowest bed, m) and strength of the wall on a face, if one stands there."""
    for n in range(faces.start[row], faces.start[row + 1]):
        if faces.place[n] == column and faces.kind[n] == WALL:
            return faces.crest[n], faces.strength[n]
    return None
