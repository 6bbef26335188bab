"""What this machine knows of its own server: where it is, and the local user's token, which `twin up` keeps."""

import ipaddress
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import httpx

from twin.serving import who_serves

TOKEN = "token"


def find_server(start: Path, environ: Mapping[str, str]) -> str | None:
    """URL of the server that a script run in the folder `start` means, if one is at work on this machine."""
    for home in _homes(start, environ):
        if (server := who_serves(home)) and server.url:
            return server.url
    return None


def find_token(url: str, start: Path, environ: Mapping[str, str]) -> str | None:
    """The token to show to the server at `url`: TWIN_TOKEN, else that of the user's own home which serves there."""
    if named := environ.get("TWIN_TOKEN"):
        return named
    # No other server is shown it: it does not know the token, and has no business with it.
    for home in _homes(start, environ):
        if (server := who_serves(home)) and _same_place(server.url, url):
            with suppress(OSError, UnicodeDecodeError):
                return (home / TOKEN).read_text(encoding="ascii").strip()
    return None


def _homes(start: Path, environ: Mapping[str, str]) -> list[Path]:
    """Where `twin up` may have put its home, the likeliest first."""
    if named := environ.get("TWIN_HOME"):
        return [Path(named).expanduser()]
    # A .twin that somebody else put above a shared folder is none of ours.
    upward = [folder / ".twin" for folder in (start.absolute(), *start.absolute().parents)]
    user_data = Path(environ.get("XDG_DATA_HOME") or Path.home() / ".local/share")
    return [home for home in (*upward, user_data / "citytwin", Path("/var/lib/citytwin")) if _is_mine(home)]


def _is_mine(home: Path) -> bool:
    try:
        return (home / TOKEN).stat().st_uid == os.geteuid()
    except OSError:
        return False


def _same_place(served: str, url: str) -> bool:
    """Whether both lead to one port of this machine, by whatever of its names."""
    return bool(served) and _is_this_machine(url) and httpx.URL(served).port == httpx.URL(url).port


def _is_this_machine(url: str) -> bool:
    host = httpx.URL(url).host
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
