"""Where an import's rows wait until they are all there: one temporary table a theme, filled by COPY.

It is private to the connection and gone with it, so a load that fails leaves nothing. It is filled outside of the
transaction that changes the city: an open transaction would hold back every reader of the change feed.
"""

from collections.abc import Sequence
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from cim_models.theme import AttributeType, Theme
from layers.boxes import Bbox, Cells, cells_of, union
from layers.mapping import MappedBatch, Reject
from layers.report import MOST_DETAILS

KINDS: dict[AttributeType, str] = {"text": "text", "integer": "int4", "number": "float8", "boolean": "bool"}
# key: of the staged row. source: number of the part it came from. row: its number there.
ORIGIN = {"key": "int8", "source": "int2", "row": "int8", "uid": "text", "content_hash": "bytea"}
SHARED = {"class": "text", "name": "text", "name_en": "text", "cim_level": "int4"}
SOLID = {"solid": "geometry", "solid_srid": "int4", "solid_lod": "text"}
# What PostgreSQL's binary format puts before a jsonb.
JSONB_VERSION = b"\x01"
DUPLICATE = "its uid stands in an earlier row; let the recipe make uids that differ, e.g. uid: {fields: [a, b]}"


class Staging:
    """The waiting rows of one theme of a data set; `table` is their temporary table, `content` its model columns.

    live: rows to be loaded. cells, extent: where they are, as in `layers.boxes` and in degrees.

    A rejected row leaves its uid alone, without geometry: an object that the source has but tells badly is not
    missing from it.
    """

    def __init__(self, connection: psycopg.Connection, theme: Theme, number: int) -> None:
        self.theme = theme
        self.cells: set[Cells] = set()
        self.extent: Bbox | None = None
        self.table = f"staging_{number}_{theme.table}"
        self.live = 0
        self.content = {**SHARED, **{a.name: KINDS[a.type] for a in theme.attributes}, "attributes": "jsonb"}
        self._connection = connection
        self._columns = {**ORIGIN, **self.content, "geom": "geometry", **SOLID}
        self._keys = 0
        columns = ", ".join(f'"{name}" {kind}' for name, kind in self._columns.items())
        connection.execute(f"create temporary table {self.table} ({columns})".encode())
        connection.commit()

    def add(self, batch: MappedBatch, source: int) -> None:
        """COPY a batch that was mapped from the data set's part number `source`."""
        rows = batch.rows.num_rows
        # A column with nothing in it costs a third of what a full one does; most themes have many.
        filled = [name for name in batch.rows.schema.names if batch.rows.column(name).null_count < rows]
        given: dict[str, Sequence[Any]] = {
            "key": range(self._keys, self._keys + rows),
            "source": [source] * rows,
            **{name: batch.rows.column(name).to_pylist() for name in filled if name in self._columns},
            "attributes": pc.binary_join_element_wise(
                pa.scalar(JSONB_VERSION), batch.rows.column("attributes").cast(pa.binary()), b""
            ).to_pylist(),
        }
        columns = ", ".join(f'"{name}"' for name in given)
        statement = f"copy {self.table} ({columns}) from stdin (format binary)".encode()
        with self._connection.cursor().copy(statement) as copy:
            copy.set_types([_wire_type(self._columns[name]) for name in given])
            for row in zip(*given.values(), strict=True):
                copy.write_row(row)
        self._connection.commit()
        self._keys += rows
        self.live += rows
        self._locate(batch)
        self._mark(sorted({reject.uid for reject in batch.rejects if reject.uid}))

    def _locate(self, batch: MappedBatch) -> None:
        """Note where the rows are. Here it costs nothing: the database has the other core for itself."""
        if batch.rows.num_rows:
            bounds = shapely.bounds(shapely.from_wkb(batch.rows.column("geom").to_numpy(zero_copy_only=False)))
            self.cells |= cells_of(bounds)
            west, south = bounds[:, :2].min(axis=0).tolist()
            east, north = bounds[:, 2:].max(axis=0).tolist()
            self.extent = union([(west, south, east, north), *([self.extent] if self.extent else [])])

    def _mark(self, uids: Sequence[str]) -> None:
        if uids:
            statement = f"insert into {self.table} (uid) select unnest(%s::text[])".encode()
            self._connection.execute(statement, (list(uids),))
            self._connection.commit()

    def drop_duplicates(self) -> tuple[int, list[tuple[int, Reject]]]:
        """Keep the first row of each uid; gives how many others there were, and the first of them with their parts.

        Leaves the planner knowing how many rows there are, and that their keys differ.
        """
        removed = self._connection.execute(
            f"""
            with removed as (
                delete from {self.table} staged using (
                    select uid, min(key) as first from {self.table} where key is not null
                    group by uid having count(*) > 1
                ) twice
                where staged.uid = twice.uid and staged.key > twice.first
                returning staged.key, staged.source, staged.row, staged.uid
            )
            select count(*) over (), source, row, uid from removed order by key limit {MOST_DETAILS}
            """.encode()
        ).fetchall()
        self._connection.execute(f"analyze {self.table} (key, uid)".encode())
        self._connection.commit()
        count = removed[0][0] if removed else 0
        self.live -= count
        return count, [(source, Reject(row, uid, DUPLICATE)) for _, source, row, uid in removed]


def _wire_type(kind: str) -> str:
    """The type by which psycopg writes a value: bytes that PostgreSQL reads as what they are."""
    return "bytea" if kind in ("geometry", "jsonb") else kind
