"""Administrative divisions: a county, its townships and its villages, cut along rivers, ridges and main streets."""

from dataclasses import dataclass

import numpy as np
import shapely
from rasterio.features import rasterize, shapes
from rasterio.transform import from_origin

from twin.demo.districts import URBAN, Districts
from twin.demo.frame import curve
from twin.demo.grid import Bools, Floats, Grid, Ints, Shapes
from twin.demo.landform import Landform
from twin.demo.names import CITY_EN, CITY_ZH, Name, NameBook, named
from twin.demo.shapes import points
from twin.demo.site import Site
from twin.demo.villages import spaced

# No province has the number 99: these codes are nobody's.
COUNTY_CODE = "990381"
SEEDS_APART, TOWNSHIPS_APART = 620.0, 2300.0
MOST_CELLS = 120_000


@dataclass(frozen=True)
class Divisions:
    """Three levels, each a partition of the county without gap or overlap.

    village, township: polygons. code: 12, 9 digits. name: of each. township_of: index of each village's township.
    population: of each village. urban: villages that are communities of the town.
    """

    county: shapely.Geometry
    village: Shapes
    village_code: list[str]
    village_name: list[Name]
    population: Ints
    township_of: Ints
    township: Shapes
    township_code: list[str]
    township_name: list[Name]
    seeds: Floats
    tree: shapely.STRtree

    def village_of(self, places: Shapes) -> Ints:
        """Index of the village that each point lies in, or of the nearest one outside the county."""
        result = np.full(len(places), -1)
        point, village = self.tree.query(places, predicate="intersects")
        result[point[::-1]] = village[::-1]
        lost = np.flatnonzero(result < 0)
        if len(lost):
            point, village = self.tree.query_nearest(places[lost], all_matches=False)
            result[lost[point]] = village
        return result

    def codes_of(self, places: Shapes) -> list[str]:
        """Village code of each point."""
        return [self.village_code[i] for i in self.village_of(places).tolist()]


def draw_divisions(site: Site, village_places: Floats, barriers: Shapes) -> Divisions:
    """The county's divisions. village_places: where villages are. barriers: lines that borders like to follow."""
    frame, land, districts = site.frame, site.land, site.districts
    seeds = _seeds(site, village_places)
    grid = _grid(land.grid)
    label = _territories(grid, seeds, _effort(land, grid, barriers))
    village, owner = _smooth_partition(grid, label, site.county)
    # A seed whose territory vanished in smoothing leaves no village.
    alive, index = np.unique(owner, return_inverse=True)
    seeds = seeds[alive]
    village = np.array([shapely.coverage_union_all(village[index == i]) for i in range(len(alive))], dtype=object)
    centre = _township_seats(site, seeds)
    township_of = np.hypot(*(seeds[:, None] - centre[None]).transpose(2, 0, 1)).argmin(axis=1)
    used, township_of = np.unique(township_of, return_inverse=True)
    centre = centre[used]
    township = np.array([shapely.coverage_union_all(village[township_of == i]) for i in range(len(used))], dtype=object)
    urban = districts.at(districts.urban, *seeds.T) > URBAN
    names = NameBook(frame).villages(len(seeds) + len(used))
    township_code, township_name = _townships(land, districts, centre, names[: len(used)])
    codes, village_name = _villages(township_code, township_of, urban, names[len(used) :])
    return Divisions(
        county=shapely.coverage_union_all(village),
        village=village,
        village_code=codes,
        village_name=village_name,
        population=_population(districts, village),
        township_of=township_of,
        township=township,
        township_code=township_code,
        township_name=township_name,
        seeds=seeds,
        tree=shapely.STRtree(village),
    )


def county_name() -> Name:
    """Name of the city as a county."""
    return Name(f"{CITY_ZH}（虚构）", f"{CITY_EN} City (made up)")


def _seeds(site: Site, village_places: Floats) -> Floats:
    """One place in each village or community."""
    land, districts = site.land, site.districts
    rng = site.frame.random("divisions")
    grid = land.grid
    x, y = grid.x[:: max(1, int(200 / grid.cell))], grid.y[:: max(1, int(200 / grid.cell))]
    town = np.stack([values.ravel() for values in np.meshgrid(x, y)], axis=1)
    town = town + rng.uniform(-90, 90, town.shape)
    town = town[(districts.at(districts.urban, *town.T) > URBAN) & (grid.sample(land.offshore, *town.T) < -60)]
    wild = rng.uniform((grid.x[0], grid.y[-1]), (grid.x[-1], grid.y[0]), (int(40 * site.frame.scale**2) + 8, 2))
    wild = wild[(grid.sample(land.offshore, *wild.T) < -200) & (grid.sample(land.relief, *wild.T) > 20)]
    places = np.concatenate((village_places, rng.permutation(town), wild))
    places = places[shapely.contains_xy(shapely.buffer(site.county, -150), *places.T)]
    return spaced(places, SEEDS_APART)


def _grid(grid: Grid) -> Grid:
    factor = 3
    while grid.coarser(factor).rows * grid.coarser(factor).columns > MOST_CELLS:
        factor += 1
    return grid.coarser(factor)


def _effort(land: Landform, grid: Grid, barriers: Shapes) -> Floats:
    """How hard it is to cross each cell; borders end up where it is hard."""
    x, y = grid.mesh()
    relief = land.grid.sample(land.relief, x, y)
    effort = 1 + np.clip(relief / 90, 0, 4)
    transform = from_origin(grid.west, grid.north, grid.cell, grid.cell)
    barrier = rasterize([(line, 1) for line in barriers], out_shape=grid.shape, transform=transform, all_touched=True)
    river = land.grid.sample(land.river_distance, x, y) < grid.cell
    return np.asarray(effort + 3.0 * barrier + 6.0 * river)


def _territories(grid: Grid, seeds: Floats, effort: Floats) -> Ints:
    """For each cell the seed from which it is reached most easily (Bellman's relaxation on the whole grid)."""
    cost = np.full(grid.shape, np.inf)
    label = np.zeros(grid.shape, dtype=np.int64)
    row, column = grid.cells(*seeds.T)
    cost[row, column] = 0
    label[row, column] = np.arange(len(seeds))
    steps = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j]
    changed = True
    while changed:
        changed = False
        for down, right in steps:
            to = (slice(max(down, 0), grid.rows + min(down, 0)), slice(max(right, 0), grid.columns + min(right, 0)))
            back = (
                slice(max(-down, 0), grid.rows + min(-down, 0)),
                slice(max(-right, 0), grid.columns + min(-right, 0)),
            )
            offer = cost[back] + np.hypot(down, right) * (effort[back] + effort[to]) / 2
            better = offer < cost[to] - 1e-9
            if better.any():
                changed = True
                cost[to] = np.where(better, offer, cost[to])
                label[to] = np.where(better, label[back], label[to])
    return label


def _smooth_partition(grid: Grid, label: Ints, county: shapely.Polygon) -> tuple[Shapes, Ints]:
    """Polygons of the labels within the county with smooth common borders, and the label of each."""
    transform = from_origin(grid.west, grid.north, grid.cell, grid.cell)
    cells = [shapely.geometry.shape(shape) for shape, _ in shapes(label.astype(np.int32), transform=transform)]
    edges = shapely.get_parts(shapely.line_merge(shapely.union_all(shapely.boundary(cells))))
    smooth = [_smooth_line(line, grid.cell) for line in shapely.simplify(edges, grid.cell * 0.75)]
    net = shapely.union_all([*smooth, shapely.boundary(county)], grid_size=0.01)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(net)))
    inner = shapely.point_on_surface(faces)
    inside = shapely.contains(county, inner)
    faces, inner = faces[inside], inner[inside]
    row, column = grid.cells(shapely.get_x(inner), shapely.get_y(inner))
    return faces, label[row, column]


def _smooth_line(line: shapely.LineString, cell: float) -> shapely.LineString:
    points = shapely.get_coordinates(line)
    return line if len(points) < 3 else shapely.LineString(curve(points, cell))


def _township_seats(site: Site, seeds: Floats) -> Floats:
    layout, frame = site.layout, site.frame
    first = np.vstack((layout.old_town, layout.new_town, layout.port, layout.towns[:, :2]))
    others = frame.random("townships").permutation(seeds)
    return spaced(np.vstack((first, others)), TOWNSHIPS_APART * frame.scale**0.4)


def _townships(
    land: Landform, districts: Districts, centre: Floats, stems: list[tuple[str, str]]
) -> tuple[list[str], list[Name]]:
    urban = districts.at(districts.urban, *centre.T) > 0.6
    upland = land.grid.sample(land.relief, *centre.T) > 25
    kind = np.where(urban, 0, np.where(upland, 2, 1))
    last = [0, max(99, int(urban.sum())), 0]
    last[2] = max(199, last[1] + int((kind == 1).sum()))
    codes, names = [], []
    for k, stem in zip(kind.tolist(), stems, strict=True):
        last[k] += 1
        codes.append(f"{COUNTY_CODE}{last[k]:03d}")
        names.append(named(stem, ("街道", "镇", "乡")[k]))
    return codes, names


def _villages(
    township_code: list[str], township_of: Ints, urban: Bools, stems: list[tuple[str, str]]
) -> tuple[list[str], list[Name]]:
    last: dict[tuple[int, bool], int] = {}
    codes, names = [], []
    for township, town, stem in zip(township_of.tolist(), urban.tolist(), stems, strict=False):
        number = last.get((township, town), 0 if town else 200) + 1
        last[township, town] = number
        codes.append(f"{township_code[township]}{number:03d}")
        names.append(named(stem, "社区" if town else "村"))
    return codes, names


def _population(districts: Districts, village: Shapes) -> Ints:
    """People of each village from how urban it is: up to about 14,000 a square kilometre."""
    grid = districts.grid.coarser(2)
    x, y = grid.mesh()
    density = 180 + 13_500 * np.clip(districts.at(districts.urban, x, y) - 0.2, 0, 1) ** 1.3
    places = points(np.stack((x.ravel(), y.ravel()), axis=1))
    point, owner = shapely.STRtree(village).query(places, predicate="intersects")
    people = np.bincount(owner, weights=density.ravel()[point] * (grid.cell / 1000) ** 2, minlength=len(village))
    result: Ints = np.maximum(people, 20).astype(np.int64)
    return result
