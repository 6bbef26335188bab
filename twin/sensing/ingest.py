"""The way in for readings, whoever brings them: many small submissions are committed together, large ones by parts."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from cim_models.database import Database
from twin.sensing import Overloaded
from twin.sensing.allocation import without_collection
from twin.sensing.batch import Batch, Reading
from twin.sensing.months import Month
from twin.sensing.readings import prepare_months, write_readings

# Readings a transaction; more gain little, and hold others up.
BATCH = 10_000
# Readings that may wait in a process.
WAITING = 100_000


@dataclass(frozen=True)
class _Submission:
    readings: Sequence[Reading] | Batch
    done: asyncio.Future[list[int | None]]


class Ingest:
    """Writes the readings of one process to one city.

    What comes in while a batch is being committed makes up the next one: a lone reading waits for nobody, and a
    thousand at once share a commit.
    """

    def __init__(self, database: Database, *, via: str) -> None:
        self._database = database
        self._via = via
        self._waiting: deque[_Submission] = deque()
        self._number = 0
        self._writer: asyncio.Task[None] | None = None
        self._months: set[Month] = set()

    async def submit(self, readings: Sequence[Reading] | Batch) -> list[int | None]:
        """Write readings, and when they are committed give their ids; None where there is no such datastream.

        Raises Overloaded, and whatever the database says of these readings, in which case none of them is written.
        """
        if self._number + len(readings) > WAITING and self._number:
            raise Overloaded(f"{self._number:,} readings wait to be written; send these again in a second")
        submission = _Submission(readings, asyncio.get_running_loop().create_future())
        self._waiting.append(submission)
        self._number += len(readings)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_all())
        return await submission.done

    async def _write_all(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft()]
            size = len(batch[0].readings)
            while (
                self._waiting
                and size + len(self._waiting[0].readings) <= BATCH
                and _are_alike(batch[0], self._waiting[0])
            ):
                batch.append(self._waiting.popleft())
                size += len(batch[-1].readings)
            try:
                await self._write(batch)
            except Exception as error:
                if len(batch) == 1:
                    _fail(batch[0], error)
                else:
                    # One of them spoils it for all: each by itself, then.
                    for submission in batch:
                        await self._write_alone(submission)
            finally:
                self._number -= size

    async def _write_alone(self, submission: _Submission) -> None:
        try:
            await self._write([submission])
        except Exception as error:
            _fail(submission, error)

    async def _write(self, batch: list[_Submission]) -> None:
        together = _together(batch)
        if not together.months() <= self._months:
            async with self._database.writing() as connection:
                await prepare_months(connection, together, self._months)
        async with self._database.writing() as connection:
            ids = (await write_readings(connection, together, via=self._via)).ids
        first = 0
        for submission in batch:
            last = first + len(submission.readings)
            if not submission.done.done():
                submission.done.set_result(ids[first:last])
            first = last


def _are_alike(one: _Submission, other: _Submission) -> bool:
    return isinstance(one.readings, Batch) == isinstance(other.readings, Batch)


def _together(submissions: list[_Submission]) -> Batch:
    batches = [each.readings for each in submissions if isinstance(each.readings, Batch)]
    if batches:
        return Batch.joined(batches)
    with without_collection():
        given = (each.readings for each in submissions if not isinstance(each.readings, Batch))
        return Batch.of([reading for readings in given for reading in readings])


def _fail(submission: _Submission, error: Exception) -> None:
    if not submission.done.done():
        submission.done.set_exception(error)
