"""Walls as the engine has them, on the edges of cells, and the breaches that open in them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely

from twin.flood.scenario.errors import FloodRefused
from twin.flood.scenario.ground import Ground, without_body
from twin.flood.scenario.inputs import FloodInputs
from twin.flood.scenario.ribbon import crest_line
from twin.flood.scenario.site import Floats, Site
from twin.flood.walls import Breach, Wall
from twin.scenarios.inputs import Words
from twin.scenarios.objects import Objects, Shapes
from twin.scenarios.shapes import in_metres

HOUR = 3600.0
WALLS = ("SeaWall", "Dike", "Dam", "Wall", "Breakwater")
RAISED = ("SeaWall", "Dike")
# A breach belongs to the wall within this distance, m; a gate or a pump too.
NEAR_M = 150.0
# How far an end of a wall is drawn on, m and in cells, whichever is more.
TIE_M, TIE_CELLS = 300.0, 5.0


def stand_walls(
    constructions: Objects, inputs: FloodInputs, ground: Ground, notes: list[Words]
) -> tuple[list[Wall], Shapes]:
    """Walls with a crest level, and the shapes of those that the terrain shows too."""
    site = ground.site
    # A cell beyond the rim, so that no gap is left along it.
    box = shapely.box(*site.metric_box).buffer(site.cell, join_style="mitre")
    found = constructions.of_class(*WALLS)
    lines = [crest_line(shape) for shape in found.shape]
    crests = found.numbers("crest_level")
    known = np.array([line is not None for line in lines], bool) & np.isfinite(crests)
    unknown = sum(line is not None for line in lines) - int(known.sum())
    found, crests = found.take(known), crests[known]
    crest_lines = np.array(lines, object)[known]
    walls: list[Wall] = []
    tied = 0
    for n, (uid, kind, crest) in enumerate(zip(found["uid"], found["class"], crests, strict=True)):
        line, ends = tied_ends(crest_lines[n], float(crest), ground, np.delete(crest_lines, n))
        tied += ends
        raised = crest + (inputs.raise_walls_m if kind in RAISED else 0.0)
        for part in shapely.get_parts(shapely.intersection(line, box)):
            if part.geom_type == "LineString" and part.length > site.cell:
                walls.append(Wall(list(part.coords), raised, name=f"{uid}#{len(walls)}"))
    if tied:
        en = f"{tied} ends of walls were drawn on to higher ground, the next wall or the rim"
        notes.append(Words(f"{tied} 处墙端已延伸至高地、邻墙或计算边界", en))
    if unknown:
        en = f"{unknown} walls without a crest level are only what the terrain shows of them"
        notes.append(Words(f"{unknown} 道墙无顶高程，仅按地形计入", en))
    for number, drawn in enumerate(inputs.walls, 1):
        drawn_line = shapely.intersection(in_metres(drawn.line, site.crs), box)
        for part in shapely.get_parts(drawn_line):
            if part.geom_type != "LineString" or part.length <= site.cell:
                continue
            dense = shapely.segmentize(part, site.cell)
            heights = _crests(site, ground, dense, drawn.crest_m, drawn.above_ground_m)
            walls.append(Wall(list(dense.coords), heights, name=f"wall {number}#{len(walls)}"))
        if not any(wall.name.startswith(f"wall {number}#") for wall in walls):
            raise FloodRefused(
                f"walls: the line of wall {number} lies outside the area or is shorter than a cell; draw it again",
                f"walls：第 {number} 道墙的线在计算范围外或短于一个网格，请重新绘制",
            )
    return walls, found.shape


def tied_ends(line: shapely.LineString, crest: float, ground: Ground, others: Shapes) -> tuple[shapely.LineString, int]:
    """A wall whose ends are drawn on to ground as high as its crest, another wall or the rim, and how many were.

    A wall ends where the ground takes over; on a coarse raster that ground has sunk, and water would pass between.
    The nearest within reach is taken; no wall is led through standing water, which keeps river mouths open.
    """
    site = ground.site
    reach = max(TIE_M, TIE_CELLS * site.cell)
    rim = shapely.box(*site.metric_box).exterior
    points = list(line.coords)
    if points[0] == points[-1]:
        return line, 0
    xs, ys = site.middles()
    count = 0
    for end in (0, -1):
        x, y = points[end]
        rows, columns = np.flatnonzero(np.abs(ys - y) < reach), np.flatnonzero(np.abs(xs - x) < reach)
        if not len(rows) or not len(columns):
            continue
        away = np.hypot(xs[columns][None, :] - x, ys[rows][:, None] - y)
        away = np.where(ground.natural[np.ix_(rows, columns)] >= crest, away, np.inf)
        row, column = np.unravel_index(int(away.argmin()), away.shape)
        ways = []
        if away[row, column] < reach:
            ways.append((float(away[row, column]), (float(xs[columns][column]), float(ys[rows][row]))))
        here = shapely.Point(x, y)
        for other in [*others, rim]:
            if (apart := shapely.distance(other, here)) < reach:
                ways.append((apart, shapely.shortest_line(here, other).coords[1]))
        for apart, goal in sorted(ways):
            if apart > 0.1 and not _wet(ground, (x, y), goal):
                points = [goal, *points] if end == 0 else [*points, goal]
                count += 1
                break
            if apart <= 0.1:
                break
    return shapely.LineString(points), count


def _wet(ground: Ground, begin: tuple[float, float], end: tuple[float, float]) -> bool:
    """Whether inland water lies on the way between two places."""
    for share in np.linspace(0, 1, 12):
        cell = ground.site.cell_of(*(a + (b - a) * float(share) for a, b in zip(begin, end, strict=True)))
        if cell is not None and np.isfinite(ground.standing[cell]) and not ground.sea[cell]:
            return True
    return False


def _crests(
    site: Site, ground: Ground, line: shapely.LineString, crest: float | None, above: float | None
) -> list[float]:
    if crest is not None:
        return [crest] * len(line.coords)
    heights = [ground.natural[site.cell_of(x, y) or (0, 0)] for x, y in line.coords]
    return [float(height) + (above or 0.0) for height in np.nan_to_num(heights, nan=float(np.nanmin(heights)))]


def open_breaches(
    inputs: FloodInputs, ground: Ground, walls: Sequence[Wall], bodies: Shapes
) -> tuple[list[Breach], Floats]:
    lines = np.array([shapely.LineString(wall.line) for wall in walls], object)
    breaches, bed = [], ground.bed
    for number, asked in enumerate(inputs.breaches, 1):
        place = in_metres(asked.at, ground.site.crs) if asked.at is not None else _middle_of_longest(walls, lines)
        away = shapely.distance(lines, place) if len(lines) else np.array([np.inf])
        nearest = int(away.argmin())
        if away[nearest] > NEAR_M:
            raise FloodRefused(
                f"breaches: no sea wall, dike or drawn wall within {NEAR_M:g} m of breach {number}; place it on one",
                f"breaches：溃口 {number} 附近 {NEAR_M:g} 米内没有海塘、堤防或新建墙",
            )
        bed = np.fmin(bed, without_body(ground, bodies, place.x, place.y, asked.widest_m / 2))
        row, column = ground.site.cell_of(place.x, place.y) or (0, 0)
        around = bed[max(row - 2, 0) : row + 3, max(column - 2, 0) : column + 3]
        bottom = asked.bottom_m if asked.bottom_m is not None else float(np.nanmedian(around))
        breaches.append(
            Breach(
                walls[nearest].name,
                at=(place.x, place.y),
                start=asked.begin_h * HOUR,
                bottom=bottom,
                fall=asked.minutes_to_fall * 60,
                first_width=asked.first_width_m,
                widest=asked.widest_m,
                material=asked.material,
            )
        )
    return breaches, bed


def _middle_of_longest(walls: Sequence[Wall], lines: Shapes) -> Any:
    """Of the sea walls, or of all walls where there is none."""
    if not len(lines):
        return shapely.Point(0, 0)
    at_sea = np.array([wall.name.startswith("seawall") for wall in walls])
    length = shapely.length(lines) * np.where(at_sea | ~at_sea.any(), 1, 0)
    return shapely.line_interpolate_point(lines[int(length.argmax())], 0.5, normalized=True)
