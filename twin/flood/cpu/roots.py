"""Roots that Manning's law needs, without a call to the mathematics library, so that loops become vectors."""

from typing import Any

import numpy as np
from numba import types
from numba.extending import overload

# The exponent of a number is held in its bits: a third of them, with the bias put right, is a first guess
# good to 6 %. One step of Halley and one of Newton bring single precision, two of Halley double precision.
MAGIC_32 = np.int32(709921077)
MAGIC_64 = np.int64(0x2A9F7893782DA1CE)
# The same less a third of the bits: a first guess of the reciprocal root, good to 4 %.
OVER_32 = np.float32(1419920000)
OVER_64 = np.int64(0x553EF0FF289DD796)


def cube_root(value: Any) -> Any:
    """The cube root of a positive number."""
    return value ** (1.0 / 3.0)


def over_seven_thirds(value: Any) -> Any:
    """1 / value^(7/3) of a positive number, by products alone: a division takes as long as ten of them."""
    return value ** (-7.0 / 3.0)


@overload(cube_root, jit_options={"fastmath": True})
def _cube_root(value):  # type: ignore[no-untyped-def]
    if value == types.float32:

        def single(value):  # type: ignore[no-untyped-def]
            three = np.float32(3)
            root = np.int32(np.float32(value).view(np.int32) // np.int32(3) + MAGIC_32).view(np.float32)
            cube = root * root * root
            root = root * (cube + value + value) / (cube + cube + value)
            return root - (root * root * root - value) / (three * root * root)

        return single

    def double(value):  # type: ignore[no-untyped-def]
        root = np.int64(np.float64(value).view(np.int64) // np.int64(3) + MAGIC_64).view(np.float64)
        cube = root * root * root
        root = root * (cube + value + value) / (cube + cube + value)
        cube = root * root * root
        return root * (cube + value + value) / (cube + cube + value)

    return double


@overload(over_seven_thirds, jit_options={"fastmath": True})
def _over_seven_thirds(value):  # type: ignore[no-untyped-def]
    # With e = 1 - value r^3 the root is r (1 - e)^(-1/3), of which the series is cut off.
    if value == types.float32:

        def single(value):  # type: ignore[no-untyped-def]
            third, second, last = np.float32(1 / 3), np.float32(2 / 9), np.float32(14 / 81)
            one = np.float32(1)
            # Divided as a number: a division of integers takes several instructions more.
            root = np.int32(OVER_32 - np.float32(np.float32(value).view(np.int32)) * third).view(np.float32)
            off = one - value * root * root * root
            root += root * off * (third + off * (second + off * last))
            root += root * (one - value * root * root * root) * third
            square = root * root
            return square * square * square * root

        return single

    def double(value):  # type: ignore[no-untyped-def]
        root = np.int64(OVER_64 - np.float64(value).view(np.int64) // np.int64(3)).view(np.float64)
        for _ in range(2):
            off = 1.0 - value * root * root * root
            root += root * off * (1 / 3 + off * (2 / 9 + off * 14 / 81))
        square = root * root
        return square * square * square * root

    return double
