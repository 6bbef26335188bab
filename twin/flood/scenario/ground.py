"""The ground that water runs over: terrain with water beds, buildings and walls' bodies, roughness, curve numbers."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import shapely

from twin.flood.domain import ROUGHEST, Domain
from twin.flood.scenario.errors import FloodRefused
from twin.flood.scenario.inputs import FloodInputs
from twin.flood.scenario.site import Bools, Floats, Site
from twin.flood.scenario.tables import ground, ground_of
from twin.scenarios.city import City
from twin.scenarios.objects import Objects, read

SEA_CLASSES = ("Sea", "TidalFlat")
# A cell is a block where buildings cover more of it than this; its bed then stands so high over the ground, m.
BLOCKED_FROM, BLOCK_M = 0.5, 4.0
# Manning's n where buildings cover a cell wholly and water passes through them (Syme 2008 uses 0.3 to 1).
THROUGH_BUILDINGS = 0.4
# Sea floor that the terrain does not know, m below the level of the sea.
UNKNOWN_SEA_FLOOR_M = 3.0
# Standing water that is deeper takes no part in a flood, but its fast waves would shorten every step, m.
IDLE_DEPTH_M = 8.0
# A terrain that does not fill its rectangle is trimmed down to this share of it and no further.
MOST_TRIMMED = 0.9


@dataclass(frozen=True)
class Ground:
    """Everything on the cells. bed, natural: m, with and without buildings; standing: level of water at the start (m),
    NaN where there is none; sea: cells of the sea; blocked: under buildings; covered: share under buildings."""

    site: Site
    bed: Floats
    natural: Floats
    manning: Floats
    curve_number: Floats
    standing: Floats
    sea: Bools
    river: Bools
    blocked: Bools
    buildings: Objects
    water: Objects

    def domain(self, vertical_datum: str) -> Domain:
        """As the engine wants it."""
        return Domain(
            self.bed,
            cell=self.site.cell,
            west=self.site.west,
            north=self.site.north,
            manning=self.manning,
            crs=self.site.crs,
            vertical_datum=vertical_datum,
        )


def lay_ground(city: City, site: Site, inputs: FloodInputs, sea_level: float) -> Ground:
    """The ground of a run. sea_level: at its start, m. Raises FloodRefused where the city has no terrain there."""
    heights, transform = city.terrain(site.metric_box, site.cell)
    bed = np.asarray(heights, np.float64)
    if bed.shape != site.shape or abs(transform.a - site.cell) > 1e-6:
        raise FloodRefused(
            f"terrain: it came as {bed.shape} cells of {transform.a:g} m, not {site.shape}",
            f"terrain：地形为 {bed.shape} 个 {transform.a:g} 米的网格，应为 {site.shape}",
        )
    if not np.isfinite(bed).any():
        raise FloodRefused(
            "area: the city has no terrain there; load a GeoTIFF of its heights", "area：此处无地形数据，请先导入高程"
        )
    site, bed = _trimmed(site, bed)
    water = read(city, "water", site.box, "class", "name", "level", "depth", "uid")
    buildings = read(
        city,
        "buildings",
        site.box,
        *("uid", "name", "name_en", "function", "height", "storeys", "dwellings", "village_code"),
    )
    bed, standing, sea = _water_beds(site, bed, water, sea_level)
    if not inputs.releases:
        bed = np.where(np.isnan(standing), bed, np.fmax(bed, standing - IDLE_DEPTH_M))
    natural = bed.copy()
    land = read(city, "land", site.box, "scheme", "code")
    manning, number = _cover(site, inputs, land, ~np.isnan(standing))
    share = site.coverage(buildings.shape.tolist()) if inputs.buildings != "none" else np.zeros(site.shape)
    share[sea] = 0
    roof = ground()["", "roof"]
    blocked = np.zeros(site.shape, bool)
    if inputs.buildings == "blocks":
        blocked = (share > BLOCKED_FROM) & np.isfinite(bed)
        bed = np.where(blocked, bed + BLOCK_M, bed)
        manning = np.where(blocked, roof.manning, manning)
    elif inputs.buildings == "rough":
        manning = manning + (THROUGH_BUILDINGS - manning) * share
    number = number + (roof.curve_number[inputs.soil_group] - number) * share
    return Ground(
        site=site,
        bed=bed,
        natural=natural,
        manning=np.clip(manning * inputs.roughness_factor, 0, ROUGHEST),
        curve_number=number,
        standing=np.where(blocked, np.nan, standing)
        if inputs.initial_water == "bodies"
        else np.where(sea, standing, np.nan),
        sea=sea,
        river=site.covered(water.of_class("River").shape),
        blocked=blocked,
        buildings=buildings,
        water=water,
    )


def _trimmed(site: Site, bed: Floats) -> tuple[Site, Floats]:
    """Without the outermost rows and columns that the terrain does not fill, where it is turned against the raster.

    Water reaches the sea and leaves over land at the raster's rim only; a fringe without terrain would close it.
    """
    known = np.isfinite(bed)
    rows, columns = np.flatnonzero(known.any(axis=1)), np.flatnonzero(known.any(axis=0))
    top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    least = MOST_TRIMMED * (bottom - top), MOST_TRIMMED * (right - left)
    while bottom - top > least[0] and right - left > least[1]:
        inner = np.isnan(bed[top:bottom, left:right])
        gaps = [inner[0].mean(), inner[-1].mean(), inner[:, 0].mean(), inner[:, -1].mean()]
        if max(gaps) == 0:
            break
        worst = int(np.argmax(gaps))
        top, bottom, left, right = (
            top + (worst == 0),
            bottom - (worst == 1),
            left + (worst == 2),
            right - (worst == 3),
        )
    smaller = replace(
        site,
        west=site.west + left * site.cell,
        north=site.north - top * site.cell,
        rows=bottom - top,
        columns=right - left,
    )
    return smaller, bed[top:bottom, left:right]


def _water_beds(site: Site, bed: Floats, water: Objects, sea_level: float) -> tuple[Floats, Floats, Bools]:
    """Beds of water bodies pressed into the terrain, the level of standing water, and where the sea is.

    A terrain model often shows the surface of water and not its bed: where the ground in a body lies above its level
    less its depth, it is lowered to that.
    """
    areas = water.take(shapely.get_dimensions(water.shape) == 2)
    sea = _to_the_rim(site.covered(areas.of_class(*SEA_CLASSES).shape))
    inland = areas.take(~areas.among("class", SEA_CLASSES))
    level, depth = inland.numbers("level"), inland.numbers("depth")
    known = np.isfinite(level)
    surface = site.burn(inland.shape[known], level[known])
    deep = known & np.isfinite(depth) & ~inland.among("class", ("Reservoir",))
    floor = site.burn(inland.shape[deep], (level - depth)[deep])
    bed = np.where(np.isfinite(floor) & np.isfinite(bed), np.fmin(bed, floor), bed)
    bed = np.where(sea & np.isnan(bed), sea_level - UNKNOWN_SEA_FLOOR_M, bed)
    # A reach has one level though its bed falls: at its lower end that would stand above the banks.
    running = deep & inland.among("class", ("River",))
    surface = np.fmin(surface, bed + site.burn(inland.shape[running], depth[running]))
    standing = np.where(sea, sea_level, surface)
    return bed, np.where(standing > bed, standing, np.nan), sea


def _to_the_rim(sea: Bools) -> Bools:
    """The sea goes on to the rim where its polygon ends a cell or two before it."""
    whole = sea.copy()
    for side in (whole, whole[::-1], whole.T, whole[:, ::-1].T):
        if len(side) > 2:
            side[:2] |= side[2]
    return whole


def _cover(site: Site, inputs: FloodInputs, land: Objects, wet: Bools) -> tuple[Floats, Floats]:
    """Manning's n and curve number by land use; where two parcels overlap the later one holds."""
    rows = [ground_of(scheme, code) for scheme, code in zip(land["scheme"], land["code"], strict=True)]
    water, unknown = ground()["", "water"], ground()["", ""]
    group = inputs.soil_group
    manning = site.burn(land.shape, [row.manning for row in rows], fill=unknown.manning)
    number = site.burn(land.shape, [row.curve_number[group] for row in rows], fill=unknown.curve_number[group])
    return np.where(wet, water.manning, manning), np.where(wet, water.curve_number[group], number)


def without_body(ground: Ground, bodies: npt.NDArray[np.object_], x: float, y: float, reach: float) -> Floats:
    """The bed with the body of walls taken away near a breach: cells under them take the ground beside.

    At 10 to 20 m the slopes of a dike fill whole cells of the terrain, which would stop the water after its crest has
    fallen; the wall on the cells' edges holds until then.
    """
    site = ground.site
    xs, ys = site.middles()
    near = np.hypot(xs[None, :] - x, ys[:, None] - y) <= reach + site.cell
    under = site.covered(bodies, touched=True) & near
    bed = ground.bed.copy()
    outside = np.argwhere(
        ~under
        & np.isfinite(bed)
        & ~ground.blocked
        & (np.hypot(xs[None, :] - x, ys[:, None] - y) <= reach + 6 * site.cell)
    )
    if not len(outside):
        return bed
    for row, column in np.argwhere(under):
        away = np.hypot(*(outside - (row, column)).T)
        beside = outside[away <= away.min() + 0.5]
        bed[row, column] = min(bed[row, column], float(np.median(bed[tuple(beside.T)])))
    return bed
