"""Many plain readings at once, by COPY straight into their table: half the work of an INSERT that may meet its like.

Whoever calls holds the rows of `sensing.latest`, so that nobody else writes for these datastreams: what is there
already is looked for first, among the readings that are not newer than all that their datastream has.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from cim_models.database import Connection
from twin.sensing.batch import Batch, Whole, timestamps
from twin.sensing.content_hash import content_hashes
from twin.sensing.rollup import SECOND, beginnings

# Observation ids are taken this many at a time: the increment of their sequence.
BLOCK = 1000
COLUMNS = ("id", "datastream_id", "time", "dedupe", "number", "feature_id")
FED = ("via", "ids", "datastream_ids", "times", "numbers")
COPY_HEAD = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
COPY_TAIL = struct.pack(">h", -1)
# A datastream that observes no feature.
NOWHERE = -1
# PostgreSQL counts time from the year 2000.
POSTGRES_EPOCH = 946_684_800 * SECOND
# Object identifiers of PostgreSQL's types, the same in every version.
BIGINT, FLOAT8, TIMESTAMPTZ = 20, 701, 1184
# The span leaves partitions out before any is opened.
KNOWN = """
    select s.place - 1 as place, o.id
    from unnest($1::bigint[], $2::timestamp[], $3::bigint[]) with ordinality as s (datastream_id, time, dedupe, place)
    join sensing.observation o on o.datastream_id = s.datastream_id and o.time = s.time at time zone 'UTC'
        and o.dedupe = s.dedupe
        and o.time >= $4::timestamp at time zone 'UTC' and o.time <= $5::timestamp at time zone 'UTC'
"""


@dataclass(frozen=True)
class Standing:
    """What a city knows of a batch's datastreams, in the order of their ids.

    features: what each usually observes, or NOWHERE. newest: no time that it has told is later, in microseconds since
    1970.
    """

    streams: Whole
    features: Whole
    newest: Whole

    def of(self, streams: Whole) -> Whole:
        """Where these datastreams stand."""
        return np.searchsorted(self.streams, streams)


async def take_ids(connection: Connection, number: int) -> Whole:
    """So many new ids, rising."""
    blocks = await connection.fetch(
        "select nextval('sensing.observation_id') as first from generate_series(1, $1)", -(-number // BLOCK)
    )
    found: Whole = (np.array([row["first"] for row in blocks])[:, None] + np.arange(BLOCK)).ravel()[:number]
    return found


async def copy_readings(connection: Connection, batch: Batch, standing: Standing, via: str) -> tuple[Whole, Whole]:
    """Write the readings of a batch of columns that are not there yet, and the feed's row of them.

    Gives the id of each reading, 0 where there is no such datastream, and where in the batch the new ones stand.
    """
    hashes = content_hashes(batch.numbers)
    order = np.flatnonzero(np.isin(batch.streams, standing.streams))
    # As the index has them, so that each goes in beside the one before.
    order = order[np.lexsort((hashes[order], batch.times[order], batch.streams[order]))]
    starts = beginnings(*(column[order] for column in (batch.streams, batch.times, hashes)))
    # Of those that are alike the first counts, and all have its id.
    firsts = order[starts]
    found = await _known(connection, batch, hashes, firsts, standing)
    fresh = firsts[found == 0]
    found[found == 0] = await take_ids(connection, len(fresh))
    ids = np.zeros(len(batch), dtype=np.int64)
    ids[order] = np.repeat(found, np.diff(np.append(starts, len(order))))
    if len(fresh):
        features = standing.features[standing.of(batch.streams[fresh])]
        given = ids, batch.streams, batch.times - POSTGRES_EPOCH, hashes, batch.numbers
        rows = dict(zip(COLUMNS, (*(column[fresh] for column in given), features), strict=True))
        await _feed(connection, rows, via)
        is_somewhere = features != NOWHERE
        await _copy(connection, {name: column[is_somewhere] for name, column in rows.items()})
        del rows["feature_id"]
        await _copy(connection, {name: column[~is_somewhere] for name, column in rows.items()})
    return ids, np.sort(fresh)


async def _known(connection: Connection, batch: Batch, hashes: Whole, places: Whole, standing: Standing) -> Whole:
    """The id of each reading at these places that is there already, 0 for the others."""
    found = np.zeros(len(places), dtype=np.int64)
    is_newer = batch.times[places] > standing.newest[standing.of(batch.streams[places])]
    doubtful = np.flatnonzero(~is_newer)
    if len(doubtful):
        at = places[doubtful]
        times = timestamps(batch.times[at])
        span = min(times), max(times)
        rows = await connection.fetch(KNOWN, batch.streams[at].tolist(), times, hashes[at].tolist(), *span)
        found[doubtful[[row["place"] for row in rows]]] = [row["id"] for row in rows]
    return found


async def _copy(connection: Connection, rows: Mapping[str, npt.NDArray[Any]]) -> None:
    """Packed all at once: a driver that packs row by row takes far longer than PostgreSQL."""
    number = len(rows["id"])
    if not number:
        return
    parts = [((f"{name} length", ">i4"), (name, column.dtype.newbyteorder(">"))) for name, column in rows.items()]
    packed = np.zeros(number, dtype=[("fields", ">i2"), *chain.from_iterable(parts)])
    packed["fields"] = len(rows)
    for name, column in rows.items():
        packed[f"{name} length"] = column.itemsize
        packed[name] = column
    await _send(connection, "observation", packed.tobytes(), list(rows))


async def _feed(connection: Connection, rows: Mapping[str, npt.NDArray[Any]], via: str) -> None:
    types = {"id": BIGINT, "datastream_id": BIGINT, "time": TIMESTAMPTZ, "number": FLOAT8}
    fields = [via.encode(), *(_array(rows[name], type_) for name, type_ in types.items())]
    row = b"".join(struct.pack(">i", len(each)) + each for each in fields)
    await _send(connection, "arrival", struct.pack(">h", len(fields)) + row, FED)


def _array(values: npt.NDArray[Any], type_: int) -> bytes:
    """As PostgreSQL's binary format has an array of one dimension without nulls."""
    packed = np.zeros(len(values), dtype=[("length", ">i4"), ("value", values.dtype.newbyteorder(">"))])
    packed["length"] = values.itemsize
    packed["value"] = values
    return struct.pack(">iiiii", 1, 0, type_, len(values), 1) + packed.tobytes()


async def _send(connection: Connection, table: str, rows: bytes, columns: Sequence[str]) -> None:
    source = BytesIO(COPY_HEAD + rows + COPY_TAIL)
    await connection.copy_to_table(table, schema_name="sensing", columns=columns, source=source, format="binary")
