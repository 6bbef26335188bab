"""The private PostgreSQL, killed, doubled, misplaced and reached as it will be; every server here is real."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import psycopg
import pytest
from sqlalchemy import create_engine, text

from cim_models.embedded import (
    Cluster,
    DatabaseExists,
    EmbeddedError,
    ForeignDirectory,
    NoSuchDatabase,
    PostgresMissing,
    postgres,
    twin_home,
)
from cim_models.embedded.home import SYSTEM_HOME, service_user

NewCluster = Callable[..., Cluster]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="what root meets, only root can try")

NOBODY = 65534


@pytest.fixture(scope="module")
def laid_down(open_folder: Path) -> Path:
    """The files of a cluster that was made and stopped: a copy of them is quicker than a new one."""
    cluster = Cluster(open_folder / "laid-down", durable=False)
    cluster.start()
    cluster.stop()
    return cluster.directory


@pytest.fixture
def new_cluster(open_folder: Path, laid_down: Path) -> Iterator[NewCluster]:
    """Clusters of a test's own, made but not running; `fresh`: not even made. Stopped afterwards."""
    clusters: list[Cluster] = []

    def make(name: str = "home", *, fresh: bool = False, port: int | None = None, durable: bool = False) -> Cluster:
        folder = Path(tempfile.mkdtemp(dir=open_folder))
        folder.chmod(0o755)
        clusters.append(Cluster(folder / name, port=port, durable=durable))
        if not fresh:
            clusters[-1].home.mkdir()
            subprocess.run(["cp", "-a", laid_down, clusters[-1].home], check=True)
        return clusters[-1]

    yield make
    for cluster in clusters:
        cluster.stop(force=True)


def pid_of(cluster: Cluster) -> int:
    return int((cluster.data / "postmaster.pid").read_text().splitlines()[0])


def lives(pid: object) -> bool:
    """Whether a process runs; a dead one that nobody has collected yet has no command line."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""
    except (FileNotFoundError, ProcessLookupError):
        return False


def scalar(cluster: Cluster, statement: str, database: str = "city") -> object:
    with psycopg.connect(cluster.url(database)) as connection:
        row = connection.execute(statement).fetchone()
    assert row is not None
    return row[0]


def with_a_row(cluster: Cluster) -> Cluster:
    """Started, with a database that holds one committed row."""
    cluster.start()
    cluster.create_database("city")
    with psycopg.connect(cluster.url("city")) as connection:
        connection.execute("create table kept as select 7 as answer")
    return cluster


def in_child(uid: int, work: Callable[[], None]) -> int:
    """Exit status of `work` in a forked child with another user's rights: 0, or 1 if it raised."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            work()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def python(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Another process of a user's, with `cluster` at hand."""
    prelude = (
        "import os, sys, time; from pathlib import Path; from cim_models.embedded import Cluster\n"
        "cluster = Cluster(Path(sys.argv[1]), durable=False)\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", prelude + code, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
        text=True,
    )


# --- reached


POSTGIS_KNOWS = "select count(*) from spatial_ref_sys where srid in (4326, 4490, 4549, 3857)"


async def test_both_drivers_read_the_url(cluster: Cluster) -> None:
    cluster.create_database("reached")
    assert scalar(cluster, POSTGIS_KNOWS, "reached") == 4
    connection = await asyncpg.connect(cluster.url("reached"))
    assert await connection.fetchval(POSTGIS_KNOWS) == 4
    await connection.close()
    cluster.drop_database("reached")


def test_sqlalchemy_and_gdal_reach_a_database(cluster: Cluster) -> None:
    cluster.create_database("reached too")
    engine = create_engine(cluster.url("reached too").replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        assert connection.execute(text(POSTGIS_KNOWS)).scalar() == 4
    engine.dispose()
    listing = subprocess.run(
        ["ogrinfo", "-sql", POSTGIS_KNOWS, f"PG:{cluster.dsn('reached too')}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "count (Integer64) = 4" in listing.stdout
    cluster.drop_database("reached too")


def test_chinese_names_have_trigrams(cluster: Cluster) -> None:
    cluster.create_database("乐清")
    with psycopg.connect(cluster.url("乐清")) as connection:
        connection.execute("create extension pg_trgm")
        assert connection.execute("select show_trgm('乐清')").fetchone() != ([],)
        assert connection.execute("select 'é' ilike 'É'").fetchone() == (True,)
    cluster.drop_database("乐清")


def test_the_role_is_ordinary(cluster: Cluster) -> None:
    cluster.create_database("ordinary")
    assert scalar(cluster, "select current_user", "ordinary") == "twin"
    assert scalar(cluster, "select rolsuper from pg_roles where rolname = 'twin'", "ordinary") is False
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        scalar(cluster, "select pg_read_file('/etc/passwd')", "ordinary")
    cluster.drop_database("ordinary")


def test_databases_are_made_copied_and_dropped(cluster: Cluster) -> None:
    cluster.create_database("original")
    with psycopg.connect(cluster.url("original")) as connection:
        connection.execute("create table kept as select st_setsrid(st_point(120, 28), 4490) as geom")
    cluster.create_database("copy", template="original")
    assert scalar(cluster, "select st_srid(geom) from kept", "copy") == 4490
    assert {"copy", "original"} <= set(cluster.databases())
    with pytest.raises(DatabaseExists, match="copy"):
        cluster.create_database("copy")
    with pytest.raises(NoSuchDatabase, match="nowhere"):
        cluster.create_database("another", template="nowhere")
    with psycopg.connect(cluster.url("copy")):  # a reader does not hold a database that is to go
        cluster.drop_database("copy")
    cluster.drop_database("original")
    with pytest.raises(NoSuchDatabase, match="copy"):
        cluster.drop_database("copy")


def test_a_port_asks_for_the_password(new_cluster: NewCluster, unused_tcp_port: int) -> None:
    cluster = with_a_row(new_cluster(port=unused_tcp_port))
    assert scalar(cluster, "select answer from kept") == 7
    url = cluster.url("city", tcp=True)
    with psycopg.connect(url) as connection:
        assert connection.execute("select host(inet_server_addr())").fetchone() == ("127.0.0.1",)
    password = url.split(":")[2].split("@")[0]
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(url.replace(password, "guess"))
    assert password not in (cluster.directory / "server.log").read_text()
    with pytest.raises(EmbeddedError, match="without port"):
        Cluster(cluster.home, port=unused_tcp_port + 1).start()


def test_without_a_port_nothing_listens(cluster: Cluster) -> None:
    assert scalar(cluster, "select current_setting('listen_addresses')", "postgres") == ""


@as_root
def test_other_users_cannot_reach_it(cluster: Cluster) -> None:
    url = cluster.url("postgres")

    def connect() -> None:
        psycopg.connect(url).close()

    assert in_child(service_user(cluster.directory).uid, connect) == 0
    assert in_child(NOBODY, connect) == 1


# --- lived


def test_health_says_what_is_missing(new_cluster: NewCluster) -> None:
    cluster = new_cluster(fresh=True)
    assert "twin up" in cluster.health().reason
    assert cluster.start() is True
    assert cluster.health().ready
    assert cluster.health().version.startswith(str(postgres.choose().major))
    assert cluster.stop() is True
    assert not cluster.health().ready
    assert "not running" in cluster.health().reason
    assert not cluster.runtime.exists()


def test_committed_rows_survive_kill_9_of_postgres(new_cluster: NewCluster) -> None:
    cluster = with_a_row(new_cluster(durable=True))
    os.kill(pid_of(cluster), signal.SIGKILL)
    assert cluster.start() is True
    assert scalar(cluster, "select answer from kept") == 7


def test_a_backend_that_outlives_its_postmaster_is_ended(new_cluster: NewCluster) -> None:
    cluster = with_a_row(new_cluster())
    busy = subprocess.Popen(
        ["psql", "--quiet", cluster.url("city"), "-c", "select count(*) from generate_series(1, 1e12) n"],
        stderr=subprocess.DEVNULL,
    )
    others = "select max(pid) from pg_stat_activity where query ~ 'generate' and pid <> pg_backend_pid()"
    until = time.monotonic() + 10
    while (backend := scalar(cluster, others)) is None:
        assert time.monotonic() < until
    os.kill(pid_of(cluster), signal.SIGKILL)
    assert lives(backend)
    assert cluster.start() is True
    assert not lives(backend)
    assert busy.wait(10) != 0
    assert scalar(cluster, "select answer from kept") == 7


def test_a_process_id_that_was_used_again_is_no_server(new_cluster: NewCluster) -> None:
    cluster = with_a_row(new_cluster())
    os.kill(pid_of(cluster), signal.SIGKILL)
    lines = (cluster.data / "postmaster.pid").read_text().splitlines()
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        (cluster.data / "postmaster.pid").write_text("\n".join([str(stranger.pid), *lines[1:]]))
        (cluster.runtime / ".s.PGSQL.5432.lock").write_text(f"{stranger.pid}\n")
        assert Cluster(cluster.home, durable=False).start() is True
        assert scalar(cluster, "select answer from kept") == 7
    finally:
        stranger.kill()
        stranger.wait()


def test_a_server_whose_socket_was_cleaned_away_is_started_anew(new_cluster: NewCluster) -> None:
    cluster = with_a_row(new_cluster())
    for file in cluster.runtime.iterdir():
        file.unlink()
    assert cluster.start() is True
    assert scalar(cluster, "select answer from kept") == 7


def test_what_a_killed_caller_left_running_is_adopted(new_cluster: NewCluster) -> None:
    cluster = new_cluster()
    caller = python("cluster.start(); print('up', flush=True); time.sleep(60)", cluster.home)
    assert caller.stdout is not None
    assert caller.stdout.readline() == "up\n"
    caller.kill()
    caller.wait()
    server = pid_of(cluster)
    assert cluster.start() is False
    assert pid_of(cluster) == server
    assert cluster.stop() is True
    assert not lives(server)


def test_a_start_that_was_killed_halfway_is_done_again(new_cluster: NewCluster) -> None:
    cluster = new_cluster(fresh=True)
    caller = python("cluster.start()", cluster.home)
    until = time.monotonic() + 20
    while not (cluster.directory / "data.new" / "PG_VERSION").exists():
        assert time.monotonic() < until
    caller.kill()
    caller.wait()
    assert cluster.start() is True
    assert cluster.health().ready


def test_two_starts_at_once_make_one_server(new_cluster: NewCluster) -> None:
    cluster = new_cluster(fresh=True)
    callers = [
        python("print(cluster.start(), flush=True); sys.stdin.read(); cluster.stop()", cluster.home) for _ in range(2)
    ]
    answers = [caller.stdout.readline() for caller in callers if caller.stdout]
    assert sorted(answers) == ["False\n", "True\n"]
    server = pid_of(cluster)
    callers[answers.index("True\n")].communicate("")
    assert lives(server), "the other caller still uses it"
    callers[answers.index("False\n")].communicate("")
    assert not lives(server)


def test_a_server_in_use_stops_only_by_force(new_cluster: NewCluster) -> None:
    cluster = new_cluster()
    cluster.start()
    second = Cluster(cluster.home, durable=False)
    assert second.start() is False
    assert cluster.stop() is False
    assert second.health().ready
    assert cluster.stop(force=True) is True
    assert not second.health().ready


# --- misplaced


def test_a_long_path_with_a_space_and_chinese(new_cluster: NewCluster) -> None:
    cluster = with_a_row(new_cluster("温州市 乐清湾 数字孪生/" + "很长的文件夹名" * 10 + "/城 市", fresh=True))
    assert len(os.fsencode(cluster.data)) > 107, "too long for a socket"
    assert scalar(cluster, "select answer from kept") == 7


def test_files_of_somebody_else_are_left_alone(new_cluster: NewCluster) -> None:
    cluster = new_cluster()
    (cluster.data / "citytwin").unlink()
    with pytest.raises(ForeignDirectory, match=r"did not make.*TWIN_HOME"):
        cluster.start()
    assert (cluster.data / "PG_VERSION").exists()


def test_data_of_another_major_version_are_refused(new_cluster: NewCluster) -> None:
    cluster = new_cluster()
    (cluster.data / "PG_VERSION").write_text("12\n")
    with pytest.raises(EmbeddedError, match="apt-get install postgresql-12 postgresql-12-postgis-3") as refusal:
        cluster.start()
    assert "mv " in str(refusal.value)


@as_root
def test_a_directory_of_another_user_is_refused(new_cluster: NewCluster) -> None:
    cluster = new_cluster()
    os.chown(cluster.data, NOBODY, NOBODY)
    with pytest.raises(ForeignDirectory, match=f"user id {NOBODY}.*chown"):
        cluster.start()
    os.chown(cluster.directory, NOBODY, NOBODY)
    with pytest.raises(ForeignDirectory, match=f"user id {NOBODY}.*chown"):
        cluster.start()
    os.chown(cluster.directory, 0, 0)


def test_a_server_started_by_hand_is_not_touched(new_cluster: NewCluster) -> None:
    cluster = new_cluster()
    owner = service_user(cluster.directory)
    by_hand = subprocess.Popen(
        [postgres.choose().binaries / "postgres", "-D", "data", "-clisten_addresses=", "-k", cluster.directory],
        **owner.identity() | {"cwd": cluster.directory},
        stderr=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + 10
        while not (cluster.data / "postmaster.pid").exists():
            assert time.monotonic() < until
        with pytest.raises(ForeignDirectory, match=f"kill -INT {by_hand.pid}"):
            cluster.start()
    finally:
        by_hand.send_signal(signal.SIGINT)
        by_hand.wait()


@as_root
def test_root_is_told_that_postgres_cannot_enter_its_home() -> None:
    with pytest.raises(ForeignDirectory, match="/var/lib/citytwin"):
        Cluster(Path("/root/citytwin-test/.twin")).start()
    Path("/root/citytwin-test/.twin").rmdir()
    Path("/root/citytwin-test").rmdir()


@as_root
def test_an_ordinary_user_needs_no_root(open_folder: Path) -> None:
    owner = service_user()
    home = open_folder / "ordinary"
    home.mkdir()
    os.chown(home, owner.uid, owner.gid)

    def live() -> None:
        cluster = Cluster(home, durable=False)
        with_a_row(cluster)
        assert cluster.runtime.parent == Path("/tmp")
        assert scalar(cluster, "select answer from kept") == 7
        assert cluster.stop() is True

    def look() -> None:
        assert "another user" in Cluster(home).health().reason

    assert in_child(owner.uid, live) == 0
    assert in_child(NOBODY, live) == 1
    assert in_child(NOBODY, look) == 0


def test_home_is_the_nearest_that_serves(open_folder: Path) -> None:
    project = open_folder / "project"
    deep = project / "a" / "b"
    deep.mkdir(parents=True)
    (project / ".twin").mkdir()
    assert twin_home(deep, {}) == project / ".twin"
    assert twin_home(deep, {"TWIN_HOME": "/srv/twin"}) == Path("/srv/twin")
    (deep / ".twin").write_text("a file")
    assert twin_home(deep, {}) == project / ".twin"


@as_root
def test_home_of_root_is_where_postgres_can_go(open_folder: Path) -> None:
    closed = open_folder / "closed"
    (closed / ".twin").mkdir(parents=True)
    closed.chmod(0o700)
    assert twin_home(closed, {}) == SYSTEM_HOME
    assert twin_home(Path("/root"), {"HOME": "/root"}) == SYSTEM_HOME
    theirs = open_folder / "theirs"
    (theirs / ".twin").mkdir(parents=True)
    os.chown(theirs / ".twin", NOBODY, NOBODY)
    assert twin_home(theirs, {}) == SYSTEM_HOME


# --- the machine


def test_missing_packages_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PostgresMissing, match="apt-get install postgresql-99 postgresql-99-postgis-3"):
        postgres.choose(99)
    bare = tmp_path / "99" / "bin"
    bare.mkdir(parents=True)
    answers = {"postgres": "postgres (PostgreSQL) 99beta1", "pg_config": tmp_path, "initdb": ""}
    for program, answer in answers.items():
        (bare / program).write_text(f"#!/bin/sh\necho '{answer}'\n")
        (bare / program).chmod(0o755)
    monkeypatch.setattr(postgres, "BINARIES", (f"{tmp_path}/*/bin",))
    monkeypatch.setenv("PATH", str(bare))
    with pytest.raises(PostgresMissing, match=r"99 has no PostGIS.*postgresql-99-postgis-3"):
        postgres.choose()


def test_memory_is_the_containers(tmp_path: Path) -> None:
    machine = postgres.available_memory(tmp_path)
    assert machine == os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    slice_ = tmp_path / "sys/fs/cgroup/user.slice/twin.service"
    slice_.mkdir(parents=True)
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text("0::/user.slice/twin.service\n")
    (slice_ / "memory.max").write_text("max\n")
    assert postgres.available_memory(tmp_path) == machine
    (slice_.parent / "memory.max").write_text(f"{300 * postgres.MB}\n")
    assert postgres.available_memory(tmp_path) == 300 * postgres.MB


def test_settings_leave_memory_to_the_others(cluster: Cluster) -> None:
    rows = "select setting::bigint * 8192 from pg_settings where name = 'shared_buffers'"
    assert scalar(cluster, rows, "postgres") <= postgres.available_memory() / 4
    assert scalar(cluster, "select current_setting('jit')", "postgres") == "off"
