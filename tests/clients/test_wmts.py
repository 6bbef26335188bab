"""WMTS as OWSLib and GDAL use it: the same picture, at the same place, in every grid."""

import io
import shutil
import subprocess
import urllib.request
from pathlib import Path

import numpy as np
import pytest
import rasterio
from owslib.wmts import WebMapTileService
from PIL import Image
from pyproj import Transformer

from tests import town

GRIDS = ["WebMercatorQuad", "WorldCRS84Quad", "CGCS2000Quad", "EPSG4549Quad"]
CODES = {"WebMercatorQuad": 3857, "WorldCRS84Quad": 4326, "CGCS2000Quad": 4490, "EPSG4549Quad": 4549}
needs_gdal = pytest.mark.skipif(shutil.which("gdal_translate") is None, reason="gdal-bin is not installed")


def test_owslib_reads_the_document(town_server: str) -> None:
    service = WebMapTileService(f"{town_server}/wmts")
    assert {"theme:all", "buildings", "facilities"} <= set(service.contents)
    layer = service.contents["buildings"]
    assert set(layer.styles) == {"day", "night"}
    assert layer.boundingBoxWGS84 == (120.95, 28.1, 120.96, 28.104)
    assert list(layer.tilematrixsetlinks) == GRIDS
    limits = layer.tilematrixsetlinks["CGCS2000Quad"].tilematrixlimits["15"]
    assert (limits.mintilerow, limits.mintilecol) == (5633, 27393)
    assert layer.dimensions["Time"]["default"] == "current"
    assert service.tilematrixsets["CGCS2000Quad"].crs == "urn:ogc:def:crs:EPSG::4490"
    assert {operation.name for operation in service.operations} == {"GetCapabilities", "GetTile", "GetFeatureInfo"}


def test_owslib_gets_a_tile_by_pairs_and_by_address(town_server: str) -> None:
    asked = {
        "layer": "buildings", "style": "day", "format": "image/png", "tilematrixset": "CGCS2000Quad",
        "tilematrix": "15", "row": 5634, "column": 27393,
    }  # fmt: skip
    by_pairs = WebMapTileService(f"{town_server}/wmts")
    first = by_pairs.gettile(**asked).read()
    assert Image.open(io.BytesIO(first)).size == (256, 256)
    # OWSLib takes one of the formats by chance.
    address = by_pairs.buildTileResource(**asked, Time="current")
    assert address is not None
    with urllib.request.urlopen(address) as answer:
        picture = answer.read()
    assert Image.open(io.BytesIO(picture)).size == (256, 256)
    assert not address.partition("?")[0].endswith(".png") or picture == first


@needs_gdal
@pytest.mark.parametrize("grid", GRIDS)
def test_gdal_lays_buildings_where_they_are(town_server: str, tmp_path: Path, grid: str) -> None:
    """What GDAL cuts out of a tile set is painted inside a building, and blank between two of them."""
    to_grid = Transformer.from_crs(4490, CODES[grid], always_xy=True)
    west, south = to_grid.transform(town.WEST + 2 * town.STEP - 0.0003, town.SOUTH + town.STEP - 0.0003)
    east, north = to_grid.transform(town.WEST + 2 * town.STEP + 0.0007, town.SOUTH + town.STEP + 0.0007)
    document = f"{town_server}/wmts?SERVICE=WMTS&REQUEST=GetCapabilities"
    source = f"WMTS:{document},layer=buildings,tilematrixset={grid},tilematrix=18"
    target = tmp_path / "cut.tif"
    window = map(str, (west, north, east, south))
    done = subprocess.run(
        ["gdal_translate", "-q", "-projwin", *window, source, str(target)],
        capture_output=True, text=True, check=False, timeout=100, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    with rasterio.open(target) as cut:
        alpha = cut.read(4)

        def painted(lon: float, lat: float) -> bool:
            row, column = cut.index(*to_grid.transform(lon, lat))
            return bool(alpha[row, column] > 0)

        # Four pixels of half a metre inside and outside of each of the four sides of b13.
        left, bottom, step = town.WEST + 2 * town.STEP, town.SOUTH + town.STEP, 2e-5
        middle, far = town.SIDE / 2, town.SIDE - step
        for across, down in ((step, middle), (far, middle), (middle, step), (middle, far)):
            assert painted(left + across, bottom + down)
        for across, down in ((-step, middle), (far + 2 * step, middle), (middle, -step), (middle, far + 2 * step)):
            assert not painted(left + across, bottom + down)
        assert np.count_nonzero(alpha) > 100


@needs_gdal
def test_gdal_lists_what_there_is(town_server: str) -> None:
    told = subprocess.run(
        ["gdalinfo", f"WMTS:{town_server}/wmts/1.0.0/WMTSCapabilities.xml"],
        capture_output=True, text=True, check=True, timeout=100,
    ).stdout  # fmt: skip
    assert "layer=buildings" in told
    assert "tilematrixset=EPSG4549Quad" in told
