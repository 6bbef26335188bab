"""The viewer and the map show one city, in the colours of its legend: each theme the same on the same ground.

MapLibre, as the viewer bundles it, draws a layer of the server's style; the map of the same box comes by WMS. Names
are left out of both: their letters are set by the browser there and by Mapnik here.
"""

import base64
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from playwright.sync_api import Page, Route
from shapely.geometry import shape

from tests.tiles.mapping import Pixels, has, pixels

MAPLIBRE = Path(__file__).parents[2] / "viewer/node_modules/maplibre-gl/dist"
# As wide and high as the page's map.
SIDE = 512
HALF_WORLD = 20037508.342789244
PAGE = """
<!doctype html><style>body{margin:0} #map{width:512px;height:512px}</style><div id="map"></div><script type="module">
import {Map, setWorkerUrl} from './maplibre-gl.mjs';
setWorkerUrl(new URL('./maplibre-gl-worker.mjs', location).href);
window.draw = (style, center, zoom) => new Promise((done, fail) => {
  const map = new Map({container: 'map', style, center, zoom, fadeDuration: 0, attributionControl: false,
                       pixelRatio: 1, canvasContextAttributes: {preserveDrawingBuffer: true}});
  map.on('error', (event) => fail(event.error));
  map.once('idle', () => done(map.getCanvas().toDataURL('image/png')));
});
window.ready = true;
</script>
"""
# Each theme where the made-up city has much of it, at a scale at which it is looked at.
LAYERS = {
    "day": [
        ("land", 15),
        ("land", 12),
        ("water", 14),
        ("roads", 15),
        ("buildings", 16),
        ("vegetation", 14),
        ("railways", 14),
        ("facilities", 15),
        ("sensors", 14),
        ("constructions", 14),
        ("administrative_areas", 12),
        ("utility_pipes", 15),
    ],
    "night": [("land", 15), ("water", 14), ("roads", 15), ("buildings", 16), ("sensors", 14)],
}
# What is drawn over white at full strength has its legend's very colours.
OPAQUE = ("roads", "buildings", "facilities", "sensors", "utility_pipes")
# Edges are smoothed otherwise by a graphics card, and names stand on the map alone.
APART = 0.05


@pytest.fixture
def maplibre(new_page: Callable[..., Page], server: str) -> Page:
    """A page of the server's own origin with nothing in it but MapLibre."""
    page = new_page(width=SIDE, height=SIDE)

    def file(route: Route) -> None:
        name = route.request.url.rpartition("/")[2]
        if name == "map.html":
            route.fulfill(body=PAGE, content_type="text/html")
        else:
            route.fulfill(body=(MAPLIBRE / name).read_bytes(), content_type="text/javascript")

    page.route("**/compare/*", file)
    page.goto(f"{server}/compare/map.html")
    page.wait_for_function("window.ready")
    return page


def drawn_by_maplibre(page: Page, style: dict[str, Any], center: tuple[float, float], zoom: float) -> Pixels:
    url = page.evaluate("([style, center, zoom]) => window.draw(style, center, zoom)", [style, center, zoom])
    return pixels(base64.b64decode(url.partition(",")[2]))


def drawn_by_wms(api: httpx.Client, layer: str, mode: str, center: tuple[float, float], zoom: float) -> Pixels:
    x = center[0] / 180 * HALF_WORLD
    y = math.asinh(math.tan(math.radians(center[1]))) / math.pi * HALF_WORLD
    half = HALF_WORLD / 2**zoom * SIDE / 512
    box = ",".join(repr(value) for value in (x - half, y - half, x + half, y + half))
    asked = {"SERVICE": "WMS", "VERSION": "1.3.0", "REQUEST": "GetMap", "LAYERS": layer, "STYLES": mode, "BBOX": box}
    size = {"CRS": "EPSG:3857", "WIDTH": SIDE, "HEIGHT": SIDE, "FORMAT": "image/png", "BGCOLOR": "0xFFFFFF"}
    answer = api.get("/wms", params={**asked, **size})
    assert answer.headers["content-type"] == "image/png", answer.text
    return pixels(answer.content)


def place_of(api: httpx.Client, layer: str) -> tuple[float, float]:
    """Somewhere with objects of the layer: at the one in the middle of a page of them."""
    found = api.get(f"/collections/{layer}/items", params={"limit": 200, "f": "json"}).json()["features"]
    points = [shape(feature["geometry"]).representative_point() for feature in found]
    places = np.array([(point.x, point.y) for point in points])
    nearest = np.abs(places - np.median(places, axis=0)).sum(axis=1).argmin()
    return float(places[nearest][0]), float(places[nearest][1])


def of_layer(style: dict[str, Any], layer: str) -> dict[str, Any]:
    """The style with nothing but a layer's shapes, seen."""
    parts = [
        part
        for part in style["layers"]
        if part.get("metadata", {}).get("twin:layer") == layer and part["type"] not in ("symbol", "fill-extrusion")
    ]
    for part in parts:
        part["layout"] = {name: value for name, value in part["layout"].items() if name != "visibility"}
    white = {"id": "background", "type": "background", "paint": {"background-color": "#ffffff"}}
    return {"version": 8, "sources": {"city": style["sources"]["city"]}, "layers": [white, *parts]}


@pytest.mark.parametrize("mode", ["day", "night"])
def test_viewer_map_and_legend_agree(maplibre: Page, api: httpx.Client, mode: str) -> None:
    style = api.get(f"/styles/{mode}").json()
    collections = {each["id"]: each["twin"] for each in api.get("/collections").json()["collections"]}
    for layer, zoom in LAYERS[mode]:
        center = place_of(api, layer)
        viewer = drawn_by_maplibre(maplibre, of_layer(style, layer), center, zoom)
        here = drawn_by_wms(api, layer, mode, center, zoom)
        apart = np.abs(viewer[..., :3] - here[..., :3]).max(axis=-1) > 40
        assert apart.mean() < APART, (layer, zoom)
        assert (viewer[..., :3] < 255).any(), (layer, zoom)
        for entry in collections[layer]["legend"] if layer in OPAQUE else ():
            color = entry["color"] if mode == "day" else entry["night"]["color"]
            there, found = int(has(viewer, color, 6).sum()), int(has(here, color, 6).sum())
            assert max(there, found) < 500 or 0.6 < found / max(1, there) < 1.6, (layer, zoom, color, there, found)
