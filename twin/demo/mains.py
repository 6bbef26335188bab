"""Water mains under the town's streets, with valves at the junctions and hydrants between."""

import numpy as np
import shapely

from twin.demo.districts import URBAN
from twin.demo.grid import Ints, Shapes
from twin.demo.ground_plan import GroundPlan
from twin.demo.lattice import Rank
from twin.demo.linework import components
from twin.demo.shapes import lines_by_owner, middles_of, points
from twin.demo.streets import HILL_ROAD
from twin.demo.tables import ThemeWriter, numbered

# Diameter by the street's rank, mm; depth of the pipe's bottom, m; streets shorter than this have no hydrant, m.
DIAMETER = {Rank.TRUNK: 800, Rank.PRIMARY: 600, Rank.SECONDARY: 400, Rank.TERTIARY: 300, Rank.RESIDENTIAL: 150}
DEPTH, HYDRANT_FROM = 1.3, 90.0
VALVE_FROM = 300


def write_mains(plan: GroundPlan, pipes: ThemeWriter, nodes: ThemeWriter) -> None:
    """One connected net of mains."""
    network = plan.network
    which = _streets_with_mains(plan)
    used, index = np.unique(np.concatenate((network.start[which], network.end[which])), return_inverse=True)
    start, end = np.split(index, 2)
    hydrant = np.flatnonzero(network.length[which] > HYDRANT_FROM)
    middle = np.stack(middles_of(network.lines.shape[which[hydrant]]), axis=1)
    places = np.concatenate((network.places[used], middle))
    level = plan.ground_at(places)
    diameter = np.array([DIAMETER.get(kind, 0) for kind in Rank])[network.lines.rank[which]]
    largest = np.zeros(len(used), dtype=np.int64)
    np.maximum.at(largest, start, diameter)
    np.maximum.at(largest, end, diameter)
    uid = np.array(numbered("water-node", range(len(places))), dtype=object)
    nodes.write(
        points(places),
        uid=uid,
        class_=np.where(largest >= VALVE_FROM, "Valve", "Junction").tolist() + ["Hydrant"] * len(hydrant),
        medium="water",
        invert=np.round(level - DEPTH, 3),
        ground_level=np.round(level, 3),
        depth=DEPTH,
    )
    between = np.full(len(which), -1)
    between[hydrant] = len(used) + np.arange(len(hydrant))
    whole, split = np.flatnonzero(between < 0), hydrant
    owner = np.concatenate((whole, split, split))
    begin = np.concatenate((start[whole], start[split], between[split]))
    finish = np.concatenate((end[whole], between[split], end[split]))
    shape = network.lines.shape[which]
    pipes.write(
        np.concatenate((shape[whole], *_halves(shape[split]))),
        uid=numbered("water-pipe", range(len(owner))),
        class_="Pipe",
        medium="water",
        material=np.where(diameter[owner] >= 400, "ductile iron", "PE").tolist(),
        diameter_mm=diameter[owner].astype(float),
        invert_start=np.round(level[begin] - DEPTH, 3),
        invert_end=np.round(level[finish] - DEPTH, 3),
        start_node=uid[begin],
        end_node=uid[finish],
    )


def _streets_with_mains(plan: GroundPlan) -> Ints:
    """Indices of the town's streets that are joined to each other."""
    network, districts = plan.network, plan.site.districts
    lines = network.lines
    urban = districts.at(districts.urban, *middles_of(lines.shape)) > 0.8 * URBAN
    fit = np.isin(lines.rank, list(DIAMETER)) & urban & (lines.street != HILL_ROAD) & (network.start != network.end)
    which = np.flatnonzero(fit)
    label = components(network.start[which], network.end[which], len(network.places))[network.start[which]]
    joined: Ints = which[label == np.bincount(label).argmax()]
    return joined


def _halves(shape: Shapes) -> tuple[Shapes, Shapes]:
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
        halves.append(lines_by_owner(vertices[sort], owner[sort]))
    return halves[0], halves[1]
