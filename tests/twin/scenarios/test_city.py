"""What a scenario reads of the city is what the database holds, in metres, as the principal and the view have it."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
import shapely
from pyproj import Transformer

from cim_models.database import Database
from layers.access import Principal
from layers.catalog import LayerNotFound
from layers.filters import FilterError
from tests import town
from twin.scenarios import NoSuchRun, ScenarioError
from twin.scenarios.city import City
from twin.scenarios.runs import Asked, enqueue, readers_of

EDITOR, TOWNSHIP = Principal("planner", "editor"), Principal("clerk", "township")


@pytest.fixture(scope="module")
def url(new_city: Callable[..., str]) -> str:
    made = new_city()
    town.fill(made)
    return made


@contextmanager
def opened(url: str, folder: Path, principal: Principal = EDITOR, **view: Any) -> Iterator[City]:
    """The town as a run of `principal` sees it."""

    async def ask() -> str:
        database = await Database.open(url, connections=1)
        try:
            async with database.writing() as connection:
                return str(await enqueue(connection, Asked("echo", {}, view, 1, principal), most=100))
        finally:
            await database.close()

    with City.open(url, asyncio.run(ask()), files=folder, folder=folder) as city:
        yield city


def test_objects_are_in_metres(url: str, tmp_path: Path) -> None:
    with opened(url, tmp_path) as city:
        table = city.features("buildings", columns=["uid", "height", "storeys", "name"], where="height > 20")
        assert city.metric_crs == "EPSG:4549"
        assert city.read_layers.keys() == {"buildings"}
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "select uid, height, st_area(geom::geography) from building_current where height > 20 and plan_id is null"
            " and (valid_to is null or valid_to > now()) order by object_id"
        ).fetchall()
    assert table["uid"].to_pylist() == [row[0] for row in rows]
    assert table["height"].to_pylist() == [row[1] for row in rows]
    shapes = shapely.from_wkb(table["geometry"].to_numpy())
    assert shapely.area(shapes) == pytest.approx([row[2] for row in rows], rel=1e-3)
    east, north = Transformer.from_crs("EPSG:4490", "EPSG:4549", always_xy=True).transform(
        town.WEST, town.SOUTH + 0.002
    )
    assert shapely.bounds(shapes[0])[:2] == pytest.approx((east, north), abs=0.5)


def test_the_view_and_the_principal_say_what_is_seen(url: str, tmp_path: Path) -> None:
    with opened(url, tmp_path) as city:
        assert city.features("buildings").num_rows == town.STANDING
        box = (town.WEST, town.SOUTH, town.WEST + 0.0005, town.SOUTH + 0.0005)
        assert city.features("buildings", box=box).num_rows == 1
    with opened(url, tmp_path, datetime="2014-06-01") as city:
        assert "b39" in city.features("buildings", columns=["uid"])["uid"].to_pylist()
    with opened(url, tmp_path, plan=town.PLAN) as city:
        found = city.features("buildings", columns=["uid"])["uid"].to_pylist()
        assert "p1" in found
        assert "b1" not in found
    with opened(url, tmp_path, TOWNSHIP) as city:
        assert city.features("buildings").num_rows == 5
        with pytest.raises(LayerNotFound):
            city.features("utility_pipes")


def test_what_cannot_be_read_is_named(url: str, tmp_path: Path) -> None:
    with opened(url, tmp_path) as city:
        with pytest.raises(ScenarioError, match=r"no 'colour'; it has .*height"):
            city.features("buildings", columns=["colour"])
        with pytest.raises(FilterError):
            city.features("buildings", where="colour = 1")
        with pytest.raises(ScenarioError, match="take coarser"):
            city.terrain((0, 0, 1e7, 1e7), 1)
        with pytest.raises(NoSuchRun):
            city.previous("00000000-0000-0000-0000-000000000000")
        heights, transform = city.terrain((500_000, 3_100_000, 500_025, 3_100_010), 10)
        # No terrain is loaded; the grid is whole cells from the north-west corner.
        assert heights.shape == (1, 3)
        assert np.isnan(heights).all()
        assert transform * (0, 0) == (500_000, 3_100_010)


def test_a_result_is_for_those_who_may_read_what_it_was_made_of(url: str, tmp_path: Path) -> None:
    with opened(url, tmp_path) as city:
        assert readers_of(["buildings", "roads"], "editor", city.catalog) is None
        assert readers_of(["buildings", "utility_pipes"], "administrator", city.catalog) == ["administrator", "utility"]
        # A township's rows are a part of the layer: its own runs are its own.
        assert readers_of(["buildings", "utility_pipes"], "township", city.catalog) == [
            "administrator",
            "township",
            "utility",
        ]
