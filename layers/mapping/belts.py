"""What the numbers themselves say: belts of CGCS2000 with and without their prefix, in either order of axes.

A survey table says X and Y and no more. Read as eastings and northings of each belt, its points land in one place
each; the reading that lands in the city is told, and never taken against what the file states.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import shapely
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from layers.formats import GEOMETRY, CrsUnknown, Source
from layers.mapping.batch import MappingError
from layers.mapping.ground import Box, Ground, SwappedAxes, around, label
from layers.recipe import Part

ROWS = 1000
# EPSG codes of CGCS2000 (EPSG registry): by the number that stands before the easting, and with the meridian of
# those that have none.
PREFIXED = {25 + i: 4513 + i for i in range(21)} | {13 + i: 4491 + i for i in range(11)}
PLAIN = {4534 + i: 75 + 3 * i for i in range(21)} | {4502 + i: 75 + 6 * i for i in range(11)}
# Degrees from a belt's meridian beyond which nobody uses it.
FARTHEST = 4.5
BELT = 1e6
# Eastings are counted from 500 km on the meridian, northings from the equator; China has these.
EASTINGS, NORTHINGS = (1e5, 9e5), (3e5, 6.2e6)


class CrsContradiction(MappingError):
    """A file states a CRS by which it lies elsewhere, while its numbers are those of another that lies in the city."""


@dataclass(frozen=True)
class Numbers:
    """A way to read coordinates: as `crs` (EPSG:4549), landing at lon, lat in degrees; swapped: x is the northing."""

    crs: str
    lon: float
    lat: float
    swapped: bool

    def __str__(self) -> str:
        order = ", X north and Y east" if self.swapped else ""
        return f"{label(CRS.from_user_input(self.crs))}{order}, at {self.lon:.4f} E, {self.lat:.4f} N"


def system(source: Source, part: Part, ground: Ground) -> tuple[str | None, tuple[str, ...]]:
    """The CRS of a source, stated or read from its numbers, and what the report should say of it.

    Raises CrsContradiction where the numbers speak against what is stated, SwappedAxes where they only fit with the
    axes exchanged and nobody has said so, CrsUnknown where they fit several belts.
    """
    if source.crs is not None and not _is_belt(source.crs):
        return source.crs, ()
    bounds = _bounds(source)
    if bounds is None:
        return source.crs, ()
    turned = part.axis == "yx"
    if turned:
        bounds = bounds[1], bounds[0], bounds[3], bounds[2]
    fitting = list(_readings(bounds, ground))
    if source.crs is not None:
        _check_stated(source, source.crs, bounds, fitting, ground)
        return source.crs, ()
    straight = [reading for reading in fitting if not reading.swapped]
    if len(straight) > 1:
        raise CrsUnknown(f"{source.name}: no CRS in the file, and its numbers fit several:"
                         f" {'; '.join(map(str, straight))}; name one with --crs")  # fmt: skip
    if straight:
        said = f"no CRS stated: its numbers are those of {straight[0]}; if it is 西安80 or 北京54, name that with --crs"
        return straight[0].crs, (said,)
    if fitting:
        raise SwappedAxes(
            f"{source.name}: its numbers only fit the city as {fitting[0]}; confirm that with --axis yx, or with"
            " axis: yx in a recipe"
        )
    if max(abs(bounds[0]), abs(bounds[2])) <= 180 and max(abs(bounds[1]), abs(bounds[3])) <= 90:
        raise CrsUnknown(
            f"{source.name}: no CRS in the file; name it with --crs: its numbers are degrees, EPSG:4490 if of CGCS2000,"
            " GCJ-02 or BD-09 if from a web map"
        )
    return None, ()


def _is_belt(crs: str) -> bool:
    try:
        return bool(CRS.from_user_input(crs).is_projected)
    except CRSError:
        return False


def _bounds(source: Source) -> Box | None:
    """What the first rows cover, in their own numbers."""
    batch = next(iter(source.read(ROWS)), None)
    if batch is None or not batch.num_rows:
        return None
    with np.errstate(invalid="ignore"):
        shapes = shapely.from_wkb(batch.column(GEOMETRY).to_numpy(zero_copy_only=False), on_invalid="ignore")
    points = shapely.get_coordinates(shapes)
    points = points[np.isfinite(points).all(axis=1)]
    if not points.size:
        return None
    # A single slip of the pen says nothing of the others.
    low, high = np.quantile(points, 0.05, axis=0), np.quantile(points, 0.95, axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _readings(bounds: Box, ground: Ground) -> Iterator[Numbers]:
    """Each reading that lands in the city; of two alike (3 and 6 degrees share meridians) the first."""
    west, south, east, north = bounds
    seen: set[tuple[float, float, bool]] = set()
    for swapped, (x0, y0, x1, y1) in ((False, bounds), (True, (south, west, north, east))):
        for code in sorted(_codes(x0, y0, x1, y1, ground), key=lambda code: code != ground.metric_srid):
            lon, lat = _landing(f"EPSG:{code}", (x0 + x1) / 2, (y0 + y1) / 2)
            if _here(lon, lat, ground) and (key := (round(lon, 6), round(lat, 6), swapped)) not in seen:
                seen.add(key)
                yield Numbers(f"EPSG:{code}", lon, lat, swapped)


def _codes(x0: float, y0: float, x1: float, y1: float, ground: Ground) -> Iterator[int]:
    if not (NORTHINGS[0] <= y0 and y1 <= NORTHINGS[1]):
        return
    belt = int(x0 // BELT)
    if belt == int(x1 // BELT) and belt in PREFIXED:
        yield PREFIXED[belt]
    elif EASTINGS[0] <= x0 and x1 <= EASTINGS[1]:
        box = _box(ground)
        lon = (box[0] + box[2]) / 2 if box else 0.0
        yield from (code for code, meridian in PLAIN.items() if abs(meridian - lon) <= FARTHEST)


@lru_cache(maxsize=64)
def _to_degrees(crs: str) -> Transformer:
    return Transformer.from_crs(crs, "EPSG:4326", always_xy=True)


def _landing(crs: str, x: float, y: float) -> tuple[float, float]:
    # Where it lies to a hundred metres is enough to tell one belt from the next.
    lon, lat = _to_degrees(crs).transform(x, y)
    return float(lon), float(lat)


def _here(lon: float, lat: float, ground: Ground) -> bool:
    box = _box(ground)
    return box is not None and box[0] <= lon <= box[2] and box[1] <= lat <= box[3]


def _box(ground: Ground) -> Box | None:
    """Where the city may lie, in degrees."""
    area = ground.metric.area_of_use
    return around(ground.extent, ground.reach_km) or (area.bounds if area else None)


def _check_stated(source: Source, crs: str, bounds: Box, fitting: list[Numbers], ground: Ground) -> None:
    x, y = (bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2
    lon, lat = _landing(crs, x, y)
    straight = [reading for reading in fitting if not reading.swapped]
    if _here(lon, lat, ground) or not straight:
        return
    place = f"at {lon:.4f} E, {lat:.4f} N, not in the city" if np.isfinite(lon) else "nowhere on earth"
    raise CrsContradiction(
        f"{source.name}: it states {label(CRS.from_user_input(crs))}, by which x {x:.2f}, y {y:.2f} lies {place};"
        f" but these are the numbers of {straight[0]}, in the city; ask who made it, and name the right one with --crs"
    )
