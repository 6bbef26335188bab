"""Two stores of drawn tiles: memory of this process, and files that all processes of the machine share.

Both hold compressed bytes and the horizon they were drawn at; `Freshness` decides whether they are still true, so a
file drawn by one process is never taken for fresh by another that has heard of a later change.
"""

import contextlib
import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import orjson
from cachetools import LRUCache

from tiles.freshness import Freshness
from tiles.matrix import Box

# A tile in memory weighs its bytes and about this much for its objects.
OVERHEAD = 600


@dataclass(frozen=True)
class Drawing:
    """One layer's tile. body: gzip, empty for a tile with nothing in it. etag: of the uncompressed bytes.

    horizon: every transaction below it is in the drawing. thinned: features were left out to keep the tile light.
    settled: false for what will be drawn better in a moment; that is not kept.
    """

    body: bytes
    etag: str
    horizon: int
    thinned: bool = False
    settled: bool = True


@dataclass(frozen=True)
class Key:
    """What a drawing depends on, but for the data. scope: city, layer, its version, view and access class."""

    scope: str
    z: int
    x: int
    y: int


@dataclass
class _Kept:
    drawing: Drawing
    mark: int


class MemoryStore:
    """Drawings of this process, the least recently wanted going first when `limit` bytes are full."""

    def __init__(self, limit: int, freshness: Freshness) -> None:
        self._kept: LRUCache[Key, _Kept] = LRUCache(limit, getsizeof=lambda kept: len(kept.drawing.body) + OVERHEAD)
        self._freshness = freshness

    def get(self, key: Key, table: str, box: Box) -> Drawing | None:
        kept = self._kept.get(key)
        if kept is None:
            return None
        mark = self._freshness.checked(table, box, kept.mark)
        if mark is None:
            del self._kept[key]
            return None
        kept.mark = mark
        return kept.drawing

    def put(self, key: Key, table: str, box: Box, drawing: Drawing) -> None:
        """Keep a drawing, unless what changed since it was begun touches its box."""
        mark = self._freshness.mark(table, drawing.horizon)
        if mark is None or (mark := self._freshness.checked(table, box, mark)) is None:
            return
        # A drawing larger than the whole store is not kept.
        with contextlib.suppress(ValueError):
            self._kept[key] = _Kept(drawing, mark)


class FileStore:
    """Drawings in files under `folder`; reading and writing block, for a thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, key: Key) -> Drawing | None:
        """The drawing as it was put there, true or not; None if there is none or it is damaged."""
        path = self._path(key)
        try:
            head, _, body = path.read_bytes().partition(b"\n")
            said = orjson.loads(head)
            if said["length"] != len(body):
                return None
            # Trimming removes what was wanted longest ago; access times are not kept on most systems.
            os.utime(path)
            return Drawing(body, said["etag"], said["horizon"], said["thinned"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def put(self, key: Key, drawing: Drawing) -> None:
        """Write whole or not at all; a full disk costs only the cache."""
        path = self._path(key)
        head = {
            "etag": drawing.etag,
            "horizon": drawing.horizon,
            "thinned": drawing.thinned,
            "length": len(drawing.body),
        }
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as file:
                file.write(orjson.dumps(head) + b"\n" + drawing.body)
            os.replace(file.name, path)
        except OSError:
            return

    def _path(self, key: Key) -> Path:
        scope = hashlib.sha256(key.scope.encode()).hexdigest()[:24]
        return self.folder / scope / str(key.z) / f"{key.x}-{key.y}"


def trim(folder: Path, limit: int) -> int:
    """Remove the files wanted longest ago until at most `limit` bytes are left; the bytes that were removed."""
    found = []
    for root, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(root, name)
            # Another process may trim too.
            with contextlib.suppress(FileNotFoundError):
                status = os.stat(path)
                found.append((status.st_mtime, status.st_size, path))
    over = sum(size for _, size, _ in found) - limit
    removed = 0
    for _, size, path in sorted(found):
        if removed >= over:
            break
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        removed += size
    return removed
