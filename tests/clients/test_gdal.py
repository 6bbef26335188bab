"""GDAL's OAPIF driver reads the town as its users do: by `ogrinfo` and `ogr2ogr`, and counts what SQL counts."""

import json
import shutil
import subprocess
import urllib.request
from pathlib import Path

import pytest

from tests import town

pytestmark = pytest.mark.skipif(shutil.which("ogrinfo") is None, reason="gdal-bin is not installed")


def ogrinfo(*arguments: str) -> str:
    done = subprocess.run(["ogrinfo", "-ro", *arguments], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "ERROR" not in done.stderr, done.stderr
    return done.stdout


def test_every_layer_is_found(town_server: str) -> None:
    told = ogrinfo(f"OAPIF:{town_server}")
    for layer in ("buildings", "facilities", "roads", "water"):
        assert f": {layer}" in told
    assert "utility_pipes" not in told


def test_it_counts_what_stands(town_server: str) -> None:
    told = ogrinfo("-so", f"OAPIF:{town_server}", "buildings")
    assert f"Feature Count: {town.STANDING}" in told
    assert "Geometry: Multi Polygon" in told
    assert "height: Real" in told
    assert "storeys: Integer" in told


def test_it_pages_through_everything(town_server: str, tmp_path: Path) -> None:
    """With pages of seven, every object comes once, as the database holds it."""
    file = tmp_path / "buildings.geojson"
    subprocess.run(
        ["ogr2ogr", "-oo", "PAGE_SIZE=7", str(file), f"OAPIF:{town_server}", "buildings"], check=True, timeout=60
    )
    features = json.loads(file.read_text())["features"]
    assert sorted(feature["properties"]["height"] for feature in features) == [*range(1, 39), 40]
    four = next(feature for feature in features if feature["properties"]["height"] == 4)
    assert four["properties"]["name"] == "海晏楼4"
    assert four["geometry"]["coordinates"][0][0][0] == [120.953, 28.1]


def test_a_box_is_asked_of_the_server(town_server: str) -> None:
    told = ogrinfo("-al", "-spat", "120.9499", "28.0999", "120.9515", "28.1005", f"OAPIF:{town_server}", "buildings")
    assert "Feature Count: 2" in told


def test_a_condition_narrows_it(town_server: str) -> None:
    told = ogrinfo("-al", "-where", "class = 'School'", f"OAPIF:{town_server}", "facilities")
    assert "Feature Count: 2" in told
    assert "海晏小学" in told


def test_tiles_are_read(town_server: str, tmp_path: Path) -> None:
    """GDAL decodes a tile of two layers: every object, with its id and properties."""
    file = tmp_path / "tile.mvt"
    urllib.request.urlretrieve(
        f"{town_server}/tiles/WebMercatorQuad/13/3429/6848?collections=buildings,facilities", file
    )
    told = ogrinfo("-al", str(file))
    assert "Layer name: buildings" in told
    assert "Layer name: facilities" in told
    assert told.count("OGRFeature(buildings)") == town.STANDING
    assert told.count("class (String) = School") == 2
    assert "height (Real) = 4" in told or "height (Integer) = 4" in told
