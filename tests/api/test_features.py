"""Items against what stands in the town, and against the clauses of OGC API Features."""

import itertools
from typing import Any

import httpx
import pytest

from tests import town

ITEMS = "/collections/buildings/items"


async def get(client: httpx.AsyncClient, path: str, status: int = 200, **parameters: Any) -> Any:
    answer = await client.get(path, params=parameters)
    assert answer.status_code == status, answer.text
    return answer.json()


async def heights(client: httpx.AsyncClient, **parameters: Any) -> list[float]:
    page = await get(client, ITEMS, limit=1000, **parameters)
    return [feature["properties"]["height"] for feature in page["features"]]


async def test_a_page_of_ten_unless_asked_otherwise(client: httpx.AsyncClient) -> None:
    """Part 1, 7.15.2: limit; 7.15.7: numberReturned, numberMatched, timeStamp."""
    answer = await client.get(ITEMS)
    page = answer.json()
    assert answer.headers["content-type"] == "application/geo+json"
    assert answer.headers["content-crs"] == "<http://www.opengis.net/def/crs/OGC/1.3/CRS84>"
    assert page["type"] == "FeatureCollection"
    assert (page["numberReturned"], page["numberMatched"], len(page["features"])) == (10, town.STANDING, 10)
    assert page["timeStamp"].endswith("Z")


async def test_a_feature_tells_what_stands_in_the_table(client: httpx.AsyncClient) -> None:
    feature = (await get(client, ITEMS, uid="b4"))["features"][0]
    assert feature["geometry"]["type"] == "MultiPolygon"
    assert feature["geometry"]["coordinates"][0][0][0] == [120.953, 28.1]
    told = feature["properties"]
    assert (told["name"], told["name_en"], told["height"], told["storeys"]) == ("海晏楼4", "Seacalm House 4", 4, 2)
    assert told["attributes"] == {"cadastre": "C-4"}
    assert "crs" not in feature["geometry"]


@pytest.mark.parametrize("limit", [1, 7, 39, 1000])
@pytest.mark.parametrize("sortby", [None, "height", "-height", "year_built", "-name", "function"])
async def test_pages_hold_every_object_once(client: httpx.AsyncClient, limit: int, sortby: str | None) -> None:
    """Followed by its next links, a selection comes whole and in order, objects without the property last."""
    url: str | None = f"{ITEMS}?limit={limit}" + (f"&sortby={sortby}" if sortby else "")
    found: list[dict[str, Any]] = []
    for turn in itertools.count():
        assert turn <= town.BUILDINGS
        assert url is not None
        page = (await client.get(url)).json()
        assert page["numberMatched"] == town.STANDING
        found += page["features"]
        following = [link["href"] for link in page["links"] if link["rel"] == "next"]
        if not following:
            break
        url = following[0]
    assert len({feature["id"] for feature in found}) == len(found) == town.STANDING
    if sortby:
        values = [feature["properties"][sortby.lstrip("-")] for feature in found]
        given = [value for value in values if value is not None]
        assert given == sorted(given, reverse=sortby.startswith("-"))
        assert values[len(given) :] == [None] * (len(values) - len(given))


async def test_the_link_header_agrees_with_the_links(client: httpx.AsyncClient) -> None:
    answer = await client.get(ITEMS, params={"limit": 5})
    for link in answer.json()["links"]:
        assert f'<{link["href"]}>; rel="{link["rel"]}"; type="{link["type"]}"' in answer.headers["link"]
    assert answer.links["next"]["url"] == next(x["href"] for x in answer.json()["links"] if x["rel"] == "next")


@pytest.mark.parametrize(
    ("bbox", "expected"),
    [
        ("120.9499,28.0999,120.9505,28.1005", [1]),
        # What only touches the box is in it (7.15.3).
        ("120.9504,28.1004,120.951,28.101", [1, 2, 11, 12]),
        ("120.9499,28.0999,-50,120.9505,28.1005,50", [1]),
        ("0,0,1,1", []),
        ("120.9499,28.0999,-179,28.1005", list(range(1, 11))),
        ("170,28.0999,120.9505,28.1005", [1]),
    ],
)
async def test_bbox(client: httpx.AsyncClient, bbox: str, expected: list[int]) -> None:
    """Part 1, 7.15.3: four or six numbers, also across the antimeridian."""
    assert await heights(client, bbox=bbox) == expected


@pytest.mark.parametrize(
    "bbox", ["1,2,3", "a,b,c,d", "nan,0,1,1", "0,5,1,4", "0,0,200,1", "1,2,3,4,5", "", "inf,0,1,1"]
)
async def test_a_bbox_that_is_none_is_refused(client: httpx.AsyncClient, bbox: str) -> None:
    problem = await get(client, ITEMS, 400, bbox=bbox)
    assert "bbox" in problem["detail"]


@pytest.mark.parametrize(
    ("datetime", "absent"),
    [
        ("2026-01-01T00:00:00Z", {39}),
        ("2010-06-01", {40}),
        ("2017-01-01/2018-01-01", {39, 40}),
        ("../2016-01-01", {40}),
        ("2014-12-31", {40}),
        ("2015-01-01", {39, 40}),
        ("2012-01-01/..", set()),
    ],
)
async def test_datetime_is_valid_time(client: httpx.AsyncClient, datetime: str, absent: set[int]) -> None:
    """Part 1, 7.15.4; a bare date is that day in the city's zone."""
    assert set(range(1, 41)) - set(await heights(client, datetime=datetime)) == absent


async def test_recorded_is_what_the_model_knew(client: httpx.AsyncClient) -> None:
    assert await heights(client, recorded="2001-01-01") == []
    assert len(await heights(client, recorded="2999-01-01")) == town.STANDING


async def test_a_plan_changes_what_is_seen(client: httpx.AsyncClient) -> None:
    found = await heights(client, plan=town.PLAN)
    assert 1 not in found
    assert 100 in found
    assert len(found) == town.STANDING
    assert "no such plan" in (await get(client, ITEMS, 400, plan=77))["detail"]


async def test_properties_are_parameters(client: httpx.AsyncClient) -> None:
    """Part 3, queryables as query parameters; the values are typed."""
    assert await heights(client, height="7") == [7]
    assert await heights(client, name="海晏楼8") == [8]
    assert await heights(client, function="residential", storeys="2") == [4]
    assert "number" in (await get(client, ITEMS, 400, height="tall"))["detail"]


@pytest.mark.parametrize("parameters", [{"colour": "red"}, {"limit": "0"}, {"limit": "-1"}, {"limit": "x"}])
async def test_what_is_not_known_is_refused(client: httpx.AsyncClient, parameters: dict[str, str]) -> None:
    """Part 1, 7.6: unknown or invalid parameters give 400."""
    problem = await get(client, ITEMS, 400, **parameters)
    assert next(iter(parameters)) in problem["detail"]


async def test_a_limit_over_the_maximum_is_cut(client: httpx.AsyncClient) -> None:
    """Part 1, 7.15.2, /rec/core/fc-limit-response: no error."""
    assert (await get(client, ITEMS, limit=10**6))["numberReturned"] == town.STANDING


@pytest.mark.parametrize("cursor", ["x", "!!!", "e30", "WzEsMiwzLDRd", "W10"])
async def test_a_foreign_cursor_is_refused(client: httpx.AsyncClient, cursor: str) -> None:
    assert "cursor" in (await get(client, ITEMS, 400, cursor=cursor))["detail"]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("cql2-text", "height > 37 AND function = 'residential'"),
        ("cql2-json", '{"op":"and","args":[{"op":">","args":[{"property":"height"},37]},'
         '{"op":"=","args":[{"property":"function"},"residential"]}]}'),
    ],
)  # fmt: skip
async def test_filters(client: httpx.AsyncClient, language: str, text: str) -> None:
    assert await heights(client, **{"filter": text, "filter-lang": language}) == [38, 40]
    assert await heights(client, **{"filter": text}) == [38, 40]
    assert await heights(client, **{"filter": text, "height": 38}) == [38]


async def test_one_object(client: httpx.AsyncClient) -> None:
    page = await get(client, ITEMS, uid="b12")
    object_id = page["features"][0]["id"]
    answer = await client.get(f"{ITEMS}/{object_id}")
    feature = answer.json()
    assert feature["properties"] == page["features"][0]["properties"]
    assert {link["rel"] for link in feature["links"]} >= {"self", "collection", "alternate"}
    again = await client.get(f"{ITEMS}/{object_id}", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("object_id", ["0", "999999", "99999999999999999999999999", "-1", "abc", "1.5", "１２"])
async def test_no_such_object(client: httpx.AsyncClient, object_id: str) -> None:
    assert (await client.get(f"{ITEMS}/{object_id}")).status_code == 404


async def test_an_object_at_a_moment(client: httpx.AsyncClient) -> None:
    fallen = (await get(client, ITEMS, uid="b39", datetime="2010-01-01"))["features"][0]["id"]
    assert (await client.get(f"{ITEMS}/{fallen}")).status_code == 404
    assert (await client.get(f"{ITEMS}/{fallen}", params={"datetime": "2010-01-01"})).status_code == 200


async def test_pages_for_people(client: httpx.AsyncClient) -> None:
    """In their language, with their query, escaped."""
    chinese = await client.get(ITEMS, headers={"Accept": "text/html", "Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5"})
    assert chinese.headers["content-type"].startswith("text/html")
    assert "建筑" in chinese.text
    assert 'lang="zh-CN"' in chinese.text
    english = await client.get(ITEMS, params={"f": "html", "class": "<script>alert(1)</script>"})
    assert "Buildings" in english.text
    assert "<script>" not in english.text
    assert "default-src 'none'" in english.headers["content-security-policy"]
