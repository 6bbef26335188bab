"""Features laid down as they come from the database, so that it is done with before the slowest client has read them.

Little stands in memory: what is more goes to a file that has no name.
"""

import tempfile
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import IO

from api.files import place_to_write
from api.wfs.call import Call
from api.wfs.paging import COUNT_DEFAULT, Found, Paging
from api.wfs.queries import Query
from cim_models.database import Connection
from layers.counts import EXACT_BELOW, count
from layers.formats.write import TooMuch
from layers.formats.write.spool import MOST_BYTES, MOST_ROWS
from layers.planning import planned_anew
from layers.query import Selection
from layers.statement import Statement
from layers.view import View

IN_MEMORY = 4 * 2**20
CHUNK = 1_000
# A client that asks for nothing but the number gets it exactly up to here.
COUNTED = 5_000_001
# The statement of one query: at most so many rows after so many, each with `feature` as bytes.
Statements = Callable[[Query, Selection, int, int], Statement]


@dataclass(frozen=True)
class Frame:
    """What stands around each feature, and between two."""

    before: bytes = b""
    after: bytes = b""
    between: bytes = b""


@dataclass(frozen=True)
class Writing:
    """How features are read, and what is written around them."""

    statements: Statements
    frame: Frame = Frame()


@dataclass(frozen=True)
class Part:
    """The features of one query, written one after the other."""

    query: Query
    file: IO[bytes]
    found: Found


async def count_all(call: Call, queries: list[Query], view: View) -> Found:
    """How many features there are, none of them told."""
    total: int | None = 0
    async with call.served.reading() as connection:
        for query in queries:
            number = await _counted(connection, call, query.selection(view), below=COUNTED)
            total = None if total is None or number is None else total + number
    return Found(0, total)


async def read_parts(call: Call, queries: list[Query], view: View, paging: Paging, writing: Writing) -> list[Part]:
    """The features of each query, all in one snapshot; the files are the caller's to close. Raises TooMuch."""
    parts: list[Part] = []
    async with _place(call, paging), call.served.reading() as connection:
        try:
            async with connection.transaction(isolation="repeatable_read", readonly=True), planned_anew(connection):
                left, skip = paging.count, paging.start
                for query in queries:
                    reader = _Reader(connection, call, query, query.selection(view))
                    part, before = await reader.read(Paging(left, skip), writing)
                    parts.append(part)
                    left = None if left is None else left - part.found.returned
                    skip = max(0, skip - before)
        except BaseException:
            for part in parts:
                part.file.close()
            raise
    return parts


def together(parts: list[Part]) -> Found:
    """What all queries found."""
    matched = [part.found.matched for part in parts]
    known = None if None in matched else sum(each for each in matched if each is not None)
    return Found(sum(part.found.returned for part in parts), known)


@dataclass(frozen=True)
class _Reader:
    connection: Connection
    call: Call
    query: Query
    selection: Selection

    async def read(self, paging: Paging, writing: Writing) -> tuple[Part, int]:
        """The part, and how many of the features that were to be left out lie before it or in it."""
        file: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 (it outlives this method)
        try:
            written, is_all = await self._write(file, paging, writing)
            if is_all and (written or not paging.start):
                matched: int | None = paging.start + written
            else:
                # Beyond the end the number is what the start is counted from, so it must be exact.
                matched = await _counted(
                    self.connection, self.call, self.selection, below=paging.start + 1 if is_all else EXACT_BELOW
                )
        except BaseException:
            file.close()
            raise
        before = paging.start if matched is None else min(matched, paging.start)
        return Part(self.query, file, Found(written, matched)), before

    async def _write(self, file: IO[bytes], paging: Paging, writing: Writing) -> tuple[int, bool]:
        """Write features; gives their number, and whether those are all that follow the start."""
        most = MOST_ROWS if paging.count is None else paging.count
        if most == 0:
            return 0, False
        statement = writing.statements(self.query, self.selection, most + 1, paging.start)
        cursor = await self.connection.cursor(statement.sql, *statement.arguments)
        frame, rows = writing.frame, 0
        while chunk := await cursor.fetch(CHUNK):
            told = [frame.before + row["feature"] + frame.after for row in chunk[: most - rows]]
            file.write((frame.between if rows and told else b"") + frame.between.join(told))
            rows += len(chunk)
            if file.tell() > MOST_BYTES or (rows > most and paging.count is None):
                raise TooMuch(f"more than {MOST_ROWS:,} features or {MOST_BYTES >> 30} GiB; ask for less, or by pages")
        return min(rows, most), rows <= most


async def _counted(connection: Connection, call: Call, selection: Selection, *, below: int) -> int | None:
    found = await count(connection, selection, call.catalog, call.principal, exact_below=below)
    return found.number if found.exact else None


def _place(call: Call, paging: Paging) -> AbstractAsyncContextManager[None]:
    """Whoever reads more than a page of the usual size waits for a place, as those do who fetch files."""
    is_page = paging.count is not None and paging.count <= COUNT_DEFAULT
    return nullcontext() if is_page else place_to_write(call.request)
