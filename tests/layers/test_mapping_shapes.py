"""Geometry: fitted to the theme, repaired with its area told, exploded, refused; 3D surfaces seen from above."""

import struct
from itertools import pairwise

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from layers.mapping import MappedBatch
from layers.mapping.surface import faces_as_multipolygon
from tests.layers.sources import PINGYANG, column, one, part, reasons, shapes, source, square

GEOD = Geod(ellps="GRS80")


def mapped_as(theme: str, geometries: list[object], **keys: object) -> MappedBatch:
    rows = source(geometries, "EPSG:4490", id=[str(i) for i in range(1, len(geometries) + 1)])
    return one(rows, part(theme=theme, uid="id", **{"class": "x"}, **keys), PINGYANG)


def test_polygons_become_multipolygons() -> None:
    two = shapely.union_all([square(120.5, 27.6), square(120.6, 27.6)])
    found = shapes(mapped_as("building", [square(120.5, 27.6), two]))
    assert [shape.geom_type for shape in found] == ["MultiPolygon"] * 2
    assert found[1].equals(two)


def test_lines_of_many_parts_become_lines_with_numbered_uids() -> None:
    lines = ["MULTILINESTRING ((120 27, 120.1 27))", "MULTILINESTRING ((120 27, 120.1 27), (120.2 27, 120.3 27))"]
    batch = mapped_as("road", [*lines, "LINESTRING (120 28, 121 28)"])
    assert column(batch, "uid") == ["1", "2#1", "2#2", "3"]
    assert [shape.geom_type for shape in shapes(batch)] == ["LineString"] * 4
    assert (batch.read, batch.rows.num_rows) == (3, 4)


@pytest.mark.parametrize(
    ("theme", "wkt", "reason"),
    [
        ("building", "POINT (120 27)", "a point where the theme holds MultiPolygon"),
        ("building", "GEOMETRYCOLLECTION (POINT (120 27))", "a geometrycollection where the theme holds MultiPolygon"),
        ("road", "POLYGON ((120 27, 120.1 27, 120 27.1, 120 27))", "a polygon where the theme holds LineString"),
        ("sensor", "LINESTRING (120 27, 120.1 27)", "a linestring where the theme holds Point"),
        ("water", "GEOMETRYCOLLECTION (POINT (120 27))", "a geometrycollection where the theme holds Geometry"),
        ("building", None, "no geometry, or not all of it in the file"),
        ("building", "POLYGON EMPTY", "an empty geometry"),
        ("building", b"\x01\x03\x00\x00\x00\xff\xff\xff\x7f", "a geometry that cannot be read"),
        ("building", b"", "a geometry that cannot be read"),
        ("road", "LINESTRING (120 27, nan nan)", "a coordinate that is no finite number"),
        ("sensor", "POINT (120 inf)", "a coordinate that is no finite number"),
    ],
)
def test_what_does_not_fit_is_rejected(theme: str, wkt: str | bytes | None, reason: str) -> None:
    fine = {"building": square(120.5, 27.6), "road": "LINESTRING (120 27, 121 27)"}
    good = fine.get(theme, "POINT (120 27)")
    batch = mapped_as(theme, [good, wkt, good])
    assert column(batch, "uid") == ["1", "3"]
    assert reasons(batch) == {2: reason}


def test_a_bow_tie_is_repaired_and_its_area_told() -> None:
    """The two triangles of a bow tie of 0.01 degrees: nothing by the shoelace, half the square when repaired."""
    batch = mapped_as("land", ["POLYGON ((120 27, 120.01 27.01, 120.01 27, 120 27.01, 120 27))"])
    (shape,) = shapes(batch)
    assert shape.is_valid
    (repair,) = batch.repairs
    assert (repair.row, repair.uid) == (1, "1")
    assert repair.what.startswith("Self-intersection[120.005")
    triangles = [shapely.Polygon([(x, 27), (x, 27.01), (120.005, 27.005)]) for x in (120, 120.01)]
    expected = sum(abs(GEOD.geometry_area_perimeter(triangle)[0]) for triangle in triangles)
    assert repair.area_change == pytest.approx(expected, rel=1e-6)


def test_a_polygon_that_is_a_line_has_nothing_to_repair() -> None:
    batch = mapped_as("land", ["POLYGON ((120 27, 121 27, 120 27, 120 27))", square(120, 27)])
    assert column(batch, "uid") == ["2"]
    assert reasons(batch)[1].startswith("an invalid geometry of which nothing is left when repaired")


def test_a_spike_is_cut_off_and_stays_a_polygon() -> None:
    spiked = "POLYGON ((120 27, 120.01 27, 120.01 27.01, 120.01 27.02, 120.01 27.01, 120 27.01, 120 27))"
    batch = mapped_as("land", [spiked])
    assert [shape.geom_type for shape in shapes(batch)] == ["MultiPolygon"]
    assert batch.repairs[0].area_change == pytest.approx(0, abs=1e-3)


coordinates = st.tuples(st.integers(0, 6), st.integers(0, 6))


@settings(max_examples=120, deadline=None)
@given(st.lists(coordinates, min_size=3, max_size=9))
def test_any_ring_becomes_valid_or_is_rejected(ring: list[tuple[int, int]]) -> None:
    polygon = shapely.Polygon([(120 + x / 1000, 27 + y / 1000) for x, y in ring])
    batch = mapped_as("land", [polygon])
    assert batch.rows.num_rows + len(batch.rejects) == 1
    for shape in shapes(batch):
        assert shape.is_valid
        assert shape.geom_type == "MultiPolygon"
        assert shape.area > 0
    assert len(batch.repairs) == (0 if polygon.is_valid else batch.rows.num_rows)


def house(lon: float = 120.5, lat: float = 27.6) -> list[shapely.Polygon]:
    """Ground, walls and a gabled roof over a square of 0.001 degrees, all faces with Z."""
    w, s, e, n, m = lon, lat, lon + 0.001, lat + 0.001, lon + 0.0005
    rings = [
        [(w, s, 5), (e, s, 5), (e, n, 5), (w, n, 5)],
        [(w, s, 5), (w, n, 5), (w, n, 9), (w, s, 9)],
        [(e, s, 5), (e, n, 5), (e, n, 9), (e, s, 9)],
        [(w, s, 9), (w, n, 9), (m, n, 12), (m, s, 12)],
        [(e, s, 9), (e, n, 9), (m, n, 12), (m, s, 12)],
    ]
    return [shapely.Polygon(ring) for ring in rings]


def test_surfaces_keep_their_faces_and_stand_on_their_footprint() -> None:
    body = shapely.MultiPolygon(house())
    batch = mapped_as("building", [body], solid="2", fields={"height": "geometry.height", "ground_z": "geometry.zmin"})
    (shape,) = shapes(batch)
    assert shape.symmetric_difference(square(120.5, 27.6)).area < 1e-12
    assert (column(batch, "height"), column(batch, "ground_z")) == ([7.0], [5.0])
    assert (column(batch, "solid_srid"), column(batch, "solid_lod")) == ([4490], ["2"])
    kept = shapely.from_wkb(column(batch, "solid")[0])
    assert kept.equals_exact(body, 0)
    assert kept.has_z


def test_walls_alone_stand_on_what_they_enclose() -> None:
    w, s, e, n = square(120.5, 27.6).bounds
    corners = [(w, s), (e, s), (e, n), (w, n), (w, s)]
    walls = [shapely.Polygon([(*a, 5), (*b, 5), (*b, 9), (*a, 9)]) for a, b in pairwise(corners)]
    batch = mapped_as("building", [shapely.MultiPolygon(walls), shapely.MultiPolygon(walls[:1])], solid="2")
    assert shapes(batch)[0].symmetric_difference(square(120.5, 27.6)).area < 1e-12
    assert batch.repairs[0].what == "only upright surfaces; the footprint is the ground they enclose"
    assert reasons(batch) == {2: "upright surfaces in one line, which have no footprint"}


@pytest.mark.parametrize(("code", "face"), [(1015, 1003), (1016, 1017)], ids=["PolyhedralSurface", "TIN"])
def test_polyhedral_surfaces_and_tins_are_read(code: int, face: int) -> None:
    """Well-known binary as OGC 06-103r4 has it, which GEOS does not read."""
    triangles = [
        [(120.5, 27.6, 5.0), (120.501, 27.6, 5.0), (120.501, 27.601, 5.0), (120.5, 27.6, 5.0)],
        [(120.5, 27.6, 5.0), (120.501, 27.601, 5.0), (120.5, 27.601, 8.0), (120.5, 27.6, 5.0)],
    ]
    faces = b"".join(
        struct.pack("<BIII", 1, face, 1, 4) + struct.pack("<12d", *(value for xyz in ring for value in xyz))
        for ring in triangles
    )
    wkb = struct.pack("<BII", 1, code, 2) + faces
    batch = mapped_as("building", [wkb])
    assert shapes(batch)[0].symmetric_difference(square(120.5, 27.6)).area < 1e-12
    assert column(batch, "solid") == [wkb]


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60).map(lambda tail: b"\x01\xf8\x03\x00\x00" + tail))
def test_a_broken_tin_is_no_geometry(wkb: bytes) -> None:
    patched = faces_as_multipolygon(wkb)
    assert patched is None or len(patched) == len(wkb)
