"""WFS clients read the town: GDAL, OWSLib and QGIS find what SQL finds, in its place in every CRS and both versions."""

import json
import shutil
import subprocess
from typing import Any

import geopandas
import numpy as np
import psycopg
import pyogrio
import pytest
import shapely
from lxml import etree
from owslib.fes2 import And, BBox, PropertyIsGreaterThan, PropertyIsLike
from owslib.util import ServiceException
from owslib.wfs import WebFeatureService
from pyproj import Transformer

from tests import town

SYSTEM_PYTHON = "/usr/bin/python3"
STANDING_SQL = """
    select height, name, storeys, st_asbinary(geom) from building
    where recorded_to = 'infinity' and plan_id is null and (valid_from is null or valid_from <= now())
      and (valid_to is null or valid_to > now()) order by height
"""
VERSIONS = ("2.0.0", "1.1.0")


@pytest.fixture(scope="module")
def rows(town_url: str) -> list[tuple[Any, ...]]:
    """The buildings as SQL has them: height, name, storeys and geometry in degrees."""
    with psycopg.connect(town_url) as connection:
        return connection.execute(STANDING_SQL).fetchall()


def read(server: str, layer: str = "city:buildings", query: str = "", **options: Any) -> geopandas.GeoDataFrame:
    """A feature type as GDAL reads it, in order of height."""
    return pyogrio.read_dataframe(f"WFS:{server}/wfs?{query}", layer=layer, **options).sort_values(
        "height", ignore_index=True
    )


# --- GDAL


@pytest.mark.parametrize("version", VERSIONS)
def test_gdal_finds_what_sql_finds(town_server: str, rows: list[tuple[Any, ...]], version: str) -> None:
    frame = read(town_server, query=f"VERSION={version}")
    assert frame.height.tolist() == [row[0] for row in rows]
    assert [name if isinstance(name, str) else None for name in frame.name] == [row[1] for row in rows]
    assert frame.storeys.tolist() == [row[2] for row in rows]
    assert frame.gml_id.tolist() == [f"buildings.{height:.0f}" for height in frame.height]
    apart = shapely.hausdorff_distance(frame.geometry.values, shapely.from_wkb([row[3] for row in rows]))
    assert apart.max() < 1e-9


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "srs",
    [
        "urn:ogc:def:crs:EPSG::4326", "urn:ogc:def:crs:EPSG::4490", "urn:ogc:def:crs:EPSG::4549",
        "urn:ogc:def:crs:EPSG::3857", "EPSG:4326", "EPSG:4549", "EPSG:3857",
    ],
)  # fmt: skip
def test_gdal_reads_every_crs(town_server: str, rows: list[tuple[Any, ...]], srs: str, version: str) -> None:
    """To a millimetre, with east and north in their places, whichever way the CRS is named."""
    frame = read(town_server, query=f"VERSION={version}&SRSNAME={srs}")
    code = int(srs.rpartition(":")[2])
    assert frame.crs.to_epsg() == code
    source = 4490 if code in (4490, 4549) else 4326
    turn = Transformer.from_crs(source, code, always_xy=True)
    expected = shapely.transform(shapely.from_wkb([row[3] for row in rows]), turn.transform, interleaved=False)
    apart = shapely.hausdorff_distance(frame.geometry.values, expected).max()
    assert apart < (1e-8 if frame.crs.is_geographic else 1e-3)


@pytest.mark.parametrize("version", VERSIONS)
def test_gdal_asks_for_boxes_and_conditions(town_server: str, version: str) -> None:
    query = f"VERSION={version}"
    assert read(town_server, query=query, bbox=(120.9499, 28.0999, 120.9515, 28.1005)).height.tolist() == [1, 2]
    where = "height > 30 AND (name LIKE '海%' OR function = 'commercial')"
    assert read(town_server, query=query, where=where).height.tolist() == [31, 32, 33, 35, 36, 37, 40]


def test_gdal_counts_without_reading(town_server: str) -> None:
    """By resultType=hits."""
    done = subprocess.run(
        ["ogrinfo", "-ro", "-so", "--debug", "on", f"WFS:{town_server}/wfs", "city:buildings"],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert f"Feature Count: {town.STANDING}" in done.stdout
    assert "RESULTTYPE=hits" in done.stderr
    assert "ERROR" not in done.stderr


def test_gdal_pages(town_server: str) -> None:
    """In pages of seven, every object once."""
    frame = read(town_server, query="VERSION=2.0.0&COUNT=7")
    assert len(frame) == 7
    done = subprocess.run(
        ["ogrinfo", "-ro", "-al", "-q", "--debug", "on", "--config", "OGR_WFS_PAGE_SIZE", "7",
         f"WFS:{town_server}/wfs", "city:buildings"],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    assert done.stdout.count("OGRFeature(") == town.STANDING
    assert "STARTINDEX=35" in done.stderr


# --- OWSLib


@pytest.mark.parametrize("version", VERSIONS)
def test_owslib_reads_what_there_is(town_server: str, version: str) -> None:
    service = WebFeatureService(f"{town_server}/wfs", version=version)
    assert service.identification.title == "Testing"
    buildings = service["city:buildings"]
    assert buildings.title == "Buildings"
    assert buildings.boundingBoxWGS84[:2] == (120.95, 28.1)
    assert {4326, 4490, 4549, 3857} <= {crs.code for crs in buildings.crsOptions if crs.authority == "EPSG"}
    schema = service.get_schema("city:buildings")
    assert schema["properties"]["height"] == "double"
    assert schema["geometry_column"] == "geom"


def test_owslib_asks_in_fes(town_server: str) -> None:
    service = WebFeatureService(f"{town_server}/wfs", version="2.0.0")
    box = BBox([28.0999, 120.9499, 28.5, 121.0], "urn:ogc:def:crs:EPSG::4490")
    like = PropertyIsLike("name", "海晏楼3?", wildCard="*", singleChar="?", escapeChar="!")
    condition = And([PropertyIsGreaterThan("height", "20"), like, box]).toXML()
    wrapped = f'<Filter xmlns="http://www.opengis.net/fes/2.0">{etree.tostring(condition, encoding="unicode")}</Filter>'
    answer = service.getfeature(["city:buildings"], filter=wrapped, method="Post", outputFormat="application/json")
    found = json.loads(answer.read())
    assert sorted(each["properties"]["height"] for each in found["features"]) == [32, 36]


def test_owslib_asks_by_box_and_stored_query(town_server: str) -> None:
    service = WebFeatureService(f"{town_server}/wfs", version="2.0.0")
    # East first, whatever the CRS: OWSLib turns it as the CRS wants.
    box = (120.9499, 28.0999, 120.9515, 28.1005, "urn:ogc:def:crs:EPSG::4490")
    found = service.getfeature(typename=["city:buildings"], bbox=box, outputFormat="application/json").read()
    assert [each["id"] for each in json.loads(found)["features"]] == [1, 2]
    assert [query.id for query in service.storedqueries] == ["urn:ogc:def:query:OGC-WFS::GetFeatureById"]
    one = service.getfeature(
        storedQueryID="urn:ogc:def:query:OGC-WFS::GetFeatureById", storedQueryParams={"id": "buildings.4"}
    ).read()
    assert b"buildings.4.geom" in (one if isinstance(one, bytes) else one.encode())


def test_owslib_understands_refusals(town_server: str) -> None:
    service = WebFeatureService(f"{town_server}/wfs", version="2.0.0")
    with pytest.raises(ServiceException, match="castles"):
        service.getfeature(typename="city:castles").read()


# --- QGIS

# What QGIS brings its own Python for; prints what it found as JSON.
SCRIPT = """
import json, os, sys
from qgis.core import QgsApplication, QgsExpression, QgsFeatureRequest, QgsRectangle, QgsVectorLayer
QgsApplication.setPrefixPath("/usr", True)
application = QgsApplication([], False)
application.initQgis()
told = {}
for version in ("2.0.0", "1.1.0"):
    for crs in ("EPSG:4490", "EPSG:4326", "EPSG:4549", "EPSG:3857"):
        uri = (f" pagingEnabled='true' maxNumFeatures='0' pageSize='7' srsname='{crs}' typename='city:buildings'"
               f" url='{sys.argv[1]}/wfs' version='{version}' restrictToRequestBBOX='1'")
        layer = QgsVectorLayer(uri, "layer", "WFS")
        found = {"valid": layer.isValid(), "crs": layer.crs().authid(), "error": layer.error().message()}
        found["heights"] = sorted(feature["height"] for feature in layer.getFeatures())
        found["count"] = layer.featureCount()
        tall = QgsFeatureRequest(QgsExpression('"height" > 37'))
        found["tall"] = sorted(feature["height"] for feature in layer.getFeatures(tall))
        first = [f for f in layer.getFeatures() if f["height"] == 4][0].geometry().boundingBox()
        found["box"] = [first.xMinimum(), first.yMinimum(), first.xMaximum(), first.yMaximum()]
        near = QgsFeatureRequest(first)
        found["in the box"] = sorted(feature["height"] for feature in layer.getFeatures(near))
        told[f"{version} {crs}"] = found
print(json.dumps(told), flush=True)
# Its threads do not always survive the interpreter's own end.
os._exit(0)
"""


@pytest.fixture(scope="module")
def qgis(town_server: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What QGIS tells of the buildings, by version and CRS."""
    if shutil.which("qgis_process") is None:
        pytest.skip("python3-qgis is not installed")
    home = str(tmp_path_factory.mktemp("qgis"))
    done = subprocess.run(
        [SYSTEM_PYTHON, "-c", SCRIPT, town_server],
        env={"PATH": "/usr/bin:/bin", "QT_QPA_PLATFORM": "offscreen", "HOME": home},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("code", [4490, 4326, 4549, 3857])
def test_qgis_reads_the_town_in_its_place(qgis: dict[str, Any], version: str, code: int) -> None:
    found = qgis[f"{version} EPSG:{code}"]
    assert found["valid"], found["error"]
    assert found["crs"] == f"EPSG:{code}"
    assert found["heights"] == [*range(1, 39), 40]
    assert found["count"] == town.STANDING
    assert found["tall"] == [38, 40]
    assert found["in the box"] == [4]
    turn = Transformer.from_crs(4490 if code in (4490, 4549) else 4326, code, always_xy=True)
    corners = np.array([turn.transform(*each) for each in ((120.953, 28.1), (120.9534, 28.1), (120.953, 28.1004))])
    west, south = corners.min(axis=0)
    assert found["box"][:2] == pytest.approx([west, south], abs=1e-8 if code in (4326, 4490) else 0.1)
