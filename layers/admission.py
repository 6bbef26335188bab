"""The transaction that takes staged data sets into the city: all of them, with their place in catalogue and feed.

Readers see the city as it was until the moment it ends; other writers of the same themes wait. Everything that can be
done without a lock was done before.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import psycopg

from cim_models.database import City
from layers import registration
from layers.boxes import Bbox, boxes, union
from layers.changes import CHANNEL
from layers.mapping import Property
from layers.merge import Edition, Merge
from layers.rebuild import Rebuild, lock_out_readers
from layers.recipe import Dataset
from layers.registration import Known
from layers.report import Report
from layers.staging import Staging
from layers.villages import AREAS, ASSIGNED, WHY, reassignment

CHANGE_SQL = """
    insert into change ("table", dataset_id, op, bbox_old, bbox_new, valid_from, who, why)
    values (%s, %s, 'bulk', %s, %s, %s, %s, %s)
"""
LAYER_SQL = """
    insert into change ("table", dataset_id, op, who, why) values ('layer', %s, 'layer', %s, %s)
"""


@dataclass(eq=False)
class Arrival:
    """A data set that waits to be admitted, and what its report says so far. started: on the monotonic clock."""

    dataset: Dataset
    known: Known | None
    day: date | None
    report: Report
    sha256: str
    fingerprint: str
    started: float
    crs: str | None = None
    dataset_id: int = 0
    stagings: list[Staging] = field(default_factory=list)
    properties: list[Property] = field(default_factory=list)
    extents: list[Bbox] = field(default_factory=list)

    @property
    def live(self) -> int:
        return sum(staging.live for staging in self.stagings)


def admit(connection: psycopg.Connection, arrivals: Sequence[Arrival], city: City, who: str) -> None:
    """Merge what waits, and commit. Raises ReadersInTheWay."""
    with connection.transaction():
        _Admission(connection, city, who).run(arrivals)


class _Admission:
    """What is done in the one transaction, in its order."""

    def __init__(self, connection: psycopg.Connection, city: City, who: str) -> None:
        self._connection = connection
        self._city = city
        self._who = who

    def run(self, arrivals: Sequence[Arrival]) -> None:
        merges = {arrival: self._merges(arrival) for arrival in arrivals}
        every = [merge for some in merges.values() for merge in some]
        self._lock({merge.parent for merge in every})
        for merge in every:
            merge.close()
        # Villages first: what else comes is told its village as it is written.
        areas = [merge for merge in every if merge.staging.theme.table == AREAS]
        for merge in areas:
            merge.open()
        self._reassign(areas)
        others = [merge for merge in every if merge not in areas]
        rebuilds = self._rebuilds(others)
        for merge in others:
            merge.open()
        for rebuild in rebuilds:
            rebuild.index()
        for arrival in arrivals:
            self._tell(arrival, merges[arrival])
        self._connection.execute(f"notify {CHANNEL}".encode())
        if rebuilds:
            lock_out_readers(self._connection, [rebuild.parent for rebuild in rebuilds])
            for rebuild in rebuilds:
                rebuild.exchange()

    def _merges(self, arrival: Arrival) -> list[Merge]:
        known, dataset = arrival.known, arrival.dataset
        extent = union([*arrival.extents, *([known.extent] if known and known.extent else [])])
        dataset_id = registration.register(
            self._connection,
            dataset,
            day=arrival.day,
            themes=[staging.theme.table for staging in arrival.stagings],
            properties=arrival.properties,
            crs=arrival.crs,
            extent=extent,
        )
        arrival.dataset_id = dataset_id
        if not arrival.live:
            # An empty file, or one of which nothing can be used, is no statement that all is gone.
            return []
        moment = registration.midnight(arrival.day, self._city) if arrival.day else self._now()
        edition = Edition(dataset_id, moment, first=known is None or known.first_date == arrival.day)
        return [Merge(self._connection, staging, edition, self._city.srid) for staging in arrival.stagings]

    def _now(self) -> datetime:
        row = self._connection.execute("select clock_timestamp()").fetchone()
        assert row is not None
        moment: datetime = row[0]
        return moment

    def _lock(self, parents: Iterable[str]) -> None:
        """Readers go on reading; edits and other loads of these themes wait, or are told to come back."""
        if tables := ", ".join(sorted(parents)):
            self._connection.execute(f"lock table {tables} in share row exclusive mode".encode())

    def _rebuilds(self, merges: Sequence[Merge]) -> list[Rebuild]:
        """New current partitions for the themes of which more comes than is there."""
        rebuilds = []
        for parent in sorted({merge.parent for merge in merges}):
            own = [merge for merge in merges if merge.parent == parent]
            stagings = [merge.staging for merge in own]
            if Rebuild.pays(self._connection, parent, [s.table for s in stagings], sum(s.live for s in stagings)):
                rebuild = Rebuild(self._connection, parent)
                rebuild.keep()
                for merge in own:
                    merge.target = rebuild.table
                rebuilds.append(rebuild)
        return rebuilds

    def _reassign(self, areas: Sequence[Merge]) -> None:
        """Tell the objects that stand in changed areas their village again."""
        extent = union(boxes(cell for merge in areas for cell in merge.outcome.cells))
        if extent is None:
            return
        for table in ASSIGNED:
            prepare, update = reassignment(table, extent, self._city.srid)
            for statement in prepare:
                self._connection.execute(statement.encode())
            cells = self._connection.execute(update.encode()).fetchall()
            self._write_boxes(table, None, boxes(cells), None, WHY)

    def _tell(self, arrival: Arrival, merges: Sequence[Merge]) -> None:
        """The report, the data set's run, and the boxes in which it changed something."""
        report, dataset_id = arrival.report, arrival.dataset_id
        why = f"import of {arrival.dataset.name}" + (f", edition {report.edition}" if report.edition else "")
        for merge in merges:
            outcome = merge.outcome
            report.inserted += outcome.inserted
            report.updated += outcome.updated
            report.unchanged += outcome.unchanged
            report.ended += outcome.ended
            since = None if merge.edition.first else merge.edition.speaks_of
            self._write_boxes(merge.staging.theme.table, dataset_id, boxes(outcome.cells), since, why)
        self._connection.execute(LAYER_SQL, (dataset_id, self._who, why))
        report.seconds = time.monotonic() - arrival.started
        registration.record_run(
            self._connection,
            dataset_id,
            report,
            who=self._who,
            sha256=arrival.sha256,
            fingerprint=arrival.fingerprint,
        )

    def _write_boxes(
        self, table: str, dataset_id: int | None, found: Sequence[Bbox], since: datetime | None, why: str
    ) -> None:
        with self._connection.cursor() as cursor:
            cursor.executemany(
                CHANGE_SQL, [(table, dataset_id, list(box), list(box), since, self._who, why) for box in found]
            )
