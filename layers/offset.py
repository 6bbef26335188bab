"""GCJ-02 and BD-09: the shifted coordinates of Chinese web maps, turned back into WGS 84.

GCJ-02 is longitude and latitude moved by up to 700 m along a sum of sines (known from the code that devices ship; the
formula is the one that eviltransform and coordtransform publish). BD-09 moves GCJ-02 once more. Both can be read here,
and are never stored or written.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SYSTEMS = ("GCJ-02", "BD-09")
# The ellipsoid of the published formula: Krasovsky 1940.
A, ECCENTRICITY = 6_378_245.0, 0.006_693_421_622_965_943
BD_TURN = np.pi * 3000.0 / 180.0
BD_EAST, BD_NORTH = 0.0065, 0.006
# Beyond this box the shift is nil (west, south, east, north).
CHINA = (72.004, 0.8293, 137.8347, 55.8271)
# The shift changes by less than a thousandth of itself over its own length: five rounds reach a micrometre.
ROUNDS = 6


def to_wgs84(system: str, lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Longitude and latitude in degrees, of GCJ-02 or BD-09, in WGS 84; within a millimetre of the forward formula."""
    if system == "BD-09":
        lon, lat = _bd09_to_gcj02(lon, lat)
    east, north = lon, lat
    for _ in range(ROUNDS):
        shifted_east, shifted_north = to_gcj02(east, north)
        east, north = east - (shifted_east - lon), north - (shifted_north - lat)
    return east, north


def to_gcj02(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """WGS 84 as GCJ-02 shows it; outside of China as it is."""
    x, y = lon - 105.0, lat - 35.0
    waves = 20.0 * np.sin(6.0 * x * np.pi) + 20.0 * np.sin(2.0 * x * np.pi)
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * np.sqrt(np.abs(x))
    north = north + (waves + _waves(y, 20.0, 40.0) + _slow(y, 160.0, 320.0, 12.0, 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * np.sqrt(np.abs(x))
    east = east + (waves + _waves(x, 20.0, 40.0) + _slow(x, 150.0, 300.0, 12.0, 30.0)) * 2.0 / 3.0
    sine = np.sin(np.radians(lat))
    squared = 1.0 - ECCENTRICITY * sine * sine
    meridian = A * (1.0 - ECCENTRICITY) / (squared * np.sqrt(squared))
    parallel = A / np.sqrt(squared) * np.cos(np.radians(lat))
    inside = (lon >= CHINA[0]) & (lon <= CHINA[2]) & (lat >= CHINA[1]) & (lat <= CHINA[3])
    return (
        np.where(inside, lon + np.degrees(east / parallel), lon),
        np.where(inside, lat + np.degrees(north / meridian), lat),
    )


def to_bd09(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """WGS 84 as BD-09 shows it."""
    x, y = to_gcj02(lon, lat)
    radius = np.hypot(x, y) + 2e-5 * np.sin(y * BD_TURN)
    angle = np.arctan2(y, x) + 3e-6 * np.cos(x * BD_TURN)
    return radius * np.cos(angle) + BD_EAST, radius * np.sin(angle) + BD_NORTH


def _bd09_to_gcj02(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    x, y = lon - BD_EAST, lat - BD_NORTH
    radius = np.hypot(x, y) - 2e-5 * np.sin(y * BD_TURN)
    angle = np.arctan2(y, x) - 3e-6 * np.cos(x * BD_TURN)
    return radius * np.cos(angle), radius * np.sin(angle)


def _waves(value: Floats, first: float, second: float) -> Floats:
    return first * np.sin(value * np.pi) + second * np.sin(value / 3.0 * np.pi)


def _slow(value: Floats, first: float, second: float, one: float, other: float) -> Floats:
    return first * np.sin(value / one * np.pi) + second * np.sin(value / other * np.pi)
