"""`twin init` and `twin load` as people call them: recipes, files, folders, and what is said of them."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from cim_models.embedded import Cluster
from tests import town
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

ADDRESSED = """
city:
  name: testing
  title: {zh: 测试市, en: Testing}
  srid: 4490
  metric_crs: EPSG:4549
  time_zone: Asia/Shanghai
datasets:
  - name: firms
    title: {zh: 企业名单, en: Firms}
    file: 企业名单.csv
    address: [地址, 校名]
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


def test_a_table_of_addresses_becomes_a_layer(
    new_home: Callable[..., Home], new_city: Callable[..., str], tmp_path: Path
) -> None:
    """By address, else by name; rows that nothing fits come back, and are found once the city knows more."""
    url = new_city()
    town.fill(url)
    home = new_home(TWIN_DATABASE_URL=url)
    table = tmp_path / "企业名单.csv"
    table.write_text(
        "编号,校名,地址\n001,海晏小学,无名路1号\n002,无名厂,Seacalm House 4\n003,=环形山,月球\n004,海晏楼8,\n",
        encoding="gb18030",
    )
    done = home.twin("load", str(table), "--address", "地址,校名", "--dataset", "firms")
    assert done.returncode == 0, done.stderr
    assert "firms  4 read, 3 inserted, 1 rejected" in done.stdout
    assert "addresses looked up: 3 place, 1 not found, they stand in 企业名单 unmatched.csv" in done.stdout
    assert "row 3" in done.stdout
    lost = tmp_path / "企业名单 unmatched.csv"
    assert lost.read_text("utf-8-sig").splitlines()[1] == '"003","\'=环形山","月球"'
    found = """
        select attributes ->> '编号', attributes ->> 'match_level', attributes ->> 'match_address',
               round(st_x(geom)::numeric, 4)::float8, round(st_y(geom)::numeric, 4)::float8
        from generic_object where recorded_to = 'infinity' order by 1
    """
    with psycopg.connect(url, autocommit=True) as connection:
        assert connection.execute(found).fetchall() == [
            ("001", "place", "海晏小学", 120.9512, 28.1012),
            ("002", "place", "Seacalm House 4", 120.9532, 28.1002),
            ("004", "place", "海晏楼8", 120.9572, 28.1002),
        ]
        connection.execute(
            "update facility set name = '环形山' where uid = 'f3'; truncate change_consumer, search_entry"
        )
    (tmp_path / "recipe.yaml").write_text(ADDRESSED, encoding="utf-8")
    again = home.twin("load", str(tmp_path / "recipe.yaml"), "--city", "testing")
    assert again.returncode == 0, again.stderr
    assert "firms  4 read, 1 inserted, 3 unchanged" in again.stdout
    assert not lost.exists()
    assert "no column '地'" in home.twin("load", str(table), "--address", "地").stderr
    assert "--address 地址" in home.twin("load", str(table)).stderr
