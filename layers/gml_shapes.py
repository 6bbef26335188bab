"""Geometries in GML (OGC 07-036; 03-105r1; 02-069), as they stand in filters, read into the GeoJSON of CQL2."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from layers.crs import Box
from layers.filter_shapes import in_degrees
from layers.filters import Filter, FilterError
from layers.srs_name import SrsName, parse_srs_name
from layers.xml import Element, children, local, words

Points = list[list[float]]
MOST_POINTS = 200_000


@dataclass(frozen=True)
class Inherited:
    """What a geometry takes from the one around it: CRS and number of coordinates of a position."""

    srs: SrsName
    dimension: int


def read_shape(element: Element, default: SrsName) -> dict[str, Any]:
    """A GML geometry or envelope as a node of a CQL2 tree, in longitude and latitude.

    default: the CRS of one that names none. Raises FilterError, UnknownCrs, NoWay.
    """
    inherited = _inherited(element, Inherited(default, 2))
    reader = READERS.get(local(element))
    if reader is None:
        raise FilterError(f"filter: {local(element)[:60]} is no GML geometry; there are {', '.join(READERS)}")
    node = reader(element, inherited)
    return dict(in_degrees(Filter(node), inherited.srs.crs).tree)


def is_shape_element(element: Element) -> bool:
    return local(element) in READERS


def _inherited(element: Element, around: Inherited) -> Inherited:
    name, dimension = element.get("srsName"), element.get("srsDimension")
    if dimension not in (None, "2", "3"):
        raise FilterError(f"filter: srsDimension={dimension[:20]!r}: positions have 2 or 3 coordinates")
    return Inherited(around.srs if name is None else parse_srs_name(name), int(dimension or around.dimension))


# --- positions


def _positions(element: Element, around: Inherited) -> Points:
    """The positions below an element, in the CRS's own order of axes; heights are left out."""
    inherited = _inherited(element, around)
    found: Points = []
    for child in element:
        name = local(child)
        if name in ("pos", "posList", "lowerCorner", "upperCorner"):
            given = _inherited(child, inherited)
            found += _grouped(_numbers(words(child).split()), given.dimension)
        elif name == "coordinates":
            found += _coordinates(child)
        elif name in ("pointProperty", "Point", "pointRep"):
            found += _positions(child, inherited)
    if len(found) > MOST_POINTS:
        raise FilterError(f"filter: a geometry of more than {MOST_POINTS} positions; simplify it")
    return [_official(point, inherited.srs) for point in found]


def _numbers(texts: list[str]) -> list[float]:
    try:
        numbers = [float(text) for text in texts]
    except ValueError:
        raise FilterError("filter: a position is no list of numbers") from None
    if not all(map(math.isfinite, numbers)):
        raise FilterError("filter: a coordinate is out of range")
    return numbers


def _grouped(numbers: list[float], dimension: int) -> Points:
    if len(numbers) % dimension:
        raise FilterError(f"filter: {len(numbers)} numbers are no positions of {dimension} coordinates")
    return [numbers[i : i + 2] for i in range(0, len(numbers), dimension)]


def _coordinates(element: Element) -> Points:
    """GML 2's text of tuples, whose separators may be named."""
    between, within, point = element.get("ts", " "), element.get("cs", ","), element.get("decimal", ".")
    text = words(element)
    tuples = text.split() if not between.strip() else text.split(between)
    found = [_numbers([part.replace(point, ".") for part in each.split(within or None)]) for each in tuples]
    if not all(len(numbers) in (2, 3) for numbers in found):
        raise FilterError("filter: a tuple of coordinates has two or three numbers")
    return [numbers[:2] for numbers in found]


def _official(point: list[float], srs: SrsName) -> list[float]:
    return [point[1], point[0]] if srs.crs.north_first and srs.east_first else point


# --- geometries


def _box(element: Element, around: Inherited) -> dict[str, Any]:
    points = _positions(element, around)
    if len(points) != 2:
        # GML 2 and 3 also let a box be two coord elements or two points.
        raise FilterError(f"filter: {local(element)} takes a lower and an upper corner")
    (one, two), (three, four) = points
    corners: Box = (one, two, three, four)
    return {"bbox": list(corners)}


def _point(element: Element, around: Inherited) -> dict[str, Any]:
    points = _positions(element, around)
    if len(points) != 1:
        raise FilterError("filter: Point takes one position")
    return {"type": "Point", "coordinates": points[0]}


def _line(element: Element, around: Inherited) -> dict[str, Any]:
    return {"type": "LineString", "coordinates": _at_least(2, _positions(element, around), element)}


def _curve(element: Element, around: Inherited) -> dict[str, Any]:
    """A curve of straight segments; the one after begins where the one before ends."""
    inherited = _inherited(element, around)
    points: Points = []
    for segment in (each for part in children(element, "segments") for each in part):
        if local(segment) != "LineStringSegment":
            raise FilterError(f"filter: {local(segment)[:60]} is not read; curves are of LineStringSegment")
        further = _positions(segment, inherited)
        points += further[1:] if points and further[:1] == points[-1:] else further
    return {"type": "LineString", "coordinates": _at_least(2, points, element)}


def _polygon(element: Element, around: Inherited) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": _rings(element, _inherited(element, around))}


def _rings(element: Element, inherited: Inherited) -> list[Points]:
    outer = children(element, "exterior", "outerBoundaryIs")
    inner = children(element, "interior", "innerBoundaryIs")
    if len(outer) != 1:
        raise FilterError(f"filter: {local(element)} takes one exterior")
    return [_ring(boundary, inherited) for boundary in (*outer, *inner)]


def _ring(boundary: Element, inherited: Inherited) -> Points:
    rings = children(boundary, "LinearRing")
    if len(rings) != 1:
        raise FilterError(f"filter: {local(boundary)} takes one LinearRing")
    return _at_least(4, _positions(rings[0], inherited), rings[0])


def _surface(element: Element, around: Inherited) -> dict[str, Any]:
    inherited = _inherited(element, around)
    patches = [each for part in children(element, "patches", "polygonPatches") for each in part]
    if not patches or any(local(patch) not in ("PolygonPatch", "Rectangle") for patch in patches):
        raise FilterError("filter: surfaces are of PolygonPatch")
    rings = [_rings(patch, inherited) for patch in patches]
    if len(rings) == 1:
        return {"type": "Polygon", "coordinates": rings[0]}
    return {"type": "MultiPolygon", "coordinates": rings}


def _several(kind: str) -> Callable[[Element, Inherited], dict[str, Any]]:
    """A reader of a collection whose parts are all of one kind, or of any for GeometryCollection."""

    def read(element: Element, around: Inherited) -> dict[str, Any]:
        inherited = _inherited(element, around)
        parts = [
            _part(part, inherited)
            for member in element
            if local(member).endswith(("Member", "Members"))
            for part in member
        ]
        if not parts:
            raise FilterError(f"filter: {local(element)} has no members")
        if kind == "GeometryCollection":
            return {"type": kind, "geometries": parts}
        single = kind.removeprefix("Multi")
        flat = [p for part in parts for p in ([part] if part["type"] == single else _parts(part))]
        if any(part["type"] != single for part in flat):
            raise FilterError(f"filter: {local(element)} holds each a {single}")
        return {"type": kind, "coordinates": [part["coordinates"] for part in flat]}

    return read


def _part(element: Element, inherited: Inherited) -> dict[str, Any]:
    reader = READERS.get(local(element))
    if reader is None or reader is _box:
        raise FilterError(f"filter: {local(element)[:60]} is no part of a geometry")
    return reader(element, _inherited(element, inherited))


def _parts(node: dict[str, Any]) -> list[dict[str, Any]]:
    if not node["type"].startswith("Multi"):
        return [node]
    return [{"type": node["type"].removeprefix("Multi"), "coordinates": each} for each in node["coordinates"]]


def _at_least(count: int, points: Points, element: Element) -> Points:
    if len(points) < count:
        raise FilterError(f"filter: {local(element)} takes at least {count} positions")
    return points


READERS: dict[str, Callable[[Element, Inherited], dict[str, Any]]] = {
    "Envelope": _box,
    "Box": _box,
    "Point": _point,
    "LineString": _line,
    "LinearRing": _line,
    "Curve": _curve,
    "Polygon": _polygon,
    "Surface": _surface,
    "MultiPoint": _several("MultiPoint"),
    "MultiLineString": _several("MultiLineString"),
    "MultiCurve": _several("MultiLineString"),
    "MultiPolygon": _several("MultiPolygon"),
    "MultiSurface": _several("MultiPolygon"),
    "MultiGeometry": _several("GeometryCollection"),
}
