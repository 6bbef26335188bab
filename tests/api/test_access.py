"""Who may see and do what: no write without a token, and nothing anywhere of what a principal may not read."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.app import create_app
from api.identity import REMEMBERED_S
from cim_models.database import Database
from layers.tokens import PREFIX, TokenError, create_token, find_principal, list_tokens, revoke_token
from tests import town
from tests.api.conftest import Places, bearer, client_of
from twin.directory import CityPlace
from twin.settings import Settings

WRITING = {"post", "put", "patch", "delete"}
HIDDEN = "utility_pipes"
# Questions too long for an address; they change nothing.
QUESTIONS = {"geocode", "postAreaTable", "postWms", "postWfs", "postTravelTimes"}
# They end when the client goes.
STREAMS = {"streamObservations", "streamEvents", "streamJob"}
# What an address cannot be asked without.
NEEDED = {
    "/search": {"q": "x"},
    "/reverse": {"lon": "120.95", "lat": "28.1"},
    "/wmts": {"SERVICE": "WMTS", "REQUEST": "GetCapabilities"},
    "/traffic/isochrones": {"coords": "POINT(120.95 28.1)"},
    "/traffic/matrix": {"origins": "POINT(120.95 28.1)"},
    "/traffic/parking": {"coords": "POINT(120.95 28.1)"},
    "/traffic/route": {"from": "POINT(120.95 28.1)", "to": "POINT(120.951 28.1)"},
}


def filled(path: str) -> str:
    """An address of the document with something real in each place."""
    values = {
        "layer_id": "buildings", "object_id": "1", "style_id": "day",
        **dict.fromkeys(("tile_matrix_set_id", "tileMatrixSetId", "tile_matrix_set"), "WebMercatorQuad"),
        "tileMatrix": "14", "tileRow": "6858", "tileCol": "13697", "tile_matrix": "14", "tile_row": "6858",
        "{tile_col}/{j}/{i}": "13697/128/128.json", "tile_col": "13697.png", "layer": "buildings", "style": "day",
        "number": "1", "name": "x", "z": "14", "row": "6858", "column": "13697", "x": "13697", "y": "6858",
    }  # fmt: skip
    for name, value in values.items():
        path = path.replace(name if "{" in name else "{" + name + "}", value)
    return path


async def test_nothing_is_written_or_run_without_a_token(client: httpx.AsyncClient) -> None:
    """Walks the OpenAPI document: each operation that is not a plain read answers 401, and says how to get a token."""
    document = (await client.get("/api")).json()
    writing = [
        (method, path)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in WRITING and operation["operationId"] not in QUESTIONS
    ]
    assert writing
    for method, path in writing:
        assert document["paths"][path][method]["security"] == [{"token": []}]
        answer = await client.request(method, filled(path), json={"type": "Feature"})
        assert answer.status_code == 401, (method, path)
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.headers["content-type"] == "application/problem+json"
        cookie = await client.request(method, filled(path), json={}, headers={"Cookie": "token=x; session=x"})
        assert cookie.status_code == 401


async def test_every_documented_read_is_open(client: httpx.AsyncClient) -> None:
    document = (await client.get("/api")).json()
    for path, item in document["paths"].items():
        if "get" in item and item["get"]["operationId"] not in STREAMS:
            answer = await client.get(filled(path), params=NEEDED.get(path))
            assert answer.status_code not in (401, 403), (path, answer.text)
            assert answer.status_code < 500, (path, answer.text)


@pytest.mark.parametrize(
    "header", ["Bearer wrong", f"Bearer {PREFIX}wrong", "Bearer", "Basic dXNlcjpwYXNz", "Bearer " + "x" * 5000]
)
async def test_a_wrong_token_is_not_the_public(client: httpx.AsyncClient, header: str) -> None:
    for path in ("/", "/collections", "/collections/buildings/tiles/WebMercatorQuad/14/6858/13697"):
        assert (await client.get(path, headers={"Authorization": header})).status_code == 401


def everything_about(layer: str) -> list[str]:
    """Every address that could tell of a layer."""
    item = f"/collections/{layer}"
    return [
        "/",
        "/city",
        "/collections",
        "/styles/day",
        "/styles/night",
        "/search?q=%E7%A7%98%E5%AF%86",
        "/search?q=secret-1",
        "/search?q=mmzg",
        f"/search?q=x&layer={layer}",
        "/tiles/WebMercatorQuad/tilejson.json",
        item,
        f"{item}/items",
        f"{item}/items/1",
        f"{item}/queryables",
        f"{item}/schema",
        "/tiles/EPSG4549Quad",
        "/map/tiles/CGCS2000Quad",
        "/styles/day/metadata",
        "/wmts/1.0.0/WMTSCapabilities.xml",
        f"{item}/map",
        f"{item}/map/tiles",
        f"{item}/map/tiles/CGCS2000Quad/14/2817/13696",
        f"{item}/styles",
        f"{item}/styles/day",
        f"{item}/styles/day?f=sld11",
        f"{item}/styles/day/metadata",
        f"{item}/styles/day/map/tiles/WebMercatorQuad",
        f"{item}/tiles",
        f"{item}/tiles/WorldCRS84Quad",
        f"/map?collections={layer}",
        f"/map/tiles/WebMercatorQuad/14/6858/13697?collections={layer}",
        f"{item}/tiles/WebMercatorQuad/tilejson.json",
        f"{item}/tiles/WebMercatorQuad/14/6858/13697",
        f"/tiles/WebMercatorQuad/14/6858/13697?collections={layer}",
        f"/tiles/WebMercatorQuad/14/6858/13697?collections=buildings,{layer}",
        f"/tiles/WebMercatorQuad/tilejson.json?collections={layer}",
        f"/collections/buildings/items?filter={layer}%20=%201",
    ]


@pytest.mark.parametrize("path", everything_about(HIDDEN))
@pytest.mark.parametrize("language", ["en", "zh"])
async def test_a_hidden_layer_is_found_nowhere(client: httpx.AsyncClient, path: str, language: str) -> None:
    """What the public hears of a hidden layer is, word for word, what it hears of one that does not exist."""
    headers = {"Accept-Language": language}
    told = await client.get(path, headers=headers)
    of_none = await client.get(path.replace(HIDDEN, "no_such_layer"), headers=headers)
    assert told.status_code == of_none.status_code
    if told.headers.get("content-type") == "application/problem+json":
        mine, other = ({k: v for k, v in answer.json().items() if k != "request_id"} for answer in (told, of_none))
        assert mine == json.loads(json.dumps(other).replace("no_such_layer", HIDDEN))
    else:
        text = told.text.replace("secret-1", "", 1) if "q=secret" in path else told.text
        for word in (HIDDEN, "secret", town.SECRET, "Utility pipes", "管线"):
            assert word not in text, (path, word)


async def test_who_is_granted_it_sees_it(client: httpx.AsyncClient, tokens: town.Tokens) -> None:
    seen = bearer(tokens.utility)
    ids = [c["id"] for c in (await client.get("/collections", headers=seen)).json()["collections"]]
    assert HIDDEN in ids
    page = (await client.get(f"/collections/{HIDDEN}/items", headers=seen)).json()
    assert page["numberMatched"] == 3
    found = (await client.get("/search", params={"q": town.SECRET}, headers=seen)).json()["features"]
    assert {feature["properties"]["layer"] for feature in found} == {HIDDEN}
    assert (await client.get("/city", headers=seen)).json()["counts"][HIDDEN] == 3


async def test_rows_that_a_grant_leaves_out_are_hidden(client: httpx.AsyncClient, tokens: town.Tokens) -> None:
    """The township's role reads buildings up to 5 m, and no other layer."""
    seen = bearer(tokens.township)
    collections = (await client.get("/collections", headers=seen)).json()["collections"]
    assert [(c["id"], c["twin"]["count"]) for c in collections] == [("buildings", 5)]
    page = (await client.get("/collections/buildings/items?limit=100", headers=seen)).json()
    assert [feature["properties"]["height"] for feature in page["features"]] == [1, 2, 3, 4, 5]
    assert page["numberMatched"] == 5
    tall = (await client.get("/collections/buildings/items?uid=b38")).json()["features"][0]["id"]
    assert (await client.get(f"/collections/buildings/items/{tall}", headers=seen)).status_code == 404
    assert (await client.get("/search", params={"q": "b38"}, headers=seen)).json()["features"] == []
    assert (await client.get("/search", params={"q": "海晏楼"}, headers=seen)).json()["features"][0]["properties"][
        "name"
    ] == "海晏楼4"


async def test_a_property_that_a_layer_does_not_show_is_no_way_in(new_city: Any, settings: Settings) -> None:
    """Not shown, not filtered by, not sorted by, not searched."""
    url = new_city()
    town.fill(url)
    database = await Database.open(url)
    async with database.writing() as connection:
        await connection.execute("update layer set properties = array['class', 'height'] where id = 'buildings'")
    await database.close()
    app = create_app(settings, Places(CityPlace("town", url, Path("unused"))))
    async with client_of(app) as client:
        items = "/collections/buildings/items"
        page = (await client.get(items)).json()
        assert set(page["features"][0]["properties"]) == {"class", "height", "valid_from", "valid_to"}
        for query in ("name=x", "filter=name%20%3D%20%27x%27", "sortby=name", "uid=b1"):
            assert (await client.get(f"{items}?{query}")).status_code == 400, query
        for text in ("海晏楼4", "b4"):
            found = (await client.get("/search", params={"q": text})).json()["features"]
            assert "buildings" not in {feature["properties"]["layer"] for feature in found}
        found = (await client.get("/search", params={"q": "4"})).json()["features"]
        assert "海晏" not in json.dumps(found, ensure_ascii=False)


@pytest.fixture
async def own_client(new_city: Any, settings: Settings) -> AsyncIterator[tuple[httpx.AsyncClient, Database]]:
    """A town that a test may change, and its database."""
    url = new_city()
    town.fill(url)
    database = await Database.open(url)
    async with client_of(create_app(settings, Places(CityPlace("town", url, Path("unused"))))) as client:
        yield client, database
    await database.close()


async def test_a_token_ends(own_client: tuple[httpx.AsyncClient, Database]) -> None:
    """A revoked or expired one is refused within seconds."""
    client, database = own_client
    async with database.writing() as connection:
        secret = await create_token(connection, "an editor", "editor")
        old = await create_token(connection, "late", "editor", expires_at=datetime.now(UTC) - timedelta(seconds=1))
    assert (await client.get("/", headers=bearer(old))).status_code == 401
    assert (await client.get("/", headers=bearer(secret))).status_code == 200
    async with database.writing() as connection:
        token = next(t for t in await list_tokens(connection) if t.principal == "an editor")
        await revoke_token(connection, token.id)
    until = datetime.now(UTC) + timedelta(seconds=REMEMBERED_S + 1)
    while (answer := await client.get("/", headers=bearer(secret))).status_code == 200:
        assert datetime.now(UTC) < until
    assert answer.status_code == 401


async def test_a_layer_that_becomes_restricted_is_gone_at_once(own_client: tuple[httpx.AsyncClient, Database]) -> None:
    client, database = own_client
    assert (await client.get("/collections/buildings")).status_code == 200
    async with database.writing() as connection:
        await connection.execute("update layer set restricted = true where id = 'buildings'")
    until = datetime.now(UTC) + timedelta(seconds=2)
    while (answer := await client.get("/collections/buildings")).status_code == 200:
        assert datetime.now(UTC) < until
    assert answer.status_code == 404


async def test_only_a_hash_is_kept(database: Database) -> None:
    async with database.writing() as connection:
        secret = await create_token(connection, "an editor", "editor")
        stored = await connection.fetchval("select token::text from token")
        assert secret not in stored
        assert secret.removeprefix(PREFIX) not in stored
        principal = await find_principal(connection, secret)
        assert principal is not None
        assert (principal.name, principal.role) == ("an editor", "editor")
        assert await find_principal(connection, secret + "x") is None


@pytest.mark.parametrize(("name", "role"), [("system", "editor"), ("public", "editor"), ("", "editor"), ("x", "king")])
async def test_a_token_that_means_nobody_is_not_made(town_database: Database, name: str, role: str) -> None:
    async with town_database.writing() as connection:
        with pytest.raises(TokenError):
            await create_token(connection, name, role)
