"""A recorded pan-zoom session: which web tiles a planner's browser asks for, in order, from z8 to z18."""

import math
from dataclasses import dataclass
from itertools import pairwise

# A window of 1440 x 900 pixels on tiles of 512 pixels, as MapLibre draws vector tiles.
HALF_COLUMNS, HALF_ROWS = 1440 / 512 / 2, 900 / 512 / 2
# Stops of the session: zoom, and east and north of the centre in kilometres.
STOPS = [
    (8, 0.0, 0.0),
    (10, 0.0, 0.0),
    (12, 0.0, 0.0),
    (13, 1.5, 0.5),
    (14, 1.5, 0.5),
    (14, -1.0, -1.0),
    (15, -1.0, -1.0),
    (15, 1.0, 0.0),
    (16, 0.4, 0.2),
    (16, -0.4, -0.3),
    (17, 0.0, 0.0),
    (18, 0.1, 0.1),
    (15, 0.0, 0.0),
    (11, 0.0, 0.0),
]
STEPS = 3
METRES_PER_DEGREE = 111_320.0


@dataclass(frozen=True)
class Address:
    """A tile of WebMercatorQuad."""

    z: int
    x: int
    y: int


def session(longitude: float, latitude: float) -> list[Address]:
    """Tiles in the order a viewer asks for them, each once, as its own cache keeps those it has."""
    asked: dict[Address, None] = {}
    for start, end in pairwise(STOPS):
        for step in range(STEPS + 1):
            zoom, east, north = (a + (b - a) * step / STEPS for a, b in zip(start, end, strict=True))
            lon = longitude + east * 1000 / (METRES_PER_DEGREE * math.cos(math.radians(latitude)))
            lat = latitude + north * 1000 / METRES_PER_DEGREE
            asked |= dict.fromkeys(window(lon, lat, math.floor(zoom)))
    return list(asked)


def window(longitude: float, latitude: float, zoom: int) -> list[Address]:
    """The tiles that a window centred on a place shows at an integer zoom."""
    x, y = position(longitude, latitude, zoom)
    limit = 2**zoom - 1
    columns = range(max(0, math.floor(x - HALF_COLUMNS)), min(limit, math.floor(x + HALF_COLUMNS)) + 1)
    rows = range(max(0, math.floor(y - HALF_ROWS)), min(limit, math.floor(y + HALF_ROWS)) + 1)
    return [Address(zoom, column, row) for row in rows for column in columns]


def covering(west: float, south: float, east: float, north: float, zoom: int) -> list[Address]:
    """All tiles of a zoom that touch a box in degrees."""
    left, bottom = position(west, south, zoom)
    right, top = position(east, north, zoom)
    return [
        Address(zoom, x, y)
        for y in range(math.floor(top), math.floor(bottom) + 1)
        for x in range(math.floor(left), math.floor(right) + 1)
    ]


def position(longitude: float, latitude: float, zoom: int) -> tuple[float, float]:
    """Column and row, with fractions, of a place at a zoom."""
    sine = math.sin(math.radians(latitude))
    x = (longitude + 180) / 360
    y = 0.5 - math.log((1 + sine) / (1 - sine)) / (4 * math.pi)
    return x * 2**zoom, y * 2**zoom
