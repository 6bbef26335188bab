"""A selection of a layer laid down as a file of Arrow batches: read in one snapshot, then written in any format.

The database is done with when the slowest client begins to read, and memory holds one batch however many rows there
are.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
from sqlalchemy import Select, String

from cim_models.database import Connection
from cim_models.theme import Attribute
from layers import LayerError
from layers.access import Principal
from layers.catalog import Catalog
from layers.crs import CRS84, Crs
from layers.features import VALIDITY, Sort, Telling, ordered, page_statement, told_columns
from layers.planning import planned_anew
from layers.projection import projected
from layers.query import Selection, objects
from layers.statement import DIALECT, Statement, compiled, inlined

ROWS = 5_000
MOST_ROWS = 5_000_000
MOST_BYTES = 2 * 2**30
GEOMETRY, ID = "geometry", "object_id"
TYPES = {"text": pa.string(), "integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_()}
# What the id, the row's number and the geometry are called.
TAKEN = (ID, GEOMETRY, "fid", "geom", "ogc_fid")
MOMENT = pa.timestamp("ms", "UTC")


class ShapesMissing(LayerError):
    """A format that draws, asked for without geometry."""


class TooMuch(LayerError):
    """More than fits into one file; a narrower selection does."""


@dataclass(frozen=True)
class Spool:
    """Rows of a layer in an Arrow file. geometry_type: of the layer's theme; crs: of the geometry, x (east) first."""

    path: Path
    schema: pa.Schema
    layer: str
    geometry_type: str
    crs: Crs

    @property
    def crs_text(self) -> str:
        """The CRS as files name it: WGS 84 for longitude, latitude; x before y is the formats' own rule."""
        return "EPSG:4326" if self.crs == CRS84 else self.crs.code

    @property
    def has_geometry(self) -> bool:
        return GEOMETRY in self.schema.names

    def check_shapes(self) -> None:
        """Raises ShapesMissing where the geometry was left out."""
        if not self.has_geometry:
            raise ShapesMissing(f"a drawing of {self.layer} without its shapes is empty; leave skipGeometry out")

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows, some thousand at a time."""
        with pa.memory_map(str(self.path)) as source, pa.ipc.open_stream(source) as reader:
            yield from reader


async def spool_rows(
    connection: Connection,
    selection: Selection,
    catalog: Catalog,
    principal: Principal,
    path: Path,
    *,
    sorts: tuple[Sort, ...],
    telling: Telling,
    limit: int | None,
) -> Spool:
    """Write the selection's rows to `path`, in one snapshot. Raises TooMuch."""
    layer = selection.layer
    attributes = _attributes(selection, catalog, telling)
    schema = _schema(attributes, telling)
    chosen = ordered(selection, catalog, principal, sorts=sorts).limit(_most(limit))
    statement = _rows_statement(chosen, attributes, selection, catalog, telling)
    with pa.OSFile(str(path), "wb") as target, pa.ipc.new_stream(target, schema) as writer:
        rows = 0
        async with planned_anew(connection):
            cursor = await connection.cursor(statement.sql, *statement.arguments)
            while chunk := await cursor.fetch(ROWS):
                rows += len(chunk)
                await asyncio.to_thread(_append, writer, chunk, schema)
                _check(rows, target.tell(), limit)
    return Spool(path, schema, layer.id, layer.theme.geometry, telling.crs)


async def spool_geojson(
    connection: Connection,
    selection: Selection,
    catalog: Catalog,
    principal: Principal,
    target: BinaryIO,
    *,
    sorts: tuple[Sort, ...],
    telling: Telling,
    limit: int | None,
) -> None:
    """Write the selection as one GeoJSON FeatureCollection, as the database builds it. Raises TooMuch."""
    statement = page_statement(selection, catalog, principal, limit=_most(limit), sorts=sorts, telling=telling)
    rows = size = 0
    target.write(b'{"type":"FeatureCollection","features":[')
    async with planned_anew(connection):
        cursor = await connection.cursor(statement.sql, *statement.arguments)
        while chunk := await cursor.fetch(ROWS):
            size += target.write((b",\n" if rows else b"\n") + b",\n".join(row["feature"] for row in chunk))
            rows += len(chunk)
            _check(rows, size, limit)
    target.write(b"\n]}\n")


def _most(limit: int | None) -> int:
    # One more than fits, so that too much is noticed and never cut off unsaid.
    return MOST_ROWS + 1 if limit is None else limit


def _check(rows: int, size: int, limit: int | None) -> None:
    if size > MOST_BYTES or (limit is None and rows > MOST_ROWS):
        raise TooMuch(f"more than {MOST_ROWS:,} objects or {MOST_BYTES >> 30} GiB; narrow it by bbox, filter or limit")


def _attributes(selection: Selection, catalog: Catalog, telling: Telling) -> list[Attribute]:
    """What stands in the columns, in the order of the layer's schema; times and further attributes as such."""
    layer = selection.layer
    told = told_columns(objects(layer, catalog), layer.properties, whole=layer.tells_whole, wanted=telling.properties)
    return [layer.property(name) or Attribute(name, "text", name, name) for name in told]


def _schema(attributes: list[Attribute], telling: Telling) -> pa.Schema:
    fields = [pa.field(ID, pa.int64(), nullable=False)]
    taken = set(TAKEN)
    for attribute in attributes:
        is_time = attribute.name in VALIDITY
        name = _free(attribute.name, taken)
        taken.add(name.lower())
        fields.append(pa.field(name, MOMENT if is_time else TYPES[attribute.type]))
    if telling.geometry:
        fields.append(pa.field(GEOMETRY, pa.binary(), metadata={"ARROW:extension:name": "geoarrow.wkb"}))
    return pa.schema(fields)


def _free(name: str, taken: set[str]) -> str:
    """A property's name in a file; many formats tell no capital from a small letter."""
    while name.lower() in taken:
        name += "_"
    return name


def _rows_statement(
    chosen: Select[Any], attributes: list[Attribute], selection: Selection, catalog: Catalog, telling: Telling
) -> Statement:
    layer, inner = selection.layer, compiled(chosen)
    rows_of = objects(layer, catalog).alias("chosen")
    told = told_columns(rows_of, layer.properties, whole=layer.tells_whole, wanted=telling.properties)
    if "attributes" in told:
        told["attributes"] = told["attributes"].cast(String)
    quote = DIALECT.identifier_preparer.quote
    columns = ["chosen.object_id", *(f"{inlined(told[each.name])} as {quote(each.name)}" for each in attributes)]
    if telling.geometry:
        shape = projected("chosen.geom", catalog.city.srid, telling.crs)
        columns.append(f"ST_AsBinary({shape}) as {quote(GEOMETRY + '!')}")
    return Statement(f"select {', '.join(columns)} from ({inner.sql}) chosen", inner.names, inner.arguments)


def _append(writer: pa.RecordBatchStreamWriter, rows: list[Any], schema: pa.Schema) -> None:
    columns = zip(*(row.values() for row in rows), strict=True)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))
