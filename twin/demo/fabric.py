"""The town's fabric: plots of land, cut into parcels and built on batch by batch, so that memory stays bounded."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import shapely

from twin.demo.buildings import Buildings, erect
from twin.demo.forms import Kind, kinds_of, year_built
from twin.demo.grid import Bools, Floats, Grid, Ints, Shapes
from twin.demo.parcels import Parcels, cut_parcels
from twin.demo.plots import Plots
from twin.demo.shapes import places_of
from twin.demo.site import Site
from twin.demo.subdivide import Cuts, cut
from twin.demo.uses import Use

# Plots in a batch, and how many batches are tried out to learn how many buildings there will be.
BATCH, TRIALS = 1500, 8
# Houses on slopes: largest difference of ground under a house, m.
STEPPED = 3.0
# Schools on more land than this have a sports ground, m2.
SPORTS_FROM = 6500.0
# Kinds of which some may be left out to meet the number of buildings wanted.
LOOSE = (Kind.VILLAGE_HOUSE, Kind.CITY_VILLAGE_HOUSE, Kind.OLD_HOUSE, Kind.SHED, Kind.SLAB, Kind.VILLA, Kind.SHOP)


@dataclass(frozen=True)
class Built:
    """One batch: parcels with the year they were built up, the buildings on them, and the schools' sports grounds."""

    parcels: Parcels
    year: Ints
    buildings: Buildings
    sports_grounds: Shapes


class Builder:
    """Cuts plots into parcels and builds on them.

    site, plots: of the city. ground: elevation of the frame's fine grid, m.
    """

    def __init__(self, site: Site, plots: Plots, ground: Floats) -> None:
        self._site = site
        self._plots = plots
        self._ground = ground
        count = len(plots.shape)
        self._batches = [np.arange(first, min(first + BATCH, count)) for first in range(0, count, BATCH)]

    def build_up(self) -> Iterator[Built]:
        """The batches, with about as many buildings in all as the frame asks for; farmyards come first."""
        farms = self._farmyards()
        expected = [float(len(farms.buildings)), *self._expected()]
        left = float(self._site.frame.buildings)
        for number, ahead in enumerate(np.cumsum(expected[::-1])[::-1].tolist()):
            built = self._batch(number - 1) if number else farms
            built = _thinned(built, min(1.0, left / max(ahead, 1.0)), self._site.frame.random(f"gaps {number}"))
            left -= len(built.buildings)
            yield built

    def _expected(self) -> list[float]:
        """How many buildings each batch will have: counted in some, by the area of each use in the others."""
        batches = self._batches
        tried = np.unique(np.linspace(0, len(batches) - 1, min(TRIALS, len(batches))).astype(int)).tolist()
        area, found = np.zeros(len(Use)), np.zeros(len(Use))
        counted: dict[int, float] = {}
        for number in tried:
            built = self._batch(number)
            use = built.parcels.use
            area += np.bincount(use, weights=shapely.area(built.parcels.shape), minlength=len(Use))
            found += np.bincount(use[built.buildings.parcel], minlength=len(Use))
            counted[number] = float(len(built.buildings))
        density = found / np.maximum(area, 1.0)
        plots = self._plots
        return [
            counted[number]
            if number in counted
            else float((shapely.area(plots.shape[b]) * density[plots.use[b]]).sum())
            for number, b in enumerate(batches)
        ]

    def _batch(self, number: int) -> Built:
        rng = self._site.frame.random(f"batch {number}")
        which, plots = self._batches[number], self._plots
        return self._built(cut_parcels(plots.shape[which], plots.use[which], plots.block[which], rng), rng)

    def _farmyards(self) -> Built:
        land = self._plots.open_land
        farm = land.use == Use.FARMYARD
        parcels = Parcels(land.shape[farm], land.use[farm], land.block[farm])
        return self._built(parcels, self._site.frame.random("farmyards"))

    def _built(self, parcels: Parcels, rng: np.random.Generator) -> Built:
        districts = self._site.districts
        x, y = places_of(parcels.shape)
        core = districts.at(districts.core, x, y)
        year = year_built(parcels.use, districts.at(districts.age, x, y), rng)
        kind = kinds_of(parcels.use, year, core, shapely.area(parcels.shape), rng)
        land, sports = _with_sports(parcels.shape, kind, rng)
        buildings = erect(land, kind, core, rng)
        level = _level(buildings.shape, self._site.frame.fine_grid, self._ground)
        return Built(parcels, year, buildings.take(level), sports)


def _with_sports(parcels: Shapes, kind: Ints, rng: np.random.Generator) -> tuple[Shapes, Shapes]:
    """Land to build on, and a sports ground on the other half of each larger school's parcel."""
    school = np.flatnonzero(np.isin(kind, (Kind.SCHOOL, Kind.COLLEGE)) & (shapely.area(parcels) > SPORTS_FROM))
    halves, parent, _lines = cut(parcels[school], Cuts(jitter=0.06), rng)
    order = np.lexsort((-shapely.area(halves), parent))
    rank = np.arange(len(order)) - np.searchsorted(parent[order], parent[order])
    first, second = order[rank == 0], order[rank == 1]
    land = parcels.copy()
    land[school[parent[first]]] = halves[first]
    ground = shapely.buffer(shapely.buffer(halves[second], -15, quad_segs=6), 8, quad_segs=6)
    return land, ground[shapely.area(ground) > 1200]


def _level(shape: Shapes, grid: Grid, ground: Floats) -> Bools:
    """Buildings that stand on even enough ground."""
    corners, owner = shapely.get_coordinates(shape, return_index=True)
    height = ground[grid.cells(*corners.T)]
    low, high = np.full(len(shape), np.inf), np.full(len(shape), -np.inf)
    np.minimum.at(low, owner, height)
    np.maximum.at(high, owner, height)
    level: Bools = high - low < STEPPED
    return level


def _thinned(built: Built, share: float, rng: np.random.Generator) -> Built:
    """The batch with so many buildings left out that `share` of them remain; landmarks always stay."""
    loose = np.flatnonzero(np.isin(built.buildings.kind, LOOSE))
    surplus = min(len(loose), round(len(built.buildings) * (1 - share)))
    gone = rng.permutation(loose)[:surplus]
    keep = np.ones(len(built.buildings), dtype=bool)
    keep[gone] = False
    return replace(built, buildings=built.buildings.take(keep))
