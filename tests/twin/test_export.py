"""Files that `twin export` writes, read back by GDAL."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyogrio
import pytest

import twin
from tests import town
from tests.twin.conftest import Home
from twin.export import ExportError, export
from twin.sdk import ServerUnreachable


@pytest.fixture
def buildings(town_server: str) -> twin.Layer:
    return twin.connect(town_server)["buildings"]


@pytest.mark.parametrize("ending", ["gpkg", "fgb", "geojson", "geojsonl", "geojsons"])
def test_gdal_reads_what_was_written(buildings: twin.Layer, tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"b.{ending}"
    assert export(buildings, buildings.features(), file) == town.STANDING
    frame = pyogrio.read_dataframe(file, fid_as_index=ending == "geojson").set_index("uid")
    assert len(frame) == town.STANDING
    assert frame.crs.to_epsg() == 4326
    assert frame.loc["b8", "name"] == "海晏楼8"
    assert frame.loc["b8", "height"] == 8
    assert frame.geometry["b8"].bounds == pytest.approx((120.957, 28.1, 120.9574, 28.1004))
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_a_geopackage_keeps_types_and_time(buildings: twin.Layer, tmp_path: Path) -> None:
    export(buildings, buildings.features(), tmp_path / "b.gpkg")
    info = pyogrio.read_info(tmp_path / "b.gpkg")
    types = dict(zip(info["fields"], info["dtypes"], strict=True))
    assert types["storeys"] == "int64"
    assert types["height"] == "float64"
    assert types["valid_from"].startswith("datetime64")
    assert info["geometry_type"] == "MultiPolygon"
    frame = pyogrio.read_dataframe(tmp_path / "b.gpkg").set_index("uid")
    assert str(frame.loc["b40", "valid_from"]) == "2019-12-31 16:00:00+00:00"


def test_a_table_holds_geometry_as_text(buildings: twin.Layer, tmp_path: Path) -> None:
    export(buildings, buildings.features(where="uid = 'b8'"), tmp_path / "b.csv")
    header, row = (tmp_path / "b.csv").read_text(encoding="utf-8").splitlines()
    assert header.startswith("WKT,object_id,class,name")
    assert row.startswith('"MULTIPOLYGON (((120.957 28.1')


def test_geojson_is_as_the_standard_says(buildings: twin.Layer, tmp_path: Path) -> None:
    """RFC 7946: no crs member, ids on features."""
    export(buildings, buildings.features(limit=2), tmp_path / "b.geojson")
    document = json.loads((tmp_path / "b.geojson").read_text())
    assert "crs" not in document
    assert all(isinstance(feature["id"], int) for feature in document["features"])


def test_an_empty_layer_becomes_an_empty_file(town_server: str, tmp_path: Path) -> None:
    roads = twin.connect(town_server)["roads"]
    assert export(roads, roads.features(), tmp_path / "r.gpkg") == 0
    assert pyogrio.read_info(tmp_path / "r.gpkg")["features"] == 0


def test_a_file_is_replaced_only_when_told(buildings: twin.Layer, tmp_path: Path) -> None:
    file = tmp_path / "b.gpkg"
    file.write_text("mine")
    with pytest.raises(ExportError, match="--force"):
        export(buildings, buildings.features(), file)
    assert file.read_text() == "mine"
    export(buildings, buildings.features(), file, replace=True)
    assert pyogrio.read_info(file)["features"] == town.STANDING


def test_a_server_that_goes_away_leaves_no_half_file(
    buildings: twin.Layer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twin.export.ROWS", 10)

    def breaking_off() -> Iterator[dict[str, Any]]:
        yield from buildings.features(limit=25)
        raise ServerUnreachable("gone")

    with pytest.raises(ServerUnreachable, match="gone"):
        export(buildings, breaking_off(), tmp_path / "b.gpkg")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("name", "said"), [("b.dwg", r"\.gpkg"), ("nowhere/b.gpkg", "no such folder")])
def test_what_cannot_be_written_is_told(buildings: twin.Layer, tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(ExportError, match=said):
        export(buildings, buildings.features(), tmp_path / name)


def test_the_command_writes_a_part_of_a_layer(town_home: Home, tmp_path: Path) -> None:
    file = tmp_path / "tall.fgb"
    done = town_home.twin("export", "buildings", str(file), "--where", "height > 35")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("4 objects of buildings")
    assert pyogrio.read_info(file)["features"] == 4
