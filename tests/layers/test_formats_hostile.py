"""Files made to do harm, or broken anywhere: refused with a reason, quickly and in little memory."""

import time
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layers import LayerError
from layers.formats import FormatError, open_sources
from layers.mapping import mapped
from layers.recipe import RecipeError
from tests.layers import desk
from tests.layers.sources import PINGYANG, part, source
from tests.layers.test_formats_desk import WRITERS

BOMB = '<!DOCTYPE lolz [<!ENTITY lol "lol">' + "".join(
    f'<!ENTITY lol{i} "{f"&lol{i - 1};" * 10}">' for i in range(1, 10)
)
KML = '<?xml version="1.0"?>{}]><kml xmlns="http://www.opengis.net/kml/2.2"><Document><name>&lol9;</name></Document></kml>'


def read_whole(path: Path) -> None:
    for found in open_sources(path):
        list(found.read())


def refused(path: Path, told: str) -> None:
    began = time.monotonic()
    with pytest.raises(FormatError, match=told):
        read_whole(path)
    assert time.monotonic() - began < 5


def test_entities_are_not_unfolded(tmp_path: Path) -> None:
    (tmp_path / "a.kml").write_text(KML.format(BOMB))
    refused(tmp_path / "a.kml", "defines entities of its own")
    (tmp_path / "b.gpx").write_text('<!DOCTYPE gpx [<!ENTITY x SYSTEM "file:///etc/passwd">]><gpx><wpt>&x;</wpt></gpx>')
    refused(tmp_path / "b.gpx", "defines entities of its own")


def test_a_workbook_of_a_billion_cells(tmp_path: Path) -> None:
    rows = "".join(f'<row r="{i}"><c r="BZZ{i}"><v>1</v></c></row>' for i in range(1, 40_000))
    refused(desk.write_sheet(tmp_path / "a.xlsx", rows), "a sheet of 39,999 rows and 2,054 columns|a cell in column")
    refused(
        desk.write_sheet(tmp_path / "b.xlsx", '<row r="1"><c r="XFD1"><v>1</v></c></row>'), "a cell in column 16,384"
    )


def test_a_million_columns(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(",".join(f"c{i}" for i in range(100_000)) + "\n")
    refused(tmp_path / "a.csv", "100,000 columns, 2,000 at most")
    (tmp_path / "b.csv").write_text("x" * 2_000_000 + ",")
    refused(tmp_path / "b.csv", "no known format")


def test_a_path_that_climbs_and_a_packed_bomb(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(desk.write_csv(tmp_path / "a.csv"), "../../../../escaped.csv")
    (found,) = open_sources(tmp_path / "a.zip")
    assert found.count == 3
    assert not (tmp_path.parent / "escaped.csv").exists()
    with zipfile.ZipFile(tmp_path / "b.kmz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("doc.kml", b" " * (200 << 20))
    refused(tmp_path / "b.kmz", "zip bomb")


def test_a_ring_of_millions_of_vertices() -> None:
    turns = np.linspace(0, 2 * np.pi, 2_500_000)
    ring = shapely.Polygon(np.column_stack((120.9 + np.cos(turns) / 100, 28.1 + np.sin(turns) / 100)))
    began = time.monotonic()
    (batch,) = mapped(source([ring]), part(), PINGYANG)
    assert time.monotonic() - began < 20
    assert batch.rejects[0].reason == "a geometry of 2,500,000 vertices, 2,000,000 at most; cut it up"


def test_land_use_of_no_scheme_is_refused() -> None:
    parcels = source([shapely.box(120.9, 28.1, 120.91, 28.11)], DLBM=["0701"])
    land = {"theme": "land", "class": "Parcel", "fields": {"code": "DLBM"}}
    with pytest.raises(RecipeError, match=r"land use codes of no scheme; say it.*GB/T 21010, TD/T 1055, 用地用海, OSM"):
        list(mapped(parcels, part(**land), PINGYANG))


MADE = {**WRITERS, "a.dxf": desk.write_drawing, "a.txt": desk.write_survey}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    for name, write in MADE.items():
        own = folder / name.replace(".", "_")
        own.mkdir()
        write(own / name)
    return folder


@pytest.mark.parametrize("name", MADE)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), min_size=1, max_size=6),
    kept=st.one_of(st.just(1.0), st.floats(0, 1)),
)
def test_damage_gives_rows_or_a_reason(
    whole: Path, tmp_path: Path, name: str, changes: list[tuple[float, int]], kept: float
) -> None:
    folder = whole / name.replace(".", "_")
    sides = [file for file in folder.rglob("*") if file.is_file()]
    for file in sides:
        content = bytearray(file.read_bytes())
        # A geodatabase is damaged in its largest table, what has side files in the named one.
        if content and file == max(sides, key=lambda each: (each.name == name, each.stat().st_size)):
            for place, change in changes:
                content[int(place * len(content))] ^= change
            content = content[: int(kept * len(content))]
        target = tmp_path / file.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    with suppress(LayerError):
        for found in open_sources(tmp_path / name, crs="EPSG:4490"):
            for batch in mapped(found, part(), PINGYANG):
                assert batch.rows.num_rows + len(batch.rejects) >= batch.read


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("tiles.city.json", '{"type": "CityJSON", "version": "2.0", "CityObjects": {}, "vertices": []}'),
        ("tiles.gml", '<core:CityModel xmlns:core="http://www.opengis.net/citygml/2.0"/>'),
    ],
)
def test_cities_in_solids_are_not_called_broken(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(FormatError, match="is not read; export its footprints"):
        open_sources(tmp_path / name)
