"""One server process (python -m api.serve): the API, on a port that all server processes listen to."""

import asyncio
import signal

from twin.process import die_with_supervisor, leave


def main() -> None:
    """Serve until SIGTERM, then finish the requests in hand; exit status 1 if the application did not start."""
    die_with_supervisor()
    import uvloop

    leave(0 if uvloop.run(_serve()) else 1)


async def _serve() -> bool:
    from granian.constants import HTTPModes, Interfaces
    from granian.log import LogLevels
    from granian.server.embed import Server

    from api.app import create_app
    from twin.settings import read_settings

    settings = read_settings()
    server = Server(
        create_app(settings),
        # Every process binds the port with SO_REUSEPORT; the kernel shares connections out among them.
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=False,
        backlog=1024,
        log_level=LogLevels.error,
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    await server.serve()
    return not server.interrupt_children


if __name__ == "__main__":
    main()
