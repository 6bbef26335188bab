"""GetFeatureInfo: what lies under a pixel (OGC 06-042, 7.4; 01-068r3, 7.3); legends and descriptions of layers."""

import io
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psycopg
import pytest
import rasterio
from lxml import etree
from PIL import Image
from pyproj import Transformer
from rasterio.transform import from_bounds

from api.app import create_app
from tests import town
from tests.api.conftest import BASE, Places, bearer, client_of
from tests.api.wms import FRAME, SCHEMAS, fault, get, tree
from twin.directory import CityPlace
from twin.settings import Settings

INFO = FRAME | {
    "REQUEST": "GetFeatureInfo",
    "LAYERS": "buildings,facilities",
    "STYLES": "",
    "QUERY_LAYERS": "buildings",
    "INFO_FORMAT": "application/json",
}


def pixel(lon: float, lat: float) -> dict[str, str]:
    """I and J of a place on the town's usual frame, 100,000 pixels to the degree."""
    return {"I": str(int((lon - 120.949) * 1e5)), "J": str(int((28.105 - lat) * 1e5))}


B1 = pixel(120.9502, 28.1002)
SCHOOL = pixel(120.9512, 28.1012)
BARE = pixel(120.9507, 28.1007)


async def info(client: httpx.AsyncClient, **changed: Any) -> httpx.Response:
    return await get(client, INFO | changed)


async def heights(client: httpx.AsyncClient, **changed: Any) -> list[float]:
    """Of the buildings that are found, in the order they are told."""
    answer = await info(client, **changed)
    return [feature["properties"]["height"] for feature in answer.json()["features"]]


# --- which object


async def test_the_object_under_the_pixel(client: httpx.AsyncClient) -> None:
    document = (await info(client, **B1)).json()
    (feature,) = document["features"]
    assert feature["properties"]["height"] == 1
    assert feature["id"].startswith("buildings.")
    assert document["numberReturned"] == 1


@pytest.mark.parametrize(("version", "names"), [("1.3.0", "IJ"), ("1.1.1", "XY"), ("1.3.0", "XY"), ("1.1.1", "IJ")])
async def test_the_pixel_has_two_names(client: httpx.AsyncClient, version: str, names: str) -> None:
    """7.4.3.7: I, J; 01-068r3, 7.3.3.7: X, Y. Both are read in both."""
    place = {names[0]: B1["I"], names[1]: B1["J"], "VERSION": version, "SRS": "EPSG:4326", "CRS": "CRS:84"}
    if version == "1.1.1":
        place.pop("CRS")
    assert await heights(client, **place) == [1]


@pytest.mark.parametrize(
    ("crs", "official"), [("EPSG:4490", True), ("EPSG:4549", True), ("EPSG:3857", False), ("EPSG:32651", False)]
)
async def test_the_same_object_in_every_crs(client: httpx.AsyncClient, crs: str, official: bool) -> None:
    """Its outline comes in the CRS of the map, x before y, as the `crs` member says."""
    turn = Transformer.from_crs("OGC:CRS84", crs, always_xy=True)
    (west, east), (south, north) = turn.transform([120.9499, 120.9505], [28.0999, 28.1005])
    box = (south, west, north, east) if official else (west, south, east, north)
    frame = {"CRS": crs, "BBOX": ",".join(map(repr, box)), "WIDTH": "60", "HEIGHT": "60"}
    document = (await info(client, **frame, I="30", J="30")).json()
    (feature,) = document["features"]
    assert feature["properties"]["height"] == 1
    assert document["crs"]["properties"]["name"].endswith(crs.partition(":")[2])
    corner = feature["geometry"]["coordinates"][0][0][0]
    assert corner == pytest.approx(turn.transform(120.95, 28.1), abs=1e-3 if crs != "EPSG:4490" else 1e-9)


async def test_a_fill_ends_where_the_object_does(client: httpx.AsyncClient) -> None:
    """b1 ends at pixel 140; what a pixel further is drawn is bare."""
    assert await heights(client, I="139", J=B1["J"]) == [1]
    assert await heights(client, I="142", J=B1["J"]) == []
    assert await heights(client, **BARE) == []


async def test_a_symbol_is_as_large_as_it_is_drawn(client: httpx.AsyncClient) -> None:
    """A school is a point drawn as a circle: its rim counts, and a little more for the hand."""
    column, row = int(SCHOOL["I"]), int(SCHOOL["J"])
    hits = []
    for aside in range(0, 30, 2):
        answer = await info(client, QUERY_LAYERS="facilities", I=str(column + aside), J=str(row))
        hits.append(len(answer.json()["features"]))
    assert hits[:4] == [1] * 4
    assert hits[-4:] == [0] * 4
    assert hits == sorted(hits, reverse=True)


async def test_a_buffer_reaches_further(client: httpx.AsyncClient) -> None:
    """GeoServer's BUFFER: pixels around the point, here from between four buildings, 50 pixels from each."""
    assert await heights(client, **BARE, BUFFER="20", FEATURE_COUNT="9") == []
    assert sorted(await heights(client, **BARE, BUFFER="50", FEATURE_COUNT="9")) == [1, 2, 11, 12]
    assert await heights(client, I="142", J=B1["J"], BUFFER="0") == []


async def test_the_nearest_come_first(client: httpx.AsyncClient) -> None:
    place = {"I": "145", "J": B1["J"], "BUFFER": "100"}
    assert (await heights(client, **place, FEATURE_COUNT="2")) == [1, 2]
    assert (await heights(client, **place)) == [1]
    assert len(await heights(client, **place, FEATURE_COUNT="100")) >= 4


async def test_several_layers_are_told_in_their_order(client: httpx.AsyncClient) -> None:
    """7.4.3.4; FEATURE_COUNT counts for each of them (7.4.3.6)."""
    for layers in ("buildings,facilities", "facilities,buildings"):
        document = (await info(client, QUERY_LAYERS=layers, **SCHOOL)).json()
        assert [feature["id"].partition(".")[0] for feature in document["features"]] == layers.split(",")
    theme = (await info(client, LAYERS="theme:all", QUERY_LAYERS="theme:all", **SCHOOL)).json()
    assert [feature["id"].partition(".")[0] for feature in theme["features"]] == ["facilities", "buildings"]


async def test_it_asks_the_map_that_is_seen(client: httpx.AsyncClient) -> None:
    """Filters, time and plan of the map hold for what is asked of it."""
    assert await heights(client, LAYERS="buildings", CQL_FILTER="height > 1", **B1) == []
    assert await heights(client, PLAN="1", **pixel(120.9607, 28.1002)) == [100]
    fallen = pixel(120.9582, 28.1032)
    assert await heights(client, **fallen) == []
    assert await heights(client, **fallen, TIME="2012-01-01") == [39]


async def test_who_may_see_less_is_told_less(client: httpx.AsyncClient, tokens: town.Tokens) -> None:
    b38 = pixel(120.9572, 28.1032)
    assert await heights(client, **b38) == [38]
    answer = await get(client, INFO | b38 | {"LAYERS": "buildings"}, **bearer(tokens.township))
    assert answer.json()["features"] == []
    assert fault(await info(client, QUERY_LAYERS="utility_pipes", **B1))[0] == "LayerNotDefined"


# --- formats


async def test_plain_text(client: httpx.AsyncClient) -> None:
    answer = await info(client, INFO_FORMAT="text/plain", LANGUAGE="zh", **SCHOOL)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert "海晏楼12" in answer.text
    assert "高度 = 12 m" in answer.text
    assert "此处没有对象" in (await info(client, INFO_FORMAT="text/plain", LANGUAGE="zh", **BARE)).text
    older = INFO | {
        "VERSION": "1.1.1",
        "SRS": "EPSG:4326",
        "CRS": None,
        "INFO_FORMAT": None,
        "X": B1["I"],
        "Y": B1["J"],
    }
    assert (await get(client, older)).headers["content-type"].startswith("text/plain")


async def test_html(client: httpx.AsyncClient, town_url: str) -> None:
    answer = await info(client, INFO_FORMAT="text/html", **B1)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    root = etree.fromstring(answer.content, etree.HTMLParser())
    cells = {row.findtext("th"): row.findtext("td") for row in root.iter("tr")}
    assert cells["Height"] == "1 m"
    assert cells["Function"] == "Commercial"
    (address,) = [each.get("href") for each in root.iter("a")]
    assert (await client.get(address)).status_code == 200


async def test_markup_in_the_data_stays_text(city_url: str, settings: Settings) -> None:
    town.fill(city_url)
    with psycopg.connect(city_url, autocommit=True) as connection:
        connection.execute(
            "update building set name = '<script>alert(1)</script>\x0b]]>', attributes = '{\"a b<c\": \"&\"}'"
        )
    async with client_of(create_app(settings, Places(CityPlace("odd", city_url, Path("unused"))))) as client:
        html = await info(client, INFO_FORMAT="text/html", **B1)
        assert "<script" not in html.text
        gml = await info(client, INFO_FORMAT="application/vnd.ogc.gml", **B1)
        assert tree(gml).findtext(".//{*}name") == "<script>alert(1)</script>\ufffd]]>"
        assert tree(gml).findtext(".//{*}a_b_c") == "&"


@pytest.mark.parametrize("kind", ["application/json", "application/geo+json", "application/json; charset=utf-8"])
async def test_geojson(client: httpx.AsyncClient, kind: str) -> None:
    answer = await info(client, INFO_FORMAT=kind, **B1)
    assert answer.headers["content-type"] == kind.partition(";")[0]
    assert json.loads(answer.content)["type"] == "FeatureCollection"
    assert (await info(client, INFO_FORMAT=kind, **BARE)).json()["features"] == []


@pytest.mark.parametrize("kind", ["application/vnd.ogc.gml", "gml"])
async def test_gml(client: httpx.AsyncClient, kind: str) -> None:
    root = tree(await info(client, INFO_FORMAT=kind, QUERY_LAYERS="buildings,facilities", **SCHOOL))
    assert root.findtext(".//{*}buildings/{*}height") == "12.0"
    ring = root.findtext(".//{*}buildings//{http://www.opengis.net/gml}coordinates")
    assert ring.startswith("120.951000000,28.101000000 ")
    assert root.findtext(".//{*}facilities//{*}Point/{*}coordinates") == "120.951200000,28.101200000"
    empty = tree(await info(client, INFO_FORMAT=kind, **BARE))
    assert empty.findtext("{*}boundedBy/{*}null") == "unknown"


# --- faults


@pytest.mark.parametrize(
    ("changed", "code", "locator"),
    [
        ({"QUERY_LAYERS": "nowhere"}, "LayerNotDefined", "LAYERS"),
        ({"QUERY_LAYERS": None}, "MissingParameterValue", "QUERY_LAYERS"),
        ({"LAYERS": None}, "MissingParameterValue", "LAYERS"),
        ({"INFO_FORMAT": "image/png"}, "InvalidFormat", "INFO_FORMAT"),
        ({"INFO_FORMAT": None}, "MissingParameterValue", "INFO_FORMAT"),
        ({"I": "1200"}, "InvalidPoint", "I"),
        ({"I": "-1"}, "InvalidPoint", "I"),
        ({"I": "1.5"}, "InvalidPoint", "I"),
        ({"J": "600"}, "InvalidPoint", "J"),
        ({"J": "x"}, "InvalidPoint", "J"),
        ({"J": None}, "MissingParameterValue", "J"),
        ({"FEATURE_COUNT": "0"}, "InvalidParameterValue", "FEATURE_COUNT"),
        ({"FEATURE_COUNT": "many"}, "InvalidParameterValue", "FEATURE_COUNT"),
        ({"BUFFER": "1000"}, "InvalidParameterValue", "BUFFER"),
        ({"BUFFER": "nan"}, "InvalidParameterValue", "BUFFER"),
        ({"CRS": "EPSG:4978"}, "InvalidCRS", "CRS"),
        ({"STYLES": "x"}, "StyleNotDefined", "STYLES"),
        ({"TIME": "soon"}, "InvalidDimensionValue", "TIME"),
    ],
)
async def test_each_fault_has_its_code(
    client: httpx.AsyncClient, changed: dict[str, Any], code: str, locator: str
) -> None:
    """06-042, table E.1."""
    found, _, where = fault(await info(client, **(B1 | changed)))
    assert (found, where) == (code, locator)


async def test_where_nothing_is_nothing_is_told(client: httpx.AsyncClient) -> None:
    for crs, box in (("CRS:84", "200,95,210,100"), ("EPSG:3857", "1e9,1e9,2e9,2e9"), ("EPSG:4549", "0,0,1e7,1e7")):
        answer = await info(client, CRS=crs, BBOX=box, I="5", J="5", QUERY_LAYERS="buildings,terrain")
        assert answer.json()["features"] == []


# --- the terrain


@pytest.fixture(scope="module")
async def hill(
    new_city: Callable[..., str], settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[httpx.AsyncClient]:
    """The town on a slope that rises by 1,000 m to the degree eastwards."""
    url, folder = new_city(), tmp_path_factory.mktemp("files")
    town.fill(url)
    box = (120.90, 28.05, 121.00, 28.15)
    profile = {"driver": "GTiff", "width": 200, "height": 200, "count": 1, "dtype": "float32", "crs": "EPSG:4490"}
    slope = np.tile((np.arange(200) + 0.5) / 200 * 100, (200, 1)).astype("float32")
    with rasterio.open(folder / "slope.tif", "w", transform=from_bounds(*box, 200, 200), **profile) as file:
        file.write(slope, 1)
    with psycopg.connect(url) as connection:
        connection.execute(
            "insert into terrain (dataset_id, uid, content_hash, class, kind, path, resolution, geom)"
            " values (1, 't', '', 'dtm', 'dtm', 'slope.tif', 50, st_multi(st_makeenvelope(%s, %s, %s, %s, 4490)))",
            box,
        )
    async with client_of(create_app(settings, Places(CityPlace("town", url, folder)))) as opened:
        yield opened


@pytest.mark.parametrize("crs", ["CRS:84", "EPSG:4549", "EPSG:3857"])
async def test_the_ground_tells_its_height(hill: httpx.AsyncClient, crs: str) -> None:
    turn = Transformer.from_crs("OGC:CRS84", "OGC:CRS84" if crs == "CRS:84" else crs, always_xy=True)
    (west, east), (south, north) = turn.transform([120.94, 120.97], [28.09, 28.11])
    box = (south, west, north, east) if crs == "EPSG:4549" else (west, south, east, north)
    frame = {"CRS": crs, "BBOX": ",".join(map(repr, box)), "WIDTH": "300", "HEIGHT": "200"}
    asked = {"LAYERS": "terrain", "QUERY_LAYERS": "terrain", "I": "100", "J": "100"}
    (feature,) = (await info(hill, **frame, **asked)).json()["features"]
    lon, _ = turn.transform(west + (east - west) * 100.5 / 300, (south + north) / 2, direction="INVERSE")
    assert feature["properties"]["elevation"] == pytest.approx((lon - 120.90) * 1000, abs=0.2)
    assert feature["properties"]["vertical_datum"] == "1985国家高程基准"
    text = (await info(hill, **frame, **asked, INFO_FORMAT="text/plain", LANGUAGE="zh")).text
    assert "高程 = " in text
    assert "m" in text


async def test_terrain_answers_beside_the_others(hill: httpx.AsyncClient) -> None:
    document = (await info(hill, LAYERS="terrain,buildings", QUERY_LAYERS="buildings,terrain", **B1)).json()
    assert [feature["id"].partition(".")[0] for feature in document["features"]] == ["buildings", "terrain"]


# --- GetLegendGraphic (OGC 05-078r4, 12)

LEGEND = {"REQUEST": "GetLegendGraphic", "VERSION": "1.3.0", "LAYER": "buildings", "FORMAT": "image/png"}


async def test_a_legend_shows_the_colours_of_the_map(client: httpx.AsyncClient) -> None:
    """The colour of a class in the legend is the one that the map draws."""
    near = LEGEND | {"SCALE": "1000"}
    document = (await get(client, near | {"FORMAT": "application/json"})).json()
    rules = document["Legend"][0]["rules"]
    colors = {rule["name"]: rule["symbolizers"][0]["Polygon"]["fill-color"] for rule in rules}
    picture = np.asarray(Image.open(io.BytesIO((await get(client, near)).content)).convert("RGB"))
    for function in ("residential", "commercial"):
        red, green, blue = (int(colors[function][i : i + 2], 16) for i in (1, 3, 5))
        assert (np.abs(picture.astype(int) - (red, green, blue)).max(axis=2) <= 2).sum() > 100


async def test_a_legend_by_night_and_of_one_rule(client: httpx.AsyncClient) -> None:
    assert (await get(client, LEGEND | {"STYLE": "night"})).content != (await get(client, LEGEND)).content
    one = await get(client, LEGEND | {"RULE": "residential", "WIDTH": "40", "HEIGHT": "20"})
    assert Image.open(io.BytesIO(one.content)).size == (40, 20)


async def test_a_legend_at_a_scale(client: httpx.AsyncClient) -> None:
    """Roads have a casing from zoom 11 on, about 1:130,000."""
    asked = LEGEND | {"LAYER": "roads", "FORMAT": "application/json"}
    near, far = [(await get(client, asked | {"SCALE": scale})).json()["Legend"][0] for scale in ("5000", "1000000")]
    drawn = [{rule["name"]: len(rule["symbolizers"]) for rule in each["rules"]} for each in (near, far)]
    assert [each["primary"] for each in drawn] == [2, 1]


@pytest.mark.parametrize(
    ("form", "given", "magic"),
    [
        ("image/svg+xml", "image/svg+xml", b"<?xml"),
        ("image/jpeg", "image/jpeg", b"\xff\xd8\xff"),
        ("image/png; mode=8bit", "image/png; mode=8bit", b"\x89PNG"),
    ],
)
async def test_formats_of_legends(client: httpx.AsyncClient, form: str, given: str, magic: bytes) -> None:
    answer = await get(client, LEGEND | {"FORMAT": form})
    assert answer.headers["content-type"].partition("; charset")[0] == given
    assert answer.content.startswith(magic)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"LAYER": "nowhere"}, "LayerNotDefined"),
        ({"LAYER": "utility_pipes"}, "LayerNotDefined"),
        ({"LAYER": "theme:all"}, "LayerNotDefined"),
        ({"LAYER": None}, "MissingParameterValue"),
        ({"STYLE": "dusk"}, "StyleNotDefined"),
        ({"FORMAT": "image/tiff"}, "InvalidFormat"),
        ({"FORMAT": None}, "MissingParameterValue"),
        ({"RULE": "nothing"}, "InvalidParameterValue"),
        ({"SCALE": "far"}, "InvalidParameterValue"),
        ({"SCALE": "-1"}, "InvalidParameterValue"),
        ({"WIDTH": "9999"}, "InvalidParameterValue"),
        ({"SLD": "http://evil.test/"}, "OperationNotSupported"),
    ],
)
async def test_faults_of_legends(client: httpx.AsyncClient, changed: dict[str, Any], code: str) -> None:
    assert fault(await get(client, LEGEND | changed))[0] == code


# --- DescribeLayer (OGC 02-070, 13; 05-078r4, 10)


async def test_where_objects_are_read(client: httpx.AsyncClient) -> None:
    asked = {"REQUEST": "DescribeLayer", "LAYERS": "buildings,terrain", "SLD_VERSION": "1.1.0"}
    older = tree(await get(client, asked | {"VERSION": "1.1.1"}))
    dtd = etree.DTD(str(SCHEMAS / "wms/1.1.1/WMS_DescribeLayerResponse.dtd"))
    assert dtd.validate(older), dtd.error_log
    buildings, terrain = older.findall("LayerDescription")
    assert (buildings.get("wfs"), buildings.find("Query").get("typeName")) == (f"{BASE}/wfs?", "buildings")
    assert terrain.get("wfs") is None
    newer = tree(await get(client, asked | {"VERSION": "1.3.0"}))
    assert newer.findtext("{*}LayerDescription/{*}TypeName/{*}FeatureTypeName") == "buildings"
    assert fault(await get(client, asked | {"VERSION": "1.3.0", "LAYERS": "nowhere"}))[0] == "LayerNotDefined"


# --- GetStyles (OGC 02-070, 11)


@pytest.mark.parametrize(
    ("asked", "version"),
    [
        ({"VERSION": "1.1.1"}, "1.0.0"),
        ({"VERSION": "1.3.0"}, "1.1.0"),
        ({"VERSION": "1.3.0", "SLDVER": "1.0.0"}, "1.0.0"),
    ],
)
async def test_styles_as_sld(client: httpx.AsyncClient, asked: dict[str, str], version: str) -> None:
    answer = await get(client, {"REQUEST": "GetStyles", "LAYERS": "buildings,roads"} | asked)
    assert answer.headers["content-type"].startswith("application/vnd.ogc.sld+xml")
    root = tree(answer)
    assert (root.tag, root.get("version")) == ("{http://www.opengis.net/sld}StyledLayerDescriptor", version)
    layers = root.findall("{*}NamedLayer")
    assert [layer.findtext("{*}Name") for layer in layers] == ["buildings", "roads"]
    assert [len(layer.findall("{*}UserStyle")) for layer in layers] == [2, 2]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"LAYERS": "nowhere"}, "LayerNotDefined"),
        ({"LAYERS": None}, "MissingParameterValue"),
        ({"SLD_VERSION": "2.0"}, "InvalidParameterValue"),
        ({"STYLES": "dusk"}, "StyleNotDefined"),
    ],
)
async def test_faults_of_styles(client: httpx.AsyncClient, changed: dict[str, Any], code: str) -> None:
    asked = {"REQUEST": "GetStyles", "LAYERS": "buildings", "VERSION": "1.1.1"}
    assert fault(await get(client, asked | changed))[0] == code
