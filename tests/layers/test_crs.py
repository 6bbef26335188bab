"""CRS by name: what clients write, the order of axes that EPSG gives, and boxes that land where PROJ puts them."""

import numpy as np
import pytest
from pyproj import Transformer

from cim_models.database import Database
from layers.catalog import load_catalog
from layers.crs import (
    CRS84,
    NoWay,
    OutsideCrs,
    UnknownCrs,
    box_in,
    known_crs,
    parse_crs,
    transform_box,
    transform_points,
)

TOWN = (120.95, 28.1, 120.96, 28.104)
# code, north first (EPSG registry, the coordinate system of each), a place in it (lon, lat)
TABLE = [
    ("EPSG:4326", True, (120.95, 28.1)),
    ("EPSG:4490", True, (120.95, 28.1)),
    ("OGC:CRS84", False, (120.95, 28.1)),
    ("EPSG:3857", False, (120.95, 28.1)),
    ("EPSG:4499", True, (120.95, 28.1)),
    ("EPSG:4510", True, (120.95, 28.1)),
    ("EPSG:4528", True, (120.95, 28.1)),
    ("EPSG:4547", True, (114.2, 30.5)),
    ("EPSG:4549", True, (120.95, 28.1)),
    ("EPSG:4555", True, (120.95, 28.1)),
    ("EPSG:32651", False, (120.95, 28.1)),
    ("EPSG:32601", False, (-177.0, 51.0)),
    ("EPSG:3035", True, (4.85, 45.75)),
    ("EPSG:25832", False, (8.5, 50.0)),
    ("EPSG:2056", False, (7.44, 46.95)),
    ("EPSG:2154", False, (4.85, 45.75)),
    ("EPSG:2326", True, (114.2, 22.3)),
    ("EPSG:3826", False, (121.0, 24.0)),
    ("EPSG:2193", True, (174.8, -41.3)),
    ("EPSG:3031", False, (10.0, -75.0)),
    ("EPSG:32661", True, (10.0, 80.0)),
    ("EPSG:5041", False, (10.0, 80.0)),
]
CGCS2000_BELTS = range(4491, 4555)


def official(code: str, lon: float, lat: float) -> tuple[float, float]:
    """A point as PROJ writes it in the order of the CRS's own definition."""
    base = "EPSG:4555" if code == "EPSG:4555" else "OGC:CRS84"
    if base == "EPSG:4555":
        return lat, lon
    first, second = Transformer.from_crs(base, code).transform(lon, lat)
    return first, second


@pytest.mark.parametrize(("code", "north_first", "place"), TABLE)
def test_axes_are_in_the_order_of_the_definition(code: str, north_first: bool, place: tuple[float, float]) -> None:
    """OGC 06-042, 6.7.2: the axes as the CRS's definition orders them; x is east and y north inside."""
    crs = parse_crs(code)
    assert crs.north_first is north_first
    first, second = official(code, *place)
    x, y, *_ = crs.to_xy((first, second, first, second))
    east = official(code, place[0] + 0.001, place[1])
    east_x, *_ = crs.to_xy((*east, *east))
    if code not in ("EPSG:3031", "EPSG:32661", "EPSG:5041"):
        assert east_x > x
    assert crs.to_official((x, y, x, y))[:2] == (first, second)


@pytest.mark.parametrize("srid", CGCS2000_BELTS)
def test_every_gauss_kruger_zone_of_cgcs2000_writes_its_northing_first(srid: int) -> None:
    """Northings of China are 1,900 to 6,000 km, eastings 500 km off the meridian behind the zone's number."""
    crs = parse_crs(f"EPSG:{srid}")
    assert crs.north_first
    west, _, east, _ = crs.area
    northing, easting = official(crs.code, (west + east) / 2, 35.0)
    assert 3.8e6 < northing < 3.95e6
    assert 0.2e6 < easting % 1e6 < 0.8e6
    x, y, *_ = crs.to_xy((northing, easting, northing, easting))
    assert (x, y) == (easting, northing)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("EPSG:4549", "EPSG:4549"),
        ("epsg:4549", "EPSG:4549"),
        (" EPSG:04549 ", "EPSG:4549"),
        ("[EPSG:4549]", "EPSG:4549"),
        ("urn:ogc:def:crs:EPSG::4549", "EPSG:4549"),
        ("URN:OGC:DEF:CRS:EPSG::4549", "EPSG:4549"),
        ("urn:ogc:def:crs:EPSG:9.9.1:4549", "EPSG:4549"),
        ("urn:ogc:def:crs:EPSG:4549", "EPSG:4549"),
        ("urn:x-ogc:def:crs:EPSG:4549", "EPSG:4549"),
        ("http://www.opengis.net/def/crs/EPSG/0/4549", "EPSG:4549"),
        ("https://opengis.net/def/crs/EPSG/9.9.1/4549", "EPSG:4549"),
        ("http://www.opengis.net/gml/srs/epsg.xml#4549", "EPSG:4549"),
        ("CRS:84", "OGC:CRS84"),
        ("crs:84", "OGC:CRS84"),
        ("CRS84", "OGC:CRS84"),
        ("OGC:CRS84", "OGC:CRS84"),
        ("urn:ogc:def:crs:OGC:1.3:CRS84", "OGC:CRS84"),
        ("urn:ogc:def:crs:OGC::CRS84", "OGC:CRS84"),
        ("urn:ogc:def:crs:OGC:2:84", "OGC:CRS84"),
        ("http://www.opengis.net/def/crs/OGC/1.3/CRS84", "OGC:CRS84"),
        ("http://www.opengis.net/def/crs/OGC/0/CRS84", "OGC:CRS84"),
        ("CRS:83", "OGC:CRS83"),
        ("EPSG:900913", "EPSG:3857"),
        ("EPSG:102100", "EPSG:3857"),
        ("ESRI:102113", "EPSG:3857"),
        ("EPSG:3785", "EPSG:3857"),
        ("OSGEO:41001", "EPSG:3857"),
        ("IGNF:LAMB93", "IGNF:LAMB93"),
    ],
)
def test_what_clients_write(text: str, code: str) -> None:
    assert parse_crs(text).code == code


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("EPSG:4479", "geocentric.*EPSG:4490"),
        ("EPSG:4480", "three-dimensional.*EPSG:4490"),
        ("EPSG:4978", "geocentric.*EPSG:4326"),
        ("EPSG:4979", "three-dimensional.*EPSG:4326"),
        ("http://www.opengis.net/def/crs/OGC/0/CRS84h", "three-dimensional"),
        ("EPSG:5554", "compound.*EPSG:25831"),
        ("EPSG:5737", "vertical"),
        ("EPSG:2053", "west and south"),
        ("EPSG:999999", "PROJ knows no CRS"),
        ("EPSG:" + "9" * 30, "PROJ knows no CRS"),
        ("EPSG:4326; drop table city", "names no CRS"),
        ("EPSG:WGS84", "names no CRS"),
        ("EPSG:٤٣٢٦", "names no CRS"),
        ("MARS:1", "names no CRS"),
        ("4326", "names no CRS"),
        ("", "names no CRS"),
        ("AUTO2:42001,1,121,28", "automatic projections.*UTM"),
        ('PROJCS["x",GEOGCS["y"]]', "not defined by WKT"),
        ("+proj=utm +zone=51", "not defined by WKT or a PROJ string"),
        ('{"type": "GeographicCRS"}', "not defined by WKT"),
        ("E" * 10_000, "at most 300 characters"),
    ],
)
def test_what_cannot_carry_a_map_is_refused_with_its_reason(text: str, told: str) -> None:
    with pytest.raises(UnknownCrs, match=told):
        parse_crs(text)


def test_names_of_a_crs_read_back() -> None:
    for code in ("EPSG:4549", "OGC:CRS84", "ESRI:102025"):
        crs = parse_crs(code)
        assert parse_crs(crs.urn) == parse_crs(crs.uri) == crs
    assert CRS84.urn == "urn:ogc:def:crs:OGC:1.3:CRS84"
    assert CRS84.uri == "http://www.opengis.net/def/crs/OGC/1.3/CRS84"


def test_a_unit_of_a_crs_in_metres() -> None:
    """OGC 06-042, 7.2.4.6.9: a degree counts as 111,319.49 m; EPSG:2225 is in US survey feet."""
    assert parse_crs("EPSG:4490").metres_per_unit == pytest.approx(111_319.4908)
    assert parse_crs("EPSG:4549").metres_per_unit == 1
    assert parse_crs("EPSG:2225").metres_per_unit == pytest.approx(0.3048006)


@pytest.mark.parametrize("code", ["EPSG:4549", "EPSG:3857", "EPSG:32651", "EPSG:4326", "EPSG:4528"])
def test_a_box_covers_what_it_holds(code: str) -> None:
    """Every point of the box's edge, put into the CRS by PROJ alone, lies in the box and some touch it."""
    target = parse_crs(code)
    box = transform_box(TOWN, parse_crs("EPSG:4490"), target)
    along = np.linspace(0, 1, 41)
    west, south, east, north = TOWN
    x = np.concatenate([west + along * (east - west)] * 2 + [np.full(41, west), np.full(41, east)])
    y = np.concatenate([np.full(41, south), np.full(41, north)] + [south + along * (north - south)] * 2)
    px, py = Transformer.from_crs("OGC:CRS84", code, always_xy=True).transform(x, y)
    slack = 1e-3 / target.metres_per_unit
    assert box == pytest.approx((px.min(), py.min(), px.max(), py.max()), abs=slack)
    there = transform_points(x, y, parse_crs("EPSG:4490"), target)
    assert np.allclose(there, (px, py), atol=slack)


def test_no_transformation_is_better_than_a_rough_one() -> None:
    """EPSG gives none between Xian 1980 and CGCS2000; PROJ's ballpark would be a hundred metres off."""
    with pytest.raises(NoWay, match=r"EPSG:4610 \(Xian 1980\)"):
        transform_box(TOWN, parse_crs("EPSG:4490"), parse_crs("EPSG:4610"))


def test_a_box_beyond_the_projection() -> None:
    with pytest.raises(OutsideCrs, match="no place"):
        transform_box((30.0, 0.0, 31.0, 1.0), parse_crs("EPSG:4490"), parse_crs("EPSG:4549"))


def test_bounds_are_told_where_a_crs_is_used() -> None:
    storage = parse_crs("EPSG:4490")
    assert box_in(TOWN, storage, parse_crs("EPSG:2056")) is None
    world = box_in((-180.0, -90.0, 180.0, 90.0), storage, parse_crs("EPSG:3857"))
    assert world == pytest.approx((-20037508.34, -20048966.1, 20037508.34, 20048966.1), abs=30_000)
    assert box_in(TOWN, storage, parse_crs("EPSG:4326")) == TOWN


async def test_a_city_offers_its_own_and_its_neighbours(town_database: Database) -> None:
    async with town_database.reading() as connection:
        catalog = await load_catalog(connection, town_database.city)
    codes = [crs.code for crs in known_crs(catalog)]
    assert codes[:2] == ["EPSG:4490", "EPSG:4549"]
    assert {"EPSG:4326", "OGC:CRS84", "EPSG:3857", "EPSG:4510", "EPSG:4499", "EPSG:4528", "EPSG:32651"} <= set(codes)
    assert len(codes) == len(set(codes))
