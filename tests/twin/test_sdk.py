"""The SDK against a real server with the hand-made town in it."""

import datetime
import subprocess
import sys
from pathlib import Path

import pandas
import pytest

import twin
from tests import town
from tests.twin.conftest import Home
from twin.sdk import NotFound, Refused, ServerUnreachable, WrongRequest


@pytest.fixture
def city(town_server: str) -> twin.City:
    return twin.connect(town_server)


def test_a_city_says_what_it_is(city: twin.City) -> None:
    assert city.name == "testing"
    assert city.info["metric_crs"] == "EPSG:4549"
    assert city.info["title"] == {"zh": "测试市", "en": "Testing"}
    assert "buildings" in city.layers
    assert "建筑" in repr(city.layers)


def test_a_layer_says_what_it_holds(city: twin.City) -> None:
    buildings = city["buildings"]
    assert buildings.geometry == "polygon"
    assert buildings.extent == (120.95, 28.1, 120.96, 28.104)
    assert buildings.schema["height"].unit == "m"
    assert buildings.count() == town.STANDING


def test_counts_follow_bbox_condition_and_moment(city: twin.City) -> None:
    """Buildings 1 to 10 stand in the first row; b39 fell at the start of 2015, b40 rose at the start of 2020."""
    buildings = city["buildings"]
    assert buildings.count(bbox=(120.949, 28.0995, 120.961, 28.1005)) == 10
    assert buildings.count(where="height > 35") == 4
    assert buildings.count(at="2014-06-01") == 39
    assert buildings.count(at=datetime.date(2017, 6, 1)) == 38
    # Midnight of the city is 16:00 UTC of the day before.
    assert buildings.count(where="uid = 'b40'", at=datetime.datetime(2020, 1, 1)) == 1
    assert buildings.count(where="uid = 'b40'", at=datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)) == 1
    assert buildings.count(where="uid = 'b40'", at=datetime.datetime(2019, 12, 31, 15, 59, tzinfo=datetime.UTC)) == 0


def test_features_come_page_by_page(city: twin.City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.sdk.layer.PAGE", 7)
    uids = [feature["properties"]["uid"] for feature in city["buildings"].features()]
    assert sorted(uids) == sorted(f"b{i}" for i in range(1, 41) if i != 39)
    assert len(list(city["buildings"].features(limit=16))) == 16
    assert len(list(city["buildings"].features(where="height <= 9", limit=100))) == 9


def test_an_object_by_its_id(city: twin.City) -> None:
    feature = next(city["buildings"].features(where="uid = 'b8'"))
    assert city["buildings"].get(feature["id"])["properties"]["name"] == "海晏楼8"


def test_a_geodataframe_has_the_schemas_types(city: twin.City) -> None:
    frame = city["buildings"].to_geopandas(where="height < 5", columns=["height", "storeys", "year_built"])
    assert frame.crs == "EPSG:4326"
    assert frame.index.name == "object_id"
    assert list(frame.columns) == ["height", "storeys", "year_built", "geometry"]
    assert [str(kind) for kind in frame.dtypes] == ["Float64", "Int64", "Int64", "geometry"]
    assert sorted(frame.height) == [1, 2, 3, 4]
    assert frame.year_built.isna().sum() == 2
    # 0.0004 by 0.0004 degrees at 28.1 N, on the city's own grid.
    areas = frame.to_crs("EPSG:4549").area
    assert areas.min() == pytest.approx(39.3 * 44.3, rel=0.01)


def test_an_empty_geodataframe_has_its_columns(city: twin.City) -> None:
    frame = city["buildings"].to_geopandas(where="height > 1000")
    assert len(frame) == 0
    assert {"height", "class", "geometry"} <= set(frame.columns)


def test_search_finds_by_name(city: twin.City) -> None:
    found = city.search("海晏小学")[0]
    assert (found.layer, found.class_) == ("facilities", "School")
    assert found.position == pytest.approx((120.9512, 28.1012))


def test_errors_say_what_to_do(city: twin.City, town_server: str) -> None:
    with pytest.raises(NotFound, match="buildings"):
        city["buildingz"]
    with pytest.raises(WrongRequest, match="heigt"):
        city["buildings"].count(where="heigt > 3")
    with pytest.raises(WrongRequest, match="it has class"):
        city["buildings"].to_geopandas(columns=["floors"])
    with pytest.raises(WrongRequest, match="west, south, east, north"):
        city["buildings"].count(bbox=(1, 2, 3))
    with pytest.raises(NotFound):
        city["buildings"].get(10**9)
    with pytest.raises(NotFound, match="testing"):
        twin.connect(town_server, city="oslo")
    with pytest.raises(Refused, match="twin token create"):
        _ = twin.connect(town_server, token="twin_wrong").layers
    with pytest.raises(ServerUnreachable, match="twin up"):
        twin.connect("http://127.0.0.1:1")


def test_a_script_finds_the_local_server_and_token(town_home: Home) -> None:
    """The town's mains are hidden from the public; the local user's own token shows them."""
    script = "import twin; city = twin.connect(); print(city.name, city['utility_pipes'].count())"
    done = subprocess.run(
        [sys.executable, "-c", script], env=town_home.environ, capture_output=True, text=True, check=False
    )
    assert done.stdout == "testing 3\n", done.stderr
    public = twin.connect(town_home.server().url)
    with pytest.raises(NotFound):
        public["utility_pipes"]


def test_a_token_is_shown_to_its_own_server_alone(
    town_server: str, town_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another server of this machine would refuse it, and has no business with it."""
    for name, value in town_home.environ.items():
        monkeypatch.setenv(name, value)
    own = town_home.server().url
    assert twin.connect(own)["utility_pipes"].count() == 3
    assert twin.connect(own.replace("127.0.0.1", "localhost"))["utility_pipes"].count() == 3
    assert twin.connect(town_server)["buildings"].count() > 0


def test_the_sdk_needs_none_of_the_server() -> None:
    """`import twin` and a connection attempt load httpx and nothing heavy."""
    script = (
        "import sys, twin\n"
        "try: twin.connect('http://127.0.0.1:1')\n"
        "except twin.TwinError: pass\n"
        "print([name for name in ('sqlalchemy', 'psycopg', 'pydantic', 'fastapi', 'numpy', 'geopandas', 'pydeck')"
        " if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_addresses_become_points(city: twin.City) -> None:
    """The table comes back whole, with a point where there is one."""
    found = city.geocode(pandas.DataFrame({"n": [1, 2], "地址": ["海晏小学", None]}))
    assert list(found["n"]) == [1, 2]
    assert found["match_level"][0] == "place"
    assert (found.geometry[0].x, found.geometry[0].y) == (120.9512, 28.1012)
    assert found.geometry[1] is None
    assert found["match_level"].isna()[1]
    with pytest.raises(WrongRequest, match="no column"):
        city.geocode(pandas.DataFrame({"n": [1]}))
    assert city.reverse(120.9512, 28.1013)["place"]["text"] in {"海晏小学", "海晏楼12"}
    assert city.search("hyxx", near=(120.95, 28.1), layer="facilities")[0].name == "海晏小学"


def test_the_command_writes_a_table_with_places(town_server: str, tmp_path: Path) -> None:
    """Of a table in GB 18030, as an office has it."""
    file = tmp_path / "单位.csv"
    file.write_text("编号,地址\n1,海晏小学\n2,月球\n", encoding="gb18030")
    command = [sys.executable, "-m", "twin", "geocode", str(file), "--url", town_server]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "unmatched" in done.stdout
    lines = (tmp_path / "单位.places.csv").read_text(encoding="utf-8-sig").splitlines()
    assert lines[0].startswith("编号,地址,match_level,match_score")
    assert lines[1].startswith("1,海晏小学,place,0.9,")
    assert lines[2] == "2,月球,,,,,,,"
