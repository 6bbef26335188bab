"""Formats that lie on a desk give the same rows as they were written with, and say how they were read."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
import rasterio
import shapely
from scipy.io import netcdf_file

from layers.formats import Columns, FormatError, files_in, notes_of, open_sources
from layers.mapping import mapped
from tests.layers import desk
from tests.layers.sources import PINGYANG, part

WRITERS = {
    "a.gdb": lambda path: desk.write(path, "OpenFileGDB"),
    "a.kml": lambda path: desk.write(path, "LIBKML", crs="EPSG:4326"),
    "a.gml": lambda path: desk.write(path, "GML", crs="EPSG:4326"),
    "a.tab": lambda path: desk.write(path, "MapInfo File", crs="EPSG:4326", layer_options={"ENCODING": "CP936"}),
    "a.mif": lambda path: desk.write(path, "MapInfo File", crs="EPSG:4326", layer_options={"ENCODING": "UTF-8"}),
    "a.parquet": desk.write_parquet,
    "a.csv": desk.write_csv,
    "a.xlsx": desk.write_workbook,
}


def rows_of(path: Path, **options: object) -> list[dict[str, object]]:
    (source,) = open_sources(path, **options)  # type: ignore[arg-type]
    return [row for batch in source.read(2) for row in batch.to_pylist()]


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_gives_the_rows_back(tmp_path: Path, name: str) -> None:
    found = rows_of(WRITERS[name](tmp_path / name))
    assert [row["名称"] for row in found] == desk.NAMES
    assert [row["编号"] for row in found] == ["001", "002", "003"]
    points = [shapely.from_wkb(row["geometry"]) for row in found]
    assert [(round(point.x, 4), round(point.y, 4)) for point in points] == desk.PLACES


def test_folders_and_zips_hold_geodatabases_and_tables(tmp_path: Path) -> None:
    database = WRITERS["a.gdb"](tmp_path / "a.gdb")
    WRITERS["a.tab"](tmp_path / "b.tab")
    assert [path.name for path in files_in(tmp_path)] == ["a.gdb", "b.tab"]
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        for file in (*database.iterdir(), *tmp_path.glob("b.*")):
            archive.write(file, f"x/{file.relative_to(tmp_path)}")
    assert sorted(source.name for source in open_sources(tmp_path / "c.zip")) == ["a", "b"]
    with zipfile.ZipFile(tmp_path / "d.kmz", "w") as archive:
        archive.write(WRITERS["a.kml"](tmp_path / "doc.kml"), "doc.kml")
    assert len(rows_of(tmp_path / "d.kmz")) == 3


def test_a_drawing_keeps_its_layers_and_its_outlines_become_areas(tmp_path: Path) -> None:
    path = desk.write_drawing(tmp_path / "a.dxf")
    (source,) = open_sources(path)
    assert notes_of(source) == ("texts read as GB18030: it names none, and all its texts are",)
    (batch,) = source.read()
    assert batch.column("Layer").to_pylist() == ["房屋", "道路", "注记"]
    assert batch.column("Text").to_pylist()[2] == "教学楼"
    houses = part(theme="building", closed_lines="areas", where={"Layer": "房屋"}, **{"class": "Building"})
    (made,) = mapped(source, houses, PINGYANG)
    (shape,) = shapely.from_wkb(made.rows.column("geom").to_pylist())
    assert shape.geom_type == "MultiPolygon"
    assert shape.distance(shapely.Point(desk.PLACES[0])) < 1e-6


def test_a_dwg_is_told_how_to_become_a_drawing_that_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.dwg").write_bytes(b"AC1032" + bytes(200))
    with pytest.raises(FormatError, match="另存为 DXF"):
        open_sources(tmp_path / "a.dwg")


def test_a_recorders_points(tmp_path: Path) -> None:
    points = "".join(f'<wpt lat="{lat}" lon="{lon}"><name>井盖</name></wpt>' for lon, lat in desk.PLACES)
    (tmp_path / "a.gpx").write_text(
        f'<?xml version="1.0"?><gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1">{points}</gpx>'
    )
    assert [row["name"] for row in rows_of(tmp_path / "a.gpx")] == ["井盖"] * 3


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "utf-16"])
def test_a_table_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    assert rows_of(desk.write_csv(tmp_path / "a.csv", encoding)) == rows_of(desk.write_csv(tmp_path / "b.csv"))


@pytest.mark.parametrize("driver_byte", [0x00, 0x4D, 0x57])
@pytest.mark.parametrize(("encoding", "cpg"), [("gb18030", "GBK"), ("gb18030", None), ("gb18030", "UTF-8"),
                                                ("utf-8", "UTF-8"), ("utf-8", None), ("utf-8", "936")])  # fmt: skip
def test_a_shapefile_is_the_same_whatever_it_states(
    tmp_path: Path, driver_byte: int, encoding: str, cpg: str | None
) -> None:
    path = desk.write_shapefile(tmp_path, cpg=cpg, driver_byte=driver_byte, encoding=encoding)
    assert [row["名称"] for row in rows_of(path)] == desk.NAMES
    (source,) = open_sources(path)
    assert encoding.upper() in notes_of(source)[0]


def test_a_named_encoding_overrides(tmp_path: Path) -> None:
    path = desk.write_shapefile(tmp_path, cpg=None, driver_byte=0)
    (source,) = open_sources(path, encoding="big5")
    assert notes_of(source) == ("texts read as BIG5: as asked for",)
    with pytest.raises(FormatError, match="write it as UTF-8, GBK"):
        open_sources(path, encoding="klingon")


def test_a_mapinfo_table_with_a_wrong_charset(tmp_path: Path) -> None:
    path = WRITERS["a.tab"](tmp_path / "a.tab")
    path.write_bytes(path.read_bytes().replace(b"WindowsSimpChinese", b"Neutral"))
    assert [row["名称"] for row in rows_of(path)] == desk.NAMES


def test_columns_are_named_where_no_heading_tells_a_place(tmp_path: Path) -> None:
    path = desk.write_csv(tmp_path / "a.csv", x="甲", y="乙")
    with pytest.raises(FormatError, match=r"no column tells a place; name them, e\.g\. --columns x=经度,y=纬度"):
        open_sources(path)
    assert len(rows_of(path, columns=Columns(x="甲", y="乙"))) == 3
    (tmp_path / "b.csv").write_text("名称,地址\n甲,乐清市乐成街道1号\n")
    with pytest.raises(FormatError, match=r"no coordinates, only addresses \(地址\)"):
        open_sources(tmp_path / "b.csv")


def test_degrees_minutes_and_seconds(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('名称,东经,北纬\n甲,120°57′43.56″,"28°7\'5.88""N"\n乙,,\n')
    first, second = rows_of(tmp_path / "a.csv")
    assert shapely.from_wkb(first["geometry"]).distance(shapely.Point(120.9621, 28.1183)) < 1e-9
    assert second["geometry"] is None


def test_a_row_with_other_columns_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("名称,经度,纬度\n甲,120,28\n乙,丙,120,28\n")
    with pytest.raises(FormatError, match=r"a row has 4 columns where the heading has 3 \('乙,丙,120,28'\)"):
        open_sources(tmp_path / "a.csv")


def test_types_are_those_of_every_value(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "代码,身份,层数,面积,经度,纬度\n0101,330382199001011234,3,1.5,120,28\n0102,330382199001011235,4,,120,28\n"
    )
    (source,) = open_sources(tmp_path / "a.csv")
    kinds = {field.name: str(field.type) for field in source.schema}
    assert kinds == {"代码": "string", "身份": "string", "层数": "int64", "面积": "double", "geometry": "binary"}


@pytest.mark.parametrize(("prefixed", "crs"), [(True, "EPSG:4528"), (False, "EPSG:4549")])
def test_a_land_survey_is_read_north_first(tmp_path: Path, prefixed: bool, crs: str) -> None:
    (source,) = open_sources(desk.write_survey(tmp_path / "a.txt", prefixed=prefixed))
    assert source.crs == crs
    (row,) = [row for batch in source.read() for row in batch.to_pylist()]
    assert row["地块名称"] == "第一中学"
    assert shapely.from_wkb(row["geometry"]).area == pytest.approx(40 * 30 - 100, abs=0.1)
    (made,) = mapped(source, part(), PINGYANG)
    (shape,) = shapely.from_wkb(made.rows.column("geom").to_pylist())
    assert shape.distance(shapely.Point(desk.PLACES[0])) < 1e-5


def test_a_survey_that_contradicts_itself(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"states 带号=39, but its eastings .* begin with 40"):
        open_sources(desk.write_survey(tmp_path / "a.txt", belt="39"))


def test_grids_of_heights(tmp_path: Path) -> None:
    (tmp_path / "a.asc").write_text(
        "ncols 3\nnrows 2\nxllcorner 120.9\nyllcorner 28.1\ncellsize 0.01\nNODATA_value -9999\n1 2 3\n4 5 6\n"
    )
    (source,) = open_sources(tmp_path / "a.asc", crs="EPSG:4490")
    (row,) = [row for batch in source.read() for row in batch.to_pylist()]
    assert (row["class"], row["nodata"]) == ("dtm", -9999)
    assert source.write_cog(tmp_path).is_file()  # type: ignore[attr-defined]


def write_netcdf(path: Path, *variables: str) -> Path:
    """Grids of three by two cells, as models write them: the southernmost row first, no CRS but degrees."""
    with netcdf_file(path, "w") as file:
        for name, values, unit in (
            ("lat", [28.1, 28.2], "degrees_north"),
            ("lon", [120.9, 121.0, 121.1], "degrees_east"),
        ):
            file.createDimension(name, len(values))
            axis = file.createVariable(name, "f8", (name,))
            axis[:], axis.units, axis.standard_name = values, unit, {"lat": "latitude", "lon": "longitude"}[name]
        for number, name in enumerate(variables):
            grid = file.createVariable(name, "f4", ("lat", "lon"))
            grid[:] = np.arange(6).reshape(2, 3) + 10 * number
    return path


def test_grids_of_models(tmp_path: Path) -> None:
    """One variable is read as it is, of several one is named; each has its own cells, the northern row on top."""
    path = write_netcdf(tmp_path / "a.nc", "elevation", "depth")
    with pytest.raises(FormatError, match="several variables; choose one with --layer: elevation, depth"):
        open_sources(path, crs="EPSG:4490")
    for number, name in enumerate(("elevation", "depth")):
        (source,) = open_sources(path, crs="EPSG:4490", layer=name)
        with rasterio.open(source.write_cog(tmp_path)) as cells:  # type: ignore[attr-defined]
            assert [value[0] for value in cells.sample([(120.9, 28.2), (121.1, 28.1)])] == [
                3 + 10 * number,
                2 + 10 * number,
            ]
    (alone,) = open_sources(write_netcdf(tmp_path / "b.nc", "elevation"), crs="EPSG:4490")
    (row,) = [row for batch in alone.read() for row in batch.to_pylist()]
    assert (row["class"], shapely.from_wkb(row["geometry"]).bounds) == (
        "dtm",
        pytest.approx((120.85, 28.05, 121.15, 28.25)),
    )
