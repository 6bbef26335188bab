"""The flow on a graphics card: state and ground live there, and come back to be looked at.

It has run in numba's simulator and beside the processor's solver; no card was at hand. See decision 40.
"""

import logging
from typing import Any

import numpy as np
import numpy.typing as npt

from twin.flood.cpu.face import numbers
from twin.flood.cpu.inertial import THETA
from twin.flood.cpu.solver import LOOK_EVERY, Mode
from twin.flood.cpu.state import GHOSTS, Faces, Floats, Ints, Rim, Water
from twin.flood.cuda import kernels
from twin.flood.cuda.kernels import NONE, card

log = logging.getLogger(__name__)
# Fewer cells do not fill a card, and their launches cost more than they save.
CELLS_WORTH_A_CARD = 250_000
MODES: tuple[Mode, ...] = ("fast", "inertial")
THREADS = (32, 8)
ALONG = 128


def card_answers() -> bool:
    """Whether there is a card that CUDA can use; why not is logged."""
    try:
        if not card.is_available():
            return False
        card.to_device(np.zeros(1))
    except Exception as error:
        # Drivers fail in ways of their own; none of them is a reason not to compute.
        log.warning("no graphics card is used: %s", error)
        return False
    return True


class CardSolver:
    """Water over a bed as `twin.flood.cpu.solver.Solver`, in two modes; `fast` takes one step for all cells here.

    Raises what the driver raises where the card cannot do it.
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
    ) -> None:
        self.dtype, self.cell, self.mode = z.dtype, cell, mode
        self.k = numbers(self.dtype)
        rows, columns = z.shape
        self.segments: Ints = np.array([(GHOSTS, rows - GHOSTS, GHOSTS, columns - GHOSTS)], np.int64)
        self.steps_since_look, self._speed = LOOK_EVERY, 0.0
        self._across, self._down = across, down
        self._host = Water(*(np.zeros_like(z) for _ in range(4)))
        self._host_is_new = False
        self._now, self._next = ([card.to_device(part) for part in self._host] for _ in range(2))
        self._fresh = True
        self._z, self._n2 = card.to_device(z), card.to_device((manning * manning).astype(self.dtype))
        self._kinds, self._along = card.to_device(kinds), card.to_device(along)
        self._special = [card.to_device(_numbered(faces, z.shape)) for faces in (across, down)]
        self._rim = [card.to_device(np.zeros(length, self.dtype)) for length in (rows, rows, columns, columns)]
        if self.staggered:
            self._flows = [card.to_device(np.zeros_like(z)) for _ in range(2)]
            self._share = card.to_device(np.ones_like(z))
        inner = (columns - 2 * GHOSTS + 1, rows - 2 * GHOSTS + 1)
        self._grid = tuple(-(-length // threads) for length, threads in zip(inner, THREADS, strict=True)), THREADS
        self._line = (-(-max(z.shape) // ALONG), ALONG)
        # Compiles all that is needed: what a card or its driver cannot do is known before the run begins.
        self.step(0.0, np.zeros(len(kinds)), np.zeros(len(kinds)))
        self.steps_since_look = LOOK_EVERY

    @property
    def staggered(self) -> bool:
        """Whether flows stand on faces."""
        return self.mode == "inertial"

    @property
    def water(self) -> Water:
        """The state here, which may be changed: it is taken from the card, and goes back before the next step."""
        if not self._fresh:
            for here, there in zip(self._host, self._now, strict=True):
                there.copy_to_host(here)
        self._fresh = self._host_is_new = True
        return self._host

    @property
    def speed(self) -> float:
        """The greatest wave speed after the last step, m/s."""
        return self._speed

    def begin(self) -> None:
        """Find the wave speed of the state as it is."""
        water = self.water
        wet = water.depth > self.k.dry
        if wet.any():
            waves = np.sqrt(self.k.gravity * water.depth[wet])
            if not self.staggered:
                waves = waves + np.maximum(np.abs(water.flow_x[wet]), np.abs(water.flow_y[wet])) / water.depth[wet]
            self._speed = float(waves.max())

    def look(self, everywhere: bool) -> None:
        """Nothing is left out."""
        self.steps_since_look = 0

    def longest_step(self, courant: float) -> float:
        """Seconds that the next step may take, by the waves in the grid."""
        return courant * self.cell / self._speed if self._speed > 0 else np.inf

    def step(self, dt: float, begin: Floats, end: Floats, *, whole: bool = True) -> Rim:
        """One step of dt seconds with levels at the rim at its begin; the flows through the rim, m2/s."""
        if self._host_is_new:
            for here, there in zip(self._host, self._now, strict=True):
                there.copy_to_device(here)
        self._host_is_new = self._fresh = False
        kind, k = self.dtype.type, self.k
        ratio, length = kind(dt / self.cell), kind(dt)
        (h, x, y, c), out = self._now, self._next
        speed = card.to_device(np.zeros(1, self.dtype))
        levels = card.to_device(begin.astype(self.dtype))
        kernels.outside[self._line](h, x, y, self._z, self._kinds, levels, self._along, self.staggered, k)
        faces = [
            part for n, each in enumerate((self._across, self._down)) for part in (self._special[n], *_lists(each))
        ]
        if self.staggered:
            flows, share, ends = self._flows, self._share, (self._kinds, self._along)
            kernels.inertial_flows[self._grid](
                h, x, y, *flows, self._z, self._n2, *faces, *ends, ratio, length, kind(THETA), k
            )
            kernels.inertial_shares[self._grid](h, *flows, share, ratio, k)
            kernels.inertial_depths[self._grid](h, c, *flows, share, *out, *self._rim, speed, ratio, k)
        else:
            kernels.first_order[self._grid](
                h, x, y, c, *out, self._z, self._n2, *faces, *self._rim, speed, kind(self.cell), length, k
            )
        self._now, self._next = out, self._now
        self.steps_since_look += 1
        self._speed = float(speed.copy_to_host()[0])
        return Rim(*(side.copy_to_host() for side in self._rim))

    def saved(self) -> dict[str, Any]:
        """All that a restart needs."""
        arrays: dict[str, Any] = {f"water_{name}": value for name, value in self.water._asdict().items()}
        return arrays | {"speed": self._speed, "since_look": self.steps_since_look}

    def restore(self, saved: dict[str, Any]) -> None:
        """Take a saved state."""
        for name, value in self.water._asdict().items():
            value[:] = saved[f"water_{name}"]
        self.steps_since_look, self._speed = int(saved["since_look"]), float(saved["speed"])


def _numbered(faces: Faces, shape: tuple[int, ...]) -> npt.NDArray[np.int32]:
    """The number of the special face west (north) of each cell, NONE where there is none."""
    numbers_of = np.full(shape, NONE, np.int32)
    rows = np.repeat(np.arange(len(faces.start) - 1), np.diff(faces.start))
    numbers_of[rows, faces.place] = np.arange(len(rows))
    return numbers_of


def _lists(faces: Faces) -> list[Any]:
    """Kind, crest, strength and given flow of special faces on the card; one that nobody asks for if there are none."""
    parts = (faces.kind, faces.crest, faces.strength, faces.given)
    return [card.to_device(part if len(part) else np.zeros(1, part.dtype)) for part in parts]
