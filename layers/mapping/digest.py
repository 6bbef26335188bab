"""The content hash: 128 bits of what a source says of an object, by which "unchanged" is decided.

It covers the geometry as it came, its CRS, and the mapped columns: so a recipe that reads a field differently, or a CRS
put right, changes the objects it touches and no others, and a field that nobody maps changes nothing.
"""

from hashlib import blake2b

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

DIGEST_BYTES = 16
# Texts of the database hold no NUL, so these cannot be confused with content.
SEPARATOR = "\x00"
NOTHING = "\x00\x01"


def content_hashes(geometry: pa.Array, columns: list[pa.Array], placed: str) -> pa.Array:
    """A hash a row. placed: what else the objects depend on, such as the CRS of the coordinates."""
    person = blake2b(placed.encode(), digest_size=blake2b.PERSON_SIZE).digest()
    # One buffer and one call a row: with an update for each piece, hashing took half of the whole mapping.
    return pa.array(
        [
            blake2b(record, digest_size=DIGEST_BYTES, person=person).digest()
            for record in _records(geometry, columns).to_pylist()
        ],
        pa.binary(DIGEST_BYTES),
    )


def _records(geometry: pa.Array, columns: list[pa.Array]) -> pa.Array:
    """Each row as bytes that no other content could give: numbers and the shape's length in fixed width."""
    texts = [column.cast(pa.string()) for column in columns if pa.types.is_string(column.type)]
    numbers = [column.cast(pa.float64()) for column in columns if not pa.types.is_string(column.type)]
    shapes = pc.fill_null(geometry, b"")
    fixed = _fixed([*numbers, pc.binary_length(shapes).cast(pa.float64())])
    said = pc.binary_join_element_wise(*texts, SEPARATOR, null_handling="replace", null_replacement=NOTHING)
    return pc.binary_join_element_wise(fixed, shapes, said.cast(pa.binary()), b"")


def _fixed(columns: list[pa.Array]) -> pa.Array:
    """Numbers side by side, nine bytes each: whether it is there, and its value."""
    rows = len(columns[0])
    packed = np.zeros((rows, len(columns)), dtype=[("there", "u1"), ("value", "<f8")])
    for place, column in enumerate(columns):
        packed["there"][:, place] = column.is_valid().to_numpy(zero_copy_only=False)
        packed["value"][:, place] = pc.fill_null(column, 0.0).to_numpy(zero_copy_only=False)
    width = pa.binary(packed.dtype.itemsize * len(columns))
    return pa.FixedSizeBinaryArray.from_buffers(width, rows, [None, pa.py_buffer(packed.tobytes())]).cast(pa.binary())
