"""Maps of other services: fetched from named hosts alone, and laid where pyproj says, to the pixel."""

import math
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import httpx
import numpy as np
import pytest
from PIL import Image
from pyproj import CRS, Transformer

from api.app import create_app
from tests.api.conftest import Places, client_of
from tiles.matrix import Box, Tile, web_point
from twin.directory import CityPlace
from twin.settings import Settings

# Where two streets of a made-up plan cross, and a tile about it.
LNG, LAT = 120.95470, 28.11347
ZOOM = 18
KEY = "s3cret"
HALF_WORLD = 20037508.342789244


def tile_of(lng: float, lat: float, zoom: int) -> Tile:
    x, y = web_point(lng, lat)
    side = 2 * HALF_WORLD / 2**zoom
    return Tile(zoom, int((x + HALF_WORLD) / side), int((HALF_WORLD - y) / side))


class Other(BaseHTTPRequestHandler):
    """Another service: draws a red quarter plane west and south of the crossing, in whatever CRS it is asked for."""

    asked: ClassVar[list[str]] = []
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None: ...

    def do_GET(self) -> None:
        Other.asked.append(self.path)
        parts = urlsplit(self.path)
        query = {name.lower(): values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        if parts.path == "/wms":
            self._send("image/png", self._drawn(query))
        elif parts.path == "/wmts" and query.get("request") == "GetTile":
            level, row, column = (int(query[name]) for name in ("tilematrix", "tilerow", "tilecol"))
            side = 360 / 2**level
            west, north = -180 + column * side, 90 - row * side
            self._send("image/png", picture((west, north - side, west + side, north), (LNG, LAT)))
        elif parts.path == "/wmts":
            self._send("text/xml", CAPABILITIES.replace("HERE", f"http://{self.headers['Host']}").encode())
        elif parts.path == "/away":
            self.send_response(302)
            self.send_header("Location", "http://169.254.169.254/latest/meta-data/")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif parts.path == "/page":
            self._send("text/html", b"<script>alert(1)</script>")
        elif parts.path == "/endless":
            self._send("application/json", b" " * (17 * 2**20))
        else:
            self.send_error(404)

    def _drawn(self, query: dict[str, str]) -> bytes:
        """WMS 1.3.0: the box in the order that the CRS's own axes have."""
        crs = query["crs"]
        axes = [float(part) for part in query["bbox"].split(",")]
        x, y = Transformer.from_crs("EPSG:4490", crs, always_xy=True).transform(LNG, LAT)
        if CRS(crs).axis_info[0].direction == "north":
            axes = [axes[1], axes[0], axes[3], axes[2]]
        west, south, east, north = axes
        size = int(query["width"]), int(query["height"])
        return picture((west, south, east, north), (x, y), size)

    def _send(self, kind: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def picture(box: Box, corner: tuple[float, float], size: tuple[int, int] = (256, 256)) -> bytes:
    """White, but red west and south of a corner."""
    west, south, east, north = box
    x = west + (np.arange(size[0]) + 0.5) / size[0] * (east - west)
    y = north - (np.arange(size[1]) + 0.5) / size[1] * (north - south)
    drawn = np.full((size[1], size[0], 3), 255, np.uint8)
    drawn[np.ix_(y < corner[1], x < corner[0])] = (200, 0, 0)
    file = BytesIO()
    Image.fromarray(drawn).save(file, "PNG")
    return file.getvalue()


def matrices() -> str:
    """The grid of Tianditu's set "c": EPSG:4490, identifiers from 1, latitude first."""
    one = (
        "<TileMatrix><ows:Identifier>{0}</ows:Identifier><ScaleDenominator>{1}</ScaleDenominator>"
        "<TopLeftCorner>90.0 -180.0</TopLeftCorner><TileWidth>256</TileWidth><TileHeight>256</TileHeight>"
        "<MatrixWidth>{2}</MatrixWidth><MatrixHeight>{3}</MatrixHeight></TileMatrix>"
    )
    degree = math.pi * 6_378_137 / 180
    return "".join(one.format(z, 360 / 2**z / 256 * degree / 0.28e-3, 2**z, 2 ** (z - 1)) for z in range(1, 20))


CAPABILITIES = f"""<Capabilities xmlns="http://www.opengis.net/wmts/1.0" xmlns:ows="http://www.opengis.net/ows/1.1"
 xmlns:xlink="http://www.w3.org/1999/xlink" version="1.0.0">
 <ows:OperationsMetadata><ows:Operation name="GetTile"><ows:DCP><ows:HTTP><ows:Get xlink:href="HERE/wmts?">
 <ows:Constraint name="GetEncoding"><ows:AllowedValues><ows:Value>KVP</ows:Value></ows:AllowedValues></ows:Constraint>
 </ows:Get></ows:HTTP></ows:DCP></ows:Operation></ows:OperationsMetadata>
 <Contents><Layer><ows:Identifier>vec</ows:Identifier><Style><ows:Identifier>default</ows:Identifier></Style>
 <Format>tiles</Format><TileMatrixSetLink><TileMatrixSet>c</TileMatrixSet></TileMatrixSetLink></Layer>
 <TileMatrixSet><ows:Identifier>c</ows:Identifier><ows:SupportedCRS>urn:ogc:def:crs:EPSG::4490</ows:SupportedCRS>
 {matrices()}</TileMatrixSet></Contents></Capabilities>"""


@pytest.fixture(scope="module")
def other() -> Iterator[str]:
    """Address of the other service, on this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Other)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture(scope="module")
async def client(
    town_url: str, other: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[httpx.AsyncClient]:
    port = other.partition(":")[2]
    settings = Settings(
        database_url=town_url, data=tmp_path_factory.mktemp("data"), log_level="error",
        remote_hosts=f"{other}, localhost:{port}, unnamed.example", remote_keys=f"{other}?tk={KEY}", remote_timeout=5,
    )  # fmt: skip
    app = create_app(settings, Places(CityPlace("town", town_url, Path("unused"))))
    async with client_of(app) as opened:
        yield opened


SERVICES = {
    "wms in 4490": {"service": "wms", "path": "/wms", "layers": "a", "crs": "EPSG:4490"},
    "wms in the metres of CGCS2000": {"service": "wms", "path": "/wms", "layers": "a", "crs": "EPSG:4549"},
    "wms in UTM": {"service": "wms", "path": "/wms", "layers": "a", "crs": "EPSG:32651"},
    "wmts in 4490": {"service": "wmts", "path": "/wmts", "layers": "vec", "matrix_set": "c", "format": "tiles"},
}


@pytest.mark.parametrize("name", SERVICES)
async def test_lies_where_pyproj_says_to_the_pixel(client: httpx.AsyncClient, other: str, name: str) -> None:
    """The edges of the red quarter, in the tile of zoom 18, against pyproj's own way from 4490 to Mercator."""
    query = dict(SERVICES[name])
    query["url"] = f"http://{other}{query.pop('path')}"
    tile = tile_of(LNG, LAT, ZOOM)
    answer = await client.get(f"/remote/tiles/{tile.z}/{tile.x}/{tile.y}", params=query)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png"), answer.text
    drawn = np.asarray(Image.open(BytesIO(answer.content)).convert("RGBA"))
    assert drawn.shape == (256, 256, 4)
    assert (drawn[..., 3] == 255).all()
    x, y = Transformer.from_crs("EPSG:4490", "EPSG:3857", always_xy=True).transform(LNG, LAT)
    west, south, east, north = tile.box()
    column, row = (x - west) / (east - west) * 256, (north - y) / (north - south) * 256
    red = drawn[..., 1] < 128
    assert 20 < column < 236
    assert 20 < row < 236
    # UTM and the Gauss-Kruger belt lie a little turned, so rows and columns near the crossing tell.
    assert abs(red[int(row) + 12].sum() - column) <= 1
    assert abs((256 - red[:, int(column) - 12].sum()) - row) <= 1


async def test_the_key_stays_on_the_server(client: httpx.AsyncClient, other: str) -> None:
    """The service gets it with every request, the user with none."""
    url = f"http://{other}/wms"
    told = await client.get("/remote", params={"url": url})
    assert told.json() == {"allowed": True, "key": True}
    Other.asked.clear()
    answer = await client.get("/remote/tiles/17/109577/55123", params={"service": "wms", "layers": "k", "url": url})
    assert answer.status_code in (200, 204)
    assert all(f"tk={KEY}" in path for path in Other.asked)
    assert Other.asked
    assert KEY not in str(answer.headers) + told.text


async def test_is_kept(client: httpx.AsyncClient, other: str) -> None:
    query = {"service": "wms", "layers": "kept", "url": f"http://{other}/wms", "crs": "EPSG:4490"}
    first = await client.get("/remote/tiles/16/54788/27561", params=query)
    Other.asked.clear()
    again = await client.get("/remote/tiles/16/54788/27561", params=query)
    assert again.content == first.content
    assert Other.asked == []


REFUSED = [
    ("http://example.org/wms", 403, "TWIN_REMOTE_HOSTS"),
    ("http://127.0.0.1/wms", 403, "TWIN_REMOTE_HOSTS"),
    ("http://169.254.169.254/latest", 403, "TWIN_REMOTE_HOSTS"),
    ("file:///etc/passwd", 403, "http://"),
    ("http://user:word@OTHER/wms", 403, "user"),
    ("http://OTHER@example.org/wms", 403, "user"),
    ("http://LOCALHOST/wms", 403, "private"),
    ("http://OTHER/away", 403, "169.254.169.254"),
    ("http://OTHER/page", 502, "text/html"),
    ("http://OTHER/endless", 502, "more than"),
    ("http://OTHER/missing", 502, "404"),
    ("http://[::1/", 403, "no address"),
    ("http://OTHER:99999/", 403, ""),
]


@pytest.mark.parametrize(("url", "status", "said"), REFUSED)
async def test_what_is_not_fetched(client: httpx.AsyncClient, other: str, url: str, status: int, said: str) -> None:
    """No host but the named, no private address by a name, nothing that could act as a page, nothing endless."""
    url = url.replace("LOCALHOST", f"localhost:{other.partition(':')[2]}").replace("OTHER", other)
    answer = await client.get("/remote/document", params={"url": url})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.json()["detail"]


async def test_a_document_cannot_act(client: httpx.AsyncClient, other: str) -> None:
    answer = await client.get("/remote/document", params={"url": f"http://{other}/wmts?request=GetCapabilities"})
    assert answer.status_code == 200
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert answer.headers["content-disposition"] == "attachment"


BROKEN = [
    {},
    {"service": "wms"},
    {"service": "wmts", "layers": "vec"},
    {"service": "wms", "layers": "a", "crs": "EPSG:0"},
    {"service": "xyz"},
    {"service": "ftp"},
    {"service": "wms", "layers": "a", "extra": "1"},
]


@pytest.mark.parametrize("query", BROKEN)
async def test_broken_requests_are_told(client: httpx.AsyncClient, other: str, query: dict[str, str]) -> None:
    answer = await client.get("/remote/tiles/3/1/1", params={"url": f"http://{other}/x", **query})
    assert answer.status_code == 400, answer.text


async def test_nothing_is_fetched_by_default(settings: Settings, town_url: str) -> None:
    async with client_of(create_app(settings, Places(CityPlace("town", town_url, Path("unused"))))) as bare:
        told = await bare.get("/remote", params={"url": "https://t0.tianditu.gov.cn/vec_c/wmts"})
        assert told.json() == {"allowed": False, "key": False}
