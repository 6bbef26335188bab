"""Divisions, the terrain's footprint, parcels and buildings as the model has them."""

import numpy as np
import shapely

from twin.demo.buildings import ROOFS
from twin.demo.divisions import COUNTY_CODE, Divisions, county_name
from twin.demo.fabric import Builder, Built
from twin.demo.forms import FORMS, Kind
from twin.demo.frame import METRIC_CRS, Frame
from twin.demo.greenery import plant, write_trees
from twin.demo.grid import Bools, Ints, Shapes
from twin.demo.ground_plan import GroundPlan
from twin.demo.names import CITY_EN, CITY_ZH
from twin.demo.overlay import sturdy
from twin.demo.places import Places
from twin.demo.shapes import one
from twin.demo.tables import ThemeWriter, attributes, numbered
from twin.demo.terrain import NODATA, VERTICAL_DATUM
from twin.demo.uses import EDITION, GROUND, SCHEME, Use

WATER_CODES = {"River": "1101", "Lake": "1102", "Reservoir": "1103", "TidalFlat": "1105", "Canal": "1107"}
CODES = np.array([GROUND[use].code for use in Use], dtype=object)
FUNCTIONS = np.array([FORMS[kind].function for kind in Kind], dtype=object)


def write_terrain_footprint(frame: Frame, path: str, writer: ThemeWriter) -> None:
    """The rectangle of the terrain raster. path: of the raster, relative to the city's folder."""
    grid = frame.fine_grid
    rectangle = shapely.box(
        grid.west, grid.north - grid.rows * grid.cell, grid.west + grid.columns * grid.cell, grid.north
    )
    writer.write(
        one(rectangle),
        uid=["terrain-dtm"],
        class_="dtm",
        name=f"{CITY_ZH}地形（虚构）",
        name_en=f"{CITY_EN} terrain (made up)",
        kind="dtm",
        path=path,
        resolution=grid.cell,
        nodata=NODATA,
        attributes=attributes(vertical_datum=VERTICAL_DATUM, crs=METRIC_CRS, unit="m"),
    )


def write_divisions(divisions: Divisions, writer: ThemeWriter) -> None:
    """County, townships and villages; their codes are labelled as invented."""
    label = attributes(made_up=True, note="编码为虚构 / invented code")
    county = county_name()
    writer.write(
        one(divisions.county),
        uid=[f"county-{COUNTY_CODE}"],
        class_="AdministrativeArea",
        name=county.zh,
        name_en=county.en,
        village_code=[None],
        code=COUNTY_CODE,
        level="county",
        population=int(divisions.population.sum()),
        attributes=label,
    )
    townships = divisions.township_code
    people = np.bincount(divisions.township_of, weights=divisions.population).astype(np.int64)
    writer.write(
        divisions.township,
        uid=[f"township-{code}" for code in townships],
        class_="AdministrativeArea",
        name=[name.zh for name in divisions.township_name],
        name_en=[name.en for name in divisions.township_name],
        village_code=[None] * len(townships),
        code=townships,
        level="township",
        parent_code=COUNTY_CODE,
        population=people,
        attributes=label,
    )
    writer.write(
        divisions.village,
        uid=[f"village-{code}" for code in divisions.village_code],
        class_="AdministrativeArea",
        name=[name.zh for name in divisions.village_name],
        name_en=[name.en for name in divisions.village_name],
        village_code=divisions.village_code,
        code=divisions.village_code,
        level="village",
        parent_code=[townships[i] for i in divisions.township_of.tolist()],
        population=divisions.population,
        attributes=label,
    )


def write_open_land(plan: GroundPlan, writer: ThemeWriter) -> None:
    """Parcels that no building stands on: water, streets, fields, woods, banks and works."""
    kind = np.array(plan.water.kind, dtype=object)
    wet = np.isin(kind, list(WATER_CODES))
    shape = shapely.intersection(plan.water.shape[wet], plan.divisions.county)
    solid = shapely.area(shape) > 0
    _write_parcels(shape[solid], [WATER_CODES[k] for k in kind[wet][solid]], writer)
    _write_parcels(plan.plots.works, [GROUND[Use.WATERSIDE].code] * len(plan.plots.works), writer)
    open_land = plan.plots.open_land
    _write_parcels(open_land.shape, CODES[open_land.use].tolist(), writer)


def _write_parcels(
    shape: Shapes,
    code: list[str],
    writer: ThemeWriter,
    zh: list[str | None] | None = None,
    en: list[str | None] | None = None,
) -> None:
    writer.write(
        sturdy(shape),
        uid=numbered("land", range(writer.count, writer.count + len(shape))),
        class_="LandUse",
        name=zh,
        name_en=en,
        scheme=SCHEME,
        edition=EDITION,
        code=code,
    )


def write_fabric(plan: GroundPlan, places: Places, writers: dict[str, ThemeWriter]) -> None:
    """Parcels, buildings, facilities and trees, batch by batch."""
    frame = plan.site.frame
    lakes = plan.water.of("Lake")
    trees = 0
    for number, built in enumerate(Builder(plan.site, plan.plots, plan.ground).build_up()):
        zh, en = places.names(built.parcels.use)
        # The first batch stands on farmyards, which are written with the open land.
        if number:
            _write_parcels(built.parcels.shape, CODES[built.parcels.use].tolist(), writers["land"], zh, en)
        _write_buildings(plan, built, zh, en, writers["building"])
        places.add(built, zh, en)
        avoid = np.concatenate((built.buildings.shape, built.sports_grounds, lakes))
        single, species = plant(frame, built.parcels, avoid, number)
        write_trees(single, species, trees, frame.random(f"tree sizes {number}"), writers["vegetation"])
        trees += len(single)


def _write_buildings(
    plan: GroundPlan, built: Built, zh: list[str | None], en: list[str | None], writer: ThemeWriter
) -> None:
    buildings = built.buildings
    middle = writer.inner_points(buildings.shape)
    bears_name = _largest_on_parcel(buildings.shape, buildings.parcel).tolist()
    parcel = buildings.parcel.tolist()
    writer.write(
        buildings.shape,
        uid=numbered("building", range(writer.count, writer.count + len(buildings))),
        class_="Building",
        name=[zh[p] if best else None for p, best in zip(parcel, bears_name, strict=True)],
        name_en=[en[p] if best else None for p, best in zip(parcel, bears_name, strict=True)],
        village_code=plan.divisions.codes_of(middle),
        height=buildings.height,
        height_source="measured",
        ground_z=plan.ground_at(shapely.get_coordinates(middle)),
        storeys=buildings.storeys,
        storeys_below=buildings.below,
        function=FUNCTIONS[buildings.kind],
        year_built=built.year[buildings.parcel],
        roof_type=np.array(ROOFS, dtype=object)[buildings.roof],
        dwellings=buildings.dwellings,
    )


def _largest_on_parcel(shape: Shapes, parcel: Ints) -> Bools:
    """Whether each building is the largest on its parcel, which bears the parcel's name."""
    order = np.lexsort((-shapely.area(shape), parcel))
    largest = np.zeros(len(parcel), dtype=bool)
    if len(order):
        largest[order[np.concatenate(([True], np.diff(parcel[order]) != 0))]] = True
    return largest
