"""Rows of many themes, taken as they come and kept on disk, so that each theme can be streamed on its own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

BATCH_ROWS = 10_000


class Spool:
    """One Arrow stream file a name in `folder`; rows are added in any order, then `close`d, then read."""

    def __init__(self, folder: Path, schemas: dict[str, pa.Schema]) -> None:
        self._folder = folder
        self._schemas = schemas
        self._pending: dict[str, list[dict[str, Any]]] = {name: [] for name in schemas}
        self._writers: dict[str, pa.RecordBatchStreamWriter] = {}

    def add(self, name: str, row: dict[str, Any]) -> None:
        rows = self._pending[name]
        rows.append(row)
        if len(rows) == BATCH_ROWS:
            self._write(name)

    def close(self) -> None:
        for name in self._schemas:
            self._write(name)
        for writer in self._writers.values():
            writer.close()

    def read(self, name: str, rows: int) -> Iterator[pa.RecordBatch]:
        """Batches of at most `rows` rows, in the order in which they were added."""
        if name not in self._writers:
            return
        with pa.OSFile(str(self._path(name))) as file, pa.ipc.open_stream(file) as batches:
            for batch in batches:
                for start in range(0, batch.num_rows, rows):
                    yield batch.slice(start, rows)

    def _write(self, name: str) -> None:
        rows = self._pending[name]
        if not rows:
            return
        if name not in self._writers:
            self._writers[name] = pa.ipc.new_stream(str(self._path(name)), self._schemas[name])
        self._writers[name].write_batch(pa.RecordBatch.from_pylist(rows, schema=self._schemas[name]))
        self._pending[name] = []

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.arrows"
