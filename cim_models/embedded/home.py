"""Where a twin keeps its files on this machine, and which user they belong to."""

import os
import pwd
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cim_models.base import CityModelError

SERVICE_USER = "citytwin"
SYSTEM_HOME = Path("/var/lib/citytwin")


class HomeError(CityModelError):
    """The twin's files cannot be kept there, or not by this user."""


class ForeignDirectory(HomeError):
    """The directory holds what this twin did not make, or may not touch."""


@dataclass(frozen=True)
class Owner:
    """The unprivileged user that PostgreSQL runs as and that owns its files."""

    name: str
    uid: int
    gid: int

    def identity(self) -> dict[str, Any]:
        """Arguments for `subprocess` that make a child run as this user, wherever its caller stands."""
        options: dict[str, Any] = {"cwd": "/", "umask": 0o077}
        if os.geteuid() == 0:
            options |= {"user": self.uid, "group": self.gid, "extra_groups": []}
        return options

    def can_enter(self, folder: Path) -> bool:
        """Whether the user may enter the folder, every parent and access list considered."""
        return subprocess.run(["test", "-x", folder], **self.identity(), check=False).returncode == 0

    def private_directory(self, path: Path) -> None:
        """Make or check a directory that this user alone (and root) can enter.

        Raises ForeignDirectory for somebody else's.
        """
        path.mkdir(mode=0o700, exist_ok=True)
        status = path.lstat()
        if os.geteuid() == 0 and status.st_uid == 0:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)
            status = path.lstat()
        if path.is_symlink() or not path.is_dir() or status.st_uid != self.uid or status.st_mode & 0o077:
            raise ForeignDirectory(
                f"{path}: must be a directory of {self.name} (user id {self.uid}) that nobody else can enter,"
                f" but belongs to user id {status.st_uid} with mode {status.st_mode & 0o777:o};"
                f" run as that user, or: chown -R {self.name} '{path}' && chmod 700 '{path}'"
            )

    def open(self, path: Path, flags: int) -> int:
        """Open or create a private file; never through a link that the user may have laid for root."""
        descriptor = os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        if os.geteuid() == 0:
            os.fchown(descriptor, self.uid, self.gid)
        return descriptor

    def write(self, path: Path, text: str) -> None:
        """Write a private text file."""
        with open(self.open(path, os.O_WRONLY | os.O_TRUNC), "w", encoding="utf-8") as file:
            file.write(text)


def environment() -> dict[str, str]:
    """What PostgreSQL gets of the environment: a caller's PGDATA, PROJ_DATA or GDAL_DATA would lead it astray."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"}


def twin_home(start: Path, environ: Mapping[str, str]) -> Path:
    """The directory of the twin that a command called in `start` means; it need not exist yet.

    TWIN_HOME if set; else the nearest usable `.twin/` from `start` upward; else the user's data directory, which
    for root is a system directory, because an unprivileged PostgreSQL cannot enter /root.
    """
    if named := environ.get("TWIN_HOME"):
        return Path(named).expanduser().absolute()
    here = start.absolute()
    for folder in (here, *here.parents):
        if _usable(folder / ".twin"):
            return folder / ".twin"
    if os.geteuid() == 0:
        return SYSTEM_HOME
    user_data = environ.get("XDG_DATA_HOME") or Path.home() / ".local/share"
    return Path(user_data) / "citytwin"


def _usable(folder: Path) -> bool:
    """Whether a twin can live in the folder: it is there, ours, and PostgreSQL's user can enter it."""
    try:
        if not folder.is_dir():
            return False
        uid = folder.stat().st_uid
    except PermissionError:
        return False
    owner = service_user()
    # Above a shared place such as /tmp stands what anybody put there.
    return uid in (os.geteuid(), owner.uid) and owner.can_enter(folder)


def service_user(directory: Path | None = None) -> Owner:
    """The user that PostgreSQL runs as: the caller, or for root a system user, made if it is missing.

    directory: of a cluster; whichever service user made it goes on with it.
    Raises HomeError where root finds no system user and can make none.
    """
    if os.geteuid() != 0:
        return _owner(os.geteuid())
    if directory is not None and directory.exists():
        for known in (_find(SERVICE_USER), _find("postgres")):
            if known and known.uid == directory.stat().st_uid:
                return known
    owner = _find(SERVICE_USER) or _create() or _find("postgres")
    if owner is None:
        raise HomeError(
            f"PostgreSQL does not run as root, and the system user {SERVICE_USER} cannot be made;"
            f" make it: useradd --system --no-create-home {SERVICE_USER}"
        )
    return owner


def _owner(uid: int) -> Owner:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        raise HomeError(
            f"user id {uid} has no name on this machine, and PostgreSQL needs one; add it to /etc/passwd"
        ) from None
    return Owner(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _find(name: str) -> Owner | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Owner(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _create() -> Owner | None:
    command = ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", str(SYSTEM_HOME)]
    try:
        # Two starts at once may both come here; who loses finds the winner's user.
        subprocess.run([*command, "--shell", "/usr/sbin/nologin", SERVICE_USER], capture_output=True, check=False)
    except FileNotFoundError:
        return None
    return _find(SERVICE_USER)
