"""The same buildings in QGIS by WMS, by Features and by vector tiles: at 1:1,000 they agree to the pixel."""

import json
import os
import subprocess
from itertools import permutations
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from pyproj import Transformer

CODES = (4326, 4490, 4549, 3857)
SYSTEM_PYTHON = "/usr/bin/python3"
WAYS = ("wms", "features", "tiles")
# A place among the town's buildings, and the metres that a pixel of 0.28 mm is at 1:1,000.
MIDDLE, PIXEL_M = (120.9508, 28.1006), 0.28
WIDTH, HEIGHT = 960, 640
# The pictures lie in the folder as {way}-{code}.png.
SCRIPT = """
import json, os, sys
from qgis.core import (QgsApplication, QgsCoordinateReferenceSystem, QgsFillSymbol, QgsMapRendererSequentialJob,
                       QgsMapSettings, QgsRasterLayer, QgsRectangle, QgsSingleSymbolRenderer, QgsVectorLayer,
                       QgsVectorTileBasicRenderer, QgsVectorTileBasicRendererStyle, QgsVectorTileLayer, QgsWkbTypes)
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor
QgsApplication.setPrefixPath("/usr", True)
application = QgsApplication([], False)
application.initQgis()
server, folder, asked = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
black = {"color": "black", "outline_style": "no"}
features = QgsVectorLayer(f"url='{server}' typename='buildings'", "features", "OAPIF")
features.setRenderer(QgsSingleSymbolRenderer(QgsFillSymbol.createSimple(black)))
tile = f"{server}/collections/buildings/tiles/WebMercatorQuad/{{z}}/{{y}}/{{x}}"
tiles = QgsVectorTileLayer(f"type=xyz&url={tile}&zmin=0&zmax=18", "tiles")
look = QgsVectorTileBasicRendererStyle("all", "buildings", QgsWkbTypes.PolygonGeometry)
look.setSymbol(QgsFillSymbol.createSimple(black))
drawn = QgsVectorTileBasicRenderer()
drawn.setStyles([look])
tiles.setRenderer(drawn)
for code, box in asked.items():
    source = f"crs=EPSG:{code}&dpiMode=7&format=image/png&layers=buildings&styles&url={server}/wms"
    for layer in (QgsRasterLayer(source, "wms", "wms"), features, tiles):
        assert layer.isValid(), layer.name()
        settings = QgsMapSettings()
        settings.setLayers([layer])
        settings.setDestinationCrs(QgsCoordinateReferenceSystem(f"EPSG:{code}"))
        settings.setBackgroundColor(QColor(0, 0, 0, 0))
        settings.setOutputSize(QSize(%d, %d))
        settings.setExtent(QgsRectangle(*box))
        job = QgsMapRendererSequentialJob(settings)
        job.start()
        job.waitForFinished()
        assert not job.errors(), [each.message for each in job.errors()]
        job.renderedImage().save(f"{folder}/{layer.name()}-{code}.png")
# Its threads do not always survive the interpreter's own end.
os._exit(0)
""" % (WIDTH, HEIGHT)  # noqa: UP031
Mask = npt.NDArray[np.bool_]


def frame(code: int) -> tuple[float, float, float, float]:
    """The box of a map at 1:1,000, x and y in a CRS, whose pixels are square there."""
    turn = Transformer.from_crs("OGC:CRS84", f"EPSG:{code}", always_xy=True)
    x, y = turn.transform(*MIDDLE)
    # A metre to the north, as the CRS measures it.
    _, north = turn.transform(MIDDLE[0], MIDDLE[1] + 1e-5)
    pixel = PIXEL_M * (north - y) / 1.108
    return x - WIDTH / 2 * pixel, y - HEIGHT / 2 * pixel, x + WIDTH / 2 * pixel, y + HEIGHT / 2 * pixel


@pytest.fixture(scope="module")
def pictures(town_server: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of what QGIS drew."""
    if subprocess.run([SYSTEM_PYTHON, "-c", "import qgis"], check=False, capture_output=True).returncode:
        pytest.skip("python3-qgis is not installed")
    folder = tmp_path_factory.mktemp("overlay")
    done = subprocess.run(
        [SYSTEM_PYTHON, "-c", SCRIPT, town_server, str(folder), json.dumps({code: frame(code) for code in CODES})],
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
        env={"PATH": os.environ["PATH"], "QT_QPA_PLATFORM": "offscreen", "HOME": str(folder)},
    )
    assert done.returncode == 0, done.stderr
    return folder


def covered(folder: Path, way: str, code: int) -> npt.NDArray[np.uint8]:
    """How far each pixel is covered, of 255."""
    return np.asarray(Image.open(folder / f"{way}-{code}.png").convert("RGBA"))[..., 3]


def wider(mask: Mask) -> Mask:
    """A mask with a pixel more on every side."""
    padded = np.pad(mask, 1)
    rows = padded[:-2] | padded[1:-1] | padded[2:]
    return rows[:, :-2] | rows[:, 1:-1] | rows[:, 2:]


@pytest.mark.parametrize("code", CODES)
def test_three_ways_to_the_same_buildings_lie_on_each_other(pictures: Path, code: int) -> None:
    found = {way: covered(pictures, way, code) for way in WAYS}
    for one, other in permutations(WAYS, 2):
        # The middle of the map's style's outline is the building's edge, so that half of it lies outside.
        whole, half = found[one] > 250, found[other] > 127
        assert 0.05 < whole.mean() < 0.95, one
        assert not (whole & ~wider(half)).any(), (one, other)
