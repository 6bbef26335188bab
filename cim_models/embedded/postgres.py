"""The PostgreSQL of this machine: its binaries, and settings that suit the machine's memory and cores."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from cim_models.base import CityModelError
from cim_models.embedded.home import Owner, environment

OLDEST = 15
BINARIES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin")
MB = 1024**2


class PostgresMissing(CityModelError):
    """No PostgreSQL with PostGIS that fits is installed."""


@dataclass(frozen=True)
class Installation:
    """One PostgreSQL server that is installed here."""

    major: int
    binaries: Path
    postgis: bool

    def initialise(self, data: Path, superuser: str, owner: Owner, alive: int, *, durable: bool) -> str:
        """Lay down a data directory; gives what initdb complains of, nothing where all went well.

        alive: descriptor that initdb holds open as long as it lives.
        """
        done = subprocess.run(
            [
                str(self.binaries / "initdb"),
                *("--pgdata", str(data), "--username", superuser, "--auth", "trust"),
                # In a C-locale cluster trigrams of Chinese are empty, and with them the search for names.
                *("--encoding", "UTF8", "--locale", "C.UTF-8"),
                *(() if durable else ("--no-sync",)),
            ],
            **owner.identity(),
            env=environment(),
            # It may outlive a caller that is killed; the next start waits for it.
            pass_fds=(alive,),
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stderr.strip() if done.returncode else ""


def installations() -> list[Installation]:
    """Every PostgreSQL server of the usual places, the newest first."""
    found = {folder for pattern in BINARIES for folder in Path("/").glob(pattern.lstrip("/"))}
    if shutil.which("pg_config"):
        found.add(Path(_ask(Path("pg_config"), "--bindir")))
    servers = (_inspect(folder) for folder in found if (folder / "initdb").exists())
    return sorted(servers, key=lambda server: server.major, reverse=True)


def _inspect(binaries: Path) -> Installation:
    # "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", "... 17beta2"
    number = _ask(binaries / "postgres", "--version").split()[2]
    major = int("".join(character if character.isdigit() else " " for character in number).split()[0])
    shared = Path(_ask(binaries / "pg_config", "--sharedir"))
    return Installation(major, binaries, (shared / "extension/postgis.control").exists())


def _ask(program: Path, option: str) -> str:
    return subprocess.run([program, option], capture_output=True, text=True, check=True).stdout.strip()


def choose(major: int | None = None) -> Installation:
    """The newest installation with PostGIS, or the one of a given major version.

    Raises PostgresMissing, naming the packages to install.
    """
    servers = installations()
    if major is not None:
        servers = [server for server in servers if server.major == major]
        if not servers:
            raise PostgresMissing(f"PostgreSQL {major} is not installed; {_install(major)}")
    for server in servers:
        if server.postgis and server.major >= OLDEST:
            return server
    if not servers:
        raise PostgresMissing(f"no PostgreSQL server on this machine; {_install(OLDEST)}")
    newest = servers[0].major
    if newest < OLDEST:
        raise PostgresMissing(f"PostgreSQL {newest} is too old, {OLDEST} is needed; {_install(OLDEST)}")
    raise PostgresMissing(f"PostgreSQL {newest} has no PostGIS; {_install(newest)}")


def _install(major: int) -> str:
    return f"install it: apt-get install postgresql-{major} postgresql-{major}-postgis-3"


def settings() -> dict[str, str]:
    """Server settings for a city on this machine, which the API, workers and simulations share."""
    memory, cores = available_memory(), len(os.sched_getaffinity(0))
    chosen = {
        "shared_buffers": f"{_clamp(memory // 8, 128 * MB, 8192 * MB) // MB}MB",
        "effective_cache_size": f"{memory // 2 // MB}MB",
        "work_mem": f"{_clamp(memory // 400, 4 * MB, 64 * MB) // MB}MB",
        "maintenance_work_mem": f"{_clamp(memory // 24, 64 * MB, 1024 * MB) // MB}MB",
        "max_connections": "200",
        "max_parallel_workers": str(max(cores, 2)),
        # Months of observations and one partition a data set: one statement may lock hundreds of tables.
        "max_locks_per_transaction": "256",
        # A tile takes milliseconds; compiling its plan would take longer than running it.
        "jit": "off",
        # Solid-state disks: a page out of order costs what one in order does.
        "random_page_cost": "1.1",
        "effective_io_concurrency": "200",
        # A city is loaded in bulk: fewer checkpoints write a page's full image less often.
        "max_wal_size": "4GB",
        "min_wal_size": "256MB",
        "checkpoint_timeout": "15min",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_checkpoints": "off",
        "log_line_prefix": "%m [%p] %u@%d ",
        # So that archiving can begin and end while it runs.
        "archive_mode": "on",
        "archive_command": 'sh ../archive.sh "%p" "%f"',
        # With the machine's disk at most this many seconds of edits are lost.
        "archive_timeout": "60",
    }
    shared_memory = os.statvfs("/dev/shm") if os.path.isdir("/dev/shm") else None
    if shared_memory is None or shared_memory.f_blocks * shared_memory.f_frsize < 256 * MB:
        # Containers often get 64 MB there, which one parallel query overflows.
        chosen["dynamic_shared_memory_type"] = "sysv"
    return chosen


def archive_script() -> str:
    """What PostgreSQL calls to archive its log; its user may not be able to enter where Python's packages are."""
    return resources.files("cim_models.embedded").joinpath("archive.sh").read_text(encoding="utf-8")


def _clamp(value: int, low: int, high: int) -> int:
    return max(low, min(value, high))


def available_memory(root: Path = Path("/")) -> int:
    """Bytes of memory this process may use: the machine's, or less in a container (cgroup 2 and 1)."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    group = _own_group(root)
    groups = root / "sys/fs/cgroup"
    for folder in (groups / group, *(groups / group).parents):
        if folder.is_relative_to(groups):
            limits += _limit(folder / "memory.max")
    limits += _limit(groups / "memory/memory.limit_in_bytes")
    return min(limits)


def _own_group(root: Path) -> str:
    """Path of this process's control group (cgroup 2), "." where there is none."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return "."
    return next((line[3:].lstrip("/") for line in lines if line.startswith("0::")), ".")


def _limit(file: Path) -> list[int]:
    try:
        text = file.read_text().strip()
    except OSError:
        return []
    return [int(text)] if text.isdigit() else []
