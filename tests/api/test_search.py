"""One search box: names in both languages, ids, coordinates; the closest first."""

from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from cim_models.database import Database
from layers.access import PUBLIC
from layers.catalog import load_catalog
from layers.search import Asker, coordinates, search

EXTENT = (120.9, 28.0, 121.0, 28.2)


async def found(client: httpx.AsyncClient, text: str, **parameters: Any) -> list[dict[str, Any]]:
    answer = await client.get("/search", params={"q": text, **parameters})
    assert answer.status_code == 200, answer.text
    document = answer.json()
    assert document["type"] == "FeatureCollection"
    return [feature["properties"] | {"at": feature["geometry"]["coordinates"]} for feature in document["features"]]


async def test_the_closest_comes_first(client: httpx.AsyncClient) -> None:
    """Equal, then beginning so, places before houses; of these the shorter."""
    names = [hit["name"] for hit in await found(client, "海晏", limit=50)]
    assert names[0] == "海晏"
    assert names[1:3] == ["海晏小学", "海晏镇第二中学"]
    assert set(names[3:5]) == {"海晏楼4", "海晏楼8"}
    scores = [hit["score"] for hit in await found(client, "海晏", limit=50)]
    assert scores == sorted(scores, reverse=True)
    assert len(names) == 13
    assert [hit["name"] for hit in await found(client, "第二")] == ["海晏镇第二中学"]


@pytest.mark.parametrize("text", ["seacalm house 4", "SEACALM HOUSE 4", "  Seacalm   House 4 ", "海晏楼4"])
async def test_case_and_blanks_do_not_matter(client: httpx.AsyncClient, text: str) -> None:
    best = (await found(client, text))[0]
    assert (best["name"], best["layer"], best["class"]) == ("海晏楼4", "buildings", "Building")
    assert best["score"] > 3
    assert 120.953 < best["at"][0] < 120.9534


async def test_ids(client: httpx.AsyncClient) -> None:
    by_uid = (await found(client, "b7"))[0]
    assert by_uid["layer"] == "buildings"
    assert by_uid["label"] == "Buildings b7"
    by_id = await found(client, str(by_uid["object_id"]))
    assert by_uid["object_id"] in [hit["object_id"] for hit in by_id]


async def test_labels_are_in_the_readers_language(client: httpx.AsyncClient) -> None:
    for spoken, label in (("zh", "海晏小学"), ("en", "Seacalm Primary School")):
        answer = await client.get("/search", params={"q": "小学"}, headers={"Accept-Language": spoken})
        assert answer.json()["features"][0]["properties"]["label"] == label


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("120.95,28.1", [(120.95, 28.1)]),
        ("28.1, 120.95", [(120.95, 28.1)]),
        ("28.1 120.95", [(120.95, 28.1)]),
        ("28.1，120.95", [(120.95, 28.1)]),
        ("10,20", [(10.0, 20.0), (20.0, 10.0)]),
        ("-10,-20", [(-10.0, -20.0), (-20.0, -10.0)]),
        ("5,5", [(5.0, 5.0)]),
        ("100,95", []),
        ("181,10", []),
        ("120.95", []),
        ("a,b", []),
        ("1,2,3", []),
        ("28°06′00″N 120°57′00″E", [(120.95, 28.1)]),
        ("北纬28°6′ 东经120.95°", [(120.95, 28.1)]),
        ("120°57'E, 28°06'N", [(120.95, 28.1)]),
        ("28°06′ 120°57′", [(120.95, 28.1)]),
        ("28.1N 28.2N", []),
    ],
)
def test_coordinates_in_either_order(text: str, places: list[tuple[float, float]]) -> None:
    assert coordinates(text, EXTENT) == places


@pytest.mark.parametrize(
    "text",
    ["494917.1 3108884.1", "3108884.1, 494917.1", "40494917.1 3108884.1", "X=3108884.1,Y=40494917.1"],
)
@pytest.mark.parametrize("metric_srid", [4549, 3857])
def test_metres_of_belts(text: str, metric_srid: int) -> None:
    """X north and Y east of the belt at 120 E, with and without its number 40, as PROJ places them."""
    lon, lat = Transformer.from_crs(4549, 4326, always_xy=True).transform(494917.1, 3108884.1)
    place = coordinates(text, (119.9, 28.0, 120.1, 28.2), metric_srid)
    assert place == [(pytest.approx(lon, abs=1e-6), pytest.approx(lat, abs=1e-6))]


async def test_a_place_is_a_hit(client: httpx.AsyncClient) -> None:
    place = (await found(client, "28.1,120.95"))[0]
    assert place["at"] == [120.95, 28.1]
    assert place["label"] == "28.1°N, 120.95°E"


@pytest.mark.parametrize("text", ["hyxx", "haiyanxiaoxue", "HaiYan Xiao", "小学", "海晏 小学", "primary", "ｈｙｘｘ"])
async def test_pinyin_initials_and_pairs(client: httpx.AsyncClient, text: str) -> None:
    assert (await found(client, text))[0]["name"] == "海晏小学"


async def test_nearest_first_in_a_layer_and_a_box(client: httpx.AsyncClient) -> None:
    """Houses b4 to b40, each fourth, in rows of ten to the north."""
    near = await found(client, "海晏楼", near="120.9532,28.1032", layer="buildings")

    distances = [(hit["at"][0] - 120.9532) ** 2 + (hit["at"][1] - 28.1032) ** 2 for hit in near]
    assert distances == sorted(distances)
    inside = await found(client, "海晏", bbox="120.95,28.1,120.96,28.1006", limit=50)
    assert {hit["name"] for hit in inside} == {"海晏楼4", "海晏楼8"}
    assert {hit["layer"] for hit in await found(client, "海晏", layer="facilities")} == {"facilities"}
    assert (await client.get("/search?q=x&near=200,1")).status_code == 400
    assert (await client.get("/search?q=x&layer=utility_pipes")).status_code == 404


async def test_wildcards_are_letters(client: httpx.AsyncClient) -> None:
    assert await found(client, "%") == []
    assert await found(client, "海_楼") == []
    assert await found(client, "\\") == []


async def test_what_stands_no_more_is_not_found(client: httpx.AsyncClient) -> None:
    assert await found(client, "b39") == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), min_size=1, max_size=30))
async def test_any_text_can_be_searched_for(town_database: Database, text: str) -> None:
    async with town_database.reading() as connection:
        catalog = await load_catalog(connection, town_database.city)
        assert len(await search(Asker(connection, catalog, PUBLIC), text, limit=5)) <= 5


async def test_what_has_fallen_is_found_at_its_time(client: httpx.AsyncClient) -> None:
    """b40 rose in 2020; the plan takes b1 away; before the model knew anything there was nothing."""
    assert [hit["name"] for hit in await found(client, "海晏楼40")] == ["海晏楼40"]
    assert await found(client, "海晏楼40", datetime="2019-06-01") == []
    assert len(await found(client, "b1")) == 1
    assert await found(client, "b1", plan=1) == []
    assert await found(client, "海晏", recorded="2001-01-01") == []
    assert (await client.get("/search?q=x&datetime=soon")).status_code == 400
