"""Roads up the valleys to the dam and to hamlets: least-cost routes over the hills, graded to what cars can climb."""

import heapq
from dataclasses import dataclass

import numpy as np
import shapely

from twin.demo.frame import curve
from twin.demo.grid import Bools, Floats, Grid, Ints, Shapes, blur
from twin.demo.landform import Landform
from twin.demo.shapes import lines, merged_lines
from twin.demo.site import Site
from twin.demo.villages import spaced

# Steepest leg that a route may take over the ground, and steepest gradient after cut and fill.
STEEPEST, GRADIENT = 0.14, 0.085
# Distance between hamlets, m, and between the points of a road's profile, m.
HAMLETS_APART, PROFILE_STEP = 1150.0, 20.0


@dataclass(frozen=True)
class HillRoads:
    """Roads outside the plain. shape: lines that meet at their ends; hamlets: places at their upper ends."""

    shape: Shapes
    hamlets: Floats


def climb(site: Site, plain: shapely.Polygon) -> HillRoads:
    """Roads from the plain to the dam and to hamlets in the hills."""
    land, channels = site.land, site.channels
    grid = land.stream_grid
    x, y = grid.mesh()
    ground = blur(land.grid.sample(land.ground, x, y), grid, grid.cell * 0.7)
    inside = shapely.contains_xy(shapely.buffer(site.county, -80), x, y)
    dry = (land.grid.sample(land.offshore, x, y) < -40) & inside & ~_flooded(land, grid)
    at_plain = shapely.contains_xy(shapely.buffer(plain, 5), x, y)
    wet = shapely.union_all([*channels.stream_corridors, shapely.buffer(channels.river, 15)])
    burden = np.where(shapely.contains_xy(wet, x, y), 5.0, 1.0)
    cost, before = _routes(grid, ground, at_plain, dry, burden)
    goals = _goals(site, cost, at_plain)
    links = _links(before, goals.tolist())
    if not len(links):
        return HillRoads(np.empty(0, dtype=object), np.empty((0, 2)))
    places = np.stack((x.ravel(), y.ravel()), axis=1)
    chains = merged_lines(lines(places[links]))
    smooth = np.array([_smoothed(shapely.get_coordinates(chain), grid.cell) for chain in chains], dtype=object)
    roads = shapely.get_parts(shapely.difference(smooth, plain))
    keep = (shapely.get_type_id(roads) == 1) & (shapely.length(roads) > 30)
    return HillRoads(roads[keep], places[goals[1:]])


def _flooded(land: Landform, grid: Grid) -> Bools:
    """Cells below the crest of the dam upstream of it."""
    river = land.river
    x, y = grid.mesh()
    (cx, cy), (ax, ay) = river.dam_axis
    crest = land.grid.sample(land.ground, *river.points[river.dam]) + river.head + 6
    upstream = (x - cx) * ax + (y - cy) * ay < 60
    near = np.hypot(x - cx, y - cy) < 6 * (river.way[-1] - river.way[0]) / 20
    flooded = upstream & near & (land.grid.sample(land.ground, x, y) < crest)
    # A cell more, because the routes are smoothed afterwards.
    spread = blur(flooded.astype(float), grid, grid.cell * 0.8)
    wide: Bools = spread > 0.03
    return wide


def _routes(grid: Grid, ground: Floats, sources: Bools, passable: Bools, burden: Floats) -> tuple[Floats, Ints]:
    """Cheapest way from any source cell to each passable cell (Dijkstra): cost, and the cell before, -1 at a source."""
    rows, columns = grid.shape
    height, load = ground.ravel(), burden.ravel()
    cost = np.full(height.size, np.inf)
    before = np.full(height.size, -1)
    cost[sources.ravel()] = 0
    open_cell = (passable | sources).ravel()
    rim = sources & ~(
        np.roll(sources, 1, 0) & np.roll(sources, -1, 0) & np.roll(sources, 1, 1) & np.roll(sources, -1, 1)
    )
    queue = [(0.0, int(cell)) for cell in np.flatnonzero(rim)]
    steps = [(i, j, grid.cell * float(np.hypot(i, j))) for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j]
    while queue:
        spent, cell = heapq.heappop(queue)
        if spent > cost[cell]:
            continue
        row, column = divmod(cell, columns)
        for down, right, way in steps:
            if not (0 <= row + down < rows and 0 <= column + right < columns):
                continue
            to = cell + down * columns + right
            slope = abs(height[to] - height[cell]) / way
            if not open_cell[to] or slope > STEEPEST:
                continue
            total = spent + way * load[to] * (1 + (slope / 0.05) ** 2)
            if total < cost[to]:
                cost[to], before[to] = total, cell
                heapq.heappush(queue, (total, to))
    return cost, before


def _goals(site: Site, cost: Floats, at_plain: Bools) -> Ints:
    """Cells to be reached: the foot of the dam first, then hamlets on gentle ground above the plain."""
    land, frame = site.land, site.frame
    grid = land.stream_grid
    x, y = grid.mesh()
    river = land.river
    (cx, cy), (ax, ay) = river.dam_axis
    reachable = np.isfinite(cost) & ~at_plain.ravel()
    near_dam = np.hypot(x - cx - 40 * ax, y - cy - 40 * ay).ravel()
    dam = int(np.where(reachable, near_dam, np.inf).argmin())
    relief = land.grid.sample(land.relief, x, y)
    east, north = grid.slope(blur(relief, grid, grid.cell))
    gentle = (np.hypot(east, north) < 0.16) & (relief > 6) & (relief < 170)
    fit = gentle.ravel() & reachable & (cost > 600) & (cost < 6500 * frame.scale)
    candidates = frame.random("hamlets").permutation(np.flatnonzero(fit))
    places = np.stack((x.ravel()[candidates], y.ravel()[candidates]), axis=1)
    row, column = grid.cells(*spaced(places, HAMLETS_APART).T)
    return np.concatenate(([dam], row * grid.columns + column))


def _links(before: Ints, goals: list[int]) -> Ints:
    """Steps of the ways to all goals, each once."""
    seen: set[int] = set()
    links = []
    for goal in goals:
        cell = goal
        while cell not in seen and before[cell] >= 0:
            seen.add(cell)
            links.append((int(before[cell]), cell))
            cell = int(before[cell])
    return np.array(links, dtype=np.int64).reshape(-1, 2)


def _smoothed(points: Floats, cell: float) -> shapely.LineString:
    """The chain of cells as a winding road; its ends stay."""
    if len(points) < 4:
        return shapely.LineString(points)
    inner = (points[:-2] + 2 * points[1:-1] + points[2:]) / 4
    knots = np.vstack((points[0], inner[::2], points[-1]))
    return shapely.LineString(curve(knots, cell / 3))


def graded(land: Landform, roads: Shapes) -> tuple[Shapes, list[Floats]]:
    """Each road with vertices PROFILE_STEP apart, and the height of its surface there, m.

    Nowhere steeper than GRADIENT, equal where roads meet, and at the plain's height where they leave it.
    """
    dense = shapely.segmentize(roads, PROFILE_STEP)
    corners, road = shapely.get_coordinates(dense, return_index=True)
    _, node = np.unique(np.round(corners, 2), axis=0, return_inverse=True)
    node = node.ravel()
    same = road[1:] == road[:-1]
    start, end = node[:-1][same], node[1:][same]
    way = np.hypot(*(corners[1:] - corners[:-1])[same].T)
    height = np.zeros(node.max() + 1)
    height[node] = land.grid.sample(land.ground, *corners.T)
    fixed = np.zeros(len(height), dtype=bool)
    fixed[node] = land.grid.sample(land.relief, *corners.T) < 0.5
    upper = _spread(height, start, end, way)
    lower = -_spread(-height, start, end, way)
    middle = (upper + lower) / 2
    ceiling = _spread(np.where(fixed, height, np.inf), start, end, way)
    floor = -_spread(np.where(fixed, -height, np.inf), start, end, way)
    surface = np.clip(middle, floor, ceiling)[node]
    return dense, np.split(surface, np.flatnonzero(~same) + 1)


def _spread(height: Floats, start: Ints, end: Ints, way: Floats) -> Floats:
    """The highest surface below `height` that rises nowhere faster than GRADIENT along the edges."""
    result = height.copy()
    while True:
        lower = result.copy()
        np.minimum.at(lower, end, result[start] + GRADIENT * way)
        np.minimum.at(lower, start, result[end] + GRADIENT * way)
        if np.array_equal(lower, result):
            return result
        result = lower
