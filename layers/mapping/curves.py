"""Circular arcs as straight lines, for GEOS holds none: 32 chords a quadrant, as PostGIS's ST_CurveToLine draws them.

A chord leaves its arc by 0.03 % of the radius at most: 3 cm of 100 m.
"""

import math
import struct
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, MultiLineString, MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from layers.mapping.surface import EWKB_M, EWKB_SRID, EWKB_Z, geometry_code

CHORD = math.pi / 2 / 32
# Codes of OGC 06-103r4, table 7.
LINE, POLYGON = 2, 3
ARC, COMPOUND, CURVE_POLYGON, MULTICURVE, MULTISURFACE = range(8, 13)

Points = NDArray[np.float64]


class _Unreadable(ValueError):
    """Bytes that are no curve, or not as many as they say."""


def has_arcs(wkb: bytes | None) -> bool:
    """Whether a geometry is of a kind that may have arcs, by its code."""
    return wkb is not None and len(wkb) > 4 and ARC <= geometry_code(_code(wkb, 0))[0] <= MULTISURFACE


def straightened(wkb: bytes) -> bytes | None:
    """WKB (OGC or EWKB) of a kind with arcs, as lines; Z is kept and M left out. None for what cannot be read."""
    try:
        straight: bytes = shapely.to_wkb(_Reader(wkb).shape(0)[0])
    except (ValueError, struct.error, shapely.GEOSException):
        return None
    return straight


def _code(wkb: bytes, at: int) -> int:
    code: int = struct.unpack_from("<I" if wkb[at] == 1 else ">I", wkb, at + 1)[0]
    return code


@dataclass
class _Reader:
    """Reads geometries one after another from bytes."""

    wkb: bytes

    def shape(self, at: int) -> tuple[BaseGeometry, int]:
        """The geometry that begins at a byte, and where it ends."""
        code = self._head(at).code
        if code in (MULTICURVE, MULTISURFACE):
            return self._many(at)
        if code in (POLYGON, CURVE_POLYGON):
            return self._polygon(at)
        points, at = self._curve(at)
        return LineString(points), at

    def _many(self, at: int) -> tuple[BaseGeometry, int]:
        head = self._head(at)
        count, at = self._number(head.end)
        curves, surfaces = [], []
        for _ in range(count):
            # Of single ones only: nothing unfolds without an end.
            if self._head(at).code in (POLYGON, CURVE_POLYGON):
                part, at = self._polygon(at)
                surfaces.append(part)
            else:
                points, at = self._curve(at)
                curves.append(LineString(points))
        return MultiPolygon(surfaces) if head.code == MULTISURFACE else MultiLineString(curves), at

    def _polygon(self, at: int) -> tuple[Polygon, int]:
        head = self._head(at)
        count, at = self._number(head.end)
        rings = []
        for _ in range(count):
            ring, at = self._coordinates(at, head) if head.code == POLYGON else self._curve(at)
            rings.append(ring)
        return Polygon(rings[0], rings[1:]) if rings else Polygon(), at

    def _curve(self, at: int, *, within: bool = False) -> tuple[Points, int]:
        """The points of a line, an arc string, or of several of both joined end to end."""
        head = self._head(at)
        if head.code == COMPOUND and not within:
            return self._joined(head.end)
        if head.code not in (LINE, ARC):
            raise _Unreadable
        points, at = self._coordinates(head.end, head)
        return (_along(points) if head.code == ARC else points), at

    def _joined(self, at: int) -> tuple[Points, int]:
        count, at = self._number(at)
        parts: list[Points] = []
        for _ in range(count):
            part, at = self._curve(at, within=True)
            # Each begins where the one before it ends.
            parts.append(part[1:] if parts else part)
        if not parts:
            raise _Unreadable
        return np.concatenate(parts), at

    def _head(self, at: int) -> "_Head":
        if at + 5 > len(self.wkb):
            raise _Unreadable
        code, flags, dimensions = geometry_code(_code(self.wkb, at))
        has_z = bool(flags & EWKB_Z) or flags & ~(EWKB_Z | EWKB_M | EWKB_SRID) in (1000, 3000)
        return _Head(code, dimensions, has_z, at + (9 if flags & EWKB_SRID else 5))

    def _number(self, at: int) -> tuple[int, int]:
        # All parts of a geometry are of one byte order; GDAL and PostGIS write it so.
        return struct.unpack_from("<I" if self.wkb[0] == 1 else ">I", self.wkb, at)[0], at + 4

    def _coordinates(self, at: int, head: "_Head") -> tuple[Points, int]:
        count, at = self._number(at)
        end = at + count * head.dimensions * 8
        if end > len(self.wkb):
            raise _Unreadable
        flat = np.frombuffer(self.wkb, "<f8" if self.wkb[0] == 1 else ">f8", count * head.dimensions, at)
        return flat.reshape(count, head.dimensions)[:, : 3 if head.has_z else 2].astype(np.float64), end


@dataclass(frozen=True)
class _Head:
    """How a geometry begins. dimensions: ordinates of a point. end: the byte behind it."""

    code: int
    dimensions: int
    has_z: bool
    end: int


def _along(points: Points) -> Points:
    """Points along arcs that share their ends; each is told by its begin, a point on it, and its end."""
    if len(points) < 3 or len(points) % 2 == 0:
        raise _Unreadable
    arcs = [_arc(*points[at : at + 3]) for at in range(0, len(points) - 2, 2)]
    return np.concatenate([points[:1], *arcs])


def _arc(begin: Points, middle: Points, end: Points) -> Points:
    """Points of one arc behind its begin. One that ends where it begins is a circle, opposite to its middle."""
    a, b = middle[:2] - begin[:2], end[:2] - begin[:2]
    is_circle = not b.any()
    cross = a[0] * b[1] - a[1] * b[0]
    if not is_circle and abs(cross) <= 1e-12 * np.hypot(*a) * np.hypot(*b):
        return np.stack([middle, end])
    if is_circle:
        centre, turn = a / 2, 2 * math.pi
    else:
        centre = np.array([b[1] * (a @ a) - a[1] * (b @ b), a[0] * (b @ b) - b[0] * (a @ a)]) / (2 * cross)
        turn = (math.atan2(*(b - centre)[::-1]) - math.atan2(*-centre[::-1])) % (2 * math.pi)
        # Clockwise where the middle lies to the left of the way from begin to end.
        turn -= 2 * math.pi if cross < 0 else 0
    share = np.linspace(0, 1, max(2, math.ceil(abs(turn) / CHORD)) + 1)[1:]
    angles = math.atan2(*-centre[::-1]) + turn * share
    drawn = np.empty((share.size, begin.size))
    drawn[:, :2] = begin[:2] + centre + np.hypot(*centre) * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    drawn[:, 2:] = begin[2:] + share[:, None] * (end - begin)[2:]
    drawn[-1] = end
    return drawn
