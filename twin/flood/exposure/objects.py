"""What the city holds that water can harm, read once, with the cells that each touches."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from twin.flood.exposure.contact import Contact, along, beside
from twin.flood.exposure.people import residents
from twin.flood.exposure.rules import Rules
from twin.flood.scenario.ground import Ground
from twin.scenarios.city import City
from twin.scenarios.objects import Objects, read

Floats = npt.NDArray[np.float64]
SERVICES = ("Hospital", "Clinic", "School", "Kindergarten", "University", "Shelter")
# A building is wet when a cell within this many cells of its walls is.
REACH_CELLS = 0.75


@dataclass(frozen=True, eq=False)
class Exposed:
    """area m2, people, storeys: of the buildings; names: of divisions by code; population: of villages by code."""

    buildings: Objects
    at_buildings: Contact
    area: Floats
    storeys: Floats
    people: Floats
    roads: Objects
    on_roads: Contact
    services: Objects
    at_services: Contact
    nodes: Objects
    names: dict[str, str]


def read_exposed(city: City, ground: Ground, rules: Rules) -> Exposed:
    """Buildings, roads and services in the area. Water that stood there before the flood harms nobody."""
    site = ground.site
    usable = ~ground.blocked & np.isnan(ground.standing) & ~ground.sea & np.isfinite(ground.bed)
    raster: dict[str, Any] = {"west": site.west, "north": site.north, "cell": site.cell, "usable": usable}
    buildings = ground.buildings
    divisions = read(city, "administrative_areas", None, "code", "name", "level", "population")
    population = {
        code: int(count)
        for code, level, count in zip(divisions["code"], divisions["level"], divisions["population"], strict=True)
        if level == "village" and count
    }
    roads = read(city, "roads", site.box, "uid", "name", "class", "bridge", "tunnel", "start_node", "end_node")
    # Decks and tubes are not where the terrain is.
    raised = zip(roads["bridge"], roads["tunnel"], strict=True)
    at_grade = np.array([not (bridge or tunnel) for bridge, tunnel in raised], bool)
    on_roads = along(roads.shape, **raster) if len(roads) else Contact(0, np.zeros(0, np.int64), np.zeros(0, np.int64))
    kept = at_grade[on_roads.owner]
    services = read(city, "facilities", site.box, "uid", "name", "class", "capacity").of_class(*SERVICES)
    reach = REACH_CELLS * site.cell
    area = shapely.area(buildings.shape)
    storeys = buildings.numbers("storeys")
    return Exposed(
        buildings=buildings,
        at_buildings=beside(buildings.shape, reach=reach, **raster),
        area=area,
        storeys=np.nan_to_num(storeys, nan=1.0),
        people=residents(
            rules,
            function=buildings["function"],
            storeys=storeys,
            area=area,
            village=buildings["village_code"],
            population=population,
        ),
        roads=roads,
        on_roads=Contact(on_roads.count, on_roads.owner[kept], on_roads.cell[kept]),
        services=services,
        at_services=beside(services.shape, reach=reach, **raster),
        nodes=read(city, "road_nodes", site.box, "uid"),
        names={code: name or code for code, name in zip(divisions["code"], divisions["name"], strict=True) if code},
    )
