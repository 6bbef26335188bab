"""A whole run of the plug-in on a small coast in a real database: 600 m by 400 m, land at 3 m behind a sea wall."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cim_models.database import Database
from layers.access import Principal
from tests.coast import fill
from twin.flood.raster import read_grid
from twin.flood.scenario import FLOOD
from twin.flood.scenario.errors import FloodRefused
from twin.flood.scenario.inputs import FloodInputs
from twin.flood.scenario.site import choose_site
from twin.scenarios.city import City
from twin.scenarios.protocol import Result
from twin.scenarios.runs import Asked, enqueue

USUAL = {
    "start": "2026-08-01T00:00:00+08:00", "duration_h": 1.5, "output_interval_min": 30, "resolution_m": 20,
    "sea": "still", "sea_level_m": 4.5, "infiltration": "none",
}  # fmt: skip


@pytest.fixture(scope="module")
def coast(new_city: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """The city's URL and folder."""
    url, folder = new_city(), tmp_path_factory.mktemp("coast")
    fill(url, folder)
    return url, folder


@contextmanager
def opened(coast: tuple[str, Path], run: str) -> Iterator[City]:
    url, files = coast
    folder = files / run
    folder.mkdir()

    async def ask() -> str:
        database = await Database.open(url, connections=1)
        try:
            async with database.writing() as connection:
                asked = Asked("flood", {}, {}, 1, Principal("planner", "editor"))
                return str(await enqueue(connection, asked, most=100))
        finally:
            await database.close()

    with City.open(url, asyncio.run(ask()), files=files, folder=folder) as city:
        yield city


def run(coast: tuple[str, Path], name: str, told: list[float] | None = None, **inputs: Any) -> Result:
    seen = [] if told is None else told
    with opened(coast, name) as city:
        asked = FloodInputs.model_validate(USUAL | inputs)
        return FLOOD.run(city, asked, lambda share, _="": seen.append(share))


@pytest.fixture(scope="module")
def breached(coast: tuple[str, Path]) -> Result:
    """The wall breaks at its middle at once."""
    return run(coast, "breached", breaches=[{"begin_h": 0, "widest_m": 60, "first_width_m": 40}])


def test_the_wall_holds_while_the_sea_stands_under_its_crest(coast: tuple[str, Path]) -> None:
    told: list[float] = []
    result = run(coast, "holding", told)
    assert result.indicators["flooded_over_5cm_km2"]["value"] == 0
    assert abs(result.indicators["volume_error"]["value"]) < 1e-6
    assert told == sorted(told)
    assert told[0] == 0
    assert len(told) > 5
    assert result.tables["exposure"].num_rows == 0
    depth = next(layer for layer in result.layers if layer.role == "depth")
    assert len(depth.frames) == 4
    # The sea at 4.5 m over a bed at -2 m, kept as the first state.
    assert np.nanmax(read_grid(depth.frames[0][1])) == pytest.approx(6.5, abs=0.01)


def test_a_wall_that_is_too_low_is_overtopped_and_holds_when_raised(coast: tuple[str, Path]) -> None:
    low = run(coast, "low", sea_level_m=6.4, exposure=False, duration_h=0.5)
    high = run(coast, "high", sea_level_m=6.4, exposure=False, duration_h=0.5, raise_walls_m=0.5)
    assert low.indicators["flooded_over_5cm_km2"]["value"] > 0.05
    assert high.indicators["flooded_over_5cm_km2"]["value"] == 0


def test_a_breach_lets_the_sea_in_and_no_higher(breached: Result) -> None:
    land = breached.indicators["greatest_depth_m"]["value"]
    assert 0.8 < land < 2.2
    roles = {layer.role: layer for layer in breached.layers}
    assert set(roles) == {
        "depth", "max_depth", "arrival", "max_speed", "hazard", "long_deep", "flooded_buildings", "closed_roads",
    }  # fmt: skip
    # Under the house there is no water.
    deepest = read_grid(roles["max_depth"].frames[0][1])
    assert np.isnan(deepest[8:12, 10:12]).all()
    assert np.nanmax(read_grid(roles["arrival"].frames[0][1])) < 90


def test_its_people_and_roads_are_counted(breached: Result) -> None:
    move = breached.tables["people_to_move"].to_pylist()
    # One house of one storey holds all 60 of the village; nobody has a shelter, for the city has none.
    assert {row["people"] for row in move} == {60}
    assert {row["shelter"] for row in move} == {None}
    closed = breached.tables["road_closures"].to_pylist()
    assert {row["uid"] for row in closed} == {"street"}
    assert {"car", "lorry"} <= {row["vehicle"] for row in closed}
    damage = breached.tables["damage"].to_pylist()
    assert damage[0]["sector"] == "residential"
    assert damage[0]["ground_floor_m2"] == 3200


def test_the_report_prints_in_both_languages(breached: Result) -> None:
    zh, en = (breached.files[f"report-{lang}.html"].read_text(encoding="utf-8") for lang in ("zh", "en"))
    assert "洪涝模拟报告" in zh
    assert "Flood report" in en
    assert zh.count("data:image/png;base64,") == 3
    assert {"report.json", "people_to_move.csv", "road_closures.csv"} <= set(breached.files)


def test_what_cannot_be_computed_is_refused_by_its_field(coast: tuple[str, Path]) -> None:
    for name, inputs in (
        ("datum", {"sea_datum": "EPSG:5736"}),
        ("far", {"breaches": [{"at": {"type": "Point", "coordinates": [120.5, 28.0]}}]}),
        ("river", {"rivers": [{"river": "无名河", "hydrograph": [[0, 10]]}]}),
        ("release", {"releases": [{"discharge_m3_s": 10}]}),
    ):
        with pytest.raises(FloodRefused, match=r"sea_datum|breaches|rivers|releases"):
            run(coast, name, **inputs)
    with opened(coast, "large") as city, pytest.raises(FloodRefused, match="resolution_m"):
        choose_site(city, 0.002, None)
