"""Steps of their own length for each part of the grid: a deep sea goes quickly, the films on land beside it slowly.

Blocks are of levels; one of level l steps once where the quickest do so 2^l times, by the time that has passed for it
since its last step. Levels are chosen anew where all parts have come to the same time. See decision 36.
"""

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from twin.flood.cpu.crew import LAUNCHED
from twin.flood.cpu.face import numbers
from twin.flood.cpu.seams import BOTTOM, FIRST, LAST, LEFT, LEVEL, NORTH, RIGHT, TOP, Passed, cross, lay_out, squares
from twin.flood.cpu.state import GHOSTS, Faces, Floats, Ints, Rim, Water
from twin.flood.cpu.sweep import ROWS_OF_BUFFERS, first_order

MOST_LEVEL = 3
# A wave goes half a cell at most in a step: in the 16 between two looks it does not leave a square and those around.
SQUARE = 8
# Waves may become so much faster until the next look before they shorten everybody's step.
MARGIN = 1.02
# Where many blocks are a little too fast for half the steps, all steps are made a little shorter.
QUICKER = (1.0, 1.1, 1.2, 1.3, 1.45, 1.6, 1.8)
STILL_M_S = 1e-3
# Segments are too unequal to be dealt out to threads by their number: so many shares of equal work are.
SHARES = 64
T = TypeVar("T", bound=np.generic)
Levels = npt.NDArray[np.int64]


class LocalSteps:
    """Which blocks step when, and what passed between them. ground: bed, n^2, special faces to the east and south."""

    def __init__(self, ground: tuple[Floats, Floats, Faces, Faces], rim: Rim, cell: float, *, block: int) -> None:
        shape, dtype = ground[0].shape, ground[0].dtype
        self._ground, self._rim, self._cell, self._k = ground, rim, dtype.type(cell), numbers(dtype)
        self._rows, self._columns = (length - 2 * GHOSTS for length in shape)
        self._block = block
        self._scratch = np.zeros((LAUNCHED, ROWS_OF_BUFFERS, shape[1]), dtype)
        strips, files = -(-self._rows // block), -(-self._columns // block)
        self.passed = Passed(
            np.zeros((strips + 1, 2, 3, shape[1]), dtype), np.zeros((files + 1, 2, 3, shape[0]), dtype)
        )
        self.levels: Levels = np.full((strips, files), -1, np.int64)
        self.speeds = np.zeros(MOST_LEVEL + 1)
        self._since = np.zeros(MOST_LEVEL + 1, dtype)
        self._fine = np.zeros((2, -(-self._rows // SQUARE), -(-self._columns // SQUARE)), dtype)
        self._most = np.zeros((self._fine.shape[1], 2, self._columns), dtype)
        self.segments: Ints = np.zeros((0, 8), np.int64)
        self._seams: Ints = np.zeros((0, 5), np.int64)
        self._strips = np.zeros(strips + 1, np.int64)
        self._speed_of = np.zeros((strips, MOST_LEVEL + 1), dtype)
        self._shares, self._seam_shares = np.zeros((2, MOST_LEVEL + 1, SHARES + 1), np.int64)
        self._cells = np.zeros(MOST_LEVEL + 1, np.int64)

    def look(self, water: Water, wakes: npt.NDArray[np.bool_], steady: npt.NDArray[np.bool_]) -> None:
        """Choose the blocks to work on and their levels. wakes: blocks that water may come into; steady: of level 0."""
        speed, deepest = self._fine
        squares(water, SQUARE, speed, deepest, self._most, self._k)
        wet = self._of_blocks(deepest > self._k.dry) | wakes
        active = around(wet, greatest=True)
        near = self._of_blocks(around(np.maximum(speed, STILL_M_S), greatest=True))
        tried = [self._levels_below(near, steady, quicker) for quicker in QUICKER]
        costs = [quicker * (2.0 ** -levels[active]).sum() for quicker, levels in zip(QUICKER, tried, strict=True)]
        levels = tried[int(np.argmin(costs))]
        self.work_on(np.where(active, levels, -1))
        fastest = self._of_blocks(speed)
        for level in range(MOST_LEVEL + 1):
            self.speeds[level] = fastest.max(where=self.levels == level, initial=0.0)

    @staticmethod
    def _levels_below(speed: npt.NDArray[np.floating[Any]], steady: npt.NDArray[np.bool_], quicker: float) -> Levels:
        """Levels where level 0 goes by a speed somewhat above the greatest; neighbours differ by one at most.

        speed: the greatest in and around each block, m/s.
        """
        slower = np.floor(np.log2(quicker * speed.max() / (MARGIN * speed)))
        levels: Levels = np.clip(slower, 0, MOST_LEVEL).astype(np.int64)
        levels[steady] = 0
        for _ in range(MOST_LEVEL):
            levels = np.minimum(levels, around(levels, greatest=False) + 1)
        return levels

    def work_on(self, levels: Levels) -> None:
        """Take levels, where all parts are at the same time."""
        if np.array_equal(levels, self.levels) and len(self.segments):
            return
        self.levels = levels
        self.segments, seams = lay_out(levels, self._block, self._rows, self._columns, self._columns)
        self._strips = np.searchsorted(self.segments[:, NORTH], np.arange(len(levels) + 1))
        self._seams = seams[np.argsort(seams[:, LEVEL], kind="stable")]
        seam_ends = np.searchsorted(self._seams[:, LEVEL], np.arange(1, MOST_LEVEL + 2))
        height, width = (
            self.segments[:, last] - self.segments[:, first] for last, first in ((BOTTOM, TOP), (RIGHT, LEFT))
        )
        lengths = self._seams[:, LAST] - self._seams[:, FIRST]
        for due in range(MOST_LEVEL + 1):
            cells = np.where(self.segments[:, LEVEL] <= due, height * width, 0)
            self._cells[due] = cells.sum()
            self._shares[due] = shares(np.bincount(self.segments[:, NORTH], cells, len(levels)))
            self._seam_shares[due] = shares(lengths[: seam_ends[due]])

    def longest_step(self, reach: float, steps: int) -> float:
        """Seconds that the next step may take so that no wave goes farther than `reach` (m) in its part's own step.

        steps: taken since the last look.
        """
        longest = np.inf
        for level, speed in enumerate(self.speeds.tolist()):
            if speed > 0:
                left = 2**level - steps % 2**level
                longest = min(longest, (reach / speed - float(self._since[level])) / left)
        return longest

    def step(self, water: Water, dt: float, steps: int) -> int:
        """Bring the parts whose turn it is to the end of a step; how many cells that were.

        steps: since the last look, this one counted; with 0 all have their turn. The rim is told the mean flows of
        this step, m2/s.
        """
        (z, n2, across, down), k = self._ground, self._k
        kind = z.dtype.type
        self._since += kind(dt)
        due = next(level for level in range(MOST_LEVEL, -1, -1) if steps % 2**level == 0)
        for side in self._rim:
            side[:] = 0
        common = (self.passed, self._scratch, k)
        seams = (self._seams, self._seam_shares[due], kind(dt), self._since)
        cross(water, z, n2, self._cell, down, self._rim, *seams, *common)
        segments = (self.segments, self._strips, self._shares[due], due, kind(dt), self._since)
        first_order(water, z, n2, across, down, self._rim, *segments, self._cell, self._speed_of, *common)
        self.speeds[: due + 1] = self._speed_of.max(0)[: due + 1]
        self._since[: due + 1] = 0
        return int(self._cells[due])

    def _of_blocks(self, fine: npt.NDArray[T]) -> npt.NDArray[T]:
        """The greatest of the squares that lie in each block."""
        many = self._block // SQUARE
        rows, columns = (length * many for length in self.levels.shape)
        filled = np.pad(fine, ((0, rows - fine.shape[0]), (0, columns - fine.shape[1])), mode="edge")
        found: npt.NDArray[T] = filled.reshape(rows // many, many, columns // many, many).max((1, 3))
        return found


def shares(work: npt.NDArray[Any]) -> Ints:
    """Where each of SHARES runs of pieces begins, and the last ends, so that all have about as much of the work."""
    middles = np.cumsum(work) - work / 2
    ends: Ints = np.searchsorted(middles, np.arange(SHARES + 1) * (work.sum() / SHARES))
    return ends


def around(values: npt.NDArray[T], *, greatest: bool) -> npt.NDArray[T]:
    """The greatest or least of each value and the eight around it."""
    pick = np.maximum if greatest else np.minimum
    found = values
    for _ in range(2):
        row = found
        found = row.copy()
        pick(found[1:], row[:-1], out=found[1:])
        pick(found[:-1], row[1:], out=found[:-1])
        # Down the columns, then along what are rows then.
        found = found.T
    return np.ascontiguousarray(found)
