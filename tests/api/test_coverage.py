"""Raster layers over HTTP: what was written into the cells comes back from every service, at the right moment."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import numpy.typing as npt
import pytest
import rasterio
from pyproj import Transformer
from rasterio.io import MemoryFile

from api.app import create_app
from cim_models.database import Database
from layers.catalog import Title
from layers.ramps import ramp_named
from layers.results import RasterResult, Run, publish_raster
from tests import rasters, town
from tests.api.conftest import Places, bearer, client_of
from tiles.matrix import WEB, grids_of, tile_at
from twin.directory import CityPlace
from twin.settings import Settings

START = datetime(2026, 8, 10, 0, 0, tzinfo=UTC)
HOURS = 3
DEPTH, WORST, HIDDEN = (f"run_00000000aaaa_{role}" for role in ("depth", "worst", "hidden"))
LAST = "2026-08-10T02:00:00Z"
# The middle of the raster.
X, Y = rasters.WEST + 1000, rasters.NORTH - 600
LON, LAT = Transformer.from_crs(4549, 4326, always_xy=True).transform(X, Y)


def water(x: Any, y: Any, hour: float = 0) -> Any:
    """Depth in metres: evenly deeper to the east and north, and by half a metre an hour."""
    return 0.2 + (x - rasters.WEST) * 5e-4 + (y - rasters.NORTH + 1200) * 2e-4 + hour / 2


@pytest.fixture(scope="module")
async def city(
    new_city: Callable[..., str], settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[httpx.AsyncClient, town.Tokens]]:
    url, folder = new_city(), tmp_path_factory.mktemp("files")
    town.fill(url)
    files = [
        rasters.write(folder / f"depth-{hour}.tif", lambda x, y, hour=hour: water(x, y, hour)) for hour in range(HOURS)
    ]
    # A dry west half: nought where it is dry, and no data in the north-west quarter.
    half = rasters.write(
        folder / "half.tif",
        lambda x, y: np.where(x < X, np.where(y > Y, np.nan, 0.0), 0.7),
    )
    run = Run("00000000-aaaa", Title("台风", "Typhoon"), "test")
    title = Title("水深", "Depth")
    frames = [(START + hour * timedelta(hours=1), file) for hour, file in enumerate(files)]
    database = await Database.open(url)
    async with database.writing() as connection:
        await publish_raster(connection, database.city, folder, run, RasterResult("depth", title, "m", "depth", frames))
        worst = RasterResult("worst", title, "m", "maximum_depth", [(None, half)])
        await publish_raster(connection, database.city, folder, run, worst)
        hidden = RasterResult("hidden", title, "m", "depth", [(None, half)])
        mine = Run(run.id, run.title, run.who, readers=("utility",))
        await publish_raster(connection, database.city, folder, mine, hidden)
    tokens = await town.make_tokens(database)
    await database.close()
    async with client_of(create_app(settings, Places(CityPlace("town", url, folder)))) as opened:
        yield opened, tokens


@pytest.fixture
def client(city: tuple[httpx.AsyncClient, town.Tokens]) -> httpx.AsyncClient:
    return city[0]


async def test_a_result_is_there_as_soon_as_it_is_published(
    new_city: Callable[..., str], settings: Settings, tmp_path: Path
) -> None:
    """Whoever is told of a layer by a run that has just ended asks a server that read its catalogue before."""
    url = new_city()
    town.fill(url)
    file = rasters.write(tmp_path / "depth.tif", water)
    wanted = RasterResult("depth", Title("水深", "Depth"), "m", "depth", [(START, file)])
    async with client_of(create_app(settings, Places(CityPlace("town", url, tmp_path)))) as asking:
        cells, tile = "coverage/position?coords=POINT(120.9 28.1)", "tiles/WebMercatorQuad/0/0/0"
        for number, address in enumerate((cells, f"coverage/{tile}", f"map/{tile}")):
            run = Run(f"00000000-{number:04}", Title("台风", "Typhoon"), "test")
            path = f"/collections/run_00000000{number:04}_depth/{address}"
            assert (await asking.get(path)).status_code == 404
            database = await Database.open(url)
            async with database.writing() as connection:
                await publish_raster(connection, database.city, tmp_path, run, wanted)
            await database.close()
            answer = await asking.get(path)
            assert answer.status_code != 404, answer.text


def pixels(answer: httpx.Response) -> npt.NDArray[np.int64]:
    """Bands, rows and columns of a picture."""
    assert answer.status_code == 200, answer.text
    with MemoryFile(answer.content) as memory, memory.open() as image:
        return np.asarray(image.read().astype(np.int64))


def decoded(answer: httpx.Response) -> npt.NDArray[np.float64]:
    """The values of a value tile by its stated formula, NaN where there are none."""
    red, green, blue, alpha = pixels(answer)
    assert set(np.unique(alpha)) <= {0, 255}
    return np.where(alpha > 0, -10_000 + 0.001 * (65_536 * red + 256 * green + blue), np.nan)


@pytest.mark.parametrize("grid_id", ["WebMercatorQuad", "WorldCRS84Quad", "CGCS2000Quad", "EPSG4549Quad"])
@pytest.mark.parametrize("pixel", [1.0, 8.0, 40.0])
async def test_value_tiles_carry_the_values(client: httpx.AsyncClient, grid_id: str, pixel: float) -> None:
    """Within a millimetre of what was written, plus what an eighth of a cell changes, at every zoom and in each CRS."""
    grid = grids_of(town_city())[grid_id]
    zoom = round(np.log2(grid.cell_size(0) * grid.crs.metres_per_unit / pixel))
    to_grid = Transformer.from_crs("EPSG:4549", grid.crs.proj, always_xy=True)
    x, y = to_grid.transform(X, Y)
    side = grid.tile_side(zoom)
    tile = tile_at(zoom, int((x - grid.left) // side), int((grid.top - y) // side), grid)
    address = f"/collections/{DEPTH}/coverage/tiles/{grid_id}/{tile.z}/{tile.y}/{tile.x}"
    found = decoded(await client.get(address, params={"datetime": "2026-08-10T01:00:00Z"}))
    west, south, east, north = tile.box()
    places = (np.arange(256) + 0.5) / 256
    across, down = np.meshgrid(west + places * (east - west), north - places * (north - south))
    metres_x, metres_y = to_grid.transform(across, down, direction="INVERSE")
    margin = max(2 * pixel, rasters.CELL)
    inside = (
        (metres_x > rasters.WEST + margin)
        & (metres_x < rasters.WEST + rasters.COLUMNS * rasters.CELL - margin)
        & (metres_y < rasters.NORTH - margin)
        & (metres_y > rasters.NORTH - rasters.ROWS * rasters.CELL + margin)
    )
    assert inside.sum() > 500
    expected = water(metres_x, metres_y, 1)
    assert np.abs(found - expected)[inside].max() < 0.001 + 5.4e-4 * max(pixel, rasters.CELL) / 8
    outside = (metres_x < rasters.WEST - margin) | (metres_y > rasters.NORTH + margin)
    assert np.isnan(found[outside]).all()


def town_city() -> Any:
    """The grids of the test city follow from its metric CRS alone."""
    return type("City", (), {"metric_srid": 4549})()


async def test_no_data_is_clear_and_dry_is_nought(client: httpx.AsyncClient) -> None:
    address = f"/collections/{WORST}/coverage/position"
    places = {(X - 300, Y + 100): None, (X - 300, Y - 100): 0.0, (X + 300, Y): pytest.approx(0.7, abs=1e-4)}
    for (x, y), expected in places.items():
        lon, lat = Transformer.from_crs(4549, 4326, always_xy=True).transform(x, y)
        found = (await client.get(address, params={"coords": f"POINT({lon} {lat})"})).json()
        assert found["values"] == [expected]
        assert found["times"] == [None]
        assert (found["unit"], found["variable"]) == ("m", "worst")


@pytest.mark.parametrize(
    ("moment", "hour"),
    [
        ("2026-08-10T00:00:00Z", 0),
        ("2026-08-10T00:59:59Z", 0),
        ("2026-08-10T09:00:00+08:00", 1),
        ("2020-01-01", 0),
        (LAST, 2),
        ("2031-01-01", 2),
        ("../2026-08-10T01:10:00Z", 1),
        ("2026-08-10T00:10:00Z/..", 2),
        (None, 0),
    ],
)
async def test_each_moment_shows_its_frame(client: httpx.AsyncClient, moment: str | None, hour: int) -> None:
    """The last one until then, before all the first; without a moment that of now, before or after the run."""
    if moment is None and datetime.now(UTC) > START:
        hour = min(HOURS - 1, int((datetime.now(UTC) - START) / timedelta(hours=1)))
    coords = f"LINESTRING({LON} {LAT}, {LON + 1e-5} {LAT})"
    params = {"coords": coords} | ({"datetime": moment} if moment else {})
    found = (await client.get(f"/collections/{DEPTH}/coverage/trajectory", params=params)).json()
    assert found["time"] == f"2026-08-10T0{hour}:00:00Z"
    assert found["values"][0] == pytest.approx(water(X, Y, hour), abs=1e-3)


async def test_a_series_and_a_profile(client: httpx.AsyncClient) -> None:
    """At a point all moments; along a line about one value a cell, and metres as the city's CRS has them."""
    found = (
        await client.get(f"/collections/{DEPTH}/coverage/position", params={"coords": f"POINT({LON} {LAT})"})
    ).json()
    assert found["times"] == [f"2026-08-10T0{hour}:00:00Z" for hour in range(HOURS)]
    assert found["values"] == pytest.approx([water(X, Y, hour) for hour in range(HOURS)], abs=1e-3)
    to_degrees = Transformer.from_crs(4549, 4326, always_xy=True)
    ends = [to_degrees.transform(X + east, Y) for east in (-400, 0, 400)]
    line = f"LINESTRING({', '.join(f'{lon} {lat}' for lon, lat in ends)})"
    params = {"coords": line, "datetime": LAST}
    found = (await client.get(f"/collections/{DEPTH}/coverage/trajectory", params=params)).json()
    away = np.array(found["distances"])
    assert away[-1] == pytest.approx(800, rel=2e-4)
    assert len(away) == pytest.approx(161, abs=2)
    assert found["values"] == pytest.approx(water(X - 400 + away, Y, 2).tolist(), abs=1e-3)
    assert found["coordinates"][0] == pytest.approx(ends[0], abs=1e-6)


async def test_the_file_itself(client: httpx.AsyncClient) -> None:
    """The Cloud-Optimized GeoTIFF of a moment, whole or a part of its bytes."""
    address = f"/collections/{DEPTH}/coverage?f=geotiff&datetime={LAST}"
    answer = await client.get(address)
    assert answer.headers["content-type"].startswith("image/tiff")
    assert f'filename="{DEPTH}-20260810T020000Z.tif"' in answer.headers["content-disposition"]
    with MemoryFile(answer.content) as memory, memory.open() as file:
        value = next(file.sample([(X + 2, Y - 2)]))[0]
        assert (file.crs.to_epsg(), file.overviews(1)[0]) == (4549, 2)
    assert value == pytest.approx(water(X + 2.5, Y - 2.5, 2), abs=1e-4)
    part = await client.get(address, headers={"Range": "bytes=0-99", "Accept-Encoding": "identity"})
    assert (part.status_code, len(part.content)) == (206, 100)


async def test_the_tilejson_tells_all(client: httpx.AsyncClient) -> None:
    found = (await client.get(f"/collections/{DEPTH}/coverage/tilejson.json")).json()
    told = found["twin"]
    assert told["times"] == [f"2026-08-10T0{hour}:00:00Z" for hour in range(HOURS)]
    assert (told["unit"], told["variable"], told["resolution"]) == ("m", "depth", 5.0)
    assert told["ramp"][0] == [0.0, "#cdeaff", 0.0]
    assert told["labels"][-1] == {"zh": "4 m", "en": "4 m"}
    assert (told["encoding"]["base"], told["encoding"]["step"]) == (-10_000, 0.001)
    # Pixels at the last zoom are as fine as the cells, and a zoom before they are not.
    size = WEB.cell_size(found["maxzoom"]) * np.cos(np.radians(LAT))
    assert size <= 5 < 2 * size
    tile = found["tiles"][0].replace("{z}/{y}/{x}", web_tile(15))
    assert (await client.get(tile)).status_code == 200


def web_tile(zoom: int) -> str:
    x, y = Transformer.from_crs(4549, 3857, always_xy=True).transform(X, Y)
    side = WEB.tile_side(zoom)
    return f"{zoom}/{int((WEB.top - y) // side)}/{int((x - WEB.left) // side)}"


async def test_what_stays_is_kept_and_costs_no_bytes(client: httpx.AsyncClient) -> None:
    address = f"/collections/{DEPTH}/coverage/tiles/WebMercatorQuad/{web_tile(15)}"
    named = await client.get(address, params={"datetime": LAST})
    assert "immutable" in named.headers["cache-control"]
    again = await client.get(address, params={"datetime": LAST}, headers={"If-None-Match": named.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert "immutable" not in (await client.get(address)).headers["cache-control"]
    other = await client.get(address, params={"datetime": "2026-08-10T01:00:00Z"})
    assert other.headers["etag"] != named.headers["etag"]


def wms(**changed: str) -> dict[str, str]:
    """A GetMap of 200 x 120 pixels of 10 m, the whole raster in its own CRS."""
    box = (rasters.WEST, rasters.NORTH - 1200, rasters.WEST + 2000, rasters.NORTH)
    # EPSG:4549 counts to the north first.
    west, south, east, north = box
    return {
        "service": "WMS",
        "version": "1.3.0",
        "request": "GetMap",
        "layers": DEPTH,
        "styles": "",
        "crs": "EPSG:4549",
        "bbox": f"{south},{west},{north},{east}",
        "width": "200",
        "height": "120",
        "format": "image/png",
        "transparent": "TRUE",
    } | changed


@pytest.mark.parametrize("style", ["day", "night"])
@pytest.mark.parametrize("hour", range(HOURS))
async def test_a_map_has_the_ramps_colours(client: httpx.AsyncClient, style: str, hour: int) -> None:
    """Each channel within the rounding of colours that are laid over nothing."""
    found = pixels(await client.get("/wms", params=wms(time=f"2026-08-10T0{hour}:00:00Z", styles=style)))
    for column, row in ((20, 20), (100, 60), (180, 100)):
        depth = water(rasters.WEST + (column + 0.5) * 10, rasters.NORTH - (row + 0.5) * 10, hour)
        expected = between(depth, style)
        assert found[:, row, column] == pytest.approx(expected, abs=3), (depth, column, row)


def between(depth: float, style: str) -> list[float]:
    """The colour of a depth by the ramp's stops, worked out by hand."""
    ramp = ramp_named("depth")
    stops = ramp.stops if style == "day" else ramp.at_night
    index = max(i for i, stop in enumerate(stops) if stop.value <= depth)
    low, high = stops[index], stops[min(index + 1, len(stops) - 1)]
    share = 0.0 if low is high else (depth - low.value) / (high.value - low.value)
    pairs = [(int(low.color[i : i + 2], 16), int(high.color[i : i + 2], 16)) for i in (1, 3, 5)] + [
        (low.opacity * 255, high.opacity * 255)
    ]
    return [a + (b - a) * share for a, b in pairs]


async def test_classes_have_sharp_edges_and_dry_ground_is_clear(client: httpx.AsyncClient) -> None:
    found = pixels(await client.get("/wms", params=wms(layers=WORST)))
    assert (found[3, 20, :98] == 0).all()
    assert (found[3, 100, :98] == 0).all()
    red, green, blue, alpha = found[:, 60, 150]
    assert (red, green, blue, alpha) == pytest.approx((0x31, 0x88, 0xD0, 0.77 * 255), abs=2)


async def test_maps_and_tiles_show_the_same(client: httpx.AsyncClient) -> None:
    """OGC API Maps, map tiles and WMTS, all at the moment that is asked for."""
    for moment, hour in (("2026-08-10T00:00:00Z", 0), (LAST, 2)):
        zoom, row, column = web_tile(16).split("/")
        tile = tile_at(int(zoom), int(column), int(row))
        x, y = Transformer.from_crs(4549, 3857, always_xy=True).transform(X, Y)
        west, south, east, north = tile.box()
        at = int((north - y) / (north - south) * 256), int((x - west) / (east - west) * 256)
        expected = pytest.approx(between(water(X, Y, hour), "day"), abs=3)
        address = f"WebMercatorQuad/{zoom}/{row}/{column}"
        params = {"datetime": moment, "f": "png"}
        ogc = pixels(await client.get(f"/collections/{DEPTH}/map/tiles/{address}", params=params))
        assert ogc[:, at[0], at[1]] == expected
        wmts = await client.get(f"/wmts/1.0.0/{DEPTH}/day/{address}.png", params={"time": moment})
        assert pixels(wmts)[:, at[0], at[1]] == expected
        drawn = await client.get(f"/collections/{DEPTH}/map", params=params | {"width": "300", "transparent": "true"})
        assert pixels(drawn)[3].max() > 150


async def test_wms_tells_the_times_and_the_value(client: httpx.AsyncClient) -> None:
    document = (await client.get("/wms?service=WMS&request=GetCapabilities")).text
    times = ",".join(f"2026-08-10T0{hour}:00:00Z" for hour in range(HOURS))
    assert f">{times}</Dimension>" in document
    assert f"<Value>{LAST}</Value>" in (await client.get("/wmts/1.0.0/WMTSCapabilities.xml")).text
    nearest = await client.get("/wms", params=wms(time="2026-08-10T01:30:00Z"))
    assert nearest.headers["warning"] == "99 Nearest value used: time=2026-08-10T01:00:00Z ISO8601"
    assert "warning" not in (await client.get("/wms", params=wms(time=LAST))).headers
    asked = wms(request="GetFeatureInfo", query_layers=DEPTH, i="100", j="60", time=LAST)
    told = (await client.get("/wms", params=asked | {"info_format": "application/json"})).json()
    properties = told["features"][0]["properties"]
    depth = water(rasters.WEST + 1005, rasters.NORTH - 605, 2)
    assert properties == {"depth": pytest.approx(depth, abs=1e-3), "unit": "m", "time": LAST}
    for kind in ("text/plain", "text/html", "application/vnd.ogc.gml"):
        assert f"{depth:.2f}" in (await client.get("/wms", params=asked | {"info_format": kind})).text


@pytest.mark.parametrize("kind", ["image/png", "image/svg+xml", "application/json"])
async def test_legends(client: httpx.AsyncClient, kind: str) -> None:
    params = {"service": "WMS", "version": "1.3.0", "request": "GetLegendGraphic", "sld_version": "1.1.0"}
    for layer in (DEPTH, "terrain"):
        answer = await client.get("/wms", params=params | {"layer": layer, "format": kind})
        assert answer.status_code == 200
        if kind == "application/json":
            titles = [rule["abstract"] for rule in answer.json()["Legend"][0]["rules"]]
            assert ("0.5 m" in titles) == (layer == DEPTH)
            assert len(titles) == (7 if layer == DEPTH else 2)


async def test_the_collection_and_its_style(client: httpx.AsyncClient) -> None:
    found = (await client.get(f"/collections/{DEPTH}")).json()
    assert found["extent"]["temporal"]["interval"] == [["2026-08-10T00:00:00Z", LAST]]
    assert found["twin"]["geometry"] == "raster"
    assert (found["twin"]["theme"]["id"], found["twin"]["run"]) == ("results", "00000000-aaaa")
    assert found["twin"]["legend"][0]["label"] == {"zh": "0.05 m", "en": "0.05 m"}
    assert f"/collections/{DEPTH}/coverage?f=geotiff" in str(found["links"])
    style = (await client.get(f"/collections/{DEPTH}/styles/day")).json()
    assert [(part["type"], part["source"]) for part in style["layers"]] == [("raster", DEPTH)]
    address = style["sources"][DEPTH]["tiles"][0].replace("{z}/{y}/{x}", web_tile(15))
    assert pixels(await client.get(address))[3].max() > 100
    # The whole map, and tiles of many layers, are not slowed down by results that nobody looks at.
    whole = (await client.get("/styles/day")).json()
    assert DEPTH not in str(whole["sources"])
    assert DEPTH not in (await client.get("/tiles/WebMercatorQuad/tilejson.json")).text
    items = (await client.get(f"/collections/{DEPTH}/items")).json()
    assert all("path" not in feature["properties"] for feature in items["features"])


async def test_who_may_not_see_it_finds_nothing(city: tuple[httpx.AsyncClient, town.Tokens]) -> None:
    client, tokens = city
    tile = f"tiles/WebMercatorQuad/{web_tile(15)}"
    line = f"?coords=LINESTRING({LON} {LAT}, {LON + 1e-4} {LAT})"
    for part in ("", "/tilejson.json", f"/{tile}", f"/position?coords=POINT({LON} {LAT})", f"/trajectory{line}"):
        assert (await client.get(f"/collections/{HIDDEN}/coverage{part}")).status_code == 404
        shown = await client.get(f"/collections/{HIDDEN}/coverage{part}", headers=bearer(tokens.utility))
        assert shown.status_code == 200
    assert HIDDEN not in (await client.get("/wms?service=WMS&request=GetCapabilities")).text
    assert "LayerNotDefined" in (await client.get("/wms", params=wms(layers=HIDDEN))).text


HOSTILE = [
    "coverage/tiles/WebMercatorQuad/99/0/0",
    "coverage/tiles/NoGrid/1/0/0",
    "coverage/tiles/WebMercatorQuad/1/9/0",
    "coverage/tiles/WebMercatorQuad/15/0/0",
    "coverage/tiles/WebMercatorQuad/1/99999999999999999999999999/0",
    "coverage/tiles/WebMercatorQuad/10/0/0?datetime=yesterday",
    "coverage?f=png",
    "coverage?datetime=2026-99-99",
    "coverage/tilejson.json?colour=red",
    "coverage/position",
    "coverage/position?coords=POINT(1)",
    "coverage/position?coords=POINT EMPTY",
    "coverage/position?coords=CIRCULARSTRING(0 0,1 1,2 0)",
    "coverage/position?coords=POINT(nan 2)",
    "coverage/position?coords=POINT(1e400 2)",
    "coverage/position?coords=POINT(500 2)",
    "coverage/position?coords=POLYGON((0 0,1 0,1 1,0 0))",
    "coverage/position?coords=" + "POINT(1 2)" * 4000,
    "coverage/trajectory?coords=POINT(1 2)",
    "coverage/trajectory?coords=LINESTRING(1 2)",
    "coverage/trajectory?coords=LINESTRING(" + ",".join(["1 2"] * 1500) + ")",
    "coverage/trajectory?coords=' or 1=1 --",
]


@pytest.mark.parametrize("address", HOSTILE)
async def test_hostile_questions_are_refused_in_words(client: httpx.AsyncClient, address: str) -> None:
    answer = await client.get(f"/collections/{DEPTH}/{address}")
    assert answer.status_code in (400, 404, 414), answer.text
    assert answer.headers["content-type"] == "application/problem+json"


async def test_places_beyond_the_cells_have_no_value(client: httpx.AsyncClient) -> None:
    for coords in ("POINT(0 0)", "POINT(180 90)", "POINT(-75 40)"):
        found = await client.get(f"/collections/{DEPTH}/coverage/position", params={"coords": coords})
        assert found.json()["values"] == [None] * HOURS
    line = {"coords": "LINESTRING(-180 -90, 180 90)"}
    found = await client.get(f"/collections/{DEPTH}/coverage/trajectory", params=line)
    assert len(found.json()["values"]) == 1_000
    assert (await client.get("/collections/buildings/coverage")).status_code == 404


async def test_a_file_that_is_gone_is_said_to_be(
    new_city: Callable[..., str], settings: Settings, tmp_path: Path
) -> None:
    url = new_city()
    file = rasters.write(tmp_path / "depth.tif", water)
    database = await Database.open(url)
    async with database.writing() as connection:
        result = RasterResult("depth", Title("水深", "Depth"), "m", "depth", [(None, file)])
        run = Run("00000000-aaaa", result.title, "test")
        await publish_raster(connection, database.city, tmp_path, run, result)
    await database.close()
    async with client_of(create_app(settings, Places(CityPlace("town", url, tmp_path)))) as client:
        address = f"/collections/{DEPTH}/coverage"
        assert (await client.get(address)).status_code == 200
        file.unlink()
        for part in ("", f"/tiles/WebMercatorQuad/{web_tile(15)}", f"/position?coords=POINT({LON} {LAT})"):
            answer = await client.get(address + part)
            assert (answer.status_code, "gone" in answer.text) == (404, True)


def test_the_cells_are_where_gdal_has_them(tmp_path: Path) -> None:
    """The rasters of these tests say what their function says."""
    with rasterio.open(rasters.write(tmp_path / "a.tif", water)) as file:
        assert next(file.sample([(X + 2, Y - 2)]))[0] == pytest.approx(water(X + 2.5, Y - 2.5), abs=1e-4)
