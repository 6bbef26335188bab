"""Maps beside MapServer: GetMap of the same boxes, tables, classes and looks, at five scales and two sizes."""

import http.client
import io
import json
import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from urllib.parse import urlencode

import numpy as np
import numpy.typing as npt
import psycopg
from PIL import Image

from bench.imports import build_overviews
from bench.mapserver import MapServer, lines, map_file, polygons
from bench.peers import CityTwin, Missing
from bench.place import lay_down
from bench.report import table
from cim_models.database import CitySpec
from cim_models.embedded import Cluster
from layers.load import Delivery, load
from layers.recipe import Dataset
from tiles.matrix import HALF_WORLD, PIXELS
from twin.demo import DemoCity, DemoSource

CITY = "benchmaps"
THEMES = ("building", "road")
LAYERS = "buildings,roads"
# Zooms of a viewer with tiles of 512 pixels: a pixel is 19 m to 0.6 m wide along the equator.
ZOOMS = (12, 14, 15, 16, 17)
# Maps of a side of so many pixels that each server draws for a figure.
MAPS = {256: 240, 1024: 48}
CLIENTS = (1, 8)
# The servers take turns, so that what else runs on the machine meets both.
TURNS = 4
WARMING = 32
COMPARED = 6
# Of 255: more than the last steps of antialiasing make.
CLEARLY = 32
FILL, OUTLINE = "#d9cfc3", "#8c8074"
ROADS = {
    "motorway": ("#d9604c", 4.0),
    "trunk": ("#e0855a", 3.5),
    "primary": ("#e8a95f", 3.0),
    "secondary": ("#efcd78", 2.5),
    "tertiary": ("#b9a44c", 2.0),
    "residential": ("#7a8793", 1.5),
}
OTHER_ROAD = ("#a3adb5", 1.0)
HEAD = ["zoom", "pixels", "clients", "CityTwin maps/s", "p50 ms", "p95 ms"]
HEAD += ["MapServer maps/s", "p50 ms", "p95 ms", "times as many", "pixels that differ"]
Ask = Callable[["Shot"], bytes]


@dataclass(frozen=True)
class Shot:
    """A map so many pixels a side at a viewer's zoom; x, y: its middle (EPSG:3857)."""

    zoom: int
    size: int
    x: float
    y: float

    def query(self, moved: float = 0) -> str:
        """The GetMap request. moved: to the north-west, in pixels."""
        pixel = 2 * HALF_WORLD / PIXELS / 2**self.zoom
        half, shift = pixel * self.size / 2, pixel * moved
        west, north = self.x - half - shift, self.y + half + shift
        return urlencode(
            {
                "SERVICE": "WMS",
                "VERSION": "1.3.0",
                "REQUEST": "GetMap",
                "LAYERS": LAYERS,
                "STYLES": ",",
                "CRS": "EPSG:3857",
                "BBOX": f"{west!r},{north - 2 * half!r},{west + 2 * half!r},{north!r}",
                "WIDTH": str(self.size),
                "HEIGHT": str(self.size),
                "FORMAT": "image/png",
                "TRANSPARENT": "FALSE",
            }
        )


class OneMapAProcess(CityTwin):
    """CityTwin that draws as many maps at once as MapServer does: one in each process."""

    def environment(self) -> dict[str, str]:
        return super().environment() | {"TWIN_MAP_THREADS": "1"}


@dataclass(frozen=True)
class Found:
    """times: milliseconds of each map. seconds: from the first request to the last answer."""

    times: list[float]
    seconds: float

    @property
    def rate(self) -> float:
        return len(self.times) / self.seconds

    def cells(self) -> list[str]:
        cuts = statistics.quantiles(self.times, n=20, method="inclusive")
        return [f"{self.rate:.1f}", f"{cuts[9]:.1f}", f"{cuts[18]:.1f}"]


def beside_mapserver(cluster: Cluster, demo: DemoCity, workers: int) -> str:
    """Maps that nobody asked for before, from both servers at one and at eight clients; a Markdown table."""
    url = _lay(cluster, demo)
    layers = (
        polygons(url, "buildings", "building_current", FILL, OUTLINE),
        lines(url, "roads", "road_current", ROADS, OTHER_ROAD),
    )
    try:
        theirs = MapServer(map_file(*layers), workers)
    except Missing as missing:
        return f"not compared: {missing}"
    places = _places(url)
    rows = []
    with OneMapAProcess(cluster.home, CITY, "buildings", workers) as ours, theirs:
        for zoom in ZOOMS:
            for size, count in MAPS.items():
                shots = _shots(places, zoom, size)
                # Each process prepares a scale's styles once.
                _in_turns(list(islice(shots, WARMING)), max(CLIENTS), ours, theirs)
                differing = _differing(ours, theirs, list(islice(shots, COMPARED)))
                for clients in CLIENTS:
                    found = _in_turns(list(islice(shots, count)), clients, ours, theirs)
                    ratio = f"{found[0].rate / found[1].rate:.2f}"
                    figures = [*found[0].cells(), *found[1].cells(), ratio, f"{differing:.1%}"]
                    rows.append([str(zoom), str(size), str(clients), *figures])
    return table(HEAD, rows)


def _lay(cluster: Cluster, demo: DemoCity) -> str:
    """A city of buildings and roads in a style that both servers can draw alike; the URL of its database."""
    spec = CitySpec(
        name=CITY,
        title_zh=demo.title_zh,
        title_en=demo.title_en,
        srid=demo.srid,
        metric_srid=int(demo.metric_crs.removeprefix("EPSG:")),
        vertical_datum=demo.vertical_datum,
        time_zone=demo.time_zone,
        made_up=True,
    )
    url = lay_down(cluster, spec)
    with psycopg.connect(url) as connection:
        for layer, style in _styles().items():
            connection.execute(
                "update layer set min_zoom = 0, style = %s where id = %s", (json.dumps({"layers": [style]}), layer)
            )
    deliveries = [_delivery(demo.source(theme)) for theme in THEMES]
    load(url, deliveries, who="bench", home=cluster.home / "data" / CITY, anywhere=True)
    build_overviews(url)
    return url


def _delivery(source: DemoSource) -> Delivery:
    title = {"zh": source.title_zh, "en": source.title_en}
    dataset = Dataset.model_validate(
        {"name": source.name, "title": title, "made_up": True, "file": source.path.name, "layer": source.name}
    )
    return Delivery(dataset, [(dataset.parts[0], source)])


def _styles() -> dict[str, object]:
    """The MapLibre style layer of each layer."""
    by_class: dict[str, list[object]] = {}
    for name, place in (("line-color", 0), ("line-width", 1)):
        values = [part for key, look in ROADS.items() for part in (key, look[place])]
        by_class[name] = ["match", ["get", "class"], *values, OTHER_ROAD[place]]
    ends = {"line-cap": "round", "line-join": "round"}
    return {
        "buildings": {"id": "fill", "type": "fill", "paint": {"fill-color": FILL, "fill-outline-color": OUTLINE}},
        "roads": {"id": "line", "type": "line", "layout": ends, "paint": by_class},
    }


def _places(url: str) -> list[tuple[float, float]]:
    """Places in the city (EPSG:3857), more where there is more of it."""
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "select st_x(p), st_y(p) from (select st_centroid(geom_web) as p from building_current"
            " order by hashint8(object_id) limit 400) q"
        ).fetchall()
    return [(x, y) for x, y in found]


def _shots(places: Sequence[tuple[float, float]], zoom: int, size: int) -> Iterator[Shot]:
    """Maps of random places without end; the boxes are no tiles, so no two are the same."""
    chance = random.Random(f"{zoom} {size}")
    reach = HALF_WORLD / 2**zoom / PIXELS * size
    while True:
        x, y = chance.choice(places)
        yield Shot(zoom, size, x + chance.uniform(-reach, reach), y + chance.uniform(-reach, reach))


def _in_turns(shots: list[Shot], clients: int, ours: CityTwin, theirs: MapServer) -> tuple[Found, Found]:
    """Each server alone for a share of the maps, then the other, until all are drawn by both."""
    found: dict[str, list[Found]] = {ours.name: [], theirs.name: []}
    share = len(shots) // TURNS
    for start in range(0, len(shots), share):
        part = shots[start : start + share]
        found[ours.name].append(_asked(part, clients, partial(_over_http, ours)))
        found[theirs.name].append(_asked(part, clients, partial(_at_socket, theirs)))
    return _together(found[ours.name]), _together(found[theirs.name])


def _together(turns: list[Found]) -> Found:
    return Found([each for turn in turns for each in turn.times], sum(turn.seconds for turn in turns))


def _asked(shots: list[Shot], clients: int, opened: Callable[[], AbstractContextManager[Ask]]) -> Found:
    """All maps, each client with the next that is left as soon as it has its answer."""
    left = iter(shots)

    def client() -> list[float]:
        times = []
        with opened() as ask:
            for shot in left:
                start = time.perf_counter()
                ask(shot)
                times.append((time.perf_counter() - start) * 1000)
        return times

    start = time.perf_counter()
    with ThreadPoolExecutor(clients) as threads:
        told = [threads.submit(client) for _ in range(clients)]
        times = [each for future in told for each in future.result()]
    return Found(times, time.perf_counter() - start)


@contextmanager
def _over_http(server: CityTwin) -> Iterator[Ask]:
    """Asks on one kept connection."""
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)) as connection:

        def ask(shot: Shot) -> bytes:
            connection.request("GET", f"/cities/{server.city}/wms?{shot.query()}")
            answer = connection.getresponse()
            body = answer.read()
            if answer.headers["Content-Type"] != "image/png" or answer.status != 200:
                raise RuntimeError(f"CityTwin gave no picture: {body[:1000].decode(errors='replace')}")
            return body

        yield ask


@contextmanager
def _at_socket(server: MapServer) -> Iterator[Ask]:
    """Asks on a new connection each time, as web servers do.

    MapServer draws all shapes half a pixel too far to the north-west, because it counts from the middle of the first
    pixel. Its box is moved by as much, so that both draw the same pixels.
    """
    yield lambda shot: server.ask(shot.query(moved=0.5))


def _differing(ours: CityTwin, theirs: MapServer, shots: list[Shot]) -> float:
    """Share of pixels of which some colour clearly differs: a fast wrong answer is a failure."""
    shares = []
    with _over_http(ours) as ask_ours, _at_socket(theirs) as ask_theirs:
        for shot in shots:
            one, other = (_pixels(ask(shot)) for ask in (ask_ours, ask_theirs))
            shares.append(float((np.abs(one - other).max(axis=-1) > CLEARLY).mean()))
    return statistics.mean(shares)


def _pixels(picture: bytes) -> npt.NDArray[np.int16]:
    with Image.open(io.BytesIO(picture)) as image:
        return np.asarray(image.convert("RGB")).astype(np.int16)
