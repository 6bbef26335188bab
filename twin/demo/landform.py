"""The lie of the land before anything is built: coast, hills, plain, sea floor, and the valley of the river."""

from dataclasses import dataclass

import numpy as np
import shapely
from rasterio.features import rasterize
from rasterio.transform import from_origin

from twin.demo.contours import areas_above
from twin.demo.erosion import erode
from twin.demo.frame import Frame
from twin.demo.grid import Floats, Grid, Ints, Shapes, blur, enlarge, noise, ridges, smoothstep
from twin.demo.layout import Layout
from twin.demo.river import FREEBOARD, River, course
from twin.demo.shapes import points

# Elevations are metres above the 1985 national height datum.
LOW_WATER = -2.0
HIGH_FLAT = 1.7
POLDER = 3.3
PEAK = 430.0


@dataclass(frozen=True)
class Landform:
    """Natural terrain on the layout grid.

    ground: elevation, m. offshore: distance to the coast, m, negative on land. river_distance: to the river, m.
    hilliness: positive on hills. relief: height above the plain, m. inland: kilometres from the coast in the plan's
    unit. land, hills: polygons. stream_to: the cell that each cell of `stream_grid` drains to (flat index); drained:
    area that drains through it, m2.
    """

    grid: Grid
    ground: Floats
    offshore: Floats
    river_distance: Floats
    hilliness: Floats
    relief: Floats
    inland: Floats
    land: Shapes
    hills: Shapes
    stream_grid: Grid
    stream_to: Ints
    drained: Floats
    river: River


def shape_land(frame: Frame, layout: Layout) -> Landform:
    """The natural terrain of this plan."""
    grid, rng = frame.grid, frame.random("landform")
    coast = _coast_distance(frame, layout)
    river_distance = _distance_to(grid, shapely.LineString(layout.river))
    hilliness = _hilliness(frame, layout, river_distance, rng)
    river = course(frame, layout, grid, hilliness, coast)
    rocky = smoothstep(-0.35, 0.1, hilliness)
    offshore = -(
        coast
        + 70 * frame.scale * noise(grid, 2600 * frame.scale, rng, octaves=2)
        + rocky * 110 * np.sqrt(frame.scale) * noise(grid, 900 * np.sqrt(frame.scale), rng, octaves=5, gain=0.6)
    )
    # Hills that reach into the sea are headlands and islands.
    offshore = np.minimum(offshore, -hilliness * 1000 * frame.scale)
    inland = np.clip(-blur(offshore, grid, 300 * frame.scale), 0, None) / layout.unit
    relief, drained, stream_to = _relief(frame, river, hilliness, offshore, river_distance)
    relief = _with_abutments(frame, river, relief, hilliness)
    plain = POLDER + 0.3 * inland + 0.09 * inland**2
    foot = 5 * blur((relief > 2).astype(float), grid, 160.0 * np.sqrt(frame.scale)) ** 1.5
    land = plain + foot + relief + 0.12 * noise(grid, 700, rng)
    sea = _sea_floor(frame, offshore, rocky, rng)
    return Landform(
        grid=grid,
        ground=np.where(offshore < 0, land, sea),
        offshore=offshore,
        river_distance=river_distance,
        hilliness=hilliness,
        relief=relief,
        inland=inland,
        land=areas_above(grid, -offshore),
        hills=areas_above(grid, np.minimum(hilliness, -offshore / (400 * frame.scale))),
        stream_grid=grid.coarser(2),
        stream_to=stream_to,
        drained=drained,
        river=river,
    )


def _coast_distance(frame: Frame, layout: Layout) -> Floats:
    """Distance to the planned coast, m, positive on land."""
    grid = frame.grid.coarser(4)
    far = 40 * layout.unit
    land = shapely.Polygon([*layout.coast, (-far, -far), (-far, far)])
    transform = from_origin(grid.west, grid.north, grid.cell, grid.cell)
    inside = rasterize([(land, 1)], out_shape=grid.shape, transform=transform, fill=0) == 1
    away = _away(grid, shapely.LineString(layout.coast))
    return enlarge(np.where(inside, away, -away), grid, frame.grid)


def _distance_to(grid: Grid, shape: shapely.Geometry) -> Floats:
    """Distance of every cell's middle to a geometry, m; from a coarser grid, for speed."""
    coarse = grid.coarser(4)
    return enlarge(_away(coarse, shape), coarse, grid)


def _away(grid: Grid, shape: shapely.Geometry) -> Floats:
    middles = points(np.stack(grid.mesh(), axis=-1))
    return np.asarray(shapely.distance(middles, shapely.simplify(shape, grid.cell / 20)))


def _hilliness(frame: Frame, layout: Layout, river_distance: Floats, rng: np.random.Generator) -> Floats:
    x, y = frame.grid.mesh()
    ragged = noise(frame.grid, 2200 * frame.scale, rng, octaves=5, gain=0.55)
    highest = np.full(frame.grid.shape, -3.0)
    for cx, cy, long, short, bearing in layout.hills:
        dx, dy = x - cx, y - cy
        u = dx * np.cos(bearing) + dy * np.sin(bearing)
        v = -dx * np.sin(bearing) + dy * np.cos(bearing)
        size = np.sqrt(long * short) / layout.unit
        distance = np.sqrt((u / long) ** 2 + (v / short) ** 2)
        highest = np.maximum(highest, (1 - distance) * size + 0.26 * min(size, 0.9) * ragged)
    result: Floats = highest - 0.25 * np.exp(-((river_distance / (260 * frame.scale)) ** 2))
    return result


def _relief(
    frame: Frame, river: River, hilliness: Floats, offshore: Floats, river_distance: Floats
) -> tuple[Floats, Floats, Ints]:
    """Height above the plain on the layout grid, and the drainage of the stream grid."""
    rng = frame.random("relief")
    grid = frame.grid
    coarse = grid.coarser(2)
    x, y = coarse.mesh()
    hill = grid.sample(hilliness, x, y)
    rising = np.clip(hill, 0, 1.2) ** 0.8 * (1 + 0.25 * noise(coarse, 1800 * frame.scale, rng))
    # A broad valley floor, where the reservoir will lie.
    rising *= 0.12 + 0.88 * smoothstep(100, 800 * np.sqrt(frame.scale), grid.sample(river_distance, x, y))
    fixed = (hill <= 0) | (grid.sample(offshore, x, y) >= 0)
    start = np.where(fixed, 0.0, 2 * rng.random(coarse.shape))
    row, column = coarse.cells(*river.points[: river.leaves_hills].T)
    start[row, column] = river.rise[: river.leaves_hills]
    fixed[row, column] = True
    height, drained, stream_to = erode(start, 3.0 * rising, fixed, cell=coarse.cell)
    height = np.where(fixed, height, height * PEAK * frame.scale**0.4 / np.quantile(height[~fixed], 0.997))
    relief = enlarge(blur(height, coarse, coarse.cell * 0.6), coarse, grid)
    rough = ridges(grid, 420, rng, octaves=3) * 9 + noise(grid, 900 * frame.scale, rng) * 6
    relief += rough * smoothstep(0.0, 0.22, hilliness) * smoothstep(4, 60, relief)
    # The plain begins where the hills end, though the coarser grid has blurred their foot.
    relief *= smoothstep(-25, 30, hilliness * 1000 * frame.scale)
    return np.clip(relief, 0, None), drained, stream_to


def _with_abutments(frame: Frame, river: River, relief: Floats, hilliness: Floats) -> Floats:
    """A gorge for the dam: both banks rise above its crest, whatever the hills are like there."""
    x, y = frame.grid.mesh()
    (cx, cy), (ax, ay) = river.dam_axis
    along = (x - cx) * ax + (y - cy) * ay
    across = np.abs((x - cx) * ay - (y - cy) * ax)
    reach = 160 * np.sqrt(frame.scale)
    crest = river.rise[river.dam] + river.head + FREEBOARD + 8
    bank = crest * smoothstep(0.35, 1.1, across / reach) * smoothstep(6.0, 1.5, across / reach)
    bank *= np.exp(-((along / (1.6 * reach)) ** 4)) * smoothstep(-20, 80, hilliness * 1000 * frame.scale)
    raised: Floats = np.maximum(relief, bank)
    return raised


def _sea_floor(frame: Frame, offshore: Floats, rocky: Floats, rng: np.random.Generator) -> Floats:
    """Flats that fall to low water, cut by creeks, then the deeper bay."""
    grid, size = frame.grid, np.sqrt(frame.scale)
    width = 660 * frame.scale**0.75 * (1 - 0.85 * rocky) * (1 + 0.25 * noise(grid, 3000 * frame.scale, rng, octaves=2))
    width = np.clip(width, 80 * size, None)
    flat = HIGH_FLAT - (HIGH_FLAT - LOW_WATER) * np.clip(offshore / width, 0, 1)
    beyond = np.clip(offshore - width, 0, None)
    deep = -8.0 * (1 - np.exp(-beyond / (1800 * frame.scale)))
    creeks = np.clip(ridges(grid, 900 * size, rng, octaves=3) - 0.45, 0, None) * 3.0
    result: Floats = flat + deep - creeks * smoothstep(0.1, 0.6, offshore / width) * smoothstep(-9, -3, deep)
    return result
