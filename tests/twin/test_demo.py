"""The made-up city agrees with itself: measured on what the loader reads, not on what the generator thinks."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyproj
import pytest
import rasterio
import shapely

from cim_models.themes import THEMES
from layers.automatic import automatic
from layers.formats import Source
from layers.mapping import Ground, mapped
from twin.demo import DemoCity, DemoError, generate

BUILDINGS = 3_000
# A little to each side.
CORNERS = ((-1e-4, -1e-4), (-1e-4, 1e-4), (1e-4, -1e-4), (1e-4, 1e-4))
WATER = ("Sea", "River", "Canal", "Lake", "Pond", "Reservoir")


class Table:
    """A theme's rows: `table["height"]` is a column as numpy, `table.shape` the geometries."""

    def __init__(self, source: Source) -> None:
        self.rows = pa.Table.from_batches(source.read(), source.schema)
        self.shape = shapely.from_wkb(self.rows["geometry"].to_numpy(zero_copy_only=False))

    def __getitem__(self, column: str) -> np.ndarray[Any, Any]:
        return self.rows[column].to_numpy()

    def of(self, *classes: str) -> np.ndarray[Any, Any]:
        return self.shape[np.isin(self["class"].astype(str), classes)]


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> DemoCity:
    return generate(tmp_path_factory.mktemp("demo city"), buildings=BUILDINGS, seed=1)


@pytest.fixture(scope="module")
def theme(city: DemoCity) -> Callable[[str], Table]:
    tables: dict[str, Table] = {}

    def read(name: str) -> Table:
        if name not in tables:
            tables[name] = Table(city.source(name))
        return tables[name]

    return read


@pytest.fixture(scope="module")
def ground(city: DemoCity) -> Callable[[Any], np.ndarray[Any, Any]]:
    """The raster's value in the cell that holds each point."""
    with rasterio.open(city.terrain) as file:
        values, transform = file.read(1), file.transform

    def at(points: Any) -> np.ndarray[Any, Any]:
        x, y = shapely.get_coordinates(points).T
        row, column = rasterio.transform.rowcol(transform, x, y)
        return values[row, column]

    return at


def overlaps(shapes: Any, others: Any = None) -> float:
    """Largest common area of two different shapes, m2."""
    tree = shapely.STRtree(shapes if others is None else others)
    a, b = tree.query(shapes, predicate="intersects")
    if others is None:
        a, b = a[a < b], b[a < b]
    common = shapely.area(shapely.intersection(shapes[a], (shapes if others is None else others)[b]))
    return float(common.max(initial=0))


def test_the_same_seed_gives_the_same_city_and_another_seed_another(tmp_path: Path) -> None:
    cities = [generate(tmp_path / str(i), buildings=500, seed=seed) for i, seed in enumerate((7, 7, 8))]
    tables = [[pa.Table.from_batches(source.read()) for source in made.sources] for made in cities[:2]]
    assert all(a.equals(b) for a, b in zip(tables[0], tables[1], strict=True))
    rasters = [rasterio.open(made.terrain).read(1) for made in cities]
    assert np.array_equal(rasters[0], rasters[1])
    assert not np.array_equal(rasters[0], rasters[2])


def test_sources_have_the_columns_of_the_model(city: DemoCity) -> None:
    for source in city.sources:
        wanted = {"uid", "class", "name", "name_en", "village_code", "attributes", "geometry"}
        assert set(source.schema.names) == wanted | {attribute.name for attribute in THEMES[source.name].attributes}
        batches = list(source.read(rows=700))
        assert sum(batch.num_rows for batch in batches) == source.count > 0
        assert all(batch.num_rows <= 700 and batch.schema.equals(source.schema) for batch in batches)
        assert source.crs == "EPSG:4549"


def test_every_theme_of_a_city_is_there(city: DemoCity) -> None:
    assert {source.name for source in city.sources} == set(THEMES) - {"generic_object", "coverage"}


def test_it_says_that_it_is_made_up(city: DemoCity, theme: Callable[[str], Table]) -> None:
    assert city.made_up
    assert "虚构" in city.title_zh
    assert "made up" in city.title_en
    for source in city.sources:
        assert "虚构" in source.title_zh
        assert "made-up" in source.title_en
    assert all(json.loads(text)["made_up"] for text in theme("administrative_area")["attributes"])


def test_it_lies_where_its_coordinate_system_may_be_used(city: DemoCity) -> None:
    west, south, east, north = city.bbox
    use = pyproj.CRS(city.metric_crs).area_of_use
    assert use is not None
    assert use.west < west < east < use.east
    assert use.south < south < north < use.north


def test_geometry_is_valid_and_uids_are_unique(city: DemoCity, theme: Callable[[str], Table]) -> None:
    for source in city.sources:
        table = theme(source.name)
        assert shapely.is_valid(table.shape).all(), source.name
        assert not shapely.is_empty(table.shape).any(), source.name
        assert len(set(table["uid"])) == len(table.shape), source.name


def test_the_loader_takes_every_row_as_it_is(city: DemoCity) -> None:
    ground = Ground(city.srid, pyproj.CRS(city.metric_crs).to_epsg())
    [(_, parts)] = automatic(Path("demo"), city.sources)
    for part, source in parts:
        batches = list(mapped(source, part, ground))
        assert sum(batch.read for batch in batches) == source.count
        assert not any(batch.rejects or batch.repairs for batch in batches), source.name


def test_as_many_buildings_as_asked_for(theme: Callable[[str], Table]) -> None:
    assert abs(len(theme("building").shape) / BUILDINGS - 1) < 0.03


def test_buildings_keep_clear_of_each_other_of_water_and_of_streets(theme: Callable[[str], Table]) -> None:
    buildings, roads, water = theme("building").shape, theme("road"), theme("water")
    assert overlaps(buildings) == 0
    assert overlaps(buildings, water.of(*WATER)) == 0
    on_ground = ~roads["tunnel"].astype(bool)
    carriageways = shapely.buffer(roads.shape[on_ground], roads["width"][on_ground] / 2, cap_style="flat")
    assert overlaps(buildings, carriageways) == 0


def test_buildings_stand_on_parcels_of_their_purpose(theme: Callable[[str], Table]) -> None:
    buildings, land = theme("building"), theme("land")
    building, parcel = shapely.STRtree(land.shape).query(buildings.shape, predicate="covered_by")
    assert len(np.unique(building)) == len(buildings.shape)
    code = land["code"][parcel].astype(str)
    function = buildings["function"][building].astype(str)
    wanted = {"residential": "07", "industrial": "06", "education": "0803", "medical": "0805", "agricultural": "1202"}
    for kind, prefix in wanted.items():
        assert np.char.startswith(code[function == kind], prefix).mean() > 0.9, kind


def test_heights_follow_storeys_and_grow_towards_the_centre(city: DemoCity, theme: Callable[[str], Table]) -> None:
    buildings = theme("building")
    floor = buildings["height"] / buildings["storeys"]
    assert 2.8 < floor.min() < floor.max() < 11
    x, y = pyproj.Transformer.from_crs("EPSG:4490", city.metric_crs, always_xy=True).transform(*city.center)
    away = shapely.distance(shapely.centroid(buildings.shape), shapely.Point(x, y))
    tall = buildings["height"] > 45
    assert np.median(away[tall]) < np.median(away)
    assert buildings["year_built"].max() <= 2025


def test_ground_under_buildings_is_that_of_the_raster(
    theme: Callable[[str], Table], ground: Callable[[Any], np.ndarray[Any, Any]]
) -> None:
    buildings = theme("building")
    assert np.array_equal(buildings["ground_z"], ground(shapely.point_on_surface(buildings.shape)).astype(float))


def test_parcels_cover_the_land_once(theme: Callable[[str], Table]) -> None:
    land, water, county = theme("land"), theme("water"), theme("administrative_area").shape[0]
    # Edges are straightened by millimetres where a parcel would else be too narrow for its coordinates.
    assert overlaps(land.shape) < 1e-7 * shapely.area(land.shape).sum()
    dry = shapely.difference(county, shapely.union_all(water.of("Sea")))
    assert shapely.area(land.shape).sum() == pytest.approx(dry.area, rel=0.004)
    assert set(land["scheme"]) == {"GB/T 21010"}
    assert set(land["edition"]) == {"2017"}


def roads_graph(roads: Table, nodes: Table) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    number = {uid: i for i, uid in enumerate(nodes["uid"])}
    start = np.array([number[uid] for uid in roads["start_node"]])
    end = np.array([number[uid] for uid in roads["end_node"]])
    return start, end


def test_roads_are_one_connected_graph(theme: Callable[[str], Table]) -> None:
    roads, nodes = theme("road"), theme("road_node")
    start, end = roads_graph(roads, nodes)
    group = list(range(len(nodes.shape)))

    def root(node: int) -> int:
        while group[node] != node:
            group[node] = group[group[node]]
            node = group[node]
        return node

    for a, b in zip(start.tolist(), end.tolist(), strict=True):
        group[root(a)] = root(b)
    assert len({root(node) for node in range(len(group))}) == 1
    assert np.array_equal(np.bincount(np.concatenate((start, end))), nodes["degree"])
    for place, index in ((start, 0), (end, -1)):
        ends = shapely.get_coordinates(shapely.get_point(roads.shape, index))
        assert np.allclose(ends, shapely.get_coordinates(nodes.shape[place]), atol=1e-6)
    classes = set(roads["class"])
    assert {"motorway", "motorway_link", "trunk", "primary", "secondary", "tertiary", "residential"} <= classes


def test_streets_meet_only_at_nodes(theme: Callable[[str], Table]) -> None:
    roads = theme("road")
    level = roads["vertical_level"] == 0
    streets = roads.shape[level]
    a, b = shapely.STRtree(streets).query(streets, predicate="crosses")
    assert len(a) == len(b) == 0


def test_streets_climb_gently(theme: Callable[[str], Table], ground: Callable[[Any], np.ndarray[Any, Any]]) -> None:
    roads = theme("road")
    on_ground = ~roads["bridge"].astype(bool) & ~roads["tunnel"].astype(bool)
    streets = roads.shape[on_ground]
    streets = streets[shapely.length(streets) > 30]
    step = 25.0
    for first in range(12):
        near = shapely.line_interpolate_point(streets, first * step)
        far = shapely.line_interpolate_point(streets, (first + 1) * step)
        whole = shapely.length(streets) >= (first + 1) * step
        slope = np.abs(ground(far[whole]) - ground(near[whole])) / step
        assert slope.max(initial=0) <= 0.12


def test_only_bridges_cross_water(theme: Callable[[str], Table]) -> None:
    roads, water = theme("road"), theme("water")
    on_ground = ~roads["bridge"].astype(bool) & ~roads["tunnel"].astype(bool)
    bodies = water.of(*WATER, "Stream")
    assert not len(shapely.STRtree(bodies).query(roads.shape[on_ground], predicate="intersects")[0])
    assert roads["bridge"].any()


def test_water_lies_lowest(theme: Callable[[str], Table], ground: Callable[[Any], np.ndarray[Any, Any]]) -> None:
    water, buildings = theme("water"), theme("building")
    for kind in ("River", "Canal", "Lake", "Pond", "Reservoir"):
        which = water["class"].astype(str) == kind
        inner = shapely.point_on_surface(water.shape[which])
        assert (ground(inner) < water["level"][which]).all(), kind
        # Its banks are higher. Ponds lie side by side, with narrow banks between.
        bank = shapely.buffer(water.shape[which], 5 if kind == "Pond" else 14)
        points = shapely.line_interpolate_point(shapely.boundary(bank), np.linspace(0, 1, 12)[:, None], normalized=True)
        height = np.median(ground(points.ravel()).reshape(points.shape), axis=0)
        assert (height > water["level"][which]).all(), kind
    canal = water["level"][water["class"].astype(str) == "Canal"].max()
    assert buildings["ground_z"].min() > canal


def test_the_river_falls_to_the_sea(
    theme: Callable[[str], Table], ground: Callable[[Any], np.ndarray[Any, Any]]
) -> None:
    water = theme("water")
    river = water["class"].astype(str) == "River"
    level = water["level"][river]
    assert (np.diff(level) <= 0).all()
    # The bed, as the lowest ground in each reach, falls as well.
    bed = []
    for reach in water.shape[river]:
        west, south, east, north = reach.bounds
        x, y = np.meshgrid(np.arange(west, east, 5), np.arange(south, north, 5))
        inside = shapely.contains_xy(reach, x, y)
        bed.append(ground(shapely.points(x[inside], y[inside])).min())
    assert (np.diff(bed) < 0).all()
    assert bed[-1] < 0


def test_walls_hold_the_sea_and_the_reservoir(
    theme: Callable[[str], Table], ground: Callable[[Any], np.ndarray[Any, Any]]
) -> None:
    works, water = theme("construction"), theme("water")
    tide = json.loads(water["attributes"][water["class"].astype(str) == "Sea"][0])
    for wall in works.of("SeaWall"):
        # The middle line of the wall's strip is its crest.
        crest = shapely.buffer(wall, -9)
        x, y = shapely.get_coordinates(shapely.segmentize(shapely.boundary(crest), 10)).T
        assert ground(shapely.points(x, y)).min() > tide["highest_tide_m"]
    assert (works["crest_level"][works["class"].astype(str) == "SeaWall"] > tide["highest_tide_m"] + 1).all()
    dam = works["class"].astype(str) == "Dam"
    full = water["level"][water["class"].astype(str) == "Reservoir"][0]
    assert works["crest_level"][dam][0] > full + 2
    assert shapely.distance(works.shape[dam][0], water.of("Reservoir")[0]) < 30
    sluices = works["class"].astype(str) == "Sluice"
    assert sluices.any()
    assert (works["sill_level"][sluices] < works["crest_level"][sluices]).all()


def test_storm_drains_fall_to_outfalls_under_cover(
    theme: Callable[[str], Table], ground: Callable[[Any], np.ndarray[Any, Any]]
) -> None:
    pipes, nodes = theme("utility_pipe"), theme("utility_node")
    storm = pipes["medium"].astype(str) == "storm"
    assert (pipes["invert_start"][storm] > pipes["invert_end"][storm]).all()
    number = {uid: i for i, uid in enumerate(nodes["uid"])}
    start = np.array([number[uid] for uid in pipes["start_node"][storm]])
    end = np.array([number[uid] for uid in pipes["end_node"][storm]])
    invert, level, kind = nodes["invert"], nodes["ground_level"], nodes["class"].astype(str)
    assert np.allclose(pipes["invert_start"][storm], invert[start])
    # A manhole on the edge of two cells may have the ground of either.
    around = [ground(shapely.transform(nodes.shape, lambda p, d=d: p + d)) for d in CORNERS]
    assert (np.abs(np.array(around) - level).min(axis=0) < 0.001).all()
    manholes = kind == "Manhole"
    assert (level[manholes] - invert[manholes] > 0.5).all()
    assert set(kind[np.setdiff1d(end, start)]) == {"Outfall"}
    water = shapely.union_all(theme("water").of("Canal", "River"))
    assert shapely.distance(nodes.shape[kind == "Outfall"], water).max() < 1
    diameter = pipes["diameter_mm"][storm]
    largest_in = np.zeros(len(kind))
    np.maximum.at(largest_in, end, diameter)
    assert (diameter >= largest_in[start]).all()


def test_mains_join_valves_and_hydrants(theme: Callable[[str], Table]) -> None:
    pipes, nodes = theme("utility_pipe"), theme("utility_node")
    water = pipes["medium"].astype(str) == "water"
    ends = {*pipes["start_node"][water], *pipes["end_node"][water]}
    assert ends == set(nodes["uid"][nodes["medium"].astype(str) == "water"])
    assert {"Valve", "Hydrant", "Junction", "Pump", "Manhole", "Outfall"} == set(nodes["class"])


def test_divisions_part_the_county_without_gap_or_overlap(theme: Callable[[str], Table]) -> None:
    areas = theme("administrative_area")
    level, code = areas["level"].astype(str), areas["code"].astype(str)
    county = areas.shape[level == "county"][0]
    for name in ("township", "village"):
        parts = areas.shape[level == name]
        assert shapely.coverage_is_valid(parts)
        assert shapely.area(parts).sum() == pytest.approx(county.area, rel=1e-9)
        assert (
            shapely.equals_exact(
                shapely.normalize(shapely.coverage_union_all(parts)), shapely.normalize(county), tolerance=1e-6
            )
            or shapely.union_all(parts).symmetric_difference(county).area < 1
        )
    digits = {"county": 6, "township": 9, "village": 12}
    for one, kind, parent in zip(code, level, areas["parent_code"], strict=True):
        assert re.fullmatch(rf"99\d{{{digits[kind] - 2}}}", one)
        assert parent == {"county": None, "township": one[:6], "village": one[:9]}[kind]
    assert set(code[level == "village"]) >= set(theme("building")["village_code"])


def test_objects_know_their_village(theme: Callable[[str], Table]) -> None:
    areas = theme("administrative_area")
    village = areas["level"].astype(str) == "village"
    shape, code = areas.shape[village], areas["code"][village]
    for name in ("building", "road", "sensor", "facility"):
        table = theme(name)
        inside = shapely.point_on_surface(table.shape)
        row, owner = shapely.STRtree(shape).query(inside, predicate="within")
        assert (table["village_code"][row] == code[owner]).all()


def test_services_and_sensors_of_all_kinds(city: DemoCity, theme: Callable[[str], Table]) -> None:
    facilities = theme("facility")
    wanted = {
        "School",
        "Hospital",
        "Shelter",
        "Parking",
        "FireStation",
        "TownHall",
        "BusStop",
        "Market",
        "Worship",
        "Park",
    }
    assert wanted <= set(facilities["class"])
    shelter = facilities["class"].astype(str) == "Shelter"
    assert (facilities["capacity"][shelter] > 0).all()
    sensors = theme("sensor")
    kinds = {"water_level", "rain", "tide", "wind", "flow", "air_quality", "traffic", "parking", "pump", "sluice"}
    assert kinds <= set(sensors["kind"])
    known = set().union(*(set(theme(source.name)["uid"]) for source in city.sources))
    assert set(sensors["serves_uid"]) <= known


def test_a_size_that_cannot_be_built_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match="choose between"):
        generate(tmp_path, buildings=10)
