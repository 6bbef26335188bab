"""Main streets: the grid's lines where land allows, bank and coast roads, and bridges where they cross water."""

from dataclasses import dataclass

import numpy as np
import shapely

from twin.demo.channels import CANAL_BANK, RIVER_BANK, STREAM_BANK
from twin.demo.districts import URBAN
from twin.demo.grid import Bools, Floats, Shapes
from twin.demo.lattice import Rank
from twin.demo.linework import Linework, join, lines_of, noded, parallel_to, without_dangles
from twin.demo.overlay import less, touching, within
from twin.demo.shapes import largest, middles_of, points
from twin.demo.site import Site

# Streets keep this far from the coast and from the foot of the hills, m.
SHORE, FOOT = 75.0, 45.0
# Narrow corners of the plain, m across, get no main street.
NARROW = 250.0
# A bridge may be this much longer than the way straight across; a trunk road's this many times as long again.
SKEW, TRUNK_SKEW = 1.55, 1.8
# Streets of the grid that run this close beside a bank, coast or foothill road fall away: m, radians.
BESIDE, ALIKE = 100.0, np.radians(32)
# Ids of streets that are no lines of the grid.
COAST_ROAD, FOOT_ROAD, RIVER_ROAD, CANAL_ROAD, BORDER = range(5)
FIRST_LINE = 10
# Shares of the grid's lines that are not built outside the town, by rank, and the length that shares a fate, m.
RURAL_GAPS = {Rank.PRIMARY: 0.2, Rank.SECONDARY: 0.62}
STRETCH = 1500.0


@dataclass(frozen=True)
class Arterials:
    """Noded main streets and borders. plain: the area they lie in."""

    lines: Linework
    plain: shapely.Polygon


def lay_arterials(site: Site) -> Arterials:
    """The main streets of the city."""
    plain = _plain(site)
    frame_lines = _frame_lines(site, plain)
    lines = noded(join(_grid_lines(site, plain), frame_lines))
    inner = lines.street >= FIRST_LINE
    beside = inner.copy()
    beside[inner] = parallel_to(lines.shape[inner], frame_lines.shape, BESIDE, ALIKE)
    lines = _thinned(site, lines.take(~beside | lines.bridge))
    leaves = shapely.dwithin(lines.shape, _limit(site), 5)
    return Arterials(without_dangles(lines, lines.street >= FIRST_LINE, leaves), plain)


def _limit(site: Site) -> shapely.Geometry:
    """Where streets leave the county."""
    return shapely.boundary(site.county.buffer(-30))


def _plain(site: Site) -> shapely.Polygon:
    """The largest even area on which a connected net of streets can lie."""
    shore = shapely.buffer(shapely.union_all(site.land.land), -SHORE, quad_segs=3)
    flat = shapely.difference(shore, shapely.union_all(shapely.buffer(site.land.hills, FOOT, quad_segs=3)))
    flat = shapely.intersection(flat, site.county.buffer(-30))
    opened = shapely.buffer(shapely.buffer(flat, -NARROW / 2, quad_segs=3), NARROW / 2, quad_segs=3)
    return largest(shapely.get_parts(shapely.simplify(opened, 3.0)))


def _grid_lines(site: Site, plain: shapely.Polygon) -> Linework:
    lattice = site.lattice
    parts, crosses = [], []
    first = FIRST_LINE
    for along_u, at, ranks in ((False, lattice.u, lattice.u_rank), (True, lattice.v, lattice.v_rank)):
        shape = shapely.intersection(lattice.line(along_u, at[:, None]), plain)
        parts.append(lines_of(shape, ranks, np.arange(len(at)) + first))
        # Of the lesser streets every fourth line crosses the river.
        crosses.append((ranks <= Rank.PRIMARY) | (np.arange(len(at)) % 4 == 1))
        first += len(at)
    lines = join(*parts)
    return _bridged(site, lines, np.concatenate(crosses)[lines.street - FIRST_LINE])


def _bridged(site: Site, lines: Linework, crosses_river: Bools) -> Linework:
    """Lines cut at the banks; what lies between the banks is a bridge, or falls away."""
    number = np.arange(len(lines))
    ground = lines_of(less(lines.shape, site.corridors), lines.rank, lines.street)
    over = lines_of(within(lines.shape, site.corridors), lines.rank, number, bridge=True)
    over_river = shapely.intersects(over.shape, site.channels.river_corridor)
    # A trunk road crosses where it must, however slantwise.
    longest = _longest(site, over.shape) * np.where(over.rank == Rank.TRUNK, TRUNK_SKEW, 1.0)
    built = (shapely.length(over.shape) <= longest) & (crosses_river[over.street] | ~over_river)
    bridges = Linework(over.shape, over.rank, lines.street[over.street], over.bridge)
    return join(ground, bridges.take(built))


def _longest(site: Site, shapes: Shapes) -> Floats:
    """Longest sensible bridge where each of these lines crosses water, m."""
    channels = site.channels
    widest = np.full(len(shapes), channels.stream_width.max(initial=0) + 2 * STREAM_BANK)
    canal = touching(shapes, channels.canal_corridors)
    widest[canal] = channels.canal_width.max(initial=0) + 2 * CANAL_BANK
    river = np.flatnonzero(shapely.intersects(shapes, channels.river_corridor))
    middle = shapely.line_interpolate_point(shapes[river], 0.5, normalized=True)
    at = shapely.STRtree(points(channels.river_points)).nearest(middle)
    widest[river] = channels.river_width[at] + 2 * RIVER_BANK
    return SKEW * widest


def _frame_lines(site: Site, plain: shapely.Polygon) -> Linework:
    """Coast and foothill roads around the plain, and the banks of all water in it."""
    return join(_ring(site, plain), _river_banks(site, plain), _canal_banks(site, plain), _stream_banks(site, plain))


def _ring(site: Site, plain: shapely.Polygon) -> Linework:
    around = _pieces(shapely.boundary(plain), 150)
    x, y = middles_of(around)
    at_edge = shapely.dwithin(around, _limit(site), 6)
    at_coast = site.land.grid.sample(site.land.offshore, x, y) > -SHORE - 60
    urban = site.districts.at(site.districts.urban, x, y)
    rank = np.where(at_coast, np.where(urban > URBAN, Rank.PRIMARY, Rank.SECONDARY), Rank.TERTIARY)
    rank = np.where(at_edge, Rank.BORDER, rank).astype(np.int64)
    lines = lines_of(around, rank, np.where(at_coast, COAST_ROAD, FOOT_ROAD))
    return _bridged(site, lines, np.ones(len(lines), dtype=bool))


def _river_banks(site: Site, plain: shapely.Polygon) -> Linework:
    others = np.concatenate((site.channels.canal_corridors, site.channels.stream_corridors))
    bank = _pieces(shapely.intersection(shapely.boundary(site.channels.river_corridor), plain), 150)
    urban = site.districts.at(site.districts.urban, *middles_of(bank))
    rank = np.where(urban > URBAN, Rank.SECONDARY, Rank.TERTIARY).astype(np.int64)
    bridges = lines_of(within(bank, others), rank, RIVER_ROAD, bridge=True)
    short = shapely.length(bridges.shape) < _longest(site, bridges.shape)
    return join(lines_of(less(bank, others), rank, RIVER_ROAD), bridges.take(short))


def _canal_banks(site: Site, plain: shapely.Polygon) -> Linework:
    others = shapely.union_all([site.channels.river_corridor, *site.channels.stream_corridors])
    bank = shapely.intersection(shapely.boundary(shapely.union_all(site.channels.canal_corridors)), plain)
    pieces = _pieces(shapely.difference(bank, others), 80)
    urban = site.districts.at(site.districts.urban, *middles_of(pieces))
    rank = np.where(urban > URBAN, Rank.RESIDENTIAL, Rank.BORDER).astype(np.int64)
    return lines_of(pieces, rank, CANAL_ROAD)


def _stream_banks(site: Site, plain: shapely.Polygon) -> Linework:
    others = shapely.union_all([site.channels.river_corridor, *site.channels.canal_corridors])
    bank = shapely.intersection(shapely.boundary(shapely.union_all(site.channels.stream_corridors)), plain)
    return lines_of(shapely.difference(bank, others), Rank.BORDER, BORDER)


def _pieces(shape: shapely.Geometry, length: float) -> Shapes:
    """A line cut into pieces of about this length, so that each can be judged where it lies."""
    dense = shapely.segmentize(shapely.get_parts(shapely.line_merge(shape)), length)
    corners, line = shapely.get_coordinates(dense, return_index=True)
    same = line[1:] == line[:-1]
    step = np.where(same, np.hypot(*np.diff(corners, axis=0).T), 0)
    # Cuts only at vertices: where the running length passes a multiple of `length`.
    run = np.concatenate(([0.0], np.cumsum(step)))
    piece = np.floor(run / length).astype(np.int64) + 1_000_000 * line
    starts = np.flatnonzero(np.concatenate(([True], piece[1:] != piece[:-1])))
    pieces = []
    for first, last in zip(starts.tolist(), [*starts[1:].tolist(), len(corners)], strict=True):
        begin = first - 1 if first and line[first - 1] == line[first] else first
        if last - begin > 1:
            pieces.append(shapely.LineString(corners[begin:last]))
    return np.array(pieces, dtype=object)


def _thinned(site: Site, lines: Linework) -> Linework:
    """Fewer and lesser streets outside the built-up land, and only two through the old town."""
    x, y = middles_of(lines.shape)
    inner = lines.street >= FIRST_LINE
    rural = inner & (site.districts.at(site.districts.urban, x, y) < URBAN * 0.9)
    chance = site.frame.random("country roads").random(64 * 1024)
    # Neighbouring pieces of a street share their fate.
    stretch = np.floor(x / STRETCH) * 7 + np.floor(y / STRETCH) * 13 + lines.street * 31
    throw = chance[stretch.astype(np.int64) % len(chance)]
    gone = np.zeros(len(lines), dtype=bool)
    for kind, share in RURAL_GAPS.items():
        gone |= rural & (lines.rank == kind) & (throw < share)
    lesser = rural & np.isin(lines.rank, list(RURAL_GAPS))
    rank = np.where(lesser, lines.rank + 1, lines.rank)
    in_old = inner & shapely.contains_xy(site.districts.old_town, x, y)
    gone |= in_old & ~np.isin(lines.street, _through_old_town(site, lines, in_old))
    rank = np.where(in_old, Rank.TERTIARY, rank).astype(np.int64)
    return Linework(lines.shape, rank, lines.street, lines.bridge).take(~gone)


def _through_old_town(site: Site, lines: Linework, in_old: Bools) -> list[int]:
    """The street of either direction that passes nearest to the old town's centre."""
    away = shapely.distance(lines.shape, shapely.centroid(site.districts.old_town))
    first_v = FIRST_LINE + len(site.lattice.u)
    streets = []
    for direction in (lines.street < first_v, lines.street >= first_v):
        through = in_old & direction
        if through.any():
            streets.append(int(lines.street[through][away[through].argmin()]))
    return streets
