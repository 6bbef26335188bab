"""The cube root that Manning's law needs, without a call to the mathematics library, so that loops become vectors."""

from typing import Any

import numpy as np
from numba import types
from numba.extending import overload

# The exponent of a number is held in its bits: a third of them, with the bias put right, is a first guess
# good to 6 %. One step of Halley and one of Newton bring single precision, two of Halley double precision.
MAGIC_32 = np.int32(709921077)
MAGIC_64 = np.int64(0x2A9F7893782DA1CE)


def cube_root(value: Any) -> Any:
    """The cube root of a positive number."""
    return value ** (1.0 / 3.0)


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
