"""The address under which others reach the server: every link begins with it."""

import re
from ipaddress import ip_address

from starlette.types import Scope

from twin.settings import Network, Settings

# What a Host header may look like; anything else would be written into links as it is.
HOST = re.compile(r"[A-Za-z0-9.\-_\[\]:]{1,255}\Z")
PREFIX = re.compile(r"(/[A-Za-z0-9._~\-]{1,64}){1,8}\Z")


class Addresses:
    """Finds the server's root for a request: the public URL, what a trusted proxy says, or the Host header."""

    def __init__(self, settings: Settings) -> None:
        self._public = settings.public_url
        self._trusted = settings.trusted_proxies

    def root(self, scope: Scope) -> str:
        """Without a closing slash."""
        if self._public is not None:
            return self._public
        headers = {name: value for name, value in scope["headers"] if name in FORWARDED or name == b"host"}
        scheme, host, prefix = scope.get("scheme", "http"), headers.get(b"host", b"").decode("latin-1"), ""
        if self._trusted and _within(scope.get("client"), self._trusted):
            scheme = _last(headers, b"x-forwarded-proto") or scheme
            host = _last(headers, b"x-forwarded-host") or host
            prefix = _last(headers, b"x-forwarded-prefix").rstrip("/")
        if not HOST.match(host):
            address, port = scope.get("server") or ("localhost", None)
            host = f"{address}:{port}" if port else address
        return f"{scheme if scheme in ('http', 'https') else 'http'}://{host}{prefix if PREFIX.match(prefix) else ''}"


FORWARDED = frozenset((b"x-forwarded-proto", b"x-forwarded-host", b"x-forwarded-prefix"))


def _last(headers: dict[bytes, bytes], name: bytes) -> str:
    # Each proxy appends its word; the last one is by the proxy that we trust.
    return headers.get(name, b"").decode("latin-1").rpartition(",")[2].strip()


def _within(client: tuple[str, int] | None, networks: tuple[Network, ...]) -> bool:
    try:
        address = ip_address(client[0]) if client else None
    except ValueError:
        return False
    return address is not None and any(address in network for network in networks)
