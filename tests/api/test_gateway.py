"""What every request meets: refusals in one form, limits, addresses behind proxies, many cities, figures, health."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from api.app import create_app
from api.parameters import MAX_PARAMETERS, MAX_QUERY_BYTES
from cim_models.database import CitySpec, migrate
from cim_models.embedded import Cluster
from tests import town
from tests.api.conftest import BASE, Places, bearer, client_of
from twin.directory import CityPlace, Directory
from twin.settings import Settings

MEMBERS = {"type", "title", "status", "detail", "instance", "request_id"}


def place(name: str, url: str) -> CityPlace:
    return CityPlace(name, url, Path("unused"))


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/collections/nowhere", 404),
        ("GET", "/collections/buildings/items/999999", 404),
        ("GET", "/collections/buildings/items/", 404),
        ("GET", "/styles/dusk", 404),
        ("GET", "/cities/atlantis/", 404),
        ("GET", "/terrain/tilejson.json", 404),
        ("GET", "/terrain/1/1/x.png", 404),
        ("GET", "/tiles/WebMercatorQuad/23/0/0", 404),
        ("GET", "/tiles/WebMercatorQuad/1/2/0", 404),
        ("GET", "/tiles/OtherGrid/1/0/0", 404),
        ("DELETE", "/collections", 405),
        ("POST", "/tiles/WebMercatorQuad/1/0/0", 405),
        ("TRACE", "/", 405),
        ("GET", "/?colour=red", 400),
        ("GET", "/collections/buildings/items?limit=1&limit=2", 400),
        ("GET", "/collections/buildings/items?filter=%ff", 400),
        ("GET", "/collections/buildings/items?filter=%00", 400),
        ("GET", "/collections/buildings/items?f=xml", 400),
        ("GET", "/search", 400),
        ("GET", "/search?q=%20", 400),
        ("GET", "/search?q=x&limit=51", 400),
        ("GET", "/search?q=" + "x" * 201, 400),
        ("GET", "/collections/buildings/items?" + "&".join(f"a{i}=" for i in range(MAX_PARAMETERS + 1)), 400),
        ("GET", "/?a=" + "x" * MAX_QUERY_BYTES, 414),
        ("GET", "/" + "x" * 3_000, 414),
    ],
)
async def test_every_refusal_is_a_problem_document(
    client: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    """RFC 9457, whoever refuses."""
    answer = await client.request(method, path)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert set(problem) == MEMBERS
    assert problem["status"] == status
    assert problem["instance"] == path.partition("?")[0]
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert "Traceback" not in problem["detail"]
    if status == 405:
        assert "GET" in answer.headers["allow"]


async def test_what_nobody_foresaw_is_told_without_a_word_of_it(
    settings: Settings, new_city: Callable[..., str]
) -> None:
    """A city whose tables are gone: 500, the reason in the log alone."""
    url = new_city()
    async with client_of(create_app(settings, Places(place("broken", url)))) as client:
        assert (await client.get("/collections")).status_code == 200
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("drop table building cascade")
        answer = await client.get("/collections/buildings/items")
        assert answer.status_code == 500
        assert "building" not in answer.json()["detail"]
        assert answer.json()["request_id"] == answer.headers["x-request-id"]


async def test_a_database_that_is_away_is_503(settings: Settings) -> None:
    away = Places(place("away", "postgresql://twin@127.0.0.1:1/away"))
    async with client_of(create_app(settings, away)) as client:
        answer = await client.get("/collections")
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        ready = await client.get("/health/ready")
        assert ready.status_code == 503
        (reason,) = [check["reason"] for check in ready.json()["checks"] if not check["ok"]]
        assert "does not answer" in reason
        assert (await client.get("/health/live")).status_code == 200
        assert (await client.get("/cities")).json() == {"cities": []}


async def test_a_server_without_a_city_says_what_to_do(settings: Settings) -> None:
    async with client_of(create_app(settings, Places())) as client:
        assert (await client.get("/cities")).json() == {"cities": []}
        answer = await client.get("/")
        assert answer.status_code == 404
        assert "twin demo" in answer.json()["detail"]
        assert (await client.get("/health")).status_code == 200


async def test_head_is_get_without_a_body(client: httpx.AsyncClient) -> None:
    for path in ("/", "/collections/buildings/items", "/static/page.css", "/nowhere", "/health"):
        head, get = await client.head(path), await client.get(path)
        assert (head.status_code, head.content) == (get.status_code, b"")
        assert head.headers["content-type"] == get.headers["content-type"]


async def test_json_is_compressed_when_asked(client: httpx.AsyncClient) -> None:
    path = "/collections/buildings/items?limit=40"
    plain = await client.get(path, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    async with client.stream("GET", path, headers={"Accept-Encoding": "gzip"}) as answer:
        packed = b"".join([part async for part in answer.aiter_raw()])
        assert answer.headers["content-encoding"] == "gzip"
    assert len(packed) < len(plain.content) / 3
    assert json.loads(gzip.decompress(packed))["features"] == plain.json()["features"]


@pytest.mark.parametrize(
    ("accept", "f", "html"),
    [
        ("*/*", None, False),
        ("application/json", None, False),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", None, True),
        ("text/html;q=0.5,application/json", None, False),
        ("text/html", "json", False),
        ("application/json", "html", True),
    ],
)
async def test_negotiation(client: httpx.AsyncClient, accept: str, f: str | None, html: bool) -> None:
    for path in ("/", "/conformance", "/collections", "/collections/buildings", "/api"):
        answer = await client.get(path, params={"f": f} if f else None, headers={"Accept": accept})
        assert answer.headers["content-type"].startswith("text/html") is html, path


# --- addresses


@pytest.fixture
def app_with(settings: Settings, town_url: str) -> Callable[..., Any]:
    def make(**changed: Any) -> Any:
        return client_of(create_app(settings.model_copy(update=changed), Places(place("town", town_url))))

    return make


async def self_link(client: httpx.AsyncClient, **headers: str) -> str:
    links = (await client.get("/", headers={k.replace("_", "-"): v for k, v in headers.items()})).json()["links"]
    return str(next(link["href"] for link in links if link["rel"] == "self"))


async def test_links_are_as_the_client_came(client: httpx.AsyncClient) -> None:
    assert await self_link(client) == f"{BASE}/?f=json"
    assert await self_link(client, Host="other:81") == "http://other:81/?f=json"
    assert "evil" not in await self_link(client, Host='evil"><script>')


async def test_only_a_trusted_proxy_is_believed(app_with: Callable[..., Any]) -> None:
    """httpx's client address is 127.0.0.1."""
    forwarded = {"X_Forwarded_Proto": "https", "X_Forwarded_Host": "twin.example", "X_Forwarded_Prefix": "/city/"}
    networks = Settings(database_url="x", trusted_proxies="127.0.0.0/8").trusted_proxies
    async with app_with() as client:
        assert await self_link(client, **forwarded) == f"{BASE}/?f=json"
    async with app_with(trusted_proxies=networks) as client:
        assert await self_link(client, **forwarded) == "https://twin.example/city/?f=json"
        spoofed = forwarded | {"X_Forwarded_Host": "evil, twin.example"}
        assert await self_link(client, **spoofed) == "https://twin.example/city/?f=json"
    async with app_with(public_url="https://public.example/twin") as client:
        assert await self_link(client, **forwarded) == "https://public.example/twin/?f=json"


async def test_other_sites_read_only_if_allowed(app_with: Callable[..., Any]) -> None:
    """Off by default; where it is on, reading alone, and never with cookies."""
    origin = {"Origin": "https://maps.example"}
    async with app_with() as client:
        assert "access-control-allow-origin" not in (await client.get("/", headers=origin)).headers
    async with app_with(cors_origins=("https://maps.example",)) as client:
        answer = await client.get("/", headers=origin)
        assert answer.headers["access-control-allow-origin"] == "https://maps.example"
        assert "access-control-allow-credentials" not in answer.headers
        asked = origin | {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "Authorization"}
        assert (await client.options("/", headers=asked)).status_code == 400
        assert (
            "access-control-allow-origin"
            not in (await client.get("/", headers={"Origin": "https://other.example"})).headers
        )


# --- many cities


@pytest.fixture
async def two_cities(
    settings: Settings, town_url: str, new_city: Callable[..., str]
) -> AsyncIterator[tuple[httpx.AsyncClient, Places]]:
    lyon = CitySpec("lyon", "里昂", "Lyon", srid=4326, metric_srid=3946, time_zone="Europe/Paris")
    places = Places(place("town", town_url), place("lyon", new_city(lyon)))
    async with client_of(create_app(settings, places)) as client:
        yield client, places


async def test_each_city_has_its_addresses(two_cities: tuple[httpx.AsyncClient, Places]) -> None:
    client, _ = two_cities
    found = (await client.get("/cities")).json()["cities"]
    assert [(c["name"], c["url"], c["default"], c["title"]["en"], c["made_up"]) for c in found] == [
        ("town", BASE, True, "Testing", True),
        ("lyon", f"{BASE}/cities/lyon", False, "Lyon", False),
    ]
    lyon = (await client.get("/cities/lyon/city")).json()
    assert (lyon["name"], lyon["srid"], lyon["metric_crs"], lyon["bbox"]) == ("lyon", 4326, "EPSG:3946", None)
    # Nothing is loaded yet: the view is over the area of use of its metric CRS, around 46 N in France.
    assert 0 < lyon["view"]["center"][0] < 8
    assert 45 < lyon["view"]["center"][1] < 47
    for path in ("/", "/collections", "/styles", "/api"):
        text = (await client.get(f"/cities/lyon{path}")).text
        assert f"{BASE}/cities/lyon" in text, path
        assert f"{BASE}/collections" not in text
    assert (await client.get("/cities/town/collections")).json()["links"][0]["href"] == f"{BASE}/collections?f=json"
    assert (await client.get("/cities/lyon/collections/buildings/items")).json()["numberMatched"] == 0
    assert (await client.get("/cities/lyon")).status_code == 200


async def test_what_is_of_the_server_is_of_no_city(two_cities: tuple[httpx.AsyncClient, Places]) -> None:
    client, _ = two_cities
    for path in ("/cities/lyon/health", "/cities/lyon/metrics", "/cities/lyon/cities", "/cities/lyon/viewer/"):
        assert (await client.get(path)).status_code == 404, path
    assert "/health" not in (await client.get("/cities/lyon/api")).json()["paths"]


async def test_a_token_of_one_city_is_none_in_another(
    two_cities: tuple[httpx.AsyncClient, Places], tokens: town.Tokens
) -> None:
    client, _ = two_cities
    assert (await client.get("/", headers=bearer(tokens.editor))).status_code == 200
    assert (await client.get("/cities/lyon/", headers=bearer(tokens.editor))).status_code == 401


async def test_cities_come_and_go(
    two_cities: tuple[httpx.AsyncClient, Places], town_url: str, new_city: Callable[..., str]
) -> None:
    """Without a restart, within seconds."""
    client, places = two_cities
    assert (await client.get("/cities/new/")).status_code == 404
    places.places = [place("new", new_city()), *places.places[1:]]
    for _ in range(40):
        if (answer := await client.get("/cities/new/")).status_code == 200:
            break
        await asyncio.sleep(0.1)
    assert answer.status_code == 200
    assert (await client.get("/cities/town/")).status_code == 404
    assert (await client.get("/city")).json()["name"] == "new"


# --- figures and health


async def test_figures_name_operations_and_no_addresses(client: httpx.AsyncClient) -> None:
    for path in ("/collections/buildings/items/1", "/collections/facilities", "/nowhere/at/all", "/static/page.css"):
        await client.get(path)
    text = (await client.get("/metrics")).text
    assert 'citytwin_requests_total{operation="getItem",status="2xx"}' in text
    assert 'citytwin_requests_total{operation="unmatched",status="4xx"}' in text
    assert 'citytwin_requests_total{operation="static",status="2xx"}' in text
    for word in ("buildings", "facilities", "nowhere"):
        assert word not in text


async def test_ready_says_what_it_looked_at(client: httpx.AsyncClient) -> None:
    answer = await client.get("/health/ready")
    assert answer.status_code == 200
    assert {check["name"] for check in answer.json()["checks"]} >= {"disk", "town: database"}
    assert all(check["ok"] for check in answer.json()["checks"])


async def test_an_older_schema_is_not_ready(settings: Settings, new_city: Callable[..., str]) -> None:
    url = new_city()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("update alembic_version set version_num = '0000'")
    async with client_of(create_app(settings, Places(place("old", url)))) as client:
        answer = await client.get("/health/ready")
        assert answer.status_code == 503
        assert "twin up" in json.dumps(answer.json())


async def test_a_late_follower_is_told_and_keeps_nobody_out(settings: Settings, new_city: Callable[..., str]) -> None:
    url = new_city()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            """insert into change ("table", op, who, at)
               values ('building', 'bulk', 'test', now() - interval '1 hour')"""
        )
        connection.execute("insert into change_consumer (name, xid, seq) values ('overviews', '1', 0)")
    async with client_of(create_app(settings, Places(place("late", url)))) as client:
        answer = await client.get("/health/ready")
        assert answer.status_code == 200
        (check,) = [check for check in answer.json()["checks"] if check["name"] == "late: overviews"]
        assert check["ok"]
        assert "36" in check["reason"]


async def test_another_city_in_the_same_place_is_opened_anew(settings: Settings, cluster: Cluster) -> None:
    """A database dropped and laid down again keeps its address, not its city."""
    url = cluster.url("city_again")
    async with client_of(create_app(settings, Places(place("again", url)))) as client:
        for title in ("First", "Second"):
            cluster.create_database("city_again")
            migrate(url, CitySpec("again", "再来", title))
            for _ in range(60):
                answer = await client.get("/city")
                if answer.status_code == 200 and answer.json()["title"]["en"] == title:
                    break
                await asyncio.sleep(0.1)
            assert answer.json()["title"]["en"] == title
            cluster.drop_database("city_again")


async def test_a_server_whose_postgres_is_away_says_so(settings: Settings, tmp_path: Path) -> None:
    directory = Directory("postgresql://twin@127.0.0.1:1/away", tmp_path)
    async with client_of(create_app(settings, directory)) as client:
        for path in ("/", "/cities", "/health/ready"):
            assert (await client.get(path)).status_code == 503, path
