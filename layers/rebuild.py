"""A current partition built anew beside the old one and put in its place: a first load without an index in its way.

Filling a table and then indexing it takes a third of the time that inserting into its indexes takes. Dropping them
would lock every reader out for as long; here they read the old partition until the moment of exchange.
"""

import time
from collections.abc import Sequence

import psycopg

from layers import LayerError

PATIENCE = 30
LOCK_TIMEOUT = "1s"
# Rows below which inserting is quick enough.
WORTH = 5_000


class ReadersInTheWay(LayerError):
    """Someone reads a table for so long that it cannot be exchanged."""


class Rebuild:
    """One current partition in the making; `table` is what to fill. All in the caller's transaction.

    parent: the table split by `recorded_to`, which the caller holds against other writers.
    """

    def __init__(self, connection: psycopg.Connection, parent: str) -> None:
        self.parent = parent
        self.table = f"{parent}_next"
        self._current = f"{parent}_current"
        self._connection = connection
        self._run(f"create table {self.table} (like {self._current} including all excluding indexes)")

    @staticmethod
    def pays(connection: psycopg.Connection, parent: str, stagings: Sequence[str], rows: int) -> bool:
        """Whether it takes less time than inserting `rows` of the tables `stagings`, since little is there already."""
        sizes = connection.execute(
            "select pg_relation_size(%s), (select sum(pg_relation_size(staging)) from unnest(%s::regclass[]) staging)",
            (f"{parent}_current", list(stagings)),
        )
        current, coming = sizes.fetchone() or (0, 0)
        return rows >= WORTH and current * 2 <= coming

    def keep(self) -> None:
        """Copy what the old partition holds."""
        columns = self._connection.execute(
            "select string_agg(format('%%I', attname), ', ' order by attnum) from pg_attribute"
            " where attrelid = %s::regclass and attnum > 0 and not attisdropped and attgenerated = ''",
            (self._current,),
        ).fetchone()
        assert columns is not None
        self._run(f"insert into {self.table} ({columns[0]}) select {columns[0]} from {self._current}")

    def index(self) -> None:
        """Give the new partition every index of the old one, and tell the planner what is in it."""
        for (definition,) in self._connection.execute(
            """
            select format('alter table %%s add constraint %%I %%s', conrelid::regclass, conname,
                          pg_get_constraintdef(oid))
            from pg_constraint where conrelid = %(table)s::regclass and contype = 'p'
            union all
            select pg_get_indexdef(indexrelid) from pg_index
            where indrelid = %(table)s::regclass and not indisprimary
            """,
            {"table": self._current},
        ).fetchall():
            self._run(definition.replace(self._current, self.table))
        # Half the planner's usual sample: the other half would cost a tenth of the whole load.
        self._run("set local default_statistics_target = 50")
        self._run(f"analyze {self.table}")

    def exchange(self) -> None:
        """Put the new partition in the old one's place; the caller has the tables to itself (`lock_out_readers`)."""
        self._run(f"alter table {self.parent} detach partition {self._current}")
        self._run(f"drop table {self._current}")
        self._run(f"alter table {self.table} rename to {self._current}")
        for (name,) in self._connection.execute(
            "select indexrelid::regclass::text from pg_index where indrelid = %s::regclass", (self._current,)
        ).fetchall():
            self._run(f"alter index {name} rename to {name.replace(self.table, self._current)}")
        self._run(f"alter table {self.parent} attach partition {self._current} for values in ('infinity')")

    def _run(self, statement: str) -> None:
        self._connection.execute(statement.encode())


def lock_out_readers(connection: psycopg.Connection, parents: Sequence[str]) -> None:
    """Have tables to oneself until the transaction ends, a moment later; all of them, or none while one is being read.

    Waiting for a long reader would make every later one wait too, so this gives up each second and tries again.
    Raises ReadersInTheWay.
    """
    tables = ", ".join(sorted(parents))
    for _ in range(PATIENCE):
        try:
            with connection.transaction():
                connection.execute(f"set local lock_timeout = '{LOCK_TIMEOUT}'".encode())
                connection.execute(f"lock table {tables} in access exclusive mode".encode())
                connection.execute("set local lock_timeout = 0")
                return
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            time.sleep(0.2)
    raise ReadersInTheWay(f"{tables}: read without a pause for {PATIENCE} s; load again when less is going on")
