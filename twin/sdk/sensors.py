"""A city's sensors and events from a script: last values, series as pandas, what comes in as it comes."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from twin.sdk.client import Client, Parameters

if TYPE_CHECKING:
    import geopandas
    import pandas as pd

JSON = {"Content-Type": "application/json"}
Moment = datetime | str
# What is sent in one request.
ROWS = 5_000


class Sensors:
    """The sensors of a city, as `city.sensors` gives them. A datastream is meant by its id."""

    def __init__(self, client: Client, base: str) -> None:
        self._client = client
        self._base = f"{base}/sensors"

    def latest(self, kind: str | None = None) -> "geopandas.GeoDataFrame":
        """Every datastream with its last `result`, `state` and place, in EPSG:4326, indexed by datastream.

        kind: only these, with commas between them (`rain,water_level`).
        """
        import geopandas

        found = self._client.get(f"{self._base}/latest", {"kind": kind})["features"]
        frame = geopandas.GeoDataFrame.from_features(found, crs="EPSG:4326") if found else geopandas.GeoDataFrame()
        return frame.set_index("datastream") if found else frame

    def series(
        self,
        *datastreams: int,
        since: Moment | None = None,
        until: Moment | None = None,
        bucket: str | None = None,
        points: int | None = None,
    ) -> "pd.DataFrame":
        """Values over time (UTC), a column a datastream; since <= time < until.

        bucket: `PT1H`, or `day` as the kind counts days: then columns are (datastream, count | mean | min | max | sum |
        first | last). points: thinned to at most so many. Raises WrongRequest, NotFound.
        """
        import pandas as pd

        span = None if since is None and until is None else f"{_text(since)}/{_text(until)}"
        asked: Parameters = {
            "datastream": ",".join(str(each) for each in datastreams),
            "datetime": span,
            "bucket": bucket,
            "points": points,
        }
        columns = {}
        for each in self._client.get(f"{self._base}/series", asked)["series"]:
            times = pd.to_datetime(pd.Series(each["time"], dtype="float64"), unit="s", utc=True)
            index = pd.DatetimeIndex(times, name="time").round("us")
            figures = ("value",) if bucket is None else ("count", "mean", "min", "max", "sum", "first", "last")
            for figure in figures:
                name = each["datastream"] if bucket is None else (each["datastream"], figure)
                columns[name] = pd.Series(each[figure], index=index, dtype="float64")
        # Two values of one moment would not fit into one row: the last that was told counts.
        return pd.DataFrame({name: column[~column.index.duplicated(keep="last")] for name, column in columns.items()})

    def publish(
        self,
        datastream: int,
        values: "float | str | pd.Series | Iterable[tuple[Moment, Any]]",
        at: Moment | None = None,
    ) -> int:
        """Send one value, of the moment `at` (now by default), or many with their times; how many.

        What is sent again counts once. Raises Refused without a token that may write, WrongRequest naming the first
        value that was not taken: the others are.
        """
        if isinstance(values, int | float | str):
            body = {"result": values} | ({} if at is None else {"phenomenonTime": _text(at)})
            self._client.send("POST", f"{self._base}/v1.1/Datastreams({datastream})/Observations", body, headers=JSON)
            return 1
        pairs: Any = values.items() if hasattr(values, "items") else values
        rows = [[_text(time), value] for time, value in pairs]
        for first in range(0, len(rows), ROWS):
            group = {
                "Datastream": {"@iot.id": datastream},
                "components": ["phenomenonTime", "result"],
                "dataArray": rows[first : first + ROWS],
            }
            path = f"{self._base}/v1.1/CreateObservations"
            told = self._client.send("POST", path, [group], headers=JSON).json()
            refused = [each for each in told if each.startswith("error")]
            if refused:
                from twin.sdk.errors import WrongRequest

                raise WrongRequest(f"{len(refused)} of {len(told)} values were not taken; {refused[0]}")
        return len(rows)

    def enter(
        self, datastream: int, value: float, observer: str, at: Moment | None = None, note: str | None = None
    ) -> dict[str, Any]:
        """Enter a reading that somebody took by hand, of the moment `at` (now by default); the reading as it is kept.

        observer: who read it. Raises Refused without a token that may write, WrongRequest for a time to come.
        """
        body = {"datastream": datastream, "result": value, "observer": observer, "note": note}
        body |= {} if at is None else {"time": _text(at)}
        told: dict[str, Any] = self._client.send("POST", f"{self._base}/readings", body, headers=JSON).json()
        return told

    def by_hand(self, *datastreams: int, since: Moment | None = None, until: Moment | None = None) -> "pd.DataFrame":
        """Readings that were entered by hand, of the last 30 days by default: time, result, observer, note, account."""
        import pandas as pd

        span = None if since is None and until is None else f"{_text(since)}/{_text(until)}"
        asked: Parameters = {"datastream": ",".join(str(each) for each in datastreams), "datetime": span}
        return pd.DataFrame(self._client.get(f"{self._base}/readings", asked)["readings"])

    def stream(self, *datastreams: int, kind: str | None = None, filter: str | None = None) -> Iterator[dict[str, Any]]:
        """New observations as they come, for ever: dicts with datastream, time, result, id.

        filter: in the words of SensorThings, such as `result gt 3`. A broken connection is taken up where it was.
        """
        chosen = ",".join(str(each) for each in datastreams) or None
        parameters: Parameters = {"datastream": chosen, "kind": kind, "filter": filter}
        for data in self._client.events(f"{self._base}/stream", parameters):
            yield from json.loads(data)

    def ranking(self, kind: str = "rain", window: str = "1h") -> "pd.DataFrame":
        """Stations in order: by rain in a window, or by how far a level stands above its reference."""
        import pandas as pd

        asked: Parameters = {"kind": kind, "window": window, "limit": 1000}
        return pd.DataFrame(self._client.get(f"{self._base}/ranking", asked)["stations"])


class Events:
    """The events of a city, as `city.events` gives them."""

    def __init__(self, client: Client, base: str) -> None:
        self._client = client
        self._base = f"{base}/events"

    def list(self, **chosen: str | int) -> "Sequence[dict[str, Any]]":
        """Events, the newest first: what each says of itself, with its `id` and `place`.

        chosen: state, severity, kind, datetime, bbox, limit, as /events takes them. Raises WrongRequest.
        """
        return [_event(each) for each in self._client.get(self._base, chosen)["features"]]

    def get(self, event: int) -> dict[str, Any]:
        """One event with its `history`. Raises NotFound."""
        return _event(self._client.get(f"{self._base}/{event}"))

    def raise_(self, kind: str, severity: str, title: str, **more: Any) -> dict[str, Any]:
        """Raise an event; more: text, place (GeoJSON point), objects, evidence, key. Raises Refused, WrongRequest."""
        body = {"kind": kind, "severity": severity, "title": title, **more}
        return _event(self._client.send("POST", self._base, body, headers=JSON).json())

    def take(self, event: int, did: str, **more: Any) -> dict[str, Any]:
        """Do something about an event: acknowledge, assign (department, person, due_at), start, note, resolve, close.

        Raises Refused, WrongRequest where its state does not allow it.
        """
        return _event(
            self._client.send("POST", f"{self._base}/{event}/steps", {"did": did, **more}, headers=JSON).json()
        )

    def stream(self) -> Iterator[dict[str, Any]]:
        """Every step of every event as it is taken, for ever."""
        for data in self._client.events(f"{self._base}/stream", {}):
            yield json.loads(data)


def _event(feature: Mapping[str, Any]) -> dict[str, Any]:
    found = {"id": feature["id"], "place": feature["geometry"], **feature["properties"]}
    return found | ({"history": feature["history"]} if "history" in feature else {})


def _text(moment: Moment | None) -> str:
    if moment is None:
        return ".."
    return moment if isinstance(moment, str) else moment.isoformat()
