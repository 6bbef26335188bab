"""The token of the local user, which `twin up` keeps in a file that only they can read."""

import ipaddress
import os
from collections.abc import Mapping
from pathlib import Path

import httpx

FILE = "token"


def find_token(url: str, start: Path, environ: Mapping[str, str]) -> str | None:
    """The token to show to the server at `url`: TWIN_TOKEN, else the local user's for a server of this machine."""
    if named := environ.get("TWIN_TOKEN"):
        return named
    if not _is_this_machine(url):
        return None
    for home in _homes(start, environ):
        try:
            return (home / FILE).read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            continue
    return None


def _homes(start: Path, environ: Mapping[str, str]) -> list[Path]:
    """Where `twin up` may have put its home, the likeliest first."""
    if named := environ.get("TWIN_HOME"):
        return [Path(named).expanduser()]
    # A .twin of somebody else above a shared folder is not asked: its token would not be ours.
    upward = [folder / ".twin" for folder in (start.absolute(), *start.absolute().parents)]
    mine = [home for home in upward if _is_mine(home)]
    user_data = Path(environ.get("XDG_DATA_HOME") or Path.home() / ".local/share")
    return [*mine, user_data / "citytwin", Path("/var/lib/citytwin")]


def _is_mine(home: Path) -> bool:
    try:
        return (home / FILE).stat().st_uid == os.geteuid()
    except OSError:
        return False


def _is_this_machine(url: str) -> bool:
    host = httpx.URL(url).host
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
