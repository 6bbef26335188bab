"""Where things land: transformed as pyproj does, refused where nothing accurate is known, swapped or elsewhere."""

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS, Geod, Transformer

from layers.formats import CrsUnknown
from layers.mapping import Ground, OutsideCity, SwappedAxes, TransformationUnavailable, mapped
from tests.layers.sources import LYON, PINGYANG, column, one, part, reasons, shapes, source, square

POINTS = {"theme": "sensor", "class": "Sensor", "uid": "id"}


def points(xy: list[tuple[float, float]], crs: str | None) -> object:
    return source([shapely.Point(*each) for each in xy], crs, id=[str(i) for i in range(1, len(xy) + 1)])


@pytest.mark.parametrize(
    ("crs", "ground", "xy"),
    [
        ("EPSG:4549", PINGYANG, (550_123.4, 3_055_678.9)),
        ("EPSG:4528", PINGYANG, (40_550_123.4, 3_055_678.9)),
        ("EPSG:3857", PINGYANG, (13_415_000.0, 3_190_000.0)),
        ("EPSG:3946", LYON, (1_843_000.0, 5_175_000.0)),
        ("EPSG:2154", LYON, (843_000.0, 6_520_000.0)),
        ("EPSG:6697", Ground(4326, 6677), (139.8, 35.67)),
    ],
)
def test_coordinates_land_where_pyproj_puts_them(crs: str, ground: Ground, xy: tuple[float, float]) -> None:
    """To a tenth of a millimetre, east first whatever the axis order of the CRS."""
    (shape,) = shapes(one(points([xy], crs), part(**POINTS), ground))
    lon, lat = Transformer.from_crs(CRS(crs).to_2d(), 4326, always_xy=True).transform(*xy)
    assert (shape.x, shape.y) == (pytest.approx(lon, abs=1e-9), pytest.approx(lat, abs=1e-9))


def test_an_esri_shapefiles_crs_is_understood() -> None:
    wkt = CRS(4549).to_wkt("WKT1_ESRI")
    (shape,) = shapes(one(points([(550_123.4, 3_055_678.9)], wkt), part(**POINTS)))
    assert (shape.x, shape.y) == pytest.approx(
        Transformer.from_crs(4549, 4490, always_xy=True).transform(550_123.4, 3_055_678.9), abs=1e-9
    )


def test_cgcs2000_and_wgs84_are_one() -> None:
    for crs, ground in (("EPSG:4490", Ground(4326, 4549)), ("EPSG:4326", PINGYANG)):
        (shape,) = shapes(one(points([(120.5, 27.6)], crs), part(**POINTS), ground))
        assert (shape.x, shape.y) == (120.5, 27.6)


@pytest.mark.parametrize(
    "crs", ["EPSG:2437", "EPSG:4214", "EPSG:2384", "EPSG:4610"], ids=["北京54带", "北京54", "西安80带", "西安80"]
)
def test_a_ballpark_is_never_silent(crs: str) -> None:
    with pytest.raises(
        TransformationUnavailable, match=r"rows: no accurate transformation from EPSG:\d+ .* to EPSG:4490"
    ):
        one(points([(120.5, 27.6)], crs), part(**POINTS))


def test_a_missing_grid_is_named() -> None:
    with pytest.raises(
        TransformationUnavailable, match=r"fetch it with `projsync --file uk_os_OSTN15_NTv2_OSGBtoETRS\.tif`"
    ):
        one(points([(530_000, 180_000)], "EPSG:27700"), part(**POINTS), Ground(4326, 27700))


def test_the_crs_must_be_stated_and_known() -> None:
    with pytest.raises(CrsUnknown, match="rows: no CRS in the file; name it with --crs"):
        one(points([(120.5, 27.6)], None), part(**POINTS))
    with pytest.raises(CrsUnknown, match="'EPSG:1' is no CRS that PROJ knows"):
        one(points([(120.5, 27.6)], "EPSG:1"), part(**POINTS))


def test_lyon_in_a_chinese_belt_is_refused() -> None:
    """EPSG:4549 used at Lyon would turn 101 m into 130 m without a word: as the source's CRS and as the city's."""
    lyon = [(1_843_000.0, 5_175_000.0), (1_843_101.0, 5_175_000.0)]
    with pytest.raises(OutsideCity, match=r"nothing of it lies in the city: x 1843000 .* name the right CRS"):
        one(points(lyon, "EPSG:4549"), part(**POINTS), PINGYANG)
    with pytest.raises(OutsideCity, match=r"EPSG:4549 .* is for 117.00 to 123.00 E, .* of the city's EPSG:3946"):
        one(points(lyon, "EPSG:4549"), part(**POINTS), LYON)
    with pytest.raises(OutsideCity, match="outside the area of use of the city's EPSG:4549"):
        one(points(lyon, "EPSG:3946"), part(**POINTS), Ground(4326, 4549))


def test_metres_taken_for_degrees_are_told() -> None:
    with pytest.raises(OutsideCity, match=r"it was read as EPSG:4326 \(WGS 84\), but these are no degrees"):
        one(points([(550_123.4, 3_055_678.9)], "EPSG:4326"), part(**POINTS))


def test_single_strays_are_rejected_and_the_rest_is_kept() -> None:
    places = [(120.5, 27.6), (0.0, 0.0), (120.6, 27.5), (120.5, 95.0)]
    batch = one(points(places, "EPSG:4490"), part(**POINTS))
    assert column(batch, "uid") == ["1", "3"]
    assert all(reason.startswith("outside the area of use of") for reason in reasons(batch).values())
    assert list(reasons(batch)) == [2, 4]


def test_what_lies_too_far_from_the_city_is_rejected() -> None:
    extent = (120.3, 27.3, 120.9, 27.8)
    places = [(120.5, 27.6), (121.1, 28.2), (121.2, 29.3)]
    batch = one(points(places, "EPSG:4490"), part(**POINTS), Ground(4490, 4549, extent))
    assert column(batch, "uid") == ["1", "2"]
    assert reasons(batch)[3].startswith("outside 100 km around the city (")
    far = one(points(places, "EPSG:4490"), part(**POINTS), Ground(4490, 4549, extent, reach_km=300))
    assert column(far, "uid") == ["1", "2", "3"]
    anywhere = Ground(4490, 4549, extent, reach_km=math.inf)
    batch = one(points([*places, (4.8, 45.7)], "EPSG:4490"), part(**POINTS), anywhere)
    assert column(batch, "uid") == ["1", "2", "3"]
    assert reasons(batch)[4].startswith("outside the area of use of")


@pytest.mark.parametrize(
    ("crs", "xy"),
    [
        ("EPSG:4490", [(27.6, 120.5), (27.61, 120.51)]),
        ("EPSG:4549", [(3_055_678.9, 550_123.4), (3_055_778.9, 550_223.4)]),
    ],
)
def test_swapped_axes_refuse_the_whole_file(crs: str, xy: list[tuple[float, float]]) -> None:
    with pytest.raises(SwappedAxes, match="rows: x and y are swapped: 2 of 2 objects lie outside"):
        one(points(xy, crs), part(**POINTS))


def test_one_swapped_row_is_only_a_rejected_row() -> None:
    batch = one(points([(120.5, 27.6), (120.6, 27.5), (27.6, 120.5)], "EPSG:4490"), part(**POINTS))
    assert list(reasons(batch)) == [3]


def test_later_batches_may_be_all_outside() -> None:
    rows = points([(120.5, 27.6), (120.6, 27.6), (0.0, 0.0), (1.0, 1.0)], "EPSG:4490")
    first, second = mapped(rows, part(**POINTS), PINGYANG, rows=2)  # type: ignore[arg-type]
    assert (first.rows.num_rows, second.rows.num_rows) == (2, 0)
    assert [reject.row for reject in second.rejects] == [3, 4]


def test_lines_are_as_long_in_the_city_as_on_the_ground() -> None:
    """A hundred metres of the belt's grid at 28 N, 121 E, measured again on the ellipsoid: scale is k = 1 + y2/2R2."""
    east, north = 598_000.0, 3_099_000.0
    line = shapely.LineString([(east, north), (east + 100, north)])
    rows = source([line], "EPSG:4549", id=["a"])
    (shape,) = shapes(one(rows, part(theme="road", uid="id", **{"class": "residential"})))
    scale = 1 + 98_000.0**2 / 2 / 6_378_137.0**2
    assert Geod(ellps="GRS80").geometry_length(shape) == pytest.approx(100 / scale, abs=2e-3)


@settings(max_examples=60, deadline=None)
@given(st.floats(118.6, 121.4), st.floats(25, 40))
def test_a_round_trip_through_the_belt_stays_in_place(lon: float, lat: float) -> None:
    xy = Transformer.from_crs(4490, 4549, always_xy=True).transform(lon, lat)
    (shape,) = shapes(one(points([xy], "EPSG:4549"), part(**POINTS)))
    assert np.hypot(shape.x - lon, shape.y - lat) < 1e-9


def test_heights_stay_what_they_are() -> None:
    solid = shapely.Polygon([(120.5, 27.6, 5.0), (120.501, 27.6, 5.0), (120.501, 27.601, 9.0), (120.5, 27.6, 5.0)])
    rows = source([solid, square(120.5, 27.6)], "EPSG:4490", id=["a", "b"])
    fields = {"ground_z": "geometry.zmin", "height": {"field": "geometry.height", "unit": "m"}}
    batch = one(rows, part(theme="building", uid="id", fields=fields, **{"class": "Building"}))
    assert column(batch, "ground_z") == [5.0, None]
    assert column(batch, "height") == [4.0, None]
    assert not shapely.has_z(shapes(batch)).any()
