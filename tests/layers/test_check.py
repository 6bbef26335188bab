"""Parcels and buildings with known faults: each is found, at its place, and becomes an object of a layer."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import psycopg
import pytest
import rasterio
import shapely
from pyproj import Geod

from layers.check import CheckError, Findings, check, delivery
from layers.load import load
from twin.check_page import write_page

TODAY = date(2026, 11, 1)
# Parcels: one with a hole in it, one that overlaps its neighbour, one that stands twice.
FILL = """
    insert into dataset (name, themes, title_zh, title_en, loaded_at, edition_date, vertical_datum) values
    ('parcels', array['land'], '地块', 'Parcels', now(), '2015-01-01', '1985国家高程基准'),
    ('houses', array['building', 'terrain'], '房屋', 'Houses', now(), '2026-01-01', '1985国家高程基准');
    insert into land (dataset_id, uid, content_hash, class, code, cim_level, geom)
    select 1, 'p' || i, '', 'Parcel', case when i < 3 then '0701' end, 2, st_multi(shape)
    from (values (1, st_difference(st_makeenvelope(120.95, 28.1, 120.951, 28.101, 4490),
                                   st_makeenvelope(120.9502, 28.1002, 120.9504, 28.1004, 4490))),
                 (2, st_makeenvelope(120.951, 28.1, 120.952, 28.101, 4490)),
                 (3, st_makeenvelope(120.9519, 28.1, 120.953, 28.101, 4490)),
                 (4, st_makeenvelope(120.96, 28.1, 120.961, 28.101, 4490)),
                 (5, st_makeenvelope(120.96, 28.1, 120.961, 28.101, 4490))) t (i, shape);
    insert into building (dataset_id, uid, content_hash, class, height, storeys, ground_z, geom)
    select 2, 'b' || i, '', 'Building', height, storeys, ground,
           st_multi(st_makeenvelope(120.95 + i * 0.001, 28.11, 120.9504 + i * 0.001, 28.1104, 4490))
    from (values (1, 12.0, 4, 10.0), (2, 90.0, 3, 10.5), (3, -4.0, null, 30.0)) t (i, height, storeys, ground);
    insert into terrain (dataset_id, uid, content_hash, class, kind, path, resolution, geom)
    values (2, 't', '', 'dtm', 'dtm', 'dtm.tif', 10, st_multi(st_makeenvelope(120.9, 28.0, 121.0, 28.2, 4490)));
"""


@pytest.fixture(scope="module")
def city(new_city: Callable[..., str]) -> str:
    url = new_city()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(FILL)
    return url


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    transform = rasterio.transform.from_bounds(120.9, 28.0, 121.0, 28.2, 20, 40)
    with rasterio.open(
        folder / "dtm.tif", "w", driver="GTiff", width=20, height=40, count=1, dtype="float32", crs="EPSG:4326",
        transform=transform,
    ) as grid:  # fmt: skip
        grid.write(np.full((1, 40, 20), 10.0, dtype="float32"))
    return folder


def kinds(findings: Findings, kind: str) -> list[tuple[tuple[int, ...], float | None]]:
    return [(each.objects, each.measure) for each in findings.found if each.kind == kind]


def test_overlaps_gaps_and_twins_of_parcels(city: str, home: Path) -> None:
    found = check(city, "land", home=home, today=TODAY)
    geod = Geod(ellps="GRS80")
    ((pair, area),) = kinds(found, "overlap")
    assert len(pair) == 2
    assert area == pytest.approx(
        geod.geometry_area_perimeter(shapely.box(120.9519, 28.1, 120.952, 28.101))[0], rel=1e-3
    )
    ((_, gap),) = kinds(found, "gap")
    assert gap == pytest.approx(
        geod.geometry_area_perimeter(shapely.box(120.9502, 28.1002, 120.9504, 28.1004))[0], rel=1e-3
    )
    assert [measure for _, measure in kinds(found, "duplicate")] == [2.0]
    assert found.filled["code"] == pytest.approx(0.4)
    assert found.classes == [("Parcel", 2, 5)]
    assert "over 5 years ago" in found.remarks[0][1]


def test_heights_against_storeys_and_terrain(city: str, home: Path) -> None:
    found = check(city, "buildings", home=home, today=TODAY)
    assert [measure for _, measure in kinds(found, "height")] == [90.0, -4.0]
    assert [measure for _, measure in kinds(found, "terrain")] == [20.0]


def test_findings_are_a_layer_and_a_page(city: str, home: Path, tmp_path: Path) -> None:
    found = check(city, "land", home=home, today=TODAY)
    for _ in range(2):
        (report,) = load(city, [delivery(city, found)], who="test", home=home)
    assert (report.rejected, report.unchanged) == (0, 4)
    with psycopg.connect(city) as connection:
        assert connection.execute("select count(*) from layer where id = 'check_land'").fetchone() == (1,)
    write_page(found, tmp_path / "a.html", base="http://city.test")
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert "重叠" in page
    assert (
        f"http://city.test/viewer/#at=120.951950,28.100500,18,0,0&amp;selected=land/{found.found[1].objects[0]}" in page
    )


def test_what_cannot_be_checked(city: str, home: Path) -> None:
    with pytest.raises(CheckError, match="no such layer"):
        check(city, "nothing", home=home, today=TODAY)
    with pytest.raises(CheckError, match="cells of a raster"):
        check(city, "terrain", home=home, today=TODAY)
    assert check(city, "water", home=home, today=TODAY).remarks == [("图层中没有要素", "the layer has no objects")]
