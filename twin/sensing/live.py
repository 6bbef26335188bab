"""Observations as they are committed, in that order, for whoever follows: none lost, none twice."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import orjson

from cim_models.database import Connection, Database
from layers.changes import Place, present
from layers.following import follow_feed
from twin.sensing.hub import Hub
from twin.sensing.readings import CHANNEL

LIMIT = 50
READ = """
    select xid, seq, via, at, ids, datastream_ids, times, numbers from sensing.arrival
    where (xid, seq) > ($1, $2) and xid < pg_snapshot_xmin(pg_current_snapshot())
    order by xid, seq limit $3
"""
OTHERS = """
    select id, coalesce(to_jsonb(text), json)::text as result from sensing.observation
    where id = any($1::bigint[]) and datastream_id = any($2::bigint[]) and time = any($3::timestamptz[])
"""


@dataclass(frozen=True)
class Arrival:
    """One batch: observations in columns. results: of those that are no number, by id."""

    place: Place
    via: str
    at: datetime
    ids: list[int]
    datastreams: list[int]
    times: list[datetime]
    numbers: list[float | None]
    results: dict[int, Any]

    @cached_property
    def documents(self) -> list[bytes]:
        """Each observation as JSON, made once for all who listen."""
        return [
            orjson.dumps(
                {
                    "id": number,
                    "datastream": self.datastreams[i],
                    "time": self.times[i].isoformat().replace("+00:00", "Z"),
                    "result": self.result(i),
                }
            )
            for i, number in enumerate(self.ids)
        ]

    def result(self, index: int) -> Any:
        number = self.numbers[index]
        return self.results.get(self.ids[index]) if number is None else number


async def read_arrivals(connection: Connection, after: Place, limit: int = LIMIT) -> list[Arrival]:
    """The next batches after a place, oldest first."""
    found = []
    for row in await connection.fetch(READ, after.xid, after.seq, limit):
        place = Place(row["xid"], row["seq"])
        others = [index for index, number in enumerate(row["numbers"]) if number is None]
        results: dict[int, Any] = {}
        if others:
            given = ([row[name][index] for index in others] for name in ("ids", "datastream_ids", "times"))
            results = {other["id"]: orjson.loads(other["result"]) for other in await connection.fetch(OTHERS, *given)}
        columns = row["ids"], row["datastream_ids"], row["times"], row["numbers"]
        found.append(Arrival(place, row["via"], row["at"], *columns, results))
    return found


def follow_arrivals(database: Database, after: Place | None = None) -> AsyncGenerator[list[Arrival], None]:
    """Batches as they come, as `follow_feed` gives them; from the present if `after` is None."""
    return follow_feed(database, CHANNEL, after, present=present, read=read_arrivals)


def arrivals_hub(database: Database) -> Hub[Arrival]:
    """What all listeners of a process to a city's arrivals share."""
    return Hub(database, present=present, read=read_arrivals, follow=follow_arrivals)
