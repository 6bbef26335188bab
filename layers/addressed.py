"""Tables of addresses as sources: each row lies where the city's own index finds its address.

What is found is told in three further fields; rows that nothing fits go, as they came, into a CSV beside the file.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import shapely

from cim_models.database import Database
from layers.access import PUBLIC
from layers.catalog import Catalog, load_catalog
from layers.formats import GEOMETRY, MADE, UNMATCHED, FormatError, Source
from layers.formats.placing import Table, addresses_of
from layers.formats.write.table import BYTE_ORDER_MARK, harmless
from layers.mapping.values import as_text
from layers.search import Asker, catch_up
from layers.search.entries import LOOKED_UP
from layers.search.geocode import BATCH, LEVELS, Match, geocode

FOUND = pa.schema(
    [
        pa.field(LOOKED_UP, pa.string(), metadata=MADE),
        pa.field("match_score", pa.float64(), metadata=MADE),
        pa.field("match_address", pa.string(), metadata=MADE),
        pa.field(GEOMETRY, pa.binary(), metadata=MADE),
    ]
)


class Finder:
    """Finds places in one city, from code that is not asynchronous; in one thread at a time."""

    def __init__(self, database: Database, catalog: Catalog, runner: asyncio.Runner) -> None:
        self.srid = database.city.srid
        self._database = database
        self._catalog = catalog
        self._runner = runner

    def find(self, texts: Sequence[str]) -> list[Match | None]:
        """The place of each address, among what anybody may see: who reads a layer sees where its rows lie."""
        return self._runner.run(self._find(texts))

    async def _find(self, texts: Sequence[str]) -> list[Match | None]:
        async with self._database.reading() as connection:
            asker = Asker(connection, self._catalog, PUBLIC)
            return [
                match
                for start in range(0, len(texts), BATCH)
                for match in await geocode(asker, texts[start : start + BATCH])
            ]


@contextmanager
def finder(url: str) -> Iterator[Finder]:
    """A finder for the city at `url`, which knows all that was loaded before."""
    with asyncio.Runner() as runner:
        database, catalog = runner.run(_open(url))
        try:
            yield Finder(database, catalog, runner)
        finally:
            runner.run(database.close())


async def _open(url: str) -> tuple[Database, Catalog]:
    database = await Database.open(url, connections=1)
    await catch_up(database)
    async with database.reading() as connection:
        return database, await load_catalog(connection, database.city)


class Located:
    """A table of addresses with its places; of several columns, that counts which is found most surely.

    Each reading looks all rows up, and writes those that nothing fits anew.
    """

    def __init__(self, table: Table, finder: Finder, folder: Path) -> None:
        """folder: where the rows without a place are written, under the table's name."""
        self.name = table.name
        self.count = table.count
        self.crs = f"EPSG:{finder.srid}"
        # What an earlier look-up of the same table left in it is found anew.
        own = [field for field in table.fields if field.name not in FOUND.names]
        self.schema = pa.schema([*own, *FOUND])
        self._table = table
        self._finder = finder
        self._lost = folder / (re.sub(r"[^\w .-]", "_", table.name) + UNMATCHED)
        self._levels: Counter[str] = Counter()

    @property
    def notes(self) -> tuple[str, ...]:
        """How the table was read, and how many of the rows that were read were found at each level."""
        told = [f"{self._levels[level]:,} {level}" for level in LEVELS if self._levels[level]]
        if lost := self._levels["none"]:
            told.append(f"{lost:,} not found, they stand in {self._lost.name}")
        return (*self._table.notes, f"addresses looked up: {', '.join(told) or 'none'}")

    def read(self, rows: int = 10_000) -> Iterator[pa.RecordBatch]:
        """The rows with their places, null where there is none. Raises FormatError where the CSV cannot be written."""
        self._levels.clear()
        with closing(_Lost(self._lost, self._table.fields)) as lost:
            for batch in self._table.rows(rows):
                found = self._matches(batch)
                self._levels.update("none" if match is None else match.level for match in found)
                lost.add(batch.filter(pa.array([match is None for match in found], pa.bool_())))
                own = [batch.column(name) for name in self.schema.names if name not in FOUND.names]
                yield pa.RecordBatch.from_arrays([*own, *_told(found)], schema=self.schema)

    def _matches(self, batch: pa.RecordBatch) -> list[Match | None]:
        best: list[Match | None] = [None] * batch.num_rows
        for column in addresses_of(self._table):
            texts = ["" if text is None else text for text in as_text(batch.column(column)).to_pylist()]
            for row, match in enumerate(self._finder.find(texts)):
                known = best[row]
                if match is not None and (known is None or match.score > known.score):
                    best[row] = match
        return best


def _told(found: Sequence[Match | None]) -> list[pa.Array]:
    """Columns as in FOUND."""
    there = np.array([match is not None for match in found], dtype=bool)
    points = np.full(len(found), None, dtype=object)
    points[there] = shapely.to_wkb(shapely.points([match.found.point for match in found if match is not None]))
    levels, scores, addresses = (
        [getattr(match, name, None) for match in found] for name in ("level", "score", "matched")
    )
    return [
        pa.array(column, field.type) for column, field in zip((levels, scores, addresses, points), FOUND, strict=True)
    ]


class _Lost:
    """The CSV of rows without a place; there is none where every row has one."""

    def __init__(self, path: Path, fields: pa.Schema) -> None:
        self._path = path
        self._fields = fields
        self._stack = ExitStack()
        self._writer: Any = None
        with self._writing():
            path.unlink(missing_ok=True)

    def add(self, rows: pa.RecordBatch) -> None:
        if rows.num_rows == 0:
            return
        with self._writing():
            if self._writer is None:
                file = self._stack.enter_context(self._path.open("wb"))
                file.write(BYTE_ORDER_MARK)
                self._writer = self._stack.enter_context(pyarrow.csv.CSVWriter(file, self._fields))
            columns = [harmless(column) for column in rows.columns]
            self._writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=self._fields))

    def close(self) -> None:
        with self._writing():
            self._stack.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise FormatError(
                f"{self._path}: cannot be written ({error.strerror}); rows whose address is not found are returned"
                " there, so load the table from a folder of your own"
            ) from None


def located(source: Source, finder: Finder, folder: Path) -> Source:
    """The source with a place for each of its addresses, if it has these instead of places.

    folder: where rows without one are returned.
    """
    return Located(source, finder, folder) if isinstance(source, Table) and addresses_of(source) else source
