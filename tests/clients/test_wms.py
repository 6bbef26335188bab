"""WMS as its clients use it: OWSLib in both versions, GDAL and rasterio, and QGIS without a screen."""

import io
import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from owslib.util import ServiceException
from owslib.wms import WebMapService
from PIL import Image
from pyproj import Transformer

from tests import town

CODES = [4326, 4490, 4549, 3857]
# The town with a margin.
FRAME = (120.949, 28.099, 120.961, 28.105)
SYSTEM_PYTHON = "/usr/bin/python3"
BARE = 255
needs_gdal = pytest.mark.skipif(shutil.which("gdal_translate") is None, reason="gdal-bin is not installed")


@cache
def turn(code: int) -> Transformer:
    """From longitude and latitude to x and y; PROJ takes its time to find the way."""
    return Transformer.from_crs("OGC:CRS84", f"EPSG:{code}", always_xy=True)


@cache
def frame(code: int) -> tuple[float, float, float, float]:
    """A box in the town, as large in either direction, x and y in a CRS."""
    (west, east), (south, north) = turn(code).transform(FRAME[::2], FRAME[1::2])
    return west, south, east, north


def place(code: int, lon: float, lat: float, *, width: int, height: int) -> tuple[int, int]:
    """Row and column of a place on a picture of `frame(code)`, by PROJ alone."""
    west, south, east, north = frame(code)
    x, y = turn(code).transform(lon, lat)
    return int((north - y) / (north - south) * height), int((x - west) / (east - west) * width)


def check(picture: np.ndarray, code: int) -> None:
    """Four corners of the town's ends are painted just inside and bare just outside; what fell in 2015 is not there.

    picture: rows of red, green, blue, of `frame(code)`.
    """
    height, width = picture.shape[:2]
    metre = 1e-5
    for number in (1, 10, 31, 5):
        west, south = 120.95 + (number - 1) % 10 * 0.001, 28.1 + (number - 1) // 10 * 0.001
        for lon, lat, aside, up in (
            (west, south, -1, -1),
            (west + town.SIDE, south, 1, -1),
            (west, south + town.SIDE, -1, 1),
        ):
            inside = place(code, lon - 3 * metre * aside, lat - 3 * metre * up, width=width, height=height)
            outside = place(code, lon + 3 * metre * aside, lat + 3 * metre * up, width=width, height=height)
            assert (picture[inside] < BARE).any(), (code, number)
            assert (picture[outside] == BARE).all(), (code, number)
    fallen = place(code, 120.9582, 28.1032, width=width, height=height)
    assert (picture[fallen] == BARE).all()


# --- OWSLib


@pytest.mark.parametrize("version", ["1.1.1", "1.3.0"])
def test_owslib_reads_what_there_is(town_server: str, version: str) -> None:
    service = WebMapService(f"{town_server}/wms", version=version)
    assert service.identification.version == version
    assert "utility_pipes" not in service.contents
    layer = service["buildings"]
    assert layer.boundingBoxWGS84 == (120.95, 28.1, 120.96, 28.104)
    assert {"EPSG:4326", "EPSG:4490", "EPSG:4549", "EPSG:3857"} <= set(layer.crsOptions)
    assert set(layer.styles) == {"day", "night"}
    assert layer.styles["day"]["legend"].startswith(f"{town_server}/wms?")
    assert layer.queryable
    assert layer.parent.name == "theme:buildings"
    if version == "1.3.0":
        assert service["theme:all"].dimensions["time"]["default"] == "current"
    assert "image/png" in service.getOperationByName("GetMap").formatOptions


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("version", ["1.1.1", "1.3.0"])
def test_owslib_gets_a_map_in_its_place(town_server: str, version: str, code: int) -> None:
    """OWSLib turns the box itself where it thinks that 1.3.0 wants it; both versions give one picture."""
    service = WebMapService(f"{town_server}/wms", version=version)
    answer = service.getmap(
        layers=["buildings"],
        styles=[""],
        srs=f"EPSG:{code}",
        bbox=frame(code),
        size=(1200, 600),
        format="image/png",
        CQL_FILTER="INCLUDE",
    )
    check(np.asarray(Image.open(io.BytesIO(answer.read())).convert("RGB")), code)


@pytest.mark.parametrize("version", ["1.1.1", "1.3.0"])
def test_owslib_asks_what_is_there(town_server: str, version: str) -> None:
    service = WebMapService(f"{town_server}/wms", version=version)
    answer = service.getfeatureinfo(
        layers=["buildings"],
        srs="EPSG:4549",
        bbox=frame(4549),
        size=(1200, 600),
        format="image/png",
        query_layers=["buildings"],
        info_format="application/json",
        xy=place(4549, 120.9502, 28.1002, width=1200, height=600)[::-1],
    )
    (feature,) = json.load(answer)["features"]
    assert feature["properties"]["uid"] == "b1"


@pytest.mark.parametrize("version", ["1.1.1", "1.3.0"])
def test_owslib_understands_a_refusal(town_server: str, version: str) -> None:
    service = WebMapService(f"{town_server}/wms", version=version)
    with pytest.raises(ServiceException, match="geocentric"):
        service.getmap(layers=["buildings"], srs="EPSG:4479", bbox=(0, 0, 1, 1), size=(10, 10), format="image/png")


# --- GDAL's WMS driver


def gdal(folder: Path, *arguments: str) -> str:
    """What a command of GDAL says; `folder` is where it keeps what it has read."""
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=120, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


@needs_gdal
def test_gdal_lists_the_layers(town_server: str, tmp_path: Path) -> None:
    for version in ("1.1.1", "1.3.0"):
        address = f"{town_server}/wms?SERVICE=WMS&VERSION={version}&REQUEST=GetCapabilities"
        told = gdal(tmp_path, "gdalinfo", f"WMS:{address}")
        assert "LAYERS=buildings&" in told
        assert "LAYERS=theme%3Aall&" in told


def description(server: str, version: str, code: int) -> str:
    """GDAL's description of the town's buildings as a picture of 1200 x 600 pixels."""
    west, south, east, north = frame(code)
    order = "yxYX" if version == "1.3.0" and code in (4326, 4490, 4549) else "xyXY"
    return f"""<GDAL_WMS><Service name="WMS"><Version>{version}</Version><ServerUrl>{server}/wms?</ServerUrl>
        <{"CRS" if version == "1.3.0" else "SRS"}>EPSG:{code}</{"CRS" if version == "1.3.0" else "SRS"}>
        <ImageFormat>image/png</ImageFormat><Layers>buildings</Layers><Styles>day</Styles>
        <BBoxOrder>{order}</BBoxOrder></Service>
        <DataWindow><UpperLeftX>{west!r}</UpperLeftX><UpperLeftY>{north!r}</UpperLeftY>
        <LowerRightX>{east!r}</LowerRightX><LowerRightY>{south!r}</LowerRightY>
        <SizeX>1200</SizeX><SizeY>600</SizeY></DataWindow><Projection>EPSG:{code}</Projection>
        <BandsCount>3</BandsCount><BlockSizeX>512</BlockSizeX><BlockSizeY>512</BlockSizeY></GDAL_WMS>"""


@needs_gdal
@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("version", ["1.1.1", "1.3.0"])
def test_gdal_copies_a_map(town_server: str, tmp_path: Path, version: str, code: int) -> None:
    """Six tiles side by side, and the whole lies where PROJ says."""
    (tmp_path / "town.xml").write_text(description(town_server, version, code))
    gdal(tmp_path, "gdal_translate", "-q", str(tmp_path / "town.xml"), str(tmp_path / "town.tif"))
    with rasterio.open(tmp_path / "town.tif") as copied:
        assert copied.crs.to_epsg() == code
        check(np.moveaxis(copied.read(), 0, -1), code)


@needs_gdal
def test_gdal_follows_its_own_listing(town_server: str, tmp_path: Path) -> None:
    """What GDAL makes of the capabilities by itself, opened as it stands."""
    told = gdal(tmp_path, "gdalinfo", f"WMS:{town_server}/wms?SERVICE=WMS&VERSION=1.3.0&REQUEST=GetCapabilities")
    listed = (line.partition("=")[2] for line in told.splitlines() if "_NAME=" in line)
    (dataset,) = [name for name in listed if "LAYERS=buildings&" in name]
    gdal(tmp_path, "gdal_translate", "-q", "-outsize", "1000", "400", dataset, str(tmp_path / "town.tif"))
    with rasterio.open(tmp_path / "town.tif") as copied:
        row, column = copied.index(120.9502, 28.1002)
        assert (copied.read()[:3, row, column] < BARE).any()


def test_rasterio_reads_a_window(town_server: str) -> None:
    with rasterio.open(description(town_server, "1.3.0", 4549)) as opened:
        check(np.moveaxis(opened.read((1, 2, 3)), 0, -1), 4549)


# --- QGIS

# What QGIS brings its own Python for; prints what it found as JSON.
SCRIPT = """
import json, os, sys
from qgis.core import (QgsApplication, QgsCoordinateReferenceSystem, QgsCoordinateTransform, QgsMapRendererParallelJob,
                       QgsMapSettings, QgsPointXY, QgsProject, QgsRaster, QgsRasterLayer, QgsRectangle)
from qgis.PyQt.QtCore import QSize
QgsApplication.setPrefixPath("/usr", True)
application = QgsApplication([], False)
application.initQgis()
server, folder, asked = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
told = {}
for code, box in asked.items():
    source = f"crs=EPSG:{code}&dpiMode=7&format=image/png&layers=buildings&styles&url={server}/wms"
    layer = QgsRasterLayer(source, "town", "wms")
    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setDestinationCrs(layer.crs())
    settings.setOutputSize(QSize(1200, 600))
    settings.setExtent(QgsRectangle(*box))
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    job.renderedImage().save(f"{folder}/{code}.png")
    turn = QgsCoordinateTransform(QgsCoordinateReferenceSystem("EPSG:4326"), layer.crs(), QgsProject.instance())
    point = turn.transform(QgsPointXY(120.9502, 28.1002))
    found = layer.dataProvider().identify(point, QgsRaster.IdentifyFormatFeature, QgsRectangle(*box), 1200, 600)
    stores = [store for each in found.results().values() if isinstance(each, list) for store in each]
    features = [feature for store in stores for feature in store.features()]
    text = layer.dataProvider().identify(point, QgsRaster.IdentifyFormatText, QgsRectangle(*box), 1200, 600)
    told[code] = {
        "valid": layer.isValid(),
        "crs": layer.crs().authid(),
        "extent": [layer.extent().xMinimum(), layer.extent().yMinimum()],
        "errors": [e.message for e in job.errors()],
        "height": [f["height"] for f in features],
        "centre": [[f.geometry().centroid().asPoint().x(), f.geometry().centroid().asPoint().y()] for f in features],
        "point": [point.x(), point.y()],
        "text": list(text.results().values()),
        "layers": [each for each in layer.dataProvider().subLayers()],
    }
print(json.dumps(told), flush=True)
# Its threads do not always survive the interpreter's own end.
os._exit(0)
"""


@pytest.fixture(scope="module")
def qgis(town_server: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    """What QGIS found in each CRS, and the folder of the maps that it drew."""
    if subprocess.run([SYSTEM_PYTHON, "-c", "import qgis"], check=False, capture_output=True).returncode:
        pytest.skip("python3-qgis is not installed")
    folder = tmp_path_factory.mktemp("qgis")
    asked = json.dumps({str(code): _wide(frame(code)) for code in CODES})
    environment = {"PATH": os.environ["PATH"], "QT_QPA_PLATFORM": "offscreen", "HOME": str(folder)}
    done = subprocess.run(
        [SYSTEM_PYTHON, "-c", SCRIPT, town_server, str(folder), asked],
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1]), folder


def _wide(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """A box as wide as two of its heights around another: QGIS keeps pixels square, and so sees what it asks for."""
    west, south, east, north = box
    x, y = (west + east) / 2, (south + north) / 2
    half = max((north - south) / 2, (east - west) / 4)
    return x - 2 * half, y - half, x + 2 * half, y + half


@pytest.mark.parametrize("code", CODES)
def test_qgis_draws_the_town_in_its_place(qgis: tuple[dict[str, Any], Path], code: int) -> None:
    found, folder = qgis
    told = found[str(code)]
    assert (told["valid"], told["crs"], told["errors"]) == (True, f"EPSG:{code}", [])
    picture = np.asarray(Image.open(folder / f"{code}.png").convert("RGB"))
    west, south, east, north = _wide(frame(code))
    for lon, lat, painted in (
        (120.95002, 28.10002, True),
        (120.94998, 28.09997, False),
        (120.95938, 28.10338, True),
        (120.95943, 28.10343, False),
        (120.9582, 28.1032, False),
    ):
        x, y = turn(code).transform(lon, lat)
        pixel = picture[int((north - y) / (north - south) * 600), int((x - west) / (east - west) * 1200)]
        assert bool((pixel < BARE).any()) is painted, (lon, lat)


@pytest.mark.parametrize("code", CODES)
def test_qgis_identifies_a_building(qgis: tuple[dict[str, Any], Path], code: int) -> None:
    """The object comes with its shape, which QGIS lays over the map where the map shows it."""
    told = qgis[0][str(code)]
    assert told["height"] == [1]
    tolerance = 1e-7 if code in (4326, 4490) else 0.02
    (centre,) = told["centre"]
    assert centre == pytest.approx(told["point"], abs=tolerance)
    assert "Height = 1 m" in told["text"][0]
