"""Tiles as gzip, and several of them as one.

Members of a gzip file may stand one behind the other, but browsers read the first only. So each tile ends its deflate
stream at a byte boundary, and the streams are joined into one member (RFC 1951, 3.2.4; RFC 1952, 2.3).
"""

from collections.abc import Sequence

from zlib_ng import zlib_ng

LEVEL = 5
# No name, no time: equal tiles are equal bytes.
HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
# An empty last block, where the deflate stream was only flushed.
LAST_BLOCK = b"\x03\x00"
# The last block, CRC-32 and length.
TAIL = len(LAST_BLOCK) + 8


def packed(raw: bytes) -> bytes:
    """A gzip file of one member that `joined` takes apart again."""
    deflate = zlib_ng.compressobj(LEVEL, zlib_ng.DEFLATED, -zlib_ng.MAX_WBITS)
    stream = deflate.compress(raw) + deflate.flush(zlib_ng.Z_SYNC_FLUSH)
    return HEADER + stream + _tail(zlib_ng.crc32(raw), len(raw))


def joined(files: Sequence[bytes]) -> bytes:
    """One gzip file that holds what all of `files`, made by `packed`, hold; empty ones are none."""
    files = [file for file in files if file]
    if len(files) < 2:
        return b"".join(files)
    crc, length = 0, 0
    for file in files:
        size = int.from_bytes(file[-4:], "little")
        crc = zlib_ng.crc32_combine(crc, int.from_bytes(file[-8:-4], "little"), size)
        length += size
    return HEADER + b"".join(file[len(HEADER) : -TAIL] for file in files) + _tail(crc, length)


def _tail(crc: int, length: int) -> bytes:
    return LAST_BLOCK + crc.to_bytes(4, "little") + (length & 0xFFFFFFFF).to_bytes(4, "little")
