"""OGC API Styles (OGC 20-009): lists, styles and metadata, of the whole map and of each layer."""

from typing import Any
from xml.etree import ElementTree

import httpx
import pytest

SLD = "application/vnd.ogc.sld+xml;version="
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
        links = style["links"]
        assert [link["type"] for link in links if link["rel"] == "stylesheet"] == [MAPLIBRE, f"{SLD}1.1", f"{SLD}1.0"]
        assert {"describedby", "preview"} <= {link["rel"] for link in links}
        for each in links:
            answer = await client.get(each["href"])
            assert (answer.status_code, answer.headers["content-type"]) == (200, each["type"])


@pytest.mark.parametrize(("accept", "version"), [(f"{SLD}1.0", "1.0.0"), ("application/vnd.ogc.sld+xml", "1.1.0")])
async def test_sld_for_those_who_ask_for_it(client: httpx.AsyncClient, accept: str, version: str) -> None:
    """/req/sld-10 and sld-11: as the Accept header says; the layer is called as its collection."""
    answer = await client.get("/collections/buildings/styles/day", headers={"Accept": accept})
    root = ElementTree.fromstring(answer.content)
    assert root.get("version") == version
    names = [e.text for e in root.iter() if e.tag.endswith("}Name")]
    assert "buildings" in names
    by_default = await client.get("/collections/buildings/styles/day", headers={"Accept": "*/*"})
    assert by_default.headers["content-type"] == MAPLIBRE


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
    assert told["stylesheets"][0]["link"]["href"].endswith("/collections/buildings/styles/night?f=mapbox")
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
