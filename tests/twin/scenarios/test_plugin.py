"""A package of somebody else's adds a scenario: the example of the documents, installed as it stands."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests import town

PLUGIN = Path(__file__).resolve().parents[3] / "docs" / "examples" / "scenario_plugin"
RUN = """
import asyncio, json, sys
from pathlib import Path
from cim_models.database import Database
from layers.access import Principal
from twin.scenarios.city import City
from twin.scenarios.keep import keep
from twin.scenarios.record import folder_of
from twin.scenarios.registry import find_scenario
from twin.scenarios.runs import Asked, enqueue, find_run, start

url, files = sys.argv[1], Path(sys.argv[2])
scenario = find_scenario("walking")

async def ask():
    database = await Database.open(url, connections=1)
    async with database.writing() as connection:
        run_id = await enqueue(connection, Asked("walking", {}, {}, 1, Principal("planner", "editor")), most=9)
        await start(connection, run_id)
    await database.close()
    return run_id

run_id = asyncio.run(ask())
folder = folder_of(files, run_id).path
folder.mkdir(parents=True)
with City.open(url, str(run_id), files=files, folder=folder) as city:
    keep(city, scenario, scenario.run(city, scenario.inputs(distance=300), lambda *_: None), 60.0)
    record = city.previous(str(run_id))
print(json.dumps([record.indicators, dict(record.layers), record.table("homes").num_rows]))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the plug-in is installed in."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("installed")
    for file in PLUGIN.iterdir():
        (source / file.name).write_bytes(file.read_bytes())
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    subprocess.run([*install, "--target", str(target), str(source)], check=True, timeout=120)
    return target


def test_it_runs_and_its_layer_is_there(installed: Path, new_city: Callable[..., str], tmp_path: Path) -> None:
    url = new_city()
    town.fill(url)
    done = subprocess.run(
        [sys.executable, "-c", RUN, url, str(tmp_path)],
        env=os.environ | {"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    indicators, layers, rows = json.loads(done.stdout)
    near = """
        select count(*) filter (where d <= 300), count(*), max(d) from (
            select min(st_distance(st_transform(b.geom, 4549), st_transform(f.geom, 4549))) as d
            from building_current b, facility_current f
            where b.plan_id is null and (b.valid_to is null or b.valid_to > now()) and b.function = 'residential'
              and f.class = 'School' group by b.object_id
        ) each
    """
    with psycopg.connect(url) as connection:
        row = connection.execute(near).fetchone()
        shown = connection.execute("select id, title_zh from layer where id = %s", (layers["homes"],)).fetchone()
    assert row is not None
    assert (indicators["near"]["value"], indicators["homes"]) == row[:2]
    assert indicators["farthest"]["value"] == pytest.approx(row[2], abs=0.06)
    assert rows == row[1]
    assert shown is not None
    assert shown[1].endswith("住宅的步行距离")
