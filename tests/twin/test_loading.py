"""`twin init` and `twin load` as people call them: recipes, files, folders, and what is said of them."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from cim_models.embedded import Cluster
from tests.twin.conftest import Home

RECIPE = """
city:
  name: hamlet
  title: {zh: 小村, en: Hamlet}
  srid: 4326
  metric_crs: EPSG:3946
  time_zone: Europe/Paris
datasets:
  - name: houses
    title: {zh: 房屋, en: Houses}
    file: houses.geojson
    theme: building
    class: Building
    uid: number
    fields:
      height: {field: tall, unit: m}
"""


@pytest.fixture
def home(new_home: Callable[..., Home], cluster: Cluster) -> Iterator[Home]:
    """A home on the shared server, where cities are made and gone again."""
    yield new_home(TWIN_DATABASE_URL=cluster.url("postgres"), TWIN_CITIES="hamlet")
    if "city_hamlet" in cluster.databases():
        cluster.drop_database("city_hamlet")


@pytest.fixture
def houses(tmp_path: Path) -> Path:
    """A folder with a recipe and its file: three houses, the third with text for a height."""
    (tmp_path / "hamlet.yaml").write_text(RECIPE, encoding="utf-8")
    write_houses(tmp_path / "houses.geojson", [6, 9, "tall"])
    return tmp_path


def write_houses(file: Path, heights: list[Any]) -> None:
    features = [
        {
            "type": "Feature",
            "properties": {"number": number, "tall": height},
            "geometry": {"type": "Polygon", "coordinates": [square(4.8 + number * 0.001, 45.7)]},
        }
        for number, height in enumerate(heights)
    ]
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}))


def square(x: float, y: float) -> list[list[float]]:
    side = 0.0002
    return [[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]]


def test_a_recipe_lays_its_city_down_and_tells_what_became_of_each_row(
    home: Home, houses: Path, cluster: Cluster
) -> None:
    done = home.twin("load", str(houses / "hamlet.yaml"))
    assert done.returncode == 0, done.stderr
    assert "houses  3 read, 2 inserted, 1 rejected" in done.stdout
    assert "row 3" in done.stdout
    with psycopg.connect(cluster.url("city_hamlet")) as connection:
        rows = connection.execute("select uid, height from building order by uid").fetchall()
    assert rows == [("0", 6.0), ("1", 9.0)]


def test_the_same_again_changes_nothing_and_a_change_is_one(home: Home, houses: Path) -> None:
    home.twin("load", str(houses / "hamlet.yaml"))
    again = home.twin("load", str(houses / "hamlet.yaml"))
    assert "the same as before, 2 objects unchanged" in again.stdout
    write_houses(houses / "houses.geojson", [6, 10])
    newer = home.twin("load", str(houses / "hamlet.yaml"))
    assert "1 updated, 1 unchanged" in newer.stdout


def test_a_recipe_that_breaks_off_leaves_no_city(home: Home, houses: Path, cluster: Cluster) -> None:
    (houses / "houses.geojson").write_bytes((houses / "houses.geojson").read_bytes()[:200])
    done = home.twin("load", str(houses / "hamlet.yaml"))
    assert done.returncode == 1
    assert "houses.geojson" in done.stderr
    assert "city_hamlet" not in cluster.databases()


def test_files_go_into_a_city_that_was_laid_down(home: Home, houses: Path) -> None:
    laid = home.twin("init", "hamlet", "--metric-crs", "EPSG:3946", "--title", "Hamlet")
    assert laid.returncode == 0, laid.stderr
    assert home.twin("init", "hamlet", "--metric-crs", "EPSG:3946").returncode == 1
    file = str(houses / "houses.geojson")
    loaded = home.twin("load", file, "--dataset", "sheds")
    assert "sheds  3 read, 3 inserted" in loaded.stdout
    assert home.twin("load", file, "--dataset", "Bad Name").returncode == 1
    assert home.twin("load", file, "--city", "nowhere").returncode == 1
    # The token of the local user is good for a city as soon as it is there.
    assert "administrator" in home.twin("token", "list").stdout


def test_a_folder_is_loaded_as_far_as_it_can_be(home: Home, houses: Path) -> None:
    home.twin("init", "hamlet", "--metric-crs", "EPSG:3946")
    (houses / "broken.gpkg").write_text("not a GeoPackage")
    done = home.twin("load", str(houses))
    assert done.returncode == 1
    assert "broken.gpkg" in done.stderr
    assert "houses  3 read, 3 inserted" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["houses.geojson", "--data", "."], "--data"),
        (["hamlet.yaml", "--crs", "EPSG:4326"], "--crs"),
        (["empty"], "no file of a known format"),
    ],
)
def test_what_does_not_go_together_is_told(home: Home, houses: Path, words: list[str], said: str) -> None:
    home.twin("init", "hamlet", "--metric-crs", "EPSG:3946")
    (houses / "empty").mkdir()
    done = home.twin("load", str(houses / words[0]), *words[1:])
    assert done.returncode == 1
    assert said in done.stderr
