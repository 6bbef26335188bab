"""All streets: main streets, and the side streets and lanes that cut the land between them into blocks."""

from dataclasses import dataclass

import numpy as np
import shapely

from twin.demo.arterials import FIRST_LINE, Arterials
from twin.demo.channels import Channels
from twin.demo.districts import URBAN, Districts, Zone
from twin.demo.grid import Floats, Ints, Shapes
from twin.demo.lattice import Rank
from twin.demo.linework import Linework, join, largest_component, lines_of, noded, without_dangles
from twin.demo.overlay import less, polygons_of, within
from twin.demo.shapes import one, places_of
from twin.demo.site import Site
from twin.demo.subdivide import Cuts, cut
from twin.demo.villages import VILLAGE_RING, Villages

# Wished size of a block, hectares, and how crooked the lanes are: tilt (radians) and bend.
BLOCKS: dict[Zone, tuple[float, float, float]] = {
    Zone.RURAL: (1e6, 0.0, 0.0),
    Zone.VILLAGE: (0.5, 0.14, 0.05),
    Zone.TOWN: (1.3, 0.05, 0.015),
    Zone.SUBURB: (3.4, 0.05, 0.02),
    Zone.RESIDENTIAL: (3.2, 0.03, 0.01),
    Zone.CORE: (1.9, 0.025, 0.0),
    Zone.CENTRE: (1.5, 0.01, 0.0),
    Zone.OLD_TOWN: (0.55, 0.16, 0.05),
    Zone.INDUSTRY: (6.5, 0.01, 0.0),
    Zone.PORT: (9.0, 0.01, 0.0),
}
# Land above this size is cut by a tertiary street, hectares; in old quarters lanes follow below the second size.
TERTIARY_FROM, LANE_BELOW = 11.0, 1.6
HECTARE = 10_000.0
HILL_ROAD = VILLAGE_RING + 1
# Ids of side streets begin here.
FIRST_SIDE_STREET = 1_000_000


@dataclass(frozen=True)
class Streets:
    """The street network and the land between.

    lines: noded, one connected component of streets. blocks: polygons between the streets' middle lines, with zone.
    banks: polygons between bank roads or the like that hold water. covered: blocks and banks together.
    """

    lines: Linework
    blocks: Shapes
    zone: Ints
    banks: Shapes
    covered: shapely.Geometry


def lay_streets(site: Site, arterials: Arterials, villages: Villages, hill_roads: Shapes) -> Streets:
    """Every street of the plain, and the roads that lead from it into the hills."""
    main = noded(join(arterials.lines, villages.ring_roads()))
    faces = shapely.get_parts(shapely.polygonize(main.shape))
    # Hills that rise out of the plain are faces too, but not of the town.
    faces = faces[shapely.contains_xy(arterials.plain, *places_of(faces))]
    covered = shapely.coverage_union_all(faces)
    faces, banks = _parted(site, faces)
    zone = site.districts.zones(*places_of(faces))
    inside = shapely.point_on_surface(faces)
    zone[shapely.STRtree(villages.outline).query(inside, predicate="within")[0]] = Zone.VILLAGE
    blocks, zone, side = _cut_blocks(site, faces, zone)
    lines = noded(join(main, side, _upland(site.channels, hill_roads)))
    lines = lines.take(lines.rank < Rank.BORDER)
    lines = lines.take(largest_component(lines))
    stub = (lines.street >= FIRST_LINE) & (lines.rank >= Rank.RESIDENTIAL) & (shapely.length(lines.shape) < 12)
    lines = without_dangles(lines, stub, np.zeros(len(lines), dtype=bool))
    return Streets(lines, blocks, zone, banks, covered)


def _parted(site: Site, faces: Shapes) -> tuple[Shapes, Shapes]:
    """Dry faces, and those between the banks of water."""
    dry_part = less(faces, site.corridors)
    share = shapely.area(dry_part) / shapely.area(faces)
    # Where a bank line is not quite closed, land and water are one face.
    mixed = (share > 0.02) & (share < 0.98) & (shapely.area(faces) > 1000)
    dry, bank = ~mixed & (share >= 0.5), ~mixed & (share < 0.5)
    land, _ = polygons_of(dry_part[mixed])
    water, _ = polygons_of(shapely.difference(faces[mixed], dry_part[mixed]))
    return np.concatenate((faces[dry], land)), np.concatenate((faces[bank], water))


def _upland(channels: Channels, roads: Shapes) -> Linework:
    wet = np.concatenate((channels.stream_corridors, one(channels.river_corridor)))
    bridges = lines_of(within(roads, wet), Rank.RESIDENTIAL, HILL_ROAD, bridge=True)
    return join(lines_of(less(roads, wet), Rank.RESIDENTIAL, HILL_ROAD), bridges)


def _cut_blocks(site: Site, faces: Shapes, zone: Ints) -> tuple[Shapes, Ints, Linework]:
    """Blocks with their zones, and the side streets between them."""
    districts = site.districts
    rng = site.frame.random("blocks")
    size, tilt, bend = np.array([BLOCKS[kind] for kind in Zone]).T
    wish = rng.lognormal(0, 0.25, len(faces))
    done, zones = [], []
    sides = []
    next_street = FIRST_SIDE_STREET
    while len(faces):
        area = shapely.area(faces) / HECTARE
        fringe = (zone == Zone.RURAL) & (area > 14) & (_most_urban(districts, faces) > URBAN + 0.06)
        large = (area > 1.4 * size[zone] * wish) | fringe
        done.append(faces[~large])
        zones.append(zone[~large])
        faces, zone, wish, area = faces[large], zone[large], wish[large], area[large]
        if not len(faces):
            break
        pieces, parent, lines = cut(
            faces, Cuts(jitter=np.where(size[zone] < 1, 0.14, 0.07), tilt=tilt[zone], bend=bend[zone]), rng
        )
        old = np.isin(zone, (Zone.OLD_TOWN, Zone.VILLAGE))
        rank = np.where(area > TERTIARY_FROM, Rank.TERTIARY, Rank.RESIDENTIAL)
        rank = np.where(old & (area < LANE_BELOW), Rank.SERVICE, rank).astype(np.int64)
        sides.append(lines_of(lines, rank, np.arange(len(lines)) + next_street))
        next_street += len(lines)
        zone, wish = zone[parent], wish[parent]
        changes = ~np.isin(zone, (Zone.VILLAGE, Zone.OLD_TOWN))
        anew = districts.zones(*places_of(pieces))
        anew = np.where(anew == Zone.OLD_TOWN, Zone.CORE, anew)
        faces, zone = pieces, np.where(changes, anew, zone)
    return np.concatenate(done), np.concatenate(zones), join(*sides)


def _most_urban(districts: Districts, faces: Shapes) -> Floats:
    corners, face = shapely.get_coordinates(faces, return_index=True)
    urban = districts.at(districts.urban, *corners.T)
    most = np.zeros(len(faces))
    np.maximum.at(most, face, urban)
    return most
