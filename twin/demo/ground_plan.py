"""Everything of the city that is laid out at once, before parcels and buildings follow batch by batch."""

from dataclasses import dataclass, replace

import numpy as np
import shapely

from twin.demo.arterials import lay_arterials
from twin.demo.defences import Defences, build_defences
from twin.demo.divisions import Divisions, draw_divisions
from twin.demo.frame import Frame
from twin.demo.grid import Floats, Shapes
from twin.demo.hill_roads import HillRoads, climb, graded
from twin.demo.lattice import Rank
from twin.demo.network import Network, connect
from twin.demo.overlay import less
from twin.demo.plots import Plots, cover, lay_plots
from twin.demo.site import Site, choose_site
from twin.demo.streets import HECTARE, Streets, lay_streets
from twin.demo.terrain import build_terrain
from twin.demo.through_routes import ThroughRoutes, route
from twin.demo.uses import Use, plan_uses
from twin.demo.villages import Villages, settle
from twin.demo.water_bodies import WaterBodies, gather

# A park larger than this has a lake, and ponds and lakes are at least this large, m2.
LAKE_FROM, LEAST_WATER = 2.2 * HECTARE, 600.0


@dataclass(frozen=True)
class GroundPlan:
    """The laid-out city. ground: elevation of the frame's fine grid, m above the 1985 datum."""

    site: Site
    streets: Streets
    routes: ThroughRoutes
    network: Network
    divisions: Divisions
    defences: Defences
    plots: Plots
    water: WaterBodies
    ground: Floats

    def ground_at(self, places: Floats) -> Floats:
        """Elevation of the cells that hold these places, m."""
        row, column = self.site.frame.fine_grid.cells(*places.T)
        return self.ground[row, column].astype(float)


def lay_ground(frame: Frame) -> GroundPlan:
    """The ground plan of a city of this size and seed."""
    site = choose_site(frame)
    arterials = lay_arterials(site)
    villages = settle(site, arterials)
    hill_roads = climb(site, arterials.plain)
    streets = lay_streets(site, arterials, villages, hill_roads.shape)
    routes = route(site, streets.lines)
    divisions = _divisions(site, streets, villages, hill_roads)
    defences = build_defences(site, arterials.plain)
    use = plan_uses(site, divisions, streets, routes.station)
    plots = lay_plots(site, defences, streets, hill_roads, use, on=cover(site, defences, streets, routes.corridor))
    ponds, lakes = _ponds(plots), _lakes(plots)
    water = gather(site, defences, ponds, lakes)
    still = np.isin(water.kind, ("Pond", "Lake"))
    beds = (water.shape[still], (water.level - water.depth)[still])
    return GroundPlan(
        site=site,
        streets=streets,
        routes=routes,
        network=connect(streets.lines, routes),
        divisions=divisions,
        defences=defences,
        plots=replace(plots, shape=less(plots.shape, lakes)),
        water=water,
        ground=build_terrain(site, defences, graded(site.land, hill_roads.shape), beds),
    )


def _divisions(site: Site, streets: Streets, villages: Villages, hill_roads: HillRoads) -> Divisions:
    places = np.vstack((shapely.get_coordinates(shapely.centroid(villages.outline)), hill_roads.hamlets))
    main = streets.lines.shape[streets.lines.rank <= Rank.SECONDARY]
    return draw_divisions(site, places, barriers=np.concatenate((main, site.channels.canal_lines)))


def _ponds(plots: Plots) -> Shapes:
    """The water in the pond parcels, within their banks."""
    inner = shapely.buffer(plots.open_land.shape[plots.open_land.use == Use.POND], -5.0)
    return _whole(inner)


def _lakes(plots: Plots) -> Shapes:
    """A lake with a rounded shore in each of the larger parks."""
    park = plots.shape[(plots.use == Use.PARK) & (shapely.area(plots.shape) > LAKE_FROM)]
    reach = 0.23 * np.sqrt(shapely.area(park))
    return _whole(shapely.buffer(shapely.buffer(park, -1.6 * reach, quad_segs=6), 0.55 * reach, quad_segs=6))


def _whole(shapes: Shapes) -> Shapes:
    """Shapes in one piece that are large enough and not too narrow for the terrain's cells."""
    shapes = shapes[(shapely.get_type_id(shapes) == 3) & (shapely.area(shapes) > LEAST_WATER)]
    broad: Shapes = shapes[4 * np.pi * shapely.area(shapes) / shapely.length(shapes) ** 2 > 0.35]
    return broad
