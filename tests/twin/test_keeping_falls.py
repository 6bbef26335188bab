"""Falls: what was acknowledged is there after each, and the next start says what it found."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psycopg
import pytest

from tests import town
from tests.conftest import TEST_CITY
from tests.twin.conftest import OWN_ENVIRONMENT, Home
from tests.twin.test_keeping import CLINIC, GEOJSON, token
from twin.keeping.aftermath import Traces, traces
from twin.local import LocalTwin, local_twin

# A city whose loading takes as long as one likes.
LAY_DOWN = """
import os, time
from pathlib import Path
from cim_models.database import CitySpec
from twin.local import local_twin
twin = local_twin(Path.cwd(), os.environ)
with twin.database():
    twin.directory.create(CitySpec("demo", "", "Demo"), lambda place: time.sleep(600))
"""
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")


def twin_of(home: Home) -> LocalTwin:
    return local_twin(home.path, home.environ)


@contextmanager
def small_disk(folder: Path, options: str) -> Iterator[Path]:
    """A disk of its own size."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "citytwin-test", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def test_the_machine_goes_off_in_the_middle_of_everything(memory_home: Callable[..., Home]) -> None:
    """Edits, and a city that is being laid down, when everything gets kill -9."""
    home = memory_home(TWIN_WORKERS="1")
    twin = twin_of(home)
    with twin.database():
        place = twin.directory.create(TEST_CITY, lambda place: town.fill(place.url))
    url = home.start()
    with httpx.Client(base_url=url, headers=token(home) | GEOJSON, timeout=30) as client:
        loading = subprocess.Popen([sys.executable, "-c", LAY_DOWN], env=home.environ)
        acknowledged = 0
        while "unfinished_demo" not in databases(place.url) or acknowledged < 3:
            assert loading.poll() is None
            added = client.post("/collections/facilities/items", json=CLINIC)
            assert added.status_code == 201, home.log()
            acknowledged += 1
    processes = home.processes()
    for pid in processes:
        # Some end by themselves when the first are gone.
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    loading.wait()
    assert any("postgres -D" in command for command in processes.values())
    # The clock is set back by an hour before the next start: for the database it is as if its edits came later.
    with twin.database(), psycopg.connect(place.url) as connection:
        connection.execute("update change set at = at + interval '1 hour'")
        connection.execute(
            "update facility set recorded_from = recorded_from + interval '1 hour' where class = 'Clinic'"
        )
        connection.commit()
        os.kill(int((home.path / "postgres/data/postmaster.pid").read_text().split()[0]), signal.SIGKILL)

    started = home.twin("up", "--detach", "--port", "0")
    assert started.returncode == 0, started.stderr
    for finding in ("PostgreSQL had not been stopped in order", "city demo was being laid down", "the clock stands 60"):
        assert finding in started.stdout
        assert finding in home.log()
    assert "unfinished_demo" not in databases(place.url)
    with httpx.Client(base_url=home.server().url, headers=token(home) | GEOJSON, timeout=30) as client:
        clinics = client.get("/collections/facilities/items?limit=1000&class=Clinic").json()["features"]
        assert len(clinics) == acknowledged
        # What is "later" than now can be edited all the same, and stays one object.
        address = f"/collections/facilities/items/{clinics[0]['id']}"
        change = {"type": "Feature", "properties": {"name": "诊所"}}
        patched = client.patch(address, json=change, headers={"Content-Type": "application/merge-patch+json"})
        assert patched.is_success, patched.text
        assert client.get(address).json()["properties"]["name"] == "诊所"
    assert home.twin("down").returncode == 0
    assert traces(twin) == Traces(server=False, database=False)


def databases(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [name for (name,) in connection.execute("select datname from pg_database")]


@as_root
def test_a_full_disk_loses_nothing_acknowledged() -> None:
    with small_disk(Path(f"/tmp/citytwin-small-{os.getpid()}"), "size=220m,mode=755") as disk:
        home = Home(disk / "home", OWN_ENVIRONMENT | {"TWIN_HOME": str(disk / "home")})
        twin = twin_of(home)
        with twin.database():
            place = twin.directory.create(TEST_CITY)
            free = os.statvfs(disk)
            (disk / "filler").write_bytes(bytes(max(0, free.f_bavail * free.f_frsize - 2**20)))
            acknowledged = write_until_full(place.url)
            refused = home.twin("backup", str(disk / "backup"))
            assert refused.returncode == 1
            assert "No space left on device" in refused.stderr
            assert not list(disk.glob("*backup*"))
            (disk / "filler").unlink()
        # Also where PostgreSQL itself could not go on.
        with twin.database(), psycopg.connect(place.url) as connection:
            assert connection.execute("select count(*) from plan").fetchone() == (acknowledged,)
            connection.execute("insert into plan (name, title_zh, title_en, who) values ('after', '', '', '')")
        assert home.processes() == {}
    with small_disk(Path(f"/tmp/citytwin-small-{os.getpid()}-ro"), "ro,size=1m") as disk:
        unwritable = Home(disk / "home", OWN_ENVIRONMENT | {"TWIN_HOME": str(disk / "home")}).twin("up")
        assert unwritable.returncode == 1
        assert "Read-only file system" in unwritable.stderr
        assert "TWIN_HOME" in unwritable.stderr


def write_until_full(url: str) -> int:
    """Commit rows of 100 kB that do not compress, one by one, until there is no room; how many were acknowledged."""
    count = 0
    until = time.monotonic() + 30
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            while time.monotonic() < until:
                connection.execute(
                    "insert into plan (name, title_zh, title_en, who)"
                    " select %s, string_agg(gen_random_uuid()::text, ''), '', '' from generate_series(1, 3000)",
                    (f"plan {count}",),
                )
                count += 1
    except (psycopg.errors.DiskFull, psycopg.OperationalError):
        return count
    raise AssertionError("the disk was never full")
