"""The made-up city as a whole: `generate` writes its terrain and tables, and gives them as sources for the loader."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pyproj

from twin.demo.drains import drain, write_drains
from twin.demo.frame import GEOGRAPHIC_CRS, METRIC_CRS, Frame
from twin.demo.greenery import write_tree_rows, write_woods
from twin.demo.ground_plan import GroundPlan, lay_ground
from twin.demo.land_tables import write_divisions, write_fabric, write_open_land, write_terrain_footprint
from twin.demo.mains import write_mains
from twin.demo.names import CITY_EN, CITY_ZH, NOTE_EN, NOTE_ZH
from twin.demo.places import Places
from twin.demo.road_tables import write_railway, write_roads
from twin.demo.sensors import write_sensors
from twin.demo.tables import DemoSource, ThemeWriter
from twin.demo.terrain import VERTICAL_DATUM, write_terrain
from twin.demo.water_bodies import write_water
from twin.demo.works import pump_stations, write_works

TERRAIN_FILE = "terrain/lanwan-dtm.tif"
TABLES = "tables"
# Themes and their titles, in an order in which they may be loaded.
TITLES: dict[str, tuple[str, str]] = {
    "administrative_area": ("行政区划", "administrative areas"),
    "terrain": ("地形", "terrain"),
    "land": ("土地利用", "land use"),
    "water": ("水系", "water"),
    "construction": ("工程设施", "constructions"),
    "road": ("道路", "roads"),
    "road_node": ("道路节点", "road nodes"),
    "railway": ("铁路", "railway"),
    "vegetation": ("植被", "vegetation"),
    "utility_pipe": ("管线", "utility pipes"),
    "utility_node": ("管点", "utility nodes"),
    "building": ("建筑", "buildings"),
    "facility": ("公共设施", "facilities"),
    "sensor": ("传感器", "sensors"),
}


@dataclass(frozen=True)
class DemoCity:
    """A generated city, openly made up.

    title_zh, title_en: its name with the label that it is made up. sources: one for each theme. terrain: path of the
    COG. bbox: west, south, east, north in degrees (EPSG:4490). center: longitude and latitude of the old town.
    """

    title_zh: str
    title_en: str
    note_zh: str
    note_en: str
    sources: tuple[DemoSource, ...]
    terrain: Path
    bbox: tuple[float, float, float, float]
    center: tuple[float, float]
    made_up: bool = True
    srid: int = 4490
    metric_crs: str = METRIC_CRS
    vertical_datum: str = VERTICAL_DATUM
    time_zone: str = "Asia/Shanghai"

    def source(self, theme: str) -> DemoSource:
        """The source of one theme. Raises KeyError for a theme that the city has nothing of."""
        for source in self.sources:
            if source.name == theme:
                return source
        raise KeyError(theme)


def generate(folder: Path, *, buildings: int = 20_000, seed: int = 1) -> DemoCity:
    """Make a coastal city that does not exist.

    folder: gets `terrain/lanwan-dtm.tif` (Cloud-Optimized GeoTIFF, float32, EPSG:4549, metres above the 1985 datum)
    and `tables/*.parquet` (GeoParquet, one a theme), which may go once they are loaded. buildings: how many, 500 to
    4,000,000; the area grows with them. The same number and seed give the same city. Memory stays below 2 GB up to a
    million buildings. Raises DemoError where no city of that size or seed can be laid out.
    """
    frame = Frame(buildings, seed)
    plan = lay_ground(frame)
    write_terrain(folder / TERRAIN_FILE, frame, plan.ground)
    with ExitStack() as stack:
        writers = {
            theme: stack.enter_context(ThemeWriter(folder / TABLES, theme, frame.origin, plan.divisions))
            for theme in TITLES
        }
        _write(plan, writers)
    sources = tuple(
        DemoSource(theme, f"虚构城市·{CITY_ZH}·{zh}", f"{CITY_EN} (made-up city): {en}", writers[theme].path)
        for theme, (zh, en) in TITLES.items()
        if writers[theme].count
    )
    to_degrees = pyproj.Transformer.from_crs(METRIC_CRS, GEOGRAPHIC_CRS, always_xy=True)
    west, south, east, north = plan.site.county.bounds
    x, y = frame.origin
    return DemoCity(
        title_zh=f"{CITY_ZH}（虚构）",
        title_en=f"{CITY_EN} (made up)",
        note_zh=NOTE_ZH,
        note_en=NOTE_EN,
        sources=sources,
        terrain=folder / TERRAIN_FILE,
        bbox=to_degrees.transform_bounds(west + x, south + y, east + x, north + y),
        center=to_degrees.transform(x, y),
    )


def _write(plan: GroundPlan, writers: dict[str, ThemeWriter]) -> None:
    """All themes, each in the order of its uids."""
    write_divisions(plan.divisions, writers["administrative_area"])
    write_terrain_footprint(plan.site.frame, TERRAIN_FILE, writers["terrain"])
    write_water(plan.water, writers["water"])
    write_open_land(plan, writers["land"])
    write_woods(plan.plots.open_land, writers["vegetation"])
    write_tree_rows(plan.site.districts, plan.streets.lines, writers["vegetation"])
    write_roads(plan, writers["road"], writers["road_node"])
    write_railway(plan.routes, writers["railway"])
    pumps = pump_stations(plan.defences)
    write_works(plan, pumps, writers["construction"])
    drains = drain(plan)
    write_drains(plan, drains, pumps, writers["utility_pipe"], writers["utility_node"])
    write_mains(plan, writers["utility_pipe"], writers["utility_node"])
    places = Places(plan, writers["facility"])
    write_fabric(plan, places, writers)
    places.bus_stops()
    places.village_halls()
    write_sensors(plan, pumps, drains, places.parking, writers["sensor"])
