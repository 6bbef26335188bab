"""OWSLib reads the town as Python scripts do."""

from owslib.ogcapi.features import Features

from tests import town


def test_it_reads_the_service(town_server: str) -> None:
    service = Features(town_server)
    assert "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core" in service.conformance()["conformsTo"]
    assert service.api()["openapi"].startswith("3.0")
    assert {"buildings", "facilities"} <= set(service.feature_collections())
    assert "utility_pipes" not in service.feature_collections()
    assert service.collection("buildings")["extent"]["spatial"]["bbox"] == [[120.95, 28.1, 120.96, 28.104]]
    assert "height" in service.collection_queryables("buildings")["properties"]


def test_it_reads_objects(town_server: str) -> None:
    service = Features(town_server)
    page = service.collection_items("buildings", limit=5, bbox=[120.94, 28.0, 121.0, 28.2])
    assert (page["numberReturned"], page["numberMatched"]) == (5, town.STANDING)
    found = service.collection_items("buildings", filter="height > 37 AND function = 'residential'")
    assert [feature["properties"]["height"] for feature in found["features"]] == [38, 40]
    item = service.collection_item("buildings", str(page["features"][0]["id"]))
    assert item["properties"] == page["features"][0]["properties"]
