"""The port that all server processes share, found free and kept for them."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from twin import TwinError


class PortTaken(TwinError):
    """Another program listens there, or nobody may."""


@contextmanager
def reserved_port(host: str, port: int) -> Iterator[tuple[str, int]]:
    """Keep `port` for this user's processes in this block; gives the numeric address and the port.

    Port 0 is any free one. Raises PortTaken.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except socket.gaierror as error:
        raise PortTaken(f"{host}: no address of this machine ({error.strerror}); try --host 127.0.0.1") from None
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # Connections of a server that has just stopped may linger; a listener may not.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _bind(probe, address)
    with socket.socket(family, socket.SOCK_STREAM) as kept:
        # Bound, never listening: connections go to the server processes, which bind with SO_REUSEPORT as well.
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        _bind(kept, address)
        yield kept.getsockname()[:2]


def _bind(endpoint: socket.socket, address: tuple[object, ...]) -> None:
    host, port = address[:2]
    try:
        endpoint.bind(address)
    except PermissionError:
        raise PortTaken(f"port {port}: only root may listen below 1024; choose another: --port 8000") from None
    except OSError as error:
        raise PortTaken(
            f"port {port} on {host}: {error.strerror}; choose another with --port, or see who has it:"
            f" ss -ltnp 'sport = :{port}'"
        ) from None
