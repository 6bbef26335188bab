"""Archives: read where they are what they seem, refused before a byte is unpacked where they are hostile."""

import gc
import gzip
import os
import struct
import tempfile
import zipfile
from pathlib import Path

import pytest

from layers.formats import FormatError, open_sources
from layers.formats.archive import UnpackLimits
from tests.layers.sources import write_squares

POINT = '{"type":"Point","coordinates":[120.5,27.6]}'
GEOJSON = f'{{"type":"FeatureCollection","features":[{{"type":"Feature","properties":{{}},"geometry":{POINT}}}]}}'
SMALL = UnpackLimits(total=5_000_000, files=20, ratio=100, ratio_from=100_000)


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where archives are unpacked, so that a test sees what is left of them."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def features(path: Path) -> int:
    return sum(batch.num_rows for source in open_sources(path) for batch in source.read())


def zipped(path: Path, **members: bytes | str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "."), content)
    return path


def test_a_zipped_shapefile_is_read_and_its_copy_goes_with_its_sources(tmp_path: Path, scratch: Path) -> None:
    write_squares(tmp_path)
    archive = tmp_path / "shape.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for side in tmp_path.glob("a.*"):
            if side.suffix in (".shp", ".shx", ".dbf", ".prj", ".cpg"):
                packed.write(side, f"city/{side.name}")
    sources = open_sources(archive)
    assert [source.name for source in sources] == ["a"]
    assert sum(batch.num_rows for batch in sources[0].read()) == 50
    assert list(scratch.iterdir())
    del sources
    gc.collect()
    assert not list(scratch.iterdir())


def test_gzip_is_read(tmp_path: Path, scratch: Path) -> None:
    (tmp_path / "a.geojson.gz").write_bytes(gzip.compress(GEOJSON.encode()))
    assert features(tmp_path / "a.geojson.gz") == 1


def test_a_layer_is_found_in_any_member(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "two.zip", first__geojson=GEOJSON, second__geojson=GEOJSON)
    assert [source.name for source in open_sources(archive, layer="second")] == ["second"]
    with pytest.raises(FormatError, match="no layer 'third' in any of its 2 files"):
        open_sources(archive, layer="third")


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({"bomb__geojson": b"0" * 4_000_000}, "looks like a zip bomb"),
        ({f"{i}__geojson": os.urandom(300_000) for i in range(18)}, "unpacks to 5.4 MB, 5.0 MB at most"),
        ({f"{i}__geojson": b"{}" for i in range(30)}, "30 files in the zip, 20 at most"),
        ({"readme__txt": b"hello"}, r"nothing in it that can be read \(it holds readme.txt\)"),
        ({"inner__zip": b"PK\x03\x04"}, "nothing in it that can be read"),
    ],
    ids=["bomb", "total", "files", "nothing", "nested"],
)
def test_hostile_and_useless_archives_are_refused(
    tmp_path: Path, scratch: Path, members: dict[str, bytes], told: str
) -> None:
    with pytest.raises(FormatError, match=told):
        open_sources(zipped(tmp_path / "a.zip", **members), limits=SMALL)
    assert not list(scratch.iterdir())


def test_a_bomb_is_refused_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = zipped(tmp_path / "a.zip", bomb__geojson=b"0" * 4_000_000)
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_, **__: pytest.fail("unpacked"))
    with pytest.raises(FormatError, match="zip bomb"):
        open_sources(archive, limits=SMALL)


def test_a_directory_that_lies_about_size_is_caught_while_unpacking(tmp_path: Path, scratch: Path) -> None:
    archive = zipped(tmp_path / "a.zip", lie__geojson=b"0" * 4_000_000)
    content = archive.read_bytes().replace(struct.pack("<I", 4_000_000), struct.pack("<I", 40_000))
    archive.write_bytes(content)
    with pytest.raises(FormatError, match=r"looks like a zip bomb|broken zip"):
        open_sources(archive, limits=SMALL)
    assert not list(scratch.iterdir())


def test_a_gzip_bomb_stops_at_its_limit(tmp_path: Path, scratch: Path) -> None:
    (tmp_path / "a.geojson.gz").write_bytes(gzip.compress(b"0" * 4_000_000))
    with pytest.raises(FormatError, match="looks like a zip bomb"):
        open_sources(tmp_path / "a.geojson.gz", limits=SMALL)
    assert not list(scratch.iterdir())


def test_members_cannot_leave_the_folder(tmp_path: Path, scratch: Path) -> None:
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("../../escaped.geojson", GEOJSON)
    assert features(archive) == 1
    assert not (tmp_path / "escaped.geojson").exists()
    assert not (scratch.parent.parent / "escaped.geojson").exists()


def test_encrypted_and_linked_members_are_refused(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", a__geojson=GEOJSON)
    content = bytearray(archive.read_bytes())
    for magic, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(magic) + at] |= 1
    archive.write_bytes(bytes(content))
    with pytest.raises(FormatError, match=r"a\.geojson is encrypted"):
        open_sources(archive)
    link = zipfile.ZipInfo("link.geojson")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr(link, "/etc/passwd")
    with pytest.raises(FormatError, match=r"link\.geojson is a link"):
        open_sources(archive)
