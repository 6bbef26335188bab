"""The stores give back what was put there while it is true, stay within their limits, and survive damage."""

import os
from pathlib import Path

import pytest

from tests.tiles.test_freshness import change
from tiles.cache import Drawing, FileStore, Key, MemoryStore, trim
from tiles.freshness import Freshness
from tiles.matrix import web_box

BOX = web_box((0, 0, 1, 1))
KEY = Key("city/buildings/1", 14, 1, 2)
DRAWING = Drawing(b"tile", "etag", horizon=10)


def test_memory_gives_a_drawing_until_a_change_touches_it() -> None:
    known = Freshness()
    store = MemoryStore(10_000, known)
    store.put(KEY, "building", BOX, DRAWING)
    known.learn([change(10, (5, 5, 6, 6))])
    assert store.get(KEY, "building", BOX) == DRAWING
    known.learn([change(11, (0.5, 0.5, 6, 6))])
    assert store.get(KEY, "building", BOX) is None


def test_a_drawing_begun_before_a_change_that_is_known_already_is_not_kept() -> None:
    known = Freshness()
    store = MemoryStore(10_000, known)
    known.learn([change(10, (0, 0, 6, 6))])
    store.put(KEY, "building", BOX, DRAWING)
    assert store.get(KEY, "building", BOX) is None
    store.put(KEY, "building", BOX, Drawing(b"new", "e", horizon=11))
    assert store.get(KEY, "building", BOX) == Drawing(b"new", "e", horizon=11)


def test_memory_is_bounded_by_bytes() -> None:
    store = MemoryStore(10_000, Freshness())
    keys = [Key("s", 14, x, 0) for x in range(100)]
    for key in keys:
        store.put(key, "building", BOX, Drawing(b"x" * 400, "e", 1))
    kept = [key for key in keys if store.get(key, "building", BOX)]
    assert kept == keys[-10:]
    store.put(KEY, "building", BOX, Drawing(b"x" * 20_000, "e", 1))
    assert store.get(KEY, "building", BOX) is None


def test_files_give_back_what_was_put(tmp_path: Path) -> None:
    FileStore(tmp_path).put(KEY, DRAWING)
    again = FileStore(tmp_path)
    assert again.get(KEY) == DRAWING
    assert again.get(Key("city/buildings/2", 14, 1, 2)) is None
    assert not list(tmp_path.rglob(".*"))


@pytest.mark.parametrize("damage", [b"", b"\n", b"{}\n", b'{"length": 4}\ntile', b"\xff\xfe\ntile", b"[1]\ntile"])
def test_a_damaged_file_is_no_drawing(tmp_path: Path, damage: bytes) -> None:
    store = FileStore(tmp_path)
    store.put(KEY, DRAWING)
    (file,) = (p for p in tmp_path.rglob("*") if p.is_file())
    file.write_bytes(damage)
    assert store.get(KEY) is None
    file.write_bytes(b'{"length":9,"etag":"e","horizon":1,"thinned":false}\ntile')
    assert store.get(KEY) is None


def test_a_folder_that_cannot_be_written_costs_only_the_cache(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    FileStore(blocked).put(KEY, DRAWING)
    assert FileStore(blocked).get(KEY) is None


def test_trimming_removes_what_was_wanted_longest_ago(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    keys = [Key("s", 14, x, 0) for x in range(10)]
    for age, key in enumerate(keys):
        store.put(key, Drawing(b"x" * 1000, "e", 1))
        (newest,) = (p for p in tmp_path.rglob(f"{key.x}-0"))
        os.utime(newest, (age, age))
    assert store.get(keys[0])  # wanted just now
    total = sum(p.stat().st_size for p in tmp_path.rglob("*") if p.is_file())
    assert trim(tmp_path, total // 2) >= total // 2
    kept = [key.x for key in keys if store.get(key)]
    assert kept == [0, 6, 7, 8, 9]
