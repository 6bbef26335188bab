"""The town's fabric: plots of land, cut into parcels and built on batch by batch, so that memory stays bounded."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import shapely

from twin.demo.buildings import Buildings, erect
from twin.demo.channels import Channels
from twin.demo.contours import areas_above
from twin.demo.defences import Defences
from twin.demo.districts import Districts
from twin.demo.forms import Kind, kinds_of, year_built
from twin.demo.frame import Frame
from twin.demo.grid import Bools, Floats, Grid, Ints, Shapes, noise
from twin.demo.hill_roads import HillRoads
from twin.demo.landform import Landform
from twin.demo.parcels import Parcels, apart, cut_parcels, fields_of, less, polygons_of, street_space
from twin.demo.streets import HECTARE, Streets
from twin.demo.subdivide import Cuts, cut_down
from twin.demo.uses import GROUND, Use

# Plots in a batch, and how many batches are tried out to learn how many buildings there will be.
BATCH, TRIALS = 1500, 8
# Slopes begin at this height above the plain, and orchards end at that, m.
SLOPE_FROM, ORCHARD_UNTIL = 5.0, 55.0
# Houses on slopes: largest difference of ground under a house, m.
STEPPED = 3.0
# Kinds of which some may be left out to meet the number of buildings wanted.
LOOSE = (Kind.VILLAGE_HOUSE, Kind.CITY_VILLAGE_HOUSE, Kind.OLD_HOUSE, Kind.SHED, Kind.SLAB, Kind.VILLA, Kind.SHOP)


@dataclass(frozen=True)
class Plots:
    """Land to be cut into parcels: net of streets, with use and block.

    open_land: parcels that are done already. works: ground under streams and the dam.
    """

    shape: Shapes
    use: Ints
    block: Ints
    open_land: Parcels
    works: Shapes


@dataclass(frozen=True)
class Built:
    """One batch: parcels with year and the nearness of a centre, and the buildings on them."""

    parcels: Parcels
    year: Ints
    core: Floats
    buildings: Buildings


def lay_plots(
    frame: Frame,
    land: Landform,
    channels: Channels,
    defences: Defences,
    streets: Streets,
    hill_roads: HillRoads,
    corridor: shapely.Geometry,
    use: Ints,
    county: shapely.Polygon,
    water: Shapes,
) -> Plots:
    """All land of the county that is not water, by use.

    corridor: ground under motorway and railway. use: of each block. water: river, reservoir and canals.
    """
    rng = frame.random("plots")
    takers = np.concatenate((street_space(streets.lines), shapely.get_parts(corridor)))
    inland = shapely.intersection(county, shapely.union_all(land.land))
    works = _works(channels, defences, inland, water)
    wet = np.concatenate((water, works))
    net_all = less(streets.blocks, takers)
    net, block = polygons_of(net_all, 1.0)
    own = use[block]
    own[shapely.area(net) < 150] = Use.GREEN
    rural = own == Use.FIELD
    x, y = _inside(net[rural])
    fields = fields_of(
        net[rural], block[rural], land.grid.sample(land.offshore, x, y), land.grid.sample(land.hilliness, x, y), rng
    )
    road, road_block = polygons_of(shapely.difference(streets.blocks, net_all))
    hamlets = _hamlets(channels, defences, streets, hill_roads, takers, inland, rng)
    return Plots(
        shape=np.concatenate((net[~rural], hamlets.shape)),
        use=np.concatenate((own[~rural], hamlets.use)),
        block=np.concatenate((block[~rural], hamlets.block)),
        open_land=_together(
            fields,
            _parcels(road, Use.STREET, road_block),
            _banks(streets, takers, wet),
            _outer(land, streets, takers, hamlets, inland, wet, rng),
        ),
        works=works,
    )


def _works(channels: Channels, defences: Defences, inland: shapely.Geometry, water: Shapes) -> Shapes:
    """Ground under the dam and the streams, as wide as these are."""
    streams = shapely.buffer(channels.streams, channels.stream_width / 2, quad_segs=2)
    ground = less(apart(np.append(np.array([defences.dam], dtype=object), streams)), water)
    return polygons_of(shapely.intersection(ground, inland), 1.0)[0]


def _parcels(shape: Shapes, use: Use, block: Ints | None = None) -> Parcels:
    count = len(shape)
    return Parcels(shape, np.full(count, int(use)), np.full(count, -1) if block is None else block)


def _together(*parts: Parcels) -> Parcels:
    return Parcels(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("shape", "use", "block")))


def _inside(shape: Shapes) -> tuple[Floats, Floats]:
    point = shapely.point_on_surface(shape)
    return shapely.get_x(point), shapely.get_y(point)


def _banks(streets: Streets, takers: Shapes, water: Shapes) -> Parcels:
    """The ground between bank roads and water."""
    # The banks of all canals are one shape with a thousand corners: one cut by everything is faster than many.
    beside = np.unique(shapely.STRtree(takers).query(streets.banks, predicate="intersects")[1])
    dry = shapely.difference(shapely.union_all(streets.banks), shapely.union_all(water))
    road_area = shapely.union_all(takers[beside])
    green, _ = polygons_of(np.array([shapely.difference(dry, road_area)], dtype=object), 5.0)
    road, _ = polygons_of(np.array([shapely.intersection(dry, road_area)], dtype=object), 5.0)
    return _together(_parcels(green, Use.WATERSIDE), _parcels(road, Use.STREET))


def _hamlets(
    channels: Channels,
    defences: Defences,
    streets: Streets,
    hill_roads: HillRoads,
    takers: Shapes,
    inland: shapely.Geometry,
    rng: np.random.Generator,
) -> Parcels:
    """Building land at the ends of the hill roads: hamlets, and a temple on a hill within the town."""
    places = shapely.points(hill_roads.hamlets)
    reached = np.unique(shapely.STRtree(streets.lines.shape).query(places, predicate="dwithin", distance=40)[0])
    places = places[reached]
    if not len(places):
        return _parcels(np.empty(0, dtype=object), Use.VILLAGE_HOUSES)
    holes = shapely.polygons(shapely.get_rings(streets.covered))
    holes = holes[shapely.area(holes) < 0.5 * streets.covered.area]
    town_hill = np.isin(np.arange(len(places)), shapely.STRtree(holes).query(places, predicate="within")[0])
    radius = np.where(town_hill, rng.uniform(34, 48, len(places)), rng.uniform(75, 130, len(places)))
    area = shapely.intersection(shapely.buffer(places, radius, quad_segs=4), inland)
    keep_out = (
        channels.stream_corridor,
        shapely.buffer(defences.reservoir, 20),
        shapely.buffer(defences.dam, 10),
        streets.covered,
    )
    shape, parent = polygons_of(less(area, np.concatenate((np.array(keep_out, dtype=object), takers))), 300)
    use = np.where(town_hill[parent], int(Use.TEMPLE), int(Use.VILLAGE_HOUSES))
    return Parcels(shape, use, np.full(len(shape), -1))


def _outer(
    land: Landform,
    streets: Streets,
    takers: Shapes,
    hamlets: Parcels,
    inland: shapely.Geometry,
    wet: Shapes,
    rng: np.random.Generator,
) -> Parcels:
    """Hills and margins: everything on land outside the streets' net."""
    outside = shapely.difference(inland, streets.covered)
    pieces, use = _wild_land(land, outside, rng)
    pieces, origin = cut_down(
        pieces, np.full(len(pieces), GROUND[Use.FOREST].parcel * HECTARE), Cuts(0.15, 0.25, 0.06), rng
    )
    # Motorway and railway run under the hills, streets do not.
    beside = takers[np.unique(shapely.STRtree(takers).query([outside], predicate="intersects")[1])]
    free, parent = polygons_of(less(pieces, np.concatenate((wet, hamlets.shape, beside))), 1.0)
    roads = shapely.difference(shapely.intersection(shapely.union_all(beside), outside), shapely.union_all(wet))
    use = use[origin][parent]
    x, y = _inside(free)
    use[(use == Use.FIELD) & (land.grid.sample(land.offshore, x, y) > -90)] = Use.WATERSIDE
    use[(use == Use.FIELD) & (shapely.area(free) < 1500)] = Use.GREEN
    flat = use == Use.FIELD
    nowhere = np.full(int(flat.sum()), -1)
    fields = fields_of(free[flat], nowhere, np.full(len(nowhere), -1e5), np.full(len(nowhere), -1.0), rng)
    return _together(
        Parcels(free[~flat], use[~flat], np.full(int((~flat).sum()), -1)),
        Parcels(fields.shape, np.where(fields.use == Use.POND, int(Use.FIELD), fields.use), fields.block),
        _parcels(polygons_of(np.array([roads], dtype=object), 1.0)[0], Use.STREET),
    )


def _wild_land(land: Landform, outside: shapely.Geometry, rng: np.random.Generator) -> tuple[Shapes, Ints]:
    """Land outside the town parted along natural lines: valley floors, orchards on lower slopes, scrub, forest."""
    grid = land.grid
    patchy = noise(grid, 1300, rng, octaves=3)
    lower = np.minimum(land.relief - SLOPE_FROM, ORCHARD_UNTIL - land.relief) / 20
    upper = (land.relief - ORCHARD_UNTIL) / 20
    fields = (SLOPE_FROM - land.relief, np.minimum(lower, -patchy - 0.8), np.minimum(upper, patchy - 1.3))
    parts = []
    for field in fields:
        area = shapely.union_all(areas_above(grid, field))
        parts.append(shapely.intersection(outside, area))
        outside = shapely.difference(outside, area)
    shape, part = polygons_of(np.array([*parts, outside], dtype=object), 1.0)
    return shape, np.array((Use.FIELD, Use.ORCHARD, Use.SCRUB, Use.FOREST), dtype=np.int64)[part]


def build_up(frame: Frame, districts: Districts, plots: Plots, grid: Grid, ground: Floats) -> Iterator[Built]:
    """Parcels and buildings, batch by batch, with about as many buildings as the frame asks for."""
    farm = plots.open_land.use == Use.FARMYARD
    batches = [np.arange(first, min(first + BATCH, len(plots.shape))) for first in range(0, len(plots.shape), BATCH)]
    expected = _expected(frame, districts, plots, batches, grid, ground)
    farms = _farmyards(frame, districts, plots, farm, grid, ground)
    left, ahead = float(frame.buildings), float(expected.sum() + len(farms.buildings))
    for number, batch in enumerate((None, *batches)):
        built = farms if batch is None else _batch(frame, districts, plots, batch, number, grid, ground)
        ahead_here = float(len(farms.buildings) if batch is None else expected[number - 1])
        built = _thinned(built, min(1.0, left / max(ahead, 1.0)), frame.random(f"gaps {number}"))
        left -= len(built.buildings)
        ahead -= ahead_here
        yield built


def _expected(
    frame: Frame, districts: Districts, plots: Plots, batches: list[Ints], grid: Grid, ground: Floats
) -> Floats:
    """How many buildings each batch will have: counted in some, by the area of each use in the others."""
    tried = np.unique(np.linspace(0, len(batches) - 1, min(TRIALS, len(batches))).astype(int))
    area = np.zeros(len(Use))
    found = np.zeros(len(Use))
    expected = np.zeros(len(batches))
    for number in tried.tolist():
        built = _batch(frame, districts, plots, batches[number], number + 1, grid, ground)
        use = built.parcels.use
        area += np.bincount(use, weights=shapely.area(built.parcels.shape), minlength=len(Use))
        found += np.bincount(use[built.buildings.parcel], minlength=len(Use))
        expected[number] = len(built.buildings)
    density = found / np.maximum(area, 1.0)
    for number in np.setdiff1d(np.arange(len(batches)), tried).tolist():
        batch = batches[number]
        expected[number] = float((shapely.area(plots.shape[batch]) * density[plots.use[batch]]).sum())
    return expected


def _batch(
    frame: Frame, districts: Districts, plots: Plots, batch: Ints, number: int, grid: Grid, ground: Floats
) -> Built:
    rng = frame.random(f"batch {number}")
    parcels = cut_parcels(plots.shape[batch], plots.use[batch], plots.block[batch], rng)
    return _built(districts, parcels, grid, ground, rng)


def _farmyards(frame: Frame, districts: Districts, plots: Plots, farm: Bools, grid: Grid, ground: Floats) -> Built:
    land = plots.open_land
    parcels = Parcels(land.shape[farm], land.use[farm], land.block[farm])
    return _built(districts, parcels, grid, ground, frame.random("farmyards"))


def _built(districts: Districts, parcels: Parcels, grid: Grid, ground: Floats, rng: np.random.Generator) -> Built:
    x, y = _inside(parcels.shape)
    core = districts.at(districts.core, x, y)
    year = year_built(parcels.use, districts.at(districts.age, x, y), rng)
    kind = kinds_of(parcels.use, year, core, shapely.area(parcels.shape), rng)
    buildings = erect(parcels.shape, kind, core, rng)
    return Built(parcels, year, core, buildings.take(_level(buildings.shape, grid, ground)))


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
    return Built(built.parcels, built.year, built.core, built.buildings.take(keep))
