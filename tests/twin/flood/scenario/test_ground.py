"""From a city to a domain: walls on edges, blocks, drains, rims, datums, storms; each against what must come out."""

import math
from pathlib import Path

import numpy as np
import pytest
import rasterio
import shapely
from pydantic import ValidationError

from twin.flood.datum import offset_to
from twin.flood.domain import Domain
from twin.flood.errors import InvalidInput
from twin.flood.raster import read_domain, read_grid, write_grid
from twin.flood.scenario import FLOOD
from twin.flood.scenario.inputs import FloodInputs
from twin.flood.scenario.ribbon import crest_line
from twin.flood.scenario.tables import formulas, ground_of, pattern_storm, patterns
from twin.flood.scenario.weather import surge


@pytest.mark.parametrize("name", FLOOD.presets)
def test_presets_are_inputs(name: str) -> None:
    FloodInputs.model_validate(dict(FLOOD.presets[name].inputs))


def test_every_input_has_words_in_both_languages() -> None:
    for name, told in FloodInputs.model_json_schema()["properties"].items():
        assert all(told["x-title"][language] for language in ("zh", "en")), name


@pytest.mark.parametrize(
    ("inputs", "field"),
    [
        ({"rain": "series"}, "rain_series"),
        ({"rain": "series", "rain_series": [[1, 5], [1, 6]]}, "rain_series"),
        ({"sea": "series", "sea_series": []}, "sea_series"),
        ({"sea": "series", "sea_series": [[0, "nan"]]}, "sea_series: nan m at hour 0"),
        ({"sea": "series", "sea_series": [["inf", 1]]}, "sea_series: inf is no hour"),
        ({"rain": "series", "rain_series": [[0, 1e6]]}, "rain_series: 1e+06 mm/h"),
        ({"rain": "storm", "return_period_years": 500}, "return_period_years: storm: return period 500"),
        ({"rain": "storm", "storm_min": 1440}, "storm_min, return_period_years: storm: duration 1440 min"),
        ({"rivers": [{"river": "a", "hydrograph": [["nan", 1]]}]}, "rivers: hydrograph: nan is no hour"),
        ({"storm_formula": "nowhere"}, "storm_formula"),
        ({"duration_h": 100, "output_interval_min": 1}, "output_interval_min"),
        ({"area": [121, 28, 120, 29]}, "area"),
        ({"resolution_m": -1}, "resolution_m"),
        ({"rivers": [{"hydrograph": [[0, 5]]}]}, "rivers"),
        ({"walls": [{"line": {"type": "Point", "coordinates": [120, 28]}, "crest_m": 3}]}, "walls"),
        ({"walls": [{"line": {"type": "LineString", "coordinates": [[28, 120], [28, 121]]}, "crest_m": 3}]}, "walls"),
        ({"sea_level": 3}, "sea_level"),
    ],
)
def test_bad_input_is_told_by_its_field(inputs: dict[str, object], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        FloodInputs.model_validate(inputs)
    assert field in str(refused.value)


def test_the_design_storm_has_the_depth_of_its_formula() -> None:
    formula = formulas()["lanwan"]
    storm = formula.chicago(120, 50, 0.4)
    # q = 167 A (1 + C lg P) / (t + b)^n in L/(s ha); 1 L/(s ha) is 0.36 mm/h.
    q = 167 * formula.a * (1 + formula.c * math.log10(50)) / (120 + formula.b) ** formula.n
    assert storm.integral(0, 7200) / 3600 == pytest.approx(q * 0.36 * 2, rel=1e-3)
    with pytest.raises(InvalidInput, match="return period"):
        formula.chicago(120, 500)


@pytest.mark.parametrize("name", patterns())
def test_a_patterned_day_has_its_depth(name: str) -> None:
    assert pattern_storm(name, 280, 12).integral(0, 12 * 3600) / 3600 == pytest.approx(280)


def test_a_surge_is_highest_at_its_hour() -> None:
    series = surge(1.6, 13, 16)
    assert series.at(13 * 3600) == pytest.approx(1.6)
    assert series.at(5 * 3600) == pytest.approx(0, abs=1e-9)
    assert series.at(9 * 3600) == pytest.approx(0.8)


def test_levels_of_another_datum_are_refused_or_moved() -> None:
    assert offset_to("EPSG:5737", "1985国家高程基准", None, "sea_datum") == 0
    assert offset_to("EPSG:5737", "EPSG:5736", -0.029, "sea_datum") == -0.029
    for city, datum in (("EPSG:5737", "EPSG:5736"), ("unknown", None), ("EPSG:5737", "unknown")):
        with pytest.raises(InvalidInput, match="sea_datum"):
            offset_to(city, datum, None, "sea_datum")


def test_the_crest_of_a_strip_is_its_middle_line() -> None:
    line = shapely.LineString([(0, 0), (400, 0), (800, 300), (800, 900)])
    strip = shapely.buffer(line, 12, cap_style="flat", join_style="mitre")
    crest = crest_line(strip)
    assert crest is not None
    # Only at its ends does it turn off, by half the width at most.
    assert shapely.hausdorff_distance(crest, line) < 12.5
    assert shapely.distance(shapely.points(crest.coords[3:-3]), line).max() < 2.5
    assert crest.length == pytest.approx(line.length, rel=0.01)


def test_a_dam_lies_along_its_longer_side_and_a_ring_between_its_edges() -> None:
    dam = crest_line(shapely.box(0, 0, 200, 60))
    assert dam is not None
    assert dam.equals_exact(shapely.LineString([(0, 30), (200, 30)]), 1e-6) or dam.reverse().equals_exact(
        shapely.LineString([(0, 30), (200, 30)]), 1e-6
    )
    ring = shapely.Point(0, 0).buffer(110, quad_segs=32) - shapely.Point(0, 0).buffer(90, quad_segs=32)
    middle = crest_line(ring)
    assert middle is not None
    assert shapely.distance(shapely.points(middle.coords), shapely.Point(0, 0)) == pytest.approx(100, abs=0.5)


def test_land_use_takes_the_row_of_its_longest_beginning() -> None:
    assert ground_of("GB/T 21010", "0305").manning == 0.07
    assert ground_of("GB/T 21010", "0301").manning == 0.10
    assert ground_of("GB/T 21010", "1004").curve_number["C"] == 98
    assert ground_of("another", "1004") == ground_of(None, None)


def test_a_grid_goes_to_a_cog_and_back(tmp_path: Path) -> None:
    bed = np.arange(12.0).reshape(3, 4)
    bed[1, 2] = np.nan
    domain = Domain(bed, cell=10, west=596_000, north=3_111_000, crs="EPSG:4549", vertical_datum="EPSG:5737")
    path = tmp_path / "bed.tif"
    write_grid(path, bed, domain, unit="m", description="bed", datum=True)
    assert np.array_equal(read_grid(path), bed.astype(np.float32), equal_nan=True)
    with rasterio.open(path) as file:
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
    again = read_domain(path)
    assert (again.west, again.north, again.cell, again.vertical_datum) == (596_000, 3_111_000, 10, "EPSG:5737")
    with pytest.raises(InvalidInput, match="EPSG:5736"):
        read_domain(path, vertical_datum="EPSG:5736")


def test_a_terrain_without_crs_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bare.tif"
    with rasterio.open(path, "w", driver="GTiff", width=4, height=4, count=1, dtype="float32") as file:
        file.write(np.zeros((4, 4), np.float32), 1)
    with pytest.raises(InvalidInput, match="no CRS"):
        read_domain(path)
