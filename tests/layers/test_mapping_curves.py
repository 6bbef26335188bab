"""Arcs of a GeoPackage or a geodatabase: the lines that PostGIS draws of them; broken ones are no geometry."""

import struct

import psycopg
import pyarrow as pa
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from layers.formats.placing import ByText
from layers.mapping.curves import has_arcs, straightened
from tests.layers.sources import PINGYANG, column, one, part, reasons, shapes, source

QUARTER = "CIRCULARSTRING(120.5 27.6, 120.50707106781 27.60707106781, 120.51 27.61, 120.52 27.62, 120.53 27.61)"
ARCS = [
    QUARTER,
    "CIRCULARSTRING(0 0, 1 -1, 2 0)",
    "CIRCULARSTRING(0 0, 4 0, 0 0)",
    "CIRCULARSTRING Z (0 0 1, 1 1 2, 2 0 3)",
    "COMPOUNDCURVE((0 0, 10 0), CIRCULARSTRING(10 0, 15 5, 10 10), (10 10, 0 0))",
    "CURVEPOLYGON(CIRCULARSTRING(0 0, 10 10, 20 0, 10 -10, 0 0), (8 0, 12 0, 12 2, 8 0))",
    "CURVEPOLYGON M (COMPOUNDCURVE M ((0 0 7, 10 0 7), CIRCULARSTRING M (10 0 7, 5 5 7, 0 0 7)))",
    "MULTICURVE((5 5, 3 5), CIRCULARSTRING(0 0, 2 1, 4 0))",
    "MULTISURFACE(CURVEPOLYGON(CIRCULARSTRING(0 0, 4 0, 0 0)), ((30 0, 40 0, 40 5, 30 0)))",
]


def test_arcs_become_the_lines_that_postgis_draws(city_url: str) -> None:
    with psycopg.connect(city_url) as connection:
        for text in ARCS:
            for order in ("NDR", "XDR"):
                row = connection.execute(
                    "select st_asbinary(g, %s), st_asewkb(st_setsrid(g, 4326)), st_asbinary(st_curvetoline(g))"
                    " from (select st_geomfromtext(%s) g) t",
                    (order, text),
                ).fetchone()
                assert row is not None
                wanted = shapely.force_2d(shapely.from_wkb(row[2]))
                for wkb in row[:2]:
                    assert has_arcs(wkb)
                    found = shapely.from_wkb(straightened(wkb))
                    assert found.geom_type == wanted.geom_type, text
                    assert shapely.hausdorff_distance(found, wanted) < 4e-3, text
                    assert found.area == pytest.approx(wanted.area, rel=2e-3), text


def test_heights_go_on_evenly_along_an_arc() -> None:
    wkb = struct.pack("<BII", 1, 1008, 3) + struct.pack("<9d", 0, 0, 1, 1, 1, 2, 2, 0, 3)
    line = shapely.from_wkb(straightened(wkb))
    assert shapely.get_coordinates(line, include_z=True)[[0, 32, 64], 2].tolist() == [1.0, 2.0, 3.0]


def test_a_round_plaza_is_loaded_beside_what_cannot_be_read() -> None:
    ring = struct.pack("<BII", 1, 8, 3) + struct.pack("<6d", 120.5, 27.6, 120.502, 27.6, 120.5, 27.6)
    round_ = struct.pack("<BII", 1, 10, 1) + ring
    cut = round_[:-8]
    open_ring = struct.pack("<BIII", 1, 3, 1, 3) + struct.pack("<6d", 120.5, 27.6, 120.51, 27.6, 120.51, 27.61)
    rows = source([round_, cut, open_ring], "EPSG:4490", id=["1", "2", "3"])
    batch = one(rows, part(theme="building", uid="id", **{"class": "x"}), PINGYANG)
    assert column(batch, "uid") == ["1", "3"]
    assert shapes(batch)[0].area == pytest.approx(3.14159e-6, rel=1e-3)
    assert reasons(batch) == {2: "a geometry that cannot be read"}
    assert [(repair.row, repair.what) for repair in batch.repairs] == [(3, "a ring that is not closed")]


def test_an_arc_in_a_table_costs_its_own_row_alone() -> None:
    """GEOS reads arcs from no text."""
    texts = pa.array(["POINT(120.5 27.6)", "CIRCULARSTRING(0 0, 1 1, 2 0)", None, "POINT(1"])
    found = ByText("wkt").shapes(pa.RecordBatch.from_pydict({"wkt": texts}))
    assert [value is None for value in found.to_pylist()] == [False, True, True, True]


@given(st.sampled_from(range(8, 13)), st.binary(max_size=80))
def test_broken_arcs_are_no_geometry(code: int, tail: bytes) -> None:
    for wkb in (struct.pack("<BI", 1, code) + tail, struct.pack(">BI", 0, code + 3000) + tail):
        straight = straightened(wkb)
        assert straight is None or shapely.from_wkb(straight) is not None
