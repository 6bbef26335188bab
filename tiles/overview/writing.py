"""Finished cells go into the database, each in place of what stood there."""

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import shapely
from sqlalchemy import BigInteger, String, bindparam, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import ARRAY

from cim_models.database import Connection
from layers.statement import compiled
from tiles.matrix import HALF_WORLD, MARGIN
from tiles.overview.generalise import first_zooms, key_properties
from tiles.overview.level import FIRST, LAST, Floats, Ints, Level, Objects, Values, column_row, first_of
from tiles.overview.mass import Mass
from tiles.overview.recipe import EVERYWHERE
from tiles.overview.source import Source

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# An object that reaches into more tiles than this stands once, for every tile.
MOST_TILES = 16
# Masses are the last to be left out of a crowded tile, then greater roads before lesser ones.
MASS_RANK = 1e18
CLASS_RANK = 1e9

DELETE = """
    delete from {table} o using unnest($3::integer[], $4::integer[]) c (x, y)
    where o.layer = $1 and o.zoom = $2 and o.cell_x = c.x and o.cell_y = c.y
"""
INSERT_DRAWN = """
    insert into overview (layer, zoom, cell_x, cell_y, tile_x, tile_y, object_id, rank, properties, valid_from,
                          valid_to, geom_web)
    select $1, $2, cell_x, cell_y, tile_x, tile_y, object_id, rank, properties::jsonb, valid_from, valid_to,
           ST_GeomFromWKB(wkb, 3857)
    from unnest($3::integer[], $4::integer[], $5::integer[], $6::integer[], $7::bigint[], $8::float8[], $9::text[],
                $10::timestamptz[], $11::timestamptz[], $12::bytea[])
         o (cell_x, cell_y, tile_x, tile_y, object_id, rank, properties, valid_from, valid_to, wkb)
"""
INSERT_COVERAGE = """
    insert into overview_coverage (layer, zoom, cell_x, cell_y, properties, valid_from, valid_to, exact_from, exact_to,
                                   pixels, areas)
    select $1, $2, cell_x, cell_y, properties::jsonb, valid_from, valid_to, exact_from, exact_to, pixels, areas
    from unnest($3::integer[], $4::integer[], $5::text[], $6::timestamptz[], $7::timestamptz[], $8::timestamptz[],
                $9::timestamptz[], $10::bytea[], $11::bytea[])
         c (cell_x, cell_y, properties, valid_from, valid_to, exact_from, exact_to, pixels, areas)
"""


async def write_cells(connection: Connection, source: Source, level: Level, masses: Mass, cells: Ints) -> None:
    """Put a generalised level in place of what `cells` held; cells that came out empty are emptied."""
    names = source.layer.id, level.zoom
    x, y = (v.tolist() for v in column_row(cells))
    for table in ("overview", "overview_coverage"):
        await connection.execute(DELETE.format(table=table), *names, x, y)
    unread = [properties is None for properties in level.objects.properties]
    level.objects.properties[unread] = await _read_properties(connection, source, level.objects.version[unread])
    drawn = _drawn(source, level, masses)
    if len(drawn[0]):
        await connection.execute(INSERT_DRAWN, *names, *drawn)
    if len(level.coverage):
        await connection.execute(INSERT_COVERAGE, *names, *_coverage(level))


async def _read_properties(connection: Connection, source: Source, versions: Ints) -> list[str]:
    """The drawn properties of rows of the theme's table, as JSON."""
    table = source.table
    statement = compiled(
        select(table.c.id, cast(source.properties(), String).label("properties")).where(
            table.c.id == func.any(bindparam("versions", None, type_=ARRAY(BigInteger))),
            table.c.recorded_to == literal_column("'infinity'"),
        )
    )
    rows = await connection.fetch(statement.sql, *statement.with_values(versions=versions.tolist()))
    found = {row["id"]: row["properties"] for row in rows}
    return [found[version] for version in versions.tolist()]


def _drawn(source: Source, level: Level, masses: Mass) -> list[list[object]]:
    """The columns of INSERT_DRAWN: objects and masses, once for each tile."""
    objects = level.objects
    cell = np.concatenate([objects.cell, masses.cell])
    geometry = np.concatenate([objects.geometry, masses.geometry])
    row, tile_x, tile_y = _tiles(geometry, level.zoom)
    cell_x, cell_y = column_row(cell)
    properties = [*objects.properties, *_mass_properties(source, level, masses)]
    columns = (
        cell_x.tolist(),
        cell_y.tolist(),
        [number or None for number in objects.object_id.tolist()] + [None] * len(masses),
        [*_rank(objects, level, source).tolist(), *[MASS_RANK] * len(masses)],
        properties,
        _moments(np.concatenate([objects.start, masses.start])),
        _moments(np.concatenate([objects.end, masses.end])),
        shapely.to_wkb(geometry).tolist(),
    )
    x, y, *others = ([column[number] for number in row.tolist()] for column in columns)
    return [x, y, tile_x.tolist(), tile_y.tolist(), *others]


def _mass_properties(source: Source, level: Level, masses: Mass) -> list[str]:
    keys = [level.keys[key] for key in masses.key.tolist()]
    if source.shade is None:
        return [key_properties(key, level.columns) for key in keys]
    shades = [None if math.isnan(shade) else round(shade, 1) for shade in masses.shade.tolist()]
    columns = (*level.columns, source.shade)
    return [key_properties((*key, shade), columns) for key, shade in zip(keys, shades, strict=True)]


def _rank(objects: Objects, level: Level, source: Source) -> Floats:
    is_line = shapely.get_dimensions(objects.geometry) == 1
    return objects.size + np.where(is_line, CLASS_RANK * (30 - first_zooms(level, source.recipe)[objects.key]), 0.0)


def _tiles(geometry: Values, zoom: int) -> tuple[Ints, Ints, Ints]:
    """In which tiles each geometry is drawn, as (its number, column, row), once for each tile."""
    bounds = shapely.bounds(geometry).reshape(-1, 4)
    last = (1 << zoom) - 1
    side = 2 * HALF_WORLD / (1 << zoom)
    west, south, east, north = (bounds[:, i] + d * MARGIN * side for i, d in enumerate((-1, -1, 1, 1)))
    first_x, last_x = (np.clip((v + HALF_WORLD) // side, 0, last).astype(np.int64) for v in (west, east))
    first_y, last_y = (np.clip((HALF_WORLD - v) // side, 0, last).astype(np.int64) for v in (north, south))
    across = last_x - first_x + 1
    count = across * (last_y - first_y + 1)
    everywhere = count > MOST_TILES
    count[everywhere] = 1
    row = np.repeat(np.arange(len(count)), count)
    place = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    tile_x = np.where(everywhere[row], EVERYWHERE, first_x[row] + place % across[row])
    tile_y = np.where(everywhere[row], EVERYWHERE, first_y[row] + place // across[row])
    return row, tile_x, tile_y


def _coverage(level: Level) -> list[list[object]]:
    """The columns of INSERT_COVERAGE: one row a cell, key and span."""
    coverage = level.coverage
    coverage = coverage[np.lexsort((coverage.pixel, coverage.end, coverage.start, coverage.key, coverage.cell))]
    starts = np.flatnonzero(first_of(coverage.cell, coverage.key, coverage.start, coverage.end))
    ends = np.append(starts, len(coverage))[1:]
    first = coverage[starts]
    x, y = column_row(first.cell)
    limits = np.array([level.limits.get(cell, (FIRST, LAST)) for cell in first.cell.tolist()])
    properties = [key_properties(key, level.columns) for key in level.keys]
    pixels = coverage.pixel.astype("<u2")
    areas = np.stack([coverage.area, coverage.shaded, coverage.shaded_area]).astype("<f4")
    return [
        x.tolist(),
        y.tolist(),
        [properties[key] for key in first.key.tolist()],
        _moments(first.start),
        _moments(first.end),
        _moments(limits[:, 0]),
        _moments(limits[:, 1]),
        [pixels[a:b].tobytes() for a, b in zip(starts, ends, strict=True)],
        [areas[:, a:b].tobytes() for a, b in zip(starts, ends, strict=True)],
    ]


def _moments(microseconds: Ints) -> list[datetime | None]:
    values, place = np.unique(microseconds, return_inverse=True)
    moments = [None if v in (FIRST, LAST) else EPOCH + timedelta(microseconds=v) for v in values.tolist()]
    return [moments[number] for number in place.tolist()]
