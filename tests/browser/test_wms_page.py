"""Web pages with other people's maps, Leaflet in tiles and OpenLayers in one picture, show the town by WMS."""

import io
import threading
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, Response
from pyproj import CRS, Transformer

from tests import town

MODULES = Path(__file__).resolve().parents[2] / "viewer" / "node_modules"
WIDTH, HEIGHT = 1000, 600
CENTER = (120.9547, 28.1019)
# Units of the CRS a pixel, a step of Leaflet's own zooms where it has any; the town is nearly as wide as the page.
ZOOMS = {3857: 17, 4326: 16}
RESOLUTIONS = {3857: 156543.03392804097 / 2**17, 4326: 0.703125 / 2**16, 4549: 1.0}
METRE = 1e-5
BARE = (255, 255, 255)

HEAD = f"""<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">
<style>body{{margin:0}} #map{{width:{WIDTH}px;height:{HEIGHT}px;background:#fff}}</style><div id="map"></div>"""
PAGES = {
    "leaflet": """<link rel="stylesheet" href="/leaflet/dist/leaflet.css">
<script src="/leaflet/dist/leaflet.js"></script><script>
window.show = ({server, version, code, lon, lat, zoom}) => new Promise((done) => {
  const map = L.map("map", {crs: L.CRS[`EPSG${code}`], zoomControl: false, attributionControl: false,
                            fadeAnimation: false}).setView([lat, lon], zoom);
  L.tileLayer.wms(`${server}/wms`, {layers: "buildings", format: "image/png", version})
    .on("load", done).addTo(map);
});
</script>""",
    "openlayers": """<script src="/proj4/dist/proj4.js"></script><script src="/ol/dist/ol.js"></script><script>
window.show = ({server, version, code, definition, x, y, resolution}) => new Promise((done) => {
  if (![3857, 4326].includes(code)) {
    proj4.defs(`EPSG:${code}`, definition);
    ol.proj.proj4.register(proj4);
  }
  const params = {LAYERS: "buildings", VERSION: version};
  const source = new ol.source.ImageWMS({url: `${server}/wms`, params, ratio: 1});
  const view = new ol.View({projection: `EPSG:${code}`, center: [x, y], resolution, constrainResolution: false});
  const map = new ol.Map({target: "map", controls: [], view, layers: [new ol.layer.Image({source})]});
  map.once("rendercomplete", done);
});
</script>""",
}


class Files(SimpleHTTPRequestHandler):
    """The pages above, and what they are made of as npm has laid it down."""

    def do_GET(self) -> None:
        """Answer with a page, or with a file."""
        page = PAGES.get(self.path.strip("/"))
        if page is None:
            super().do_GET()
            return
        body = (HEAD + page).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def pages() -> Iterator[str]:
    """Where the pages stand: another origin than the city, as a portal's own pages are."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=str(MODULES))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def colors(town_server: str) -> dict[str, tuple[int, ...]]:
    """What the legend says of buildings, by their use."""
    legend = httpx.get(f"{town_server}/collections/buildings", timeout=60).json()["twin"]["legend"]
    return {each["label"]["en"]: tuple(bytes.fromhex(each["color"].removeprefix("#"))) for each in legend}


def definition(code: int) -> str:
    """A CRS as proj4js reads it, with the order of axes by which OpenLayers writes a box."""
    crs = CRS.from_epsg(code)
    with warnings.catch_warnings(action="ignore", category=UserWarning):
        return crs.to_proj4() + (" +axis=neu" if crs.axis_info[0].direction == "north" else "")


def shown(page: Page, *, address: str, server: str, version: str, code: int) -> tuple[np.ndarray, list[Response]]:
    """The page as it is seen, rows of red, green, blue, and every answer to its GetMap."""
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer) if "/wms?" in answer.url else None)
    page.goto(address)
    x, y = Transformer.from_crs("OGC:CRS84", f"EPSG:{code}", always_xy=True).transform(*CENTER)
    page.evaluate(
        "(wanted) => show(wanted).then(() => null)",
        {
            "server": server,
            "version": version,
            "code": code,
            "definition": definition(code),
            "lon": CENTER[0],
            "lat": CENTER[1],
            "x": x,
            "y": y,
            "zoom": ZOOMS.get(code),
            "resolution": RESOLUTIONS[code],
        },
    )
    return np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB")), answers


@pytest.mark.parametrize(
    ("client", "code"),
    [("leaflet", 3857), ("leaflet", 4326), ("openlayers", 3857), ("openlayers", 4326), ("openlayers", 4549)],
)
@pytest.mark.parametrize("version", ["1.1.1", "1.3.0"])
def test_a_page_shows_the_town_in_its_place(
    *,
    new_page: Callable[..., Page],
    pages: str,
    town_server: str,
    colors: dict[str, tuple[int, ...]],
    client: str,
    version: str,
    code: int,
) -> None:
    """Corners of the buildings at the town's ends lie where PROJ puts them, in the legend's colours."""
    page = new_page(width=WIDTH, height=HEIGHT)
    picture, answers = shown(page, address=f"{pages}/{client}", server=town_server, version=version, code=code)

    assert answers
    for answer in answers:
        asked = {name.upper(): values[0] for name, values in parse_qs(urlsplit(answer.url).query).items()}
        assert (asked["REQUEST"], asked["VERSION"]) == ("GetMap", version)
        assert asked["CRS" if version == "1.3.0" else "SRS"] == f"EPSG:{code}"
        assert (answer.status, answer.headers["content-type"]) == (200, "image/png")
        assert Image.open(io.BytesIO(answer.body())).size == (int(asked["WIDTH"]), int(asked["HEIGHT"]))

    turn = Transformer.from_crs("OGC:CRS84", f"EPSG:{code}", always_xy=True)
    x, y = turn.transform(*CENTER)

    def pixel(lon: float, lat: float) -> tuple[int, ...]:
        east, north = turn.transform(lon, lat)
        row = int(HEIGHT / 2 - (north - y) / RESOLUTIONS[code])
        return tuple(picture[row, int(WIDTH / 2 + (east - x) / RESOLUTIONS[code])].tolist())

    for number in (1, 10, 31, 5):
        use = colors["Residential" if number % 2 == 0 else "Commercial"]
        west, south = town.WEST + (number - 1) % 10 * town.STEP, town.SOUTH + (number - 1) // 10 * town.STEP
        for lon, lat, aside, up in (
            (west, south, -1, -1),
            (west + town.SIDE, south, 1, -1),
            (west, south + town.SIDE, -1, 1),
        ):
            assert pixel(lon - 3 * METRE * aside, lat - 3 * METRE * up) == use, number
            assert pixel(lon + 3 * METRE * aside, lat + 3 * METRE * up) == BARE, number
    # b39 fell in 2015.
    assert pixel(120.9582, 28.1032) == BARE
