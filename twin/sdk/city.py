"""A city on a server: its layers, what it says of itself, and search."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

from twin.sdk.client import Client
from twin.sdk.errors import NotFound
from twin.sdk.layer import MAP_LIMIT, Bbox, Layer
from twin.sdk.local import find_server, find_token

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas
    import pandas as pd

    from twin.sdk.deck import Map
    from twin.sdk.run import Run
    from twin.sdk.sensors import Events, Sensors

DEFAULT_URL = "http://127.0.0.1:8000"


def connect(
    url: str | None = None, *, city: str | None = None, token: str | None = None, timeout_s: float = 60.0
) -> "City":
    """A city of a CityTwin server.

    url: of the server; else the variable TWIN_URL, else this machine's server. city: its name; else the default.
    token: for what only some may see; else the variable TWIN_TOKEN, else on this machine the local user's own.
    timeout_s: longest wait for an answer.
    Raises ServerUnreachable, NotFound for an unknown city, Refused for a wrong token.
    """
    here, environ = Path.cwd(), os.environ
    root = (url or environ.get("TWIN_URL") or find_server(here, environ) or DEFAULT_URL).rstrip("/")
    client = Client(root, token or find_token(root, here, environ), timeout_s)
    cities: list[dict[str, Any]] = client.get("/cities")["cities"]
    for known in cities:
        if known["name"] == city or (city is None and known["default"]):
            return City(client, "" if known["default"] else f"/cities/{quote(known['name'])}")
    client.close()
    names = ", ".join(known["name"] for known in cities)
    raise NotFound(f"no city {city or ''!r} at {root}; there are: {names or 'none yet, `twin demo` makes one'}")


class City:
    """A city on a server, as `connect` gives it. A context manager; `close` ends its connections."""

    def __init__(self, client: Client, base: str) -> None:
        self._client = client
        self._base = base

    @cached_property
    def info(self) -> dict[str, Any]:
        """What it says of itself: name, title (zh, en), srid, metric_crs, vertical_datum, time_zone, bbox, view."""
        found: dict[str, Any] = self._client.get(f"{self._base}/city")
        return found

    @property
    def name(self) -> str:
        return str(self.info["name"])

    @property
    def layers(self) -> "Layers":
        """The layers that the token may see, ground first; asked anew each time, for they may change."""
        found = self._client.get(f"{self._base}/collections")["collections"]
        return Layers({entry["id"]: self._layer(entry) for entry in found})

    def __getitem__(self, layer: str) -> Layer:
        """One layer by its id. Raises NotFound, naming those there are."""
        try:
            return self._layer(self._client.get(f"{self._base}/collections/{quote(layer, safe='')}"))
        except NotFound:
            raise NotFound(f"no layer {layer!r} in {self.name}; there are: {', '.join(self.layers)}") from None

    @property
    def sensors(self) -> "Sensors":
        """Its sensors: last values, series, what comes in; and the way in for readings."""
        from twin.sdk.sensors import Sensors

        return Sensors(self._client, self._base)

    @property
    def events(self) -> "Events":
        """What calls for attention, and what is done about it."""
        from twin.sdk.sensors import Events

        return Events(self._client, self._base)

    def search(
        self,
        text: str,
        limit: int = 10,
        *,
        layer: str | None = None,
        near: tuple[float, float] | None = None,
        bbox: Bbox | None = None,
    ) -> "list[Found]":
        """Objects by name, address, pinyin or its initials, division code or id, and places by coordinates; best first.

        layer: only there. near: longitude, latitude; of what matches alike, the nearest comes first. bbox: only there.
        """
        values: dict[str, str | int | float | None] = {
            "q": text,
            "limit": limit,
            "layer": layer,
            "near": _listed(near),
            "bbox": _listed(bbox),
        }
        answer = self._client.get(f"{self._base}/search", values)
        return [Found.from_feature(feature) for feature in answer["features"]]

    def reverse(self, lon: float, lat: float, *, within: int = 500) -> dict[str, Any]:
        """What lies at a place: the nearest address, place and road within so many metres, its village and township.

        Each is None where there is none.
        """
        found: dict[str, Any] = self._client.get(f"{self._base}/reverse", {"lon": lon, "lat": lat, "within": within})
        return found

    def geocode(self, table: "pd.DataFrame | Sequence[str]", column: str | None = None) -> "geopandas.GeoDataFrame":
        """The places of a table's addresses: the table with points (EPSG:4326) and how each was found.

        column: that holds the addresses; found by its heading, such as 地址, where nobody says. match_level is room,
        house, place, road, village or township, match_score 0 to 1; both are missing, and the point None, where nothing
        fits. Raises WrongRequest where there is no such column.
        """
        from twin.sdk.finding import geocode_frame

        return geocode_frame(self._client, self._base, table, column)

    def match_addresses(self, addresses: "Sequence[str]") -> "Iterator[dict[str, Any] | None]":
        """The same for a list, without tables: level, score, address, layer, object_id, place; or None."""
        from twin.sdk.finding import matches

        return matches(self._client, self._base, addresses)

    def map(self, *layers: str, bbox: Bbox | None = None, limit: int = MAP_LIMIT) -> "Map":
        """Several layers on one map, the first at the bottom; otherwise as `Layer.map`."""
        from twin.sdk.deck import draw

        chosen = [self[name] for name in layers]
        return draw([(layer, layer.features(bbox, limit=limit + 1)) for layer in chosen], limit, bbox)

    def run(
        self,
        scenario: str,
        *,
        preset: str | None = None,
        at: str | None = None,
        plan: int | None = None,
        seed: int | None = None,
        **inputs: Any,
    ) -> "Run":
        """Run a scenario: `city.run("flood", preset="typhoon", rain_mm=300).wait().indicators`.

        inputs: as the scenario describes them; they go before the preset's. at: the moment whose city it is computed
        for, as the server takes it. plan: the id of one to compute it with. seed: to repeat a run exactly. Needs a
        token that may run. Raises WrongRequest, NotFound, Refused.
        """
        from twin.sdk.run import start_run

        parameters = {"datetime": at, "plan": plan, "seed": seed}
        return start_run(self._client, self._base, scenario, preset=preset, inputs=inputs, parameters=parameters)

    def upload_photo(self, path: str | Path) -> dict[str, Any]:
        """Upload a photo (JPEG, PNG, WebP) of water that was seen. The answer's "photo" is its name for `seen`:

        `city.run("flood", seen=[{"at": ..., "depth_m": 0.4, "photo": city.upload_photo("lane.jpg")["photo"]}])`.

        "place" (GeoJSON, WGS 84) and "time" are what the camera wrote into the file, None where it did not; they are
        not kept. Raises WrongRequest, Refused.
        """
        headers = {"Content-Type": "application/octet-stream"}
        told: dict[str, Any] = self._client.send(
            "POST", f"{self._base}/photos", Path(path).read_bytes(), headers=headers
        ).json()
        return told

    def get_run(self, job: str) -> "Run":
        """A run by its id. Raises NotFound when it is used, if there is none."""
        from twin.sdk.run import Run

        return Run(self._client, self._base, job)

    def isochrone(
        self,
        place: tuple[float, float],
        minutes: "Sequence[float]" = (5, 10, 15),
        *,
        mode: str = "car",
        direction: str = "from",
        people: bool = False,
        run: str | None = None,
        flood_run: str | None = None,
        at: str | None = None,
        plan: int | None = None,
    ) -> "geopandas.GeoDataFrame":
        """What is reached from a place (longitude, latitude) within some minutes: a frame of polygons.

        mode: "car", "lorry" (through deeper water) or "walk". direction: "to" for whence the place is reached.
        people: with a column of who lives there. run: at the times that this traffic run found; flood_run: through the
        water of that one; at: the moment of either. Needs geopandas.
        """
        from twin.sdk.traffic import isochrone

        counted = "true" if people else None
        parameters = {"mode": mode, "direction": direction, "people": counted, "run": run, "flood_run": flood_run}
        return isochrone(self._client, self._base, place, minutes, {**parameters, "datetime": at, "plan": plan})

    def route(
        self,
        begin: tuple[float, float],
        end: tuple[float, float],
        *,
        mode: str = "car",
        run: str | None = None,
        flood_run: str | None = None,
        at: str | None = None,
        plan: int | None = None,
    ) -> dict[str, Any]:
        """The quickest way between two places, as a GeoJSON feature with seconds, metres and streets.

        As `isochrone` otherwise. Raises WrongRequest where no way leads.
        """
        from twin.sdk.traffic import route

        parameters = {"mode": mode, "run": run, "flood_run": flood_run, "datetime": at, "plan": plan}
        return route(self._client, self._base, begin, end, parameters)

    def travel_times(
        self,
        origins: "Sequence[tuple[float, float]] | None" = None,
        destinations: "Sequence[tuple[float, float]] | None" = None,
        *,
        areas: str | None = None,
        mode: str = "car",
        run: str | None = None,
        flood_run: str | None = None,
        at: str | None = None,
        plan: int | None = None,
    ) -> "pd.DataFrame":
        """Seconds between places (longitude, latitude): a row an origin, a column a destination, NaN without a way.

        Without destinations: among the origins. areas: "village" or "township" instead of places, named by their codes.
        As `isochrone` otherwise. Needs pandas.
        """
        from twin.sdk.traffic import travel_times

        parameters = {"areas": areas, "mode": mode, "run": run, "flood_run": flood_run, "datetime": at, "plan": plan}
        return travel_times(self._client, self._base, origins, destinations, parameters)

    def trip_users(self, run: str, link: str, *, at: str | None = None, limit: int = 50) -> "geopandas.GeoDataFrame":
        """Whose trips use a link (its uid) of a traffic run: a frame of lines with the volume of these trips, pcu/h.

        `.attrs["volume"]` is the link's, `.attrs["pairs"]` the origins and destinations with most of it. Needs
        geopandas.
        """
        from twin.sdk.traffic import trip_users

        parameters = {"run": run, "link": link, "datetime": at, "limit": limit}
        return trip_users(self._client, self._base, parameters)

    def parking(self, place: tuple[float, float], limit: int = 10) -> "geopandas.GeoDataFrame":
        """Car parks that are not known to be full, the soonest reached by car from a place (longitude, latitude) first.

        name, seconds, capacity, free (None unless the state is "ok"), time, and forecast: free places by minutes.
        Raises WrongRequest far from any road. Needs geopandas.
        """
        from twin.sdk.traffic import parking

        return parking(self._client, self._base, place, limit)

    @property
    def scenarios(self) -> dict[str, dict[str, Any]]:
        """What can be run, by name, with title and description."""
        return {each["id"]: each for each in self._client.get(f"{self._base}/processes")["processes"]}

    @property
    def runs(self) -> "list[Run]":
        """The newest runs that the token may see, at most 100."""
        from twin.sdk.run import Run

        return [Run(self._client, self._base, each["jobID"]) for each in self._client.get(f"{self._base}/jobs")["jobs"]]

    def close(self) -> None:
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<City {self.name} ({self.info['title']['en']}) at {self._client.url}{self._base}>"

    def _layer(self, entry: dict[str, Any]) -> Layer:
        return Layer(self._client, f"{self._base}/collections/{quote(entry['id'])}", entry, self.info["time_zone"])


class Layers(Mapping[str, Layer]):
    """Layers by id; prints as a table."""

    def __init__(self, layers: dict[str, Layer]) -> None:
        self._layers = layers

    def __getitem__(self, layer: str) -> Layer:
        return self._layers[layer]

    def __iter__(self) -> Iterator[str]:
        return iter(self._layers)

    def __len__(self) -> int:
        return len(self._layers)

    def __repr__(self) -> str:
        width = max((len(name) for name in self), default=0)
        return "\n".join(f"{name:<{width}}  {layer.title['zh']}  {layer.title['en']}" for name, layer in self.items())


@dataclass(frozen=True)
class Found:
    """A search result; position is longitude, latitude. A place given by coordinates has no layer and no id.

    matched: the text by which it was found; township: where it lies.
    """

    layer: str | None
    object_id: int | None
    name: str | None
    label: str
    class_: str | None
    score: float
    position: tuple[float, float]
    matched: str | None = None
    township: str | None = None

    @classmethod
    def from_feature(cls, feature: Mapping[str, Any]) -> Self:
        properties, geometry = feature["properties"], feature["geometry"]
        coordinates = geometry["coordinates"]
        return cls(
            layer=properties.get("layer"),
            object_id=properties.get("object_id"),
            name=properties.get("name"),
            label=properties.get("label") or "",
            class_=properties.get("class"),
            score=float(properties.get("score") or 0.0),
            position=(coordinates[0], coordinates[1]),
            matched=properties.get("matched"),
            township=properties.get("township"),
        )


def _listed(numbers: "Sequence[float] | None") -> str | None:
    return None if numbers is None else ",".join(map(repr, numbers))
