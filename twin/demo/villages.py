"""Villages on the country roads: where they lie and how far their houses reach."""

from dataclasses import dataclass

import numpy as np
import shapely

from twin.demo.arterials import COAST_ROAD, Arterials
from twin.demo.grid import Floats, Ints, Shapes
from twin.demo.lattice import Rank
from twin.demo.linework import Linework, lines_of
from twin.demo.overlay import less, touching
from twin.demo.shapes import points, polygons
from twin.demo.site import Site

APART = 640.0
CORNERS = 28
VILLAGE_RING = COAST_ROAD + 5


@dataclass(frozen=True)
class Villages:
    """Outlines of the villages in the plain."""

    outline: Shapes

    def ring_roads(self) -> Linework:
        """The lane around each village."""
        return lines_of(shapely.boundary(self.outline), Rank.RESIDENTIAL, VILLAGE_RING)


def settle(site: Site, arterials: Arterials) -> Villages:
    """Villages at a distance from one another beside the roads of the rural plain."""
    rng = site.frame.random("villages")
    lines = arterials.lines
    roads = lines.take((lines.rank <= Rank.TERTIARY) & ~lines.bridge & (shapely.length(lines.shape) > 40))
    places = shapely.get_coordinates(shapely.line_interpolate_point(roads.shape, 0.5, normalized=True))
    ends = shapely.get_coordinates(shapely.get_point(roads.shape, 0))
    spots = np.concatenate((places, ends)) + rng.normal(0, 25, (2 * len(places), 2))
    urban = site.districts.at(site.districts.urban, *spots.T)
    inner = shapely.buffer(arterials.plain, -20)
    free = (urban < 0.3) & shapely.contains_xy(inner, *spots.T)
    free[touching(points(spots), site.corridors)] = False
    centres = spaced(spots[free][rng.permutation(int(free.sum()))], APART)
    outline = less(shapely.intersection(_outlines(centres, rng), inner), site.corridors)
    parts, parent = shapely.get_parts(outline, return_index=True)
    order = np.lexsort((-shapely.area(parts), parent))
    largest = order[np.concatenate(([True], np.diff(parent[order]) > 0))]
    smooth = shapely.simplify(parts[largest], 1.0)
    return Villages(smooth[shapely.area(smooth) > 12_000])


def spaced(places: Floats, apart: float) -> Floats:
    """Of the places in their order those that have none of the earlier ones within `apart` m."""
    return places[spaced_index(places, apart)]


def spaced_index(places: Floats, apart: float) -> Ints:
    """Indices of the places that `spaced` keeps."""
    taken: dict[tuple[int, int], list[tuple[float, float]]] = {}
    result = []
    for number, (x, y) in enumerate(places.tolist()):
        column, row = int(x // apart), int(y // apart)
        near = (taken.get((column + i, row + j), ()) for i in (-1, 0, 1) for j in (-1, 0, 1))
        if all((x - a) ** 2 + (y - b) ** 2 >= apart * apart for group in near for a, b in group):
            taken.setdefault((column, row), []).append((x, y))
            result.append(number)
    return np.array(result, dtype=np.int64)


def _outlines(centres: Floats, rng: np.random.Generator) -> Shapes:
    count = len(centres)
    angle = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
    radius = np.clip(rng.lognormal(np.log(150), 0.28, (count, 1)), 95, 260) * np.ones((1, CORNERS))
    for wave in (2, 3, 4, 5):
        phase, height = rng.uniform(0, 2 * np.pi, (count, 1)), rng.uniform(0, 0.32 / wave, (count, 1)) * 1.4
        radius = radius * (1 + height * np.sin(wave * angle + phase))
    corners = np.stack((radius * np.cos(angle), radius * np.sin(angle)), axis=-1) + centres[:, None]
    return polygons(corners)
