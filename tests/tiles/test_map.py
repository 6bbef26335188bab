"""Maps lie where PROJ says, show what the one predicate says, and come in the form that was asked for."""

import io
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pyproj import Transformer

from cim_models.database import Database
from layers.access import PUBLIC, Principal
from layers.catalog import LayerNotFound
from layers.crs import UnknownCrs
from layers.filters import FilterError, parse_filter
from layers.style import palette
from layers.view import View, parse_interval
from tests import town
from tests.tiles.mapping import has, map_service, picture, pixels
from tests.tiles.reading import catalog_of
from tiles.map import BadMap, MapLayer, MapRequest

DAY, NIGHT = palette("day"), palette("night")
# All of the town with a street's width around it, in degrees.
TOWN = (town.WEST - 0.0006, town.SOUTH - 0.0006, town.WEST + 0.01, town.SOUTH + 0.004)
TOWNSHIP = Principal("a township", "township")
# Where one building stands: the third of the second row.
BUILDING = (town.WEST + 0.002, town.SOUTH + 0.001, town.WEST + 0.0024, town.SOUTH + 0.0014)


def box_in(degrees: tuple[float, float, float, float], crs: str) -> tuple[float, float, float, float]:
    transformer = Transformer.from_crs("EPSG:4490", crs, always_xy=True)
    return transformer.transform_bounds(*degrees, densify_pts=21)


@pytest.mark.parametrize(
    "crs", ["EPSG:4490", "EPSG:4326", "OGC:CRS84", "EPSG:3857", "EPSG:900913", "EPSG:4549", "EPSG:4499", "EPSG:32651"]
)
async def test_a_building_lies_where_proj_says(town_database: Database, crs: str) -> None:
    """To the pixel: a box of 40 m around it on 300 pixels, its edges taken from the picture."""
    margin = 0.0003
    around = (BUILDING[0] - margin, BUILDING[1] - margin, BUILDING[2] + margin, BUILDING[3] + margin)
    known = "EPSG:3857" if crs == "EPSG:900913" else crs
    west, south, east, north = box = box_in(around, known)
    drawn = pixels(await picture(town_database, "buildings", box=box, crs=crs, size=(300, 260)))
    there = ~has(drawn, "#ffffff", 0)
    rows, columns = np.flatnonzero(there.any(axis=1)), np.flatnonzero(there.any(axis=0))
    left, bottom, right, top = box_in(BUILDING, known)
    across, down = (east - west) / 300, (north - south) / 260
    expected = (left - west) / across, (right - west) / across, (north - top) / down, (north - bottom) / down
    found = columns[0], columns[-1] + 1, rows[0], rows[-1] + 1
    # The outline of a pixel's width reaches half a pixel out.
    assert np.abs(np.array(found) - np.array(expected)).max() < 1.1


async def shown(database: Database, **asked: Any) -> set[int]:
    """The numbers of the buildings that a map shows: those in whose corner it has a building's colour."""
    drawn = pixels(await picture(database, "buildings", box=TOWN, crs="EPSG:4490", size=(1060, 460), **asked))
    built = has(drawn, DAY["residential"]) | has(drawn, DAY["commercial"]) | has(drawn, DAY["building"])
    # A degree is 100,000 pixels, and the first building begins 60 of them from the left and from the bottom. Its name
    # stands in its middle, so one looks at a corner.
    corners = {i: (460 - 64 - (i - 1) // 10 * 100, 64 + (i - 1) % 10 * 100) for i in range(1, town.BUILDINGS + 1)}
    return {i for i, corner in corners.items() if built[corner]}


ALL = set(range(1, town.BUILDINGS + 1))


async def test_a_map_shows_the_city_as_it_is(town_database: Database) -> None:
    assert await shown(town_database) == ALL - {39}


async def test_a_map_shows_the_city_as_it_was(town_database: Database) -> None:
    """b39 stood until 2015, b40 since 2020."""
    catalog = await catalog_of(town_database)
    view = View(valid=parse_interval("2017-01-01T00:00:00Z", catalog.zone))
    assert await shown(town_database, shown={"view": view}) == ALL - {39, 40}


async def test_a_map_shows_a_plan(town_database: Database) -> None:
    """Plan 1 takes b1 away and lays a slab along the first row."""
    slab = pixels(
        await picture(
            town_database,
            "buildings",
            box=(120.9506, 28.1, 120.9608, 28.1004),
            crs="EPSG:4490",
            size=(102, 40),
            shown={"view": View(plan=town.PLAN)},
        )
    )
    assert has(slab, DAY["building"])[5:35, 5:95].mean() > 0.5
    now = pixels(await picture(town_database, "buildings", box=TOWN, crs="EPSG:4490", size=(1060, 460)))
    then = pixels(
        await picture(
            town_database,
            "buildings",
            box=TOWN,
            crs="EPSG:4490",
            size=(1060, 460),
            shown={"view": View(plan=town.PLAN)},
        )
    )
    # b1 begins 60 pixels from the left and ends 60 from the bottom.
    assert has(now, DAY["commercial"])[380, 80]
    assert has(then, "#ffffff")[380, 80]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("height > 10", ALL - {39} - set(range(1, 11))),
        ("name like '海晏楼%'", set(range(4, 41, 4))),
        ("name = 'O''Brien \\ !bbox! %(x)s'", set()),
    ],
)
async def test_a_map_is_filtered(town_database: Database, wanted: str, expected: set[int]) -> None:
    assert await shown(town_database, shown={"filter": parse_filter(wanted)}) == expected


async def test_a_filter_on_what_is_not_there_is_refused(town_database: Database) -> None:
    with pytest.raises(FilterError, match="colour"):
        await shown(town_database, shown={"filter": parse_filter("colour = 'red'")})


async def test_a_principal_sees_its_own_rows(town_database: Database) -> None:
    assert await shown(town_database, principal=TOWNSHIP) == {1, 2, 3, 4, 5}


async def test_a_hidden_layer_is_not_drawn(town_database: Database) -> None:
    """Nor for one who has got hold of what the catalogue says of it."""
    catalog = await catalog_of(town_database)
    with pytest.raises(LayerNotFound):
        await picture(town_database, "utility_pipes", box=TOWN, crs="EPSG:4490")
    layer = catalog.layer("utility_pipes", Principal("one", "utility"))
    async with map_service(town_database) as service:
        with pytest.raises(LayerNotFound):
            await service.draw(MapRequest((MapLayer(layer),), TOWN, "EPSG:4490", 64, 64), catalog, PUBLIC)


@pytest.mark.parametrize(
    ("form", "kind", "mode"),
    [
        ("image/png", "PNG", "RGB"),
        ("image/png; mode=8bit", "PNG", "P"),
        ("image/jpeg", "JPEG", "RGB"),
        ("image/webp", "WEBP", "RGB"),
    ],
)
async def test_each_format_is_what_it_says(town_database: Database, form: str, kind: str, mode: str) -> None:
    drawn = await picture(
        town_database, "buildings", box=TOWN, crs="EPSG:4490", size=(530, 230), format=form, background="#102030"
    )
    image = Image.open(io.BytesIO(drawn))
    assert (image.format, image.size, image.mode) == (kind, (530, 230), mode)
    assert has(pixels(drawn), "#102030", 8)[0, 0]


@pytest.mark.parametrize("form", ["image/png", "image/png; mode=8bit", "image/webp"])
async def test_a_transparent_map_is_clear_where_nothing_is(town_database: Database, form: str) -> None:
    drawn = pixels(
        await picture(
            town_database, "buildings", box=TOWN, crs="EPSG:4490", size=(530, 230), format=form, transparent=True
        )
    )
    assert drawn[0, 0, 3] == 0
    assert (drawn[..., 3] == 255).mean() > 0.05


async def test_symbols_grow_and_the_picture_does_not(town_database: Database) -> None:
    """As for paper of twice the dots: a circle of twice the width, at the zoom of half the pixels."""
    point, half = (120.9552, 28.1032), 0.0004
    box = (point[0] - half, point[1] - half, point[0] + half, point[1] + half)
    widths = []
    for factor, side in ((1.0, 200), (2.0, 400)):
        drawn = pixels(
            await picture(town_database, "facilities", box=box, crs="EPSG:4490", size=(side, side), scale_factor=factor)
        )
        widths.append(np.flatnonzero(has(drawn, DAY["facility_health"], 30)[side // 2]).size)
    assert widths[0] > 6
    assert abs(widths[1] - 2 * widths[0]) <= 2


async def test_night_is_drawn_in_its_colours(town_database: Database) -> None:
    size = (1060, 460)
    drawn = await picture(town_database, "buildings", box=TOWN, crs="EPSG:4490", size=size, shown={"style": "night"})
    assert has(pixels(drawn), NIGHT["residential"]).any()
    assert not has(pixels(drawn), DAY["residential"]).any()


async def test_layers_lie_as_the_style_says_or_as_they_are_listed(town_database: Database) -> None:
    """A school's point stands on its building, in whatever order they are named, unless each covers the one before."""
    half = 0.0002
    box = (120.9512 - half, 28.1012 - half, 120.9512 + half, 28.1012 + half)
    shown = {}
    for stacked in (False, True):
        drawn = await picture(town_database, "facilities", "buildings", box=box, crs="EPSG:4490", stacked=stacked)
        shown[stacked] = has(pixels(drawn), DAY["facility_school"])[128, 128]
    assert shown == {False: True, True: False}


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": (4097, 10)},
        {"size": (10, 0)},
        {"box": (1.0, 2.0, 1.0, 3.0)},
        {"box": (1.0, 2.0, float("nan"), 3.0)},
        {"scale_factor": 1e9},
        {"scale_factor": float("nan")},
        {"format": "image/gif"},
        {"background": "red"},
        {"shown": {"style": "dusk"}},
    ],
)
async def test_what_cannot_be_drawn_is_refused(town_database: Database, wrong: dict[str, Any]) -> None:
    with pytest.raises(BadMap):
        await picture(town_database, "buildings", **{"box": TOWN, "crs": "EPSG:4490"} | wrong)


async def test_what_a_filter_cannot_compute_is_the_filters_fault(town_database: Database) -> None:
    wanted = parse_filter("height * 1e300 * 1e300 > 1")
    with pytest.raises(FilterError, match="out of range"):
        await picture(town_database, "buildings", box=TOWN, crs="EPSG:4490", shown={"filter": wanted})


async def test_an_unknown_crs_is_refused(town_database: Database) -> None:
    with pytest.raises(UnknownCrs):
        await picture(town_database, "buildings", box=TOWN, crs="EPSG:999999")


@pytest.mark.parametrize(
    ("crs", "box"),
    [
        ("EPSG:3857", (-3e7, -3e7, 3e7, 3e7)),
        ("EPSG:4326", (-400.0, -200.0, 400.0, 200.0)),
        ("EPSG:4549", (-1e9, -1e9, 1e9, 1e9)),
        ("EPSG:32661", (0.0, 0.0, 4e6, 4e6)),
        ("EPSG:4549", (596000.0, 3112000.0, 596000.0001, 3112000.0001)),
        ("EPSG:3857", (1e307, 1e307, 1.1e307, 1.1e307)),
    ],
)
async def test_any_box_is_a_map(town_database: Database, crs: str, box: tuple[float, float, float, float]) -> None:
    """The whole world, more than it, the pole, a tenth of a millimetre: pictures, whatever is on them."""
    drawn = await picture(town_database, "buildings", "facilities", box=box, crs=crs, size=(64, 64))
    assert pixels(drawn).shape == (64, 64, 4)


async def test_names_do_not_end_at_the_edge_of_a_picture(town_database: Database) -> None:
    """Two halves put together are the whole: a name across the seam stands in both."""
    half = 0.0012
    # Through the middle of the hospital's name.
    seam, low = 120.9552, 28.1022
    whole_box = (seam - half, low, seam + half, low + half)
    boxes = ((seam - half, low, seam, low + half), (seam, low, seam + half, low + half))
    layers = ("buildings", "facilities")
    whole = pixels(await picture(town_database, *layers, box=whole_box, crs="EPSG:4490", size=(512, 256)))
    halves = [pixels(await picture(town_database, *layers, box=box, crs="EPSG:4490")) for box in boxes]
    # Letters may stand a fraction of a pixel aside.
    assert np.abs(np.concatenate(halves, axis=1) - whole).max() < 12
    # There is something to be cut: letters stand on both sides of the seam.
    dark = has(whole, DAY["facility_health"], 60)
    assert dark[:, 246:256].any()
    assert dark[:, 256:266].any()


def test_other_libraries_keep_their_files() -> None:
    """Mapnik's package names its own PROJ files to the whole process; rasterio and pyproj must find theirs."""
    environ = {name: value for name, value in os.environ.items() if name not in ("PROJ_LIB", "PROJ_DATA", "GDAL_DATA")}
    code = (
        "import os; before = dict(os.environ); import tiles.map.engine;"
        " assert {k: os.environ.get(k) for k in ('PROJ_LIB', 'PROJ_DATA', 'GDAL_DATA')} =="
        " {k: before.get(k) for k in ('PROJ_LIB', 'PROJ_DATA', 'GDAL_DATA')};"
        " import rasterio.crs; assert rasterio.crs.CRS.from_epsg(4549).is_projected"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=environ)
