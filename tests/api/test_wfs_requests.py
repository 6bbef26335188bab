"""WFS requests as they are written, and refusals (OGC 09-025r2, 6.2, 7.5 and D; 06-121r3, 8 and 11)."""

import time
from urllib.parse import quote

import httpx
import pytest

from tests.api.conftest import bearer
from tests.api.wfs import BASE, CITY, FEATURES, OWS, WFS, compare, fault, get, heights, tree, xml_filter
from tests.town import SECRET, STANDING, Tokens

XML = {"Content-Type": "application/xml"}


async def post(client: httpx.AsyncClient, body: str, query: str = "") -> httpx.Response:
    return await client.post(f"/wfs{query}", content=body.encode(), headers=XML)


def get_feature(inner: str, attributes: str = "") -> str:
    """A GetFeature in XML."""
    return (
        f'<wfs:GetFeature service="WFS" version="2.0.0" {attributes} xmlns:wfs="http://www.opengis.net/wfs/2.0"'
        f' xmlns:fes="http://www.opengis.net/fes/2.0" xmlns:city="http://citytwin.org/ns">{inner}</wfs:GetFeature>'
    )


LOW = (
    "<fes:Filter><fes:PropertyIsLessThan><fes:ValueReference>city:height</fes:ValueReference>"
    "<fes:Literal>4</fes:Literal></fes:PropertyIsLessThan></fes:Filter>"
)
QUERY = f'<wfs:Query typeNames="city:buildings">{LOW}</wfs:Query>'


# --- how requests are written


async def test_names_are_read_in_any_case(client: httpx.AsyncClient) -> None:
    odd = {name.lower() if i % 2 else name.title(): value for i, (name, value) in enumerate(FEATURES.items())}
    answer = await get(client, odd, CoUnT="3")
    assert len(tree(answer).findall(f"{WFS}member")) == 3


@pytest.mark.parametrize(
    ("changed", "code", "locator"),
    [
        ({"SERVICE": None}, "MissingParameterValue", "service"),
        ({"SERVICE": "WMS"}, "InvalidParameterValue", "service"),
        ({"REQUEST": None}, "MissingParameterValue", "request"),
        ({"VERSION": None}, "MissingParameterValue", "version"),
        ({"VERSION": "9.9.9"}, "InvalidParameterValue", "version"),
        ({"TYPENAMES": None}, "MissingParameterValue", "typeNames"),
        ({"TYPENAMES": "city:castles"}, "InvalidParameterValue", "typeNames"),
        ({"TYPENAMES": "utility_pipes"}, "InvalidParameterValue", "typeNames"),
        ({"COUNT": "-1"}, "InvalidParameterValue", "count"),
        ({"COUNT": "ten"}, "InvalidParameterValue", "count"),
        ({"STARTINDEX": "1.5"}, "InvalidParameterValue", "startIndex"),
        ({"RESULTTYPE": "all"}, "InvalidParameterValue", "resultType"),
        ({"RESOLVE": "sideways"}, "InvalidParameterValue", "resolve"),
        ({"OUTPUTFORMAT": "application/x-cobol"}, "InvalidParameterValue", "outputFormat"),
        ({"SRSNAME": "EPSG:0"}, "InvalidParameterValue", "srsName"),
        ({"SRSNAME": "urn:ogc:def:crs:EPSG::27700"}, "InvalidParameterValue", "srsName"),
        ({"BBOX": "1,2,3"}, "InvalidParameterValue", "bbox"),
        ({"BBOX": "28.2,120,28.1,121"}, "InvalidParameterValue", "bbox"),
        ({"BBOX": "1,2,3,nan"}, "InvalidParameterValue", "bbox"),
        ({"BBOX": "1,2,3,4,EPSG:0"}, "InvalidParameterValue", "bbox"),
        ({"BBOX": "1,2,3,4", "RESOURCEID": "buildings.1"}, "InvalidParameterValue", "resourceId"),
        ({"PROPERTYNAME": "secret"}, "InvalidParameterValue", "propertyName"),
        ({"SORTBY": "secret"}, "InvalidParameterValue", "sortBy"),
        ({"SORTBY": "geom"}, "InvalidParameterValue", "sortBy"),
        ({"SORTBY": "height UP"}, "InvalidParameterValue", "sortBy"),
        ({"FILTER": "<Filter"}, "OperationParsingFailed", "filter"),
        ({"FILTER": xml_filter(compare("EqualTo", "secret", 1))}, "InvalidParameterValue", "filter"),
        ({"FILTER": xml_filter(compare("EqualTo", "height", "x"))}, "InvalidParameterValue", "filter"),
        ({"CQL_FILTER": "height >"}, "InvalidParameterValue", "filter"),
        ({"CQL_FILTER": "1/0 = 1 and 10^999 > 1"}, "InvalidParameterValue", "filter"),
        ({"DATETIME": "yesterday"}, "InvalidParameterValue", "datetime"),
        ({"PLAN": "99"}, "InvalidParameterValue", "plan"),
        ({"STOREDQUERY_ID": "urn:x"}, "InvalidParameterValue", "storedQuery_id"),
        ({"REQUEST": "GetPropertyValue", "VALUEREFERENCE": "secret"}, "InvalidParameterValue", "valueReference"),
        ({"REQUEST": "GetPropertyValue"}, "MissingParameterValue", "valueReference"),
        ({"REQUEST": "DescribeFeatureType", "TYPENAMES": "castles"}, "InvalidParameterValue", "typeNames"),
        ({"REQUEST": "DescribeFeatureType", "OUTPUTFORMAT": "text/html"}, "InvalidParameterValue", "outputFormat"),
    ],
)
async def test_refusals(client: httpx.AsyncClient, changed: dict[str, str | None], code: str, locator: str) -> None:
    """Table D.2 and OGC 06-121r3, tables 27 and 28."""
    assert fault(await get(client, FEATURES, **changed)) == (code, locator)


@pytest.mark.parametrize("name", ["Transaction", "LockFeature", "CreateStoredQuery", "GetWeather"])
async def test_what_is_not_offered(client: httpx.AsyncClient, name: str) -> None:
    assert fault(await get(client, BASE, REQUEST=name), 501) == ("OperationNotSupported", name)


async def test_references_elsewhere_are_not_followed(client: httpx.AsyncClient) -> None:
    """7.6.4: nothing refers to anything, so that local references are followed as well as none."""
    plain, local = [await get(client, FEATURES, RESOLVE=each) for each in ("none", "local")]
    assert plain.status_code == local.status_code == 200
    values = {"REQUEST": "GetPropertyValue", "VALUEREFERENCE": "height"}
    for asked in ({"RESOLVE": "remote"}, {"RESOLVE": "all"}, values | {"RESOLVE": "remote"}):
        assert fault(await get(client, FEATURES, **asked), 501) == ("OptionNotSupported", "resolve")


async def test_a_parameter_given_twice(client: httpx.AsyncClient) -> None:
    answer = await client.get("/wfs?SERVICE=WFS&VERSION=2.0.0&REQUEST=GetFeature&TYPENAMES=roads&typenames=water")
    assert fault(answer) == ("InvalidParameterValue", "typeNames")


async def test_forms_are_read(client: httpx.AsyncClient) -> None:
    answer = await client.post("/wfs", data=FEATURES | {"COUNT": "2"})
    assert len(tree(answer).findall(f"{WFS}member")) == 2


# --- requests in XML


async def test_a_query_in_xml(client: httpx.AsyncClient) -> None:
    answer = await post(client, get_feature(QUERY))
    assert [each.text for each in tree(answer).iter(f"{CITY}height")] == ["1", "2", "3"]


async def test_all_parts_of_a_query_in_xml(client: httpx.AsyncClient) -> None:
    sorts = (
        "<fes:SortBy><fes:SortProperty><fes:ValueReference>height</fes:ValueReference>"
        "<fes:SortOrder>DESC</fes:SortOrder></fes:SortProperty></fes:SortBy>"
    )
    query = (
        '<wfs:Query typeNames="city:buildings" srsName="urn:ogc:def:crs:EPSG::3857">'
        f"<wfs:PropertyName>city:height</wfs:PropertyName>{LOW}{sorts}</wfs:Query>"
    )
    root = tree(await post(client, get_feature(query, 'count="2" startIndex="1"')))
    buildings = list(root.iter(f"{CITY}buildings"))
    assert [[part.tag for part in each] for each in buildings] == [[f"{CITY}height"]] * 2
    assert [each.findtext(f"{CITY}height") for each in buildings] == ["2", "1"]
    assert (root.get("numberMatched"), root.get("numberReturned")) == ("3", "2")


async def test_pages_of_a_posted_query_are_had_by_address(client: httpx.AsyncClient) -> None:
    """7.7.4.4: next is an address, whatever way the first page was asked for."""
    first = tree(await post(client, get_feature(QUERY, 'count="2"')))
    second = tree(await client.get(first.get("next")))
    assert [each.text for each in second.iter(f"{CITY}height")] == ["3"]
    assert second.get("next") is None
    before = tree(await client.get(second.get("previous")))
    assert [each.text for each in before.iter(f"{CITY}height")] == ["1", "2"]


async def test_several_queries_are_a_collection_of_collections(client: httpx.AsyncClient) -> None:
    """11.3.3.5; what is asked for is counted through all of them."""
    schools = '<wfs:Query typeNames="city:facilities"/>'
    root = tree(await post(client, get_feature(QUERY + schools, 'count="4" startIndex="1"')))
    inner = root.findall(f"{WFS}member/{WFS}FeatureCollection")
    assert [(each.get("numberMatched"), each.get("numberReturned")) for each in inner] == [("3", "2"), ("3", "2")]
    assert (root.get("numberMatched"), root.get("numberReturned")) == ("6", "4")
    beyond = tree(await post(client, get_feature(QUERY + schools, 'startIndex="4"')))
    assert [each.get("numberReturned") for each in beyond.iter(f"{WFS}FeatureCollection")] == ["2", "0", "2"]


async def test_vendor_parameters_stand_in_the_address(client: httpx.AsyncClient) -> None:
    query = '<wfs:Query typeNames="city:buildings"/>'
    answer = await post(client, get_feature(query, 'resultType="hits"'), "?datetime=2010-01-01")
    assert tree(answer).get("numberMatched") == "39"
    answer = await post(client, get_feature(query, 'resultType="hits"'), "?plan=1")
    assert tree(answer).get("numberMatched") == str(STANDING)


async def test_a_feature_by_its_id_in_xml(client: httpx.AsyncClient) -> None:
    stored = (
        '<wfs:StoredQuery id="urn:ogc:def:query:OGC-WFS::GetFeatureById">'
        '<wfs:Parameter name="id">buildings.4</wfs:Parameter></wfs:StoredQuery>'
    )
    assert tree(await post(client, get_feature(stored))).findtext(f"{CITY}height") == "4"


@pytest.mark.parametrize(
    "body",
    [
        "<",
        "hello",
        "<a/>",
        '<GetFeature xmlns="urn:other"/>',
        get_feature(QUERY).replace("</wfs:GetFeature>", ""),
        '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + get_feature(QUERY),
        '<!DOCTYPE x SYSTEM "file:///etc/passwd">' + get_feature(QUERY),
        get_feature("<a>" * 100 + "</a>" * 100),
        get_feature("<wfs:a/>" * 30_000),
        get_feature(QUERY) + " " * 2_000_000,
    ],
)
async def test_what_is_no_request_is_refused_at_once(client: httpx.AsyncClient, body: str) -> None:
    began = time.monotonic()
    assert fault(await post(client, body)) == ("OperationParsingFailed", "request")
    assert time.monotonic() - began < 20


async def test_a_long_filter_for_many_types(client: httpx.AsyncClient) -> None:
    """What is read once for each type is bounded for all together."""
    types = ",".join(["city:buildings"] * 60)
    long = "<fes:Filter>" + "<!-- -->" * 5_000 + LOW.removeprefix("<fes:Filter>")
    began = time.monotonic()
    answer = await post(client, get_feature(f'<wfs:Query typeNames="{types}">{long}</wfs:Query>'))
    assert answer.status_code == 200, answer.text
    longer = long.replace("<fes:Literal>4", f"<fes:Literal>{' ' * 40_000}4")
    answer = await post(client, get_feature(f'<wfs:Query typeNames="{types}">{longer}</wfs:Query>'))
    assert fault(answer) == ("InvalidParameterValue", "filter")
    assert time.monotonic() - began < 30


async def test_a_huge_body_is_refused(client: httpx.AsyncClient) -> None:
    answer = await post(client, " " * (64 * 2**20))
    assert answer.status_code == 413


async def test_sql_in_every_place_is_only_text(client: httpx.AsyncClient) -> None:
    for text in ("'; drop table building; --", "$1", "%s", ":x", '"', "\\"):
        escaped = text.replace('"', "&quot;")
        found = await get(client, FEATURES, FILTER=xml_filter(compare("EqualTo", "name", escaped)))
        assert found.status_code == 200, found.text
        for name in ("SORTBY", "PROPERTYNAME", "SRSNAME", "BBOX", "RESOURCEID", "VALUEREFERENCE", "TYPENAMES"):
            answer = await client.get(f"/wfs?{'&'.join(f'{k}={v}' for k, v in FEATURES.items() if k != name)}"
                                      f"&{name}={quote(text)}")  # fmt: skip
            assert answer.status_code in (200, 400), answer.text


# --- who may see what


async def test_layers_that_one_may_not_know_of(client: httpx.AsyncClient, tokens: Tokens) -> None:
    parameters = BASE | {"REQUEST": "GetFeature", "TYPENAMES": "utility_pipes"}
    assert fault(await client.get("/wfs", params=parameters)) == ("InvalidParameterValue", "typeNames")
    allowed = await client.get("/wfs", params=parameters, headers=bearer(tokens.utility))
    assert allowed.text.count(SECRET) == 3
    for request in ("GetCapabilities", "ListStoredQueries", "DescribeFeatureType"):
        assert "utility_pipes" not in (await get(client, BASE, REQUEST=request)).text
    stored = {"STOREDQUERY_ID": "urn:ogc:def:query:OGC-WFS::GetFeatureById", "ID": "utility_pipes.44"}
    assert fault(await get(client, BASE, REQUEST="GetFeature", **stored), 404) == ("NotFound", "id")


async def test_rows_that_one_may_not_see(client: httpx.AsyncClient, tokens: Tokens) -> None:
    answer = await client.get("/wfs", params=FEATURES, headers=bearer(tokens.township))
    assert [each.text for each in tree(answer).iter(f"{CITY}height")] == ["1", "2", "3", "4", "5"]
    hits = await client.get("/wfs", params=FEATURES | {"RESULTTYPE": "hits"}, headers=bearer(tokens.township))
    assert tree(hits).get("numberMatched") == "5"
    values = {"REQUEST": "GetPropertyValue", "VALUEREFERENCE": "height", "SORTBY": "height DESC", "COUNT": "1"}
    told = await client.get("/wfs", params=FEATURES | values, headers=bearer(tokens.township))
    assert tree(told).findtext(f"{WFS}member") == "5"


async def test_any_moment_and_any_plan(client: httpx.AsyncClient) -> None:
    assert 39.0 in await heights(client, DATETIME="2014-06-01")
    assert 40.0 not in await heights(client, DATETIME="2014-06-01")
    with_plan = await heights(client, PLAN="1")
    assert 1.0 not in with_plan
    assert 100.0 in with_plan


async def test_reports_of_1_1_are_of_ows_1_0(client: httpx.AsyncClient) -> None:
    answer = await get(client, FEATURES, VERSION="1.1.0", TYPENAMES="castles")
    root = tree(answer)
    assert answer.status_code == 400
    assert root.tag == "{http://www.opengis.net/ows}ExceptionReport"
    assert root.get("version") == "1.1.0"
    assert OWS not in root.tag
