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
from sqlalchemy.dialects.postgresql import array

from cim_models.database import Connection
from cim_models.theme import Attribute
from layers import LayerError
from layers.access import Principal
from layers.catalog import Catalog, Layer
from layers.crs import CRS84, Crs
from layers.filter_sql import stored
from layers.planning import planned_anew
from layers.projection import decimals, official, projected
from layers.query import Selection, objects, rows
from layers.statement import DIALECT, Statement, compiled, inlined

# A page ends early, with a next one, rather than hold more than this in memory.
PAGE_BYTES = 16 * 2**20
CHUNK = 1000
# Validity is told with every feature, beside the layer's own properties.
VALIDITY = ("valid_from", "valid_to")
MOST_SORTS = 5
# Columns that are no property of the layer's, and can be sorted by.
DIRECT = ("object_id", *VALIDITY)
SORTABLE_TIMES = tuple(Attribute(name, "text", name, name) for name in VALIDITY)
OBJECT_ID = Attribute("object_id", "integer", "编号", "Id")


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
    """Where a page ends: the last object, and its sorted values as text, one for each sort."""

    object_id: int
    values: tuple[str | None, ...] = ()


@dataclass(frozen=True)
class Telling:
    """What features tell. properties: only these of the layer's, None for all. crs: of the geometry, in its own
    order of axes (OGC API Features Part 2); east_first: x (east) before y instead, as GeoJSON of a WFS has it."""

    properties: frozenset[str] | None = None
    geometry: bool = True
    crs: Crs = CRS84
    east_first: bool = False


EVERYTHING = Telling()


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


def sortables(layer: Layer) -> dict[str, Attribute]:
    """What the layer's objects can be sorted by, by name."""
    return {attribute.name: attribute for attribute in (OBJECT_ID, *layer.properties, *SORTABLE_TIMES)}


def sorts_by(layer: Layer, text: str) -> tuple[Sort, ...]:
    """The sorts that `name,+name,-name` means (OGC API Features Part 8). Raises SortError."""
    known, found = sortables(layer), []
    for part in text.split(","):
        name = part.strip().lstrip("+-")
        if name not in known or len(part.strip()) - len(name) > 1:
            raise SortError(
                f"sortby={part!r}: a property, with - before it to descend; {layer.id} has {', '.join(known)}"
            )
        found.append(Sort(known[name], part.strip().startswith("-")))
    if len(found) > MOST_SORTS:
        raise SortError(f"sortby: {len(found)} properties; at most {MOST_SORTS} are read")
    return tuple(found)


async def read_page(
    connection: Connection,
    selection: Selection,
    catalog: Catalog,
    principal: Principal,
    *,
    limit: int,
    after: Place | None = None,
    sorts: tuple[Sort, ...] = (),
    telling: Telling = EVERYTHING,
) -> Page:
    """At most `limit` features after a place, ordered by `sorts` and object_id."""
    statement = page_statement(
        selection, catalog, principal, limit=limit + 1, after=after, sorts=sorts, telling=telling
    )
    found: list[Any] = []
    async with planned_anew(connection):
        if limit < CHUNK:
            found = await connection.fetch(statement.sql, *statement.arguments)
        else:
            cursor = await connection.cursor(statement.sql, *statement.arguments)
            size = 0
            while size < PAGE_BYTES and (chunk := await cursor.fetch(CHUNK)):
                found += chunk
                size += sum(len(row["feature"]) for row in chunk)
            if size >= PAGE_BYTES and (more := await cursor.fetch(1)):
                limit = min(limit, len(found))
                found += more
    last = found[limit - 1] if len(found) > limit else None
    end = Place(last["object_id"], tuple(last["sorted"] or ())) if last else None
    return Page([row["feature"] for row in found[:limit]], end)


async def read_feature(
    connection: Connection,
    selection: Selection,
    catalog: Catalog,
    principal: Principal,
    object_id: int,
    *,
    telling: Telling = EVERYTHING,
) -> Feature:
    """One object's feature. Raises ObjectNotFound."""
    table = objects(selection.layer, catalog)
    chosen = rows(selection, catalog, principal).where(table.c.object_id == literal(object_id, BigInteger)).limit(1)
    statement = _features(chosen.add_columns(_every(table), _sorted([])), selection.layer, catalog, telling)
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
    offset: int = 0,
    sorts: tuple[Sort, ...] = (),
    telling: Telling = EVERYTHING,
) -> Statement:
    """The statement of `read_page`: rows of object_id, sorted values as text, feature as bytes.

    offset: leaves out as many of the first, for clients that count and keep no place.
    """
    chosen = ordered(selection, catalog, principal, after=after, sorts=sorts).limit(limit)
    chosen = chosen.offset(offset) if offset else chosen
    return _features(chosen, selection.layer, catalog, telling)


def ordered(
    selection: Selection,
    catalog: Catalog,
    principal: Principal,
    *,
    after: Place | None = None,
    sorts: tuple[Sort, ...] = (),
) -> Select[Any]:
    """Every column of the selection's rows after a place, and `sorted`: the values they are sorted by, as text."""
    table = objects(selection.layer, catalog)
    keys = [(_key(table, sort.attribute), sort.descending) for sort in sorts]
    chosen = rows(selection, catalog, principal).add_columns(_every(table), _sorted([value for value, _ in keys]))
    if after is not None:
        if len(after.values) != len(keys):
            raise SortError("cursor: of another order; follow a next link as it is")
        chosen = chosen.where(_beyond(keys, after, table))
    order = [(value.desc() if descending else value.asc()).nulls_last() for value, descending in keys]
    return chosen.order_by(*order, table.c.object_id)


def _key(table: Table, attribute: Attribute) -> ColumnElement[Any]:
    named: ColumnElement[Any] | None = table.c.get(attribute.name) if attribute.name in DIRECT else None
    return stored(table, attribute) if named is None else named


def _sorted(values: list[ColumnElement[Any]]) -> ColumnElement[Any]:
    if not values:
        return literal_column("null::text[]").label("sorted")
    return array([value.cast(String) for value in values]).label("sorted")


def _every(table: Table) -> ColumnElement[Any]:
    return literal_column(f"{table.name}.*")


def _beyond(keys: list[tuple[ColumnElement[Any], bool]], after: Place, table: FromClause) -> ColumnElement[bool]:
    """Rows that follow a place where the order is by each value in turn, nulls last, then object_id."""
    reached: list[ColumnElement[bool]] = []
    found: list[ColumnElement[bool]] = []
    for (value, descending), text in zip(keys, after.values, strict=True):
        if text is None:
            reached.append(value.is_(None))
            continue
        there = literal(text, String).cast(value.type)
        further = value < there if descending else value > there
        found.append(and_(*reached, or_(further, value.is_(None))))
        reached.append(value == there)
    found.append(and_(*reached, table.c.object_id > literal(after.object_id, BigInteger)))
    return or_(*found)


def _features(chosen: Select[Any], layer: Layer, catalog: Catalog, telling: Telling) -> Statement:
    """The chosen rows with their GeoJSON feature as UTF-8 bytes, in the order they were chosen."""
    inner, crs = compiled(chosen), telling.crs
    shape = "null::text"
    if telling.geometry:
        # No `crs` member: GeoJSON (RFC 7946) has none, and the answer's Content-Crs names it.
        turn = projected if telling.east_first else official
        shape = f"ST_AsGeoJSON({turn('chosen.geom', catalog.city.srid, crs)}, {decimals(crs)}, 0)"
    told = _told(objects(layer, catalog), layer.properties, layer.tells_whole, telling.properties)
    sql = f"""
        select chosen.object_id, chosen.sorted, chosen.recorded_from,
               convert_to(concat('{{"type":"Feature","id":', chosen.object_id,
                                 ',"geometry":', coalesce({shape}, 'null'),
                                 ',"properties":', row_to_json(told), '}}'), 'UTF8') as feature
        from ({inner.sql}) chosen
        cross join lateral (select {told}) told
    """
    return Statement(sql, inner.names, inner.arguments)


# The columns are most of a statement's text, and the same for every page of a layer.
@lru_cache(maxsize=1_000)
def _told(table: Table, properties: tuple[Attribute, ...], whole: bool, wanted: frozenset[str] | None) -> str:
    """SQL of what a feature tells of an object, in the order of the layer's schema."""
    columns = told_columns(table.alias("chosen"), properties, whole=whole, wanted=wanted)
    for attribute in properties:
        if attribute.type == "number" and attribute.name in columns:
            # 12.0 would read 12, and a client that learns types from the first page takes it for a whole number.
            columns[attribute.name] = columns[attribute.name].cast(Numeric) + literal_column("0.0", Numeric)
    quote = DIALECT.identifier_preparer.quote
    return ", ".join(f"{inlined(column)} as {quote(name)}" for name, column in columns.items())


def told_columns(
    rows_of: FromClause, properties: tuple[Attribute, ...], *, whole: bool, wanted: frozenset[str] | None
) -> dict[str, ColumnElement[Any]]:
    """What is told of an object by name: the layer's properties, validity, and what else the source gave."""
    columns: dict[str, ColumnElement[Any]] = {each.name: stored(rows_of, each) for each in properties}
    columns |= {name: rows_of.c[name] for name in VALIDITY}
    if whole:
        columns["attributes"] = rows_of.c.attributes
    return {name: column for name, column in columns.items() if wanted is None or name in wanted}


def tellable(layer: Layer) -> tuple[str, ...]:
    """The names that `properties=` may choose from."""
    further = ("attributes",) if layer.tells_whole else ()
    return (*(attribute.name for attribute in layer.properties), *VALIDITY, *further)
