"""Places written as numbers: decimal degrees, degrees with minutes and seconds, and metres of the CGCS2000 belts."""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from pyproj import Transformer

Box = tuple[float, float, float, float]
Place = tuple[float, float]

NUMBER = r"([-+]?\d{1,10}(?:\.\d{1,15})?)"
PAIR = re.compile(
    rf"\s*[XYEN]?\s*[:=：]?\s*{NUMBER}\s*(?:[,，;；]|\s)\s*[XYEN]?\s*[:=：]?\s*{NUMBER}\s*\Z", re.IGNORECASE
)
LETTERS = "北纬|南纬|东经|西经|[NSEW]"
ANGLE = re.compile(
    rf"""\s*[,，;；]?\s*(?P<before>{LETTERS})?\s*(?P<degrees>-?\d{{1,3}}(?:\.\d{{1,15}})?)\s*[°度]?"""
    r"""\s*(?:(?P<minutes>\d{1,2}(?:\.\d{1,12})?)\s*['′’分])?\s*(?:(?P<seconds>\d{1,2}(?:\.\d{1,12})?)\s*(?:["″”秒]|''))?"""
    rf"""\s*(?P<after>{LETTERS})?(?=[\s,，;；]|[\d°]|\Z|{LETTERS})""",
    re.IGNORECASE,
)
NORTHWARD, NEGATIVE = ("N", "S", "北纬", "南纬"), ("S", "W", "南纬", "西经")
# EPSG codes of CGCS2000: 3-degree belts 25 to 45 and 6-degree zones 13 to 23 with their number before the easting, and
# 3-degree belts without it, of the meridians 75 to 135.
BELTS = {belt: 4488 + belt for belt in range(25, 46)} | {zone: 4478 + zone for zone in range(13, 24)}
MERIDIANS = {75 + 3 * i: 4534 + i for i in range(21)}
FARTHEST = 4.5
# Metres: eastings are counted from 500 km on the meridian, northings from the equator.
EASTINGS, NORTHINGS = (1e5, 9e5), (3e5, 6.2e6)
# Degrees that a place may lie beside the city.
MARGIN = 1.0


def coordinates(text: str, extent: Box | None, metric_srid: int | None = None) -> list[Place]:
    """The places that two numbers may mean, as longitude, latitude in degrees; none for any other text.

    Both orders are in use: the one that lies in `extent` (degrees) is meant, or either if that does not decide. Metres
    are of the city's own CRS (EPSG:`metric_srid`) or of a CGCS2000 belt, and only meant where they lie in the city.
    """
    named = _angles(text)
    if named is not None:
        return named
    if not (match := PAIR.match(text)):
        return []
    one, two = float(match[1]), float(match[2])
    if max(abs(one), abs(two)) > 1000:
        return _metres(one, two, extent, metric_srid)
    return _in_city([(lon, lat) for lon, lat in ((one, two), (two, one)) if abs(lon) <= 180 and abs(lat) <= 90], extent)


def _in_city(places: list[Place], extent: Box | None) -> list[Place]:
    inside = [place for place in places if _inside(place, extent, 0.0)]
    return list(dict.fromkeys(inside or places))


def _inside(place: Place, extent: Box | None, margin: float) -> bool:
    if extent is None:
        return False
    west, south, east, north = extent
    return west - margin <= place[0] <= east + margin and south - margin <= place[1] <= north + margin


def _angles(text: str) -> list[Place] | None:
    """Degrees of which one at least says which way it is counted; None for anything else."""
    first = ANGLE.match(text)
    second = ANGLE.match(text, first.end()) if first else None
    if first is None or second is None or text[second.end() :].strip():
        return None
    (one, is_north), (two, is_other_north) = _angle(first), _angle(second)
    if is_north is None and is_other_north is None:
        return None if first["minutes"] is None and "°" not in text else _either(one, two)
    if is_north is None:
        is_north = not is_other_north
    if is_north == is_other_north:
        return []
    lon, lat = (two, one) if is_north else (one, two)
    return [(lon, lat)] if abs(lon) <= 180 and abs(lat) <= 90 else []


def _either(one: float, two: float) -> list[Place]:
    """Written by hand, the latitude stands first unless it cannot be one."""
    if abs(one) <= 90 and abs(two) <= 180:
        return [(two, one)]
    return [(one, two)] if abs(one) <= 180 and abs(two) <= 90 else []


def _angle(match: re.Match[str]) -> tuple[float, bool | None]:
    letter = (match["before"] or match["after"] or "").upper()
    size = abs(float(match["degrees"])) + float(match["minutes"] or 0) / 60 + float(match["seconds"] or 0) / 3600
    negative = match["degrees"].startswith("-") or letter in NEGATIVE
    return (-size if negative else size), (letter in NORTHWARD) if letter else None


def _metres(one: float, two: float, extent: Box | None, metric_srid: int | None) -> list[Place]:
    found: dict[tuple[float, float], Place] = {}
    for easting, northing in ((one, two), (two, one)):
        for code in _codes(easting, northing, extent, metric_srid):
            place = _to_degrees(code).transform(easting, northing)
            if _inside(place, extent, MARGIN):
                # Belts of 3 and of 6 degrees share meridians.
                found.setdefault((round(place[0], 7), round(place[1], 7)), place)
    inside = [place for place in found.values() if _inside(place, extent, 0.0)]
    return inside or list(found.values())


def _codes(easting: float, northing: float, extent: Box | None, metric_srid: int | None) -> Iterable[int]:
    if metric_srid is not None:
        yield metric_srid
    if NORTHINGS[0] <= northing <= NORTHINGS[1]:
        yield from _belts(easting, extent)


def _belts(easting: float, extent: Box | None) -> Iterator[int]:
    if (belt := int(easting // 1e6)) in BELTS:
        yield BELTS[belt]
    elif EASTINGS[0] <= easting <= EASTINGS[1] and extent is not None:
        middle = (extent[0] + extent[2]) / 2
        for meridian in sorted(MERIDIANS, key=lambda each: abs(each - middle)):
            if abs(meridian - middle) <= FARTHEST:
                yield MERIDIANS[meridian]


@lru_cache(maxsize=64)
def _to_degrees(code: int) -> Transformer:
    return Transformer.from_crs(code, 4326, always_xy=True)
