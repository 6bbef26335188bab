"""What passes one face between two cells: the approximate Riemann problem of the shallow water equations.

Written on plain numbers so that the same lines compile for the processor's row loops and for CUDA threads.
"""

# Compiled loops take arrays by position, and a min or max of two numbers is one vector instruction.
# ruff: noqa: PLR0917, PLW3301

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numba.core.compiler import Compiler

# No reassociation: the compensated sums of depth would be simplified away. No reciprocals in place of divisions: they
# differ in the last bit between vectors and what is left over of a row, so that a face on the edge of two blocks would
# have two flows; and they are no faster (measured). Products may be fused, and no loop needs NaN (finiteness is tested
# outside), so that selects become vector instructions.
FAST: dict[str, Any] = {
    "fastmath": {"nnan", "ninf", "nsz", "contract"},
    "error_model": "numpy",
    "cache": True,
}
# Loops over slices: numba would count references to each of their arrays with atomic instructions, some seven hundred
# a row, for which threads wait on each other. Nothing is allocated there, so nothing need be counted.
LEAN = FAST | {"_nrt": False}


class Apart(Compiler):
    """Compiles what writes to arrays that overlap none of its others, as numba itself does with array expressions."""

    def define_pipelines(self) -> Any:
        """The usual passes, with a promise to LLVM."""
        self.state.flags.noalias = True
        return super().define_pipelines()  # type: ignore[no-untyped-call]


# Loops over the cells of a row. LLVM would test each pair of rows for overlap before each loop, and pass some hundred
# words for their arrays: together a third of the time of a row of 256 cells (measured).
ROW = LEAN | {"forceinline": True, "pipeline_class": Apart}
GRAVITY = 9.81
# The ideal broad-crested weir, q = (2/3)^1.5 sqrt(g) h^1.5 (Chow 1959, section 3-7), m^0.5/s.
BROAD_CREST = 1.7049
# Exponent of its submergence (Villemonte 1947).
VILLEMONTE = 0.385
# Submergence, downstream over upstream head, from which a wall begins to count as a bump in the bed; and where
# it is nothing else.
DROWNING, DROWNED = 0.85, 0.97
# Below this depth (m) a cell holds water that does not move: a tenth of a millimetre in single precision.
DRY_M = {np.dtype(np.float32): 1e-4, np.dtype(np.float64): 1e-6}
# Flow depth (m) below which a face passes nothing by local inertia.
SHUT_M = 1e-3


class Numbers(NamedTuple):
    """Constants in the precision of the state; a literal would turn every sum into double precision."""

    zero: Any
    quarter: Any
    half: Any
    one: Any
    two: Any
    three: Any
    four: Any
    gravity: Any
    half_gravity: Any
    dry: Any
    shut: Any
    tiny: Any
    broad_crest: Any
    drowning: Any
    drowned: Any
    villemonte: Any


def numbers(dtype: Any) -> Numbers:
    """The constants for float32 or float64."""
    kind = np.dtype(dtype)
    values: tuple[float, ...] = (0.0, 0.25, 0.5, 1.0, 2.0, 3.0, 4.0, GRAVITY, GRAVITY / 2, DRY_M[kind], SHUT_M, 1e-12)
    values += (BROAD_CREST, DROWNING, DROWNED, VILLEMONTE)
    return Numbers(*(kind.type(value) for value in values))


@njit(inline="always", **FAST)
def minmod(a, b, k):  # type: ignore[no-untyped-def]
    """The smaller slope where both have one sign, else none."""
    return max(min(a, b), k.zero) + min(max(a, b), k.zero)


@njit(inline="always", **FAST)
def through_face(zl, hl, ul, vl, zr, hr, ur, vr, k):  # type: ignore[no-untyped-def]
    """Fluxes per metre of face from left to right: volume, momentum as seen from left and right, transverse momentum.

    Bed z and depth h at both sides of the face in metres, u across and v along it in m/s. HLL with the speeds of
    Davis (1988), dry fronts after Toro (2001, section 10.8), and the transverse momentum carried by the contact wave
    (HLLC, Toro, Spruce & Speares 1994). The bed step is treated by the hydrostatic reconstruction of Audusse et al.
    (2004) in the form of Chen & Noelle (2017), in which a thin film feels the whole of a steep slope.

    Both momentum fluxes are given less g/2 h^2 of their own side. What is left vanishes to the last bit over still
    water, so that no cancellation of large pressures disturbs a deep lake in single precision.
    """
    top = min(max(zl, zr), min(zl + hl, zr + hr))
    left = max(k.zero, hl - max(k.zero, top - zl))
    right = max(k.zero, hr - max(k.zero, top - zr))
    cl = math.sqrt(k.gravity * left)
    cr = math.sqrt(k.gravity * right)
    slow = ul - cl if left > k.dry else ur - k.two * cr
    fast = ur + cr if right > k.dry else ul + k.two * cl
    slow = min(min(slow, ur - cr if right > k.dry else slow), k.zero)
    fast = max(max(fast, ul + cl if left > k.dry else fast), k.zero)
    over = k.one / max(fast - slow, k.tiny)
    ql = left * ul
    qr = right * ur
    both = slow * fast
    volume = (fast * ql - slow * qr + both * (right - left)) * over
    carried = fast * (ql * ul) - slow * (qr * ur) + both * (qr - ql)
    push = k.half_gravity * (right - left) * (right + left)
    from_left = (carried - slow * push) * over - k.gravity * hl * max(k.zero, zl - top)
    from_right = (carried - fast * push) * over - k.gravity * hr * max(k.zero, zr - top)
    along = volume * (vl if volume > k.zero else vr)
    return volume, from_left, from_right, along
