"""Ways on a city's roads: areas reached in some minutes, routes, and car parks by the time to drive there."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import geopandas
    import pandas as pd

    from twin.sdk.client import Client

Place = tuple[float, float]
PARKING = (
    "name", "name_en", "seconds", "capacity", "state", "free", "time", "datastream", "method", "forecast", "geometry"
)  # fmt: skip


def isochrone(
    client: "Client",
    base: str,
    place: Place,
    minutes: Sequence[float],
    parameters: Mapping[str, str | int | None],
) -> "geopandas.GeoDataFrame":
    """A frame of polygons in longitude and latitude, the largest time first: minutes, mode, km2."""
    import geopandas

    asked = {"coords": point(place), "minutes": ",".join(f"{each:g}" for each in minutes), **parameters}
    found = client.get(f"{base}/traffic/isochrones", given(asked))
    return geopandas.GeoDataFrame.from_features(found["features"], crs="OGC:CRS84")


def route(
    client: "Client", base: str, begin: Place, end: Place, parameters: Mapping[str, str | int | None]
) -> dict[str, Any]:
    """A GeoJSON feature: the line, and under properties seconds, metres and the streets in turn."""
    asked = {"from": point(begin), "to": point(end), **parameters}
    found: dict[str, Any] = client.get(f"{base}/traffic/route", given(asked))
    return found


def travel_times(
    client: "Client",
    base: str,
    origins: Sequence[Place] | None,
    destinations: Sequence[Place] | None,
    parameters: Mapping[str, str | int | None],
) -> "pd.DataFrame":
    """Seconds as a frame, NaN where no way leads; without origins between the areas that the parameters name."""
    import pandas as pd

    path = f"{base}/traffic/matrix"
    if origins is None:
        found = client.get(path, given(parameters))
    else:
        places = {"origins": origins} | ({} if destinations is None else {"destinations": destinations})
        body = {name: [list(place) for place in each] for name, each in places.items()}
        kind = {"Content-Type": "application/json"}
        found = client.send("POST", path, body, given({**parameters, "areas": None}), kind).json()
    names = [[place["id"] for place in found[side]] for side in ("origins", "destinations")]
    return pd.DataFrame(found["seconds"], index=names[0], columns=names[1], dtype="float64")


def trip_users(client: "Client", base: str, parameters: Mapping[str, str | int | None]) -> "geopandas.GeoDataFrame":
    """A frame of lines in longitude and latitude, the greatest volume first."""
    import geopandas

    found = client.get(f"{base}/traffic/users", given(parameters))
    frame = geopandas.GeoDataFrame.from_features(found["features"], crs="OGC:CRS84", columns=["geometry", "volume"])
    frame.attrs = {"volume": found["volume"], "pairs": found["pairs"]}
    return frame


def parking(client: "Client", base: str, place: Place, limit: int) -> "geopandas.GeoDataFrame":
    """A frame of points in longitude and latitude, the soonest reached first."""
    import geopandas

    found = client.get(f"{base}/traffic/parking", {"coords": point(place), "limit": limit})
    return geopandas.GeoDataFrame.from_features(found["features"], crs="OGC:CRS84", columns=PARKING)


def point(place: Place) -> str:
    """Longitude and latitude as the server reads them."""
    return f"POINT({place[0]:.7f} {place[1]:.7f})"


def given(parameters: Mapping[str, str | int | None]) -> dict[str, str | int]:
    """Those that have a value."""
    return {name: value for name, value in parameters.items() if value is not None}
