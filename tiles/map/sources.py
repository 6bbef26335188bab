"""What a map reads: for each group of style layers one statement, of which only the place is left open.

Objects are read from their table, or at low zooms from the overviews that vector tiles are drawn from, too.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    FromClause,
    Select,
    and_,
    case,
    func,
    literal_column,
    not_,
    or_,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.types import Float, NullType

from cim_models.theme import Attribute
from layers.access import Principal
from layers.catalog import Catalog
from layers.crs import Crs
from layers.drawing import StyleLayer
from layers.filter_sql import stored
from layers.looks import Tree
from layers.query import Selection, objects, rows, valid
from layers.view import NOW
from tiles.map.classes import Column, Columns, by_class, class_number, looks_of
from tiles.map.inline import inline
from tiles.map.scale import is_web
from tiles.overview.recipe import CELL_ZOOMS, EVERYWHERE

# What Mapnik puts in its place for each map: whose request it is, and the first and last tiles of overviews.
REQUEST = "@request"
TILES = ("@x0", "@y0", "@x1", "@y1")
KEY, GEOMETRY, TEXT = "object_id", "geom", "text"
# As the storage's degrees are to a map in degrees: PROJ leaves coordinates as they are between these.
SAME_DEGREES = frozenset(("EPSG:4326", "EPSG:4490", "OGC:CRS84"))


def near_token(*, is_label: bool, web: bool) -> str:
    """What stands for the box to look in: wider for labels, in EPSG:3857 or the city's degrees."""
    return ("@around" if is_label else "@near") + ("_web" if web else "")


@dataclass(frozen=True)
class Drawn:
    """A style layer at a zoom: its classes of looks."""

    style: StyleLayer
    tree: Tree

    @property
    def is_alone(self) -> bool:
        """Whether it is drawn from a statement of its own: a label stands at a point, rasters have no objects."""
        return self.style.type in ("symbol", "hillshade", "raster")


@dataclass(frozen=True)
class Group:
    """Style layers of one layer that are drawn one after the other from one statement: several shapes, or one label."""

    parts: tuple[Drawn, ...]

    @property
    def is_label(self) -> bool:
        return self.parts[0].style.type == "symbol"


@dataclass(frozen=True)
class Place:
    """Where geometry is read.

    crs: of the map. overview: zoom of the overviews to read, None for the objects themselves. is_crowded: whether there
    may be more objects than can be drawn, of which the largest are.
    """

    crs: Crs
    overview: int | None
    is_crowded: bool

    @property
    def reads_web(self) -> bool:
        """Whether the stored Mercator geometry is read, not the degrees."""
        return self.overview is not None or is_web(self.crs)


@dataclass(frozen=True)
class Wanted:
    """What is read for a map of one layer. most: objects, of which the largest are drawn."""

    selection: Selection
    catalog: Catalog
    principal: Principal
    place: Place
    most: int


def statement(group: Group, wanted: Wanted) -> str:
    """SQL of a group's objects, as a table for Mapnik: their number of look a part (c0, c1, ...), geometry and text.

    Raises LayerNotFound, FilterError.
    """
    selection, catalog, place = wanted.selection, wanted.catalog, wanted.place
    read: Column
    size: Column
    if place.overview is None:
        table: FromClause = objects(selection.layer, catalog)
        read = table.c.geom_web if place.reads_web else table.c.geom
        found = rows(selection, catalog, wanted.principal).where(_is_near(read, group, place))
        columns = Columns(lambda name: _stored(selection, table, name), table.c.geom)
        size = func.web_size(table.c.geom_web)
    else:
        table = _overview(selection, catalog, group, place)
        read, size = table.c.geom_web, table.c.rank
        found = select().select_from(table)
        columns = Columns(lambda name: _kept(selection, table, name), table.c.geom_web)
    numbers = [class_number(part.tree, columns).label(f"c{index}") for index, part in enumerate(group.parts)]
    found = found.add_columns(table.c.object_id, type_coerce(read, NullType()).label("read"), *numbers)
    text = group.parts[0].style.text
    if text is not None:
        found = found.add_columns(columns.text(text).label(TEXT))
    if place.is_crowded:
        found = found.order_by(size.desc(), func.hashint8(table.c.object_id))
    inner = found.limit(literal_column(str(wanted.most))).subquery("found")
    tokens = (near_token(is_label=group.is_label, web=place.reads_web), *TILES)
    # The request's mark comes first: of a long statement the server tells only the beginning (pg_stat_activity).
    return f"(/* !{REQUEST}! */ {inline(_in_order(group, inner, place), tokens=tokens)} /* !bbox! */) q"


def _in_order(group: Group, inner: FromClause, place: Place) -> Select[Any]:
    """The objects that have a look, in the order of their sort keys, the same in every map."""
    numbers: list[Column] = [inner.c[f"c{index}"] for index in range(len(group.parts))]
    # Mapnik leaves out what has no key, and what overviews have merged has none.
    key = func.coalesce(inner.c.object_id, literal_column("0")).label(KEY)
    columns: list[Column] = [key, _geometry(group, inner.c.read, place), *numbers]
    wanted = [or_(*(number.is_not(None) for number in numbers))]
    if group.is_label:
        columns.append(inner.c[TEXT])
        wanted.append(inner.c[TEXT] != literal_column("''"))
    return select(*columns).where(*wanted).order_by(*_sort_keys(group, numbers), inner.c.object_id, inner.c.read)


def _sort_keys(group: Group, numbers: list[Column]) -> list[Column]:
    keys = []
    for part, number in zip(group.parts, numbers, strict=True):
        name = next((n for n in part.style.properties if n.endswith("-sort-key")), None)
        if name is not None:
            keys.append(by_class([look.values[name] for look in looks_of(part.tree)], number))
    return keys


def _geometry(group: Group, read: Column, place: Place) -> Column:
    shape: Column = read
    if group.is_label and group.parts[0].style.properties.get("symbol-placement") is None:
        shape = _label_point(read)
    if not is_web(place.crs) and (place.reads_web or place.crs.code not in SAME_DEGREES):
        target: Column = literal_column(str(place.crs.srid) if place.crs.srid else f"'{place.crs.code}'")
        shape = func.ST_Transform(shape, target)
    return type_coerce(shape, NullType()).label(GEOMETRY)


def _label_point(read: Column) -> Column:
    """Where an object's name stands: one place an object, whatever part of it a map shows."""
    dimension = func.ST_Dimension(read)
    longest = func.ST_LineInterpolatePoint(func.ST_GeometryN(read, literal_column("1")), literal_column("0.5"))
    return case(
        (dimension == literal_column("2"), func.ST_PointOnSurface(read)),
        (dimension == literal_column("1"), longest),
        else_=read,
    )


def _overview(selection: Selection, catalog: Catalog, group: Group, place: Place) -> FromClause:
    """What overviews show of a layer in the tiles of a map, each row once.

    A row stands there once for every tile that it reaches into, one of which is its home. Of what is at home beyond
    the map several may be found.
    """
    table = catalog.city.tables.tables["overview"]
    tile_x, tile_y = (cell.op(">>")(literal_column(str(CELL_ZOOMS))) for cell in (table.c.cell_x, table.c.cell_y))
    everywhere: Column = literal_column(str(EVERYWHERE))
    drawn = [table.c.object_id, table.c.rank, table.c.properties, table.c.geom_web]
    tiles = [table.c.tile_x, table.c.tile_y, tile_x.label("home_x"), tile_y.label("home_y")]
    found = select(*drawn, *tiles).where(
        table.c.layer == literal_column(f"'{selection.layer.id}'"),
        table.c.zoom == literal_column(str(place.overview)),
        valid(table, NOW),
        or_(_in_tiles(table.c.tile_x, table.c.tile_y), table.c.tile_x == everywhere),
        _is_near(table.c.geom_web, group, place),
    )
    o = found.cte("o")
    at_home = or_(and_(o.c.tile_x == o.c.home_x, o.c.tile_y == o.c.home_y), o.c.tile_x == everywhere)
    columns = [o.c[column.name] for column in drawn]
    beyond = select(*columns).where(not_(at_home), not_(_in_tiles(o.c.home_x, o.c.home_y))).distinct()
    return union_all(select(*columns).where(at_home), beyond).subquery("shown")


def _in_tiles(x: Column, y: Column) -> ColumnElement[bool]:
    ends: list[Column] = [literal_column(f"!{token}!::integer") for token in TILES]
    x0, y0, x1, y1 = ends
    return and_(x.between(x0, x1), y.between(y0, y1))


def _is_near(geometry: Column, group: Group, place: Place) -> ColumnElement[bool]:
    token = near_token(is_label=group.is_label, web=place.reads_web)
    return geometry.op("&&", is_comparison=True)(literal_column(f"!{token}!::geometry"))


def _stored(selection: Selection, table: FromClause, name: str) -> Column | None:
    attribute = selection.layer.property(name)
    return None if attribute is None else stored(table, attribute)


def _kept(selection: Selection, table: FromClause, name: str) -> Column | None:
    """What overviews keep of a property, in its type."""
    attribute: Attribute | None = selection.layer.property(name)
    if attribute is None:
        return None
    value: Column = table.c.properties[name].astext
    if attribute.type == "text":
        return value
    return sql_cast(value, Boolean() if attribute.type == "boolean" else Float())
