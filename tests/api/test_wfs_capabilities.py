"""What a WFS says of itself: capabilities, schemas, stored queries (OGC 09-025r2, 8, 9 and 14; 04-094, 8 and 13)."""

import httpx
import pytest
from lxml import etree

from tests.api.wfs import BASE, CITY, FEATURES, FES, OWS, WFS, XSD, fault, get, schema, tree, wfs_schema

CAPABILITIES = {"SERVICE": "WFS", "REQUEST": "GetCapabilities"}
BY_ID = "urn:ogc:def:query:OGC-WFS::GetFeatureById"
OLD_WFS = "{http://www.opengis.net/wfs}"


async def test_capabilities_are_valid(client: httpx.AsyncClient) -> None:
    wfs_schema().assertValid(tree(await get(client, CAPABILITIES)))


async def test_old_capabilities_are_valid(client: httpx.AsyncClient) -> None:
    old = schema(("http://www.opengis.net/wfs", "http://schemas.opengis.net/wfs/1.1.0/wfs.xsd"))
    old.assertValid(tree(await get(client, CAPABILITIES, VERSION="1.1.0")))


async def test_what_is_claimed(client: httpx.AsyncClient) -> None:
    """Tables 1 and 13: a basic WFS, and no more."""
    root = tree(await get(client, CAPABILITIES))
    claimed = {
        each.get("name"): each.findtext(f"{OWS}DefaultValue")
        for each in root.iter(f"{OWS}Constraint", f"{FES}Constraint")
        if each.find(f"{OWS}NoValues") is not None
    }
    for name in ("ImplementsBasicWFS", "KVPEncoding", "XMLEncoding", "ImplementsResultPaging",
                 "ImplementsQuery", "ImplementsAdHocQuery", "ImplementsResourceId", "ImplementsStandardFilter",
                 "ImplementsSpatialFilter", "ImplementsTemporalFilter", "ImplementsSorting"):  # fmt: skip
        assert claimed[name] == "TRUE", name
    for name in ("ImplementsTransactionalWFS", "ImplementsLockingWFS", "SOAPEncoding", "ImplementsStandardJoins",
                 "PagingIsTransactionSafe", "ManageStoredQueries", "ImplementsVersionNav"):  # fmt: skip
        assert claimed[name] == "FALSE", name
    assert claimed["CountDefault"] == "10000"


async def test_every_layer_is_a_feature_type(client: httpx.AsyncClient) -> None:
    root = tree(await get(client, CAPABILITIES))
    listed = {each["id"] for each in (await client.get("/collections")).json()["collections"]}
    types = {each.findtext(f"{WFS}Name"): each for each in root.iter(f"{WFS}FeatureType")}
    assert set(types) == {f"city:{layer}" for layer in listed}
    buildings = types["city:buildings"]
    assert buildings.findtext(f"{WFS}DefaultCRS") == "urn:ogc:def:crs:EPSG::4490"
    others = {each.text for each in buildings.iter(f"{WFS}OtherCRS")}
    assert {f"urn:ogc:def:crs:EPSG::{code}" for code in (4326, 3857, 4549)} <= others
    box = buildings.find(f"{OWS}WGS84BoundingBox")
    assert [float(v) for v in box.findtext(f"{OWS}LowerCorner").split()] == [120.95, 28.1]


@pytest.mark.parametrize(
    ("asked", "version"),
    [
        ({}, "2.0.0"),
        ({"VERSION": "2.0.0"}, "2.0.0"),
        ({"VERSION": "3.0"}, "2.0.0"),
        ({"VERSION": "1.1.0"}, "1.1.0"),
        ({"VERSION": "1.0.0"}, "1.1.0"),
        ({"ACCEPTVERSIONS": "3.0.0,1.1.0,2.0.0"}, "1.1.0"),
        ({"ACCEPTVERSIONS": "2.0.2"}, "2.0.0"),
    ],
)
async def test_versions_are_negotiated(client: httpx.AsyncClient, asked: dict[str, str], version: str) -> None:
    """OGC 06-121r3, 7.3.2."""
    assert tree(await get(client, CAPABILITIES | asked)).get("version") == version


async def test_no_version_in_common(client: httpx.AsyncClient) -> None:
    answer = await get(client, CAPABILITIES, ACCEPTVERSIONS="9.8.7")
    assert fault(answer) == ("VersionNegotiationFailed", "AcceptVersions")


async def test_sections_and_sequence(client: httpx.AsyncClient) -> None:
    whole = tree(await get(client, CAPABILITIES))
    part = tree(await get(client, CAPABILITIES, SECTIONS="FeatureTypeList"))
    assert [each.tag for each in part] == [f"{WFS}FeatureTypeList"]
    sequence = whole.get("updateSequence")
    known = tree(await get(client, CAPABILITIES, UPDATESEQUENCE=sequence))
    assert (known.get("updateSequence"), len(known)) == (sequence, 0)
    assert fault(await get(client, CAPABILITIES, UPDATESEQUENCE="9" * 20))[0] == "InvalidUpdateSequence"
    assert fault(await get(client, CAPABILITIES, SECTIONS="Rumours")) == ("InvalidParameterValue", "sections")


async def test_they_are_told_in_the_clients_language(client: httpx.AsyncClient) -> None:
    answer = await client.get("/wfs", params=CAPABILITIES, headers={"Accept-Language": "zh-CN"})
    titles = {each.findtext(f"{WFS}Title") for each in tree(answer).iter(f"{WFS}FeatureType")}
    assert "建筑" in titles
    again = await client.get("/wfs", params=CAPABILITIES, headers={"If-None-Match": answer.headers["etag"],
                                                                  "Accept-Language": "zh-CN"})  # fmt: skip
    assert again.status_code == 304


# --- schemas


async def test_a_schema_of_every_layer(client: httpx.AsyncClient) -> None:
    root = tree(await get(client, BASE, REQUEST="DescribeFeatureType"))
    assert root.get("targetNamespace") == CITY.strip("{}")
    elements = {each.get("name"): each.get("substitutionGroup") for each in root.findall(f"{XSD}element")}
    assert elements["buildings"] == "gml:AbstractFeature"
    assert {"roads", "water", "terrain"} <= set(elements)


async def test_a_schema_tells_types(client: httpx.AsyncClient) -> None:
    answer = await get(client, BASE, REQUEST="DescribeFeatureType", TYPENAMES="city:buildings")
    assert answer.headers["content-type"] == "application/gml+xml; version=3.2"
    types = {each.get("name"): each.get("type") for each in tree(answer).iter(f"{XSD}element")}
    assert types["name"] == "xsd:string"
    assert types["height"] == "xsd:double"
    assert types["storeys"] == "xsd:integer"
    assert types["valid_from"] == "xsd:dateTime"
    assert types["geom"] == "gml:MultiSurfacePropertyType"


@pytest.mark.parametrize("layer", ["buildings", "facilities"])
async def test_features_are_valid_by_their_schema(client: httpx.AsyncClient, layer: str) -> None:
    """The schema that DescribeFeatureType gives, with those of WFS and GML around it, judges what GetFeature gives."""
    described = (await get(client, BASE, REQUEST="DescribeFeatureType", TYPENAMES=layer)).content
    judge = schema(
        ("http://www.opengis.net/wfs/2.0", "http://schemas.opengis.net/wfs/2.0/wfs.xsd"),
        (CITY.strip("{}"), "http://city.test/described.xsd"),
        known={"http://city.test/described.xsd": described},
    )
    judge.assertValid(tree(await get(client, FEATURES, TYPENAMES=layer)))
    judge.assertValid(tree(await get(client, BASE, REQUEST="GetFeature", STOREDQUERY_ID=BY_ID, ID=f"{layer}.41"
                                     if layer == "facilities" else f"{layer}.40")))  # fmt: skip


async def test_old_features_are_valid_by_their_schema(client: httpx.AsyncClient) -> None:
    old = {"VERSION": "1.1.0", "TYPENAMES": None, "TYPENAME": "city:buildings"}
    described = (await get(client, FEATURES, **old, REQUEST="DescribeFeatureType")).content
    judge = schema(
        ("http://www.opengis.net/wfs", "http://schemas.opengis.net/wfs/1.1.0/wfs.xsd"),
        (CITY.strip("{}"), "http://city.test/described.xsd"),
        known={"http://city.test/described.xsd": described},
    )
    judge.assertValid(tree(await get(client, FEATURES, **old)))


# --- stored queries


async def test_stored_queries(client: httpx.AsyncClient) -> None:
    listed = tree(await get(client, BASE, REQUEST="ListStoredQueries"))
    described = tree(await get(client, BASE, REQUEST="DescribeStoredQueries", STOREDQUERY_ID=BY_ID))
    assert [each.get("id") for each in listed.iter(f"{WFS}StoredQuery")] == [BY_ID]
    assert [each.get("id") for each in described.iter(f"{WFS}StoredQueryDescription")] == [BY_ID]
    assert described.find(f".//{WFS}Parameter").get("name") == "id"
    for document in (listed, described):
        wfs_schema().assertValid(document)
    unknown = await get(client, BASE, REQUEST="DescribeStoredQueries", STOREDQUERY_ID="urn:x")
    assert fault(unknown) == ("InvalidParameterValue", "storedQuery_id")


async def test_reports_are_valid(client: httpx.AsyncClient) -> None:
    report = tree(await get(client, FEATURES, TYPENAMES="castles"))
    wfs_schema().assertValid(report)
    assert isinstance(report, etree._Element)
