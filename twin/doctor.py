"""What this machine lacks for a twin, and the command that helps."""

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twin.local import LocalTwin

GB = 1024**3
LEAST_SPACE, LEAST_MEMORY = 2 * GB, 1 * GB
# Days.
LONGEST_UNSAVED = 7
LEAST_PYTHON = (3, 11)


@dataclass(frozen=True)
class Finding:
    """One thing looked at. help: what to do, empty where nothing is wrong; required: without it nothing runs."""

    subject: str
    said: str
    help: str = ""
    required: bool = True

    @property
    def well(self) -> bool:
        return not self.help


def packages() -> list[Finding]:
    """Python itself and the packages of the server."""
    version = ".".join(map(str, sys.version_info[:3]))
    short = sys.version_info < LEAST_PYTHON
    found = [Finding("Python", version, "install Python 3.11 or newer" if short else "")]
    missing = sorted(name for name in _server_packages() if not _installed(name))
    if missing:
        found.append(Finding("packages", f"missing: {', '.join(missing)}", 'pip install "citytwin[server]"'))
    else:
        found.append(Finding("packages", "all of citytwin[server]"))
    return found


def machine(twin: "LocalTwin") -> Iterator[Finding]:
    """Everything else that a server of this home needs."""
    yield _home(twin)
    yield _space(twin)
    yield _memory()
    yield _database(twin)
    yield _projections()
    yield _port(twin)
    yield _fonts()
    yield _kept(twin)
    yield from _cities(twin)


def _server_packages() -> Iterator[str]:
    for requirement in importlib.metadata.requires("citytwin") or ():
        if re.search(r"extra\s*==\s*['\"]server['\"]", requirement):
            match = re.match(r"[A-Za-z0-9._-]+", requirement)
            assert match is not None
            yield match[0]


def _installed(package: str) -> bool:
    try:
        importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _home(twin: "LocalTwin") -> Finding:
    folder = _standing(twin.home)
    if not os.access(folder, os.W_OK | os.X_OK):
        return Finding("home", f"{twin.home} cannot be written", "name another: TWIN_HOME=/path/to/home")
    return Finding("home", f"{twin.home}{'' if twin.home.exists() else ', not made yet'}")


def _space(twin: "LocalTwin") -> Finding:
    folder = _standing(twin.home)
    free = shutil.disk_usage(folder).free
    told = f"{free / GB:.0f} GB free at {folder}"
    return Finding("space", told, "" if free > LEAST_SPACE else "free some, or name another disk: TWIN_HOME=/path")


def _memory() -> Finding:
    from cim_models.embedded.postgres import available_memory

    memory = available_memory()
    told = f"{memory / GB:.1f} GB, {len(os.sched_getaffinity(0))} cores"
    help = "" if memory > LEAST_MEMORY else "give it at least 1 GB"
    return Finding("memory", told, help, required=False)


def _database(twin: "LocalTwin") -> Finding:
    if twin.cluster is None:
        return _own_database(twin.settings.database_url)
    from cim_models.embedded.postgres import PostgresMissing, choose

    try:
        server = choose()
    except PostgresMissing as missing:
        reason, _, help = str(missing).partition("; install it: ")
        return Finding("PostgreSQL", reason, help)
    return Finding("PostgreSQL", f"{server.major} with PostGIS in {server.binaries}")


def _own_database(url: str) -> Finding:
    import psycopg

    from twin.directory import first_line

    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            version = connection.info.parameter_status("server_version") or ""
            asked = "select name from pg_available_extensions where name in ('postgis', 'pg_trgm')"
            available = {name for (name,) in connection.execute(asked)}
    except psycopg.Error as error:
        return Finding("PostgreSQL", f"TWIN_DATABASE_URL: {first_line(error)}", "start it, or correct the URL")
    missing = {"postgis", "pg_trgm"} - available
    if missing:
        major = version.split(".")[0]
        packages = f"apt-get install postgresql-{major}-postgis-3 postgresql-contrib"
        return Finding("PostgreSQL", f"{version}, without {', '.join(sorted(missing))}", f"on its machine: {packages}")
    return Finding("PostgreSQL", f"your own, {version} with PostGIS")


def _projections() -> Finding:
    from pyproj import Transformer
    from pyproj.exceptions import ProjError

    try:
        x, _ = Transformer.from_crs("EPSG:4490", "EPSG:4549", always_xy=True).transform(120.0, 28.0)
    except ProjError as error:
        return Finding("PROJ", str(error), "unset PROJ_DATA and PROJ_LIB, then: pip install --force-reinstall pyproj")
    # 120 degrees east is the belt's central meridian, with a false easting of 500 km.
    if abs(x - 500_000) > 0.001:
        return Finding("PROJ", f"puts 120 degrees east at {x:.0f} m in EPSG:4549", "unset PROJ_DATA and PROJ_LIB")
    return Finding("PROJ", "transforms EPSG:4490 to EPSG:4549")


def _port(twin: "LocalTwin") -> Finding:
    from twin.port import PortTaken, reserved_port
    from twin.serving import who_serves

    if server := who_serves(twin.home):
        return Finding("port", f"this twin serves at {server.url}")
    try:
        with reserved_port(twin.settings.host, twin.settings.port) as (host, port):
            return Finding("port", f"{port} on {host} is free")
    except PortTaken as taken:
        reason, _, help = str(taken).partition("; ")
        return Finding("port", reason, help)


def _fonts() -> Finding:
    """Chinese names in pictures of maps; a browser on another machine brings its own."""
    help = "apt-get install fonts-noto-cjk"
    if shutil.which("fc-list") is None:
        return Finding("fonts", "fontconfig is not installed", help, required=False)
    done = subprocess.run(["fc-list", ":lang=zh", "family"], capture_output=True, text=True, check=False)
    families = sorted({line.split(",")[0] for line in done.stdout.splitlines()})
    return Finding("fonts", families[0] if families else "none with Chinese", "" if families else help, required=False)


def _kept(twin: "LocalTwin") -> Finding:
    """Whether the cities would survive this machine."""
    from cim_models.embedded.archive import Archive
    from twin.keeping.backup import last_backup

    if twin.cluster is not None and (folder := Archive(twin.cluster).folder):
        return Finding("backup", f"archived to {folder}; `twin archive status` tells whether it arrives")
    help = "twin backup FILE, on another disk"
    if (last := last_backup(twin.home)) is None:
        return Finding("backup", "never made", help, required=False)
    moment, file = last
    days = (datetime.now(UTC) - moment).days
    return Finding("backup", f"{days} days ago, in {file}", help if days > LONGEST_UNSAVED else "", required=False)


def _cities(twin: "LocalTwin") -> Iterator[Finding]:
    """The schema of each city, if the database is at work now."""
    if twin.cluster is not None and not twin.cluster.health().ready:
        yield Finding("cities", "not looked at: the database is not running")
        return
    from cim_models.base import CityModelError
    from cim_models.database import read_city
    from twin import TwinError

    try:
        for place in twin.directory.cities():
            read_city(place.url)
            yield Finding(f"city {place.name}", "can be read")
    except (CityModelError, TwinError) as error:
        reason, _, help = str(error).partition("; ")
        yield Finding("cities", reason, help or "see the log")


def _standing(path: Path) -> Path:
    """The path itself, or the nearest folder above it that is there."""
    return next(folder for folder in (path, *path.parents) if folder.exists())
