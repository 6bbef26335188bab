"""OGC API Maps (OGC 20-058): subsetting, scaling, CRS and background, each test from the clause that it names."""

import io
import math

import httpx
import numpy as np
import pytest
from PIL import Image
from pyproj import Geod, Transformer

from tests import town
from tests.api.conftest import bearer

HOUSE = (
    town.WEST + 2 * town.STEP,
    town.SOUTH + town.STEP,
    town.WEST + 2 * town.STEP + town.SIDE,
    town.SOUTH + town.STEP + town.SIDE,
)
AROUND = HOUSE[0] - town.SIDE, HOUSE[1] - town.SIDE, HOUSE[2] + town.SIDE, HOUSE[3] + town.SIDE
BUILDINGS = "/collections/buildings/map"


def written(box: tuple[float, ...]) -> str:
    return ",".join(map(repr, box))


async def picture(client: httpx.AsyncClient, path: str, **query: object) -> tuple[np.ndarray, httpx.Headers]:
    answer = await client.get(path, params={name.replace("_", "-"): str(value) for name, value in query.items()})
    assert answer.status_code == 200, answer.text
    return np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGBA")), answer.headers


@pytest.mark.parametrize("crs", ["OGC:CRS84", "EPSG:4326", "EPSG:4490", "EPSG:4549", "EPSG:3857"])
async def test_a_house_lies_where_it_is_in_each_crs(client: httpx.AsyncClient, crs: str) -> None:
    """16 and 13: the box in CRS84, the map in any CRS; Content-Bbox in the CRS's own order of axes."""
    pixels, headers = await picture(client, BUILDINGS, bbox=written(AROUND), crs=f"[{crs}]", width=300)
    assert headers["content-crs"].endswith(crs.partition(":")[2])
    numbers = [float(part) for part in headers["content-bbox"].split(",")]
    if crs in ("EPSG:4326", "EPSG:4490", "EPSG:4549"):
        numbers = [numbers[1], numbers[0], numbers[3], numbers[2]]
    west, south, east, north = numbers
    height, width = pixels.shape[:2]
    to_map = Transformer.from_crs("OGC:CRS84" if crs == "OGC:CRS84" else 4490, crs, always_xy=True)

    def alpha(lon: float, lat: float) -> int:
        x, y = to_map.transform(lon, lat)
        return int(pixels[int((north - y) / (north - south) * height), int((x - west) / (east - west) * width), 3])

    # Two pixels of 0.4 m inside and outside of each side.
    inset = 8e-6
    middle = (HOUSE[0] + HOUSE[2]) / 2, (HOUSE[1] + HOUSE[3]) / 2
    for lon, lat in ((HOUSE[0], middle[1]), (HOUSE[2], middle[1]), (middle[0], HOUSE[1]), (middle[0], HOUSE[3])):
        x, y = (
            math.copysign(inset, middle[0] - lon) * (lon != middle[0]),
            math.copysign(inset, middle[1] - lat) * (lat != middle[1]),
        )
        assert alpha(lon + x, lat + y) > 200
        assert alpha(lon - x, lat - y) < 60


async def test_the_default_crs_is_the_city_s_own(client: httpx.AsyncClient) -> None:
    """/req/crs/crs-definition C; all of the layers where no box is given."""
    _, headers = await picture(client, BUILDINGS)
    assert headers["content-crs"] == "http://www.opengis.net/def/crs/EPSG/0/4490"
    assert [float(v) for v in headers["content-bbox"].split(",")] == pytest.approx([28.1, 120.95, 28.104, 120.96])
    assert "content-datetime" in headers


async def test_what_is_left_open_keeps_the_shape(client: httpx.AsyncClient) -> None:
    """11.6: a degree of longitude is shorter than one of latitude, and the picture shows it."""
    geod = Geod(ellps="GRS80")
    across = geod.inv(AROUND[0], 28.1012, AROUND[2], 28.1012)[2]
    up = geod.inv(120.952, AROUND[1], 120.952, AROUND[3])[2]
    by_width, _ = await picture(client, BUILDINGS, bbox=written(AROUND), width=400)
    assert by_width.shape[:2] == (pytest.approx(400 * up / across, abs=1), 400)
    by_scale, _ = await picture(client, BUILDINGS, bbox=written(AROUND), scale_denominator=1000)
    assert by_scale.shape[1] == pytest.approx(across / 0.28, abs=1)
    finer, _ = await picture(client, BUILDINGS, bbox=written(AROUND), scale_denominator=1000, mm_per_pixel=0.14)
    assert finer.shape[1] == pytest.approx(across / 0.14, abs=1)


async def test_a_centre_and_a_scale_make_a_box(client: httpx.AsyncClient) -> None:
    """13.4: width and height by the scale around the middle."""
    query = {"center": "120.9522,28.1012", "width": 500, "height": 200, "scale_denominator": 2000}
    _, headers = await picture(client, BUILDINGS, **query, crs="EPSG:4549")
    south, west, north, east = (float(v) for v in headers["content-bbox"].split(","))
    assert (east - west, north - south) == pytest.approx((500 * 0.56, 200 * 0.56), rel=1e-3)
    x, y = Transformer.from_crs(4490, 4549, always_xy=True).transform(120.9522, 28.1012)
    assert ((west + east) / 2, (south + north) / 2) == pytest.approx((x, y), abs=1e-3)


async def test_a_subset_is_a_box_by_the_names_of_axes(client: httpx.AsyncClient) -> None:
    """/req/spatial-subsetting/subset-definition."""
    box = await picture(client, BUILDINGS, bbox=written(AROUND), crs="OGC:CRS84", width=200)
    west, south, east, north = AROUND
    for text in (
        f"Lat({south!r}:{north!r}),Lon({west!r}:{east!r})",
        f"lon({west!r}:{east!r}), lat({south!r}:{north!r})",
    ):
        subset = await picture(client, BUILDINGS, subset=text, crs="OGC:CRS84", width=200)
        assert np.array_equal(subset[0], box[0])
    # I: an axis each says the same.
    apart = f"subset=Lat({south!r}:{north!r})&subset=Lon({west!r}:{east!r})&crs=OGC:CRS84&width=200"
    answer = await client.get(f"{BUILDINGS}?{apart}")
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGBA")), box[0])


@pytest.mark.parametrize("crs", ["OGC:CRS84", "EPSG:4490"])
async def test_a_subset_of_one_axis_has_the_whole_of_the_other(client: httpx.AsyncClient, crs: str) -> None:
    """/req/spatial-subsetting/subset-definition: as far as the layer where nothing, or *, is said."""

    async def shown(**query: str) -> list[float]:
        _, headers = await picture(client, BUILDINGS, **query, crs=crs, width=20)
        numbers = [float(part) for part in headers["content-bbox"].split(",")]
        return numbers if crs == "OGC:CRS84" else [numbers[1], numbers[0], numbers[3], numbers[2]]

    assert await shown(subset="Lat(28.102:28.103)") == pytest.approx([120.95, 28.102, 120.96, 28.103])
    assert await shown(subset="Lat(28.102:*),Lon(*:120.955)") == pytest.approx([120.95, 28.102, 120.955, 28.104])
    # Low above high crosses the antimeridian; as the map is one piece, its east is one turn on.
    across = pytest.approx([170, -10, 190, 10])
    assert await shown(subset="Lon(170:-170),Lat(-10:10)") == across
    assert await shown(bbox="170,-10,-170,10") == across


async def test_the_background(client: httpx.AsyncClient) -> None:
    """/req/background: transparent where no colour is given, else the colour; JPEG has the style's own."""
    place = {"bbox": written(AROUND), "width": 60}
    corner = (await picture(client, BUILDINGS, **place))[0][0, 0]
    assert corner[3] == 0
    assert tuple((await picture(client, BUILDINGS, **place, bgcolor="0xFF8000"))[0][0, 0]) == (255, 128, 0, 255)
    assert tuple((await picture(client, BUILDINGS, **place, bgcolor="DarkGreen"))[0][0, 0]) == (0, 100, 0, 255)
    assert (await picture(client, BUILDINGS, **place, bgcolor="red", transparent="true"))[0][0, 0][3] == 0
    styled = (await picture(client, BUILDINGS, **place, transparent="false"))[0][0, 0]
    for form in ("jpeg", "image/jpeg"):
        jpeg, headers = await picture(client, BUILDINGS, **place, f=form)
        assert headers["content-type"] == "image/jpeg"
        assert np.abs(styled.astype(int) - jpeg[0, 0]).max() < 4


@pytest.mark.parametrize(
    ("place", "void", "earth"),
    [
        ({"bbox": "-180,-120,180,120", "width": 40, "height": 48}, (5, 20), (6, 20)),
        # Twice around the world.
        (
            {"bbox": "-4e7,-1e7,4e7,1e7", "bbox_crs": "EPSG:3857", "crs": "EPSG:3857", "width": 80, "height": 40},
            (20, 19),
            (20, 21),
        ),
    ],
)
async def test_what_is_no_place_has_a_colour_of_its_own(
    client: httpx.AsyncClient, place: dict[str, object], void: tuple[int, int], earth: tuple[int, int]
) -> None:
    """/req/background/void-color-definition and void-transparent-definition: by default as the background."""

    async def colours(**query: object) -> list[list[int]]:
        pixels, _ = await picture(client, BUILDINGS, **place, **query)
        return [pixels[each].tolist() for each in (void, earth)]

    assert await colours(void_color="00FF00") == [[0, 255, 0, 0], [0, 0, 0, 0]]
    assert await colours(void_color="nAvY", bgcolor="red") == [[0, 0, 128, 255], [255, 0, 0, 255]]
    assert await colours(bgcolor="red") == [[255, 0, 0, 255]] * 2
    assert await colours(bgcolor="red", void_transparent="true") == [[255, 0, 0, 0], [255, 0, 0, 255]]
    assert await colours(void_transparent="false", void_color="red") == [[255, 0, 0, 255], [0, 0, 0, 0]]
    jpeg = await colours(void_color="red", void_transparent="true", bgcolor="blue", f="jpeg")
    assert (jpeg[0][0] > 150, jpeg[0][3]) == (True, 255)


async def test_moments_plans_styles_and_layers(client: httpx.AsyncClient) -> None:
    place = {"bbox": "120.95,28.1,120.96,28.104", "width": 200}
    now, _ = await picture(client, BUILDINGS, **place)
    for changed in ({"datetime": "2016-01-01"}, {"plan": 1}, {"filter": "height > 30"}):
        other, headers = await picture(client, BUILDINGS, **place, **changed)
        assert not np.array_equal(other, now)
    _, headers = await picture(client, BUILDINGS, **place, datetime="2016-01-01T00:00:00Z")
    assert headers["content-datetime"] == "2016-01-01T00:00:00Z"
    night, _ = await picture(client, "/collections/buildings/styles/night/map", **place)
    assert not np.array_equal(night, now)
    one, _ = await picture(client, "/map", **place, collections="buildings")
    assert np.array_equal(one, now)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("bbox=1,2,3", 400),
        ("bbox=120,29,121,28", 400),
        ("bbox=120,28,121,29&bbox-crs=EPSG:99999", 400),
        ("bbox=120,28,121,29&subset=Lat(1:2),Lon(3:4)", 400),
        ("subset=Altitude(28:29)", 400),
        ("subset=Lat(28:29)&subset=latitude(28:29)", 400),
        ("subset=Lat(29:28)", 400),
        ("subset=Lat(28:inf)", 400),
        ("subset=Lat(28:29)&center=121,28", 400),
        ("subset=Lat(200:300)", 404),
        ("subset=Lon(190:200)", 404),
        ("subset=h(10)", 400),
        ("bbox=120,28,121,29&width=10&scale-denominator=1000", 400),
        ("width=5000", 413),
        ("width=0", 400),
        ("width=a", 400),
        ("bgcolor=nocolour", 400),
        ("transparent=maybe", 400),
        ("void-color=nocolour", 400),
        ("void-transparent=maybe", 400),
        ("crs=EPSG:4978", 400),
        ("crs=EPSG:2154", 400),
        ("scale-denominator=0", 400),
        ("f=gif", 400),
        ("colour=red", 400),
        ("datetime=soon", 400),
        ("center=nan,nan", 400),
    ],
)
async def test_what_cannot_be_drawn_is_refused(client: httpx.AsyncClient, query: str, status: int) -> None:
    answer = await client.get(f"{BUILDINGS}?{query}")
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text


async def test_links_lead_to_maps(client: httpx.AsyncClient, tokens: town.Tokens) -> None:
    """/req/dataset-map/landingpage and /req/collection-map/desc-links."""
    relation = "http://www.opengis.net/def/rel/ogc/1.0/map"
    for path in ("/?f=json", "/collections/buildings"):
        (href,) = (each["href"] for each in (await client.get(path)).json()["links"] if each["rel"] == relation)
        assert (await client.get(href)).headers["content-type"] == "image/png"
    assert (await client.get("/collections/utility_pipes/map")).status_code == 404
    assert (await client.get("/collections/utility_pipes/map", headers=bearer(tokens.utility))).status_code == 200
