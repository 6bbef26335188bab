"""The made-up city as a whole: `generate` writes its terrain and tables, and gives them as sources for the loader."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyproj
import shapely

from twin.demo.buildings import ROOFS
from twin.demo.divisions import COUNTY_CODE, Divisions, county_name
from twin.demo.drains import drain, write_drains
from twin.demo.fabric import Built, build_up
from twin.demo.forms import FORMS, Kind
from twin.demo.frame import GEOGRAPHIC_CRS, METRIC_CRS, Frame
from twin.demo.greenery import plant, write_tree_rows, write_trees, write_woods
from twin.demo.grid import Ints, Shapes
from twin.demo.ground_plan import GroundPlan, lay_ground
from twin.demo.mains import write_mains
from twin.demo.names import CITY_EN, CITY_ZH, NOTE_EN, NOTE_ZH
from twin.demo.network import write_railway, write_roads
from twin.demo.places import Places
from twin.demo.sensors import write_sensors
from twin.demo.tables import DemoSource, ThemeWriter, attributes, numbered
from twin.demo.terrain import NODATA, VERTICAL_DATUM, write_terrain
from twin.demo.uses import EDITION, GROUND, SCHEME, Use
from twin.demo.water_bodies import write_water
from twin.demo.works import pump_stations, write_works

TERRAIN_FILE = "terrain/lanwan-dtm.tif"
TABLES = "tables"
# Theme and its titles; the order in which a loader may take them.
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
WATER_CODES = {
    "River": "1101", "Lake": "1102", "Reservoir": "1103", "TidalFlat": "1105", "Canal": "1107",
}  # fmt: skip


@dataclass(frozen=True)
class DemoCity:
    """A generated city, openly made up.

    title_zh, title_en: its name with the label that it is made up. sources: one for each theme. terrain: path of the
    COG. bbox: west, south, east, north in degrees (EPSG:4490). center: longitude and latitude of the old town. county:
    outline as (multi)polygon in EPSG:4549.
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
        _write_ground(frame, plan, writers)
        places = _write_fabric(frame, plan, writers)
        _write_networks(frame, plan, writers, places)
    sources = tuple(
        DemoSource(theme, f"虚构城市·{CITY_ZH}·{zh}", f"{CITY_EN} (made-up city): {en}", writers[theme].path)
        for theme, (zh, en) in TITLES.items()
        if writers[theme].count
    )
    to_degrees = pyproj.Transformer.from_crs(METRIC_CRS, GEOGRAPHIC_CRS, always_xy=True)
    west, south, east, north = plan.divisions.county.bounds
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


def _write_ground(frame: Frame, plan: GroundPlan, writers: dict[str, ThemeWriter]) -> None:
    _write_divisions(plan.divisions, writers["administrative_area"])
    grid = frame.fine_grid
    rectangle = shapely.box(
        grid.west, grid.north - grid.rows * grid.cell, grid.west + grid.columns * grid.cell, grid.north
    )
    writers["terrain"].write(
        np.array([rectangle], dtype=object), uid=["terrain-dtm"], class_="dtm", name=f"{CITY_ZH}地形（虚构）",
        name_en=f"{CITY_EN} terrain (made up)", kind="dtm", path=TERRAIN_FILE, resolution=grid.cell, nodata=NODATA,
        attributes=attributes(vertical_datum=VERTICAL_DATUM, crs=METRIC_CRS, unit="m"),
    )  # fmt: skip
    write_water(plan.water, writers["water"])
    kind = np.array(plan.water.kind, dtype=object)
    within = np.isin(kind, list(WATER_CODES))
    shape = shapely.intersection(plan.water.shape[within], plan.divisions.county)
    solid = shapely.area(shape) > 0
    _write_parcels(shape[solid], [WATER_CODES[k] for k in kind[within][solid]], 0, writers["land"])
    works = plan.plots.works
    _write_parcels(works, [GROUND[Use.WATERSIDE].code] * len(works), writers["land"].count, writers["land"])
    done = plan.plots.open_land
    codes = np.array([GROUND[use].code for use in Use], dtype=object)[done.use]
    _write_parcels(done.shape, codes.tolist(), writers["land"].count, writers["land"])
    write_woods(done, writers["vegetation"])


def _write_divisions(divisions: Divisions, writer: ThemeWriter) -> None:
    label = attributes(made_up=True, note="编码为虚构 / invented code")
    county = county_name()
    writer.write(
        np.array([divisions.county], dtype=object), uid=[f"county-{COUNTY_CODE}"], class_="AdministrativeArea",
        name=county.zh, name_en=county.en, village_code=[None], code=COUNTY_CODE, level="county",
        population=int(divisions.population.sum()), attributes=label,
    )  # fmt: skip
    people = np.bincount(divisions.township_of, weights=divisions.population).astype(np.int64)
    for level, shape, code, name, parent, population in (
        ("township", divisions.township, divisions.township_code, divisions.township_name,
         [COUNTY_CODE] * len(divisions.township), people),
        ("village", divisions.village, divisions.village_code, divisions.village_name,
         [divisions.township_code[i] for i in divisions.township_of.tolist()], divisions.population),
    ):  # fmt: skip
        writer.write(
            shape, uid=[f"{level}-{c}" for c in code], class_="AdministrativeArea", name=[n.zh for n in name],
            name_en=[n.en for n in name], village_code=code if level == "village" else [None] * len(code), code=code,
            level=level, parent_code=parent, population=population, attributes=label,
        )  # fmt: skip


def _write_parcels(
    shape: Shapes,
    code: list[str],
    first: int,
    writer: ThemeWriter,
    zh: list[str | None] | None = None,
    en: list[str | None] | None = None,
) -> None:
    writer.write(
        shape, uid=numbered("land", range(first, first + len(shape))), class_="LandUse", name=zh, name_en=en,
        scheme=SCHEME, edition=EDITION, code=code,
    )  # fmt: skip


def _write_fabric(frame: Frame, plan: GroundPlan, writers: dict[str, ThemeWriter]) -> Places:
    """Parcels, buildings, facilities and trees, batch by batch."""
    places = Places(frame, plan.divisions, writers["facility"])
    grid = frame.fine_grid
    codes = np.array([GROUND[use].code for use in Use], dtype=object)
    lakes = plan.water.of("Lake")
    trees = 0
    for number, built in enumerate(build_up(frame, plan.districts, plan.plots, grid, plan.ground)):
        zh, en = places.names(built.parcels.use, built.parcels.shape)
        if number:
            _write_parcels(
                built.parcels.shape, codes[built.parcels.use].tolist(), writers["land"].count, writers["land"], zh, en
            )
        _write_buildings(frame, plan, built, zh, en, writers["building"])
        places.add(built, zh, en)
        single, species = plant(frame, built.parcels, np.concatenate((built.buildings.shape, lakes)), number)
        write_trees(single, species, trees, frame.random(f"tree sizes {number}"), writers["vegetation"])
        trees += len(single)
    return places


def _write_buildings(
    frame: Frame, plan: GroundPlan, built: Built, zh: list[str | None], en: list[str | None], writer: ThemeWriter
) -> None:
    buildings = built.buildings
    middle = writer.inner_points(buildings.shape)
    row, column = frame.fine_grid.cells(shapely.get_x(middle), shapely.get_y(middle))
    functions = np.array([FORMS[kind].function for kind in Kind], dtype=object)
    main = _largest_on_parcel(buildings.shape, buildings.parcel)
    parcel = buildings.parcel.tolist()
    writer.write(
        buildings.shape,
        uid=numbered("building", range(writer.count, writer.count + len(buildings))),
        class_="Building",
        name=[zh[p] if best else None for p, best in zip(parcel, main, strict=True)],
        name_en=[en[p] if best else None for p, best in zip(parcel, main, strict=True)],
        village_code=plan.divisions.codes_of(middle),
        height=buildings.height,
        height_source="measured",
        ground_z=plan.ground[row, column].astype(float),
        storeys=buildings.storeys,
        storeys_below=buildings.below,
        function=functions[buildings.kind],
        year_built=built.year[buildings.parcel],
        roof_type=np.array(ROOFS, dtype=object)[buildings.roof],
        dwellings=buildings.dwellings,
    )


def _largest_on_parcel(shape: Shapes, parcel: Ints) -> list[bool]:
    """Whether each building is the largest on its parcel, which bears the parcel's name."""
    order = np.lexsort((-shapely.area(shape), parcel))
    first = np.concatenate(([True], np.diff(parcel[order]) != 0)) if len(order) else np.zeros(0, dtype=bool)
    largest = np.zeros(len(parcel), dtype=bool)
    largest[order[first]] = True
    return largest.tolist()


def _write_networks(frame: Frame, plan: GroundPlan, writers: dict[str, ThemeWriter], places: Places) -> None:
    grid = frame.fine_grid
    write_roads(frame, plan.network, plan.districts, grid, plan.ground, writers["road"], writers["road_node"])
    write_railway(plan.routes, writers["railway"])
    write_tree_rows(plan.districts, plan.streets.lines, writers["vegetation"])
    pumps = pump_stations(plan.defences)
    write_works(frame, plan.layout, plan.land, plan.defences, pumps, plan.network, writers["construction"])
    drains = drain(plan.network, plan.districts, plan.water, grid, plan.ground)
    pipes, nodes = writers["utility_pipe"], writers["utility_node"]
    write_drains(drains, pumps, grid, plan.ground, pipes, nodes)
    write_mains(plan.network, plan.districts, grid, plan.ground, pipes, nodes)
    places.bus_stops(plan.network)
    places.village_halls()
    write_sensors(
        frame, plan.layout, plan.land, plan.divisions, plan.water, plan.defences, pumps, plan.network, drains,
        places.parking, grid, plan.ground, writers["sensor"],
    )  # fmt: skip
