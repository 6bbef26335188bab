"""A whole run of the plug-in on a small coast in a real database: 600 m by 400 m, land at 3 m behind a sea wall."""

import asyncio
import base64
import io
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pyproj
import pytest
from PIL import Image

from cim_models.database import Database
from layers.access import Principal
from tests.coast import fill
from twin.flood.raster import read_grid
from twin.flood.scenario import FLOOD, ensemble
from twin.flood.scenario.errors import FloodRefused
from twin.flood.scenario.inputs import FloodInputs
from twin.flood.scenario.site import choose_site
from twin.scenarios.city import City
from twin.scenarios.protocol import Result
from twin.scenarios.runs import Asked, enqueue

USUAL = {
    "start": "2026-08-01T00:00:00+08:00", "duration_h": 0.5, "output_interval_min": 15, "resolution_m": 20,
    "sea": "still", "sea_level_m": 4.5, "infiltration": "none",
}  # fmt: skip
FIELD = {"type": "Point", "coordinates": [120.980072, 28.111674]}
STATE = "select state::text, coalesce(outcome, message) from scenario_run where id = %s"
TAKEN = """
    update procrastinate_jobs set status = 'succeeded'
    where id = (select job from scenario_run where id = %s)
"""
DRAINS = """
    insert into utility_node (dataset_id, uid, content_hash, class, medium, invert, geom)
    select 1, uid, '', class, 'storm', invert,
           st_transform(st_setsrid(st_point(x, 3111200), 4549), 4490)
    from (values ('in', 'Manhole', 1.5, 596150), ('out', 'Outfall', -1.5, 596450)) as t(uid, class, invert, x);
    insert into utility_pipe (dataset_id, uid, content_hash, class, medium, diameter_mm, start_node, end_node, geom)
    select 1, 'p', '', 'Pipe', 'storm', 200, 'in', 'out', st_transform(st_setsrid(
           st_makeline(st_point(596150, 3111200), st_point(596450, 3111200)), 4549), 4490);
"""


@pytest.fixture(scope="module")
def coast(new_city: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """The city's URL and folder."""
    url, folder = new_city(), tmp_path_factory.mktemp("data") / "testing"
    folder.mkdir()
    fill(url, folder)
    return url, folder


def ask(coast: tuple[str, Path], inputs: dict[str, Any]) -> str:
    """The id of a run that is queued."""

    async def asked() -> str:
        database = await Database.open(coast[0], connections=1)
        try:
            async with database.writing() as connection:
                run = Asked("flood", inputs, {}, 1, Principal("planner", "editor"))
                return str(await enqueue(connection, run, most=100))
        finally:
            await database.close()

    return asyncio.run(asked())


@contextmanager
def opened(coast: tuple[str, Path], run: str) -> Iterator[City]:
    url, files = coast
    folder = files / run
    folder.mkdir()
    # No worker of the test's own takes what is computed here.
    job = ask(coast, {})
    with psycopg.connect(url, autocommit=True, options="-c search_path=procrastinate,public") as connection:
        connection.execute(TAKEN, [job])
    with City.open(url, job, files=files, folder=folder) as city:
        yield city


def run(coast: tuple[str, Path], name: str, told: list[float] | None = None, **inputs: Any) -> Result:
    seen = [] if told is None else told
    with opened(coast, name) as city:
        asked = FloodInputs.model_validate(USUAL | inputs)
        return FLOOD.run(city, asked, lambda share, _="": seen.append(share))


@pytest.fixture(scope="module")
def breached(coast: tuple[str, Path]) -> Result:
    """The wall breaks at its middle at once."""
    project = pyproj.Transformer.from_crs("EPSG:4549", "OGC:CRS84", always_xy=True)
    seen = [
        {"at": {"type": "Point", "coordinates": project.transform(x, 3_111_205)}, "depth_m": 1.0, "name": name}
        for x, name in ((596_305, "field"), (596_220, "house"))
    ]
    first, photo = {"time": "2026-08-01T00:07:30+08:00"}, {"photo": "https://pictures.example/1.jpg"}
    seen.append(seen[0] | first | photo | {"depth_m": 0.3, "name": "field, early"})
    picture = io.BytesIO()
    Image.new("RGB", (900, 600), "navy").save(picture, "JPEG")
    with psycopg.connect(coast[0], autocommit=True) as connection:
        kept = "insert into photo (principal, body) values ('planner', %s) returning 'photos/' || id"
        (name,) = connection.execute(kept, [picture.getvalue()]).fetchone() or (None,)
    seen[1]["photo"] = name
    breach = {"begin_h": 0, "widest_m": 60, "first_width_m": 40}
    return run(coast, "breached", breaches=[breach], duration_h=1.0, seen=seen)


def test_a_wall_that_is_too_low_is_overtopped_and_holds_when_raised(coast: tuple[str, Path]) -> None:
    told: list[float] = []
    low = run(coast, "low", sea_level_m=6.4, exposure=False, duration_h=0.25)
    high = run(coast, "high", told, sea_level_m=6.4, raise_walls_m=0.5, duration_h=0.25)
    assert low.indicators["flooded_over_5cm_km2"]["value"] > 0.05
    assert high.indicators["flooded_over_5cm_km2"]["value"] == 0
    assert abs(high.indicators["volume_error"]["value"]) < 1e-6
    assert told == sorted(told)
    assert told[0] == 0
    assert len(told) > 5
    assert high.tables["exposure"].num_rows == 0
    depth = next(layer for layer in high.layers if layer.role == "depth")
    assert len(depth.frames) == 2
    # The sea at 6.4 m over a bed at -2 m, of which 8 m take part, kept as the first state.
    assert np.nanmax(read_grid(depth.frames[0][1])) == pytest.approx(8.0, abs=0.01)


def test_members_are_computed_as_jobs_and_tell_how_often_it_is_deep(coast: tuple[str, Path]) -> None:
    """Three members about the crest of the wall, through a worker as `twin up` starts it."""
    uncertain = {"members": 3, "sea_level_m": 6.0, "sea_spread_m": 0.4, "duration_h": 0.2, "exposure": False}
    job = ask(coast, USUAL | uncertain)
    environ = os.environ | {"TWIN_DATABASE_URL": coast[0], "TWIN_DATA": str(coast[1].parent), "TWIN_CITIES": "testing"}
    worker = subprocess.Popen([sys.executable, "-m", "twin.scenarios"], env=environ)
    try:
        with psycopg.connect(coast[0], autocommit=True) as connection:
            state, until = "", time.monotonic() + 240
            while state not in {"successful", "failed"} and time.monotonic() < until:
                time.sleep(0.2)
                state, found = connection.execute(STATE, [job]).fetchone() or ("", None)
            assert state == "successful", found
            inputs = connection.execute("select inputs from scenario_run where parent = %s", [job]).fetchall()
    finally:
        worker.terminate()
        assert worker.wait(30) == 0
    assert len({each["sea_shift_m"] for (each,) in inputs}) == 3
    area = dict(found["indicators"])["flooded_over_5cm_km2"]
    assert area["spread"]["members"] == 3
    assert area["spread"]["least"] == 0 < area["spread"]["most"]
    assert "probability" in {layer["role"] for layer in found["layers"]}
    likely = read_grid(coast[1] / "runs" / job / "probability.tif")
    assert set(np.rint(3 * likely[np.isfinite(likely)]).tolist()) <= {1.0, 2.0, 3.0}
    assert "of 3 members" in (coast[1] / "runs" / job / "report-en.html").read_text(encoding="utf-8")


def test_members_cover_the_uncertainties_evenly_and_again() -> None:
    asked = FloodInputs.model_validate(USUAL | {"members": 20, "rain_spread": 0.3, "sea_spread_m": 0.5})
    members = ensemble.members_of(asked, seed=7)
    assert [each.members for each in members] == [0] * 20
    shifts = np.array([each.sea_shift_m for each in members])
    assert abs(shifts.mean()) < 0.05
    assert shifts.std() == pytest.approx(0.5, rel=0.15)
    assert np.median([each.rain_factor for each in members]) == pytest.approx(1, abs=0.1)
    assert ensemble.members_of(asked, seed=7) == members != ensemble.members_of(asked, seed=8)


def test_a_breach_lets_the_sea_in_and_no_higher(breached: Result) -> None:
    land = breached.indicators["greatest_depth_m"]["value"]
    assert 0.8 < land < 2.2
    roles = {layer.role: layer for layer in breached.layers}
    assert set(roles) == {
        "depth", "max_depth", "arrival", "max_speed", "hazard", "long_deep", "flooded_buildings", "closed_roads",
        "seen_places",
    }  # fmt: skip
    # Under the house there is no water.
    deepest = read_grid(roles["max_depth"].frames[0][1])
    assert np.isnan(deepest[8:12, 10:12]).all()
    assert np.nanmax(read_grid(roles["arrival"].frames[0][1])) < 60


def test_water_that_was_seen_stands_beside_what_is_found(breached: Result) -> None:
    deepest = read_grid(next(layer for layer in breached.layers if layer.role == "max_depth").frames[0][1])
    rows = {row["place"]: row for row in breached.tables["seen"].to_pylist()}
    assert rows["field"]["found_m"] == pytest.approx(np.nanmax(deepest[8:11, 14:17]), abs=1e-3)
    assert rows["field"]["miss_m"] == pytest.approx(rows["field"]["found_m"] - 1, abs=1e-3)
    # Half the way between dry ground and the first state kept: half as deep.
    frames = [read_grid(path) for _, path in next(each for each in breached.layers if each.role == "depth").frames]
    assert rows["field, early"]["found_m"] == pytest.approx(np.nanmax(frames[1][8:11, 14:17]) / 2, rel=0.1)
    misses = [row["miss_m"] for row in rows.values()]
    points = next(layer for layer in breached.layers if layer.role == "seen_places").table.to_pylist()
    assert [each["miss_m"] for each in points] == misses
    assert points[2]["photo"] == "https://pictures.example/1.jpg"
    assert breached.indicators["seen_miss_m"]["value"] == pytest.approx(np.abs(misses).mean(), rel=1e-3)
    page = breached.files["report-en.html"].read_text(encoding="utf-8")
    assert "Water that was seen" in page
    # Beside the house, small.
    (shown,) = re.findall(r'<td class="image"><img src="data:image/jpeg;base64,([^"]+)"[^>]*></td><td>house<', page)
    with Image.open(io.BytesIO(base64.b64decode(shown))) as picture:
        assert picture.size == (360, 240)


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
    assert "Nearest shelter within reach</th>" in en
    assert "最近可达避灾点</th>" in zh
    assert "village_code" not in en + zh
    # The city has no shelter; a planner reads so, and what the water did, in the page's own language.
    assert "无可达避灾点" in zh
    assert "<td>初始水量</td>" in zh
    assert "溃决时刻" in zh
    assert "Buildings in the water and people by depth" in en
    for page in (zh, en):
        assert "counter(pages)" in page
        assert page.count('<path class="scale"') == page.count('<path class="north"') == 3
        assert '<path class="breach"' in page
    # At the city's own time: the run begins at midnight there.
    assert "<td>08-01 00:15</td>" in en


def test_drains_as_a_network_take_the_rain_to_the_sea(coast: tuple[str, Path]) -> None:
    """100 mm/h on 16 ha for half an hour; one manhole in the street, a pipe of 0.2 m to the sea, 3 m lower."""
    pytest.importorskip("swmm.toolkit", reason="SWMM is not installed: pip install 'citytwin[drains]'")
    inputs = {"rain": "constant", "rain_mm_h": 100, "sea_level_m": 0.2, "exposure": False, "drains_as": "network"}
    with psycopg.connect(coast[0], autocommit=True) as connection:
        connection.execute(DRAINS)
        try:
            found = run(coast, "network", **inputs).indicators
        finally:
            connection.execute("delete from utility_pipe; delete from utility_node")
    account = found["account_m3"]
    assert -account["drains"] > 20
    # The pipe itself holds 9 m3.
    assert 0 < -account["drains"] - account["drains_returned"] - account["drains_outfalls"] < 12
    assert abs(found["volume_error"]["value"]) < 1e-6
    assert found["pipes_volume_error"]["value"] < 0.05
    assert "street_drains_mm_h" not in found
    assert set(found["phases_s"]) == {"reading", "water", "layers"}


def test_what_cannot_be_computed_is_refused_by_its_field(coast: tuple[str, Path]) -> None:
    for name, inputs in (
        ("datum", {"sea_datum": "EPSG:5736"}),
        ("far", {"breaches": [{"at": {"type": "Point", "coordinates": [120.5, 28.0]}}]}),
        ("river", {"rivers": [{"river": "无名河", "hydrograph": [[0, 10]]}]}),
        ("release", {"releases": [{"discharge_m3_s": 10}]}),
        ("seen", {"seen": [{"at": {"type": "Point", "coordinates": [120.5, 28.0]}, "depth_m": 1}]}),
        ("late", {"seen": [{"at": FIELD, "depth_m": 1, "time": "2026-08-01T02:00:00+08:00"}]}),
    ):
        with pytest.raises(FloodRefused, match=r"sea_datum|breaches|rivers|releases|seen"):
            run(coast, name, **inputs)
    with opened(coast, "large") as city, pytest.raises(FloodRefused, match="resolution_m"):
        choose_site(city, 0.002, None)
