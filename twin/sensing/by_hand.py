"""Readings that somebody took from a staff gauge or by telephone and entered: observations that say so, and who."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from cim_models.database import Connection
from twin.sensing.batch import Reading

MANUAL = "manual"
MOST = 1_000
READ = """
    select id, datastream_id, time, number, parameters ->> 'observer' as observer, parameters ->> 'note' as note,
           parameters ->> 'account' as account
    from sensing.observation
    where datastream_id = any($1::bigint[]) and time >= $2 and time < $3 and parameters ->> 'method' = $4
      and number is not null
    order by time desc, id desc limit $5
"""


@dataclass(frozen=True)
class HandReading:
    """observer: who read it, as they say. account: of the token that it was entered with, None where it had none."""

    datastream: int
    time: datetime
    result: float
    observer: str
    note: str | None = None
    account: str | None = None
    id: int | None = None

    def as_reading(self) -> Reading:
        """The observation: `parameters` hold how, by whom and why it was taken (SensorThings 1.1, 8.2.8)."""
        said = {"method": MANUAL, "observer": self.observer, "note": self.note, "account": self.account}
        packed = orjson.dumps({name: value for name, value in said.items() if value is not None}).decode()
        return Reading(self.datastream, self.time, self.result, parameters=packed)


async def readings_by_hand(
    connection: Connection, datastreams: Sequence[int], start: datetime, end: datetime
) -> list[HandReading]:
    """What was entered by hand from `start` to before `end`, the latest first, at most 1,000."""
    rows = await connection.fetch(READ, list(datastreams), start, end, MANUAL, MOST)
    return [
        HandReading(
            datastream=row["datastream_id"],
            time=row["time"],
            result=row["number"],
            observer=row["observer"] or "",
            note=row["note"],
            account=row["account"],
            id=row["id"],
        )
        for row in rows
    ]
