"""A layer of a city: its features as a stream, a GeoDataFrame or a map."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

from twin.sdk.client import Client
from twin.sdk.errors import WrongRequest
from twin.sdk.writing import Features, Shape, collection, geojson

if TYPE_CHECKING:
    import geopandas
    import pandas

    from twin.sdk.cells import Cells
    from twin.sdk.deck import Map

PAGE = 5000
# A deck.gl page with more objects than this takes seconds to open.
MAP_LIMIT = 5000
# File formats by ending, as the server calls them.
FORMATS = {
    ".gpkg": "gpkg",
    ".fgb": "fgb",
    ".parquet": "parquet",
    ".csv": "csv",
    ".gml": "gml",
    ".zip": "shp",
    ".geojson": "geojson",
    ".kml": "kml",
    ".dxf": "dxf",
    ".xlsx": "xlsx",
    ".tab.zip": "mapinfo",
    ".gdb.zip": "gdb",
    ".gpx": "gpx",
}

Bbox = Sequence[float]
Moment = date | datetime | str
Feature = dict[str, Any]


@dataclass(frozen=True)
class Property:
    """A property of a layer's features. type: text, integer, number or boolean; codes: title (zh, en) of each value."""

    name: str
    type: str
    unit: str | None
    title: dict[str, str]
    codes: dict[str, dict[str, str]]


class Layer:
    """A layer of a city, as `city["buildings"]` gives it.

    Reading takes the same few arguments everywhere:
    bbox: west, south, east, north in degrees. where: a CQL2 condition such as "height > 50 AND class = 'Office'".
    at: the moment to look at, as known today; a date (that day in the city's time zone), a datetime (one without
    a zone is the city's time), or text as the server takes it ("2024-05-01", "2020-01-01/2024-12-31"). limit: at
    most so many.
    """

    def __init__(self, client: Client, path: str, entry: dict[str, Any], time_zone: str) -> None:
        self._client = client
        self._path = path
        self._entry = entry
        self._zone = ZoneInfo(time_zone)

    @property
    def id(self) -> str:
        return str(self._entry["id"])

    @property
    def title(self) -> dict[str, str]:
        """Title in zh and en."""
        return dict(self._entry["twin"]["title"])

    @property
    def geometry(self) -> str:
        """polygon, line, point, mixed or raster."""
        return str(self._entry["twin"]["geometry"])

    @property
    def extent(self) -> tuple[float, float, float, float] | None:
        """West, south, east, north in degrees; None while nothing is loaded."""
        try:
            west, south, east, north = self._entry["extent"]["spatial"]["bbox"][0]
        except KeyError:
            return None
        return west, south, east, north

    @property
    def schema(self) -> dict[str, Property]:
        """The properties of its features, by name."""
        return {
            entry["name"]: Property(
                entry["name"], entry["type"], entry.get("unit"), entry["title"], entry.get("codes") or {}
            )
            for entry in self._entry["twin"]["properties"]
        }

    @property
    def info(self) -> dict[str, Any]:
        """All that the server says of the layer: licence, attribution, zooms, legend, links."""
        return self._entry

    def count(self, bbox: Bbox | None = None, where: str | None = None, at: Moment | None = None) -> int:
        """How many features there are, exactly."""
        page = self._client.get(f"{self._path}/items", self._parameters(bbox, where, at) | {"limit": 1})
        if (matched := page.get("numberMatched")) is not None:
            return int(matched)
        # The server counts up to a limit of its own; beyond it only reading tells.
        return sum(1 for _ in self.features(bbox, where, at))

    def features(
        self,
        bbox: Bbox | None = None,
        where: str | None = None,
        at: Moment | None = None,
        limit: int | None = None,
    ) -> Iterator[Feature]:
        """Features as GeoJSON dictionaries, fetched page by page as they are asked for; id is the object's."""
        return islice(self._all_features(self._parameters(bbox, where, at), limit), limit)

    def get(self, object_id: int, at: Moment | None = None) -> Feature:
        """One object. Raises NotFound."""
        found: Feature = self._client.get(f"{self._path}/items/{object_id}", self._parameters(None, None, at))
        return found

    def to_geopandas(
        self,
        bbox: Bbox | None = None,
        where: str | None = None,
        at: Moment | None = None,
        limit: int | None = None,
        columns: Sequence[str] | None = None,
    ) -> "geopandas.GeoDataFrame":
        """Features as a GeoDataFrame in longitude and latitude, indexed by object_id.

        columns: only these properties. Raises WrongRequest for one that the layer does not have.
        """
        from twin.sdk.frame import to_frame

        unknown = [name for name in columns or () if name not in self.schema]
        if unknown:
            raise WrongRequest(f"{self.id} has no {', '.join(unknown)}; it has {', '.join(self.schema)}")
        return to_frame(self.features(bbox, where, at, limit), list(self.schema.values()), columns)

    def to_file(
        self,
        path: str | Path,
        bbox: Bbox | None = None,
        where: str | None = None,
        at: Moment | None = None,
        limit: int | None = None,
        *,
        columns: Sequence[str] | None = None,
        crs: str | None = None,
    ) -> Path:
        """Write features to a file in the format that its ending says; the file is whole or not there.

        .gpkg, .fgb, .parquet, .csv and .xlsx (for spreadsheets), .gml, .zip (Shapefile), .geojson, .kml, .dxf, .gpx,
        .tab.zip (MapInfo) or .gdb.zip (File Geodatabase). columns: only these properties. crs: of the
        coordinates, e.g. "EPSG:4549"; longitude and latitude by default.
        Raises WrongRequest for an ending, property or CRS that the server does not have.
        """
        target = Path(path)
        endings = sorted(FORMATS, key=len, reverse=True)
        form = next((FORMATS[ending] for ending in endings if target.name.lower().endswith(ending)), None)
        if form is None:
            raise WrongRequest(f"{target.name}: unknown ending; there are {', '.join(FORMATS)}")
        wanted = {"f": form, "limit": limit, "crs": crs, "properties": None if columns is None else ",".join(columns)}
        unfinished = target.with_name(f".unfinished-{os.getpid()}-{target.name}")
        try:
            with unfinished.open("wb") as file:
                self._client.download(f"{self._path}/items", self._parameters(bbox, where, at) | wanted, file)
            unfinished.replace(target)
        finally:
            unfinished.unlink(missing_ok=True)
        return target

    @property
    def times(self) -> list[datetime]:
        """The moments of the states that a result has, in order; empty for all other layers."""
        return [datetime.fromisoformat(moment) for moment in self._entry["twin"].get("times") or ()]

    def raster(self, at: Moment | None = None) -> "Cells":
        """The cells of a raster layer: of its last state until `at`, of now by default, as numpy array and transform.

        Raises NotFound for a layer of objects, RasterioMissing.
        """
        from twin.sdk.cells import read_cells

        return read_cells(self._client, self._path, self._parameters(None, None, at))

    def aggregate(
        self,
        value: str | None = None,
        by: str | None = None,
        *,
        measure: Literal["area", "length"] | None = None,
        unit: Literal["m2", "ha", "mu", "km2", "m", "km"] | None = None,
        cell: int | None = None,
        bbox: Bbox | None = None,
        where: str | None = None,
        at: Moment | None = None,
    ) -> "pandas.DataFrame":
        """Statistics as a DataFrame: count, and of a value sum, mean, min and max; a row for each group, or one.

        value: a number property; or measure: of the geometry, on the ellipsoid, in `unit`. by: a property, "village",
        "township", "county", or "grid" with cells of `cell` metres in the city's metric CRS.
        """
        from twin.sdk.frame import to_groups

        asked = {"property": value, "by": by, "measure": measure, "unit": unit, "cell": cell}
        answer = self._client.get(f"{self._path}/aggregate", self._parameters(bbox, where, at) | asked | {"f": "json"})
        return to_groups(answer, by)

    def area_table(
        self,
        boundary: Shape | Mapping[str, Any] | int,
        by: str | None = None,
        *,
        unit: Literal["m2", "ha", "mu", "km2"] = "m2",
        where: str | None = None,
        at: Moment | None = None,
    ) -> "pandas.DataFrame":
        """Areas by class within a boundary, with rows for what none covers, for overlaps, and for the whole.

        boundary: a polygon in longitude and latitude (shapely, GeoJSON), a GeoDataFrame, or the id of an administrative
        area. by: a property; the land-use code of land, the class of all else by default.
        """
        from twin.sdk.frame import to_table

        asked = self._parameters(None, where, at) | {"by": by, "unit": unit, "f": "json"}
        path = f"{self._path}/area-table"
        if isinstance(boundary, int):
            return to_table(self._client.get(path, asked | {"area": boundary}))
        return to_table(self._client.post(path, geojson(boundary), asked))

    def add(self, features: Features, *, why: str | None = None) -> list[int]:
        """Add objects, all or none; gives their ids. Needs a token that may write.

        features: a GeoDataFrame (any CRS), a GeoJSON Feature, or a list of Features; at most 1,000. Each has a class.
        why: the reason, kept with the change.
        """
        answer = self._client.post(f"{self._path}/items", collection(features), {"why": why})
        return [int(number) for number in answer["ids"]]

    def update(
        self,
        object_id: int,
        properties: Mapping[str, Any] | None = None,
        geometry: Shape | Mapping[str, Any] | None = None,
        *,
        since: Moment | None = None,
        why: str | None = None,
        etag: str | None = None,
    ) -> None:
        """Change an object: the properties named (None empties one), and its geometry if one is given.

        since: the world changed then, and the object was as before until then; without it, the model was wrong. etag:
        of the state that was read (`etag_of`). Raises Conflict where someone else has changed it meanwhile, NotFound,
        WrongRequest for what the layer does not take.
        """
        change: dict[str, Any] = {"properties": dict(properties or {})}
        if geometry is not None:
            change["geometry"] = geojson(geometry)
        asked = {"mode": "supersede" if since else "correct", "as_of": self._as_of(since), "why": why}
        self._write("PATCH", object_id, change, asked, etag)

    def delete(
        self,
        object_id: int,
        *,
        since: Moment | None = None,
        mistaken: bool = False,
        why: str | None = None,
        etag: str | None = None,
    ) -> None:
        """End an object, now or `since` a moment; it stays part of the past. mistaken: it never was."""
        asked = {"mode": "correct" if mistaken else "supersede", "as_of": self._as_of(since), "why": why}
        self._write("DELETE", object_id, None, asked, etag)

    def etag_of(self, object_id: int) -> str:
        """Which state of an object is believed now, to say with a change that it is this one which is changed."""
        return str(self._client.send("GET", f"{self._path}/items/{object_id}").headers["ETag"])

    def _write(
        self,
        method: str,
        object_id: int,
        body: dict[str, Any] | None,
        asked: dict[str, str | None],
        etag: str | None,
    ) -> None:
        headers = {} if etag is None else {"If-Match": etag}
        self._client.send(method, f"{self._path}/items/{object_id}", body, asked, headers)

    def map(
        self,
        bbox: Bbox | None = None,
        where: str | None = None,
        at: Moment | None = None,
        limit: int = MAP_LIMIT,
    ) -> "Map":
        """Features on a pydeck map that needs no network; what has a height stands up.

        The map holds the features themselves, so its page goes on working when the server is gone. Warns where the
        limit leaves some out.
        """
        from twin.sdk.deck import draw

        return draw([(self, self.features(bbox, where, at, limit + 1))], limit, bbox)

    def __repr__(self) -> str:
        return f"<Layer {self.id} ({self.title['en']})>"

    def _all_features(self, parameters: dict[str, str | int | float | None], limit: int | None) -> Iterator[Feature]:
        size = PAGE if limit is None else max(1, min(PAGE, limit))
        page = self._client.get(f"{self._path}/items", parameters | {"limit": size})
        while True:
            yield from page["features"]
            following = next((link["href"] for link in page.get("links", ()) if link["rel"] == "next"), None)
            if following is None:
                return
            # Its query alone: behind a proxy the server may not know by which name it was called.
            page = self._client.get(f"{self._path}/items", dict(parse_qsl(urlsplit(following).query)))

    def _parameters(
        self, bbox: Bbox | None, where: str | None, at: Moment | None
    ) -> dict[str, str | int | float | None]:
        if bbox is not None and len(bbox) != 4:
            raise WrongRequest(f"bbox has {len(bbox)} numbers; it is west, south, east, north in degrees")
        return {
            "bbox": None if bbox is None else ",".join(repr(float(value)) for value in bbox),
            "filter": where,
            "filter-lang": None if where is None else "cql2-text",
            "datetime": None if at is None else self._moment(at),
        }

    def _as_of(self, since: Moment | None) -> str | None:
        return None if since is None else self._moment(since)

    def _moment(self, at: Moment) -> str:
        if isinstance(at, datetime):
            return (at if at.tzinfo else at.replace(tzinfo=self._zone)).isoformat()
        return at.isoformat() if isinstance(at, date) else at
