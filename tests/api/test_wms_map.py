"""GetMap: what is asked for is what is drawn, on the pixel where it belongs (OGC 06-042, 7.3; 01-068r3, 7.2)."""

import asyncio
from typing import Any

import httpx
import numpy as np
import pytest
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from tests import town
from tests.api.conftest import bearer
from tests.api.wms import get_map, pixels

# A building: 0.0004 degrees wide, residential where its number is even.
SIDE = 0.0004
BARE = (255, 255, 255)


def lon_lat(number: int) -> tuple[float, float]:
    """The south-western corner of building b<number>."""
    return 120.95 + (number - 1) % 10 * 0.001, 28.1 + (number - 1) // 10 * 0.001


def at(picture: NDArray[np.uint8], lon: float, lat: float) -> tuple[int, ...]:
    """The pixel of a place on the town's usual frame, 100,000 pixels to the degree."""
    return tuple(int(v) for v in picture[int((28.105 - lat) * 1e5), int((lon - 120.949) * 1e5)])


def standing(picture: NDArray[np.uint8]) -> set[int]:
    """Which buildings are on the map: those whose south-western quarter, where no name is, is not bare."""
    found = set()
    for number in range(1, town.BUILDINGS + 1):
        lon, lat = lon_lat(number)
        if at(picture, lon + SIDE / 8, lat + SIDE / 8)[:3] != BARE:
            found.add(number)
    return found


ALL = set(range(1, 41))


# --- 7.3.3.5 to 7.3.3.8: place


@pytest.mark.parametrize(
    "crs", ["CRS:84", "EPSG:4326", "EPSG:4490", "EPSG:4549", "EPSG:3857", "EPSG:32651", "EPSG:4528"]
)
@pytest.mark.parametrize("version", ["1.3.0", "1.1.1"])
async def test_a_corner_lands_on_its_pixel(client: httpx.AsyncClient, crs: str, version: str) -> None:
    """The outline of building b5, put into the CRS by PROJ, is the outline of what is drawn, within one pixel.

    The box is in the CRS's own order of axes in 1.3.0 and x, y in 1.1.1 (6.7.2; 01-068r3, 6.5.6).
    """
    code = "OGC:CRS84" if crs == "CRS:84" else crs
    lon, lat = lon_lat(5)
    corners = np.array([(lon, lat), (lon + SIDE, lat), (lon + SIDE, lat + SIDE), (lon, lat + SIDE)])
    x, y = Transformer.from_crs("OGC:CRS84", code, always_xy=True).transform(corners[:, 0], corners[:, 1])
    # A frame around it that is neither square nor in the middle, so that no mixing of sides goes unseen.
    west, east = x.min() - np.ptp(x) / 2, x.max() + np.ptp(x)
    south, north = y.min() - np.ptp(y) / 4, y.max() + np.ptp(y) / 2
    official = version == "1.3.0" and CRS(code).axis_info[0].direction == "north"
    box = (south, west, north, east) if official else (west, south, east, north)
    answer = await get_map(
        client,
        VERSION=version,
        **({"CRS": crs} if version == "1.3.0" else {"CRS": None, "SRS": crs}),
        BBOX=",".join(repr(float(value)) for value in box),
        WIDTH="500",
        HEIGHT="350",
        CQL_FILTER="height = 5",
    )
    outline = shapely.Polygon(np.column_stack(((x - west) / (east - west) * 500, (north - y) / (north - south) * 350)))
    columns, rows = np.meshgrid(np.arange(500) + 0.5, np.arange(350) + 0.5)
    drawn = (pixels(answer)[..., :3] != BARE).any(axis=2)
    assert not drawn[~shapely.contains_xy(outline.buffer(1.5), columns, rows)].any()
    assert drawn[shapely.contains_xy(outline.buffer(-1), columns, rows)].all()


@pytest.mark.parametrize("form", ["1.20949E2,2.8099e1,1.20961e+2,28105E-3", " 120.949 , 28.099, 120.961 ,28.105 "])
async def test_numbers_as_they_may_be_written(client: httpx.AsyncClient, form: str) -> None:
    """6.5: integers, decimals and exponentials."""
    assert (await get_map(client, BBOX=form)).content == (await get_map(client)).content


async def test_sizes_are_exact(client: httpx.AsyncClient) -> None:
    for width, height in ((8, 5), (1, 1), (1024, 768), (257, 31)):
        picture = pixels(await get_map(client, WIDTH=str(width), HEIGHT=str(height)))
        assert picture.shape == (height, width, 4)


async def test_a_map_may_be_stretched(client: httpx.AsyncClient) -> None:
    """7.3.3.8: where the box and the picture have other proportions, the map is stretched to fill it."""
    picture = pixels(await get_map(client, WIDTH="300", HEIGHT="600"))
    lon, lat = lon_lat(11)
    column, row = (lon + SIDE / 2 - 120.949) * 25_000, (28.105 - lat - SIDE / 2) * 100_000
    assert tuple(picture[int(row), int(column)][:3]) != BARE
    drawn = (picture[int(row), int(column) - 12 : int(column) + 12, :3] != BARE).any(axis=1)
    assert drawn.sum() == pytest.approx(SIDE * 25_000, abs=2)


async def test_a_map_of_where_nothing_is_is_empty(client: httpx.AsyncClient) -> None:
    """7.3.3.6: a box outside the layer, or outside where the CRS is used, is no fault."""
    for crs, box in (
        ("CRS:84", "0,0,1,1"),
        ("CRS:84", "200,95,210,100"),
        ("EPSG:4326", "91,0,95,10"),
        ("EPSG:3857", "1e9,1e9,2e9,2e9"),
        ("EPSG:4549", "-9e7,-9e7,-8e7,-8e7"),
        ("EPSG:2056", "2600000,1200000,2600100,1200100"),
    ):
        picture = pixels(await get_map(client, CRS=crs, BBOX=box, WIDTH="20", HEIGHT="10"))
        assert (picture == 255).all()


@pytest.mark.parametrize(
    ("crs", "box"),
    [
        ("CRS:84", "-180,-90,180,90"),
        ("CRS:84", "-400,-200,400,200"),
        ("EPSG:3857", "-20037508,-20037508,20037508,20037508"),
        ("EPSG:3857", "-4e7,-4e7,4e7,4e7"),
        ("EPSG:4549", "0,-5000000,10000000,6000000"),
        ("EPSG:3035", "900000,900000,7400000,7400000"),
        ("EPSG:3031", "-4194304,-4194304,4194304,4194304"),
        ("EPSG:27700", "0,0,700000,1300000"),
    ],
)
async def test_very_wide_maps(client: httpx.AsyncClient, crs: str, box: str) -> None:
    assert pixels(await get_map(client, CRS=crs, BBOX=box, WIDTH="64", HEIGHT="64")).shape == (64, 64, 4)


# --- 7.3.3.3 and 7.3.3.4: layers and styles


async def test_what_stands_is_shown(client: httpx.AsyncClient) -> None:
    assert standing(pixels(await get_map(client))) == ALL - {39}


async def test_the_first_layer_lies_under_the_others(client: httpx.AsyncClient) -> None:
    """7.3.3.3: a map is drawn from the leftmost layer, which lies at the bottom. A school stands on b12."""
    over = pixels(await get_map(client, LAYERS="buildings,facilities"))
    under = pixels(await get_map(client, LAYERS="facilities,buildings"))
    school, beside = (120.9512, 28.1012), (120.95105, 28.10135)
    assert at(over, *beside) == at(under, *beside) == at(under, *school) != at(over, *school)


@pytest.mark.parametrize("styles", [None, "", ",", "day,day", "default,", "day,"])
async def test_ways_to_say_the_default_style(client: httpx.AsyncClient, styles: str | None) -> None:
    """7.3.3.4: an empty list, or empty places in it."""
    asked = await get_map(client, LAYERS="buildings,facilities", STYLES=styles)
    assert asked.content == (await get_map(client, LAYERS="buildings,facilities", STYLES="day,day")).content


async def test_each_layer_has_its_style(client: httpx.AsyncClient) -> None:
    lon, lat = lon_lat(1)
    ground, school = (lon + SIDE / 4, lat + SIDE / 4), (120.9512, 28.1012)
    # Without the building's name, which would lie on the school.
    two = {"LAYERS": "buildings,facilities", "CQL_FILTER": "name IS NULL; INCLUDE"}
    day, night, mixed = [
        pixels(await get_map(client, **two, STYLES=styles)) for styles in ("day,day", "night,night", "night,day")
    ]
    assert at(day, *ground) != at(night, *ground) == at(mixed, *ground)
    assert at(mixed, *school) == at(day, *school)


async def test_a_theme_is_its_layers(client: httpx.AsyncClient) -> None:
    assert (await get_map(client, LAYERS="theme:buildings")).content == (await get_map(client)).content
    whole, two = [pixels(await get_map(client, LAYERS=names)) for names in ("theme:all", "buildings,facilities")]
    assert standing(whole) == ALL - {39}
    assert at(whole, 120.9512, 28.1012) == at(two, 120.9512, 28.1012)


async def test_who_may_see_less_sees_less(client: httpx.AsyncClient, tokens: town.Tokens) -> None:
    answer = await client.get((await get_map(client)).request.url, headers=bearer(tokens.township))
    assert standing(pixels(answer)) == {1, 2, 3, 4, 5}
    assert "Authorization" in answer.headers["vary"]


# --- 7.3.3.9 to 7.3.3.11: the picture


@pytest.mark.parametrize(
    ("asked", "given", "magic"),
    [
        ("image/png", "image/png", b"\x89PNG"),
        ("IMAGE/PNG", "image/png", b"\x89PNG"),
        ("image/png; mode=8bit", "image/png; mode=8bit", b"\x89PNG"),
        ("image/png8", "image/png; mode=8bit", b"\x89PNG"),
        ("image/jpeg", "image/jpeg", b"\xff\xd8\xff"),
        ("image/webp", "image/webp", b"RIFF"),
    ],
)
async def test_formats(client: httpx.AsyncClient, asked: str, given: str, magic: bytes) -> None:
    answer = await get_map(client, FORMAT=asked)
    assert answer.headers["content-type"] == given
    assert answer.content.startswith(magic)
    assert standing_roughly(pixels(answer))


def standing_roughly(picture: NDArray[np.uint8]) -> bool:
    """Buildings are there and the ground between is bare, as far as a lossy format tells."""
    lon, lat = lon_lat(2)
    inside, outside = at(picture, lon + SIDE / 2, lat + SIDE / 2), at(picture, lon + 0.0007, lat + SIDE / 2)
    return min(outside[:3]) > 245 > min(inside[:3])


async def test_a_palette_is_smaller(client: httpx.AsyncClient) -> None:
    few, many = await get_map(client, FORMAT="image/png; mode=8bit"), await get_map(client)
    assert few.content[25] == 3  # colour type of the header: indexed
    assert len(few.content) < len(many.content)


async def test_the_background(client: httpx.AsyncClient) -> None:
    """7.3.3.9 and 7.3.3.10: opaque white by default, another colour, or none."""
    bare = 120.9495, 28.1045
    assert at(pixels(await get_map(client)), *bare) == (255, 255, 255, 255)
    for color in ("0x336699", "0X336699", "#336699", "336699"):
        assert at(pixels(await get_map(client, BGCOLOR=color)), *bare) == (0x33, 0x66, 0x99, 255)
    for form in ("image/png", "image/png; mode=8bit", "image/webp"):
        for yes in ("TRUE", "true"):
            assert at(pixels(await get_map(client, FORMAT=form, TRANSPARENT=yes)), *bare)[3] == 0
    assert at(pixels(await get_map(client, TRANSPARENT="FALSE")), *bare)[3] == 255
    assert at(pixels(await get_map(client, FORMAT="image/jpeg", TRANSPARENT="TRUE")), *bare)[3] == 255


async def test_a_dense_screen_gets_larger_symbols(client: httpx.AsyncClient) -> None:
    """As QGIS, GeoServer and MapServer say it; 96 dots per inch are as many as none."""
    usual = (await get_map(client, LAYERS="facilities")).content
    dense = (await get_map(client, LAYERS="facilities", DPI="192")).content
    assert dense != usual
    qgis = {"DPI": "192", "MAP_RESOLUTION": "192", "FORMAT_OPTIONS": "dpi:192"}
    for hints in (qgis, {"MAP_RESOLUTION": "192"}, {"FORMAT_OPTIONS": "antialias:on;dpi:192"}):
        assert (await get_map(client, LAYERS="facilities", **hints)).content == dense
    for hints in ({"DPI": "96", "MAP_RESOLUTION": "96", "FORMAT_OPTIONS": "dpi:96"}, {"FORMAT_OPTIONS": "layout:x"}):
        assert (await get_map(client, LAYERS="facilities", **hints)).content == usual
    fine = pixels(await get_map(client, LAYERS="facilities", DPI="192", WIDTH="2400", HEIGHT="1200")).astype(float)
    coarse = pixels(await get_map(client, LAYERS="facilities")).astype(float)
    # Twice as many pixels for the same paper: the same map, only sharper.
    assert np.abs(fine.reshape(600, 2, 1200, 2, 4).mean(axis=(1, 3)) - coarse).max(axis=2).mean() < 0.3
    assert (coarse[..., :3].min(axis=2) < 200).sum() > 300


async def test_a_map_that_is_known_is_not_sent_again(client: httpx.AsyncClient) -> None:
    first = await get_map(client)
    again = await client.get(first.request.url, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


# --- annexes C and D: dimensions. b39 fell in 2015, b40 rose in 2020.

TIMES = [
    ("2012", ALL - {40}, None),
    ("2012-06", ALL - {40}, None),
    ("2012-06-01", ALL - {40}, None),
    ("2012-06-01T12:00:00Z", ALL - {40}, None),
    ("2012-06-01T12:00:00.000Z", ALL - {40}, None),
    ("2012-06-01T12Z", ALL - {40}, None),
    ("2012-06-01T12:00:00+08:00", ALL - {40}, None),
    ("2012-06-01T12:00:00", ALL - {40}, None),
    ("2017-01-01", ALL - {39, 40}, None),
    ("2014-12-31T23:59:00", ALL - {40}, None),
    ("2015-01-01T00:00:00", ALL - {39, 40}, None),
    ("2012-01-01/2017-01-01", ALL - {40}, None),
    ("2012-01-01/2021-01-01/P1D", ALL, None),
    ("2012-01-01,2021-01-01", ALL, None),
    ("2016/current", ALL - {39}, None),
    ("current", ALL - {39}, None),
    ("CURRENT", ALL - {39}, None),
    ("now", ALL - {39}, None),
    (None, ALL - {39}, "Default value used: time="),
    ("", ALL - {39}, "Default value used: time="),
    ("1850-01-01", ALL - {40}, "Nearest value used: time=1900-01-01T00:00:00Z ISO8601"),
    ("2150-01-01", ALL - {39}, "Nearest value used: time=2100-01-01T00:00:00Z ISO8601"),
]


@pytest.mark.parametrize(("time", "shown", "warning"), TIMES)
async def test_the_city_at_a_time(
    client: httpx.AsyncClient, time: str | None, shown: set[int], warning: str | None
) -> None:
    """Annex D for how times are written, C.4 for the default and the nearest value and what is said of them."""
    answer = await get_map(client, TIME=time)
    assert standing(pixels(answer)) == shown
    told = answer.headers.get("warning", "")
    assert told.startswith(f"99 {warning}") if warning else told == ""


async def test_elevation_is_of_the_terrain_alone(client: httpx.AsyncClient) -> None:
    """C.3.1: a dimension that a layer has not is passed over; of the terrain the default is said (C.4.2)."""
    assert (await get_map(client, ELEVATION="10")).headers["warning"].count("value used") == 1
    told = (await get_map(client, LAYERS="terrain,buildings")).headers["warning"]
    assert "99 Default value used: elevation=-500 metre" in told
    told = (await get_map(client, LAYERS="terrain", ELEVATION="99999", TIME="current")).headers["warning"]
    assert told == "99 Nearest value used: elevation=9000 metre"
    assert "warning" not in (await get_map(client, LAYERS="terrain", ELEVATION="12.5", TIME="current")).headers


# --- vendor parameters


@pytest.mark.parametrize(
    ("wanted", "shown"),
    [
        ("height > 37", {38, 40}),
        ("function = 'residential' and height <= 6", {2, 4, 6}),
        ("name ILIKE '%楼4%'", {4, 40}),
        ("BBOX(geom, 120.9499, 28.0999, 120.9516, 28.1001)", {1, 2}),
        ("INCLUDE", ALL - {39}),
        ("EXCLUDE", set()),
        ("valid_from AFTER 2019-01-01T00:00:00Z", {40}),
        ("name = '; drop table building; --'", set()),
        ("name = '!bbox! \\ '' %s $1 @x {}'", set()),
    ],
)
async def test_a_condition_narrows_the_map(client: httpx.AsyncClient, wanted: str, shown: set[int]) -> None:
    assert standing(pixels(await get_map(client, CQL_FILTER=wanted))) == shown


async def test_a_condition_for_each_layer(client: httpx.AsyncClient) -> None:
    school, hospital = (120.9512, 28.1012), (120.9552, 28.1032)
    both = await get_map(client, LAYERS="buildings,facilities", CQL_FILTER="height < 3; class = 'School'")
    picture = pixels(both)
    assert at(picture, *school)[:3] != BARE
    assert at(picture, *hospital)[:3] == BARE
    assert at(picture, 120.95005, 28.10005)[:3] != BARE
    only = await get_map(client, LAYERS="buildings,facilities", CQL_FILTER=";class = 'School';")
    assert standing(pixels(only)) == ALL - {39}


FES = (
    '<fes:Filter xmlns:fes="http://www.opengis.net/fes/2.0"><fes:PropertyIsGreaterThan>'
    "<fes:ValueReference>height</fes:ValueReference><fes:Literal>{}</fes:Literal>"
    "</fes:PropertyIsGreaterThan></fes:Filter>"
)


async def test_a_condition_in_xml(client: httpx.AsyncClient) -> None:
    """FILTER as GeoServer has it: Filter Encoding, in brackets where there are several."""
    assert standing(pixels(await get_map(client, FILTER=FES.format(37)))) == {38, 40}
    several = await get_map(client, LAYERS="facilities,buildings", FILTER=f"()({FES.format(39)})")
    assert 40 in standing(pixels(several))
    assert not standing(pixels(several)) & {1, 5, 38}


async def test_a_plan_is_looked_at(client: httpx.AsyncClient) -> None:
    """Plan 1 takes b1 away and puts a long building along the southern row."""
    picture = pixels(await get_map(client, PLAN="1"))
    lon, lat = lon_lat(1)
    assert at(picture, lon + SIDE / 4, lat + SIDE / 4)[:3] == BARE
    assert at(picture, 120.9607, 28.1002)[:3] != BARE


async def test_what_the_model_knew_before_it_knew_anything(client: httpx.AsyncClient) -> None:
    assert standing(pixels(await get_map(client, RECORDED="2001-01-01"))) == set()


async def test_the_largest_map(client: httpx.AsyncClient) -> None:
    assert pixels(await get_map(client, WIDTH="4096", HEIGHT="4096")).shape == (4096, 4096, 4)


async def test_many_maps_at_once(client: httpx.AsyncClient) -> None:
    """Drawn side by side, none is mixed up with another."""
    answers: list[Any] = await asyncio.gather(
        *(get_map(client, CQL_FILTER=f"height = {number}") for number in range(1, 13))
    )
    assert [standing(pixels(answer)) for answer in answers] == [{number} for number in range(1, 13)]
