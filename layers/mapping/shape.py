"""Geometry for the city: read, made 2D, transformed, fitted to the theme's type, repaired where it is not valid.

Work is done on whole batches; only what is broken is looked at one by one. Z of footprints is dropped, since a theme
holds 2D geometry; 3D surfaces keep theirs in a column of their own, in the source's CRS.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray
from pyproj import Geod
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from cim_models.theme import GeometryType
from layers.mapping.batch import Verdict
from layers.mapping.curves import has_arcs, straightened
from layers.mapping.ground import Placement
from layers.mapping.surface import faces_as_multipolygon, polygons, to_footprints
from layers.recipe import Part

Shapes = NDArray[Any]
Floats = NDArray[np.float64]
# Row index to what was wrong, and the change of area in m2.
Repairs = dict[int, tuple[str, float | None]]

POINT, LINE, RING, POLYGON, MULTIPOINT, MULTILINE, MULTIPOLYGON, COLLECTION = range(8)
FITTING: dict[GeometryType, tuple[int, ...]] = {
    "Point": (POINT, MULTIPOINT),
    "LineString": (LINE, MULTILINE),
    "MultiPolygon": (POLYGON, MULTIPOLYGON),
    "Geometry": (POINT, LINE, POLYGON, MULTIPOINT, MULTILINE, MULTIPOLYGON),
}
GEOD = Geod(ellps="GRS80")
# The longest coastline of a province has some hundred thousand; to repair more takes minutes and gigabytes.
MOST_VERTICES = 2_000_000
# Corners of the smallest ring, its first twice.
RING_POINTS = 4


@dataclass
class Shaped:
    """The geometries of a batch, as far as its verdict lets them stand.

    shapes: 2D, in the city's CRS. surfaces: where a row is a 3D surface. z_range: lowest and highest Z of each row in
    the source's vertical datum, NaN without.
    """

    shapes: Shapes
    surfaces: NDArray[np.bool_]
    z_range: Floats
    repairs: Repairs = field(default_factory=dict)


def shaped(wkb: pa.Array, kind: GeometryType, placement: Placement, verdict: Verdict, part: Part) -> Shaped:
    """Geometries of a source column, placed in the city. part: says whether polygons are the faces of 3D bodies, and
    closed lines areas.

    Raises SwappedAxes and OutsideCity by what the placement finds in this batch.
    """
    if part.address:
        verdict.reject(wkb.is_null().to_numpy(zero_copy_only=False), "no place was found for its address")
    raw, surfaces, closed = _read(wkb, verdict, solid=part.solid is not None)
    _check_size(raw, verdict)
    z_range = _z_range(raw)
    _check_finite(raw, verdict)
    raw = shapely.force_2d(raw)
    raw[~verdict.standing] = None
    mended = to_footprints(raw, surfaces, 1e-8 if placement.source.is_geographic else 1e-3, verdict)
    if part.closed_lines == "areas":
        _to_areas(raw)
    _check_type(raw, kind, verdict)
    raw[~verdict.standing] = None
    placed = _placed(raw, placement, verdict)
    result = Shaped(placed, surfaces, z_range, closed | mended)
    _repair(result, verdict)
    if kind == "MultiPolygon":
        _to_multipolygons(result.shapes)
    return result


def exploded(shapes: Shapes, uids: list[str]) -> tuple[Shapes, NDArray[np.int64], list[str]]:
    """Multi geometries as single ones: shapes, the row each comes from, and uids with "#1", "#2" where one had many."""
    parts, rows = shapely.get_parts(shapes, return_index=True)
    counts = np.bincount(rows, minlength=len(uids))
    first = np.concatenate(([0], np.cumsum(counts)[:-1]))
    numbers = np.arange(rows.size) - first[rows] + 1
    named = [
        uids[row] if counts[row] == 1 else f"{uids[row]}#{number}"
        for row, number in zip(rows.tolist(), numbers.tolist(), strict=True)
    ]
    return parts, rows.astype(np.int64), named


def _read(wkb: pa.Array, verdict: Verdict, *, solid: bool) -> tuple[Shapes, NDArray[np.bool_], Repairs]:
    """The geometries, which of them are 3D surfaces, and those whose rings had to be closed."""
    closed: Repairs = {}
    raw = wkb.to_numpy(zero_copy_only=False)
    shapes = _parsed(raw)
    missing = wkb.is_null().to_numpy(zero_copy_only=False)
    surfaces = np.zeros(len(raw), dtype=bool)
    # GEOS reads no polyhedral surfaces; as multipolygons of the same faces it does.
    for index in np.flatnonzero(shapely.is_missing(shapes) & ~missing).tolist():
        if faces := faces_as_multipolygon(raw[index]):
            shapes[index] = shapely.from_wkb(faces, on_invalid="ignore")
            surfaces[index] = shapes[index] is not None
        elif (shape := _closed(raw[index])) is not None:
            shapes[index] = shape
            closed[index] = ("a ring that is not closed", None)
    if solid:
        surfaces = np.isin(shapely.get_type_id(shapes), (POLYGON, MULTIPOLYGON))
    verdict.reject(missing, "no geometry, or not all of it in the file")
    verdict.reject(shapely.is_missing(shapes), "a geometry that cannot be read")
    verdict.reject(shapely.is_empty(shapes), "an empty geometry")
    return shapes, surfaces, closed


def _closed(wkb: bytes) -> BaseGeometry | None:
    """The geometry with its rings closed; None where that is not all that it lacks."""
    try:
        return shapely.from_wkb(wkb, on_invalid="fix")
    except shapely.GEOSException:
        return None


def _parsed(raw: Shapes) -> Shapes:
    """Geometries of WKB, arcs as lines; None for what cannot be read."""
    # A coordinate that is no number is told with its row.
    with np.errstate(invalid="ignore"):
        try:
            return shapely.from_wkb(raw, on_invalid="ignore")
        except NotImplementedError:
            arcs = [index for index, wkb in enumerate(raw) if has_arcs(wkb)]
            straight = raw.copy()
            straight[arcs] = [straightened(raw[index]) for index in arcs]
            return shapely.from_wkb(straight, on_invalid="ignore")


def _z_range(shapes: Shapes) -> Floats:
    """Lowest and highest Z of each geometry; NaN for what has none."""
    found = np.full((shapes.size, 2), np.nan)
    with_z = np.flatnonzero(shapely.has_z(shapes))
    if with_z.size:
        coordinates, rows = shapely.get_coordinates(shapes[with_z], include_z=True, return_index=True)
        starts = np.flatnonzero(np.diff(rows, prepend=-1))
        found[with_z[rows[starts]], 0] = np.minimum.reduceat(coordinates[:, 2], starts)
        found[with_z[rows[starts]], 1] = np.maximum.reduceat(coordinates[:, 2], starts)
    return found


def _check_size(shapes: Shapes, verdict: Verdict) -> None:
    """Reject what would take the city's time and memory before anything is done with it."""
    counts = shapely.get_num_coordinates(shapes)
    for index in np.flatnonzero(counts > MOST_VERTICES).tolist():
        verdict.reject_row(index, f"a geometry of {counts[index]:,} vertices, {MOST_VERTICES:,} at most; cut it up")
        shapes[index] = None


def _to_areas(shapes: Shapes) -> None:
    """Closed lines, as drawings have their outlines, as polygons."""
    lines = np.isin(shapely.get_type_id(shapes), (LINE, RING)) & (shapely.get_num_coordinates(shapes) >= RING_POINTS)
    closed = np.flatnonzero(lines & shapely.is_closed(shapes))
    if closed.size:
        shapes[closed] = [Polygon(line) for line in shapes[closed]]


def _check_finite(shapes: Shapes, verdict: Verdict) -> None:
    coordinates, rows = shapely.get_coordinates(shapes, return_index=True)
    lost = np.zeros(shapes.size, dtype=bool)
    lost[rows[~np.isfinite(coordinates).all(axis=1)]] = True
    verdict.reject(lost, "a coordinate that is no finite number")


def _check_type(shapes: Shapes, kind: GeometryType, verdict: Verdict) -> None:
    types = shapely.get_type_id(shapes)
    for wrong in np.setdiff1d(types[verdict.standing], FITTING[kind]).tolist():
        name = shapely.GeometryType(wrong).name.replace("_", " ").lower()
        verdict.reject(types == wrong, f"a {name} where the theme holds {kind}")


def _placed(shapes: Shapes, placement: Placement, verdict: Verdict) -> Shapes:
    standing = verdict.standing
    if not standing.any():
        return shapes
    before = shapely.bounds(shapes[standing])
    placed = shapely.transform(shapes, placement.to_city)
    after = shapely.bounds(placed[standing])
    at = np.flatnonzero(standing)
    lost_anywhere = np.zeros(at.size, dtype=bool)
    reasons = []
    for lost, reason in placement.outside(after):
        lost_anywhere |= lost
        reasons += [reason] * bool(lost.any())
        for index in at[lost].tolist():
            verdict.reject_row(index, reason)
    placement.refuse_elsewhere(before, lost_anywhere, reasons)
    return placed


def _repair(result: Shaped, verdict: Verdict) -> None:
    invalid = verdict.standing & ~shapely.is_valid(result.shapes)
    for index in np.flatnonzero(invalid).tolist():
        shape = result.shapes[index]
        what = shapely.is_valid_reason(shape)
        mended = _mended(shape)
        if mended.is_empty:
            verdict.reject_row(index, f"an invalid geometry of which nothing is left when repaired ({what})")
            continue
        result.shapes[index] = mended
        is_area = shapely.get_dimensions(shape) == 2
        result.repairs[index] = (what, _square_metres(mended) - _square_metres(shape) if is_area else None)


def _mended(shape: BaseGeometry) -> BaseGeometry:
    """The valid geometry of the same dimension."""
    valid = shapely.make_valid(shape, method="structure", keep_collapsed=False)
    # Polygons that make_valid leaves edge to edge are no valid multipolygon until they are one.
    return (
        polygons(shapely.union_all(shapely.get_parts(polygons(valid)))) if shapely.get_dimensions(shape) == 2 else valid
    )


def _square_metres(shape: BaseGeometry) -> float:
    area, _ = GEOD.geometry_area_perimeter(shapely.orient_polygons(shape))
    return abs(float(area))


def _to_multipolygons(shapes: Shapes) -> None:
    single = np.flatnonzero(shapely.get_type_id(shapes) == POLYGON)
    if single.size:
        shapes[single] = shapely.multipolygons(shapes[single], indices=np.arange(single.size))
