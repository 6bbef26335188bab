"""Rasters by the SDK, from a real server."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

import twin
from cim_models.database import Database
from layers.catalog import Title
from layers.results import RasterResult, Run, publish_raster
from tests import rasters, town
from tests.serve import serving
from twin.sdk import NotFound

START = datetime(2026, 8, 10, tzinfo=UTC)
TIMES = [START, START + timedelta(hours=1)]


@pytest.fixture(scope="module")
async def city(new_city: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[twin.City]:
    url, folder = new_city(), tmp_path_factory.mktemp("files")
    town.fill(url)
    first = rasters.write(folder / "a.tif", lambda x, y: np.where(x < rasters.WEST + 50, np.nan, 1e-3 * (y - 3e6)))
    second = rasters.write(folder / "b.tif", lambda x, y: 0 * x + 0 * y + 2)
    database = await Database.open(url)
    async with database.writing() as connection:
        title = Title("水深", "Depth")
        result = RasterResult("depth", title, "m", "depth", list(zip(TIMES, (first, second), strict=True)))
        await publish_raster(connection, database.city, folder, Run("00000000", title, "test"), result)
    await database.close()
    with serving(url, folder) as address:
        yield twin.connect(address)


async def test_a_raster_is_an_array_with_its_place(city: twin.City) -> None:
    layer = city["run_00000000_depth"]
    assert (layer.geometry, layer.times) == ("raster", TIMES)
    cells = layer.raster(at=START + timedelta(minutes=59))
    assert (cells.values.shape, cells.crs, cells.unit) == ((rasters.ROWS, rasters.COLUMNS), "EPSG:4549", "m")
    assert (cells.transform.c, cells.transform.f, cells.transform.a) == (rasters.WEST, rasters.NORTH, rasters.CELL)
    assert np.isnan(cells.values[:, :10]).all()
    y = rasters.NORTH - (np.arange(rasters.ROWS) + 0.5) * rasters.CELL
    assert cells.values[:, 10] == pytest.approx(1e-3 * (y - 3e6), rel=1e-5)
    assert (layer.raster(at=TIMES[1]).values == 2).all()
    with pytest.raises(NotFound, match="has no cells"):
        city["buildings"].raster()
