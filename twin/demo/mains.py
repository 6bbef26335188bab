"""Water mains under the town's streets, with valves at the junctions and hydrants between."""

import numpy as np
import shapely

from twin.demo.districts import URBAN, Districts
from twin.demo.grid import Floats, Grid
from twin.demo.lattice import Rank
from twin.demo.linework import components
from twin.demo.network import Network
from twin.demo.streets import HILL_ROAD
from twin.demo.tables import ThemeWriter, numbered

# Diameter by the street's rank, mm; depth of the pipe's bottom, m; streets shorter than this have no hydrant, m.
DIAMETER = {Rank.TRUNK: 800, Rank.PRIMARY: 600, Rank.SECONDARY: 400, Rank.TERTIARY: 300, Rank.RESIDENTIAL: 150}
DEPTH, HYDRANT_FROM = 1.3, 90.0
VALVE_FROM = 300


def write_mains(
    network: Network, districts: Districts, grid: Grid, ground: Floats, pipes: ThemeWriter, nodes: ThemeWriter
) -> None:
    """One connected net of mains. ground: elevation on `grid`, m."""
    lines = network.lines
    middle = shapely.line_interpolate_point(lines.shape, 0.5, normalized=True)
    urban = districts.at(districts.urban, shapely.get_x(middle), shapely.get_y(middle)) > 0.8 * URBAN
    fit = np.isin(lines.rank, list(DIAMETER)) & urban & (lines.street != HILL_ROAD)
    fit &= network.start != network.end
    label = components(network.start[fit], network.end[fit], len(network.places))
    fit[fit] = label[network.start[fit]] == np.bincount(label[network.start[fit]]).argmax()
    which = np.flatnonzero(fit)
    used, index = np.unique(np.concatenate((network.start[which], network.end[which])), return_inverse=True)
    start, end = np.split(index, 2)
    hydrant = np.flatnonzero(network.length[which] > HYDRANT_FROM)
    places = np.concatenate((network.places[used], shapely.get_coordinates(middle[which[hydrant]])))
    level = ground[grid.cells(*places.T)].astype(float)
    diameter = np.array([DIAMETER.get(kind, 0) for kind in Rank])[lines.rank[which]]
    largest = np.zeros(len(used), dtype=np.int64)
    np.maximum.at(largest, start, diameter)
    np.maximum.at(largest, end, diameter)
    kind = np.where(largest >= VALVE_FROM, "Valve", "Junction").tolist() + ["Hydrant"] * len(hydrant)
    uid = np.array(numbered("water-node", range(len(places))), dtype=object)
    nodes.write(
        shapely.points(places), uid=uid, class_=kind, medium="water", invert=np.round(level - DEPTH, 3),
        ground_level=np.round(level, 3), depth=DEPTH,
    )  # fmt: skip
    between = np.full(len(which), -1)
    between[hydrant] = len(used) + np.arange(len(hydrant))
    split = between >= 0
    first = _halves(lines.shape[which[split]])
    shape = np.concatenate((lines.shape[which[~split]], *first))
    owner = np.concatenate((np.flatnonzero(~split), np.flatnonzero(split), np.flatnonzero(split)))
    begin = np.concatenate((start[~split], start[split], between[split]))
    finish = np.concatenate((end[~split], between[split], end[split]))
    pipes.write(
        shape,
        uid=numbered("water-pipe", range(len(shape))),
        class_="Pipe",
        medium="water",
        material=np.where(diameter[owner] >= 400, "ductile iron", "PE").tolist(),
        diameter_mm=diameter[owner].astype(float),
        invert_start=np.round(level[begin] - DEPTH, 3),
        invert_end=np.round(level[finish] - DEPTH, 3),
        start_node=uid[begin],
        end_node=uid[finish],
    )


def _halves(shape: "np.ndarray[tuple[int], np.dtype[np.object_]]") -> tuple[Floats, Floats]:
    """The first and the second half of each line."""
    points, line = shapely.get_coordinates(shape, return_index=True)
    middle = shapely.get_coordinates(shapely.line_interpolate_point(shape, 0.5, normalized=True))
    step = np.where(line[1:] == line[:-1], np.hypot(*np.diff(points, axis=0).T), 0)
    way = np.concatenate(([0.0], np.cumsum(step)))
    first = np.flatnonzero(np.concatenate(([True], line[1:] != line[:-1])))
    way -= way[first][line]
    before = way < shapely.length(shape)[line] / 2 - 0.01
    after = way > shapely.length(shape)[line] / 2 + 0.01
    own = np.arange(len(shape))
    halves = []
    for keep, order in ((before, 1), (after, -1)):
        vertices = np.concatenate((points[keep], middle))
        owner = np.concatenate((line[keep], own))
        rank = np.concatenate((way[keep], np.full(len(own), 1e9 * order)))
        sort = np.lexsort((rank, owner))
        halves.append(shapely.linestrings(vertices[sort], indices=owner[sort]))
    return halves[0], halves[1]
