"""Plots: all land of the county by use, net of streets and water, some of it cut into parcels already."""

from dataclasses import dataclass

import numpy as np
import shapely

from twin.demo.channels import Channels
from twin.demo.contours import areas_above
from twin.demo.defences import Defences
from twin.demo.grid import Floats, Ints, Shapes, noise
from twin.demo.hill_roads import HillRoads
from twin.demo.landform import Landform
from twin.demo.overlay import apart, less, polygons_of, touching
from twin.demo.parcels import Parcels, fields_of, street_space
from twin.demo.shapes import one, places_of
from twin.demo.site import Site
from twin.demo.streets import HECTARE, Streets
from twin.demo.subdivide import Cuts, cut_down
from twin.demo.uses import GROUND, Use
from twin.demo.water_bodies import canal_water

# Slopes begin at this height above the plain, and orchards end at that, m.
SLOPE_FROM, ORCHARD_UNTIL = 5.0, 55.0
# Margins narrower than the fields beside them: up to this area (m2) they are green, and so they are near the sea (m).
MARGIN, SEASIDE = 1500.0, 90.0
# Less than this is no building plot, m2.
SLIVER = 150.0


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
class Cover:
    """What lies on the land.

    takers: ground of the streets and under motorway and railway. water: river, reservoir and canals. works: ground
    under the dam and the streams. inland: the county's land.
    """

    takers: Shapes
    water: Shapes
    works: Shapes
    inland: shapely.Geometry

    @property
    def wet(self) -> Shapes:
        """Water and works."""
        return np.concatenate((self.water, self.works))


def cover(site: Site, defences: Defences, streets: Streets, corridor: shapely.Geometry) -> Cover:
    """The cover of this city. corridor: ground under motorway and railway."""
    channels = site.channels
    inland = shapely.intersection(site.county, shapely.union_all(site.land.land))
    water = np.concatenate((one(channels.river), one(defences.reservoir), canal_water(channels, defences)))
    streams = shapely.buffer(channels.streams, channels.stream_width / 2, quad_segs=2)
    under = less(apart(np.concatenate((one(defences.dam), streams))), water)
    return Cover(
        takers=np.concatenate((street_space(streets.lines), shapely.get_parts(corridor))),
        water=water,
        works=polygons_of(shapely.intersection(under, inland), 1.0)[0],
        inland=inland,
    )


def lay_plots(
    site: Site, defences: Defences, streets: Streets, hill_roads: HillRoads, use: Ints, *, on: Cover
) -> Plots:
    """All land of the county that is not water, by use. use: of each block. on: what lies on the land."""
    rng = site.frame.random("plots")
    net_all = less(streets.blocks, on.takers)
    net, block = polygons_of(net_all, 1.0)
    own = use[block]
    own[shapely.area(net) < SLIVER] = Use.GREEN
    rural = own == Use.FIELD
    grid = site.land.grid
    x, y = places_of(net[rural])
    offshore, hilliness = grid.sample(site.land.offshore, x, y), grid.sample(site.land.hilliness, x, y)
    road, road_block = polygons_of(shapely.difference(streets.blocks, net_all))
    hamlets = _hamlets(site.channels, defences, streets, hill_roads, on)
    return Plots(
        shape=np.concatenate((net[~rural], hamlets.shape)),
        use=np.concatenate((own[~rural], hamlets.use)),
        block=np.concatenate((block[~rural], hamlets.block)),
        open_land=_together(
            fields_of(net[rural], block[rural], offshore, hilliness, rng),
            _parcels(road, Use.STREET, road_block),
            _banks(streets, on),
            _outer(site, streets, hamlets, on, rng),
        ),
        works=on.works,
    )


def _parcels(shape: Shapes, use: Use, block: Ints | None = None) -> Parcels:
    count = len(shape)
    return Parcels(shape, np.full(count, int(use)), np.full(count, -1) if block is None else block)


def _together(*parts: Parcels) -> Parcels:
    return Parcels(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("shape", "use", "block")))


def _banks(streets: Streets, on: Cover) -> Parcels:
    """The ground between bank roads and water."""
    dry = less(streets.banks, on.wet)
    green = less(dry, on.takers)
    road = shapely.difference(dry, green)
    return _together(
        _parcels(polygons_of(green, 5.0)[0], Use.WATERSIDE), _parcels(polygons_of(road, 5.0)[0], Use.STREET)
    )


def _hamlets(channels: Channels, defences: Defences, streets: Streets, hill_roads: HillRoads, on: Cover) -> Parcels:
    """Building land at the ends of the hill roads: hamlets, and a temple on a hill within the town."""
    ends = np.asarray(shapely.points(hill_roads.hamlets), dtype=object)
    reached = shapely.STRtree(streets.lines.shape).query(ends, predicate="dwithin", distance=40)[0]
    places = ends[np.unique(reached)]
    if not len(places):
        return _parcels(places, Use.VILLAGE_HOUSES)
    holes = np.asarray(shapely.polygons(shapely.get_rings(streets.covered)), dtype=object)
    holes = holes[shapely.area(holes) < 0.5 * shapely.area(streets.covered)]
    town_hill = np.isin(np.arange(len(places)), shapely.STRtree(holes).query(places, predicate="within")[0])
    radius = np.where(town_hill, 40.0, 75 + 55 * np.abs(np.sin(shapely.get_x(places))))
    area = shapely.intersection(shapely.buffer(places, radius, quad_segs=4), on.inland)
    works = (shapely.buffer(defences.reservoir, 20), shapely.buffer(defences.dam, 10), streets.covered)
    keep_out = np.concatenate((np.array(works, dtype=object), channels.stream_corridors, on.takers))
    shape, parent = polygons_of(less(area, keep_out), 300)
    use = np.where(town_hill[parent], int(Use.TEMPLE), int(Use.VILLAGE_HOUSES))
    return Parcels(shape, use, np.full(len(shape), -1))


def _outer(site: Site, streets: Streets, hamlets: Parcels, on: Cover, rng: np.random.Generator) -> Parcels:
    """Hills and margins: everything on land outside the streets' net."""
    land = site.land
    outside = shapely.difference(on.inland, streets.covered)
    pieces, use = _wild_land(land, outside, rng)
    size = np.full(len(pieces), GROUND[Use.FOREST].parcel * HECTARE)
    pieces, origin = cut_down(pieces, size, Cuts(0.15, 0.25, 0.06), rng)
    # Motorway and railway run under the hills, streets do not.
    beside = on.takers[touching(on.takers, one(outside))]
    free, parent = polygons_of(less(pieces, np.concatenate((on.wet, hamlets.shape, beside))), 1.0)
    roads = shapely.difference(shapely.intersection(shapely.union_all(beside), outside), shapely.union_all(on.wet))
    use = use[origin][parent]
    x, y = places_of(free)
    use[(use == Use.FIELD) & (land.grid.sample(land.offshore, x, y) > -SEASIDE)] = Use.WATERSIDE
    use[(use == Use.FIELD) & (shapely.area(free) < MARGIN)] = Use.GREEN
    flat = use == Use.FIELD
    nowhere = np.full(int(flat.sum()), -1)
    # Far from the sea and from the hills, as far as ponds and orchards are concerned.
    far: Floats = np.full(len(nowhere), -1e5)
    fields = fields_of(free[flat], nowhere, far, far, rng)
    return _together(
        Parcels(free[~flat], use[~flat], np.full(int((~flat).sum()), -1)),
        Parcels(fields.shape, np.where(fields.use == Use.POND, int(Use.FIELD), fields.use), fields.block),
        _parcels(polygons_of(one(roads), 1.0)[0], Use.STREET),
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
