"""Filters in XML (OGC 09-026r2; 04-095) as the tree of CQL2; whatever else a client sends is refused in words."""

import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers import LayerError
from layers.crs import parse_crs
from layers.fes import parse_fes
from layers.fields import Fields
from layers.filters import FilterError
from layers.srs_name import official_name, parse_srs_name
from layers.xml import MAX_BYTES, MAX_DEPTH, XmlError, read_xml

FES, OGC = "http://www.opengis.net/fes/2.0", "http://www.opengis.net/ogc"
GML = "http://www.opengis.net/gml/3.2"
NORTH_FIRST = official_name(parse_crs("EPSG:4490"))
FIELDS = Fields(
    "buildings",
    {"name": "name", "height": "height", "flat": "flat", "valid_from": "valid_from", "a b": "a_b"},
    {
        "name": "text", "height": "number", "flat": "boolean", "valid_from": "time", "a b": "text",
        "object_id": "number", "geom": "geometry",
    },
)  # fmt: skip
HEIGHT = "<ValueReference>height</ValueReference>"
GEOM = "<ValueReference>geom</ValueReference>"
POINT = '<gml:Point srsName="urn:ogc:def:crs:OGC:1.3:CRS84"><gml:pos>120.95 28.1</gml:pos></gml:Point>'


def tree(inner: str, namespace: str = FES) -> Any:
    """The tree of a filter."""
    text = (
        f'<f:Filter xmlns:f="{namespace}" xmlns="{namespace}" xmlns:gml="{GML}" xmlns:city="urn:c">{inner}</f:Filter>'
    )
    return parse_fes(text.encode(), FIELDS, NORTH_FIRST).tree


def shape_of(inner: str) -> Any:
    """The geometry that a filter compares with."""
    return tree(f"<Intersects>{GEOM}{inner}</Intersects>")["args"][1]


# --- 7.7 comparison


@pytest.mark.parametrize(
    ("name", "operator"),
    [
        ("EqualTo", "="), ("NotEqualTo", "<>"), ("LessThan", "<"), ("GreaterThan", ">"),
        ("LessThanOrEqualTo", "<="), ("GreaterThanOrEqualTo", ">="),
    ],
)  # fmt: skip
def test_comparisons(name: str, operator: str) -> None:
    found = tree(f"<PropertyIs{name}>{HEIGHT}<Literal>7.5</Literal></PropertyIs{name}>")
    assert found == {"op": operator, "args": [{"property": "height"}, 7.5]}


@pytest.mark.parametrize(
    ("reference", "literal", "meant", "value"),
    [
        ("name", "12", "name", "12"),
        ("name", " a ", "name", " a "),
        ("city:buildings/city:name", "x", "name", "x"),
        ("/city:buildings/city:name[1]", "x", "name", "x"),
        ("flat", "true", "flat", True),
        ("flat", "0", "flat", False),
        ("a_b", "x", "a b", "x"),
        ("@gml:id", "buildings.7", "object_id", 7),
        ("valid_from", "2020-01-01", "valid_from", {"timestamp": "2020-01-01"}),
        ("valid_from", "2020-01-01T00:00:00", "valid_from", {"timestamp": "2020-01-01T00:00:00Z"}),
    ],
)
def test_a_literal_is_of_the_type_of_its_property(reference: str, literal: str, meant: str, value: object) -> None:
    operands = f"<ValueReference>{reference}</ValueReference><Literal>{literal}</Literal>"
    assert tree(f"<PropertyIsEqualTo>{operands}</PropertyIsEqualTo>")["args"] == [{"property": meant}, value]


def test_case_may_be_left_aside() -> None:
    operands = "<ValueReference>name</ValueReference><Literal>A</Literal>"
    found = tree(f'<PropertyIsEqualTo matchCase="false">{operands}</PropertyIsEqualTo>')
    assert found["args"] == [{"op": "casei", "args": [{"property": "name"}]}, {"op": "casei", "args": ["A"]}]


@pytest.mark.parametrize(
    ("pattern", "meant"),
    [("a*", "a%"), ("a?b", "a_b"), ("a!*", "a*"), ("50%", "50\\%"), ("a_b", "a\\_b"), ("!!", "!"), ("a\\b", "a\\\\b")],
)
def test_patterns(pattern: str, meant: str) -> None:
    """7.7.3.4: the client names the signs of its pattern."""
    operands = f"<ValueReference>name</ValueReference><Literal>{pattern}</Literal>"
    found = tree(f'<PropertyIsLike wildCard="*" singleChar="?" escapeChar="!">{operands}</PropertyIsLike>')
    assert found == {"op": "like", "args": [{"property": "name"}, meant]}


def test_between_null_and_logic() -> None:
    between = (
        f"<PropertyIsBetween>{HEIGHT}<LowerBoundary><Literal>1</Literal></LowerBoundary>"
        "<UpperBoundary><Literal>2</Literal></UpperBoundary></PropertyIsBetween>"
    )
    null = "<PropertyIsNull><ValueReference>name</ValueReference></PropertyIsNull>"
    assert tree(f"<Or>{between}<Not>{null}</Not></Or>") == {
        "op": "or",
        "args": [
            {"op": "between", "args": [{"property": "height"}, 1.0, 2.0]},
            {"op": "not", "args": [{"op": "isNull", "args": [{"property": "name"}]}]},
        ],
    }


def test_ids() -> None:
    """7.11: an id of another feature type names nothing of this one."""
    found = tree('<ResourceId rid="buildings.7"/><ResourceId rid="roads.8"/><ResourceId rid="buildings.x"/>')
    assert found == {"op": "in", "args": [{"property": "object_id"}, [7]]}
    assert tree('<FeatureId fid="buildings.9"/>', OGC)["args"][1] == [9]
    assert tree(f'<GmlObjectId gml:id="buildings.9" xmlns:gml="{GML}"/>', OGC)["args"][1] == [9]


def test_fe_1_1() -> None:
    sum_ = "<Add><PropertyName>height</PropertyName><Literal>1</Literal></Add>"
    assert tree(f"<PropertyIsEqualTo>{sum_}<Literal>3</Literal></PropertyIsEqualTo>", OGC) == {
        "op": "=",
        "args": [{"op": "+", "args": [{"property": "height"}, 1.0]}, 3.0],
    }


def test_functions() -> None:
    area = f'<Function name="area">{GEOM}</Function>'
    found = tree(f"<PropertyIsGreaterThan>{area}<Literal>100</Literal></PropertyIsGreaterThan>")
    assert found == {"op": ">", "args": [{"op": "area", "args": [{"property": "geom"}]}, 100.0]}


# --- 7.8 place


@pytest.mark.parametrize(
    ("srs", "position"),
    [
        ("urn:ogc:def:crs:OGC:1.3:CRS84", "120.95 28.1"),
        ("urn:ogc:def:crs:EPSG::4326", "28.1 120.95"),
        ("http://www.opengis.net/def/crs/EPSG/0/4490", "28.1 120.95"),
        ("EPSG:4326", "120.95 28.1"),
        ("http://www.opengis.net/gml/srs/epsg.xml#4326", "120.95 28.1"),
    ],
)
def test_the_form_of_a_name_says_which_axis_is_first(srs: str, position: str) -> None:
    node = shape_of(f'<gml:Point srsName="{srs}"><gml:pos>{position}</gml:pos></gml:Point>')
    assert node == {"type": "Point", "coordinates": [120.95, 28.1]}


def test_a_projected_crs_either_way() -> None:
    """A point of EPSG:4549, whose northing stands first, by its URN and by its short name."""
    official = shape_of('<gml:Point srsName="urn:ogc:def:crs:EPSG::4549"><gml:pos>3109000 593000</gml:pos></gml:Point>')
    turned = shape_of('<gml:Point srsName="EPSG:4549"><gml:pos>593000 3109000</gml:pos></gml:Point>')
    assert official == turned
    assert official["coordinates"] == pytest.approx([120.95, 28.09], abs=0.05)


def test_without_a_name_the_crs_is_the_feature_types_own() -> None:
    assert shape_of("<gml:Point><gml:pos>28.1 120.95</gml:pos></gml:Point>")["coordinates"] == [120.95, 28.1]


RING = "<gml:LinearRing><gml:posList>0 0 0 4 4 4 4 0 0 0</gml:posList></gml:LinearRing>"
HOLE = "<gml:LinearRing><gml:posList>1 1 1 2 2 2 1 1</gml:posList></gml:LinearRing>"
POLYGON = f"<gml:exterior>{RING}</gml:exterior><gml:interior>{HOLE}</gml:interior>"
RINGS = [[[0, 0], [4, 0], [4, 4], [0, 4], [0, 0]], [[1, 1], [2, 1], [2, 2], [1, 1]]]
SEGMENTS = "<gml:LineStringSegment><gml:posList>0 0 1 1</gml:posList></gml:LineStringSegment>" \
           "<gml:LineStringSegment><gml:posList>1 1 2 3</gml:posList></gml:LineStringSegment>"  # fmt: skip


@pytest.mark.parametrize(
    ("xml", "kind", "coordinates"),
    [
        ("<gml:LineString><gml:pos>0 1</gml:pos><gml:pos>2 3</gml:pos></gml:LineString>", "LineString",
         [[1, 0], [3, 2]]),
        ("<gml:LineString><gml:coordinates>0,1 2,3</gml:coordinates></gml:LineString>", "LineString", [[1, 0], [3, 2]]),
        ('<gml:LineString srsDimension="3"><gml:posList>0 1 9 2 3 9</gml:posList></gml:LineString>', "LineString",
         [[1, 0], [3, 2]]),
        (f"<gml:Curve><gml:segments>{SEGMENTS}</gml:segments></gml:Curve>", "LineString", [[0, 0], [1, 1], [3, 2]]),
        (f"<gml:Polygon>{POLYGON}</gml:Polygon>", "Polygon", RINGS),
        (f"<gml:Polygon><gml:outerBoundaryIs>{RING}</gml:outerBoundaryIs></gml:Polygon>", "Polygon", RINGS[:1]),
        (f"<gml:Surface><gml:patches><gml:PolygonPatch>{POLYGON}</gml:PolygonPatch></gml:patches></gml:Surface>",
         "Polygon", RINGS),
        ("<gml:MultiPoint><gml:pointMember><gml:Point><gml:pos>0 1</gml:pos></gml:Point></gml:pointMember>"
         "</gml:MultiPoint>", "MultiPoint", [[1, 0]]),
        (f"<gml:MultiSurface><gml:surfaceMembers><gml:Polygon>{POLYGON}</gml:Polygon></gml:surfaceMembers>"
         "</gml:MultiSurface>", "MultiPolygon", [RINGS]),
    ],
)  # fmt: skip
def test_geometries(xml: str, kind: str, coordinates: object) -> None:
    """As each is written with latitude first."""
    assert shape_of(xml) == {"type": kind, "coordinates": coordinates}


def test_boxes() -> None:
    corners = "<gml:lowerCorner>28 120</gml:lowerCorner><gml:upperCorner>29 121</gml:upperCorner>"
    box = f"<gml:Envelope>{corners}</gml:Envelope>"
    inside = {"op": "s_intersects", "args": [{"property": "geom"}, {"bbox": [120.0, 28.0, 121.0, 29.0]}]}
    assert tree(f"<BBOX>{box}</BBOX>") == inside
    assert tree(f"<BBOX><ValueReference>city:geom</ValueReference>{box}</BBOX>") == inside


@pytest.mark.parametrize(("unit", "metres"), [("m", 500.0), ("km", 500_000.0), ("urn:ogc:def:uom:EPSG::9001", 500.0)])
def test_distances(unit: str, metres: float) -> None:
    found = tree(f'<DWithin>{GEOM}{POINT}<Distance uom="{unit}">500</Distance></DWithin>')
    assert found["op"] == "near"
    assert found["args"][2] == metres
    assert tree(f'<Beyond>{GEOM}{POINT}<Distance uom="{unit}">500</Distance></Beyond>') == {
        "op": "not",
        "args": [found],
    }


# --- 7.9 time


@pytest.mark.parametrize(
    ("name", "operator"),
    [("After", "t_after"), ("Before", "t_before"), ("TEquals", "t_equals"), ("AnyInteracts", "t_intersects")],
)
def test_moments(name: str, operator: str) -> None:
    instant = '<gml:TimeInstant gml:id="t"><gml:timePosition>2020-01-01T00:00:00Z</gml:timePosition></gml:TimeInstant>'
    found = tree(f"<{name}><ValueReference>valid_from</ValueReference>{instant}</{name}>")
    assert found == {"op": operator, "args": [{"property": "valid_from"}, {"timestamp": "2020-01-01T00:00:00Z"}]}


def test_periods() -> None:
    period = (
        '<gml:TimePeriod gml:id="p"><gml:beginPosition>2020-01-01</gml:beginPosition>'
        '<gml:endPosition indeterminatePosition="unknown"/></gml:TimePeriod>'
    )
    found = tree(f"<During><ValueReference>valid_from</ValueReference>{period}</During>")
    assert found["args"][1] == {"interval": ["2020-01-01", ".."]}


# --- refusals


@pytest.mark.parametrize(
    "inner",
    [
        "",
        "<PropertyIsEqualTo/>",
        f"<PropertyIsEqualTo>{HEIGHT}</PropertyIsEqualTo>",
        f"<PropertyIsEqualTo>{HEIGHT}<Literal>high</Literal></PropertyIsEqualTo>",
        "<PropertyIsEqualTo><ValueReference>secret</ValueReference><Literal>1</Literal></PropertyIsEqualTo>",
        "<PropertyIsEqualTo><ValueReference>roads/height</ValueReference><Literal>1</Literal></PropertyIsEqualTo>",
        "<And><Not/></And>",
        "<Explode/>",
        "<ResourceId/>",
        f"<Intersects>{GEOM}<gml:Torus/></Intersects>",
        f"<Intersects>{GEOM}<gml:Point><gml:pos>1</gml:pos></gml:Point></Intersects>",
        f"<Intersects>{GEOM}<gml:Point><gml:pos>1 NaN</gml:pos></gml:Point></Intersects>",
        f'<Intersects>{GEOM}<gml:Point srsName="EPSG:99999"><gml:pos>1 2</gml:pos></gml:Point></Intersects>',
        f"<Intersects>{GEOM}<gml:Polygon/></Intersects>",
        f"<DWithin>{GEOM}{POINT}<Distance uom='parsec'>5</Distance></DWithin>",
        f'<PropertyIsEqualTo><Function name="pg_sleep"><Literal>9</Literal></Function>{HEIGHT}</PropertyIsEqualTo>',
        "<After><ValueReference>valid_from</ValueReference><gml:TimeFog/></After>",
    ],
)
def test_what_is_no_filter(inner: str) -> None:
    with pytest.raises(LayerError):
        tree(inner)


def test_too_many_conditions() -> None:
    one = f"<PropertyIsEqualTo>{HEIGHT}<Literal>1</Literal></PropertyIsEqualTo>"
    with pytest.raises(FilterError, match="more than"):
        tree(f"<Or>{one * 2_001}</Or>")


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa">' + "".join(
    f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(12)
) + "]><x>&m;</x>"  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        '<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>',
        '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
        '<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:1/p.dtd">%p;]><x/>',
        "<x>&undeclared;</x>",
        "<x>" * (MAX_DEPTH + 1) + "</x>" * (MAX_DEPTH + 1),
        "<x>" + "<y/>" * 100_001 + "</x>",
        "<x" + " a='1'" * 2 + "/>",
        "",
        "<x>",
        "<a:x/>",
        "<x>\x00</x>",
        '<?xml version="1.0" encoding="ebcdic-xx"?><x/>',
        "<x>" + " " * MAX_BYTES + "</x>",
    ],
)
def test_hostile_xml_is_refused_at_once(text: str) -> None:
    began = time.process_time()
    with pytest.raises(XmlError):
        read_xml(text.encode())
    assert time.process_time() - began < 1


def test_encodings() -> None:
    for encoding in ("utf-8", "utf-16", "gb18030", "GBK", "gb2312"):
        text = f'<?xml version="1.0" encoding="{encoding}"?><x>海晏</x>'
        assert read_xml(text.encode(encoding)).text == "海晏"


# --- anything at all is read or refused

NAMES = st.sampled_from(
    ["Filter", "And", "Or", "Not", "PropertyIsEqualTo", "PropertyIsLike", "PropertyIsBetween", "BBOX", "DWithin",
     "Intersects", "During", "ResourceId", "ValueReference", "Literal", "Function", "Add", "LowerBoundary", "Distance",
     "gml:Point", "gml:pos", "gml:Envelope", "gml:lowerCorner", "gml:Polygon", "gml:exterior", "gml:LinearRing",
     "gml:posList", "gml:MultiSurface", "gml:surfaceMember", "gml:TimePeriod", "gml:beginPosition", "gml:coordinates"]
)  # fmt: skip
TEXTS = st.sampled_from(
    ["height", "geom", "1", "1 2", "0 0 0 1 1 1 0 0", "1,2 3,4", "2020-01-01", "x", "", "NaN", "1e999"]
)
ATTRIBUTES = st.sampled_from(
    ["", ' srsName="EPSG:4549"', ' srsDimension="3"', ' rid="buildings.1"', ' name="area"', ' uom="m"', ' wildCard=""',
     ' srsName="urn:ogc:def:crs:EPSG::4979"', ' decimal="" cs="" ts=""']
)  # fmt: skip
ELEMENTS = st.recursive(
    TEXTS,
    lambda inner: st.builds(
        lambda name, attributes, parts: f"<{name}{attributes}>{''.join(parts)}</{name}>",
        NAMES, ATTRIBUTES, st.lists(inner, max_size=4),
    ),
    max_leaves=20,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(ELEMENTS)
def test_any_elements_are_read_or_refused(inner: str) -> None:
    with suppress(LayerError):
        tree(inner)


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(max_size=400), st.text(max_size=400).map(lambda text: f"<Filter>{text}</Filter>".encode())))
def test_any_bytes_are_read_or_refused(source: bytes) -> None:
    with suppress(LayerError):
        parse_fes(source, FIELDS, NORTH_FIRST)


def test_names_of_crs_keep_their_form() -> None:
    for text in ("urn:ogc:def:crs:EPSG::4490", "EPSG:3857", "http://www.opengis.net/def/crs/EPSG/0/4549",
                 "http://www.opengis.net/gml/srs/epsg.xml#4326"):  # fmt: skip
        assert parse_srs_name(text).text == text
