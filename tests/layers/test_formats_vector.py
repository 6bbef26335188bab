"""Vector files: what GDAL's own tools count, streamed; damage, wrong names and text sequences told clearly."""

import re
import shutil
import subprocess
from pathlib import Path

import pyarrow as pa
import pytest
import shapely

from layers.formats import FormatError, files_in, open_sources
from tests.layers.sources import square, write_squares

LYON = "lyon/lyon_layers.gpkg"


def ogrinfo_count(path: Path, layer: str) -> int:
    shown = subprocess.run(["ogrinfo", "-so", path, layer], capture_output=True, text=True, check=True).stdout
    return int(re.search(r"Feature Count: (\d+)", shown)[1])  # type: ignore[index]


def features(path: Path, layer: str | None = None) -> int:
    return sum(batch.num_rows for source in open_sources(path, layer=layer) for batch in source.read())


@pytest.fixture
def written(tmp_path: Path) -> Path:
    write_squares(tmp_path)
    return tmp_path


@pytest.mark.parametrize("layer", ["roofs", "lands", "arrondissements", "velov_stations", "lod2_buildings"])
def test_as_many_features_as_ogrinfo_counts(shared_data: Path, layer: str) -> None:
    assert features(shared_data / LYON, layer) == ogrinfo_count(shared_data / LYON, layer)


def test_flatgeobuf_and_geojson_of_real_cities(shared_data: Path) -> None:
    koto = shared_data / "tokyo_koto" / "tokyo_koto_ward_13108.fgb"
    (source,) = open_sources(koto)
    assert source.crs == "EPSG:4326"
    assert source.count == features(koto) == 55_460
    assert features(shared_data / "lyon" / "traffic_counters.geojson") == 110


@pytest.mark.parametrize("name", ["a.gpkg", "a.fgb", "a.geojson", "a.geojsonl", "a.shp"])
def test_every_format_gives_the_same_rows(written: Path, name: str) -> None:
    (source,) = open_sources(written / name)
    rows = sorted((row for batch in source.read(7) for row in batch.to_pylist()), key=lambda row: row["height"])
    assert [row["label"] for row in rows] == [f"楼{i}" for i in range(50)]
    assert shapely.from_wkb(rows[3]["geometry"]).equals_exact(square(120.53, 27.6), 1e-9, normalize=True)
    assert source.schema.field("geometry").type == pa.binary()


def test_batches_are_no_larger_than_asked_and_can_be_read_again(written: Path) -> None:
    (source,) = open_sources(written / "a.fgb")
    for _ in range(2):
        sizes = [batch.num_rows for batch in source.read(20)]
        assert sizes == [20, 20, 10]


def test_a_crs_that_is_given_replaces_the_files(written: Path) -> None:
    assert open_sources(written / "a.gpkg")[0].crs == "EPSG:4490"
    assert open_sources(written / "a.gpkg", crs="EPSG:4326")[0].crs == "EPSG:4326"


def test_a_file_is_known_by_content_not_by_name(written: Path) -> None:
    shutil.copy(written / "a.fgb", written / "renamed.dat")
    assert features(written / "renamed.dat") == 50
    (written / "notes.gpkg").write_text("not a database")
    with pytest.raises(FormatError, match=r"notes\.gpkg: does not begin like a GeoPackage file"):
        open_sources(written / "notes.gpkg")
    (written / "settings.json").write_text('{"colour": "red"}')
    with pytest.raises(FormatError, match=r"settings\.json: no features in it .* JSON of another kind"):
        open_sources(written / "settings.json")
    (written / "notes.txt").write_text("hello")
    with pytest.raises(FormatError, match=r"notes\.txt: no known format; can be read: GeoPackage, "):
        open_sources(written / "notes.txt")


def test_what_is_not_there_is_said(written: Path) -> None:
    with pytest.raises(FormatError, match=r"absent\.gpkg: cannot be opened \(No such file"):
        open_sources(written / "absent.gpkg")
    with pytest.raises(FormatError, match="is a folder"):
        open_sources(written)
    with pytest.raises(FormatError, match=r"a\.gpkg: no layer 'roads' with geometry; it has a"):
        open_sources(written / "a.gpkg", layer="roads")
    (written / "empty.fgb").touch()
    with pytest.raises(FormatError, match="the file is empty"):
        open_sources(written / "empty.fgb")


@pytest.mark.parametrize("name", ["a.gpkg", "a.fgb", "a.geojson", "a.geojsonl", "a.shp"])
@pytest.mark.parametrize("share", [0.2, 0.6, 0.97])
def test_a_file_cut_off_is_never_read_as_whole(written: Path, name: str, share: float) -> None:
    whole = (written / name).read_bytes()
    (written / name).write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(FormatError, match=name):
        features(written / name)


def test_a_broken_text_in_a_sequence_is_named(written: Path) -> None:
    lines = (written / "a.geojsonl").read_text().splitlines()
    lines[7] = lines[7][:-9]
    (written / "a.geojsonl").write_text("\n".join(lines))
    with pytest.raises(FormatError, match="text 8 of 50 is no JSON object"):
        features(written / "a.geojsonl")


def test_a_virtual_file_cannot_pull_in_others(tmp_path: Path) -> None:
    """GDAL's VRT names other files and addresses; it is no format here, whatever it is called."""
    layer = '<OGRVRTLayer name="x"><SrcDataSource>/etc/passwd</SrcDataSource></OGRVRTLayer>'
    for name in ("a.vrt", "a.geojson"):
        (tmp_path / name).write_text(f"<OGRVRTDataSource>{layer}</OGRVRTDataSource>")
        with pytest.raises(FormatError):
            open_sources(tmp_path / name)


def test_a_folder_lists_what_could_be_read(written: Path) -> None:
    (written / "sub").mkdir()
    shutil.copy(written / "a.fgb", written / "sub" / "b.FGB")
    names = [path.name for path in files_in(written)]
    assert names == ["a.fgb", "a.geojson", "a.geojsonl", "a.gpkg", "a.shp", "b.FGB"]
