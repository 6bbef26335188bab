"""The OpenAPI document is valid, true, and no request that it allows or forbids makes the server fail."""

import json
import urllib.request
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from openapi_spec_validator import validate
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance

EXAMPLES = 8
REAL = {
    "layer_id": "buildings",
    "object_id": "1",
    "style_id": "night",
    "tile_matrix_set_id": "WorldCRS84Quad",
    "tileMatrixSetId": "WorldCRS84Quad",
    "tileMatrix": "12",
}
TILES = {
    f"city.{origin}.{kind}.{verb}"
    for origin in ("dataset", "collection")
    for kind in ("vector", "map", "style.map")
    for verb in ("getTileSetsList", "getTileSet", "getTileJson", "getTile")
}
MAPS = {f"city.{origin}.{styled}getMap" for origin in ("dataset", "collection") for styled in ("", "style.")}
OPERATIONS = {
    "getLandingPage", "getConformance", "getApi", "getCity", "getCities", "getCollections", "getCollection",
    "getQueryables", "getSortables", "getFunctions", "getAggregate", "getAreaTable", "postAreaTable",
    "getSchema", "getItems", "getItem", "createItem", "replaceItem", "updateItem", "deleteItem",
    "getTileMatrixSetsList", "getTileMatrixSet", *TILES, *MAPS, "getWms", "postWms",
    "getWfs", "postWfs",
    "getWmts", "getWmtsCapabilities", "getWmtsTile",
    "getWmtsFeatureInfo", "getTerrainTileJson", "getTerrainTile",
    "getCoverage", "getCoverageTileJson", "getCoverageTile", "getCoveragePosition", "getCoverageTrajectory",
    "reverse", "geocode",
    "getHillshadeTile", "search", "getStyles", "getStyle", "getStyleMetadata", "getLayerStyles", "getLayerStyle",
    "getLayerStyleMetadata", "getRemote", "getRemoteDocument", "getRemoteTile",
    "getLatest", "getLatestTile", "getLatestTileJson", "getSeries", "streamObservations", "getRanking",
    "enterReading", "getReadings", "getPicture",
    "getSignals", "recordSignal", "endSignal", "getTyphoons", "getTyphoon", "putTyphoon", "deleteTyphoon",
    "getEvents", "getEvent", "raiseEvent", "stepEvent", "streamEvents", "getRules", "putRule", "deleteRule", "tryRule",
    "getProcesses", "getProcess", "execute", "getJobs", "getJob", "dismissJob", "getJobResults", "streamJob",
    "getJobTable", "getJobFile", "getIsochrones", "getRoute", "getParking", "getTravelTimes", "postTravelTimes",
    "getTripUsers", "uploadPhoto", "getPhoto",
    "getHealth", "getReadiness", "getLiveness", "getMetrics",
}  # fmt: skip
# They end when the client goes.
STREAMS = {"streamObservations", "streamEvents", "streamJob"}


@pytest.fixture(scope="module")
def document(town_server: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{town_server}/api?f=json") as answer:
        assert answer.headers["content-type"] == "application/vnd.oai.openapi+json;version=3.0"
        found: dict[str, Any] = json.load(answer)
        return found


def test_it_is_valid(document: dict[str, Any], town_server: str) -> None:
    validate(document)
    assert document["openapi"].startswith("3.0")
    assert document["servers"] == [{"url": town_server}]


def test_every_operation_is_told(document: dict[str, Any]) -> None:
    assert {
        operation["operationId"] for item in document["paths"].values() for operation in item.values()
    } == OPERATIONS


def test_the_parameters_of_items_are_the_standards(document: dict[str, Any]) -> None:
    """OGC API Features Part 1, /req/core/fc-limit-definition and its like: the suite reads each word of them."""
    items = document["paths"]["/collections/{layer_id}/items"]["get"]["parameters"]
    told = {each["name"]: each for each in items}
    for name, kind in (("limit", "integer"), ("bbox", "array"), ("datetime", "string")):
        assert (told[name]["in"], told[name]["required"], told[name]["style"]) == ("query", False, "form")
        assert (told[name]["explode"], told[name]["schema"]["type"]) == (False, kind)
    assert {"minimum", "maximum", "default"} <= told["limit"]["schema"].keys()


@pytest.mark.parametrize("operation_id", sorted(OPERATIONS - STREAMS))
def test_no_request_makes_the_server_fail(document: dict[str, Any], town_server: str, operation_id: str) -> None:
    """Schemathesis invents requests, right and wrong; what comes back is what the document says."""
    schema = schemathesis.openapi.from_dict(document)
    operation = schema.find_operation_by_id(operation_id)

    @seed(1)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(case=operation.as_strategy())
    def ask(case: schemathesis.Case) -> None:
        # Names that nobody has are refused before anything else is read.
        case.path_parameters = case.path_parameters | {k: v for k, v in REAL.items() if k in case.path_parameters}
        response = case.call(base_url=town_server)
        case.validate_response(response, checks=[not_a_server_error, status_code_conformance, content_type_conformance])

    ask()
