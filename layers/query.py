"""The one way into the city's objects: which rows a view, a layer, a principal and a filter let through.

Each kind of view is its own SQL, never one statement with optional parameters: the planner must see which partition
and which index are meant. A plan is read as the city of now without the objects it names, and its own rows.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    FromClause,
    MetaData,
    Select,
    Table,
    Text,
    and_,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.types import DateTime, Float

from cim_models.base import COLUMN_TYPES, WEB_SRID, city_object_table
from cim_models.theme import SHARED, Attribute, Theme
from layers.access import Grant, Principal
from layers.catalog import Catalog, Layer
from layers.filter_sql import filter_expression, filterable
from layers.filters import Filter
from layers.view import NOW, Interval, View

MOMENT = DateTime(timezone=True)
Bbox = tuple[float, float, float, float]
# PostGIS keeps a geometry's box in single precision, rounded outward: by up to this many degrees at 180.
BOX_ROUNDING = 4e-5


@dataclass(frozen=True)
class Selection:
    """What is asked of one layer. filter: parsed CQL2 on the layer's properties. bbox: in the city's CRS, degrees."""

    layer: Layer
    view: View = NOW
    filter: Filter | None = None
    bbox: Bbox | None = None


def objects(layer: Layer, catalog: Catalog) -> Table:
    """The table that a layer looks at."""
    if layer.published is not None:
        return _published(layer.theme, layer.properties, catalog.city.srid)
    return catalog.city.tables.tables[layer.theme.table]


@lru_cache(maxsize=1_000)
def _published(theme: Theme, properties: tuple[Attribute, ...], srid: int) -> Table:
    """The view of a published table: the columns of a city object, and the table's own."""
    table = city_object_table(theme, MetaData(), srid)
    for attribute in properties:
        if attribute.name not in table.c:
            table.append_column(Column(attribute.name, COLUMN_TYPES[attribute.type]))
    return table


def rows(selection: Selection, catalog: Catalog, principal: Principal) -> Select[Any]:
    """`select ... from` the layer's table with every condition set; the caller adds its columns.

    Raises LayerNotFound if the principal may not read the layer.
    """
    layer = catalog.layer(selection.layer.id, principal)
    table = objects(layer, catalog)
    return select().select_from(table).where(*conditions(table, selection, catalog, principal))


def conditions(
    table: FromClause, selection: Selection, catalog: Catalog, principal: Principal
) -> list[ColumnElement[bool]]:
    """All that a row must fulfil to be in the selection and seen by the principal."""
    layer = selection.layer
    found = [visible(table, selection.view), *belonging(table, layer, catalog.grant(layer, principal), catalog)]
    if selection.filter is not None:
        columns = filterable(table, layer.properties)
        if layer.tells_whole:
            # As the text that it is told in.
            columns["attributes"] = sql_cast(table.c.attributes, Text)
        found.append(filter_expression(selection.filter, columns, catalog.city.srid, catalog.zone))
    if selection.bbox is not None:
        found.append(within(table, selection.bbox, catalog.city.srid))
    return found


def belonging(table: FromClause, layer: Layer, grant: Grant | None, catalog: Catalog) -> list[ColumnElement[bool]]:
    """What makes a row one of the layer's and of those that a grant covers, whatever its time and plan."""
    found: list[ColumnElement[bool]] = []
    if layer.dataset_id is not None:
        found.append(table.c.dataset_id == literal_column(str(layer.dataset_id)))
    # The layer's own filter and the grant's may use what the layer does not show.
    everything = filterable(table, (*SHARED, *layer.theme.attributes, *layer.properties))
    for tree in (layer.filter, grant.row_filter if grant else None):
        if tree is not None:
            found.append(filter_expression(Filter(tree), everything, catalog.city.srid, catalog.zone))
    return found


def visible(table: FromClause, view: View) -> ColumnElement[bool]:
    """The one predicate of time and plan that every reader uses."""
    if view.plan is None:
        return and_(known(table, view), table.c.plan_id.is_(None), valid(table, view))
    plan = literal(view.plan)
    named = table.alias("named")
    touched = exists().where(named.c.object_id == table.c.object_id, known(named, view), named.c.plan_id == plan)
    return and_(
        known(table, view),
        or_(
            and_(table.c.plan_id.is_(None), ~touched),
            and_(table.c.plan_id == plan, table.c.plan_action != literal_column("'remove'")),
        ),
        valid(table, view),
    )


def known(table: FromClause, view: View) -> ColumnElement[bool]:
    """What the model believed; `infinity` stands as a literal so that only the current partition is planned."""
    if view.recorded is None:
        return table.c.recorded_to == literal_column("'infinity'")
    moment = literal(view.recorded, MOMENT)
    return and_(table.c.recorded_from <= moment, table.c.recorded_to > moment)


def valid(table: FromClause, view: View) -> ColumnElement[bool]:
    """What is true in the world at the moment asked for; of a span, each object as it last was in it."""
    if view.valid is None:
        return _valid_at(table, func.now(), func.now())
    return _valid_within(table, view, view.valid)


def _valid_at(
    table: FromClause, start: ColumnElement[Any] | None, end: ColumnElement[Any] | None
) -> ColumnElement[bool]:
    limits: list[ColumnElement[bool]] = []
    if end is not None:
        limits.append(or_(table.c.valid_from.is_(None), table.c.valid_from <= end))
    if start is not None:
        limits.append(or_(table.c.valid_to.is_(None), table.c.valid_to > start))
    return and_(true(), *limits)


def _valid_within(table: FromClause, view: View, span: Interval) -> ColumnElement[bool]:
    start = None if span.start is None else literal(span.start, MOMENT)
    end = None if span.end is None else literal(span.end, MOMENT)
    inside = _valid_at(table, start, end)
    if span.is_moment:
        return inside
    later = table.alias("later")
    newer = exists().where(
        later.c.object_id == table.c.object_id,
        later.c.plan_id.is_not_distinct_from(table.c.plan_id),
        known(later, view),
        _valid_at(later, start, end),
        later.c.valid_from > func.coalesce(table.c.valid_from, literal_column("'-infinity'::timestamptz")),
    )
    return and_(inside, ~newer)


def within(table: FromClause, bbox: Bbox, srid: int) -> ColumnElement[bool]:
    """Intersects a box in the city's CRS; west > east crosses the antimeridian (OGC API Features Part 1, 7.15.3)."""
    west, south, east, north = bbox
    if west > east:
        return or_(within(table, (west, south, 180.0, north), srid), within(table, (-180.0, south, east, north), srid))
    box = _envelope(bbox, srid)
    exactly = func.ST_Intersects(table.c.geom, box)
    if min(east - west, north - south) <= 2 * BOX_ROUNDING:
        return exactly
    # What has its box well inside is in it; to look at its vertices too would take most of a large query's time.
    inner = _envelope((west + BOX_ROUNDING, south + BOX_ROUNDING, east - BOX_ROUNDING, north - BOX_ROUNDING), srid)
    touched = table.c.geom.op("&&", is_comparison=True)(box)
    return and_(touched, or_(table.c.geom.op("@", is_comparison=True)(inner), exactly))


def _envelope(bbox: Bbox, srid: int) -> ColumnElement[Any]:
    return func.ST_MakeEnvelope(*(literal(v, Float) for v in bbox), literal_column(str(srid)))


def web_envelope(z: Any, x: Any, y: Any, margin: float) -> ColumnElement[Any]:
    """The box of a web tile in EPSG:3857, wider by `margin` (share of its side) on each side."""
    assert WEB_SRID == 3857
    return func.ST_TileEnvelope(z, x, y, literal_column("margin => " + repr(float(margin))))
