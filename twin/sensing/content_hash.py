"""PostgreSQL's own hash of a plain observation's content, by the column: a batch knows it before the database does.

It is what `hash_record_extended(row(number, null, null, null, null, null, null, null, null), 0)` gives (`DEDUPE` in
`twin/sensing/readings.py`), which hash partitions keep the same in every version. Sources: PostgreSQL 15,
src/common/hashfn.c (`hash_bytes_extended`, after Jenkins, lookup3.c, 2006), src/backend/access/hash/hashfunc.c
(`hashfloat8extended`) and src/backend/utils/adt/rowtypes.c (`hash_record_extended`).
"""

import numpy as np
import numpy.typing as npt

from twin.sensing.batch import Floats, Whole

Words = npt.NDArray[np.uint32]

START = np.uint32((0x9E3779B9 + 8 + 3923095) % 2**32)
# Each column multiplies what was before it by 31; eight empty ones follow the number.
EMPTY = np.uint64(31**8 % 2**64)


def content_hashes(numbers: Floats) -> Whole:
    """The hash of an observation that has nothing but a number, for each of these finite numbers."""
    words = numbers.astype("<f8").view("<u4").reshape(-1, 2)
    a, b, c = words[:, 0] + START, words[:, 1] + START, np.full(len(numbers), START)
    c = (c ^ b) - _rotated(b, 14)
    a = (a ^ c) - _rotated(c, 11)
    b = (b ^ a) - _rotated(a, 25)
    c = (c ^ b) - _rotated(b, 16)
    a = (a ^ c) - _rotated(c, 4)
    b = (b ^ a) - _rotated(a, 14)
    c = (c ^ b) - _rotated(b, 24)
    found = (b.astype(np.uint64) << np.uint64(32) | c) * EMPTY
    # Nought and minus nought are equal.
    return np.where(numbers == 0, np.uint64(0), found).view(np.int64)


def _rotated(words: Words, bits: int) -> Words:
    return words << np.uint32(bits) | words >> np.uint32(32 - bits)
