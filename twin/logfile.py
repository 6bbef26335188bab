"""The server's log: JSON lines of all its processes in one file of bounded size."""

import json
import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

LIMIT = 16 * 1024**2
KEPT = 4


class LogFile:
    """Appends whole lines to `path`; when it is full it becomes `path`.1, and so on, the oldest being dropped."""

    def __init__(self, path: Path, *, limit: int = LIMIT) -> None:
        self.path = path
        self._limit = limit
        path.parent.mkdir(parents=True, exist_ok=True)
        self._open()

    def write(self, lines: bytes) -> None:
        # A full disk costs lines of the log, not the server.
        with suppress(OSError):
            if self._size + len(lines) > self._limit:
                self._begin_anew()
            self._size += os.write(self._descriptor, lines)

    def event(self, event: str, level: Literal["info", "warning"] = "info", **details: object) -> None:
        """Write an event of the supervisor itself, as the other processes write theirs."""
        entry = {"event": event, "level": level, "timestamp": datetime.now(UTC).isoformat(), **details}
        self.write(json.dumps(entry, ensure_ascii=False, default=str).encode() + b"\n")

    def close(self) -> None:
        os.close(self._descriptor)

    def _open(self) -> None:
        # For its owner alone: requests tell who looked at what.
        self._descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._size = os.fstat(self._descriptor).st_size

    def _begin_anew(self) -> None:
        for number in range(KEPT - 1, 0, -1):
            if (older := self._numbered(number)).exists():
                older.replace(self._numbered(number + 1))
        self.path.replace(self._numbered(1))
        os.close(self._descriptor)
        self._open()

    def _numbered(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}")
