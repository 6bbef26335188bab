"""Desktop programs read features as their users do: GDAL in each CRS it is asked for, QGIS without a screen."""

import json
import os
import shutil
import subprocess

import geopandas
import pyogrio
import pytest
import shapely
from pyproj import CRS, Transformer

from tests import town

# What QGIS brings its own Python for; prints what it found as JSON.
SCRIPT = """
import json, os, sys
from qgis.core import QgsApplication, QgsExpression, QgsFeatureRequest, QgsRectangle, QgsVectorLayer
QgsApplication.setPrefixPath("/usr", True)
application = QgsApplication([], False)
application.initQgis()
layer = QgsVectorLayer(f"url='{sys.argv[1]}' typename='{sys.argv[2]}' pageSize='7'", "layer", "OAPIF")
box = QgsRectangle(120.9499, 28.0999, 120.9515, 28.1005)
tall = QgsFeatureRequest(QgsExpression('"height" > 37'))
print(json.dumps({
    "valid": layer.isValid(),
    "count": layer.featureCount(),
    "crs": layer.crs().authid(),
    "heights": sorted(feature["height"] for feature in layer.getFeatures()),
    "in the box": sorted(feature["height"] for feature in layer.getFeatures(QgsFeatureRequest(box))),
    "tall": sorted(feature["height"] for feature in layer.getFeatures(tall)),
    "first": [feature.geometry().asWkt(4) for feature in layer.getFeatures(tall)][0],
}), flush=True)
# Its threads do not always survive the interpreter's own end.
os._exit(0)
"""
SYSTEM_PYTHON = "/usr/bin/python3"


@pytest.fixture(scope="module")
def plain(town_server: str) -> geopandas.GeoDataFrame:
    return pyogrio.read_dataframe(f"OAPIF:{town_server}", layer="buildings").sort_values("height", ignore_index=True)


def test_gdal_takes_the_storage_crs(plain: geopandas.GeoDataFrame) -> None:
    """Part 2, storageCrs: what it is stored in needs no transformation, and GDAL puts longitude first again."""
    assert plain.crs.to_epsg() == 4490
    assert plain.height.tolist() == [*range(1, 39), 40]
    assert plain.total_bounds.tolist() == pytest.approx([120.95, 28.1, 120.9594, 28.1034])


@pytest.mark.parametrize("code", [4326, 4490, 4549, 3857, 32651])
def test_gdal_reads_every_crs(town_server: str, plain: geopandas.GeoDataFrame, code: int) -> None:
    """The layers lie on each other to a millimetre, whatever CRS they are asked for in."""
    frame = pyogrio.read_dataframe(f"OAPIF:{town_server}", layer="buildings", CRS=f"EPSG:{code}")
    frame = frame.sort_values("height", ignore_index=True)
    # GDAL takes CRS84, which says the same in another order, for EPSG:4326.
    assert frame.crs.equals(CRS(code), ignore_axis_order=True)
    source = 4490 if code in (4490, 4549) else 4326
    turn = Transformer.from_crs(source, code, always_xy=True)
    expected = shapely.transform(plain.geometry.values, turn.transform, interleaved=False)
    apart = shapely.hausdorff_distance(frame.geometry.values, expected).max()
    assert apart < (1e-8 if frame.crs.is_geographic else 1e-3)


def test_gdal_asks_for_a_box_in_the_crs(town_server: str) -> None:
    turn = Transformer.from_crs(4490, 4549, always_xy=True)
    box = (*turn.transform(120.9499, 28.0999), *turn.transform(120.9515, 28.1005))
    frame = pyogrio.read_dataframe(f"OAPIF:{town_server}", layer="buildings", CRS="EPSG:4549", bbox=box)
    assert sorted(frame.height) == [1, 2]


@pytest.mark.skipif(
    not os.path.exists(SYSTEM_PYTHON) or shutil.which("qgis_process") is None, reason="python3-qgis is not installed"
)
def test_qgis_reads_pages_boxes_and_conditions(town_server: str) -> None:
    done = subprocess.run(
        [SYSTEM_PYTHON, "-c", SCRIPT, town_server, "buildings"],
        env={"PATH": "/usr/bin:/bin", "QT_QPA_PLATFORM": "offscreen", "HOME": os.environ.get("HOME", "/tmp")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert (told["valid"], told["count"]) == (True, town.STANDING)
    assert told["heights"] == [*range(1, 39), 40]
    assert told["in the box"] == [1, 2]
    assert told["tall"] == [38, 40]
    assert told["first"].startswith("MultiPolygon (((120.957")
