"""GeoTIFF: where it lies, and a COG of the same cells that is written whole or not at all."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import rasterio
import shapely
from pyproj import Transformer
from rasterio.transform import from_origin
from rio_cogeo.cogeo import cog_validate

from layers.formats import CrsUnknown, FormatError, open_sources
from layers.formats.raster import RasterSource


def opened(path: Path, crs: str | None = None) -> RasterSource:
    (source,) = open_sources(path, crs=crs)
    assert isinstance(source, RasterSource)
    return source


def write(path: Path, cells: np.ndarray, crs: str | None = "EPSG:4549", **profile: object) -> Path:
    bands = cells if cells.ndim == 3 else cells[None]
    keys = {"transform": from_origin(500_000, 3_050_000, 2, 2), "crs": crs} | profile
    with rasterio.open(
        path, "w", "GTiff", width=bands.shape[2], height=bands.shape[1], count=bands.shape[0], dtype=bands.dtype, **keys
    ) as dataset:
        dataset.write(bands)
    return path


def test_the_lyon_dem_lies_where_gdal_says(shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "lyon" / "lyon_dem_10m.tif"
    source = opened(path)
    info = json.loads(subprocess.run(["gdalinfo", "-json", path], capture_output=True, check=True).stdout)
    (row,) = next(source.read()).to_pylist()
    assert (row["kind"], row["class"], source.crs) == ("dtm", "dtm", "EPSG:3946")
    assert row["resolution"] == pytest.approx(info["geoTransform"][1])
    west, south, east, north = shapely.from_wkb(row["geometry"]).bounds
    assert [west, north] == pytest.approx(info["cornerCoordinates"]["upperLeft"])
    assert [east, south] == pytest.approx(info["cornerCoordinates"]["lowerRight"])


def test_the_cog_is_valid_and_holds_the_same_cells(shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "lyon" / "lyon_dem_10m.tif"
    source = opened(path)
    cog = source.write_cog(tmp_path)
    assert cog == tmp_path / source.path
    assert cog_validate(str(cog), quiet=True)[0]
    with rasterio.open(path) as before, rasterio.open(cog) as after:
        assert (before.read() == after.read()).all()
        assert (before.crs, before.transform, before.nodata) == (after.crs, after.transform, after.nodata)
    assert [file.name for file in cog.parent.iterdir()] == [cog.name]


@pytest.mark.parametrize(("unit", "metres"), [("m", 1.0), ("", 1.0), ("ft", 0.3048), ("US survey foot", 0.3048006096)])
def test_scaled_heights_become_metres_as_gdal_unscales_them(tmp_path: Path, unit: str, metres: float) -> None:
    cells = np.arange(-600, 600, dtype=np.int16).reshape(30, 40)
    cells[3:9, 5:20] = -32768
    path = write(tmp_path / "dem.tif", cells, nodata=-32768)
    with rasterio.open(path, "r+") as dataset:
        dataset.scales, dataset.offsets, dataset.units = [0.01], [50.0], [unit]
    plain = tmp_path / "plain.tif"
    subprocess.run(["gdal_translate", "-q", "-unscale", "-ot", "Float32", path, plain], check=True)
    with rasterio.open(opened(path).write_cog(tmp_path / "city")) as ours, rasterio.open(plain) as theirs:
        mine, truth = ours.read(1, masked=True), theirs.read(1, masked=True) * np.float32(metres)
        assert (ours.dtypes, ours.scales, ours.offsets) == (("float32",), (1.0,), (0.0,))
    np.testing.assert_array_equal(mine.mask, truth.mask)
    np.testing.assert_allclose(mine.compressed(), truth.compressed(), rtol=1e-6)


@pytest.mark.parametrize(("empty", "kind"), [(-9999, np.int16), (-32768, np.int16), (np.finfo("f4").min, np.float32)])
def test_cells_without_ground_are_empty_where_the_file_does_not_say_so(
    tmp_path: Path, empty: float, kind: type
) -> None:
    cells = np.full((30, 40), 12, kind)
    cells[3:9, 5:20] = empty
    source = opened(write(tmp_path / "dem.tif", cells))
    assert source.nodata == empty
    assert "taken as empty" in source.notes[0]
    with rasterio.open(source.write_cog(tmp_path / "city")) as ours:
        np.testing.assert_array_equal(ours.read(1, masked=True).mask, cells == kind(empty))


def test_a_deep_sea_is_no_gap_and_complex_numbers_are_no_terrain(tmp_path: Path) -> None:
    assert (
        opened(write(tmp_path / "sea.tif", np.linspace(-9998, 20, 1200, dtype=np.float32).reshape(30, 40))).nodata
        is None
    )
    with pytest.raises(FormatError, match="complex"):
        opened(write(tmp_path / "radar.tif", np.ones((3, 4), np.complex64)))


def test_a_second_time_nothing_is_written(tmp_path: Path) -> None:
    source = opened(write(tmp_path / "a.tif", np.ones((300, 300), np.float32)))
    first = source.write_cog(tmp_path / "city").stat().st_mtime_ns
    assert source.write_cog(tmp_path / "city").stat().st_mtime_ns == first


def test_other_cells_are_another_file(tmp_path: Path) -> None:
    old = opened(write(tmp_path / "a.tif", np.ones((30, 30), np.float32))).path
    new = opened(write(tmp_path / "a.tif", np.zeros((30, 30), np.float32))).path
    assert old != new
    assert old.startswith("terrain/a-")


def test_kinds(tmp_path: Path) -> None:
    assert opened(write(tmp_path / "rgb.tif", np.zeros((3, 20, 20), np.uint8))).kind == "imagery"
    assert opened(write(tmp_path / "shade.tif", np.zeros((20, 20), np.uint8))).kind == "hillshade"
    assert opened(write(tmp_path / "dem.tif", np.zeros((20, 20), np.int16))).kind == "dtm"


def test_a_geographic_cell_is_measured_on_the_ground(shared_data: Path) -> None:
    """Three arc seconds of latitude are 92.6 m at 43.7 N (GRS 80); of longitude they are less."""
    source = opened(shared_data / "monaco" / "monaco_srtm3.tif")
    assert source.resolution == pytest.approx(92.59, abs=0.01)
    assert source.nodata == -32768


def test_the_crs_must_be_known(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tif", np.zeros((20, 20), np.int16), crs=None)
    with pytest.raises(CrsUnknown, match=r"a\.tif: no CRS in the file; name it with --crs, e.g. --crs EPSG:4549"):
        open_sources(path)
    with pytest.raises(CrsUnknown, match="'EPSG:1' is no CRS that PROJ knows"):
        open_sources(path, crs="EPSG:1")
    source = opened(path, crs="EPSG:4549")
    with rasterio.open(source.write_cog(tmp_path / "city")) as cog:
        assert cog.crs.to_epsg() == 4549
    with rasterio.open(path) as untouched:
        assert untouched.crs is None


def test_the_outline_bends_with_its_crs(tmp_path: Path) -> None:
    """A wide raster of EPSG:4549 in degrees: its outline follows the middle of the sides, not only the corners."""
    cells = np.zeros((50, 500), np.int16)
    path = write(tmp_path / "a.tif", cells, transform=from_origin(500_000, 3_050_000, 100, 100))
    footprint = opened(path).footprint
    to_degrees = Transformer.from_crs(4549, 4490, always_xy=True)
    bent = shapely.transform(footprint, lambda xy: np.column_stack(to_degrees.transform(*xy.T)))
    middle = shapely.Point(to_degrees.transform(525_000, 3_050_000))
    corners = shapely.MultiPoint(footprint.minimum_rotated_rectangle.exterior.coords).convex_hull
    straight = shapely.transform(corners, lambda xy: np.column_stack(to_degrees.transform(*xy.T)))
    assert bent.boundary.distance(middle) < 2e-6
    assert straight.boundary.distance(middle) > 2e-4


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_cut_raster_leaves_nothing_behind(tmp_path: Path, share: float) -> None:
    cells = np.random.default_rng(1).normal(size=(400, 400)).astype(np.float32)
    path = write(tmp_path / "a.tif", cells)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(FormatError, match=r"a\.tif: cannot be read as a raster"):
        opened(path).write_cog(tmp_path / "city")
    assert not [file for file in (tmp_path / "city").rglob("*") if file.is_file()]


def test_a_picture_without_place_and_a_claim_of_terabytes(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tif", np.zeros((20, 20), np.int16), transform=rasterio.Affine.identity())
    with pytest.raises(FormatError, match="not georeferenced"):
        open_sources(path)
    keys = {"width": 400_000, "height": 400_000, "count": 1, "dtype": "float32", "crs": "EPSG:4549"}
    keys |= {"transform": from_origin(0, 0, 1, 1), "SPARSE_OK": True, "BIGTIFF": "YES", "tiled": True}
    with rasterio.open(tmp_path / "b.tif", "w", "GTiff", **keys):
        pass
    assert (tmp_path / "b.tif").stat().st_size < 50_000_000
    with pytest.raises(FormatError, match="640 GB of cells; cut it into tiles"):
        open_sources(tmp_path / "b.tif")
