"""Running water in the plain and the hills: the river's channel, canals, the old town's moat, mountain streams."""

from dataclasses import dataclass

import numpy as np
import shapely

from twin.demo.contours import areas_above
from twin.demo.districts import Districts
from twin.demo.frame import Frame, curve
from twin.demo.grid import Floats, Shapes, noise
from twin.demo.landform import Landform
from twin.demo.lattice import SPACING, Lattice
from twin.demo.shapes import lines, merged_lines, one

# Kept level and bed of the canals, m above the 1985 datum, and how far inland they reach (plan units).
CANAL_LEVEL, CANAL_BED, CANAL_REACH = 2.2, 0.3, 4.6
MOAT_WIDTH = 20.0
# Land between the water's edge and the bank road, m.
RIVER_BANK, CANAL_BANK, STREAM_BANK = 34.0, 9.0, 8.0
# A mountain stream is drawn from this drained area on, m2 (times the city's scale).
STREAM_AREA = 450_000.0


@dataclass(frozen=True)
class Channels:
    """Water courses.

    river: polygon from the dam to the sea; upper_river: line above the reservoir. bed, level: of the river at the
    layout's points, m. canals: polygon(s) of all canals; canal_lines with canal_width, m. moat: the ring around the
    old town. streams: lines in the hills and on to the river or a canal, with stream_width, m.
    """

    river: shapely.Geometry
    river_points: Floats
    river_width: Floats
    bed: Floats
    level: Floats
    canals: shapely.Geometry
    canal_lines: Shapes
    canal_width: Floats
    streams: Shapes
    stream_width: Floats
    # Water with its banks: no street or building stands here but bridges. One for each canal and stream.
    river_corridor: shapely.Geometry
    canal_corridors: Shapes
    stream_corridors: Shapes


def dig(frame: Frame, land: Landform, districts: Districts, lattice: Lattice, county: shapely.Polygon) -> Channels:
    """All channels of the city."""
    bed, level = _profile(land)
    river = river_reach(land, land.river.dam + 1, len(land.river.points))
    river_corridor = shapely.simplify(shapely.buffer(river, RIVER_BANK, quad_segs=4), 1.5)
    beyond = shapely.difference(shapely.box(*land_box(land)), shapely.buffer(county, -60))
    canal_lines, width = _canals(frame, land, districts, lattice, shapely.union(beyond, river_corridor))
    canals = shapely.union_all(shapely.buffer(canal_lines, width / 2, quad_segs=3))
    streams, stream_width = _streams(frame, land, shapely.union_all([river, canals]), county)
    return Channels(
        river=river,
        river_points=land.river.points,
        river_width=land.river.width,
        bed=bed,
        level=level,
        canals=canals,
        canal_lines=canal_lines,
        canal_width=width,
        streams=streams,
        stream_width=stream_width,
        river_corridor=river_corridor,
        canal_corridors=shapely.buffer(canal_lines, width / 2 + CANAL_BANK, quad_segs=3),
        stream_corridors=shapely.buffer(streams, stream_width / 2 + STREAM_BANK, quad_segs=2),
    )


def land_box(land: Landform) -> tuple[float, float, float, float]:
    """West, south, east and north of all the land's cells, m."""
    grid = land.grid
    return grid.west, grid.north - grid.rows * grid.cell, grid.west + grid.columns * grid.cell, grid.north


def river_reach(land: Landform, first: int, last: int) -> shapely.Geometry:
    """The river's water between two of its points, on land."""
    river = land.river
    points = river.points[first:last]
    half = (river.width[first:last][:-1] + river.width[first:last][1:]) / 4
    pieces = shapely.buffer(shapely.linestrings(np.stack((points[:-1], points[1:]), axis=1)), half, quad_segs=4)
    water = shapely.simplify(shapely.union_all(pieces), 1.0)
    return shapely.intersection(water, shapely.union_all(land.land))


def _profile(land: Landform) -> tuple[Floats, Floats]:
    """Bed and usual water level at the river's points, m; both fall all the way."""
    river = land.river
    ground = land.grid.sample(land.ground, *river.points.T)
    to_mouth = np.clip(river.way[river.mouth] - river.way, 0, None) / river.way[river.mouth]
    tidal = np.exp(-to_mouth / 0.18)
    bed = ground - 2.6 - 3.6 * tidal
    past = np.clip(river.way - river.way[river.mouth], 0, None)
    bed = np.minimum.accumulate(bed[: river.mouth + 1])
    bed = np.concatenate((bed, bed[-1] - 2.0 * past[river.mouth + 1 :] / past.max()))
    bed -= 1e-5 * river.way
    depth = 1.3 + 2.0 * tidal
    return bed, np.minimum.accumulate(np.maximum(bed + depth, 0.2))


def _canals(
    frame: Frame, land: Landform, districts: Districts, lattice: Lattice, outside: shapely.Geometry
) -> tuple[Shapes, Floats]:
    """Canals of the low plain with their widths, m. outside: where none may be, but to reach the river."""
    rng = frame.random("canals")
    grid = land.grid
    low = np.minimum(CANAL_REACH - land.inland, -25 * (land.hilliness + 0.16))
    low = np.minimum(low, (-land.offshore - 30) / 100)
    polder = shapely.union_all(areas_above(grid, low))
    moat = shapely.buffer(districts.old_town, 16)
    waves = noise(districts.grid, 900, rng, octaves=2)
    raw, width = [], []
    for along_u, positions in ((True, lattice.v), (False, lattice.u)):
        gaps = np.arange(rng.integers(0, 2), len(positions) - 1, 2)
        gaps = gaps[rng.random(len(gaps)) < 0.85]
        middle = (positions[gaps] + positions[gaps + 1]) / 2
        straight = lattice.line(along_u, middle[:, None])
        x, y = shapely.get_coordinates(straight).T.reshape(2, len(middle), -1)
        bent = middle[:, None] + 0.11 * SPACING * districts.grid.sample(waves, x, y)
        raw.append(lattice.line(along_u, bent))
        width.append(rng.uniform(16, 34, len(middle)) * frame.scale**0.25)
    avoid = shapely.union_all([outside, moat])
    canal, wide = np.concatenate(raw), np.concatenate(width)
    canal = shapely.difference(shapely.intersection(canal, polder), avoid)
    pieces, parent = shapely.get_parts(canal, return_index=True)
    long = shapely.length(pieces) > 400
    pieces, wide = pieces[long], wide[parent[long]]
    # Where a canal was cut at the river's corridor or the moat it goes on to the water itself.
    pieces = _joined(pieces, shapely.union_all([shapely.boundary(moat), _river_line(land)]), RIVER_BANK + 60)
    pieces = np.concatenate((pieces, one(shapely.boundary(moat))))
    return shapely.simplify(pieces, 0.8), np.append(wide, MOAT_WIDTH)


def _river_line(land: Landform) -> shapely.Geometry:
    """The river's middle line below the dam."""
    return shapely.LineString(land.river.points[land.river.dam : land.river.mouth])


def _joined(canals: Shapes, target: shapely.Geometry, reach: float) -> Shapes:
    """Canals whose ends within `reach` m of `target` are drawn on to it."""
    result = []
    for line in canals:
        points = shapely.get_coordinates(line)
        for end in (0, -1):
            way = shapely.shortest_line(shapely.Point(points[end]), target)
            if 0 < way.length < reach + 60:
                there = shapely.get_coordinates(way)[1]
                points = np.vstack((there, points)) if end == 0 else np.vstack((points, there))
        result.append(shapely.LineString(points))
    return np.array(result, dtype=object)


def _streams(frame: Frame, land: Landform, water: shapely.Geometry, county: shapely.Polygon) -> tuple[Shapes, Floats]:
    """Mountain streams by drained area, smoothed, each led on through the plain to the nearest larger water."""
    grid = land.stream_grid
    x, y = (values.ravel() for values in grid.mesh())
    drained, to = land.drained.ravel(), land.stream_to
    relief = land.grid.sample(land.relief, x, y)
    flowing = (drained > STREAM_AREA * frame.scale) & (to != np.arange(len(to))) & (relief > 1)
    places = np.stack((x, y), axis=1)
    links = np.stack((places[flowing], places[to[flowing]]), axis=1)
    ends = {tuple(point) for point in places[to[flowing]][~flowing[to[flowing]]]}
    smooth, width = [], []
    for line in merged_lines(lines(links)):
        points = shapely.get_coordinates(line)
        area = grid.sample(land.drained, *points[-1])
        drawn = curve(points[:: max(1, min(3, len(points) // 3))], grid.cell / 2) if len(points) > 3 else points
        drawn = np.vstack((drawn, points[-1:])) if tuple(drawn[-1]) != tuple(points[-1]) else drawn
        if tuple(points[-1]) in ends:
            drawn = _led_on(drawn, water, 1600 * frame.scale)
        smooth.append(shapely.LineString(drawn))
        width.append(np.clip(3 + 2.2e-6 * area / frame.scale, 3, 9))
    inside, parent = shapely.get_parts(shapely.intersection(np.array(smooth, dtype=object), county), return_index=True)
    return inside, np.array(width)[parent]


def _led_on(points: Floats, water: shapely.Geometry, reach: float) -> Floats:
    way = shapely.shortest_line(shapely.Point(points[-1]), water)
    if not 0 < way.length < reach:
        return points
    there = shapely.get_coordinates(way)[1]
    ahead = points[-1] - points[max(-4, -len(points))]
    ahead = points[-1] + ahead / max(np.hypot(*ahead), 1) * way.length * 0.4
    t = np.linspace(0, 1, max(4, int(way.length / 30)))[1:, None]
    bend = (1 - t) ** 2 * points[-1] + 2 * t * (1 - t) * ahead + t**2 * there
    return np.vstack((points, bend))
