"""One server process (python -m api.serve): the API, on a port that all server processes listen to."""

import asyncio
import resource
import signal
from typing import TYPE_CHECKING

from starlette.types import ASGIApp

from twin.process import die_with_supervisor, leave

if TYPE_CHECKING:
    from granian.server.embed import Server

# Connections of a process at once: viewers and listeners keep theirs, most of which wait for something to happen.
CONNECTIONS = 8_192
BACKLOG = 1_024


def main() -> None:
    """Serve until SIGTERM, then finish the requests in hand; exit status 1 if the application did not start."""
    die_with_supervisor()
    import uvloop

    leave(0 if uvloop.run(_serve()) else 1)


def open_server(app: ASGIApp, host: str, port: int) -> "Server":
    """The server of an application on a port, which others may share: the kernel deals out their connections."""
    from granian.constants import HTTPModes, Interfaces
    from granian.log import LogLevels
    from granian.server.embed import Server

    _allow_connections()
    return Server(
        app,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=False,
        backlog=BACKLOG,
        backpressure=CONNECTIONS,
        log_level=LogLevels.error,
    )


def _allow_connections() -> None:
    """Have as many files open as that many connections take, or as many as the system allows."""
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * CONNECTIONS if most == resource.RLIM_INFINITY else min(2 * CONNECTIONS, most)
    if now != resource.RLIM_INFINITY and now < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


async def _serve() -> bool:
    from api.app import create_app
    from twin.settings import read_settings

    settings = read_settings()
    server = open_server(create_app(settings), settings.host, settings.port)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    await server.serve()
    return not server.interrupt_children


if __name__ == "__main__":
    main()
