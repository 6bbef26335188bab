"""What cells are built from: the city's objects at the top zoom, the next finer cells below it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from sqlalchemy import BigInteger, ColumnElement, Double, bindparam, func, literal_column, null, select
from sqlalchemy.dialects.postgresql import ARRAY

from cim_models.database import Connection
from layers.statement import Statement, compiled
from tiles.matrix import HALF_WORLD
from tiles.overview.generalise import coarser
from tiles.overview.level import (
    FIRST,
    LAST,
    ROW_BITS,
    Coverage,
    Floats,
    Ints,
    Key,
    Level,
    Objects,
    Values,
    cell_side,
    column_row,
    home_cells,
)
from tiles.overview.recipe import CELL_ZOOMS, EVERYWHERE, TOP_ZOOM
from tiles.overview.source import Source

STORED_OBJECTS = f"""
    select o.cell_x, o.cell_y, o.object_id, ST_AsBinary(o.geom_web), o.rank, {{start}}, {{end}}, o.properties::text,
           {{shade}}{{key}}
    from unnest($3::integer[], $4::integer[]) c (x, y)
    join overview o on o.layer = $1 and o.zoom = $2 and o.cell_x = c.x and o.cell_y = c.y
    where o.tile_x in (o.cell_x >> {CELL_ZOOMS}, {EVERYWHERE}) and o.tile_y in (o.cell_y >> {CELL_ZOOMS}, {EVERYWHERE})
      and (o.object_id is not null or ST_Dimension(o.geom_web) < 2)
"""
STORED_COVERAGE = """
    select o.cell_x, o.cell_y, {start}, {end}, {exact_from}, {exact_to}, o.pixels, o.areas{key}
    from unnest($3::integer[], $4::integer[]) c (x, y)
    join overview_coverage o on o.layer = $1 and o.zoom = $2 and o.cell_x = c.x and o.cell_y = c.y
"""
_none, _nothing = np.zeros(0, np.int64), np.zeros(0)
NO_COVERAGE = Coverage(_none, _none, _none, _none, _none, _nothing, _nothing, _nothing)


async def top_level(connection: Connection, source: Source, cells: Ints) -> Level:
    """The objects of cells of the highest overview zoom, from the theme's table."""
    statement = objects_statement(source)
    x, y = column_row(cells)
    side = cell_side(TOP_ZOOM)
    west, north = x * side - HALF_WORLD, HALF_WORLD - y * side
    sides = {"west": west, "south": north - side, "east": west + side, "north": north}
    values = statement.with_values(cell=cells.tolist(), **{name: side.tolist() for name, side in sides.items()})
    count = 7 + len(source.key_columns(TOP_ZOOM))
    cell, version, object_id, wkb, start, end, shade, *key = await _columns(connection, count, statement.sql, *values)
    geometry = shapely.from_wkb(np.array(wkb, dtype=object))
    keys, number = _keys(key, len(cell))
    objects = Objects(
        cell=np.array(cell, dtype=np.int64),
        object_id=np.array(object_id, dtype=np.int64),
        version=np.array(version, dtype=np.int64),
        geometry=geometry,
        size=_size(geometry),
        key=number,
        start=_moments(start, FIRST),
        end=_moments(end, LAST),
        shade=np.array(shade, dtype=np.float64),
        properties=np.full(len(cell), None, dtype=object),
    )
    # An object that lies in several cells was found in each; it is at home in one.
    at_home = objects[home_cells(geometry, TOP_ZOOM) == objects.cell]
    return Level(TOP_ZOOM, source.key_columns(TOP_ZOOM), keys, at_home, NO_COVERAGE)


def objects_statement(source: Source) -> Statement:
    """SQL of the layer's objects whose box meets one of the boxes west, south, east, north (arrays, EPSG:3857)."""
    table = source.table
    sides = [bindparam(name, None, type_=ARRAY(Double)) for name in ("west", "south", "east", "north")]
    boxes = func.unnest(bindparam("cell", None, type_=ARRAY(BigInteger)), *sides)
    cell = boxes.table_valued("cell", "west", "south", "east", "north", name="box").render_derived()
    box = func.ST_MakeEnvelope(cell.c.west, cell.c.south, cell.c.east, cell.c.north, literal_column("3857"))
    shade: ColumnElement[Any] = source.columns[source.shade] if source.shade else null()
    return compiled(
        select(
            cell.c.cell,
            table.c.id,
            table.c.object_id,
            func.ST_AsBinary(table.c.geom_web),
            literal_column(_microseconds(f"{table.name}.valid_from")),
            literal_column(_microseconds(f"{table.name}.valid_to")),
            shade,
            *(source.columns[name] for name in source.key_columns(TOP_ZOOM)),
        )
        .select_from(cell)
        .join(table, table.c.geom_web.op("&&")(box))
        .where(*source.believed())
    )


async def lower_level(connection: Connection, source: Source, zoom: int, cells: Ints) -> Level:
    """What cells of a lower zoom are built from: their four finer cells, as they were written."""
    finer = zoom + 1
    x, y = column_row(cells)
    children = [np.concatenate([v * 2 + d for d in ds]).tolist() for v, ds in ((x, (0, 0, 1, 1)), (y, (0, 1, 0, 1)))]
    columns = source.key_columns(finer)
    shade = f"(o.properties->>'{source.shade}')::float8" if source.shade else "null::float8"
    parts = {
        "start": _microseconds("o.valid_from"),
        "end": _microseconds("o.valid_to"),
        "exact_from": _microseconds("o.exact_from"),
        "exact_to": _microseconds("o.exact_to"),
        "shade": shade,
        "key": "".join(f", o.properties->>'{name}'" for name in columns),
    }
    arguments = (source.layer.id, finer, *children)
    count = 9 + len(columns)
    drawn = await _columns(connection, count, STORED_OBJECTS.format(**parts), *arguments)
    covered = await _columns(connection, count - 1, STORED_COVERAGE.format(**parts), *arguments)
    # One numbering of keys for both.
    key = [[*a, *b] for a, b in zip(drawn[9:], covered[8:], strict=True)]
    keys, number = _keys(key, len(drawn[0]) + len(covered[0]))
    objects = _stored_objects(drawn, number[: len(drawn[0])])
    coverage, limits = _stored_coverage(covered, number[len(drawn[0]) :])
    return coarser(Level(finer, columns, keys, objects, coverage, limits), source.key_columns(zoom))


def _stored_objects(columns: list[list[Any]], key: Ints) -> Objects:
    x, y, object_id, wkb, rank, start, end, properties, shade = columns[:9]
    geometry = shapely.from_wkb(np.array(wkb, dtype=object))
    # A simplified polygon is smaller than it was; its rank still tells.
    size = np.where(shapely.get_dimensions(geometry) == 2, np.array(rank, dtype=np.float64), _size(geometry))
    return Objects(
        cell=_cell(x, y),
        object_id=np.array([v or 0 for v in object_id], dtype=np.int64),
        version=np.zeros(len(key), np.int64),
        geometry=geometry,
        size=size,
        key=key,
        start=_moments(start, FIRST),
        end=_moments(end, LAST),
        shade=np.array(shade, dtype=np.float64),
        properties=np.array(properties, dtype=object),
    )


def _stored_coverage(columns: list[list[Any]], key: Ints) -> tuple[Coverage, dict[int, tuple[int, int]]]:
    x, y, start, end, exact_from, exact_to, pixels, areas = columns[:8]
    lengths = [len(p) // 2 for p in pixels]
    cells, begins, finishes = _cell(x, y), _moments(exact_from, FIRST), _moments(exact_to, LAST)
    sums = np.concatenate([np.frombuffer(a, "<f4").reshape(3, -1) for a in areas] or [np.zeros((3, 0))], axis=1)
    coverage = Coverage(
        np.repeat(cells, lengths),
        np.frombuffer(b"".join(pixels), "<u2").astype(np.int64),
        np.repeat(key, lengths),
        np.repeat(_moments(start, FIRST), lengths),
        np.repeat(_moments(end, LAST), lengths),
        *sums.astype(np.float64),
    )
    limits = {
        cell: (begin, finish)
        for cell, begin, finish in zip(cells.tolist(), begins.tolist(), finishes.tolist(), strict=True)
        if (begin, finish) != (FIRST, LAST)
    }
    return coverage, limits


async def _columns(connection: Connection, count: int, sql: str, *arguments: Any) -> list[list[Any]]:
    """The columns of a query as lists: the database turns rows over more quickly than Python does."""
    names = [f"c{number}" for number in range(count)]
    turned = ", ".join(f"array_agg({name})" for name in names)
    row = await connection.fetchrow(f"select {turned} from ({sql}) q ({', '.join(names)})", *arguments)
    assert row is not None
    return [column or [] for column in row.values()]


def _keys(columns: Sequence[Sequence[Any]], count: int) -> tuple[list[Key], Ints]:
    """The distinct keys in a fixed order, and the number of each row's."""
    if not columns:
        return [()], np.zeros(count, np.int64)
    rows = list(zip(*columns, strict=True))
    keys = sorted(set(rows), key=lambda key: tuple((part is not None, part or "") for part in key))
    place = {key: number for number, key in enumerate(keys)}
    return keys, np.fromiter((place[row] for row in rows), np.int64, len(rows))


def _cell(x: Sequence[int], y: Sequence[int]) -> Ints:
    return (np.array(y, dtype=np.int64) << ROW_BITS) | np.array(x, dtype=np.int64)


def _moments(values: Sequence[int | None], unbounded: int) -> Ints:
    return np.array([unbounded if v is None else v for v in values], dtype=np.int64)


def _size(geometry: Values) -> Floats:
    return np.where(shapely.get_dimensions(geometry) == 2, shapely.area(geometry), shapely.length(geometry))


def _microseconds(column: str) -> str:
    """SQL of a moment as microseconds since 1970, null where it is unbounded."""
    unbounded = "-infinity" if column.endswith("from") else "infinity"
    return f"(extract(epoch from nullif({column}, '{unbounded}')) * 1000000)::bigint"
