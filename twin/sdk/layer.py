"""A layer of a city: its features as a stream, a GeoDataFrame or a map."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

from twin.sdk.client import Client
from twin.sdk.errors import WrongRequest

if TYPE_CHECKING:
    import geopandas

    from twin.sdk.deck import Map

PAGE = 5000
# A deck.gl page with more objects than this takes seconds to open.
MAP_LIMIT = 5000

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

    def _moment(self, at: Moment) -> str:
        if isinstance(at, datetime):
            return (at if at.tzinfo else at.replace(tzinfo=self._zone)).isoformat()
        return at.isoformat() if isinstance(at, date) else at
