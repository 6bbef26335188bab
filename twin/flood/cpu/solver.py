"""The flow on the processor: state, special faces and blocks, brought forward step by step on some threads."""

import time
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from twin.flood.cpu import cells
from twin.flood.cpu.crew import LAUNCHED, Crew
from twin.flood.cpu.face import numbers
from twin.flood.cpu.inertial import THETA, inertial_step
from twin.flood.cpu.state import GHOSTS, Faces, Floats, Ints, Rim, Water
from twin.flood.cpu.sweep import first_order, second_order

Mode = Literal["full", "fast", "inertial"]
BLOCK = 32
# Steps between two looks at which blocks are wet; water crosses at most two cells a step, and one block is added.
LOOK_EVERY = 12
# Columns of a segment at most, so that threads get equal shares.
LONGEST = 1024


class Solver:
    """Water over a bed in one of the three modes.

    All arrays have two rows and columns of ghosts on each side. `z` is the bed above the lowest, `sources` marks
    cells into which water comes from outside; `kinds` says what lies beyond each face of the rim.
    """

    def __init__(
        self,
        *,
        z: Floats,
        manning: Floats,
        cell: float,
        mode: Mode,
        kinds: Ints,
        along: Ints,
        across: Faces,
        down: Faces,
        sources: npt.NDArray[np.bool_],
        threads: int,
    ) -> None:
        self.dtype = z.dtype
        self.k = numbers(self.dtype)
        self.z, self.n2, self.cell, self.mode = z, (manning * manning).astype(self.dtype), cell, mode
        self.kinds, self.along, self.across, self.down, self.sources = kinds, along, across, down, sources
        self.water, self._other = (Water(*(np.zeros_like(z) for _ in range(4))) for _ in range(2))
        self.rim = Rim(*(np.zeros(z.shape[n], self.dtype) for n in (0, 0, 1, 1)))
        self.crew = Crew(threads)
        self._scratch = np.zeros((LAUNCHED, 33, LONGEST + 2 * BLOCK), self.dtype)
        rows, columns = z.shape[0] - 2 * GHOSTS, z.shape[1] - 2 * GHOSTS
        self._wet = np.zeros((-(-rows // BLOCK), -(-columns // BLOCK)), np.bool_)
        self._active = self._wet.copy()
        self.segments: Ints = np.zeros((0, 4), np.int64)
        self._busy = 0
        self.steps_since_look = LOOK_EVERY

    @property
    def staggered(self) -> bool:
        """Whether flows stand on faces."""
        return self.mode == "inertial"

    def look(self, everywhere: bool) -> None:
        """Find the blocks to work on: those with water, and their neighbours; or all, while it rains."""
        self.crew.muster()
        cells.wet_blocks(self.water, self.sources, BLOCK, self._wet)
        active = np.ones_like(self._wet) if everywhere else _grown(self._wet)
        for br, bc in np.argwhere(self._active & ~active):
            r0, r1, c0, c1 = self._block(int(br), int(bc))
            cells.still(self.water, self._other, r0, r1, c0, c1, self.k)
        if not np.array_equal(active, self._active) or not len(self.segments):
            self._work_on(active)
            for side in self.rim:
                side[:] = 0
        self.crew.next_spell(self._busy)
        self.steps_since_look = 0

    def step(self, dt: float, begin: Floats, end: Floats) -> tuple[float, Rim]:
        """One step of dt seconds with levels at the rim at its begin and end, above the lowest bed.

        Returns the greatest wave speed afterwards (m/s) and the mean volume flows through the rim (m2/s).
        """
        began = time.perf_counter()
        passed = self._step(dt, begin, end)
        self.crew.worked(self._busy, time.perf_counter() - began)
        return passed

    def speed(self) -> float:
        """The greatest wave speed of the state as it is, m/s."""
        depth, x, y = self.water.depth, self.water.flow_x, self.water.flow_y
        wet = depth > self.k.dry
        if not wet.any():
            return 0.0
        waves = np.sqrt(self.k.gravity * depth[wet])
        if not self.staggered:
            waves = waves + np.maximum(np.abs(x[wet]), np.abs(y[wet])) / depth[wet]
        return float(waves.max())

    def saved(self) -> dict[str, Any]:
        """All that a restart needs to go on bit by bit."""
        arrays = {f"water_{name}": value for name, value in self.water._asdict().items()}
        return arrays | {"active": self._active, "since_look": np.int64(self.steps_since_look)}

    def restore(self, saved: dict[str, Any]) -> None:
        """Take a saved state."""
        for name, value in self.water._asdict().items():
            value[:] = saved[f"water_{name}"]
        self._other.carry[:] = self.water.carry
        self._work_on(np.asarray(saved["active"], np.bool_).copy())
        self.steps_since_look = int(saved["since_look"])

    def _step(self, dt: float, begin: Floats, end: Floats) -> tuple[float, Rim]:
        kind = self.dtype.type
        ratio, length = kind(dt / self.cell), kind(dt)
        now, other, k = self.water, self._other, self.k
        common = (self.z, self.n2, self.across, self.down, self.rim, self.segments)
        self._outside(now, begin)
        self.steps_since_look += 1
        if self.mode == "inertial":
            rims = (self.kinds, self.along)
            speed = inertial_step(now, other, *common, self._scratch, *rims, ratio, length, kind(THETA), k)
            self.water, self._other = other, now
            return float(speed), self.rim
        if self.mode == "fast":
            speed = first_order(now, other, *common, self._scratch, ratio, length, k)
            self.water, self._other = other, now
            return float(speed), self.rim
        second_order(now, other, *common, self._scratch, ratio, length, k.one, k)
        first = [side.copy() for side in self.rim]
        self._outside(other, end)
        speed = second_order(other, now, *common, self._scratch, ratio, length, k.half, k)
        return float(speed), Rim(*((a + b) / 2 for a, b in zip(first, self.rim, strict=True)))

    def _outside(self, water: Water, levels: Floats) -> None:
        cells.outside(water, self.z, self.kinds, levels.astype(self.dtype), self.along, self.staggered, self.k)

    def _block(self, br: int, bc: int) -> tuple[int, int, int, int]:
        rows, columns = self.z.shape
        r0, c0 = GHOSTS + br * BLOCK, GHOSTS + bc * BLOCK
        return r0, min(r0 + BLOCK, rows - GHOSTS), c0, min(c0 + BLOCK, columns - GHOSTS)

    def _work_on(self, active: npt.NDArray[np.bool_]) -> None:
        """Take runs of active blocks in each strip of rows, none longer than LONGEST, as segments."""
        self._active = active
        runs: list[tuple[int, int, int, int]] = []
        for br, strip in enumerate(self._active):
            for bc in np.flatnonzero(strip):
                r0, r1, c0, c1 = self._block(br, int(bc))
                if runs and runs[-1][0] == r0 and runs[-1][3] == c0 and c1 - runs[-1][2] <= LONGEST:
                    runs[-1] = (r0, r1, runs[-1][2], c1)
                else:
                    runs.append((r0, r1, c0, c1))
        self.segments = np.array(runs, np.int64).reshape(-1, 4)
        self._busy = int((np.diff(self.segments[:, :2]) * np.diff(self.segments[:, 2:])).sum())


def _grown(wet: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Wet blocks and the eight around each."""
    padded = np.pad(wet, 1)
    grown = np.zeros_like(wet)
    for row in range(3):
        for column in range(3):
            grown |= padded[row : row + wet.shape[0], column : column + wet.shape[1]]
    return grown
