"""Works that hold water: sea wall, river levees, the dam with its reservoir, sluices and their pumps."""

from dataclasses import dataclass

import numpy as np
import shapely

from twin.demo.channels import CANAL_BED, Channels
from twin.demo.contours import areas_above
from twin.demo.frame import DemoError, Frame
from twin.demo.grid import Bools, Floats, Shapes
from twin.demo.landform import Landform
from twin.demo.river import FREEBOARD
from twin.demo.shapes import middles_of
from twin.demo.site import Site

# Crest of the sea wall, m above the 1985 datum; the highest tide known here is put at 4.6 m.
SEA_WALL_CREST, HIGHEST_TIDE = 6.5, 4.6
# Half the crest's width, m, and the slope of the wall's faces.
CREST_HALF, FACE = 4.0, 0.4
# The levee's crest stands this far from the water's edge, m, and ends where the ground is higher than this, m.
LEVEE_OFFSET, LEVEE_UNTIL = 14.0, 10.0
MARGIN_OVER_GROUND = 0.8
# Heights of the dam that are tried, as parts of the wished one.
HEADS = (1.0, 0.85, 0.7, 0.55, 0.4)


@dataclass(frozen=True)
class Defences:
    """sea_wall, levee: lines; levee_crest: level at each point of a levee, m. dam: polygon; dam_axis: its crest line.

    reservoir: polygon at `full_level`, m. dam_crest: m. sluices: points on wall or levee, with the width (m) of the
    canal behind; sluice_at_sea: whether the sea is in front, else the river.
    """

    sea_wall: Shapes
    levee: Shapes
    levee_crest: list[Floats]
    dam: shapely.Polygon
    dam_axis: shapely.LineString
    dam_crest: float
    reservoir: shapely.Polygon
    full_level: float
    sluices: Shapes
    sluice_width: Floats
    sluice_at_sea: Bools


def build_defences(site: Site, plain: shapely.Polygon) -> Defences:
    """All works of this city. Raises DemoError where no valley would hold a reservoir."""
    frame, land, channels = site.frame, site.land, site.channels
    sea_wall = _sea_wall(frame, land, channels, plain)
    levee, crest = _levees(land, channels, plain)
    axis, dam, dam_crest, reservoir, full = _impound(frame, land)
    sluices, width, at_sea = _sluices(channels, sea_wall, levee)
    return Defences(
        sea_wall=sea_wall,
        levee=levee,
        levee_crest=crest,
        dam=dam,
        dam_axis=axis,
        dam_crest=dam_crest,
        reservoir=reservoir,
        full_level=full,
        sluices=sluices,
        sluice_width=width,
        sluice_at_sea=at_sea,
    )


def _impound(frame: Frame, land: Landform) -> tuple[shapely.LineString, shapely.Polygon, float, shapely.Polygon, float]:
    """Dam axis, dam, crest level (m), reservoir and its full level (m): as high as the hills around can hold."""
    for part in HEADS:
        axis, dam, crest, full = _dam(frame, land, part * land.river.head)
        reservoir, edge = _reservoir(frame, land, full)
        # Water that reaches the dam's line beside the dam would run out through a gap in the hills.
        beside = shapely.intersection(shapely.boundary(reservoir), shapely.buffer(edge, 1.0))
        if shapely.difference(beside, shapely.buffer(axis, 30 + land.grid.cell)).length < 5:
            return axis, dam, crest, reservoir, full
    raise DemoError("no valley that would hold a reservoir; choose another seed")


def sluice_sill() -> float:
    """Sill of the sluices, m: a little above the canals' bed."""
    return CANAL_BED + 0.2


def _sea_wall(frame: Frame, land: Landform, channels: Channels, plain: shapely.Polygon) -> Shapes:
    """The coast in front of the plain, but for the river's mouth; its ends run up to higher ground."""
    mainland = max(land.land, key=lambda polygon: polygon.area)
    coast = shapely.simplify(shapely.buffer(shapely.buffer(mainland, -30), 27), 2.0)
    shore = shapely.boundary(coast)
    low = shapely.buffer(plain, 190 + 60 * frame.scale)
    open_mouth = shapely.buffer(channels.river, LEVEE_OFFSET - 1)
    parts = shapely.get_parts(shapely.line_merge(shapely.difference(shapely.intersection(shore, low), open_mouth)))
    along_sea = land.grid.sample(land.offshore, *middles_of(parts)) > -90
    return parts[along_sea & (shapely.length(parts) > 60)]


def _levees(land: Landform, channels: Channels, plain: shapely.Polygon) -> tuple[Shapes, list[Floats]]:
    banks = shapely.boundary(shapely.buffer(channels.river, LEVEE_OFFSET, quad_segs=3))
    mainland = max(land.land, key=lambda polygon: polygon.area)
    inland = shapely.intersection(shapely.buffer(mainland, -6), shapely.buffer(plain, 110))
    parts = shapely.get_parts(shapely.line_merge(shapely.intersection(banks, inland)))
    dense = shapely.segmentize(shapely.simplify(parts, 1.0), 25.0)
    lines, crests = [], []
    for line in dense:
        points = shapely.get_coordinates(line)
        ground = land.grid.sample(land.ground, *points.T)
        low = ground < LEVEE_UNTIL
        # From the mouth to where the banks are high enough by themselves.
        for run in np.split(np.arange(len(points)), np.flatnonzero(np.diff(low.astype(int))) + 1):
            if low[run[0]] and len(run) > 3:
                lines.append(shapely.LineString(points[run]))
                crests.append(np.maximum(SEA_WALL_CREST - 0.1, ground[run] + MARGIN_OVER_GROUND))
    return np.array(lines, dtype=object), crests


def _dam(frame: Frame, land: Landform, head: float) -> tuple[shapely.LineString, shapely.Polygon, float, float]:
    river = land.river
    (cx, cy), (ax, ay) = river.dam_axis
    foot = float(land.grid.sample(land.ground, *river.points[river.dam]))
    full = foot + head
    crest = full + FREEBOARD
    sides = []
    for sign in (-1, 1):
        reach = np.arange(0, 700 * np.sqrt(frame.scale), 5.0)
        x, y = cx - sign * ay * reach, cy + sign * ax * reach
        high = np.flatnonzero(land.grid.sample(land.ground, x, y) > crest + 1)
        last = int(high[0]) if len(high) else len(reach) - 1
        sides.append(np.stack((x, y), axis=1)[: last + 1])
    axis = np.vstack((sides[0][::-1], sides[1][1:]))
    depth = np.clip(crest - land.grid.sample(land.ground, *axis.T), 0, None)
    along = np.array((ax, ay))
    upstream, downstream = axis - along * (5 + depth * 1.2)[:, None], axis + along * (5 + depth * 2.2)[:, None]
    dam = shapely.simplify(shapely.Polygon(np.vstack((upstream, downstream[::-1]))), 0.5)
    return shapely.LineString(axis[[0, -1]]), dam.buffer(0), crest, full


def _reservoir(frame: Frame, land: Landform, full: float) -> tuple[shapely.Polygon, shapely.LineString]:
    """The water above the dam, and the line through the dam where the search for it ends."""
    grid, river = land.grid, land.river
    x, y = grid.mesh()
    (cx, cy), (ax, ay) = river.dam_axis
    along = (x - cx) * ax + (y - cy) * ay
    parts = areas_above(grid, np.where(along < grid.cell, full - land.ground, -1.0))
    reach = 40 * grid.cell + 12_000 * frame.scale
    up = np.array((-ax, -ay))
    side = np.array((-ay, ax))
    edge = np.array((cx, cy)) + up * 12
    upstream = shapely.Polygon(
        [edge + side * reach, edge + side * reach + up * reach, edge - side * reach + up * reach, edge - side * reach]
    )
    pieces = shapely.get_parts(shapely.intersection(parts, upstream))
    pieces = pieces[shapely.area(pieces) > 0]
    spring = shapely.Point(river.points[np.searchsorted(river.way, river.way[river.dam] - 90)])
    line = shapely.LineString([edge + side * reach, edge - side * reach])
    return pieces[shapely.distance(pieces, spring).argmin()], line


def _sluices(channels: Channels, sea_wall: Shapes, levee: Shapes) -> tuple[Shapes, Floats, Bools]:
    points, widths, at_sea = [], [], []
    for barrier, sea in ((sea_wall, True), (levee, False)):
        if not len(barrier):
            continue
        wall = shapely.union_all(barrier)
        for line, width in zip(channels.canal_lines, channels.canal_width, strict=True):
            # A canal ends a little before the wall; its last stretch is led through under the road.
            for end in (0, -1):
                way = shapely.shortest_line(shapely.get_point(line, end), wall)
                crossed = shapely.intersects(line, wall)
                if crossed or (way.length < 130 and sea):
                    place = shapely.intersection(line, wall) if crossed else shapely.get_point(way, -1)
                    points += list(shapely.get_parts(place))
                    widths += [width] * len(shapely.get_parts(place))
                    at_sea += [sea] * len(shapely.get_parts(place))
                    if crossed:
                        break
    found = np.array(points, dtype=object)
    single = np.ones(len(found), dtype=bool)
    for i in range(1, len(found)):
        single[i] = shapely.distance(found[i], found[:i][single[:i]]).min(initial=np.inf) > 60
    keep = single & (shapely.get_type_id(found) == 0)
    return found[keep], np.array(widths)[keep], np.array(at_sea)[keep]
