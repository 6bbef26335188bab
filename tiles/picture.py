"""A tile as it is sent: one or several layers' drawings in one gzip file."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from tiles.cache import Drawing
from tiles.gzipped import joined, packed

EMPTY_ETAG = '"empty"'


@dataclass(frozen=True)
class Picture:
    """A tile as it is sent. body: gzip, empty if nothing is there. thinned: features were left out to keep it light."""

    body: bytes
    etag: str
    thinned: bool


def sealed(raw: bytes) -> tuple[bytes, str]:
    """A drawn layer's bytes compressed, and the ETag: equal wherever and whenever the same is drawn."""
    return (packed(raw), _etag(raw)) if raw else (b"", EMPTY_ETAG)


def pictured(drawings: Sequence[Drawing]) -> Picture:
    """Several layers in one tile: the layers of a vector tile stand one behind the other."""
    thinned = any(drawing.thinned for drawing in drawings)
    filled = [drawing for drawing in drawings if drawing.body]
    if len(filled) < 2:
        only = filled[0] if filled else Drawing(b"", EMPTY_ETAG, 0)
        return Picture(only.body, only.etag, thinned)
    return Picture(joined([d.body for d in filled]), _etag("".join(d.etag for d in filled).encode()), thinned)


def _etag(of: bytes) -> str:
    return f'"{hashlib.blake2b(of, digest_size=12).hexdigest()}"'
