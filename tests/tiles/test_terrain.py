"""Terrain tiles say the heights that the raster says, and end in a slope."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from pyproj import Transformer
from rasterio.io import MemoryFile
from rasterio.transform import from_origin

from cim_models.database import Database
from layers.access import PUBLIC
from layers.catalog import load_catalog
from tiles.matrix import HALF_WORLD, Tile, web_point
from tiles.terrain import SIZE, Raster, Terrain, TerrainUnreadable, read_terrain

TO_WEB = Transformer.from_crs("EPSG:4549", "EPSG:3857", always_xy=True)
EAST, NORTH, SIDE, CELL = 500_000.0, 3_110_000.0, 200, 10.0


def slope(path: Path, *, rise: float = 0.1, nodata: float | None = None) -> Path:
    """A plane that rises `rise` metres a metre to the east, from 10 m, in EPSG:4549."""
    columns = np.arange(SIDE) * CELL + CELL / 2
    heights = np.tile(10 + rise * columns, (SIDE, 1)).astype("float32")
    if nodata is not None:
        heights[50:100, 50:100] = nodata
    profile = {"driver": "GTiff", "width": SIDE, "height": SIDE, "count": 1, "dtype": "float32", "nodata": nodata}
    with rasterio.open(path, "w", crs="EPSG:4549", transform=from_origin(EAST, NORTH, CELL, CELL), **profile) as file:
        file.write(heights, 1)
    return path


@pytest.fixture
def terrain(tmp_path: Path) -> Terrain:
    return Terrain((Raster(slope(tmp_path / "plane.tif"), CELL),))


def at(east: float, north: float, z: int) -> tuple[Tile, int, int]:
    """The tile, column and row of a pixel."""
    x, y = TO_WEB.transform(east, north)
    side = 2 * HALF_WORLD / 2**z
    column, row = (x + HALF_WORLD) / side, (HALF_WORLD - y) / side
    return Tile(z, int(column), int(row)), int(column % 1 * SIZE), int(row % 1 * SIZE)


def decoded(png: bytes | None) -> np.ndarray:
    """Heights by Mapbox's published formula."""
    assert png
    with MemoryFile(png) as memory, memory.open() as image:
        red, green, blue = image.read().astype(float)
    return np.asarray(-10000 + (red * 65536 + green * 256 + blue) * 0.1)


@pytest.mark.parametrize("z", [12, 14, 16])
@pytest.mark.parametrize("offset", [300.0, 777.0, 1500.0])
def test_pixels_say_the_planes_height(terrain: Terrain, z: int, offset: float) -> None:
    tile, column, row = at(EAST + offset, NORTH - 900, z)
    said = decoded(terrain.terrain_rgb(tile))[row, column]
    # The pixel's centre lies up to half a pixel from the point; the plane rises 0.1 m a metre.
    assert said == pytest.approx(10 + 0.1 * offset, abs=0.1 * tile.side / SIZE / 2 + 0.06)


def test_lyons_heights_are_the_files(shared_data: Path) -> None:
    """Rivers are flat at 161 m, and 400 cells sampled far from steps agree within the encoding's 0.1 m."""
    path = shared_data / "lyon" / "lyon_dem_10m.tif"
    terrain = Terrain((Raster(path, 10.0),))
    to_web = Transformer.from_crs("EPSG:3946", "EPSG:3857", always_xy=True)
    with rasterio.open(path) as file:
        cells, transform = file.read(1), file.transform
    flat = [
        (row, column)
        for row in range(4, cells.shape[0] - 4, 6)
        for column in range(4, cells.shape[1] - 4, 6)
        if np.ptp(cells[row - 3 : row + 4, column - 3 : column + 4]) == 0
    ]
    assert len(flat) > 100
    tiles: dict[Tile, np.ndarray] = {}
    for row, column in flat:
        x, y = to_web.transform(*(transform * (column + 0.5, row + 0.5)))
        side = 2 * HALF_WORLD / 2**15
        u, v = (x + HALF_WORLD) / side, (HALF_WORLD - y) / side
        tile = Tile(15, int(u), int(v))
        if tile not in tiles:
            tiles[tile] = decoded(terrain.terrain_rgb(tile))
        assert tiles[tile][int(v % 1 * SIZE), int(u % 1 * SIZE)] == pytest.approx(cells[row, column], abs=0.1)


def test_what_is_unknown_stays_unknown(tmp_path: Path) -> None:
    """A hole in the raster and the land around it have no height for a computation."""
    terrain = Terrain((Raster(slope(tmp_path / "hole.tif", nodata=-9999), CELL),))
    inside = (EAST, NORTH - SIDE * CELL, EAST + SIDE * CELL, NORTH)
    heights = terrain.elevation(inside, SIDE, SIDE, "EPSG:4549")
    assert np.isnan(heights[52:98, 52:98]).all()
    assert np.isnan(heights).sum() == pytest.approx(2500, abs=250)
    away = terrain.elevation((EAST + 1e5, NORTH, EAST + 1e5 + 100, NORTH + 100), 4, 4, "EPSG:4549")
    assert np.isnan(away).all()


def test_a_finer_raster_goes_before_a_coarser(tmp_path: Path) -> None:
    fine = Raster(slope(tmp_path / "fine.tif", rise=0.0, nodata=-9999), 1.0)
    coarse = Raster(slope(tmp_path / "coarse.tif", rise=0.1), CELL)
    heights = Terrain((fine, coarse)).elevation(
        (EAST, NORTH - SIDE * CELL, EAST + SIDE * CELL, NORTH), SIDE, SIDE, "EPSG:4549"
    )
    assert heights[10, 150] == pytest.approx(10)
    assert heights[75, 75] == pytest.approx(10 + 0.1 * 755, abs=0.01)


def test_terrain_in_3d_has_no_cliff(terrain: Terrain) -> None:
    """Along a line out of the data and over the apron no step is steeper than the way down is long."""
    tile, _, row = at(EAST + 1000, NORTH - 1000, 11)
    line = decoded(terrain.terrain_rgb(tile))[row]
    assert np.abs(np.diff(line)).max() < 0.5 * tile.side / SIZE
    assert terrain.terrain_rgb(Tile(11, 0, 0)) is None


def test_flat_ground_casts_no_shade(tmp_path: Path) -> None:
    terrain = Terrain((Raster(slope(tmp_path / "flat.tif", rise=0.0), CELL),))
    tile, *_ = at(EAST + 1000, NORTH - 1000, 14)
    png = terrain.hillshade(tile)
    assert png
    with MemoryFile(png) as memory, memory.open() as image:
        assert image.read(4).max() <= 1


def test_slopes_to_the_light_are_light(tmp_path: Path) -> None:
    """Light comes from the north-west: a slope that falls to the west is lit, one that falls to the east is not."""
    tones = []
    for rise in (0.2, -0.2):
        terrain = Terrain((Raster(slope(tmp_path / f"{rise}.tif", rise=rise), CELL),))
        tile, column, row = at(EAST + 1000, NORTH - 1000, 14)
        with MemoryFile(terrain.hillshade(tile)) as memory, memory.open() as image:
            tone, _, _, alpha = image.read()[:, row, column]
        assert alpha > 10
        tones.append(int(tone))
    assert tones == [255, 0]


def test_a_lost_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TerrainUnreadable, match=r"gone\.tif.*load it again"):
        Terrain((Raster(tmp_path / "gone.tif", 1.0),)).elevation((0, 0, 1, 1), 2, 2)


def test_one_damaged_file_takes_none_of_the_others_away(
    tmp_path: Path, terrain: Terrain, caplog: pytest.LogCaptureFixture
) -> None:
    """Lost, no raster at all, or cut off in its data: the ground is drawn from the others, and the log tells why."""
    (tmp_path / "text.tif").write_text("no raster")
    whole = slope(tmp_path / "cut.tif").read_bytes()
    (tmp_path / "cut.tif").write_bytes(whole[: len(whole) // 3])
    damaged = tuple(Raster(tmp_path / name, 1.0) for name in ("gone.tif", "text.tif", "cut.tif"))
    both = Terrain(damaged + terrain.rasters)
    tile, _, _ = at(EAST + 1000, NORTH - 1000, 13)
    assert both.terrain_rgb(tile) == terrain.terrain_rgb(tile)
    assert both.hillshade(tile) == terrain.hillshade(tile)
    for name in ("gone.tif", "text.tif", "cut.tif"):
        assert name in caplog.text


async def test_the_catalogue_names_the_rasters(database: Database, tmp_path: Path) -> None:
    """Elevation only, as valid now, finest first."""
    async with database.writing() as connection:
        for uid, kind, resolution, until in [
            ("coarse", "dtm", 30, None),
            ("photo", "imagery", 0.1, None),
            ("fine", "dtm", 2, None),
            ("old", "dtm", 1, "2020-01-01"),
            ("../outside", "dtm", 1, None),
            ("/etc/outside", "dtm", 1, None),
        ]:
            await connection.execute(
                "insert into terrain (dataset_id, uid, content_hash, class, kind, path, resolution, geom, valid_to)"
                " values (1, $1, '', $2, $2, $1 || '.tif', $3, st_multi(st_makeenvelope(121, 28, 121.1, 28.1, 4490)),"
                " $4::text::timestamptz)",
                uid,
                kind,
                resolution,
                until,
            )
    async with database.reading() as connection:
        catalog = await load_catalog(connection, database.city)
        terrain = await read_terrain(connection, catalog, PUBLIC, tmp_path)
    assert [raster.path.name for raster in terrain.rasters] == ["fine.tif", "coarse.tif"]


def test_web_point_is_projs() -> None:
    expected = Transformer.from_crs("EPSG:4326", "EPSG:3857", always_xy=True).transform(121.0, 28.1)
    assert web_point(121.0, 28.1) == pytest.approx(expected, abs=1e-3)
