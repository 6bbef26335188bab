"""Damaged files: bytes changed anywhere, or the end missing, give rows, rejected rows or a clear error."""

import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layers import LayerError
from layers.formats import open_sources
from layers.mapping import mapped
from tests.layers.sources import PINGYANG, part, write_squares
from tests.layers.test_formats_osm import GRID, relation, way, write_osm

FILES = ("a.fgb", "a.gpkg", "a.shp", "a.geojson", "a.geojsonl", "b.osm", "b.osm.pbf")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    write_squares(folder)
    body = GRID + way(100, [11, 51, 55, 15, 11]) + way(101, [22, 42, 44, 24, 22])
    body += way(102, [11, 21, 31], highway="primary")
    body += relation(1, [(100, "outer"), (101, "inner")], type="multipolygon", building="yes")
    write_osm(folder / "b.osm", body)
    packed = ["osmium", "cat", "--no-progress", "-f", "pbf,pbf_compression=none", "-o", folder / "b.osm.pbf"]
    subprocess.run([*packed, folder / "b.osm"], check=True)
    return folder


@pytest.mark.parametrize("name", FILES)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), max_size=6),
    kept=st.one_of(st.just(1.0), st.floats(0, 1)),
)
def test_damage_never_comes_through(
    whole: Path, tmp_path: Path, name: str, changes: list[tuple[float, int]], kept: float
) -> None:
    content = bytearray((whole / name).read_bytes())
    for place, change in changes:
        content[int(place * len(content))] ^= change
    for side in whole.glob("a.*"):
        (tmp_path / side.name).write_bytes(side.read_bytes())
    (tmp_path / name).write_bytes(content[: int(kept * len(content))])
    with suppress(LayerError):
        for source in open_sources(tmp_path / name):
            for batch in mapped(source, part(), PINGYANG):
                assert batch.rows.num_rows + len(batch.rejects) == batch.read
