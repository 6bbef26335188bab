"""Statistics of a selection: how many, how much, how spread; by attribute, by administrative area or by a grid."""

import math
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from sqlalchemy import BigInteger, ColumnElement, Float, func, literal, literal_column, select

from cim_models.database import Connection
from layers import LayerError
from layers.access import Principal
from layers.catalog import Catalog, Layer
from layers.crs import parse_crs
from layers.filter_sql import stored
from layers.measure import UNITS
from layers.planning import planned_anew
from layers.projection import projected
from layers.query import Selection, objects, rows
from layers.statement import compiled
from layers.villages import AREAS

Measure = Literal["area", "length"]
LEVELS = ("village", "township", "county", "city", "province")
MOST_GROUPS = 10_000
GRID = "grid"


class AggregateError(LayerError):
    """Statistics that cannot be made of the layer like this."""


@dataclass(frozen=True)
class Question:
    """What is asked. value: a number property, or `measure` of the geometry, in `unit`; neither counts alone.

    by: a property, a level of administration, or grid of `cell` metres in the city's metric CRS. bins: of a histogram,
    0 for none.
    """

    value: str | None = None
    measure: Measure | None = None
    unit: str | None = None
    by: str | None = None
    cell: float = 500.0
    bins: int = 0


@dataclass(frozen=True)
class Numbers:
    """Of one group. count: objects; valued: those that have a value; total, least, greatest: of their values."""

    count: int
    valued: int
    total: float | None = None
    least: float | None = None
    greatest: float | None = None
    histogram: tuple[int, ...] = ()

    @property
    def mean(self) -> float | None:
        return self.total / self.valued if self.valued and self.total is not None else None

    def plus(self, other: "Numbers") -> "Numbers":
        """Both groups as one."""
        return Numbers(
            self.count + other.count,
            self.valued + other.valued,
            _joined(math.fsum, self.total, other.total),
            _joined(min, self.least, other.least),
            _joined(max, self.greatest, other.greatest),
            tuple(map(sum, zip(self.histogram, other.histogram, strict=True))) if self.histogram else other.histogram,
        )


@dataclass(frozen=True)
class Answer:
    """Numbers of the whole and of each group, the largest first; a group's key is None where objects have none.

    names: of administrative areas, zh and en, by code. edges: of the histogram's bins.
    """

    whole: Numbers
    groups: dict[Hashable, Numbers]
    names: Mapping[str, tuple[str | None, str | None]] = field(default_factory=dict)
    edges: tuple[float, ...] = ()


async def aggregate(
    connection: Connection, selection: Selection, catalog: Catalog, principal: Principal, question: Question
) -> Answer:
    """Answer a question on the selection. Raises AggregateError, LayerNotFound."""
    async with planned_anew(connection):
        return await _answer(connection, selection, catalog, principal, question)


async def _answer(
    connection: Connection, selection: Selection, catalog: Catalog, principal: Principal, question: Question
) -> Answer:
    layer = selection.layer
    value, key = _value(layer, catalog, question), _key(layer, catalog, question)
    groups = await _groups(connection, selection, catalog, principal, value=value, key=key)
    edges: tuple[float, ...] = ()
    if question.bins and value is not None:
        whole = _sum(groups.values())
        if whole.least is not None and whole.greatest is not None:
            edges = _edges(whole.least, whole.greatest, question.bins)
            spread = await _histograms(connection, selection, catalog, principal, value=value, key=key, edges=edges)
            groups = {name: replace(each, histogram=spread[name]) for name, each in groups.items()}
    names: Mapping[str, tuple[str | None, str | None]] = {}
    if question.by in LEVELS and layer.property(question.by) is None:
        groups, names = await _by_level(connection, catalog, principal, groups, question.by)
    if len(groups) > MOST_GROUPS:
        raise AggregateError(f"by={question.by}: {len(groups)} groups; at most {MOST_GROUPS:,} are told: ask for fewer")
    order = sorted(groups, key=lambda name: (-groups[name].count, name is None, str(name)))
    told = {name: groups[name] for name in order if question.by is not None and groups[name].count}
    return Answer(_sum(groups.values()), told, names, edges)


def unit_of(layer: Layer, question: Question) -> str | None:
    """The unit of the value: as asked for, else that of the property or of the measure. Raises AggregateError."""
    units = {"area": ("m2", "ha", "mu", "km2"), "length": ("m", "km")}.get(question.measure or "", ())
    if question.unit is not None and question.unit not in units:
        raise AggregateError(
            f"unit={question.unit}: area is told in m2, ha, mu or km2, length in m or km; properties have their own"
        )
    if question.measure is not None:
        return question.unit or units[0]
    attribute = layer.property(question.value or "")
    return attribute.unit if attribute else None


def _value(layer: Layer, catalog: Catalog, question: Question) -> ColumnElement[Any] | None:
    table, unit = objects(layer, catalog), unit_of(layer, question)
    if question.measure is not None:
        if question.value is not None:
            raise AggregateError("property and measure: ask for one of them")
        kinds = {"area": ("MultiPolygon", "Geometry"), "length": ("LineString", "Geometry")}[question.measure]
        if layer.theme.geometry not in kinds:
            raise AggregateError(f"measure={question.measure}: {layer.id} has no geometry of that kind")
        measured = func.ST_Area if question.measure == "area" else func.ST_Length
        metres = measured(func.geography(table.c.geom), type_=Float())
        return metres / literal(UNITS[unit or "m"], Float)
    if question.value is None:
        return None
    attribute = layer.property(question.value)
    if attribute is None or attribute.type not in ("integer", "number"):
        numbers = ", ".join(each.name for each in layer.properties if each.type in ("integer", "number"))
        raise AggregateError(f"property={question.value}: {layer.id} has these numbers: {numbers or 'none'}")
    return stored(table, attribute).cast(Float)


def _key(layer: Layer, catalog: Catalog, question: Question) -> list[ColumnElement[Any]]:
    """What objects are grouped by: nothing, one value, or column and row of a grid."""
    table, by = objects(layer, catalog), question.by
    if by is None:
        return []
    if (attribute := layer.property(by)) is not None:
        return [stored(table, attribute)]
    if by in LEVELS:
        return [table.c.code if layer.theme.table == AREAS else table.c.village_code]
    if by == GRID:
        metric = parse_crs(f"EPSG:{catalog.city.metric_srid}")
        point: ColumnElement[Any] = literal_column(
            projected(f"ST_PointOnSurface({table.name}.geom)", catalog.city.srid, metric)
        )
        size = literal(question.cell, Float)
        return [func.floor(axis(point) / size).cast(BigInteger) for axis in (func.ST_X, func.ST_Y)]
    known = ", ".join((*(each.name for each in layer.properties), *LEVELS, GRID))
    raise AggregateError(f"by={by}: {layer.id} can be told by {known}")


async def _groups(
    connection: Connection,
    selection: Selection,
    catalog: Catalog,
    principal: Principal,
    *,
    value: ColumnElement[Any] | None,
    key: list[ColumnElement[Any]],
) -> dict[Hashable, Numbers]:
    chosen = _chosen(selection, catalog, principal, value, key)
    named = [chosen.c[f"key_{place}"] for place in range(len(key))]
    numbers: list[ColumnElement[Any]] = [func.count().label("objects")]
    if value is not None:
        numbers += [measured(chosen.c.value) for measured in (func.count, func.sum, func.min, func.max)]
    # One group too many shows that there are too many; villages are put together only afterwards.
    statement = compiled(
        select(*named, *numbers).select_from(chosen).group_by(*named).limit(literal_column(str(20 * MOST_GROUPS)))
    )
    found: dict[Hashable, Numbers] = {}
    for row in await connection.fetch(statement.sql, *statement.arguments):
        values = list(row.values())
        told = values[len(key) :]
        found[_name(values[: len(key)])] = Numbers(told[0], *(told[1:] or [0]))
    return found or {_name([]): Numbers(0, 0)}


async def _histograms(
    connection: Connection,
    selection: Selection,
    catalog: Catalog,
    principal: Principal,
    *,
    value: ColumnElement[Any],
    key: list[ColumnElement[Any]],
    edges: tuple[float, ...],
) -> Mapping[Hashable, tuple[int, ...]]:
    chosen = _chosen(selection, catalog, principal, value, key)
    named = [chosen.c[f"key_{place}"] for place in range(len(key))]
    bins = len(edges) - 1
    bounds = [literal(bound, Float) for bound in (edges[0], edges[-1])]
    place = func.width_bucket(chosen.c.value, *bounds, literal_column(str(bins)))
    bucket = func.least(place, literal_column(str(bins))).label("bucket")
    counted = select(*named, bucket, func.count()).where(chosen.c.value.is_not(None)).group_by(*named, bucket)
    statement = compiled(counted)
    found: dict[Hashable, list[int]] = {}
    for row in await connection.fetch(statement.sql, *statement.arguments):
        *name, number, count = row.values()
        found.setdefault(_name(name), [0] * bins)[number - 1] = count
    return _Filled({name: tuple(counts) for name, counts in found.items()}, (0,) * bins)


class _Filled(dict[Hashable, tuple[int, ...]]):
    """Histograms by group; a group in which nothing has a value has an empty one."""

    def __init__(self, found: Mapping[Hashable, tuple[int, ...]], empty: tuple[int, ...]) -> None:
        super().__init__(found)
        self.empty = empty

    def __missing__(self, name: Hashable) -> tuple[int, ...]:
        return self.empty


def _chosen(
    selection: Selection,
    catalog: Catalog,
    principal: Principal,
    value: ColumnElement[Any] | None,
    key: list[ColumnElement[Any]],
) -> Any:
    columns: list[ColumnElement[Any]] = [column.label(f"key_{place}") for place, column in enumerate(key)]
    if value is not None:
        columns.append(value.label("value"))
    return rows(selection, catalog, principal).add_columns(*(columns or [literal_column("1")])).subquery("chosen")


async def _by_level(
    connection: Connection,
    catalog: Catalog,
    principal: Principal,
    groups: Mapping[Hashable, Numbers],
    level: str,
) -> tuple[dict[Hashable, Numbers], Mapping[str, tuple[str | None, str | None]]]:
    """Groups by village put together to those of a level, and what its areas are called."""
    areas = await _areas(connection, catalog, principal)
    found: dict[Hashable, Numbers] = {}
    for code, numbers in groups.items():
        name = _ancestor(areas, code, level)
        found[name] = found[name].plus(numbers) if name in found else numbers
    return found, {str(code): areas[str(code)].names for code in found if str(code) in areas}


@dataclass(frozen=True)
class _Area:
    level: str
    parent: str | None
    names: tuple[str | None, str | None]


async def _areas(connection: Connection, catalog: Catalog, principal: Principal) -> dict[str, _Area]:
    """Administrative areas as they are now, as far as the principal may see them."""
    layer = catalog.layer("administrative_areas", principal)
    table = objects(layer, catalog)
    columns = (table.c[name] for name in ("code", "level", "parent_code", "name", "name_en"))
    statement = compiled(rows(Selection(layer), catalog, principal).add_columns(*columns))
    return {
        row["code"]: _Area(row["level"], row["parent_code"], (row["name"], row["name_en"]))
        for row in await connection.fetch(statement.sql, *statement.arguments)
    }


def _ancestor(areas: Mapping[str, _Area], code: Hashable, level: str) -> str | None:
    """The area of a level in which an area lies, itself if it is one; None if there is none."""
    for _ in LEVELS:
        area = areas.get(str(code)) if code is not None else None
        if area is None:
            return None
        if area.level == level:
            return str(code)
        code = area.parent
    return None


def _name(values: list[Any]) -> Hashable:
    return tuple(values) if len(values) > 1 else values[0] if values else None


def _sum(groups: Iterable[Numbers]) -> Numbers:
    whole: Numbers | None = None
    for each in groups:
        whole = each if whole is None else whole.plus(each)
    assert whole is not None
    return whole


def _joined(join: Callable[[list[float]], float], one: float | None, other: float | None) -> float | None:
    given = [each for each in (one, other) if each is not None]
    return join(given) if given else None


def _edges(least: float, greatest: float, bins: int) -> tuple[float, ...]:
    # Values that are all alike lie in one bin that has a width.
    width = (greatest - least or max(abs(least), 1.0)) / bins
    return (*(least + place * width for place in range(bins)), greatest if greatest > least else least + bins * width)
