"""A backup is the city: taken while it is edited, restored whole or refused, the same to the byte as served."""

import json
import shutil
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import numpy as np
import psycopg
import pytest
import rasterio

from tests import town
from tests.conftest import TEST_CITY
from tests.twin.conftest import Done, Home
from twin.keeping.container import MANIFEST
from twin.local import local_twin

GEOJSON = {"Content-Type": "application/geo+json"}
CLINIC = {
    "type": "Feature",
    "geometry": {"type": "Point", "coordinates": [120.955, 28.102]},
    "properties": {"class": "Clinic"},
}
# Zoom, column and row: the town and what is around it.
TILES = ((12, 3424, 1714), (13, 6848, 3429))


@dataclass(frozen=True)
class Kept:
    """A home with two cities, saved while the second was edited. edits: how many were acknowledged in all."""

    home: Home
    file: Path
    edits: int


def token(home: Home) -> dict[str, str]:
    return {"Authorization": "Bearer " + (home.path / "token").read_text().strip()}


def write_terrain(path: Path) -> Path:
    """A hill of 64 by 64 cells over the town, metres."""
    height = np.hypot(*np.mgrid[-32:32, -32:32]).astype("float32")
    where = rasterio.transform.from_bounds(120.948, 28.098, 120.962, 28.106, 64, 64)
    with rasterio.open(
        path, "w", driver="GTiff", width=64, height=64, count=1, dtype="float32", crs="EPSG:4490", transform=where
    ) as file:
        file.write(height, 1)
    return path


@contextmanager
def edited(url: str, home: Home) -> Iterator[list[int]]:
    """Clinics are added to the second city as fast as they are acknowledged, the first of them before this block."""
    done: list[int] = []
    stop = threading.Event()

    def edit() -> None:
        with httpx.Client(base_url=f"{url}/cities/second", headers=token(home) | GEOJSON, timeout=30) as client:
            while not stop.is_set():
                done.append(client.post("/collections/facilities/items", json=CLINIC).status_code)

    editor = threading.Thread(target=edit)
    editor.start()
    try:
        eventually(lambda: bool(done), 20)
        yield done
    finally:
        stop.set()
        editor.join()


@pytest.fixture(scope="module")
def kept(memory_home: Callable[..., Home], tmp_path_factory: pytest.TempPathFactory) -> Kept:
    folder = tmp_path_factory.mktemp("kept")
    home = memory_home(TWIN_WORKERS="1", TWIN_CONTACT_PERSON="值班员 on duty")
    twin = local_twin(home.path, home.environ)
    with twin.database():
        for name in ("town", "second"):
            twin.directory.create(replace(TEST_CITY, name=name), lambda place: town.fill(place.url))
    loaded = home.twin("load", "--city", "town", str(write_terrain(folder / "hill.tif")))
    assert loaded.returncode == 0, loaded.stderr
    url = home.start()
    file = folder / "town.citytwin"
    with edited(url, home) as edits:
        done = home.twin("backup", str(file))
    assert done.returncode == 0, done.stderr
    assert set(edits) == {201}
    return Kept(home, file, len(edits))


def pictures(url: str) -> dict[str, bytes]:
    """Tiles and counts as a client gets them."""
    paths = [f"/tiles/WebMercatorQuad/{z}/{y}/{x}?collections=buildings,facilities" for z, x, y in TILES]
    paths += [f"/terrain/{z}/{x}/{y}.png" for z, x, y in TILES]
    paths += [f"/collections/{layer}/items?limit=100" for layer in ("buildings", "facilities")]
    with httpx.Client(base_url=url, timeout=30, headers={"Host": "city.test"}) as client:
        return {path: body_of(client.get(path)) for path in paths}


def body_of(answer: httpx.Response) -> bytes:
    assert answer.status_code == 200, answer.text
    if "json" not in answer.headers["content-type"]:
        return answer.content
    return json.dumps({name: value for name, value in answer.json().items() if name != "timeStamp"}).encode()


def test_a_restored_city_is_the_same(kept: Kept, memory_home: Callable[..., Home]) -> None:
    before = pictures(kept.home.server().url)
    restored = memory_home(TWIN_WORKERS="1")
    done = restored.twin("restore", str(kept.file))
    assert done.returncode == 0, done.stderr
    url = restored.start()
    assert pictures(url) == before
    assert "TWIN_CONTACT_PERSON=值班员 on duty" in (restored.path / "settings.env").read_text()
    assert token(restored) == token(kept.home)

    # One moment: of the clinics that were being added, the first so many, and in the feed the same.
    with psycopg.connect(local_twin(restored.path, restored.environ).directory.find("second").url) as connection:
        uids = "select count(*), max(id) - min(id) + 1 from facility where class = 'Clinic'"
        count, span = connection.execute(uids).fetchone() or (0, 0)
        assert 0 < count < kept.edits
        assert span == count
        fed = "select count(*) from change where op = 'insert' and \"table\" = 'facility'"
        assert connection.execute(fed).fetchone() == (count,)

    # Its feed goes on: an edit is seen in the tile.
    tile = f"{url}/cities/second/collections/facilities/tiles/WebMercatorQuad/13/3429/6848"
    old = httpx.get(tile).content
    added = httpx.post(
        f"{url}/cities/second/collections/facilities/items", json=CLINIC, headers=token(restored) | GEOJSON
    )
    assert added.status_code == 201
    eventually(lambda: httpx.get(tile).content != old, 20)
    eventually(lambda: httpx.get(f"{url}/health/ready").is_success, 20)
    again = restored.twin("restore", str(kept.file))
    assert (again.returncode, "a server is at work" in again.stderr) == (1, True)


def eventually(done: Callable[[], bool], timeout_s: float) -> None:
    until = time.monotonic() + timeout_s
    while not done():
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_backup_is_for_its_owner_and_never_replaces_another(kept: Kept) -> None:
    assert kept.file.stat().st_mode & 0o777 == 0o600
    assert f"0 days ago, in {kept.file}" in kept.home.twin("doctor").stdout
    again = kept.home.twin("backup", str(kept.file))
    assert again.returncode == 1
    assert "is there already" in again.stderr
    assert [path.name for path in kept.file.parent.glob(".*partial")] == []


def refused(memory_home: Callable[..., Home], file: Path) -> Done:
    """What `twin restore` says of a file; its home is not even made."""
    home = memory_home()
    done = home.twin("restore", str(file))
    assert done.returncode == 1
    assert not home.path.exists()
    return done


def damaged(kept: Kept, tmp_path: Path, change: Callable[[bytearray], bytes | bytearray]) -> Path:
    path = tmp_path / "damaged"
    path.write_bytes(change(bytearray(kept.file.read_bytes())))
    return path


def flipped(content: bytearray) -> bytearray:
    content[len(content) // 2] ^= 1
    return content


def test_a_broken_backup_is_refused_before_anything_is_touched(
    kept: Kept, memory_home: Callable[..., Home], tmp_path: Path
) -> None:
    assert (
        "cut off" in refused(memory_home, damaged(kept, tmp_path, lambda content: content[: len(content) // 2])).stderr
    )
    assert "cut off" in refused(memory_home, damaged(kept, tmp_path, lambda content: content[:-1])).stderr
    assert "broken" in refused(memory_home, damaged(kept, tmp_path, flipped)).stderr
    assert "no backup" in refused(memory_home, damaged(kept, tmp_path, lambda _: b"")).stderr
    assert "no backup" in refused(memory_home, write_terrain(tmp_path / "hill.tif")).stderr


def rewritten(kept: Kept, path: Path, change: Callable[[dict[str, object]], object], **parts: bytes) -> Path:
    """The backup with another manifest, and parts added to it."""
    shutil.copy(kept.file, path)
    with zipfile.ZipFile(kept.file) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            if name != MANIFEST:
                new.writestr(name, old.read(name))
        manifest = json.loads(old.read(MANIFEST))
        change(manifest)
        for name, content in parts.items():
            new.writestr(name, content)
        new.writestr(MANIFEST, json.dumps(manifest))
    return path


def test_a_foreign_or_newer_backup_is_refused(kept: Kept, memory_home: Callable[..., Home], tmp_path: Path) -> None:
    path = tmp_path / "rewritten"
    newer = rewritten(kept, path, lambda manifest: manifest["cities"][0].update(schema_version="9999"))  # type: ignore[index]
    assert "newer than this one" in refused(memory_home, newer).stderr
    assert "newer" in refused(memory_home, rewritten(kept, path, lambda manifest: manifest.update(format=2))).stderr
    added = rewritten(kept, path, lambda _: None, **{"../../evil": b"x"})
    assert "not those of its" in refused(memory_home, added).stderr
    empty = {"size": 0, "sha256": "0" * 64}
    climbing = rewritten(kept, path, lambda manifest: manifest["parts"].update({"../evil": empty}))  # type: ignore[attr-defined]
    assert "cannot be read" in refused(memory_home, climbing).stderr
    with zipfile.ZipFile(path, "w") as foreign:
        foreign.writestr("index.html", "")
    assert "no backup" in refused(memory_home, path).stderr


def test_a_home_that_is_in_use_or_of_an_older_postgres_is_refused(
    kept: Kept, memory_home: Callable[..., Home], tmp_path: Path
) -> None:
    taken = kept.home.twin("restore", str(kept.file))
    assert taken.returncode == 1
    assert "a server is at work here" in taken.stderr
    other = memory_home()
    (other.path / "data" / "elsewhere").mkdir(parents=True)
    filled = other.twin("restore", str(kept.file))
    assert (filled.returncode, "not empty" in filled.stderr) == (1, True)
    newer = rewritten(kept, tmp_path / "newer", lambda manifest: manifest.update(postgres=99))
    shutil.rmtree(other.path)
    old = other.twin("restore", str(newer))
    assert old.returncode == 1
    assert "apt-get install postgresql-99" in old.stderr
    # It can be tried again: nothing of the cities was left.
    assert not (other.path / "data").exists()
    assert other.twin("restore", "--check", str(kept.file)).returncode == 0
