"""Capabilities: valid by the OGC's schema and document type, from the catalogue alone (06-042, 7.2; 01-068r3, 7.1)."""

import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from lxml import etree
from PIL import Image
from pyproj import CRS, Transformer

from api.app import create_app
from cim_models.database import Database
from tests import town
from tests.api.conftest import BASE, Places, bearer, client_of
from tests.api.wms import SCHEMAS, WMS, XLINK, capabilities_schema, fault, get, tree
from twin.directory import CityPlace
from twin.settings import Settings

NEWER = {"SERVICE": "WMS", "REQUEST": "GetCapabilities"}
OLDER = NEWER | {"VERSION": "1.1.1"}
TOWN = (120.95, 28.1, 120.96, 28.104)


@pytest.fixture
async def newer(client: httpx.AsyncClient) -> Any:
    return tree(await get(client, NEWER))


@pytest.fixture
async def older(client: httpx.AsyncClient) -> Any:
    return tree(await get(client, OLDER))


def named(root: Any, name: str) -> Any:
    """The Layer element of that name."""
    (found,) = (each for each in root.iter("{*}Layer") if each.findtext("{*}Name") == name)
    return found


# --- validity


async def test_they_are_valid_by_the_schema(client: httpx.AsyncClient, tokens: town.Tokens) -> None:
    """06-042, 7.2.3 and annex E.1."""
    for headers in ({}, bearer(tokens.utility), {"Accept-Language": "zh"}):
        answer = await get(client, NEWER, **headers)
        assert answer.headers["content-type"].startswith("text/xml")
        capabilities_schema().assertValid(tree(answer))


async def test_the_older_ones_are_valid_by_their_document_type(client: httpx.AsyncClient) -> None:
    """01-068r3, A.1."""
    answer = await get(client, OLDER)
    assert answer.headers["content-type"].startswith("application/vnd.ogc.wms_xml")
    root = tree(answer)
    assert root.getroottree().docinfo.system_url.endswith("/wms/1.1.1/WMS_MS_Capabilities.dtd")
    dtd = etree.DTD(str(SCHEMAS / "wms/1.1.1/WMS_MS_Capabilities.dtd"))
    assert dtd.validate(root), dtd.error_log


async def test_an_empty_city_is_valid_too(city_url: str, settings: Settings) -> None:
    app = create_app(settings, Places(CityPlace("empty", city_url, Path("unused"))))
    async with client_of(app) as client:
        capabilities_schema().assertValid(tree(await get(client, NEWER)))


async def test_odd_titles_do_no_harm(city_url: str, settings: Settings) -> None:
    """What an operator writes into titles is text, markup and characters unknown to XML included."""
    with psycopg.connect(city_url, autocommit=True) as connection:
        connection.execute("update layer set title_en = %s where id = 'roads'", ("<b>&\x0bRoads]]>\ufffe",))
        connection.execute("update city set title_en = '\"Q\" <&> <!--'")
    app = create_app(settings, Places(CityPlace("odd", city_url, Path("unused"))))
    async with client_of(app) as client:
        root = tree(await get(client, NEWER))
        capabilities_schema().assertValid(root)
        assert named(root, "roads").findtext(f"{WMS}Title") == "<b>&\ufffdRoads]]>\ufffd"


async def test_no_object_is_looked_at(client: httpx.AsyncClient, town_database: Database) -> None:
    """With every table of objects locked, the capabilities come all the same: from the catalogue alone."""
    async with town_database.writing() as connection:
        for table in ("building", "facility", "utility_pipe", "road", "terrain", "land"):
            await connection.execute(f"lock table {table} in access exclusive mode")
        assert (await get(client, NEWER)).status_code == 200


# --- service


async def test_what_the_service_is(newer: Any, older: Any) -> None:
    """06-042, 7.2.4.2; the Name is fixed in both versions."""
    assert newer.findtext(f"{WMS}Service/{WMS}Name") == "WMS"
    assert older.findtext("Service/Name") == "OGC:WMS"
    words = [each.text for each in newer.findall(f"{WMS}Service/{WMS}KeywordList/{WMS}Keyword")]
    assert {"测试市", "Testing", "数字孪生", "digital twin"} <= set(words)
    assert newer.findtext(f"{WMS}Service/{WMS}AccessConstraints") == "CC0-1.0"
    assert newer.findtext(f"{WMS}Service/{WMS}MaxWidth") == "4096"


async def test_titles_are_in_the_clients_language(client: httpx.AsyncClient) -> None:
    for parameters, headers, title in (
        ({}, {}, "Buildings"),
        ({}, {"Accept-Language": "zh-CN,zh;q=0.9"}, "建筑"),
        ({"LANGUAGE": "zh"}, {}, "建筑"),
        ({"LANGUAGE": "eng"}, {"Accept-Language": "zh"}, "Buildings"),
    ):
        answer = await get(client, NEWER | parameters, **headers)
        layer = named(tree(answer), "buildings")
        assert layer.findtext(f"{WMS}Title") == title
        keywords = [each.text for each in layer.findall(f"{WMS}KeywordList/{WMS}Keyword")]
        assert {"建筑", "Buildings"} <= set(keywords)


@pytest.fixture
async def named_contact(settings: Settings, town_url: str) -> AsyncIterator[httpx.AsyncClient]:
    told = settings.model_copy(update={"contact_organization": "规划局", "contact_email": "maps@town.test"})
    app = create_app(told, Places(CityPlace("town", town_url, Path("unused"))))
    async with client_of(app) as opened:
        yield opened


async def test_whom_to_ask(named_contact: httpx.AsyncClient, newer: Any) -> None:
    root = tree(await get(named_contact, NEWER))
    capabilities_schema().assertValid(root)
    assert root.findtext(f".//{WMS}ContactOrganization") == "规划局"
    assert root.findtext(f".//{WMS}ContactElectronicMailAddress") == "maps@town.test"
    assert newer.find(f".//{WMS}ContactInformation") is None


async def test_addresses_are_prefixes_of_requests(newer: Any, client: httpx.AsyncClient) -> None:
    """06-042, 6.3.3: an online resource is a prefix to which parameters are put; they are absolute."""
    for method in ("Get", "Post"):
        found = {each.get(f"{XLINK}href") for each in newer.iterfind(f".//{WMS}{method}/{WMS}OnlineResource")}
        assert found == {f"{BASE}/wms?"}
    (address,) = found
    assert (await client.get(f"{address}SERVICE=WMS&REQUEST=GetCapabilities")).status_code == 200


async def test_every_link_is_alive(newer: Any, client: httpx.AsyncClient) -> None:
    kinds = {"application/json": "application/", "text/html": "text/html", "image/png": "image/png"}
    for parent in [*newer.iter(f"{WMS}MetadataURL"), *newer.iter(f"{WMS}DataURL"), *newer.iter(f"{WMS}LegendURL")]:
        answer = await client.get(parent.find(f"{WMS}OnlineResource").get(f"{XLINK}href"))
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(kinds[parent.findtext(f"{WMS}Format")])


async def test_what_can_be_asked_is_listed(newer: Any, older: Any) -> None:
    formats = [each.text for each in newer.findall(f".//{WMS}GetMap/{WMS}Format")]
    assert formats == ["image/png", "image/png; mode=8bit", "image/jpeg", "image/webp"]
    told = [each.text for each in newer.findall(f".//{WMS}GetFeatureInfo/{WMS}Format")]
    assert told[:3] == ["text/plain", "text/html", "application/json"]
    assert [each.text for each in newer.findall(f".//{WMS}Exception/{WMS}Format")] == ["XML", "INIMAGE", "BLANK"]
    assert older.findtext("Capability/Exception/Format") == "application/vnd.ogc.se_xml"


# --- layers


async def test_layers_stand_under_their_themes(newer: Any) -> None:
    """06-042, 7.2.4.5 and 7.2.4.6.3: a tree; what has a name can be asked for."""
    root = newer.find(f"{WMS}Capability/{WMS}Layer")
    assert root.findtext(f"{WMS}Name") == "theme:all"
    themes = {each.findtext(f"{WMS}Name"): each for each in root.findall(f"{WMS}Layer")}
    assert "theme:buildings" in themes
    traffic = [each.findtext(f"{WMS}Name") for each in themes["theme:traffic"].findall(f"{WMS}Layer")]
    # The uppermost first, as a layer tree is read.
    assert traffic == ["railways", "road_nodes", "roads"]
    every = [each.findtext(f"{WMS}Name") for each in newer.iter(f"{WMS}Layer")]
    assert len(every) == len(set(every))
    assert all(each.get("queryable") == "1" for each in newer.iter(f"{WMS}Layer"))


async def test_hidden_layers_are_hidden(client: httpx.AsyncClient, newer: Any, tokens: town.Tokens) -> None:
    text = etree.tostring(newer, encoding="unicode")
    assert "utility_pipes" not in text
    seen = tree(await get(client, NEWER, **bearer(tokens.utility)))
    assert named(seen, "utility_pipes") is not None


async def test_a_grant_of_some_rows_does_not_tell_where_the_others_lie(
    client: httpx.AsyncClient, tokens: town.Tokens
) -> None:
    answer = await get(client, NEWER, **bearer(tokens.township))
    assert "Authorization" in answer.headers["vary"]
    assert named(tree(answer), "buildings") is not None


async def test_where_a_layer_lies_in_degrees(newer: Any, older: Any) -> None:
    """06-042, 7.2.4.6.6; 01-068r3, 7.1.4.5.6."""
    box = named(newer, "buildings").find(f"{WMS}EX_GeographicBoundingBox")
    west, east, south, north = (float(each.text) for each in box)
    assert (west, south, east, north) == TOWN
    old = named(older, "buildings").find("LatLonBoundingBox")
    assert tuple(float(old.get(name)) for name in ("minx", "miny", "maxx", "maxy")) == TOWN


async def test_where_a_layer_lies_in_each_crs(newer: Any, older: Any) -> None:
    """06-042, 7.2.4.6.8 and 6.7.2: once in each CRS, its axes as the CRS counts them; in 1.1.1 always x, y."""
    for root, name, official in ((newer, "CRS", True), (older, "SRS", False)):
        offered = [each.text for each in root.find("{*}Capability/{*}Layer").findall(f"{{*}}{name}")]
        assert {"EPSG:4326", "CRS:84", "EPSG:3857", "EPSG:4490", "EPSG:4549", "EPSG:32651"} <= set(offered)
        boxes = {each.get(name): each for each in named(root, "buildings").findall("{*}BoundingBox")}
        assert set(boxes) == set(offered) - {"EPSG:900913"}
        assert len(named(root, "buildings").findall("{*}BoundingBox")) == len(boxes)
        for code, box in boxes.items():
            minx, miny, maxx, maxy = (float(box.get(side)) for side in ("minx", "miny", "maxx", "maxy"))
            crs = CRS(code.replace("CRS:84", "OGC:CRS84"))
            if official and crs.axis_info[0].direction == "north":
                minx, miny, maxx, maxy = miny, minx, maxy, maxx
            # Independent of ours: each corner by PROJ, with a little room for the rounding outwards.
            turn = Transformer.from_crs("OGC:CRS84", crs, always_xy=True)
            slack = 1e-8 if crs.is_geographic else 0.01
            for lon in TOWN[::2]:
                for lat in TOWN[1::2]:
                    x, y = turn.transform(lon, lat)
                    assert minx - slack <= x <= maxx + slack, code
                    assert miny - slack <= y <= maxy + slack, code
            assert (maxx - minx) * (maxy - miny) < 1.05 * abs(
                (turn.transform(TOWN[2], TOWN[1])[0] - turn.transform(*TOWN[:2])[0])
                * (turn.transform(TOWN[0], TOWN[3])[1] - turn.transform(*TOWN[:2])[1])
            ) + (slack if crs.is_geographic else 5_000)


async def test_styles_and_their_legends(newer: Any, client: httpx.AsyncClient) -> None:
    """06-042, 7.2.4.6.5: the declared size of a legend is that of the picture behind its URL."""
    for name in ("buildings", "roads", "facilities", "land"):
        styles = named(newer, name).findall(f"{WMS}Style")
        assert [each.findtext(f"{WMS}Name") for each in styles] == ["day", "night"]
        for style in styles:
            legend = style.find(f"{WMS}LegendURL")
            answer = await client.get(legend.find(f"{WMS}OnlineResource").get(f"{XLINK}href"))
            picture = Image.open(io.BytesIO(answer.content))
            assert picture.size == (int(legend.get("width")), int(legend.get("height")))


async def test_dimensions(newer: Any, older: Any) -> None:
    """06-042, annex C.2; 01-068r3, annex C: time for all, elevation for the terrain."""
    time = newer.find(f"{WMS}Capability/{WMS}Layer/{WMS}Dimension")
    assert dict(time.attrib) == {
        "name": "time",
        "units": "ISO8601",
        "default": "current",
        "multipleValues": "1",
        "nearestValue": "1",
        "current": "1",
    }
    assert time.text == "1900-01-01T00:00:00Z/2100-01-01T00:00:00Z/P1D"
    height = named(newer, "terrain").find(f"{WMS}Dimension")
    assert (height.get("name"), height.get("unitSymbol"), height.text) == ("elevation", "m", "-500/9000/0")
    assert older.find("Capability/Layer/Extent").text == time.text
    assert named(older, "terrain").find("Extent").get("default") == "-500"


async def test_sources_are_named(newer: Any) -> None:
    assert named(newer, "buildings").findtext(f"{WMS}Attribution/{WMS}Title") == "Surveyed by hand"


async def test_scales_at_which_a_layer_is_drawn(newer: Any, older: Any) -> None:
    """06-042, 7.2.4.6.9: buildings from zoom 9 on, 279,541,132 at zoom 0 on a screen of 0.28 mm a pixel."""
    scale = float(named(newer, "buildings").findtext(f"{WMS}MaxScaleDenominator"))
    assert scale == pytest.approx(279_541_132 / 2**9, rel=1e-5)
    hint = float(named(older, "buildings").find("ScaleHint").get("max"))
    assert hint == pytest.approx(scale * 0.00028 * 2**0.5, rel=1e-5)


# --- update sequence (06-042, 7.2.3.5)


async def test_who_has_the_newest_is_told_so(client: httpx.AsyncClient, newer: Any) -> None:
    sequence = int(newer.get("updateSequence"))
    assert fault(await get(client, NEWER | {"UPDATESEQUENCE": str(sequence)}))[0] == "CurrentUpdateSequence"
    for wrong in (sequence + 1, "9" * 60, "-1", "newest", "1.5"):
        code, _, locator = fault(await get(client, NEWER | {"UPDATESEQUENCE": str(wrong)}))
        assert (code, locator) == ("InvalidUpdateSequence", "UPDATESEQUENCE")
    for old in ("", "0", str(sequence - 1)):
        assert tree(await get(client, NEWER | {"UPDATESEQUENCE": old})).tag == f"{WMS}WMS_Capabilities"


async def test_the_sequence_rises_with_the_catalogue(city_url: str, settings: Settings) -> None:
    app = create_app(settings, Places(CityPlace("rising", city_url, Path("unused"))))
    async with client_of(app) as client:
        before = int(tree(await get(client, NEWER)).get("updateSequence"))
        with psycopg.connect(city_url, autocommit=True) as connection:
            connection.execute("update layer set title_en = 'Streets', updated_at = now() where id = 'roads'")
        assert int(tree(await get(client, NEWER)).get("updateSequence")) > before


async def test_what_is_known_already_is_not_sent_again(client: httpx.AsyncClient) -> None:
    first = await get(client, NEWER)
    again = await get(client, NEWER, **{"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
