"""WMS requests as they are written, and refusals (OGC 06-042, clause 6; 01-068r3, clause 6)."""

import asyncio
import time
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from cim_models.database import Database
from tests.api.wms import MAP, fault, get, get_map, pixels, tree

CAPABILITIES = {"SERVICE": "WMS", "REQUEST": "GetCapabilities"}


# --- 6.8.1: names of parameters in any case, values as they are


async def test_names_are_read_in_any_case(client: httpx.AsyncClient) -> None:
    odd = {name.lower() if i % 2 else name.swapcase(): value for i, (name, value) in enumerate(MAP.items())}
    odd["HeIgHt"] = odd.pop("height", odd.pop("HEIGHT", MAP["HEIGHT"]))
    assert (await get(client, odd)).content == (await get_map(client)).content


@pytest.mark.parametrize("name", ["getmap", "GETMAP", "map"])
async def test_operations_are_read_in_any_case(client: httpx.AsyncClient, name: str) -> None:
    assert (await get_map(client, REQUEST=name)).headers["content-type"] == "image/png"


async def test_order_and_unknown_parameters_do_not_matter(client: httpx.AsyncClient) -> None:
    """6.8.1 and 6.9: parameters come in any order, and what a server does not know it passes over."""
    turned = dict(reversed((MAP | {"TILED": "true", "MAP": "/x.map", "_": "17"}).items()))
    assert (await get(client, turned)).content == (await get_map(client)).content


@pytest.mark.parametrize(
    "query",
    [
        "&&SERVICE=WMS&&REQUEST=GetCapabilities&",
        "?SERVICE=WMS&REQUEST=GetCapabilities",
        "SERVICE=WMS&amp;REQUEST=GetCapabilities",
        "SERVICE=WMS&REQUEST=GetCapabilities&SERVICE=WMS&service=wms",
        "SERVICE=%57%4D%53&%52EQUEST=GetCapabilities",
        "SERVICE=+WMS+&REQUEST=GetCapabilities%20",
    ],
)
async def test_addresses_as_clients_glue_them_together(client: httpx.AsyncClient, query: str) -> None:
    answer = await client.get(f"/wms?{query}")
    assert tree(answer).tag.endswith("WMS_Capabilities")


async def test_plus_and_percent_are_decoded(client: httpx.AsyncClient) -> None:
    """6.3.2: reserved characters are percent-encoded, a blank may be a plus."""
    escaped = "&".join(f"{name}={value}" for name, value in MAP.items() if name not in ("BBOX", "CRS", "FORMAT"))
    box = MAP["BBOX"].replace(",", "%2C").replace(".", "%2E")
    answer = await client.get(f"/wms?{escaped}&BBOX=+{box}&CRS=CRS%3A84&FORMAT=image%2Fpng%3b+mode%3D8bit")
    assert answer.headers["content-type"] == "image/png; mode=8bit"


async def test_older_chinese_clients_encode_otherwise(client: httpx.AsyncClient) -> None:
    wanted = (await get_map(client, CQL_FILTER="name = '海晏楼4'")).content
    assert wanted != (await get_map(client)).content
    gbk = "".join(f"%{byte:02X}" for byte in "name = '海晏楼4'".encode("gb18030"))
    address = "&".join(f"{name}={value}" for name, value in MAP.items())
    assert (await client.get(f"/wms?{address}&CQL_FILTER={gbk}")).content == wanted


async def test_a_form_is_a_request_too(client: httpx.AsyncClient) -> None:
    """6.3.4: HTTP POST; half of it may stand in the address."""
    posted = await client.post("/wms?LAYERS=buildings", data={k: v for k, v in MAP.items() if k != "LAYERS"})
    assert posted.content == (await get_map(client)).content


@pytest.mark.parametrize(
    ("query", "code", "locator"),
    [
        ("", "MissingParameterValue", "REQUEST"),
        ("SERVICE=WMS", "MissingParameterValue", "REQUEST"),
        ("SERVICE=WMS&REQUEST=GetWeather", "OperationNotSupported", "REQUEST"),
        ("SERVICE=WFS&REQUEST=GetCapabilities", "InvalidParameterValue", "SERVICE"),
        ("REQUEST=GetCapabilities", "MissingParameterValue", "SERVICE"),
        ("SERVICE=WMS&REQUEST=GetCapabilities&request=GetMap", "InvalidParameterValue", "REQUEST"),
        ("SERVICE=WMS&REQUEST=GetCapabilities&VERSION=newest", "InvalidParameterValue", "VERSION"),
        ("SERVICE=WMS&REQUEST=GetCapabilities&VERSION=1.3.0.1", "InvalidParameterValue", "VERSION"),
        ("SERVICE=WMS&REQUEST=GetCapabilities%00", "InvalidParameterValue", None),
        ("SERVICE=WMS&REQUEST=%ff%fe%fd", "InvalidParameterValue", None),
        ("&".join(f"a{i}=1" for i in range(300)), "InvalidParameterValue", None),
        ("=&==&%=%&%zz=%zz", "MissingParameterValue", "REQUEST"),
    ],
)
async def test_what_cannot_be_read_is_told(
    client: httpx.AsyncClient, query: str, code: str, locator: str | None
) -> None:
    found, words, where = fault(await client.get(f"/wms?{query}"))
    assert (found, where) == (code, locator)
    assert words


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<GetMap xmlns='http://www.opengis.net/sld'/>", "text/xml"),
        (b"<!DOCTYPE x [<!ENTITY a 'aa'><!ENTITY b '&a;&a;'>]><x>&b;</x>", "application/xml"),
        (b'{"REQUEST": "GetMap"}', "application/json"),
    ],
)
async def test_documents_that_are_posted_are_not_read(client: httpx.AsyncClient, body: bytes, kind: str) -> None:
    answer = await client.post("/wms", content=body, headers={"Content-Type": kind})
    assert fault(answer)[0] == "InvalidParameterValue"


# --- 6.2.4: version negotiation


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        (None, "1.3.0"),
        ("", "1.3.0"),
        ("1.3.0", "1.3.0"),
        ("100.0.0", "1.3.0"),
        ("1.3.1", "1.3.0"),
        ("1.2.9", "1.1.1"),
        ("1.1.1", "1.1.1"),
        ("1.1.0", "1.1.1"),
        ("0.0.1", "1.1.1"),
        ("1.3", "1.3.0"),
    ],
)
async def test_versions_are_negotiated(client: httpx.AsyncClient, asked: str | None, given: str) -> None:
    answer = await get(client, CAPABILITIES | {"VERSION": asked})
    assert tree(answer).get("version") == given


async def test_the_oldest_way_to_ask(client: httpx.AsyncClient) -> None:
    """01-068r3, 6.2.2: WMTVER and REQUEST=capabilities, as 1.0.0 had it."""
    assert tree(await get(client, {"WMTVER": "1.0.0", "REQUEST": "capabilities"})).get("version") == "1.1.1"


@pytest.mark.parametrize("version", [None, "", "1.2.0", "2.0.0", "100.0.0", "x"])
async def test_a_map_is_asked_for_in_a_version_that_is_spoken(client: httpx.AsyncClient, version: str | None) -> None:
    """6.9.1: VERSION must be given, as one that the server speaks."""
    code, _, locator = fault(await get_map(client, VERSION=version))
    assert code == ("InvalidParameterValue" if version else "MissingParameterValue")
    assert locator == "VERSION"


async def test_a_report_is_in_the_version_of_the_request(client: httpx.AsyncClient) -> None:
    for version in ("1.1.1", "1.3.0"):
        answer = await get_map(client, VERSION=version, LAYERS="nowhere", SRS="EPSG:4326")
        assert tree(answer).get("version") == version
        assert fault(answer)[0] == "LayerNotDefined"


# --- 6.11 and 7.3.3.11: exceptions in XML, in the picture, or none


FAULTS: list[tuple[dict[str, Any], str, str | None]] = [
    ({"LAYERS": "nowhere"}, "LayerNotDefined", "LAYERS"),
    ({"LAYERS": "utility_pipes"}, "LayerNotDefined", "LAYERS"),
    ({"LAYERS": "buildings,"}, "LayerNotDefined", "LAYERS"),
    ({"LAYERS": "theme:nothing"}, "LayerNotDefined", "LAYERS"),
    ({"LAYERS": ""}, "MissingParameterValue", "LAYERS"),
    ({"LAYERS": ",".join(["buildings"] * 65)}, "InvalidParameterValue", "LAYERS"),
    ({"STYLES": "dusk"}, "StyleNotDefined", "STYLES"),
    ({"STYLES": "day,night"}, "StyleNotDefined", "STYLES"),
    ({"CRS": "EPSG:1"}, "InvalidCRS", "CRS"),
    ({"CRS": "nonsense"}, "InvalidCRS", "CRS"),
    ({"CRS": "EPSG:4479"}, "InvalidCRS", "CRS"),
    ({"CRS": "EPSG:4610"}, "InvalidCRS", "CRS"),
    ({"CRS": None}, "MissingParameterValue", "CRS"),
    ({"BBOX": None}, "MissingParameterValue", "BBOX"),
    ({"BBOX": "1,2,3"}, "InvalidParameterValue", "BBOX"),
    ({"BBOX": "1,2,3,4,5"}, "InvalidParameterValue", "BBOX"),
    ({"BBOX": "1 2 3 4"}, "InvalidParameterValue", "BBOX"),
    ({"BBOX": "120.961,28.099,120.949,28.105"}, "InvalidParameterValue", "BBOX"),
    ({"BBOX": "120.949,28.105,120.961,28.105"}, "InvalidParameterValue", "BBOX"),
    ({"BBOX": "nan,28,121,29"}, "InvalidParameterValue", "BBOX"),
    ({"BBOX": "-inf,28,inf,29"}, "InvalidParameterValue", "BBOX"),
    ({"WIDTH": "0"}, "InvalidParameterValue", "WIDTH"),
    ({"WIDTH": "-5"}, "InvalidParameterValue", "WIDTH"),
    ({"WIDTH": "4097"}, "InvalidParameterValue", "WIDTH"),
    ({"WIDTH": "9" * 400}, "InvalidParameterValue", "WIDTH"),
    ({"HEIGHT": "1.5"}, "InvalidParameterValue", "HEIGHT"),
    ({"HEIGHT": "٣"}, "InvalidParameterValue", "HEIGHT"),
    ({"HEIGHT": None}, "MissingParameterValue", "HEIGHT"),
    ({"FORMAT": "image/bmp"}, "InvalidFormat", "FORMAT"),
    ({"FORMAT": None}, "MissingParameterValue", "FORMAT"),
    ({"TRANSPARENT": "perhaps"}, "InvalidParameterValue", "TRANSPARENT"),
    ({"BGCOLOR": "blue"}, "InvalidParameterValue", "BGCOLOR"),
    ({"TIME": "yesterday"}, "InvalidDimensionValue", "TIME"),
    ({"TIME": "2015-13-01"}, "InvalidDimensionValue", "TIME"),
    ({"TIME": "2016/2015"}, "InvalidDimensionValue", "TIME"),
    ({"TIME": "2015/2016/2017"}, "InvalidDimensionValue", "TIME"),
    ({"TIME": "0000-01-01"}, "InvalidDimensionValue", "TIME"),
    ({"LAYERS": "terrain", "ELEVATION": "high"}, "InvalidDimensionValue", "ELEVATION"),
    ({"LAYERS": "terrain", "ELEVATION": "nan"}, "InvalidDimensionValue", "ELEVATION"),
    ({"SLD": "http://evil.test/style.xml"}, "OperationNotSupported", "SLD"),
    ({"SLD_BODY": "<StyledLayerDescriptor/>"}, "OperationNotSupported", "SLD_BODY"),
    ({"CQL_FILTER": "colour = 'red'"}, "InvalidParameterValue", "CQL_FILTER"),
    ({"CQL_FILTER": "height >"}, "InvalidParameterValue", "CQL_FILTER"),
    ({"CQL_FILTER": "height > 1; height > 2"}, "InvalidParameterValue", "CQL_FILTER"),
    ({"CQL_FILTER": "'; drop table building; --"}, "InvalidParameterValue", "CQL_FILTER"),
    ({"FILTER": "<Filter/>"}, "InvalidParameterValue", None),
    ({"FILTER": "height > 1"}, "InvalidParameterValue", None),
    ({"FILTER": "<!DOCTYPE a [<!ENTITY b 'c'>]><Filter>&b;</Filter>"}, "InvalidParameterValue", None),
    ({"FILTER": "(<Filter/>)(<Filter/>)"}, "InvalidParameterValue", "FILTER"),
    ({"FILTER": "<Filter/>", "CQL_FILTER": "height > 1"}, "InvalidParameterValue", "FILTER"),
    ({"FILTER": "<Filter/>", "LAYERS": "theme:traffic"}, "InvalidParameterValue", "FILTER"),
    ({"PLAN": "7"}, "InvalidParameterValue", "PLAN"),
    ({"PLAN": "x"}, "InvalidParameterValue", None),
    ({"RECORDED": "then"}, "InvalidParameterValue", "RECORDED"),
    ({"DPI": "0"}, "InvalidParameterValue", "DPI"),
    ({"DPI": "1e9"}, "InvalidParameterValue", "DPI"),
    ({"FORMAT_OPTIONS": "dpi:99999"}, "InvalidParameterValue", "DPI"),
]


@pytest.mark.parametrize(("changed", "code", "locator"), FAULTS)
async def test_each_fault_has_its_code(
    client: httpx.AsyncClient, changed: dict[str, Any], code: str, locator: str | None
) -> None:
    """06-042, table E.1; what it has no code for has that of OWS Common."""
    found, words, where = fault(await get_map(client, **changed))
    assert found == code, words
    # What is at fault within a filter is told by its words.
    assert where == locator or (locator is None and where == "CQL_FILTER")
    assert "Traceback" not in words


async def test_older_reports_speak_of_srs(client: httpx.AsyncClient) -> None:
    """01-068r3, A.3: InvalidSRS where 1.3.0 has InvalidCRS; no locator."""
    answer = await get_map(client, VERSION="1.1.1", CRS=None, SRS="EPSG:4479")
    code, words, locator = fault(answer)
    assert (code, locator) == ("InvalidSRS", None)
    assert "geocentric" in words
    assert "EPSG:4490" in words


@pytest.mark.parametrize("kind", ["INIMAGE", "application/vnd.ogc.se_inimage", "inimage"])
@pytest.mark.parametrize("form", ["image/png", "image/jpeg", "image/webp"])
async def test_a_fault_may_be_told_in_the_picture(client: httpx.AsyncClient, kind: str, form: str) -> None:
    """7.3.3.11.2: a picture of the size and format asked for, with the words in it."""
    told = await get_map(client, LAYERS="nowhere", EXCEPTIONS=kind, FORMAT=form, WIDTH="300", HEIGHT="200")
    assert told.headers["content-type"] == form
    picture = pixels(told)
    assert picture.shape == (200, 300, 4)
    assert 200 < (picture[..., :3].min(axis=2) < 100).sum() < 20_000


@pytest.mark.parametrize("kind", ["BLANK", "application/vnd.ogc.se_blank"])
async def test_a_fault_may_be_told_by_nothing(client: httpx.AsyncClient, kind: str) -> None:
    """7.3.3.11.3: a picture of the background alone, transparent if that was asked for."""
    asked = {"LAYERS": "nowhere", "EXCEPTIONS": kind, "WIDTH": "30", "HEIGHT": "20"}
    blue = pixels(await get_map(client, **asked, BGCOLOR="0x0000FF"))
    assert blue.shape == (20, 30, 4)
    assert (blue == (0, 0, 255, 255)).all()
    assert (pixels(await get_map(client, **asked, TRANSPARENT="TRUE"))[..., 3] == 0).all()


@pytest.mark.parametrize("changed", [{"WIDTH": "99999"}, {"FORMAT": "image/bmp"}, {"HEIGHT": None}])
async def test_without_a_frame_a_fault_is_told_in_xml(client: httpx.AsyncClient, changed: dict[str, Any]) -> None:
    assert fault(await get_map(client, **changed, EXCEPTIONS="INIMAGE"))[0]


async def test_endless_parameters(client: httpx.AsyncClient) -> None:
    assert fault(await client.post("/wms", data={"a": "x" * 70_000}))[0] == "InvalidParameterValue"


async def test_faults_are_quick(client: httpx.AsyncClient) -> None:
    """A polygon of a million corners, and brackets without end, are refused before anything is computed."""
    corners = ",".join(f"{i} {i}" for i in range(100_000))
    began = time.process_time()
    for hostile in (f"INTERSECTS(geom, POLYGON(({corners})))", "(" * 30_000, "IN (" + "1," * 15_000 + "1)"):
        answer = await client.post("/wms", data=MAP | {"CQL_FILTER": hostile})
        assert fault(answer)[0] == "InvalidParameterValue"
    assert time.process_time() - began < 2


# --- cancelled when the client goes away


DRAWING_SQL = """
    select count(*) from pg_stat_activity
    where datname = current_database() and application_name = 'citytwin maps' and state = 'active'
"""


async def test_a_map_that_nobody_waits_for_is_given_up(client: httpx.AsyncClient, town_database: Database) -> None:
    """A lock holds a map's statement up; when the client closes its connection, the statement ends, lock or no lock."""
    # Drawn once, the statement is known, and is all that the second map waits for.
    asked = MAP | {"CQL_FILTER": "height > 7.5"}
    assert (await get(client, asked)).status_code == 200
    messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    await messages.put({"type": "http.request", "body": b"", "more_body": False})
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/wms",
        "raw_path": b"/wms",
        "query_string": urlencode(asked).encode(),
        "headers": [(b"host", b"city.test")],
        "client": ("127.0.0.1", 1),
        "server": ("city.test", 80),
    }

    async def send(_: dict[str, Any]) -> None:
        pass

    async def drawing(wanted: int) -> None:
        for _ in range(200):
            if await looking.fetchval(DRAWING_SQL) == wanted:
                return
            await asyncio.sleep(0.02)
        pytest.fail(f"not {wanted} drawing within 4 s")

    app = client._transport.app  # type: ignore[attr-defined]
    async with town_database.writing() as locking, town_database.reading() as looking:
        await locking.execute("lock table building in access exclusive mode")
        answering = asyncio.create_task(app(scope, messages.get, send))
        await drawing(1)
        await messages.put({"type": "http.disconnect"})
        await drawing(0)
        await asyncio.wait_for(answering, 2)
