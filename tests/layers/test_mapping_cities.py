"""The shipped recipes on the real cities: every row accounted for, and what the data's own notes say of them."""

import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
import rasterio
import shapely
from pyproj import Transformer

from layers.mapping import Ground, MappedBatch, mapped, properties
from layers.recipe import read_recipe

CITIES = Path(__file__).parents[2] / "twin" / "recipes"


def load(city: str, data: Path) -> dict[str, list[MappedBatch]]:
    """Batches by data set and theme."""
    recipe = read_recipe(CITIES / f"{city}.yaml")
    spec = recipe.city.spec()
    found = defaultdict(list)
    for dataset in recipe.datasets:
        for part, source in dataset.sources(data):
            for batch in mapped(source, part, Ground(spec.srid, spec.metric_srid)):
                found[f"{dataset.name} {batch.theme.table}"].append(batch)
    return dict(found)


def rows(batches: list[MappedBatch]) -> int:
    return sum(batch.rows.num_rows for batch in batches)


def values(batches: list[MappedBatch], name: str) -> list[object]:
    return [value for batch in batches for value in batch.rows.column(name).to_pylist()]


@pytest.fixture(scope="module")
def lyon(shared_data: Path) -> dict[str, list[MappedBatch]]:
    return load("lyon", shared_data)


def test_lyon_has_what_its_notes_count(lyon: dict[str, list[MappedBatch]]) -> None:
    assert {name: rows(batches) for name, batches in lyon.items()} == {
        "lyon-roofs building": 15_725,
        "lyon-lod2-buildings building": 313,
        "lyon-lands land": 32,
        "lyon-lands water": 4,
        "lyon-arrondissements administrative_area": 7,
        "lyon-velov facility": 78,
        "lyon-velov sensor": 78,
        "lyon-traffic road_node": 1_780,
        "lyon-traffic road": 3_540,
        "lyon-counters sensor": 110,
        "lyon-dem terrain": 1,
    }
    assert not any(batch.rejects for batches in lyon.values() for batch in batches)


def test_lyons_roofs_stand_on_its_terrain(lyon: dict[str, list[MappedBatch]], shared_data: Path) -> None:
    """Independent heights agree: ground of the roofs minus the DEM, median +0.36 m, mean absolute error 0.89 m."""
    roofs = lyon["lyon-roofs building"]
    places = shapely.get_coordinates(shapely.centroid(shapely.from_wkb(values(roofs, "geom"))))
    x, y = Transformer.from_crs(4326, 3946, always_xy=True).transform(*places.T)
    with rasterio.open(shared_data / "lyon" / "lyon_dem_10m.tif") as dem:
        terrain = np.array([cell[0] for cell in dem.sample(zip(x, y, strict=True))], dtype=float)
    difference = np.array(values(roofs, "ground_z"), dtype=float) - terrain
    assert np.median(difference) == pytest.approx(0.36, abs=0.05)
    assert np.abs(difference).mean() == pytest.approx(0.89, abs=0.05)


def test_lyons_buildings_stand_where_their_surfaces_are(lyon: dict[str, list[MappedBatch]]) -> None:
    """Every footprint within two centimetres of the box of its surfaces, by pyproj."""
    solids = lyon["lyon-lod2-buildings building"]
    to_degrees = Transformer.from_crs(3946, 4326, always_xy=True)
    bodies, footprints = (shapely.from_wkb(values(solids, name)) for name in ("solid", "geom"))
    outlines = [shapely.segmentize(shapely.box(*body.bounds), 1.0) for body in bodies]
    boxes = shapely.transform(outlines, lambda xy: np.column_stack(to_degrees.transform(*xy.T)))
    assert shapely.contains(shapely.buffer(boxes, 2e-7), footprints).all()
    assert set(values(solids, "solid_srid")) == {3946}


def test_lyons_roofs_are_as_high_as_published(lyon: dict[str, list[MappedBatch]]) -> None:
    roofs = lyon["lyon-roofs building"]
    heights = np.array(values(roofs, "height"), dtype=float)
    assert (heights.min(), heights.max()) == pytest.approx((2.0, 164.6), abs=0.05)
    assert heights.mean() == pytest.approx(19.9, abs=0.05)
    assert not any(batch.repairs for batch in roofs)


def test_lyons_roads_hang_on_their_nodes(lyon: dict[str, list[MappedBatch]]) -> None:
    nodes = lyon["lyon-traffic road_node"]
    places = dict(zip(values(nodes, "uid"), shapely.from_wkb(values(nodes, "geom")), strict=True))
    roads = lyon["lyon-traffic road"]
    lines = shapely.from_wkb(values(roads, "geom"))
    for end, name in ((0, "start_node"), (-1, "end_node")):
        ends = shapely.get_point(lines, end)
        there = [places[uid] for uid in values(roads, name)]
        assert shapely.equals_exact(ends, there, tolerance=1e-9).all()


@pytest.mark.parametrize("city", ["monaco", "liechtenstein"])
def test_openstreetmap_cities_lose_only_what_the_extract_lacks(shared_data: Path, city: str) -> None:
    found = load(city, shared_data)
    for batches in found.values():
        for batch in batches:
            assert batch.rows.num_rows + len(batch.rejects) == batch.read
            assert {reject.reason for reject in batch.rejects} <= {"no geometry, or not all of it in the file"}
            assert all(str(reject.uid).startswith("relation/") for reject in batch.rejects)
    buildings = found[f"{city}-osm building"]
    assert rows(buildings) == {"monaco": 1_207, "liechtenstein": 14_036}[city]
    assert None not in values(buildings, "height")
    assert set(values(buildings, "height_source")) == {"measured", "storeys", "default"}
    for name, batches in found.items():
        uids = values(batches, "uid")
        assert len(set(uids)) == len(uids), name


def test_koto_keeps_the_flood_depth_of_every_building(shared_data: Path) -> None:
    (batches,) = load("koto", shared_data).values()
    assert rows(batches) == 55_460
    assert not any(batch.rejects for batch in batches)
    kept = [json.loads(str(text)) for text in values(batches, "attributes")]
    depths = [each["flood_l2_m"] for each in kept if "flood_l2_m" in each]
    assert len(depths) == 52_787
    assert np.mean(depths) == pytest.approx(2.905176, abs=1e-6)
    assert all(isinstance(each["flood"], dict) for each in kept)
    heights = np.array(values(batches, "height"), dtype=float)
    assert (heights.mean(), heights.max()) == pytest.approx((10.966289, 182.7), abs=1e-6)


def test_the_catalogue_learns_the_types_of_further_fields(shared_data: Path) -> None:
    (dataset,) = read_recipe(CITIES / "koto.yaml").datasets
    ((part, source),) = dataset.sources(shared_data)
    assert {each.name: each.type for each in properties(source, part)} == {
        "town_code": "text",
        "roof_area_m2": "number",
        "flood_l1_m": "number",
        "flood_l2_m": "number",
        "flood_any_m": "number",
        "flood": "json",
    }
