"""Filters of FES 2.0 against what stands in the town (OGC 09-026r2): each operator in turn."""

import httpx
import pytest

from tests.api.wfs import CITY, FEATURES, compare, fault, features, get, heights, xml_filter

CRS84 = 'srsName="urn:ogc:def:crs:OGC:1.3:CRS84"'
GEOM = "<ValueReference>city:geom</ValueReference>"
# Around b1 and b2 with a margin, and b1 itself.
TWO = (
    f"<gml:Polygon {CRS84} gml:id='p'><gml:exterior><gml:LinearRing><gml:posList>120.9499 28.0999 120.9515 28.0999"
    " 120.9515 28.1005 120.9499 28.1005 120.9499 28.0999</gml:posList></gml:LinearRing></gml:exterior></gml:Polygon>"
)
FIRST = (
    f"<gml:Polygon {CRS84} gml:id='p'><gml:exterior><gml:LinearRing><gml:posList>120.95 28.1 120.9504 28.1"
    " 120.9504 28.1004 120.95 28.1004 120.95 28.1</gml:posList></gml:LinearRing></gml:exterior></gml:Polygon>"
)
LINE = (
    f"<gml:LineString {CRS84} gml:id='l'><gml:posList>120.9499 28.1002 120.9512 28.1002</gml:posList></gml:LineString>"
)
INSIDE = f"<gml:Point {CRS84} gml:id='i'><gml:pos>120.9502 28.1002</gml:pos></gml:Point>"
CORNER = f"<gml:Point {CRS84} gml:id='c'><gml:pos>120.95 28.1</gml:pos></gml:Point>"
HALF = (
    f"<gml:Polygon {CRS84} gml:id='p'><gml:exterior><gml:LinearRing><gml:posList>120.9502 28.0999 120.9508 28.0999"
    " 120.9508 28.1005 120.9502 28.1005 120.9502 28.0999</gml:posList></gml:LinearRing></gml:exterior></gml:Polygon>"
)
ENVELOPE = (
    f"<gml:Envelope {CRS84}><gml:lowerCorner>120.9499 28.0999</gml:lowerCorner>"
    "<gml:upperCorner>120.9515 28.1005</gml:upperCorner></gml:Envelope>"
)


async def found(client: httpx.AsyncClient, inner: str, **changed: str) -> list[float]:
    """Heights of the buildings that a filter lets through, in order of height."""
    return await heights(client, FILTER=xml_filter(inner), SORTBY="height", **changed)


@pytest.mark.parametrize(
    ("operator", "value", "wanted"),
    [
        ("EqualTo", "4", [4]),
        ("EqualTo", "4.0", [4]),
        ("LessThan", "3", [1, 2]),
        ("LessThanOrEqualTo", "3", [1, 2, 3]),
        ("GreaterThan", "37", [38, 40]),
        ("GreaterThanOrEqualTo", "38", [38, 40]),
    ],
)
async def test_comparisons(client: httpx.AsyncClient, operator: str, value: str, wanted: list[float]) -> None:
    assert await found(client, compare(operator, "city:height", value)) == wanted


async def test_not_equal(client: httpx.AsyncClient) -> None:
    assert len(await found(client, compare("NotEqualTo", "height", 4))) == 38


async def test_text(client: httpx.AsyncClient) -> None:
    like = 'wildCard="*" singleChar="?" escapeChar="!"'
    assert await found(client, compare("EqualTo", "name", "海晏楼4")) == [4]
    assert await found(client, compare("Like", "name", "海晏楼?", like)) == [4, 8]
    assert await found(client, compare("Like", "name_en", "seacalm*", f'{like} matchCase="false"')) == [
        *range(4, 37, 4), 40,
    ]  # fmt: skip
    assert await found(client, compare("EqualTo", "name_en", "SEACALM HOUSE 8", 'matchCase="false"')) == [8]


async def test_nothing_and_something(client: httpx.AsyncClient) -> None:
    null = "<PropertyIsNull><ValueReference>name</ValueReference></PropertyIsNull>"
    nil = null.replace("IsNull", "IsNil")
    assert len(await found(client, null)) == len(await found(client, nil)) == 29
    assert len(await found(client, f"<Not>{null}</Not>")) == 10


async def test_between_and_logic(client: httpx.AsyncClient) -> None:
    between = (
        "<PropertyIsBetween><ValueReference>height</ValueReference><LowerBoundary><Literal>5</Literal></LowerBoundary>"
        "<UpperBoundary><Literal>8</Literal></UpperBoundary></PropertyIsBetween>"
    )
    even = compare("EqualTo", "function", "residential")
    assert await found(client, between) == [5, 6, 7, 8]
    assert await found(client, f"<And>{between}{even}</And>") == [6, 8]
    assert await found(client, f"<And>{between}<Not>{even}</Not></And>") == [5, 7]
    assert await found(client, f"<Or>{compare('EqualTo', 'height', 1)}{compare('EqualTo', 'height', 9)}</Or>") == [1, 9]


async def test_ids(client: httpx.AsyncClient) -> None:
    assert await found(client, '<ResourceId rid="buildings.7"/><ResourceId rid="buildings.3"/>') == [3, 7]
    assert await found(client, '<ResourceId rid="roads.7"/><ResourceId rid="buildings.3"/>') == [3]
    assert await found(client, '<ResourceId rid="nothing-of-ours"/>') == []
    # 09-025r2, 7.9.2.4.1: names that contradict each other.
    for asked in ({"FILTER": xml_filter('<ResourceId rid="roads.7"/>')}, {"RESOURCEID": "roads.7"}):
        assert fault(await get(client, FEATURES, **asked)) == ("InvalidParameterValue", "resourceId")
    assert await found(client, compare("EqualTo", "@gml:id", "buildings.7")) == [7]


async def test_geometries_have_no_order(client: httpx.AsyncClient) -> None:
    operands = f"<Literal>{ENVELOPE}</Literal><ValueReference>gml:boundedBy</ValueReference>"
    wanted = xml_filter(f"<PropertyIsLessThan>{operands}</PropertyIsLessThan>")
    answer = await get(client, FEATURES, FILTER=wanted)
    assert fault(answer, 403) == ("OperationProcessingFailed", "filter")


async def test_what_else_the_source_gave_is_compared_as_it_is_told(client: httpx.AsyncClient) -> None:
    text = '{"cadastre": "C-4"}'
    assert await found(client, compare("EqualTo", "city:attributes", text)) == [4]
    like = 'wildCard="*" singleChar="?" escapeChar="!"'
    assert await found(client, compare("Like", "attributes", '*"C-3?"*', like)) == [*range(30, 39)]


async def test_an_open_end_is_nil(client: httpx.AsyncClient) -> None:
    """09-026r2, 7.7.3.6: who is found by PropertyIsNil has the property, and xsi:nil on it."""
    nil = "<PropertyIsNil><ValueReference>city:valid_to</ValueReference></PropertyIsNil>"
    members = list((await features(client, FILTER=xml_filter(nil), COUNT="5")).iter(f"{CITY}buildings"))
    assert len(members) == 5
    assert {each.find(f"{CITY}valid_to").get("{http://www.w3.org/2001/XMLSchema-instance}nil") for each in members} == {
        "true"
    }


@pytest.mark.parametrize(
    ("operator", "shape", "wanted"),
    [
        ("Intersects", TWO, [1, 2]),
        ("Intersects", LINE, [1, 2]),
        ("Within", TWO, [1, 2]),
        ("Contains", INSIDE, [1]),
        ("Touches", CORNER, [1]),
        ("Equals", FIRST, [1]),
        ("Overlaps", HALF, [1]),
        ("Crosses", LINE, [1, 2]),
    ],
)
async def test_places(client: httpx.AsyncClient, operator: str, shape: str, wanted: list[float]) -> None:
    assert await found(client, f"<{operator}>{GEOM}{shape}</{operator}>") == wanted


async def test_disjoint(client: httpx.AsyncClient) -> None:
    assert await found(client, f"<Disjoint>{GEOM}{TWO}</Disjoint>") == [*range(3, 39), 40]


async def test_boxes(client: httpx.AsyncClient) -> None:
    assert await found(client, f"<BBOX>{GEOM}{ENVELOPE}</BBOX>") == [1, 2]
    assert await found(client, f"<BBOX>{ENVELOPE}</BBOX>") == [1, 2]
    assert await found(client, f"<Intersects>{GEOM}{ENVELOPE}</Intersects>") == [1, 2]


async def test_distances(client: httpx.AsyncClient) -> None:
    """b2 begins 98 m east of the corner of b1 (an arc of 0.001 degrees at 28.1 N), b11 111 m north of it."""
    for metres, wanted in (("90", [1]), ("100", [1, 2]), ("115", [1, 2, 11])):
        near = f'<DWithin>{GEOM}{CORNER}<Distance uom="m">{metres}</Distance></DWithin>'
        assert await found(client, near) == wanted
    far = f'<Beyond>{GEOM}{CORNER}<Distance uom="km">0.1</Distance></Beyond>'
    assert await found(client, far) == [*range(3, 39), 40]


async def test_time(client: httpx.AsyncClient) -> None:
    """b40 is from 2020-01-01 in the city's zone, all others from ever."""
    since = "<ValueReference>valid_from</ValueReference>"
    instant = "<gml:TimeInstant gml:id='t'><gml:timePosition>{}</gml:timePosition></gml:TimeInstant>"
    period = (
        "<gml:TimePeriod gml:id='p'><gml:beginPosition>2019-01-01</gml:beginPosition>"
        "<gml:endPosition>2021-01-01</gml:endPosition></gml:TimePeriod>"
    )
    assert await found(client, f"<After>{since}{instant.format('2019-06-01')}</After>") == [40]
    assert await found(client, f"<Before>{since}{instant.format('2019-06-01')}</Before>") == []
    assert await found(client, f"<During>{since}{period}</During>") == [40]
    assert await found(client, f"<TEquals>{since}{instant.format('2019-12-31T16:00:00Z')}</TEquals>") == [40]
    assert await found(client, compare("GreaterThan", "valid_from", "2019-06-01T00:00:00Z")) == [40]


async def test_functions(client: httpx.AsyncClient) -> None:
    area = f'<Function name="area">{GEOM}</Function>'
    wide = f"<PropertyIsGreaterThan>{area}<Literal>1700</Literal></PropertyIsGreaterThan>"
    assert len(await found(client, wide)) == 39


async def test_cql_beside_a_box(client: httpx.AsyncClient) -> None:
    assert await heights(client, BBOX="28.0999,120.9499,28.1005,120.9515", CQL_FILTER="height > 1") == [2]
    assert await heights(client, CQL_FILTER="BBOX(geom, 120.9499, 28.0999, 120.9515, 28.1005)") == [1, 2]


async def test_fe_1_1(client: httpx.AsyncClient) -> None:
    """Old clients write PropertyName, short names of CRS with x first, and FeatureId."""
    old = (
        '<ogc:Filter xmlns:ogc="http://www.opengis.net/ogc" xmlns:gml="http://www.opengis.net/gml"><ogc:And>'
        "<ogc:PropertyIsGreaterThan><ogc:PropertyName>height</ogc:PropertyName><ogc:Literal>1</ogc:Literal>"
        "</ogc:PropertyIsGreaterThan><ogc:BBOX><ogc:PropertyName>geom</ogc:PropertyName>"
        '<gml:Envelope srsName="EPSG:4326"><gml:lowerCorner>120.9499 28.0999</gml:lowerCorner>'
        "<gml:upperCorner>120.9515 28.1005</gml:upperCorner></gml:Envelope></ogc:BBOX></ogc:And></ogc:Filter>"
    )
    request = {"VERSION": "1.1.0", "TYPENAMES": None, "TYPENAME": "buildings"}
    assert await heights(client, **request, FILTER=old) == [2]
    by_id = '<ogc:Filter xmlns:ogc="http://www.opengis.net/ogc"><ogc:FeatureId fid="buildings.7"/></ogc:Filter>'
    assert await heights(client, **request, FILTER=by_id) == [7]


async def test_a_polygon_that_is_not_valid(client: httpx.AsyncClient) -> None:
    bow = TWO.replace("120.9515 28.0999 120.9515 28.1005", "120.9515 28.1005 120.9515 28.0999")
    answer = await get(client, FEATURES, FILTER=xml_filter(f"<Intersects>{GEOM}{bow}</Intersects>"))
    assert fault(answer) == ("InvalidParameterValue", "filter")


async def test_a_filter_on_what_is_hidden(client: httpx.AsyncClient) -> None:
    """Plans, data sets and other columns of the table are no properties of the layer."""
    for name in ("plan_id", "dataset_id", "content_hash", "recorded_from", "geom_web"):
        answer = await get(client, FEATURES, FILTER=xml_filter(compare("EqualTo", name, 1)))
        assert fault(answer) == ("InvalidParameterValue", "filter")
    assert len(await features(client, FILTER=xml_filter(compare("EqualTo", "uid", "b1")))) == 1
