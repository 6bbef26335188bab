"""OGC API Styles (OGC 20-009): lists, styles and metadata, of the whole map and of each layer."""

from typing import Any

import httpx
import pytest

MAPLIBRE = "application/vnd.mapbox.style+json"


async def read(client: httpx.AsyncClient, path: str) -> Any:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("base", ["", "/collections/buildings"])
async def test_a_list_leads_to_styles_metadata_and_pictures(client: httpx.AsyncClient, base: str) -> None:
    """/req/core/styles-success: an id, a title, and a stylesheet whose type is said."""
    told = await read(client, f"{base}/styles")
    assert told["default"] == "day"
    assert [style["id"] for style in told["styles"]] == ["day", "night"]
    for style in told["styles"]:
        links = {link["rel"]: link for link in style["links"]}
        assert links["stylesheet"]["type"] == MAPLIBRE
        for rel in ("stylesheet", "describedby", "preview"):
            answer = await client.get(links[rel]["href"])
            assert answer.status_code == 200
            assert answer.headers["content-type"] == links[rel]["type"]


async def test_a_layer_s_style_draws_that_layer_alone(client: httpx.AsyncClient) -> None:
    """/req/collection-styles/styles-applicability: from the layer's own tiles, in the same looks as the whole map."""
    whole, own = await read(client, "/styles/day"), await read(client, "/collections/buildings/styles/day")
    assert own["sources"]["city"]["url"].endswith("/collections/buildings/tiles/WebMercatorQuad/tilejson.json")
    assert {part["source-layer"] for part in own["layers"]} == {"buildings"}
    paints = {part["id"]: part["paint"] for part in whole["layers"]}
    assert all(part["paint"] == paints[part["id"]] for part in own["layers"])
    assert any(part["layout"].get("visibility") != "none" for part in own["layers"])


async def test_metadata_names_what_a_style_reads(client: httpx.AsyncClient) -> None:
    told = await read(client, "/collections/buildings/styles/night/metadata")
    (layer,) = told["layers"]
    assert layer["id"] == "buildings"
    assert {"id": "height", "type": "number"} in layer["attributes"]
    assert told["stylesheets"][0]["link"]["href"].endswith("/collections/buildings/styles/night")
    assert {layer["id"] for layer in (await read(client, "/styles/day/metadata"))["layers"]} >= {"buildings"}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/styles/dusk", 404),
        ("/styles/dusk/metadata", 404),
        ("/collections/nothing/styles", 404),
        ("/collections/utility_pipes/styles/day", 404),
        ("/styles/day?f=sld99", 400),
        ("/styles?colour=red", 400),
    ],
)
async def test_what_is_not_there_is_refused(client: httpx.AsyncClient, path: str, status: int) -> None:
    assert (await client.get(path)).status_code == status
