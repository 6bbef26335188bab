"""Writing objects over HTTP: what is written is read back, and nobody writes over another's work unknowingly."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.app import create_app
from cim_models.database import Database
from tests import town
from tests.api.conftest import Places, bearer, client_of
from twin.directory import CityPlace
from twin.settings import Settings

ITEMS = "/collections/facilities/items"
POINT = {"type": "Point", "coordinates": [120.955, 28.102]}
GEOJSON = {"Content-Type": "application/geo+json"}


@dataclass
class Site:
    """A town to be changed, and an editor at work in it."""

    client: httpx.AsyncClient
    database: Database
    tokens: town.Tokens

    async def send(self, method: str, path: str, body: Any = None, token: str = "", **headers: str) -> httpx.Response:
        sent = GEOJSON | bearer(token or self.tokens.editor) | {k.replace("_", "-"): v for k, v in headers.items()}
        return await self.client.request(method, path, json=body, headers=sent)

    async def add(self, **properties: Any) -> str:
        body = {"type": "Feature", "geometry": POINT, "properties": {"class": "Clinic", **properties}}
        answer = await self.send("POST", ITEMS, body)
        assert answer.status_code == 201, answer.text
        return answer.headers["location"]

    async def told(self, address: str, **parameters: Any) -> dict[str, Any]:
        answer = await self.client.get(address, params=parameters)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()["properties"]
        return found


@pytest.fixture(scope="module")
async def site(new_city: Any, settings: Settings) -> AsyncIterator[Site]:
    # Every test works on objects of its own.
    url = new_city()
    town.fill(url)
    database = await Database.open(url)
    async with client_of(create_app(settings, Places(CityPlace("town", url, Path("unused"))))) as client:
        yield Site(client, database, await town.make_tokens(database))
    await database.close()


async def test_what_is_added_is_there(site: Site) -> None:
    """Part 4, create: 201 and a Location that answers."""
    address = await site.add(name="海晏卫生院", capacity=30, uid="c1", roof="green", valid_from="2021-05-01")
    answer = await site.client.get(address)
    told = answer.json()["properties"]
    assert answer.json()["geometry"] == POINT
    assert (told["name"], told["capacity"], told["uid"]) == ("海晏卫生院", 30, "c1")
    assert told["attributes"] == {"roof": "green"}
    assert told["valid_from"].startswith("2021-04-30T16:00")
    assert (await site.client.get(address, params={"datetime": "2021-04-30"})).status_code == 404
    async with site.database.reading() as connection:
        who = await connection.fetchval("select who from change order by seq desc limit 1")
    assert who == "a editor"


async def test_a_feature_that_was_read_can_be_put_back(site: Site) -> None:
    address = await site.add(name="A", capacity=30, roof="green")
    answer = await site.client.get(address)
    feature = answer.json()
    feature["properties"]["capacity"] = 31
    assert (await site.send("PUT", address, feature, If_Match=answer.headers["etag"])).status_code == 204
    told = await site.told(address)
    assert told == feature["properties"]


async def test_put_empties_and_patch_keeps(site: Site) -> None:
    address = await site.add(name="A", capacity=30, roof="green", door="red")
    assert (await site.send("PATCH", address, {"properties": {"capacity": None, "door": "blue"}})).status_code == 204
    told = await site.told(address)
    assert (told["name"], told["capacity"], told["attributes"]) == ("A", None, {"roof": "green", "door": "blue"})
    body = {"type": "Feature", "geometry": POINT, "properties": {"class": "Clinic", "capacity": 5}}
    assert (await site.send("PUT", address, body)).status_code == 204
    told = await site.told(address)
    assert (told["name"], told["capacity"]) == (None, 5)
    assert not {k: v for k, v in told["attributes"].items() if v is not None}


async def test_the_world_changes_and_the_model_is_corrected(site: Site) -> None:
    """Two modes on two axes: DESIGN's correct and supersede."""
    address = await site.add(capacity=10)
    patch = {"properties": {"capacity": 20}}
    assert (await site.send("PATCH", f"{address}?mode=supersede&as_of=2024-01-01", patch)).status_code == 204
    assert (await site.told(address, datetime="2023-12-31"))["capacity"] == 10
    assert (await site.told(address))["capacity"] == 20
    correction = {"properties": {"capacity": 11}}
    assert (await site.send("PATCH", f"{address}?as_of=2023-06-01", correction)).status_code == 204
    assert (await site.told(address, datetime="2023-12-31"))["capacity"] == 11
    assert (await site.told(address))["capacity"] == 20


async def test_deleted_is_not_forgotten(site: Site) -> None:
    address = await site.add(capacity=10)
    assert (await site.send("DELETE", f"{address}?as_of=2024-01-01")).status_code == 204
    assert (await site.client.get(address)).status_code == 404
    assert (await site.told(address, datetime="2023-12-31"))["capacity"] == 10
    mistaken = await site.add(capacity=10)
    assert (await site.send("DELETE", f"{mistaken}?mode=correct")).status_code == 204
    assert (await site.client.get(mistaken, params={"datetime": "2023-12-31"})).status_code == 404


async def test_a_plan_is_edited_alone(site: Site) -> None:
    address = await site.add(capacity=10)
    assert (await site.send("PATCH", f"{address}?plan=1", {"properties": {"capacity": 99}})).status_code == 204
    assert (await site.told(address))["capacity"] == 10
    assert (await site.told(address, plan=1))["capacity"] == 99
    assert (await site.send("DELETE", f"{address}?plan=1&mode=correct")).status_code == 204
    assert (await site.told(address, plan=1))["capacity"] == 10
    assert (await site.send("DELETE", f"{address}?plan=1")).status_code == 204
    assert (await site.client.get(address, params={"plan": 1})).status_code == 404
    assert (await site.told(address))["capacity"] == 10
    assert (await site.send("DELETE", f"{address}?plan=77")).status_code == 400


async def test_nobody_overwrites_what_he_has_not_seen(site: Site) -> None:
    """RFC 9110, 13.1.1: a stale If-Match is 412; a fresh one passes; `*` asks only that the object is there."""
    address = await site.add(capacity=10)
    etag = (await site.client.get(address)).headers["etag"]
    patch = {"properties": {"capacity": 20}}
    assert (await site.send("PATCH", address, patch, If_Match=etag)).status_code == 204
    assert (await site.send("PATCH", address, patch, If_Match=etag)).status_code == 412
    assert (await site.send("DELETE", address, If_Match=etag)).status_code == 412
    fresh = (await site.client.get(address)).headers["etag"]
    assert fresh != etag
    assert (await site.send("PATCH", address, patch, If_Match="*")).status_code == 204


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"type": "Feature", "properties": {"class": "Clinic"}}, 400),
        ({"type": "FeatureCollection", "features": []}, 400),
        ([1], 400),
        ({"type": "Feature", "geometry": {"type": "Point", "coordinates": ["x"]}, "properties": {"class": "C"}}, 400),
        ({"type": "Feature", "geometry": POINT, "properties": []}, 400),
        ({"type": "Feature", "geometry": POINT, "properties": {"class": "C", "attributes": 5}}, 400),
        ({"type": "Feature", "geometry": POINT, "properties": {"class": "C", "uid": 5}}, 400),
        ({"type": "Feature", "geometry": POINT, "properties": {"class": "C", "valid_from": "soon"}}, 400),
        ({"type": "Feature", "geometry": POINT, "properties": {}}, 422),
        ({"type": "Feature", "geometry": POINT, "properties": {"class": "C", "capacity": "many"}}, 422),
        ({"type": "Feature", "geometry": POINT, "properties": {"class": "C", "valid_from": "2020-01-01",
                                                               "valid_to": "2019-01-01"}}, 422),
        ({"type": "Feature", "geometry": POINT | {"coordinates": [500, 0]}, "properties": {"class": "C"}}, 422),
        ({"type": "Feature", "geometry": POINT, "properties": {"class": "C", "uid": "taken"}}, 409),
    ],
)  # fmt: skip
async def test_what_cannot_be_written(site: Site, body: Any, status: int) -> None:
    if status == 409:
        await site.add(uid="taken")
    answer = await site.send("POST", ITEMS, body)
    assert answer.status_code == status, answer.text
    assert answer.json()["detail"]


async def test_the_body_must_be_what_it_says(site: Site) -> None:
    headers = bearer(site.tokens.editor)
    for media_type, status in (("text/plain", 415), ("", 415), ("application/json", 400)):
        answer = await site.client.post(ITEMS, content=b"{", headers=headers | {"Content-Type": media_type})
        assert answer.status_code == status
    large = await site.client.post(ITEMS, content=b"x" * (5 * 2**20), headers=headers | GEOJSON)
    assert large.status_code == 413


async def test_writing_needs_the_right_to(site: Site) -> None:
    """401 without a token, 403 with one that may only read, 404 for what its user may not even see."""
    body = {"type": "Feature", "geometry": POINT, "properties": {"class": "Clinic"}}
    assert (await site.client.post(ITEMS, json=body)).status_code == 401
    assert (await site.send("POST", ITEMS, body, token=site.tokens.utility)).status_code == 403
    assert (await site.send("POST", ITEMS, body, token=site.tokens.township)).status_code == 404
    hidden = "/collections/utility_pipes/items"
    assert (await site.send("POST", hidden, body)).status_code == 404
    absent = await site.send("POST", "/collections/no_such_layer/items", body)
    assert absent.status_code == 404
    b38 = (await site.client.get("/collections/buildings/items?uid=b38")).json()["features"][0]["id"]
    tall = f"/collections/buildings/items/{b38}"
    assert (await site.send("DELETE", tall, token=site.tokens.township)).status_code == 404


@pytest.mark.parametrize(
    "query", ["mode=erase", "as_of=2020-01-01/2021-01-01", "as_of=soon", "colour=red", "why=" + "x" * 501]
)
async def test_a_query_that_makes_no_sense_changes_nothing(site: Site, query: str) -> None:
    address = await site.add(capacity=10)
    assert (await site.send("DELETE", f"{address}?{query}")).status_code == 400
    assert (await site.told(address))["capacity"] == 10
