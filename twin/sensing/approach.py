"""How near a typhoon is and comes to a place, and how it is drawn: track, forecasts, reach of the wind, as GeoJSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import numpy as np
from pyproj import Geod

from twin.sensing.typhoons import Position, Typhoon

WGS84 = Geod(ellps="WGS84")
Place = tuple[float, float]
# Between two positions, hours apart, the way is looked at this often.
STEPS = 24
# Vertices of a quarter of a wind circle.
ARC = 16
HOUR = 3600.0


@dataclass(frozen=True)
class Nearest:
    """Where a way comes nearest to a place."""

    distance_km: float
    at: datetime

    def told(self, now: datetime) -> dict[str, Any]:
        """As clients read it; hours: from `now` on, negative if it is past."""
        hours = (self.at - now).total_seconds() / HOUR
        return {"distance_km": round(self.distance_km, 1), "at": _text(self.at), "hours": round(hours, 1)}


def distance_km(first: Place, second: Place) -> float:
    """Along the ellipsoid."""
    return float(WGS84.inv(*first, *second)[2]) / 1000


def nearest(points: Sequence[Position], place: Place) -> Nearest:
    """The nearest approach of a way through positions, geodesics at an even pace between them."""
    lons, lats, times = _way(points)
    _, _, metres = WGS84.inv(lons, lats, np.full_like(lons, place[0]), np.full_like(lats, place[1]))
    best = int(np.argmin(metres))
    return Nearest(float(metres[best]) / 1000, datetime.fromtimestamp(float(times[best]), UTC))


def summary(typhoon: Typhoon, place: Place) -> dict[str, Any]:
    """Where a typhoon is, how far from a place, and by each agency how near it comes and when."""
    last = typhoon.points[-1]
    return {
        "id": typhoon.id,
        "name": {"zh": typhoon.name_zh, "en": typhoon.name_en},
        "simulated": typhoon.simulated,
        "source": typhoon.source,
        "position": _position(last, place),
        "place": list(place),
        "nearest": [
            {"agency": each.agency, "issued_at": _text(each.issued_at)}
            | nearest(_ahead(last, each.points), place).told(last.at)
            for each in typhoon.newest_forecasts
        ],
    }


def features(typhoon: Typhoon, place: Place) -> list[dict[str, Any]]:
    """GeoJSON features, each with its `role`: track, position, wind, forecast, forecast_position."""
    last = typhoon.points[-1]
    found = [_line("track", typhoon.points, {"typhoon": typhoon.id})]
    found += [_feature("position", _point(each), _position(each, place)) for each in typhoon.points]
    for force, radii in sorted(last.radii.items(), key=lambda item: -max(item[1])):
        told = {"force": int(force[1:]), "at": _text(last.at), "radii_km": list(radii)}
        if max(radii) > 0:
            found.append(_feature("wind", wind_area(last, radii), told))
    for forecast in typhoon.newest_forecasts:
        ahead = _ahead(last, forecast.points)
        by = {"agency": forecast.agency, "issued_at": _text(forecast.issued_at)}
        found.append(_line("forecast", ahead, by | {"nearest": nearest(ahead, place).told(last.at)}))
        for each in ahead[1:]:
            hours = round((each.at - last.at).total_seconds() / HOUR, 1)
            found.append(_feature("forecast_position", _point(each), by | _position(each, place) | {"hours": hours}))
    return found


def wind_area(centre: Position, radii: Sequence[float]) -> dict[str, Any]:
    """The area that a wind force reaches: four quarters of circles, radii in km to NE, SE, SW, NW."""
    ring: list[list[float]] = []
    for quarter, radius in enumerate(radii):
        for azimuth in np.linspace(quarter * 90.0, quarter * 90.0 + 90.0, ARC).tolist():
            lon, lat, _ = WGS84.fwd(centre.lon, centre.lat, azimuth, radius * 1000)
            ring.append([round(lon, 5), round(lat, 5)])
    # Counter-clockwise from outside (RFC 7946, 3.1.6): azimuths run the other way.
    ring.append(ring[0])
    return {"type": "Polygon", "coordinates": [ring[::-1]]}


def _ahead(last: Position, points: Sequence[Position]) -> list[Position]:
    """A forecast from where the typhoon is now."""
    return [last, *(each for each in points if each.at > last.at)]


def _way(points: Sequence[Position]) -> tuple[Any, Any, Any]:
    lons, lats, times = [points[0].lon], [points[0].lat], [points[0].at.timestamp()]
    for first, second in pairwise(points):
        between = WGS84.npts(first.lon, first.lat, second.lon, second.lat, STEPS - 1)
        lons += [*(each[0] for each in between), second.lon]
        lats += [*(each[1] for each in between), second.lat]
        times += np.linspace(first.at.timestamp(), second.at.timestamp(), STEPS + 1)[1:].tolist()
    return np.array(lons), np.array(lats), np.array(times)


def _position(each: Position, place: Place) -> dict[str, Any]:
    return {
        "at": _text(each.at),
        "lon": each.lon,
        "lat": each.lat,
        "wind_ms": each.wind_ms,
        "pressure_hpa": each.pressure_hpa,
        "grade": each.grade,
        "radii_km": {name: list(four) for name, four in each.radii.items()},
        "distance_km": round(distance_km((each.lon, each.lat), place), 1),
    }


def _line(role: str, points: Sequence[Position], properties: dict[str, Any]) -> dict[str, Any]:
    places = [[each.lon, each.lat] for each in points]
    # A line has two places; a typhoon that was just born has one.
    return _feature(role, {"type": "LineString", "coordinates": places * (2 if len(places) == 1 else 1)}, properties)


def _point(each: Position) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [each.lon, each.lat]}


def _feature(role: str, geometry: dict[str, Any], properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": {"role": role} | properties}


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
