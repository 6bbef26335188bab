"""WMTS 1.0.0 (OGC 07-057r7): its document, tiles, information and exceptions, each test from the clause it names."""

import io
from urllib.parse import urlencode
from xml.etree import ElementTree

import httpx
import numpy as np
import pytest
from PIL import Image
from pyproj import CRS, Transformer

from tests import town
from tests.api.conftest import bearer

SPACES = {
    "": "http://www.opengis.net/wmts/1.0",
    "ows": "http://www.opengis.net/ows/1.1",
    "xlink": "http://www.w3.org/1999/xlink",
}
TILE = {
    "SERVICE": "WMTS",
    "REQUEST": "GetTile",
    "VERSION": "1.0.0",
    "LAYER": "buildings",
    "STYLE": "day",
    "FORMAT": "image/png",
    "TILEMATRIXSET": "CGCS2000Quad",
    "TILEMATRIX": "15",
    "TILEROW": "5634",
    "TILECOL": "27393",
}

INFO: dict[str, str | None] = {"REQUEST": "GetFeatureInfo", "I": "0", "J": "0", "INFOFORMAT": "text/plain"}


def kvp(**changed: str | None) -> str:
    return "/wmts?" + urlencode({name: value for name, value in (TILE | changed).items() if value is not None})


def picture(answer: httpx.Response) -> Image.Image:
    assert answer.status_code == 200, answer.text
    opened = Image.open(io.BytesIO(answer.content))
    assert opened.size == (256, 256)
    return opened


async def capabilities(client: httpx.AsyncClient, query: str = "", **headers: str) -> ElementTree.Element:
    answer = await client.get(f"/wmts?SERVICE=WMTS&REQUEST=GetCapabilities{query}", headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/xml")
    return ElementTree.fromstring(answer.content)


async def test_each_layer_is_described_in_the_order_of_the_schema(client: httpx.AsyncClient) -> None:
    """Table 6: styles with legends, formats, a time, a link to each grid with its limits, addresses."""
    root = await capabilities(client)
    layers = root.findall("Contents/Layer", SPACES)
    ids = [layer.findtext("ows:Identifier", None, SPACES) for layer in layers]
    assert ids[0] == "theme:all"
    assert "buildings" in ids
    assert "utility_pipes" not in ids
    layer = layers[ids.index("buildings")]
    order = [element.tag.rpartition("}")[2] for element in layer]
    ranks = [
        "Title", "Abstract", "Keywords", "WGS84BoundingBox", "Identifier", "BoundingBox", "Metadata", "Style", "Format",
        "InfoFormat", "Dimension", "TileMatrixSetLink", "ResourceURL",
    ]  # fmt: skip
    assert [ranks.index(tag) for tag in order] == sorted(ranks.index(tag) for tag in order)
    links = [link.findtext("TileMatrixSet", None, SPACES) for link in layer.findall("TileMatrixSetLink", SPACES)]
    assert links == ["WebMercatorQuad", "WorldCRS84Quad", "CGCS2000Quad", "EPSG4549Quad"]
    assert layer.findtext("Dimension/Default", None, SPACES) == "current"
    templates = {each.get("resourceType"): each.get("template") or "" for each in layer.findall("ResourceURL", SPACES)}
    assert set(templates) == {"tile", "FeatureInfo"}
    legend = layer.find("Style/LegendURL", SPACES)
    assert legend is not None
    assert "GetLegendGraphic" in (legend.get(f"{{{SPACES['xlink']}}}href") or "")


async def test_the_grid_of_china_is_written_as_its_crs_orders_axes(client: httpx.AsyncClient) -> None:
    root = await capabilities(client)
    grids = {g.findtext("ows:Identifier", None, SPACES): g for g in root.findall("Contents/TileMatrixSet", SPACES)}
    china = grids["CGCS2000Quad"]
    assert china.findtext("ows:SupportedCRS", None, SPACES) == "urn:ogc:def:crs:EPSG::4490"
    first = china.find("TileMatrix", SPACES)
    assert first is not None
    told = [(element.tag.rpartition("}")[2], element.text) for element in first]
    assert told[0] == ("Identifier", "1")
    assert float(told[1][1] or 0) == pytest.approx(279541132.0143589)
    assert [float(v) for v in (told[2][1] or "").split()] == [90, -180]
    assert [int(value or 0) for _, value in told[3:]] == [256, 256, 2, 1]


async def test_parts_of_the_document(client: httpx.AsyncClient) -> None:
    """06-121r3, 7.3.3; whatever is asked, the root says its version and where the whole is."""
    root = await capabilities(client, "&SECTIONS=Contents")
    assert [element.tag.rpartition("}")[2] for element in root] == ["Contents", "ServiceMetadataURL"]
    assert root.get("version") == "1.0.0"
    newest = root.get("updateSequence")
    known = await capabilities(client, f"&updatesequence={newest}")
    assert (known.get("updateSequence"), len(known)) == (newest, 0)


async def test_by_address_it_is_the_same_document(client: httpx.AsyncClient) -> None:
    answer = await client.get("/wmts/1.0.0/WMTSCapabilities.xml")
    assert answer.content == (await client.get("/wmts?SERVICE=WMTS&REQUEST=GetCapabilities")).content


async def test_a_tile_by_pairs_and_by_address_is_one(client: httpx.AsyncClient) -> None:
    """10.2: the same tile; names in any case; Tianditu's key and format are passed over."""
    plain = await client.get(kvp())
    assert plain.headers["content-type"] == "image/png"
    assert np.asarray(picture(plain).convert("RGBA"))[:, :, 3].any()
    by_address = await client.get("/wmts/1.0.0/buildings/day/CGCS2000Quad/15/5634/27393.png")
    mixed = "/wmts?" + urlencode({name.title(): value for name, value in TILE.items()}) + "&tk=0123456789abcdef"
    china = kvp(FORMAT="tiles", STYLE="default", tk="x")
    for other in (by_address, await client.get(mixed), await client.get(china), await client.get(kvp(STYLE=""))):
        assert other.content == plain.content
    again = await client.get(kvp(), headers={"If-None-Match": plain.headers["etag"]})
    assert again.status_code == 304


async def test_styles_formats_and_moments_make_other_tiles(client: httpx.AsyncClient) -> None:
    day = (await client.get(kvp())).content
    assert (await client.get(kvp(STYLE="night"))).content != day
    assert (await client.get(kvp(TIME="2001-01-01"))).content != day
    assert (await client.get(kvp(PLAN="1"))).content != day
    assert (await client.get(kvp(TIME="current"))).content == day
    jpeg = await client.get(kvp(FORMAT="image/jpeg"))
    assert jpeg.headers["content-type"] == "image/jpeg"
    assert picture(jpeg).format == "JPEG"
    assert picture(await client.get(kvp(LAYER="theme:all"))).convert("RGBA").getextrema()[3] == (255, 255)


@pytest.mark.parametrize(
    ("changed", "code", "locator", "status"),
    [
        ({"SERVICE": None}, "MissingParameterValue", "SERVICE", 400),
        ({"REQUEST": None}, "MissingParameterValue", "REQUEST", 400),
        ({"VERSION": None}, "MissingParameterValue", "VERSION", 400),
        ({"LAYER": None}, "MissingParameterValue", "LAYER", 400),
        ({"STYLE": None}, "MissingParameterValue", "STYLE", 400),
        ({"FORMAT": None}, "MissingParameterValue", "FORMAT", 400),
        ({"TILEMATRIXSET": None}, "MissingParameterValue", "TILEMATRIXSET", 400),
        ({"TILEMATRIX": None}, "MissingParameterValue", "TILEMATRIX", 400),
        ({"TILEROW": None}, "MissingParameterValue", "TILEROW", 400),
        ({"TILECOL": None}, "MissingParameterValue", "TILECOL", 400),
        ({"REQUEST": "GetMap"}, "OperationNotSupported", "GetMap", 501),
        ({"VERSION": "2.0.0"}, "InvalidParameterValue", "VERSION", 400),
        ({"LAYER": "nothing"}, "InvalidParameterValue", "LAYER", 400),
        ({"LAYER": "utility_pipes"}, "InvalidParameterValue", "LAYER", 400),
        ({"STYLE": "dusk"}, "InvalidParameterValue", "STYLE", 400),
        ({"FORMAT": "image/gif"}, "InvalidParameterValue", "FORMAT", 400),
        ({"TILEMATRIXSET": "Nonsense"}, "InvalidParameterValue", "TILEMATRIXSET", 400),
        ({"TILEMATRIX": "0"}, "InvalidParameterValue", "TILEMATRIX", 400),
        ({"TILEMATRIX": "x"}, "InvalidParameterValue", "TILEMATRIX", 400),
        ({"TILEROW": "-1"}, "InvalidParameterValue", "TILEROW", 400),
        ({"TILEROW": "99999999999999999999"}, "TileOutOfRange", "TILEROW", 400),
        ({"TILECOL": "40000"}, "TileOutOfRange", "TILECOL", 400),
        ({"TILEROW": "1"}, "TileOutOfRange", "TILEROW", 400),
        ({"TIME": "soon"}, "InvalidParameterValue", "TIME", 400),
        (INFO | {"I": "256"}, "PointIJOutOfRange", "I", 400),
        (INFO | {"INFOFORMAT": "x"}, "InvalidParameterValue", "INFOFORMAT", 400),
        (INFO | {"INFOFORMAT": None}, "MissingParameterValue", "INFOFORMAT", 400),
        ({"REQUEST": "GetCapabilities", "ACCEPTVERSIONS": "0.9"}, "VersionNegotiationFailed", None, 400),
    ],
)  # fmt: skip
async def test_exceptions(
    client: httpx.AsyncClient, changed: dict[str, str | None], code: str, locator: str | None, status: int
) -> None:
    """Tables 26 and 31; 06-121r3, 8."""
    answer = await client.get(kvp(**changed))
    assert answer.status_code == status, answer.text
    (exception,) = ElementTree.fromstring(answer.content).findall("ows:Exception", SPACES)
    assert (exception.get("exceptionCode"), exception.get("locator")) == (code, locator)
    assert exception.findtext("ows:ExceptionText", None, SPACES)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("buildings/day/CGCS2000Quad/15/5634/27393.gif", 404),
        ("nothing/day/CGCS2000Quad/15/5634/27393.png", 404),
        ("buildings/day/CGCS2000Quad/15/1/27393.png", 404),
        ("buildings/day/CGCS2000Quad/15/5634/27393.png?time=soon", 404),
    ],
)
async def test_exceptions_by_address(client: httpx.AsyncClient, path: str, status: int) -> None:
    answer = await client.get(f"/wmts/1.0.0/{path}")
    assert answer.status_code == status
    assert b"ExceptionReport" in answer.content


@pytest.mark.parametrize("grid", ["WebMercatorQuad", "WorldCRS84Quad", "CGCS2000Quad", "EPSG4549Quad"])
async def test_a_pixel_tells_what_it_shows(client: httpx.AsyncClient, grid: str) -> None:
    """7.3: in each grid the pixel over b13's middle names b13."""
    limits = (await client.get(f"/collections/buildings/tiles/{grid}")).json()
    definition = (await client.get(f"/tileMatrixSets/{grid}")).json()
    matrix = next(m for m in definition["tileMatrices"] if m["id"] == "17")
    crs = CRS(limits["crs"])
    lon, lat = town.WEST + 2 * town.STEP + town.SIDE / 2, town.SOUTH + town.STEP + town.SIDE / 2
    x, y = Transformer.from_crs(4490, crs, always_xy=True).transform(lon, lat)
    corner = matrix["pointOfOrigin"]
    left, top = reversed(corner) if crs.axis_info[0].direction == "north" else corner
    across, down = (x - left) / matrix["cellSize"], (top - y) / matrix["cellSize"]
    column, row = int(across // 256), int(down // 256)
    place = {"TILEMATRIXSET": grid, "TILEMATRIX": "17", "TILEROW": str(row), "TILECOL": str(column)}
    pixel = {"I": str(int(across % 256)), "J": str(int(down % 256))}
    path = kvp(REQUEST="GetFeatureInfo", INFOFORMAT="application/json", **place, **pixel)
    told = (await client.get(path)).json()
    assert [feature["properties"]["height"] for feature in told["features"]] == [13]
    address = f"{grid}/17/{place['TILEROW']}/{place['TILECOL']}/{pixel['J']}/{pixel['I']}.json"
    by_address = (await client.get(f"/wmts/1.0.0/buildings/day/{address}")).json()
    assert by_address["features"] == told["features"]


async def test_a_hidden_layer_is_for_those_alone_who_may_see_it(client: httpx.AsyncClient, tokens: town.Tokens) -> None:
    root = await capabilities(client, Authorization=bearer(tokens.utility)["Authorization"])
    names = [each.text for each in root.findall("Contents/Layer/ows:Identifier", SPACES)]
    assert "utility_pipes" in names


async def test_the_whole_map_by_address(client: httpx.AsyncClient) -> None:
    """As XYZ clients write it: a name with a colon, JPEG by its ending."""
    address = "/wmts/1.0.0/theme:all/night/WebMercatorQuad/15/13716/27393.jpg"
    answer = await client.get(address)
    assert picture(answer).format == "JPEG"
    assert (await client.get(address)).content == answer.content
