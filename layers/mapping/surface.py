"""3D surfaces of buildings: read where GEOS cannot, and seen from above as a footprint."""

import struct
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import MultiPolygon
from shapely.geometry.base import BaseGeometry

from layers.mapping.batch import Verdict

Shapes = NDArray[Any]

# WKB codes of OGC 06-103r4; the thousands say Z (1), M (2), ZM (3); EWKB says the same by its highest bits.
POLYHEDRAL, TIN, WKB_POLYGON, TRIANGLE, WKB_MULTIPOLYGON = 15, 16, 3, 17, 6
EWKB_Z, EWKB_M, EWKB_SRID = 0x80000000, 0x40000000, 0x20000000


def footprint(faces: Shapes, fine: float) -> BaseGeometry:
    """The union of faces seen from above, empty if all are upright. fine: grid to snap to, in units of the CRS, so that
    edges of neighbours meet."""
    lying = faces[shapely.area(faces) > fine * shapely.length(faces)]
    lying = shapely.make_valid(lying, method="structure", keep_collapsed=False)
    # United first and snapped after: a third of the time of a union on the grid.
    return polygons(shapely.union_all([shapely.union_all(lying)], grid_size=fine))


def enclosed(faces: Shapes, fine: float) -> BaseGeometry:
    """The ground that upright faces stand around: what they enclose, or else their convex hull."""
    walls = shapely.union_all([shapely.union_all(shapely.get_exterior_ring(faces))], grid_size=fine)
    ground = shapely.union_all(shapely.get_parts(shapely.polygonize([walls])))
    return polygons(shapely.convex_hull(walls) if ground.is_empty else ground)


def to_footprints(
    shapes: Shapes, surfaces: NDArray[np.bool_], fine: float, verdict: Verdict
) -> dict[int, tuple[str, float | None]]:
    """Put footprints in place of 3D surfaces; says of which rows, made of walls alone, the ground had to be guessed."""
    guessed: dict[int, tuple[str, float | None]] = {}
    for index in np.flatnonzero(surfaces & verdict.standing).tolist():
        faces = shapely.get_parts(shapes[index])
        shapes[index] = footprint(faces, fine)
        if shapes[index].is_empty:
            shapes[index] = enclosed(faces, fine)
            guessed[index] = ("only upright surfaces; the footprint is the ground they enclose", None)
        if shapes[index].is_empty:
            verdict.reject_row(index, "upright surfaces in one line, which have no footprint")
    return guessed


def polygons(shape: BaseGeometry) -> BaseGeometry:
    """The polygons of a geometry, as one multipolygon."""
    parts = shapely.get_parts(shapely.get_parts(shape))
    return MultiPolygon(parts[shapely.get_type_id(parts) == shapely.GeometryType.POLYGON].tolist())


def faces_as_multipolygon(wkb: bytes) -> bytes | None:
    """WKB of a polyhedral surface or TIN as that of a multipolygon with the same faces; None for any other."""
    if len(wkb) < 9:
        return None
    order = "<" if wkb[0] == 1 else ">"
    code, flags, dimensions = geometry_code(struct.unpack_from(order + "I", wkb, 1)[0])
    if code not in (POLYHEDRAL, TIN):
        return None
    if code == POLYHEDRAL:
        return wkb[:1] + struct.pack(order + "I", flags + WKB_MULTIPOLYGON) + wkb[5:]
    return _triangles_as_polygons(wkb, order, flags, dimensions)


def geometry_code(stated: int) -> tuple[int, int, int]:
    """Base code, what is added to it for Z, M and SRID, and the number of ordinates."""
    flags = stated & (EWKB_Z | EWKB_M | EWKB_SRID)
    base = stated & ~flags
    thousands = base // 1000
    dimensions = 2 + bool(flags & EWKB_Z) + bool(flags & EWKB_M) + (0, 1, 1, 2)[min(thousands, 3)]
    return base % 1000, flags + thousands * 1000, dimensions


def _triangles_as_polygons(wkb: bytes, order: str, flags: int, dimensions: int) -> bytes | None:
    """Each triangle is a polygon under another code: the codes are rewritten, the coordinates stay."""
    patched = bytearray(wkb)
    struct.pack_into(order + "I", patched, 1, flags + WKB_MULTIPOLYGON)
    at = 9 if not flags & EWKB_SRID else 13
    try:
        for _ in range(struct.unpack_from(order + "I", wkb, at - 4)[0]):
            _, own_flags, _ = geometry_code(struct.unpack_from(order + "I", wkb, at + 1)[0])
            struct.pack_into(order + "I", patched, at + 1, own_flags + WKB_POLYGON)
            (rings,) = struct.unpack_from(order + "I", wkb, at + 5)
            at += 9
            for _ in range(rings):
                at += 4 + 8 * dimensions * struct.unpack_from(order + "I", wkb, at)[0]
    except struct.error:
        return None
    return bytes(patched)
