"""What is taken for a road whose data do not tell: speed, lanes and capacity by class, and a country's habits."""

from typing import NamedTuple


class RoadClass(NamedTuple):
    """Defaults of a class. lanes: of one direction. lane_capacity: pcu/h of a lane that waits at no signal."""

    speed_kmh: float
    lanes: float
    lane_capacity: float
    signals: bool


# Speeds are those of CJJ 37-2012 (design of urban roads, table 3.2.1) or below; capacities of a lane are its
# design capacities for that speed (tables 4.2.2 and 4.3.1).
CLASSES = {
    "motorway": RoadClass(100, 2, 2000, False),
    "motorway_link": RoadClass(50, 1, 1350, False),
    "trunk": RoadClass(80, 2, 1750, False),
    "trunk_link": RoadClass(40, 1, 1300, False),
    "primary": RoadClass(60, 2, 1400, True),
    "primary_link": RoadClass(40, 1, 1300, True),
    "secondary": RoadClass(50, 1, 1350, True),
    "secondary_link": RoadClass(40, 1, 1300, True),
    "tertiary": RoadClass(40, 1, 1300, True),
    "tertiary_link": RoadClass(30, 1, 1300, True),
    "unclassified": RoadClass(40, 1, 1300, True),
    "residential": RoadClass(30, 1, 1300, True),
    "road": RoadClass(30, 1, 1300, True),
    "service": RoadClass(20, 1, 1100, True),
    "living_street": RoadClass(20, 1, 1100, True),
}
# Classes of the city model that no car uses.
NOT_FOR_CARS = frozenset({"pedestrian", "footway", "cycleway", "path", "track", "steps", "bridleway", "construction"})
UNKNOWN = CLASSES["road"]
# Speeds where the law or habit differs, km/h. Inside built-up areas: France, Code de la route R413-3, 50, dual
# carriageways 110, motorways 130; Germany, StVO paragraph 3, 50, walking pace in living streets.
NATIONAL_KMH: dict[str, dict[str, float]] = {
    "CN": {},
    "FR": {"motorway": 130, "trunk": 110, "primary": 50, "tertiary": 50, "unclassified": 50, "residential": 50},
    "DE": {"motorway": 120, "trunk": 100, "primary": 50, "tertiary": 50, "unclassified": 50, "living_street": 7},
}
# Share of an hour that a signal is green for a direction; what a street with signals lets through of its capacity.
GREEN_SHARE = 0.5
MILE_KM = 1.609344
SLOWEST_KMH, FASTEST_KMH = 1.0, 200.0


def speed_kmh(value: object) -> float | None:
    """A speed from a number (km/h) or a text as in OpenStreetMap ("50", "30 mph", "50 km/h"); None if it is neither."""
    if value is None:
        return None
    words = str(value).lower().replace("km/h", " ").replace("kmh", " ").split()
    factor = 1.0
    if words and (words[-1] == "mph" or words[-1].endswith("mph")):
        words[-1] = words[-1].removesuffix("mph")
        factor = MILE_KM
    try:
        found = float(" ".join(words).strip()) * factor
    except ValueError:
        return None
    return found if SLOWEST_KMH <= found <= FASTEST_KMH else None


def lane_capacity(kind: RoadClass) -> float:
    """pcu/h of a lane, signals counted in."""
    return kind.lane_capacity * (GREEN_SHARE if kind.signals else 1.0)
