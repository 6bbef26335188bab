"""Features of a layer as GeoJSON text, built by the database and passed on as bytes."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Numeric,
    Select,
    String,
    Table,
    and_,
    literal,
    literal_column,
    or_,
)

from cim_models.database import Connection
from cim_models.theme import Attribute
from layers import LayerError
from layers.access import Principal
from layers.catalog import Catalog, Layer
from layers.filter_sql import stored
from layers.query import Selection, objects, rows
from layers.statement import DIALECT, Statement, compiled, inlined

# 1e-9 degrees are a tenth of a millimetre.
DECIMALS = 9
# A page ends early, with a next one, rather than hold more than this in memory.
PAGE_BYTES = 16 * 2**20
CHUNK = 1000
# Validity is told with every feature, beside the layer's own properties.
VALIDITY = ("valid_from", "valid_to")
UNSORTED: ColumnElement[Any] = literal_column("null::text").label("sorted")


class ObjectNotFound(LayerError):
    """The layer has no such object at that moment, or none that the principal may see."""


class SortError(LayerError):
    """A property that cannot be sorted by."""


@dataclass(frozen=True)
class Sort:
    """One property to sort by; objects without it come last."""

    attribute: Attribute
    descending: bool = False


@dataclass(frozen=True)
class Place:
    """Where a page ends: the last object, and its sorted value as text if there is a sort."""

    object_id: int
    value: str | None = None


@dataclass(frozen=True)
class Feature:
    """One feature as GeoJSON bytes, and since when it is believed so."""

    text: bytes
    recorded_from: datetime


@dataclass(frozen=True)
class Page:
    """Features as GeoJSON bytes; `end` is where the next page goes on, None after the last."""

    features: list[bytes]
    end: Place | None


def sort_by(layer: Layer, text: str) -> Sort:
    """The sort that `name`, `+name` or `-name` means. Raises SortError."""
    name = text.lstrip("+-")
    attribute = layer.property(name)
    if attribute is None or len(text) - len(name) > 1:
        known = ", ".join(p.name for p in layer.properties)
        raise SortError(f"sortby={text!r}: one property, with - before it to descend; {layer.id} has {known}")
    return Sort(attribute, text.startswith("-"))


async def read_page(
    connection: Connection,
    selection: Selection,
    catalog: Catalog,
    principal: Principal,
    *,
    limit: int,
    after: Place | None = None,
    sort: Sort | None = None,
) -> Page:
    """At most `limit` features after a place, ordered by `sort` and object_id."""
    statement = page_statement(selection, catalog, principal, limit=limit + 1, after=after, sort=sort)
    found: list[Any] = []
    if limit < CHUNK:
        found = await connection.fetch(statement.sql, *statement.arguments)
    else:
        async with connection.transaction(readonly=True):
            cursor = await connection.cursor(statement.sql, *statement.arguments)
            size = 0
            while size < PAGE_BYTES and (chunk := await cursor.fetch(CHUNK)):
                found += chunk
                size += sum(len(row["feature"]) for row in chunk)
            more = size >= PAGE_BYTES and await cursor.fetch(1)
        if more:
            limit = min(limit, len(found))
            found += more
    last = found[limit - 1] if len(found) > limit else None
    end = Place(last["object_id"], last["sorted"]) if last else None
    return Page([row["feature"] for row in found[:limit]], end)


async def read_feature(
    connection: Connection, selection: Selection, catalog: Catalog, principal: Principal, object_id: int
) -> Feature:
    """One object's feature. Raises ObjectNotFound."""
    table = objects(selection.layer, catalog)
    chosen = rows(selection, catalog, principal).where(table.c.object_id == literal(object_id, BigInteger)).limit(1)
    statement = _features(chosen.add_columns(_every(table), UNSORTED), selection.layer, table)
    row = await connection.fetchrow(statement.sql, *statement.arguments)
    if row is None:
        raise ObjectNotFound(f"no object {object_id} in {selection.layer.id} at that moment")
    return Feature(row["feature"], row["recorded_from"])


def page_statement(
    selection: Selection,
    catalog: Catalog,
    principal: Principal,
    *,
    limit: int,
    after: Place | None = None,
    sort: Sort | None = None,
) -> Statement:
    """The statement of `read_page`: rows of object_id, sorted value as text, feature as bytes."""
    table = objects(selection.layer, catalog)
    chosen = rows(selection, catalog, principal)
    order = []
    if sort is not None:
        value = stored(table, sort.attribute)
        order.append((value.desc() if sort.descending else value.asc()).nulls_last())
        chosen = chosen.add_columns(_every(table), value.cast(String).label("sorted"))
        if after is not None:
            chosen = chosen.where(_beyond(value, sort, after, table))
    else:
        chosen = chosen.add_columns(_every(table), UNSORTED)
        if after is not None:
            chosen = chosen.where(table.c.object_id > literal(after.object_id, BigInteger))
    return _features(chosen.order_by(*order, table.c.object_id).limit(limit), selection.layer, table)


def _every(table: Table) -> ColumnElement[Any]:
    return literal_column(f"{table.name}.*")


def _beyond(value: ColumnElement[Any], sort: Sort, after: Place, table: FromClause) -> ColumnElement[bool]:
    """Rows that follow a place where the order is by value, nulls last, then object_id."""
    later = table.c.object_id > literal(after.object_id, BigInteger)
    if after.value is None:
        return and_(value.is_(None), later)
    reached = literal(after.value, String).cast(value.type)
    further = value < reached if sort.descending else value > reached
    return or_(further, and_(value == reached, later), value.is_(None))


def _features(chosen: Select[Any], layer: Layer, table: Table) -> Statement:
    """The chosen rows with their GeoJSON feature as UTF-8 bytes, in the order they were chosen."""
    inner = compiled(chosen)
    # No `crs` member: GeoJSON (RFC 7946) has none, and both storage CRSs are read as longitude, latitude.
    sql = f"""
        select chosen.object_id, chosen.sorted, chosen.recorded_from,
               convert_to(concat('{{"type":"Feature","id":', chosen.object_id,
                                 ',"geometry":', ST_AsGeoJSON(chosen.geom, {DECIMALS}, 0),
                                 ',"properties":', row_to_json(told), '}}'), 'UTF8') as feature
        from ({inner.sql}) chosen
        cross join lateral (select {_told(table, layer.properties, layer.whole)}) told
    """
    return Statement(sql, inner.names, inner.arguments)


# The columns are most of a statement's text, and the same for every page of a layer.
@lru_cache(maxsize=1_000)
def _told(table: Table, properties: tuple[Attribute, ...], whole: bool) -> str:
    """SQL of what a feature tells of an object, in the order of the layer's schema."""
    rows_of = table.alias("chosen")
    columns: dict[str, ColumnElement[Any]] = {}
    for attribute in properties:
        columns[attribute.name] = stored(rows_of, attribute)
        if attribute.type == "number":
            # 12.0 would read 12, and a client that learns types from the first page takes it for a whole number.
            columns[attribute.name] = columns[attribute.name].cast(Numeric) + literal_column("0.0", Numeric)
    columns |= {name: rows_of.c[name] for name in VALIDITY}
    if whole and table.name != "generic_object":
        columns["attributes"] = rows_of.c.attributes
    quote = DIALECT.identifier_preparer.quote
    return ", ".join(f"{inlined(column)} as {quote(name)}" for name, column in columns.items())
