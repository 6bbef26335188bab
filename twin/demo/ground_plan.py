"""Everything of the city that is laid out at once, before parcels and buildings follow batch by batch."""

from dataclasses import dataclass, replace

import numpy as np
import shapely

from twin.demo.arterials import lay_arterials
from twin.demo.channels import Channels, dig
from twin.demo.county import outline
from twin.demo.defences import Defences, build_defences
from twin.demo.districts import Districts, divide
from twin.demo.divisions import Divisions, draw_divisions
from twin.demo.fabric import Plots, lay_plots
from twin.demo.frame import Frame
from twin.demo.grid import Floats, Shapes
from twin.demo.guide import guide_streets
from twin.demo.hill_roads import climb, graded
from twin.demo.landform import Landform, shape_land
from twin.demo.lattice import Rank, lay_lattice
from twin.demo.layout import Layout, lay_out
from twin.demo.network import Network, connect
from twin.demo.parcels import less
from twin.demo.streets import HECTARE, Streets, lay_streets
from twin.demo.terrain import build_terrain
from twin.demo.through_routes import ThroughRoutes, route
from twin.demo.uses import Use, plan_uses
from twin.demo.villages import settle
from twin.demo.water_bodies import WaterBodies, canal_water, gather

# A park larger than this has a lake, m2.
LAKE_FROM = 2.2 * HECTARE


@dataclass(frozen=True)
class GroundPlan:
    """The laid-out city. ground: elevation of the frame's fine grid, m above the 1985 datum."""

    layout: Layout
    land: Landform
    districts: Districts
    channels: Channels
    streets: Streets
    routes: ThroughRoutes
    network: Network
    divisions: Divisions
    defences: Defences
    plots: Plots
    water: WaterBodies
    ground: Floats


def lay_ground(frame: Frame) -> GroundPlan:
    """The ground plan of a city of this size and seed."""
    layout = lay_out(frame)
    land = shape_land(frame, layout)
    districts = divide(frame, layout, land)
    lattice = lay_lattice(frame, layout, guide_streets(frame, land, land.river_distance))
    county = outline(frame)
    channels = dig(frame, land, districts, lattice, county)
    arterials = lay_arterials(frame, land, districts, lattice, channels, county)
    villages = settle(frame, districts, channels, arterials)
    hill_roads = climb(frame, land, channels, arterials.plain, county)
    streets = lay_streets(frame, districts, channels, arterials, villages, hill_roads.shape)
    routes = route(frame, layout, land, streets.lines, county)
    village_places = np.vstack((shapely.get_coordinates(shapely.centroid(villages.outline)), hill_roads.hamlets))
    barriers = np.concatenate((streets.lines.shape[streets.lines.rank <= Rank.SECONDARY], channels.canal_lines))
    divisions = draw_divisions(frame, layout, land, districts, county, village_places, barriers)
    use = plan_uses(frame, layout, districts, divisions, streets, routes.station)
    defences = build_defences(frame, land, channels, arterials.plain)
    plots = lay_plots(
        frame, land, channels, defences, streets, hill_roads, routes.corridor, use, county,
        _open_water(channels, defences),
    )  # fmt: skip
    ponds, lakes = _ponds(plots), _lakes(plots)
    plots = replace(plots, shape=less(plots.shape, lakes))
    water = gather(frame, land, channels, defences, ponds, lakes)
    still = np.isin(water.kind, ("Pond", "Lake"))
    beds = (water.shape[still], (water.level - water.depth)[still])
    return GroundPlan(
        layout=layout,
        land=land,
        districts=districts,
        channels=channels,
        streets=streets,
        routes=routes,
        network=connect(streets.lines, routes),
        divisions=divisions,
        defences=defences,
        plots=plots,
        water=water,
        ground=build_terrain(frame, land, channels, defences, graded(land, hill_roads.shape), beds),
    )


def _open_water(channels: Channels, defences: Defences) -> Shapes:
    """River, reservoir and canals."""
    return np.concatenate(
        (np.array([channels.river, defences.reservoir], dtype=object), canal_water(channels, defences))
    )


def _ponds(plots: Plots) -> Shapes:
    """The water in the pond parcels, within their banks."""
    inner = shapely.buffer(plots.open_land.shape[plots.open_land.use == Use.POND], -5.0)
    return inner[(shapely.get_type_id(inner) == 3) & (shapely.area(inner) > 600)]


def _lakes(plots: Plots) -> Shapes:
    """A lake with a rounded shore in each of the larger parks."""
    park = plots.shape[(plots.use == Use.PARK) & (shapely.area(plots.shape) > LAKE_FROM)]
    reach = 0.23 * np.sqrt(shapely.area(park))
    shore = shapely.buffer(shapely.buffer(park, -1.6 * reach, quad_segs=6), 0.55 * reach, quad_segs=6)
    return shore[(shapely.get_type_id(shore) == 3) & (shapely.area(shore) > 800)]
