"""GetFeature and GetPropertyValue (OGC 09-025r2, 7, 10 and 11): what is told, in which order, form and CRS."""

import csv
import io
import re
import zipfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pyproj
import pytest

from api.app import create_app
from tests.api.conftest import Places, client_of
from tests.api.odd import lay_down
from tests.api.wfs import (
    BASE,
    CITY,
    FEATURES,
    GML,
    WFS,
    compare,
    fault,
    features,
    get,
    heights,
    tree,
    xml_filter,
)
from tests.town import STANDING
from twin.directory import CityPlace
from twin.settings import Settings

BY_ID = {"REQUEST": "GetFeature", "STOREDQUERY_ID": "urn:ogc:def:query:OGC-WFS::GetFeatureById"}
ID = f"{GML}id"


async def corner(client: httpx.AsyncClient, srs: str) -> tuple[str, list[float]]:
    """The name of the CRS that building 4 is told in, and its first position."""
    found = await features(client, RESOURCEID="buildings.4", SRSNAME=srs)
    surface = found.find(f".//{GML}MultiSurface")
    numbers = found.findtext(f".//{GML}posList").split()
    return surface.get("srsName"), [float(number) for number in numbers[:2]]


# --- how much


async def test_everything_comes_once(client: httpx.AsyncClient) -> None:
    root = await features(client)
    assert root.get("numberMatched") == root.get("numberReturned") == str(STANDING)
    ids = [each.get(ID) for each in root.iter(f"{CITY}buildings")]
    assert len(set(ids)) == len(ids) == STANDING
    # Every geometry and part of one has an id of its own (OGC 07-036, 7.2.4.5).
    every = [each.get(ID) for each in root.iter() if each.get(ID)]
    assert len(set(every)) == len(every) == 3 * STANDING


async def test_hits_are_the_number_alone(client: httpx.AsyncClient) -> None:
    root = await features(client, RESULTTYPE="hits", CQL_FILTER="height > 30")
    assert (root.get("numberMatched"), root.get("numberReturned"), len(root)) == ("9", "0", 0)
    assert len(tree(await client.get(root.get("next"))).findall(f"{WFS}member")) == 9
    nothing = await features(client, RESULTTYPE="hits", CQL_FILTER="height > 300")
    assert (nothing.get("numberMatched"), nothing.get("next")) == ("0", None)


async def test_pages_follow_each_other(client: httpx.AsyncClient) -> None:
    """7.7.4.4: by next there, by previous back."""
    address, seen, starts = "/wfs", [], []
    root = await features(client, COUNT="16", SORTBY="height DESC")
    while True:
        seen += [float(each.text) for each in root.iter(f"{CITY}height")]
        starts.append(int(root.get("numberReturned")))
        assert root.get("numberMatched") == str(STANDING)
        if (address := root.get("next")) is None:
            break
        root = tree(await client.get(address))
    assert seen == [40, *range(38, 0, -1)]
    assert starts == [16, 16, 7]
    back = tree(await client.get(root.get("previous")))
    assert [float(each.text) for each in back.iter(f"{CITY}height")] == seen[16:32]


@pytest.mark.parametrize(
    ("count", "start", "returned"), [("0", "0", 0), ("5", "36", 3), ("5", "39", 0), ("5", "999", 0)]
)
async def test_edges_of_pages(client: httpx.AsyncClient, count: str, start: str, returned: int) -> None:
    root = await features(client, COUNT=count, STARTINDEX=start)
    assert root.get("numberReturned") == str(returned)
    assert root.get("numberMatched") == str(STANDING)
    assert root.get("next") is None


async def test_a_number_that_is_too_great_to_count_is_unknown(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """7.7.4.2: and there is a next page for as long as there is one."""
    monkeypatch.setattr("api.wfs.reading.EXACT_BELOW", 20)
    root = await features(client, COUNT="15", SORTBY="height")
    seen: list[float] = []
    matched = []
    while True:
        seen += [float(each.text) for each in root.iter(f"{CITY}height")]
        matched.append(root.get("numberMatched"))
        if root.get("next") is None:
            break
        root = tree(await client.get(root.get("next")))
    assert seen == [*range(1, 39), 40]
    # On the last page it is known from the page itself.
    assert matched == ["unknown", "unknown", str(STANDING)]
    several = await features(client, TYPENAMES="buildings,facilities", COUNT="10", STARTINDEX="35")
    assert [each.get("numberReturned") for each in several.iter(f"{WFS}FeatureCollection")] == ["7", "4", "3"]


@pytest.mark.parametrize("form", [None, "application/json"])
async def test_what_does_not_fit_in_memory_goes_by_a_file(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, form: str | None
) -> None:
    def told(answer: httpx.Response) -> str:
        return re.sub(r"\d\d:\d\d:\d\dZ", "", answer.text)

    whole = told(await get(client, FEATURES, OUTPUTFORMAT=form))
    monkeypatch.setattr("api.wfs.reading.IN_MEMORY", 1)
    monkeypatch.setattr("api.wfs.reading.CHUNK", 7)
    assert told(await get(client, FEATURES, OUTPUTFORMAT=form)) == whole


async def test_links_begin_with_the_public_address(town_url: str, settings: Settings) -> None:
    """Behind a proxy under a prefix."""
    public = settings.model_copy(update={"public_url": "https://city.example/twin"})
    async with client_of(create_app(public, Places(CityPlace("town", town_url, Path("unused"))))) as behind:
        root = await features(behind, COUNT="1")
        assert root.get("next").startswith("https://city.example/twin/wfs?SERVICE=WFS&")
        told = (await get(behind, BASE, REQUEST="GetCapabilities")).text
        assert 'xlink:href="https://city.example/twin/wfs?"' in told
        assert "city.test" not in told


async def test_a_layer_without_objects(client: httpx.AsyncClient) -> None:
    root = await features(client, TYPENAMES="city:roads")
    assert (root.get("numberMatched"), len(root)) == ("0", 0)


# --- which


@pytest.mark.parametrize(
    "box",
    [
        "28.0999,120.9499,28.1005,120.9515",
        "28.0999,120.9499,28.1005,120.9515,urn:ogc:def:crs:EPSG::4490",
        "28.0999,120.9499,28.1005,120.9515,http://www.opengis.net/def/crs/EPSG/0/4326",
        "120.9499,28.0999,120.9515,28.1005,urn:ogc:def:crs:OGC:1.3:CRS84",
        "120.9499,28.0999,120.9515,28.1005,EPSG:4326",
        "120.9499,28.0999,120.9515,28.1005,http://www.opengis.net/gml/srs/epsg.xml#4490",
        # Beyond the world, as desks ask that are zoomed out; six numbers have heights.
        "-1000,28.0999,120.9515,28.1005,EPSG:4326",
        "-1000,-1000,28.1005,120.9515",
        "120.9499,28.0999,0,120.9515,28.1005,99,EPSG:4326",
    ],
)
async def test_boxes_by_the_form_of_their_crs(client: httpx.AsyncClient, box: str) -> None:
    assert await heights(client, BBOX=box) == [1, 2]


@pytest.mark.parametrize(("code", "north_first"), [(3857, False), (4549, True), (32651, False)])
async def test_boxes_in_metres(client: httpx.AsyncClient, code: int, north_first: bool) -> None:
    turn = pyproj.Transformer.from_crs("EPSG:4490", f"EPSG:{code}", always_xy=True)
    west, south = turn.transform(120.9499, 28.0999)
    east, north = turn.transform(120.9515, 28.1005)
    short = f"{west},{south},{east},{north},EPSG:{code}"
    official = f"{south},{west},{north},{east}" if north_first else f"{west},{south},{east},{north}"
    assert await heights(client, BBOX=short) == [1, 2]
    assert await heights(client, BBOX=f"{official},urn:ogc:def:crs:EPSG::{code}") == [1, 2]


async def test_ids(client: httpx.AsyncClient) -> None:
    assert await heights(client, RESOURCEID="buildings.4,buildings.2,roads.1,buildings.39,nonsense") == [2, 4]
    assert await heights(client, RESOURCEID="buildings.4", TYPENAMES=None) == [4]
    both = await features(client, RESOURCEID="buildings.4,facilities.41", TYPENAMES=None)
    assert {each.tag for each in both.iter() if each.get(ID) in ("buildings.4", "facilities.41")} == {
        f"{CITY}buildings",
        f"{CITY}facilities",
    }
    assert len(await features(client, RESOURCEID="castles.1", TYPENAMES=None)) == 0


async def test_several_types_and_a_filter_for_each(client: httpx.AsyncClient) -> None:
    low, schools = (
        f"({xml_filter(each)})" for each in (compare("LessThan", "height", 3), compare("EqualTo", "class", "School"))
    )
    root = await features(client, TYPENAMES="(city:buildings)(city:facilities)", FILTER=low + schools)
    assert [each.get("numberMatched") for each in root.iter(f"{WFS}FeatureCollection")] == ["4", "2", "2"]
    mixed = await features(client, TYPENAMES="buildings,facilities", CQL_FILTER="height < 3;class = 'School'")
    assert mixed.get("numberMatched") == "4"
    wrong = await get(client, FEATURES, TYPENAMES="buildings,facilities,roads", CQL_FILTER="height < 3;height < 2")
    assert fault(wrong) == ("InvalidParameterValue", "filter")


async def test_order(client: httpx.AsyncClient) -> None:
    """7.9.2.5.3: several properties, each with its direction; 1.1.0 has A and D."""
    assert (await heights(client, SORTBY="function DESC,height ASC", COUNT="2")) == [2, 4]
    assert (await heights(client, SORTBY="city:height D", COUNT="2")) == [40, 38]
    assert (await heights(client, SORTBY="name,height DESC", COUNT="1")) == [12]


# --- what is told


async def test_chosen_properties(client: httpx.AsyncClient) -> None:
    root = await features(client, PROPERTYNAME="city:height,name", COUNT="4")
    told = [[part.tag.removeprefix(CITY) for part in each] for each in root.iter(f"{CITY}buildings")]
    assert told == [["height"]] * 3 + [["name", "height"]]
    with_place = await features(client, PROPERTYNAME="geom", COUNT="1")
    assert [part.tag for part in next(with_place.iter(f"{CITY}buildings"))] == [f"{CITY}geom"]


async def test_a_feature_by_its_id(client: httpx.AsyncClient) -> None:
    """7.9.3.6: the feature itself, in no collection."""
    answer = await get(client, BASE, **BY_ID, ID="buildings.4")
    root = tree(answer)
    assert (root.tag, root.get(ID)) == (f"{CITY}buildings", "buildings.4")
    assert root.findtext(f"{CITY}name") == "海晏楼4"
    for unknown in (
        "buildings.4000",
        "buildings.39",
        "castles.1",
        "buildings.x",
        "4",
        "buildings.99999999999999999999",
    ):
        assert fault(await get(client, BASE, **BY_ID, ID=unknown), 404) == ("NotFound", "id")
    assert fault(await get(client, BASE, **BY_ID)) == ("MissingParameterValue", "id")
    renamed = {**BY_ID, "STOREDQUERY_ID": "http://www.opengis.net/def/query/OGC-WFS/0/GetFeatureById"}
    assert (await get(client, BASE, **renamed, ID="buildings.4")).text == answer.text
    as_json = await get(client, BASE, **BY_ID, ID="buildings.4", OUTPUTFORMAT="application/json")
    assert as_json.json()["properties"]["height"] == 4


async def test_values_of_a_property(client: httpx.AsyncClient) -> None:
    """10.3: a value for each object that has one."""
    asked = FEATURES | {"REQUEST": "GetPropertyValue", "SORTBY": "height"}
    root = tree(await get(client, asked, VALUEREFERENCE="city:name", COUNT="3"))
    assert root.tag == f"{WFS}ValueCollection"
    assert [each.text for each in root] == ["海晏楼4", "海晏楼8", "海晏楼12"]
    assert (root.get("numberMatched"), root.get("numberReturned")) == ("10", "3")
    following = tree(await client.get(root.get("next")))
    assert following[0].text == "海晏楼16"
    ids = tree(await get(client, asked, VALUEREFERENCE="@gml:id", COUNT="2"))
    assert [each.text for each in ids] == ["buildings.1", "buildings.2"]
    shape = tree(await get(client, asked, VALUEREFERENCE="geom", COUNT="1"))
    assert shape[0][0].tag == f"{GML}MultiSurface"
    hits = tree(await get(client, asked, VALUEREFERENCE="name", RESULTTYPE="hits"))
    assert hits.get("numberMatched") == "10"


# --- in which CRS


@pytest.mark.parametrize(
    ("asked", "named", "code", "north_first"),
    [
        ("urn:ogc:def:crs:EPSG::4490", "urn:ogc:def:crs:EPSG::4490", 4490, True),
        ("urn:ogc:def:crs:EPSG::4326", "urn:ogc:def:crs:EPSG::4326", 4326, True),
        ("EPSG:4326", "EPSG:4326", 4326, False),
        ("http://www.opengis.net/def/crs/EPSG/0/4326", "http://www.opengis.net/def/crs/EPSG/0/4326", 4326, True),
        ("urn:ogc:def:crs:OGC:1.3:CRS84", "urn:ogc:def:crs:OGC:1.3:CRS84", 4326, False),
        ("urn:ogc:def:crs:EPSG::4549", "urn:ogc:def:crs:EPSG::4549", 4549, True),
        ("EPSG:4549", "EPSG:4549", 4549, False),
        ("urn:ogc:def:crs:EPSG::3857", "urn:ogc:def:crs:EPSG::3857", 3857, False),
    ],
)
async def test_coordinates_by_the_form_of_the_name(
    client: httpx.AsyncClient, asked: str, named: str, code: int, north_first: bool
) -> None:
    """Against PROJ: right to a millimetre, the axes in the order that the name means."""
    turn = pyproj.Transformer.from_crs("EPSG:4490", f"EPSG:{code}", always_xy=True)
    x, y = turn.transform(120.953, 28.1)
    name, position = await corner(client, asked)
    assert name == named
    assert position == pytest.approx([y, x] if north_first else [x, y], abs=1e-8 if code in (4326, 4490) else 1e-3)


# --- as what


async def test_geojson_has_east_first(client: httpx.AsyncClient) -> None:
    answer = await get(client, FEATURES, OUTPUTFORMAT="application/json", CQL_FILTER="height = 4")
    body = answer.json()
    assert body["numberMatched"] == body["numberReturned"] == 1
    assert body["features"][0]["geometry"]["coordinates"][0][0][0] == [120.953, 28.1]
    assert body["features"][0]["properties"]["name"] == "海晏楼4"
    assert body["crs"]["properties"]["name"] == "urn:ogc:def:crs:EPSG::4490"
    paged = (await get(client, FEATURES, OUTPUTFORMAT="json", COUNT="2", STARTINDEX="2")).json()
    assert [each["rel"] for each in paged["links"]] == ["prev", "next"]
    several = (await get(client, FEATURES, OUTPUTFORMAT="json", TYPENAMES="roads,buildings,water,facilities")).json()
    assert several["numberReturned"] == STANDING + 3
    hits = (await get(client, FEATURES, OUTPUTFORMAT="json", RESULTTYPE="hits")).json()
    assert (hits["numberMatched"], hits["features"]) == (STANDING, [])


async def test_files(client: httpx.AsyncClient) -> None:
    """Vendor formats: whatever is selected, in one file."""
    table = await get(client, FEATURES, OUTPUTFORMAT="csv", CQL_FILTER="height < 3")
    rows = list(csv.DictReader(io.StringIO(table.text.removeprefix("\ufeff"))))
    assert [row["uid"] for row in rows] == ["b1", "b2"]
    shapes = await get(client, FEATURES, OUTPUTFORMAT="SHAPE-ZIP", COUNT="2")
    assert "buildings.shp" in zipfile.ZipFile(io.BytesIO(shapes.content)).namelist()
    several = await get(client, FEATURES, OUTPUTFORMAT="csv", TYPENAMES="roads,water")
    assert fault(several, 501)[0] == "OptionNotSupported"


async def test_gml_3_1_for_1_1(client: httpx.AsyncClient) -> None:
    old = FEATURES | {"VERSION": "1.1.0", "TYPENAMES": "", "TYPENAME": "buildings", "MAXFEATURES": "3"}
    answer = await get(client, old)
    assert answer.headers["content-type"].startswith("text/xml; subtype=gml/3.1.1")
    root = tree(answer)
    assert root.get("numberOfFeatures") == "3"
    assert len(root.findall("{http://www.opengis.net/gml}featureMember")) == 3
    assert tree(await get(client, old, RESULTTYPE="hits", MAXFEATURES="1")).get("numberOfFeatures") == str(STANDING)
    assert fault_1_1(await get(client, old, REQUEST="GetPropertyValue")) == "OperationNotSupported"


def fault_1_1(answer: httpx.Response) -> str:
    found: str = tree(answer).find("{http://www.opengis.net/ows}Exception").get("exceptionCode")
    return found


# --- odd data

FIELDS = {"a'b\"c": "text", "x; drop table y--": "number", "1st": "integer", "高度": "number", "geom": "text",
          "a_b": "text", "a b": "text", "name": "text"}  # fmt: skip
VALUES = {"a'b\"c": "<&>\"'\r\n\x01\ufffe]]>海", "x; drop table y--": 1.5, "1st": 10**12, "高度": 12.25,
          "geom": "no shape", "a_b": "one", "a b": "two", "name": "<city:geom/>"}  # fmt: skip


@pytest.fixture(scope="module")
async def odd(new_city: Callable[..., str], settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A layer whose fields no XML could name, and whose values it could not hold as they are."""
    url = new_city()
    shapes = ("POINT(120.95 28.1)", "MULTIPOINT(120.95 28.1,120.96 28.1)", "LINESTRING(120.95 28.1,120.96 28.1)",
              "MULTILINESTRING((120.95 28.1,120.96 28.1),(120.97 28.1,120.98 28.1))",
              "POLYGON((120.95 28.1,120.96 28.1,120.96 28.2,120.95 28.1))",
              "GEOMETRYCOLLECTION(POINT(120.95 28.1),LINESTRING(120.95 28.1,120.96 28.1))")  # fmt: skip
    lay_down(url, FIELDS, [(VALUES, shape) for shape in shapes])
    async with client_of(create_app(settings, Places(CityPlace("odd", url, Path("unused"))))) as opened:
        yield opened


async def test_odd_names_and_values(odd: httpx.AsyncClient) -> None:
    """Names are spelt as XML can, each its own; values are whole but for what XML has no place for."""
    asked = FEATURES | {"TYPENAMES": "odd"}
    described = tree(await get(odd, asked, REQUEST="DescribeFeatureType"))
    declared = [each.get("name") for each in described.iter("{http://www.w3.org/2001/XMLSchema}element")]
    assert len(set(declared)) == len(declared)
    root = tree(await get(odd, asked, COUNT="1"))
    told = {part.tag.removeprefix(CITY): part.text for part in next(root.iter(f"{CITY}odd"))}
    assert set(told) <= set(declared)
    assert told["a_b_c"] == "<&>\"'\r\n]]>海"
    assert told["x__drop_table_y--"] == "1.5"
    assert told["_1st"] == "1000000000000"
    assert told["高度"] == "12.25"
    assert told["geom_2"] == "no shape"
    assert {told["a_b"], told["a_b_2"]} == {"one", "two"}
    found = await get(odd, asked, FILTER=xml_filter(compare("EqualTo", "高度", 12.25)), PROPERTYNAME="_1st")
    assert tree(found).get("numberMatched") == "6"


async def test_geometries_of_every_kind(odd: httpx.AsyncClient) -> None:
    root = tree(await get(odd, FEATURES, TYPENAMES="odd", SORTBY="uid"))
    kinds = [each[0].tag.removeprefix(GML) for each in root.iter(f"{CITY}geom")]
    assert kinds == ["Point", "MultiPoint", "LineString", "MultiCurve", "Polygon", "MultiGeometry"]
    ids = [each.get(ID) for each in root.iter() if each.get(ID)]
    assert len(set(ids)) == len(ids)
