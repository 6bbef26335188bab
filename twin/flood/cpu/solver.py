"""The flow on the processor: state, special faces and blocks, brought forward step by step on some threads."""

import time
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from twin.flood.cpu import cells
from twin.flood.cpu.crew import LAUNCHED, Crew
from twin.flood.cpu.face import numbers
from twin.flood.cpu.inertial import THETA, inertial_step
from twin.flood.cpu.local import LocalSteps, around
from twin.flood.cpu.seams import lay_out
from twin.flood.cpu.state import GHOSTS, Faces, Floats, Ints, Rim, Water
from twin.flood.cpu.sweep import second_order

Mode = Literal["full", "fast", "inertial"]
BLOCK = 32
# Steps between two looks at which blocks are wet; water crosses at most two cells a step, and one block is added.
LOOK_EVERY = 16
# Columns of a segment at most, so that threads get equal shares.
LONGEST = 1024


class Solver:
    """Water over a bed in one of the three modes.

    All arrays have two rows and columns of ghosts on each side. `z` is the bed above the lowest, `sources` marks
    cells into which water comes from outside, `steady` those that it comes into so fast that their block keeps to the
    shortest step; `kinds` says what lies beyond each face of the rim.
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
        steady: npt.NDArray[np.bool_],
        threads: int,
    ) -> None:
        self.dtype = z.dtype
        self.k = numbers(self.dtype)
        self.z, self.n2, self.cell, self.mode = z, (manning * manning).astype(self.dtype), cell, mode
        self.kinds, self.along, self.across, self.down, self.sources = kinds, along, across, down, sources
        self.water = self._other = Water(*(np.zeros_like(z) for _ in range(4)))
        self.rim = Rim(*(np.zeros(z.shape[n], self.dtype) for n in (0, 0, 1, 1)))
        self.crew = Crew(threads)
        self._scratch = np.zeros((LAUNCHED, 33, LONGEST + 2 * BLOCK), self.dtype)
        rows, columns = z.shape[0] - 2 * GHOSTS, z.shape[1] - 2 * GHOSTS
        self._wet = np.zeros((-(-rows // BLOCK), -(-columns // BLOCK)), np.bool_)
        self._active = self._wet.copy()
        self.segments: Ints = np.zeros((0, 4), np.int64)
        self._busy, self._speed = 0, 0.0
        self.local: LocalSteps | None = None
        if mode == "fast":
            ground = (z, self.n2, across, down)
            self.local = LocalSteps(ground, self.rim, cell, block=BLOCK)
            self._wakes, self._steady = (self._blocks_of(cells) for cells in (sources, steady))
        else:
            self._other = Water(*(np.zeros_like(z) for _ in range(4)))
        self.steps_since_look = LOOK_EVERY

    @property
    def staggered(self) -> bool:
        """Whether flows stand on faces."""
        return self.mode == "inertial"

    def look(self, everywhere: bool) -> None:
        """Find the blocks to work on: those with water, and their neighbours; or all, while it rains."""
        self.crew.muster()
        if self.local is not None:
            self.local.look(self.water, self._wakes, self._steady)
            active = self.local.levels >= 0
        else:
            cells.wet_blocks(self.water, self.sources, BLOCK, self._wet)
            active = np.ones_like(self._wet) if everywhere else around(self._wet, greatest=True)
        for br, bc in np.argwhere(self._active & ~active):
            r0, r1, c0, c1 = self._block(int(br), int(bc))
            cells.still(self.water, self._other, r0, r1, c0, c1, self.k)
        self._work_on(active)
        self.crew.next_spell(self._busy)
        self.steps_since_look = 0

    def step(self, dt: float, begin: Floats, end: Floats, *, whole: bool = True) -> Rim:
        """One step of dt seconds with levels at the rim at its begin and end, above the lowest bed.

        whole: bring all parts to its end, those too whose own step is longer. Returns the mean volume flows through
        the rim, m2/s.
        """
        began = time.perf_counter()
        self.steps_since_look += 1
        worked, rim = self._busy, self.rim
        if self.local is not None:
            self._outside(self.water, begin)
            steps = 0 if whole else self.steps_since_look
            worked = self.local.step(self.water, dt, steps)
            self._speed = float(self.local.speeds.max())
        else:
            self._speed, rim = self._step(dt, begin, end)
        self.crew.worked(worked, time.perf_counter() - began)
        return rim

    def longest_step(self, courant: float) -> float:
        """Seconds that the next step may take, by the waves in the grid."""
        reach = courant * self.cell
        if self.local is not None and self.local.speeds.any():
            return self.local.longest_step(reach, self.steps_since_look)
        return reach / self._speed if self._speed > 0 else np.inf

    @property
    def speed(self) -> float:
        """The greatest wave speed after the last step, m/s."""
        return self._speed

    def begin(self) -> None:
        """Find the wave speed of the state as it is."""
        depth, x, y = self.water.depth, self.water.flow_x, self.water.flow_y
        wet = depth > self.k.dry
        if not wet.any():
            return
        waves = np.sqrt(self.k.gravity * depth[wet])
        if not self.staggered:
            waves = waves + np.maximum(np.abs(x[wet]), np.abs(y[wet])) / depth[wet]
        self._speed = float(waves.max())

    def saved(self) -> dict[str, Any]:
        """All that a restart needs to go on bit by bit."""
        arrays = {f"water_{name}": value for name, value in self.water._asdict().items()}
        if self.local is not None:
            arrays |= {"levels": self.local.levels, "speeds": self.local.speeds}
        return arrays | {"active": self._active, "speed": self._speed, "since_look": self.steps_since_look}

    def restore(self, saved: dict[str, Any]) -> None:
        """Take a saved state."""
        for name, value in self.water._asdict().items():
            value[:] = saved[f"water_{name}"]
        self._other.carry[:] = self.water.carry
        if self.local is not None:
            self.local.work_on(saved["levels"])
            self.local.speeds[:] = saved["speeds"]
        self._work_on(saved["active"])
        self.steps_since_look, self._speed = int(saved["since_look"]), float(saved["speed"])

    def _step(self, dt: float, begin: Floats, end: Floats) -> tuple[float, Rim]:
        kind = self.dtype.type
        ratio, length = kind(dt / self.cell), kind(dt)
        now, other, k = self.water, self._other, self.k
        common = (self.z, self.n2, self.across, self.down, self.rim, self.segments)
        self._outside(now, begin)
        if self.mode == "inertial":
            rims = (self.kinds, self.along)
            speed = inertial_step(now, other, *common, self._scratch, *rims, ratio, length, kind(THETA), k)
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

    def _blocks_of(self, marked: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Blocks with any of the marked cells."""
        found = np.zeros_like(self._wet)
        rows, columns = np.nonzero(marked[GHOSTS:-GHOSTS, GHOSTS:-GHOSTS])
        found[rows // BLOCK, columns // BLOCK] = True
        return found

    def _work_on(self, active: npt.NDArray[np.bool_]) -> None:
        """Take runs of active blocks in each strip of rows, none longer than LONGEST, as segments."""
        if np.array_equal(active, self._active) and len(self.segments):
            return
        self._active = active
        rows, columns = (length - 2 * GHOSTS for length in self.z.shape)
        self.segments, _ = lay_out(np.where(active, 0, -1), BLOCK, rows, columns, LONGEST)
        self.segments = np.ascontiguousarray(self.segments[:, :4])
        self._busy = int((np.diff(self.segments[:, :2]) * np.diff(self.segments[:, 2:])).sum())
        for side in self.rim:
            side[:] = 0
