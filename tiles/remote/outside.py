"""Fetching from other hosts for a user: from those that the operator named, and from no private address unseen.

A name is resolved once for a connection; every address is checked, and the connection goes to the address that was
checked. A host that answers differently the second time (DNS rebinding) gains nothing.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlencode, urljoin, urlsplit

import httpcore

from tiles.remote import NotAllowed, RemoteFailed, RemoteTooSlow
from tiles.studio import Busy

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

PORTS = {"http": 80, "https": 443}
# Addresses that carry another address within, by which a gateway would reach it (RFC 6052, section 2.1).
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
MAX_REDIRECTS = 3
MAX_URL = 4_096
AT_ONCE = 16
WAITING = 256
CONNECT_S = 5.0
REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True)
class Fetched:
    """An answer. media_type: without its parameters, in small letters."""

    body: bytes
    media_type: str


@dataclass(frozen=True)
class AllowList:
    """What may be fetched.

    hosts: names, *.names or addresses, each with :port where it is not 80 or 443. networks: private ones that may be
    reached by name. keys: parameters that the server adds for a host, by the same patterns.
    """

    hosts: Sequence[str] = ()
    networks: Sequence[IpNetwork] = ()
    keys: Mapping[str, Mapping[str, str]] | None = None

    def allows(self, url: str) -> bool:
        """Whether a URL may be fetched, as far as its text tells."""
        try:
            self.check(url)
        except NotAllowed:
            return False
        return True

    def check(self, url: str) -> SplitResult:
        """The parts of a URL that may be fetched. Raises NotAllowed."""
        if len(url) > MAX_URL:
            raise NotAllowed(f"an address may have {MAX_URL} characters")
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise NotAllowed(f"{url[:100]!r} is no address") from None
        if parts.scheme not in PORTS or not parts.hostname or parts.username is not None or not url.isascii():
            raise NotAllowed(f"{url[:100]!r}: an address http:// or https:// is wanted, without a user's name")
        if not _named(parts.hostname, port or PORTS[parts.scheme], self.hosts):
            raise NotAllowed(f"{parts.netloc}: the operator has not named this host in TWIN_REMOTE_HOSTS")
        return parts

    def key(self, url: str) -> Mapping[str, str]:
        """The parameters that the server adds to a URL that may be fetched; empty if it has none."""
        parts = self.check(url)
        port = port_of(parts)
        return next((key for host, key in (self.keys or {}).items() if _named(host_of(parts), port, [host])), {})

    def reachable(self, host: str, addresses: Iterable[IpAddress]) -> list[IpAddress]:
        """Those addresses of a host that may be connected to."""
        return [each for each in addresses if self._reachable(host, each)]

    def _reachable(self, host: str, address: IpAddress) -> bool:
        true = true_address(address)
        if true.is_global and not true.is_multicast:
            return True
        # An address that is itself on the list was named; a host's name alone names no private address.
        return any(true in network for network in self.networks) or any(
            entry.rpartition(":")[0] == host or entry == host for entry in self.hosts if host == str(address)
        )


def host_of(parts: SplitResult) -> str:
    assert parts.hostname is not None
    return parts.hostname


def port_of(parts: SplitResult) -> int:
    return parts.port or PORTS[parts.scheme]


def _named(host: str, port: int, patterns: Iterable[str]) -> bool:
    for pattern in patterns:
        name, colon, number = pattern.lower().rpartition(":")
        wanted, ports = (name, (number,)) if colon and number.isdigit() else (pattern.lower(), ("80", "443"))
        if str(port) in ports and (wanted == host or (wanted.startswith("*.") and fnmatchcase(host, wanted))):
            return True
    return False


def true_address(address: IpAddress) -> IpAddress:
    """The IPv4 address that an IPv6 address stands for, if it does."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else address)


class Outside:
    """The way out of this server."""

    def __init__(self, allowed: AllowList, *, limit_s: float, context: ssl.SSLContext | None = None) -> None:
        """limit_s: seconds for one answer, redirects included. context: whose certificates are believed."""
        self.allowed = allowed
        self._limit_s = limit_s
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=context or ssl.create_default_context(),
            max_connections=AT_ONCE,
            keepalive_expiry=30.0,
            network_backend=_Guarded(allowed),
        )
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def fetch(self, url: str, *, accept: str, limit: int) -> Fetched:
        """What is at a URL, at most `limit` bytes. Raises NotAllowed, RemoteFailed, RemoteTooSlow, Busy."""
        host = host_of(self.allowed.check(url))
        if self._waiting >= WAITING:
            raise Busy("too many maps of other services are being fetched; ask again in a moment")
        self._waiting += 1
        try:
            async with asyncio.timeout(self._limit_s), self._turns:
                return await self._followed(url, accept, limit)
        except (TimeoutError, httpcore.TimeoutException):
            raise RemoteTooSlow(f"{host} did not answer within {self._limit_s:g} s") from None
        except (httpcore.NetworkError, httpcore.ProtocolError, ssl.SSLError, OSError) as error:
            raise RemoteFailed(f"{host} cannot be reached: {error or type(error).__name__}") from None
        finally:
            self._waiting -= 1

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Send a body to a URL; the status of the answer. No redirect is followed.

        Raises NotAllowed, RemoteFailed, RemoteTooSlow.
        """
        host = host_of(self.allowed.check(url))
        told = [(b"host", urlsplit(url).netloc.encode()), (b"user-agent", b"CityTwin")]
        told += [(name.encode(), value.encode()) for name, value in headers.items()]
        try:
            async with (
                asyncio.timeout(self._limit_s),
                self._turns,
                self._pool.stream("POST", url.encode(), headers=told, content=body) as response,
            ):
                status: int = response.status
                return status
        except (TimeoutError, httpcore.TimeoutException):
            raise RemoteTooSlow(f"{host} did not answer within {self._limit_s:g} s") from None
        except (httpcore.NetworkError, httpcore.ProtocolError, ssl.SSLError, OSError) as error:
            raise RemoteFailed(f"{host} cannot be reached: {error or type(error).__name__}") from None

    async def _followed(self, url: str, accept: str, limit: int) -> Fetched:
        for _ in range(MAX_REDIRECTS + 1):
            answer = await self._asked(url, accept, limit)
            if isinstance(answer, Fetched):
                return answer
            url = urljoin(url, answer)
        raise RemoteFailed(f"{urlsplit(url).hostname} redirects more than {MAX_REDIRECTS} times")

    async def _asked(self, url: str, accept: str, limit: int) -> Fetched | str:
        """The answer, or where it is to be had instead."""
        parts = self.allowed.check(url)
        headers = [
            (b"host", parts.netloc.encode()),
            (b"accept", accept.encode()),
            (b"accept-encoding", b"identity"),
            (b"user-agent", b"CityTwin"),
        ]
        timeout = {"connect": CONNECT_S, "read": self._limit_s, "write": CONNECT_S, "pool": self._limit_s}
        target = with_key(url, self.allowed.key(url)).encode()
        async with self._pool.stream("GET", target, headers=headers, extensions={"timeout": timeout}) as response:
            told = {name.lower(): value.decode("latin-1") for name, value in response.headers}
            if response.status in REDIRECTS and b"location" in told:
                return told[b"location"]
            if response.status != 200:
                raise RemoteFailed(f"{parts.hostname} answers HTTP {response.status}", response.status)
            if told.get(b"content-encoding", "identity") != "identity":
                raise RemoteFailed(f"{parts.hostname} sends compressed what was not asked for compressed")
            body = await _read(response.aiter_stream(), limit, host_of(parts))
        return Fetched(body, told.get(b"content-type", "").partition(";")[0].strip().lower())

    async def close(self) -> None:
        await self._pool.aclose()


async def _read(stream: AsyncIterator[bytes], limit: int, host: str) -> bytes:
    body = bytearray()
    async for chunk in stream:
        body += chunk
        if len(body) > limit:
            raise RemoteFailed(f"{host} sends more than {limit} bytes")
    return bytes(body)


def with_key(url: str, key: Mapping[str, str]) -> str:
    """A URL with a key's parameters instead of those of the same names that it has."""
    if not key:
        return url
    parts = urlsplit(url)
    names = {name.lower() for name in key}
    kept = [
        (name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name.lower() not in names
    ]
    return parts._replace(query=urlencode([*kept, *key.items()]), fragment="").geturl()


class _Guarded(httpcore.AsyncNetworkBackend):
    """Connects to checked addresses alone."""

    def __init__(self, allowed: AllowList) -> None:
        self._allowed = allowed
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (httpcore's own signature)
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = dict.fromkeys(ipaddress.ip_address(str(where[4][0]).partition("%")[0]) for where in found)
        reachable = self._allowed.reachable(host, addresses)
        if not reachable:
            raise NotAllowed(f"{host} is a private address; the operator has not named it in TWIN_REMOTE_NETWORKS")
        last: Exception | None = None
        for address in reachable[:3]:
            try:
                return await self._inner.connect_tcp(str(address), port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                last = error
        assert last is not None
        raise last
