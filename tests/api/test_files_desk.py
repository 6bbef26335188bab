"""The formats of desks, handed out and read back."""

import zipfile
from io import BytesIO
from pathlib import Path

import httpx
import numpy as np
import pytest
import shapely
from pyproj import Transformer

from layers.formats import open_sources
from tests import town

ITEMS = "/collections/buildings/items"


async def fetched(client: httpx.AsyncClient, path: Path, form: str, **parameters: str) -> list[dict[str, object]]:
    answer = await client.get(parameters.pop("items", ITEMS), params={"f": form, **parameters})
    assert answer.status_code == 200, answer.text
    return read(path, answer.content)


def read(path: Path, content: bytes) -> list[dict[str, object]]:
    path.write_bytes(content)
    return [
        row for source in open_sources(path, crs="EPSG:4326") for batch in source.read() for row in batch.to_pylist()
    ]


@pytest.mark.parametrize(
    ("form", "suffix"), [("kml", "kml"), ("xlsx", "xlsx"), ("mapinfo", "zip"), ("gdb", "zip"), ("gpx", "gpx")]
)
async def test_what_is_handed_out_comes_in_again(
    client: httpx.AsyncClient, tmp_path: Path, form: str, suffix: str
) -> None:
    rows = await fetched(client, tmp_path / f"a.{suffix}", form)
    assert len(rows) == town.STANDING
    assert {"海晏楼4", "海晏楼8"} <= {str(row.get("name") or row.get("Name")) for row in rows}
    page = (await client.get(ITEMS, params={"limit": 1000})).json()
    truth = shapely.union_all([shapely.geometry.shape(f["geometry"]) for f in page["features"]])
    found = shapely.union_all(shapely.from_wkb([row["geometry"] for row in rows]))
    assert shapely.distance(found, truth) == 0
    assert np.allclose(found.bounds, truth.bounds, atol=3e-4)


async def test_a_drawing_has_a_layer_for_each_class(client: httpx.AsyncClient, tmp_path: Path) -> None:
    rows = await fetched(client, tmp_path / "a.dxf", "dxf", crs="EPSG:4549")
    outlines = [row for row in rows if not row["Text"]]
    assert len(outlines) == town.STANDING
    assert {row["Layer"] for row in rows} == {"Building"}
    assert "海晏楼4" in {row["Text"] for row in rows}
    x, y = Transformer.from_crs("EPSG:4490", "EPSG:4549", always_xy=True).transform(town.WEST, town.SOUTH)
    west, south, *_ = shapely.from_wkb(outlines[0]["geometry"]).bounds
    assert (west, south) == pytest.approx((x, y), abs=1)


async def test_kml_is_in_degrees_and_says_so(client: httpx.AsyncClient, tmp_path: Path) -> None:
    answer = await client.get(ITEMS, params={"f": "kml", "crs": "EPSG:4549"})
    assert answer.headers["content-crs"] == "<http://www.opengis.net/def/crs/OGC/1.3/CRS84>"
    assert b"120.95" in answer.content


@pytest.mark.parametrize("form", ["kml", "gpx", "dxf", "mapinfo"])
async def test_a_drawing_without_shapes_is_refused(client: httpx.AsyncClient, form: str) -> None:
    answer = await client.get(ITEMS, params={"f": form, "skipGeometry": "true"})
    assert answer.status_code == 400
    assert "skipGeometry" in answer.json()["detail"]


async def test_a_geodatabase_is_one_folder_in_its_zip(client: httpx.AsyncClient) -> None:
    answer = await client.get(ITEMS, params={"f": "gdb"})
    with zipfile.ZipFile(BytesIO(answer.content)) as archive:
        assert {name.split("/")[0] for name in archive.namelist()} == {"buildings.gdb"}
