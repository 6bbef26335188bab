"""Whatever is asked of features: an answer or a problem in words, soon; and every link leads where it says."""

import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.app import create_app
from tests.api.conftest import Places, client_of
from twin.directory import CityPlace
from twin.settings import Settings

LAYER = "/collections/buildings"
PUBLIC = "https://maps.example.cn/twin"
RESOURCES = [f"{LAYER}/items", f"{LAYER}/aggregate", f"{LAYER}/area-table", f"{LAYER}/items/1"]
VALUES = {
    "nothing": "",
    "a number": "1",
    "a huge number": "9" * 400,
    "out of range": "1e999",
    "no number": "NaN",
    "infinity": "-Infinity,Infinity,1,1",
    "text": "'; drop table building; --",
    "a null": "a%00b",
    "not UTF-8": "%ff%fe",
    "half a pair": "%ed%a0%80",
    "long": "x" * 5_000,
    "brackets": "(" * 500,
    "markup": "<script>alert(1)</script>",
    "format characters": "%25s%25d{0}{}$1:x",
    "Chinese": "海晏",
    "commas": "," * 500,
    "a span": "2020-01-01/2019-01-01",
    "an old moment": "0000-00-00T00:00:00Z",
    "a far moment": "99999-12-31T23:59:59Z",
    "JSON": '{"op":"and","args":[{"op":"not","args":[5]}]}',
}
PARAMETERS = ["bbox", "bbox-crs", "crs", "datetime", "recorded", "plan", "filter", "filter-crs", "filter-lang", "limit",
              "sortby", "properties", "skipGeometry", "cursor", "f", "by", "property", "measure", "unit", "functions",
              "bins", "cell", "area", "class", "height", "nothing"]  # fmt: skip


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
@pytest.mark.parametrize("resource", RESOURCES)
async def test_any_value_of_any_parameter(client: httpx.AsyncClient, resource: str, value: str) -> None:
    """Part 1, 7.6: 200 or 400 with a problem document; never a fault of the server, and never slow."""
    encoded = value if "%" in value else httpx.QueryParams({"": value}).__str__()[1:]
    for name in PARAMETERS:
        began = time.perf_counter()
        answer = await client.get(f"{resource}?{name}={encoded}")
        assert answer.status_code in (200, 400, 404), (name, answer.text)
        assert time.perf_counter() - began < 5, name
        if answer.status_code != 200:
            assert answer.headers["content-type"] == "application/problem+json", name
            assert "Traceback" not in answer.text


@pytest.mark.parametrize("name", PARAMETERS)
async def test_a_parameter_given_twice(client: httpx.AsyncClient, name: str) -> None:
    answer = await client.get(f"{LAYER}/items?{name}=1&{name}=2")
    assert (answer.status_code, "more than once" in answer.json()["detail"]) == (400, True)


@pytest.mark.parametrize(
    "text",
    [
        "area(geom) / 0 > 1", "height ^ 9999 > 1", "-1 ^ 0.5 = 1", "split(name, '') = split(name, '')",
        "A_CONTAINS(split(name, ''), ('a'))", "near(geom, POINT(500 500), 10)", "near(geom, POINT(1 1), 1e300)",
        "near(geom, POINT(1 1), -5)", "distance(geom, POINT EMPTY) > 5", "area(GEOMETRYCOLLECTION EMPTY) = 0",
        "S_INTERSECTS(geom, POINT(1e308 1e308))", "S_WITHIN(geom, BBOX(-1e308,-1e308,1e308,1e308))",
        "near(geom, LINESTRING(0 0, 180 0), 100)", "concat(name, '\U0001f3e0') = 'x'", "height % 0.0000001 = 1",
        "T_AFTER(valid_from, TIMESTAMP('0001-01-01T00:00:00Z'))", "abs(-1e308 * 10) > 1",
    ],
)  # fmt: skip
async def test_what_a_filter_computes(client: httpx.AsyncClient, text: str) -> None:
    """Refused or without result: what a formula makes of real values is not the server's fault."""
    answer = await client.get(f"{LAYER}/items", params={"filter": text})
    assert answer.status_code in (200, 400), answer.text


@pytest.fixture(scope="module")
async def behind(settings: Settings, town_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """The server as one knows it who comes through a proxy with a prefix."""
    told = settings.model_copy(update={"public_url": PUBLIC})
    async with client_of(create_app(told, Places(CityPlace("town", town_url, Path("unused"))))) as client:
        yield client


def hrefs(document: Any) -> Iterator[str]:
    """Every address in a document."""
    if isinstance(document, dict):
        yield from (value for name, value in document.items() if name in ("href", "$id", "url"))
        document = list(document.values())
    if isinstance(document, list):
        for part in document:
            yield from hrefs(part)


@pytest.mark.parametrize(
    "path",
    ["/", "/collections", LAYER, f"{LAYER}/items?limit=2&filter=height%3E3", f"{LAYER}/items/1", f"{LAYER}/queryables",
     f"{LAYER}/sortables", f"{LAYER}/schema", f"{LAYER}/aggregate?by=class", "/functions"],
)  # fmt: skip
async def test_every_link_is_whole_and_leads_through_the_proxy(behind: httpx.AsyncClient, path: str) -> None:
    answer = await behind.get(path, headers={"Accept": "application/json"})
    assert answer.status_code == 200
    found = {*hrefs(answer.json()), *(link["url"] for link in answer.links.values())}
    assert found
    for address in found:
        assert address.startswith(PUBLIC + "/"), address
        if "/tiles/" in address or "{" in address or "/viewer/" in address or "/map" in address:
            continue
        followed = await behind.get(address.removeprefix(PUBLIC))
        assert followed.status_code == 200, address


async def test_pages_of_what_was_chosen(client: httpx.AsyncClient) -> None:
    """A page shows what was asked for, be it next to nothing."""
    for path in (f"{LAYER}/items", f"{LAYER}/items/1"):
        for wanted in ({"skipGeometry": "true"}, {"properties": ""}, {"properties": "height", "crs": "EPSG:4549"}):
            assert (await client.get(path, params={"f": "html", **wanted})).status_code == 200


async def test_pages_lead_through_the_proxy_too(behind: httpx.AsyncClient) -> None:
    for path in ("/", "/collections", LAYER, f"{LAYER}/items", f"{LAYER}/items/1"):
        text = (await behind.get(path, headers={"Accept": "text/html"})).text
        for part in text.split('href="')[1:]:
            assert part.startswith(PUBLIC), part[:80]
