"""Motorway and railway: on viaducts through the plain, in tunnels through the hills, with interchanges."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely

from twin.demo.frame import DemoError
from twin.demo.grid import Bools, Floats, Shapes
from twin.demo.landform import Landform
from twin.demo.lattice import Rank
from twin.demo.linework import PRECISION, Linework, bearings
from twin.demo.site import Site

# Half the distance between the carriageways' middles, and how far from the crossing the ramps leave them, m.
CARRIAGEWAY, RAMP = 9.0, 430.0
INTERCHANGES_APART = 1900.0
# Half the width kept free of buildings, m.
MOTORWAY_CORRIDOR, RAILWAY_CORRIDOR, RAMP_CORRIDOR = 26.0, 14.0, 10.0
MOTORWAY, RAMPS, RAILWAY = 7, 8, 9


@dataclass(frozen=True)
class ThroughRoutes:
    """Edges that cross the streets above or below, without junctions but at the ramps' feet.

    lines: carriageways and ramps, drawn in the direction of travel. tunnel: for each line. railway, railway_tunnel:
    the same of the railway. station: the station's place. corridor: ground on which nothing else stands.
    """

    lines: Linework
    tunnel: Bools
    railway: Shapes
    railway_tunnel: Bools
    station: Floats
    corridor: shapely.Geometry


def route(site: Site, streets: Linework) -> ThroughRoutes:
    """Motorway and railway of the city. Raises DemoError where no street could lead up to the motorway."""
    land = site.land
    axis = _within(site.layout.motorway, site.county)
    ramps, cuts = _interchanges(axis, streets)
    if not ramps:
        raise DemoError("no place for a motorway interchange; choose another seed")
    edges, tunnels = [], []
    for side in (-1, 1):
        carriageway = _beside(axis, side)
        if side > 0:
            # Traffic keeps to the right: the carriageway on the left runs backwards.
            carriageway = shapely.reverse(carriageway)
        pieces, tunnel = _sections(land, carriageway, [point for s, point in cuts if s == side])
        edges.append(pieces)
        tunnels.append(tunnel)
    road = np.concatenate(edges)
    ramp = np.array(ramps, dtype=object)
    shape = np.concatenate((road, ramp))
    tunnel = np.concatenate((*tunnels, np.zeros(len(ramp), dtype=bool)))
    rank = np.where(np.arange(len(shape)) < len(road), Rank.MOTORWAY, Rank.MOTORWAY_LINK).astype(np.int64)
    street = np.where(rank == Rank.MOTORWAY, MOTORWAY, RAMPS).astype(np.int64)
    track = _within(site.layout.railway, site.county)
    railway, railway_tunnel = _sections(land, track, [])
    station = shapely.line_interpolate_point(
        track, shapely.line_locate_point(track, shapely.Point(site.layout.station))
    )
    return ThroughRoutes(
        lines=Linework(shape, rank, street, ~tunnel),
        tunnel=tunnel,
        railway=railway,
        railway_tunnel=railway_tunnel,
        station=shapely.get_coordinates(station)[0],
        corridor=shapely.union_all(
            [
                shapely.buffer(axis, MOTORWAY_CORRIDOR),
                *shapely.buffer(ramp, RAMP_CORRIDOR),
                shapely.buffer(track, RAILWAY_CORRIDOR),
            ]
        ),
    )


def _beside(axis: shapely.LineString, side: int) -> shapely.LineString:
    """The middle of a carriageway. side: 1 left of the axis, -1 right."""
    line = shapely.offset_curve(axis, side * CARRIAGEWAY, quad_segs=2, join_style="mitre")
    parts = shapely.get_parts(line)
    longest: shapely.LineString = parts[shapely.length(parts).argmax()]
    return longest


def _within(points: Floats, county: shapely.Polygon) -> shapely.LineString:
    parts = shapely.get_parts(shapely.intersection(shapely.LineString(points), county))
    result: shapely.LineString = shapely.simplify(parts[shapely.length(parts).argmax()], 0.4)
    return result


def _sections(land: Landform, line: shapely.LineString, cuts: list[Floats]) -> tuple[Shapes, Bools]:
    """The line cut at given points and where it enters or leaves a hill; whether each piece is a tunnel."""
    dense = shapely.segmentize(line, 25.0)
    points = shapely.get_coordinates(dense)
    under = land.grid.sample(land.relief, *points.T) > 9
    way = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))))
    portals = way[1:][under[1:] != under[:-1]]
    # Very short tunnels and viaducts between tunnels are not built.
    keep = np.ones(len(portals), dtype=bool)
    close = np.flatnonzero(np.diff(portals) < 120)
    keep[close] = keep[close + 1] = False
    places = sorted(
        {0.0, float(way[-1]), *portals[keep].tolist()}
        | {float(shapely.line_locate_point(line, shapely.Point(cut))) for cut in cuts}
    )
    pieces, tunnel = [], []
    for first, last in pairwise(places):
        if last - first < 2:
            continue
        inner = points[(way > first + 1) & (way < last - 1)]
        ends = shapely.get_coordinates(shapely.line_interpolate_point(line, [first, last]))
        pieces.append(shapely.LineString(np.round(np.vstack((ends[0], inner, ends[1])) / PRECISION) * PRECISION))
        middle = shapely.get_coordinates(shapely.line_interpolate_point(line, (first + last) / 2))[0]
        tunnel.append(bool(land.grid.sample(land.relief, *middle) > 9))
    return np.array(pieces, dtype=object), np.array(tunnel, dtype=bool)


def _interchanges(
    axis: shapely.LineString, streets: Linework
) -> tuple[list[shapely.LineString], list[tuple[int, Floats]]]:
    """Ramps of all interchanges, and where they join which carriageway (side, point)."""
    main = np.flatnonzero((streets.rank <= Rank.SECONDARY) & ~streets.bridge)
    crossing = main[shapely.intersects(streets.shape[main], axis)]
    at = shapely.line_locate_point(axis, shapely.centroid(shapely.intersection(streets.shape[crossing], axis)))
    order = np.lexsort((at, streets.rank[crossing]))
    steep = np.abs(np.sin(bearings(streets.shape[crossing]) - _bearing(axis, at))) > np.sin(np.radians(38))
    used: list[float] = []
    ramps: list[shapely.LineString] = []
    cuts: list[tuple[int, Floats]] = []
    for i in order.tolist():
        far = all(abs(at[i] - other) > INTERCHANGES_APART for other in used)
        if not far or not steep[i] or not RAMP + 60 < at[i] < axis.length - RAMP - 60:
            continue
        feet = _feet(axis, streets, int(streets.street[crossing[i]]), float(at[i]))
        if feet is None:
            continue
        used.append(float(at[i]))
        for side in (-1, 1):
            for end in (-1, 1):
                join, ramp = _ramp(axis, float(at[i]), side, end, feet[side])
                cuts.append((side, join))
                ramps.append(ramp)
    return ramps, cuts


def _bearing(axis: shapely.LineString, at: Floats) -> Floats:
    ends = [shapely.get_coordinates(shapely.line_interpolate_point(axis, at + step)) for step in (-10, 10)]
    result: Floats = np.arctan2(*(ends[1] - ends[0]).T[::-1])
    return result


def _feet(axis: shapely.LineString, streets: Linework, street: int, at: float) -> dict[int, Floats] | None:
    """On each side of the motorway the junction of the crossing street where the ramps end."""
    own = streets.take(streets.street == street)
    nodes = np.unique(shapely.get_coordinates(shapely.get_point(own.shape, 0)), axis=0)
    here = shapely.get_coordinates(shapely.line_interpolate_point(axis, at))[0]
    ahead = shapely.get_coordinates(shapely.line_interpolate_point(axis, at + 20))[0] - here
    left = np.array((-ahead[1], ahead[0])) / np.hypot(*ahead)
    offset = (nodes - here) @ left
    distance = np.hypot(*(nodes - here).T)
    feet = {}
    for side in (-1, 1):
        fit = np.flatnonzero((offset * side > 70) & (distance < 520))
        if not len(fit):
            return None
        feet[side] = nodes[fit[distance[fit].argmin()]]
    return feet


def _ramp(axis: shapely.LineString, at: float, side: int, end: int, foot: Floats) -> tuple[Floats, shapely.LineString]:
    """A ramp between a carriageway and the foot. side: 1 left of the axis; end: 1 further along the axis."""
    carriageway = _beside(axis, side)
    here = shapely.line_interpolate_point(axis, at + end * RAMP)
    place = shapely.line_locate_point(carriageway, here)
    join, inner = shapely.get_coordinates(shapely.line_interpolate_point(carriageway, [place, place - end * 200]))
    join = np.round(join / PRECISION) * PRECISION
    t = np.linspace(0, 1, 14)[:, None]
    line = (1 - t) ** 2 * join + 2 * t * (1 - t) * inner + t**2 * foot
    # On the right the ramp ahead of the crossing leads up; on the left it is the other way round.
    upward = (end > 0) == (side < 0)
    return join, shapely.LineString(line[::-1] if upward else line)
