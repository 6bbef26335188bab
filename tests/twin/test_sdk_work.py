"""The SDK at work on a real server: files, statistics, and edits that the next reader sees."""

import asyncio
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import geopandas
import pandas as pd
import pytest
import shapely
from PIL import Image

import twin
from cim_models.database import Database
from tests import town
from tests.serve import serving
from twin.sdk import Conflict, NotFound, Refused, WrongRequest


@pytest.fixture(scope="module")
def own_server(new_city: Callable[..., str]) -> Iterator[tuple[str, town.Tokens]]:
    """A server of a town of its own, and tokens to it."""
    url = new_city()
    town.fill(url)

    async def tokens() -> town.Tokens:
        database = await Database.open(url)
        try:
            return await town.make_tokens(database)
        finally:
            await database.close()

    made = asyncio.run(tokens())
    with serving(url) as address:
        yield address, made


@pytest.fixture
def editor(own_server: tuple[str, town.Tokens]) -> twin.City:
    return twin.connect(own_server[0], token=own_server[1].editor)


@pytest.mark.parametrize("suffix", [".gpkg", ".fgb", ".parquet", ".csv", ".gml", ".zip", ".geojson"])
def test_a_layer_is_written_to_a_file(town_server: str, tmp_path: Path, suffix: str) -> None:
    buildings = twin.connect(town_server)["buildings"]
    path = buildings.to_file(tmp_path / f"tall{suffix}", where="height > 30", columns=["height", "name"])
    assert path.exists()
    assert list(tmp_path.iterdir()) == [path]
    if suffix == ".csv":
        found = pd.read_csv(path, encoding="utf-8-sig")
    else:
        found = geopandas.read_parquet(path) if suffix == ".parquet" else geopandas.read_file(path)
    assert sorted(found.height) == [*range(31, 39), 40]


def test_a_file_in_the_citys_own_metres(town_server: str, tmp_path: Path) -> None:
    city = twin.connect(town_server)
    path = city["buildings"].to_file(tmp_path / "b.gpkg", crs=city.info["metric_crs"])
    frame = geopandas.read_file(path)
    assert frame.crs.to_epsg() == 4549
    assert frame.area.iloc[0] == pytest.approx(1742, rel=0.001)


def test_what_cannot_be_written_leaves_no_file(town_server: str, tmp_path: Path) -> None:
    buildings = twin.connect(town_server)["buildings"]
    for name, wanted in (("b.dwg", {}), ("b.csv", {"where": "colour = 1"}), ("b.csv", {"columns": ["colour"]})):
        with pytest.raises(WrongRequest):
            buildings.to_file(tmp_path / name, **wanted)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_statistics_come_as_a_table(town_server: str) -> None:
    buildings = twin.connect(town_server)["buildings"]
    whole = buildings.aggregate("height")
    assert (whole["count"].item(), whole["max"].item()) == (town.STANDING, 40)
    by = buildings.aggregate("height", by="function", where="height <= 10")
    assert by.index.name == "function"
    assert by["sum"].to_dict() == {"residential": 30.0, "commercial": 25.0}
    area = buildings.aggregate(measure="area", unit="mu")
    assert area["sum"].item() == pytest.approx(town.STANDING * 1742.45 / (2000 / 3), rel=1e-4)
    grid = buildings.aggregate(by="grid", cell=1000)
    assert grid["count"].sum() == town.STANDING
    assert buildings.aggregate(by="class", where="height > 99")["count"].sum() == 0


def test_a_table_of_areas_closes(town_server: str) -> None:
    buildings = twin.connect(town_server)["buildings"]
    around = shapely.box(120.9499, 28.0999, 120.9521, 28.1011)
    for boundary in (around, geopandas.GeoDataFrame(geometry=[around], crs=4326).to_crs(4549)):
        table = buildings.area_table(boundary)
        parts = table.drop(index="boundary").area
        assert parts.sum() == pytest.approx(table.area["boundary"], abs=0.01)
        assert table["count"]["Building"] == 6


def test_what_is_added_changed_and_taken_away_is_seen(editor: twin.City) -> None:
    facilities = editor["facilities"]
    frame = geopandas.GeoDataFrame(
        {"class": ["Clinic", "Clinic"], "name": ["甲", "乙"], "capacity": pd.array([5, None], dtype="Int64")},
        geometry=geopandas.points_from_xy([120.951, 120.952], [28.101, 28.102]),
        crs=4326,
    ).to_crs(4549)
    first, second = facilities.add(frame, why="survey of 2026")
    told = facilities.get(first)
    assert (told["properties"]["name"], told["properties"]["capacity"]) == ("甲", 5)
    assert told["geometry"]["coordinates"] == pytest.approx([120.951, 28.101], abs=1e-9)
    assert facilities.get(second)["properties"]["capacity"] is None

    facilities.update(second, {"capacity": 12}, shapely.Point(120.953, 28.103))
    assert facilities.get(second)["properties"]["capacity"] == 12
    assert facilities.get(second)["geometry"]["coordinates"] == [120.953, 28.103]

    facilities.update(first, {"capacity": 50}, since="2025-01-01")
    assert facilities.get(first, at="2024-06-01")["properties"]["capacity"] == 5
    assert facilities.get(first)["properties"]["capacity"] == 50

    facilities.delete(first, since="2026-01-01")
    with pytest.raises(NotFound):
        facilities.get(first)
    assert facilities.get(first, at="2025-06-01")["properties"]["capacity"] == 50
    facilities.delete(second, mistaken=True)
    with pytest.raises(NotFound):
        facilities.get(second, at="2020-01-01")


def test_one_feature_or_a_list(editor: twin.City) -> None:
    point = {"type": "Point", "coordinates": [120.951, 28.101]}
    feature: dict[str, Any] = {"type": "Feature", "geometry": point, "properties": {"class": "Shop", "name": "丙"}}
    assert len(editor["facilities"].add(feature)) == 1
    assert len(editor["facilities"].add([feature, feature])) == 2
    for nothing in ([], [point]):
        with pytest.raises(WrongRequest):
            editor["facilities"].add(nothing)


def test_nobody_overwrites_what_he_has_not_seen(editor: twin.City) -> None:
    facilities = editor["facilities"]
    point = {"type": "Point", "coordinates": [120.951, 28.101]}
    (number,) = facilities.add({"type": "Feature", "geometry": point, "properties": {"class": "Shop"}})
    read = facilities.etag_of(number)
    facilities.update(number, {"capacity": 1}, etag=read)
    with pytest.raises(Conflict, match="changed since"):
        facilities.update(number, {"capacity": 2}, etag=read)
    assert facilities.get(number)["properties"]["capacity"] == 1


def test_a_photo_is_named_as_a_run_takes_it(editor: twin.City, tmp_path: Path) -> None:
    photo = tmp_path / "lane.png"
    Image.new("RGB", (60, 40), (40, 90, 150)).save(photo)
    told = editor.upload_photo(photo)
    assert re.fullmatch(r"photos/[0-9a-f-]{36}", told["photo"])
    assert (told["place"], told["time"]) == (None, None)
    (tmp_path / "lane.txt").write_text("no picture")
    with pytest.raises(WrongRequest):
        editor.upload_photo(tmp_path / "lane.txt")


def test_who_may_not_write_is_told_so(own_server: tuple[str, town.Tokens], editor: twin.City) -> None:
    point = {"type": "Point", "coordinates": [120.951, 28.101]}
    feature: dict[str, Any] = {"type": "Feature", "geometry": point, "properties": {"class": "Shop"}}
    with pytest.raises(Refused):
        twin.connect(own_server[0], token=own_server[1].utility)["facilities"].add(feature)
    with pytest.raises(WrongRequest, match="capacity"):
        editor["facilities"].add({**feature, "properties": {"class": "Shop", "capacity": "many"}})
