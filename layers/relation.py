"""A table or view in the city's database, looked at: its key, its shapes and their SRID, and how many rows it has."""

import re
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from cim_models.database import City
from layers import LayerError
from layers.formats import CrsUnknown
from layers.mapping import Ground, MappingError, Placement

# What PostgreSQL calls relations that rows can be read from.
KINDS = {"r": "table", "p": "partitioned table", "v": "view", "m": "materialised view", "f": "foreign table"}
INDEXABLE = ("r", "p", "m")
# Below this, a tile is drawn from a full look at the table.
SMALL = 20_000
CURVES = ("CIRCULARSTRING", "COMPOUNDCURVE", "CURVEPOLYGON", "MULTICURVE", "MULTISURFACE")
RELATION_SQL = """
    select c.oid, n.nspname, c.relname, c.relkind, greatest(c.reltuples, 0)::bigint
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.oid = to_regclass(%s)
"""
COLUMNS_SQL = """
    select a.attname, format_type(a.atttypid, null), a.attnotnull, postgis_typmod_type(a.atttypmod),
           postgis_typmod_srid(a.atttypmod), postgis_typmod_dims(a.atttypmod),
           a.atttypid = 'geometry'::regtype
    from pg_attribute a where a.attrelid = %s and a.attnum > 0 and not a.attisdropped order by a.attnum
"""
KEYS_SQL = """
    select array_agg(a.attname order by a.attnum), bool_and(a.attnotnull), i.indisprimary
    from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey)
    where i.indrelid = %s and i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is null
    group by i.indexrelid, i.indisprimary order by i.indisprimary desc, count(*)
"""


class PublishError(LayerError):
    """A table that cannot be published as it is; the message says why, and what would help."""


@dataclass(frozen=True)
class Column:
    """A column: its type as PostgreSQL names it; of a geometry also kind, SRID (0 unknown) and dimensions."""

    name: str
    type: str
    required: bool
    kind: str = ""
    srid: int = 0
    dimensions: int = 2


class Relation:
    """One table. expression: SQL of a row's shape in the city's CRS; notes: what its owner should know."""

    def __init__(
        self, connection: psycopg.Connection, city: City, name: str, key: str | None, geometry: str | None
    ) -> None:
        self.connection = connection
        self.city = city
        self.notes: list[str] = []
        self.shape = Column("geom", "geometry", required=False)
        self.oid, self.schema, self.relation, self.kind, estimate = self._relation(name)
        self.name = f"{self.schema}.{self.relation}"
        self.table = sql.Identifier(self.schema, self.relation)
        self.columns, shapes = self._read_columns()
        self.shape = self._choose_shape(shapes, geometry)
        self.srid, dimensions, curved = self._look(self.shape)
        self.key = self._choose_key(key)
        self.rows = self._count(estimate)
        self.expression = self._expression(dimensions, curved)

    def _relation(self, name: str) -> tuple[int, str, str, str, int]:
        try:
            row = self.connection.execute(RELATION_SQL, (name,)).fetchone()
        except (psycopg.errors.SyntaxError, psycopg.errors.InvalidName):
            row = None
        if row is None:
            raise PublishError(f"{name}: no such table or view in the city's database; write it as schema.table")
        oid, schema, relation, kind, rows = row
        if kind not in KINDS:
            raise PublishError(f"{name}: neither a table nor a view")
        if schema == "public" and self._is_ours(relation):
            raise PublishError(f"{name}: a table of the city itself, which has its own layers")
        return oid, schema, relation, kind, rows

    def _is_ours(self, relation: str) -> bool:
        return relation.startswith(("published_", "generic_object")) or any(
            relation == own or relation.startswith(f"{own}_") for own in self.city.tables.tables
        )

    def _read_columns(self) -> tuple[list[Column], list[Column]]:
        plain, shapes = [], []
        for name, kind, required, shape, srid, dimensions, is_shape in self.connection.execute(
            COLUMNS_SQL, (self.oid,)
        ):
            if is_shape:
                shapes.append(Column(name, "geometry", required, (shape or "").upper(), srid or 0, dimensions or 2))
            else:
                plain.append(Column(name, kind, required))
        return plain, shapes

    def _choose_shape(self, shapes: list[Column], wanted: str | None) -> Column:
        chosen = [shape for shape in shapes if wanted in (None, shape.name)]
        if not shapes:
            raise PublishError(f"{self.name}: no geometry column; join it to one in a view, and publish that")
        if len(chosen) != 1:
            named = ", ".join(shape.name for shape in shapes)
            raise PublishError(f"{self.name}: name its geometry column with --geometry; it has {named}")
        return chosen[0]

    def _look(self, shape: Column) -> tuple[int, int, bool]:
        """SRID, dimensions and whether there are curves: from the column's type, else from all that is in it."""
        typed = re.sub(r"Z?M?$", "", shape.kind)
        if shape.srid and typed not in ("", "GEOMETRY"):
            return self._known(shape.srid), shape.dimensions, typed in CURVES
        found = self.connection.execute(
            sql.SQL(
                "select ST_SRID({shape}), count(*), max(ST_NDims({shape})), bool_or(ST_HasArc({shape})) from {table}"
                " where {shape} is not null group by 1 order by 2 desc"
            ).format(shape=sql.Identifier(shape.name), table=self.table)
        ).fetchall()
        if not found:
            return self._known(shape.srid or self.city.srid), shape.dimensions, True
        if len(found) > 1:
            told = ", ".join(f"{count:,} in {srid}" for srid, count, *_ in found)
            raise PublishError(
                f"{self.name}: rows of several SRIDs ({told}); publish a view that transforms them into one, e.g."
                f" ST_Transform({shape.name}, {self.city.srid})"
            )
        srid, _, dimensions, curved = found[0]
        return self._known(srid), dimensions, curved

    def _known(self, srid: int) -> int:
        if srid == 0:
            raise PublishError(
                f"{self.name}: its geometries have no SRID; say it once with select UpdateGeometrySRID('{self.schema}',"
                f" '{self.relation}', '{self.shape.name}', 4490)"
            )
        try:
            Placement(self.name, f"EPSG:{srid}", Ground(self.city.srid, self.city.metric_srid))
        except (CrsUnknown, MappingError) as error:
            raise PublishError(str(error)) from None
        return srid

    def _choose_key(self, wanted: str | None) -> Column:
        by_name = {column.name: column for column in self.columns}
        if wanted is not None:
            if wanted not in by_name:
                raise PublishError(f"{self.name}: no column {wanted!r}; it has {', '.join(by_name)}")
            self._check_key(by_name[wanted])
            return by_name[wanted]
        for names, required, primary in self.connection.execute(KEYS_SQL, (self.oid,)).fetchall():
            if len(names) == 1 and names[0] in by_name and (required or primary or self.kind == "m"):
                return by_name[names[0]]
        raise PublishError(
            f"{self.name}: a {KINDS[self.kind]} without a key of one column, by which a row is found again; name one"
            f" that is filled and unique with --key (it has {', '.join(by_name)})"
        )

    def _check_key(self, key: Column) -> None:
        column = sql.Identifier(key.name)
        empty, twice = self.one(
            sql.SQL(
                "select exists (select from {table} where {key} is null),"
                " (select {key}::text from {table} group by {key} having count(*) > 1 limit 1)"
            ).format(table=self.table, key=column)
        )
        if empty or twice is not None:
            what = "is empty in some rows" if empty else f"has {twice!r} more than once"
            raise PublishError(f"{self.name}: {key.name} {what}; name another column with --key")

    def _count(self, estimate: int) -> int:
        """Rows, exact where that is quick."""
        if estimate > 10 * SMALL:
            return estimate
        return int(self.one(sql.SQL("select count(*) from {}").format(self.table))[0])

    def _expression(self, dimensions: int, curved: bool) -> sql.Composable:
        """SQL of a row's shape in the city's CRS, without height and curves."""
        shape: sql.Composable = sql.Identifier(self.shape.name)
        if curved:
            shape = sql.SQL("ST_CurveToLine({})").format(shape)
            self.notes.append("curves are drawn as lines")
        if dimensions > 2:
            shape = sql.SQL("ST_Force2D({})").format(shape)
            self.notes.append("heights of its geometry are left out")
        if self.srid != self.city.srid:
            shape = sql.SQL("ST_Transform({}, {})").format(shape, sql.Literal(self.city.srid))
            self.notes.append(f"transformed from EPSG:{self.srid} as it is read")
        elif self.shape.srid != self.srid:
            shape = sql.SQL("ST_SetSRID({}, {})").format(shape, sql.Literal(self.srid))
        return shape

    def one(self, statement: sql.Composed) -> tuple[Any, ...]:
        """The one row of a statement."""
        row = self.connection.execute(statement).fetchone()
        assert row is not None
        return row
