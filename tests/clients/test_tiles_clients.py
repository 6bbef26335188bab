"""Tiles and maps as GDAL reads them: its MVT driver decodes vector tiles, its OGCAPI driver finds maps by itself."""

import io
import json
import shutil
import subprocess
import urllib.request
from pathlib import Path

import numpy as np
import pytest
import rasterio
from PIL import Image
from pyproj import Transformer
from shapely.geometry import shape

from tests import town

GRIDS = {"WebMercatorQuad": 3857, "WorldCRS84Quad": 4326, "CGCS2000Quad": 4490, "EPSG4549Quad": 4549}
needs_gdal = pytest.mark.skipif(shutil.which("ogrinfo") is None, reason="gdal-bin is not installed")


def read(address: str) -> bytes:
    with urllib.request.urlopen(address) as answer:
        found: bytes = answer.read()
        return found


def run(*arguments: str) -> str:
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    return done.stdout


@needs_gdal
@pytest.mark.parametrize("grid", GRIDS)
def test_gdal_decodes_vector_tiles_of_each_grid(town_server: str, tmp_path: Path, grid: str) -> None:
    """All tiles of zoom 16, told where they lie: every building once, within a unit of where PROJ puts it."""
    tileset = json.loads(read(f"{town_server}/collections/buildings/tiles/{grid}"))
    scheme = json.loads(read(next(link["href"] for link in tileset["links"] if "tiling-scheme" in link["rel"])))
    limits = next(each for each in tileset["tileMatrixSetLimits"] if each["tileMatrix"] == "16")
    matrix = next(each for each in scheme["tileMatrices"] if each["id"] == "16")
    side = matrix["cellSize"] * matrix["tileWidth"]
    corner = matrix["pointOfOrigin"]
    left, top = reversed(corner) if GRIDS[grid] in (4490, 4549) else corner
    to_grid = Transformer.from_crs(4490, GRIDS[grid], always_xy=True)
    found: dict[int, tuple[float, float]] = {}
    for row in range(limits["minTileRow"], limits["maxTileRow"] + 1):
        for column in range(limits["minTileCol"], limits["maxTileCol"] + 1):
            file = tmp_path / f"{row}-{column}.mvt"
            file.write_bytes(read(f"{town_server}/collections/buildings/tiles/{grid}/16/{row}/{column}?f=mvt"))
            if not file.stat().st_size:
                continue
            listed = json.loads(run("ogr2ogr", "-f", "GeoJSON", "/vsistdout/", str(file), "buildings"))
            for feature in listed["features"]:
                across, up, _, _ = shape(feature["geometry"]).bounds
                # GDAL counts a tile's units upwards from its lower edge; what begins beyond it is the neighbour's.
                if 0 < across < 4096 and 0 < up < 4096:
                    place = left + (column + across / 4096) * side, top - (row + 1 - up / 4096) * side
                    found[feature["properties"]["height"]] = place
    unit = side / 4096
    assert len(found) >= town.STANDING - 4
    for height, place in found.items():
        number = int(height) - 1
        lower = town.WEST + number % 10 * town.STEP, town.SOUTH + number // 10 * town.STEP
        corners = [(lower[0] + x, lower[1] + y) for x in (0, town.SIDE) for y in (0, town.SIDE)]
        # Where the grid is turned against north, the lowest corner and the leftmost are two.
        wanted = np.array([to_grid.transform(*corner) for corner in corners]).min(axis=0)
        assert np.hypot(place[0] - wanted[0], place[1] - wanted[1]) < 2 * unit


@needs_gdal
def test_gdal_finds_maps_by_itself(town_server: str, tmp_path: Path) -> None:
    """By OGC API Maps, from the collection's address alone: a picture where buildings are painted, nothing between.

    Of OGC API Tiles GDAL 3.6 knows a draft whose grids were written otherwise.
    """
    target = tmp_path / "cut.tif"
    window = ["120.9499", "28.1020", "120.9535", "28.0999"]
    opened = ["-oo", "API=MAP", "-oo", "IMAGE_FORMAT=PNG"]
    source = f"OGCAPI:{town_server}/collections/buildings"
    run("gdal_translate", "-q", *opened, "-projwin", *window, "-outsize", "720", "420", source, str(target))
    with rasterio.open(target) as cut:
        painted = cut.read(4) > 0
        half = town.SIDE / 2
        for number in range(3):
            west = town.WEST + number * town.STEP
            for lon, wanted in ((west + half, True), (west + town.SIDE + half, False)):
                row, column = cut.index(lon, town.SOUTH + town.STEP + half)
                assert painted[row, column] == wanted


def test_a_map_tile_and_the_map_of_its_box_are_one_picture(town_server: str) -> None:
    """OGC API Tiles, OGC API Maps and WMTS draw alike: a city that is opened by each lies on itself."""
    row, column = 13716, 27393
    tile = read(f"{town_server}/collections/buildings/map/tiles/WebMercatorQuad/15/{row}/{column}?f=png")
    same = read(f"{town_server}/wmts/1.0.0/buildings/day/WebMercatorQuad/15/{row}/{column}.png")
    assert tile == same
    assert np.asarray(Image.open(io.BytesIO(tile)).convert("RGBA")).shape == (256, 256, 4)
