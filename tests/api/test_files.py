"""A layer as a file in every format, read back by GDAL and Arrow: the same rows, the right CRS, nothing lost."""

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import geopandas
import httpx
import numpy as np
import pandas as pd
import pyarrow.parquet
import pyogrio
import pytest
import shapely
from pyproj import CRS, Transformer

from layers.formats.write import FORMATS
from layers.formats.write import spool as spool_module
from tests import town

ITEMS = "/collections/buildings/items"
FACILITIES = "/collections/facilities/items"
BY_GDAL = ("geojson", "gpkg", "fgb", "gml", "shp")
SUFFIXES = {"geojson": ".geojson", "gpkg": ".gpkg", "fgb": ".fgb", "parquet": ".parquet", "csv": ".csv", "gml": ".gml",
            "shp": ".zip"}  # fmt: skip


async def fetch(client: httpx.AsyncClient, folder: Path, form: str, path: str = ITEMS, **parameters: Any) -> Path:
    answer = await client.get(path, params={"f": form, **parameters})
    assert answer.status_code == 200, answer.text
    assert int(answer.headers.get("content-length", len(answer.content))) > 0
    file = folder / f"layer{SUFFIXES[form]}"
    file.write_bytes(answer.content)
    return file


def read(file: Path) -> geopandas.GeoDataFrame:
    if file.suffix == ".parquet":
        return geopandas.read_parquet(file)
    if file.suffix == ".csv":
        frame = pd.read_csv(file, encoding="utf-8-sig")
        return geopandas.GeoDataFrame(frame, geometry=geopandas.GeoSeries.from_wkt(frame.pop("geometry"), crs=4326))
    return pyogrio.read_dataframe(file)


@pytest.fixture(scope="module")
async def truth(client: httpx.AsyncClient) -> geopandas.GeoDataFrame:
    """All buildings as the pages tell them."""
    page = (await client.get(ITEMS, params={"limit": 1000})).json()
    frame = geopandas.GeoDataFrame.from_features(page["features"], crs=4326)
    frame["object_id"] = [feature["id"] for feature in page["features"]]
    return frame.sort_values("object_id", ignore_index=True)


@pytest.mark.parametrize("form", SUFFIXES)
async def test_what_is_read_back_is_what_stands(
    client: httpx.AsyncClient, tmp_path: Path, truth: geopandas.GeoDataFrame, form: str
) -> None:
    frame = read(await fetch(client, tmp_path, form))
    assert len(frame) == town.STANDING
    assert CRS(frame.crs).equals(CRS(4326), ignore_axis_order=True) or frame.crs.to_epsg() == 4326
    if form == "geojson":
        frame["object_id"] = frame.pop("id") if "id" in frame else frame.index
        page = json.loads((tmp_path / "layer.geojson").read_bytes())
        frame["object_id"] = [feature["id"] for feature in page["features"]]
    frame = frame.sort_values("object_id", ignore_index=True)
    assert frame.object_id.astype(int).tolist() == truth.object_id.tolist()
    for name in ("name", "height", "storeys", "function", "year_built"):
        column = frame[name].astype(object).where(frame[name].notna(), None)
        expected = truth[name].astype(object).where(truth[name].notna(), None)
        assert column.tolist() == expected.tolist(), name
    # Shapefile makes a polygon of a multipolygon of one.
    apart = shapely.hausdorff_distance(frame.geometry.values, truth.geometry.values)
    assert apart.max() < 1e-9
    assert shapely.area(frame.geometry.values) == pytest.approx(shapely.area(truth.geometry.values))
    attributes = frame.get("attributes")
    if attributes is not None and isinstance(attributes.iloc[0], str):
        assert json.loads(attributes.iloc[3]) == {"cadastre": "C-4"}


@pytest.mark.parametrize("form", [*BY_GDAL[1:], "parquet"])
@pytest.mark.parametrize("code", [4490, 4549, 3857])
async def test_a_file_in_another_crs(
    client: httpx.AsyncClient, tmp_path: Path, truth: geopandas.GeoDataFrame, form: str, code: int
) -> None:
    """The file says its CRS, and a program that believes it finds the buildings where they are."""
    frame = read(await fetch(client, tmp_path, form, crs=f"EPSG:{code}"))
    # Shapefile keeps the CRS in ESRI's words.
    assert CRS(frame.crs).to_epsg(min_confidence=60) == code
    source = 4490 if code in (4490, 4549) else 4326
    back = Transformer.from_crs(code, source, always_xy=True)
    points = shapely.get_coordinates(frame.sort_values("object_id").geometry.values)
    places = np.column_stack(back.transform(points[:, 0], points[:, 1]))
    assert np.abs(places - np.array([120.955, 28.102])).max() < 0.01
    assert shapely.bounds(shapely.multipoints(places)) == pytest.approx(truth.total_bounds, abs=2e-9)


async def test_a_spreadsheet_opens_it(client: httpx.AsyncClient, tmp_path: Path) -> None:
    """UTF-8 with a byte order mark, as Excel needs for Chinese; RFC 4180; times as text."""
    answer = await client.get(ITEMS, params={"f": "csv", "filter": "name LIKE '海%' OR height = 40"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="buildings.csv"'
    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["name"] for row in rows[:2]] == ["海晏楼4", "海晏楼8"]
    assert rows[-1]["valid_from"].startswith("2019-12-31 16:00:00")
    assert rows[0]["geometry"].startswith("MULTIPOLYGON (((120.953")


async def test_a_shapefile_says_its_encoding(client: httpx.AsyncClient, tmp_path: Path) -> None:
    file = await fetch(client, tmp_path, "shp")
    with zipfile.ZipFile(file) as archive:
        assert {Path(name).suffix for name in archive.namelist()} == {".shp", ".shx", ".dbf", ".prj", ".cpg"}
        assert archive.read("buildings.cpg") == b"UTF-8"


async def test_a_layer_of_many_kinds_is_several_shapefiles(client: httpx.AsyncClient, tmp_path: Path) -> None:
    file = await fetch(client, tmp_path, "shp", FACILITIES)
    with zipfile.ZipFile(file) as archive:
        assert "facilities_point.shp" in archive.namelist()
    assert sorted(pyogrio.read_dataframe(file).capacity) == [120, 400, 900]


@pytest.mark.parametrize("form", SUFFIXES)
async def test_an_empty_selection_is_an_empty_file(client: httpx.AsyncClient, tmp_path: Path, form: str) -> None:
    file = await fetch(client, tmp_path, form, filter="height > 1000")
    frame = read(file) if form not in ("geojson", "gml", "csv") else []
    assert len(frame) == 0


async def test_a_selection_is_a_selection_in_a_file_too(client: httpx.AsyncClient, tmp_path: Path) -> None:
    frame = read(
        await fetch(client, tmp_path, "gpkg", filter="height < 20", sortby="-height", limit=3, properties="height")
    )
    assert frame.height.tolist() == [19, 18, 17]
    assert set(frame.columns) == {"object_id", "height", "geometry"}
    bare = await client.get(ITEMS, params={"f": "csv", "skipGeometry": "true", "properties": "height", "limit": "2"})
    assert bare.content.decode("utf-8-sig").splitlines() == ['"object_id","height"', "1,1", "2,2"]
    past = read(await fetch(client, tmp_path, "parquet", datetime="2010-01-01"))
    assert 39 in past.height.tolist()


async def test_geoparquet_says_what_it_holds(client: httpx.AsyncClient, tmp_path: Path) -> None:
    """GeoParquet 1.1: version, primary column, kinds, box and CRS as PROJJSON."""
    file = await fetch(client, tmp_path, "parquet")
    geo = json.loads(pyarrow.parquet.read_metadata(file).metadata[b"geo"])
    column = geo["columns"][geo["primary_column"]]
    assert (geo["version"], column["encoding"], column["geometry_types"]) == ("1.1.0", "WKB", ["MultiPolygon"])
    assert column["bbox"] == pytest.approx([120.95, 28.1, 120.9594, 28.1034])
    assert column["crs"]["id"] == {"authority": "OGC", "code": "CRS84"}


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("text/csv", "text/csv; charset=utf-8"),
        ("application/geopackage+sqlite3", "application/geopackage+sqlite3"),
        ("application/gml+xml;q=0.9, text/html;q=0.5", "application/gml+xml"),
        ("application/flatgeobuf, */*;q=0.1", "application/flatgeobuf"),
        ("*/*", "application/geo+json"),
        ("application/json", "application/geo+json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html; charset=utf-8"),
        ("image/png", "application/geo+json"),
    ],
)
async def test_the_accept_header_decides(client: httpx.AsyncClient, accept: str, kind: str) -> None:
    answer = await client.get(ITEMS, headers={"Accept": accept})
    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)


async def test_every_format_is_linked(client: httpx.AsyncClient) -> None:
    page = (await client.get(ITEMS, params={"limit": 2, "filter": "height < 20"})).json()
    found = {link["type"]: link["href"] for link in page["links"] if link["rel"] == "enclosure"}
    assert set(found) == {form.media_type for form in FORMATS.values()}
    answer = await client.get(found["text/csv"])
    assert len(answer.content.decode().splitlines()) == 20


async def test_too_much_is_refused_and_not_cut(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_module, "MOST_ROWS", 20)
    for form in ("csv", "geojson"):
        answer = await client.get(ITEMS, params={"f": form})
        assert answer.status_code == 413
        assert "narrow" in answer.json()["detail"]
    assert (await client.get(ITEMS, params={"f": "csv", "limit": 30})).status_code == 200


async def test_files_are_no_way_round_access(client: httpx.AsyncClient) -> None:
    for form in SUFFIXES:
        assert (await client.get("/collections/utility_pipes/items", params={"f": form})).status_code == 404
    assert (await client.get(ITEMS, params={"f": "exe"})).status_code == 400
    assert (await client.get(ITEMS, params={"f": "csv", "cursor": "WzEsW10sMSx0cnVlXQ"})).status_code == 400
