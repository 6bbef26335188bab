"""All themes, in drawing order from the ground up, and the headings under which a layer tree shows them."""

from cim_models.administrative import ADMINISTRATIVE_AREA
from cim_models.building import BUILDING
from cim_models.coverage import COVERAGE
from cim_models.generic import GENERIC_OBJECT
from cim_models.land import LAND, VEGETATION
from cim_models.network import UTILITY_NODE, UTILITY_PIPE
from cim_models.sensor import SENSOR
from cim_models.terrain import TERRAIN
from cim_models.theme import Theme
from cim_models.traffic import FACILITY, RAILWAY, ROAD, ROAD_NODE
from cim_models.water import CONSTRUCTION, WATER

THEMES: dict[str, Theme] = {
    theme.table: theme
    for theme in (
        TERRAIN,
        LAND,
        WATER,
        VEGETATION,
        ADMINISTRATIVE_AREA,
        GENERIC_OBJECT,
        UTILITY_PIPE,
        UTILITY_NODE,
        CONSTRUCTION,
        ROAD,
        ROAD_NODE,
        RAILWAY,
        BUILDING,
        FACILITY,
        SENSOR,
        COVERAGE,
    )
}

GROUPS: dict[str, tuple[str, str]] = {
    "results": ("情景推演", "Scenario results"),
    "sensors": ("感知", "Sensing"),
    "facilities": ("公共设施", "Facilities"),
    "buildings": ("建筑", "Buildings"),
    "traffic": ("交通", "Traffic"),
    "utilities": ("市政管网", "Utilities"),
    "water": ("水系与水利", "Water"),
    "land": ("土地与植被", "Land and vegetation"),
    "administration": ("行政区划", "Administration"),
    "terrain": ("地形与影像", "Terrain and imagery"),
    "other": ("其他数据", "Other data"),
}
