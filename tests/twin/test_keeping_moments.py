"""An archive holds every moment: a home is brought back to one between two edits, its files with it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from tests.conftest import TEST_CITY
from tests.twin.conftest import Done, Home
from twin.keeping.moments import bases
from twin.keeping.prune import Policy, doomed
from twin.local import LocalTwin, local_twin


@dataclass(frozen=True)
class Archived:
    """A home that was archived while it was edited, and the moment between its two edits."""

    home: Home
    folder: Path
    began: datetime
    between: datetime


def twin_of(home: Home) -> LocalTwin:
    return local_twin(home.path, home.environ)


def add(url: str, name: str) -> datetime:
    """Write one row and wait a moment; when that was, by the database's clock."""
    with psycopg.connect(url) as connection:
        connection.execute("insert into plan (name, title_zh, title_en, who) values (%s, '', '', 'test')", (name,))
    time.sleep(0.05)
    return datetime.now(UTC)


def done(home: Home, *words: str) -> Done:
    end = home.twin(*words)
    assert end.returncode == 0, end.stderr
    return end


def plans(home: Home) -> list[str]:
    with twin_of(home).database(), psycopg.connect(twin_of(home).directory.find("testing").url) as connection:
        return [name for (name,) in connection.execute("select name from plan order by id")]


@pytest.fixture(scope="module")
def archived(memory_home: Callable[..., Home]) -> Archived:
    home = memory_home(TWIN_LOG_LEVEL="warning")
    folder = home.path.parent / "archive"
    twin = twin_of(home)
    with twin.database():
        place = twin.directory.create(TEST_CITY)
        began = datetime.now(UTC)
        done(home, "archive", "start", str(folder))
        between = add(place.url, "first")
        (place.files / "depth").mkdir()
        (place.files / "depth" / "积水 1.tif").write_bytes(b"laid down before its row")
        add(place.url, "second")
        done(home, "archive", "stop")
        add(place.url, "third")
    return Archived(home, folder, began, between)


def test_a_home_is_brought_back_to_a_moment(archived: Archived, memory_home: Callable[..., Home]) -> None:
    restored = memory_home()
    done(restored, "restore", str(archived.folder), "--to", archived.between.isoformat())
    assert plans(restored) == ["first"]
    assert "TWIN_LOG_LEVEL=warning" in (restored.path / "settings.env").read_text()
    # It is a home like any other: it can be written, and its own archive begins elsewhere.
    twin = twin_of(restored)
    with twin.database():
        add(twin.directory.find("testing").url, "after")
        taken = restored.twin("archive", "start", str(archived.folder))
    assert taken.returncode == 1
    assert f"the archive of {archived.home.path}" in taken.stderr
    assert plans(restored) == ["first", "after"]


def test_without_a_moment_all_that_was_archived_comes_back(
    archived: Archived, memory_home: Callable[..., Home]
) -> None:
    restored = memory_home()
    done(restored, "restore", str(archived.folder))
    assert plans(restored) == ["first", "second"]
    file = restored.path / "data" / "testing" / "depth" / "积水 1.tif"
    assert file.read_bytes() == b"laid down before its row"
    again = restored.twin("restore", str(archived.folder))
    assert again.returncode == 1
    assert "not empty" in again.stderr


def refused(home: Home, *words: str) -> str:
    end = home.twin("restore", *words)
    assert end.returncode != 0
    assert not (home.path / "postgres" / "data").exists()
    return end.stderr


def test_moments_out_of_reach_are_refused(archived: Archived, memory_home: Callable[..., Home], tmp_path: Path) -> None:
    home, folder = memory_home(), str(archived.folder)
    assert "nothing before can be brought back" in refused(home, folder, "--to", archived.began.isoformat())
    assert not home.path.exists()
    late = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    assert "the archive ends before that moment" in refused(home, folder, "--to", late)
    assert "is no moment" in refused(home, folder, "--to", "yesterday")
    assert "no archive of CityTwin" in refused(home, str(tmp_path))


def test_a_damaged_log_is_found_before_anything_is_touched(
    archived: Archived, memory_home: Callable[..., Home]
) -> None:
    segment = max((archived.folder / "wal").glob("*.gz"))
    whole = segment.read_bytes()
    segment.write_bytes(whole[: len(whole) // 2])
    try:
        home = memory_home()
        assert f"{segment.name}: damaged" in refused(home, str(archived.folder))
        assert not home.path.exists()
    finally:
        segment.write_bytes(whole)


def test_an_archive_that_is_away_is_told_and_loses_nothing(
    archived: Archived, memory_home: Callable[..., Home]
) -> None:
    """As when the network disk is gone for a while: PostgreSQL keeps its log, and sends it when the disk is back."""
    folder = archived.folder.with_name("second archive")
    twin = twin_of(archived.home)
    with twin.database():
        done(archived.home, "archive", "start", str(folder))
        assert str(folder) in done(archived.home, "archive", "status").stdout
        folder.rename(away := folder.with_name("away"))
        with psycopg.connect(twin.directory.find("testing").url) as connection:
            connection.execute("select count(*) from plan")
        add(twin.directory.find("testing").url, "unseen")
        assert twin.cluster is not None
        with twin.cluster.connect() as connection:
            connection.execute("select pg_switch_wal()")
        until = time.monotonic() + 20
        while (status := archived.home.twin("archive", "status")).returncode == 0:
            assert time.monotonic() < until
            time.sleep(0.1)
        assert "the last attempt failed" in status.stderr
        away.rename(folder)
        # A second copy, after which nothing is needed of what was before it.
        done(archived.home, "archive", "start", str(folder))
        done(archived.home, "prune", "--archive", "1", "--yes")
        assert len(bases(folder)) == 2
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        for each in doomed(twin, Policy(None, None, None, archive=1), tomorrow):
            each.remove()
        assert len(bases(folder)) == 1
        done(archived.home, "archive", "stop")
    restored = memory_home()
    done(restored, "restore", str(folder))
    assert plans(restored)[-1] == "unseen"
