"""Where a twin keeps its files on this machine, and which user they belong to."""

import os
import pwd
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cim_models.base import CityModelError

SERVICE_USER = "citytwin"
SYSTEM_HOME = Path("/var/lib/citytwin")


class HomeError(CityModelError):
    """The twin's files cannot be kept there, or not by this user."""


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

    def may(self, permission: str, path: Path) -> bool:
        """Whether the user may "r"ead, "w"rite or e"x"ecute (enter) the path, access lists included."""
        done = subprocess.run(["test", f"-{permission}", path], **self.identity(), check=False)
        return done.returncode == 0


def twin_home(start: Path, environ: Mapping[str, str]) -> Path:
    """The directory of the twin that a command called in `start` means; it need not exist yet.

    TWIN_HOME if set; else the nearest usable `.twin/` from `start` upward; else the user's data directory, which
    for root is a system directory, because an unprivileged PostgreSQL cannot enter /root.
    """
    if named := environ.get("TWIN_HOME"):
        return Path(named).expanduser().absolute()
    here = start.absolute()
    for folder in (here, *here.parents):
        if usable(folder / ".twin"):
            return folder / ".twin"
    if os.geteuid() == 0:
        return SYSTEM_HOME
    user_data = environ.get("XDG_DATA_HOME") or Path(environ.get("HOME", "~")).expanduser() / ".local/share"
    return Path(user_data) / "citytwin"


def usable(folder: Path) -> bool:
    """Whether a twin can live in an existing folder: ours, and PostgreSQL's user can enter it."""
    try:
        if not folder.is_dir():
            return False
        uid = folder.stat().st_uid
    except PermissionError:
        return False
    owner = service_user()
    # Upward from a shared place such as /tmp stands what anybody put there.
    return uid in (os.geteuid(), owner.uid) and owner.may("x", folder)


def service_user(directory: Path | None = None) -> Owner:
    """The user that PostgreSQL runs as: the caller, or for root a system user, made if it is missing.

    directory: an existing directory of a cluster; whichever service user made it goes on with it.
    Raises HomeError where root finds no system user and can make none.
    """
    if os.geteuid() != 0:
        return _owner(os.geteuid())
    if directory is not None and directory.exists():
        for owner in filter(None, map(_find, (SERVICE_USER, "postgres"))):
            if owner.uid == directory.stat().st_uid:
                return owner
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
        return _owner(pwd.getpwnam(name).pw_uid)
    except KeyError:
        return None


def _create() -> Owner | None:
    command: Sequence[str] = (
        *("useradd", "--system", "--user-group", "--no-create-home"),
        *("--home-dir", str(SYSTEM_HOME), "--shell", "/usr/sbin/nologin", SERVICE_USER),
    )
    try:
        # Two starts at once may both come here; who loses finds the winner's user.
        subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError:
        return None
    return _find(SERVICE_USER)
