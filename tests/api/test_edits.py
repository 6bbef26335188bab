"""Writing objects over HTTP: what is written is read back, and nobody writes over another's work unknowingly."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from pyproj import Transformer

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
        ({"type": "FeatureCollection", "features": {}}, 400),
        ({"type": "FeatureCollection", "features": [5]}, 400),
        ({"type": "FeatureCollection", "features": [{"type": "FeatureCollection", "features": []}]}, 400),
        ({"type": "FeatureCollection", "features": [{}] * 1001}, 400),
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


async def test_many_are_added_at_once_or_none(site: Site) -> None:
    """A FeatureCollection is one transaction: one bad feature, and nothing of it is written; the fault is named."""
    feature = {"type": "Feature", "geometry": POINT, "properties": {"class": "Clinic", "capacity": 7, "name": "成批"}}
    good = {"type": "FeatureCollection", "features": [feature] * 50}
    answer = await site.send("POST", f"{ITEMS}?why=survey", good)
    assert answer.status_code == 201
    assert answer.json()["numberCreated"] == len(set(answer.json()["ids"])) == 50
    assert (await site.told(f"{ITEMS}/{answer.json()['ids'][-1]}"))["capacity"] == 7
    async with site.database.reading() as connection:
        whys = await connection.fetch("select who, why from change order by seq desc limit 50")
    assert {(row["who"], row["why"]) for row in whys} == {("a editor", "survey")}
    bad = {**good, "features": [feature, {**feature, "properties": {"class": "Clinic", "capacity": "many"}}]}
    refused = await site.send("POST", ITEMS, bad)
    assert refused.status_code == 422
    assert "capacity" in refused.json()["detail"]
    missing = await site.send("POST", ITEMS, {**good, "features": [feature, {"type": "Feature", "properties": {}}]})
    assert missing.status_code == 400
    assert missing.json()["detail"].startswith("features[1]")
    found = (await site.client.get(ITEMS, params={"name": "成批"})).json()
    assert found["numberMatched"] == 50


async def test_a_merge_patch_merges(site: Site) -> None:
    """RFC 7396: objects member by member, null takes away, and what every object has cannot be taken."""
    headers = {"Content-Type": "application/merge-patch+json"}
    address = await site.add(name="A", roof="green", door="red")
    patch = {"geometry": {"coordinates": [120.956, 28.103]}, "properties": {"attributes": {"door": None}, "name": None}}
    assert (await site.send("PATCH", address, patch, **headers)).status_code == 204
    feature = (await site.client.get(address)).json()
    assert feature["geometry"] == {"type": "Point", "coordinates": [120.956, 28.103]}
    assert (feature["properties"]["name"], feature["properties"]["attributes"]) == (None, {"roof": "green"})
    assert (await site.send("PATCH", address, {"geometry": None}, **headers)).status_code == 400
    assert (await site.send("PATCH", address, {"properties": {"class": None}}, **headers)).status_code == 422
    assert (await site.send("PATCH", address, [], **headers)).status_code == 400


async def test_what_is_written_may_be_in_any_crs_that_is_offered(site: Site) -> None:
    """Part 4 with Part 2: Content-Crs, axes in their own order; and what is read in a CRS can be put back in it."""
    metric, geographic = (f"http://www.opengis.net/def/crs/EPSG/0/{code}" for code in (4549, 4490))
    x, y = Transformer.from_crs(4490, 4549, always_xy=True).transform(120.955, 28.102)
    body = {"type": "Feature", "geometry": {"type": "Point", "coordinates": [y, x]}, "properties": {"class": "Clinic"}}
    answer = await site.send("POST", ITEMS, body, Content_Crs=f"<{metric}>")
    assert answer.status_code == 201, answer.text
    address = answer.headers["location"]
    read = (await site.client.get(address)).json()["geometry"]["coordinates"]
    assert read == pytest.approx(POINT["coordinates"], abs=1e-9)
    read = await site.client.get(address, params={"crs": geographic})
    feature = read.json()
    feature["geometry"]["coordinates"] = [28.103, 120.955]
    headers = {"Content_Crs": f"<{geographic}>", "If_Match": read.headers["etag"]}
    assert (await site.send("PUT", address, feature, **headers)).status_code == 204
    assert (await site.client.get(address)).json()["geometry"]["coordinates"] == [120.955, 28.103]
    assert (await site.send("PUT", address, feature, Content_Crs="<EPSG:2056>")).status_code == 400
    swapped = {**body, "geometry": {"type": "Point", "coordinates": [1e30, 1e30]}}
    assert (await site.send("POST", ITEMS, swapped, Content_Crs=f"<{metric}>")).status_code == 400


async def test_a_geometry_that_was_only_read_keeps_every_digit(site: Site) -> None:
    address = await site.add(name="A")
    exact = "select st_x(geom) from facility where recorded_to = 'infinity' and object_id = $1"
    number = int(address.rpartition("/")[2])
    async with site.database.writing() as connection:
        await connection.execute(
            "update facility set geom = st_setsrid(st_point(120.95512345678912, 28.1), 4490) where object_id = $1",
            number,
        )
    feature = (await site.client.get(address)).json()
    feature["properties"]["name"] = "B"
    assert (await site.send("PUT", address, feature)).status_code == 204
    async with site.database.reading() as connection:
        assert await connection.fetchval(exact, number) == 120.95512345678912


async def test_clients_are_told_what_they_may_do(site: Site) -> None:
    """RFC 9110, 9.3.7: Allow names what this asker may do; QGIS looks there before it offers to edit."""
    address = await site.add()
    read = {"GET", "HEAD", "OPTIONS"}
    for token, more in ((site.tokens.editor, {"PUT", "PATCH", "DELETE"}), (site.tokens.utility, set()), ("", set())):
        headers = bearer(token) if token else {}
        answer = await site.client.request("OPTIONS", address, headers=headers)
        assert answer.status_code == 200
        assert set(answer.headers["allow"].split(", ")) == read | more
    several = await site.client.request("OPTIONS", ITEMS, headers=bearer(site.tokens.editor))
    assert set(several.headers["allow"].split(", ")) == read | {"POST"}
    assert (await site.client.request("OPTIONS", "/collections/utility_pipes/items")).status_code == 404


async def test_edits_as_qgis_sends_them(site: Site) -> None:
    """QGIS from 3.32 on: OPTIONS, then a POST with every field, a geometry and its attributes PATCHed apart."""
    crs = "http://www.opengis.net/def/crs/EPSG/0/4490"
    allowed = await site.client.request("OPTIONS", f"{ITEMS}/unknown_id", headers=bearer(site.tokens.editor))
    assert {"PUT", "PATCH", "DELETE"} <= set(allowed.headers["allow"].split(", "))
    schema = (await site.client.get("/collections/facilities/schema")).json()["properties"]
    fields = {name: None for name in schema if name not in ("object_id", "geometry")}
    turned = {"type": "Point", "coordinates": [28.102, 120.955]}
    body = {"type": "Feature", "geometry": turned, "properties": {**fields, "class": "Clinic", "name": "Q"}}
    added = await site.send("POST", ITEMS, body, Content_Crs=f"<{crs}>")
    assert added.status_code == 201, added.text
    address = added.headers["location"]
    merge = {"Content-Type": "application/merge-patch+json"}
    moved = {"geometry": {"type": "Point", "coordinates": [28.103, 120.956]}}
    assert (await site.send("PATCH", address, moved, Content_Crs=f"<{crs}>", **merge)).status_code == 204
    named = {"properties": {"name": "R", "attributes": '{"roof":"red"}'}}
    assert (await site.send("PATCH", address, named, **merge)).status_code == 204
    feature = (await site.client.get(address)).json()
    assert feature["geometry"] == {"type": "Point", "coordinates": [120.956, 28.103]}
    assert (feature["properties"]["name"], feature["properties"]["attributes"]) == ("R", {"roof": "red"})
    assert (await site.send("DELETE", address)).status_code == 204


async def test_a_server_may_insist_on_a_precondition(site: Site, settings: Settings, new_city: Any) -> None:
    """RFC 6585, section 3."""
    strict = settings.model_copy(update={"require_if_match": True})
    place = CityPlace("town", site.database.url, Path("unused"))
    address = (await site.add(capacity=10)).removeprefix("http://city.test")
    async with client_of(create_app(strict, Places(place))) as client:
        headers = GEOJSON | bearer(site.tokens.editor)
        for method, body in (("PATCH", {"properties": {}}), ("DELETE", None)):
            assert (await client.request(method, address, json=body, headers=headers)).status_code == 428
        assert any("optimistic-locking" in each for each in (await client.get("/conformance")).json()["conformsTo"])
        etag = (await client.get(address)).headers["etag"]
        fresh = headers | {"If-Match": etag}
        assert (await client.patch(address, json={"properties": {"capacity": 1}}, headers=fresh)).status_code == 204


HOSTILE = {
    "a deep one": '{"type":"Feature","properties":' + '{"a":' * 10_000 + "1" + "}" * 10_001,
    "deep lists": '{"type":"Feature","geometry":{"type":"Polygon","coordinates":' + "[" * 9_000 + "]" * 9_000 + "}}",
    "not a number": '{"type":"Feature","geometry":{"type":"Point","coordinates":[NaN,1]},"properties":{"class":"C"}}',
    "infinity": '{"type":"Feature","geometry":{"type":"Point","coordinates":[1e999,1]},"properties":{"class":"C"}}',
    "huge": '{"type":"Feature","geometry":{"type":"Point","coordinates":[1e308,-1e308]},"properties":{"class":"C"}}',
    "a huge number": '{"type":"Feature","geometry":{"type":"Point","coordinates":[1,1]},"properties":{"class":"C",'
    '"capacity":' + "9" * 400 + "}}",
    "no UTF-8": b'{"type":"Feature","properties":{"class":"\xff\xfe"}}',
    "half a pair": '{"type":"Feature","geometry":{"type":"Point","coordinates":[1,1]},'
    '"properties":{"class":"\\ud800"}}',
    "a null": '{"type":"Feature","geometry":{"type":"Point","coordinates":[1,1]},"properties":{"class":"\\u0000"}}',
    "objects": '{"type":"Feature","geometry":{"type":"Point","coordinates":[1,1]},"properties":{"class":{"a":[1]}}}',
    "no end": '{"type":"Feature","geometry":{"type":"Point","coordinates":[1,',
    "nothing": "",
    "text": '"Feature"',
    "a curve": '{"type":"Feature","geometry":{"type":"CircularString","coordinates":[[1,1],[2,2]]},"properties":{}}',
    "mixed lists": '{"type":"Feature","geometry":{"type":"Polygon","coordinates":[[1,2],[[3]]]},"properties":{}}',
    "empty": '{"type":"Feature","geometry":{"type":"Point","coordinates":[]},"properties":{"class":"C"}}',
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
async def test_a_hostile_body_is_refused(site: Site, body: str | bytes) -> None:
    headers = GEOJSON | bearer(site.tokens.editor)
    address = await site.add()
    for method, path in (("POST", ITEMS), ("PUT", address), ("PATCH", address)):
        answer = await site.client.request(method, path, content=body, headers=headers)
        assert 400 <= answer.status_code < 423, (method, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"


async def test_ten_million_vertices_are_refused_before_they_are_read(site: Site) -> None:
    """By its length, or where it does not say it, as soon as it has gone too far."""
    headers = GEOJSON | bearer(site.tokens.editor)
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield b'{"type":"Feature","geometry":{"type":"Polygon","coordinates":[['
        while sent < 400 * 2**20:
            sent += 2**20
            yield b"[120.9512345,28.1012345]," * (2**20 // 25)

    answer = await site.client.post(ITEMS, content=endless(), headers=headers)
    assert answer.status_code == 413
