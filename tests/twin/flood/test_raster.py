"""Files that come from elsewhere: terrain in decimetres or feet, radar in other grids and CRS, with gaps."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyproj
import pytest
import rasterio
from rasterio.transform import from_origin
from rio_cogeo.cogeo import cog_validate

from twin.flood import Domain, InvalidInput
from twin.flood.raster import enclosed, read_domain, read_rain, write_grid

DOMAIN = Domain(np.zeros((20, 30)), 100.0, west=596_000, north=3_111_000, crs="EPSG:4549")


def write(path: Path, values: np.ndarray, *, crs: str | None, west: float, north: float, size: float, **tags) -> Path:  # type: ignore[no-untyped-def]
    """A band; scale and unit are set where they are named."""
    scale, unit = tags.pop("scale", None), tags.pop("unit", None)
    with rasterio.open(
        path, "w", driver="GTiff", count=1, height=values.shape[0], width=values.shape[1], dtype=values.dtype, crs=crs,
        transform=from_origin(west, north, size, size), **tags,
    ) as file:  # fmt: skip
        file.write(values, 1)
        if scale:
            file.scales = (scale,)
        if unit:
            file.units = (unit,)
    return path


def test_heights_are_read_by_their_scale_and_unit(tmp_path: Path) -> None:
    """Decimetres as whole numbers mean metres; feet are refused, as is a mark for no data that is not named."""
    told = {"crs": "EPSG:4549", "west": 0, "north": 0, "size": 10}
    tenths = write(tmp_path / "dm.tif", np.array([[52, 61], [70, -1]], np.int16), scale=0.1, nodata=-1, **told)
    assert np.allclose(read_domain(tenths).levels, [[5.2, 6.1], [7.0, np.nan]], equal_nan=True)
    feet = write(tmp_path / "feet.tif", np.ones((2, 2), np.float32), unit="ft", **told)
    with pytest.raises(InvalidInput, match=r"feet\.tif: its heights are in 'ft'"):
        read_domain(feet)
    unmarked = write(tmp_path / "unmarked.tif", np.array([[1, -9999]], np.float32), **told)
    with pytest.raises(InvalidInput, match=r"-9999 m in row 0, column 1 is no level .* nodata"):
        read_domain(unmarked)


def test_radar_in_degrees_falls_where_it_should(tmp_path: Path) -> None:
    """Two frames in longitude and latitude of 0.005 degrees: a shower over the east, then rain everywhere."""
    first = np.zeros((40, 80), np.float32)
    middle, _ = pyproj.Transformer.from_crs("EPSG:4549", "EPSG:4326", always_xy=True).transform(597_500, 3_110_000)
    lon, lat = middle - 40 * 0.005, 28.15
    first[:, 40:] = 36.0
    paths = {
        0.0: write(tmp_path / "a.tif", first, crs="EPSG:4326", west=lon, north=lat, size=0.005, unit="mm/h"),
        300.0: write(tmp_path / "b.tif", np.full((40, 80), 7.2, np.float32), crs="EPSG:4326", west=lon, north=lat,
                     size=0.005),
    }  # fmt: skip
    rain = read_rain(paths, DOMAIN)
    assert np.asarray(rain.times).tolist() == [0.0, 300.0]
    there = rain.frame(0, DOMAIN.shape)
    assert there[:, :10].max() == 0
    assert there[:, 20:].min() == 36
    assert rain.frame(1, DOMAIN.shape) == pytest.approx(7.2)


def test_radar_that_cannot_be_used_is_refused_by_its_name(tmp_path: Path) -> None:
    grid, here = np.ones((4, 4), np.float32), {"west": 596_000, "north": 3_111_000, "size": 1000}
    holed = grid.copy()
    holed[1, 1] = -1
    for path, says in (
        (write(tmp_path / "bare.tif", grid, crs=None, **here), "no CRS"),
        (write(tmp_path / "inch.tif", grid, crs="EPSG:4549", unit="in/h", **here), "its rain is in 'in/h'"),
        (write(tmp_path / "holed.tif", holed, crs="EPSG:4549", nodata=-1, **here), "no rain is known in"),
        (write(tmp_path / "small.tif", grid[:1, :1], crs="EPSG:4549", **here), "no rain is known in"),
        (tmp_path / "missing.tif", "not a raster"),
    ):
        with pytest.raises(InvalidInput, match=f"^{path.stem}.tif: {says}"):
            read_rain({0.0: path}, DOMAIN)
    with pytest.raises(InvalidInput, match=r"^crs: the domain has none"):
        read_rain({0.0: tmp_path / "bare.tif"}, Domain(np.zeros((2, 2)), 10.0))


def test_holes_in_a_terrain_are_told_and_its_outline_is_not(tmp_path: Path) -> None:
    """A bay at the rim is the end of the domain; two cells that touch by a corner and one apart are holes."""
    heights = np.ones((6, 8), np.float32)
    heights[0:2, 5] = np.nan
    assert enclosed(heights.astype(float)) == 0
    heights[3, 2] = heights[4, 3] = heights[2, 6] = np.nan
    path = write(tmp_path / "dem.tif", heights, crs="EPSG:4549", west=0, north=0, size=10)
    with pytest.warns(UserWarning, match=r"dem\.tif: 3 cells without heights lie inside"):
        read_domain(path)


def test_a_grid_tells_its_moment(tmp_path: Path) -> None:
    moment = datetime(2026, 8, 1, 8, tzinfo=ZoneInfo("Asia/Shanghai"))
    write_grid(tmp_path / "depth.tif", np.ones((20, 30)), DOMAIN, unit="m", description="depth", time=moment)
    with rasterio.open(tmp_path / "depth.tif") as file:
        assert file.tags()["TIME"] == "2026-08-01T08:00:00+08:00"
    assert cog_validate(str(tmp_path / "depth.tif"), strict=True)[0]
