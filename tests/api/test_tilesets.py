"""OGC API Tiles (OGC 20-057): lists, tile sets, grids and error rules, each test from the clause that it names."""

from itertools import pairwise
from typing import Any

import httpx
import mapbox_vector_tile
import pytest
from jsonschema import Draft202012Validator
from morecantile.models import TileMatrixSet

from tests import town
from tests.api.conftest import bearer

GRIDS = ["WebMercatorQuad", "WorldCRS84Quad", "CGCS2000Quad", "EPSG4549Quad"]
FAMILIES = ["", "/map", "/styles/night/map", "/collections/buildings", "/collections/buildings/map"]
RELATION = "http://www.opengis.net/def/rel/ogc/1.0/tilesets-"
# Table 13 of 17-083r4: what a tile set tells at least.
TILESET = {
    "type": "object",
    "required": ["dataType", "crs", "tileMatrixSetURI", "links", "layers", "tileMatrixSetLimits", "boundingBox"],
    "properties": {
        "dataType": {"enum": ["map", "vector", "coverage"]},
        "crs": {"type": "string", "format": "uri"},
        "tileMatrixSetURI": {"type": "string", "format": "uri"},
        "tileMatrixSetLimits": {
            "type": "array",
            "minItems": 1,
            "items": {
                "required": ["tileMatrix", "minTileRow", "maxTileRow", "minTileCol", "maxTileCol"],
                "properties": {"tileMatrix": {"type": "string"}, "minTileRow": {"type": "integer", "minimum": 0}},
            },
        },
        "links": {"type": "array", "items": {"required": ["rel", "href"]}},
        "layers": {"items": {"required": ["id", "dataType"]}},
    },
}


async def read(client: httpx.AsyncClient, path: str, **headers: str) -> Any:
    answer = await client.get(path, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_the_landing_page_and_collections_lead_to_tile_sets(client: httpx.AsyncClient) -> None:
    """/req/dataset-tilesets/landingpage and /req/geodata-tilesets/desc-links."""
    collections = (await read(client, "/collections"))["collections"]
    buildings = next(each for each in collections if each["id"] == "buildings")
    for links in ((await read(client, "/?f=json"))["links"], buildings["links"]):
        found = {each["rel"].removeprefix(RELATION): each["href"] for each in links if RELATION in each["rel"]}
        assert set(found) == {"vector", "map"}
        for kind, href in found.items():
            assert "/tiles?" in href
            assert {each["dataType"] for each in (await read(client, href))["tilesets"]} == {kind}


async def test_it_says_what_it_conforms_to(client: httpx.AsyncClient) -> None:
    declared = set((await read(client, "/conformance"))["conformsTo"])
    tiles = "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/"
    wanted = "core tileset tilesets-list dataset-tilesets geodata-tilesets mvt png jpeg oas30 datetime"
    assert {tiles + part for part in wanted.split()} <= declared


@pytest.mark.parametrize("family", FAMILIES)
async def test_a_list_names_a_tile_set_in_each_grid(client: httpx.AsyncClient, family: str) -> None:
    """/req/tilesets-list/tileset-links: each with its grid, its CRS and a link to itself."""
    listed = (await read(client, f"{family}/tiles"))["tilesets"]
    assert [each["tileMatrixSetId"] for each in listed] == GRIDS
    for each in listed:
        (own,) = (link["href"] for link in each["links"] if link["rel"] == "self")
        (scheme,) = (link["href"] for link in each["links"] if link["rel"].endswith("/tiling-scheme"))
        told = await read(client, own)
        assert (told["tileMatrixSetURI"], told["crs"]) == (each["tileMatrixSetURI"], each["crs"])
        assert (await read(client, scheme))["id"] == each["tileMatrixSetId"]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("grid", GRIDS)
async def test_a_tile_set_tells_all_that_a_tile_request_needs(
    client: httpx.AsyncClient, family: str, grid: str
) -> None:
    """/req/tileset/description; within the limits there are tiles, beyond them none (/req/core/tc-error A)."""
    told = await read(client, f"{family}/tiles/{grid}")
    Draft202012Validator(TILESET).validate(told)
    template = next(link for link in told["links"] if link["rel"] == "item")
    assert template["templated"] is True
    limits = {each["tileMatrix"]: each for each in told["tileMatrixSetLimits"]}
    zoom = limits["14"]

    async def status(row: int, column: int) -> int:
        href = template["href"].replace("{tileMatrix}", "14")
        address = href.replace("{tileRow}", str(row)).replace("{tileCol}", str(column))
        return (await client.get(address)).status_code

    assert await status(zoom["minTileRow"], zoom["minTileCol"]) in (200, 204)
    assert await status(zoom["maxTileRow"], zoom["maxTileCol"]) in (200, 204)
    assert await status(zoom["maxTileRow"] + 1, zoom["minTileCol"]) == 404
    assert await status(zoom["minTileRow"], zoom["minTileCol"] - 1) == 404


@pytest.mark.parametrize("grid", GRIDS)
async def test_a_grid_is_defined_as_the_standard_writes_it(client: httpx.AsyncClient, grid: str) -> None:
    """17-083r4, 7.1, read by morecantile; each matrix is half as coarse as the one before."""
    told = await read(client, f"/tileMatrixSets/{grid}")
    parsed = TileMatrixSet.model_validate(told)
    sizes = [matrix.cellSize for matrix in parsed.tileMatrices]
    assert all(coarse == pytest.approx(2 * fine) for coarse, fine in pairwise(sizes))
    assert {matrix.tileWidth for matrix in parsed.tileMatrices} == {256}


async def test_the_corner_is_written_as_the_crs_orders_its_axes(client: httpx.AsyncClient) -> None:
    """Latitude first for EPSG:4490, northing first for EPSG:4549, longitude first for CRS84."""
    corners = {}
    for grid in GRIDS:
        told = await read(client, f"/tileMatrixSets/{grid}")
        corners[grid] = told["orderedAxes"], told["tileMatrices"][0]["pointOfOrigin"], told["tileMatrices"][0]["id"]
    assert corners["CGCS2000Quad"] == (["Lat", "Lon"], [90, -180], "1")
    assert corners["WorldCRS84Quad"] == (["Lon", "Lat"], [-180, 90], "0")
    assert corners["EPSG4549Quad"] == (["X", "Y"], [2**24, 500_000 - 2**24], "0")
    listed = (await read(client, "/tileMatrixSets"))["tileMatrixSets"]
    assert [each["id"] for each in listed] == GRIDS


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("grid", GRIDS)
async def test_tilejson_of_each_tile_set(client: httpx.AsyncClient, family: str, grid: str) -> None:
    told = await read(client, f"{family}/tiles/{grid}/tilejson.json?datetime=2010-01-01")
    assert told["tilejson"] == "3.0.0"
    (address,) = told["tiles"]
    assert address.endswith("{z}/{y}/{x}?datetime=2010-01-01")
    assert told["bounds"] == pytest.approx([120.95, 28.1, 120.96, 28.104])
    assert ("vector_layers" in told) == ("map" not in family)
    assert ("crs" in told) == (grid != "WebMercatorQuad")


@pytest.mark.parametrize("grid", GRIDS)
async def test_a_vector_tile_in_each_grid_holds_the_objects(client: httpx.AsyncClient, grid: str) -> None:
    zoom = (await read(client, f"/collections/buildings/tiles/{grid}"))["tileMatrixSetLimits"][10]
    found = set()
    for row in range(zoom["minTileRow"], zoom["maxTileRow"] + 1):
        for column in range(zoom["minTileCol"], zoom["maxTileCol"] + 1):
            path = f"/collections/buildings/tiles/{grid}/{zoom['tileMatrix']}/{row}/{column}?f=mvt"
            answer = await client.get(path)
            if answer.status_code == 200:
                tile = mapbox_vector_tile.decode(answer.content)
                found |= {feature["id"] for feature in tile["buildings"]["features"]}
    assert len(found) == town.STANDING


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/tiles/Nonsense", 404),
        ("/tiles/Nonsense/1/1/1", 404),
        ("/tileMatrixSets/Nonsense", 404),
        ("/collections/nothing/tiles", 404),
        ("/collections/utility_pipes/map/tiles", 404),
        ("/styles/dusk/map/tiles", 404),
        ("/styles/dusk/map/tiles/WebMercatorQuad/13/3429/6848", 404),
        ("/tiles/WebMercatorQuad?colour=red", 400),
        ("/tiles/WebMercatorQuad/13/3429/6848?f=png", 400),
        ("/map/tiles/WebMercatorQuad/13/3429/6848?f=mvt", 400),
        # /req/core/tc-error: beyond the matrix, and what the standard's own tests ask for.
        ("/tiles/WebMercatorQuad/13/2147483647/2147483647", 404),
        ("/tiles/WebMercatorQuad/23/0/0", 404),
        ("/tiles/CGCS2000Quad/0/0/0", 404),
        ("/tiles/WorldCRS84Quad/0/1/0", 404),
        ("/tiles/WebMercatorQuad/-1/0/0", 404),
    ],
)
async def test_what_is_not_there_is_refused(client: httpx.AsyncClient, path: str, status: int) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


async def test_operations_are_named_as_the_standard_names_them(client: httpx.AsyncClient) -> None:
    """/req/oas30/operation-id: suffixes of table 11."""
    paths = (await read(client, "/api?f=json"))["paths"]
    ids = {operation["operationId"] for item in paths.values() for operation in item.values()}
    for origin in ("dataset", "collection"):
        for kind in ("vector", "map", "style.map"):
            for verb in ("getTileSetsList", "getTileSet", "getTile"):
                assert f"city.{origin}.{kind}.{verb}" in ids
    assert {"getTileMatrixSetsList", "getTileMatrixSet"} <= ids


async def test_a_hidden_layer_has_tile_sets_for_those_alone_who_may_see_it(
    client: httpx.AsyncClient, tokens: town.Tokens
) -> None:
    path = "/collections/utility_pipes/tiles"
    assert (await client.get(path)).status_code == 404
    assert (await client.get(path, headers=bearer(tokens.utility))).status_code == 200
    told = await read(client, "/tiles/WebMercatorQuad")
    assert "utility_pipes" not in {layer["id"] for layer in told["layers"]}


@pytest.mark.parametrize(
    ("header", "status"),
    [("*", 304), ('W/{etag}, "x"', 304), ('"x", {etag}', 304), ('"x"', 200), ("{etag}x", 200)],
)
async def test_if_none_match(client: httpx.AsyncClient, header: str, status: int) -> None:
    """RFC 9110, 13.1.2."""
    path = "/collections/buildings/tiles/WebMercatorQuad/13/3429/6848"
    etag = (await client.get(path)).headers["etag"]
    answer = await client.get(path, headers={"If-None-Match": header.format(etag=etag)})
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [
        ("gzip", True),
        ("gzip;q=0", False),
        ("*", True),
        ("*;q=0", False),
        ("identity, gzip;q=0.5", True),
        ("br, *;q=0.1", True),
        ("gzip;q=0, *", False),
        ("", False),
    ],
)
async def test_accept_encoding(client: httpx.AsyncClient, accepted: str, packed: bool) -> None:
    """RFC 9110, 12.5.3: a quality of nought refuses."""
    path = "/collections/buildings/tiles/WebMercatorQuad/13/3429/6848"
    answer = await client.get(path, headers={"Accept-Encoding": accepted})
    assert ("content-encoding" in answer.headers) == packed


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("family", ["", "/map"])
async def test_every_zoom_answers(client: httpx.AsyncClient, family: str, grid: str) -> None:
    """From half the world in one tile, most of it beyond the projection's use, to the last zoom."""
    for limits in (await read(client, f"{family}/tiles/{grid}"))["tileMatrixSetLimits"][::3]:
        place = f"{limits['tileMatrix']}/{limits['minTileRow']}/{limits['minTileCol']}"
        answer = await client.get(f"{family}/tiles/{grid}/{place}")
        assert answer.status_code in (200, 204), (place, answer.text)
