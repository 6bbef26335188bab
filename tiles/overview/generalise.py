"""From the objects of some cells to those that are drawn at a zoom: the largest, the merged, the thinned.

All of it is a function of one cell's content alone, so that an edit rebuilds its own cells and no other.
"""

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import shapely
from numpy.typing import NDArray

from tiles.matrix import HALF_WORLD
from tiles.overview.fill import filled
from tiles.overview.level import (
    FIRST,
    LAST,
    Coverage,
    Floats,
    Ints,
    Key,
    Level,
    Objects,
    Span,
    Values,
    column_row,
    first_of,
    parent,
    parent_pixel,
    pixel_side,
)
from tiles.overview.moments import limited
from tiles.overview.recipe import (
    CELL_PIXELS,
    FRAME,
    IMAGE_PIXELS,
    POINTS_A_CELL,
    SHORTEST_LINE,
    SMALLEST_POLYGON,
    STREWN,
    TOLERANCE,
    WIDE,
    Recipe,
    polygons_a_cell,
)

# Middles of the quarters of a box, as shares of its width and height.
QUARTERS = ((0.25, 0.25), (0.25, 0.75), (0.75, 0.25), (0.75, 0.75))


def coarser(level: Level, columns: tuple[str, ...]) -> Level:
    """The level one zoom lower, not yet generalised: cells and pixels halved, keys cut to `columns`."""
    keys, number = _project(level.keys, len(columns))
    objects, coverage = level.objects, level.coverage
    pixel = parent_pixel(coverage.cell, coverage.pixel)
    limits: dict[int, Span] = {}
    for cell, (start, end) in level.limits.items():
        above = int(parent(np.array(cell)))
        known = limits.get(above, (FIRST, LAST))
        limits[above] = max(known[0], start), min(known[1], end)
    return Level(
        level.zoom - 1,
        columns,
        keys,
        replace(objects, cell=parent(objects.cell), key=number[objects.key]),
        replace(coverage, cell=parent(coverage.cell), pixel=pixel, key=number[coverage.key]),
        limits,
    )


def generalised(level: Level, recipe: Recipe, now: int) -> Level:
    """What is drawn of a level: the objects that stay, and the coverage that grew by those that do not.

    now: microseconds since 1970; next to it the coverage is exact in time.
    """
    dimension = shapely.get_dimensions(level.objects.geometry)
    polygons, coverage = _polygons(level.objects[dimension == 2], level)
    lines = _lines(level.objects[dimension == 1], level, recipe)
    points = _points(level.objects[dimension == 0])
    coverage, limits = limited(coverage, level.limits, now)
    return replace(level, objects=Objects.join([polygons, lines, points]), coverage=coverage, limits=limits)


def _polygons(objects: Objects, level: Level) -> tuple[Objects, Coverage]:
    pixel = pixel_side(level.zoom)
    bounds = shapely.bounds(objects.geometry).reshape(-1, 4)
    wide = np.maximum(bounds[:, 2] - bounds[:, 0], bounds[:, 3] - bounds[:, 1]) > WIDE * pixel
    order = np.lexsort((objects.version, objects.object_id, -objects.size, ~wide, objects.cell))
    objects, bounds, wide = objects[order], bounds[order], wide[order]
    among_largest = _rank(objects.cell) < polygons_a_cell(level.zoom)
    kept = wide | (among_largest & (objects.size >= SMALLEST_POLYGON * pixel**2))
    covered = _covered(objects[~kept], bounds[~kept], level.zoom)
    stay = objects[kept]
    stay.geometry = _simplified(stay.geometry, TOLERANCE * pixel)
    return stay, Coverage.join([level.coverage, covered])


def _simplified(geometry: Values, tolerance: float) -> Values:
    """Fewer corners; what would vanish stays as it is."""
    simple = shapely.simplify(geometry, tolerance, preserve_topology=True)
    return np.where(shapely.is_empty(simple), geometry, simple)


def _rank(*group: Ints) -> Ints:
    """Place of each entry in its group, from 0; the entries stand ordered by group."""
    position = np.arange(len(group[0]))
    return position - np.maximum.accumulate(np.where(first_of(*group), position, 0))


def _covered(objects: Objects, bounds: Floats, zoom: int) -> Coverage:
    """The pixels that polygons cover, each in its cell's image."""
    pixel = pixel_side(zoom)
    column, row = column_row(objects.cell)
    west, north = (column * CELL_PIXELS - FRAME) * pixel - HALF_WORLD, HALF_WORLD - (row * CELL_PIXELS - FRAME) * pixel
    origin: Floats = np.stack([west, north], axis=1)
    large = np.maximum(bounds[:, 2] - bounds[:, 0], bounds[:, 3] - bounds[:, 1]) > STREWN * pixel
    number, pixels = filled(objects.geometry[large], origin[large], pixel, IMAGE_PIXELS)
    of_large = np.flatnonzero(large)
    missed = np.ones(len(objects), dtype=bool)
    missed[of_large[number]] = False
    quarters = [_quarter(bounds[missed], origin[missed], pixel, across, down) for across, down in QUARTERS]
    entry = np.concatenate([of_large[number], np.tile(np.flatnonzero(missed), len(QUARTERS))])
    whole = np.full(len(number), pixel**2)
    area = np.concatenate([whole, np.tile(objects.size[missed] / len(QUARTERS), len(QUARTERS))])
    shade = objects.shade[entry]
    known = ~np.isnan(shade)
    return Coverage(
        objects.cell[entry],
        np.concatenate([pixels, *quarters]),
        objects.key[entry],
        objects.start[entry],
        objects.end[entry],
        area,
        np.where(known, shade * area, 0.0),
        np.where(known, area, 0.0),
    )


def _quarter(bounds: Floats, origin: Floats, pixel: float, across: float, down: float) -> Ints:
    """The pixel at the middle of a quarter of each box: close enough for what is as small as a pixel."""
    x = bounds[:, 0] + across * (bounds[:, 2] - bounds[:, 0]) - origin[:, 0]
    y = origin[:, 1] - bounds[:, 3] + down * (bounds[:, 3] - bounds[:, 1])
    column, row = (np.clip(v // pixel, 0, IMAGE_PIXELS - 1).astype(np.int64) for v in (x, y))
    return row * IMAGE_PIXELS + column


def _lines(objects: Objects, level: Level, recipe: Recipe) -> Objects:
    """Lines of equal key and span become one, its ends joined; short ends and lesser roads are left out."""
    objects = objects[first_zooms(level, recipe)[objects.key] <= level.zoom]
    if not len(objects):
        return objects
    pixel = pixel_side(level.zoom)
    objects = objects[
        np.lexsort((objects.version, objects.object_id, objects.end, objects.start, objects.key, objects.cell))
    ]
    starts = np.flatnonzero(first_of(objects.cell, objects.key, objects.start, objects.end))
    members = np.diff(np.r_[starts, len(objects)])
    merged = shapely.line_merge(_collected(objects.geometry, np.repeat(np.arange(len(starts)), members)))
    parts, part_group = shapely.get_parts(merged, return_index=True)
    long = shapely.length(parts) >= SHORTEST_LINE * pixel
    parts, part_group = shapely.simplify(parts[long], TOLERANCE * pixel), part_group[long]
    chosen = np.unique(part_group)
    result = objects[starts[chosen]]
    result.geometry = _collected(parts, np.searchsorted(chosen, part_group))
    result.size = shapely.length(result.geometry)
    several = (members[chosen] > 1) | (result.object_id == 0)
    result.object_id[several] = 0
    result.version[several] = 0
    result.properties[several] = [key_properties(level.keys[key], level.columns) for key in result.key[several]]
    return result


def first_zooms(level: Level, recipe: Recipe) -> Ints:
    """The lowest zoom at which lines of each key are drawn."""
    place = level.columns.index("class") if "class" in level.columns else None
    classes = [None if place is None else key[place] for key in level.keys]
    return np.array([recipe.first_zoom.get(c or "", recipe.first_zoom_otherwise) for c in classes], dtype=np.int64)


def _collected(lines: Values, group: Ints) -> Values:
    parts, index = shapely.get_parts(lines, return_index=True)
    return np.asarray(shapely.multilinestrings(parts, indices=group[index]))


def key_properties(values: Sequence[object], columns: Sequence[str]) -> str:
    """The JSON of what merged objects have in common, without what is not known."""
    known = {name: value for name, value in zip(columns, values, strict=True) if value is not None}
    return json.dumps(known, ensure_ascii=False)


def _points(objects: Objects) -> Objects:
    """Of each cell some of every class: first one of each, then a second, in an order that strews them evenly."""
    strewn = _scramble(objects.object_id)
    order = np.lexsort((strewn, objects.key, objects.cell))
    objects, strewn = objects[order], strewn[order]
    in_class = _rank(objects.cell, objects.key)
    objects = objects[np.lexsort((strewn, in_class, objects.cell))]
    rank = _rank(objects.cell)
    objects.size = np.reciprocal(1.0 + rank)
    return objects[rank < POINTS_A_CELL]


def _scramble(number: Ints) -> NDArray[np.uint64]:
    """Neighbours in number become strangers (Fibonacci hashing, Knuth 1998, 6.4)."""
    return number.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)


def _project(keys: Sequence[Key], length: int) -> tuple[list[Key], Ints]:
    """Keys cut to a length, each once, and the new number of each old one."""
    short = [key[:length] for key in keys]
    distinct = sorted(set(short), key=lambda key: tuple((part is not None, part or "") for part in key))
    place = {key: number for number, key in enumerate(distinct)}
    return distinct, np.array([place[key] for key in short], dtype=np.int64)
