"""What the city says of itself: landing, collections, schemas, the city, styles, TileJSON; and its pages."""

from typing import Any

import httpx
import pytest
from pyproj import CRS

from api.landing import CONFORMS_TO
from cim_models.themes import GROUPS, THEMES
from tests import town
from tests.api.conftest import BASE

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"


async def get(client: httpx.AsyncClient, path: str, **headers: str) -> Any:
    answer = await client.get(path, headers={k.replace("_", "-"): v for k, v in headers.items()})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_the_landing_page_leads_everywhere(client: httpx.AsyncClient) -> None:
    """OGC API Features Part 1, 7.2: every link answers, with the type it promises."""
    document = await get(client, "/")
    assert {"self", "service-desc", "service-doc", "conformance", "data"} <= {x["rel"] for x in document["links"]}
    for link in document["links"]:
        if link["rel"] != "search" and "/viewer/" not in link["href"]:
            answer = await client.get(link["href"])
            assert answer.status_code == 200, link
            assert answer.headers["content-type"].partition(";")[0] == link["type"].partition(";")[0], link


async def test_the_landing_page_says_where_the_city_is(client: httpx.AsyncClient) -> None:
    """OGC API Maps, /req/dataset-map/desc-extent and desc-crs: as a collection does, here of all together."""
    document = await get(client, "/")
    spatial = document["extent"]["spatial"]
    (box,), (stored,) = spatial["bbox"], spatial["storageCrsBbox"]
    assert (spatial["crs"], document["crs"][0]) == (CRS84, CRS84)
    assert document["storageCrs"] == "http://www.opengis.net/def/crs/EPSG/0/4490"
    # Latitude first, as EPSG:4490 counts.
    assert stored == pytest.approx([box[1], box[0], box[3], box[2]])
    west, _, east, _ = box
    assert west <= 120.95
    assert east >= 120.96


async def test_conformance_names_what_is_met(client: httpx.AsyncClient) -> None:
    assert (await get(client, "/conformance"))["conformsTo"] == list(CONFORMS_TO)
    for part in ("core", "oas30", "html", "geojson"):
        assert f"http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/{part}" in CONFORMS_TO


async def test_a_collection_tells_all_that_a_viewer_needs(client: httpx.AsyncClient) -> None:
    found = {c["id"]: c for c in (await get(client, "/collections"))["collections"]}
    buildings = found["buildings"]
    assert buildings == await get(client, "/collections/buildings")
    assert buildings["itemType"] == "feature"
    assert buildings["crs"][0] == CRS84
    assert buildings["storageCrs"] == "http://www.opengis.net/def/crs/EPSG/0/4490"
    assert {f"http://www.opengis.net/def/crs/EPSG/0/{n}" for n in (4326, 4490, 4549, 3857)} <= set(buildings["crs"])
    assert buildings["extent"]["spatial"] == {"bbox": [[120.95, 28.1, 120.96, 28.104]], "crs": CRS84}
    assert buildings["extent"]["temporal"]["interval"] == [[None, None]]
    told = buildings["twin"]
    assert told["title"] == {"zh": "建筑", "en": "Buildings"}
    assert told["theme"] == {
        "id": "buildings",
        "zh": "建筑",
        "en": "Buildings",
        "order": list(GROUPS).index("buildings"),
    }
    assert (told["geometry"], told["count"], told["made_up"]) == ("polygon", town.STANDING, False)
    assert (told["attribution"], told["licence"], told["sharing"]) == ("Surveyed by hand", "CC0-1.0", "open")
    height = next(p for p in told["properties"] if p["name"] == "height")
    assert height == {"name": "height", "type": "number", "unit": "m", "title": {"zh": "高度", "en": "Height"}}
    assert all(entry["color"].startswith("#") and entry["label"]["zh"] for entry in told["legend"])
    assert found["roads"]["twin"]["count"] == 0
    assert "extent" not in found["roads"]
    assert {c: found[c]["twin"]["geometry"] for c in ("terrain", "roads", "sensors", "water")} == {
        "terrain": "raster", "roads": "line", "sensors": "point", "water": "mixed",
    }  # fmt: skip
    # A raster is loaded as a whole.
    assert {c: found[c]["twin"]["editable"] for c in ("terrain", "buildings")} == {"terrain": False, "buildings": True}
    assert set(found) == {theme.layer for theme in THEMES.values()} - {
        "utility_pipes",
        "generic_objects",
        "coverages",
    }


async def test_codes_are_told_in_words(client: httpx.AsyncClient) -> None:
    (kind,) = [p for p in (await get(client, "/collections/facilities"))["twin"]["properties"] if p["name"] == "class"]
    assert kind["codes"]["School"] == {"zh": "学校", "en": "School"}


async def test_every_link_of_a_collection_answers(client: httpx.AsyncClient) -> None:
    for link in (await get(client, "/collections/buildings"))["links"]:
        answer = await client.get(link["href"])
        assert answer.status_code == 200, link
        assert answer.headers["content-type"].partition(";")[0] == link["type"], link


async def test_the_language_is_the_readers(client: httpx.AsyncClient) -> None:
    assert (await get(client, "/collections/buildings", Accept_Language="zh-CN,en;q=0.5"))["title"] == "建筑"
    assert (await get(client, "/collections/buildings", Accept_Language="en,zh;q=0.9"))["title"] == "Buildings"
    assert (await get(client, "/collections/buildings", Accept_Language="fr"))["title"] == "Buildings"


async def test_queryables_and_schema(client: httpx.AsyncClient) -> None:
    """Parts 3 and 5; what may be asked is what is told, but for the rest of the source."""
    queryables = await get(client, "/collections/buildings/queryables")
    assert queryables["$id"] == f"{BASE}/collections/buildings/queryables"
    assert queryables["properties"]["height"] == {
        "title": "Height", "type": "number", "x-ogc-unit": "m", "x-ogc-unitLang": "UCUM",
    }  # fmt: skip
    assert queryables["properties"]["geometry"] == {"title": "Geometry", "format": "geometry-multipolygon"}
    schema = await get(client, "/collections/buildings/schema")
    assert schema["properties"]["object_id"]["x-ogc-role"] == "id"
    assert schema["properties"]["geometry"]["x-ogc-role"] == "primary-geometry"
    feature = (await get(client, "/collections/buildings/items?limit=1"))["features"][0]
    assert set(feature["properties"]) == set(schema["properties"]) - {"object_id", "geometry"}
    assert schema["required"] == ["geometry", "class"]
    assert [p["x-ogc-propertySeq"] for p in schema["properties"].values()] == [*range(1, len(schema["properties"]) + 1)]
    assert {name for name, p in schema["properties"].items() if p.get("readOnly")} == {"object_id", "village_code"}
    sortables = await get(client, "/collections/buildings/sortables")
    assert set(queryables["properties"]) - {"geometry"} == set(sortables["properties"])
    for name in sortables["properties"]:
        await get(client, f"/collections/buildings/items?sortby=-{name}&limit=1")
    for name, described in queryables["properties"].items():
        if "type" in described and described.get("format") != "date-time":
            value = {"string": "x", "integer": "1", "number": "1", "boolean": "true"}[described["type"]]
            await get(client, f"/collections/buildings/items?{name}={value}")


@pytest.mark.filterwarnings("ignore:You will likely lose:UserWarning")
async def test_the_city(client: httpx.AsyncClient) -> None:
    found = await get(client, "/city")
    assert (found["name"], found["title"]) == ("town", {"zh": "测试市", "en": "Testing"})
    assert (found["srid"], found["metric_crs"], found["time_zone"]) == (4490, "EPSG:4549", "Asia/Shanghai")
    assert (found["vertical_datum"], found["made_up"]) == ("1985国家高程基准", True)
    assert found["bbox"] == [120.95, 28.1, 120.96, 28.104]
    assert found["counts"]["buildings"] == town.STANDING
    assert found["terrain"] is None
    west, south, east, north = found["bbox"]
    assert west < found["view"]["center"][0] < east
    assert south < found["view"]["center"][1] < north
    assert 13 < found["view"]["zoom"] <= 17
    assert CRS.from_user_input(found["metric_crs_proj4"]).is_exact_same(CRS.from_proj4(CRS.from_epsg(4549).to_proj4()))


@pytest.mark.parametrize("mode", ["day", "night"])
async def test_styles_lead_to_their_tiles(client: httpx.AsyncClient, mode: str) -> None:
    listed = await get(client, "/styles")
    assert [style["id"] for style in listed["styles"]] == ["day", "night"]
    style = await get(client, f"/styles/{mode}")
    assert style["version"] == 8
    assert "terrain" not in style["sources"]
    tilejson = (await client.get(style["sources"]["city"]["url"])).json()
    drawn = {layer["source-layer"] for layer in style["layers"] if layer.get("source") == "city"}
    assert drawn <= {layer["id"] for layer in tilejson["vector_layers"]}


async def test_tilejson(client: httpx.AsyncClient) -> None:
    """TileJSON 3.0: required members, and what was asked goes into the tiles' address."""
    found = await get(
        client, "/tiles/WebMercatorQuad/tilejson.json?collections=buildings,facilities&datetime=2010-01-01"
    )
    assert found["tilejson"] == "3.0.0"
    assert found["tiles"] == [
        f"{BASE}/tiles/WebMercatorQuad/{{z}}/{{y}}/{{x}}?collections=buildings,facilities&datetime=2010-01-01"
    ]
    assert found["bounds"] == [120.95, 28.1, 120.96, 28.104]
    assert found["attribution"] == "Surveyed by hand"
    layers = {layer["id"]: layer for layer in found["vector_layers"]}
    assert list(layers) == ["buildings", "facilities"]
    assert layers["buildings"]["fields"]["height"] == "Number"
    assert layers["buildings"]["fields"]["name"] == "String"
    one = await get(client, "/collections/buildings/tiles/WebMercatorQuad/tilejson.json")
    assert one["tiles"] == [f"{BASE}/collections/buildings/tiles/WebMercatorQuad/{{z}}/{{y}}/{{x}}"]
    everything = await get(client, "/tiles/WebMercatorQuad/tilejson.json")
    assert "terrain" not in {layer["id"] for layer in everything["vector_layers"]}
    for bad in ("collections=buildings,buildings", "datetime=soon", "filter=height", "collections=" + "a," * 70):
        refused = await client.get(f"/tiles/WebMercatorQuad/tilejson.json?{bad}")
        assert refused.status_code in (400, 404), bad


@pytest.mark.parametrize(
    "path",
    ["/", "/collections", "/collections/buildings", "/collections/buildings/items", "/collections/buildings/items/1",
     "/search?q=4", "/search?q=nothing-of-the-kind", "/conformance", "/api", "/collections/roads/items"],
)  # fmt: skip
async def test_pages_are_whole_and_load_nothing_from_elsewhere(client: httpx.AsyncClient, path: str) -> None:
    for spoken, word in (("zh-CN", "测试市"), ("en", "Testing")):
        answer = await client.get(path, headers={"Accept": "text/html", "Accept-Language": spoken})
        assert answer.status_code == 200
        assert word in answer.text
        assert answer.headers["content-language"] == spoken[:2]
        assert "<script" not in answer.text
        for address in answer.text.split('href="')[1:]:
            assert address.startswith(BASE), address[:60]
