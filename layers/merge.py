"""From waiting rows to the city: what an edition says of a theme is compared with what the model believes, set by set.

An edition speaks of one moment. What it says from then on takes the place of what was believed, and what it lacks ends
then. The first edition of a data set, and a correction of it, changes an object for its whole span instead, since it
says nothing of when its objects began. Content hashes decide what is unchanged. They are those of the source's
records: an object that was edited by hand stays as edited until its source tells something new of it. An empty hash
means that no source tells of the object.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import TupleRow

from cim_models.partitions import generic_partition
from layers.boxes import cells_sql
from layers.staging import Staging
from layers.villages import AREAS, VILLAGES, assignment

# What the row of a version copies from the one it follows.
COPIED = ("object_id", "dataset_id", "uid", "village_code")


@dataclass(frozen=True)
class Edition:
    """An edition of a data set as the model takes it.

    speaks_of: the moment whose city it shows. first: whether it is the data set's first.
    """

    dataset_id: int
    speaks_of: datetime
    first: bool


@dataclass
class Outcome:
    """How many objects fared how, and the cells of the web grid in which they lie."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    ended: int = 0
    cells: set[tuple[int, ...]] = field(default_factory=set)


class Merge:
    """Merges one staging table, in the caller's transaction, which holds the theme's table against other writers.

    parent: the table split by `recorded_to`. target: what new rows are written to; another while it is being rebuilt.
    """

    def __init__(self, connection: psycopg.Connection, staging: Staging, edition: Edition, srid: int) -> None:
        self.staging = staging
        theme = staging.theme.table
        self.parent = generic_partition(edition.dataset_id) if theme == "generic_object" else theme
        self.target = self.parent
        self.edition = edition
        self.outcome = Outcome()
        self._connection = connection
        self._first = edition.first
        self._values: dict[str, Any] = {"dataset": edition.dataset_id, "moment": edition.speaks_of, "at": None}
        self._difference = f"difference_of_{staging.table}"
        self._geometry = f"ST_SetSRID(row.geom, {srid})"
        self._known = True

    def close(self) -> None:
        """Find what differs, and close the rows that are no longer believed; they move to the past partition.

        What an object that is now missing was before stays believed, but without a source: so it is new if it returns.
        """
        # What is new to the model needs no comparison, which would cost as much as all the rest.
        (self._known,) = self._one(f"select exists (select from {self.parent} where dataset_id = %(dataset)s)")
        if not self._known:
            (self._values["at"],) = self._one("select clock_timestamp()")
            self.outcome.inserted = self.staging.live
            return
        self._compare()
        self._forget_deleted_by_hand()
        self._count()
        closing = f"""
            select id, recorded_from from {self._difference} where id is not null
            union
            select later.id, later.recorded_from
            from {self._difference} gone join {self.parent} later using (object_id)
            where gone.key is null and later.recorded_to = 'infinity' and later.plan_id is null
              and later.content_hash <> '' and later.valid_from > %(moment)s
        """
        # Not the start of the transaction: an edit may have been recorded while this load waited for it.
        after = "max(recorded_from) + interval '1 microsecond'"
        (self._values["at"],) = self._one(f"select greatest(clock_timestamp(), {after}) from ({closing}) closing")
        self._gather(
            f"""
            update {self.parent} object set recorded_to = %(at)s from ({closing}) closing
            where object.id = closing.id and object.recorded_to = 'infinity' and object.dataset_id = %(dataset)s
            returning object.geom_web
            """
        )

        self._run(
            f"""
            update {self.parent} earlier set content_hash = '' from {self._difference} gone
            where gone.key is null and earlier.object_id = gone.object_id and earlier.recorded_to = 'infinity'
              and earlier.dataset_id = %(dataset)s and earlier.plan_id is null and earlier.content_hash <> ''
            """
        )

    def open(self) -> None:
        """Write the rows that are believed instead, and those of new objects."""
        if self._known:
            self._open_ended()
        self._open_staged()
        self._open_solids()

    # --- what differs

    def _compare(self) -> None:
        """One row for each staged row that is new (no id) or changed, and for each object that is missing (no key)."""
        self._run(
            f"""
            create temporary table {self._difference} on commit drop as
            select staged.key, uid, known.id, known.object_id, known.valid_from, known.valid_to, known.recorded_from,
                   {"false" if self._first else "coalesce(known.valid_from < %(moment)s, known.id is not null)"} as cut
            from (select key, uid, content_hash from {self.staging.table}) staged
            full join (
                select id, object_id, uid, content_hash, valid_from, valid_to, recorded_from from {self.parent}
                where recorded_to = 'infinity' and dataset_id = %(dataset)s and plan_id is null
                  and (valid_from is null or valid_from <= %(moment)s) and (valid_to is null or valid_to > %(moment)s)
            ) known using (uid)
            where (staged.key is not null and known.content_hash is distinct from staged.content_hash)
               or (staged.content_hash is null and known.content_hash <> '' and not {self._marked("uid")})
            """
        )
        self._run(f"analyze {self._difference}")

    def _marked(self, uid: str) -> str:
        """Whether the source has a row of that uid which was rejected; of a line in parts, `uid` ends in #1, #2, ..."""
        marks = f"(select uid from {self.staging.table} where key is null)"
        return f"({uid} in {marks} or regexp_replace({uid}, '#[0-9]+$', '') in {marks})"

    def _forget_deleted_by_hand(self) -> None:
        """What ended by an edit, while its source tells the same of it as before, is not there again."""
        self._run(
            f"""
            delete from {self._difference} new using {self.staging.table} staged
            where new.id is null and staged.key = new.key and staged.content_hash = (
                select content_hash from {self.parent} last
                where last.recorded_to = 'infinity' and last.plan_id is null
                  and last.dataset_id = %(dataset)s and last.uid = new.uid and last.valid_to <= %(moment)s
                order by valid_to desc limit 1
            )
            """
        )

    def _count(self) -> None:
        inserted, updated, ended = self._one(
            f"""
            select count(*) filter (where id is null), count(*) filter (where id is not null and key is not null),
                   count(*) filter (where key is null)
            from {self._difference}
            """
        )
        self.outcome.inserted, self.outcome.updated, self.outcome.ended = inserted, updated, ended
        self.outcome.unchanged = self.staging.live - inserted - updated

    # --- what is believed instead

    def _open_ended(self) -> None:
        """What was true until the moment of the edition stays true of then."""
        copied = (*COPIED, *self.staging.content, "geom")
        self._run(
            f"""
            insert into {self.target} ({_names(copied)}, content_hash, valid_from, valid_to, recorded_from)
            select {_names(copied, "old")}, case when cut.key is null then '' else old.content_hash end,
                   old.valid_from, %(moment)s, %(at)s
            from {self._difference} cut
            join {self.parent} old on old.id = cut.id and old.recorded_to = %(at)s and old.dataset_id = %(dataset)s
            where cut.cut
            """
        )

    def _open_staged(self) -> None:
        rows, village = self._staged_rows(), f"village_of_{self.staging.table}"
        self._assign_villages(rows, village)
        content = self.staging.content
        insert = f"""
            insert into {self.target} (object_id, dataset_id, uid, content_hash, {_names(content)}, geom, village_code,
                                       valid_from, valid_to, recorded_from)
            select coalesce(object_id, nextval('object_id')), %(dataset)s, uid, content_hash, {_names(content, "row")},
                   {self._geometry}, village.code, valid_from, valid_to, %(at)s
            from {rows} row left join {village} village using (key)
            -- PostGIS sorts geometries along a Hilbert curve: what lies side by side is read together.
            order by row.geom
        """
        if self._known:
            self._gather(f"{insert} returning geom_web")
        else:
            self._run(insert)
            self.outcome.cells |= self.staging.cells

    def _staged_rows(self) -> str:
        """SQL: the staged rows that are to be written, with their object and validity."""
        if not self._known:
            start = "null" if self._first else "%(moment)s"
            return f"""(
                select *, null::bigint as object_id, {start}::timestamptz as valid_from, null::timestamptz as valid_to
                from {self.staging.table} where key is not null
            )"""
        opening = f"opening_of_{self.staging.table}"
        self._run(f"create temporary table {opening} on commit drop as {self._opening()}")
        return f"(select * from {opening} join {self.staging.table} using (key))"

    def _opening(self) -> str:
        """SQL: each staged row that is new or changed, its object, and a validity that leaves other states alone."""
        start = "earlier" if self._first else "%(moment)s"
        return f"""
            select key, object_id, case when cut then %(moment)s else valid_from end as valid_from, valid_to
            from {self._difference} where id is not null and key is not null
            union all
            select new.key, coalesce(known.object_id, past.object_id), {start}, known.later
            from {self._difference} new
            left join lateral (
                select min(object_id) as object_id, max(valid_to) filter (where valid_to <= %(moment)s) as earlier,
                       min(valid_from) filter (where valid_from > %(moment)s) as later
                from {self.parent} where recorded_to = 'infinity' and plan_id is null
                  and dataset_id = %(dataset)s and uid = new.uid
            ) known on true
            left join lateral (
                select object_id from {self.parent}_past where dataset_id = %(dataset)s and uid = new.uid limit 1
            ) past on known.object_id is null
            where new.id is null
        """

    def _assign_villages(self, rows: str, village: str) -> None:
        if self.staging.theme.table == AREAS or not self._one(f"select exists ({VILLAGES})")[0]:
            self._run(f"create temporary table {village} (key bigint, code text) on commit drop")
            return
        for statement in assignment(village, f"select key, {self._geometry} as geom from {rows} row"):
            self._run(statement)

    def _open_solids(self) -> None:
        """Solids follow their object: the newest belief of its shape, whatever the moment looked at."""
        if self._known:
            self._run(
                f"""
                update solid set recorded_to = %(at)s
                where recorded_to = 'infinity' and dataset_id = %(dataset)s and object_id in (
                    select object_id from {self._difference} where id is not null and (key is not null or not cut)
                )
                """
            )
        self._run(
            f"""
            insert into solid (object_id, dataset_id, lod, srid, vertical_datum, geom, recorded_from)
            select object.object_id, %(dataset)s, staged.solid_lod, coalesce(staged.solid_srid, 0),
                   dataset.vertical_datum, ST_SetSRID(ST_Force3DZ(staged.solid), coalesce(staged.solid_srid, 0)), %(at)s
            from {self.staging.table} staged
            join {self.target} object on object.uid = staged.uid and object.dataset_id = %(dataset)s
             and object.recorded_to = 'infinity' and object.recorded_from = %(at)s
             and object.content_hash = staged.content_hash
            join dataset on dataset.id = %(dataset)s
            where staged.solid is not null
            """
        )

    # --- the database

    def _run(self, statement: str) -> psycopg.Cursor[TupleRow]:
        return self._connection.execute(statement.encode(), self._values)

    def _one(self, statement: str) -> TupleRow:
        row = self._run(statement).fetchone()
        assert row is not None
        return row

    def _gather(self, statement: str) -> None:
        """Run a statement that returns `geom_web`, and note where that is."""
        self.outcome.cells.update(
            self._run(f"with written as ({statement}) {cells_sql('select geom_web from written')}").fetchall()
        )


def _names(names: Iterable[str], table: str | None = None) -> str:
    prefix = f"{table}." if table else ""
    return ", ".join(f'{prefix}"{name}"' for name in names)
